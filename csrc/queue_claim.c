/* queue_claim.c -- giving out jobs. Everything that is due falls due first; then the first of the READY range runs, again and again. */
#include "queue_row.h"

static int64_t new_token(const ld_env *env) {
  uint64_t token = 0;
  while (token == 0) {
    env->random(env->context, &token, sizeof token);
    token >>= 1; /* a positive integer in every language */
  }
  return (int64_t)token;
}

static int64_t lease_ms(const queue_work *work, const ld_claim *claim, const ld_job *job) {
  if (claim->lease_ms > 0) return claim->lease_ms;
  return job->timeout_ms > 0 ? job->timeout_ms : work->options.lease_ms;
}

static ld_rc run(queue_work *work, const ld_claim *claim, ld_job *job, ld_job_visit visit,
                 void *context) {
  queue_claim run = {.token = new_token(&work->txn->engine->env),
                     .attempt = job->attempt + 1,
                     .claimed_at = work->now,
                     .lane = job->lane,
                     .keyed = job->key.size > 0,
                     .lease_until = queue_later(work->now, lease_ms(work, claim, job))};
  int64_t since = job->run_at > job->enqueued_at ? job->run_at : job->enqueued_at;
  ld_rc rc = queue_begin_run(work, job, &run);
  if (rc != LD_OK) return rc;
  work->tally.totals[QUEUE_CLAIMED]++;
  queue_timing_add(&work->tally.wait, work->now - since);
  job->state = LD_JOB_RUNNING;
  job->attempt = run.attempt;
  job->token = run.token;
  job->claimed_at = run.claimed_at;
  job->lease_until = run.lease_until;
  return visit(context, job);
}

ld_rc queue_claim_some(queue_work *work, const ld_claim *claim, ld_job_visit visit, void *context,
                       size_t *count) {
  ld_job job;
  int64_t from;
  size_t claimed = 0;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && claimed < claim->count && queue_is_open(work, &from)) {
    rc = queue_load_first(work, &job);
    if (rc == LD_OK) rc = queue_leave_first(work, &job);
    if (rc != LD_OK) break;
    rc = run(work, claim, &job, visit, context);
    claimed++;
  }
  if (rc == LD_NOTFOUND) rc = LD_OK;
  if (rc == LD_OK) *count = claimed;
  return rc;
}

ld_rc queue_check_claim(ld_txn *txn, const ld_claim *claim) {
  if (claim->lease_ms >= 0 && claim->lease_ms <= LD_QUEUE_LONGEST) return LD_OK;
  return ld_fail(ld_error_of(txn), LD_INVALID, "lease: %lld ms is not between 0 and %lld",
                 (long long)claim->lease_ms, (long long)LD_QUEUE_LONGEST);
}

ld_rc ld_queue_claim(ld_txn *txn, ld_slice queue, const ld_claim *claim, ld_job_visit visit,
                     void *context, size_t *count) {
  queue_work work;
  size_t claimed = 0;
  ld_rc rc = queue_check_claim(txn, claim);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  if (work.number != 0) rc = queue_sweep(&work);
  if (rc == LD_OK) rc = queue_claim_some(&work, claim, visit, context, &claimed);
  rc = queue_close(&work, rc);
  if (rc == LD_OK) *count = claimed;
  return rc;
}

/* ---- when to try again ---- */

/* With groups only the READY range knows. */
static ld_rc ready_from(queue_work *work, int64_t *from) {
  ld_row row;
  if (work->tally.states[LD_JOB_READY] == 0) {
    *from = INT64_MAX;
    return LD_OK;
  }
  if (!queue_is_open(work, from) || work->tally.in_lane > 0) return LD_OK;
  ld_rc rc = queue_first(work, QUEUE_READY, &row);
  if (rc == LD_NOTFOUND) *from = INT64_MAX;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_queue_due(ld_txn *txn, ld_slice queue, int64_t *at) {
  static const int kinds[] = {QUEUE_DUE_DELAYED, QUEUE_DUE_LEASE, QUEUE_DUE_TICK, QUEUE_DUE_WAKE};
  queue_work work;
  int64_t from = INT64_MAX;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  rc = ready_from(&work, &from);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (work.tally.due[kinds[i]] < from) from = work.tally.due[kinds[i]];
  rc = queue_close(&work, rc);
  if (rc == LD_OK) *at = from;
  return rc;
}
