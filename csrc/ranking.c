/* ranking.c -- a list that grows, and becomes a heap when it is as long as it may be. */
#include "ranking.h"

#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b) {
  return ld_compare(ld_ranked_key(a), ld_ranked_key(b));
}

static void swap(ld_ranked *a, ld_ranked *b) {
  ld_ranked kept = *a;
  *a = *b;
  *b = kept;
}

/* Let the entry at `at` sink to its place: no entry is behind the one above it. */
static void sink(ld_ranking *ranking, size_t at) {
  for (;;) {
    size_t last = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < ranking->count; child++)
      if (by_key(&ranking->entries[child], &ranking->entries[last]) > 0) last = child;
    if (last == at) return;
    swap(&ranking->entries[at], &ranking->entries[last]);
    at = last;
  }
}

static void make_heap(ld_ranking *ranking) {
  for (size_t at = ranking->count / 2; at-- > 0;) sink(ranking, at);
}

static bool fill(ld_ranked *entry, ld_slice key, ld_slice payload) {
  *entry = (ld_ranked){malloc(key.size + payload.size + 1), key.size, key.size + payload.size};
  if (entry->bytes == NULL) return false;
  memcpy(entry->bytes, key.data, key.size);
  if (payload.size > 0) memcpy(entry->bytes + key.size, payload.data, payload.size);
  return true;
}

static bool append(ld_ranking *ranking, ld_slice key, ld_slice payload) {
  if (ranking->count == ranking->capacity) {
    size_t capacity = ranking->capacity == 0 ? 8 : 2 * ranking->capacity;
    ld_ranked *entries = realloc(ranking->entries, capacity * sizeof *entries);
    if (entries == NULL) return false;
    ranking->entries = entries;
    ranking->capacity = capacity;
  }
  if (!fill(&ranking->entries[ranking->count], key, payload)) return false;
  if (++ranking->count == ranking->most) make_heap(ranking);
  return true;
}

bool ld_ranking_add(ld_ranking *ranking, ld_slice key, ld_slice payload) {
  ld_ranked entry;
  if (ranking->count < ranking->most) return append(ranking, key, payload);
  if (ranking->most == 0 || ld_compare(key, ld_ranked_key(&ranking->entries[0])) >= 0) return true;
  if (!fill(&entry, key, payload)) return false;
  free(ranking->entries[0].bytes);
  ranking->entries[0] = entry;
  sink(ranking, 0);
  return true;
}

void ld_ranking_sort(ld_ranking *ranking) {
  if (ranking->count > 1) qsort(ranking->entries, ranking->count, sizeof *ranking->entries, by_key);
}

void ld_ranking_drop_doubles(ld_ranking *ranking) {
  size_t kept = 0;
  for (size_t i = 0; i < ranking->count; i++) {
    if (kept > 0 && by_key(&ranking->entries[i], &ranking->entries[kept - 1]) == 0)
      free(ranking->entries[i].bytes);
    else
      ranking->entries[kept++] = ranking->entries[i];
  }
  ranking->count = kept;
}

void ld_ranking_clear(ld_ranking *ranking) {
  for (size_t i = 0; i < ranking->count; i++) free(ranking->entries[i].bytes);
  free(ranking->entries);
  *ranking = (ld_ranking){.most = ranking->most};
}
