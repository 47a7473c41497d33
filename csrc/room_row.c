/* room_row.c -- see room_row.h; the layout of the rows is drawn in room.h. */
#include "room_row.h"

#include "tuple.h"

ld_slice room_key(room_key_space space, ld_slice name) {
  ld_buf key = {.data = space, .capacity = sizeof(room_key_space)};
  ld_buf_byte(&key, LD_SPACE_ROOM);
  ld_tuple_string(&key, name);
  return ld_buf_slice(&key);
}

ld_slice room_part_prefix(room_key_space space, uint8_t kind, int64_t id) {
  ld_buf key = {.data = space, .capacity = sizeof(room_key_space)};
  ld_buf_byte(&key, kind);
  ld_tuple_int(&key, id);
  return ld_buf_slice(&key);
}

ld_slice room_part_key(room_key_space space, uint8_t kind, int64_t id, ld_slice name) {
  ld_slice prefix = room_part_prefix(space, kind, id);
  ld_buf key = {.data = space, .size = prefix.size, .capacity = sizeof(room_key_space)};
  ld_tuple_string(&key, name);
  return ld_buf_slice(&key);
}

ld_rc room_no_memory(ld_txn *txn) { return ld_no_memory(txn, "room"); }

ld_rc room_damaged(ld_txn *txn, const char *what) {
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT,
                               "room: %s is damaged; restore the store from a backup", what));
}

ld_rc room_part_name(ld_txn *txn, ld_slice key, ld_slice *name, ld_buf *scratch) {
  ld_part part = {.kind = LD_PART_NULL};
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  ld_rc rc = LD_OK;
  while (rest.size > 0 && rc == LD_OK) rc = ld_tuple_next(&rest, &part, scratch);
  if (rc == LD_NOMEM) return room_no_memory(txn);
  if (rc != LD_OK || part.kind != LD_PART_STRING) return room_damaged(txn, "a key");
  *name = part.bytes;
  return LD_OK;
}

static bool take_int(ld_slice *rest, int64_t *integer) {
  ld_token token;
  if (!ld_value_next(rest, &token) || token.kind != LD_INT) return false;
  *integer = token.integer;
  return true;
}

ld_rc room_decode(ld_txn *txn, ld_slice payload, room_row *room) {
  if (!take_int(&payload, &room->id) || !take_int(&payload, &room->flags) ||
      !take_int(&payload, &room->saved_at))
    return room_damaged(txn, "a row");
  room->config = payload;
  return LD_OK;
}

void room_encode(const room_row *room, ld_buf *payload) {
  ld_write_int(payload, room->id);
  ld_write_int(payload, room->flags);
  ld_write_int(payload, room->saved_at);
  ld_buf_add(payload, room->config);
}

ld_rc room_find(ld_txn *txn, ld_slice name, room_row *room) {
  room_key_space space;
  ld_row row;
  if (name.size == 0 || name.size > LD_PART_MAX) return LD_NOTFOUND;
  ld_rc rc = ld_row_get(txn, room_key(space, name), &row);
  return rc == LD_OK ? room_decode(txn, row.payload, room) : rc;
}

ld_rc room_must_find(ld_txn *txn, ld_slice name, room_row *room) {
  ld_quoted quoted;
  ld_rc rc = room_find(txn, name, room);
  if (rc != LD_NOTFOUND) return rc;
  return ld_fail(ld_error_of(txn), rc, "room %s: there is no such room", ld_quote(name, quoted));
}

ld_rc room_check_part(ld_txn *txn, const char *what, ld_slice bytes) {
  ld_quoted quoted;
  if (bytes.size <= LD_PART_MAX) return LD_OK;
  return ld_fail(ld_error_of(txn), LD_TOOBIG, "%s %s has %zu bytes, the limit is %u", what,
                 ld_quote(bytes, quoted), bytes.size, LD_PART_MAX);
}

bool room_votes_head(ld_slice *payload, uint32_t *count) {
  ld_token head;
  if (!ld_value_next(payload, &head)) return false;
  if (head.kind != LD_ARRAY && !(head.kind == LD_MAP && head.count == 0)) return false;
  *count = head.count;
  return true;
}

bool room_next_vote(ld_slice *rest, room_vote *vote) {
  ld_token head, user, word;
  if (!ld_value_next(rest, &head) || head.kind != LD_ARRAY || head.count != 3) return false;
  if (!ld_value_next(rest, &user) || !ld_is_string(&user)) return false;
  if (!ld_value_next(rest, &word) || !ld_is_string(&word)) return false;
  vote->user = user.bytes;
  vote->like = ld_equal(word.bytes, LD_LITERAL("like"));
  return ld_value_next(rest, &vote->time) &&
         (vote->time.kind == LD_INT || vote->time.kind == LD_FLOAT);
}

bool room_read_progress(ld_slice payload, int64_t *count, int64_t *at) {
  return take_int(&payload, count) && take_int(&payload, at);
}

void room_write_progress(ld_buf *payload, int64_t count, int64_t at) {
  ld_write_int(payload, count);
  ld_write_int(payload, at);
}
