/* unfinished.c -- see unfinished.h. */
#include "unfinished.h"

#include "cache_mend.h"
#include "value.h"

/* Space STORE, the tuple of one string; the NUL that ends the literal ends the string. */
static ld_slice note_key(void) {
  static const char key[] = "\x01\x30"
                            "unfinished";
  return ld_bytes(key, sizeof key);
}

static ld_slice bytes_of(ld_slice map, const char *name) {
  ld_slice value;
  ld_token token;
  bool there = ld_value_field(map, name, &value) && ld_value_next(&value, &token);
  return there && ld_is_string(&token) ? token.bytes : LD_SLICE_NONE;
}

static uint64_t number_of(ld_slice map, const char *name) {
  ld_slice value;
  ld_token token;
  bool there = ld_value_field(map, name, &value) && ld_value_next(&value, &token);
  return there && token.kind == LD_INT ? (uint64_t)token.integer : 0;
}

ld_rc ld_unfinished_get(ld_txn *txn, ld_unfinished *note, ld_buf *room) {
  ld_row row;
  ld_rc rc = ld_row_get(txn, note_key(), &row);
  if (rc != LD_OK) return rc;
  ld_buf_reset(room);
  ld_buf_add(room, row.payload);
  if (room->failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  ld_slice map = ld_buf_slice(room);
  *note = (ld_unfinished){.what = bytes_of(map, "what"),
                          .source = bytes_of(map, "source"),
                          .scope = bytes_of(map, "scope"),
                          .place = bytes_of(map, "place"),
                          .phase = number_of(map, "phase"),
                          .done = number_of(map, "done"),
                          .written = number_of(map, "written")};
  return LD_OK;
}

static void write_bytes(ld_buf *payload, const char *name, ld_slice bytes) {
  ld_write_text(payload, name);
  ld_write_string(payload, bytes);
}

static void write_number(ld_buf *payload, const char *name, uint64_t number) {
  ld_write_text(payload, name);
  ld_write_int(payload, (int64_t)number);
}

ld_rc ld_unfinished_put(ld_txn *txn, const ld_unfinished *note) {
  ld_buf payload = {0}, value = {0};
  uint64_t last;
  ld_rc rc = ld_sequence_last(txn, &last);
  if (rc != LD_OK) return rc;
  ld_write_map(&payload, 7);
  write_bytes(&payload, "what", note->what);
  write_bytes(&payload, "source", note->source);
  write_bytes(&payload, "scope", note->scope);
  write_bytes(&payload, "place", note->place);
  write_number(&payload, "phase", note->phase);
  write_number(&payload, "done", note->done);
  write_number(&payload, "written", last);
  ld_row_encode(note_key(), 0, ld_buf_slice(&payload), &value);
  rc = payload.failed || value.failed
           ? ld_spoil(txn, ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory"))
           : ld_put(txn, note_key(), ld_buf_slice(&value));
  ld_buf_clear(&payload);
  ld_buf_clear(&value);
  return rc;
}

ld_rc ld_unfinished_end(ld_txn *txn) {
  ld_rc rc = ld_row_del(txn, note_key());
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_unfinished_refuse(ld_txn *txn) {
  ld_buf room = {0};
  ld_unfinished note;
  ld_rc rc = ld_unfinished_get(txn, &note, &room);
  if (rc == LD_OK)
    rc = ld_fail(ld_error_of(txn), LD_INVALID,
                 "a %.*s into this store has not ended; run it again first (unfinished = true "
                 "takes what is there)",
                 (int)note.what.size, (const char *)note.what.data);
  ld_buf_clear(&room);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_unfinished_is_empty(ld_txn *txn, bool *empty) {
  static const uint8_t behind = LD_SPACE_STORE + 1, behind_caches = LD_SPACE_CACHE_ROW + 1;
  ld_cursor *cursor;
  ld_slice key, value;
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return rc;
  rc = ld_cursor_seek(cursor, ld_bytes(&behind, 1));
  if (rc == LD_OK) rc = ld_cursor_current(cursor, &key, &value);
  if (rc == LD_OK && ld_cache_has_row(key))
    rc = ld_cursor_seek(cursor, ld_bytes(&behind_caches, 1));
  ld_cursor_close(cursor);
  if (rc == LD_OK || rc == LD_NOTFOUND) *empty = rc == LD_NOTFOUND;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_unfinished_is_last(ld_txn *txn, const ld_unfinished *note, bool *last) {
  uint64_t number;
  ld_rc rc = ld_sequence_last(txn, &number);
  if (rc == LD_OK) *last = number == note->written;
  return rc;
}
