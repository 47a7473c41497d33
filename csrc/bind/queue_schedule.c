/* queue_schedule.c -- periodic jobs: schedule, unschedule, schedules. */
#include "../queue_schedule.h"

#include "queue_box.h"

/* What a call hands to its work. */
typedef struct schedule_call {
  const lb_queue *queue;
  ld_slice name;
  ld_schedule schedule;
  ld_job_new job;
  size_t count;
} schedule_call;

/* ---- schedule ---- */

static bool read_zone(lua_State *L, const char *op) {
  ld_quoted quoted;
  ld_slice zone = lb_option_string(L, 3, "zone", op);
  if (ld_equal(zone, LD_LITERAL("local"))) return true;
  if (zone.data != NULL && !ld_equal(zone, LD_LITERAL("utc")))
    lb_raise(L, LD_INVALID, op, "option zone: expected \"utc\" or \"local\", got %s",
             ld_quote(zone, quoted));
  return false;
}

/* What is at 3: "0 3 * * *", { cron =, zone = } or { every = }. */
static ld_schedule read_schedule(lua_State *L, const char *op) {
  static const char *const known[] = {"cron", "zone", "every", NULL};
  if (lua_type(L, 3) == LUA_TSTRING)
    return (ld_schedule){.cron = lb_check_string(L, 3, op, "when")};
  if (lua_type(L, 3) != LUA_TTABLE)
    lb_raise(L, LD_INVALID, op, "when: expected a cron expression or { every = seconds }, got %s",
             luaL_typename(L, 3));
  lb_check_options(L, 3, known, op);
  ld_schedule schedule = {.cron = lb_option_string(L, 3, "cron", op), .local = read_zone(L, op)};
  int64_t every = lb_queue_seconds(L, 3, "every", op);
  if ((schedule.cron.data == NULL) == (every < 0))
    lb_raise(L, LD_INVALID, op, "when: expected either cron or every");
  if (every == 0) lb_raise(L, LD_INVALID, op, "option every: expected more than 0 seconds, got 0");
  if (every > 0) schedule.every_ms = every;
  if (schedule.cron.data != NULL && schedule.cron.size == 0)
    lb_raise(L, LD_INVALID, op, "option cron: is empty");
  return schedule;
}

static ld_rc work_schedule(ld_txn *txn, void *context) {
  schedule_call *call = context;
  return ld_queue_schedule(txn, call->queue->name, call->name, &call->schedule, &call->job);
}

/* queue:schedule(name, when, data, { priority, key, max_attempts, timeout, tags }) */
int lb_queue_schedule(lua_State *L) {
  static const char op[] = "queue:schedule";
  lb_queue *queue = lb_check_queue(L, op);
  lua_settop(L, 5);
  schedule_call call = {.queue = queue, .name = lb_check_string(L, 2, op, "name")};
  call.schedule = read_schedule(L, op);
  lb_encode_job(L, 4, queue->place.store, &call.job, op);
  lb_write(L, &queue->place, work_schedule, &call, op);
  lb_queue_wrote(L, queue);
  return 0;
}

static ld_rc work_unschedule(ld_txn *txn, void *context) {
  schedule_call *call = context;
  return ld_queue_unschedule(txn, call->queue->name, call->name);
}

/* queue:unschedule(name) -> whether there was one */
int lb_queue_unschedule(lua_State *L) {
  static const char op[] = "queue:unschedule";
  lb_queue *queue = lb_check_queue(L, op);
  schedule_call call = {.queue = queue, .name = lb_check_string(L, 2, op, "name")};
  lua_pushboolean(L, lb_write(L, &queue->place, work_unschedule, &call, op) == LD_OK);
  return 1;
}

/* ---- schedules ---- */

static ld_rc add_schedule(void *context, ld_slice name, const ld_schedule *schedule, int64_t next,
                          ld_slice data) {
  schedule_call *call = context;
  ld_buf *list = &call->queue->place.store->result;
  bool cron = schedule->cron.size > 0;
  ld_write_map(list, cron ? 4 : 3);
  ld_write_text(list, "name");
  ld_write_string(list, name);
  ld_write_text(list, "next");
  ld_write_int(list, next);
  ld_write_text(list, cron ? "cron" : "every");
  if (cron) {
    ld_write_string(list, schedule->cron);
    ld_write_text(list, "zone");
    ld_write_text(list, schedule->local ? "local" : "utc");
  } else {
    ld_write_float(list, (double)schedule->every_ms / 1000);
  }
  ld_buf_add(list, data);
  call->count++;
  return LD_OK;
}

static ld_rc work_schedules(ld_txn *txn, void *context) {
  schedule_call *call = context;
  call->count = 0;
  ld_rc rc = ld_queue_schedules(txn, call->queue->name, add_schedule, call);
  if (rc == LD_OK && call->queue->place.store->result.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* queue:schedules() -> { { name, cron, zone | every, next, data }, ... } */
int lb_queue_schedules(lua_State *L) {
  static const char op[] = "queue:schedules";
  lb_queue *queue = lb_check_queue(L, op);
  schedule_call call = {.queue = queue};
  lb_read(L, &queue->place, work_schedules, &call, op);
  return lb_push_jobs(L, queue->place.store, call.count, op);
}
