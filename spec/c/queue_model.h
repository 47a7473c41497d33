/* queue_model.h -- a queue as an array of jobs, in which everything is searched: what test_queue_random.c compares the real one with. */
#ifndef LD_QUEUE_MODEL_H
#define LD_QUEUE_MODEL_H

#include "queue_help.h"

enum { MOST = 600, KEYS = 6, GROUPS = 4, STALE = 64 };

typedef struct model_job {
  int64_t id, number, attempt, max_attempts, priority, run_at, token, lease_until, finished_at;
  int64_t timeout_ms;
  ld_job_state state; /* LD_JOB_STATES: removed */
  int key;            /* 0: none */
  bool cancelled;
  size_t errors;
} model_job;

typedef struct model_key {
  int64_t id, until;
  bool taken, finished;
} model_key;

typedef struct model {
  model_job jobs[MOST];
  size_t count;
  model_key keys[KEYS];
  bool paused;
  int64_t claims[MOST * 8]; /* times, of the rate; and in which group */
  int groups[MOST * 8];
  size_t claim_count;
} model;

static model m, saved;
static ld_queue_options options;
static bool same_group; /* limits are by group, else one group is all */
static ld_held stale[STALE];
static size_t stale_count;

static inline int64_t below(uint64_t limit) { return (int64_t)(next_random() % limit); }

static inline int group_of(int64_t number) { return same_group ? (int)(number % GROUPS) : 0; }

static inline model_job *find(int64_t id) {
  for (size_t i = 0; i < m.count; i++)
    if (m.jobs[i].id == id && m.jobs[i].state != LD_JOB_STATES) return &m.jobs[i];
  return NULL;
}

static inline void finish_key(const model_job *job) {
  model_key *key = &m.keys[job->key];
  if (job->key == 0) return;
  CHECK(key->taken && key->id == job->id);
  key->finished = true;
  if (key->until <= clock_ms) key->taken = false;
}

static inline void end_job(model_job *job, ld_job_state state) {
  finish_key(job);
  job->state = state;
  job->finished_at = clock_ms;
  job->cancelled = false;
  if (state == LD_JOB_DONE && options.keep_done_ms == 0) job->state = LD_JOB_STATES;
}

static inline void end_lease(model_job *job) {
  if (job->cancelled) {
    end_job(job, LD_JOB_CANCELLED);
  } else {
    job->errors++;
    if (job->attempt >= job->max_attempts)
      end_job(job, LD_JOB_DEAD);
    else
      job->state = LD_JOB_READY;
  }
}

static inline void sweep(void) {
  for (size_t i = 0; i < m.count; i++) {
    model_job *job = &m.jobs[i];
    if (job->state == LD_JOB_DELAYED && job->run_at <= clock_ms) job->state = LD_JOB_READY;
    if (job->state == LD_JOB_RUNNING && job->lease_until <= clock_ms) end_lease(job);
  }
}

static inline bool may_run(int group) {
  int64_t running = 0, claims = 0;
  for (size_t i = 0; i < m.count; i++)
    running += m.jobs[i].state == LD_JOB_RUNNING && group_of(m.jobs[i].number) == group;
  for (size_t i = 0; i < m.claim_count; i++)
    claims += m.groups[i] == group && m.claims[i] + options.limit.per_ms > clock_ms;
  return (options.limit.concurrency == 0 || running < options.limit.concurrency) &&
         (options.limit.rate == 0 || claims < options.limit.rate);
}

static inline bool before(const model_job *a, const model_job *b) {
  if (a->priority != b->priority) return a->priority < b->priority;
  if (a->run_at != b->run_at) return a->run_at < b->run_at;
  return a->id < b->id;
}

static inline model_job *first_ready(void) {
  model_job *first = NULL;
  if (m.paused) return NULL;
  for (size_t i = 0; i < m.count; i++)
    if (m.jobs[i].state == LD_JOB_READY && may_run(group_of(m.jobs[i].number)) &&
        (first == NULL || before(&m.jobs[i], first)))
      first = &m.jobs[i];
  return first;
}

static inline bool retry_in_model(model_job *job) {
  model_key *key = &m.keys[job->key];
  bool free = job->key == 0 || !key->taken || key->id == job->id ||
              (key->finished && key->until <= clock_ms);
  if (!free) return false;
  bool open = key->taken && key->id == job->id && (!key->finished || key->until > clock_ms);
  int64_t until = job->key > 0 && open ? key->until : 0;
  if (job->key > 0) *key = (model_key){.id = job->id, .until = until, .taken = true};
  job->state = LD_JOB_READY;
  job->attempt = 0;
  job->run_at = clock_ms;
  job->finished_at = 0;
  return true;
}

static inline void free_key(const model_job *job) {
  if (job->key > 0 && m.keys[job->key].taken && m.keys[job->key].id == job->id)
    m.keys[job->key].taken = false;
}

#endif
