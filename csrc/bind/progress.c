/* progress.c -- see progress.h. */
#include "progress.h"

void lb_progress_read(lua_State *L, int options, lb_progress *progress, const char *op) {
  *progress = (lb_progress){.L = L};
  if (lua_type(L, options) != LUA_TTABLE) return;
  lua_getfield(L, options, "progress");
  if (lua_isnil(L, -1)) return;
  if (lua_type(L, -1) != LUA_TFUNCTION)
    lb_raise(L, LD_INVALID, op, "option progress: expected a function, got a %s",
             luaL_typename(L, -1));
  luaL_checkstack(L, 8, op);
  progress->function = lua_gettop(L);
}

ld_rc lb_progress_call(void *context, uint64_t done, uint64_t total) {
  lb_progress *progress = context;
  lb_store *store = progress->store;
  lua_State *L = progress->L;
  if (progress->function == 0) return LD_OK;
  bool inside = store != NULL && store->in_callback;
  if (store != NULL) store->in_callback = true;
  lua_pushvalue(L, progress->function);
  lua_pushinteger(L, (lua_Integer)done);
  lua_pushinteger(L, (lua_Integer)total);
  progress->failed = lua_pcall(L, 2, 0, 0) != LUA_OK;
  if (store != NULL) store->in_callback = inside;
  return progress->failed ? LD_INVALID : LD_OK;
}

void lb_progress_raise(lua_State *L, const lb_progress *progress) {
  if (progress->failed) lua_error(L);
}
