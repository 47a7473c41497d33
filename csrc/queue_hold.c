/* queue_hold.c -- what the holder of a job does with it: ack, fail, release, extend. Only the current token counts. */
#include "queue_row.h"

/* ---- holding ---- */

/* The claim that `held` is the holder of; else the verdict is LOST. */
static ld_rc find_claim(queue_work *work, ld_held held, queue_claim *claim, ld_verdict *verdict) {
  *verdict = LD_VERDICT_LOST;
  if (work->number == 0) return LD_OK;
  ld_rc rc = queue_get_claim(work, held.id, claim);
  if (rc == LD_NOTFOUND || (rc == LD_OK && claim->token != held.token)) return LD_OK;
  if (rc == LD_OK) *verdict = claim->cancelled ? LD_VERDICT_CANCELLED : LD_VERDICT_OK;
  return rc;
}

static ld_rc load_claimed(queue_work *work, int64_t id, const queue_claim *claim, ld_job *job) {
  ld_rc rc = queue_load(work, id, job);
  if (rc == LD_NOTFOUND) return queue_damaged(work->txn, "a job");
  job->attempt = claim->attempt;
  job->claimed_at = claim->claimed_at;
  return rc;
}

static ld_rc load_held(queue_work *work, ld_held held, ld_job *job, queue_claim *claim,
                       ld_verdict *verdict) {
  ld_rc rc = find_claim(work, held, claim, verdict);
  if (rc != LD_OK || *verdict == LD_VERDICT_LOST) return rc;
  return load_claimed(work, held.id, claim, job);
}

/* It runs no more; when it was cancelled, that is its end. */
static ld_rc end_held(queue_work *work, ld_job *job, const queue_claim *claim) {
  ld_rc rc = queue_end_run(work, job);
  return rc == LD_OK && claim->cancelled ? queue_finish(work, job, LD_JOB_CANCELLED) : rc;
}

/* ---- ack ---- */

/* Whether the job goes without a trace: then it is not read. */
static bool is_plain(const queue_work *work, const queue_claim *claim) {
  const ld_queue_options *options = &work->options;
  return !claim->cancelled && !claim->keyed && options->limit.by[0] == 0 &&
         options->keep_done_ms == 0 && options->keep_done_count == 0;
}

static ld_rc ack(queue_work *work, ld_held held, ld_verdict *verdict) {
  queue_claim claim;
  ld_rc rc = find_claim(work, held, &claim, verdict);
  if (rc != LD_OK || *verdict == LD_VERDICT_LOST) return rc;
  ld_job job = {.id = held.id, .lane = claim.lane};
  if (!is_plain(work, &claim)) rc = load_claimed(work, held.id, &claim, &job);
  if (rc != LD_OK) return rc;
  queue_timing_add(&work->tally.run, work->now - claim.claimed_at);
  rc = end_held(work, &job, &claim);
  return rc == LD_OK && !claim.cancelled ? queue_finish(work, &job, LD_JOB_DONE) : rc;
}

ld_rc ld_queue_ack(ld_txn *txn, ld_slice queue, const ld_held *held, size_t count,
                   ld_verdict *verdicts) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  for (size_t i = 0; i < count && rc == LD_OK; i++) rc = ack(&work, held[i], &verdicts[i]);
  if (rc == LD_OK && work.changed) rc = queue_prune_some(&work);
  return queue_close(&work, rc);
}

ld_rc ld_queue_next(ld_txn *txn, ld_slice queue, ld_held held, const ld_claim *claim,
                    ld_verdict *verdict, ld_job_visit visit, void *context, size_t *count) {
  queue_work work;
  ld_verdict told;
  size_t claimed = 0;
  ld_rc rc = queue_check_claim(txn, claim);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  rc = ack(&work, held, &told);
  if (rc == LD_OK && work.number != 0) rc = queue_sweep(&work);
  if (rc == LD_OK) rc = queue_claim_some(&work, claim, visit, context, &claimed);
  rc = queue_close(&work, rc);
  if (rc != LD_OK) return rc;
  *verdict = told;
  *count = claimed;
  return LD_OK;
}

/* ---- fail ---- */

static int64_t retry_delay(queue_work *work, const ld_failure *failure, int64_t attempt) {
  const ld_env *env = &work->txn->engine->env;
  uint64_t chance;
  if (failure->delayed) return failure->delay_ms;
  env->random(env->context, &chance, sizeof chance);
  return ld_backoff_ms(&work->options, attempt, chance);
}

/* Back among the waiting, from `delay_ms` on. */
static ld_rc wait_again(queue_work *work, ld_job *job, int64_t delay_ms) {
  job->run_at = queue_later(work->now, delay_ms);
  job->state = delay_ms > 0 ? LD_JOB_DELAYED : LD_JOB_READY;
  ld_rc rc = queue_put_job(work, job);
  return rc == LD_OK ? queue_enter(work, job) : rc;
}

static ld_rc fail_job(queue_work *work, ld_job *job, const ld_failure *failure) {
  ld_buf errors = {0};
  ld_rc rc;
  queue_add_error(job, failure->error, work->now, &errors);
  work->tally.totals[QUEUE_FAILED]++;
  queue_timing_add(&work->tally.run, work->now - job->claimed_at);
  if (errors.failed) {
    rc = queue_no_memory(work->txn);
  } else if (failure->no_retry || job->attempt >= job->max_attempts) {
    rc = queue_finish(work, job, LD_JOB_DEAD);
  } else {
    work->tally.totals[QUEUE_RETRIED]++;
    rc = wait_again(work, job, retry_delay(work, failure, job->attempt));
  }
  ld_buf_clear(&errors);
  return rc;
}

static ld_rc check_ms(ld_txn *txn, const char *what, int64_t ms, int64_t least) {
  if (ms >= least && ms <= LD_QUEUE_LONGEST) return LD_OK;
  return ld_fail(ld_error_of(txn), LD_INVALID, "%s: %lld ms is not between %lld and %lld", what,
                 (long long)ms, (long long)least, (long long)LD_QUEUE_LONGEST);
}

ld_rc ld_queue_fail(ld_txn *txn, ld_slice queue, ld_held held, const ld_failure *failure,
                    ld_verdict *verdict, ld_job_state *state) {
  queue_work work;
  ld_job job;
  queue_claim claim;
  ld_verdict told;
  ld_rc rc = check_ms(txn, "delay", failure->delay_ms, 0);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  rc = load_held(&work, held, &job, &claim, &told);
  if (rc == LD_OK && told != LD_VERDICT_LOST) rc = end_held(&work, &job, &claim);
  if (rc == LD_OK && told == LD_VERDICT_OK) rc = fail_job(&work, &job, failure);
  if (rc == LD_OK && work.changed) rc = queue_prune_some(&work);
  rc = queue_close(&work, rc);
  if (rc != LD_OK) return rc;
  *verdict = told;
  if (state != NULL && told != LD_VERDICT_LOST) *state = job.state;
  return LD_OK;
}

/* ---- release, extend ---- */

/* Without a delay it has its old place again. */
static ld_rc release(queue_work *work, ld_job *job, int64_t delay_ms) {
  job->attempt--;
  work->tally.totals[QUEUE_RELEASED]++;
  if (delay_ms > 0) return wait_again(work, job, delay_ms);
  job->state = LD_JOB_READY; /* as its row says already */
  return queue_enter(work, job);
}

ld_rc ld_queue_release(ld_txn *txn, ld_slice queue, ld_held held, int64_t delay_ms,
                       ld_verdict *verdict) {
  queue_work work;
  ld_job job;
  queue_claim claim;
  ld_verdict told;
  ld_rc rc = check_ms(txn, "delay", delay_ms, 0);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  rc = load_held(&work, held, &job, &claim, &told);
  if (rc == LD_OK && told != LD_VERDICT_LOST) rc = end_held(&work, &job, &claim);
  if (rc == LD_OK && told == LD_VERDICT_OK) rc = release(&work, &job, delay_ms);
  rc = queue_close(&work, rc);
  if (rc == LD_OK) *verdict = told;
  return rc;
}

static ld_rc extend(queue_work *work, ld_held held, int64_t until, ld_verdict *verdict) {
  queue_claim claim;
  ld_rc rc = find_claim(work, held, &claim, verdict);
  if (rc != LD_OK || *verdict != LD_VERDICT_OK || claim.lease_until == until) return rc;
  bool earlier = until < work->tally.due[QUEUE_DUE_LEASE];
  claim.lease_until = until;
  rc = queue_put_claim(work, held.id, &claim);
  work->changed = earlier; /* else the tally need not be written */
  return rc;
}

ld_rc ld_queue_extend(ld_txn *txn, ld_slice queue, ld_held held, int64_t lease_ms,
                      ld_verdict *verdict, int64_t *lease_until) {
  queue_work work;
  ld_verdict told;
  ld_rc rc = check_ms(txn, "lease", lease_ms, 1);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  int64_t until = queue_later(work.now, lease_ms);
  rc = queue_close(&work, extend(&work, held, until, &told));
  if (rc != LD_OK) return rc;
  *verdict = told;
  if (told == LD_VERDICT_OK) *lease_until = until;
  return LD_OK;
}
