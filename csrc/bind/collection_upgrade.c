/* collection_upgrade.c -- a batch of collection:upgrade_all; the loop around it is in Lua (lua/larder/upgrade.lua), so that it may yield in between. */
#include <limits.h>

#include "../upgrade.h"
#include "bind.h"

enum { BATCH_DOCUMENTS = 500 };

static const char op[] = "collection:upgrade_all";

/* What a call hands to its work; where to go on is in the store's key. */
typedef struct upgrade_call {
  lb_store *store;
  ld_collection *collection;
  unsigned most;
  uint64_t count, older;
} upgrade_call;

static ld_rc work_batch(ld_txn *txn, void *context) {
  upgrade_call *call = context;
  return ld_upgrade(txn, call->collection, call->most, ld_buf_slice(&call->store->key),
                    &call->store->result, &call->count, &call->older);
}

/* In a transaction of the program's: a batch that fails leaves nothing. */
static ld_rc work_nested(ld_txn *txn, void *context) {
  ld_txn *nested;
  ld_rc rc = ld_begin_nested(txn, &nested);
  if (rc != LD_OK) return rc;
  rc = work_batch(nested, context);
  if (rc == LD_OK) return ld_commit(nested);
  ld_error error = txn->engine->error;
  ld_rollback(nested);
  txn->engine->error = error;
  return rc;
}

/* core.upgrade_batch(collection, { batch =, progress = }, after) -> how many, how many are left, the id to go on behind or nil */
static int upgrade_batch(lua_State *L) {
  static const char *const known[] = {"batch", "progress", NULL};
  lb_collection *collection = lb_check_collection(L, op);
  lb_store *store = collection->place.store;
  upgrade_call call = {.store = store, .collection = &collection->collection};
  lb_check_options(L, 2, known, op);
  int64_t most = lb_option_count(L, 2, "batch", BATCH_DOCUMENTS, op);
  if (most == 0) return lb_raise(L, LD_INVALID, op, "option batch: expected a whole number from 1");
  call.most = most > INT_MAX ? INT_MAX : (unsigned)most;
  ld_buf_reset(&store->key);
  if (!lua_isnoneornil(L, 3)) lb_encode_id(L, 3, store, op);
  lb_write(L, &collection->place, collection->place.tx == NULL ? work_batch : work_nested, &call,
           op);
  lua_pushinteger(L, (lua_Integer)call.count);
  lua_pushinteger(L, (lua_Integer)call.older);
  return store->result.size == 0 ? 2 + lb_push_nil(L) : 2 + lb_push_result(L, store, op);
}

void lb_open_collection_upgrade(lua_State *L, int module) {
  lua_pushcfunction(L, upgrade_batch);
  lua_setfield(L, module, "upgrade_batch");
}
