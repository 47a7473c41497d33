/* queue.c -- store:queue(name): declaring a queue, and what goes in. Out: queue_claim.c, queue_hold.c. Looking: queue_look.c. Repairing: queue_repair.c. */
#include <string.h>

#include "queue_box.h"

lb_queue *lb_check_queue(lua_State *L, const char *op) {
  lb_queue *queue = lb_check_self(L, LB_QUEUE, "a queue", op);
  lb_check_open(L, &queue->place, op);
  return queue;
}

/* ---- seconds ---- */

int64_t lb_check_seconds(lua_State *L, int index, const char *what, const char *op) {
  ld_quoted quoted;
  size_t size;
  const lua_Number most = (lua_Number)LD_QUEUE_LONGEST / 1000;
  lua_Number seconds = lua_tonumber(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || !(seconds >= 0 && seconds <= most)) {
    const char *text = luaL_tolstring(L, index, &size);
    lb_raise(L, LD_INVALID, op, "%s: expected seconds, a number from 0 to 1e11, got %s", what,
             ld_quote(ld_bytes(text, size), quoted));
  }
  int64_t ms = (int64_t)(seconds * 1000 + 0.5);
  return ms == 0 && seconds > 0 ? 1 : ms;
}

int64_t lb_queue_seconds(lua_State *L, int index, const char *name, const char *op) {
  int64_t ms = -1;
  if (lua_type(L, index) != LUA_TTABLE) return ms;
  lua_pushstring(L, name);
  if (lua_rawget(L, index) != LUA_TNIL) {
    const char *what = lua_pushfstring(L, "option %s", name);
    ms = lb_check_seconds(L, -2, what, op);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return ms;
}

/* ---- enqueue ---- */

/* What a call hands to its work. */
typedef struct enqueue_call {
  const lb_queue *queue;
  const ld_job_new *jobs;
  size_t count;
  ld_enqueued *made;
} enqueue_call;

static void encode(lua_State *L, int index, lb_store *store, ld_buf *into, const char *op) {
  if (lb_encode(L, index, into, &store->error) != LD_OK) lb_raise_error(L, &store->error, op);
}

void lb_encode_job(lua_State *L, int index, lb_store *store, ld_job_new *job, const char *op) {
  if (lua_isnoneornil(L, index))
    lb_raise(L, LD_INVALID, op, "data: is nil (larder.null can be stored)");
  ld_buf_reset(&store->document);
  ld_buf_reset(&store->key);
  encode(L, index, store, &store->document, op);
  if (!lua_isnoneornil(L, index + 1)) encode(L, index + 1, store, &store->key, op);
  *job = (ld_job_new){.data = ld_buf_slice(&store->document)};
  if (ld_job_new_read(ld_buf_slice(&store->key), false, job, &store->error) != LD_OK)
    lb_raise_error(L, &store->error, op);
}

static ld_rc work_enqueue(ld_txn *txn, void *context) {
  enqueue_call *call = context;
  return ld_queue_enqueue(txn, call->queue->name, call->jobs, call->count, call->made);
}

/* queue:enqueue(data, { run_at | delay, priority, key, within, max_attempts, timeout, tags }) -> id, created */
static int enqueue(lua_State *L) {
  static const char op[] = "queue:enqueue";
  lb_queue *queue = lb_check_queue(L, op);
  ld_job_new job;
  ld_enqueued made;
  lb_encode_job(L, 2, queue->place.store, &job, op);
  enqueue_call call = {queue, &job, 1, &made};
  lb_write(L, &queue->place, work_enqueue, &call, op);
  lua_pushinteger(L, made.id);
  lua_pushboolean(L, made.created);
  if (made.created) lb_queue_wrote(L, queue);
  return 2;
}

/* ---- enqueue_many ---- */

static void encode_part(lua_State *L, int index, lb_store *store, int number, const char *op) {
  if (lb_encode(L, index, &store->document, &store->error) == LD_OK) return;
  ld_fail_in(&store->error, "job %d: ", number);
  lb_raise_error(L, &store->error, op);
}

/* The table on top of the stack: its options as one map, its data behind it. So data may be as deep as alone. */
static void encode_entry(lua_State *L, lb_store *store, int number, const char *op) {
  ld_buf *document = &store->document;
  size_t count = 0, head = ld_write_open(document);
  int entry = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, entry); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "data") == 0) continue;
    encode_part(L, entry + 1, store, number, op);
    encode_part(L, entry + 2, store, number, op);
    count++;
  }
  ld_write_close(document, head, LD_MAP, count);
  lua_pushliteral(L, "data");
  if (lua_rawget(L, entry) == LUA_TNIL)
    lb_raise(L, LD_INVALID, op, "job %d: data: is nil (larder.null can be stored)", number);
  encode_part(L, entry + 1, store, number, op);
  lua_pop(L, 1);
}

static void encode_entries(lua_State *L, lb_store *store, lua_Unsigned count, const char *op) {
  ld_buf_reset(&store->document);
  for (lua_Unsigned i = 1; i <= count; i++) {
    if (lua_rawgeti(L, 2, (lua_Integer)i) != LUA_TTABLE)
      lb_raise(L, LD_INVALID, op, "job %d: expected a table { data = ... }, got %s", (int)i,
               luaL_typename(L, -1));
    encode_entry(L, store, (int)i, op);
    lua_pop(L, 1);
  }
}

/* The buffer does not move any more. */
static void read_entries(lua_State *L, lb_store *store, ld_job_new *jobs, size_t count,
                         const char *op) {
  ld_slice rest = ld_buf_slice(&store->document), options;
  for (size_t i = 0; i < count; i++) {
    jobs[i] = (ld_job_new){0};
    if (!ld_value_take(&rest, &options) || !ld_value_take(&rest, &jobs[i].data))
      lb_raise(L, LD_NOMEM, op, "out of memory");
    if (ld_job_new_read(options, false, &jobs[i], &store->error) == LD_OK) continue;
    ld_fail_in(&store->error, "job %zu: ", i + 1);
    lb_raise_error(L, &store->error, op);
  }
}

static lua_Unsigned check_list(lua_State *L, const char *op) {
  if (lua_type(L, 2) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "expected a list of jobs, got %s",
             lua_isnone(L, 2) ? "nothing" : luaL_typename(L, 2));
  lua_Unsigned count = lua_rawlen(L, 2), entries = 0;
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) entries++;
  if (entries != count || count > INT32_MAX / sizeof(ld_job_new))
    lb_raise(L, LD_INVALID, op, "expected a list of jobs: a table with the keys 1 to n");
  return count;
}

static int push_made(lua_State *L, const lb_queue *queue, const enqueue_call *call) {
  size_t created = 0;
  lua_createtable(L, (int)call->count, 0);
  for (size_t i = 0; i < call->count; i++) {
    created += call->made[i].created ? 1 : 0;
    lua_pushinteger(L, call->made[i].id);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_pushinteger(L, (lua_Integer)created);
  if (created > 0) lb_queue_wrote(L, queue);
  return 2;
}

/* queue:enqueue_many{ { data =, priority = ... }, ... } -> ids, how many of them are new */
static int enqueue_many(lua_State *L) {
  static const char op[] = "queue:enqueue_many";
  lb_queue *queue = lb_check_queue(L, op);
  lua_settop(L, 2);
  lua_Unsigned count = check_list(L, op);
  ld_job_new *jobs = lua_newuserdatauv(L, (count + 1) * sizeof *jobs, 0);
  ld_enqueued *made = lua_newuserdatauv(L, (count + 1) * sizeof *made, 0);
  luaL_checkstack(L, 8, "jobs");
  lb_check_open(L, &queue->place, op);
  encode_entries(L, queue->place.store, count, op);
  read_entries(L, queue->place.store, jobs, count, op);
  enqueue_call call = {queue, jobs, count, made};
  lb_write(L, &queue->place, work_enqueue, &call, op);
  return push_made(L, queue, &call);
}

/* ---- names ---- */

typedef struct names_call {
  ld_buf *names;
  size_t count;
} names_call;

static ld_rc add_name(void *context, ld_slice name) {
  names_call *call = context;
  ld_write_string(call->names, name);
  call->count++;
  return LD_OK;
}

static ld_rc work_names(ld_txn *txn, void *context) {
  names_call *call = context;
  call->count = 0;
  ld_rc rc = ld_queues_each(txn, add_name, call);
  if (rc == LD_OK && call->names->failed) rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* store:queues(), tx:queues() -> names */
int lb_queues(lua_State *L) {
  static const char op[] = "store:queues";
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  names_call call = {.names = &place.store->result};
  lb_read(L, &place, work_names, &call, op);
  return lb_push_list(L, &place.store->result, call.count, op);
}

/* ---- the box ---- */

typedef struct declare_call {
  const lb_queue *queue;
  ld_queue_options options;
  bool replace;
} declare_call;

static ld_rc work_declare(ld_txn *txn, void *context) {
  declare_call *call = context;
  return ld_queue_declare(txn, call->queue->name, &call->options, call->replace);
}

/* Take the function out of the copy of the options on top of the stack, into the box below it. */
static void take_function(lua_State *L, const char *name, int user_value) {
  if (lua_getfield(L, -1, name) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  lua_setiuservalue(L, -3, user_value);
  lua_pushnil(L);
  lua_setfield(L, -2, name);
}

static void copy_options(lua_State *L) {
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
}

/* The options at 3, for the box on top of the stack: functions belong to the handle, the rest is stored. */
static void declare(lua_State *L, lb_queue *queue, const char *op) {
  lb_store *store = queue->place.store;
  const lb_tx *tx = queue->place.tx;
  declare_call call = {.queue = queue, .replace = lb_option_bool(L, 3, "replace", false, op)};
  copy_options(L);
  take_function(L, "backoff", LB_QUEUE_BACKOFF);
  take_function(L, "sleep", LB_QUEUE_SLEEP);
  if (lua_getfield(L, -1, "sleep") != LUA_TNIL)
    lb_raise(L, LD_INVALID, op, "option sleep: expected a function, got a %s",
             luaL_typename(L, -1));
  lua_setfield(L, -2, "replace");
  lua_pushnil(L);
  bool empty = lua_next(L, -2) == 0;
  if (!empty) lua_pop(L, 2);
  lb_check_open(L, &queue->place, op);
  ld_buf_reset(&store->document);
  encode(L, lua_gettop(L), store, &store->document, op);
  lua_pop(L, 1);
  if (empty) return;
  if (ld_queue_options_read(ld_buf_slice(&store->document), &call.options, &store->error) != LD_OK)
    lb_raise_error(L, &store->error, op);
  if (tx != NULL && (tx->read_only || !tx->txn->writable))
    lb_read(L, &queue->place, work_declare, &call, op); /* fine, as long as it is the same */
  else
    lb_write(L, &queue->place, work_declare, &call, op);
}

/* store:queue(name, options), tx:queue(name, options) */
int lb_queue_new(lua_State *L) {
  static const char op[] = "store:queue";
  static const char *const known[] = {"lease", "max_attempts", "backoff", "keep_done", "keep_dead",
                                      "limit", "sleep",        "replace", NULL};
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  ld_slice name = lb_check_string(L, 2, op, "name");
  lb_check_options(L, 3, known, op);
  if (ld_queue_check_name(name, &place.store->error) != LD_OK)
    return lb_raise_error(L, &place.store->error, op);
  lua_settop(L, 3);
  lb_queue *queue = lua_newuserdatauv(L, sizeof *queue + name.size, LB_QUEUE_VALUES);
  *queue = (lb_queue){.place = place, .name = ld_bytes(queue + 1, name.size)};
  memcpy(queue + 1, name.data, name.size);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, LB_QUEUE_PLACE);
  lua_newtable(L);
  lua_setiuservalue(L, -2, LB_QUEUE_TOKENS);
  lua_newtable(L);
  lua_setiuservalue(L, -2, LB_QUEUE_OLDER);
  luaL_setmetatable(L, LB_QUEUE);
  if (!lua_isnoneornil(L, 3)) declare(L, queue, op);
  return 1;
}

static int queue_tostring(lua_State *L) {
  const lb_queue *queue = luaL_checkudata(L, 1, LB_QUEUE);
  ld_quoted quoted;
  lua_pushfstring(L, "larder.queue: %s%s", ld_quote(queue->name, quoted),
                  lb_is_open(&queue->place) ? "" : " (closed)");
  return 1;
}

static const luaL_Reg methods[] = {
    {"enqueue", enqueue},
    {"enqueue_many", enqueue_many},
    {"dequeue", lb_queue_dequeue},
    {"next", lb_queue_next},
    {"ack", lb_queue_ack},
    {"ack_many", lb_queue_ack_many},
    {"fail", lb_queue_fail},
    {"extend", lb_queue_extend},
    {"release", lb_queue_release},
    {"get", lb_queue_get},
    {"each", lb_queue_each},
    {"counts", lb_queue_counts},
    {"stats", lb_queue_stats},
    {"cancel", lb_queue_cancel},
    {"retry", lb_queue_retry},
    {"retry_all", lb_queue_retry_all},
    {"delete", lb_queue_delete},
    {"prune", lb_queue_prune},
    {"pause", lb_queue_pause},
    {"resume", lb_queue_resume},
    {"drain", lb_queue_drain},
    {"schedule", lb_queue_schedule},
    {"unschedule", lb_queue_unschedule},
    {"schedules", lb_queue_schedules},
    {NULL, NULL},
};

/* core.queue: { methods = ..., and what lua/larder/queue.lua and worker.lua are made of }. */
void lb_open_queues(lua_State *L, int module) {
  lua_newtable(L);
  lb_new_metatable(L, LB_QUEUE);
  lua_pushcfunction(L, queue_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "methods");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lb_open_queue_waiting(L);
  lb_open_termination(L);
  lua_setfield(L, module, "queue");
  lb_open_queue_iterator(L);
}
