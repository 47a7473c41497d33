/* cache_mend.h -- making anew what follows from the entries of a cache: order, expiry, files, counts.
**
** A cache holds nothing that cannot be made again. So what cannot be read goes: entries with damaged rows (a damaged value into quarantine), the memory of keys that have
** gone, and the whole cache where its settings are lost. Files that then belong to nobody go with the next sweep. */
#ifndef LD_CACHE_MEND_H
#define LD_CACHE_MEND_H

#include "cache.h"

/* The cache of that name; with an empty name the rows of a number that no cache has. NOTFOUND: there is nothing like that. */
ld_rc ld_cache_mend(ld_txn *txn, ld_slice name, uint64_t number);

/* An open one. CORRUPT: its settings are lost. */
ld_rc ld_cache_mend_open(ld_txn *txn, ld_cache *cache);

/* Drop all entries of all caches. Names and settings stay, so that their files are found by a sweep. */
ld_rc ld_caches_empty(ld_txn *txn);
/* Whether a row is of a cache: copies and dumps leave it out, since it can be made again and its files are elsewhere. */
static inline bool ld_cache_has_row(ld_slice key) {
  return key.size > 0 && (key.data[0] == LD_SPACE_CACHE || key.data[0] == LD_SPACE_CACHE_ROW);
}
/* Of the rows of a cache, those that a recovered store takes over: its name and its settings. */
bool ld_cache_is_settings(ld_slice key);

/* Append the names of all caches as strings, in order. */
ld_rc ld_caches_list(ld_txn *txn, ld_buf *names, uint64_t *count);

#endif
