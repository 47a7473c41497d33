/* fault.c -- see fault.h.
**
** Invariant: a call that fails early has not reached the inner engine, but for commit, which ends the transaction in any
** case: there the inner engine rolls back. */
#include "fault.h"

typedef struct fault_table {
  ld_engine_ops ops; /* first: an engine's `ops` leads back to the table */
  const ld_engine_ops *inner;
  bool bare;
} fault_table;

enum { TABLES = 8 };
static fault_table tables[TABLES];

fault_plan fault;

void fault_at(uint64_t call, ld_rc rc, bool late) {
  fault = (fault_plan){.countdown = call, .rc = rc, .late = late};
}

static const ld_engine_ops *inner_of(const ld_engine *engine) {
  return ((const fault_table *)(const void *)engine->ops)->inner;
}

#define INNER(txn) inner_of((txn)->engine)
#define AT(cursor) inner_of((cursor)->txn->engine)

/* Count a call of `slot`; LD_OK, or what it is to fail with. */
static ld_rc count(ld_engine *engine, const char *slot) {
  fault.calls++;
  bool fails = fault.sticky && fault.failed != NULL;
  if (fault.countdown > 0 && --fault.countdown == 0) fails = true;
  if (!fails) return LD_OK;
  fault.failed = slot;
  return ld_fail(&engine->error, fault.rc, "injected at call %llu: %s",
                 (unsigned long long)fault.calls, slot);
}

static ld_rc fault_open(ld_engine *engine, const ld_config *config) {
  ld_rc rc = count(engine, "open");
  return rc == LD_OK ? inner_of(engine)->open(engine, config) : rc;
}

static void fault_close(ld_engine *engine) { inner_of(engine)->close(engine); }

static ld_rc fault_begin(ld_txn *txn) {
  ld_rc rc = count(txn->engine, "begin");
  return rc == LD_OK ? INNER(txn)->begin(txn) : rc;
}

static ld_rc fault_commit(ld_txn *txn) {
  ld_rc rc = count(txn->engine, "commit");
  if (rc == LD_OK) return INNER(txn)->commit(txn);
  INNER(txn)->rollback(txn);
  return rc;
}

static void fault_rollback(ld_txn *txn) { INNER(txn)->rollback(txn); }

static ld_rc fault_get(ld_txn *txn, ld_slice key, ld_slice *value) {
  ld_rc rc = count(txn->engine, "get");
  return rc == LD_OK ? INNER(txn)->get(txn, key, value) : rc;
}

static ld_rc fault_put(ld_txn *txn, ld_slice key, ld_slice value) {
  ld_rc rc = count(txn->engine, "put");
  if (rc == LD_OK) return INNER(txn)->put(txn, key, value);
  if (fault.late) INNER(txn)->put(txn, key, value);
  return rc;
}

static ld_rc fault_del(ld_txn *txn, ld_slice key) {
  ld_rc rc = count(txn->engine, "del");
  if (rc == LD_OK) return INNER(txn)->del(txn, key);
  if (fault.late) INNER(txn)->del(txn, key);
  return rc;
}

static ld_rc fault_del_range(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *counted) {
  ld_rc rc = count(txn->engine, "del_range");
  uint64_t lost;
  if (rc == LD_OK) return INNER(txn)->del_range(txn, from, to, counted);
  if (fault.late) INNER(txn)->del_range(txn, from, to, &lost);
  return rc;
}

static ld_rc fault_cursor_open(ld_cursor *cursor) {
  ld_rc rc = count(cursor->txn->engine, "cursor_open");
  return rc == LD_OK ? AT(cursor)->cursor_open(cursor) : rc;
}

static void fault_cursor_close(ld_cursor *cursor) { AT(cursor)->cursor_close(cursor); }

static ld_rc move(ld_cursor *cursor, const char *slot, ld_rc (*inner)(ld_cursor *)) {
  ld_rc rc = count(cursor->txn->engine, slot);
  if (rc == LD_OK) return inner(cursor);
  if (fault.late) inner(cursor);
  return rc;
}

static ld_rc fault_cursor_first(ld_cursor *cursor) {
  return move(cursor, "cursor_first", AT(cursor)->cursor_first);
}
static ld_rc fault_cursor_last(ld_cursor *cursor) {
  return move(cursor, "cursor_last", AT(cursor)->cursor_last);
}
static ld_rc fault_cursor_next(ld_cursor *cursor) {
  return move(cursor, "cursor_next", AT(cursor)->cursor_next);
}
static ld_rc fault_cursor_prev(ld_cursor *cursor) {
  return move(cursor, "cursor_prev", AT(cursor)->cursor_prev);
}

static ld_rc fault_cursor_seek(ld_cursor *cursor, ld_slice key) {
  ld_rc rc = count(cursor->txn->engine, "cursor_seek");
  if (rc == LD_OK) return AT(cursor)->cursor_seek(cursor, key);
  if (fault.late) AT(cursor)->cursor_seek(cursor, key);
  return rc;
}

static ld_rc fault_cursor_current(ld_cursor *cursor, ld_slice *key, ld_slice *value) {
  ld_rc rc = count(cursor->txn->engine, "cursor_current");
  return rc == LD_OK ? AT(cursor)->cursor_current(cursor, key, value) : rc;
}

static ld_rc fault_sync(ld_engine *engine) {
  ld_rc rc = count(engine, "sync");
  return rc == LD_OK ? inner_of(engine)->sync(engine) : rc;
}

static ld_rc fault_stats(ld_engine *engine, ld_engine_stats *stats) {
  ld_rc rc = count(engine, "stats");
  return rc == LD_OK ? inner_of(engine)->stats(engine, stats) : rc;
}

static ld_rc fault_check(ld_engine *engine, ld_finding finding, void *context) {
  ld_rc rc = count(engine, "check");
  return rc == LD_OK ? inner_of(engine)->check(engine, finding, context) : rc;
}

static ld_engine_ops decorated(const ld_engine_ops *inner, bool bare) {
  return (ld_engine_ops){
      .abi = inner->abi,
      .name = inner->name,
      .promises = inner->promises,
      .options = inner->options,
      .engine_size = inner->engine_size,
      .txn_size = inner->txn_size,
      .cursor_size = inner->cursor_size,
      .open = fault_open,
      .close = fault_close,
      .begin = fault_begin,
      .commit = fault_commit,
      .rollback = fault_rollback,
      .get = fault_get,
      .put = fault_put,
      .del = fault_del,
      .cursor_open = fault_cursor_open,
      .cursor_close = fault_cursor_close,
      .cursor_first = fault_cursor_first,
      .cursor_last = fault_cursor_last,
      .cursor_seek = fault_cursor_seek,
      .cursor_next = fault_cursor_next,
      .cursor_prev = fault_cursor_prev,
      .cursor_current = fault_cursor_current,
      .del_range = bare || inner->del_range == NULL ? NULL : fault_del_range,
      .sync = bare || inner->sync == NULL ? NULL : fault_sync,
      .stats = inner->stats == NULL ? NULL : fault_stats,
      .check = bare || inner->check == NULL ? NULL : fault_check,
  };
}

const ld_engine_ops *fault_engine(const ld_engine_ops *inner, bool bare) {
  fault_table *table = tables;
  while (table->inner != NULL && (table->inner != inner || table->bare != bare)) table++;
  if (table->inner == NULL)
    *table = (fault_table){.ops = decorated(inner, bare), .inner = inner, .bare = bare};
  return &table->ops;
}
