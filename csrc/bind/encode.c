/* encode.c -- Lua values to documents, in one pass over each table.
**
** A table is an array when its keys are exactly 1..n, else a map. Both are guessed from lua_rawlen and put right when the walk
** says otherwise: an array by starting again as a map, a map by writing its head last. Metamethods are not called. */
#include <stdio.h>

#include "../patch.h"
#include "bind.h"

/* Its address is larder.remove. */
static char remove_mark;

typedef struct encoder {
  lua_State *L;
  ld_buf *out;
  ld_error *error;
  bool patch; /* larder.remove may stand in the outermost table */
  int depth;
  int keys[LD_DEPTH + 1];   /* stack indices of the keys that lead here */
  int tables[LD_DEPTH + 1]; /* and of the tables they are in */
} encoder;

static ld_rc encode_value(encoder *e, int index);

/* ---- failing ---- */

static void key_token(lua_State *L, int index, ld_token *token) {
  size_t size;
  switch (lua_type(L, index)) {
  case LUA_TSTRING: {
    const char *text = lua_tolstring(L, index, &size);
    *token = (ld_token){.kind = LD_STR, .bytes = ld_bytes(text, size)};
    return;
  }
  case LUA_TBOOLEAN: *token = (ld_token){.kind = LD_BOOL, .truth = lua_toboolean(L, index)}; return;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      *token = (ld_token){.kind = LD_INT, .integer = lua_tointeger(L, index)};
    else
      *token = (ld_token){.kind = LD_FLOAT, .number = lua_tonumber(L, index)};
    return;
  default: *token = (ld_token){.kind = LD_STR, .bytes = ld_text(luaL_typename(L, index))}; return;
  }
}

/* INVALID at the path that leads here. */
static ld_rc refuse(encoder *e, const char *what) {
  ld_buf path = {0};
  ld_token key;
  for (int i = 0; i < e->depth; i++) {
    key_token(e->L, e->keys[i], &key);
    ld_path_key(&path, &key);
    if (path.size > 300) { /* the beginning will do */
      ld_buf_add(&path, ld_text("..."));
      break;
    }
  }
  ld_fail(e->error, LD_INVALID, "%.*s%s%s", (int)path.size,
          path.data == NULL ? "" : (const char *)path.data, path.size > 0 ? ": " : "", what);
  ld_buf_clear(&path);
  return LD_INVALID;
}

static ld_rc refuse_type(encoder *e, int index, const char *as) {
  char text[80];
  snprintf(text, sizeof text, "a %s cannot be stored%s", luaL_typename(e->L, index), as);
  return refuse(e, text);
}

static ld_rc refuse_depth(encoder *e, int index) {
  const void *table = lua_topointer(e->L, index);
  bool met = false;
  for (int i = 0; i < e->depth; i++) {
    if (lua_topointer(e->L, e->tables[i]) != table) continue;
    if (met) e->depth = i; /* the path to where it is met the second time says it all */
    met = true;
  }
  return refuse(e, met ? "the table contains itself" : "nested deeper than 128 levels");
}

/* ---- tables ---- */

static ld_rc encode_key(encoder *e, int index) {
  int type = lua_type(e->L, index);
  if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN)
    return encode_value(e, index);
  return refuse_type(e, index, " as a key");
}

static ld_rc encode_map(encoder *e, int table) {
  lua_State *L = e->L;
  size_t opened = ld_write_open(e->out), count = 0;
  lua_pushnil(L);
  int key = lua_gettop(L);
  e->keys[e->depth - 1] = key;
  while (lua_next(L, table)) {
    ld_rc rc = encode_key(e, key);
    if (rc == LD_OK) rc = encode_value(e, key + 1);
    if (rc != LD_OK) return rc;
    lua_settop(L, key);
    count++;
  }
  ld_write_close(e->out, opened, LD_MAP, count);
  return LD_OK;
}

/* A table whose keys come as 1, 2, ... length, as they do where the table was filled in order. `*sequential` is false, and nothing
** is written, when they do not: the keys may still be the same ones. */
static ld_rc encode_sequence(encoder *e, int table, lua_Unsigned length, bool *sequential) {
  lua_State *L = e->L;
  size_t start = e->out->size;
  lua_Unsigned count = 0;
  lua_pushnil(L);
  int key = lua_gettop(L);
  e->keys[e->depth - 1] = key;
  ld_write_array(e->out, (size_t)length);
  while (lua_next(L, table)) {
    *sequential = lua_isinteger(L, key) && (lua_Unsigned)lua_tointeger(L, key) == count + 1;
    if (!*sequential) break;
    ld_rc rc = encode_value(e, key + 1);
    if (rc != LD_OK) return rc;
    lua_settop(L, key);
    count++;
  }
  *sequential = count == length && lua_gettop(L) < key; /* it came to the end */
  if (*sequential) return LD_OK;
  e->out->size = start;
  lua_settop(L, key - 1);
  return LD_OK;
}

static bool has_keys_to(lua_State *L, int table, lua_Unsigned length) {
  lua_Unsigned count = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    bool inside = lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1 < length;
    if (!inside) {
      lua_pop(L, 1);
      return false;
    }
    count++;
  }
  return count == length;
}

/* The keys are 1..length, in whatever order lua_next gives them. */
static ld_rc encode_elements(encoder *e, int table, lua_Unsigned length) {
  lua_State *L = e->L;
  int key = lua_gettop(L) + 1;
  e->keys[e->depth - 1] = key;
  ld_write_array(e->out, (size_t)length);
  for (lua_Unsigned i = 1; i <= length; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_rawgeti(L, table, (lua_Integer)i);
    ld_rc rc = encode_value(e, key + 1);
    if (rc != LD_OK) return rc;
    lua_pop(L, 2);
  }
  return LD_OK;
}

static bool is_marked_array(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, LB_ARRAY);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

static ld_rc encode_fields(encoder *e, int index, lua_Unsigned length) {
  bool marked = is_marked_array(e->L, index), array = false;
  if (length == 0 && !marked) return encode_map(e, index);
  ld_rc rc = encode_sequence(e, index, length, &array);
  if (rc != LD_OK || array) return rc;
  if (has_keys_to(e->L, index, length)) return encode_elements(e, index, length);
  if (!marked) return encode_map(e, index);
  e->depth--; /* the table itself is wrong */
  return refuse(e, "marked by larder.array, but its keys are not 1..n");
}

static ld_rc encode_table(encoder *e, int index) {
  if (e->depth == LD_DEPTH) return refuse_depth(e, index);
  if (!lua_checkstack(e->L, 8)) return ld_fail(e->error, LD_NOMEM, "out of stack");
  e->tables[e->depth++] = index;
  ld_rc rc = encode_fields(e, index, lua_rawlen(e->L, index));
  if (rc == LD_OK) e->depth--; /* else the path is wanted */
  return rc;
}

/* ---- values ---- */

/* null and remove. */
static ld_rc encode_light(encoder *e, int index) {
  const void *address = lua_touserdata(e->L, index);
  if (address == NULL)
    ld_write_nil(e->out);
  else if (address != &remove_mark)
    return refuse_type(e, index, "");
  else if (e->patch && e->depth == 1)
    ld_buf_add(e->out, LD_PATCH_REMOVE);
  else
    return refuse(e, "larder.remove can only be the value of a field in a patch");
  return LD_OK;
}

static ld_rc encode_value(encoder *e, int index) {
  size_t size;
  const char *text;
  switch (lua_type(e->L, index)) {
  case LUA_TSTRING:
    text = lua_tolstring(e->L, index, &size);
    ld_write_string(e->out, ld_bytes(text, size));
    return LD_OK;
  case LUA_TNUMBER:
    if (lua_isinteger(e->L, index))
      ld_write_int(e->out, lua_tointeger(e->L, index));
    else
      ld_write_float(e->out, lua_tonumber(e->L, index));
    return LD_OK;
  case LUA_TBOOLEAN: ld_write_bool(e->out, lua_toboolean(e->L, index)); return LD_OK;
  case LUA_TTABLE: return encode_table(e, index);
  case LUA_TLIGHTUSERDATA: return encode_light(e, index);
  default: break;
  }
  return refuse_type(e, index, "");
}

static ld_rc encode(encoder *e, int index) {
  int top = lua_gettop(e->L);
  size_t size = e->out->size;
  ld_rc rc = encode_value(e, lua_absindex(e->L, index));
  if (rc == LD_OK && e->out->failed) rc = ld_fail(e->error, LD_NOMEM, "out of memory");
  if (rc != LD_OK) e->out->size = size;
  lua_settop(e->L, top);
  return rc;
}

ld_rc lb_encode(lua_State *L, int index, ld_buf *document, ld_error *error) {
  encoder e = {.L = L, .out = document, .error = error};
  return encode(&e, index);
}

ld_rc lb_encode_patch(lua_State *L, int index, ld_buf *patch, ld_error *error) {
  encoder e = {.L = L, .out = patch, .error = error, .patch = true};
  return encode(&e, index);
}

void lb_push_remove(lua_State *L) { lua_pushlightuserdata(L, &remove_mark); }
