/* room.h -- MovieMatch rooms: a configuration, ratings and progress, each a row of its own, so that a rating costs the same in any room.
**
**   ROOM (name)            -> varint id | flags | varint saved_at_ms | the configuration: the document without ratings and userProgress
**   RATING (id, media)     -> [[user, "like" | "dislike", time], ...] in order of rating
**   PROGRESS (id, user)    -> [count, time of the last rating in this store, ms]
**
** Documents are maps as in value.h. `roomName` is the key: 1 to LD_PART_MAX bytes of any kind. Each call is all or nothing when its
** transaction is rolled back on an error; bad input is found before anything is written. */
#ifndef LD_ROOM_H
#define LD_ROOM_H

#include "row.h"

/* Which parts of a room a reader wants. */
enum {
  LD_ROOM_CONFIG = 0,
  LD_ROOM_RATINGS = 1, /* ratings and userProgress */
  LD_ROOM_PASSWORD = 2,
  LD_ROOM_WHOLE = LD_ROOM_RATINGS | LD_ROOM_PASSWORD
};

/* Insert or replace, whole. INVALID with the path in the document: `ratings.media-1[3][2]: ...`; TOOBIG. */
ld_rc ld_room_save(ld_txn *txn, ld_slice document);
/* When a room was saved, and by each user rated in, in this store: what `idle` of ld_room_expire counts from; ms since 1970. */
typedef struct ld_room_times {
  int64_t saved_at;
  ld_slice rated_at; /* a map {user = time}; who is missing: never; empty: nobody */
} ld_room_times;
/* As save, with times that were kept elsewhere. */
ld_rc ld_room_restore(ld_txn *txn, ld_slice document, const ld_room_times *times);
/* Appends the map to `rated_at`. NOTFOUND. */
ld_rc ld_room_times_of(ld_txn *txn, ld_slice name, int64_t *saved_at, ld_buf *rated_at);
/* Append the document to `document`. NOTFOUND. */
ld_rc ld_room_get(ld_txn *txn, ld_slice name, unsigned parts, ld_buf *document);
ld_rc ld_room_has(ld_txn *txn, ld_slice name);    /* LD_OK or NOTFOUND */
ld_rc ld_room_delete(ld_txn *txn, ld_slice name); /* NOTFOUND */

/* Which rooms, in order of name. */
typedef struct ld_room_range {
  ld_slice prefix; /* of the name; empty: all */
  ld_slice after;  /* begin behind this name, whether it exists or not; empty: at the first */
} ld_room_range;

/* Call `visit` with each name and document (empty with `names_only`), both borrowed for the call, until it returns another code than LD_OK; LD_NOTFOUND ends the walk well. */
typedef ld_rc (*ld_room_visit)(void *context, ld_slice name, ld_slice document);
ld_rc ld_room_each(ld_txn *txn, const ld_room_range *range, bool names_only, unsigned parts,
                   ld_room_visit visit, void *context);

typedef struct ld_rating {
  ld_slice user, media;
  bool like;
  ld_slice time; /* a number as a document; ms since 1970 */
} ld_rating;

/* A user rates a medium once: the second time changes nothing. NOTFOUND: no such room, with text.
** Appends {rated = bool, progress = n, match = {mediaId, users, matchedAt}} to `result`, `match` only when this rating is a like that makes or joins one. */
ld_rc ld_room_rate(ld_txn *txn, ld_slice name, const ld_rating *rating, ld_buf *result);
/* Append an array of {mediaId, users, matchedAt}, ordered by matchedAt, then mediaId. `user` empty: all; else only what this user liked. NOTFOUND. */
ld_rc ld_room_matches(ld_txn *txn, ld_slice name, ld_slice user, ld_buf *matches);
/* Compare in constant time. A room without a password accepts any. NOTFOUND. */
ld_rc ld_room_check_password(ld_txn *txn, ld_slice name, ld_slice attempt, bool *accepted);
/* Delete the rooms without a save or rating for `idle_ms`; append their names as an array. */
ld_rc ld_room_expire(ld_txn *txn, int64_t idle_ms, uint64_t *count, ld_buf *names);

typedef struct ld_room_stats {
  uint64_t rooms, media, ratings, likes, matches; /* media: those that were rated, room by room */
} ld_room_stats;
ld_rc ld_room_stat(ld_txn *txn, ld_room_stats *stats);

#endif
