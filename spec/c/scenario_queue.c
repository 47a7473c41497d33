/* scenario_queue.c -- see scenario_queue.h. Randomness is constant in these stores, so all tokens are one. */
#include "scenario_queue.h"

#include "../../csrc/value.h"

#define JOBS    LD_LITERAL("jobs")
#define GROUPED LD_LITERAL("grouped")

enum { NOW = 9000 };

static int64_t *clock_ms;
static int64_t token, waiting, running, cancelled, dead, dead_too, delayed, grouped;

/* ---- jobs ---- */

/* { n = number, g = group }; it is small: `room` holds it. */
static ld_slice data_of(int number, const char *group, uint8_t room[32]) {
  ld_buf data = {.data = room, .capacity = 32};
  ld_write_map(&data, 2);
  ld_write_text(&data, "n");
  ld_write_int(&data, number);
  ld_write_text(&data, "g");
  ld_write_text(&data, group);
  return ld_buf_slice(&data);
}

static ld_rc add(ld_txn *txn, ld_slice queue, ld_job_new job, const char *group, int64_t *id) {
  uint8_t room[32];
  ld_enqueued made;
  job.data = data_of(1, group, room);
  ld_rc rc = ld_queue_enqueue(txn, queue, &job, 1, &made);
  if (rc == LD_OK) *id = made.id;
  return rc;
}

static ld_rc keep(void *context, const ld_job *job) {
  ld_buf *result = context;
  ld_job_write(job, result);
  token = job->token != 0 ? job->token : token;
  return LD_OK;
}

static ld_rc claim_at(ld_txn *txn, ld_slice queue, int64_t at, size_t most, ld_buf *result) {
  size_t before = result->size, count;
  *clock_ms = at;
  ld_rc rc = ld_queue_claim(txn, queue, &(ld_claim){.count = most}, keep, result, &count);
  *clock_ms = NOW;
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc add_count(ld_rc rc, uint64_t count, ld_buf *result) {
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

/* ---- filling ---- */

static ld_rc fail_one(ld_txn *txn, int64_t id, bool for_good) {
  ld_verdict verdict;
  ld_failure failure = {.error = LD_LITERAL("broken"), .no_retry = for_good};
  return ld_queue_fail(txn, JOBS, (ld_held){id, token}, &failure, &verdict, NULL);
}

/* Each claim gets the one job that is there. */
static ld_rc fill_finished(ld_txn *txn, ld_buf *seen) {
  static const ld_job_new keyed = {.key = {(const uint8_t *)"dead", 4}},
                          window = {.key = {(const uint8_t *)"window", 6}, .within_ms = 3000};
  int64_t done = 0;
  ld_verdict verdict;
  ld_rc rc = add(txn, JOBS, keyed, "a", &dead);
  if (rc == LD_OK) rc = claim_at(txn, JOBS, 1000, 1, seen);
  if (rc == LD_OK) rc = fail_one(txn, dead, true);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){.max_attempts = 1}, "a", &dead_too);
  if (rc == LD_OK) rc = claim_at(txn, JOBS, 1000, 1, seen);
  if (rc == LD_OK) rc = fail_one(txn, dead_too, false);
  if (rc == LD_OK) rc = add(txn, JOBS, window, "a", &done);
  if (rc == LD_OK) rc = claim_at(txn, JOBS, 1000, 1, seen);
  if (rc == LD_OK) rc = ld_queue_ack(txn, JOBS, &(ld_held){done, token}, 1, &verdict);
  return rc;
}

static ld_rc fill_unfinished(ld_txn *txn, ld_buf *seen) {
  int64_t id;
  ld_rc rc = add(txn, JOBS, (ld_job_new){.max_attempts = 1}, "b", &running);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){0}, "b", &cancelled);
  if (rc == LD_OK) rc = claim_at(txn, JOBS, 1000, 2, seen);
  if (rc == LD_OK) rc = ld_queue_cancel(txn, JOBS, cancelled);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){.key = LD_LITERAL("mine")}, "c", &waiting);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){0}, "c", &id);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){.priority = -1}, "c", &id);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){.delay_ms = 1000}, "d", &delayed);
  if (rc == LD_OK) rc = add(txn, JOBS, (ld_job_new){.delay_ms = 50000}, "d", &id);
  return rc;
}

static ld_rc fill_groups(ld_txn *txn, ld_buf *seen) {
  ld_queue_options options = ld_queue_defaults;
  int64_t id = 0;
  options.limit = (ld_queue_limit){.concurrency = 1, .rate = 2, .per_ms = 5000, .by = "g"};
  ld_rc rc = ld_queue_declare(txn, GROUPED, &options, false);
  if (rc == LD_OK) rc = add(txn, GROUPED, (ld_job_new){0}, "a", &grouped);
  for (int i = 0; i < 2 && rc == LD_OK; i++) rc = add(txn, GROUPED, (ld_job_new){0}, "a", &id);
  if (rc == LD_OK) rc = add(txn, GROUPED, (ld_job_new){0}, "b", &id);
  if (rc == LD_OK) rc = add(txn, GROUPED, (ld_job_new){0}, "b", &id);
  return rc == LD_OK ? claim_at(txn, GROUPED, 1000, 1, seen) : rc;
}

static ld_rc every(ld_txn *txn, ld_buf *result, const char *name, int64_t every_ms) {
  uint8_t room[32];
  ld_job_new job = {.data = data_of(7, "tick", room)};
  (void)result;
  return ld_queue_schedule(txn, JOBS, ld_text(name), &(ld_schedule){.every_ms = every_ms}, &job);
}

ld_rc scenario_fill_queues(ld_txn *txn, int64_t *clock) {
  ld_buf seen = {0};
  ld_queue_options options = ld_queue_defaults;
  clock_ms = clock;
  *clock_ms = 1000;
  options.keep_done_ms = 10000;
  ld_rc rc = ld_queue_declare(txn, JOBS, &options, false);
  if (rc == LD_OK) rc = fill_finished(txn, &seen);
  if (rc == LD_OK) rc = fill_unfinished(txn, &seen);
  if (rc == LD_OK) rc = fill_groups(txn, &seen);
  *clock_ms = 1000;
  if (rc == LD_OK) rc = every(txn, &seen, "hourly", 3600000);
  *clock_ms = NOW;
  ld_buf_clear(&seen);
  return rc;
}

/* ---- declarations ---- */

ld_rc queue_scenario_declare_new(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_declare(txn, LD_LITERAL("new"), &ld_queue_defaults, false);
}

ld_rc queue_scenario_replace_by(ld_txn *txn, ld_buf *result) {
  ld_queue_options options = ld_queue_defaults;
  (void)result;
  options.limit = (ld_queue_limit){.concurrency = 2, .per_ms = 1, .by = "g"};
  return ld_queue_declare(txn, JOBS, &options, true);
}

ld_rc queue_scenario_replace_none(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_declare(txn, GROUPED, &ld_queue_defaults, true);
}

/* ---- in ---- */

static ld_rc enqueue_to(ld_txn *txn, ld_slice queue, ld_job_new job, ld_buf *result) {
  int64_t id = 0;
  ld_rc rc = add(txn, queue, job, "a", &id);
  return add_count(rc, (uint64_t)id, result);
}

ld_rc queue_scenario_enqueue(ld_txn *txn, ld_buf *result) {
  return enqueue_to(txn, JOBS, (ld_job_new){0}, result);
}

ld_rc queue_scenario_enqueue_new(ld_txn *txn, ld_buf *result) {
  return enqueue_to(txn, LD_LITERAL("new"), (ld_job_new){.priority = 3}, result);
}

ld_rc queue_scenario_enqueue_again(ld_txn *txn, ld_buf *result) {
  return enqueue_to(txn, JOBS, (ld_job_new){.key = LD_LITERAL("mine")}, result);
}

ld_rc queue_scenario_enqueue_later(ld_txn *txn, ld_buf *result) {
  ld_job_new job = {.key = LD_LITERAL("window"), .delay_ms = 5};
  return enqueue_to(txn, JOBS, job, result);
}

ld_rc queue_scenario_enqueue_many(ld_txn *txn, ld_buf *result) {
  ld_enqueued made[3];
  uint8_t room[32];
  ld_slice data = data_of(9, "x", room);
  ld_job_new jobs[] = {{.data = data, .key = LD_LITERAL("one")},
                       {.data = data, .delay_ms = 10},
                       {.data = data, .key = LD_LITERAL("one")}};
  ld_rc rc = ld_queue_enqueue(txn, JOBS, jobs, 3, made);
  for (int i = 0; i < 3 && rc == LD_OK; i++) ld_buf_varint(result, (uint64_t)made[i].id);
  return rc;
}

/* ---- out ---- */

ld_rc queue_scenario_claim(ld_txn *txn, ld_buf *result) {
  return claim_at(txn, JOBS, NOW, 1, result);
}

ld_rc queue_scenario_claim_many(ld_txn *txn, ld_buf *result) {
  return claim_at(txn, JOBS, NOW, 10, result);
}

ld_rc queue_scenario_claim_late(ld_txn *txn, ld_buf *result) {
  return claim_at(txn, JOBS, 40LL * LD_QUEUE_DAY, 2, result);
}

/* Any other verdict would mean that the scenario does nothing. */
static ld_rc told(ld_rc rc, ld_verdict verdict, ld_buf *result) {
  if (rc == LD_OK && verdict != LD_VERDICT_OK) return LD_MISUSE;
  return add_count(rc, (uint64_t)verdict, result);
}

ld_rc queue_scenario_ack(ld_txn *txn, ld_buf *result) {
  ld_verdict verdicts[2] = {LD_VERDICT_LOST, LD_VERDICT_LOST};
  ld_held held[] = {{running, token}, {cancelled, token}};
  ld_rc rc = ld_queue_ack(txn, JOBS, held, 2, verdicts);
  if (rc == LD_OK && verdicts[1] != LD_VERDICT_CANCELLED) return LD_MISUSE;
  return told(rc, verdicts[0], result);
}

ld_rc queue_scenario_next(ld_txn *txn, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  size_t before = result->size, count;
  ld_rc rc = ld_queue_next(txn, JOBS, (ld_held){running, token}, &(ld_claim){.count = 1}, &verdict,
                           keep, result, &count);
  if (rc != LD_OK) result->size = before;
  return told(rc, verdict, result);
}

static ld_rc fail_running(ld_txn *txn, int64_t id, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  ld_failure failure = {.error = LD_LITERAL("no"), .delayed = true, .delay_ms = 70};
  ld_rc rc = ld_queue_fail(txn, JOBS, (ld_held){id, token}, &failure, &verdict, NULL);
  return told(rc, verdict, result);
}

/* The first has one attempt only. */
ld_rc queue_scenario_fail_dead(ld_txn *txn, ld_buf *result) {
  return fail_running(txn, running, result);
}

ld_rc queue_scenario_fail_retry(ld_txn *txn, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  ld_failure failure = {.error = LD_LITERAL("no"), .delayed = true, .delay_ms = 70};
  ld_held held = {grouped, token};
  ld_rc rc = ld_queue_fail(txn, GROUPED, held, &failure, &verdict, NULL);
  return told(rc, verdict, result);
}

ld_rc queue_scenario_release(ld_txn *txn, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  ld_rc rc = ld_queue_release(txn, JOBS, (ld_held){running, token}, 0, &verdict);
  return told(rc, verdict, result);
}

ld_rc queue_scenario_release_later(ld_txn *txn, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  ld_rc rc = ld_queue_release(txn, JOBS, (ld_held){running, token}, 9, &verdict);
  return told(rc, verdict, result);
}

ld_rc queue_scenario_extend(ld_txn *txn, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  int64_t until;
  ld_rc rc = ld_queue_extend(txn, JOBS, (ld_held){running, token}, 5, &verdict, &until);
  return told(rc, verdict, result);
}

/* ---- repairing ---- */

ld_rc queue_scenario_cancel(ld_txn *txn, ld_buf *result) {
  (void)result;
  ld_rc rc = ld_queue_cancel(txn, JOBS, waiting);
  return rc == LD_OK ? ld_queue_cancel(txn, JOBS, delayed) : rc;
}

ld_rc queue_scenario_cancel_running(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_cancel(txn, JOBS, running);
}

ld_rc queue_scenario_retry(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_retry(txn, JOBS, dead);
}

ld_rc queue_scenario_retry_all(ld_txn *txn, ld_buf *result) {
  uint64_t count = 0;
  ld_rc rc = ld_queue_retry_all(txn, JOBS, &count);
  return add_count(rc, count, result);
}

ld_rc queue_scenario_remove_one(ld_txn *txn, ld_buf *result) {
  (void)result;
  ld_rc rc = ld_queue_delete(txn, JOBS, waiting);
  return rc == LD_OK ? ld_queue_delete(txn, JOBS, dead) : rc;
}

ld_rc queue_scenario_remove_running(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_delete(txn, JOBS, running);
}

ld_rc queue_scenario_prune(ld_txn *txn, ld_buf *result) {
  uint64_t count = 0;
  ld_rc rc = ld_queue_prune(txn, JOBS, LD_JOB_STATES, 1, &count);
  return add_count(rc, count, result);
}

ld_rc queue_scenario_pause_queue(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_pause(txn, JOBS, true);
}

ld_rc queue_scenario_drain(ld_txn *txn, ld_buf *result) {
  uint64_t count = 0;
  ld_rc rc = ld_queue_drain(txn, JOBS, &count);
  return add_count(rc, count, result);
}

/* ---- groups ---- */

ld_rc queue_scenario_group_enqueue(ld_txn *txn, ld_buf *result) {
  return enqueue_to(txn, GROUPED, (ld_job_new){.priority = -1}, result);
}

ld_rc queue_scenario_group_claim(ld_txn *txn, ld_buf *result) {
  return claim_at(txn, GROUPED, NOW, 5, result);
}

ld_rc queue_scenario_group_ack(ld_txn *txn, ld_buf *result) {
  ld_verdict verdict = LD_VERDICT_LOST;
  ld_held held = {grouped, token};
  ld_rc rc = ld_queue_ack(txn, GROUPED, &held, 1, &verdict);
  return told(rc, verdict, result);
}

ld_rc queue_scenario_group_late(ld_txn *txn, ld_buf *result) {
  return claim_at(txn, GROUPED, 100000, 5, result);
}

ld_rc queue_scenario_group_drain(ld_txn *txn, ld_buf *result) {
  uint64_t count = 0;
  ld_rc rc = ld_queue_drain(txn, GROUPED, &count);
  return add_count(rc, count, result);
}

/* ---- schedules ---- */

ld_rc queue_scenario_schedule(ld_txn *txn, ld_buf *result) {
  return every(txn, result, "often", 1500);
}

ld_rc queue_scenario_schedule_again(ld_txn *txn, ld_buf *result) {
  ld_rc rc = every(txn, result, "hourly", 3600000);
  return rc == LD_OK ? every(txn, result, "hourly", 7200000) : rc;
}

ld_rc queue_scenario_unschedule(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_queue_unschedule(txn, JOBS, LD_LITERAL("hourly"));
}

/* ---- looking ---- */

ld_rc queue_scenario_get(ld_txn *txn, ld_buf *result) {
  size_t before = result->size;
  ld_rc rc = ld_queue_get(txn, JOBS, delayed, keep, result);
  if (rc == LD_OK) rc = ld_queue_get(txn, JOBS, running, keep, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

ld_rc queue_scenario_counts(ld_txn *txn, ld_buf *result) {
  uint64_t all[LD_JOB_STATES];
  ld_rc rc = ld_queue_counts(txn, JOBS, all);
  for (int i = 0; i < LD_JOB_STATES && rc == LD_OK; i++) ld_buf_varint(result, all[i]);
  return rc;
}

static ld_rc add_job(void *context, ld_slice place, const ld_job *job) {
  ld_buf_add(context, place);
  ld_job_write(job, context);
  return LD_OK;
}

ld_rc queue_scenario_each_job(ld_txn *txn, ld_buf *result) {
  size_t before = result->size;
  ld_rc rc = LD_OK;
  for (int state = 0; state < LD_JOB_STATES && rc == LD_OK; state++) {
    rc = ld_queue_each(txn, JOBS, (ld_job_state)state, LD_SLICE_NONE, add_job, result);
    if (rc == LD_OK)
      rc = ld_queue_each(txn, GROUPED, (ld_job_state)state, LD_SLICE_NONE, add_job, result);
  }
  if (rc != LD_OK) result->size = before;
  return rc;
}

ld_rc queue_scenario_stats(ld_txn *txn, ld_buf *result) {
  return ld_queue_stats(txn, JOBS, result);
}

ld_rc queue_scenario_due(ld_txn *txn, ld_buf *result) {
  int64_t at = 0, grouped_at = 0;
  ld_rc rc = ld_queue_due(txn, JOBS, &at);
  if (rc == LD_OK) rc = ld_queue_due(txn, GROUPED, &grouped_at);
  return add_count(add_count(rc, (uint64_t)at, result), (uint64_t)grouped_at, result);
}

static ld_rc add_schedule(void *context, ld_slice name, const ld_schedule *schedule, int64_t next,
                          ld_slice data) {
  ld_buf_add(context, name);
  ld_buf_varint(context, (uint64_t)schedule->every_ms);
  ld_buf_varint(context, (uint64_t)next);
  ld_buf_add(context, data);
  return LD_OK;
}

ld_rc queue_scenario_schedules(ld_txn *txn, ld_buf *result) {
  size_t before = result->size;
  ld_rc rc = ld_queue_schedules(txn, JOBS, add_schedule, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc add_name(void *context, ld_slice queue) {
  ld_buf_add(context, queue);
  return LD_OK;
}

ld_rc queue_scenario_names(ld_txn *txn, ld_buf *result) {
  size_t before = result->size;
  ld_rc rc = ld_queues_each(txn, add_name, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}
