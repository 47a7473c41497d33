/* scenario_dump.h -- what scenario.h promises, for contents, dumps and records. */
#ifndef SPEC_SCENARIO_DUMP_H
#define SPEC_SCENARIO_DUMP_H

#include "../../csrc/engine.h"

ld_rc scenario_content(ld_txn *txn, ld_buf *result);
ld_rc scenario_dump_text(ld_txn *txn, ld_buf *result);
ld_rc scenario_put_records(ld_txn *txn, ld_buf *result);

#define DUMP_SCENARIOS                                                                             \
  {"content", false, scenario_content}, {"dump", false, scenario_dump_text}, {                     \
    "put records", true, scenario_put_records                                                      \
  }

#endif
