/* queue_help.h -- a queue for C tests: stores whose clock and randomness are the test's, jobs whose data are one number. */
#ifndef LD_QUEUE_HELP_H
#define LD_QUEUE_HELP_H

#include <unistd.h>

#include "../../csrc/queue_schedule.h"
#include "../../csrc/store.h"
#include "../../csrc/value.h"
#include "check.h"

#define Q LD_LITERAL("q")

static int64_t clock_ms = 1000000;
static uint64_t chance = 1;
static ld_engine *store;
static ld_txn *txn;
static char folder[] = "/tmp/test_queue.XXXXXX";

static int64_t test_now(void *context) {
  (void)context;
  return clock_ms;
}

/* SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators"). */
static uint64_t next_random(void) {
  uint64_t z = (chance += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void test_random(void *context, void *bytes, size_t size) {
  (void)context;
  for (size_t i = 0; i < size; i++) ((uint8_t *)bytes)[i] = (uint8_t)next_random();
}

static inline void remove_store(void) {
  char file[sizeof folder + 16];
  static const char *const names[] = {"data.mdb", "lock.mdb"};
  for (size_t i = 0; i < 2; i++) {
    snprintf(file, sizeof file, "%s/%s", folder, names[i]);
    unlink(file);
  }
}

static inline void open_store(const ld_engine_ops *ops) {
  ld_env env = ld_env_system();
  ld_option options[] = {{"path", folder}, {"durability", "none"}};
  ld_error error = {0};
  env.now_ms = test_now;
  env.random = test_random;
  env.local_offset_s = NULL;
  ld_rc rc = ld_store_open(ops, &env, options, ops == &ld_lmdb_engine ? 2 : 0, &store, &error);
  if (rc != LD_OK) fprintf(stderr, "%s\n", error.text);
  CHECK_RC(LD_OK, rc);
}

static inline void begin(void) { CHECK_RC(LD_OK, ld_begin(store, true, &txn)); }
static inline void commit(void) { CHECK_RC(LD_OK, ld_commit(txn)); }
/* A test on the memory engine, in one transaction. */
static inline void start(void) {
  clock_ms = 1000000;
  open_store(&ld_memory_engine);
  begin();
}
static inline void finish(void) {
  commit();
  ld_engine_close(store);
}

/* ---- jobs ---- */

static inline ld_enqueued enqueue_in(ld_slice queue, ld_job_new job, int64_t number) {
  uint8_t room[16];
  ld_enqueued made = {-1, false};
  ld_buf data = {.data = room, .capacity = sizeof room};
  ld_write_int(&data, number);
  job.data = ld_buf_slice(&data);
  ld_rc rc = ld_queue_enqueue(txn, queue, &job, 1, &made);
  if (rc != LD_OK) fprintf(stderr, "%s\n", store->error.text);
  CHECK_RC(LD_OK, rc);
  return made;
}

static inline ld_enqueued enqueue(ld_job_new job, int64_t number) {
  return enqueue_in(Q, job, number);
}

static inline int64_t number_of(ld_slice data) {
  ld_token token;
  CHECK(ld_value_next(&data, &token) && token.kind == LD_INT && data.size == 0);
  return token.integer;
}

/* What a test wants to know of a job, without what it borrows. */
typedef struct seen {
  ld_job job;
  int64_t number;
  size_t times;
} seen;

static inline ld_rc see(void *context, const ld_job *job) {
  seen *one = context;
  one->job = *job;
  one->number = number_of(job->data);
  one->times++;
  return LD_OK;
}

/* Claim one; the number is -1 when there is none. */
static inline seen claim_for(ld_slice queue, int64_t lease_ms) {
  seen one = {.number = -1};
  size_t count = 9;
  ld_claim want = {.count = 1, .lease_ms = lease_ms};
  ld_rc rc = ld_queue_claim(txn, queue, &want, see, &one, &count);
  if (rc != LD_OK) fprintf(stderr, "%s\n", store->error.text);
  CHECK_RC(LD_OK, rc);
  CHECK(count == one.times && count <= 1);
  return one;
}

static inline seen claim(void) { return claim_for(Q, 0); }

static inline ld_held held(const seen *one) { return (ld_held){one->job.id, one->job.token}; }

static inline ld_verdict ack(const seen *one) {
  ld_verdict verdict = 9;
  ld_held which = held(one);
  CHECK_RC(LD_OK, ld_queue_ack(txn, Q, &which, 1, &verdict));
  return verdict;
}

static inline ld_verdict fail_with(const seen *one, ld_failure failure) {
  ld_verdict verdict = 9;
  CHECK_RC(LD_OK, ld_queue_fail(txn, Q, held(one), &failure, &verdict, NULL));
  return verdict;
}

static inline ld_verdict release(const seen *one, int64_t delay_ms) {
  ld_verdict verdict = 9;
  CHECK_RC(LD_OK, ld_queue_release(txn, Q, held(one), delay_ms, &verdict));
  return verdict;
}

static inline ld_verdict extend(const seen *one, int64_t lease_ms) {
  ld_verdict verdict = 9;
  int64_t until;
  CHECK_RC(LD_OK, ld_queue_extend(txn, Q, held(one), lease_ms, &verdict, &until));
  CHECK(verdict != LD_VERDICT_OK || until == clock_ms + lease_ms);
  return verdict;
}

/* LD_JOB_STATES: there is no such job. */
static inline ld_job_state state_of(int64_t id) {
  seen one = {0};
  ld_rc rc = ld_queue_get(txn, Q, id, see, &one);
  CHECK(rc == LD_OK || rc == LD_NOTFOUND);
  CHECK(rc != LD_OK || (one.job.id == id && one.job.token == 0));
  return rc == LD_OK ? one.job.state : LD_JOB_STATES;
}

static inline uint64_t count_of(ld_job_state state) {
  uint64_t counts[LD_JOB_STATES];
  CHECK_RC(LD_OK, ld_queue_counts(txn, Q, counts));
  return counts[state];
}

/* Make, claim and end so many. */
static inline void finish_jobs(int count, bool dead) {
  for (int i = 0; i < count; i++) {
    enqueue((ld_job_new){0}, i);
    seen one = claim();
    if (dead) fail_with(&one, (ld_failure){.no_retry = true});
    if (!dead) ack(&one);
  }
}

#endif
