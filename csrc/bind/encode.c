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
static bool is_marked_array(lua_State *L, int index);

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

/* Go on with a map whose head is written last: its next pair comes behind the key on the stack. */
static ld_rc encode_pairs(encoder *e, int table, int key, size_t *count) {
  while (lua_next(e->L, table)) {
    ld_rc rc = encode_key(e, key);
    if (rc == LD_OK) rc = encode_value(e, key + 1);
    if (rc != LD_OK) return rc;
    lua_settop(e->L, key);
    ++*count;
  }
  return LD_OK;
}

static ld_rc encode_map(encoder *e, int table) {
  size_t opened = ld_write_open(e->out), count = 0;
  lua_pushnil(e->L);
  int key = lua_gettop(e->L);
  e->keys[e->depth - 1] = key;
  ld_rc rc = encode_pairs(e, table, key, &count);
  if (rc == LD_OK) ld_write_close(e->out, opened, LD_MAP, count);
  return rc;
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

/* A table that was begun as an array. */
typedef struct sequence {
  int table, key;     /* stack indices; the key's is the top between two steps */
  size_t start, body; /* in the output: where the head is, and what is behind it */
  size_t count;       /* elements written */
} sequence;

/* The keys are 1..length, but do not come in order. */
static ld_rc encode_elements(encoder *e, sequence *s, lua_Unsigned length) {
  lua_State *L = e->L;
  for (lua_Unsigned i = s->count + 1; i <= length; i++) {
    lua_settop(L, s->key - 1);
    lua_pushinteger(L, (lua_Integer)i);
    lua_rawgeti(L, s->table, (lua_Integer)i);
    ld_rc rc = encode_value(e, s->key + 1);
    if (rc != LD_OK) return rc;
  }
  lua_settop(L, s->key - 1);
  return LD_OK;
}

/* What was written becomes the beginning of a map. */
static void turn_into_map(ld_buf *out, const sequence *s) {
  ld_buf elements = {0};
  ld_slice rest, element;
  ld_buf_add(&elements, ld_bytes(out->data + s->body, out->size - s->body));
  if (elements.failed) out->failed = true;
  rest = ld_buf_slice(&elements);
  if (!out->failed) out->size = s->start;
  ld_write_open(out);
  for (size_t i = 1; i <= s->count && ld_value_take(&rest, &element); i++) {
    ld_write_int(out, (int64_t)i);
    ld_buf_add(out, element);
  }
  ld_buf_clear(&elements);
}

static bool is_marked_array(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, LB_ARRAY);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* Another key than the next number is on the stack. Nothing is encoded twice: that would be 2^depth times. */
static ld_rc encode_rest(encoder *e, sequence *s) {
  lua_State *L = e->L;
  lua_Unsigned length = lua_rawlen(L, s->table);
  if (has_keys_to(L, s->table, length)) return encode_elements(e, s, length);
  if (is_marked_array(L, s->table)) {
    e->depth--; /* the table itself is wrong */
    return refuse(e, "marked by larder.array, but its keys are not 1..n");
  }
  turn_into_map(e->out, s);
  lua_pushvalue(L, s->key);
  lua_rawget(L, s->table);
  ld_rc rc = encode_key(e, s->key);
  if (rc == LD_OK) rc = encode_value(e, s->key + 1);
  if (rc != LD_OK) return rc;
  lua_settop(L, s->key);
  s->count++;
  rc = encode_pairs(e, s->table, s->key, &s->count);
  if (rc == LD_OK) ld_write_close(e->out, s->start, LD_MAP, s->count);
  return rc;
}

/* An array as long as the keys come as 1, 2, ..., which they do where a table was filled in order. */
static ld_rc encode_fields(encoder *e, int table, lua_Unsigned length) {
  lua_State *L = e->L;
  if (length == 0 && !is_marked_array(L, table)) return encode_map(e, table);
  sequence s = {.table = table, .key = lua_gettop(L) + 1, .start = e->out->size};
  ld_write_array(e->out, (size_t)length);
  s.body = e->out->size;
  e->keys[e->depth - 1] = s.key;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (!lua_isinteger(L, s.key) || (size_t)lua_tointeger(L, s.key) != s.count + 1) {
      lua_settop(L, s.key);
      return encode_rest(e, &s);
    }
    ld_rc rc = encode_value(e, s.key + 1);
    if (rc != LD_OK) return rc;
    lua_settop(L, s.key);
    s.count++;
  }
  return LD_OK;
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
