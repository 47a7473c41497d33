/* program.c -- the box of a program: declaring the functions of a program, and calling them in the middle of a layer's work.
**
** All that may raise runs in a protected call, with the store marked as being in a callback, so that the function can neither use it nor end the transaction
** that it is called in. What the function raised waits as the cause until the transaction is over.
**
** A table in the registry has, for each store's box (weak): a table of its names to boxes (weak), the cause, and the boxes that have functions by their addresses. */
#include <stdio.h>
#include <stdlib.h>

#include "bind.h"

enum { USER_STEPS = 1, USER_VALIDATE = 2 }; /* of a program's box */
enum { NAMES = 1, CAUSE = 2 };              /* of a store's table; and light userdata */

static const char tables_key = 0;

static void push_weak_table(lua_State *L, const char *mode) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

/* Push the table of the store; false, and nothing, while the store is being collected. */
static bool push_table(lua_State *L, lb_store *store) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &tables_key);
  if (!lb_push_box(L, store)) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    push_weak_table(L, "v");
    lua_rawseti(L, -2, NAMES);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
  return true;
}

/* ---- calling ---- */

typedef struct question {
  lb_program *program;
  uint64_t from; /* the document's version */
  ld_slice document;
  ld_buf *upgraded;
  ld_error *error;
  ld_rc rc;
} question;

/* What the function raised is on top of the stack. */
static ld_rc raised(lua_State *L, const question *q, const char *what) {
  lb_store *store = q->program->store;
  bool yields = lb_is_yield(L);
  if (push_table(L, store)) {
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, CAUSE);
    lua_pop(L, 1);
    store->has_cause = true;
  }
  if (yields) return ld_fail(q->error, LD_MISUSE, "%s: the function must not yield", what);
  return ld_fail(q->error, LD_INVALID, "%s: %s", what, luaL_tolstring(L, -1, NULL));
}

/* Push the box of the program and the document. */
static bool push_question(lua_State *L, question *q) {
  luaL_checkstack(L, 16, NULL);
  bool found = push_table(L, q->program->store);
  if (!found || lua_rawgetp(L, -1, q->program) != LUA_TUSERDATA) {
    q->rc = ld_fail(q->error, LD_CLOSED, "the program's functions have been collected");
    return false;
  }
  lua_remove(L, -2);
  if (lb_decode(L, &(ld_slice){q->document.data, q->document.size})) return true;
  q->rc = ld_fail(q->error, LD_CORRUPT, "what was stored is no document");
  return false;
}

/* The document and the step behind it are at 3 and on top; the step leaves the document at 3. */
static ld_rc run_step(lua_State *L, const question *q, lua_Integer version) {
  char what[48];
  snprintf(what, sizeof what, "upgrade[%lld]", (long long)version);
  lua_pushvalue(L, 3);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) return raised(L, q, what);
  if (lua_isnil(L, -1))
    lua_pop(L, 1); /* it changed the one that it got */
  else if (lua_type(L, -1) != LUA_TTABLE)
    return ld_fail(q->error, LD_INVALID, "%s: must return the document, a table, got %s", what,
                   luaL_typename(L, -1));
  else
    lua_replace(L, 3);
  return LD_OK;
}

/* The steps are a list of versions, rising, each followed by its function. */
static int run_steps(lua_State *L) {
  question *q = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (!push_question(L, q)) return 0;
  lua_getiuservalue(L, 1, USER_STEPS);
  lua_insert(L, 2);
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i += 2) {
    lua_Integer version = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if ((uint64_t)version <= q->from) continue;
    lua_rawgeti(L, 2, i + 1);
    q->rc = run_step(L, q, version);
    if (q->rc != LD_OK) return 0;
  }
  q->rc = lb_encode(L, 3, q->upgraded, q->error);
  return 0;
}

/* Refused: false, or nothing and a message. */
static int run_validate(lua_State *L) {
  question *q = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (!push_question(L, q)) return 0;
  lua_getiuservalue(L, 1, USER_VALIDATE);
  lua_insert(L, 2);
  if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
    q->rc = raised(L, q, "validate");
    return 0;
  }
  bool refused = lua_isnil(L, 2) ? !lua_isnil(L, 3) : !lua_toboolean(L, 2);
  if (refused && lua_isnil(L, 3)) q->rc = ld_fail(q->error, LD_INVALID, "validate: returned false");
  if (refused && !lua_isnil(L, 3))
    q->rc = ld_fail(q->error, LD_INVALID, "validate: %s", luaL_tolstring(L, 3, NULL));
  return 0;
}

static ld_rc ask(question *q, lua_CFunction work) {
  lb_store *store = q->program->store;
  lua_State *L = store->L;
  bool inside = store->in_callback;
  if (L == NULL || !lua_checkstack(L, 8)) return ld_fail(q->error, LD_NOMEM, "out of stack");
  int top = lua_gettop(L);
  store->in_callback = true;
  lua_pushcfunction(L, work);
  lua_pushlightuserdata(L, q);
  int status = lua_pcall(L, 1, 0, 0);
  store->in_callback = inside;
  store->L = L; /* a coroutine inside may have failed to use the store */
  lua_settop(L, top);
  if (status == LUA_OK) return q->rc;
  return status == LUA_ERRMEM
             ? ld_fail(q->error, LD_NOMEM, "out of memory")
             : ld_fail(q->error, LD_INVALID, "the function raised what has no text");
}

static ld_rc call_upgrade(void *context, uint64_t from, ld_slice document, ld_buf *upgraded,
                          ld_error *error) {
  question q = {
      .program = context, .from = from, .document = document, .upgraded = upgraded, .error = error};
  return ask(&q, run_steps);
}

static ld_rc call_validate(void *context, ld_slice document, ld_error *error) {
  question q = {.program = context, .document = document, .error = error};
  return ask(&q, run_validate);
}

void lb_raise_caused(lua_State *L, lb_store *store, const ld_error *error, const char *op) {
  if (!store->has_cause) return;
  ld_error copy = *error;
  store->has_cause = false;
  if (!push_table(L, store)) return;
  lua_rawgeti(L, -1, CAUSE);
  lua_pushnil(L);
  lua_rawseti(L, -3, CAUSE);
  lb_raise_because(L, &copy, op);
}

/* ---- declaring ---- */

lb_program *lb_push_program(lua_State *L, lb_store *store, int index) {
  if (!push_table(L, store)) lb_raise(L, LD_CLOSED, "store:collection", "the store is closed");
  lua_rawgeti(L, -1, NAMES);
  lua_replace(L, -2);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    lb_program *made = lua_newuserdatauv(L, sizeof *made, 2);
    *made = (lb_program){.program = {.context = made}, .store = store};
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, -2);
  return lua_touserdata(L, -1);
}

/* A version that can be reached, and its function, are on top of the stack. */
static void check_step(lua_State *L, uint64_t version, const char *op) {
  lua_Integer key = lua_tointeger(L, -2);
  if (!lua_isinteger(L, -2) || key < 2 || (uint64_t)key > version)
    lb_raise(L, LD_INVALID, op, "option upgrade: expected versions from 2 to %lld as keys, got %s",
             (long long)version, luaL_tolstring(L, -2, NULL));
  if (lua_type(L, -1) != LUA_TFUNCTION)
    lb_raise(L, LD_INVALID, op, "option upgrade[%lld]: expected a function, got a %s",
             (long long)key, luaL_typename(L, -1));
}

static void check_steps(lua_State *L, uint64_t version, const char *op) {
  if (lua_type(L, -1) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "option upgrade: expected a table of functions, got a %s",
             luaL_typename(L, -1));
  if (version == 0) lb_raise(L, LD_INVALID, op, "option upgrade: needs the option version");
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) check_step(L, version, op);
}

static void check_version(lua_State *L, const lb_program *program, const ld_collection *collection,
                          const char *op) {
  ld_quoted name;
  uint64_t there = program->program.version, here = collection->declared.version;
  if (there > 0 && here > 0 && there != here)
    lb_raise(L, LD_INVALID, op,
             "collection %s: is declared with version = %llu, here with version = %llu",
             ld_quote(ld_buf_slice(&collection->name), name), (unsigned long long)there,
             (unsigned long long)here);
}

void lb_check_program(lua_State *L, const lb_program *program, const ld_collection *collection,
                      int options, const char *op) {
  if (lua_type(L, options) != LUA_TTABLE) return;
  if (lua_getfield(L, options, "upgrade") != LUA_TNIL)
    check_steps(L, collection->declared.version, op);
  lua_pop(L, 1);
  int type = lua_getfield(L, options, "validate");
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    lb_raise(L, LD_INVALID, op, "option validate: expected a function, got a %s",
             luaL_typename(L, -1));
  lua_pop(L, 1);
  check_version(L, program, collection, op);
}

static int compare_versions(const void *a, const void *b) {
  lua_Integer one = *(const lua_Integer *)a, other = *(const lua_Integer *)b;
  return (one > other) - (one < other);
}

/* Replace the table of functions on top of the stack by the list of the steps. */
static void sort_steps(lua_State *L) {
  lua_Integer count = 0, most = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) most++;
  lua_Integer *versions = lua_newuserdatauv(L, (size_t)most * sizeof *versions + 1, 0);
  for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1))
    if (count < most) versions[count++] = lua_tointeger(L, -2); /* it may have grown meanwhile */
  qsort(versions, (size_t)count, sizeof *versions, compare_versions);
  lua_createtable(L, (int)count * 2, 0);
  for (lua_Integer i = 0; i < count; i++) {
    lua_pushinteger(L, versions[i]);
    lua_rawseti(L, -2, 2 * i + 1);
    lua_rawgeti(L, -3, versions[i]);
    lua_rawseti(L, -2, 2 * i + 2);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void lb_declare_program(lua_State *L, int index, const ld_collection *collection, int options,
                        const char *op) {
  lb_program *program = lua_touserdata(L, index);
  if (lua_type(L, options) != LUA_TTABLE) return;
  if (!push_table(L, program->store)) lb_raise(L, LD_CLOSED, op, "the store is closed");
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, program);
  if (lua_getfield(L, options, "upgrade") != LUA_TNIL) sort_steps(L);
  lua_getfield(L, options, "validate");
  check_version(L, program, collection, op); /* a finalizer may have declared one */
  if (collection->declared.version > 0) program->program.version = collection->declared.version;
  if (!lua_isnil(L, -1)) {
    program->program.validate = call_validate;
    lua_setiuservalue(L, index, USER_VALIDATE);
  } else {
    lua_pop(L, 1);
  }
  if (!lua_isnil(L, -1)) {
    program->program.upgrade = call_upgrade;
    lua_setiuservalue(L, index, USER_STEPS);
  }
}

void lb_open_programs(lua_State *L) {
  push_weak_table(L, "k");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &tables_key);
}
