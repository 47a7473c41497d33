/* medium.h -- what the port says of the medium that an engine keeps its rows on. */
#ifndef LD_MEDIUM_H
#define LD_MEDIUM_H

#include "base.h"

typedef struct ld_engine_stats {
  uint64_t entries;     /* rows */
  uint64_t bytes_used;  /* of the medium: pages in use, or memory */
  uint64_t bytes_limit; /* what it may grow to without reopening; 0: no limit */
  uint32_t readers;     /* read transactions open now, by all processes */
} ld_engine_stats;

/* One finding of `check`. `key` is the row's key where it is known, else empty; borrowed for the call. */
typedef void (*ld_finding)(void *context, ld_slice key, const char *text);

/* One finding of `survey`, which looks at all that is on the medium beside the rows: a file that is missing, was changed, is half-written or nobody's. Borrowed for the call. */
typedef void (*ld_stray)(void *context, const char *path, const char *text);

/* Put other data in the place of a store that nobody has open, at once. Whatever happens, and whenever it is killed, the store has either. */
typedef struct ld_replace {
  const char *folder; /* of the store; it is there, the store in it need not be */
  const char *
      data; /* the new data file, synced, on the same file system; it is moved. NULL: only look whether it could be */
  const char *aside; /* a folder that takes the old data; NULL: there may not be any (EXISTS) */
} ld_replace;

#endif
