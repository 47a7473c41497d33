/* test_nomem.c -- the Nth allocation fails, for every N, under every operation of the layers, and under opening a store.
**
** Either the operation says NOMEM, and after the rollback the store is as before; or it managed without, and all is as if nothing had
** failed. In the end everything allocated is freed, which is counted for the memory engine; the LMDB engine frees what libc
** has allocated for it, so there a sanitizer has to look. What liblmdb and cJSON allocate for themselves does not fail here. */
#include <string.h>
#include <unistd.h>

#include "../../csrc/store.h"
#include "check.h"
#include "failing_malloc.h"
#include "fault.h"
#include "remove.h"
#include "scenario.h"

static char store_path[80];
static char folder[64];

typedef struct variant {
  const char *name;
  const ld_engine_ops *engine;
  bool bare;     /* engine.c does what an engine may leave out */
  bool for_good; /* every later allocation fails too */
} variant;

static const variant variants[] = {
    {"memory", &ld_memory_engine, false, false},
    {"memory, for good", &ld_memory_engine, false, true},
    {"bare memory", &ld_memory_engine, true, false},
    {"lmdb", &ld_lmdb_engine, false, false},
    {"lmdb, for good", &ld_lmdb_engine, false, true},
    {"bare lmdb", &ld_lmdb_engine, true, true},
    {"file", &ld_file_engine, false, false},
};

static void remove_store(void) { remove_folder(store_path); }

static bool same(const ld_buf *a, const ld_buf *b) {
  return ld_equal(ld_buf_slice(a), ld_buf_slice(b));
}

static ld_rc open_store(const variant *on, ld_engine **store, ld_error *error) {
  const char *path = on->engine == &ld_memory_engine ? NULL : store_path;
  return scenario_open(on->bare ? fault_engine(on->engine, true) : on->engine, path, store, error);
}

static ld_engine *filled(const variant *on) {
  ld_engine *store;
  remove_store();
  CHECK_RC(LD_OK, open_store(on, &store, NULL));
  CHECK_RC(LD_OK, scenario_fill(store));
  return store;
}

static void dump(ld_engine *store, ld_buf *rows) {
  ld_txn *txn;
  ld_buf_reset(rows);
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_OK, scenario_dump(txn, rows));
  ld_rollback(txn);
}

static ld_rc attempt(ld_engine *store, const scenario *doing, ld_buf *result) {
  ld_txn *txn;
  ld_rc rc = ld_begin(store, doing->writes, &txn);
  if (rc != LD_OK) return rc;
  rc = doing->run(txn, result);
  if (rc == LD_OK && result->failed) rc = LD_NOMEM;
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

/* One attempt in which allocation number `calls` + 1 fails. True when there was none. The store is as before, or as `expected`. */
static bool fail_one(const variant *on, const scenario *doing, long calls, const ld_buf *expected,
                     const ld_buf *expected_result) {
  ld_buf before = {0}, after = {0}, result = {0};
  ld_engine *store = filled(on);
  dump(store, &before);
  run_out_after(calls, on->for_good);
  ld_rc rc = attempt(store, doing, &result);
  refill();
  if (rc != LD_OK && rc != LD_NOMEM)
    fprintf(stderr, "%s, %s: allocation %ld: got %s (%s)\n", on->name, doing->name, calls + 1,
            ld_rc_name(rc), store->error.text);
  CHECK(rc == LD_OK || (rc == LD_NOMEM && ran_out));
  dump(store, &after);
  CHECK(same(rc == LD_OK ? expected : &before, &after));
  if (rc == LD_OK && !same(expected_result, &result))
    fprintf(stderr, "%s, %s: allocation %ld: another result\n", on->name, doing->name, calls + 1);
  CHECK(rc != LD_OK || same(expected_result, &result));
  ld_buf_clear(&result);
  result = (ld_buf){0};
  bool done = !ran_out;
  if (rc == LD_NOMEM) { /* and with memory it works, on the same handle */
    CHECK_RC(LD_OK, attempt(store, doing, &result));
    dump(store, &after);
    CHECK(same(expected, &after) && same(expected_result, &result));
  }
  ld_engine_close(store);
  ld_buf_clear(&before);
  ld_buf_clear(&after);
  ld_buf_clear(&result);
  return done;
}

static void test_scenario(const variant *on, const scenario *doing) {
  ld_buf expected = {0}, result = {0};
  ld_engine *store = filled(on);
  CHECK_RC(LD_OK, attempt(store, doing, &result));
  dump(store, &expected);
  ld_engine_close(store);
  for (long calls = 0; !fail_one(on, doing, calls, &expected, &result); calls++) continue;
  ld_buf_clear(&expected);
  ld_buf_clear(&result);
}

static void test_open(const variant *on) {
  bool done = false;
  for (long calls = 0; !done; calls++) {
    ld_engine *store = NULL;
    ld_error error = {0};
    remove_store();
    run_out_after(calls, on->for_good);
    ld_rc rc = open_store(on, &store, &error);
    refill();
    done = !ran_out;
    if (rc != LD_OK && rc != LD_NOMEM)
      fprintf(stderr, "%s: open, allocation %ld: got %s (%s)\n", on->name, calls + 1,
              ld_rc_name(rc), error.text);
    CHECK(rc == LD_OK || (rc == LD_NOMEM && ran_out && store == NULL && error.rc == LD_NOMEM));
    if (rc != LD_OK) CHECK_RC(LD_OK, open_store(on, &store, &error));
    CHECK_RC(LD_OK, scenario_fill(store));
    ld_engine_close(store);
  }
}

/* A store of files is forty of them, made for each allocation: some scenarios are enough for what the engine does. */
static bool is_tried(const variant *on, size_t s) {
  static const char *const some[] = {"save over a room", "rate: long names", "row: put a long key",
                                     "map: set", "map: delete a range"};
  if (on->engine != &ld_file_engine) return true;
  for (size_t i = 0; i < sizeof some / sizeof *some; i++)
    if (strcmp(scenarios[s].name, some[i]) == 0) return true;
  return false;
}

int main(void) {
  make_folder(folder);
  snprintf(store_path, sizeof store_path, "%s/store", folder);
  scenario_begin();
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    long held = allocated;
    test_open(&variants[v]);
    for (size_t s = 0; s < scenario_count; s++)
      if (is_tried(&variants[v], s)) test_scenario(&variants[v], &scenarios[s]);
    /* A store of lmdb is synced when it is made, and one is made for each allocation: what is above the engines is tried on the other. */
    for (size_t s = 0; s < collection_scenario_count && variants[v].engine == &ld_memory_engine;
         s++)
      test_scenario(&variants[v], &collection_scenarios[s]);
    for (size_t s = 0; s < cache_scenario_count && variants[v].engine == &ld_memory_engine; s++)
      test_scenario(&variants[v], &cache_scenarios[s]);
    collection_forget();
    CHECK(allocated == held || variants[v].engine == &ld_lmdb_engine);
  }
  scenario_end();
  remove_store();
  rmdir(folder);
  return check_done("nomem");
}
