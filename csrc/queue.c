/* queue.c -- see queue.h. Here: what a queue is called and how it is set, and enqueueing. The rest: queue_claim.c (out), queue_hold.c (ack, fail, ...),
** queue_sweep.c (what time does), queue_look.c, queue_repair.c; rows in queue_row.c and queue_job.c. */
#include "queue.h"

#include <stdio.h>

#include "queue_row.h"

/* ---- declarations ---- */

/* The options one by one, for the message that says which differ. */
typedef struct option_text {
  const char *name;
  size_t offset;
} option_text;

#define NUMBER(name, field)                                                                        \
  { name, offsetof(ld_queue_options, field) }

static const char *different(const ld_queue_options *a, const ld_queue_options *b, char text[160]) {
  static const option_text numbers[] = {
      NUMBER("lease (ms)", lease_ms),
      NUMBER("max_attempts", max_attempts),
      NUMBER("backoff (ms)", backoff_ms),
      NUMBER("keep_done (ms)", keep_done_ms),
      NUMBER("keep_done.count", keep_done_count),
      NUMBER("keep_dead (ms)", keep_dead_ms),
      NUMBER("limit.concurrency", limit.concurrency),
      NUMBER("limit.rate", limit.rate),
      NUMBER("limit.per (ms)", limit.per_ms),
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    int64_t stored, given;
    memcpy(&stored, (const char *)a + numbers[i].offset, sizeof stored);
    memcpy(&given, (const char *)b + numbers[i].offset, sizeof given);
    if (stored == given) continue;
    snprintf(text, 160, "%s = %lld, here %lld", numbers[i].name, (long long)stored,
             (long long)given);
    return text;
  }
  if (a->backoff != b->backoff) return "another backoff";
  if (strcmp(a->limit.by, b->limit.by) == 0) return NULL;
  snprintf(text, 160, "limit.by = \"%.50s\", here \"%.50s\"", a->limit.by, b->limit.by);
  return text;
}

/* What is kept may be too much now: look. */
static void prune_again(queue_tally *tally) {
  if (tally->states[LD_JOB_DONE] > 0) tally->due[QUEUE_DUE_DONE] = 0;
  if (tally->states[LD_JOB_DEAD] > 0) tally->due[QUEUE_DUE_DEAD] = 0;
  if (tally->states[LD_JOB_CANCELLED] > 0) tally->due[QUEUE_DUE_CANCELLED] = 0;
}

static ld_rc set_options(queue_work *work, const ld_queue_options *options) {
  ld_queue_limit before = work->options.limit;
  work->options = *options;
  work->declared = true;
  prune_again(&work->tally);
  work->changed = true;
  return queue_regroup(work, &before);
}

/* Whether a program may set this at all; ld_queue_options_read has checked what comes from documents. */
static ld_rc check_options(const ld_queue_options *options, ld_error *error) {
  const ld_queue_limit *limit = &options->limit;
  const int64_t spans[] = {options->lease_ms, options->backoff_ms, options->keep_done_ms,
                           options->keep_dead_ms, limit->per_ms};
  for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
    if (spans[i] < 0 || spans[i] > LD_QUEUE_LONGEST)
      return ld_fail(error, LD_INVALID, "a duration is %lld ms, not between 0 and %lld",
                     (long long)spans[i], (long long)LD_QUEUE_LONGEST);
  if (options->lease_ms == 0 || options->max_attempts < 1 || limit->per_ms == 0 ||
      limit->concurrency < 0 || limit->rate < 0 || options->keep_done_count < 0)
    return ld_fail(error, LD_INVALID,
                   "an option of the queue is negative, or 0 where it cannot be");
  return LD_OK;
}

static ld_rc differs(queue_work *work, const char *what) {
  ld_quoted quoted;
  return ld_fail(ld_error_of(work->txn), LD_INVALID,
                 "queue %s: is declared with %s; replace = true changes it",
                 ld_quote(work->name, quoted), what);
}

ld_rc ld_queue_declare(ld_txn *txn, ld_slice queue, const ld_queue_options *options, bool replace) {
  queue_work work;
  char text[160];
  ld_rc rc = check_options(options, ld_error_of(txn));
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  const char *what = different(&work.options, options, text);
  if (work.number != 0 && work.declared && what != NULL && !replace)
    return queue_close(&work, differs(&work, what));
  if (work.number == 0) rc = queue_make(&work);
  if (rc == LD_OK && (!work.declared || what != NULL)) rc = set_options(&work, options);
  return queue_close(&work, rc);
}

ld_rc ld_queue_options_of(ld_txn *txn, ld_slice queue, ld_queue_options *options) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  *options = work.options;
  return queue_close(&work, LD_OK);
}

ld_rc ld_queues_each(ld_txn *txn, ld_rc (*visit)(void *context, ld_slice queue), void *context) {
  static const uint8_t space = LD_SPACE_QUEUE;
  ld_buf scratch = {0};
  ld_scan scan;
  ld_row row;
  ld_part name;
  ld_rc rc = ld_scan_begin(&scan, txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    ld_slice rest = ld_bytes(row.key.data + 1, row.key.size - 1);
    rc = ld_tuple_next(&rest, &name, &scratch);
    if (rc == LD_NOMEM) rc = queue_no_memory(txn);
    if (rc == LD_CORRUPT || rc == LD_NOTFOUND || (rc == LD_OK && name.kind != LD_PART_STRING))
      rc = queue_damaged(txn, "the name of a queue");
    if (rc == LD_OK) rc = visit(context, name.bytes);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- enqueue ---- */

ld_rc queue_make_job(queue_work *work, ld_job *job, int64_t within_ms, ld_enqueued *made) {
  uint64_t number;
  int64_t holder;
  ld_rc rc = ld_sequence_next(work->txn, &number);
  if (rc != LD_OK) return rc;
  job->id = holder = (int64_t)number;
  if (job->key.size > 0) rc = queue_take_key(work, job->key, job->id, within_ms, &holder);
  *made = (ld_enqueued){.id = holder, .created = holder == job->id};
  if (rc != LD_OK || !made->created) return rc;
  job->state = job->run_at > work->now ? LD_JOB_DELAYED : LD_JOB_READY;
  job->enqueued_at = work->now;
  if (job->max_attempts == 0) job->max_attempts = work->options.max_attempts;
  job->lane = queue_may_enter_lane(work, job);
  work->tally.totals[QUEUE_ENQUEUED]++;
  rc = queue_put_job(work, job);
  return rc == LD_OK ? queue_enter(work, job) : rc;
}

static ld_rc enqueue(queue_work *work, const ld_job_new *new, ld_enqueued *made) {
  ld_job job = {.data = new->data,
                .key = new->key,
                .tags = new->tags,
                .priority = new->priority,
                .run_at = new->at ? new->run_at : queue_later(work->now, new->delay_ms),
                .max_attempts = new->max_attempts,
                .timeout_ms = new->timeout_ms};
  return queue_make_job(work, &job, new->within_ms, made);
}

static ld_rc check_all(ld_txn *txn, const ld_job_new *jobs, size_t count) {
  ld_error *error = ld_error_of(txn);
  for (size_t i = 0; i < count; i++) {
    ld_rc rc = ld_job_new_check(&jobs[i], error);
    if (rc == LD_OK) continue;
    if (count > 1) ld_fail_in(error, "job %zu: ", i + 1);
    return rc;
  }
  return LD_OK;
}

ld_rc ld_queue_enqueue(ld_txn *txn, ld_slice queue, const ld_job_new *jobs, size_t count,
                       ld_enqueued *enqueued) {
  queue_work work;
  ld_rc rc = check_all(txn, jobs, count);
  if (rc == LD_OK) rc = queue_open(&work, txn, queue, count > 0);
  if (rc != LD_OK) return rc;
  for (size_t i = 0; i < count && rc == LD_OK; i++) rc = enqueue(&work, &jobs[i], &enqueued[i]);
  if (rc == LD_OK && work.changed) rc = queue_prune_some(&work);
  return queue_close(&work, rc);
}
