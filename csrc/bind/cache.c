/* cache.c -- store:cache(name): its box and options, and what is done to many entries. One value: cache_value.c; fetch: lua/larder/cache.lua. */
#include "cache.h"

#include <string.h>

#include "../cache_mend.h"

/* What a call hands to its work. */
typedef struct cache_call {
  lb_cache *cache;
  ld_slice name;
  ld_cache_wanted wanted;
  ld_cache_filter filter;
  bool filtered;
  ld_cache_state state;
  ld_slice key;
  ld_buf *orphans;
  int64_t ttl_ms, left;
  uint64_t count;
} cache_call;

lb_cache *lb_check_cache(lua_State *L, const char *op) {
  lb_cache *cache = lb_check_self(L, LB_CACHE, "a cache", op);
  lb_check_open(L, &cache->place, op);
  if (cache->of != NULL) lb_check_files_open(L, cache->of, op);
  return cache;
}

ld_slice lb_check_cache_key(lua_State *L, lb_cache *cache, const char *op) {
  ld_slice key = lb_check_string(L, 2, op, "key");
  if (ld_cache_check_key(key, &cache->place.store->error) != LD_OK)
    lb_raise_error(L, &cache->place.store->error, op);
  return key;
}

/* ---- writing ---- */

void lb_cache_flush(lb_cache *cache) {
  ld_txn *txn;
  ld_engine *engine = cache->place.store->engine;
  if (cache->cache.uses.hits + cache->cache.uses.misses == 0) return;
  if (engine == NULL || cache->place.store->in_callback) return;
  if (ld_begin(engine, true, &txn) != LD_OK) return;
  if (ld_cache_flush(txn, &cache->cache) == LD_OK)
    ld_commit(txn);
  else
    ld_rollback(txn);
}

void lb_caches_flush(lb_store *store) {
  for (lb_cache *cache = store->caches; cache != NULL; cache = cache->next) lb_cache_flush(cache);
}

/* ---- work that meets damage ---- */

typedef struct guarded {
  lb_work work;
  void *context;
  bool damaged;
} guarded;

/* NOTFOUND without its text is not raised. */
static ld_rc work_guarded(ld_txn *txn, void *context) {
  guarded *guard = context;
  ld_rc rc = guard->work(txn, guard->context);
  guard->damaged = rc == LD_CORRUPT;
  return guard->damaged ? LD_NOTFOUND : rc;
}

/* False: it cannot be done now, or there is nothing left to put right. */
static bool put_right(lb_cache *cache) {
  ld_txn *txn;
  ld_engine *engine = cache->place.store->engine;
  ld_log(&engine->env, LD_LOG_WARN, "cache: %s; it is put right", engine->error.text);
  if (ld_begin(engine, true, &txn) != LD_OK) return false;
  if (ld_cache_mend_open(txn, &cache->cache) == LD_OK) return ld_commit(txn) == LD_OK;
  ld_rollback(txn);
  return false;
}

typedef ld_rc (*run_work)(lua_State *L, const lb_place *place, lb_work work, void *context,
                          const char *op);

/* The log's function may have closed the store. */
static ld_rc run_guarded(lua_State *L, lb_cache *cache, run_work run, guarded guard,
                         const char *op) {
  ld_rc rc = run(L, &cache->place, work_guarded, &guard, op);
  if (!guard.damaged) return rc;
  put_right(cache);
  lb_check_cache(L, op);
  return run(L, &cache->place, guard.work, guard.context, op);
}

ld_rc lb_cache_read(lua_State *L, lb_cache *cache, lb_work work, void *context, const char *op) {
  return run_guarded(L, cache, lb_read, (guarded){work, context, false}, op);
}

static ld_rc work_trash(ld_txn *txn, void *context) { return ld_cache_empty_trash(txn, context); }

ld_rc lb_cache_write(lua_State *L, lb_cache *cache, lb_work work, void *context, const char *op) {
  for (const lb_tx *tx = cache->place.store->txs; tx != NULL; tx = tx->next)
    if (tx->txn->writable)
      lb_raise(
          L, LD_MISUSE, op,
          "a write transaction of this store is open: caches stand outside of it, end it first");
  cache->cache.trash = false;
  ld_rc rc = run_guarded(L, cache, lb_write, (guarded){work, context, false}, op);
  if (cache->cache.trash && cache->of != NULL) {
    lb_check_open(L, &cache->place, op); /* a listener may have closed it */
    lb_check_files_open(L, cache->of, op);
    lb_write(L, &cache->place, work_trash, &cache->cache, op);
  }
  return rc;
}

/* ---- touch, delete ---- */

static ld_rc work_touch(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_touch(txn, &call->cache->cache, call->key, call->ttl_ms);
}

/* cache:touch(key, { ttl = }) -> whether it is there */
static int touch_key(lua_State *L) {
  static const char op[] = "cache:touch";
  static const char *const known[] = {"ttl", NULL};
  lb_cache *cache = lb_check_cache(L, op);
  cache_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op)};
  lb_check_options(L, 3, known, op);
  call.ttl_ms = lb_option_seconds(L, 3, "ttl", op);
  lua_pushboolean(L, lb_cache_write(L, cache, work_touch, &call, op) == LD_OK);
  return 1;
}

static ld_rc work_delete(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_delete(txn, &call->cache->cache, call->key);
}

static int delete_key(lua_State *L) {
  static const char op[] = "cache:delete";
  lb_cache *cache = lb_check_cache(L, op);
  cache_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op)};
  lua_pushboolean(L, lb_cache_write(L, cache, work_delete, &call, op) == LD_OK);
  return 1;
}

/* ---- many ---- */

static int push_count(lua_State *L, uint64_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

static ld_rc work_clear(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_clear(txn, &call->cache->cache, call->filtered ? &call->filter : NULL,
                        &call->count);
}

/* cache:clear{ type =, prefix = } -> how many */
static int clear_keys(lua_State *L) {
  static const char op[] = "cache:clear";
  static const char *const known[] = {"type", "prefix", NULL};
  lb_cache *cache = lb_check_cache(L, op);
  cache_call call = {.cache = cache};
  lb_check_options(L, 2, known, op);
  call.filter.type = lb_option_string(L, 2, "type", op);
  call.filter.prefix = lb_option_string(L, 2, "prefix", op);
  call.filtered = call.filter.type.data != NULL || call.filter.prefix.size > 0;
  lb_cache_write(L, cache, work_clear, &call, op);
  return push_count(L, call.count);
}

static ld_rc work_purge(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_purge(txn, &call->cache->cache, &call->count);
}

static int purge_expired(lua_State *L) {
  static const char op[] = "cache:purge_expired";
  cache_call call = {.cache = lb_check_cache(L, op)};
  lb_cache_write(L, call.cache, work_purge, &call, op);
  return push_count(L, call.count);
}

static ld_rc add_key(void *context, ld_slice key, const ld_cache_entry *entry) {
  cache_call *call = context;
  (void)entry;
  if (call->left-- == 0) return LD_NOTFOUND;
  ld_write_string(&call->cache->place.store->result, key);
  call->count++;
  return LD_OK;
}

static ld_rc work_keys(ld_txn *txn, void *context) {
  cache_call *call = context;
  call->count = 0;
  ld_rc rc = ld_cache_each(txn, &call->cache->cache, &call->filter, add_key, call);
  if (rc == LD_OK && call->cache->place.store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* cache:keys{ type =, prefix =, after =, limit = } -> a list, in order */
static int list_keys(lua_State *L) {
  static const char op[] = "cache:keys";
  static const char *const known[] = {"type", "prefix", "after", "limit", NULL};
  lb_cache *cache = lb_check_cache(L, op);
  cache_call call = {.cache = cache};
  lb_check_options(L, 2, known, op);
  call.filter =
      (ld_cache_filter){lb_option_string(L, 2, "type", op), lb_option_string(L, 2, "prefix", op),
                        lb_option_string(L, 2, "after", op)};
  call.left = lb_option_count(L, 2, "limit", INT64_MAX, op);
  lb_cache_read(L, cache, work_keys, &call, op);
  return lb_push_list(L, &cache->place.store->result, (size_t)call.count, op);
}

static ld_rc work_stats(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_stats(txn, &call->cache->cache, &call->state);
}

static int push_stats(lua_State *L) {
  static const char op[] = "cache:stats";
  cache_call call = {.cache = lb_check_cache(L, op)};
  lb_cache_read(L, call.cache, work_stats, &call, op);
  uint64_t max_bytes = call.cache->cache.settings.max_bytes;
  lua_createtable(L, 0, 8);
  lb_set_count(L, "entries", call.state.entries);
  lb_set_count(L, "bytes", call.state.bytes);
  lb_set_count(L, "max_bytes", max_bytes);
  lb_set_count(L, "hits", call.state.hits);
  lb_set_count(L, "misses", call.state.misses);
  lb_set_count(L, "evictions", call.state.evictions);
  lb_set_count(L, "quarantined", call.state.quarantined);
  return 1;
}

typedef struct names_call {
  ld_buf *names;
  uint64_t count;
} names_call;

static ld_rc work_names(ld_txn *txn, void *context) {
  names_call *call = context;
  return ld_caches_list(txn, call->names, &call->count);
}

/* store:caches(), tx:caches() -> names */
int lb_caches(lua_State *L) {
  static const char op[] = "store:caches";
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  names_call call = {.names = &place.store->result};
  lb_read(L, &place, work_names, &call, op);
  return lb_push_list(L, &place.store->result, (size_t)call.count, op);
}

/* ---- sweep ---- */

static ld_rc work_orphans(ld_txn *txn, void *context) {
  cache_call *call = context;
  ld_buf_reset(call->orphans);
  return ld_cache_find_orphans(txn, &call->cache->cache, call->orphans);
}

static ld_rc work_sweep(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_sweep(txn, &call->cache->cache, call->orphans, &call->count);
}

/* cache:sweep() -> how many files that belonged to nobody were deleted */
static int sweep_files(lua_State *L) {
  static const char op[] = "cache:sweep";
  lb_cache *cache = lb_check_cache(L, op);
  cache_call call = {.cache = cache, .orphans = &cache->place.store->document};
  ld_buf_reset(call.orphans);
  if (cache->of != NULL) lb_cache_read(L, cache, work_orphans, &call, op);
  lb_cache_write(L, cache, work_sweep, &call, op);
  return push_count(L, call.count);
}

/* cache:key(url, params) -> 64 hex digits */
static int make_key(lua_State *L) {
  static const char op[] = "cache:key";
  char key[LD_FILE_DIGEST];
  lb_cache *cache = lb_check_cache(L, op);
  lb_store *store = cache->place.store;
  ld_slice url = lb_check_string(L, 2, op, "url");
  ld_buf_reset(&store->document);
  if (!lua_isnoneornil(L, 3) && lb_encode(L, 3, &store->document, &store->error) != LD_OK) {
    ld_fail_in(&store->error, "params: ");
    return lb_raise_error(L, &store->error, op);
  }
  ld_cache_key(url, ld_buf_slice(&store->document), key);
  lua_pushstring(L, key);
  return 1;
}

/* ---- the box ---- */

static ld_rc work_look(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_look(txn, call->name, &call->wanted, &call->cache->cache);
}

static ld_rc work_open(ld_txn *txn, void *context) {
  cache_call *call = context;
  return ld_cache_open(txn, call->name, &call->wanted, &call->cache->cache);
}

static void read_policy(lua_State *L, ld_cache_wanted *wanted, const char *op) {
  static const char *const names[] = {"lru", "s3fifo", NULL};
  ld_error error = {0};
  ld_slice name = lb_option_string(L, 3, "policy", op);
  if (name.data == NULL) return;
  wanted->said_policy = true;
  wanted->policy = ld_equal(name, ld_text(names[LD_CACHE_S3FIFO])) ? LD_CACHE_S3FIFO : LD_CACHE_LRU;
  if (ld_equal(name, ld_text(names[wanted->policy]))) return;
  ld_unknown_name("policy", (const char *)name.data, names, &error);
  lb_raise_error(L, &error, op);
}

static ld_cache_wanted read_wanted(lua_State *L, const char *op) {
  ld_cache_wanted wanted = {0};
  int64_t max = lb_option_count(L, 3, "max_bytes", -1, op);
  int64_t large = lb_option_count(L, 3, "large", -1, op);
  if (max == 0) lb_raise(L, LD_INVALID, op, "option max_bytes: expected a whole number from 1");
  wanted.max_bytes = max > 0 ? (uint64_t)max : 0;
  wanted.ttl_ms = lb_option_seconds(L, 3, "ttl", op);
  wanted.said_large = large >= 0;
  wanted.large = large > 0 ? (uint64_t)large : wanted.said_large;
  wanted.replace = lb_option_bool(L, 3, "replace", false, op);
  read_policy(L, &wanted, op);
  return wanted;
}

/* Push the option at 3, and keep it in the box below. */
static int keep_option(lua_State *L, const char *name, int user_value) {
  int type = lua_type(L, 3) == LUA_TTABLE ? lua_getfield(L, 3, name) : LUA_TNIL;
  if (lua_type(L, 3) != LUA_TTABLE) lua_pushnil(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, user_value);
  return type;
}

static void keep_options(lua_State *L, lb_cache *cache, ld_cache_wanted *wanted, const char *op) {
  int type = keep_option(L, "files", LB_CACHE_FILES);
  cache->of = luaL_testudata(L, -1, LB_FILES);
  if (type != LUA_TNIL && cache->of == NULL)
    lb_raise(L, LD_INVALID, op, "option files: expected larder.files, got a %s",
             luaL_typename(L, -1));
  lua_pop(L, 1);
  type = keep_option(L, "sleep", LB_CACHE_SLEEP);
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    lb_raise(L, LD_INVALID, op, "option sleep: expected a function, got a %s",
             luaL_typename(L, -1));
  lua_pop(L, 1);
  wanted->has_files = cache->of != NULL;
  if (wanted->said_large && !wanted->has_files)
    lb_raise(L, LD_INVALID, op, "option large: needs the option files");
  if (cache->of == NULL) return;
  lb_check_files_open(L, cache->of, op);
  ld_files_hold(cache->of->files);
  cache->cache.files = cache->of->files;
}

static void link_box(lb_cache *cache) {
  lb_store *store = cache->place.store;
  cache->next = store->caches;
  cache->link = &store->caches;
  if (cache->next != NULL) cache->next->link = &cache->next;
  store->caches = cache;
}

static void unlink_box(lb_cache *cache) {
  if (cache->link == NULL) return;
  *cache->link = cache->next;
  if (cache->next != NULL) cache->next->link = cache->link;
  cache->link = NULL;
}

/* store:cache(name, { max_bytes =, ttl =, files =, large =, policy =, replace =, sleep = }) */
int lb_cache_new(lua_State *L) {
  static const char op[] = "store:cache";
  static const char *const known[] = {"max_bytes", "ttl",     "files", "large",
                                      "policy",    "replace", "sleep", NULL};
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  if (place.tx != NULL)
    return lb_raise(L, LD_MISUSE, op, "a cache stands outside of transactions: use the store's");
  cache_call call = {.name = lb_check_string(L, 2, op, "name")};
  lb_check_options(L, 3, known, op);
  call.wanted = read_wanted(L, op);
  lua_settop(L, 3);
  call.cache = lua_newuserdatauv(L, sizeof *call.cache, LB_CACHE_SLEEP);
  memset(call.cache, 0, sizeof *call.cache);
  call.cache->place = place;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, LB_CACHE_STORE);
  link_box(call.cache);
  luaL_setmetatable(L, LB_CACHE);
  keep_options(L, call.cache, &call.wanted, op);
  if (lb_read(L, &place, work_look, &call, op) == LD_NOTFOUND)
    lb_cache_write(L, call.cache, work_open, &call, op);
  lua_settop(L, 4);
  return 1;
}

static int clear_box(lua_State *L) {
  lb_cache *cache = luaL_checkudata(L, 1, LB_CACHE);
  lb_cache_flush(cache);
  unlink_box(cache);
  ld_cache_clear_handle(&cache->cache);
  ld_files_let_go(cache->cache.files);
  cache->cache.files = NULL;
  return 0;
}

static int cache_tostring(lua_State *L) {
  const lb_cache *cache = luaL_checkudata(L, 1, LB_CACHE);
  lua_pushfstring(L, "larder.cache: %p%s", lua_topointer(L, 1),
                  cache->place.store->engine == NULL ? " (closed)" : "");
  return 1;
}

/* core.cache_sleeper(cache) -> the function that the cache, or else its store, sleeps with; or nil */
static int push_sleeper(lua_State *L) {
  lb_check_cache(L, "cache:fetch");
  if (lua_getiuservalue(L, 1, LB_CACHE_SLEEP) == LUA_TFUNCTION) return 1;
  lua_getiuservalue(L, 1, LB_CACHE_STORE);
  lua_getiuservalue(L, -1, LB_SLEEP);
  return 1;
}

static const luaL_Reg methods[] = {
    {"set", lb_cache_set},  {"get", lb_cache_get},   {"touch", touch_key},
    {"delete", delete_key}, {"clear", clear_keys},   {"purge_expired", purge_expired},
    {"keys", list_keys},    {"stats", push_stats},   {"sweep", sweep_files},
    {"key", make_key},      {"info", lb_cache_info}, {NULL, NULL},
};
/* For fetch. */
static const luaL_Reg functions[] = {
    {"cache_lease", lb_cache_lease}, {"cache_release", lb_cache_release},
    {"cache_keep", lb_cache_keep},   {"cache_stale", lb_cache_stale},
    {"cache_sleeper", push_sleeper}, {NULL, NULL},
};

void lb_open_caches(lua_State *L, int module) {
  lb_new_metatable(L, LB_CACHE);
  lua_pushcfunction(L, cache_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, clear_box);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, module, "cache_methods");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
