/* queue_sweep.c -- what time does to a queue: due jobs become ready, leases end, ticks come, finished jobs go.
**
** The tally knows for each of these a time before which there is nothing to do, so that mostly nothing is read. Steps are bounded; what is left over is due still,
** and the next operation goes on. Claims have no range by time: they are few, and all of them are read when the earliest lease that was given out ends, which with
** leases that are renewed or given back in time happens once in the length of a lease. */
#include "queue_row.h"

enum { DELAYED_STEP = 1000, LEASE_STEP = 256, PRUNE_STEP = 4 };

/* ---- delayed jobs ---- */

/* Only groups need the job itself. */
static ld_rc make_ready(queue_work *work, ld_job *job) {
  ld_rc rc = queue_leave(work, job);
  if (rc == LD_OK && work->options.limit.by[0] != 0) {
    rc = queue_load(work, job->id, job);
    if (rc == LD_NOTFOUND) rc = queue_damaged(work->txn, "a job");
  }
  job->state = LD_JOB_READY;
  return rc == LD_OK ? queue_enter(work, job) : rc;
}

static ld_rc wake_delayed(queue_work *work) {
  ld_row row;
  int64_t key[2];
  ld_job job = {.state = LD_JOB_DELAYED};
  work->tally.due[QUEUE_DUE_DELAYED] = INT64_MAX;
  work->changed = true;
  ld_rc rc = queue_first(work, QUEUE_DELAYED, &row);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = queue_key_numbers(work, QUEUE_DELAYED, row.key, key, 2, NULL);
  if (rc != LD_OK) return rc;
  work->tally.due[QUEUE_DUE_DELAYED] = job.run_at = key[0];
  job.id = key[1];
  if (job.run_at > work->now) return LD_OK;
  if (!queue_take_int(&row.payload, &job.priority)) return queue_damaged(work->txn, "a job");
  return make_ready(work, &job);
}

/* ---- leases ---- */

ld_rc queue_end_lease(queue_work *work, int64_t id) {
  ld_job job;
  queue_claim claim;
  ld_buf errors = {0};
  ld_rc rc = queue_find(work, id, &job, &claim);
  if (rc == LD_NOTFOUND || (rc == LD_OK && job.state != LD_JOB_RUNNING))
    return queue_damaged(work->txn, "a claim");
  if (rc == LD_OK) rc = queue_end_run(work, &job);
  if (rc != LD_OK) return rc;
  work->tally.totals[QUEUE_LOST]++;
  if (claim.cancelled) return queue_finish(work, &job, LD_JOB_CANCELLED);
  queue_add_error(&job, LD_LITERAL("the lease ended before the job did"), work->now, &errors);
  if (errors.failed) {
    rc = queue_no_memory(work->txn);
  } else if (job.attempt >= job.max_attempts) {
    rc = queue_finish(work, &job, LD_JOB_DEAD);
  } else {
    job.state = LD_JOB_READY;
    work->tally.totals[QUEUE_RETRIED]++;
    rc = queue_put_job(work, &job);
    if (rc == LD_OK) rc = queue_enter(work, &job);
  }
  ld_buf_clear(&errors);
  return rc;
}

/* The ids of claims whose lease has ended, and when the next one ends. */
static ld_rc find_ended(queue_work *work, int64_t ids[LEASE_STEP], size_t *count, int64_t *next) {
  queue_space space;
  queue_claim claim;
  ld_scan scan;
  ld_row row;
  ld_buf prefix = queue_key(space, work, QUEUE_CLAIM);
  ld_rc rc = ld_scan_begin(&scan, work->txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  *count = 0;
  *next = INT64_MAX;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = queue_read_claim(work->txn, row.payload, &claim);
    if (rc == LD_OK) rc = queue_key_numbers(work, QUEUE_CLAIM, row.key, &ids[*count], 1, NULL);
    if (rc != LD_OK) break;
    if (claim.lease_until > work->now) {
      if (claim.lease_until < *next) *next = claim.lease_until;
    } else if (++*count == LEASE_STEP) {
      *next = work->now;
      break;
    }
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc end_leases(queue_work *work) {
  int64_t ids[LEASE_STEP], next;
  size_t count;
  ld_rc rc = find_ended(work, ids, &count, &next);
  if (rc != LD_OK) return rc;
  work->tally.due[QUEUE_DUE_LEASE] = next;
  work->changed = true;
  for (size_t i = 0; i < count && rc == LD_OK; i++) rc = queue_end_lease(work, ids[i]);
  return rc;
}

/* ---- finished jobs ---- */

static ld_rc remove_finished(queue_work *work, ld_job_state state, int64_t id) {
  ld_job job;
  ld_rc rc = queue_load(work, id, &job);
  if (rc == LD_NOTFOUND || (rc == LD_OK && job.state != state))
    return queue_damaged(work->txn, "a job");
  if (rc == LD_OK) rc = queue_leave(work, &job);
  return rc == LD_OK ? queue_forget(work, &job, false) : rc;
}

ld_rc queue_prune_first(queue_work *work, ld_job_state state, int64_t before, bool *pruned,
                        int64_t *finished_at) {
  queue_space space;
  ld_row row;
  int64_t key[3];
  *pruned = false;
  ld_rc rc = queue_first_of(work, queue_key1(space, work, QUEUE_FINISHED, state), &row);
  if (rc != LD_OK) return rc;
  rc = queue_key_numbers(work, QUEUE_FINISHED, row.key, key, 3, NULL);
  if (rc != LD_OK) return rc;
  *finished_at = key[1];
  *pruned = key[1] <= before;
  return *pruned ? remove_finished(work, state, key[2]) : LD_OK;
}

static ld_rc prune_by_time(queue_work *work, ld_job_state state, int64_t keep_ms, int64_t *due) {
  bool pruned = true;
  int64_t finished_at;
  ld_rc rc = LD_OK;
  for (int i = 0; pruned && i < PRUNE_STEP && *due <= work->now; i++) {
    rc = queue_prune_first(work, state, work->now - keep_ms, &pruned, &finished_at);
    if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
    *due = rc == LD_OK ? queue_later(finished_at, keep_ms) : INT64_MAX;
    work->changed = true;
  }
  return LD_OK;
}

static ld_rc prune_by_count(queue_work *work, uint64_t most) {
  bool pruned = true;
  int64_t finished_at;
  ld_rc rc = LD_OK;
  for (int i = 0; rc == LD_OK && pruned && i < PRUNE_STEP; i++) {
    if (work->tally.states[LD_JOB_DONE] <= most) break;
    rc = queue_prune_first(work, LD_JOB_DONE, INT64_MAX, &pruned, &finished_at);
  }
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "the range of a state") : rc;
}

ld_rc queue_prune_some(queue_work *work) {
  const ld_queue_options *options = &work->options;
  int64_t *due = work->tally.due;
  ld_rc rc = options->keep_done_count > 0
                 ? prune_by_count(work, (uint64_t)options->keep_done_count)
                 : prune_by_time(work, LD_JOB_DONE, options->keep_done_ms, &due[QUEUE_DUE_DONE]);
  if (rc == LD_OK)
    rc = prune_by_time(work, LD_JOB_DEAD, options->keep_dead_ms, &due[QUEUE_DUE_DEAD]);
  if (rc == LD_OK)
    rc = prune_by_time(work, LD_JOB_CANCELLED, options->keep_dead_ms, &due[QUEUE_DUE_CANCELLED]);
  return rc == LD_OK ? queue_close_windows(work) : rc;
}

/* ---- all ---- */

ld_rc queue_sweep(queue_work *work) {
  const int64_t *due = work->tally.due;
  ld_rc rc = LD_OK;
  if (due[QUEUE_DUE_TICK] <= work->now) rc = queue_tick(work);
  for (int i = 0; rc == LD_OK && i < DELAYED_STEP && due[QUEUE_DUE_DELAYED] <= work->now; i++)
    rc = wake_delayed(work);
  if (rc == LD_OK && due[QUEUE_DUE_LEASE] <= work->now) rc = end_leases(work);
  if (rc == LD_OK) rc = queue_wake_groups(work);
  return rc == LD_OK ? queue_prune_some(work) : rc;
}
