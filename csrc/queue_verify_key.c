/* queue_verify_key.c -- keys that make jobs unique: who has them, and the windows of those whose job has ended. That a job has its key is seen from the job. */
#include "queue_verify_run.h"

static ld_rc check_holder(queue_verify *v, ld_slice key, const queue_key_row *row) {
  ld_job job;
  bool there;
  ld_rc rc = queue_meet(v, row->id, &job, &there);
  if (rc != LD_OK) return queue_pass(rc);
  if (there && job.state < LD_JOB_DONE && ld_equal(job.key, key)) return LD_OK;
  return queue_found(v, "queue", "is said to be job %lld's, %s", (long long)row->id,
                     there ? "which does not have it" : "which is not there");
}

static ld_rc check_window(queue_verify *v, ld_slice key, const queue_key_row *row) {
  queue_space space;
  bool there = false;
  ld_rc rc = queue_is_there(v, queue_window_key(space, &v->work, row->until, key), &there);
  return rc != LD_OK || there ? rc
                              : queue_found(v, "queue", "has no window, so it would stay taken");
}

static ld_rc key_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  ld_quoted quoted;
  ld_part key;
  queue_key_row said;
  ld_rc rc = ld_tuple_next(&rest, &key, &v->scratch);
  if (rc != LD_OK || key.kind != LD_PART_STRING)
    return rc == LD_NOMEM ? queue_no_memory(v->work.txn) : LD_OK;
  queue_at(v, "key %s", ld_quote(key.bytes, quoted));
  if (!queue_decode_key(row->payload, &said)) return queue_found(v, "queue", "cannot be read");
  queue_note_number(v, said.id);
  return said.finished ? check_window(v, key.bytes, &said) : check_holder(v, key.bytes, &said);
}

static ld_rc window_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_space space;
  ld_quoted quoted;
  queue_key_row said;
  int64_t until;
  if (!queue_take_parts(&rest, &until, 1)) return LD_OK;
  if (until < v->due[QUEUE_DUE_WINDOW]) v->due[QUEUE_DUE_WINDOW] = until;
  queue_at(v, "window of key %s", ld_quote(row->payload, quoted));
  bool sound = row->payload.size > 0 && row->payload.size <= LD_PART_MAX &&
               ld_equal(queue_window_key(space, &v->work, until, row->payload), row->key);
  if (!sound) return queue_found(v, "queue", "stands under another key");
  ld_rc rc = queue_get_key(&v->work, row->payload, &said);
  if (rc == LD_OK && said.finished && said.until == until) return LD_OK;
  if (rc != LD_OK && rc != LD_NOTFOUND) return queue_pass(rc);
  return queue_found(v, "queue", "the key has none, or another one");
}

ld_rc queue_verify_keys(queue_verify *v) {
  ld_rc rc = queue_each(v, QUEUE_KEY, key_row);
  return rc == LD_OK ? queue_each(v, QUEUE_WINDOW, window_row) : rc;
}
