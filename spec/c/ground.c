/* ground.c -- tuples, rows and JSON for specs; part of larder_port. */
#include "../../csrc/json.h"
#include "../../csrc/row.h"
#include "../../csrc/tuple.h"
#include "port.h"

static int push_buf(lua_State *L, ld_buf *buf) {
  lua_pushlstring(L, buf->data == NULL ? "" : (const char *)buf->data, buf->size);
  ld_buf_clear(buf);
  return 1;
}

static void add_part(lua_State *L, int index, ld_buf *key) {
  size_t size;
  const char *text;
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, index, &size);
    ld_tuple_string(key, ld_bytes(text, size));
    break;
  case LUA_TBOOLEAN: ld_tuple_bool(key, lua_toboolean(L, index)); break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      ld_tuple_int(key, lua_tointeger(L, index));
    else
      ld_tuple_float(key, lua_tonumber(L, index));
    break;
  default: ld_tuple_null(key); break;
  }
}

/* tuple(part...) -> bytes; null is any light userdata */
static int ground_tuple(lua_State *L) {
  ld_buf key = {0};
  for (int i = 1; i <= lua_gettop(L); i++) add_part(L, i, &key);
  return push_buf(L, &key);
}

/* row(key, revision, payload) -> the value that is stored */
static int ground_row(lua_State *L) {
  size_t key_size, payload_size;
  const char *key = luaL_checklstring(L, 1, &key_size);
  const char *payload = luaL_checklstring(L, 3, &payload_size);
  ld_buf value = {0};
  ld_row_encode(ld_bytes(key, key_size), (uint64_t)luaL_checkinteger(L, 2),
                ld_bytes(payload, payload_size), &value);
  return push_buf(L, &value);
}

void port_add_ground(lua_State *L) {
  static const luaL_Reg functions[] = {{"tuple", ground_tuple}, {"row", ground_row}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
