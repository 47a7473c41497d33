/* cache.h -- bounded caches: values under keys, never more than max_bytes of them.
**
**   CACHE (name)                            -> number
**   CACHE_ROW (number, STATE)               -> the settings, and what there is in all
**   CACHE_ROW (number, ENTRY, key)          -> the entry: all but the value
**   CACHE_ROW (number, DATA, id)            -> the value, where it is small
**   CACHE_ROW (number, QUEUE, queue, -place)-> key: the last one goes first
**   CACHE_ROW (number, EXPIRY, at, id)      -> key
**   CACHE_ROW (number, GHOST, hash)         -> place; (number, GHOSTS, place) -> hash: s3fifo's memory of keys that have gone
**   CACHE_ROW (number, FILE, file)          -> how many entries have it; (number, TRASH, file) -> to be deleted: nobody has it
**   CACHE_ROW (number, LEASE, key)          -> token, until
**   CACHE_ROW (number, BAD, id)             -> a row of DATA that was damaged, as it was
**
** A large value is a file: folder/ab/abcd...(its SHA-256).extension. It is written before the transaction that enters it, and deleted in one that finds that
** no entry has it; since writers are alone, a file that an entry has is never deleted, and one that a dead process left is found by ld_cache_sweep.
** Values in the store are checked by their row's checksum, files by their hash.
**
** A size is the bytes of the value, at least 1. Keys are strings of 1 to LD_PART_MAX bytes. Times are ms since 1970. */
#ifndef LD_CACHE_H
#define LD_CACHE_H

#include "cache_use.h"
#include "files.h"
#include "row.h"
#include "sha256.h"

enum { LD_CACHE_FOLDER = 16, LD_CACHE_EXTENSION = 16, LD_CACHE_LARGE = 64 * 1024 };
/* folder/ab/hash.extension, and the NUL */
enum { LD_CACHE_FILE = 2 * LD_SHA256 + LD_CACHE_EXTENSION + 2 };
enum { LD_CACHE_PATH = LD_CACHE_FOLDER + LD_CACHE_FILE + 24 };

typedef enum ld_cache_policy { LD_CACHE_LRU, LD_CACHE_S3FIFO } ld_cache_policy;

typedef struct ld_cache_settings {
  uint64_t number, max_bytes;
  int64_t ttl_ms; /* of what is set without one; -1: for ever */
  ld_cache_policy policy;
  uint64_t large; /* values of so many bytes are files; 0: none are */
  char folder[LD_CACHE_FOLDER + 1];
} ld_cache_settings;

/* A handle. What is looked up may differ from `settings` only in what ld_cache_open with `replace` changes. */
typedef struct ld_cache {
  ld_cache_settings settings; /* of when it was opened; the number and the folder never change */
  ld_files *files;            /* borrowed; NULL: none */
  bool trash;                 /* the last call left files that nobody has: ld_cache_empty_trash */
  ld_cache_uses uses;         /* not written yet */
} ld_cache;

typedef struct ld_cache_state {
  uint64_t small_bytes, bytes; /* of s3fifo's small queue; of all */
  uint64_t entries, ghosts, hits, misses, evictions, quarantined;
  uint64_t last; /* id or place given out */
} ld_cache_state;

/* As one is found. The slices are borrowed as a row is. */
typedef struct ld_cache_entry {
  uint64_t id, size, place, uses;
  int64_t created_ms, expires_ms, used_ms; /* expires: -1 for never */
  uint8_t queue, heat;                     /* heat: s3fifo's uses since it came to its place */
  bool is_file;
  uint8_t hash[LD_SHA256]; /* of a file */
  ld_slice extension, type, metadata;
} ld_cache_entry;

/* What is to be kept: `data`, or what `reader` has from `from` on. `ttl_ms` -1: the cache's. `token` 0: none; else it is kept only while the lease holds. */
typedef struct ld_cache_value {
  ld_slice key, data, extension, type, metadata;
  ld_file_reader *reader; /* borrowed; NULL: `data` */
  ld_files *from_files;   /* the reader's */
  uint64_t from;
  int64_t ttl_ms;
  uint64_t token;
  bool is_file; /* these are ld_cache_prepare's */
  uint64_t size;
  uint8_t hash[LD_SHA256];
} ld_cache_value;

typedef struct ld_cache_filter {
  ld_slice type;          /* NULL: any */
  ld_slice prefix, after; /* of keys */
} ld_cache_filter;

/* ---- opening ---- */

/* Find the cache, or make it where `wanted->max_bytes` says how large. INVALID: it has other settings (0, -1: not said), unless `replace`; then it shrinks, and a new
** policy empties it. `said_*`: whether the program named a policy, a ttl. In a write transaction; its commit makes the number final. */
typedef struct ld_cache_wanted {
  uint64_t max_bytes;
  int64_t ttl_ms;
  ld_cache_policy policy;
  uint64_t large;
  bool said_policy, said_large, has_files, replace;
} ld_cache_wanted;
ld_rc ld_cache_open(ld_txn *txn, ld_slice name, const ld_cache_wanted *wanted, ld_cache *cache);
/* NOTFOUND: it has to be made or changed, with ld_cache_open. Reads only. */
ld_rc ld_cache_look(ld_txn *txn, ld_slice name, const ld_cache_wanted *wanted, ld_cache *cache);
void ld_cache_clear_handle(ld_cache *cache);

/* The hex SHA-256 of `url` and the value `params` (empty: none), equal for equal params in any order. */
void ld_cache_key(ld_slice url, ld_slice params, char key[LD_FILE_DIGEST]);
ld_rc ld_cache_check_key(ld_slice key, ld_error *error);

/* ---- one value ---- */

/* Before the transaction: whether it can be kept (TOOBIG, INVALID), and the file of a large one. A reader is only for large ones, and is read a chunk at a time. */
ld_rc ld_cache_prepare(ld_cache *cache, ld_cache_value *value, const ld_env *env, ld_error *error);
/* Whether a value of so many bytes is to be a file. */
static inline bool ld_cache_is_large(const ld_cache *cache, uint64_t size) {
  return cache->files != NULL && cache->settings.large > 0 && size >= cache->settings.large;
}
/* Keep it. `*kept` is false when its lease is lost. Others go until it fits. */
ld_rc ld_cache_set(ld_txn *txn, ld_cache *cache, const ld_cache_value *value, bool *kept);
/* NOTFOUND: not there, or expired and not `stale`. A large one has no `data`. `*damaged`: set with NOTFOUND where the value cannot be read. */
ld_rc ld_cache_get(ld_txn *txn, ld_cache *cache, ld_slice key, bool stale, ld_cache_entry *entry,
                   ld_slice *data, bool *damaged);
/* Note that it was used, in memory. True: it is time for ld_cache_flush. */
bool ld_cache_used(ld_cache *cache, const ld_cache_entry *entry, ld_slice key, int64_t now);
ld_rc ld_cache_flush(ld_txn *txn, ld_cache *cache);
/* Give it a new life from now on, as one that was just used. NOTFOUND. */
ld_rc ld_cache_touch(ld_txn *txn, ld_cache *cache, ld_slice key, int64_t ttl_ms);
ld_rc ld_cache_delete(ld_txn *txn, ld_cache *cache, ld_slice key); /* NOTFOUND */

/* ---- many ---- */

ld_rc ld_cache_clear(ld_txn *txn, ld_cache *cache, const ld_cache_filter *filter, uint64_t *count);
ld_rc ld_cache_purge(ld_txn *txn, ld_cache *cache, uint64_t *count);
typedef ld_rc (*ld_cache_visit)(void *context, ld_slice key, const ld_cache_entry *entry);
/* In order of keys; visit may not write; NOTFOUND from it ends the walk well. */
ld_rc ld_cache_each(ld_txn *txn, const ld_cache *cache, const ld_cache_filter *filter,
                    ld_cache_visit visit, void *context);
ld_rc ld_cache_stats(ld_txn *txn, ld_cache *cache, ld_cache_state *state);

/* ---- files (cache_file.c) ---- */

/* Where the file of a large value is, below the root of the files. */
void ld_cache_path(const ld_cache *cache, const ld_cache_entry *entry, char path[LD_CACHE_PATH]);
/* Append the content. NOTFOUND: it is gone or damaged, and ld_cache_condemn is to be called. `bytes` NULL: only look. */
ld_rc ld_cache_read_file(ld_cache *cache, const ld_cache_entry *entry, ld_buf *bytes,
                         ld_error *error);
/* The entry `id` was seen damaged: if it still is, its content goes to quarantine, and it goes. */
ld_rc ld_cache_condemn(ld_txn *txn, ld_cache *cache, ld_slice key, uint64_t id);
/* Delete the files that nobody has any more. What cannot be deleted stays in the trash. */
ld_rc ld_cache_empty_trash(ld_txn *txn, ld_cache *cache);
/* Paths of files, each with a NUL, that no entry has now; and then, in a write transaction, those of them that still nobody has are deleted, and leases that have run out. */
ld_rc ld_cache_find_orphans(ld_txn *txn, ld_cache *cache, ld_buf *orphans);
ld_rc ld_cache_sweep(ld_txn *txn, ld_cache *cache, const ld_buf *orphans, uint64_t *count);

/* ---- leases (cache_lease.c) ---- */

/* Who has the lease makes the value. EXISTS: the value is there by now; BUSY: somebody else has it. */
ld_rc ld_cache_lease(ld_txn *txn, ld_cache *cache, ld_slice key, int64_t lease_ms, uint64_t *token);
ld_rc ld_cache_release(ld_txn *txn, const ld_cache *cache, ld_slice key, uint64_t token);

#endif
