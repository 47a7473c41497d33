/* listeners.c -- store:on_commit: functions that are told what a commit has changed.
**
** A listener has a number; its function is in a table by numbers, a user value of the store's box. A commit leaves a batch of notes in the journal (../journal.h); when the call
** that committed is done, each batch goes to the listeners, in the order of their numbers, that were there when its transaction began. Meanwhile `delivering` is up: what
** a listener commits waits in the journal until all have had the batch before it. A failing listener is logged, and is nobody else's business. */
#include <string.h>

#include "bind.h"

static const char op[] = "store:on_commit";

/* ---- numbers ---- */

static const uint64_t *numbers_of(const lb_store *store, size_t *count) {
  const ld_buf *numbers = &store->listeners.numbers;
  *count = numbers->size / sizeof(uint64_t);
  return (const uint64_t *)(const void *)numbers->data;
}

/* The first listener behind `number`; 0: there is none. */
static uint64_t listener_after(const lb_store *store, uint64_t number) {
  size_t count;
  const uint64_t *numbers = numbers_of(store, &count);
  for (size_t i = 0; i < count; i++)
    if (numbers[i] > number) return numbers[i];
  return 0;
}

static void remove_number(lb_store *store, uint64_t number) {
  size_t count;
  ld_buf *bytes = &store->listeners.numbers;
  const uint64_t *numbers = numbers_of(store, &count);
  for (size_t i = 0; i < count; i++) {
    if (numbers[i] != number) continue;
    uint8_t *at = bytes->data + i * sizeof number;
    bytes->size -= sizeof number;
    memmove(at, at + sizeof number, bytes->size - i * sizeof number);
    break;
  }
  if (bytes->size == 0 && store->engine != NULL) ld_journal_listen(store->engine, 0);
}

/* ---- registering ---- */

/* What on_commit returns; its upvalues are the store's box and the number. Twice is fine. */
static int remove_listener(lua_State *L) {
  lua_Integer number = lua_tointeger(L, lua_upvalueindex(2));
  remove_number(lua_touserdata(L, lua_upvalueindex(1)), (uint64_t)number);
  if (lua_getiuservalue(L, lua_upvalueindex(1), LB_LISTENERS) == LUA_TTABLE) {
    lua_pushnil(L);
    lua_rawseti(L, -2, number);
  }
  return 0;
}

/* The table of functions of the store at stack index 1, made when there is none. */
static void push_functions(lua_State *L) {
  if (lua_getiuservalue(L, 1, LB_LISTENERS) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, LB_LISTENERS);
}

/* store:on_commit(function(changes) ... end) -> a function that ends it */
int lb_on_commit(lua_State *L) {
  lb_store *store = lb_check_self(L, LB_STORE, "a store", op);
  if (lua_type(L, 2) != LUA_TFUNCTION)
    return lb_raise(L, LD_INVALID, op, "expected a function, got %s",
                    lua_isnone(L, 2) ? "nothing" : luaL_typename(L, 2));
  lua_settop(L, 2);
  push_functions(L);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  lua_pushcclosure(L, remove_listener, 2);
  lb_check_open(L, &(lb_place){store, NULL}, op); /* from here on no finalizer runs */
  uint64_t number = ++store->listeners.last;
  if (!ld_buf_reserve(&store->listeners.numbers, sizeof number))
    return lb_raise(L, LD_NOMEM, op, "out of memory");
  lua_pushinteger(L, (lua_Integer)number);
  lua_setupvalue(L, -2, 2);
  lua_pushvalue(L, 2);
  lua_rawseti(L, 3, (lua_Integer)number);
  ld_buf_add(&store->listeners.numbers, ld_bytes(&number, sizeof number));
  ld_journal_listen(store->engine, number);
  return 1;
}

void lb_forget_listeners(lua_State *L, int index, lb_store *store) {
  lua_pushnil(L);
  lua_setiuservalue(L, index, LB_LISTENERS);
  ld_buf_clear(&store->listeners.numbers);
}

/* ---- delivering ---- */

/* Protected; gets the store's box, the batch, the number of the listener. Each has a list of its own. */
static int call_listener(lua_State *L) {
  ld_batch *batch = lua_touserdata(L, 2);
  lua_getiuservalue(L, 1, LB_LISTENERS);
  lua_rawgeti(L, -1, lua_tointeger(L, 3));
  lb_push_list(L, &batch->notes, batch->count, op);
  lua_call(L, 1, 0);
  return 0;
}

static int describe(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Log the error on the top of the stack, and take it off. */
static void log_failure(lua_State *L, lb_store *store, const ld_env *env) {
  lua_pushcfunction(L, describe);
  lua_insert(L, -2);
  bool described = lua_pcall(L, 1, 1, 0) == LUA_OK;
  store->L = L;
  ld_log(env, LD_LOG_ERROR, "on_commit: a listener failed: %s",
         described ? lua_tostring(L, -1) : "its error cannot be shown");
  lua_pop(L, 1);
}

static void deliver_batch(lua_State *L, int box, ld_batch *batch, const ld_env *env) {
  lb_store *store = lua_touserdata(L, box);
  uint64_t number = 0;
  while ((number = listener_after(store, number)) != 0 && number <= batch->listener) {
    lua_pushcfunction(L, call_listener);
    lua_pushvalue(L, box);
    lua_pushlightuserdata(L, batch);
    lua_pushinteger(L, (lua_Integer)number);
    if (lua_pcall(L, 3, 0, 0) != LUA_OK) log_failure(L, store, env);
  }
}

static void deliver_all(lua_State *L, lb_store *store) {
  ld_env env = store->engine->env; /* a listener may close the store */
  bool reached = lua_checkstack(L, 10) && lb_push_box(L, store);
  ld_batch *batch;
  while (store->engine != NULL && (batch = ld_journal_take(store->engine)) != NULL) {
    if (reached) deliver_batch(L, lua_gettop(L), batch, &env);
    ld_batch_free(batch);
  }
}

void lb_deliver(lua_State *L, lb_store *store) {
  if (store->engine->journal.first == NULL || store->listeners.delivering) return;
  int top = lua_gettop(L);
  ld_buf result = store->result;
  store->result = (ld_buf){0};
  store->listeners.delivering = true;
  deliver_all(L, store);
  store->listeners.delivering = false;
  ld_buf_clear(&store->result);
  store->result = result;
  store->L = L;
  lua_settop(L, top);
}
