/* walk.h -- the documents that a plan reaches, one after the other, each once. */
#ifndef LD_WALK_H
#define LD_WALK_H

#include "plan.h"

typedef struct ld_walk_counts {
  uint64_t keys;      /* entries of the index that were read */
  uint64_t documents; /* documents that were read */
} ld_walk_counts;

/* Call `visit` with each, until it returns another code than LD_OK; LD_NOTFOUND ends the walk well. The id is empty where it is still to be looked for
** in the document. */
ld_rc ld_walk(ld_txn *txn, ld_collection *collection, const ld_plan *plan, ld_document_visit visit,
              void *context, ld_walk_counts *counts);

#endif
