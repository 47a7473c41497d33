/* collection_find.c -- find, first, count, distinct, update_where, delete_where: what takes a query, encoded whole. */
#include "../change.h"
#include "bind.h"

typedef struct query_call query_call;
/* What a call hands to its work; the query is in the store's document. */
struct query_call {
  lb_store *store;
  ld_collection *collection;
  ld_rc (*run)(ld_txn *txn, const ld_find *find, query_call *call);
  const ld_find *find;
  bool one; /* at most one is wanted */
  uint64_t count;
  ld_slice field;
};

static query_call begin_call(lb_collection *collection) {
  return (query_call){.store = collection->place.store, .collection = &collection->collection};
}

static ld_rc work_query(ld_txn *txn, void *context) {
  query_call *call = context;
  ld_find find;
  call->count = 0;
  ld_rc rc = ld_find_init(&find, ld_buf_slice(&call->store->document), ld_error_of(txn));
  if (rc != LD_OK) return rc;
  if (call->one && find.limit != 0) find.limit = 1;
  rc = ld_collection_look(txn, call->collection);
  if (rc == LD_OK) rc = call->run(txn, &find, call);
  if (rc == LD_OK && call->store->result.failed)
    rc = ld_spoil(txn, ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory"));
  ld_find_clear(&find);
  return rc;
}

/* ---- what comes in ---- */

static void encode(lua_State *L, int index, lb_store *store, const char *op) {
  ld_buf_reset(&store->document);
  if (lb_encode(L, index, &store->document, &store->error) != LD_OK)
    lb_raise_error(L, &store->error, op);
}

/* The query at stack index 2; nothing is a query for all. */
static void encode_query(lua_State *L, lb_store *store, const char *op) {
  if (!lua_isnoneornil(L, 2) && lua_type(L, 2) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "expected a query, a table, got %s", luaL_typename(L, 2));
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  encode(L, 2, store, op);
}

/* The query of the filter at `index`; nothing is a filter for all. */
static void encode_where(lua_State *L, int index, lb_store *store, const char *op) {
  bool given = !lua_isnoneornil(L, index);
  if (given && lua_type(L, index) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "where: expected a filter, a table, got %s",
             luaL_typename(L, index));
  lua_createtable(L, 0, 1);
  if (given) {
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "where");
  }
  encode(L, -1, store, op);
  lua_pop(L, 1);
}

/* Changes need a filter, so that a forgotten one does not change all. */
static void require_where(lua_State *L, const char *op) {
  if (lua_isnoneornil(L, 2))
    lb_raise(L, LD_INVALID, op, "expected a filter, a table ({} is for all documents)");
}

/* ---- find, first ---- */

static ld_rc add_document(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  query_call *call = context;
  (void)id, (void)revision;
  ld_find_select(call->find, call->collection, document, &call->store->result);
  call->count++;
  return call->store->result.failed ? LD_NOTFOUND : LD_OK;
}

static ld_rc run_find(ld_txn *txn, const ld_find *find, query_call *call) {
  ld_buf *cursor = &call->store->key;
  ld_buf_reset(cursor);
  call->find = find;
  ld_rc rc =
      ld_find_run(txn, call->collection, find, add_document, call, call->one ? NULL : cursor, NULL);
  if (!call->one && cursor->size > 0) ld_write_string(&call->store->result, ld_buf_slice(cursor));
  return rc;
}

/* collection:find{ where =, sort =, limit =, offset =, after =, select = } -> array, cursor */
int lb_collection_find(lua_State *L) {
  static const char op[] = "collection:find";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  encode_query(L, call.store, op);
  call.run = run_find;
  lb_read(L, &collection->place, work_query, &call, op);
  return lb_push_list(L, &call.store->result, (size_t)call.count, op);
}

/* collection:first{...} -> document or nil */
int lb_collection_first(lua_State *L) {
  static const char op[] = "collection:first";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  encode_query(L, call.store, op);
  call.run = run_find;
  call.one = true;
  lb_read(L, &collection->place, work_query, &call, op);
  return call.count == 0 ? lb_push_nil(L) : lb_push_result(L, call.store, op);
}

/* ---- count, distinct ---- */

static ld_rc count_document(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  (void)id, (void)document, (void)revision;
  ((query_call *)context)->count++;
  return LD_OK;
}

static ld_rc run_count(ld_txn *txn, const ld_find *find, query_call *call) {
  return ld_find_run(txn, call->collection, find, count_document, call, NULL, NULL);
}

static ld_rc run_count_all(ld_txn *txn, const ld_find *find, query_call *call) {
  (void)find;
  return ld_collection_count(txn, call->collection, &call->count);
}

static bool is_empty_table(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE) return false;
  lua_pushnil(L);
  if (!lua_next(L, index)) return true;
  lua_pop(L, 2);
  return false;
}

/* collection:count(where) -> how many */
int lb_collection_count(lua_State *L) {
  static const char op[] = "collection:count";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  encode_where(L, 2, call.store, op);
  call.run = lua_isnoneornil(L, 2) || is_empty_table(L, 2) ? run_count_all : run_count;
  lb_read(L, &collection->place, work_query, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1;
}

static ld_rc run_distinct(ld_txn *txn, const ld_find *find, query_call *call) {
  return ld_find_distinct(txn, call->collection, find, call->field, &call->store->result);
}

/* collection:distinct(field, where) -> array */
int lb_collection_distinct(lua_State *L) {
  static const char op[] = "collection:distinct";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  call.field = lb_check_string(L, 2, op, "field");
  encode_where(L, 3, call.store, op);
  call.run = run_distinct;
  lb_read(L, &collection->place, work_query, &call, op);
  return lb_push_result(L, call.store, op);
}

/* ---- explain ---- */

static ld_rc run_explain(ld_txn *txn, const ld_find *find, query_call *call) {
  return ld_find_explain(txn, call->collection, find, &call->store->result);
}

/* collection:explain{...} -> how find would run */
int lb_collection_explain(lua_State *L) {
  static const char op[] = "collection:explain";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  encode_query(L, call.store, op);
  call.run = run_explain;
  lb_read(L, &collection->place, work_query, &call, op);
  return lb_push_result(L, call.store, op);
}

/* ---- update_where, delete_where ---- */

static ld_rc run_update(ld_txn *txn, const ld_find *find, query_call *call) {
  return ld_change_where(txn, call->collection, find, ld_buf_slice(&call->store->key),
                         &call->count);
}

static ld_rc run_delete(ld_txn *txn, const ld_find *find, query_call *call) {
  return ld_delete_where(txn, call->collection, find, &call->count);
}

/* collection:update_where(where, patch) -> how many */
int lb_collection_update_where(lua_State *L) {
  static const char op[] = "collection:update_where";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  require_where(L, op);
  if (lua_type(L, 3) != LUA_TTABLE)
    return lb_raise(L, LD_INVALID, op, "expected a patch, a table, got %s",
                    lua_isnone(L, 3) ? "nothing" : luaL_typename(L, 3));
  encode_where(L, 2, call.store, op);
  ld_buf_reset(&call.store->key);
  if (lb_encode_patch(L, 3, &call.store->key, &call.store->error) != LD_OK)
    return lb_raise_error(L, &call.store->error, op);
  call.run = run_update;
  lb_write(L, &collection->place, work_query, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1;
}

/* collection:delete_where(where) -> how many */
int lb_collection_delete_where(lua_State *L) {
  static const char op[] = "collection:delete_where";
  lb_collection *collection = lb_check_collection(L, op);
  query_call call = begin_call(collection);
  require_where(L, op);
  encode_where(L, 2, call.store, op);
  call.run = run_delete;
  lb_write(L, &collection->place, work_query, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1;
}
