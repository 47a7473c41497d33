/* queue_group.c -- which jobs are ready to be given out: limits, of the queue and of groups.
**
** Without limit.by READY holds all ready jobs. With it GROUPED holds them, group by group, and READY only the heads: for each group that may give out a job
** now its first one. So the search never meets a job that may not run. GROUP (group) says how many of it run, when it gave out jobs lately, which head of it is in
** READY, and under which time it is in WAKE, when it waits for its rate. refresh() makes head and WAKE agree with the rest; it is called after each change.
** A group that has claims to remember, and nothing else, is in WAKE to be forgotten.
** Its name is a tuple: 0 and its value, or 1 and the hash of that when it is no short scalar. */
#include "queue_group.h"

enum { SHORT = 64 };

/* ---- the rows of a group ---- */

static void add_scalar(ld_buf *key, const ld_token *token) {
  switch (token->kind) {
  case LD_INT: ld_tuple_int(key, token->integer); break;
  case LD_FLOAT: ld_tuple_float(key, token->number); break;
  case LD_BOOL: ld_tuple_bool(key, token->truth); break;
  case LD_NIL: ld_tuple_null(key); break;
  default: ld_tuple_string(key, token->bytes);
  }
}

void queue_name_group(const queue_work *work, ld_slice data, queue_group *of) {
  uint8_t hash[LD_HASH];
  ld_buf name = {.data = of->name, .capacity = sizeof of->name};
  ld_token token = {.kind = LD_NIL};
  ld_slice value = LD_SLICE_NONE;
  if (ld_value_field(data, work->options.limit.by, &value)) {
    ld_slice rest = value;
    ld_value_next(&rest, &token);
  }
  bool hashed = ld_is_string(&token) ? token.bytes.size > SHORT : token.kind > LD_BIN;
  ld_tuple_int(&name, hashed ? 1 : 0);
  if (hashed) {
    ld_hash128(ld_is_string(&token) ? token.bytes : value, hash);
    ld_tuple_string(&name, ld_bytes(hash, sizeof hash));
  } else {
    add_scalar(&name, &token);
  }
  of->name_size = name.size;
}

ld_buf queue_group_key(queue_space space, const queue_work *work, int kind, const queue_group *of) {
  ld_buf key = queue_key(space, work, kind);
  ld_buf_add(&key, ld_bytes(of->name, of->name_size));
  return key;
}

ld_rc queue_read_group(queue_work *work, ld_slice rest, queue_group *of) {
  int64_t has_head;
  bool sound = queue_take_int(&rest, &of->running) && queue_take_int(&rest, &has_head);
  for (int i = 0; sound && has_head != 0 && i < 3; i++) sound = queue_take_int(&rest, &of->head[i]);
  if (!sound || !queue_take_int(&rest, &of->wake) || !queue_rate_decode(&rest, &of->rate))
    return queue_damaged(work->txn, "a group");
  of->has_head = has_head != 0;
  return LD_OK;
}

ld_rc queue_load_group(queue_work *work, queue_group *of) {
  queue_space space;
  ld_row row;
  ld_buf key = queue_group_key(space, work, QUEUE_GROUP, of);
  of->running = of->wake = 0;
  of->has_head = false;
  of->rate.count = 0;
  ld_rc rc = ld_row_get(work->txn, ld_buf_slice(&key), &row);
  return rc == LD_OK ? queue_read_group(work, row.payload, of) : rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc load_group_of(queue_work *work, const ld_job *job, queue_group *of) {
  queue_name_group(work, job->data, of);
  return queue_load_group(work, of);
}

/* One that says nothing goes. */
static ld_rc save_group(queue_work *work, const queue_group *of) {
  queue_space space;
  uint8_t room[64 + QUEUE_SLOTS * 20];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  ld_buf key = queue_group_key(space, work, QUEUE_GROUP, of);
  if (of->running == 0 && !of->has_head && of->wake == 0 && of->rate.count == 0) {
    ld_rc rc = ld_row_del(work->txn, ld_buf_slice(&key));
    return rc == LD_NOTFOUND ? LD_OK : rc;
  }
  queue_put_int(&payload, of->running);
  queue_put_int(&payload, of->has_head ? 1 : 0);
  for (int i = 0; of->has_head && i < 3; i++) queue_put_int(&payload, of->head[i]);
  queue_put_int(&payload, of->wake);
  queue_rate_encode(&of->rate, &payload);
  return ld_row_put_plain(work->txn, ld_buf_slice(&key), ld_buf_slice(&payload));
}

/* ---- heads ---- */

static ld_rc put_ready(queue_work *work, const int64_t job[3]) {
  queue_space space;
  return ld_row_put_plain(work->txn, queue_key3(space, work, QUEUE_READY, job[0], job[1], job[2]),
                          LD_SLICE_NONE);
}

static ld_rc del_ready(queue_work *work, const int64_t job[3]) {
  queue_space space;
  return ld_row_del(work->txn, queue_key3(space, work, QUEUE_READY, job[0], job[1], job[2]));
}

static ld_rc set_head(queue_work *work, queue_group *of, const int64_t *head) {
  bool same = of->has_head && head != NULL && memcmp(of->head, head, sizeof of->head) == 0;
  ld_rc rc = of->has_head && !same ? del_ready(work, of->head) : LD_OK;
  if (rc == LD_NOTFOUND) rc = queue_damaged(work->txn, "a group");
  if (rc == LD_OK && head != NULL && !same) rc = put_ready(work, head);
  of->has_head = head != NULL;
  if (head != NULL) memcpy(of->head, head, sizeof of->head);
  return rc;
}

static ld_rc set_wake(queue_work *work, queue_group *of, int64_t at) {
  queue_space space;
  ld_rc rc = LD_OK;
  for (int step = 0; step < 2 && rc == LD_OK && of->wake != at; step++) {
    int64_t time = step == 0 ? of->wake : at;
    if (time == 0) continue;
    ld_buf key = queue_key(space, work, QUEUE_WAKE);
    ld_tuple_int(&key, time);
    ld_buf_add(&key, ld_bytes(of->name, of->name_size));
    rc = step == 0 ? ld_row_del(work->txn, ld_buf_slice(&key))
                   : ld_row_put_plain(work->txn, ld_buf_slice(&key), LD_SLICE_NONE);
    if (rc == LD_NOTFOUND) rc = queue_damaged(work->txn, "a group");
  }
  if (at != 0) queue_due_by(&work->tally, QUEUE_DUE_WAKE, at);
  work->changed = true;
  of->wake = at;
  return rc;
}

ld_rc queue_first_of_group(queue_work *work, const queue_group *of, int64_t job[3]) {
  queue_space space;
  ld_row row;
  ld_buf key = queue_group_key(space, work, QUEUE_GROUPED, of);
  ld_rc rc = queue_first_of(work, ld_buf_slice(&key), &row);
  ld_slice rest =
      rc == LD_OK ? ld_bytes(row.key.data + key.size, row.key.size - key.size) : LD_SLICE_NONE;
  if (rest.size > 0 && rest.data[0] == 0xff) return LD_NOTFOUND; /* of a name that goes on */
  for (int i = 0; rc == LD_OK && i < 3; i++) {
    ld_part part;
    if (ld_tuple_next(&rest, &part, NULL) != LD_OK || part.kind != LD_PART_INT)
      return queue_damaged(work->txn, "a key");
    job[i] = part.integer;
  }
  return rc;
}

/* When to look at a group again: for its rate, or to forget it. 0: not before something happens. */
static int64_t wake_at(const queue_work *work, const queue_group *of, bool held, int64_t free_at) {
  if (held) return free_at;
  if (of->rate.count == 0) return 0;
  if (of->wake > work->now) return of->wake;
  return queue_later(of->rate.slots[of->rate.count - 1].at, work->options.limit.per_ms);
}

static ld_rc refresh(queue_work *work, queue_group *of) {
  const ld_queue_limit *limit = &work->options.limit;
  int64_t first[3], free_at = queue_rate_free_at(&of->rate, limit, work->now);
  bool full = limit->concurrency > 0 && of->running >= limit->concurrency;
  ld_rc rc = queue_first_of_group(work, of, first);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  bool waits = rc == LD_OK, may = waits && !full && free_at <= work->now;
  rc = set_head(work, of, may ? first : NULL);
  if (rc == LD_OK) rc = set_wake(work, of, wake_at(work, of, waits && !full && !may, free_at));
  return rc == LD_OK ? save_group(work, of) : rc;
}

static ld_slice grouped_key(queue_space space, const queue_work *work, const queue_group *of,
                            const ld_job *job) {
  ld_buf key = queue_group_key(space, work, QUEUE_GROUPED, of);
  ld_tuple_int(&key, job->priority);
  ld_tuple_int(&key, job->run_at);
  ld_tuple_int(&key, job->id);
  return ld_buf_slice(&key);
}

/* ---- what the others call ---- */

ld_rc queue_add_ready(queue_work *work, const ld_job *job) {
  queue_space space;
  queue_group of;
  if (!queue_has_groups(work))
    return put_ready(work, (int64_t[]){job->priority, job->run_at, job->id});
  ld_rc rc = load_group_of(work, job, &of);
  if (rc == LD_OK)
    rc = ld_row_put_plain(work->txn, grouped_key(space, work, &of, job), LD_SLICE_NONE);
  return rc == LD_OK ? refresh(work, &of) : rc;
}

ld_rc queue_del_ready(queue_work *work, const ld_job *job) {
  queue_space space;
  queue_group of;
  if (!queue_has_groups(work))
    return del_ready(work, (int64_t[]){job->priority, job->run_at, job->id});
  ld_rc rc = load_group_of(work, job, &of);
  if (rc == LD_OK) rc = ld_row_del(work->txn, grouped_key(space, work, &of, job));
  return rc == LD_OK ? refresh(work, &of) : rc;
}

ld_rc queue_group_began(queue_work *work, const ld_job *job) {
  queue_group of;
  if (!queue_has_groups(work)) {
    queue_rate_add(&work->tally.rate, &work->options.limit, work->now);
    return LD_OK;
  }
  ld_rc rc = load_group_of(work, job, &of);
  of.running++;
  queue_rate_add(&of.rate, &work->options.limit, work->now);
  return rc == LD_OK ? refresh(work, &of) : rc;
}

ld_rc queue_group_ended(queue_work *work, const ld_job *job) {
  queue_group of;
  if (!queue_has_groups(work)) return LD_OK;
  ld_rc rc = load_group_of(work, job, &of);
  if (rc == LD_OK && of.running == 0) rc = queue_damaged(work->txn, "a group");
  of.running--;
  return rc == LD_OK ? refresh(work, &of) : rc;
}

bool queue_is_open(queue_work *work, int64_t *from) {
  const ld_queue_limit *limit = &work->options.limit;
  *from = work->tally.paused ? INT64_MAX : work->now;
  if (work->tally.paused || queue_has_groups(work)) return !work->tally.paused;
  if (limit->concurrency > 0 && work->tally.states[LD_JOB_RUNNING] >= (uint64_t)limit->concurrency)
    *from = INT64_MAX;
  else
    *from = queue_rate_free_at(&work->tally.rate, limit, work->now);
  return *from <= work->now;
}

/* ---- time ---- */

/* The first group in WAKE: let it go on when it is time, else note when it will be. */
static ld_rc wake_group(queue_work *work) {
  ld_row row;
  ld_slice name;
  queue_group of;
  int64_t at;
  work->tally.due[QUEUE_DUE_WAKE] = INT64_MAX;
  work->changed = true;
  ld_rc rc = queue_first(work, QUEUE_WAKE, &row);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = queue_key_numbers(work, QUEUE_WAKE, row.key, &at, 1, &name);
  if (rc != LD_OK) return rc;
  work->tally.due[QUEUE_DUE_WAKE] = at;
  if (at > work->now) return LD_OK;
  if (name.size > sizeof of.name) return queue_damaged(work->txn, "a group");
  memcpy(of.name, name.data, name.size);
  of.name_size = name.size;
  rc = queue_load_group(work, &of);
  return rc == LD_OK ? refresh(work, &of) : rc;
}

ld_rc queue_wake_groups(queue_work *work) {
  enum { STEP = 1000 };
  ld_rc rc = LD_OK;
  for (int i = 0; rc == LD_OK && i < STEP && work->tally.due[QUEUE_DUE_WAKE] <= work->now; i++)
    rc = wake_group(work);
  return rc;
}

/* ---- other limits ---- */

ld_rc queue_del_kind(queue_work *work, int kind) {
  queue_space space;
  uint64_t count;
  ld_buf prefix = queue_key(space, work, kind);
  return ld_row_del_prefix(work->txn, ld_buf_slice(&prefix), &count);
}

static ld_rc regroup_job(queue_work *work, int64_t id) {
  ld_job job;
  queue_claim claim;
  ld_rc rc = queue_find(work, id, &job, &claim);
  if (rc == LD_OK && job.state == LD_JOB_READY) return queue_add_ready(work, &job);
  if (rc != LD_OK || job.state != LD_JOB_RUNNING || !queue_has_groups(work)) return rc;
  return queue_group_began(work, &job);
}

static ld_rc regroup_kind(queue_work *work, int kind) {
  queue_space space;
  ld_scan scan;
  ld_row row;
  int64_t id;
  ld_buf prefix = queue_key(space, work, kind);
  ld_rc rc = ld_scan_begin(&scan, work->txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    rc = queue_key_numbers(work, kind, row.key, &id, 1, NULL);
    if (rc == LD_OK) rc = regroup_job(work, id);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc queue_regroup(queue_work *work, const ld_queue_limit *before) {
  static const int kinds[] = {QUEUE_READY, QUEUE_GROUP, QUEUE_GROUPED, QUEUE_WAKE};
  uint64_t head;
  ld_rc rc = LD_OK;
  if (before->by[0] == 0 && !queue_has_groups(work)) return LD_OK;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && rc == LD_OK; i++)
    rc = queue_del_kind(work, kinds[i]);
  if (rc == LD_OK) rc = ld_sequence_next(work->txn, &head);
  if (rc != LD_OK) return rc;
  work->tally.head = (int64_t)head;
  work->tally.in_lane = 0;
  rc = regroup_kind(work, QUEUE_LANE);
  return rc == LD_OK ? regroup_kind(work, QUEUE_JOB) : rc;
}
