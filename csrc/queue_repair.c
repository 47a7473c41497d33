/* queue_repair.c -- cancel, retry, delete, prune, pause, drain. */
#include "queue_row.h"

/* ---- cancel ---- */

static ld_rc cancel(queue_work *work, int64_t id) {
  ld_job job;
  queue_claim claim;
  ld_rc rc = queue_find(work, id, &job, &claim);
  if (rc != LD_OK) return rc;
  if (job.state >= LD_JOB_DONE || job.cancelled) return LD_NOTFOUND;
  if (job.state == LD_JOB_RUNNING) {
    claim.cancelled = true;
    return queue_put_claim(work, id, &claim);
  }
  rc = queue_leave(work, &job);
  return rc == LD_OK ? queue_finish(work, &job, LD_JOB_CANCELLED) : rc;
}

ld_rc ld_queue_cancel(ld_txn *txn, ld_slice queue, int64_t id) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  return rc == LD_OK ? queue_close(&work, cancel(&work, id)) : rc;
}

/* ---- retry ---- */

static ld_rc key_is_taken(queue_work *work, const ld_job *job, int64_t holder) {
  ld_quoted quoted;
  return ld_fail(ld_error_of(work->txn), LD_EXISTS, "job %lld: its key %s is job %lld's now",
                 (long long)job->id, ld_quote(job->key, quoted), (long long)holder);
}

/* `job` is dead and loaded. `*holder`: of its key; when that is another job nothing was done. */
static ld_rc retry(queue_work *work, ld_job *job, int64_t *holder) {
  ld_rc rc = LD_OK;
  *holder = job->id;
  if (job->key.size > 0) rc = queue_take_key(work, job->key, job->id, 0, holder);
  if (rc != LD_OK || *holder != job->id) return rc;
  rc = queue_leave(work, job);
  if (rc != LD_OK) return rc;
  job->state = LD_JOB_READY;
  job->attempt = 0;
  job->run_at = work->now;
  job->finished_at = 0;
  rc = queue_put_job(work, job);
  return rc == LD_OK ? queue_enter(work, job) : rc;
}

static ld_rc retry_one(queue_work *work, int64_t id) {
  ld_job job;
  queue_claim claim;
  int64_t holder;
  ld_rc rc = queue_find(work, id, &job, &claim);
  if (rc == LD_OK && job.state != LD_JOB_DEAD) return LD_NOTFOUND;
  if (rc == LD_OK) rc = retry(work, &job, &holder);
  return rc == LD_OK && holder != id ? key_is_taken(work, &job, holder) : rc;
}

ld_rc ld_queue_retry(ld_txn *txn, ld_slice queue, int64_t id) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  return rc == LD_OK ? queue_close(&work, retry_one(&work, id)) : rc;
}

/* ---- many ---- */

typedef ld_rc (*act_on)(queue_work *work, int64_t id, uint64_t *count);

static ld_rc act_on_each(queue_work *work, ld_job_state state, act_on act, uint64_t *count) {
  queue_walk walk;
  int64_t id;
  ld_rc rc = queue_walk_begin(&walk, work, state, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = queue_walk_next(&walk, &id)) == LD_OK) {
    rc = act(work, id, count);
    if (rc != LD_OK) break;
  }
  queue_walk_end(&walk);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc retry_each(queue_work *work, int64_t id, uint64_t *count) {
  ld_job job;
  int64_t holder;
  ld_rc rc = queue_load(work, id, &job);
  if (rc == LD_OK) rc = retry(work, &job, &holder);
  if (rc == LD_NOTFOUND) return queue_damaged(work->txn, "a job");
  if (rc == LD_OK && holder == id) ++*count;
  return rc;
}

ld_rc ld_queue_retry_all(ld_txn *txn, ld_slice queue, uint64_t *count) {
  queue_work work;
  uint64_t retried = 0;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  if (work.number != 0) rc = act_on_each(&work, LD_JOB_DEAD, retry_each, &retried);
  rc = queue_close(&work, rc);
  if (rc == LD_OK) *count = retried;
  return rc;
}

/* ---- delete, drain ---- */

static ld_rc delete_one(queue_work *work, int64_t id) {
  ld_job job;
  queue_claim claim;
  ld_rc rc = queue_find(work, id, &job, &claim);
  if (rc != LD_OK) return rc;
  rc = job.state == LD_JOB_RUNNING ? queue_end_run(work, &job) : queue_leave(work, &job);
  return rc == LD_OK ? queue_forget(work, &job, true) : rc;
}

ld_rc ld_queue_delete(ld_txn *txn, ld_slice queue, int64_t id) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  return rc == LD_OK ? queue_close(&work, delete_one(&work, id)) : rc;
}

static ld_rc drain_one(queue_work *work, int64_t id, uint64_t *count) {
  ld_job job;
  queue_claim claim;
  ld_rc rc = queue_find(work, id, &job, &claim);
  if (rc == LD_OK) rc = queue_leave(work, &job);
  if (rc == LD_OK) rc = queue_forget(work, &job, true);
  ++*count;
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "a job") : rc;
}

static ld_rc drain(queue_work *work, uint64_t *count) {
  ld_rc rc = act_on_each(work, LD_JOB_READY, drain_one, count);
  return rc == LD_OK ? act_on_each(work, LD_JOB_DELAYED, drain_one, count) : rc;
}

ld_rc ld_queue_drain(ld_txn *txn, ld_slice queue, uint64_t *count) {
  queue_work work;
  uint64_t drained = 0;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  if (work.number != 0) rc = drain(&work, &drained);
  rc = queue_close(&work, rc);
  if (rc == LD_OK) *count = drained;
  return rc;
}

/* ---- prune ---- */

static ld_rc prune(queue_work *work, ld_job_state state, int64_t before, uint64_t *count) {
  bool pruned = true;
  int64_t finished_at;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && pruned) {
    rc = queue_prune_first(work, state, before, &pruned, &finished_at);
    if (rc == LD_OK && pruned) ++*count;
  }
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc check_prune(ld_txn *txn, ld_job_state state, int64_t older_ms) {
  ld_error *error = ld_error_of(txn);
  if (state < LD_JOB_DONE)
    return ld_fail(error, LD_INVALID, "prune: %s jobs are not finished", ld_job_state_names[state]);
  if (older_ms >= 0 && older_ms <= LD_QUEUE_LONGEST) return LD_OK;
  return ld_fail(error, LD_INVALID, "older_than: %lld ms is not between 0 and %lld",
                 (long long)older_ms, (long long)LD_QUEUE_LONGEST);
}

ld_rc ld_queue_prune(ld_txn *txn, ld_slice queue, ld_job_state state, int64_t older_ms,
                     uint64_t *count) {
  queue_work work;
  uint64_t pruned = 0;
  ld_rc rc = check_prune(txn, state, older_ms);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  for (int one = LD_JOB_DONE; one < LD_JOB_STATES && rc == LD_OK && work.number != 0; one++)
    if (state == LD_JOB_STATES || (int)state == one)
      rc = prune(&work, (ld_job_state)one, work.now - older_ms, &pruned);
  rc = queue_close(&work, rc);
  if (rc == LD_OK) *count = pruned;
  return rc;
}

/* ---- pause ---- */

ld_rc ld_queue_pause(ld_txn *txn, ld_slice queue, bool paused) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, paused);
  if (rc != LD_OK) return rc;
  if (work.tally.paused != paused) work.changed = true;
  work.tally.paused = paused;
  return queue_close(&work, LD_OK);
}
