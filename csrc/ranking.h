/* ranking.h -- the first so many of a stream of keys, in order, with something to each. */
#ifndef LD_RANKING_H
#define LD_RANKING_H

#include "base.h"

typedef struct ld_ranked {
  uint8_t *bytes; /* the key, then the payload; owned */
  size_t key_size, size;
} ld_ranked;

typedef struct ld_ranking {
  ld_ranked *
      entries; /* a heap with the last key on top once `most` are there; sorted by ld_ranking_sort */
  size_t count, capacity;
  size_t most; /* SIZE_MAX: all */
} ld_ranking;

static inline ld_slice ld_ranked_key(const ld_ranked *entry) {
  return ld_bytes(entry->bytes, entry->key_size);
}
static inline ld_slice ld_ranked_payload(const ld_ranked *entry) {
  return ld_bytes(entry->bytes + entry->key_size, entry->size - entry->key_size);
}

/* False: out of memory. A key that comes too late is not kept. */
bool ld_ranking_add(ld_ranking *ranking, ld_slice key, ld_slice payload);
void ld_ranking_sort(ld_ranking *ranking);
/* Of sorted ones with the same key, keep the first. */
void ld_ranking_drop_doubles(ld_ranking *ranking);
void ld_ranking_clear(ld_ranking *ranking);

#endif
