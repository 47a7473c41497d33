/* module.c -- larder.core. */
#include "../engines/lmdb_engine.h"
#include "../store.h"
#include "queue_box.h"
#include "backup.h"
#include "bind.h"
#include "host.h"
#include "verify.h"
#include "files.h"
#include "queue_box.h"
#include "terminal.h"
#include "cache.h"

__attribute__((visibility("default"))) int luaopen_larder_core(lua_State *L);

/* A list of names, NULL-terminated, as a table. */
static void push_names(lua_State *L, const char *const *names) {
  lua_newtable(L);
  for (lua_Integer i = 0; names != NULL && names[i] != NULL; i++) {
    lua_pushstring(L, names[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/* core.options(engine) -> the names of its options; nil when there is no such engine */
static int engine_options(lua_State *L) {
  const ld_engine_ops *ops = ld_engine_named(luaL_checkstring(L, 1));
  if (ops == NULL)
    lua_pushnil(L);
  else
    push_names(L, ops->options);
  return 1;
}

/* core.unknown(what, name, known...) -> INVALID error object that names the nearest; for the Lua side */
static int unknown_name(lua_State *L) {
  enum { MOST = 64 };
  const char *known[MOST + 1];
  ld_error error = {0};
  int count = lua_gettop(L) - 3;
  if (count > MOST) count = MOST;
  for (int i = 0; i < count; i++) known[i] = luaL_checkstring(L, 4 + i);
  known[count] = NULL;
  ld_unknown_name(luaL_checkstring(L, 2), luaL_checkstring(L, 3), known, &error);
  return lb_raise_error(L, &error, luaL_checkstring(L, 1));
}

/* core.fail(op, message): raise INVALID from the Lua side */
static int fail(lua_State *L) {
  return lb_raise(L, LD_INVALID, luaL_checkstring(L, 1), "%s", luaL_checkstring(L, 2));
}

static const luaL_Reg functions[] = {
    {"options", engine_options},
    {"unknown", unknown_name},
    {"fail", fail},
    {"recover", lb_recover},
    {NULL, NULL},
};

int luaopen_larder_core(lua_State *L) {
  const char *problem = ld_lmdb_problem();
  if (problem != NULL) return luaL_error(L, "larder: %s", problem);
  luaL_newlib(L, functions);
  int module = lua_gettop(L);
  lb_open_errors(L);
  lb_open_values(L, module);
  lb_open_stores(L, module);
  lb_open_txs(L, module);
  lb_open_rooms(L);
  lb_open_rooms_iterator(L);
  lb_open_maps(L);
  lb_open_map_iterator(L);
  lb_open_queues(L, module);
  lb_open_collections(L, module);
  lb_open_collection_iterator(L);
  lb_open_collection_upgrade(L, module);
  lb_open_programs(L);
  lb_open_copies(L, module);
  lb_open_dumps(L, module);
  lb_open_loads(L, module);
  lb_open_host(L, module);
  lb_open_json(L, module);
  lb_open_terminal(L, module);
  lb_open_reports(L);
  lb_open_files(L, module);
  lb_open_backups(L, module);
  lb_open_caches(L, module);
  push_names(L, ld_engine_names());
  lua_setfield(L, module, "engines");
  lua_pushliteral(L, LD_VERSION);
  lua_setfield(L, module, "version");
  return 1;
}
