/* queue_look.c -- looking at a queue: nothing is written here. */
#include "queue_row.h"

const char *const ld_job_state_names[LD_JOB_STATES + 1] = {
    "delayed", "ready", "running", "done", "dead", "cancelled", NULL};

/* ---- documents ---- */

static void write_number(ld_buf *buf, const char *name, int64_t number) {
  ld_write_text(buf, name);
  ld_write_int(buf, number);
}

static void write_errors(const ld_job *job, ld_buf *document) {
  ld_write_text(document, "errors");
  ld_write_array(document, job->error_count);
  ld_buf_add(document, job->errors);
}

void ld_job_write(const ld_job *job, ld_buf *documents) {
  size_t opened = ld_write_open(documents), count = 7;
  bool finished = job->state >= LD_JOB_DONE, running = job->state == LD_JOB_RUNNING;
  write_number(documents, "id", job->id);
  ld_write_text(documents, "state");
  ld_write_text(documents, ld_job_state_names[job->state]);
  write_number(documents, "attempt", job->attempt);
  write_number(documents, "max_attempts", job->max_attempts);
  write_number(documents, "priority", job->priority);
  write_number(documents, "run_at", job->run_at);
  write_number(documents, "enqueued_at", job->enqueued_at);
  if (running) count++, write_number(documents, "lease_until", job->lease_until);
  if (job->token != 0) count++, write_number(documents, "token", job->token);
  if (finished) count++, write_number(documents, "finished_at", job->finished_at);
  if (job->cancelled)
    count++, ld_write_text(documents, "cancelled"), ld_write_bool(documents, true);
  if (job->key.size > 0)
    count++, ld_write_text(documents, "key"), ld_write_string(documents, job->key);
  if (job->tags.size > 0)
    count++, ld_write_text(documents, "tags"), ld_buf_add(documents, job->tags);
  if (job->token == 0) count++, write_errors(job, documents);
  ld_write_close(documents, opened, LD_MAP, count);
  ld_buf_add(documents, job->data);
}

/* ---- jobs ---- */

ld_rc ld_queue_get(ld_txn *txn, ld_slice queue, int64_t id, ld_job_visit visit, void *context) {
  queue_work work;
  ld_job job;
  queue_claim claim;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  rc = queue_find(&work, id, &job, &claim);
  return queue_close(&work, rc == LD_OK ? visit(context, &job) : rc);
}

ld_rc ld_queue_counts(ld_txn *txn, ld_slice queue, uint64_t counts[LD_JOB_STATES]) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  memcpy(counts, work.tally.states, sizeof work.tally.states);
  return queue_close(&work, LD_OK);
}

static ld_rc visit_job(queue_walk *walk, int64_t id, ld_queue_visit visit, void *context) {
  ld_job job;
  queue_claim claim;
  ld_rc rc = queue_find(walk->work, id, &job, &claim);
  if (rc == LD_NOTFOUND) return queue_damaged(walk->work->txn, "a job");
  return rc == LD_OK ? visit(context, ld_bytes(walk->place, walk->place_size), &job) : rc;
}

ld_rc ld_queue_each(ld_txn *txn, ld_slice queue, ld_job_state state, ld_slice after,
                    ld_queue_visit visit, void *context) {
  queue_work work;
  queue_walk walk;
  int64_t id;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK || work.number == 0) return rc;
  rc = queue_walk_begin(&walk, &work, state, after);
  if (rc != LD_OK) return queue_close(&work, rc);
  while ((rc = queue_walk_next(&walk, &id)) == LD_OK) {
    rc = visit_job(&walk, id, visit, context);
    if (rc != LD_OK) break;
  }
  queue_walk_end(&walk);
  return queue_close(&work, rc == LD_NOTFOUND ? LD_OK : rc);
}

/* ---- statistics ---- */

static void write_timing(ld_buf *buf, const char *name, const queue_timing *timing) {
  queue_times times;
  queue_timing_read(timing, &times);
  ld_write_text(buf, name);
  ld_write_map(buf, 6);
  write_number(buf, "count", (int64_t)times.count);
  write_number(buf, "mean", (int64_t)(times.count > 0 ? times.sum / times.count : 0));
  write_number(buf, "p50", queue_times_percentile(&times, 50));
  write_number(buf, "p90", queue_times_percentile(&times, 90));
  write_number(buf, "p99", queue_times_percentile(&times, 99));
  write_number(buf, "max", times.most);
}

static void write_stats(const queue_tally *tally, ld_buf *buf) {
  static const char *const names[QUEUE_TOTALS] = {
      "enqueued", "claimed", "done", "failed", "retried", "dead", "cancelled", "released", "lost"};
  ld_write_map(buf, QUEUE_TOTALS + 4);
  for (int i = 0; i < QUEUE_TOTALS; i++) write_number(buf, names[i], (int64_t)tally->totals[i]);
  write_timing(buf, "wait", &tally->wait);
  write_timing(buf, "run", &tally->run);
  ld_write_text(buf, "paused");
  ld_write_bool(buf, tally->paused);
  ld_write_text(buf, "counts");
  ld_write_map(buf, LD_JOB_STATES);
  for (int i = 0; i < LD_JOB_STATES; i++)
    write_number(buf, ld_job_state_names[i], (int64_t)tally->states[i]);
}

ld_rc ld_queue_stats(ld_txn *txn, ld_slice queue, ld_buf *document) {
  queue_work work;
  size_t before = document->size;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK) return rc;
  write_stats(&work.tally, document);
  if (document->failed) {
    document->size = before;
    rc = queue_no_memory(txn);
  }
  return queue_close(&work, rc);
}
