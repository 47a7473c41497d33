/* json_text.c -- Lua values as JSON text and back, by way of documents (json.h says what the text is).
**
** Both buffers of a call are freed whether pushing the result fails or not. */
#include "../json.h"

#include "bind.h"
#include "terminal.h"

typedef struct json_call {
  ld_buf document, text;
  const char *op;
} json_call;

static int push_text(lua_State *L) {
  const json_call *call = lua_touserdata(L, 1);
  ld_slice text = ld_buf_slice(&call->text);
  lua_pushlstring(L, (const char *)text.data, text.size);
  return 1;
}

static int push_value(lua_State *L) {
  json_call *call = lua_touserdata(L, 1);
  size_t at = 0;
  return lb_push_documents(L, &call->document, &at, 1, call->op);
}

static int finish(lua_State *L, json_call *call, ld_rc rc, const ld_error *error,
                  lua_CFunction push) {
  int status = LUA_OK;
  if (rc == LD_OK) {
    lua_pushcfunction(L, push);
    lua_pushlightuserdata(L, call);
    status = lua_pcall(L, 1, 1, 0);
  }
  ld_buf_clear(&call->document);
  ld_buf_clear(&call->text);
  if (rc != LD_OK) return lb_raise_error(L, error, call->op);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* core.to_json(value, pretty) -> text */
static int to_json(lua_State *L) {
  json_call call = {.op = "to_json"};
  ld_error error = {0};
  luaL_checkany(L, 1);
  luaL_checkstack(L, 8, call.op);
  ld_rc rc = lb_encode(L, 1, &call.document, &error);
  if (rc == LD_OK)
    rc = ld_json_print(ld_buf_slice(&call.document), lua_toboolean(L, 2), &call.text, &error);
  return finish(L, &call, rc, &error, push_text);
}

/* core.from_json(text) -> value. Raises INVALID with line and column. */
static int from_json(lua_State *L) {
  json_call call = {.op = "from_json"};
  ld_error error = {0};
  ld_slice text = lb_check_string(L, 1, call.op, "text");
  luaL_checkstack(L, 8, call.op);
  ld_rc rc = ld_json_parse(text, &call.document, &error);
  return finish(L, &call, rc, &error, push_value);
}

void lb_open_json(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"to_json", to_json}, {"from_json", from_json}, {NULL, NULL}};
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
