/* test_queue.c -- queues through the core, one promise after the other. At random, against a model: test_queue_random.c. Under failures: test_fault.c. */
#include "queue_help.h"

static const ld_failure again = {.delayed = true};

static int64_t next_number(void) { return claim().number; }

/* ---- order ---- */

static void test_order(void) {
  start();
  static const struct {
    int64_t priority, run_at, number;
  } jobs[] = {{0, 0, 5},       {0, 0, 6},   {1, 0, 8},         {-1, 0, 2},
              {0, 500, 4},     {0, 499, 3}, {INT64_MAX, 0, 9}, {INT64_MIN, 0, 1},
              {0, 1000000, 7}, {0, 0, 5},   {0, 2000000, 99},  {INT64_MIN, 2000000, 99}};
  static const int64_t order[] = {1, 2, 3, 4, 5, 6, 7, 5, 8, 9, -1};
  for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
    bool at = jobs[i].run_at > 0;
    enqueue((ld_job_new){.priority = jobs[i].priority, .at = at, .run_at = jobs[i].run_at},
            jobs[i].number);
  }
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) CHECK(next_number() == order[i]);
  CHECK(count_of(LD_JOB_DELAYED) == 2 && count_of(LD_JOB_RUNNING) == 10);
  finish();
}

/* The lane holds what comes in order; what does not is found beside it. */
static void test_clock_back_in_lane(void) {
  start();
  enqueue((ld_job_new){0}, 1);
  clock_ms -= 5000;
  enqueue((ld_job_new){0}, 2);
  clock_ms += 6000;
  enqueue((ld_job_new){0}, 3);
  CHECK(next_number() == 2 && next_number() == 1 && next_number() == 3 && next_number() == -1);
  finish();
}

static void test_claim_many(void) {
  ld_held held[4];
  ld_verdict verdicts[4];
  seen all = {0};
  size_t count;
  start();
  for (int i = 0; i < 5; i++) enqueue((ld_job_new){0}, i);
  CHECK_RC(LD_OK, ld_queue_claim(txn, Q, &(ld_claim){.count = 3}, see, &all, &count));
  CHECK(count == 3 && all.times == 3 && all.number == 2);
  CHECK_RC(LD_OK, ld_queue_claim(txn, Q, &(ld_claim){.count = 9}, see, &all, &count));
  CHECK(count == 2 && all.number == 4);
  for (int i = 0; i < 4; i++) held[i] = held[0];
  held[1] = (ld_held){all.job.id, all.job.token};
  held[0] = held[3] = (ld_held){all.job.id, all.job.token + 1};
  held[2] = held[1];
  CHECK_RC(LD_OK, ld_queue_ack(txn, Q, held, 4, verdicts));
  CHECK(verdicts[0] == LD_VERDICT_LOST && verdicts[1] == LD_VERDICT_OK);
  CHECK(verdicts[2] == LD_VERDICT_LOST && verdicts[3] == LD_VERDICT_LOST);
  finish();
}

static void test_delays(void) {
  start();
  ld_enqueued one = enqueue((ld_job_new){.delay_ms = 1000}, 1);
  enqueue((ld_job_new){.delay_ms = 2000, .priority = -1}, 2);
  int64_t due;
  CHECK_RC(LD_OK, ld_queue_due(txn, Q, &due));
  CHECK(due == clock_ms + 1000 && next_number() == -1);
  clock_ms += 999;
  CHECK(next_number() == -1 && state_of(one.id) == LD_JOB_DELAYED);
  clock_ms += 1;
  CHECK(state_of(one.id) == LD_JOB_DELAYED); /* until somebody asks for work */
  CHECK(next_number() == 1);
  clock_ms += 5000;
  enqueue((ld_job_new){0}, 3);
  CHECK(next_number() == 2 && next_number() == 3);
  finish();
}

/* More than one claim brings back: it goes on with the next. */
static void test_many_due(void) {
  enum { MANY = 1500 };
  start();
  for (int i = 0; i < MANY; i++) enqueue((ld_job_new){.delay_ms = 1 + i % 7}, i);
  clock_ms += 10;
  for (int i = 0; i < MANY; i++) CHECK(claim_for(Q, 50).number >= 0);
  CHECK(next_number() == -1 && count_of(LD_JOB_RUNNING) == MANY);
  clock_ms += 50;
  int64_t last = -1;
  for (int i = 0; i < MANY; i++) {
    seen one = claim();
    CHECK(one.job.attempt == 2 && one.job.run_at >= last);
    last = one.job.run_at;
  }
  CHECK(next_number() == -1 && count_of(LD_JOB_RUNNING) == MANY);
  finish();
}

/* ---- tokens ---- */

static void test_stale_tokens(void) {
  start();
  ld_enqueued job = enqueue((ld_job_new){0}, 1);
  seen first = claim_for(Q, 100), none = {.job = {.id = job.id + 50, .token = 7}};
  CHECK(first.job.attempt == 1 && first.job.lease_until == clock_ms + 100);
  clock_ms += 100;
  seen second = claim_for(Q, 100);
  CHECK(second.job.id == job.id && second.job.attempt == 2);
  CHECK(second.job.token != first.job.token);
  CHECK(extend(&first, 5) == LD_VERDICT_LOST && ack(&first) == LD_VERDICT_LOST);
  CHECK(fail_with(&first, again) == LD_VERDICT_LOST && release(&first, 0) == LD_VERDICT_LOST);
  CHECK(ack(&none) == LD_VERDICT_LOST && state_of(job.id) == LD_JOB_RUNNING);
  clock_ms += 100000; /* late, but nobody else has it */
  CHECK(extend(&second, 70) == LD_VERDICT_OK && ack(&second) == LD_VERDICT_OK);
  CHECK(ack(&second) == LD_VERDICT_LOST && extend(&second, 9) == LD_VERDICT_LOST);
  CHECK(state_of(job.id) == LD_JOB_STATES && count_of(LD_JOB_DONE) == 0);
  finish();
}

static void test_extend_and_shorten(void) {
  start();
  enqueue((ld_job_new){.timeout_ms = 5000}, 1);
  seen one = claim();
  CHECK(one.job.lease_until == clock_ms + 5000);
  CHECK(extend(&one, 10) == LD_VERDICT_OK);
  clock_ms += 10;
  seen two = claim();
  CHECK(two.number == 1 && extend(&two, 60000) == LD_VERDICT_OK);
  clock_ms += 59999;
  CHECK(next_number() == -1);
  clock_ms += 1;
  CHECK(next_number() == 1);
  finish();
}

static void test_release(void) {
  start();
  enqueue((ld_job_new){.max_attempts = 1}, 1);
  enqueue((ld_job_new){0}, 2);
  for (int i = 0; i < 3; i++) {
    seen one = claim();
    CHECK(one.number == 1 && one.job.attempt == 1 && release(&one, 0) == LD_VERDICT_OK);
  }
  seen one = claim();
  CHECK(release(&one, 50) == LD_VERDICT_OK && count_of(LD_JOB_DELAYED) == 1);
  CHECK(next_number() == 2 && next_number() == -1);
  clock_ms += 50;
  CHECK(next_number() == 1);
  finish();
}

/* ---- failures ---- */

static ld_rc check_errors(void *context, const ld_job *job) {
  ld_slice rest = job->errors, one, text;
  size_t count = 0;
  (void)context;
  CHECK(job->error_count == LD_QUEUE_ERRORS);
  while (rest.size > 0) {
    ld_token token;
    CHECK(ld_value_take(&rest, &one) && ld_value_field(one, "attempt", &text));
    CHECK(number_of(text) == (int64_t)count + 6);
    CHECK(ld_value_field(one, "error", &text) && ld_value_next(&text, &token));
    CHECK(token.kind == LD_STR && token.bytes.size <= LD_QUEUE_ERROR_MAX &&
          token.bytes.size > LD_QUEUE_ERROR_MAX - 3);
    count++;
  }
  CHECK(count == LD_QUEUE_ERRORS);
  return LD_OK;
}

/* Twenty-five attempts with an error each that is too long and would be cut inside a character. */
static void test_errors_are_bounded(void) {
  static char text[3001] = "x";
  for (size_t i = 1; i < 3000; i += 2) memcpy(text + i, "\xc3\xa9", 2);
  start();
  ld_enqueued job = enqueue((ld_job_new){.max_attempts = 25}, 1);
  for (int i = 0; i < 25; i++) {
    seen one = claim();
    CHECK(one.job.attempt == i + 1 && one.job.id == job.id);
    CHECK(fail_with(&one, (ld_failure){.error = ld_bytes(text, 2999), .delayed = true}) ==
          LD_VERDICT_OK);
  }
  CHECK(state_of(job.id) == LD_JOB_DEAD && next_number() == -1);
  CHECK_RC(LD_OK, ld_queue_get(txn, Q, job.id, check_errors, NULL));
  finish();
}

/* A worker that dies with the last attempt leaves a job that must not block the others. */
static void test_exhausted_at_head(void) {
  start();
  ld_enqueued one = enqueue((ld_job_new){.max_attempts = 1, .priority = -9}, 1);
  ld_enqueued two = enqueue((ld_job_new){.max_attempts = 1}, 2);
  enqueue((ld_job_new){0}, 3);
  CHECK(claim_for(Q, 10).number == 1 && claim_for(Q, 10).number == 2);
  clock_ms += 10;
  CHECK(next_number() == 3 && count_of(LD_JOB_DEAD) == 2);
  seen dead = {0};
  CHECK_RC(LD_OK, ld_queue_get(txn, Q, two.id, see, &dead));
  CHECK(dead.job.error_count == 1 && dead.job.finished_at == clock_ms);
  CHECK(state_of(one.id) == LD_JOB_DEAD);
  finish();
}

static void test_backoff(void) {
  ld_queue_options options = ld_queue_defaults;
  for (int64_t n = 1; n <= 17; n++) {
    int64_t whole = n * n * n * n * 1000;
    for (uint64_t one = 0; one < 50; one++) {
      int64_t ms = ld_backoff_ms(&options, n, one * 7919);
      CHECK(ms >= whole - whole / 10 && ms <= whole + whole / 10 && ms <= LD_QUEUE_DAY);
    }
  }
  CHECK(ld_backoff_ms(&options, 1, 0) != ld_backoff_ms(&options, 1, 100));
  CHECK(ld_backoff_ms(&options, 18, 0) == LD_QUEUE_DAY);
  options.backoff = LD_BACKOFF_EXPONENTIAL;
  CHECK(ld_backoff_ms(&options, 1, 3) == 1000 && ld_backoff_ms(&options, 5, 3) == 16000);
  CHECK(ld_backoff_ms(&options, 18, 3) == LD_QUEUE_DAY);
  CHECK(ld_backoff_ms(&options, INT64_MAX, 3) == LD_QUEUE_DAY);
  options = (ld_queue_options){.backoff = LD_BACKOFF_FIXED, .backoff_ms = 2500};
  CHECK(ld_backoff_ms(&options, 1, 3) == 2500 && ld_backoff_ms(&options, 40, 3) == 2500);
  start();
  enqueue((ld_job_new){0}, 1);
  seen one = claim();
  ld_job_state state = LD_JOB_STATES;
  ld_verdict verdict;
  CHECK_RC(LD_OK, ld_queue_fail(txn, Q, held(&one), &(ld_failure){0}, &verdict, &state));
  CHECK(state == LD_JOB_DELAYED && verdict == LD_VERDICT_OK);
  CHECK_RC(LD_OK, ld_queue_get(txn, Q, one.job.id, see, &one));
  CHECK(one.job.run_at >= clock_ms + 900 && one.job.run_at <= clock_ms + 1100);
  finish();
}

/* ---- cancel ---- */

static void test_cancel_running(void) {
  start();
  ld_enqueued job = enqueue((ld_job_new){0}, 1);
  seen one = claim_for(Q, 50);
  CHECK_RC(LD_OK, ld_queue_cancel(txn, Q, job.id));
  CHECK_RC(LD_NOTFOUND, ld_queue_cancel(txn, Q, job.id));
  CHECK(state_of(job.id) == LD_JOB_RUNNING && extend(&one, 50) == LD_VERDICT_CANCELLED);
  CHECK(ack(&one) == LD_VERDICT_CANCELLED && state_of(job.id) == LD_JOB_CANCELLED);
  CHECK(ack(&one) == LD_VERDICT_LOST);
  job = enqueue((ld_job_new){0}, 2);
  one = claim_for(Q, 50);
  CHECK_RC(LD_OK, ld_queue_cancel(txn, Q, job.id));
  CHECK(fail_with(&one, again) == LD_VERDICT_CANCELLED);
  CHECK(state_of(job.id) == LD_JOB_CANCELLED);
  job = enqueue((ld_job_new){0}, 3);
  claim_for(Q, 50);
  CHECK_RC(LD_OK, ld_queue_cancel(txn, Q, job.id));
  clock_ms += 50; /* its worker is gone */
  CHECK(next_number() == -1 && state_of(job.id) == LD_JOB_CANCELLED);
  CHECK_RC(LD_NOTFOUND, ld_queue_retry(txn, Q, job.id));
  finish();
}

/* ---- data ---- */

static ld_rc check_document(void *context, const ld_job *job) {
  ld_buf documents = {0};
  ld_slice rest, head, data, field;
  ld_token token;
  ld_job_write(job, &documents);
  rest = ld_buf_slice(&documents);
  CHECK(ld_value_take(&rest, &head) && ld_value_take(&rest, &data) && rest.size == 0);
  CHECK(ld_equal(data, *(const ld_slice *)context));
  CHECK(ld_value_field(head, "tags", &field) && ld_equal(field, LD_LITERAL("\x91\xa1t")));
  CHECK(ld_value_field(head, "token", &field) == (job->token != 0));
  CHECK(ld_value_field(head, "errors", &field) == (job->token == 0));
  CHECK(ld_value_field(head, "state", &field) && ld_value_next(&field, &token));
  CHECK(ld_equal(token.bytes, ld_text(ld_job_state_names[job->state])));
  CHECK(ld_value_check(head, NULL) == LD_OK);
  ld_buf_clear(&documents);
  return LD_OK;
}

static void test_data(void) {
  ld_buf large = {0};
  ld_enqueued made;
  size_t count;
  start();
  ld_write_array(&large, 2);
  ld_write_nil(&large);
  size_t size = 300000;
  ld_buf_byte(&large, 0xc6);
  for (int shift = 24; shift >= 0; shift -= 8) ld_buf_byte(&large, (uint8_t)(size >> shift));
  for (size_t i = 0; i < size; i++) ld_buf_byte(&large, (uint8_t)(i * 7));
  ld_slice data = ld_buf_slice(&large);
  ld_job_new job = {.data = data, .tags = LD_LITERAL("\x91\xa1t")};
  CHECK_RC(LD_OK, ld_queue_enqueue(txn, Q, &job, 1, &made));
  CHECK_RC(LD_OK, ld_queue_get(txn, Q, made.id, check_document, &data));
  CHECK_RC(LD_OK, ld_queue_claim(txn, Q, &(ld_claim){.count = 1}, check_document, &data, &count));
  CHECK_RC(LD_OK, ld_queue_cancel(txn, Q, made.id));
  clock_ms += 40000;
  claim();
  CHECK_RC(LD_OK, ld_queue_get(txn, Q, made.id, check_document, &data));
  ld_buf_clear(&large);
  finish();
}

/* ---- rows, as in the tables of csrc/README.md ---- */

static void check_row(const char *key, const char *value) {
  uint8_t bytes[2][128];
  size_t sizes[2];
  const char *const texts[] = {key, value};
  for (int i = 0; i < 2; i++) {
    sizes[i] = strlen(texts[i]) / 2;
    CHECK(sizes[i] <= sizeof bytes[i]);
    for (size_t at = 0; at < sizes[i]; at++) {
      unsigned byte;
      CHECK(sscanf(texts[i] + 2 * at, "%2x", &byte) == 1);
      bytes[i][at] = (uint8_t)byte;
    }
  }
  ld_slice stored;
  CHECK_RC(LD_OK, ld_get(txn, ld_bytes(bytes[0], sizes[0]), &stored));
  CHECK(ld_equal(stored, ld_bytes(bytes[1], sizes[1])));
}

static void test_rows(void) {
  ld_job_new job = {.data = LD_LITERAL("\x81\xa1x\x0a")};
  ld_enqueued made;
  start();
  clock_ms = 1700000000000;
  CHECK_RC(LD_OK, ld_queue_enqueue(txn, LD_LITERAL("mail"), &job, 1, &made));
  check_row("0a306d61696c00", "010072081071000100b0ea0114000000008090fbd3090000e8070000000100000000"
                              "0100000000000000000000000000000000000180a0abfef962000000");
  check_row("0b1d021d061d04", "0100d42e1b39000100140080a0abfef96280a0abfef96200000000000081a1780a");
  finish();
}

/* ---- ids, restarts ---- */

static void test_ids_after_drain_and_restart(void) {
  uint64_t count;
  clock_ms = 1000000;
  open_store(&ld_lmdb_engine);
  begin();
  int64_t last = 0;
  for (int i = 0; i < 3; i++) last = enqueue((ld_job_new){.delay_ms = i}, i).id;
  CHECK_RC(LD_OK, ld_queue_drain(txn, Q, &count));
  CHECK(count == 3 && count_of(LD_JOB_READY) == 0 && count_of(LD_JOB_DELAYED) == 0);
  commit();
  ld_engine_close(store);
  open_store(&ld_lmdb_engine);
  begin();
  int64_t id = enqueue((ld_job_new){0}, 1).id;
  CHECK(id > last);
  ld_rollback(txn); /* no job, and nobody has seen the id */
  begin();
  CHECK(next_number() == -1);
  CHECK(enqueue((ld_job_new){0}, 1).id > last);
  finish();
  remove_store();
}

/* ---- pausing, statistics ---- */

static int64_t stat(const char *name, const char *inner) {
  ld_buf document = {0};
  ld_slice field;
  CHECK_RC(LD_OK, ld_queue_stats(txn, Q, &document));
  CHECK(ld_value_check(ld_buf_slice(&document), NULL) == LD_OK);
  CHECK(ld_value_field(ld_buf_slice(&document), name, &field));
  if (inner != NULL) CHECK(ld_value_field(field, inner, &field));
  int64_t number = number_of(field);
  ld_buf_clear(&document);
  return number;
}

static void test_stats(void) {
  start();
  CHECK(stat("enqueued", NULL) == 0 && stat("wait", "p50") == 0);
  for (int i = 1; i <= 100; i++) {
    enqueue((ld_job_new){0}, i);
    clock_ms += i;
    seen one = claim();
    clock_ms += 1000;
    CHECK(ack(&one) == LD_VERDICT_OK);
  }
  CHECK(stat("enqueued", NULL) == 100 && stat("claimed", NULL) == 100 && stat("done", NULL) == 100);
  int64_t p50 = stat("wait", "p50"), p90 = stat("wait", "p90");
  CHECK(p50 >= 44 && p50 <= 57 && p90 >= 79 && p90 <= 101 && stat("wait", "max") == 100);
  CHECK(stat("wait", "mean") == 50 && stat("run", "p99") >= 875 && stat("run", "p99") <= 1125);
  CHECK(stat("counts", "running") == 0);
  enqueue((ld_job_new){.at = true, .run_at = 5}, 1); /* nobody has waited since 1970 */
  seen early = claim();
  CHECK(early.number == 1 && stat("wait", "max") == 100);
  CHECK_RC(LD_OK, ld_queue_pause(txn, Q, true));
  enqueue((ld_job_new){0}, 1);
  CHECK(next_number() == -1 && count_of(LD_JOB_READY) == 1);
  CHECK_RC(LD_OK, ld_queue_pause(txn, Q, false));
  CHECK(next_number() == 1);
  finish();
}

/* ---- next ---- */

static void test_next(void) {
  seen two = {0};
  ld_verdict verdict;
  size_t count;
  start();
  for (int i = 1; i <= 2; i++) enqueue((ld_job_new){0}, i);
  seen one = claim();
  ld_claim want = {.count = 1};
  CHECK_RC(LD_OK, ld_queue_next(txn, Q, held(&one), &want, &verdict, see, &two, &count));
  CHECK(verdict == LD_VERDICT_OK && count == 1 && two.number == 2);
  CHECK_RC(LD_OK, ld_queue_next(txn, Q, held(&one), &want, &verdict, see, &two, &count));
  CHECK(verdict == LD_VERDICT_LOST && count == 0);
  CHECK_RC(LD_OK, ld_queue_next(txn, Q, held(&two), &want, &verdict, see, &two, &count));
  CHECK(verdict == LD_VERDICT_OK && count == 0 && stat("done", NULL) == 2);
  finish();
}

/* So a worker that finds nothing costs no write. */
static void test_idle_claim_writes_nothing(void) {
  start();
  finish_jobs(1, false);
  enqueue((ld_job_new){.delay_ms = 5000}, 1);
  commit();
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK(next_number() == -1);
  clock_ms += 5000;
  seen one = {0};
  size_t count;
  CHECK_RC(LD_MISUSE, ld_queue_claim(txn, Q, &(ld_claim){.count = 1}, see, &one, &count));
  finish();
}

int main(void) {
  CHECK(mkdtemp(folder) != NULL);
  test_order();
  test_clock_back_in_lane();
  test_claim_many();
  test_delays();
  test_many_due();
  test_stale_tokens();
  test_extend_and_shorten();
  test_release();
  test_errors_are_bounded();
  test_exhausted_at_head();
  test_backoff();
  test_cancel_running();
  test_data();
  test_rows();
  test_ids_after_drain_and_restart();
  test_stats();
  test_next();
  test_idle_claim_writes_nothing();
  rmdir(folder);
  return check_done("queue");
}
