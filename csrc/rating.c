/* rating.c -- one rating, and what came of all: matches, the password. */
#include <stdlib.h>
#include <string.h>

#include "room.h"
#include "room_row.h"
#include "tuple.h"

/* ---- matches ---- */

/* The likes of one medium. */
typedef struct likes_of {
  uint32_t likes;
  bool liked_by; /* the user that was asked for is among them */
  ld_token latest;
  ld_buf users; /* their names as values, without a head */
} likes_of;

/* A time as a key, so that integers and floats compare by value. */
static void time_key(ld_buf *key, const ld_token *time) {
  if (time->kind == LD_INT)
    ld_tuple_int(key, time->integer);
  else
    ld_tuple_float(key, time->number);
}

static bool is_later(const ld_token *a, const ld_token *b) {
  uint8_t space[2][24];
  ld_buf keys[2] = {{.data = space[0], .capacity = 24}, {.data = space[1], .capacity = 24}};
  if (a->kind == LD_INT && b->kind == LD_INT) return a->integer > b->integer;
  time_key(&keys[0], a);
  time_key(&keys[1], b);
  return ld_compare(ld_buf_slice(&keys[0]), ld_buf_slice(&keys[1])) > 0;
}

static bool count_likes(ld_slice votes, ld_slice user, likes_of *tally) {
  uint32_t count;
  room_vote vote;
  tally->likes = 0;
  tally->liked_by = false;
  ld_buf_reset(&tally->users);
  if (!room_votes_head(&votes, &count)) return false;
  for (uint32_t i = 0; i < count; i++) {
    if (!room_next_vote(&votes, &vote)) return false;
    if (!vote.like) continue;
    if (tally->likes == 0 || is_later(&vote.time, &tally->latest)) tally->latest = vote.time;
    if (ld_equal(vote.user, user)) tally->liked_by = true;
    ld_write_string(&tally->users, vote.user);
    tally->likes++;
  }
  return true;
}

static void write_time(ld_buf *document, const ld_token *time) {
  if (time->kind == LD_INT)
    ld_write_int(document, time->integer);
  else
    ld_write_float(document, time->number);
}

static void write_match(ld_buf *document, ld_slice media, const likes_of *tally) {
  ld_write_map(document, 3);
  ld_write_text(document, "mediaId");
  ld_write_string(document, media);
  ld_write_text(document, "users");
  ld_write_array(document, tally->likes);
  ld_buf_add(document, ld_buf_slice(&tally->users));
  if (tally->users.failed) document->failed = true;
  ld_write_text(document, "matchedAt");
  write_time(document, &tally->latest);
}

/* Matches as they are found, behind one another, and where each one and its key of order begins. */
typedef struct match_list {
  ld_buf bytes;
  ld_buf spots; /* of match_spot */
} match_list;

typedef struct match_spot {
  const uint8_t *base; /* set before sorting, when `bytes` moves no more */
  size_t key, match, end;
} match_spot;

static int by_key(const void *a, const void *b) {
  const match_spot *left = a, *right = b;
  return ld_compare(ld_bytes(left->base + left->key, left->match - left->key),
                    ld_bytes(right->base + right->key, right->match - right->key));
}

static void add_match(match_list *found, ld_slice media, const likes_of *tally) {
  match_spot spot = {.key = found->bytes.size};
  time_key(&found->bytes, &tally->latest);
  ld_tuple_string(&found->bytes, media);
  spot.match = found->bytes.size;
  write_match(&found->bytes, media, tally);
  spot.end = found->bytes.size;
  ld_buf_add(&found->spots, ld_bytes(&spot, sizeof spot));
}

static void write_sorted(match_list *found, ld_buf *matches) {
  match_spot *spots = (match_spot *)(void *)found->spots.data;
  size_t count = found->spots.size / sizeof *spots;
  for (size_t i = 0; i < count; i++) spots[i].base = found->bytes.data;
  if (count > 0) qsort(spots, count, sizeof *spots, by_key);
  ld_write_array(matches, count);
  for (size_t i = 0; i < count; i++)
    ld_buf_add(matches, ld_bytes(spots[i].base + spots[i].match, spots[i].end - spots[i].match));
}

static ld_rc find_matches(ld_txn *txn, int64_t id, ld_slice user, match_list *found) {
  room_key_space space;
  ld_buf scratch = {0};
  likes_of tally = {0};
  ld_scan scan;
  ld_row row;
  ld_slice media;
  ld_rc rc = ld_scan_begin(&scan, txn, room_part_prefix(space, LD_SPACE_RATING, id), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = room_part_name(txn, row.key, &media, &scratch);
    if (rc == LD_OK && !count_likes(row.payload, user, &tally))
      rc = room_damaged(txn, "a rating row");
    if (rc != LD_OK) break;
    if (tally.likes >= 2 && (user.size == 0 || tally.liked_by)) add_match(found, media, &tally);
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  ld_buf_clear(&tally.users);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_room_matches(ld_txn *txn, ld_slice name, ld_slice user, ld_buf *matches) {
  room_row room;
  match_list found = {0};
  ld_rc rc = room_find(txn, name, &room);
  if (rc == LD_OK) rc = find_matches(txn, room.id, user, &found);
  if (rc == LD_OK && !found.bytes.failed && !found.spots.failed) write_sorted(&found, matches);
  if (rc == LD_OK && (found.bytes.failed || found.spots.failed || matches->failed))
    rc = room_no_memory(txn);
  ld_buf_clear(&found.bytes);
  ld_buf_clear(&found.spots);
  return rc;
}

/* ---- rate ---- */

static ld_rc get_progress(ld_txn *txn, ld_slice key, int64_t *count) {
  ld_row row;
  int64_t at;
  ld_rc rc = ld_row_get(txn, key, &row);
  *count = 0;
  if (rc == LD_NOTFOUND) return LD_OK;
  if (rc != LD_OK) return rc;
  return room_read_progress(row.payload, count, &at) ? LD_OK : room_damaged(txn, "a progress row");
}

/* The votes so far and this one. EXISTS, without text, when the user has voted before. */
static ld_rc list_votes(ld_txn *txn, ld_slice key, const ld_rating *rating, ld_buf *votes) {
  ld_row row;
  room_vote vote;
  uint32_t count = 0;
  ld_slice rest = LD_SLICE_NONE, body;
  ld_rc rc = ld_row_get(txn, key, &row);
  if (rc == LD_OK) rest = row.payload;
  if (rc == LD_OK && !room_votes_head(&rest, &count)) return room_damaged(txn, "a rating row");
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  body = rest;
  for (uint32_t i = 0; i < count; i++) {
    if (!room_next_vote(&rest, &vote)) return room_damaged(txn, "a rating row");
    if (ld_equal(vote.user, rating->user)) return LD_EXISTS;
  }
  ld_write_array(votes, (size_t)count + 1);
  ld_buf_add(votes, body);
  ld_write_array(votes, 3);
  ld_write_string(votes, rating->user);
  ld_write_text(votes, rating->like ? "like" : "dislike");
  ld_buf_add(votes, rating->time);
  return votes->failed ? room_no_memory(txn) : LD_OK;
}

static ld_rc add_progress(ld_txn *txn, ld_slice key, int64_t count) {
  uint8_t room[24];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  room_write_progress(&payload, count, ld_now(&txn->engine->env));
  return ld_row_put(txn, key, ld_buf_slice(&payload));
}

/* The first rating of a room that had none. */
static ld_rc note_parts(ld_txn *txn, ld_slice name, room_row *room) {
  const int64_t both = ROOM_HAS_RATINGS | ROOM_HAS_PROGRESS;
  room_key_space space;
  ld_buf payload = {0};
  if ((room->flags & both) == both) return LD_OK;
  room->flags |= both;
  room_encode(room, &payload);
  ld_rc rc = payload.failed ? room_no_memory(txn)
                            : ld_row_put(txn, room_key(space, name), ld_buf_slice(&payload));
  ld_buf_clear(&payload);
  return rc;
}

static void write_rated(ld_buf *result, bool rated, int64_t progress, ld_slice media,
                        const likes_of *tally) {
  bool match = rated && tally->likes >= 2;
  ld_write_map(result, match ? 3 : 2);
  ld_write_text(result, "rated");
  ld_write_bool(result, rated);
  ld_write_text(result, "progress");
  ld_write_int(result, progress);
  if (match) ld_write_text(result, "match");
  if (match) write_match(result, media, tally);
}

static ld_rc check_rating(ld_txn *txn, const ld_rating *rating) {
  ld_rc rc = room_check_part(txn, "user", rating->user);
  return rc == LD_OK ? room_check_part(txn, "mediaId", rating->media) : rc;
}

/* What a rating needs while it is made. */
typedef struct rate_work {
  room_key_space vote_space, progress_space;
  ld_slice vote_key, progress_key;
  ld_buf votes;
  likes_of tally;
} rate_work;

/* The new rows of a rating. The room's row comes first: it borrows from the transaction. */
static ld_rc put_rating(ld_txn *txn, ld_slice name, room_row *room, int64_t progress,
                        const rate_work *work) {
  ld_rc rc = note_parts(txn, name, room);
  if (rc == LD_OK) rc = ld_row_put(txn, work->vote_key, ld_buf_slice(&work->votes));
  return rc == LD_OK ? add_progress(txn, work->progress_key, progress) : rc;
}

static ld_rc rate_in(ld_txn *txn, ld_slice name, room_row *room, const ld_rating *rating,
                     rate_work *work, ld_buf *result) {
  int64_t progress;
  work->vote_key = room_part_key(work->vote_space, LD_SPACE_RATING, room->id, rating->media);
  work->progress_key =
      room_part_key(work->progress_space, LD_SPACE_PROGRESS, room->id, rating->user);
  ld_rc rc = get_progress(txn, work->progress_key, &progress);
  if (rc == LD_OK) rc = list_votes(txn, work->vote_key, rating, &work->votes);
  bool rated = rc == LD_OK;
  if (rated && progress == INT64_MAX)
    return ld_fail(ld_error_of(txn), LD_INVALID, "the user's progress is as high as it can be");
  if (rated) rc = put_rating(txn, name, room, progress + 1, work);
  if (rated && rc == LD_OK) rc = ld_note_rating(txn, name, rating->user, rating->media);
  if (rc != LD_OK && (rated || rc != LD_EXISTS)) return rc;
  if (rated && rating->like) count_likes(ld_buf_slice(&work->votes), LD_SLICE_NONE, &work->tally);
  write_rated(result, rated, progress + rated, rating->media, &work->tally);
  return result->failed ? room_no_memory(txn) : LD_OK;
}

ld_rc ld_room_rate(ld_txn *txn, ld_slice name, const ld_rating *rating, ld_buf *result) {
  room_row room;
  rate_work work;
  work.votes = (ld_buf){0};
  work.tally = (likes_of){0};
  ld_rc rc = check_rating(txn, rating);
  if (rc == LD_OK) rc = room_must_find(txn, name, &room);
  if (rc == LD_OK) rc = rate_in(txn, name, &room, rating, &work, result);
  ld_buf_clear(&work.votes);
  ld_buf_clear(&work.tally.users);
  return rc;
}

/* ---- password ---- */

ld_rc ld_room_check_password(ld_txn *txn, ld_slice name, ld_slice attempt, bool *accepted) {
  room_row room;
  ld_slice field;
  ld_token password = {.kind = LD_NIL};
  ld_rc rc = room_find(txn, name, &room);
  if (rc != LD_OK) return rc;
  if (ld_value_field(room.config, "password", &field)) ld_value_next(&field, &password);
  bool none = !ld_is_string(&password) || password.bytes.size == 0;
  *accepted = none || ld_equal_secret(password.bytes, attempt);
  return LD_OK;
}
