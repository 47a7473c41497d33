/* scenario.h -- every operation of the layers, once, on a store with known rooms, a map, collections, queues: for tests that make the ground under them fail.
**
** Each does the same each time on a store that scenario_fill has filled, and appends all it returns to `result`, only on success. */
#ifndef SPEC_SCENARIO_H
#define SPEC_SCENARIO_H

#include "../../csrc/room.h"

typedef struct scenario {
  const char *name;
  bool writes;
  ld_rc (*run)(ld_txn *txn, ld_buf *result);
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

/* scenario_collection.c: the same of collections. They keep their handles from one run to the next, until collection_forget. */
extern const scenario collection_scenarios[];
extern const size_t collection_scenario_count;
void collection_begin(void);
void collection_end(void);
void collection_forget(void);
ld_rc collection_fill(ld_txn *txn);

/* scenario_cache.c: the same of caches. */
extern const scenario cache_scenarios[];
extern const size_t cache_scenario_count;
ld_rc cache_fill(ld_txn *txn);

/* The documents that the scenarios use: parsed once, so that parsing does not fail among what is tested. */
void scenario_begin(void);
void scenario_end(void);

/* A store on `path` (NULL: the engine takes none) whose clock stands still, and whose changes are noted. */
ld_rc scenario_open(const ld_engine_ops *ops, const char *path, ld_engine **store, ld_error *error);
ld_rc scenario_fill(ld_engine *store);
/* Append all rows as they are stored. */
ld_rc scenario_dump(ld_txn *txn, ld_buf *rows);

#endif
