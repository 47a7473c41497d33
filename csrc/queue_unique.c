/* queue_unique.c -- keys that make a job unique.
**
** KEY (key) -> the job that has it, until when its window lasts (0: it has none), whether that job is finished. It is there while the job is unfinished, and then
** up to the end of the window. WINDOW (until, hash of the key) -> the key: for each KEY row of a finished job. */
#include "queue_row.h"

bool queue_decode_key(ld_slice payload, queue_key_row *row) {
  int64_t finished;
  bool sound = queue_take_int(&payload, &row->id) && queue_take_int(&payload, &row->until) &&
               queue_take_int(&payload, &finished);
  if (sound) row->finished = finished != 0;
  return sound;
}

ld_rc queue_get_key(queue_work *work, ld_slice key, queue_key_row *row) {
  queue_space space;
  ld_row stored;
  ld_rc rc = ld_row_get(work->txn, queue_key_text(space, work, QUEUE_KEY, key), &stored);
  if (rc != LD_OK) return rc;
  return queue_decode_key(stored.payload, row) ? LD_OK : queue_damaged(work->txn, "a key");
}

static ld_rc write_key(queue_work *work, ld_slice key, const queue_key_row *row) {
  queue_space space;
  uint8_t room[32];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  queue_put_int(&payload, row->id);
  queue_put_int(&payload, row->until);
  queue_put_int(&payload, row->finished ? 1 : 0);
  return ld_row_put_plain(work->txn, queue_key_text(space, work, QUEUE_KEY, key),
                          ld_buf_slice(&payload));
}

ld_slice queue_window_key(queue_space space, const queue_work *work, int64_t until, ld_slice key) {
  uint8_t hash[LD_HASH];
  ld_buf window = queue_key(space, work, QUEUE_WINDOW);
  ld_hash128(key, hash);
  ld_tuple_int(&window, until);
  ld_tuple_string(&window, ld_bytes(hash, sizeof hash));
  return ld_buf_slice(&window);
}

static ld_rc del_window(queue_work *work, ld_slice key, const queue_key_row *row) {
  queue_space space;
  ld_rc rc =
      row->finished ? ld_row_del(work->txn, queue_window_key(space, work, row->until, key)) : LD_OK;
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "the window of a key") : rc;
}

static ld_rc del_key(queue_work *work, ld_slice key) {
  queue_space space;
  return ld_row_del(work->txn, queue_key_text(space, work, QUEUE_KEY, key));
}

static bool is_taken(const queue_work *work, const queue_key_row *row) {
  return !row->finished || row->until > work->now;
}

ld_rc queue_take_key(queue_work *work, ld_slice key, int64_t id, int64_t within_ms,
                     int64_t *holder) {
  queue_key_row row;
  ld_rc rc = queue_get_key(work, key, &row);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  bool there = rc == LD_OK;
  if (there && row.id != id && is_taken(work, &row)) {
    *holder = row.id;
    return LD_OK;
  }
  rc = there ? del_window(work, key, &row) : LD_OK;
  int64_t until = within_ms > 0 ? queue_later(work->now, within_ms) : 0;
  if (there && row.id == id && is_taken(work, &row) && row.until > until) until = row.until;
  row = (queue_key_row){.id = id, .until = until};
  if (rc == LD_OK) rc = write_key(work, key, &row);
  if (rc == LD_OK) *holder = id;
  return rc;
}

ld_rc queue_finish_key(queue_work *work, const ld_job *job) {
  queue_space space;
  queue_key_row row;
  ld_rc rc = queue_get_key(work, job->key, &row);
  if (rc != LD_OK || row.id != job->id)
    return rc == LD_OK || rc == LD_NOTFOUND ? queue_damaged(work->txn, "a key") : rc;
  if (row.until <= work->now) return del_key(work, job->key);
  row.finished = true;
  rc = write_key(work, job->key, &row);
  queue_due_by(&work->tally, QUEUE_DUE_WINDOW, row.until);
  work->changed = true;
  if (rc != LD_OK) return rc;
  return ld_row_put_plain(work->txn, queue_window_key(space, work, row.until, job->key), job->key);
}

ld_rc queue_free_key(queue_work *work, const ld_job *job) {
  queue_key_row row;
  ld_rc rc = queue_get_key(work, job->key, &row);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (row.id != job->id) return LD_OK;
  rc = del_window(work, job->key, &row);
  return rc == LD_OK ? del_key(work, job->key) : rc;
}

/* The first window: close it when it is time, else note when it will be. */
static ld_rc close_window(queue_work *work, bool *closed) {
  ld_row row;
  int64_t until;
  uint8_t key[LD_PART_MAX];
  *closed = false;
  work->tally.due[QUEUE_DUE_WINDOW] = INT64_MAX;
  work->changed = true;
  ld_rc rc = queue_first(work, QUEUE_WINDOW, &row);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = queue_key_numbers(work, QUEUE_WINDOW, row.key, &until, 1, NULL);
  if (rc != LD_OK) return rc;
  work->tally.due[QUEUE_DUE_WINDOW] = until;
  if (until > work->now) return LD_OK;
  if (row.payload.size > sizeof key) return queue_damaged(work->txn, "the window of a key");
  memcpy(key, row.payload.data, row.payload.size);
  ld_slice name = ld_bytes(key, row.payload.size);
  rc = del_window(work, name, &(queue_key_row){.until = until, .finished = true});
  if (rc == LD_OK) rc = del_key(work, name);
  *closed = true;
  return rc == LD_NOTFOUND ? queue_damaged(work->txn, "the window of a key") : rc;
}

ld_rc queue_close_windows(queue_work *work) {
  enum { STEP = 8 };
  bool closed = true;
  ld_rc rc = LD_OK;
  for (int i = 0; rc == LD_OK && closed && i < STEP; i++) {
    closed = work->tally.due[QUEUE_DUE_WINDOW] <= work->now;
    if (closed) rc = close_window(work, &closed);
  }
  return rc;
}
