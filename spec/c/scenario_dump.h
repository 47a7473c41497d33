/* scenario_dump.h -- what scenario.h promises, for contents, dumps and records. */
#ifndef SPEC_SCENARIO_DUMP_H
#define SPEC_SCENARIO_DUMP_H

#include "../../csrc/engine.h"

ld_rc scenario_content(ld_txn *txn, ld_buf *result);
ld_rc scenario_dump_text(ld_txn *txn, ld_buf *result);
ld_rc scenario_put_records(ld_txn *txn, ld_buf *result);
ld_rc scenario_copy(ld_txn *txn, ld_buf *result); /* in batches, from a store in memory */

/* The source of the copy: made once, so that making it does not fail among what is tested. */
void dump_begin(void);
void dump_end(void);

#define DUMP_SCENARIOS                                                                             \
  {"content", false, scenario_content}, {"dump", false, scenario_dump_text},                       \
      {"put records", true, scenario_put_records}, {                                               \
    "copy", true, scenario_copy                                                                    \
  }

#endif
