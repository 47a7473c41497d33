/* txn.c -- transactions as Lua sees them: update, view, begin, and the box of a transaction.
**
** Invariant: a box with a txn is in its store's list; whatever ends the txn (its box, its parent's box, its store) takes the
** pointer away from every box that has it. */
#include <string.h>

#include "queue_box.h"
#include "cache.h"

enum { MOST_RUNS = 16 };

/* ---- boxes ---- */

static void unlink_box(lb_tx *tx) {
  *tx->link = tx->next;
  if (tx->next != NULL) tx->next->link = tx->link;
  tx->txn = NULL;
}

static void link_box(lb_tx *tx, ld_txn *txn) {
  lb_store *store = tx->store;
  tx->txn = txn;
  tx->next = store->txs;
  tx->link = &store->txs;
  if (tx->next != NULL) tx->next->link = &tx->next;
  store->txs = tx;
}

void lb_forget_txs(lb_store *store) {
  while (store->txs != NULL) unlink_box(store->txs);
}

static bool is_under(const ld_txn *txn, const ld_txn *ancestor) {
  while (txn != NULL && txn != ancestor) txn = txn->parent;
  return txn != NULL;
}

/* Take the pointers of a transaction that is about to end from its boxes and those of its children. */
static void forget_under(lb_store *store, const ld_txn *txn) {
  for (lb_tx *tx = store->txs, *next; tx != NULL; tx = next) {
    next = tx->next;
    if (is_under(tx->txn, txn)) unlink_box(tx);
  }
}

static void roll_back(lb_tx *tx) {
  ld_txn *txn = tx->txn;
  if (txn == NULL) return;
  if (tx->borrowed) {
    unlink_box(tx);
    return;
  }
  forget_under(tx->store, txn);
  ld_rollback(txn);
}

/* Whom the commit wakes is woken by that of the outermost transaction. */
static void pass_on_wakes(lb_store *store, const ld_txn *parent) {
  store->wakes = parent == NULL;
  for (lb_tx *tx = store->txs; tx != NULL; tx = tx->next)
    if (tx->txn == parent) tx->wakes = true;
}

static ld_rc commit(lb_tx *tx) {
  ld_txn *txn = tx->txn, *parent = txn->parent;
  bool wakes = tx->wakes;
  forget_under(tx->store, txn);
  ld_rc rc = ld_commit(txn);
  if (rc == LD_OK && wakes) pass_on_wakes(tx->store, parent);
  return rc;
}

/* Push a box for a transaction under the place at stack index 1. The place is looked at afterwards: making a box may run a finalizer that closes it. */
static lb_tx *new_box(lua_State *L, const lb_place *place, const char *op) {
  lb_tx *tx = lua_newuserdatauv(L, sizeof *tx, 1);
  memset(tx, 0, sizeof *tx);
  tx->store = place->store;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, LB_TX);
  lb_check_open(L, place, op);
  return tx;
}

static ld_rc start(lb_tx *tx, const lb_place *place, bool writable) {
  ld_txn *txn;
  ld_rc rc = place->tx != NULL ? ld_begin_nested(place->tx->txn, &txn)
                               : ld_begin(place->store->engine, writable, &txn);
  if (rc == LD_OK) link_box(tx, txn);
  return rc;
}

static int raise_here(lua_State *L, lb_store *store, const char *op) {
  ld_error *error = &store->engine->error;
  store->retry = error->retry;
  return lb_raise_error(L, error, op);
}

static void check_function(lua_State *L, const char *op) {
  if (lua_type(L, 2) != LUA_TFUNCTION)
    lb_raise(L, LD_INVALID, op, "expected a function, got %s",
             lua_isnone(L, 2) ? "nothing" : luaL_typename(L, 2));
  lua_settop(L, 2);
}

/* ---- update ---- */

/* What Lua itself says, word for word. */
bool lb_is_yield(lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING) return false;
  const char *text = lua_tostring(L, -1);
  return strcmp(text, "attempt to yield across a C-call boundary") == 0 ||
         strcmp(text, "attempt to yield from outside a coroutine") == 0;
}

/* The function has raised: its error is on the stack. */
static void after_error(lua_State *L, lb_tx *tx) {
  if (lb_is_yield(L)) {
    ld_error error = {0};
    ld_fail(&error, LD_MISUSE,
            "the function must not yield: another coroutine would meet the open write transaction");
    lb_push_error(L, &error, "update");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "cause");
  }
  roll_back(tx);
}

/* One run of the function at 2. True: its results are behind the box at 3. False: an error object is on the stack, and `retry` of the store tells whether to run again. */
static bool run_update(lua_State *L, const lb_place *place) {
  lb_store *store = place->store;
  lua_settop(L, 2);
  lb_tx *tx = new_box(L, place, "update");
  tx->managed = true;
  store->retry = false;
  if (start(tx, place, true) != LD_OK) raise_here(L, store, "update");
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  if (lua_pcall(L, 1, LUA_MULTRET, 0) != LUA_OK) {
    after_error(L, tx);
    return false;
  }
  if (tx->txn == NULL) lb_raise(L, LD_CLOSED, "update", "the store was closed inside the function");
  if (commit(tx) == LD_OK) return true;
  store->retry = store->engine->error.retry;
  lb_push_error(L, &store->engine->error, "update");
  return false;
}

/* store:update(function(tx) ... end): commits when the function returns, rolls back when it raises, runs again on a conflict. */
int lb_update(lua_State *L) {
  lb_place place = lb_check_place(L, 1, "update");
  check_function(L, "update");
  for (int run = 1;; run++) {
    lb_check_open(L, &place, "update");
    if (place.tx != NULL && place.tx->read_only)
      return lb_raise(L, LD_MISUSE, "update", "a write in a read transaction (view)");
    if (run_update(L, &place)) {
      lb_wake(L, place.store);
      lb_deliver(L, place.store);
      return lua_gettop(L) - 3;
    }
    bool again = place.store->retry && place.tx == NULL && run < MOST_RUNS;
    if (!again || place.store->engine == NULL) return lua_error(L);
    ld_log(&place.store->engine->env, LD_LOG_DEBUG, "retry: update");
  }
}

/* ---- view ---- */

static int end_view(lua_State *L, int status, lua_KContext context) {
  (void)context;
  roll_back(lua_touserdata(L, 3));
  return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) - 3 : lua_error(L);
}

/* store:view(function(tx) ... end): one snapshot. The function may yield. */
int lb_view(lua_State *L) {
  lb_place place = lb_check_place(L, 1, "view");
  check_function(L, "view");
  lb_tx *tx = new_box(L, &place, "view");
  tx->managed = tx->read_only = true;
  tx->borrowed = place.tx != NULL;
  if (tx->borrowed)
    link_box(tx, place.tx->txn);
  else if (start(tx, &place, false) != LD_OK)
    return raise_here(L, place.store, "view");
  lua_toclose(L, 3); /* a coroutine that is closed inside the function */
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  return end_view(L, lua_pcallk(L, 1, LUA_MULTRET, 0, 0, end_view), 0);
}

/* ---- begin, commit, rollback ---- */

/* store:begin("write" | "read") -> tx */
int lb_begin(lua_State *L) {
  lb_place place = lb_check_place(L, 1, "begin");
  ld_quoted quoted;
  lb_check_open(L, &place, "begin");
  ld_slice mode =
      lua_isnoneornil(L, 2) ? LD_LITERAL("write") : lb_check_string(L, 2, "begin", "mode");
  bool writable = ld_equal(mode, LD_LITERAL("write"));
  if (!writable && !ld_equal(mode, LD_LITERAL("read")))
    return lb_raise(L, LD_INVALID, "begin", "expected \"write\" or \"read\", got %s",
                    ld_quote(mode, quoted));
  if (place.tx != NULL && (place.tx->read_only || !writable))
    return lb_raise(L, LD_MISUSE, "begin",
                    "a nested transaction writes, and needs a write transaction around it");
  lb_tx *tx = new_box(L, &place, "begin");
  tx->read_only = !writable;
  if (start(tx, &place, writable) != LD_OK) return raise_here(L, place.store, "begin");
  return 1;
}

static lb_tx *check_own(lua_State *L, const char *op) {
  lb_tx *tx = lb_check_self(L, LB_TX, "a transaction", op);
  lb_check_open(L, &(lb_place){tx->store, tx}, op);
  if (tx->managed)
    lb_raise(L, LD_MISUSE, op,
             "update and view end their transaction themselves: return to commit, raise an error "
             "to roll back");
  return tx;
}

static int commit_tx(lua_State *L) {
  lb_tx *tx = check_own(L, "tx:commit");
  lb_store *store = tx->store;
  if (commit(tx) != LD_OK) return raise_here(L, store, "tx:commit");
  lb_wake(L, store);
  lb_deliver(L, store);
  return 0;
}

static int rollback_tx(lua_State *L) {
  roll_back(check_own(L, "tx:rollback"));
  return 0;
}

/* __gc: what was not committed is rolled back. It is in nobody's hands, so no call is running in it. */
static int collect_tx(lua_State *L) {
  lb_tx *tx = luaL_checkudata(L, 1, LB_TX);
  if (tx->txn != NULL) tx->store->L = L;
  roll_back(tx);
  return 0;
}

/* __close likewise; but one of the store's functions may be called in the middle of this very transaction. */
static int close_tx(lua_State *L) {
  lb_tx *tx = luaL_checkudata(L, 1, LB_TX);
  if (tx->txn != NULL && tx->store->in_callback)
    return lb_raise(L, LD_MISUSE, "tx", "closed in one of the store's own functions");
  return collect_tx(L);
}

static int tx_tostring(lua_State *L) {
  const lb_tx *tx = luaL_checkudata(L, 1, LB_TX);
  lua_pushfstring(L, "larder.tx: %s", tx->txn == NULL ? "ended" : tx->read_only ? "read" : "write");
  return 1;
}

static const luaL_Reg methods[] = {
    {"rooms", lb_rooms_new},
    {"collection", lb_collection_new},
    {"collections", lb_collection_names},
    {"drop", lb_collection_drop},
    {"map", lb_map_new},
    {"maps", lb_maps},
    {"queue", lb_queue_new},
    {"queues", lb_queues},
    {"cache", lb_cache_new},
    {"caches", lb_caches},
    {"update", lb_update},
    {"view", lb_view},
    {"begin", lb_begin},
    {"stats", lb_stats},
    {"backups", lb_backups},
    {"restore_backup", lb_restore_backup},
    {"commit", commit_tx},
    {"rollback", rollback_tx},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", collect_tx},
    {"__close", close_tx},
    {"__tostring", tx_tostring},
    {NULL, NULL},
};

void lb_open_txs(lua_State *L, int module) {
  lb_new_metatable(L, LB_TX);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1); /* for those that are in Lua */
  lua_setfield(L, module, "tx_methods");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
