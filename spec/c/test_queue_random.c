/* test_queue_random.c -- random operations on a queue, and a plain model that does the same with an array. After each operation the counts agree, and now and then every
** job and the order of every state does. Transactions are rolled back at random, clocks step both ways. */
#include "../../csrc/queue_verify.h"
#include "queue_model.h"

enum { OPERATIONS = 4000 };

/* ---- data: { n = number, g = its group } ---- */

static ld_slice data_of(int64_t number, ld_buf *data) {
  ld_buf_reset(data);
  ld_write_map(data, 2);
  ld_write_text(data, "n");
  ld_write_int(data, number);
  ld_write_text(data, "g");
  if (number % GROUPS == 0) ld_write_nil(data);
  if (number % GROUPS == 1) ld_write_int(data, 7);
  if (number % GROUPS == 2) ld_write_text(data, "a group");
  if (number % GROUPS == 3) ld_write_array(data, 0);
  return ld_buf_slice(data);
}

static int64_t number_in(const ld_job *job) {
  ld_slice field;
  CHECK(ld_value_field(job->data, "n", &field));
  return number_of(field);
}

/* ---- operations ---- */

static void do_enqueue(void) {
  static const char *const names[KEYS] = {"", "a", "b", "a longer key", "\0\xff", "c"};
  ld_buf data = {0};
  ld_enqueued made;
  if (m.count == MOST) return;
  ld_job_new job = {.priority = below(3) == 0 ? below(5) - 2 : 0, .max_attempts = below(4)};
  if (below(3) == 0) job.delay_ms = below(5000);
  if (below(4) == 0) job.at = true, job.delay_ms = 0, job.run_at = clock_ms + below(6000) - 3000;
  int key = below(3) == 0 ? (int)below(KEYS) : 0;
  if (key > 0) job.key = key == 4 ? ld_bytes(names[4], 2) : ld_text(names[key]);
  if (key > 0 && below(2) == 0) job.within_ms = below(8000);
  if (below(5) == 0) job.timeout_ms = 1 + below(9000);
  int64_t number = below(1000);
  job.data = data_of(number, &data);
  CHECK_RC(LD_OK, ld_queue_enqueue(txn, Q, &job, 1, &made));
  ld_buf_clear(&data);
  model_key *with = &m.keys[key];
  bool taken = key > 0 && with->taken && (!with->finished || with->until > clock_ms);
  CHECK(made.created == !taken && (!taken || made.id == with->id));
  if (taken) return;
  CHECK(m.count == 0 || made.id > m.jobs[m.count - 1].id);
  int64_t until = job.within_ms > 0 ? clock_ms + job.within_ms : 0;
  if (key > 0) *with = (model_key){.id = made.id, .until = until, .taken = true};
  int64_t run_at = job.at ? job.run_at : clock_ms + job.delay_ms;
  m.jobs[m.count++] =
      (model_job){.id = made.id,
                  .number = number,
                  .max_attempts = job.max_attempts > 0 ? job.max_attempts : options.max_attempts,
                  .priority = job.priority,
                  .run_at = run_at,
                  .timeout_ms = job.timeout_ms,
                  .key = key,
                  .state = run_at > clock_ms ? LD_JOB_DELAYED : LD_JOB_READY};
}

static ld_rc check_claimed(void *context, const ld_job *job) {
  int64_t lease_ms = *(int64_t *)context;
  model_job *first = first_ready();
  CHECK(first != NULL && first->id == job->id && number_in(job) == first->number);
  CHECK(job->priority == first->priority && job->run_at == first->run_at && job->token > 0);
  if (lease_ms == 0) lease_ms = first->timeout_ms > 0 ? first->timeout_ms : options.lease_ms;
  first->state = LD_JOB_RUNNING;
  first->attempt++;
  first->token = job->token;
  first->lease_until = clock_ms + lease_ms;
  CHECK(job->attempt == first->attempt && job->lease_until == first->lease_until);
  m.claims[m.claim_count] = clock_ms;
  m.groups[m.claim_count++] = group_of(first->number);
  stale[stale_count++ % STALE] = (ld_held){job->id, job->token};
  return LD_OK;
}

static void do_claim(void) {
  int64_t lease_ms = below(3) == 0 ? 1 + below(8000) : 0;
  ld_claim want = {.count = (size_t)below(4), .lease_ms = lease_ms};
  size_t count;
  if (m.claim_count + 8 > sizeof m.claims / sizeof *m.claims) return;
  sweep();
  CHECK_RC(LD_OK, ld_queue_claim(txn, Q, &want, check_claimed, &lease_ms, &count));
  CHECK(count <= want.count && (count == want.count || first_ready() == NULL));
}

/* A token that somebody got some time. */
static bool pick(ld_held *picked, model_job **job, ld_verdict *expected) {
  if (stale_count == 0) return false;
  *picked = stale[below(stale_count < STALE ? stale_count : STALE)];
  if (below(20) == 0) picked->token ^= 1;
  if (below(20) == 0) picked->id += 1;
  *job = find(picked->id);
  bool current = *job != NULL && (*job)->state == LD_JOB_RUNNING && (*job)->token == picked->token;
  *expected = !current ? LD_VERDICT_LOST : (*job)->cancelled ? LD_VERDICT_CANCELLED : LD_VERDICT_OK;
  return true;
}

static void do_ack(void) {
  ld_held picked;
  model_job *job;
  ld_verdict verdict, expected;
  if (!pick(&picked, &job, &expected)) return;
  CHECK_RC(LD_OK, ld_queue_ack(txn, Q, &picked, 1, &verdict));
  CHECK(verdict == expected);
  if (verdict != LD_VERDICT_LOST)
    end_job(job, verdict == LD_VERDICT_OK ? LD_JOB_DONE : LD_JOB_CANCELLED);
}

static void do_next(void) {
  ld_held picked;
  model_job *job;
  ld_verdict verdict, expected;
  int64_t lease_ms = 0;
  size_t count;
  if (!pick(&picked, &job, &expected)) return;
  if (m.claim_count + 8 > sizeof m.claims / sizeof *m.claims) return;
  if (expected != LD_VERDICT_LOST)
    end_job(job, expected == LD_VERDICT_OK ? LD_JOB_DONE : LD_JOB_CANCELLED);
  sweep();
  CHECK_RC(LD_OK, ld_queue_next(txn, Q, picked, &(ld_claim){.count = 1}, &verdict, check_claimed,
                                &lease_ms, &count));
  CHECK(verdict == expected && (count == 1 || first_ready() == NULL));
}

static void do_fail(void) {
  ld_held picked;
  model_job *job;
  ld_verdict verdict, expected;
  ld_job_state state = LD_JOB_STATES;
  ld_failure failure = {.error = ld_text("oh no"), .no_retry = below(5) == 0, .delayed = true};
  failure.delay_ms = below(2) * below(3000);
  if (!pick(&picked, &job, &expected)) return;
  CHECK_RC(LD_OK, ld_queue_fail(txn, Q, picked, &failure, &verdict, &state));
  CHECK(verdict == expected);
  if (verdict == LD_VERDICT_CANCELLED) end_job(job, LD_JOB_CANCELLED);
  if (verdict == LD_VERDICT_OK) {
    job->errors++;
    if (failure.no_retry || job->attempt >= job->max_attempts) {
      end_job(job, LD_JOB_DEAD);
    } else {
      job->run_at = clock_ms + failure.delay_ms;
      job->state = failure.delay_ms > 0 ? LD_JOB_DELAYED : LD_JOB_READY;
    }
  }
  CHECK(state == (verdict == LD_VERDICT_LOST ? LD_JOB_STATES : job->state));
}

static void do_release(void) {
  ld_held picked;
  model_job *job;
  ld_verdict verdict, expected;
  int64_t delay_ms = below(2) * below(3000);
  if (!pick(&picked, &job, &expected)) return;
  CHECK_RC(LD_OK, ld_queue_release(txn, Q, picked, delay_ms, &verdict));
  CHECK(verdict == expected);
  if (verdict == LD_VERDICT_CANCELLED) end_job(job, LD_JOB_CANCELLED);
  if (verdict != LD_VERDICT_OK) return;
  job->attempt--;
  job->state = delay_ms > 0 ? LD_JOB_DELAYED : LD_JOB_READY;
  if (delay_ms > 0) job->run_at = clock_ms + delay_ms;
}

static void do_extend(void) {
  ld_held picked;
  model_job *job;
  ld_verdict verdict, expected;
  int64_t until, lease_ms = 1 + below(9000);
  if (!pick(&picked, &job, &expected)) return;
  CHECK_RC(LD_OK, ld_queue_extend(txn, Q, picked, lease_ms, &verdict, &until));
  CHECK(verdict == expected);
  if (verdict == LD_VERDICT_OK) job->lease_until = until;
}

static int64_t any_id(void) {
  return m.count == 0 ? 5 : m.jobs[below(m.count)].id + (below(10) == 0);
}

static void do_cancel(void) {
  int64_t id = any_id();
  model_job *job = find(id);
  bool can = job != NULL && job->state < LD_JOB_DONE && !job->cancelled;
  CHECK_RC(can ? LD_OK : LD_NOTFOUND, ld_queue_cancel(txn, Q, id));
  if (can && job->state == LD_JOB_RUNNING)
    job->cancelled = true;
  else if (can)
    end_job(job, LD_JOB_CANCELLED);
}

static void do_retry(void) {
  int64_t id = any_id();
  model_job *job = find(id);
  ld_rc expected = job == NULL || job->state != LD_JOB_DEAD ? LD_NOTFOUND
                   : retry_in_model(job)                    ? LD_OK
                                                            : LD_EXISTS;
  CHECK_RC(expected, ld_queue_retry(txn, Q, id));
}

static void do_retry_all(void) {
  uint64_t count, expected = 0;
  for (;;) { /* in the order in which they died */
    model_job *first = NULL;
    for (size_t i = 0; i < m.count; i++) {
      model_job *job = &m.jobs[i];
      if (job->state != LD_JOB_DEAD || job->cancelled) continue;
      if (first == NULL || job->finished_at < first->finished_at) first = job;
    }
    if (first == NULL) break;
    if (retry_in_model(first))
      expected++;
    else
      first->cancelled = true; /* looked at */
  }
  for (size_t i = 0; i < m.count; i++)
    if (m.jobs[i].state == LD_JOB_DEAD) m.jobs[i].cancelled = false;
  CHECK_RC(LD_OK, ld_queue_retry_all(txn, Q, &count));
  CHECK(count == expected);
}

static void do_delete(void) {
  int64_t id = any_id();
  model_job *job = find(id);
  CHECK_RC(job != NULL ? LD_OK : LD_NOTFOUND, ld_queue_delete(txn, Q, id));
  if (job == NULL) return;
  free_key(job);
  job->state = LD_JOB_STATES;
}

static void do_prune(void) {
  uint64_t count, expected = 0;
  ld_job_state state = (ld_job_state)(LD_JOB_DONE + below(4));
  int64_t older = below(20000);
  for (size_t i = 0; i < m.count; i++) {
    model_job *job = &m.jobs[i];
    if (job->state < LD_JOB_DONE || job->state == LD_JOB_STATES) continue;
    if ((state != LD_JOB_STATES && state != job->state) || job->finished_at > clock_ms - older)
      continue;
    job->state = LD_JOB_STATES;
    expected++;
  }
  CHECK_RC(LD_OK, ld_queue_prune(txn, Q, state, older, &count));
  CHECK(count == expected);
}

static void do_drain(void) {
  uint64_t count, expected = 0;
  if (below(10) != 0) return;
  for (size_t i = 0; i < m.count; i++) {
    if (m.jobs[i].state > LD_JOB_READY) continue;
    free_key(&m.jobs[i]);
    m.jobs[i].state = LD_JOB_STATES;
    expected++;
  }
  CHECK_RC(LD_OK, ld_queue_drain(txn, Q, &count));
  CHECK(count == expected);
}

static void do_pause(void) {
  bool paused = below(3) == 0;
  CHECK_RC(LD_OK, ld_queue_pause(txn, Q, paused));
  m.paused = paused;
}

/* Other limits for the jobs that are there. */
static void do_replace(void) {
  ld_queue_options changed = options;
  if (options.limit.rate > 0 || below(4) != 0) return;
  changed.limit.concurrency = below(4);
  changed.limit.by[0] = below(2) == 0 ? 'g' : 0;
  changed.lease_ms = 1 + below(10000);
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &changed, true));
  options = changed;
  same_group = options.limit.by[0] != 0;
}

/* When exactly the store forgets a key whose window has closed is its own business: a clock that goes back would show it. */
static bool has_closed_window(void) {
  for (int i = 1; i < KEYS; i++)
    if (m.keys[i].taken && m.keys[i].finished && m.keys[i].until <= clock_ms) return true;
  return false;
}

static void do_clock(void) {
  static const int64_t steps[] = {0, 1, 50, 700, 3000, 20000};
  clock_ms += steps[below(6)];
  if (options.limit.rate == 0 && !has_closed_window() && below(6) == 0) clock_ms -= below(30000);
}

/* ---- comparing ---- */

static void compare_counts(void) {
  uint64_t counts[LD_JOB_STATES], expected[LD_JOB_STATES + 1] = {0};
  for (size_t i = 0; i < m.count; i++) expected[m.jobs[i].state]++;
  CHECK_RC(LD_OK, ld_queue_counts(txn, Q, counts));
  for (int i = 0; i < LD_JOB_STATES; i++) CHECK(counts[i] == expected[i]);
}

static ld_rc compare_job(void *context, const ld_job *job) {
  const model_job *expected = context;
  CHECK(job->id == expected->id && job->state == expected->state && job->token == 0);
  CHECK(job->attempt == expected->attempt && job->max_attempts == expected->max_attempts);
  CHECK(job->priority == expected->priority && job->run_at == expected->run_at);
  CHECK(number_in(job) == expected->number && job->cancelled == expected->cancelled);
  CHECK(job->error_count ==
        (expected->errors < LD_QUEUE_ERRORS ? expected->errors : LD_QUEUE_ERRORS));
  CHECK(job->state != LD_JOB_RUNNING || job->lease_until == expected->lease_until);
  CHECK(job->state < LD_JOB_DONE || job->finished_at == expected->finished_at);
  return LD_OK;
}

typedef struct walk {
  model_job last;
  uint8_t place[300];
  size_t place_size, count, page;
  bool any;
} walk;

static ld_rc step(void *context, ld_slice place, const ld_job *job) {
  walk *on = context;
  model_job *expected = find(job->id);
  CHECK(expected != NULL);
  compare_job(expected, job);
  if (on->any && job->state == LD_JOB_READY && !same_group) CHECK(before(&on->last, expected));
  if (on->any && job->state == LD_JOB_RUNNING) CHECK(on->last.id < job->id);
  if (on->any && job->state == LD_JOB_DELAYED) CHECK(on->last.run_at <= job->run_at);
  if (on->any && job->state >= LD_JOB_DONE) CHECK(on->last.finished_at <= job->finished_at);
  on->last = *expected;
  on->any = true;
  on->count++;
  CHECK(place.size <= sizeof on->place);
  memcpy(on->place, place.data, place.size);
  on->place_size = place.size;
  return --on->page == 0 ? LD_NOTFOUND : LD_OK;
}

static void compare_all(void) {
  for (size_t i = 0; i < m.count; i++) {
    model_job *job = &m.jobs[i];
    CHECK_RC(job->state == LD_JOB_STATES ? LD_NOTFOUND : LD_OK,
             ld_queue_get(txn, Q, job->id, compare_job, job));
  }
  for (int state = 0; state < LD_JOB_STATES; state++) {
    walk on = {0};
    size_t expected = 0;
    for (size_t i = 0; i < m.count; i++) expected += (int)m.jobs[i].state == state;
    do { /* page by page */
      on.page = 1 + (size_t)below(20);
      CHECK_RC(LD_OK, ld_queue_each(txn, Q, (ld_job_state)state, ld_bytes(on.place, on.place_size),
                                    step, &on));
    } while (on.page == 0);
    CHECK(on.count == expected);
  }
}

/* What can be done now is not said to be later. */
static void compare_due(void) {
  int64_t due;
  CHECK_RC(LD_OK, ld_queue_due(txn, Q, &due));
  if (first_ready() != NULL) CHECK(due <= clock_ms);
  for (size_t i = 0; i < m.count; i++) {
    if (m.jobs[i].state == LD_JOB_DELAYED) CHECK(due <= m.jobs[i].run_at);
    if (m.jobs[i].state == LD_JOB_RUNNING) CHECK(due <= m.jobs[i].lease_until);
  }
}

/* ---- runs ---- */

static void (*const operations[])(void) = {
    do_enqueue, do_enqueue, do_enqueue, do_enqueue,   do_claim,   do_claim,  do_claim, do_ack,
    do_ack,     do_next,    do_fail,    do_fail,      do_release, do_extend, do_clock, do_clock,
    do_cancel,  do_retry,   do_delete,  do_retry_all, do_prune,   do_drain,  do_pause, do_replace};

static void one_transaction(void) {
  static ld_queue_options saved_options;
  bool by = same_group;
  int64_t at = clock_ms;
  saved = m;
  saved_options = options;
  begin();
  for (int64_t i = below(6); i >= 0; i--) {
    operations[next_random() % (sizeof operations / sizeof *operations)]();
    compare_counts();
  }
  if (below(30) == 0) compare_all();
  if (below(4) == 0) compare_due();
  if (below(5) != 0) {
    commit();
    return;
  }
  ld_rollback(txn);
  m = saved;
  options = saved_options;
  same_group = by;
  clock_ms = at;
}

/* ---- verify ---- */

static ld_rc hear_found(void *context, const char *kind, const char *what, const char *text) {
  fprintf(stderr, "%s: %s: %s\n", kind, what != NULL ? what : "the queue", text);
  ++*(unsigned *)context;
  return LD_OK;
}

static ld_rc hear_step(void *context) {
  (void)context;
  return LD_OK;
}

static void hear_number(void *context, uint64_t number) {
  uint64_t last;
  (void)context;
  CHECK_RC(LD_OK, ld_sequence_last(txn, &last));
  CHECK(number <= last);
}

static void expect_sound(void) {
  unsigned findings = 0;
  bool mendable = true;
  const ld_queue_verify_calls calls = {&findings, hear_found, hear_step, hear_number};
  CHECK_RC(LD_OK, ld_queue_verify(txn, Q, &calls, &mendable));
  CHECK(findings == 0 && !mendable);
}

/* What all states were in is as before, but that time has passed for some. */
static void verify_and_mend(void) {
  uint64_t before[LD_JOB_STATES], after[LD_JOB_STATES];
  begin();
  expect_sound();
  CHECK_RC(LD_OK, ld_queue_counts(txn, Q, before));
  CHECK_RC(LD_OK, ld_queue_mend(txn, Q));
  expect_sound();
  CHECK_RC(LD_OK, ld_queue_counts(txn, Q, after));
  CHECK(before[LD_JOB_READY] + before[LD_JOB_DELAYED] ==
        after[LD_JOB_READY] + after[LD_JOB_DELAYED]);
  for (int i = LD_JOB_RUNNING; i < LD_JOB_STATES; i++) CHECK(before[i] == after[i]);
  ld_rollback(txn);
}

static void test_run(const ld_engine_ops *engine, const ld_queue_options *with, uint64_t seed) {
  chance = seed;
  memset(&m, 0, sizeof m);
  stale_count = 0;
  clock_ms = 10000000;
  options = *with;
  same_group = options.limit.by[0] != 0;
  open_store(engine);
  begin();
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, false));
  commit();
  for (int i = 0; i < OPERATIONS / 3; i++) {
    one_transaction();
    if (i % 16 == 0) verify_and_mend();
  }
  begin();
  compare_all();
  commit();
  ld_engine_close(store);
  remove_store();
}

int main(void) {
  CHECK(mkdtemp(folder) != NULL);
  for (uint64_t seed = 1; seed <= 4; seed++)
    for (unsigned kind = 0; kind < 6; kind++) {
      ld_queue_options with = ld_queue_defaults;
      with.lease_ms = 4000;
      with.max_attempts = 3;
      if (kind == 1) with.keep_done_ms = LD_QUEUE_LONGEST;
      if (kind == 2 || kind == 3) with.limit.concurrency = 2;
      if (kind == 4 || kind == 5) with.limit.rate = 3, with.limit.per_ms = 2000;
      if (kind == 3 || kind == 5) with.limit.by[0] = 'g';
      with.keep_dead_ms = LD_QUEUE_LONGEST;
      test_run(&ld_memory_engine, &with, seed * 100 + kind);
      if (seed == 1) test_run(&ld_lmdb_engine, &with, seed * 1000 + kind);
    }
  rmdir(folder);
  return check_done("queue_random");
}
