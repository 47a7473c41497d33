/* queue_job.c -- the rows of a job: JOB or LANE, CLAIM, and the row of its state's range. Rows: queue_row.c.
**
** A job enters the lane when it is made, if it is to run behind all that did; its row stays there for good, unless it leaves the lane out of turn.
** A waiting job's row says ready; whether it is delayed or runs, its DELAYED or CLAIM row says. So those changes do not write its data again. */
#include "queue_row.h"

/* ---- claims ---- */

enum { CANCELLED = 1, LANE = 2, KEYED = 4 };

bool queue_decode_claim(ld_slice payload, queue_claim *claim) {
  int64_t flags;
  if (!queue_take_int(&payload, &claim->token) || !queue_take_int(&payload, &claim->attempt) ||
      !queue_take_int(&payload, &claim->claimed_at) ||
      !queue_take_int(&payload, &claim->lease_until) || !queue_take_int(&payload, &flags))
    return false;
  claim->cancelled = (flags & CANCELLED) != 0;
  claim->lane = (flags & LANE) != 0;
  claim->keyed = (flags & KEYED) != 0;
  return true;
}

ld_rc queue_read_claim(ld_txn *txn, ld_slice payload, queue_claim *claim) {
  return queue_decode_claim(payload, claim) ? LD_OK : queue_damaged(txn, "a claim");
}

ld_rc queue_get_claim(queue_work *work, int64_t id, queue_claim *claim) {
  queue_space space;
  ld_row row;
  ld_rc rc = ld_row_get(work->txn, queue_key1(space, work, QUEUE_CLAIM, id), &row);
  return rc == LD_OK ? queue_read_claim(work->txn, row.payload, claim) : rc;
}

ld_rc queue_put_claim(queue_work *work, int64_t id, const queue_claim *claim) {
  queue_space space;
  uint8_t room[64];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  queue_put_int(&payload, claim->token);
  queue_put_int(&payload, claim->attempt);
  queue_put_int(&payload, claim->claimed_at);
  queue_put_int(&payload, claim->lease_until);
  queue_put_int(&payload, (claim->cancelled ? CANCELLED : 0) | (claim->lane ? LANE : 0) |
                              (claim->keyed ? KEYED : 0));
  queue_due_by(&work->tally, QUEUE_DUE_LEASE, claim->lease_until);
  work->changed = true;
  return ld_row_put_plain(work->txn, queue_key1(space, work, QUEUE_CLAIM, id),
                          ld_buf_slice(&payload));
}

ld_rc queue_del_claim(queue_work *work, int64_t id) {
  queue_space space;
  ld_rc rc = ld_row_del(work->txn, queue_key1(space, work, QUEUE_CLAIM, id));
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "a claim") : rc;
}

/* ---- the record ---- */

static void put_bytes(ld_buf *payload, ld_slice bytes) {
  ld_buf_varint(payload, bytes.size);
  ld_buf_add(payload, bytes);
}

static bool take_bytes(ld_slice *rest, ld_slice *bytes) {
  uint64_t size;
  if (!ld_read_varint(rest, &size) || size > rest->size) return false;
  *bytes = ld_bytes(rest->data, (size_t)size);
  *rest = ld_bytes(rest->data + size, rest->size - (size_t)size);
  return true;
}

void queue_encode_job(const ld_job *job, ld_buf *payload) {
  ld_buf_byte(payload, (uint8_t)job->state);
  ld_buf_varint(payload, (uint64_t)job->attempt);
  ld_buf_varint(payload, (uint64_t)job->max_attempts);
  queue_put_int(payload, job->priority);
  queue_put_int(payload, job->run_at);
  queue_put_int(payload, job->enqueued_at);
  queue_put_int(payload, job->finished_at);
  ld_buf_varint(payload, (uint64_t)job->timeout_ms);
  put_bytes(payload, job->key);
  put_bytes(payload, job->tags);
  ld_buf_varint(payload, job->error_count);
  put_bytes(payload, job->errors);
  ld_buf_add(payload, job->data);
}

bool queue_decode_job(ld_slice rest, ld_job *job) {
  uint64_t attempt, max_attempts, timeout, errors;
  *job = (ld_job){0};
  if (rest.size == 0 || rest.data[0] >= LD_JOB_STATES) return false;
  job->state = (ld_job_state)rest.data[0];
  rest = ld_bytes(rest.data + 1, rest.size - 1);
  if (!ld_read_varint(&rest, &attempt) || !ld_read_varint(&rest, &max_attempts) ||
      !queue_take_int(&rest, &job->priority) || !queue_take_int(&rest, &job->run_at) ||
      !queue_take_int(&rest, &job->enqueued_at) || !queue_take_int(&rest, &job->finished_at) ||
      !ld_read_varint(&rest, &timeout) || !take_bytes(&rest, &job->key) ||
      !take_bytes(&rest, &job->tags) || !ld_read_varint(&rest, &errors) ||
      !take_bytes(&rest, &job->errors))
    return false;
  job->attempt = (int64_t)attempt;
  job->max_attempts = (int64_t)max_attempts;
  job->timeout_ms = (int64_t)timeout;
  job->error_count = (size_t)errors;
  job->data = rest;
  return true;
}

ld_rc ld_job_of_row(ld_slice tuple, ld_slice payload, ld_job *job, ld_slice *head) {
  ld_part kind, id;
  bool ours = ld_tuple_next(&tuple, &kind, NULL) == LD_OK && kind.kind == LD_PART_INT &&
              (kind.integer == QUEUE_LANE || kind.integer == QUEUE_JOB);
  if (!ours) return LD_NOTFOUND;
  if (ld_tuple_next(&tuple, &id, NULL) != LD_OK || id.kind != LD_PART_INT) return LD_CORRUPT;
  if (!queue_decode_job(payload, job)) return LD_CORRUPT;
  job->id = id.integer;
  *head = ld_bytes(payload.data, payload.size - job->data.size);
  return LD_OK;
}

void queue_add_error(ld_job *job, ld_slice text, int64_t at, ld_buf *errors) {
  ld_slice kept = job->errors, oldest;
  size_t count = job->error_count;
  while (count >= LD_QUEUE_ERRORS && ld_value_take(&kept, &oldest)) count--;
  if (text.size > LD_QUEUE_ERROR_MAX) {
    text.size = LD_QUEUE_ERROR_MAX;
    while (text.size > LD_QUEUE_ERROR_MAX - 4 && (text.data[text.size] & 0xc0) == 0x80) text.size--;
  }
  ld_buf_add(errors, kept);
  ld_write_map(errors, 3);
  ld_write_text(errors, "attempt");
  ld_write_int(errors, job->attempt);
  ld_write_text(errors, "error");
  ld_write_string(errors, text);
  ld_write_text(errors, "at");
  ld_write_int(errors, at);
  job->errors = ld_buf_slice(errors);
  job->error_count = count + 1;
}

/* ---- loading ---- */

static ld_rc copy_job(queue_work *work, ld_slice payload, int64_t id, bool lane, ld_job *job) {
  ld_buf_reset(&work->record);
  ld_buf_add(&work->record, payload);
  if (work->record.failed) return queue_no_memory(work->txn);
  if (!queue_decode_job(ld_buf_slice(&work->record), job)) return queue_damaged(work->txn, "a job");
  job->id = id;
  job->lane = lane;
  return LD_OK;
}

ld_rc queue_load(queue_work *work, int64_t id, ld_job *job) {
  queue_space space;
  ld_row row;
  bool lane = true;
  ld_rc rc = ld_row_get(work->txn, queue_key1(space, work, QUEUE_LANE, id), &row);
  if (rc == LD_NOTFOUND) {
    lane = false;
    rc = ld_row_get(work->txn, queue_key1(space, work, QUEUE_JOB, id), &row);
  }
  return rc == LD_OK ? copy_job(work, row.payload, id, lane, job) : rc;
}

static bool waits_in_lane(const queue_work *work, const ld_job *job) {
  return job->lane && job->state == LD_JOB_READY && job->id >= work->tally.head;
}

/* Of a waiting job. */
static ld_rc find_state(queue_work *work, ld_job *job, queue_claim *claim) {
  queue_space space;
  ld_row row;
  if (waits_in_lane(work, job)) return LD_OK;
  ld_rc rc = queue_get_claim(work, job->id, claim);
  if (rc == LD_OK) {
    job->state = LD_JOB_RUNNING;
    job->attempt = claim->attempt;
    job->claimed_at = claim->claimed_at;
    job->lease_until = claim->lease_until;
    job->cancelled = claim->cancelled;
  }
  if (rc != LD_NOTFOUND) return rc;
  rc = ld_row_get(work->txn, queue_key2(space, work, QUEUE_DELAYED, job->run_at, job->id), &row);
  if (rc == LD_OK) job->state = LD_JOB_DELAYED;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc queue_find(queue_work *work, int64_t id, ld_job *job, queue_claim *claim) {
  if (work->number == 0) return LD_NOTFOUND;
  ld_rc rc = queue_load(work, id, job);
  return rc == LD_OK && job->state == LD_JOB_READY ? find_state(work, job, claim) : rc;
}

static ld_slice job_key(queue_space space, const queue_work *work, const ld_job *job) {
  return queue_key1(space, work, job->lane ? QUEUE_LANE : QUEUE_JOB, job->id);
}

ld_rc queue_put_job(queue_work *work, const ld_job *job) {
  queue_space space;
  ld_buf payload = {0};
  ld_job stored = *job;
  if (stored.state == LD_JOB_DELAYED || stored.state == LD_JOB_RUNNING) stored.state = LD_JOB_READY;
  queue_encode_job(&stored, &payload);
  ld_rc rc = payload.failed
                 ? queue_no_memory(work->txn)
                 : ld_row_put_plain(work->txn, job_key(space, work, job), ld_buf_slice(&payload));
  ld_buf_clear(&payload);
  return rc;
}

/* ---- ranges ---- */

/* When a finished job goes. */
static int64_t prune_at(const queue_work *work, const ld_job *job) {
  const ld_queue_options *options = &work->options;
  if (job->state != LD_JOB_DONE) return queue_later(job->finished_at, options->keep_dead_ms);
  return options->keep_done_count > 0 ? INT64_MAX
                                      : queue_later(job->finished_at, options->keep_done_ms);
}

static int due_of(ld_job_state state) {
  return state == LD_JOB_DONE   ? QUEUE_DUE_DONE
         : state == LD_JOB_DEAD ? QUEUE_DUE_DEAD
                                : QUEUE_DUE_CANCELLED;
}

static ld_rc enter_delayed(queue_work *work, const ld_job *job) {
  queue_space space;
  uint8_t room[16];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  queue_put_int(&payload, job->priority);
  queue_due_by(&work->tally, QUEUE_DUE_DELAYED, job->run_at);
  return ld_row_put_plain(work->txn, queue_key2(space, work, QUEUE_DELAYED, job->run_at, job->id),
                          ld_buf_slice(&payload));
}

static ld_slice finished_key(queue_space space, const queue_work *work, const ld_job *job) {
  return queue_key3(space, work, QUEUE_FINISHED, job->state, job->finished_at, job->id);
}

static ld_rc enter_ready(queue_work *work, const ld_job *job) {
  if (!waits_in_lane(work, job)) return queue_add_ready(work, job);
  work->tally.in_lane++;
  work->tally.lane_at = job->run_at;
  return LD_OK;
}

ld_rc queue_enter(queue_work *work, const ld_job *job) {
  queue_space space;
  work->tally.states[job->state]++;
  work->changed = true;
  if (job->state == LD_JOB_DELAYED) return enter_delayed(work, job);
  if (job->state == LD_JOB_READY) return enter_ready(work, job);
  queue_due_by(&work->tally, due_of(job->state), prune_at(work, job));
  return ld_row_put_plain(work->txn, finished_key(space, work, job), LD_SLICE_NONE);
}

/* Out of turn: its row goes to the others. */
static ld_rc leave_lane(queue_work *work, ld_job *job) {
  queue_space space;
  work->tally.in_lane--;
  ld_rc rc = ld_row_del(work->txn, job_key(space, work, job));
  job->lane = false;
  return rc == LD_OK ? queue_put_job(work, job) : rc;
}

ld_rc queue_leave(queue_work *work, ld_job *job) {
  queue_space space;
  ld_rc rc;
  work->tally.states[job->state]--;
  work->changed = true;
  if (waits_in_lane(work, job))
    rc = leave_lane(work, job);
  else if (job->state == LD_JOB_DELAYED)
    rc = ld_row_del(work->txn, queue_key2(space, work, QUEUE_DELAYED, job->run_at, job->id));
  else if (job->state == LD_JOB_READY)
    rc = queue_del_ready(work, job);
  else
    rc = ld_row_del(work->txn, finished_key(space, work, job));
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "the range of a state") : rc;
}

/* ---- the first ---- */

bool queue_may_enter_lane(const queue_work *work, const ld_job *job) {
  return job->priority == 0 && job->state == LD_JOB_READY && work->options.limit.by[0] == 0 &&
         (work->tally.in_lane == 0 || job->run_at >= work->tally.lane_at);
}

static ld_rc seek_lane(queue_work *work, ld_job *job) {
  queue_space space, prefix;
  ld_scan scan;
  ld_row row;
  int64_t id;
  ld_buf lane = queue_key(prefix, work, QUEUE_LANE);
  ld_slice before = queue_key1(space, work, QUEUE_LANE, work->tally.head);
  ld_rc rc = ld_scan_begin(&scan, work->txn, ld_buf_slice(&lane), before);
  if (rc != LD_OK) return rc;
  rc = ld_scan_next(&scan, &row);
  if (rc == LD_OK) rc = queue_key_numbers(work, QUEUE_LANE, row.key, &id, 1, NULL);
  if (rc == LD_OK) rc = copy_job(work, row.payload, id, true, job);
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "the lane") : rc;
}

/* Where nothing else draws on the sequence, ids have no gaps. */
static ld_rc load_lane(queue_work *work, ld_job *job) {
  queue_space space;
  ld_row row;
  int64_t head = work->tally.head;
  ld_rc rc = ld_row_get(work->txn, queue_key1(space, work, QUEUE_LANE, head), &row);
  if (rc == LD_OK) return copy_job(work, row.payload, head, true, job);
  return rc == LD_NOTFOUND ? seek_lane(work, job) : rc;
}

/* Whether the READY range has one that is before it; load that. */
static ld_rc load_earlier(queue_work *work, ld_job *job, bool found) {
  ld_row row;
  int64_t key[3];
  ld_rc rc = queue_first(work, QUEUE_READY, &row);
  if (rc == LD_OK) rc = queue_key_numbers(work, QUEUE_READY, row.key, key, 3, NULL);
  if (rc != LD_OK) return rc == LD_NOTFOUND && found ? LD_OK : rc;
  if (found && queue_compare(key, (int64_t[]){job->priority, job->run_at, job->id}) > 0)
    return LD_OK;
  rc = queue_load(work, key[2], job);
  if (rc == LD_NOTFOUND || (rc == LD_OK && job->state != LD_JOB_READY))
    return queue_damaged(work->txn, "a job");
  return rc;
}

ld_rc queue_load_first(queue_work *work, ld_job *job) {
  const queue_tally *tally = &work->tally;
  bool lane = tally->in_lane > 0;
  if (tally->states[LD_JOB_READY] == 0) return LD_NOTFOUND;
  ld_rc rc = lane ? load_lane(work, job) : LD_OK;
  if (rc != LD_OK || tally->states[LD_JOB_READY] == tally->in_lane) return rc;
  return load_earlier(work, job, lane);
}

ld_rc queue_leave_first(queue_work *work, ld_job *job) {
  if (!waits_in_lane(work, job)) return queue_leave(work, job);
  work->tally.states[LD_JOB_READY]--;
  work->tally.in_lane--;
  work->tally.head = job->id + 1;
  work->changed = true;
  return LD_OK;
}

/* ---- running ---- */

ld_rc queue_begin_run(queue_work *work, const ld_job *job, const queue_claim *claim) {
  ld_rc rc = queue_put_claim(work, job->id, claim);
  work->tally.states[LD_JOB_RUNNING]++;
  return rc == LD_OK ? queue_group_began(work, job) : rc;
}

ld_rc queue_end_run(queue_work *work, const ld_job *job) {
  ld_rc rc = queue_del_claim(work, job->id);
  if (--work->tally.states[LD_JOB_RUNNING] == 0) work->tally.due[QUEUE_DUE_LEASE] = INT64_MAX;
  work->changed = true;
  return rc == LD_OK ? queue_group_ended(work, job) : rc;
}

/* ---- the end ---- */

ld_rc queue_forget(queue_work *work, const ld_job *job, bool free_key) {
  queue_space space;
  ld_rc rc = ld_row_del(work->txn, job_key(space, work, job));
  if (rc == LD_NOTFOUND) rc = queue_damaged(work->txn, "a job");
  return rc == LD_OK && free_key && job->key.size > 0 ? queue_free_key(work, job) : rc;
}

ld_rc queue_finish(queue_work *work, ld_job *job, ld_job_state state) {
  static const int totals[LD_JOB_STATES] = {
      [LD_JOB_DONE] = QUEUE_DONE, [LD_JOB_DEAD] = QUEUE_DEAD, [LD_JOB_CANCELLED] = QUEUE_CANCELLED};
  const ld_queue_options *options = &work->options;
  ld_rc rc = job->key.size > 0 ? queue_finish_key(work, job) : LD_OK;
  job->state = state;
  job->finished_at = work->now;
  work->tally.totals[totals[state]]++;
  work->changed = true;
  if (rc != LD_OK) return rc;
  if (state == LD_JOB_DONE && options->keep_done_ms == 0 && options->keep_done_count == 0)
    return queue_forget(work, job, false);
  rc = queue_put_job(work, job);
  return rc == LD_OK ? queue_enter(work, job) : rc;
}
