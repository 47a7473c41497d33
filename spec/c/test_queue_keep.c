/* test_queue_keep.c -- what a queue keeps and for how long: keys, finished jobs, options; and what it refuses. */
#include "queue_help.h"

/* ---- keys ---- */

static bool is_created(ld_job_new job, int64_t expected_id) {
  ld_enqueued made = enqueue(job, 9);
  CHECK(made.created || made.id == expected_id);
  return made.created;
}

static void test_keys(void) {
  static const ld_job_new keyed = {.key = {(const uint8_t *)"k", 1}};
  start();
  ld_job_new later = keyed;
  later.delay_ms = 100;
  ld_enqueued job = enqueue(later, 1);
  CHECK(job.created && !is_created(keyed, job.id)); /* delayed */
  clock_ms += 100;
  seen one = claim();
  CHECK(one.job.id == job.id && !is_created(keyed, job.id));              /* running */
  CHECK(release(&one, 0) == LD_VERDICT_OK && !is_created(keyed, job.id)); /* ready */
  one = claim();
  CHECK(fail_with(&one, (ld_failure){.no_retry = true}) == LD_VERDICT_OK);
  ld_enqueued second = enqueue(keyed, 2); /* dead */
  CHECK(second.created && second.id > job.id);
  CHECK_RC(LD_EXISTS, ld_queue_retry(txn, Q, job.id));
  CHECK(strstr(store->error.text, "\"k\"") != NULL);
  CHECK_RC(LD_OK, ld_queue_cancel(txn, Q, second.id));
  CHECK_RC(LD_OK, ld_queue_retry(txn, Q, job.id)); /* cancelled */
  CHECK(!is_created(keyed, job.id));
  CHECK_RC(LD_OK, ld_queue_delete(txn, Q, job.id));
  CHECK(is_created(keyed, 0)); /* gone */
  finish();
}

static void test_windows(void) {
  static const ld_job_new window = {.key = {(const uint8_t *)"w", 1}, .within_ms = 1000};
  start();
  ld_enqueued job = enqueue(window, 1);
  seen one = claim();
  CHECK(ack(&one) == LD_VERDICT_OK && state_of(job.id) == LD_JOB_STATES);
  clock_ms += 999;
  CHECK(!is_created(window, job.id) && !is_created((ld_job_new){.key = window.key}, job.id));
  clock_ms += 1;
  CHECK(is_created(window, 0));
  uint64_t count; /* what is drained does not keep its key */
  CHECK_RC(LD_OK, ld_queue_drain(txn, Q, &count));
  CHECK(count == 1 && is_created(window, 0));
  finish();
}

/* ---- keeping ---- */

static void declare(const ld_queue_options *options) {
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, options, true));
}

static void test_keep_done(void) {
  ld_queue_options options = ld_queue_defaults;
  start();
  options.keep_done_ms = 1000;
  declare(&options);
  finish_jobs(10, false);
  CHECK(count_of(LD_JOB_DONE) == 10);
  clock_ms += 999;
  finish_jobs(1, false);
  CHECK(count_of(LD_JOB_DONE) == 11);
  clock_ms += 1; /* a few with each operation */
  enqueue((ld_job_new){.priority = 9}, 0);
  CHECK(count_of(LD_JOB_DONE) < 11 && count_of(LD_JOB_DONE) > 1);
  claim(), claim();
  CHECK(count_of(LD_JOB_DONE) == 1);
  options.keep_done_ms = 0;
  options.keep_done_count = 3;
  declare(&options);
  finish_jobs(7, false);
  CHECK(count_of(LD_JOB_DONE) == 3);
  options.keep_done_count = 0;
  declare(&options);
  claim();
  CHECK(count_of(LD_JOB_DONE) == 0);
  finish();
}

static void test_dead_are_kept_for_a_month(void) {
  uint64_t count;
  start();
  finish_jobs(6, true);
  clock_ms += (int64_t)30 * LD_QUEUE_DAY - 1;
  claim();
  CHECK(count_of(LD_JOB_DEAD) == 6);
  clock_ms += 1;
  claim(), claim();
  CHECK(count_of(LD_JOB_DEAD) == 0);
  finish_jobs(2, true);
  clock_ms += 500;
  finish_jobs(1, true);
  CHECK_RC(LD_INVALID, ld_queue_prune(txn, Q, LD_JOB_READY, 0, &count));
  CHECK_RC(LD_OK, ld_queue_prune(txn, Q, LD_JOB_DEAD, 500, &count));
  CHECK(count == 2 && count_of(LD_JOB_DEAD) == 1);
  finish();
}

/* ---- names, options ---- */

static ld_rc add_name(void *context, ld_slice queue) {
  ld_buf_add(context, queue);
  ld_buf_add(context, LD_LITERAL("|"));
  return LD_OK;
}

static void test_names(void) {
  static uint8_t long_name[LD_PART_MAX];
  const ld_slice names[] = {LD_LITERAL("a"), LD_LITERAL("a\0"), LD_LITERAL("ab"),
                            ld_bytes(long_name, sizeof long_name),
                            ld_bytes(long_name, sizeof long_name - 1)};
  ld_buf all = {0};
  memset(long_name, 'n', sizeof long_name);
  start();
  for (int i = 0; i < 5; i++) enqueue_in(names[i], (ld_job_new){0}, i);
  for (int i = 4; i >= 0; i--) {
    CHECK(claim_for(names[i], 0).number == i);
    CHECK(claim_for(names[i], 0).number == -1);
  }
  CHECK_RC(LD_OK, ld_queues_each(txn, add_name, &all));
  CHECK(all.size == 1 + 2 + 2 + LD_PART_MAX + LD_PART_MAX - 1 + 5);
  CHECK(ld_starts_with(ld_buf_slice(&all), LD_LITERAL("a|a\0|ab|n")));
  CHECK(claim_for(LD_LITERAL("nobody"), 0).number == -1);
  CHECK_RC(LD_INVALID, ld_queue_pause(txn, LD_SLICE_NONE, true));
  ld_buf_clear(&all);
  finish();
}

static void test_declare(void) {
  ld_queue_options options = ld_queue_defaults, stored;
  start();
  enqueue((ld_job_new){0}, 1);
  options.lease_ms = 5;
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, false)); /* the first to say */
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, false));
  CHECK_RC(LD_INVALID, ld_queue_declare(txn, Q, &ld_queue_defaults, false));
  CHECK(strstr(store->error.text, "lease (ms) = 5, here 30000") != NULL);
  CHECK_RC(LD_OK, ld_queue_options_of(txn, Q, &stored));
  CHECK(stored.lease_ms == 5 && claim().job.lease_until == clock_ms + 5);
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &ld_queue_defaults, true));
  CHECK_RC(LD_OK, ld_queue_options_of(txn, Q, &stored));
  CHECK(stored.lease_ms == 30000);
  finish();
}

/* ---- what is refused changes nothing ---- */

static void check_refused(ld_rc expected, ld_job_new job) {
  ld_enqueued made[2];
  ld_job_new both[2] = {{.data = LD_LITERAL("\x01")}, job};
  CHECK_RC(expected, ld_queue_enqueue(txn, Q, both, 2, made));
  CHECK(strncmp(store->error.text, "job 2: ", 7) == 0 && count_of(LD_JOB_READY) == 0);
}

static void test_refused(void) {
  static uint8_t long_key[LD_PART_MAX + 1];
  const ld_slice data = LD_LITERAL("\x01");
  ld_buf names = {0};
  start();
  check_refused(LD_INVALID, (ld_job_new){0});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .delay_ms = -1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .delay_ms = LD_QUEUE_LONGEST + 1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .at = true, .run_at = -1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .at = true, .delay_ms = 1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .within_ms = 1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .max_attempts = -1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .timeout_ms = -1});
  check_refused(LD_INVALID, (ld_job_new){.data = data, .tags = LD_LITERAL("\x91\x01")});
  check_refused(LD_TOOBIG, (ld_job_new){.data = data, .key = ld_bytes(long_key, sizeof long_key)});
  CHECK_RC(LD_OK, ld_queues_each(txn, add_name, &names));
  CHECK(names.size == 0); /* not even the queue was made */
  ld_verdict verdict;
  int64_t until;
  ld_held nobody = {1, 1};
  CHECK_RC(LD_INVALID, ld_queue_extend(txn, Q, nobody, 0, &verdict, &until));
  CHECK_RC(LD_INVALID, ld_queue_release(txn, Q, nobody, -1, &verdict));
  CHECK_RC(LD_INVALID,
           ld_queue_fail(txn, Q, nobody, &(ld_failure){.delay_ms = -1}, &verdict, NULL));
  size_t count;
  CHECK_RC(LD_INVALID, ld_queue_claim(txn, Q, &(ld_claim){1, -1}, see, NULL, &count));
  finish();
}

int main(void) {
  test_keys();
  test_windows();
  test_keep_done();
  test_dead_are_kept_for_a_month();
  test_names();
  test_declare();
  test_refused();
  return check_done("queue_keep");
}
