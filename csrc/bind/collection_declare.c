/* collection_declare.c -- store:collection(name, declaration), and its indexes: declared, built, listed, renamed, dropped.
**
** On a store a new index is built in batches, each a transaction of its own, so that other writers come in between. In a transaction it is built at once, or
** not at all; in one that only reads it is left for later. */
#include <limits.h>
#include <string.h>
#include <time.h>

#include "../index_build.h"
#include "bind.h"

enum { BATCH_DOCUMENTS = 500 };

typedef struct declare_call {
  ld_collection *collection;
  lb_store *store;
  bool replace, settled;
  ld_build state;
  ld_error clash;
  ld_slice name, other; /* of indexes */
  uint64_t count;
} declare_call;

/* ---- declaring ---- */

static ld_rc work_look(ld_txn *txn, void *context) {
  declare_call *call = context;
  ld_rc rc = ld_collection_look(txn, call->collection);
  call->settled = ld_collection_is_settled(call->collection);
  return rc;
}

static ld_rc work_declare(ld_txn *txn, void *context) {
  declare_call *call = context;
  ld_rc rc = ld_collection_declare(txn, call->collection, call->replace);
  call->settled = ld_collection_is_settled(call->collection);
  return rc;
}

static ld_rc work_build(ld_txn *txn, void *context) {
  declare_call *call = context;
  ld_rc rc = ld_index_build(txn, call->collection, BATCH_DOCUMENTS, &call->state);
  call->settled = rc == LD_OK && ld_collection_is_settled(call->collection);
  if (rc == LD_OK && call->state == LD_BUILD_CLASH) call->clash = txn->engine->error;
  return rc;
}

/* All of it, in a nested transaction: a clash leaves nothing. */
static ld_rc work_all(ld_txn *txn, void *context) {
  declare_call *call = context;
  ld_txn *nested;
  ld_rc rc = ld_begin_nested(txn, &nested);
  if (rc != LD_OK) return rc;
  rc = ld_collection_declare(nested, call->collection, call->replace);
  call->state = LD_BUILD_MORE;
  while (rc == LD_OK && call->state == LD_BUILD_MORE)
    rc = ld_index_build(nested, call->collection, UINT_MAX, &call->state);
  if (rc == LD_OK && call->state == LD_BUILD_DONE) return ld_commit(nested);
  ld_error error = txn->engine->error;
  ld_rollback(nested);
  txn->engine->error = error;
  return rc == LD_OK ? LD_EXISTS : rc;
}

/* A lock that is given back and taken at once never goes to those who wait for it: they need the time to wake up. */
static void let_others_write(const lb_store *store) {
  const struct timespec pause = {.tv_nsec = 100 * 1000};
  if ((store->engine->ops->promises & LD_SHARED) != 0) nanosleep(&pause, NULL);
}

/* Another process may find a clash, and drop the index that is built here, too: then it is declared again. */
static void settle(lua_State *L, const lb_place *place, declare_call *call, const char *op) {
  do {
    lb_write(L, place, work_declare, call, op);
    call->state = LD_BUILD_MORE;
    while (!call->settled && call->state == LD_BUILD_MORE) {
      lb_write(L, place, work_build, call, op);
      let_others_write(call->store);
    }
    if (call->state == LD_BUILD_CLASH) lb_raise_error(L, &call->clash, op);
  } while (!call->settled);
}

static void declare(lua_State *L, const lb_place *place, declare_call *call, const char *op) {
  bool writes = place->tx == NULL || (!place->tx->read_only && place->tx->txn->writable);
  if (!call->replace) lb_read(L, place, work_look, call, op);
  if (call->settled || !writes) return;
  if (place->tx != NULL)
    lb_write(L, place, work_all, call, op);
  else
    settle(L, place, call, op);
}

/* ---- store:collection ---- */

/* Write the declaration that the options at 3 are; nothing when they say nothing. */
static void read_declaration(lua_State *L, lb_store *store, const char *op) {
  static const char *const known[] = {"key",      "indexes", "version", "upgrade",
                                      "validate", "replace", NULL};
  static const char *const written[] = {"key", "indexes", "version", NULL};
  lb_check_options(L, 3, known, op);
  if (lua_type(L, 3) == LUA_TTABLE)
    lua_createtable(L, 0, 3);
  else
    lua_pushnil(L);
  int table = lua_gettop(L);
  for (const char *const *name = written; lua_istable(L, table) && *name != NULL; name++) {
    lua_getfield(L, 3, *name);
    lua_setfield(L, table, *name);
  }
  ld_buf_reset(&store->document);
  if (lua_istable(L, table) && lb_encode(L, table, &store->document, &store->error) != LD_OK)
    lb_raise_error(L, &store->error, op);
}

/* store:collection(name, { key = "id", indexes = { ... }, version =, upgrade =, validate = }), tx:collection(name, ...) */
int lb_collection_new(lua_State *L) {
  static const char op[] = "store:collection";
  lb_place place = lb_check_place(L, 1, op);
  lb_store *store = place.store;
  lua_settop(L, 3);
  ld_slice name = lb_check_string(L, 2, op, "name");
  lb_collection *collection = lua_newuserdatauv(L, sizeof *collection, 2);
  memset(collection, 0, sizeof *collection);
  luaL_setmetatable(L, LB_COLLECTION);
  collection->place = place;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_insert(L, 1);
  lua_remove(L, 2); /* the box is at 1 now */
  declare_call call = {.collection = &collection->collection, .store = store};
  call.replace = lb_option_bool(L, 3, "replace", false, op);
  lb_program *program = lb_push_program(L, store, 2);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 2);
  read_declaration(L, store, op);
  lb_check_open(L, &place, op);
  if (ld_collection_init(&collection->collection, name, ld_buf_slice(&store->document),
                         &store->error) != LD_OK)
    return lb_raise_error(L, &store->error, op);
  collection->collection.program = &program->program;
  lb_check_program(L, program, &collection->collection, 3, op);
  if (collection->collection.declared.bytes.size > 0) declare(L, &place, &call, op);
  lb_declare_program(L, 4, &collection->collection, 3, op);
  lua_settop(L, 1);
  return 1;
}

/* ---- its key ---- */

static ld_rc work_key(ld_txn *txn, void *context) {
  declare_call *call = context;
  ld_rc rc = ld_collection_look(txn, call->collection);
  ld_write_string(&call->store->result, ld_collection_key(call->collection));
  if (rc == LD_OK && call->store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* collection:key() -> the field of the id */
int lb_collection_key(lua_State *L) {
  static const char op[] = "collection:key";
  lb_collection *collection = lb_check_collection(L, op);
  lb_store *store = collection->place.store;
  declare_call call = {.collection = &collection->collection, .store = store};
  lb_read(L, &collection->place, work_key, &call, op);
  return lb_push_result(L, store, op);
}

/* ---- its indexes ---- */

/* An index as the store keeps it, without its number. */
static void write_index(const ld_index *index, ld_buf *result) {
  ld_index shown = *index;
  shown.number = 0;
  ld_index_write(&shown, result);
}

static ld_rc work_indexes(ld_txn *txn, void *context) {
  declare_call *call = context;
  ld_rc rc = ld_collection_look(txn, call->collection);
  const ld_declaration *current = &call->collection->current;
  call->count = current->count;
  for (unsigned i = 0; i < current->count; i++)
    write_index(&current->indexes[i], &call->store->result);
  if (rc == LD_OK && call->store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* collection:indexes() -> { { name =, parts =, unique =, sparse =, where =, ready = }, ... } */
int lb_collection_indexes(lua_State *L) {
  static const char op[] = "collection:indexes";
  lb_collection *collection = lb_check_collection(L, op);
  lb_store *store = collection->place.store;
  declare_call call = {.collection = &collection->collection, .store = store};
  lb_read(L, &collection->place, work_indexes, &call, op);
  return lb_push_list(L, &store->result, (size_t)call.count, op);
}

static ld_rc work_drop_index(ld_txn *txn, void *context) {
  declare_call *call = context;
  return ld_collection_drop_index(txn, call->collection, call->name);
}

/* collection:drop_index(name) -> whether it was there */
int lb_collection_drop_index(lua_State *L) {
  static const char op[] = "collection:drop_index";
  lb_collection *collection = lb_check_collection(L, op);
  declare_call call = {.collection = &collection->collection};
  call.name = lb_check_string(L, 2, op, "name");
  lua_pushboolean(L, lb_write(L, &collection->place, work_drop_index, &call, op) == LD_OK);
  return 1;
}

static ld_rc work_rename_index(ld_txn *txn, void *context) {
  declare_call *call = context;
  return ld_collection_rename_index(txn, call->collection, call->name, call->other);
}

/* collection:rename_index(from, to) -> whether it was there */
int lb_collection_rename_index(lua_State *L) {
  static const char op[] = "collection:rename_index";
  lb_collection *collection = lb_check_collection(L, op);
  declare_call call = {.collection = &collection->collection};
  call.name = lb_check_string(L, 2, op, "from");
  call.other = lb_check_string(L, 3, op, "to");
  if (call.other.size == 0) return lb_raise(L, LD_INVALID, op, "to: a name is not empty");
  lua_pushboolean(L, lb_write(L, &collection->place, work_rename_index, &call, op) == LD_OK);
  return 1;
}
