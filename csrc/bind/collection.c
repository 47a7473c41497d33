/* collection.c -- store:collection(name): its box, and one document at a time. Changing: collection_update.c; declaring: collection_declare.c; finding:
** collection_find.c, collection_iterator.c. */
#include <string.h>

#include "bind.h"

/* What a call hands to its work; the id is in the store's key, the document in its document. */
typedef struct document_call {
  lb_store *store;
  ld_collection *collection;
  ld_put_options options;
  uint64_t revision, count;
  ld_slice name;
  bool as_given; /* the stored document is the given one, without an id put in */
} document_call;

lb_collection *lb_check_collection(lua_State *L, const char *op) {
  lb_collection *collection = lb_check_self(L, LB_COLLECTION, "a collection", op);
  lb_check_open(L, &collection->place, op);
  return collection;
}

static document_call begin_call(lb_collection *collection) {
  return (document_call){.store = collection->place.store, .collection = &collection->collection};
}

static ld_slice id_of(const document_call *call) { return ld_buf_slice(&call->store->key); }

void lb_encode_id(lua_State *L, int index, lb_store *store, const char *op) {
  int type = lua_type(L, index);
  if (type != LUA_TNUMBER && type != LUA_TSTRING)
    lb_raise(L, LD_INVALID, op, "id: expected a string or an integer, got %s",
             lua_isnone(L, index) ? "nothing" : lua_typename(L, type));
  ld_buf_reset(&store->key);
  ld_rc rc = lb_encode(L, index, &store->key, &store->error);
  if (rc == LD_OK) rc = ld_collection_check_id(ld_buf_slice(&store->key), &store->error);
  if (rc != LD_OK) lb_raise_error(L, &store->error, op);
}

uint64_t lb_option_revision(lua_State *L, int index, const char *op) {
  int64_t revision = lb_option_count(L, index, "if_rev", -1, op);
  if (revision == 0) lb_raise(L, LD_INVALID, op, "option if_rev: expected a revision, got 0");
  return revision < 0 ? 0 : (uint64_t)revision;
}

ld_rc lb_no_retry(ld_txn *txn, ld_rc rc, uint64_t if_revision) {
  if (rc == LD_CONFLICT && if_revision > 0) txn->engine->error.retry = false;
  return rc;
}

int lb_push_result(lua_State *L, lb_store *store, const char *op) {
  size_t at = 0;
  return lb_push_documents(L, &store->result, &at, 1, op);
}

/* ---- create, put ---- */

static ld_rc work_put(ld_txn *txn, void *context) {
  document_call *call = context;
  lb_store *store = call->store;
  ld_rc rc = ld_collection_put(txn, call->collection, ld_buf_slice(&store->document), call->options,
                               &store->result);
  call->as_given = store->result.size == store->document.size;
  return lb_no_retry(txn, rc, call->options.if_revision);
}

/* The document at stack index 2; given back itself where it is what was stored. */
static int put_document(lua_State *L, lb_collection *collection, document_call *call,
                        const char *op) {
  if (lua_type(L, 2) != LUA_TTABLE)
    return lb_raise(L, LD_INVALID, op, "expected a document, a table, got %s",
                    lua_isnone(L, 2) ? "nothing" : luaL_typename(L, 2));
  ld_buf_reset(&call->store->document);
  if (lb_encode(L, 2, &call->store->document, &call->store->error) != LD_OK)
    return lb_raise_error(L, &call->store->error, op);
  lb_write(L, &collection->place, work_put, call, op);
  if (!call->as_given) return lb_push_result(L, call->store, op);
  lua_pushvalue(L, 2);
  return 1;
}

/* collection:create(document) -> what was stored, with its id */
static int create_document(lua_State *L) {
  static const char op[] = "collection:create";
  static const char *const known[] = {NULL};
  lb_collection *collection = lb_check_collection(L, op);
  document_call call = begin_call(collection);
  call.options.mode = LD_PUT_CREATE;
  lb_check_options(L, 3, known, op);
  return put_document(L, collection, &call, op);
}

/* collection:put(document, { if_rev = }) -> what was stored */
static int replace_document(lua_State *L) {
  static const char op[] = "collection:put";
  static const char *const known[] = {"if_rev", NULL};
  lb_collection *collection = lb_check_collection(L, op);
  document_call call = begin_call(collection);
  lb_check_options(L, 3, known, op);
  call.options = (ld_put_options){LD_PUT_ANY, lb_option_revision(L, 3, op)};
  return put_document(L, collection, &call, op);
}

/* ---- get, has, delete ---- */

static ld_rc work_get(ld_txn *txn, void *context) {
  document_call *call = context;
  ld_slice document;
  ld_rc rc = ld_collection_get(txn, call->collection, id_of(call), &document, &call->revision);
  if (rc != LD_OK) return rc;
  ld_buf_add(&call->store->result, document);
  return call->store->result.failed ? ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory") : rc;
}

/* collection:get(id) -> the document, its revision */
static int get_document(lua_State *L) {
  static const char op[] = "collection:get";
  lb_collection *collection = lb_check_collection(L, op);
  document_call call = begin_call(collection);
  lb_encode_id(L, 2, call.store, op);
  if (lb_read(L, &collection->place, work_get, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  lb_push_result(L, call.store, op);
  lua_pushinteger(L, (lua_Integer)call.revision);
  return 2;
}

static ld_rc work_has(ld_txn *txn, void *context) {
  document_call *call = context;
  return ld_collection_has(txn, call->collection, id_of(call));
}

static int has_document(lua_State *L) {
  static const char op[] = "collection:has";
  lb_collection *collection = lb_check_collection(L, op);
  document_call call = begin_call(collection);
  lb_encode_id(L, 2, call.store, op);
  lua_pushboolean(L, lb_read(L, &collection->place, work_has, &call, op) == LD_OK);
  return 1;
}

static ld_rc work_delete(ld_txn *txn, void *context) {
  document_call *call = context;
  uint64_t revision = call->options.if_revision;
  return lb_no_retry(txn, ld_collection_delete(txn, call->collection, id_of(call), revision),
                     revision);
}

/* collection:delete(id, { if_rev = }) -> whether it was there */
static int delete_document(lua_State *L) {
  static const char op[] = "collection:delete";
  static const char *const known[] = {"if_rev", NULL};
  lb_collection *collection = lb_check_collection(L, op);
  document_call call = begin_call(collection);
  lb_encode_id(L, 2, call.store, op);
  lb_check_options(L, 3, known, op);
  call.options.if_revision = lb_option_revision(L, 3, op);
  lua_pushboolean(L, lb_write(L, &collection->place, work_delete, &call, op) == LD_OK);
  return 1;
}

/* ---- all collections ---- */

static ld_rc add_name(void *context, ld_slice name) {
  document_call *call = context;
  ld_write_string(&call->store->result, name);
  call->count++;
  return LD_OK;
}

static ld_rc work_names(ld_txn *txn, void *context) {
  document_call *call = context;
  call->count = 0;
  ld_rc rc = ld_collections_each(txn, add_name, call);
  if (rc == LD_OK && call->store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* store:collections() -> their names, in order */
int lb_collection_names(lua_State *L) {
  static const char op[] = "store:collections";
  lb_place place = lb_check_place(L, 1, op);
  document_call call = {.store = place.store};
  lb_read(L, &place, work_names, &call, op);
  return lb_push_list(L, &place.store->result, (size_t)call.count, op);
}

static ld_rc work_drop(ld_txn *txn, void *context) {
  return ld_collection_drop(txn, ((document_call *)context)->name);
}

/* store:drop(name) -> whether there was such a collection */
int lb_collection_drop(lua_State *L) {
  static const char op[] = "store:drop";
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  document_call call = {.name = lb_check_string(L, 2, op, "name")};
  if (call.name.size > LD_PART_MAX)
    return lb_raise(L, LD_TOOBIG, op, "name: has %d bytes, the limit is %d", (int)call.name.size,
                    LD_PART_MAX);
  lua_pushboolean(L, lb_write(L, &place, work_drop, &call, op) == LD_OK);
  return 1;
}

/* ---- the box ---- */

static int clear_box(lua_State *L) {
  lb_collection *collection = luaL_checkudata(L, 1, LB_COLLECTION);
  ld_collection_clear(&collection->collection);
  return 0;
}

static int collection_tostring(lua_State *L) {
  const lb_collection *collection = luaL_checkudata(L, 1, LB_COLLECTION);
  ld_quoted quoted;
  lua_pushfstring(L, "larder.collection: %s%s",
                  ld_quote(ld_buf_slice(&collection->collection.name), quoted),
                  lb_is_open(&collection->place) ? "" : " (closed)");
  return 1;
}

static const luaL_Reg methods[] = {
    {"create", create_document},
    {"put", replace_document},
    {"get", get_document},
    {"has", has_document},
    {"delete", delete_document},
    {"update", lb_collection_update},
    {"find", lb_collection_find},
    {"first", lb_collection_first},
    {"explain", lb_collection_explain},
    {"each", lb_collection_each},
    {"count", lb_collection_count},
    {"distinct", lb_collection_distinct},
    {"update_where", lb_collection_update_where},
    {"delete_where", lb_collection_delete_where},
    {"key", lb_collection_key},
    {"indexes", lb_collection_indexes},
    {"drop_index", lb_collection_drop_index},
    {"rename_index", lb_collection_rename_index},
    {NULL, NULL},
};

/* The table of methods goes into the module, for those that are in Lua. */
void lb_open_collections(lua_State *L, int module) {
  lb_new_metatable(L, LB_COLLECTION);
  lua_pushcfunction(L, collection_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, clear_box);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, module, "collection_methods");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
