/* lmdb_reach.c -- see lmdb_reach.h. */
#include "lmdb_reach.h"

#include <stdlib.h>
#include <string.h>

typedef struct hole {
  size_t at;          /* of the low end in the keys; the high one follows */
  uint16_t low, high; /* their sizes; 0: no bound */
} hole;

static void note_hole(void *context, ld_slice low, ld_slice high) {
  ld_lmdb_reach *reach = context;
  hole h = {.at = reach->keys.size, .low = (uint16_t)low.size, .high = (uint16_t)high.size};
  ld_buf_add(&reach->keys, low);
  ld_buf_add(&reach->keys, high);
  ld_buf_add(&reach->holes, ld_bytes(&h, sizeof h));
}

/* Damages are told again, with the rows that are lost by them. */
static void pass_over(void *context, ld_slice key, const char *text) {
  (void)context, (void)key, (void)text;
}

ld_rc ld_lmdb_reach_find(int fd, const char *path, uint32_t page_size,
                         bool (*check_row)(ld_slice key, ld_slice value), ld_lmdb_reach *reach,
                         ld_error *error) {
  ld_lmdb_metas metas;
  ld_lmdb_walk walk = {.fd = fd,
                       .check_row = check_row,
                       .finding = pass_over,
                       .hole = note_hole,
                       .context = reach,
                       .keep_pages = true};
  reach->everywhere = true;
  if (ld_lmdb_metas_read(fd, path, &metas, NULL) != LD_OK || !metas.known) return LD_OK;
  if (metas.newest.page_size != page_size) return LD_OK;
  ld_rc rc = ld_lmdb_walk_run(&walk, &metas, error);
  if (rc != LD_OK) return rc;
  reach->pages = walk.pages;
  reach->page_count = walk.page_count;
  reach->everywhere = walk.damages != walk.located || walk.strange > 0;
  if (reach->keys.failed || reach->holes.failed)
    return ld_fail(error, LD_NOMEM, "recover: out of memory");
  return LD_OK;
}

void ld_lmdb_reach_clear(ld_lmdb_reach *reach) {
  free(reach->pages);
  ld_buf_clear(&reach->holes);
  ld_buf_clear(&reach->keys);
  *reach = (ld_lmdb_reach){.pages = NULL};
}

unsigned ld_lmdb_reach_page(const ld_lmdb_reach *reach, uint64_t page) {
  unsigned kind = page < reach->page_count ? reach->pages[page] : LD_LMDB_UNSEEN;
  return reach->everywhere && kind == LD_LMDB_FREE ? LD_LMDB_UNSEEN : kind;
}

static hole hole_at(const ld_lmdb_reach *reach, size_t i) {
  hole h;
  memcpy(&h, reach->holes.data + i * sizeof h, sizeof h);
  return h;
}

/* Both ends of holes ascend, so the last one that begins at or before the key reaches the furthest. */
bool ld_lmdb_reach_misses(const ld_lmdb_reach *reach, ld_slice key) {
  size_t low = 0, high = reach->holes.size / sizeof(hole);
  if (reach->everywhere) return true;
  while (low < high) {
    size_t middle = (low + high) / 2;
    hole h = hole_at(reach, middle);
    if (ld_compare(ld_bytes(reach->keys.data + h.at, h.low), key) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) return false;
  hole h = hole_at(reach, low - 1);
  return h.high == 0 || ld_compare(key, ld_bytes(reach->keys.data + h.at + h.low, h.high)) <= 0;
}
