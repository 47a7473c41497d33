/* queue_verify.c -- see queue_verify.h. Here: telling, the walk, and the queue's own row. Jobs in queue_verify_job.c, the ranges that lead to them in queue_verify_range.c,
** keys in queue_verify_key.c, groups in queue_verify_group.c.
**
** Each relation is looked at from both sides: from the job, whether it stands where its state says and nowhere else; from the row of a range, whether there is such a job. */
#include "queue_verify_run.h"

#include <stdio.h>

/* ---- telling ---- */

static void print(ld_buf *text, const char *format, va_list arguments) {
  char room[400];
  vsnprintf(room, sizeof room, format, arguments);
  ld_buf_reset(text);
  ld_buf_add(text, ld_text(room));
  ld_buf_byte(text, 0);
}

void queue_at(queue_verify *v, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(&v->what, format, arguments);
  va_end(arguments);
}

ld_rc queue_found_lasting(queue_verify *v, const char *kind, const char *text) {
  if (v->what.failed) return queue_no_memory(v->work.txn);
  return v->calls->found(v->calls->context, kind,
                         v->what.size > 0 ? (const char *)v->what.data : NULL, text);
}

ld_rc queue_found(queue_verify *v, const char *kind, const char *format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  v->mendable = true;
  return queue_found_lasting(v, kind, text);
}

/* ---- walking ---- */

ld_rc queue_each(queue_verify *v, int kind, queue_look look) {
  queue_space space;
  ld_scan scan;
  ld_row row;
  ld_buf prefix = queue_key(space, &v->work, kind);
  ld_rc rc = ld_scan_begin(&scan, v->work.txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) != LD_NOTFOUND) {
    bool damaged = rc == LD_CORRUPT || rc == LD_UNSUPPORTED;
    if (damaged && (kind == QUEUE_LANE || kind == QUEUE_JOB)) v->skipped++;
    if (rc == LD_OK)
      rc = look(v, &row, ld_bytes(row.key.data + prefix.size, row.key.size - prefix.size));
    if (rc == LD_OK || damaged) rc = v->calls->step(v->calls->context);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

bool queue_take_parts(ld_slice *rest, int64_t *numbers, size_t count) {
  ld_part part;
  for (size_t i = 0; i < count; i++) {
    if (ld_tuple_next(rest, &part, NULL) != LD_OK || part.kind != LD_PART_INT) return false;
    numbers[i] = part.integer;
  }
  return true;
}

ld_rc queue_is_there(queue_verify *v, ld_slice key, bool *there) {
  ld_row row;
  ld_rc rc = ld_row_get(v->work.txn, key, &row);
  *there = rc == LD_OK;
  return rc == LD_NOTFOUND ? LD_OK : queue_pass(rc);
}

ld_rc queue_meet(queue_verify *v, int64_t id, ld_job *job, bool *there) {
  ld_rc rc = queue_load(&v->work, id, job);
  *there = rc != LD_NOTFOUND;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- schedules ---- */

static ld_rc schedule(queue_verify *v, const ld_row *row, ld_slice rest) {
  ld_quoted quoted;
  ld_part name;
  int64_t next = INT64_MAX;
  ld_rc rc = ld_tuple_next(&rest, &name, &v->scratch);
  if (rc != LD_OK || name.kind != LD_PART_STRING)
    return rc == LD_NOMEM ? queue_no_memory(v->work.txn) : LD_OK;
  queue_at(v, "schedule %s", ld_quote(name.bytes, quoted));
  rc = queue_check_schedule(v->work.txn, row->payload, &next);
  if (next < v->due[QUEUE_DUE_TICK]) v->due[QUEUE_DUE_TICK] = next;
  if (rc != LD_CORRUPT && rc != LD_INVALID) return rc;
  return queue_found_lasting(v, "queue", v->work.txn->engine->error.text);
}

/* ---- the queue's row ---- */

static ld_rc check_states(queue_verify *v) {
  const queue_tally *tally = &v->work.tally;
  ld_rc rc = LD_OK;
  for (int i = 0; i < LD_JOB_STATES && rc == LD_OK; i++) {
    uint64_t said = tally->states[i], there = v->states[i];
    if (said < there || said > there + v->skipped)
      rc = queue_found(v, "count", "says %llu %s jobs, there are %llu", (unsigned long long)said,
                       ld_job_state_names[i], (unsigned long long)there);
  }
  bool fits = tally->in_lane >= v->in_lane && tally->in_lane <= v->in_lane + v->skipped;
  if (rc != LD_OK || fits) return rc;
  return queue_found(v, "count", "says %llu jobs in the lane, there are %llu",
                     (unsigned long long)tally->in_lane, (unsigned long long)v->in_lane);
}

/* A time that is too late would keep what is due from happening. */
static ld_rc check_due(queue_verify *v) {
  static const char *const names[QUEUE_DUES] = {"a delayed job", "a lease",        "a schedule",
                                                "a group",       "a window",       "a done job",
                                                "a dead job",    "a cancelled job"};
  ld_rc rc = LD_OK;
  for (int i = 0; i < QUEUE_DUES && rc == LD_OK; i++)
    if (v->work.tally.due[i] > v->due[i])
      rc = queue_found(v, "queue", "would look too late: %s is due at %lld", names[i],
                       (long long)v->due[i]);
  return rc;
}

static ld_rc check_queue(queue_verify *v) {
  ld_rc rc = queue_verify_jobs(v);
  if (rc == LD_OK) rc = queue_verify_ranges(v);
  if (rc == LD_OK) rc = queue_verify_keys(v);
  if (rc == LD_OK) rc = queue_verify_groups(v);
  if (rc == LD_OK) rc = queue_each(v, QUEUE_SCHEDULE, schedule);
  ld_buf_reset(&v->what);
  if (rc == LD_OK) rc = check_states(v);
  return rc == LD_OK ? check_due(v) : rc;
}

ld_rc ld_queue_verify(ld_txn *txn, ld_slice queue, const ld_queue_verify_calls *calls,
                      bool *mendable) {
  queue_verify v = {.calls = calls, .lane_at = INT64_MIN};
  ld_rc rc = queue_open(&v.work, txn, queue, false);
  for (int i = 0; i < QUEUE_DUES; i++) v.due[i] = INT64_MAX;
  if (rc == LD_CORRUPT) return queue_found_lasting(&v, "queue", "its row cannot be read");
  if (rc != LD_OK) return rc;
  queue_note_number(&v, v.work.number);
  rc = v.work.number > 0 ? check_queue(&v)
                         : queue_found_lasting(&v, "queue", "its number is not above 0");
  rc = queue_close(&v.work, rc);
  ld_buf_clear(&v.what);
  ld_buf_clear(&v.scratch);
  if (rc == LD_OK) *mendable = v.mendable;
  return rc;
}
