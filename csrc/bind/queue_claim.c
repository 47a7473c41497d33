/* queue_claim.c -- queue:dequeue and queue:next, and the tokens that a handle has received.
**
** A handle knows the tokens of what it has claimed, so that a bare id may stand for a job. They are in two tables: when TOKENS claims are in the younger one, it becomes
** the older, and what was in the older is forgotten. So they stay bounded, whatever a program never finishes. */
#include "queue_box.h"

enum { TOKENS = 65536 };

/* ---- jobs ---- */

int64_t lb_check_job_id(lua_State *L, int index, const char *op) {
  int type = lua_type(L, index);
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "id");
    lua_rawget(L, index);
    if (!lua_isinteger(L, -1))
      lb_raise(L, LD_INVALID, op, "expected a job, got a table without its id");
    int64_t id = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return id;
  }
  if (!lua_isinteger(L, index) || type != LUA_TNUMBER)
    lb_raise(L, LD_INVALID, op, "expected a job or its id, got %s",
             lua_isnone(L, index)  ? "nothing"
             : type == LUA_TNUMBER ? "a float"
                                   : luaL_typename(L, index));
  return lua_tointeger(L, index);
}

int lb_push_job(lua_State *L, lb_store *store, const char *op) {
  size_t at = 0;
  if (store->result.size == 0) return lb_push_nil(L);
  lb_push_documents(L, &store->result, &at, 2, op);
  lua_setfield(L, -2, "data");
  return 1;
}

int lb_push_jobs(lua_State *L, lb_store *store, size_t count, const char *op) {
  lb_push_list(L, &store->result, 2 * count, op);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    lua_rawgeti(L, -1, 2 * i - 1);
    lua_rawgeti(L, -2, 2 * i);
    lua_setfield(L, -2, "data");
    lua_rawseti(L, -2, i);
  }
  for (lua_Integer i = (lua_Integer)count + 1; i <= 2 * (lua_Integer)count; i++) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* ---- tokens ---- */

/* Keep the token of the job on top of the stack. */
static void remember(lua_State *L, lb_queue *queue) {
  if (queue->claims++ >= TOKENS) {
    queue->claims = 1;
    lua_getiuservalue(L, 1, LB_QUEUE_TOKENS);
    lua_setiuservalue(L, 1, LB_QUEUE_OLDER);
    lua_newtable(L);
    lua_setiuservalue(L, 1, LB_QUEUE_TOKENS);
  }
  lua_getiuservalue(L, 1, LB_QUEUE_TOKENS);
  lua_getfield(L, -2, "id");
  lua_getfield(L, -3, "token");
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static int64_t token_in(lua_State *L, int user_value, int64_t id) {
  lua_getiuservalue(L, 1, user_value);
  lua_rawgeti(L, -1, id);
  int64_t token = lua_tointeger(L, -1);
  lua_pop(L, 2);
  return token;
}

ld_held lb_check_held(lua_State *L, int index, const char *op) {
  ld_held held = {.id = lb_check_job_id(L, index, op)};
  if (lua_type(L, index) != LUA_TTABLE) {
    held.token = token_in(L, LB_QUEUE_TOKENS, held.id);
    if (held.token == 0) held.token = token_in(L, LB_QUEUE_OLDER, held.id);
    return held;
  }
  lua_pushliteral(L, "token");
  lua_rawget(L, index);
  if (!lua_isinteger(L, -1))
    lb_raise(L, LD_INVALID, op, "expected a job that was dequeued, got a table without its token");
  held.token = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return held;
}

static void forget_in(lua_State *L, int user_value, ld_held held) {
  if (token_in(L, user_value, held.id) != held.token) return;
  lua_getiuservalue(L, 1, user_value);
  lua_pushnil(L);
  lua_rawseti(L, -2, held.id);
  lua_pop(L, 1);
}

void lb_forget_token(lua_State *L, ld_held held) {
  forget_in(L, LB_QUEUE_TOKENS, held);
  forget_in(L, LB_QUEUE_OLDER, held);
}

/* ---- claims ---- */

/* What a call hands to its work. */
typedef struct claim_call {
  lb_queue *queue;
  ld_claim claim;
  bool as_list;
  size_t count;
  ld_held held;
  ld_verdict verdict;
} claim_call;

/* The options at `index`. */
static claim_call read_claim(lua_State *L, lb_queue *queue, int index, const char *op) {
  static const char *const known[] = {"lease", "n", NULL};
  claim_call call = {.queue = queue, .claim = {.count = 1}};
  if (lua_isnoneornil(L, index)) return call;
  lb_check_options(L, index, known, op);
  int64_t lease = lb_queue_seconds(L, index, "lease", op);
  if (lease == 0) lb_raise(L, LD_INVALID, op, "option lease: expected more than 0 seconds, got 0");
  int64_t count = lb_option_count(L, index, "n", -1, op);
  if (count == 0) lb_raise(L, LD_INVALID, op, "option n: expected a whole number from 1, got 0");
  call.as_list = count > 0;
  if (lease > 0) call.claim.lease_ms = lease;
  if (count > 0) call.claim.count = (size_t)count;
  return call;
}

static ld_rc add_job(void *context, const ld_job *job) {
  ld_job_write(job, context);
  return LD_OK;
}

static ld_rc check_memory(ld_txn *txn, const claim_call *call, ld_rc rc) {
  if (rc == LD_OK && call->queue->place.store->result.failed)
    return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

static ld_rc work_claim(ld_txn *txn, void *context) {
  claim_call *call = context;
  ld_rc rc = ld_queue_claim(txn, call->queue->name, &call->claim, add_job,
                            &call->queue->place.store->result, &call->count);
  return check_memory(txn, call, rc);
}

static ld_rc work_next(ld_txn *txn, void *context) {
  claim_call *call = context;
  ld_rc rc = ld_queue_next(txn, call->queue->name, call->held, &call->claim, &call->verdict,
                           add_job, &call->queue->place.store->result, &call->count);
  return check_memory(txn, call, rc);
}

/* The job or the list of jobs. */
static void push_claimed(lua_State *L, const claim_call *call, const char *op) {
  lb_queue *queue = call->queue;
  queue->dry = call->count == 0;
  if (!call->as_list) {
    lb_push_job(L, queue->place.store, op);
    if (!lua_isnil(L, -1)) remember(L, queue);
    return;
  }
  lb_push_jobs(L, queue->place.store, call->count, op);
  for (lua_Integer i = 1; i <= (lua_Integer)call->count; i++) {
    lua_rawgeti(L, -1, i);
    remember(L, queue);
    lua_pop(L, 1);
  }
}

/* queue:dequeue{ lease =, n = } -> a job or nil; with n a list. `wait` is lua/larder/queue.lua's. */
int lb_queue_dequeue(lua_State *L) {
  static const char op[] = "queue:dequeue";
  lb_queue *queue = lb_check_queue(L, op);
  claim_call call = read_claim(L, queue, 2, op);
  if (!queue->dry || lb_queue_is_due(L, queue, op))
    lb_write(L, &queue->place, work_claim, &call, op);
  push_claimed(L, &call, op);
  return 1;
}

/* queue:next(job, { lease =, n = }) -> what dequeue gives; true, or false and why the job was not acknowledged */
int lb_queue_next(lua_State *L) {
  static const char op[] = "queue:next";
  lb_queue *queue = lb_check_queue(L, op);
  ld_held held = lb_check_held(L, 2, op);
  claim_call call = read_claim(L, queue, 3, op);
  call.held = held;
  lb_write(L, &queue->place, work_next, &call, op);
  lb_forget_token(L, held);
  push_claimed(L, &call, op);
  int results = 1 + lb_push_verdict(L, call.verdict);
  if (call.verdict == LD_VERDICT_OK) lb_queue_wrote(L, queue);
  return results;
}
