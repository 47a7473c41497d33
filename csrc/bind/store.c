/* store.c -- the box of a store: open, close, stats, sync. */
#include "../store.h"

#include <string.h>

#include "backup.h"
#include "bind.h"
#include "verify.h"
#include "queue_box.h"
#include "cache.h"

enum { USER_LOG = 1, USER_CLOCK = 2, USER_LABEL = 3 };
enum { MOST_OPTIONS = 32 };

/* The address is the registry key of a table from the addresses of boxes to the boxes, with weak values:
** the callbacks find their functions by it. */
static const char boxes_key = 0;

/* ---- callbacks ---- */

bool lb_push_box(lua_State *L, lb_store *store) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key);
  bool found = lua_rawgetp(L, -1, store) == LUA_TUSERDATA;
  lua_remove(L, -2);
  if (!found) lua_pop(L, 1);
  return found;
}

/* Push the function that belongs to the store; false when there is none. The caller restores the top. */
static bool push_callback(lb_store *store, int user_value) {
  lua_State *L = store->L;
  if (L == NULL || !lua_checkstack(L, 8) || !lb_push_box(L, store)) return false;
  return lua_getiuservalue(L, -1, user_value) == LUA_TFUNCTION;
}

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* An error in the program's log function is nobody's: it is dropped. A coroutine in it may have used the store, and be gone. */
static void call_log(void *context, ld_level level, const char *line) {
  lb_store *store = context;
  lua_State *L = store->L;
  if (L == NULL || store->in_callback) return;
  int top = lua_gettop(L);
  if (push_callback(store, USER_LOG)) {
    store->in_callback = true;
    lua_pushstring(L, level_names[level]);
    lua_pushstring(L, line);
    lua_pcall(L, 2, 0, 0);
    store->in_callback = false;
    store->L = L;
  }
  lua_settop(L, top);
}

/* What the clock said instead of a time, for the message. */
static void note_clock(lb_store *store) {
  const char *text = lua_tostring(store->L, -1);
  ld_fail(&store->error, LD_INVALID, "the clock: expected a whole number of ms, got %s",
          text == NULL ? luaL_typename(store->L, -1) : text);
}

static int64_t call_clock(void *context) {
  lb_store *store = context;
  lua_State *L = store->L;
  int64_t now = 0;
  int whole = 0;
  if (L == NULL) return now;
  int top = lua_gettop(L);
  bool inside = store->in_callback;
  if (push_callback(store, USER_CLOCK)) {
    store->in_callback = true;
    if (lua_pcall(L, 0, 1, 0) == LUA_OK) now = lua_tointegerx(L, -1, &whole);
    store->in_callback = inside;
    store->L = L;
    if (!whole) note_clock(store);
  }
  if (!whole) store->clock_failed = true;
  lua_settop(L, top);
  return now;
}

/* ---- open ---- */

static size_t read_options(lua_State *L, int index, ld_option *options) {
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      lb_raise(L, LD_INVALID, "larder.open", "options: expected names and texts");
    if (count == MOST_OPTIONS) lb_raise(L, LD_INVALID, "larder.open", "options: too many");
    options[count].name = lua_tostring(L, -2);
    options[count++].value = lb_check_text(L, -1, "larder.open", lua_tostring(L, -2));
    lua_pop(L, 1);
  }
  return count;
}

static const ld_engine_ops *check_engine(lua_State *L, const char *name) {
  ld_error error = {0};
  const ld_engine_ops *ops = ld_engine_named(name);
  if (ops != NULL) return ops;
  ld_unknown_name("engine", name, ld_engine_names(), &error);
  lb_raise_error(L, &error, "larder.open");
  return NULL;
}

static lb_store *new_box(lua_State *L) {
  lb_store *store = lua_newuserdatauv(L, sizeof *store, LB_SLEEP);
  memset(store, 0, sizeof *store);
  luaL_setmetatable(L, LB_STORE);
  lua_getfield(L, 3, "log");
  lua_setiuservalue(L, -2, USER_LOG);
  lua_getfield(L, 3, "clock");
  lua_setiuservalue(L, -2, USER_CLOCK);
  lua_getfield(L, 3, "label");
  lua_setiuservalue(L, -2, USER_LABEL);
  lua_getfield(L, 3, "sleep");
  lua_setiuservalue(L, -2, LB_SLEEP);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, store);
  lua_pop(L, 1);
  store->L = L;
  return store;
}

static ld_env env_for(lua_State *L, lb_store *store) {
  ld_env env = ld_env_system();
  env.context = store;
  if (lua_getfield(L, 3, "log") == LUA_TFUNCTION) env.log = call_log;
  if (lua_getfield(L, 3, "clock") == LUA_TFUNCTION) env.now_ms = call_clock;
  lua_pop(L, 2);
  return env;
}

const char *lb_label(lua_State *L, int box) {
  lua_getiuservalue(L, box, USER_LABEL);
  const char *label = lua_tostring(L, -1);
  lua_pop(L, 1); /* the box keeps it alive */
  return label == NULL ? "?" : label;
}

/* core.open(engine, {option = text}, {log =, clock =, sleep =, label =}) */
static int open_store(lua_State *L) {
  ld_option options[MOST_OPTIONS];
  const ld_engine_ops *ops = check_engine(L, luaL_checkstring(L, 1));
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  size_t count = read_options(L, 2, options);
  lb_store *store = new_box(L);
  ld_env env = env_for(L, store);
  ld_rc rc = ld_store_open(ops, &env, options, count, &store->engine, &store->error);
  if (rc != LD_OK) {
    ld_log(&env, LD_LOG_DEBUG, "error: larder.open: %s (%s)", store->error.text, ld_rc_name(rc));
    return lb_raise_error(L, &store->error, "larder.open");
  }
  ld_log(&env, LD_LOG_DEBUG, "open: %s", lb_label(L, lua_gettop(L)));
  return 1;
}

/* ---- close ---- */

/* Serves close, __gc and __close: what is closed already stays so. */
static int close_store(lua_State *L) {
  lb_store *store = lb_check_self(L, LB_STORE, "a store", "store:close");
  if (store->in_callback)
    return lb_raise(L, LD_MISUSE, "store:close", "called from one of the store's own functions");
  store->L = L;
  if (store->engine != NULL) {
    ld_env env = store->engine->env;
    ld_engine *engine = store->engine;
    lb_caches_flush(store);
    lb_forget_txs(store);
    lb_forget_listeners(L, 1, store);
    store->engine = NULL;
    ld_engine_close(engine);
    ld_log(&env, LD_LOG_DEBUG, "close: %s", lb_label(L, 1));
  }
  ld_buf_clear(&store->document);
  ld_buf_clear(&store->result);
  ld_buf_clear(&store->problems);
  ld_buf_clear(&store->key);
  return 0;
}

/* ---- methods ---- */

static int sync_store(lua_State *L) {
  lb_place place = lb_check_place(L, 1, "store:sync");
  lb_check_open(L, &place, "store:sync");
  ld_rc rc = ld_sync(place.store->engine);
  if (rc != LD_OK) return lb_raise_error(L, &place.store->engine->error, "store:sync");
  return 0;
}

int lb_stats(lua_State *L) {
  ld_engine_stats stats = {0};
  lb_place place = lb_check_place(L, 1, "store:stats");
  lb_check_open(L, &place, "store:stats");
  ld_rc rc = ld_stats(place.store->engine, &stats);
  if (rc != LD_OK) return lb_raise_error(L, &place.store->engine->error, "store:stats");
  const char *engine =
      place.store->engine->ops->name; /* a finalizer may close the store from here on */
  lua_createtable(L, 0, 5);
  lua_pushstring(L, engine);
  lua_setfield(L, -2, "engine");
  lb_set_count(L, "entries", stats.entries);
  lb_set_count(L, "bytes_used", stats.bytes_used);
  if (stats.bytes_limit > 0) lb_set_count(L, "bytes_limit", stats.bytes_limit);
  lb_set_count(L, "readers", stats.readers);
  return 1;
}

static int store_tostring(lua_State *L) {
  lb_store *store = luaL_checkudata(L, 1, LB_STORE);
  lua_pushfstring(L, "larder.store: %s%s", lb_label(L, 1),
                  store->engine == NULL ? " (closed)" : "");
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
    {"on_commit", lb_on_commit},
    {"stats", lb_stats},
    {"backups", lb_backups},
    {"restore_backup", lb_restore_backup},
    {"verify", lb_verify},
    {"backup", lb_backup},
    {"sync", sync_store},
    {"close", close_store},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", close_store},
    {"__close", close_store},
    {"__tostring", store_tostring},
    {NULL, NULL},
};

void lb_open_stores(lua_State *L, int module) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &boxes_key);
  lb_new_metatable(L, LB_STORE);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1); /* for those that are in Lua */
  lua_setfield(L, module, "store_methods");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, open_store);
  lua_setfield(L, module, "open");
}
