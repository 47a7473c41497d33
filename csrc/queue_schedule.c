/* queue_schedule.c -- see queue_schedule.h.
**
** SCHEDULE (name) -> next time | every, ms; 0: cron | local | size of the cron text, the text | within | the job, as a JOB row */
#include "queue_schedule.h"

#include "queue_row.h"

typedef struct schedule_row {
  ld_schedule schedule;
  int64_t next, within_ms;
  ld_job job;    /* id and state mean nothing */
  ld_slice what; /* all but the next time */
} schedule_row;

static void encode(const schedule_row *row, ld_buf *payload) {
  queue_put_int(payload, row->schedule.every_ms);
  queue_put_int(payload, row->schedule.local ? 1 : 0);
  ld_buf_varint(payload, row->schedule.cron.size);
  ld_buf_add(payload, row->schedule.cron);
  queue_put_int(payload, row->within_ms);
  queue_encode_job(&row->job, payload);
}

static ld_rc decode(ld_txn *txn, ld_slice rest, schedule_row *row) {
  int64_t local;
  uint64_t size;
  bool sound = queue_take_int(&rest, &row->next);
  row->what = rest;
  sound = sound && queue_take_int(&rest, &row->schedule.every_ms) &&
          queue_take_int(&rest, &local) && ld_read_varint(&rest, &size) && size <= rest.size;
  if (!sound) return queue_damaged(txn, "a schedule");
  row->schedule.local = local != 0;
  row->schedule.cron = ld_bytes(rest.data, (size_t)size);
  rest = ld_bytes(rest.data + size, rest.size - (size_t)size);
  if (queue_take_int(&rest, &row->within_ms) && queue_decode_job(rest, &row->job)) return LD_OK;
  return queue_damaged(txn, "a schedule");
}

/* The first tick after now; with a distance, so many whole ones after `before`. */
static ld_rc next_tick(queue_work *work, const ld_schedule *schedule, int64_t before,
                       int64_t *next) {
  ld_error *error = ld_error_of(work->txn);
  ld_cron cron;
  if (schedule->every_ms > 0) {
    int64_t passed = work->now > before ? (work->now - before) / schedule->every_ms : 0;
    *next = queue_later(before, (passed + 1) * schedule->every_ms);
    return LD_OK;
  }
  ld_rc rc = ld_cron_read(schedule->cron, &cron, error);
  if (rc != LD_OK) return rc;
  *next = ld_cron_next(&cron, &work->txn->engine->env, schedule->local, work->now);
  return LD_OK;
}

static ld_rc put_schedule(queue_work *work, ld_slice key, int64_t next, ld_slice what) {
  ld_buf payload = {0};
  queue_put_int(&payload, next);
  ld_buf_add(&payload, what);
  ld_rc rc = payload.failed ? queue_no_memory(work->txn)
                            : ld_row_put_plain(work->txn, key, ld_buf_slice(&payload));
  ld_buf_clear(&payload);
  queue_due_by(&work->tally, QUEUE_DUE_TICK, next);
  work->changed = true;
  return rc;
}

/* ---- ticks ---- */

/* One that is due: its next time first, for the job's bytes are in `copy` then. */
static ld_rc tick(queue_work *work, ld_slice key, ld_buf *copy) {
  schedule_row row;
  ld_enqueued made;
  int64_t next;
  ld_rc rc = decode(work->txn, ld_buf_slice(copy), &row);
  if (rc == LD_OK) rc = next_tick(work, &row.schedule, row.next, &next);
  if (rc == LD_OK) rc = put_schedule(work, key, next, row.what);
  if (rc != LD_OK) return rc;
  row.job.run_at = row.next;
  return queue_make_job(work, &row.job, row.within_ms, &made);
}

static ld_rc look_at(queue_work *work, const ld_row *found, ld_buf *copy, ld_buf *key) {
  schedule_row row;
  ld_rc rc = decode(work->txn, found->payload, &row);
  if (rc != LD_OK) return rc;
  if (row.next > work->now) {
    queue_due_by(&work->tally, QUEUE_DUE_TICK, row.next);
    return LD_OK;
  }
  ld_buf_reset(copy);
  ld_buf_reset(key);
  ld_buf_add(copy, found->payload);
  ld_buf_add(key, found->key);
  if (copy->failed || key->failed) return queue_no_memory(work->txn);
  return tick(work, ld_buf_slice(key), copy);
}

ld_rc queue_tick(queue_work *work) {
  queue_space space;
  ld_buf copy = {0}, key = {0}, prefix = queue_key(space, work, QUEUE_SCHEDULE);
  ld_scan scan;
  ld_row row;
  ld_rc rc = ld_scan_begin(&scan, work->txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  work->tally.due[QUEUE_DUE_TICK] = INT64_MAX;
  work->changed = true;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = look_at(work, &row, &copy, &key);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&copy);
  ld_buf_clear(&key);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc queue_check_schedule(ld_txn *txn, ld_slice payload, int64_t *next) {
  schedule_row row;
  ld_cron cron;
  ld_error *error = ld_error_of(txn);
  ld_rc rc = decode(txn, payload, &row);
  if (rc == LD_OK) rc = ld_value_check(row.job.data, error);
  if (rc == LD_OK && row.schedule.every_ms < 0) rc = queue_damaged(txn, "a schedule");
  if (rc == LD_OK && row.schedule.every_ms == 0) rc = ld_cron_read(row.schedule.cron, &cron, error);
  if (rc == LD_OK) *next = row.next;
  return rc;
}

/* ---- what programs call ---- */

static ld_rc check(ld_txn *txn, ld_slice name, const ld_schedule *schedule, const ld_job_new *job) {
  ld_error *error = ld_error_of(txn);
  ld_cron cron;
  if (name.size == 0) return ld_fail(error, LD_INVALID, "the name of a schedule is empty");
  if (name.size > LD_PART_MAX)
    return ld_fail(error, LD_TOOBIG, "the name of a schedule has %zu bytes, the limit is %u",
                   name.size, LD_PART_MAX);
  if ((schedule->cron.size > 0) == (schedule->every_ms != 0))
    return ld_fail(error, LD_INVALID, "a schedule has a cron expression, or every");
  if (schedule->every_ms < 0 || schedule->every_ms > LD_QUEUE_LONGEST)
    return ld_fail(error, LD_INVALID, "every: %lld ms is not between 1 and %lld",
                   (long long)schedule->every_ms, (long long)LD_QUEUE_LONGEST);
  if (job->at || job->delay_ms != 0)
    return ld_fail(error, LD_INVALID, "run_at and delay: a schedule sets them");
  ld_rc rc = schedule->every_ms > 0 ? LD_OK : ld_cron_read(schedule->cron, &cron, error);
  return rc == LD_OK ? ld_job_new_check(job, error) : rc;
}

/* Whether this is what stands there: then nothing is written. */
static ld_rc is_stored(queue_work *work, ld_slice key, ld_slice what, bool *stored) {
  schedule_row row;
  ld_row found;
  ld_rc rc = ld_row_get(work->txn, key, &found);
  *stored = false;
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = decode(work->txn, found.payload, &row);
  if (rc == LD_OK) *stored = ld_equal(row.what, what);
  return rc;
}

static ld_rc set(queue_work *work, ld_slice name, const ld_schedule *schedule, ld_slice what) {
  queue_space space;
  ld_slice key = queue_key_text(space, work, QUEUE_SCHEDULE, name);
  int64_t next;
  bool stored;
  ld_rc rc = is_stored(work, key, what, &stored);
  if (rc != LD_OK || stored) return rc;
  rc = next_tick(work, schedule, work->now, &next);
  return rc == LD_OK ? put_schedule(work, key, next, what) : rc;
}

ld_rc ld_queue_schedule(ld_txn *txn, ld_slice queue, ld_slice name, const ld_schedule *schedule,
                        const ld_job_new *job) {
  queue_work work;
  ld_buf what = {0};
  schedule_row row = {.schedule = *schedule,
                      .within_ms = job->within_ms,
                      .job = {.data = job->data,
                              .key = job->key,
                              .tags = job->tags,
                              .priority = job->priority,
                              .max_attempts = job->max_attempts,
                              .timeout_ms = job->timeout_ms}};
  ld_rc rc = check(txn, name, schedule, job);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, true);
  if (rc != LD_OK) return rc;
  encode(&row, &what);
  rc = what.failed ? queue_no_memory(txn) : set(&work, name, schedule, ld_buf_slice(&what));
  ld_buf_clear(&what);
  return queue_close(&work, rc);
}

ld_rc ld_queue_unschedule(ld_txn *txn, ld_slice queue, ld_slice name) {
  queue_work work;
  queue_space space;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  bool possible = work.number != 0 && name.size > 0 && name.size <= LD_PART_MAX;
  rc = possible ? ld_row_del(txn, queue_key_text(space, &work, QUEUE_SCHEDULE, name)) : LD_NOTFOUND;
  return queue_close(&work, rc);
}

static ld_rc visit_schedule(queue_work *work, const ld_row *found, size_t before, ld_buf *scratch,
                            ld_schedule_visit visit, void *context) {
  schedule_row row;
  ld_part name;
  ld_slice rest = ld_bytes(found->key.data + before, found->key.size - before);
  ld_rc rc = ld_tuple_next(&rest, &name, scratch);
  if (rc == LD_NOMEM) return queue_no_memory(work->txn);
  if (rc != LD_OK || name.kind != LD_PART_STRING) return queue_damaged(work->txn, "a schedule");
  rc = decode(work->txn, found->payload, &row);
  return rc == LD_OK ? visit(context, name.bytes, &row.schedule, row.next, row.job.data) : rc;
}

ld_rc ld_queue_schedules(ld_txn *txn, ld_slice queue, ld_schedule_visit visit, void *context) {
  queue_work work;
  queue_space space;
  ld_buf scratch = {0};
  ld_scan scan;
  ld_row row;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK || work.number == 0) return rc;
  ld_buf prefix = queue_key(space, &work, QUEUE_SCHEDULE);
  rc = ld_scan_begin(&scan, txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  if (rc != LD_OK) return queue_close(&work, rc);
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = visit_schedule(&work, &row, prefix.size, &scratch, visit, context);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  return queue_close(&work, rc == LD_NOTFOUND ? LD_OK : rc);
}
