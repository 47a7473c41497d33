/* recover.h -- what can still be read of a damaged store, in a new one.
**
** The new store has a note (unfinished.h) until all of this is done. A recovery that was broken off goes on when it is run again: rows that are there already stay, and are not
** made worse by what can be read of the damaged store by then; once all rows were there, that one is not read again.
**
** Rows are taken wherever they are found undamaged, the newest state of each. What follows from them is made anew: indexes, counts. Then the new store is verified.
** Caches keep their names and settings only: their entries can be made again, and old ones must not come back.
** What was deleted may come back: the medium may still hold it, and nothing tells it from what was lost. The damaged store is read only. */
#ifndef LD_RECOVER_H
#define LD_RECOVER_H

#include "repair.h"

typedef struct ld_recover_report {
  uint64_t rows;  /* taken over, each once; without those of indexes, which are made anew */
  uint64_t older; /* earlier states of them, left out */
  bool resumed;   /* an earlier recovery was gone on with */
  ld_verify_report verify;
} ld_recover_report;

typedef struct ld_recover {
  ld_repair repair; /* whom to tell of the new store; what is made anew is settled here */
  /* Something that was lost; borrowed for the call. */
  void (*lost)(void *context, const char *where, const char *text);
} ld_recover;

/* From what `options` say, of the engine `ops`, into `to`: INVALID when that holds anything but its signature, or a recovery of the same that was broken off. */
ld_rc ld_recover_run(const ld_engine_ops *ops, const ld_option *options, size_t option_count,
                     ld_engine *to, const ld_recover *recover, ld_recover_report *report);

#endif
