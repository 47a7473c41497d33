/* cache_row.c -- see cache_row.h.
**
** All but the values is varints: of an entry its numbers, a file's hash, then extension, type and metadata, each with its size before it. */
#include "cache_row.h"

#include "tuple.h"

/* ---- keys ---- */

static ld_buf *begin_key(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind) {
  key->bytes = (ld_buf){.data = key->room, .capacity = sizeof key->room};
  ld_buf_byte(&key->bytes, LD_SPACE_CACHE_ROW);
  ld_tuple_int(&key->bytes, (int64_t)number);
  ld_tuple_int(&key->bytes, (int64_t)kind);
  return &key->bytes;
}

ld_slice ld_cache_row(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind) {
  return ld_buf_slice(begin_key(key, number, kind));
}

ld_slice ld_cache_row_text(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind,
                           ld_slice text) {
  ld_buf *bytes = begin_key(key, number, kind);
  ld_tuple_string(bytes, text);
  return ld_buf_slice(bytes);
}

ld_slice ld_cache_row_ints(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind, int64_t one,
                           int64_t other) {
  ld_buf *bytes = begin_key(key, number, kind);
  ld_tuple_int(bytes, one);
  ld_tuple_int(bytes, other);
  return ld_buf_slice(bytes);
}

ld_slice ld_cache_row_int(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind, uint64_t one) {
  ld_buf *bytes = begin_key(key, number, kind);
  ld_tuple_int(bytes, (int64_t)one);
  return ld_buf_slice(bytes);
}

/* ---- small rows ---- */

ld_rc ld_cache_corrupt(ld_txn *txn) {
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "cache: a row is cut off"));
}

ld_rc ld_cache_no_memory(ld_txn *txn) { return ld_no_memory(txn, "cache"); }

ld_rc ld_cache_put_varint(ld_txn *txn, ld_slice key, uint64_t number) {
  uint8_t room[16];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  ld_buf_varint(&payload, number);
  return ld_row_put_plain(txn, key, ld_buf_slice(&payload));
}

ld_rc ld_cache_get_varint(ld_txn *txn, ld_slice key, uint64_t *number) {
  ld_row row;
  ld_rc rc = ld_row_get(txn, key, &row);
  if (rc != LD_OK) return rc;
  return ld_read_varint(&row.payload, number) ? LD_OK : ld_cache_corrupt(txn);
}

ld_rc ld_cache_drop_row(ld_txn *txn, ld_slice key) {
  ld_rc rc = ld_row_del(txn, key);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- the state ---- */

enum { STATE_FIELDS = 13 };

static void write_numbers(ld_buf *payload, const uint64_t *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) ld_buf_varint(payload, numbers[i]);
}

static bool read_numbers(ld_slice *rest, uint64_t *numbers, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!ld_read_varint(rest, numbers + i)) return false;
  return true;
}

bool ld_cache_decode_state(ld_slice payload, ld_cache_settings *settings, ld_cache_state *state) {
  uint64_t n[STATE_FIELDS];
  if (!read_numbers(&payload, n, STATE_FIELDS) || payload.size != LD_CACHE_FOLDER) return false;
  *settings = (ld_cache_settings){.max_bytes = n[0],
                                  .ttl_ms = (int64_t)n[1] - 1,
                                  .policy = (ld_cache_policy)n[2],
                                  .large = n[3]};
  memcpy(settings->folder, payload.data, LD_CACHE_FOLDER);
  *state = (ld_cache_state){n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12]};
  return n[2] <= LD_CACHE_S3FIFO;
}

ld_rc ld_cache_read_state(ld_txn *txn, uint64_t number, ld_cache_settings *settings,
                          ld_cache_state *state) {
  ld_cache_key_of key;
  ld_row row;
  ld_rc rc = ld_row_get(txn, ld_cache_row(&key, number, LD_CACHE_STATE), &row);
  if (rc == LD_NOTFOUND)
    return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT,
                                 "cache: its settings are not there any more: open it again"));
  if (rc != LD_OK) return rc;
  if (!ld_cache_decode_state(row.payload, settings, state)) return ld_cache_corrupt(txn);
  settings->number = number;
  return LD_OK;
}

static ld_rc write_state(ld_txn *txn, const ld_cache_settings *settings,
                         const ld_cache_state *state) {
  uint8_t room[10 * STATE_FIELDS + LD_CACHE_FOLDER];
  ld_cache_key_of key;
  ld_buf payload = {.data = room, .capacity = sizeof room};
  const uint64_t n[STATE_FIELDS] = {
      settings->max_bytes, (uint64_t)(settings->ttl_ms + 1),
      settings->policy,    settings->large,
      state->small_bytes,  state->bytes,
      state->entries,      state->ghosts,
      state->hits,         state->misses,
      state->evictions,    state->quarantined,
      state->last,
  };
  write_numbers(&payload, n, STATE_FIELDS);
  ld_buf_add(&payload, ld_bytes(settings->folder, LD_CACHE_FOLDER));
  return ld_row_put_plain(txn, ld_cache_row(&key, settings->number, LD_CACHE_STATE),
                          ld_buf_slice(&payload));
}

ld_rc ld_cache_run_begin(ld_cache_run *run, ld_txn *txn, ld_cache *cache) {
  *run = (ld_cache_run){.txn = txn, .cache = cache};
  return ld_cache_read_state(txn, cache->settings.number, &run->settings, &run->state);
}

ld_rc ld_cache_run_end(ld_cache_run *run, ld_rc rc) {
  return rc == LD_OK ? write_state(run->txn, &run->settings, &run->state) : rc;
}

/* ---- entries ---- */

enum { ENTRY_FIELDS = 10 };

static void write_slice(ld_buf *payload, ld_slice bytes) {
  ld_buf_varint(payload, bytes.size);
  ld_buf_add(payload, bytes);
}

static bool read_slice(ld_slice *rest, ld_slice *bytes) {
  uint64_t size;
  if (!ld_read_varint(rest, &size) || size > rest->size) return false;
  *bytes = ld_bytes(rest->data, (size_t)size);
  *rest = ld_bytes(rest->data + size, rest->size - (size_t)size);
  return true;
}

static bool read_hash(ld_slice *rest, ld_cache_entry *entry) {
  if (!entry->is_file) return true;
  if (rest->size < LD_SHA256) return false;
  memcpy(entry->hash, rest->data, LD_SHA256);
  *rest = ld_bytes(rest->data + LD_SHA256, rest->size - LD_SHA256);
  return true;
}

bool ld_cache_decode_entry(ld_slice rest, ld_cache_entry *entry) {
  uint64_t n[ENTRY_FIELDS];
  if (!read_numbers(&rest, n, ENTRY_FIELDS)) return false;
  entry->id = n[0];
  entry->size = n[1];
  entry->place = n[2];
  entry->uses = n[3];
  entry->created_ms = (int64_t)n[4];
  entry->expires_ms = (int64_t)n[5] - 1;
  entry->used_ms = (int64_t)n[6];
  entry->queue = (uint8_t)n[7];
  entry->heat = (uint8_t)n[8];
  entry->is_file = n[9] != 0;
  return read_hash(&rest, entry) && read_slice(&rest, &entry->extension) &&
         read_slice(&rest, &entry->type) && read_slice(&rest, &entry->metadata);
}

ld_rc ld_cache_get_entry(ld_txn *txn, uint64_t number, ld_slice key, ld_cache_entry *entry) {
  ld_cache_key_of row_key;
  ld_row row;
  ld_rc rc = ld_row_get(txn, ld_cache_row_text(&row_key, number, LD_CACHE_ENTRY, key), &row);
  if (rc != LD_OK) return rc;
  return ld_cache_decode_entry(row.payload, entry) ? LD_OK : ld_cache_corrupt(txn);
}

ld_rc ld_cache_put_entry(ld_txn *txn, uint64_t number, ld_slice key, const ld_cache_entry *entry) {
  ld_cache_key_of row_key;
  ld_buf payload = {0};
  const uint64_t n[ENTRY_FIELDS] = {entry->id,
                                    entry->size,
                                    entry->place,
                                    entry->uses,
                                    (uint64_t)entry->created_ms,
                                    (uint64_t)(entry->expires_ms + 1),
                                    (uint64_t)entry->used_ms,
                                    entry->queue,
                                    entry->heat,
                                    entry->is_file};
  write_numbers(&payload, n, ENTRY_FIELDS);
  if (entry->is_file) ld_buf_add(&payload, ld_bytes(entry->hash, LD_SHA256));
  write_slice(&payload, entry->extension);
  write_slice(&payload, entry->type);
  write_slice(&payload, entry->metadata);
  ld_rc rc = payload.failed
                 ? ld_cache_no_memory(txn)
                 : ld_row_put_plain(txn, ld_cache_row_text(&row_key, number, LD_CACHE_ENTRY, key),
                                    ld_buf_slice(&payload));
  ld_buf_clear(&payload);
  return rc;
}
