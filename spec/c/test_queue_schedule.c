/* test_queue_schedule.c -- periodic jobs: each tick once, of the missed ones one. */
#include "queue_help.h"

static const ld_schedule nightly = {.cron = {(const uint8_t *)"0 3 * * *", 9}};
static const int64_t three = 3 * 3600000;

static ld_rc schedule(const char *name, ld_schedule when, ld_job_new job, int64_t number) {
  uint8_t room[16];
  ld_buf data = {.data = room, .capacity = sizeof room};
  ld_write_int(&data, number);
  job.data = ld_buf_slice(&data);
  return ld_queue_schedule(txn, Q, ld_text(name), &when, &job);
}

static int64_t due(void) {
  int64_t at;
  CHECK_RC(LD_OK, ld_queue_due(txn, Q, &at));
  return at;
}

static void test_cron(void) {
  start();
  CHECK_RC(LD_OK, schedule("nightly", nightly, (ld_job_new){.priority = 5}, 1));
  CHECK(due() == three && claim().number == -1);
  clock_ms = three - 1;
  CHECK(claim().number == -1);
  clock_ms = three + 500;
  CHECK_RC(LD_OK, schedule("nightly", nightly, (ld_job_new){.priority = 5}, 1));
  seen one = claim();
  CHECK(one.number == 1 && one.job.run_at == three && one.job.priority == 5);
  CHECK(claim().number == -1 && ack(&one) == LD_VERDICT_OK);
  clock_ms += (int64_t)10 * LD_QUEUE_DAY; /* ten were missed */
  one = claim();
  CHECK(one.number == 1 && one.job.run_at == three + LD_QUEUE_DAY && claim().number == -1);
  CHECK(ack(&one) == LD_VERDICT_OK && due() == three + (int64_t)11 * LD_QUEUE_DAY);
  finish();
}

static void test_every(void) {
  int64_t from = 1000000;
  start();
  CHECK_RC(LD_OK, schedule("often", (ld_schedule){.every_ms = 100}, (ld_job_new){0}, 7));
  CHECK(due() == from + 100);
  for (int i = 1; i <= 5; i++) {
    clock_ms = from + 100 * i + 30; /* late, but that does not add up */
    seen one = claim();
    CHECK(one.number == 7 && one.job.run_at == from + 100 * i && claim().number == -1);
    CHECK(ack(&one) == LD_VERDICT_OK);
  }
  CHECK_RC(LD_OK, schedule("often", (ld_schedule){.every_ms = 1000}, (ld_job_new){0}, 7));
  clock_ms += 999;
  CHECK(claim().number == -1 && due() == clock_ms + 1);
  CHECK_RC(LD_OK, ld_queue_unschedule(txn, Q, LD_LITERAL("often")));
  CHECK_RC(LD_NOTFOUND, ld_queue_unschedule(txn, Q, LD_LITERAL("often")));
  clock_ms += 5000;
  CHECK(claim().number == -1 && due() == INT64_MAX);
  finish();
}

/* Ticks of a transaction that is rolled back come with the next. */
static void test_rollback(void) {
  start();
  CHECK_RC(LD_OK, schedule("often", (ld_schedule){.every_ms = 100}, (ld_job_new){0}, 7));
  commit();
  clock_ms += 150;
  begin();
  CHECK(claim().number == 7);
  ld_rollback(txn);
  begin();
  CHECK(claim().number == 7 && claim().number == -1);
  finish();
}

/* With a key, a tick that meets the job of the one before makes none. */
static void test_key(void) {
  static const ld_job_new job = {.key = {(const uint8_t *)"k", 1}};
  start();
  CHECK_RC(LD_OK, schedule("often", (ld_schedule){.every_ms = 100}, job, 7));
  clock_ms += 100;
  seen one = claim_for(Q, 100000);
  CHECK(one.number == 7);
  clock_ms += 100;
  CHECK(claim().number == -1 && ack(&one) == LD_VERDICT_OK);
  clock_ms += 100;
  CHECK(claim().number == 7);
  finish();
}

static ld_rc add_schedule(void *context, ld_slice name, const ld_schedule *when, int64_t next,
                          ld_slice data) {
  ld_buf_add(context, name);
  ld_buf_printf(context, " %.*s %d %d %d %d|", (int)when->cron.size, (const char *)when->cron.data,
                (int)when->every_ms, (int)when->local, (int)next, (int)number_of(data));
  return LD_OK;
}

static void test_list(void) {
  static char long_name[LD_PART_MAX + 1];
  ld_buf all = {0};
  ld_schedule local = nightly;
  local.local = true;
  memset(long_name, 'n', LD_PART_MAX);
  start();
  CHECK_RC(LD_OK, schedule("b", (ld_schedule){.every_ms = 100}, (ld_job_new){0}, 1));
  CHECK_RC(LD_OK, schedule("a", local, (ld_job_new){0}, 2));
  CHECK_RC(LD_OK, ld_queue_schedules(txn, Q, add_schedule, &all));
  const char *expected = "a 0 3 * * * 0 1 10800000 2|b  100 0 1000100 1|";
  CHECK(ld_equal(ld_buf_slice(&all), ld_text(expected)));
  CHECK_RC(LD_OK, schedule(long_name, nightly, (ld_job_new){0}, 2));
  CHECK_RC(LD_OK, ld_queue_unschedule(txn, Q, ld_text(long_name)));
  ld_buf_clear(&all);
  finish();
}

static void test_refused(void) {
  static char long_name[LD_PART_MAX + 2];
  memset(long_name, 'n', LD_PART_MAX + 1);
  start();
  CHECK_RC(LD_INVALID, schedule("", nightly, (ld_job_new){0}, 1));
  CHECK_RC(LD_TOOBIG, schedule(long_name, nightly, (ld_job_new){0}, 1));
  CHECK_RC(LD_INVALID, schedule("a", (ld_schedule){0}, (ld_job_new){0}, 1));
  CHECK_RC(LD_INVALID, schedule("a", (ld_schedule){.every_ms = -1}, (ld_job_new){0}, 1));
  ld_schedule bad = {.cron = LD_LITERAL("0 24 * * *")};
  CHECK_RC(LD_INVALID, schedule("a", bad, (ld_job_new){0}, 1));
  CHECK(strstr(store->error.text, "hour: ") != NULL);
  bad.every_ms = 5;
  CHECK_RC(LD_INVALID, schedule("a", bad, (ld_job_new){0}, 1));
  CHECK_RC(LD_INVALID, schedule("a", nightly, (ld_job_new){.delay_ms = 1}, 1));
  CHECK_RC(LD_INVALID, schedule("a", nightly, (ld_job_new){.within_ms = 1}, 1));
  CHECK_RC(LD_NOTFOUND, ld_queue_unschedule(txn, Q, LD_LITERAL("a")));
  finish();
}

int main(void) {
  test_cron();
  test_every();
  test_rollback();
  test_key();
  test_list();
  test_refused();
  return check_done("queue_schedule");
}
