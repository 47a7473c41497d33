/* key.c -- Lua keys and tuples: a string, an integer, or an array of them; an array of one is that one. */
#include <string.h>

#include "../row.h"
#include "../tuple.h"
#include "bind.h"

/* Raise that the value at `index` is no key, or no part of one. */
static int refuse(lua_State *L, int index, const char *what, const char *expected, const char *op) {
  size_t size;
  ld_quoted quoted;
  int type = lua_type(L, index);
  if (type == LUA_TNUMBER)
    return lb_raise(L, LD_INVALID, op, "%s: expected %s, got a float (%s)", what, expected,
                    luaL_tolstring(L, index, NULL));
  if (type != LUA_TSTRING)
    return lb_raise(L, LD_INVALID, op, "%s: expected %s, got %s%s", what, expected,
                    type == LUA_TNIL ? "" : "a ", lua_typename(L, type));
  const char *text = lua_tolstring(L, index, &size);
  return lb_raise(L, LD_TOOBIG, op, "%s: %s has %zu bytes, the limit is %u", what,
                  ld_quote(ld_bytes(text, size), quoted), size, LD_PART_MAX);
}

/* The value on the top of the stack; false when it is no part of a key. */
static bool add_part(lua_State *L, ld_buf *key) {
  size_t size;
  if (lua_isinteger(L, -1)) {
    ld_tuple_int(key, lua_tointeger(L, -1));
    return true;
  }
  if (lua_type(L, -1) != LUA_TSTRING) return false;
  const char *text = lua_tolstring(L, -1, &size);
  if (size > LD_PART_MAX) return false;
  ld_tuple_string(key, ld_bytes(text, size));
  return true;
}

static lua_Unsigned count_entries(lua_State *L) {
  lua_Unsigned count = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) count++;
  return count;
}

/* The table on the top of the stack. */
static void add_parts(lua_State *L, ld_buf *key, const char *what, const char *op) {
  lua_Unsigned length = lua_rawlen(L, -1), entries = count_entries(L);
  if (entries == 0) lb_raise(L, LD_INVALID, op, "%s: is an empty tuple", what);
  if (entries != length)
    lb_raise(L, LD_INVALID, op, "%s: expected an array of strings and integers without gaps", what);
  for (lua_Unsigned i = 1; i <= length; i++) {
    if (lua_rawgeti(L, -1, (lua_Integer)i) == LUA_TNIL) /* so there are other keys than 1..n */
      lb_raise(L, LD_INVALID, op, "%s: expected an array without gaps", what);
    if (!add_part(L, key)) {
      lua_pushfstring(L, "%s[%I]", what, (LUAI_UACINT)i);
      refuse(L, -2, lua_tostring(L, -1), "a string or an integer", op);
    }
    lua_pop(L, 1);
  }
}

void lb_encode_key(lua_State *L, int index, ld_buf *key, const char *what, const char *op) {
  int top = lua_gettop(L);
  ld_buf_reset(key);
  if (lua_isnone(L, index))
    lua_pushnil(L);
  else
    lua_pushvalue(L, index);
  if (lua_type(L, -1) == LUA_TTABLE)
    add_parts(L, key, what, op);
  else if (!add_part(L, key))
    refuse(L, -1, what, "a string, an integer or an array of them", op);
  lua_settop(L, top);
  if (key->failed) lb_raise(L, LD_NOMEM, op, "out of memory");
}
