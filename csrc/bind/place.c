/* place.c -- running a layer's work where it belongs: in an open transaction, or in one of its own. */
#include "bind.h"

enum { MOST_RUNS = 16 };

lb_place lb_check_place(lua_State *L, int index, const char *op) {
  lb_store *store = luaL_testudata(L, index, LB_STORE);
  lb_tx *tx = store == NULL ? luaL_testudata(L, index, LB_TX) : NULL;
  if (store == NULL && tx == NULL)
    lb_raise(L, LD_INVALID, op, "expected a store or a transaction before the colon, got %s",
             lua_isnone(L, index) ? "nothing" : luaL_typename(L, index));
  return (lb_place){store != NULL ? store : tx->store, tx};
}

void *lb_check_self(lua_State *L, const char *type, const char *what, const char *op) {
  void *self = luaL_testudata(L, 1, type);
  if (self == NULL)
    lb_raise(L, LD_INVALID, op, "expected %s before the colon, got %s", what,
             lua_isnone(L, 1) ? "nothing" : luaL_typename(L, 1));
  return self;
}

bool lb_is_open(const lb_place *place) {
  return place->store->engine != NULL && (place->tx == NULL || place->tx->txn != NULL);
}

void lb_check_open(lua_State *L, const lb_place *place, const char *op) {
  if (place->store->engine == NULL) lb_raise(L, LD_CLOSED, op, "the store is closed");
  if (place->tx != NULL && place->tx->txn == NULL)
    lb_raise(L, LD_CLOSED, op, "the transaction has ended");
  if (place->store->in_callback)
    lb_raise(
        L, LD_MISUSE, op,
        "called from one of the store's own functions (log, clock, upgrade, validate, progress)");
  place->store->L = L;
}

static void before_run(lb_store *store) {
  ld_buf_reset(&store->result);
  store->engine->error.rc = LD_OK;
  store->engine->error.retry = false;
  store->clock_failed = false;
  store->has_cause = false;
}

static ld_rc after_run(lb_store *store, ld_txn *txn, ld_rc rc) {
  if (!store->clock_failed) return rc; /* else store->error says why */
  store->engine->error = store->error;
  return ld_spoil(txn, LD_INVALID);
}

/* Raise what failed, but for an absence that is an answer. */
static ld_rc finish(lua_State *L, lb_store *store, ld_rc rc, const char *op) {
  ld_error *error = &store->engine->error;
  if (rc == LD_OK || (rc == LD_NOTFOUND && error->rc != LD_NOTFOUND)) return rc;
  store->retry = error->retry;
  lb_raise_caused(L, store, error, op);
  lb_raise_error(L, error, op);
  return rc;
}

static ld_rc run_alone(lb_store *store, bool writable, lb_work work, void *context) {
  ld_txn *txn;
  before_run(store);
  ld_rc rc = ld_begin(store->engine, writable, &txn);
  if (rc != LD_OK) return rc;
  rc = after_run(store, txn, work(txn, context));
  if (rc == LD_OK && writable) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

static ld_rc run_in(lb_place place, lb_work work, void *context) {
  before_run(place.store);
  return after_run(place.store, place.tx->txn, work(place.tx->txn, context));
}

ld_rc lb_read(lua_State *L, const lb_place *place, lb_work work, void *context, const char *op) {
  lb_check_open(L, place, op);
  ld_rc rc = place->tx != NULL ? run_in(*place, work, context)
                               : run_alone(place->store, false, work, context);
  return finish(L, place->store, rc, op);
}

static bool worth_another_run(const lb_store *store, ld_rc rc) {
  return (rc == LD_CONFLICT || rc == LD_FULL) && store->engine->error.retry;
}

ld_rc lb_write(lua_State *L, const lb_place *place, lb_work work, void *context, const char *op) {
  ld_rc rc;
  lb_check_open(L, place, op);
  if (place->tx != NULL && (place->tx->read_only || !place->tx->txn->writable))
    return (ld_rc)lb_raise(L, LD_MISUSE, op, "a write in a read transaction (view)");
  if (place->tx != NULL) return finish(L, place->store, run_in(*place, work, context), op);
  for (int run = 1;; run++) {
    rc = run_alone(place->store, true, work, context);
    if (!worth_another_run(place->store, rc) || run == MOST_RUNS) break;
    ld_log(&place->store->engine->env, LD_LOG_DEBUG, "retry: %s: %s", op,
           place->store->engine->error.text);
  }
  rc = finish(L, place->store, rc, op);
  lb_deliver(L, place->store);
  return rc;
}
