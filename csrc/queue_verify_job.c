/* queue_verify_job.c -- each job: its row, and whether it stands in the one range of its state. */
#include "queue_verify_run.h"

/* Where a job that has not ended may stand, in the order of these names. */
enum { IN_LANE, IN_CLAIMS, IN_DELAYED, IN_READY, PLACES };

static const ld_job_state state_in[PLACES] = {LD_JOB_READY, LD_JOB_RUNNING, LD_JOB_DELAYED,
                                              LD_JOB_READY};

static bool are_values(ld_slice values, size_t count) {
  ld_slice value;
  for (size_t i = 0; i < count; i++)
    if (!ld_value_take(&values, &value) || ld_value_check(value, NULL) != LD_OK) return false;
  return values.size == 0;
}

/* What is wrong with the row alone; NULL: nothing. */
static const char *check_row(ld_slice payload, ld_job *job) {
  if (!queue_decode_job(payload, job)) return "its row cannot be read";
  if (job->state == LD_JOB_DELAYED || job->state == LD_JOB_RUNNING)
    return "its row says a state that is never written";
  if (job->attempt < 0 || job->max_attempts < 1) return "its attempts are no numbers";
  if (job->tags.size > 0 && !are_values(job->tags, 1)) return "its tags are damaged";
  if (!are_values(job->errors, job->error_count)) return "its errors are damaged";
  if (!are_values(job->data, 1)) return "its data are damaged";
  return NULL;
}

/* ---- jobs that have not ended ---- */

static ld_slice ready_key(queue_space space, const queue_work *work, const ld_job *job) {
  queue_group of;
  if (!queue_has_groups(work))
    return queue_key3(space, work, QUEUE_READY, job->priority, job->run_at, job->id);
  queue_name_group(work, job->data, &of);
  ld_buf key = queue_group_key(space, work, QUEUE_GROUPED, &of);
  ld_tuple_int(&key, job->priority);
  ld_tuple_int(&key, job->run_at);
  ld_tuple_int(&key, job->id);
  return ld_buf_slice(&key);
}

static ld_rc find_places(queue_verify *v, const ld_job *job, bool places[PLACES]) {
  queue_space space;
  const queue_work *work = &v->work;
  places[IN_LANE] = job->lane && job->id >= work->tally.head;
  ld_rc rc = queue_is_there(v, queue_key1(space, work, QUEUE_CLAIM, job->id), &places[IN_CLAIMS]);
  if (rc == LD_OK)
    rc = queue_is_there(v, queue_key2(space, work, QUEUE_DELAYED, job->run_at, job->id),
                        &places[IN_DELAYED]);
  return rc == LD_OK ? queue_is_there(v, ready_key(space, work, job), &places[IN_READY]) : rc;
}

static ld_rc check_waiting(queue_verify *v, const ld_job *job) {
  static const char *const names[PLACES] = {"in the lane", "claimed", "delayed", "ready"};
  bool places[PLACES];
  int first = PLACES, other = PLACES;
  ld_rc rc = find_places(v, job, places);
  for (int i = 0; i < PLACES && rc == LD_OK; i++) {
    if (!places[i]) continue;
    if (first == PLACES)
      first = i;
    else
      other = i;
  }
  if (rc != LD_OK) return rc;
  if (first == PLACES) {
    v->skipped++;
    return queue_found(v, "job", "is in no range: nobody would run it");
  }
  v->states[state_in[first]]++;
  if (other == PLACES) return LD_OK;
  return queue_found(v, "job", "is %s, and %s, too", names[first], names[other]);
}

static ld_rc check_ended(queue_verify *v, const ld_job *job) {
  queue_space space;
  bool there;
  ld_slice key = queue_key3(space, &v->work, QUEUE_FINISHED, job->state, job->finished_at, job->id);
  v->states[job->state]++;
  ld_rc rc = queue_is_there(v, key, &there);
  if (rc != LD_OK || there) return rc;
  return queue_found(v, "job", "is %s, but not in the range of these jobs",
                     ld_job_state_names[job->state]);
}

/* ---- its key ---- */

static ld_rc check_key(queue_verify *v, const ld_job *job) {
  ld_quoted quoted;
  queue_key_row row = {.id = 0};
  if (job->key.size == 0 || job->key.size > LD_PART_MAX) return LD_OK;
  ld_rc rc = queue_get_key(&v->work, job->key, &row);
  if (rc == LD_OK && row.id == job->id && !row.finished) return LD_OK;
  if (rc != LD_OK && rc != LD_NOTFOUND && rc != LD_CORRUPT && rc != LD_UNSUPPORTED) return rc;
  ld_quote(job->key, quoted);
  if (rc == LD_OK && row.id != job->id)
    return queue_found(v, "job", "its key %s is job %lld's", quoted, (long long)row.id);
  return queue_found(v, "job", "its key %s is not taken", quoted);
}

/* ---- the lane ---- */

/* The lane is in order by its ids alone. */
static ld_rc check_lane(queue_verify *v, const ld_job *job) {
  const queue_work *work = &v->work;
  if (!job->lane || job->id < work->tally.head) return LD_OK;
  bool fits = job->state == LD_JOB_READY && job->priority == 0 && !queue_has_groups(work) &&
              job->run_at >= v->lane_at && job->run_at <= work->tally.lane_at;
  v->lane_at = job->run_at;
  if (job->state == LD_JOB_READY) v->in_lane++;
  return fits ? LD_OK : queue_found(v, "job", "is in the lane, where it does not belong");
}

/* ---- all jobs ---- */

static ld_rc check_job(queue_verify *v, const ld_job *job) {
  ld_rc rc = check_lane(v, job);
  if (rc != LD_OK) return rc;
  if (job->state >= LD_JOB_DONE) return check_ended(v, job);
  rc = check_waiting(v, job);
  return rc == LD_OK ? check_key(v, job) : rc;
}

static ld_rc look(queue_verify *v, const ld_row *row, ld_slice rest, bool lane) {
  ld_job job;
  int64_t id;
  if (!queue_take_parts(&rest, &id, 1)) return LD_OK;
  const char *wrong = check_row(row->payload, &job);
  queue_at(v, "job %lld", (long long)id);
  queue_note_number(v, id);
  job.id = id;
  job.lane = lane;
  if (wrong == NULL) return check_job(v, &job);
  v->skipped++;
  return queue_found_lasting(v, "job", wrong);
}

static ld_rc lane_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  return look(v, row, rest, true);
}

static ld_rc job_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_space space;
  ld_slice key = rest;
  int64_t id;
  bool twice = false;
  if (!queue_take_parts(&key, &id, 1)) return LD_OK;
  ld_rc rc = queue_is_there(v, queue_key1(space, &v->work, QUEUE_LANE, id), &twice);
  if (rc != LD_OK || !twice) return rc == LD_OK ? look(v, row, rest, false) : rc;
  queue_at(v, "job %lld", (long long)id);
  return queue_found(v, "job", "has two rows: one of the lane, and another");
}

ld_rc queue_verify_jobs(queue_verify *v) {
  ld_rc rc = queue_each(v, QUEUE_LANE, lane_row);
  return rc == LD_OK ? queue_each(v, QUEUE_JOB, job_row) : rc;
}
