/* queue_hold.c -- what the holder of a job does with it: ack, fail, extend, release. */
#include <math.h>

#include "queue_box.h"

/* What a call hands to its work. */
typedef struct hold_call {
  const lb_queue *queue;
  ld_held held;
  ld_verdict verdict;
  int64_t ms; /* release: the delay; extend: the lease, -1 for the usual one */
  int64_t lease_until;
  int64_t attempt, timeout_ms;
  ld_failure failure;
  ld_job_state state;
} hold_call;

int lb_push_verdict(lua_State *L, ld_verdict verdict) {
  lua_pushboolean(L, verdict == LD_VERDICT_OK);
  if (verdict == LD_VERDICT_OK) return 1;
  lua_pushstring(L, verdict == LD_VERDICT_LOST ? "lost" : "cancelled");
  return 2;
}

static hold_call begin_call(lua_State *L, lb_queue *queue, const char *op) {
  return (hold_call){.queue = queue, .held = lb_check_held(L, 2, op)};
}

/* The job is out of this handle's hands: push the verdict. */
static int push_end(lua_State *L, const hold_call *call) {
  lb_forget_token(L, call->held);
  return lb_push_verdict(L, call->verdict);
}

/* ---- ack ---- */

static ld_rc work_ack(ld_txn *txn, void *context) {
  hold_call *call = context;
  return ld_queue_ack(txn, call->queue->name, &call->held, 1, &call->verdict);
}

/* queue:ack(job) -> true, or false and "lost" or "cancelled" */
int lb_queue_ack(lua_State *L) {
  static const char op[] = "queue:ack";
  lb_queue *queue = lb_check_queue(L, op);
  hold_call call = begin_call(L, queue, op);
  lb_write(L, &queue->place, work_ack, &call, op);
  int results = push_end(L, &call);
  if (call.verdict == LD_VERDICT_OK) lb_queue_wrote(L, queue);
  return results;
}

typedef struct many_call {
  const lb_queue *queue;
  const ld_held *held;
  size_t count;
  ld_verdict *verdicts;
} many_call;

static ld_rc work_ack_many(ld_txn *txn, void *context) {
  many_call *call = context;
  return ld_queue_ack(txn, call->queue->name, call->held, call->count, call->verdicts);
}

/* Push how many were acknowledged, and a table from the ids of the others to why. */
static int push_verdicts(lua_State *L, const many_call *call) {
  lua_Integer acknowledged = 0;
  lua_newtable(L);
  for (size_t i = 0; i < call->count; i++) {
    lb_forget_token(L, call->held[i]);
    if (call->verdicts[i] == LD_VERDICT_OK) {
      acknowledged++;
      continue;
    }
    lua_pop(L, lb_push_verdict(L, call->verdicts[i]) - 2);
    lua_rawseti(L, -3, call->held[i].id);
    lua_pop(L, 1);
  }
  lua_pushinteger(L, acknowledged);
  lua_insert(L, -2);
  return 2;
}

/* queue:ack_many(jobs) -> how many; { [id] = "lost" } */
int lb_queue_ack_many(lua_State *L) {
  static const char op[] = "queue:ack_many";
  lb_queue *queue = lb_check_queue(L, op);
  if (lua_type(L, 2) != LUA_TTABLE)
    return lb_raise(L, LD_INVALID, op, "expected a list of jobs, got %s", luaL_typename(L, 2));
  lua_settop(L, 2);
  size_t count = (size_t)lua_rawlen(L, 2);
  if (count > INT32_MAX / sizeof(ld_held))
    return lb_raise(L, LD_INVALID, op, "expected a list of jobs");
  ld_held *held = lua_newuserdatauv(L, (count + 1) * sizeof *held, 0);
  ld_verdict *verdicts = lua_newuserdatauv(L, (count + 1) * sizeof *verdicts, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    held[i] = lb_check_held(L, lua_gettop(L), op);
    lua_pop(L, 1);
  }
  many_call call = {queue, held, count, verdicts};
  lb_write(L, &queue->place, work_ack_many, &call, op);
  int results = push_verdicts(L, &call);
  lb_queue_wrote(L, queue);
  return results;
}

/* ---- release, extend ---- */

static ld_rc work_release(ld_txn *txn, void *context) {
  hold_call *call = context;
  return ld_queue_release(txn, call->queue->name, call->held, call->ms, &call->verdict);
}

/* queue:release(job, delay) -> as ack */
int lb_queue_release(lua_State *L) {
  static const char op[] = "queue:release";
  lb_queue *queue = lb_check_queue(L, op);
  hold_call call = begin_call(L, queue, op);
  if (!lua_isnoneornil(L, 3)) call.ms = lb_check_seconds(L, 3, "delay", op);
  lb_write(L, &queue->place, work_release, &call, op);
  int results = push_end(L, &call);
  if (call.verdict == LD_VERDICT_OK) lb_queue_wrote(L, queue);
  return results;
}

static ld_rc look_at(void *context, const ld_job *job) {
  hold_call *call = context;
  call->attempt = job->attempt;
  call->timeout_ms = job->timeout_ms;
  return LD_OK;
}

/* The lease that a claim of this job has, when it says nothing. */
static ld_rc usual_lease(ld_txn *txn, hold_call *call, int64_t *ms) {
  ld_queue_options options;
  ld_rc rc = ld_queue_get(txn, call->queue->name, call->held.id, look_at, call);
  if (rc == LD_NOTFOUND) rc = LD_OK;
  if (rc == LD_OK) rc = ld_queue_options_of(txn, call->queue->name, &options);
  if (rc == LD_OK) *ms = call->timeout_ms > 0 ? call->timeout_ms : options.lease_ms;
  return rc;
}

static ld_rc work_extend(ld_txn *txn, void *context) {
  hold_call *call = context;
  int64_t ms = call->ms;
  ld_rc rc = ms < 0 ? usual_lease(txn, call, &ms) : LD_OK;
  if (rc != LD_OK) return rc;
  return ld_queue_extend(txn, call->queue->name, call->held, ms, &call->verdict,
                         &call->lease_until);
}

/* queue:extend(job, seconds) -> true, lease_until; or as ack. The job's own lease_until moves, too. */
int lb_queue_extend(lua_State *L) {
  static const char op[] = "queue:extend";
  lb_queue *queue = lb_check_queue(L, op);
  hold_call call = begin_call(L, queue, op);
  call.ms = lua_isnoneornil(L, 3) ? -1 : lb_check_seconds(L, 3, "seconds", op);
  lb_write(L, &queue->place, work_extend, &call, op);
  if (call.verdict != LD_VERDICT_OK) return push_end(L, &call);
  lua_pushboolean(L, true);
  lua_pushinteger(L, call.lease_until);
  if (lua_type(L, 2) != LUA_TTABLE) return 2;
  lua_pushliteral(L, "lease_until");
  lua_pushinteger(L, call.lease_until);
  lua_rawset(L, 2);
  return 2;
}

/* ---- fail ---- */

static ld_rc work_attempt(ld_txn *txn, void *context) {
  hold_call *call = context;
  return ld_queue_get(txn, call->queue->name, call->held.id, look_at, call);
}

static int64_t check_backoff(lua_State *L, const char *op) {
  ld_quoted quoted;
  size_t size;
  lua_Number seconds = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(seconds >= 0 && isfinite(seconds))) {
    const char *text = luaL_tolstring(L, -1, &size);
    lb_raise(L, LD_INVALID, op, "backoff: expected seconds from 0, got %s",
             ld_quote(ld_bytes(text, size), quoted));
  }
  const lua_Number day = (lua_Number)LD_QUEUE_DAY;
  return (int64_t)(seconds * 1000 < day ? seconds * 1000 + 0.5 : day);
}

/* Ask the handle's backoff function, where it has one. A job that is not there is lost anyway. */
static void ask_backoff(lua_State *L, lb_queue *queue, hold_call *call, const char *op) {
  if (lua_getiuservalue(L, 1, LB_QUEUE_BACKOFF) == LUA_TFUNCTION &&
      lb_read(L, &queue->place, work_attempt, call, op) == LD_OK) {
    lua_pushinteger(L, call->attempt);
    lua_call(L, 1, 1);
    call->failure.delay_ms = check_backoff(L, op);
    call->failure.delayed = true;
  }
  lua_pop(L, 1);
}

static ld_rc work_fail(ld_txn *txn, void *context) {
  hold_call *call = context;
  return ld_queue_fail(txn, call->queue->name, call->held, &call->failure, &call->verdict,
                       &call->state);
}

static void read_failure(lua_State *L, lb_queue *queue, hold_call *call, const char *op) {
  static const char *const known[] = {"retry", "delay", NULL};
  size_t size;
  lb_check_options(L, 4, known, op);
  call->failure.no_retry = !lb_option_bool(L, 4, "retry", true, op);
  int64_t delay = lb_queue_seconds(L, 4, "delay", op);
  call->failure.delayed = delay >= 0;
  if (delay >= 0) call->failure.delay_ms = delay;
  if (delay < 0 && !call->failure.no_retry) ask_backoff(L, queue, call, op);
  const char *text = lua_isnil(L, 3) ? lua_pushliteral(L, "") : luaL_tolstring(L, 3, &size);
  if (lua_isnil(L, 3)) size = 0;
  call->failure.error = ld_bytes(text, size);
}

/* queue:fail(job, err, { retry = true, delay = }) -> true, the state it went to; or as ack */
int lb_queue_fail(lua_State *L) {
  static const char op[] = "queue:fail";
  lb_queue *queue = lb_check_queue(L, op);
  lua_settop(L, 4);
  hold_call call = begin_call(L, queue, op);
  read_failure(L, queue, &call, op);
  lb_write(L, &queue->place, work_fail, &call, op);
  int results = push_end(L, &call);
  if (call.verdict != LD_VERDICT_OK) return results;
  lua_pushstring(L, ld_job_state_names[call.state]);
  lb_queue_wrote(L, queue);
  return 2;
}
