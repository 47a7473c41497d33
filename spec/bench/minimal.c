/* minimal.c -- the LMDB binding that a Lua user writes first: one environment, keys and values as strings, a transaction of
** its own for each get and put. What Larder is compared with, together with lua-cjson. Lua module larder_bench_minimal.
**
**   open(path, durable) -> env     env:get(key) -> string or nil     env:put(key, value)
**   env:begin() -> txn             txn:put(key, value)               txn:commit()
**   env:each() -> next: each call gives the next key and value, then nil and ends
**   env:close()
**
** Minimal means no checks: a transaction that is dropped, a handle used after close are the caller's fault. */
#include <lauxlib.h>
#include <lmdb.h>
#include <lua.h>
#include <stdint.h>

#define ENV_NAME "larder.bench.minimal.env"
#define TXN_NAME "larder.bench.minimal.txn"
#define MAP_SIZE ((size_t)4 << 30)

typedef struct minimal_env {
  MDB_env *env;
  MDB_dbi dbi;
} minimal_env;

typedef struct minimal_txn {
  MDB_txn *txn;
  MDB_dbi dbi;
} minimal_txn;

static void check(lua_State *L, int rc) {
  if (rc != MDB_SUCCESS) luaL_error(L, "lmdb: %s", mdb_strerror(rc));
}

static minimal_env *to_env(lua_State *L) { return luaL_checkudata(L, 1, ENV_NAME); }

static MDB_val to_val(lua_State *L, int index) {
  MDB_val val;
  val.mv_data = (void *)(uintptr_t)luaL_checklstring(L, index, &val.mv_size);
  return val;
}

static void push_val(lua_State *L, const MDB_val *val) {
  lua_pushlstring(L, val->mv_data, val->mv_size);
}

static int env_close(lua_State *L) {
  minimal_env *env = to_env(L);
  if (env->env != NULL) mdb_env_close(env->env);
  env->env = NULL;
  return 0;
}

static int minimal_open(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  MDB_txn *txn;
  minimal_env *env = lua_newuserdatauv(L, sizeof *env, 0);
  *env = (minimal_env){0};
  luaL_setmetatable(L, ENV_NAME);
  check(L, mdb_env_create(&env->env));
  check(L, mdb_env_set_mapsize(env->env, MAP_SIZE));
  check(L, mdb_env_open(env->env, path, lua_toboolean(L, 2) ? 0 : MDB_NOSYNC, 0600));
  check(L, mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn));
  check(L, mdb_dbi_open(txn, NULL, 0, &env->dbi));
  mdb_txn_abort(txn);
  return 1;
}

static int env_get(lua_State *L) {
  minimal_env *env = to_env(L);
  MDB_val key = to_val(L, 2), value;
  MDB_txn *txn;
  check(L, mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn));
  int rc = mdb_get(txn, env->dbi, &key, &value);
  if (rc == MDB_SUCCESS)
    push_val(L, &value);
  else
    lua_pushnil(L);
  mdb_txn_abort(txn);
  check(L, rc == MDB_NOTFOUND ? MDB_SUCCESS : rc);
  return 1;
}

static int env_put(lua_State *L) {
  minimal_env *env = to_env(L);
  MDB_val key = to_val(L, 2), value = to_val(L, 3);
  MDB_txn *txn;
  check(L, mdb_txn_begin(env->env, NULL, 0, &txn));
  int rc = mdb_put(txn, env->dbi, &key, &value, 0);
  if (rc == MDB_SUCCESS)
    rc = mdb_txn_commit(txn);
  else
    mdb_txn_abort(txn);
  check(L, rc);
  return 0;
}

static int env_begin(lua_State *L) {
  minimal_env *env = to_env(L);
  minimal_txn *txn = lua_newuserdatauv(L, sizeof *txn, 0);
  *txn = (minimal_txn){NULL, env->dbi};
  luaL_setmetatable(L, TXN_NAME);
  check(L, mdb_txn_begin(env->env, NULL, 0, &txn->txn));
  return 1;
}

static int txn_put(lua_State *L) {
  minimal_txn *txn = luaL_checkudata(L, 1, TXN_NAME);
  MDB_val key = to_val(L, 2), value = to_val(L, 3);
  check(L, mdb_put(txn->txn, txn->dbi, &key, &value, 0));
  return 0;
}

static int txn_commit(lua_State *L) {
  minimal_txn *txn = luaL_checkudata(L, 1, TXN_NAME);
  check(L, mdb_txn_commit(txn->txn));
  return 0;
}

/* Upvalues: the transaction and its cursor, which end with the last row. */
static int each_next(lua_State *L) {
  MDB_txn *txn = lua_touserdata(L, lua_upvalueindex(1));
  MDB_cursor *cursor = lua_touserdata(L, lua_upvalueindex(2));
  MDB_val key, value;
  if (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
    push_val(L, &key);
    push_val(L, &value);
    return 2;
  }
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  return 0;
}

static int env_each(lua_State *L) {
  minimal_env *env = to_env(L);
  MDB_txn *txn;
  MDB_cursor *cursor;
  check(L, mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn));
  check(L, mdb_cursor_open(txn, env->dbi, &cursor));
  lua_pushlightuserdata(L, txn);
  lua_pushlightuserdata(L, cursor);
  lua_pushcclosure(L, each_next, 2);
  return 1;
}

static const luaL_Reg env_methods[] = {
    {"get", env_get},     {"put", env_put},    {"begin", env_begin}, {"each", env_each},
    {"close", env_close}, {"__gc", env_close}, {NULL, NULL}};

static const luaL_Reg txn_methods[] = {{"put", txn_put}, {"commit", txn_commit}, {NULL, NULL}};

static const luaL_Reg minimal_functions[] = {{"open", minimal_open}, {NULL, NULL}};

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
}

int luaopen_larder_bench_minimal(lua_State *L);

int luaopen_larder_bench_minimal(lua_State *L) {
  new_class(L, ENV_NAME, env_methods);
  new_class(L, TXN_NAME, txn_methods);
  luaL_newlib(L, minimal_functions);
  return 1;
}
