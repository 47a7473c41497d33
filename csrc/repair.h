/* repair.h -- verify a store; put right what can be, and verify it again. */
#ifndef LD_REPAIR_H
#define LD_REPAIR_H

#include "verify.h"

typedef struct ld_repair {
  ld_verify_calls
      calls; /* its `mend` is repair's own; `finding` and `collection` are told what the last look finds */
  unsigned mends; /* 1 << ld_mend of what may be put right; 0: look only */
  ld_rc (*looked)(
      void *
          context); /* after the first look, before anything is put right; another code than LD_OK ends it */
  void (*again)(void *context); /* what was told so far is old: another look begins */
  /* `failure` is NULL, or says why it stays as it is. */
  void (*mended)(void *context, ld_mend kind, const char *what, const ld_error *failure);
  /* A unique index in which documents clash goes, where this is set; else it stays as it was. */
  bool drop_clashing;
} ld_repair;

/* What follows from the rest. */
enum {
  LD_MEND_DERIVED = 1 << LD_MEND_SEQUENCE | 1 << LD_MEND_INDEX | 1 << LD_MEND_STRAY_INDEX |
                    1 << LD_MEND_COUNT | 1 << LD_MEND_MAP | 1 << LD_MEND_QUEUE | 1 << LD_MEND_CACHE,
  LD_MEND_ALL = (1 << LD_MENDS) - 1
};

/* Runs transactions of its own: each look is a snapshot, each thing put right is all or nothing. Results as of ld_verify. */
ld_rc ld_repair_run(ld_engine *engine, const ld_repair *repair, ld_verify_report *report);

#endif
