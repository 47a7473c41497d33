/* row.c -- rows: checksum, revision, long keys.
**
** A key past LONGEST is stored as its first LD_KEY_KEPT bytes and the FNV-1a-128 hash of all of it, LD_KEY_MAX bytes together: so a stored
** key is shortened exactly when it has that size. Two keys with one hash would be refused (EXISTS), never mixed up, since the row
** keeps the whole key. */
#include "row.h"

#include <string.h>

#include "tuple.h"

enum {
  FORMAT = 0x01,
  FLAG_WHOLE_KEY = 0x01,
  HEADER = 6, /* format, flags, checksum */
  LONGEST = LD_KEY_MAX - 1
};

/* ---- keys ---- */

/* The key as engines see it, in `room` when it has to be shortened. */
static ld_slice engine_key(ld_slice key, uint8_t room[LD_KEY_MAX]) {
  if (key.size <= LONGEST) return key;
  memcpy(room, key.data, LD_KEY_KEPT);
  ld_hash128(key, room + LD_KEY_KEPT);
  return ld_bytes(room, LD_KEY_MAX);
}

/* ---- values ---- */

static uint32_t checksum(ld_slice key, ld_slice value) {
  uint32_t crc = ld_crc32c(0, key);
  crc = ld_crc32c(crc, ld_bytes(value.data, 2));
  return ld_crc32c(crc, ld_bytes(value.data + HEADER, value.size - HEADER));
}

static uint32_t stored_checksum(ld_slice value) {
  const uint8_t *at = value.data + 2;
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void encode(ld_slice stored_key, ld_slice key, uint64_t revision, ld_slice payload,
                   ld_buf *value) {
  bool shortened = key.size > LONGEST;
  size_t start = value->size;
  static const uint8_t no_checksum[4] = {0};
  ld_buf_byte(value, FORMAT);
  ld_buf_byte(value, shortened ? FLAG_WHOLE_KEY : 0);
  ld_buf_add(value, ld_bytes(no_checksum, 4));
  ld_buf_varint(value, revision);
  if (shortened) ld_buf_varint(value, key.size);
  if (shortened) ld_buf_add(value, key);
  ld_buf_add(value, payload);
  if (value->failed) return;
  uint32_t crc = checksum(stored_key, ld_bytes(value->data + start, value->size - start));
  for (size_t i = 0; i < 4; i++) value->data[start + 2 + i] = (uint8_t)(crc >> (8 * i));
}

void ld_row_encode(ld_slice key, uint64_t revision, ld_slice payload, ld_buf *value) {
  uint8_t room[LD_KEY_MAX];
  encode(engine_key(key, room), key, revision, payload, value);
}

bool ld_row_is_sound(ld_slice key, ld_slice value) {
  return value.size > HEADER && value.data[0] == FORMAT &&
         stored_checksum(value) == checksum(key, value);
}

static bool decode_body(ld_slice key, ld_slice value, ld_row *row) {
  ld_slice rest = ld_bytes(value.data + HEADER, value.size - HEADER);
  uint64_t size;
  if (!ld_read_varint(&rest, &row->revision)) return false;
  row->key = key;
  if ((value.data[1] & FLAG_WHOLE_KEY) != 0) {
    if (!ld_read_varint(&rest, &size) || size > rest.size) return false;
    row->key = ld_bytes(rest.data, (size_t)size);
    rest = ld_bytes(rest.data + size, rest.size - (size_t)size);
  }
  row->payload = rest;
  return true;
}

bool ld_row_read(ld_slice key, ld_slice value, ld_row *row) {
  return ld_row_is_sound(key, value) && (value.data[1] & ~FLAG_WHOLE_KEY) == 0 &&
         decode_body(key, value, row);
}

static ld_rc damaged(ld_txn *txn, ld_slice key, const char *what) {
  ld_quoted quoted;
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT,
                               "row %s: %s; restore the store from a backup", ld_quote(key, quoted),
                               what));
}

static ld_rc decode(ld_txn *txn, ld_slice key, ld_slice value, ld_row *row) {
  if (!ld_row_is_sound(key, value)) return damaged(txn, key, "the checksum differs");
  if ((value.data[1] & ~FLAG_WHOLE_KEY) != 0)
    return ld_fail(ld_error_of(txn), LD_UNSUPPORTED, "row: written by a newer version (flags %02x)",
                   value.data[1]);
  return decode_body(key, value, row) ? LD_OK : damaged(txn, key, "the header is cut off");
}

/* ---- reading and writing ---- */

ld_rc ld_row_get(ld_txn *txn, ld_slice key, ld_row *row) {
  uint8_t room[LD_KEY_MAX];
  ld_slice stored = engine_key(key, room), value;
  ld_rc rc = ld_get(txn, stored, &value);
  if (rc == LD_OK) rc = decode(txn, stored, value, row);
  if (rc != LD_OK) return rc;
  if (stored.data == key.data) {
    row->key = key;
    return LD_OK;
  }
  return ld_equal(row->key, key) ? LD_OK : LD_NOTFOUND;
}

/* Refuse to replace a row of another key with the same hash. */
static ld_rc check_twin(ld_txn *txn, ld_slice key, ld_slice stored) {
  ld_slice value;
  ld_row row;
  ld_rc rc = ld_get(txn, stored, &value);
  if (rc == LD_OK) rc = decode(txn, stored, value, &row);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (ld_equal(row.key, key)) return LD_OK;
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_EXISTS, "another long key has the same hash"));
}

/* `stored` is the engine's key of `key`. */
static ld_rc put(ld_txn *txn, ld_slice stored, ld_slice key, uint64_t revision, ld_slice payload) {
  ld_buf *value = &txn->engine->scratch;
  ld_buf_reset(value);
  encode(stored, key, revision, payload, value);
  if (value->failed) return ld_no_memory(txn, "row");
  return ld_put(txn, stored, ld_buf_slice(value));
}

ld_rc ld_row_put(ld_txn *txn, ld_slice key, ld_slice payload) {
  uint8_t room[LD_KEY_MAX];
  uint64_t revision;
  ld_slice stored = engine_key(key, room);
  ld_rc rc = stored.data == key.data ? LD_OK : check_twin(txn, key, stored);
  if (rc == LD_OK) rc = ld_sequence_next(txn, &revision);
  return rc == LD_OK ? put(txn, stored, key, revision, payload) : rc;
}

ld_rc ld_row_put_plain(ld_txn *txn, ld_slice key, ld_slice payload) {
  uint8_t room[LD_KEY_MAX];
  ld_slice stored = engine_key(key, room);
  ld_rc rc = stored.data == key.data ? LD_OK : check_twin(txn, key, stored);
  return rc == LD_OK ? put(txn, stored, key, 0, payload) : rc;
}

ld_rc ld_row_del(ld_txn *txn, ld_slice key) {
  uint8_t room[LD_KEY_MAX];
  ld_row row;
  if (key.size <= LONGEST) return ld_del(txn, key);
  ld_rc rc = ld_row_get(txn, key, &row);
  return rc == LD_OK ? ld_del(txn, engine_key(key, room)) : rc;
}

ld_rc ld_row_renumber(ld_txn *txn, ld_slice key, uint64_t revision) {
  uint8_t room[LD_KEY_MAX];
  ld_row row;
  ld_rc rc = ld_row_get(txn, key, &row);
  if (rc == LD_OK) rc = ld_sequence_raise(txn, revision);
  if (rc != LD_OK) return rc;
  return put(txn, engine_key(key, room), key, revision, row.payload);
}

/* ---- scans ---- */

ld_rc ld_row_current(ld_cursor *cursor, ld_row *row) {
  ld_slice key, value;
  ld_rc rc = ld_cursor_current(cursor, &key, &value);
  return rc == LD_OK ? decode(cursor->txn, key, value, row) : rc;
}

static ld_slice short_prefix(ld_slice prefix) {
  return ld_bytes(prefix.data, prefix.size < LD_KEY_KEPT ? prefix.size : LD_KEY_KEPT);
}

ld_rc ld_scan_begin(ld_scan *scan, ld_txn *txn, ld_slice prefix, ld_slice after) {
  uint8_t room[LD_KEY_MAX];
  ld_slice key, value, stored = engine_key(after, room);
  *scan = (ld_scan){.prefix = prefix, .short_prefix = short_prefix(prefix)};
  ld_rc rc = ld_cursor_open(txn, &scan->cursor);
  if (rc != LD_OK) return rc;
  bool from_after = after.size > 0 && ld_compare(stored, scan->short_prefix) >= 0;
  rc = ld_cursor_seek(scan->cursor, from_after ? stored : scan->short_prefix);
  scan->placed = rc == LD_OK;
  if (scan->placed && from_after) rc = ld_cursor_current(scan->cursor, &key, &value);
  if (rc == LD_OK && from_after && ld_equal(key, stored)) scan->placed = false; /* step over it */
  if (rc == LD_OK || rc == LD_NOTFOUND) return LD_OK;
  ld_scan_end(scan);
  return rc;
}

ld_rc ld_scan_next(ld_scan *scan, ld_row *row) {
  ld_txn *txn = scan->cursor->txn;
  for (;;) {
    ld_slice key, value;
    ld_rc rc = scan->placed ? LD_OK : ld_cursor_next(scan->cursor);
    scan->placed = false;
    if (rc == LD_OK) rc = ld_cursor_current(scan->cursor, &key, &value);
    if (rc != LD_OK) return rc;
    if (!ld_starts_with(key, scan->short_prefix)) return LD_NOTFOUND;
    rc = decode(txn, key, value, row);
    if (rc != LD_OK || ld_starts_with(row->key, scan->prefix)) return rc;
  }
}

void ld_scan_end(ld_scan *scan) {
  ld_cursor_close(scan->cursor);
  scan->cursor = NULL;
}

/* The first key behind all that begin with `prefix`; empty when there is none. */
static ld_slice behind(ld_slice prefix, uint8_t room[LD_KEY_MAX]) {
  size_t size = prefix.size;
  while (size > 0 && prefix.data[size - 1] == 0xff) size--;
  if (size == 0) return LD_SLICE_NONE;
  memcpy(room, prefix.data, size);
  room[size - 1]++;
  return ld_bytes(room, size);
}

static ld_rc del_long_prefix(ld_txn *txn, ld_slice prefix, uint64_t *count) {
  ld_scan scan;
  ld_row row;
  uint64_t deleted = 0;
  ld_rc rc = ld_scan_begin(&scan, txn, prefix, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = ld_row_del(txn, row.key);
    if (rc != LD_OK) break;
    deleted++;
  }
  ld_scan_end(&scan);
  if (rc != LD_NOTFOUND) return rc;
  *count = deleted;
  return LD_OK;
}

ld_rc ld_row_del_prefix(ld_txn *txn, ld_slice prefix, uint64_t *count) {
  uint8_t room[LD_KEY_MAX];
  if (prefix.size > LD_KEY_KEPT) return del_long_prefix(txn, prefix, count);
  return ld_del_range(txn, prefix, behind(prefix, room), count);
}

/* ---- the sequence ---- */

/* Space STORE, the tuple of one string; the NUL that ends the literal ends the string. */
static ld_slice sequence_key(void) {
  static const char key[] = "\x01\x30"
                            "sequence";
  return ld_bytes(key, sizeof key);
}

bool ld_sequence_is(ld_slice key) { return ld_equal(key, sequence_key()); }

static ld_rc load_sequence(ld_txn *txn) {
  ld_row row;
  ld_slice key = sequence_key();
  ld_rc rc = ld_row_get(txn, key, &row);
  if (rc == LD_NOTFOUND) return LD_OK;
  if (rc != LD_OK) return rc;
  uint64_t number;
  ld_slice rest = row.payload;
  if (!ld_read_varint(&rest, &number)) return damaged(txn, key, "the sequence is cut off");
  txn->sequence = number;
  return LD_OK;
}

ld_rc ld_sequence_next(ld_txn *txn, uint64_t *number) {
  if (txn->sequence == 0) {
    ld_rc rc = load_sequence(txn);
    if (rc != LD_OK) return rc;
  }
  *number = ++txn->sequence;
  txn->sequence_moved = true;
  return LD_OK;
}

ld_rc ld_sequence_last(ld_txn *txn, uint64_t *number) {
  ld_rc rc = txn->sequence == 0 ? load_sequence(txn) : LD_OK;
  if (rc == LD_OK) *number = txn->sequence;
  return rc;
}

ld_rc ld_sequence_raise(ld_txn *txn, uint64_t number) {
  ld_slice key = sequence_key(), value;
  ld_rc rc = ld_get(txn, key, &value);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  if (txn->sequence == 0 && rc == LD_OK && ld_row_is_sound(key, value)) rc = load_sequence(txn);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  if (txn->sequence < number) txn->sequence = number;
  txn->sequence_moved = true;
  return LD_OK;
}

ld_rc ld_sequence_save(ld_txn *txn) {
  if (!txn->sequence_moved) return LD_OK;
  uint8_t room[16];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  ld_slice key = sequence_key();
  ld_buf *value = &txn->engine->scratch;
  ld_buf_varint(&payload, txn->sequence);
  ld_buf_reset(value);
  encode(key, key, txn->sequence, ld_buf_slice(&payload), value);
  if (value->failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "commit: out of memory");
  return ld_put(txn, key, ld_buf_slice(value));
}

static uint64_t stored_number(ld_slice key, ld_slice value) {
  ld_row row;
  uint64_t number = 0;
  if (value.size > HEADER && decode_body(key, value, &row)) ld_read_varint(&row.payload, &number);
  return number;
}

void ld_sequence_ahead(ld_slice key, ld_slice kept, ld_slice value, ld_buf *row) {
  enum { AHEAD = 65536 };
  uint8_t room[16];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  uint64_t number = stored_number(key, value);
  if (number <= stored_number(key, kept)) return;
  ld_buf_varint(&payload, number + AHEAD);
  encode(key, key, number + AHEAD, ld_buf_slice(&payload), row);
}
