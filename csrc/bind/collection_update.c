/* collection_update.c -- collection:update: one document, by a patch or by a function.
**
** A function runs inside an update (txn.c) of the collection's place, by that one's rules: it may not yield, runs again after a conflict,
** and when it raises nothing is kept. */
#include "../change.h"
#include "bind.h"

static const char op[] = "collection:update";

/* What a call hands to its work; the id is in the store's key, the patch or the document in its document. */
typedef struct change_call {
  lb_store *store;
  ld_collection *collection;
  uint64_t if_revision;
  bool upsert;
} change_call;

static ld_slice id_of(const change_call *call) { return ld_buf_slice(&call->store->key); }

/* ---- a patch ---- */

static ld_rc work_patch(ld_txn *txn, void *context) {
  change_call *call = context;
  lb_store *store = call->store;
  ld_rc rc = ld_change(txn, call->collection, id_of(call), ld_buf_slice(&store->document),
                       call->if_revision, call->upsert, &store->result);
  return lb_no_retry(txn, rc, call->if_revision);
}

static int patch_document(lua_State *L, const lb_place *place, change_call *call) {
  lb_store *store = call->store;
  ld_buf_reset(&store->document);
  if (lb_encode_patch(L, 3, &store->document, &store->error) != LD_OK)
    return lb_raise_error(L, &store->error, op);
  lb_encode_id(L, 2, store, op);
  if (lb_write(L, place, work_patch, call, op) == LD_OK) return lb_push_result(L, store, op);
  return lb_push_nil(L);
}

/* ---- a function ---- */

enum { UP_COLLECTION = 1, UP_ID, UP_FUNCTION, UP_REVISION, UP_UPSERT };

/* What the function is given where nothing is: the id. */
static void write_new(const change_call *call) {
  ld_buf *result = &call->store->result;
  ld_write_map(result, 1);
  ld_write_string(result, ld_collection_key(call->collection));
  ld_buf_add(result, id_of(call));
}

static ld_rc work_get(ld_txn *txn, void *context) {
  change_call *call = context;
  ld_error *error = ld_error_of(txn);
  ld_slice document;
  uint64_t revision;
  ld_rc rc = ld_collection_look(txn, call->collection);
  if (rc == LD_OK) rc = ld_collection_get(txn, call->collection, id_of(call), &document, &revision);
  if (rc == LD_OK && call->if_revision > 0 && revision != call->if_revision)
    rc = lb_no_retry(txn, ld_fail(error, LD_CONFLICT, "the document was changed meanwhile"), 1);
  if (rc == LD_OK) ld_buf_add(&call->store->result, document);
  if (rc == LD_NOTFOUND && call->upsert && call->if_revision == 0) {
    write_new(call);
    rc = LD_OK;
  }
  if (rc == LD_OK && call->store->result.failed) rc = ld_fail(error, LD_NOMEM, "out of memory");
  return rc;
}

static ld_rc work_put(ld_txn *txn, void *context) {
  change_call *call = context;
  lb_store *store = call->store;
  return ld_collection_put(txn, call->collection, ld_buf_slice(&store->document),
                           (ld_put_options){LD_PUT_ANY, call->if_revision}, &store->result);
}

/* The document on the top of the stack must have the id that it had. */
static void check_changed(lua_State *L, const change_call *call) {
  ld_quoted quoted;
  ld_slice key = ld_collection_key(call->collection);
  int id = lua_upvalueindex(UP_ID);
  if (lua_type(L, -1) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "the function must return the document, a table, got %s",
             luaL_typename(L, -1));
  lua_pushlstring(L, (const char *)key.data, key.size);
  lua_rawget(L, -2);
  if (!lua_rawequal(L, -1, id) || lua_isinteger(L, -1) != lua_isinteger(L, id))
    lb_raise(L, LD_INVALID, op, "%s: the id of a document cannot be changed",
             ld_quote(key, quoted));
  lua_pop(L, 1);
}

/* The function of the update; the transaction is at stack index 1. */
static int run_function(lua_State *L) {
  lb_collection *collection = lua_touserdata(L, lua_upvalueindex(UP_COLLECTION));
  lb_place place = lb_check_place(L, 1, op);
  lb_store *store = place.store;
  change_call call = {.store = store, .collection = &collection->collection};
  call.if_revision = (uint64_t)lua_tointeger(L, lua_upvalueindex(UP_REVISION));
  call.upsert = lua_toboolean(L, lua_upvalueindex(UP_UPSERT));
  lb_encode_id(L, lua_upvalueindex(UP_ID), store, op);
  if (lb_read(L, &place, work_get, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  lua_pushvalue(L, lua_upvalueindex(UP_FUNCTION));
  lb_push_result(L, store, op);
  lua_call(L, 1, 1);
  check_changed(L, &call);
  ld_buf_reset(&store->document);
  if (lb_encode(L, -1, &store->document, &store->error) != LD_OK)
    return lb_raise_error(L, &store->error, op);
  lb_write(L, &place, work_put, &call, op);
  return lb_push_result(L, store, op);
}

static int call_function(lua_State *L, const change_call *call) {
  lb_encode_id(L, 2, call->store, op); /* raises, where it is none */
  lua_pushcfunction(L, lb_update);
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_pushinteger(L, (lua_Integer)call->if_revision);
  lua_pushboolean(L, call->upsert);
  lua_pushcclosure(L, run_function, UP_UPSERT);
  lua_call(L, 2, 1);
  return 1;
}

/* collection:update(id, patch or function, { if_rev =, upsert = }) -> the changed document, or nil */
int lb_collection_update(lua_State *L) {
  static const char *const known[] = {"if_rev", "upsert", NULL};
  lb_collection *collection = lb_check_collection(L, op);
  int type = lua_type(L, 3);
  change_call call = {.store = collection->place.store, .collection = &collection->collection};
  lb_check_options(L, 4, known, op);
  call.if_revision = lb_option_revision(L, 4, op);
  call.upsert = lb_option_bool(L, 4, "upsert", false, op);
  if (type == LUA_TFUNCTION) return call_function(L, &call);
  if (type == LUA_TTABLE) return patch_document(L, &collection->place, &call);
  return lb_raise(L, LD_INVALID, op, "expected a patch, a table or a function, got %s",
                  lua_isnone(L, 3) ? "nothing" : luaL_typename(L, 3));
}
