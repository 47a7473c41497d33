/* cache_row.h -- the rows of a cache, for the parts of cache.c: keys, entries, the state that a call changes. */
#ifndef LD_CACHE_ROW_H
#define LD_CACHE_ROW_H

#include "cache.h"

/* In the order of the keys. What is written with each new entry, the last of the data, the state and the first of the queue, are neighbours and share pages. */
typedef enum ld_cache_kind {
  LD_CACHE_ENTRY = 1,
  LD_CACHE_DATA,
  LD_CACHE_STATE,
  LD_CACHE_QUEUE,
  LD_CACHE_EXPIRY,
  LD_CACHE_GHOST,
  LD_CACHE_GHOSTS,
  LD_CACHE_FILE_ROW,
  LD_CACHE_TRASH,
  LD_CACHE_LEASE,
  LD_CACHE_BAD
} ld_cache_kind;

enum { LD_CACHE_SMALL = 0, LD_CACHE_MAIN = 1 }; /* queues; LRU has the main one only */

/* The key of a row, being put together; its longest part is a key of LD_PART_MAX bytes, each of which may become two. */
typedef struct ld_cache_key_of {
  ld_buf bytes;
  uint8_t room[2 * LD_PART_MAX + 48];
} ld_cache_key_of;

/* Each gives the key, borrowed from `key`. */
ld_slice ld_cache_row(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind);
ld_slice ld_cache_row_text(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind,
                           ld_slice text);
ld_slice ld_cache_row_ints(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind, int64_t one,
                           int64_t other);
ld_slice ld_cache_row_int(ld_cache_key_of *key, uint64_t number, ld_cache_kind kind, uint64_t one);

/* A call in a write transaction: what the cache is now, and what will be written at its end. */
typedef struct ld_cache_run {
  ld_txn *txn;
  ld_cache *cache;
  ld_cache_settings settings;
  ld_cache_state state;
} ld_cache_run;

ld_rc ld_cache_run_begin(ld_cache_run *run, ld_txn *txn, ld_cache *cache);
ld_rc ld_cache_run_end(ld_cache_run *run, ld_rc rc); /* writes the state when `rc` is OK */
/* The settings and the state as they are stored. */
ld_rc ld_cache_read_state(ld_txn *txn, uint64_t number, ld_cache_settings *settings,
                          ld_cache_state *state);

/* False: the bytes are none. The number is not in them. */
bool ld_cache_decode_state(ld_slice payload, ld_cache_settings *settings, ld_cache_state *state);

ld_rc ld_cache_corrupt(ld_txn *txn);
ld_rc ld_cache_no_memory(ld_txn *txn);
ld_rc ld_cache_put_varint(ld_txn *txn, ld_slice key, uint64_t number);
ld_rc ld_cache_get_varint(ld_txn *txn, ld_slice key, uint64_t *number); /* NOTFOUND */
/* Delete, where it is there. */
ld_rc ld_cache_drop_row(ld_txn *txn, ld_slice key);

ld_rc ld_cache_get_entry(ld_txn *txn, uint64_t number, ld_slice key, ld_cache_entry *entry);
/* Its slices may be borrowed from the row that is replaced. */
ld_rc ld_cache_put_entry(ld_txn *txn, uint64_t number, ld_slice key, const ld_cache_entry *entry);
bool ld_cache_decode_entry(ld_slice payload, ld_cache_entry *entry);

static inline uint64_t ld_cache_charge(uint64_t size) { return size > 0 ? size : 1; }

/* ---- cache_evict.c ---- */

/* Enter the entry at the end of its queue, and of expiry; its row is written. */
ld_rc ld_cache_enter(ld_cache_run *run, ld_slice key, ld_cache_entry *entry);
/* At its own place. */
ld_rc ld_cache_enter_at(ld_cache_run *run, ld_slice key, const ld_cache_entry *entry);
/* Take it out of everything, its value too. */
ld_rc ld_cache_remove(ld_cache_run *run, ld_slice key, const ld_cache_entry *entry);
/* It was used so many times. */
ld_rc ld_cache_warm(ld_cache_run *run, ld_slice key, ld_cache_entry *entry, uint64_t count);
/* Evict until `more` bytes fit. */
ld_rc ld_cache_make_room(ld_cache_run *run, uint64_t more);
/* The queue that a new key goes to; what was remembered of it is forgotten. */
ld_rc ld_cache_choose_queue(ld_cache_run *run, ld_slice key, uint8_t *queue);

/* ---- cache_file.c ---- */

/* hash.extension */
void ld_cache_file_name(const ld_cache_entry *entry, char name[LD_CACHE_FILE]);
ld_rc ld_cache_file_failed(const ld_files *files, ld_error *error); /* what their last failure is */
/* One entry more, one fewer has the file. */
ld_rc ld_cache_hold_file(ld_cache_run *run, const ld_cache_entry *entry);
ld_rc ld_cache_drop_file(ld_cache_run *run, const ld_cache_entry *entry);

/* ---- cache_write.c ---- */

ld_rc ld_cache_check_fits(const ld_cache_settings *settings, uint64_t size, ld_error *error);
/* What the entry of a value begins with. */
void ld_cache_describe(const ld_cache_value *value, ld_cache_entry *entry);
/* Write the file of a large value; its size and hash are filled in. */
ld_rc ld_cache_write_file(ld_cache *cache, ld_cache_value *value, const ld_env *env,
                          ld_error *error);
/* In the write transaction, before anything else: the file may have been swept, or deleted with the last entry that had it, since it was written. */
ld_rc ld_cache_ensure_file(ld_txn *txn, ld_cache *cache, const ld_cache_value *value);

/* ---- cache_lease.c ---- */

/* NOTFOUND: the lease is somebody else's by now. */
ld_rc ld_cache_check_lease(ld_txn *txn, const ld_cache *cache, ld_slice key, uint64_t token);
/* Those that have run out. */
ld_rc ld_cache_drop_leases(ld_txn *txn, const ld_cache *cache);

#endif
