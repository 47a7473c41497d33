/* queue_repair.c -- what an operator does to jobs and to the queue: cancel, retry, delete, prune, pause, drain. */
#include <string.h>

#include "../name.h"
#include "queue_box.h"

/* What a call hands to its work. */
typedef struct repair_call {
  const lb_queue *queue;
  int64_t id, older_ms;
  ld_job_state state;
  bool paused;
  uint64_t count;
} repair_call;

/* ---- one job ---- */

/* Do it to the job at 2; whether there was one to do it to. */
static int change_job(lua_State *L, lb_work work, const char *op) {
  lb_queue *queue = lb_check_queue(L, op);
  repair_call call = {.queue = queue, .id = lb_check_job_id(L, 2, op)};
  bool done = lb_write(L, &queue->place, work, &call, op) == LD_OK;
  lua_pushboolean(L, done);
  if (done) lb_queue_wrote(L, queue);
  return 1;
}

static ld_rc work_cancel(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_cancel(txn, call->queue->name, call->id);
}

int lb_queue_cancel(lua_State *L) { return change_job(L, work_cancel, "queue:cancel"); }

static ld_rc work_retry(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_retry(txn, call->queue->name, call->id);
}

int lb_queue_retry(lua_State *L) { return change_job(L, work_retry, "queue:retry"); }

static ld_rc work_delete(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_delete(txn, call->queue->name, call->id);
}

int lb_queue_delete(lua_State *L) { return change_job(L, work_delete, "queue:delete"); }

/* ---- many ---- */

static int push_count(lua_State *L, lb_queue *queue, lb_work work, repair_call *call,
                      const char *op) {
  lb_write(L, &queue->place, work, call, op);
  lua_pushinteger(L, (lua_Integer)call->count);
  lb_queue_wrote(L, queue);
  return 1;
}

static ld_rc work_retry_all(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_retry_all(txn, call->queue->name, &call->count);
}

int lb_queue_retry_all(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, "queue:retry_all");
  repair_call call = {.queue = queue};
  return push_count(L, queue, work_retry_all, &call, "queue:retry_all");
}

static ld_rc work_drain(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_drain(txn, call->queue->name, &call->count);
}

int lb_queue_drain(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, "queue:drain");
  repair_call call = {.queue = queue};
  return push_count(L, queue, work_drain, &call, "queue:drain");
}

static ld_rc work_prune(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_prune(txn, call->queue->name, call->state, call->older_ms, &call->count);
}

static ld_job_state read_state(lua_State *L, lb_store *store, const char *op) {
  ld_quoted quoted;
  ld_slice name = lb_option_string(L, 2, "state", op);
  if (name.data == NULL) return LD_JOB_STATES;
  for (int i = 0; i < LD_JOB_STATES; i++)
    if (ld_equal(name, ld_text(ld_job_state_names[i]))) return (ld_job_state)i;
  ld_unknown_name("state", ld_quote(name, quoted), ld_job_state_names, &store->error);
  return (ld_job_state)lb_raise_error(L, &store->error, op);
}

/* queue:prune{ state =, older_than = } -> how many */
int lb_queue_prune(lua_State *L) {
  static const char op[] = "queue:prune";
  static const char *const known[] = {"state", "older_than", NULL};
  lb_queue *queue = lb_check_queue(L, op);
  lb_check_options(L, 2, known, op);
  int64_t older = lb_queue_seconds(L, 2, "older_than", op);
  repair_call call = {.queue = queue,
                      .older_ms = older > 0 ? older : 0,
                      .state = read_state(L, queue->place.store, op)};
  return push_count(L, queue, work_prune, &call, op);
}

/* ---- the queue ---- */

static ld_rc work_pause(ld_txn *txn, void *context) {
  repair_call *call = context;
  return ld_queue_pause(txn, call->queue->name, call->paused);
}

int lb_queue_pause(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, "queue:pause");
  repair_call call = {.queue = queue, .paused = true};
  lb_write(L, &queue->place, work_pause, &call, "queue:pause");
  return 0;
}

int lb_queue_resume(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, "queue:resume");
  repair_call call = {.queue = queue, .paused = false};
  lb_write(L, &queue->place, work_pause, &call, "queue:resume");
  lb_queue_wrote(L, queue);
  return 0;
}
