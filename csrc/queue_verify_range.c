/* queue_verify_range.c -- each row of a range, and each claim: whether there is such a job. That a job is in one range only is seen from the job. */
#include "queue_verify_run.h"

/* `fits`: the job's row says what the range's row says. `range`: what it would be. */
static ld_rc tell(queue_verify *v, int64_t id, const char *range, bool there, bool fits) {
  if (there && fits) return LD_OK;
  queue_at(v, "job %lld", (long long)id);
  return queue_found(v, "job",
                     there ? "has a row as a %s job, but is none"
                           : "has a row as a %s job, but is not there",
                     range);
}

static void due_by(queue_verify *v, int what, int64_t at) {
  if (at < v->due[what]) v->due[what] = at;
}

/* A failure of queue_meet that was found with the job's row. */
static bool is_known(ld_rc rc) { return rc == LD_CORRUPT || rc == LD_UNSUPPORTED; }

static ld_rc claim_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_claim claim;
  ld_job job;
  int64_t id;
  bool there;
  if (!queue_take_parts(&rest, &id, 1)) return LD_OK;
  bool sound = queue_read_claim(v->work.txn, row->payload, &claim) == LD_OK && claim.token > 0 &&
               claim.attempt > 0;
  queue_at(v, "job %lld", (long long)id);
  if (!sound) return queue_found(v, "job", "its claim cannot be read");
  due_by(v, QUEUE_DUE_LEASE, claim.lease_until);
  ld_rc rc = queue_meet(v, id, &job, &there);
  if (rc != LD_OK) return queue_pass(rc);
  rc = tell(v, id, "running", there, there && job.state == LD_JOB_READY);
  if (rc != LD_OK || !there || job.state != LD_JOB_READY) return rc;
  if (claim.lane == job.lane && claim.keyed == (job.key.size > 0)) return LD_OK;
  return queue_found(v, "job",
                     "its claim says where its row is, or whether it has a key, and errs");
}

static ld_rc delayed_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  ld_slice payload = row->payload;
  ld_job job = {.id = 0};
  int64_t key[2], priority;
  bool there;
  if (!queue_take_parts(&rest, key, 2)) return LD_OK;
  due_by(v, QUEUE_DUE_DELAYED, key[0]);
  bool sound = queue_take_int(&payload, &priority);
  ld_rc rc = queue_meet(v, key[1], &job, &there);
  if (is_known(rc)) return LD_OK;
  bool fits =
      sound && job.state == LD_JOB_READY && job.run_at == key[0] && job.priority == priority;
  return rc == LD_OK ? tell(v, key[1], "delayed", there, fits) : rc;
}

static ld_rc finished_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  const ld_queue_options *options = &v->work.options;
  ld_job job = {.id = 0};
  int64_t key[3];
  bool there;
  (void)row;
  if (!queue_take_parts(&rest, key, 3)) return LD_OK;
  bool known = key[0] >= LD_JOB_DONE && key[0] < LD_JOB_STATES;
  if (key[0] == LD_JOB_DONE && options->keep_done_count == 0)
    due_by(v, QUEUE_DUE_DONE, queue_later(key[1], options->keep_done_ms));
  if (key[0] == LD_JOB_DEAD) due_by(v, QUEUE_DUE_DEAD, queue_later(key[1], options->keep_dead_ms));
  if (key[0] == LD_JOB_CANCELLED)
    due_by(v, QUEUE_DUE_CANCELLED, queue_later(key[1], options->keep_dead_ms));
  ld_rc rc = queue_meet(v, key[2], &job, &there);
  if (is_known(rc)) return LD_OK;
  bool fits = known && (int64_t)job.state == key[0] && job.finished_at == key[1];
  return rc == LD_OK ? tell(v, key[2], known ? ld_job_state_names[key[0]] : "finished", there, fits)
                     : rc;
}

/* With groups only the first of each that may run is in there. */
static ld_rc is_head(queue_verify *v, const ld_job *job, const int64_t key[3], bool *head) {
  queue_group of;
  queue_name_group(&v->work, job->data, &of);
  ld_rc rc = queue_load_group(&v->work, &of);
  *head = rc == LD_OK && of.has_head && queue_compare(of.head, key) == 0;
  return queue_pass(rc);
}

static ld_rc ready_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  ld_job job = {.id = 0};
  int64_t key[3];
  bool there, head = true;
  (void)row;
  if (!queue_take_parts(&rest, key, 3)) return LD_OK;
  ld_rc rc = queue_meet(v, key[2], &job, &there);
  if (is_known(rc)) return LD_OK;
  bool fits = job.state == LD_JOB_READY && job.priority == key[0] && job.run_at == key[1];
  if (rc == LD_OK) rc = tell(v, key[2], "ready", there, fits);
  if (rc != LD_OK || !there || !fits || !queue_has_groups(&v->work)) return rc;
  rc = is_head(v, &job, key, &head);
  if (rc != LD_OK || head) return rc;
  queue_at(v, "job %lld", (long long)key[2]);
  return queue_found(v, "job", "has a row as the first of its group, but is not");
}

ld_rc queue_verify_ranges(queue_verify *v) {
  ld_rc rc = queue_each(v, QUEUE_CLAIM, claim_row);
  if (rc == LD_OK) rc = queue_each(v, QUEUE_READY, ready_row);
  if (rc == LD_OK) rc = queue_each(v, QUEUE_DELAYED, delayed_row);
  return rc == LD_OK ? queue_each(v, QUEUE_FINISHED, finished_row) : rc;
}
