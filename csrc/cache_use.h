/* cache_use.h -- the uses of a cache's entries, gathered in memory until a transaction writes them.
**
** Each entry is there once: how often it was used, and where it is in the order of last uses. */
#ifndef LD_CACHE_USE_H
#define LD_CACHE_USE_H

#include "base.h"

enum { LD_CACHE_USES = 1024, LD_CACHE_USE_SLOTS = 2 * LD_CACHE_USES };

typedef struct ld_cache_use {
  uint64_t id; /* 0: nothing is here */
  uint64_t count, order;
  int64_t last_ms;
  size_t key, key_size; /* in the keys */
} ld_cache_use;

typedef struct ld_cache_uses {
  ld_cache_use *slots; /* by the id, in the next free one; NULL: none yet */
  ld_buf keys;
  size_t count;
  uint64_t order, hits, misses;
} ld_cache_uses;

/* Without memory, or when there are LD_CACHE_USES, it is forgotten. */
void ld_cache_uses_add(ld_cache_uses *uses, uint64_t id, ld_slice key, int64_t now);
static inline bool ld_cache_uses_full(const ld_cache_uses *uses) {
  return uses->count >= LD_CACHE_USES;
}
/* Put them to the front of the slots, the one whose last use is longest ago first. Then ld_cache_uses_reset has to come. */
void ld_cache_uses_sort(ld_cache_uses *uses);
void ld_cache_uses_reset(ld_cache_uses *uses);
void ld_cache_uses_clear(ld_cache_uses *uses);

#endif
