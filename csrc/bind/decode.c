/* decode.c -- documents to Lua values; and larder.null, larder.array.
**
** Making values may run the garbage collector, and that a finalizer that uses the same store: so the bytes are taken away from where
** the next call would overwrite them, and given back afterwards, under a protected call.
** Tables are made in their final size. In a list, names of fields that come again are taken from the stack, so that Lua need not look them up. An empty array gets the metatable that larder.array gives, so that it is one again when it is saved. */
#include "bind.h"

/* The names of fields that were pushed last; each has its place, by its bytes, in `known` and on the stack. */
enum { KNOWN_NAMES = 32 };
typedef struct known_names {
  ld_slice known[KNOWN_NAMES]; /* borrowed from what is decoded */
  int first;                   /* stack index */
} known_names;

typedef struct decoder {
  lua_State *L;
  ld_slice rest;
  known_names *names; /* NULL: it is not worth it */
} decoder;

static bool push_value(decoder *d, int depth);

static bool push_array(decoder *d, uint32_t count, int depth) {
  lua_createtable(d->L, (int)count, 0);
  if (count == 0) luaL_setmetatable(d->L, LB_ARRAY);
  for (uint32_t i = 1; i <= count; i++) {
    if (!push_value(d, depth)) return false;
    lua_rawseti(d->L, -2, (lua_Integer)i);
  }
  return true;
}

static void push_name(decoder *d, ld_slice name) {
  unsigned place = (unsigned)(name.size * 5 + name.data[0] + name.data[name.size - 1]);
  place %= KNOWN_NAMES;
  if (ld_equal(name, d->names->known[place])) {
    lua_pushvalue(d->L, d->names->first + (int)place);
    return;
  }
  lua_pushlstring(d->L, (const char *)name.data, name.size);
  lua_copy(d->L, -1, d->names->first + (int)place);
  d->names->known[place] = name;
}

/* Names are short strings, of a head of one byte, nearly always. */
static bool push_key(decoder *d, int depth) {
  uint8_t head = d->rest.size > 0 ? d->rest.data[0] : 0;
  size_t size = head & 0x1f;
  if (d->names == NULL || (head & 0xe0) != 0xa0 || size == 0 || d->rest.size <= size)
    return push_value(d, depth);
  push_name(d, ld_bytes(d->rest.data + 1, size));
  d->rest = ld_bytes(d->rest.data + 1 + size, d->rest.size - 1 - size);
  return true;
}

static bool push_map(decoder *d, uint32_t count, int depth) {
  lua_createtable(d->L, 0, (int)count);
  for (uint32_t i = 0; i < count; i++) {
    if (!push_key(d, depth) || !push_value(d, depth)) return false;
    lua_rawset(d->L, -3);
  }
  return true;
}

static bool push_container(decoder *d, const ld_token *head, int depth) {
  if (depth == LD_DEPTH || !lua_checkstack(d->L, 4)) return false;
  return head->kind == LD_MAP ? push_map(d, head->count, depth + 1)
                              : push_array(d, head->count, depth + 1);
}

static bool push_value(decoder *d, int depth) {
  lua_State *L = d->L;
  ld_token token;
  if (!ld_value_next(&d->rest, &token)) return false;
  switch (token.kind) {
  case LD_NIL: lua_pushlightuserdata(L, NULL); return true;
  case LD_BOOL: lua_pushboolean(L, token.truth); return true;
  case LD_INT: lua_pushinteger(L, token.integer); return true;
  case LD_FLOAT: lua_pushnumber(L, token.number); return true;
  case LD_STR:
  case LD_BIN: lua_pushlstring(L, (const char *)token.bytes.data, token.bytes.size); return true;
  default: return push_container(d, &token, depth);
  }
}

static bool decode(lua_State *L, ld_slice *rest, known_names *names) {
  decoder d = {L, *rest, names};
  int top = lua_gettop(L);
  bool sound = lua_checkstack(L, 4) && push_value(&d, 0);
  *rest = d.rest;
  if (!sound) lua_settop(L, top);
  return sound;
}

bool lb_decode(lua_State *L, ld_slice *rest) { return decode(L, rest, NULL); }

typedef struct decoding {
  ld_slice rest;
  size_t count;
  bool as_list, sound;
} decoding;

static void push_list(lua_State *L, decoding *work) {
  known_names names = {.first = 1};
  luaL_checkstack(L, KNOWN_NAMES + 4, "documents");
  lua_settop(L, KNOWN_NAMES);
  lua_createtable(L, work->count < INT32_MAX ? (int)work->count : 0, 0);
  if (work->count == 0) luaL_setmetatable(L, LB_ARRAY);
  for (size_t i = 1; i <= work->count && work->sound; i++) {
    work->sound = decode(L, &work->rest, &names);
    if (work->sound) lua_rawseti(L, -2, (lua_Integer)i);
  }
  while (work->sound && work->rest.size > 0) work->sound = lb_decode(L, &work->rest);
}

static int decode_all(lua_State *L) {
  decoding *work = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (work->as_list) {
    push_list(L, work);
  } else {
    luaL_checkstack(L, (int)work->count + 4, "documents");
    for (size_t i = 0; i < work->count && work->sound; i++) work->sound = lb_decode(L, &work->rest);
  }
  return lua_gettop(L) - (work->as_list ? KNOWN_NAMES : 0);
}

static int push_decoded(lua_State *L, ld_buf *buf, size_t *at, decoding *work, const char *op) {
  ld_buf taken = *buf;
  int top = lua_gettop(L);
  work->rest = ld_bytes(taken.data + *at, taken.size - *at);
  work->sound = true;
  *buf = (ld_buf){0};
  lua_pushcfunction(L, decode_all);
  lua_pushlightuserdata(L, work);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  *at = taken.size - work->rest.size;
  if (buf->data == NULL)
    *buf = taken;
  else
    ld_buf_clear(&taken);
  if (status != LUA_OK) return lua_error(L);
  if (!work->sound) return lb_raise(L, LD_CORRUPT, op, "what was stored is no document");
  return lua_gettop(L) - top;
}

int lb_push_documents(lua_State *L, ld_buf *buf, size_t *at, size_t count, const char *op) {
  decoding work = {.count = count};
  return push_decoded(L, buf, at, &work, op);
}

int lb_push_list(lua_State *L, ld_buf *buf, size_t count, const char *op) {
  decoding work = {.count = count, .as_list = true};
  size_t at = 0;
  return push_decoded(L, buf, &at, &work, op);
}

/* larder.array{...}: marks the table, and returns it. */
static int mark_array(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  if (lua_type(L, 1) != LUA_TTABLE)
    return lb_raise(L, LD_INVALID, "larder.array", "expected a table, got a %s",
                    luaL_typename(L, 1));
  lua_settop(L, 1);
  luaL_setmetatable(L, LB_ARRAY);
  return 1;
}

void lb_open_values(lua_State *L, int module) {
  luaL_newmetatable(L, LB_ARRAY);
  lua_pop(L, 1);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, module, "null");
  lb_push_remove(L);
  lua_setfield(L, module, "remove");
  lua_pushcfunction(L, mark_array);
  lua_setfield(L, module, "array");
}
