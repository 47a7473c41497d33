/* lmdb_walk.h -- reads every page of an LMDB data file, without liblmdb, and tells each damage.
**
** liblmdb follows page numbers and offsets as it finds them: one flipped bit can kill it, or hide rows that no checksum
** of a row can miss. The walk proves, for the newest commit: each page is where it is said to be, is of the kind expected at its depth, is packed
** with nodes without a gap, is used once; keys ascend within a page and between its separators; the counts in the meta page are
** exact; no page is both used and free; the free list of the commit belongs to this commit.
** Reading the file goes by pread with a buffer for each depth; memory is a byte for each page of the file. */
#ifndef LD_LMDB_WALK_H
#define LD_LMDB_WALK_H

#include "../engine.h"
#include "lmdb_meta.h"

enum { LD_LMDB_UNSEEN, LD_LMDB_USED, LD_LMDB_FREE }; /* pages, for the newest commit */

typedef struct ld_lmdb_walk {
  int fd;
  bool (*check_row)(ld_slice key, ld_slice value); /* NULL: rows are not judged */
  ld_slice first_key;                              /* empty: none is looked for */
  uint64_t failed_commit; /* whose meta page could not be written; 0: none */
  ld_finding finding;
  /* Rows of these keys (both ends belong to it; empty: no bound) may be missing, since a page or a row there is damaged. Ascending, borrowed for the call. NULL: not asked. */
  void (*hole)(void *context, ld_slice low, ld_slice high);
  void *context; /* of both */
  bool keep_pages;
  /* results */
  uint8_t *pages; /* with keep_pages, what each page is, LD_LMDB_UNSEEN ...; the caller frees it */
  uint64_t page_count;
  uint64_t located;   /* damages for which holes were told */
  uint64_t damages;   /* of the structure, told to `finding` */
  uint64_t strange;   /* nodes that liblmdb may make but we never do: duplicates, named databases */
  uint64_t sound;     /* rows that pass check_row; all when it is NULL */
  uint64_t unsound;   /* rows that do not, told to `finding` */
  bool has_first_key; /* or a row that is sound under that key */
} ld_lmdb_walk;

/* Walk the newest commit of `metas`. LD_OK when the reading went well, whatever was found; else IO or NOMEM. */
ld_rc ld_lmdb_walk_run(ld_lmdb_walk *walk, const ld_lmdb_metas *metas, ld_error *error);

#endif
