/* room.c -- save, get and walk whole rooms. Ratings by themselves: rating.c; over all rooms: sweep.c. */
#include "room.h"

#include "room_check.h"
#include "room_row.h"

/* ---- save ---- */

/* The configuration: every field but ratings and userProgress. */
static void write_config(ld_slice document, const ld_room_fields *fields, ld_buf *config) {
  ld_token head, key;
  ld_slice rest = document, value;
  if (fields->ratings.size == 0 && fields->progress.size == 0) {
    ld_buf_add(config, document);
    return;
  }
  ld_value_next(&rest, &head);
  size_t opened = ld_write_open(config), count = 0;
  for (uint32_t i = 0; i < head.count; i++) {
    const uint8_t *start = rest.data;
    ld_value_next(&rest, &key);
    ld_value_take(&rest, &value);
    if (value.data == fields->ratings.data || value.data == fields->progress.data) continue;
    ld_buf_add(config, ld_bytes(start, (size_t)(rest.data - start)));
    count++;
  }
  ld_write_close(config, opened, LD_MAP, count);
}

static ld_rc put_ratings(ld_txn *txn, int64_t id, ld_slice ratings) {
  room_key_space space;
  ld_token head, media;
  ld_slice votes;
  ld_rc rc = LD_OK;
  if (ratings.size == 0) return LD_OK;
  ld_value_next(&ratings, &head);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    ld_value_next(&ratings, &media);
    ld_value_take(&ratings, &votes);
    rc = ld_row_put(txn, room_part_key(space, LD_SPACE_RATING, id, media.bytes), votes);
  }
  return rc;
}

/* When the user has rated last; 0: not known. */
static int64_t find_time(ld_slice times, ld_slice user) {
  ld_token head = {.count = 0}, key, time;
  ld_value_next(&times, &head);
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&times, &key) || !ld_value_next(&times, &time)) return 0;
    if (time.kind != LD_INT) return 0;
    if (ld_equal(key.bytes, user)) return time.integer;
  }
  return 0;
}

static ld_rc put_progress(ld_txn *txn, int64_t id, ld_slice progress, ld_slice times) {
  room_key_space space;
  uint8_t room[24];
  ld_token head, user, count;
  ld_rc rc = LD_OK;
  if (progress.size == 0) return LD_OK;
  ld_value_next(&progress, &head);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    ld_buf payload = {.data = room, .capacity = sizeof room};
    ld_value_next(&progress, &user);
    ld_value_next(&progress, &count);
    room_write_progress(&payload, count.integer, find_time(times, user.bytes));
    rc = ld_row_put(txn, room_part_key(space, LD_SPACE_PROGRESS, id, user.bytes),
                    ld_buf_slice(&payload));
  }
  return rc;
}

static ld_rc delete_parts(ld_txn *txn, const room_row *room) {
  room_key_space space;
  uint64_t count;
  ld_rc rc = LD_OK;
  if ((room->flags & ROOM_HAS_RATINGS) != 0)
    rc = ld_row_del_prefix(txn, room_part_prefix(space, LD_SPACE_RATING, room->id), &count);
  if (rc == LD_OK && (room->flags & ROOM_HAS_PROGRESS) != 0)
    rc = ld_row_del_prefix(txn, room_part_prefix(space, LD_SPACE_PROGRESS, room->id), &count);
  return rc;
}

/* The id of the room of that name, whose ratings and progress are removed; or a new one. */
static ld_rc take_place(ld_txn *txn, ld_slice name, int64_t *id) {
  room_row old;
  uint64_t number;
  ld_rc rc = room_find(txn, name, &old);
  if (rc == LD_OK) {
    *id = old.id;
    return delete_parts(txn, &old);
  }
  if (rc != LD_NOTFOUND) return rc;
  rc = ld_sequence_next(txn, &number);
  if (rc == LD_OK) *id = (int64_t)number;
  return rc;
}

/* The room's own row. */
static ld_rc put_room(ld_txn *txn, ld_slice document, const ld_room_fields *fields, int64_t id,
                      int64_t saved_at) {
  room_key_space space;
  ld_buf payload = {0};
  room_row room = {.id = id, .saved_at = saved_at};
  if (fields->ratings.size > 0) room.flags |= ROOM_HAS_RATINGS;
  if (fields->progress.size > 0) room.flags |= ROOM_HAS_PROGRESS;
  ld_buf_reserve(&payload, document.size - fields->ratings.size - fields->progress.size + 32);
  room_encode(&room, &payload);
  write_config(document, fields, &payload);
  ld_rc rc = payload.failed
                 ? room_no_memory(txn)
                 : ld_row_put(txn, room_key(space, fields->name), ld_buf_slice(&payload));
  ld_buf_clear(&payload);
  return rc;
}

ld_rc ld_room_save(ld_txn *txn, ld_slice document) {
  ld_room_times times = {.saved_at = ld_now(&txn->engine->env)};
  return ld_room_restore(txn, document, &times);
}

ld_rc ld_room_restore(ld_txn *txn, ld_slice document, const ld_room_times *times) {
  ld_room_fields fields;
  int64_t id = 0;
  ld_rc rc = ld_room_check(document, &fields, ld_error_of(txn));
  if (rc == LD_OK) rc = take_place(txn, fields.name, &id);
  if (rc == LD_OK) rc = put_room(txn, document, &fields, id, times->saved_at);
  if (rc == LD_OK) rc = put_ratings(txn, id, fields.ratings);
  if (rc == LD_OK) rc = put_progress(txn, id, fields.progress, times->rated_at);
  return rc == LD_OK ? ld_note_room(txn, "save", fields.name) : rc;
}

/* ---- get ---- */

static ld_rc add_part(ld_txn *txn, const ld_row *row, uint8_t space, ld_buf *document,
                      ld_buf *scratch) {
  ld_slice name;
  int64_t count, at;
  ld_rc rc = room_part_name(txn, row->key, &name, scratch);
  if (rc != LD_OK) return rc;
  ld_write_string(document, name);
  if (space == LD_SPACE_RATING) {
    ld_buf_add(document, row->payload);
    return LD_OK;
  }
  if (!room_read_progress(row->payload, &count, &at)) return room_damaged(txn, "a progress row");
  ld_write_int(document, count);
  return LD_OK;
}

/* A field whose value is a map with an entry for each row of the space. */
static ld_rc add_parts(ld_txn *txn, int64_t id, uint8_t space, const char *field,
                       ld_buf *document) {
  room_key_space key_space;
  ld_buf scratch = {0};
  ld_scan scan;
  ld_row row;
  size_t count = 0;
  ld_rc rc = ld_scan_begin(&scan, txn, room_part_prefix(key_space, space, id), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  ld_write_text(document, field);
  size_t opened = ld_write_open(document);
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = add_part(txn, &row, space, document, &scratch);
    if (rc != LD_OK) break;
    count++;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  ld_write_close(document, opened, LD_MAP, count);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* The fields of the configuration; `*count` is raised by their number. */
static bool add_config(ld_slice config, unsigned parts, ld_buf *document, size_t *count) {
  ld_token head, key;
  ld_slice value;
  if (!ld_value_next(&config, &head) || head.kind != LD_MAP) return false;
  if ((parts & LD_ROOM_PASSWORD) != 0) {
    ld_buf_add(document, config);
    *count += head.count;
    return true;
  }
  for (uint32_t i = 0; i < head.count; i++) {
    const uint8_t *start = config.data;
    if (!ld_value_next(&config, &key) || !ld_value_take(&config, &value)) return false;
    if (ld_is_string(&key) && ld_equal(key.bytes, LD_LITERAL("password"))) continue;
    ld_buf_add(document, ld_bytes(start, (size_t)(config.data - start)));
    (*count)++;
  }
  return true;
}

static ld_rc write_room(ld_txn *txn, const room_row *room, unsigned parts, ld_buf *document) {
  size_t opened = ld_write_open(document), count = 0;
  bool whole = (parts & LD_ROOM_RATINGS) != 0;
  bool ratings = whole && (room->flags & ROOM_HAS_RATINGS) != 0;
  bool progress = whole && (room->flags & ROOM_HAS_PROGRESS) != 0;
  ld_rc rc = LD_OK;
  if (!add_config(room->config, parts, document, &count)) return room_damaged(txn, "a row");
  if (ratings) rc = add_parts(txn, room->id, LD_SPACE_RATING, "ratings", document);
  if (progress && rc == LD_OK)
    rc = add_parts(txn, room->id, LD_SPACE_PROGRESS, "userProgress", document);
  ld_write_close(document, opened, LD_MAP, count + ratings + progress);
  return rc == LD_OK && document->failed ? room_no_memory(txn) : rc;
}

ld_rc ld_room_get(ld_txn *txn, ld_slice name, unsigned parts, ld_buf *document) {
  room_row room;
  size_t before = document->size;
  ld_rc rc = room_find(txn, name, &room);
  if (rc == LD_OK) rc = write_room(txn, &room, parts, document);
  if (rc != LD_OK) document->size = before;
  return rc;
}

ld_rc ld_room_has(ld_txn *txn, ld_slice name) {
  room_row room;
  return room_find(txn, name, &room);
}

/* ---- times ---- */

static ld_rc add_time(ld_txn *txn, const ld_row *row, ld_buf *rated_at, ld_buf *scratch,
                      size_t *count) {
  ld_slice user;
  int64_t progress, at;
  ld_rc rc = room_part_name(txn, row->key, &user, scratch);
  if (rc != LD_OK) return rc;
  if (!room_read_progress(row->payload, &progress, &at)) return room_damaged(txn, "a progress row");
  if (at == 0) return LD_OK;
  ld_write_string(rated_at, user);
  ld_write_int(rated_at, at);
  (*count)++;
  return LD_OK;
}

ld_rc ld_room_times_of(ld_txn *txn, ld_slice name, int64_t *saved_at, ld_buf *rated_at) {
  room_key_space space;
  room_row room;
  ld_scan scan;
  ld_row row;
  ld_buf scratch = {0};
  size_t count = 0;
  ld_rc rc = room_find(txn, name, &room);
  if (rc != LD_OK) return rc;
  *saved_at = room.saved_at;
  size_t opened = ld_write_open(rated_at);
  rc =
      ld_scan_begin(&scan, txn, room_part_prefix(space, LD_SPACE_PROGRESS, room.id), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK &&
         (rc = add_time(txn, &row, rated_at, &scratch, &count)) == LD_OK) {
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  ld_write_close(rated_at, opened, LD_MAP, count);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- delete, each ---- */

ld_rc ld_room_delete(ld_txn *txn, ld_slice name) {
  room_row room;
  room_key_space space;
  ld_rc rc = room_find(txn, name, &room);
  if (rc == LD_OK) rc = delete_parts(txn, &room);
  if (rc == LD_OK) rc = ld_row_del(txn, room_key(space, name));
  return rc == LD_OK ? ld_note_room(txn, "delete", name) : rc;
}

typedef struct room_walk {
  ld_txn *txn;
  bool names_only;
  unsigned parts;
  ld_buf name_scratch, document;
  ld_room_visit visit;
  void *context;
} room_walk;

static ld_rc visit_row(room_walk *walk, const ld_row *row) {
  room_row room;
  ld_slice name;
  ld_rc rc = room_part_name(walk->txn, row->key, &name, &walk->name_scratch);
  ld_buf_reset(&walk->document);
  if (rc == LD_OK && !walk->names_only) rc = room_decode(walk->txn, row->payload, &room);
  if (rc == LD_OK && !walk->names_only)
    rc = write_room(walk->txn, &room, walk->parts, &walk->document);
  return rc == LD_OK ? walk->visit(walk->context, name, ld_buf_slice(&walk->document)) : rc;
}

/* No name is longer than LD_PART_MAX, so what begins behind a longer one begins behind its beginning. */
static ld_slice at_most_a_part(ld_slice name) {
  return ld_bytes(name.data, name.size < LD_PART_MAX ? name.size : LD_PART_MAX);
}

ld_rc ld_room_each(ld_txn *txn, const ld_room_range *range, bool names_only, unsigned parts,
                   ld_room_visit visit, void *context) {
  room_key_space prefix_space, after_space;
  ld_slice after = LD_SLICE_NONE;
  room_walk walk = {txn, names_only, parts, {0}, {0}, visit, context};
  ld_scan scan;
  ld_row row;
  if (range->prefix.size > LD_PART_MAX) return LD_OK;
  ld_slice prefix = room_key(prefix_space, range->prefix);
  prefix.size--; /* without the end of the string */
  if (range->after.size > 0) after = room_key(after_space, at_most_a_part(range->after));
  ld_rc rc = ld_scan_begin(&scan, txn, prefix, after);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK && (rc = visit_row(&walk, &row)) == LD_OK) {
  }
  ld_scan_end(&scan);
  ld_buf_clear(&walk.name_scratch);
  ld_buf_clear(&walk.document);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
