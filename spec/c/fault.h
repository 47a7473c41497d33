/* fault.h -- an engine that fails on demand, for tests: the table of another engine with a count in front of each slot.
**
** The structs of the inner engine are used as they are, so any engine can be decorated. One plan for the whole process. */
#ifndef SPEC_FAULT_H
#define SPEC_FAULT_H

#include "../../csrc/engine.h"

typedef struct fault_plan {
  uint64_t countdown; /* the call that fails, 1 is the next one; 0: none */
  ld_rc rc;           /* what it returns */
  bool late;          /* a write or a move is done first, and then reported as failed */
  bool sticky;        /* every later call fails too: the disk is gone */
  uint64_t calls;     /* that were counted since the plan was made */
  const char *failed; /* the slot that failed; NULL: none so far */
} fault_plan;

extern fault_plan fault;

/* Begin a new plan. `call` 0 only counts. */
void fault_at(uint64_t call, ld_rc rc, bool late);
/* The decorated table; borrowed for ever. `bare` leaves out del_range, sync and check, so that engine.c supplies them. */
const ld_engine_ops *fault_engine(const ld_engine_ops *inner, bool bare);

#endif
