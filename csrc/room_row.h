/* room_row.h -- the rows of a room: what room.c, rating.c and sweep.c share. Not for other layers. */
#ifndef LD_ROOM_ROW_H
#define LD_ROOM_ROW_H

#include "row.h"
#include "value.h"

enum { ROOM_HAS_RATINGS = 1, ROOM_HAS_PROGRESS = 2 }; /* the fields, though they may be empty */

/* A ROOM row, read. */
typedef struct room_row {
  int64_t id;
  int64_t flags;
  int64_t saved_at; /* ms since 1970 */
  ld_slice config;  /* a map; borrowed as the row is */
} room_row;

/* Room for any key: each byte of a name may become two. */
typedef uint8_t room_key_space[2 * LD_PART_MAX + 16];

/* The key of a room, and the keys of its rating and progress rows and their beginning; all in `space`. Names have at most LD_PART_MAX bytes. */
ld_slice room_key(room_key_space space, ld_slice name);
ld_slice room_part_prefix(room_key_space space, uint8_t kind, int64_t id);
ld_slice room_part_key(room_key_space space, uint8_t kind, int64_t id, ld_slice name);
/* The last part of such a key; `scratch` as in ld_tuple_next. */
ld_rc room_part_name(ld_txn *txn, ld_slice key, ld_slice *name, ld_buf *scratch);

ld_rc room_decode(ld_txn *txn, ld_slice payload, room_row *room);
void room_encode(const room_row *room, ld_buf *payload);
/* NOTFOUND without text. A name that cannot exist (empty, too long) is not found. */
ld_rc room_find(ld_txn *txn, ld_slice name, room_row *room);
/* NOTFOUND with text. */
ld_rc room_must_find(ld_txn *txn, ld_slice name, room_row *room);

/* TOOBIG when `bytes` does not fit a key; `what` names it: `user`. */
ld_rc room_check_part(ld_txn *txn, const char *what, ld_slice bytes);
ld_rc room_no_memory(ld_txn *txn);
ld_rc room_damaged(ld_txn *txn, const char *what);

/* One entry of a rating row. */
typedef struct room_vote {
  ld_slice user;
  bool like;
  ld_token time;
} room_vote;
/* Take the next of the `count` entries that follow the head. */
bool room_next_vote(ld_slice *rest, room_vote *vote);
bool room_votes_head(ld_slice *payload, uint32_t *count);

/* A progress row: how many, and the ms of the last rating in this store (0: none). */
bool room_read_progress(ld_slice payload, int64_t *count, int64_t *at);
void room_write_progress(ld_buf *payload, int64_t count, int64_t at);

#endif
