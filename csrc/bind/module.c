/* module.c -- larder.core. */
#include "../engines/lmdb_engine.h"
#include "../store.h"
#include "bind.h"

__attribute__((visibility("default"))) int luaopen_larder_core(lua_State *L);

/* A list of the names of all engines. */
static void set_engines(lua_State *L, int module) {
  lua_newtable(L);
  for (lua_Integer i = 0; ld_engine_names()[i] != NULL; i++) {
    lua_pushstring(L, ld_engine_names()[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, module, "engines");
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
    {"unknown", unknown_name},
    {"fail", fail},
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
  lb_open_txs(L);
  lb_open_rooms(L);
  lb_open_rooms_iterator(L);
  lb_open_maps(L);
  lb_open_map_iterator(L);
  lb_open_collections(L, module);
  lb_open_collection_iterator(L);
  set_engines(L, module);
  lua_pushliteral(L, LD_VERSION);
  lua_setfield(L, module, "version");
  return 1;
}
