/* queue_wait.c -- what waiting is made of: when to look again, who wakes whom, and the clock that waiting runs on. The loop is in Lua (lua/larder/queue.lua), for
** sleeping may yield.
**
** `commits` counts the commits of this process, by whatever store and thread, that may have given somebody a job. Who waits compares it with what it was; and where a
** function waits to be told (core.queue.on_commit), it is called after the method that committed. */
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "queue_box.h"

static atomic_ullong commits;

/* The address is the registry key of the function. */
static const char hook_key = 0;

/* ---- waking ---- */

void lb_wake(lua_State *L, lb_store *store) {
  if (!store->wakes) return;
  store->wakes = false;
  atomic_fetch_add(&commits, 1);
  if (!lua_checkstack(L, 4)) return;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &hook_key) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1); /* its error is not that of the commit */
}

void lb_queue_wrote(lua_State *L, const lb_queue *queue) {
  if (queue->place.tx != NULL) {
    queue->place.tx->wakes = true;
    return;
  }
  queue->place.store->wakes = true;
  lb_wake(L, queue->place.store);
}

/* queue.commits() -> how many there were */
static int count_commits(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)(atomic_load(&commits) & INT64_MAX));
  return 1;
}

/* queue.on_commit(function or nil) */
static int set_hook(lua_State *L) {
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &hook_key);
  return 0;
}

/* ---- looking ---- */

typedef struct due_call {
  const lb_queue *queue;
  int64_t at, now;
} due_call;

static ld_rc work_due(ld_txn *txn, void *context) {
  due_call *call = context;
  call->now = ld_now(&txn->engine->env);
  return ld_queue_due(txn, call->queue->name, &call->at);
}

bool lb_queue_is_due(lua_State *L, lb_queue *queue, const char *op) {
  due_call call = {.queue = queue};
  lb_read(L, &queue->place, work_due, &call, op);
  return call.at <= call.now;
}

/* queue.due(q) -> seconds until there may be something to claim, 0: now; nil: not before somebody writes */
static int seconds_until_due(lua_State *L) {
  static const char op[] = "queue:dequeue";
  lb_queue *queue = lb_check_queue(L, op);
  due_call call = {.queue = queue};
  lb_read(L, &queue->place, work_due, &call, op);
  if (call.at == INT64_MAX) return lb_push_nil(L);
  lua_pushnumber(L, call.at <= call.now ? 0 : ((lua_Number)call.at - (lua_Number)call.now) / 1000);
  return 1;
}

/* queue.now(q) -> ms since 1970 by the store's clock */
static int now_of(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, "queue:work");
  due_call call = {.queue = queue};
  lb_read(L, &queue->place, work_due, &call, "queue:work");
  lua_pushinteger(L, call.now);
  return 1;
}

/* queue.parts(q) -> its store or transaction, whether that is a transaction, its name */
static int parts_of(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, "queue:work");
  lua_getiuservalue(L, 1, LB_QUEUE_PLACE);
  lua_pushboolean(L, queue->place.tx != NULL);
  lua_pushlstring(L, (const char *)queue->name.data, queue->name.size);
  return 3;
}

/* queue.sleeper(q) -> the function that this queue, or else its store, was given for sleeping; or nil */
static int sleeper_of(lua_State *L) {
  lb_check_queue(L, "queue:dequeue");
  if (lua_getiuservalue(L, 1, LB_QUEUE_SLEEP) == LUA_TFUNCTION) return 1;
  lua_getiuservalue(L, 1, LB_QUEUE_PLACE);
  if (luaL_testudata(L, -1, LB_STORE) == NULL) return lb_push_nil(L);
  lua_getiuservalue(L, -1, LB_SLEEP);
  return 1;
}

/* ---- time ---- */

/* queue.monotonic() -> seconds since some time */
static int monotonic(lua_State *L) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  lua_pushnumber(L, (lua_Number)at.tv_sec + (lua_Number)at.tv_nsec / 1e9);
  return 1;
}

/* queue.sleep(seconds): the whole process; a signal ends it. */
static int sleep_here(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  if (!(seconds > 0)) return 0;
  if (seconds > 3600) seconds = 3600;
  struct timespec span = {.tv_sec = (time_t)seconds};
  span.tv_nsec = (long)((seconds - (lua_Number)span.tv_sec) * 1e9);
  nanosleep(&span, NULL);
  return 0;
}

static const luaL_Reg functions[] = {
    {"commits", count_commits},
    {"on_commit", set_hook},
    {"due", seconds_until_due},
    {"now", now_of},
    {"parts", parts_of},
    {"sleeper", sleeper_of},
    {"monotonic", monotonic},
    {"sleep", sleep_here},
    {NULL, NULL},
};

void lb_open_queue_waiting(lua_State *L) { luaL_setfuncs(L, functions, 0); }
