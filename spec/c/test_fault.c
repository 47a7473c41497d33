/* test_fault.c -- the Nth call of the engine fails, for every N, under every operation of the layers.
**
** Each time the operation or its commit says so, with a text; after the rollback the store is byte for byte as before; and the store
** is sound: when no call fails any more, the same operation gives the same rows and results as on a store that never saw a failure. */
#include <string.h>
#include <unistd.h>

#include "../../csrc/store.h"
#include "check.h"
#include "fault.h"
#include "remove.h"
#include "scenario.h"

typedef struct variant {
  const char *name;
  const ld_engine_ops *engine;
  bool bare, late, nested;
} variant;

static const variant variants[] = {
    {"memory", &ld_memory_engine, false, false, false},
    {"memory, late", &ld_memory_engine, false, true, false},
    {"memory, nested", &ld_memory_engine, false, false, true},
    {"memory, late, nested", &ld_memory_engine, false, true, true},
    {"bare memory", &ld_memory_engine, true, false, false},
    {"bare memory, late, nested", &ld_memory_engine, true, true, true},
    {"lmdb", &ld_lmdb_engine, false, false, false},
    {"lmdb, late", &ld_lmdb_engine, false, true, false},
    {"lmdb, nested", &ld_lmdb_engine, false, false, true},
    {"bare lmdb, late, nested", &ld_lmdb_engine, true, true, true},
    {"file", &ld_file_engine, false, false, false},
    {"file, late, nested", &ld_file_engine, false, true, true},
};

static char store_path[80];
static char folder[64];

static const char *path_of(const variant *on) {
  return on->engine == &ld_memory_engine ? NULL : store_path;
}

static void remove_store(void) { remove_folder(store_path); }

static bool same(const ld_buf *a, const ld_buf *b) {
  return ld_equal(ld_buf_slice(a), ld_buf_slice(b));
}

/* ---- stores ---- */

static ld_engine *filled(const variant *on) {
  ld_engine *store;
  ld_error error = {0};
  remove_store();
  fault_at(0, LD_OK, false);
  const ld_engine_ops *ops = fault_engine(on->engine, on->bare);
  ld_rc rc = scenario_open(ops, path_of(on), &store, &error);
  if (rc != LD_OK) fprintf(stderr, "%s\n", error.text);
  CHECK_RC(LD_OK, rc);
  CHECK_RC(LD_OK, scenario_fill(store));
  return store;
}

static void dump(ld_engine *store, ld_buf *rows) {
  ld_txn *txn;
  fault_at(0, LD_OK, false);
  ld_buf_reset(rows);
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_OK, scenario_dump(txn, rows));
  CHECK_RC(LD_OK, ld_commit(txn));
}

/* ---- one attempt ---- */

static ld_rc attempt_in(ld_txn *txn, const scenario *doing, ld_buf *result) {
  size_t before = result->size;
  ld_rc rc = doing->run(txn, result);
  if (rc == LD_OK) return ld_commit(txn);
  if (result->size != before) fprintf(stderr, "%s: wrote a result and failed\n", doing->name);
  CHECK(result->size == before);
  ld_rollback(txn);
  return rc;
}

static ld_rc attempt(ld_engine *store, const scenario *doing, ld_buf *result) {
  ld_txn *txn;
  ld_rc rc = ld_begin(store, doing->writes, &txn);
  return rc == LD_OK ? attempt_in(txn, doing, result) : rc;
}

/* In a nested transaction. The one around it goes on, and must not see anything of what failed. */
static ld_rc attempt_nested(ld_engine *store, const scenario *doing, const ld_buf *before,
                            ld_buf *result) {
  ld_txn *outer, *inner;
  ld_buf rows = {0};
  ld_rc rc = ld_begin(store, true, &outer);
  if (rc != LD_OK) return rc;
  rc = ld_begin_nested(outer, &inner);
  if (rc == LD_OK) rc = attempt_in(inner, doing, result);
  if (rc == LD_OK) return ld_commit(outer);
  fault_plan plan = fault;
  fault_at(0, LD_OK, false);
  CHECK_RC(LD_OK, scenario_dump(outer, &rows));
  CHECK(same(before, &rows));
  ld_buf_clear(&rows);
  ld_rollback(outer);
  fault = plan;
  return rc;
}

static ld_rc run(ld_engine *store, const variant *on, const scenario *doing, const ld_buf *before,
                 ld_buf *result) {
  ld_buf_reset(result);
  return on->nested && doing->writes ? attempt_nested(store, doing, before, result)
                                     : attempt(store, doing, result);
}

/* ---- every call ---- */

static void check_failure(ld_engine *store, const variant *on, const scenario *doing, ld_rc rc) {
  if (rc != LD_IO || store->error.rc != LD_IO)
    fprintf(stderr, "%s, %s: %s failed at call %llu: got %s (%s)\n", on->name, doing->name,
            fault.failed, (unsigned long long)fault.calls, ld_rc_name(rc), store->error.text);
  CHECK_RC(LD_IO, rc);
  CHECK(store->error.rc == LD_IO && strstr(store->error.text, "injected") != NULL);
}

static void fail_each_call(const variant *on, const scenario *doing, const ld_buf *expected,
                           const ld_buf *expected_result) {
  ld_buf before = {0}, after = {0}, result = {0};
  ld_engine *store = filled(on);
  dump(store, &before);
  for (uint64_t call = 1;; call++) {
    fault_at(call, LD_IO, on->late);
    ld_rc rc = run(store, on, doing, &before, &result);
    if (fault.failed == NULL) {
      if (rc != LD_OK) fprintf(stderr, "%s, %s: %s\n", on->name, doing->name, store->error.text);
      CHECK_RC(LD_OK, rc);
      CHECK(call > 1);
      break;
    }
    check_failure(store, on, doing, rc);
    dump(store, &after);
    CHECK(same(&before, &after));
  }
  dump(store, &after);
  CHECK(same(expected, &after));
  CHECK(same(expected_result, &result));
  ld_engine_close(store);
  ld_buf_clear(&before);
  ld_buf_clear(&after);
  ld_buf_clear(&result);
}

static void test_scenario(const variant *on, const scenario *doing) {
  ld_buf before = {0}, expected = {0}, result = {0};
  ld_engine *store = filled(on);
  dump(store, &before);
  ld_rc rc = run(store, on, doing, &before, &result);
  if (rc != LD_OK) fprintf(stderr, "%s, %s: %s\n", on->name, doing->name, store->error.text);
  CHECK_RC(LD_OK, rc);
  dump(store, &expected);
  CHECK(doing->writes || same(&before, &expected));
  ld_engine_close(store);
  fail_each_call(on, doing, &expected, &result);
  ld_buf_clear(&before);
  ld_buf_clear(&expected);
  ld_buf_clear(&result);
}

/* A store that could not be opened, at any call, can be opened. */
static void test_open(const variant *on) {
  ld_engine *store = NULL;
  remove_store();
  for (uint64_t call = 1;; call++) {
    ld_error error = {0};
    fault_at(call, LD_IO, on->late);
    ld_rc rc = scenario_open(fault_engine(on->engine, on->bare), path_of(on), &store, &error);
    if (fault.failed == NULL) {
      CHECK_RC(LD_OK, rc);
      CHECK(call > 2);
      break;
    }
    CHECK_RC(LD_IO, rc);
    CHECK(error.rc == LD_IO && strstr(error.text, "injected") != NULL);
    CHECK(store == NULL);
  }
  fault_at(0, LD_OK, false);
  CHECK_RC(LD_OK, scenario_fill(store));
  ld_engine_close(store);
}

/* The disk stays gone: nothing hangs, nothing crashes, closing is fine. */
static void test_all_fail(const variant *on, const scenario *doing) {
  ld_buf before = {0}, result = {0};
  ld_engine *store = filled(on);
  dump(store, &before);
  for (uint64_t call = 1;; call++) {
    fault_at(call, LD_IO, on->late);
    fault.sticky = true;
    ld_rc rc = run(store, on, doing, &before, &result);
    if (fault.failed == NULL) break;
    CHECK_RC(LD_IO, rc);
  }
  ld_engine_close(store);
  ld_buf_clear(&before);
  ld_buf_clear(&result);
}

int main(void) {
  make_folder(folder);
  snprintf(store_path, sizeof store_path, "%s/store", folder);
  scenario_begin();
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    test_open(&variants[v]);
    for (size_t s = 0; s < scenario_count; s++) {
      test_scenario(&variants[v], &scenarios[s]);
      test_all_fail(&variants[v], &scenarios[s]);
    }
    for (size_t s = 0; s < collection_scenario_count; s++) {
      test_scenario(&variants[v], &collection_scenarios[s]);
      test_all_fail(&variants[v], &collection_scenarios[s]);
    }
    for (size_t s = 0; s < cache_scenario_count; s++) {
      test_scenario(&variants[v], &cache_scenarios[s]);
      test_all_fail(&variants[v], &cache_scenarios[s]);
    }
  }
  scenario_end();
  remove_store();
  rmdir(folder);
  return check_done("fault");
}
