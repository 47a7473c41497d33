/* map.h -- ordered maps: the plainest face of the store. A map has a name; its keys are strings, integers, and tuples of them, in the order of the tuples.
**
**   MAP (map)          -> varint: how many keys there are; no row: none
**   MAP (map, key...)  -> the value, a document
**
** `map` is the name, 1 to LD_PART_MAX bytes of any kind (INVALID, TOOBIG). `key` is the key as tuple.h encodes it: one part at least, strings
** of at most LD_PART_MAX bytes and integers; a tuple of one part and the plain part are one key. A value is a sound document.
** Each call is all or nothing when its transaction is rolled back on an error; bad input is found before anything is written. */
#ifndef LD_MAP_H
#define LD_MAP_H

#include "row.h"

ld_rc ld_map_check_name(ld_slice map, ld_error *error);

/* Insert or replace. `*done` is false when `if_absent` and the key is there: then nothing changes. */
ld_rc ld_map_set(ld_txn *txn, ld_slice map, ld_slice key, ld_slice value, bool if_absent,
                 bool *done);
ld_rc ld_map_get(ld_txn *txn, ld_slice map, ld_slice key, ld_buf *value); /* appends; NOTFOUND */
ld_rc ld_map_has(ld_txn *txn, ld_slice map, ld_slice key);                /* LD_OK or NOTFOUND */
ld_rc ld_map_delete(ld_txn *txn, ld_slice map, ld_slice key);             /* NOTFOUND */
/* Add to an integer; what is absent counts as 0. INVALID: the value is no integer, or the sum would be none. */
ld_rc ld_map_increment(ld_txn *txn, ld_slice map, ld_slice key, int64_t by, int64_t *sum);
ld_rc ld_map_count(ld_txn *txn, ld_slice map, uint64_t *count); /* reads one row */

/* Call `visit` with the name of each map that has keys, in order, until it returns another code than LD_OK. A map costs one search, however many keys it has.
** The name is borrowed for the call; `visit` may not write. */
ld_rc ld_maps_each(ld_txn *txn, ld_rc (*visit)(void *context, ld_slice map), void *context);

/* Append a key as a value: a string, an integer, or an array of them. False when it is no such tuple. */
bool ld_map_write_key(ld_buf *value, ld_slice key);

/* The other way round: append the tuple of a string, an integer or an array of them. INVALID, TOOBIG. */
ld_rc ld_map_read_key(ld_slice value, ld_buf *key, ld_error *error);

/* Which keys: those that all that is given agrees on. Zeroed: all, in rising order. */
typedef struct ld_map_range {
  ld_slice from, to;       /* the lower and the upper end; empty: none */
  bool from_open, to_open; /* without the end itself */
  ld_slice
      prefix; /* the parts that keys begin with (ld_tuple_string, ld_tuple_int), or with prefix_cut what their first string begins with (ld_tuple_prefix); empty: none */
  bool prefix_cut;
  bool reverse;
} ld_map_range;

/* Call `visit` with each key and value, both borrowed for the call, until it returns another code than LD_OK; LD_NOTFOUND ends the walk well. `visit` may not write. */
typedef ld_rc (*ld_map_visit)(void *context, ld_slice key, ld_slice value);
ld_rc ld_map_each(ld_txn *txn, ld_slice map, const ld_map_range *range, ld_map_visit visit,
                  void *context);
ld_rc ld_map_delete_range(ld_txn *txn, ld_slice map, const ld_map_range *range, uint64_t *count);

#endif
