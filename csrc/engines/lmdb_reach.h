/* lmdb_reach.h -- what the newest commit of a damaged data file reaches, and where it may not reach what it had.
**
** In a file whose newest commit is sound, free pages hold nothing but what was deleted or changed. Where it is damaged there are holes, ranges of keys, and only rows in these may
** be in free pages though they were not deleted. Where the damage is in the lists of pages themselves, or in what it counts, the hole is everywhere. */
#ifndef LD_LMDB_REACH_H
#define LD_LMDB_REACH_H

#include "lmdb_walk.h"

typedef struct ld_lmdb_reach {
  uint8_t *pages; /* LD_LMDB_UNSEEN, LD_LMDB_USED, LD_LMDB_FREE */
  uint64_t page_count;
  bool everywhere;
  ld_buf holes, keys; /* ends of holes in `keys` */
} ld_lmdb_reach;

/* `reach` is zeroed; ld_lmdb_reach_clear it in any case. IO, NOMEM. */
ld_rc ld_lmdb_reach_find(int fd, const char *path, uint32_t page_size,
                         bool (*check_row)(ld_slice key, ld_slice value), ld_lmdb_reach *reach,
                         ld_error *error);
void ld_lmdb_reach_clear(ld_lmdb_reach *reach);

/* Of any page of the file. Free ones are told only where that can be relied on. */
unsigned ld_lmdb_reach_page(const ld_lmdb_reach *reach, uint64_t page);
/* Whether the newest commit may have had a row of this key where it does not reach any more. */
bool ld_lmdb_reach_misses(const ld_lmdb_reach *reach, ld_slice key);

#endif
