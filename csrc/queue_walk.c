/* queue_walk.c -- the jobs in a state, one after the other.
**
** A place is what follows the kind (and the state) in the key of the row visited last. Where two ranges are merged it is the id of the last lane job visited,
** 8 bytes, and behind it the key of the job visited last, as a READY row has it, in whichever range that was: jobs that come before it afterwards are not visited. */
#include "queue_row.h"

enum { LANE_ID = 8 };

static int kind_of(const queue_work *work, ld_job_state state) {
  switch (state) {
  case LD_JOB_DELAYED: return QUEUE_DELAYED;
  case LD_JOB_READY: return work->options.limit.by[0] != 0 ? QUEUE_GROUPED : QUEUE_READY;
  case LD_JOB_RUNNING: return QUEUE_CLAIM;
  default: return QUEUE_FINISHED;
  }
}

/* The last three numbers of a key, or as many as there are: the id is the last. */
static ld_rc read_key(queue_walk *walk, ld_slice rest, int64_t key[3]) {
  ld_buf scratch = {0};
  ld_part part;
  ld_rc rc;
  while ((rc = ld_tuple_next(&rest, &part, &scratch)) == LD_OK) {
    key[0] = key[1];
    key[1] = key[2];
    key[2] = part.kind == LD_PART_INT ? part.integer : 0;
  }
  ld_buf_clear(&scratch);
  if (rc == LD_NOMEM) return queue_no_memory(walk->work->txn);
  return rc == LD_NOTFOUND ? LD_OK : queue_damaged(walk->work->txn, "a key");
}

static ld_rc next_row(queue_walk *walk) {
  ld_row row;
  ld_rc rc = ld_scan_next(&walk->rows, &row);
  walk->has_row = rc == LD_OK;
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  ld_slice rest = ld_bytes(row.key.data + walk->prefix_size, row.key.size - walk->prefix_size);
  if (rest.size > QUEUE_PLACE - LANE_ID) return queue_damaged(walk->work->txn, "a key");
  memcpy(walk->suffix, rest.data, rest.size);
  walk->suffix_size = rest.size;
  return read_key(walk, rest, walk->row);
}

static ld_rc next_lane_row(queue_walk *walk) {
  ld_row row;
  ld_job job;
  ld_rc rc = ld_scan_next(&walk->lane, &row);
  walk->has_lane = rc == LD_OK;
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (!queue_decode_job(row.payload, &job)) return queue_damaged(walk->work->txn, "a job");
  walk->lane_row[0] = job.priority;
  walk->lane_row[1] = job.run_at;
  return queue_key_numbers(walk->work, QUEUE_LANE, row.key, &walk->lane_row[2], 1, NULL);
}

/* Jobs that came meanwhile, before the last one visited, are passed over. */
static ld_rc next_in_lane(queue_walk *walk) {
  ld_rc rc;
  do rc = next_lane_row(walk);
  while (rc == LD_OK && walk->has_lane && walk->has_last &&
         queue_compare(walk->lane_row, walk->last) <= 0);
  return rc;
}

/* ---- beginning ---- */

static int64_t lane_id(ld_slice after) {
  uint64_t id = 0;
  for (size_t i = 0; i < LANE_ID && i < after.size; i++) id = id << 8 | after.data[i];
  return (int64_t)(id & INT64_MAX);
}

static ld_rc begin_lane(queue_walk *walk, ld_slice after) {
  queue_work *work = walk->work;
  queue_space space;
  ld_buf prefix = queue_key(walk->lane_prefix, work, QUEUE_LANE);
  int64_t from = work->tally.head - 1, visited = lane_id(after);
  ld_slice before = queue_key1(space, work, QUEUE_LANE, visited > from ? visited : from);
  return ld_scan_begin(&walk->lane, work->txn, ld_buf_slice(&prefix), before);
}

ld_rc queue_walk_begin(queue_walk *walk, queue_work *work, ld_job_state state, ld_slice after) {
  uint8_t room[sizeof(queue_space) + QUEUE_PLACE];
  int kind = kind_of(work, state);
  ld_buf prefix = queue_key(walk->prefix, work, kind);
  ld_buf from = {.data = room, .capacity = sizeof room};
  if (kind == QUEUE_FINISHED) ld_tuple_int(&prefix, state);
  walk->work = work;
  walk->merged = kind == QUEUE_READY;
  walk->has_row = walk->has_lane = walk->has_last = walk->started = false;
  walk->prefix_size = prefix.size;
  walk->place_size = 0;
  ld_slice rest = after;
  if (walk->merged && after.size >= LANE_ID)
    rest = ld_bytes(after.data + LANE_ID, after.size - LANE_ID);
  if (rest.size > QUEUE_PLACE)
    return ld_fail(ld_error_of(work->txn), LD_INVALID, "after: is no place in a queue");
  ld_buf_add(&from, ld_buf_slice(&prefix));
  ld_buf_add(&from, rest);
  ld_rc rc = LD_OK;
  if (walk->merged && rest.size > 0) {
    rc = read_key(walk, rest, walk->last);
    walk->has_last = rc == LD_OK;
  }
  if (rc != LD_OK) return rc;
  rc = ld_scan_begin(&walk->rows, work->txn, ld_buf_slice(&prefix),
                     rest.size > 0 ? ld_buf_slice(&from) : LD_SLICE_NONE);
  if (rc != LD_OK || !walk->merged) return rc;
  memset(walk->place, 0, LANE_ID);
  if (after.size >= LANE_ID) memcpy(walk->place, after.data, LANE_ID);
  if (rest.size > 0) memcpy(walk->place + LANE_ID, rest.data, rest.size);
  walk->place_size = LANE_ID + rest.size;
  rc = begin_lane(walk, after);
  if (rc != LD_OK) ld_scan_end(&walk->rows);
  return rc;
}

void queue_walk_end(queue_walk *walk) {
  ld_scan_end(&walk->rows);
  if (walk->merged) ld_scan_end(&walk->lane);
}

/* ---- stepping ---- */

static ld_rc start(queue_walk *walk) {
  walk->started = true;
  ld_rc rc = next_row(walk);
  return rc == LD_OK && walk->merged ? next_in_lane(walk) : rc;
}

static ld_rc visit_lane(queue_walk *walk, int64_t *id) {
  *id = walk->lane_row[2];
  for (size_t i = 0; i < LANE_ID; i++)
    walk->place[i] = (uint8_t)((uint64_t)*id >> (8 * (LANE_ID - 1 - i)));
  ld_buf key = {.data = walk->place + LANE_ID, .capacity = sizeof walk->place - LANE_ID};
  for (size_t i = 0; i < 3; i++) ld_tuple_int(&key, walk->lane_row[i]);
  walk->place_size = LANE_ID + key.size;
  return next_in_lane(walk);
}

static ld_rc visit_row(queue_walk *walk, int64_t *id) {
  size_t before = walk->merged ? LANE_ID : 0;
  *id = walk->row[2];
  memcpy(walk->place + before, walk->suffix, walk->suffix_size);
  walk->place_size = before + walk->suffix_size;
  return next_row(walk);
}

ld_rc queue_walk_next(queue_walk *walk, int64_t *id) {
  ld_rc rc = walk->started ? LD_OK : start(walk);
  if (rc != LD_OK) return rc;
  if (!walk->has_row && !walk->has_lane) return LD_NOTFOUND;
  bool lane = walk->has_lane && (!walk->has_row || queue_compare(walk->lane_row, walk->row) < 0);
  return lane ? visit_lane(walk, id) : visit_row(walk, id);
}
