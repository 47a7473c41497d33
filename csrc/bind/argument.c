/* argument.c -- checked arguments and option tables. */
#include <math.h>
#include <string.h>

#include "bind.h"

static const char *type_at(lua_State *L, int index) {
  return lua_isnone(L, index) ? "nothing" : luaL_typename(L, index);
}

ld_slice lb_check_string(lua_State *L, int index, const char *op, const char *what) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING)
    lb_raise(L, LD_INVALID, op, "%s: expected a string, got %s", what, type_at(L, index));
  const char *text = lua_tolstring(L, index, &size);
  return ld_bytes(text, size);
}

const char *lb_check_text(lua_State *L, int index, const char *op, const char *what) {
  ld_quoted quoted;
  ld_slice text = lb_check_string(L, index, op, what);
  if (strlen((const char *)text.data) != text.size)
    lb_raise(L, LD_INVALID, op, "%s: holds a NUL: %s", what, ld_quote(text, quoted));
  return (const char *)text.data;
}

static void check_option(lua_State *L, const char *const *known, const char *op) {
  ld_error error = {0};
  if (lua_type(L, -1) != LUA_TSTRING)
    lb_raise(L, LD_INVALID, op, "options: expected names as keys, got a %s", luaL_typename(L, -1));
  const char *name = lua_tostring(L, -1);
  for (const char *const *one = known; *one != NULL; one++)
    if (strcmp(name, *one) == 0) return;
  ld_unknown_name("option", name, known, &error);
  lb_raise_error(L, &error, op);
}

void lb_check_options(lua_State *L, int index, const char *const *known, const char *op) {
  if (lua_isnoneornil(L, index)) return;
  if (lua_type(L, index) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "options: expected a table, got %s", type_at(L, index));
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    check_option(L, known, op);
  }
}

/* Push the field; false, with nothing pushed, when it is absent. */
static bool push_option(lua_State *L, int index, const char *name) {
  if (lua_type(L, index) != LUA_TTABLE) return false;
  lua_pushstring(L, name);
  if (lua_rawget(L, index) != LUA_TNIL) return true;
  lua_pop(L, 1);
  return false;
}

static void bad_option(lua_State *L, const char *name, const char *expected, const char *op) {
  size_t size;
  ld_quoted quoted;
  const char *text = luaL_tolstring(L, -1, &size);
  lb_raise(L, LD_INVALID, op, "option %s: expected %s, got %s", name, expected,
           ld_quote(ld_bytes(text, size), quoted));
}

bool lb_option_bool(lua_State *L, int index, const char *name, bool otherwise, const char *op) {
  if (!push_option(L, index, name)) return otherwise;
  if (!lua_isboolean(L, -1)) bad_option(L, name, "true or false", op);
  bool truth = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return truth;
}

ld_slice lb_option_string(lua_State *L, int index, const char *name, const char *op) {
  size_t size;
  if (!push_option(L, index, name)) return LD_SLICE_NONE;
  if (lua_type(L, -1) != LUA_TSTRING) bad_option(L, name, "a string", op);
  const char *text = lua_tolstring(L, -1, &size);
  lua_pop(L, 1);
  return ld_bytes(text, size);
}

int64_t lb_option_count(lua_State *L, int index, const char *name, int64_t otherwise,
                        const char *op) {
  int whole;
  if (!push_option(L, index, name)) return otherwise;
  lua_Integer count = lua_tointegerx(L, -1, &whole);
  if (lua_type(L, -1) != LUA_TNUMBER || !whole || count < 0)
    bad_option(L, name, "a whole number from 0", op);
  lua_pop(L, 1);
  return count;
}

int64_t lb_option_seconds(lua_State *L, int index, const char *name, const char *op) {
  const double most = 9e12; /* ms stay within int64, and dates within reason */
  if (!push_option(L, index, name)) return -1;
  lua_Number seconds = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(seconds >= 0 && seconds <= most))
    bad_option(L, name, "seconds, from 0", op);
  lua_pop(L, 1);
  return (int64_t)llround(seconds * 1000);
}
