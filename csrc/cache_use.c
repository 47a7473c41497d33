/* cache_use.c -- see cache_use.h. */
#include "cache_use.h"

#include <stdlib.h>

static ld_cache_use *find(ld_cache_use *slots, uint64_t id) {
  size_t at = (size_t)(id * 0x9e3779b97f4a7c15u >> 32) % LD_CACHE_USE_SLOTS;
  while (slots[at].id != 0 && slots[at].id != id) at = (at + 1) % LD_CACHE_USE_SLOTS;
  return slots + at;
}

static bool enter(ld_cache_uses *uses, ld_cache_use *use, uint64_t id, ld_slice key) {
  size_t at = uses->keys.size;
  if (ld_cache_uses_full(uses)) return false;
  ld_buf_add(&uses->keys, key);
  if (uses->keys.failed) {
    uses->keys.failed = false;
    return false;
  }
  *use = (ld_cache_use){.id = id, .key = at, .key_size = key.size};
  uses->count++;
  return true;
}

void ld_cache_uses_add(ld_cache_uses *uses, uint64_t id, ld_slice key, int64_t now) {
  uses->hits++;
  if (uses->slots == NULL) uses->slots = calloc(LD_CACHE_USE_SLOTS, sizeof *uses->slots);
  if (uses->slots == NULL) return;
  ld_cache_use *use = find(uses->slots, id);
  if (use->id == 0 && !enter(uses, use, id, key)) return;
  use->count++;
  use->order = ++uses->order;
  use->last_ms = now;
}

static int by_order(const void *a, const void *b) {
  const ld_cache_use *one = a, *other = b;
  if (one->id == 0 || other->id == 0) return (one->id == 0) - (other->id == 0);
  return (one->order > other->order) - (one->order < other->order);
}

void ld_cache_uses_sort(ld_cache_uses *uses) {
  if (uses->count > 0) qsort(uses->slots, LD_CACHE_USE_SLOTS, sizeof *uses->slots, by_order);
}

void ld_cache_uses_reset(ld_cache_uses *uses) {
  if (uses->count > 0) memset(uses->slots, 0, LD_CACHE_USE_SLOTS * sizeof *uses->slots);
  ld_buf_reset(&uses->keys);
  uses->count = 0;
  uses->order = uses->hits = uses->misses = 0;
}

void ld_cache_uses_clear(ld_cache_uses *uses) {
  free(uses->slots);
  ld_buf_clear(&uses->keys);
  *uses = (ld_cache_uses){0};
}
