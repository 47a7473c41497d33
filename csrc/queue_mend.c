/* queue_mend.c -- making anew what follows from the jobs of a queue (queue_verify.h).
**
** The order of jobs is in READY (or the groups) afterwards, for the lane's head moves behind all of them. A job whose time has come is ready, whatever range it stood in.
** Rows are read past ld_row_current, which would spoil the transaction: damaged jobs stay where they are, in no range; damaged claims and keys go. */
#include "queue_group.h"
#include "queue_verify.h"

/* A row as it is met: `stored` is the engine's key, `rest` what of the whole one is behind the kind. Borrowed until something is written. */
typedef struct met {
  ld_slice stored, rest, payload;
} met;

typedef ld_rc (*mend_row)(queue_work *work, const met *row);

/* Each row of a kind, of a damaged one only the key. */
static ld_rc each(queue_work *work, int kind, mend_row mend) {
  queue_space space;
  ld_slice key, value;
  ld_cursor *cursor;
  ld_buf prefix = queue_key(space, work, kind);
  ld_rc rc = ld_cursor_open(work->txn, &cursor);
  if (rc != LD_OK) return rc;
  for (rc = ld_cursor_seek(cursor, ld_buf_slice(&prefix)); rc == LD_OK;
       rc = ld_cursor_next(cursor)) {
    ld_row row;
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc != LD_OK || !ld_starts_with(key, ld_buf_slice(&prefix))) break;
    if (!ld_row_read(key, value, &row)) row = (ld_row){.key = key, .payload = LD_SLICE_NONE};
    ld_slice rest = ld_bytes(row.key.data + prefix.size, row.key.size - prefix.size);
    rc = mend(work, &(met){.stored = key, .rest = rest, .payload = row.payload});
    if (rc != LD_OK) break;
  }
  ld_cursor_close(cursor);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static bool take_id(ld_slice rest, int64_t *id) {
  ld_part part;
  if (ld_tuple_next(&rest, &part, NULL) != LD_OK || part.kind != LD_PART_INT) return false;
  *id = part.integer;
  return rest.size == 0;
}

static ld_rc drop(queue_work *work, const met *row) {
  uint8_t key[LD_KEY_MAX];
  memcpy(key, row->stored.data, row->stored.size);
  return ld_del(work->txn, ld_bytes(key, row->stored.size));
}

/* Load a job; one whose row is damaged is not there. */
static ld_rc meet(queue_work *work, int64_t id, ld_job *job, bool *there) {
  static const int kinds[] = {QUEUE_LANE, QUEUE_JOB};
  queue_space space;
  ld_slice value;
  ld_row row;
  *there = false;
  for (size_t i = 0; i < 2 && !*there; i++) {
    ld_slice key = queue_key1(space, work, kinds[i], id);
    ld_rc rc = ld_get(work->txn, key, &value);
    if (rc == LD_NOTFOUND) continue;
    if (rc != LD_OK) return rc;
    if (!ld_row_read(key, value, &row)) continue;
    ld_buf_reset(&work->record);
    ld_buf_add(&work->record, row.payload);
    if (work->record.failed) return queue_no_memory(work->txn);
    *there = queue_decode_job(ld_buf_slice(&work->record), job) && job->state != LD_JOB_DELAYED &&
             job->state != LD_JOB_RUNNING;
    job->id = id;
    job->lane = i == 0;
  }
  return LD_OK;
}

/* ---- claims ---- */

static ld_rc mend_claim(queue_work *work, const met *row) {
  queue_claim claim;
  ld_job job;
  int64_t id = 0;
  bool there = false;
  bool sound = take_id(row->rest, &id) && queue_decode_claim(row->payload, &claim) &&
               claim.token > 0 && claim.attempt > 0;
  ld_rc rc = sound ? meet(work, id, &job, &there) : LD_OK;
  if (rc != LD_OK) return rc;
  if (!there || job.state != LD_JOB_READY) return drop(work, row);
  claim.lane = job.lane;
  claim.keyed = job.key.size > 0;
  return queue_put_claim(work, id, &claim);
}

/* ---- keys ---- */

static ld_rc mend_key(queue_work *work, const met *row) {
  queue_space space;
  queue_key_row said;
  ld_part name;
  ld_job job;
  ld_slice rest = row->rest;
  bool there = false;
  ld_buf key = {0}, scratch = {0};
  bool sound = queue_decode_key(row->payload, &said) &&
               ld_tuple_next(&rest, &name, &scratch) == LD_OK && name.kind == LD_PART_STRING &&
               name.bytes.size <= LD_PART_MAX;
  if (sound) ld_buf_add(&key, name.bytes);
  ld_rc rc = key.failed || scratch.failed ? queue_no_memory(work->txn) : LD_OK;
  if (rc == LD_OK && sound) rc = meet(work, said.id, &job, &there);
  bool has = there && job.state == LD_JOB_READY && ld_equal(job.key, ld_buf_slice(&key));
  if (rc == LD_OK && (!sound || has == said.finished)) {
    rc = drop(work, row);
  } else if (rc == LD_OK && said.finished) {
    queue_due_by(&work->tally, QUEUE_DUE_WINDOW, said.until);
    rc = ld_row_put_plain(work->txn, queue_window_key(space, work, said.until, ld_buf_slice(&key)),
                          ld_buf_slice(&key));
  }
  ld_buf_clear(&key);
  ld_buf_clear(&scratch);
  return rc;
}

static ld_rc take_key(queue_work *work, const ld_job *job) {
  ld_quoted quoted;
  queue_key_row row;
  int64_t holder;
  if (job->key.size == 0 || job->key.size > LD_PART_MAX) return LD_OK;
  ld_rc rc = queue_get_key(work, job->key, &row);
  if (rc == LD_NOTFOUND) return queue_take_key(work, job->key, job->id, 0, &holder);
  if (rc != LD_OK || row.id == job->id) return rc;
  return ld_fail(ld_error_of(work->txn), LD_EXISTS, "jobs %lld and %lld have the key %s",
                 (long long)row.id, (long long)job->id, ld_quote(job->key, quoted));
}

/* ---- jobs ---- */

static ld_rc enter(queue_work *work, ld_job *job) {
  queue_claim claim;
  if (job->state >= LD_JOB_DONE) return queue_enter(work, job);
  ld_rc rc = take_key(work, job);
  if (rc != LD_OK) return rc;
  rc = queue_get_claim(work, job->id, &claim);
  if (rc == LD_OK) {
    work->tally.states[LD_JOB_RUNNING]++;
    return queue_has_groups(work) ? queue_group_began(work, job) : LD_OK;
  }
  if (rc != LD_NOTFOUND) return rc;
  if (job->run_at > work->now) job->state = LD_JOB_DELAYED;
  return queue_enter(work, job);
}

static ld_rc mend_job(queue_work *work, const met *row, bool lane) {
  ld_job job;
  int64_t id;
  bool there;
  if (!take_id(row->rest, &id)) return LD_OK;
  ld_rc rc = meet(work, id, &job, &there);
  if (rc != LD_OK || !there) return rc;
  return job.lane == lane ? enter(work, &job) : drop(work, row); /* the other row is read */
}

static ld_rc mend_lane(queue_work *work, const met *row) { return mend_job(work, row, true); }

static ld_rc mend_other(queue_work *work, const met *row) { return mend_job(work, row, false); }

/* ---- all ---- */

static ld_rc forget_all(queue_work *work) {
  static const int kinds[] = {QUEUE_READY, QUEUE_DELAYED, QUEUE_FINISHED, QUEUE_WINDOW,
                              QUEUE_GROUP, QUEUE_GROUPED, QUEUE_WAKE};
  queue_tally *tally = &work->tally;
  uint64_t head;
  ld_rc rc = ld_sequence_next(work->txn, &head);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && rc == LD_OK; i++)
    rc = queue_del_kind(work, kinds[i]);
  if (rc != LD_OK) return rc;
  memset(tally->states, 0, sizeof tally->states);
  for (int i = 0; i < QUEUE_DUES; i++) tally->due[i] = INT64_MAX;
  tally->due[QUEUE_DUE_TICK] = 0;
  tally->head = (int64_t)head;
  tally->in_lane = 0;
  tally->lane_at = 0;
  work->changed = true;
  return LD_OK;
}

ld_rc ld_queue_mend(ld_txn *txn, ld_slice queue) {
  queue_work work;
  ld_rc rc = queue_open(&work, txn, queue, false);
  if (rc != LD_OK || work.number == 0) return rc == LD_OK ? LD_NOTFOUND : rc;
  rc = forget_all(&work);
  if (rc == LD_OK) rc = each(&work, QUEUE_CLAIM, mend_claim);
  if (rc == LD_OK) rc = each(&work, QUEUE_KEY, mend_key);
  if (rc == LD_OK) rc = each(&work, QUEUE_LANE, mend_lane);
  if (rc == LD_OK) rc = each(&work, QUEUE_JOB, mend_other);
  return queue_close(&work, rc);
}
