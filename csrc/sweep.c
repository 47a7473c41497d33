/* sweep.c -- what goes over all rooms: expire and statistics. */
#include "room.h"
#include "room_row.h"

/* ---- expire ---- */

/* The later of `*at` and the last rating in the room. */
static ld_rc last_rating(ld_txn *txn, int64_t id, int64_t *at) {
  room_key_space space;
  ld_scan scan;
  ld_row row;
  int64_t count, rated_at;
  ld_rc rc =
      ld_scan_begin(&scan, txn, room_part_prefix(space, LD_SPACE_PROGRESS, id), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    if (!room_read_progress(row.payload, &count, &rated_at)) {
      rc = room_damaged(txn, "a progress row");
      break;
    }
    if (rated_at > *at) *at = rated_at;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc is_idle(ld_txn *txn, ld_slice payload, int64_t since, bool *idle) {
  room_row room;
  ld_rc rc = room_decode(txn, payload, &room);
  int64_t at = rc == LD_OK ? room.saved_at : 0;
  if (rc == LD_OK && at <= since && (room.flags & ROOM_HAS_PROGRESS) != 0)
    rc = last_rating(txn, room.id, &at);
  if (rc == LD_OK) *idle = at <= since;
  return rc;
}

/* Append the names of the rooms that are idle since then, as values without a head. */
static ld_rc find_idle(ld_txn *txn, int64_t since, ld_buf *names, uint64_t *count) {
  static const uint8_t space = LD_SPACE_ROOM;
  ld_buf scratch = {0};
  ld_scan scan;
  ld_row row;
  ld_slice name;
  bool idle;
  ld_rc rc = ld_scan_begin(&scan, txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = is_idle(txn, row.payload, since, &idle);
    if (rc == LD_OK && idle) rc = room_part_name(txn, row.key, &name, &scratch);
    if (rc != LD_OK) break;
    if (!idle) continue;
    ld_write_string(names, name);
    (*count)++;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc delete_all(ld_txn *txn, ld_slice names) {
  ld_token name;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && ld_value_next(&names, &name)) rc = ld_room_delete(txn, name.bytes);
  return rc;
}

ld_rc ld_room_expire(ld_txn *txn, int64_t idle_ms, uint64_t *count, ld_buf *names) {
  ld_buf found = {0};
  size_t before = names->size;
  uint64_t expired = 0;
  ld_rc rc = find_idle(txn, ld_now(&txn->engine->env) - idle_ms, &found, &expired);
  ld_write_array(names, expired);
  ld_buf_add(names, ld_buf_slice(&found));
  if (rc == LD_OK && (found.failed || names->failed)) rc = room_no_memory(txn);
  if (rc == LD_OK) rc = delete_all(txn, ld_buf_slice(&found));
  if (rc == LD_OK)
    *count = expired;
  else
    names->size = before;
  ld_buf_clear(&found);
  return rc;
}

/* ---- statistics ---- */

static bool add_votes(ld_slice votes, ld_room_stats *stats) {
  uint32_t count;
  uint64_t likes = 0;
  room_vote vote;
  if (!room_votes_head(&votes, &count)) return false;
  for (uint32_t i = 0; i < count; i++) {
    if (!room_next_vote(&votes, &vote)) return false;
    likes += vote.like;
  }
  stats->media += count > 0;
  stats->ratings += count;
  stats->likes += likes;
  stats->matches += likes >= 2;
  return true;
}

static ld_rc add_ratings(ld_txn *txn, ld_room_stats *stats) {
  static const uint8_t space = LD_SPACE_RATING;
  ld_scan scan;
  ld_row row;
  ld_rc rc = ld_scan_begin(&scan, txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK)
    if (!add_votes(row.payload, stats)) {
      rc = room_damaged(txn, "a rating row");
      break;
    }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc add_room(void *context, ld_slice name, ld_slice document) {
  (void)name, (void)document;
  ((ld_room_stats *)context)->rooms++;
  return LD_OK;
}

ld_rc ld_room_stat(ld_txn *txn, ld_room_stats *stats) {
  ld_room_stats sums = {0};
  ld_room_range all = {0};
  ld_rc rc = ld_room_each(txn, &all, true, LD_ROOM_CONFIG, add_room, &sums);
  if (rc == LD_OK) rc = add_ratings(txn, &sums);
  if (rc == LD_OK) *stats = sums;
  return rc;
}
