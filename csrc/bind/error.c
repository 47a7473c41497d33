/* error.c -- error objects: tables {code, message, op, retryable} with a readable tostring. */
#include <stdio.h>

#include "bind.h"

void lb_new_metatable(lua_State *L, const char *name) {
  luaL_newmetatable(L, name);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
}

void lb_push_error_of(lua_State *L, const char *code, const char *text, const char *op,
                      bool retry) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, text);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, op);
  lua_setfield(L, -2, "op");
  lua_pushboolean(L, retry);
  lua_setfield(L, -2, "retryable");
  luaL_setmetatable(L, LB_ERROR);
}

void lb_push_error(lua_State *L, const ld_error *of, const char *op) {
  ld_error error = *of; /* a finalizer may run meanwhile, and fail too */
  lb_push_error_of(L, ld_rc_name(error.rc), error.text, op, error.retry);
}

/* The store of the handle that the method was called on; NULL when it is none, or closed. */
static lb_store *store_of_call(lua_State *L) {
  lb_store *store = luaL_testudata(L, 1, LB_STORE);
  lb_tx *tx = store == NULL ? luaL_testudata(L, 1, LB_TX) : NULL;
  lb_rooms *rooms = store == NULL && tx == NULL ? luaL_testudata(L, 1, LB_ROOMS) : NULL;
  if (rooms == NULL) rooms = lb_iterated_rooms(L);
  if (tx != NULL) store = tx->store;
  if (rooms != NULL) store = rooms->place.store;
  return store == NULL || store->engine == NULL ? NULL : store;
}

static void log_error(lua_State *L, const ld_error *error, const char *op) {
  lb_store *store = store_of_call(L);
  if (store == NULL) return;
  store->L = L;
  ld_log(&store->engine->env, LD_LOG_DEBUG, "error: %s: %s (%s)", op, error->text,
         ld_rc_name(error->rc));
}

int lb_raise_error(lua_State *L, const ld_error *error, const char *op) {
  log_error(L, error, op);
  lb_push_error(L, error, op);
  return lua_error(L);
}

int lb_raise_because(lua_State *L, const ld_error *error, const char *op) {
  log_error(L, error, op);
  lb_push_error(L, error, op);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "cause");
  return lua_error(L);
}

int lb_raise(lua_State *L, ld_rc rc, const char *op, const char *format, ...) {
  ld_error error = {0};
  char text[sizeof error.text];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  ld_fail(&error, rc, "%s", text);
  return lb_raise_error(L, &error, op);
}

/* `rooms:save: ratings.media-1[3]: ... (INVALID)` */
static int error_tostring(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) return luaL_error(L, "larder.error: not an error object");
  lua_getfield(L, 1, "op");
  lua_getfield(L, 1, "message");
  lua_getfield(L, 1, "code");
  lua_pushfstring(L, "%s: %s (%s)", luaL_optstring(L, -3, "?"), luaL_optstring(L, -2, "?"),
                  luaL_optstring(L, -1, "?"));
  return 1;
}

void lb_open_errors(lua_State *L) {
  luaL_newmetatable(L, LB_ERROR);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}
