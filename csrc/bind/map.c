/* map.c -- store:map(name): one key at a time, and the neighbours of a key. Ranges: map_iterator.c. */
#include "../map.h"

#include <string.h>

#include "bind.h"

/* What a call hands to its work; the key is in the store's key buffer. */
typedef struct map_call {
  lb_store *store;
  ld_slice map;
  bool if_absent, done;
  int64_t by, sum;
  uint64_t count;
  ld_map_range range;
} map_call;

lb_map *lb_check_map(lua_State *L, const char *op) {
  lb_map *map = lb_check_self(L, LB_MAP, "a map", op);
  lb_check_open(L, &map->place, op);
  return map;
}

static map_call begin_call(const lb_map *map) {
  return (map_call){.store = map->place.store, .map = map->name};
}

/* A call about the key at stack index 2. */
static map_call begin_key_call(lua_State *L, const lb_map *map, const char *op) {
  lb_encode_key(L, 2, &map->place.store->key, "key", op);
  return begin_call(map);
}

static ld_slice key_of(const map_call *call) { return ld_buf_slice(&call->store->key); }

/* ---- set ---- */

static ld_rc work_set(ld_txn *txn, void *context) {
  map_call *call = context;
  return ld_map_set(txn, call->map, key_of(call), ld_buf_slice(&call->store->document),
                    call->if_absent, &call->done);
}

/* map:set(key, value, { if_absent = false }) -> whether it was set */
static int set_value(lua_State *L) {
  static const char op[] = "map:set";
  static const char *const known[] = {"if_absent", NULL};
  lb_map *map = lb_check_map(L, op);
  map_call call = begin_key_call(L, map, op);
  if (lua_isnoneornil(L, 3))
    return lb_raise(L, LD_INVALID, op,
                    "value: is nil (larder.null can be stored; delete removes a key)");
  lb_check_options(L, 4, known, op);
  call.if_absent = lb_option_bool(L, 4, "if_absent", false, op);
  ld_buf_reset(&call.store->document);
  if (lb_encode(L, 3, &call.store->document, &call.store->error) != LD_OK)
    return lb_raise_error(L, &call.store->error, op);
  lb_write(L, &map->place, work_set, &call, op);
  lua_pushboolean(L, call.done);
  return 1;
}

/* ---- get, has, delete ---- */

static ld_rc work_get(ld_txn *txn, void *context) {
  map_call *call = context;
  return ld_map_get(txn, call->map, key_of(call), &call->store->result);
}

static int get_value(lua_State *L) {
  static const char op[] = "map:get";
  lb_map *map = lb_check_map(L, op);
  map_call call = begin_key_call(L, map, op);
  if (lb_read(L, &map->place, work_get, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  size_t at = 0;
  return lb_push_documents(L, &call.store->result, &at, 1, op);
}

static ld_rc work_has(ld_txn *txn, void *context) {
  map_call *call = context;
  return ld_map_has(txn, call->map, key_of(call));
}

static int has_key(lua_State *L) {
  static const char op[] = "map:has";
  lb_map *map = lb_check_map(L, op);
  map_call call = begin_key_call(L, map, op);
  lua_pushboolean(L, lb_read(L, &map->place, work_has, &call, op) == LD_OK);
  return 1;
}

static ld_rc work_delete(ld_txn *txn, void *context) {
  map_call *call = context;
  return ld_map_delete(txn, call->map, key_of(call));
}

static int delete_key(lua_State *L) {
  static const char op[] = "map:delete";
  lb_map *map = lb_check_map(L, op);
  map_call call = begin_key_call(L, map, op);
  lua_pushboolean(L, lb_write(L, &map->place, work_delete, &call, op) == LD_OK);
  return 1;
}

/* ---- count, increment ---- */

static ld_rc work_count(ld_txn *txn, void *context) {
  map_call *call = context;
  return ld_map_count(txn, call->map, &call->count);
}

static int count_keys(lua_State *L) {
  static const char op[] = "map:count";
  lb_map *map = lb_check_map(L, op);
  map_call call = begin_call(map);
  lb_read(L, &map->place, work_count, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1;
}

static ld_rc work_increment(ld_txn *txn, void *context) {
  map_call *call = context;
  return ld_map_increment(txn, call->map, key_of(call), call->by, &call->sum);
}

/* map:increment(key, n) -> the new value */
static int increment_value(lua_State *L) {
  static const char op[] = "map:increment";
  lb_map *map = lb_check_map(L, op);
  map_call call = begin_key_call(L, map, op);
  call.by = 1;
  if (!lua_isnoneornil(L, 3)) {
    if (!lua_isinteger(L, 3))
      return lb_raise(L, LD_INVALID, op, "n: expected an integer, got %s",
                      luaL_tolstring(L, 3, NULL));
    call.by = lua_tointeger(L, 3);
  }
  lb_write(L, &map->place, work_increment, &call, op);
  lua_pushinteger(L, call.sum);
  return 1;
}

/* ---- neighbours ---- */

void lb_add_entry(ld_buf *entries, ld_slice key, ld_slice value) {
  if (!ld_map_write_key(entries, key)) entries->failed = true;
  ld_buf_add(entries, value);
}

static ld_rc take_first(void *context, ld_slice key, ld_slice value) {
  map_call *call = context;
  lb_add_entry(&call->store->result, key, value);
  return LD_NOTFOUND;
}

static ld_rc work_first(ld_txn *txn, void *context) {
  map_call *call = context;
  ld_rc rc = ld_map_each(txn, call->map, &call->range, take_first, call);
  if (rc == LD_OK && call->store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* The first key of the range, and its value; or nil. */
static int push_first(lua_State *L, const lb_map *map, map_call *call, const char *op) {
  lb_read(L, &map->place, work_first, call, op);
  size_t at = 0;
  if (call->store->result.size == 0) return lb_push_nil(L);
  return lb_push_documents(L, &call->store->result, &at, 2, op);
}

static int first_key(lua_State *L) {
  lb_map *map = lb_check_map(L, "map:first");
  map_call call = begin_call(map);
  return push_first(L, map, &call, "map:first");
}

static int last_key(lua_State *L) {
  lb_map *map = lb_check_map(L, "map:last");
  map_call call = begin_call(map);
  call.range.reverse = true;
  return push_first(L, map, &call, "map:last");
}

static int key_before(lua_State *L) {
  lb_map *map = lb_check_map(L, "map:before");
  map_call call = begin_key_call(L, map, "map:before");
  call.range = (ld_map_range){.to = key_of(&call), .to_open = true, .reverse = true};
  return push_first(L, map, &call, "map:before");
}

static int key_after(lua_State *L) {
  lb_map *map = lb_check_map(L, "map:after");
  map_call call = begin_key_call(L, map, "map:after");
  call.range = (ld_map_range){.from = key_of(&call), .from_open = true};
  return push_first(L, map, &call, "map:after");
}

/* ---- all maps ---- */

static ld_rc add_name(void *context, ld_slice name) {
  map_call *call = context;
  ld_write_string(&call->store->result, name);
  call->count++;
  return LD_OK;
}

static ld_rc work_names(ld_txn *txn, void *context) {
  map_call *call = context;
  call->count = 0;
  ld_rc rc = ld_maps_each(txn, add_name, call);
  if (rc == LD_OK && call->store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* store:maps(), tx:maps() -> the names of those that have keys */
int lb_maps(lua_State *L) {
  static const char op[] = "store:maps";
  lb_place place = lb_check_place(L, 1, op);
  map_call call = {.store = place.store};
  lb_read(L, &place, work_names, &call, op);
  return lb_push_list(L, &place.store->result, (size_t)call.count, op);
}

/* ---- the box ---- */

/* store:map(name), tx:map(name) */
int lb_map_new(lua_State *L) {
  static const char op[] = "store:map";
  static const char *const known[] = {NULL};
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  ld_slice name = lb_check_string(L, 2, op, "name");
  lb_check_options(L, 3, known, op);
  if (ld_map_check_name(name, &place.store->error) != LD_OK)
    return lb_raise_error(L, &place.store->error, op);
  lb_map *map = lua_newuserdatauv(L, sizeof *map + name.size, 1);
  map->place = place;
  map->name = ld_bytes(map + 1, name.size);
  memcpy(map + 1, name.data, name.size);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, LB_MAP);
  return 1;
}

static int map_tostring(lua_State *L) {
  const lb_map *map = luaL_checkudata(L, 1, LB_MAP);
  ld_quoted quoted;
  lua_pushfstring(L, "larder.map: %s%s", ld_quote(map->name, quoted),
                  lb_is_open(&map->place) ? "" : " (closed)");
  return 1;
}

static const luaL_Reg methods[] = {
    {"set", set_value},     {"get", get_value},      {"has", has_key},
    {"delete", delete_key}, {"count", count_keys},   {"increment", increment_value},
    {"first", first_key},   {"last", last_key},      {"before", key_before},
    {"after", key_after},   {"range", lb_map_range}, {"delete_range", lb_map_delete_range},
    {NULL, NULL},
};

void lb_open_maps(lua_State *L) {
  lb_new_metatable(L, LB_MAP);
  lua_pushcfunction(L, map_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
