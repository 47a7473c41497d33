/* raw.c -- liblmdb with nothing around it, the limit that the benchmark measures against: loops in C over given bytes,
** and the monotonic clock. Lua module larder_bench_raw.
**
**   clock() -> seconds                     dump(path) -> {key, value, key, value, ...}, without Larder's own rows
**   open(path, durable) -> env             rows{key, value, ...} -> the same list for C
**   env:put(rows, n, per)                  n puts from the list, round and round, a commit after every `per`
**   env:get(rows, n)                       n gets, each in a read transaction that is renewed and reset
**   env:scan(n)                            n times through everything with a cursor
**   env:close()
**
** Each value that is read is touched, none is copied. */
#include <lauxlib.h>
#include <lmdb.h>
#include <lua.h>
#include <stdint.h>
#include <time.h>

#define ENV_NAME  "larder.bench.raw.env"
#define ROWS_NAME "larder.bench.raw.rows"
#define MAP_SIZE  ((size_t)4 << 30) /* address space only */
#define OWN_SPACE 0x01 /* the first key byte of the rows that Larder keeps for itself */

typedef struct raw_env {
  MDB_env *env;
  MDB_txn *reader; /* kept and renewed */
  MDB_dbi dbi;
  uint8_t seen; /* of the bytes that were read, so that no read is dropped */
} raw_env;

/* The bytes belong to the Lua strings of the list, which is the user value. */
typedef struct raw_rows {
  size_t count;
  MDB_val pairs[];
} raw_rows;

static void check(lua_State *L, int rc) {
  if (rc != MDB_SUCCESS) luaL_error(L, "lmdb: %s", mdb_strerror(rc));
}

static raw_env *to_env(lua_State *L) {
  raw_env *raw = luaL_checkudata(L, 1, ENV_NAME);
  luaL_argcheck(L, raw->env != NULL, 1, "closed");
  return raw;
}

/* ---- open, close ---- */

static void shut(raw_env *raw) {
  if (raw->reader != NULL) mdb_txn_abort(raw->reader);
  if (raw->env != NULL) mdb_env_close(raw->env);
  raw->reader = NULL;
  raw->env = NULL;
}

static int env_close(lua_State *L) {
  shut(luaL_checkudata(L, 1, ENV_NAME));
  return 0;
}

static raw_env *push_env(lua_State *L, const char *path, unsigned flags) {
  raw_env *raw = lua_newuserdatauv(L, sizeof *raw, 0);
  *raw = (raw_env){0};
  luaL_setmetatable(L, ENV_NAME);
  check(L, mdb_env_create(&raw->env));
  check(L, mdb_env_set_mapsize(raw->env, MAP_SIZE));
  check(L, mdb_env_open(raw->env, path, flags | MDB_NOTLS, 0600));
  check(L, mdb_txn_begin(raw->env, NULL, MDB_RDONLY, &raw->reader));
  check(L, mdb_dbi_open(raw->reader, NULL, 0, &raw->dbi));
  mdb_txn_reset(raw->reader);
  return raw;
}

static int raw_open(lua_State *L) {
  push_env(L, luaL_checkstring(L, 1), lua_toboolean(L, 2) ? 0 : MDB_NOSYNC);
  return 1;
}

/* ---- rows ---- */

static int raw_list(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t count = lua_rawlen(L, 1);
  luaL_argcheck(L, count >= 2 && count % 2 == 0, 1, "keys and values expected");
  raw_rows *rows = lua_newuserdatauv(L, sizeof *rows + count * sizeof *rows->pairs, 1);
  luaL_setmetatable(L, ROWS_NAME);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  rows->count = count / 2;
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    rows->pairs[i].mv_data = (void *)(uintptr_t)luaL_checklstring(L, -1, &rows->pairs[i].mv_size);
    lua_pop(L, 1);
  }
  return 1;
}

static MDB_val *row_at(raw_rows *rows, size_t i) { return &rows->pairs[2 * (i % rows->count)]; }

static void add_row(lua_State *L, const MDB_val *key, const MDB_val *value) {
  if (*(const uint8_t *)key->mv_data == OWN_SPACE) return;
  lua_Integer next = (lua_Integer)lua_rawlen(L, -1) + 1;
  lua_pushlstring(L, key->mv_data, key->mv_size);
  lua_rawseti(L, -2, next);
  lua_pushlstring(L, value->mv_data, value->mv_size);
  lua_rawseti(L, -2, next + 1);
}

static int raw_dump(lua_State *L) {
  raw_env *raw = push_env(L, luaL_checkstring(L, 1), MDB_RDONLY);
  MDB_cursor *cursor;
  MDB_val key, value;
  lua_newtable(L);
  check(L, mdb_txn_renew(raw->reader));
  check(L, mdb_cursor_open(raw->reader, raw->dbi, &cursor));
  while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) add_row(L, &key, &value);
  mdb_cursor_close(cursor);
  shut(raw);
  return 1;
}

/* ---- the loops ---- */

static int put_some(raw_env *raw, raw_rows *rows, size_t from, size_t count) {
  MDB_txn *txn;
  int rc = mdb_txn_begin(raw->env, NULL, 0, &txn);
  if (rc != MDB_SUCCESS) return rc;
  for (size_t i = from; i < from + count && rc == MDB_SUCCESS; i++)
    rc = mdb_put(txn, raw->dbi, row_at(rows, i), row_at(rows, i) + 1, 0);
  if (rc == MDB_SUCCESS) return mdb_txn_commit(txn);
  mdb_txn_abort(txn);
  return rc;
}

static int env_put(lua_State *L) {
  raw_env *raw = to_env(L);
  raw_rows *rows = luaL_checkudata(L, 2, ROWS_NAME);
  size_t n = (size_t)luaL_checkinteger(L, 3), per = (size_t)luaL_checkinteger(L, 4);
  for (size_t i = 0; i < n; i += per) check(L, put_some(raw, rows, i, per));
  return 0;
}

static int env_get(lua_State *L) {
  raw_env *raw = to_env(L);
  raw_rows *rows = luaL_checkudata(L, 2, ROWS_NAME);
  size_t n = (size_t)luaL_checkinteger(L, 3);
  for (size_t i = 0; i < n; i++) {
    MDB_val value;
    check(L, mdb_txn_renew(raw->reader));
    int rc = mdb_get(raw->reader, raw->dbi, row_at(rows, i), &value);
    if (rc == MDB_SUCCESS) raw->seen ^= *(const uint8_t *)value.mv_data;
    mdb_txn_reset(raw->reader);
    check(L, rc);
  }
  return 0;
}

static size_t scan_once(raw_env *raw, MDB_cursor *cursor) {
  MDB_val key, value;
  size_t count = 0;
  for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS; count++)
    raw->seen ^= *(const uint8_t *)value.mv_data;
  return count;
}

static int env_scan(lua_State *L) {
  raw_env *raw = to_env(L);
  size_t n = (size_t)luaL_checkinteger(L, 2), count = 0;
  for (size_t i = 0; i < n; i++) {
    MDB_cursor *cursor;
    check(L, mdb_txn_renew(raw->reader));
    int rc = mdb_cursor_open(raw->reader, raw->dbi, &cursor);
    if (rc == MDB_SUCCESS) count = scan_once(raw, cursor);
    if (rc == MDB_SUCCESS) mdb_cursor_close(cursor);
    mdb_txn_reset(raw->reader);
    check(L, rc);
  }
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

static int raw_clock(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec * 1e-9);
  return 1;
}

static const luaL_Reg env_methods[] = {{"put", env_put},    {"get", env_get},
                                       {"scan", env_scan},  {"close", env_close},
                                       {"__gc", env_close}, {NULL, NULL}};

static const luaL_Reg raw_functions[] = {
    {"open", raw_open}, {"rows", raw_list}, {"dump", raw_dump}, {"clock", raw_clock}, {NULL, NULL}};

int luaopen_larder_bench_raw(lua_State *L);

int luaopen_larder_bench_raw(lua_State *L) {
  luaL_newmetatable(L, ROWS_NAME);
  luaL_newmetatable(L, ENV_NAME);
  luaL_setfuncs(L, env_methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, raw_functions);
  return 1;
}
