/* queue_verify_group.c -- groups: each one's row against its jobs that wait and those that run, and against WAKE.
**
** How many run is counted for a window of groups at a time, with a walk over all claims each. */
#include "queue_verify_run.h"

#include <stdlib.h>

/* A smaller one makes the second window common, in tests. */
#ifndef LD_GROUPS_KEPT
#define LD_GROUPS_KEPT 1024
#endif

static void at_group(queue_verify *v, ld_slice name) {
  ld_quoted quoted;
  ld_part hashed, value = {.kind = LD_PART_NULL};
  if (ld_tuple_next(&name, &hashed, NULL) == LD_OK) ld_tuple_next(&name, &value, &v->scratch);
  if (hashed.kind == LD_PART_INT && hashed.integer != 0)
    queue_at(v, "group of a long value");
  else if (value.kind == LD_PART_STRING)
    queue_at(v, "group %s", ld_quote(value.bytes, quoted));
  else if (value.kind == LD_PART_INT)
    queue_at(v, "group %lld", (long long)value.integer);
  else
    queue_at(v, "group of a value that is neither a string nor an integer");
}

/* The name of a group off the front of a key. False: it is none, which was told. */
static bool take_group(queue_verify *v, ld_slice *rest, queue_group *of) {
  ld_slice name = *rest;
  ld_part part;
  for (int i = 0; i < 2; i++)
    if (ld_tuple_next(rest, &part, &v->scratch) != LD_OK) return false;
  of->name_size = name.size - rest->size;
  if (of->name_size > sizeof of->name) return false;
  memcpy(of->name, name.data, of->name_size);
  return true;
}

static ld_slice name_of(const queue_group *of) { return ld_bytes(of->name, of->name_size); }

/* ---- a group's row ---- */

static ld_rc check_wake(queue_verify *v, const queue_group *of) {
  queue_space space;
  bool there = true;
  if (of->wake == 0) return LD_OK;
  ld_buf key = queue_key(space, &v->work, QUEUE_WAKE);
  ld_tuple_int(&key, of->wake);
  ld_buf_add(&key, name_of(of));
  ld_rc rc = queue_is_there(v, ld_buf_slice(&key), &there);
  return rc != LD_OK || there ? rc : queue_found(v, "queue", "nothing would wake it");
}

static ld_rc check_head(queue_verify *v, const queue_group *of) {
  const ld_queue_limit *limit = &v->work.options.limit;
  queue_space space;
  int64_t first[3];
  bool there = true;
  ld_rc rc = queue_first_of_group(&v->work, of, first);
  if (rc != LD_OK && rc != LD_NOTFOUND) return queue_pass(rc);
  bool waits = rc == LD_OK, full = limit->concurrency > 0 && of->running >= limit->concurrency;
  if (of->has_head && (!waits || queue_compare(of->head, first) != 0))
    return queue_found(v, "queue", "its first job is another one");
  if (waits && !of->has_head && of->wake == 0 && !full)
    return queue_found(v, "queue", "has jobs that nobody would run");
  if (!of->has_head) return LD_OK;
  rc = queue_is_there(
      v, queue_key3(space, &v->work, QUEUE_READY, of->head[0], of->head[1], of->head[2]), &there);
  return rc != LD_OK || there ? rc
                              : queue_found(v, "queue", "its first job is not among the ready");
}

static ld_rc group_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_group of;
  if (!take_group(v, &rest, &of)) return LD_OK;
  at_group(v, name_of(&of));
  if (!queue_has_groups(&v->work)) return queue_found(v, "queue", "the queue has no groups");
  ld_rc rc = queue_read_group(&v->work, row->payload, &of);
  if (rc != LD_OK) return queue_found(v, "queue", "its row cannot be read");
  rc = check_head(v, &of);
  return rc == LD_OK ? check_wake(v, &of) : rc;
}

/* ---- what leads to groups ---- */

static ld_rc wake_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_group of;
  int64_t at;
  (void)row;
  if (!queue_take_parts(&rest, &at, 1) || !take_group(v, &rest, &of)) return LD_OK;
  if (at < v->due[QUEUE_DUE_WAKE]) v->due[QUEUE_DUE_WAKE] = at;
  ld_rc rc = queue_load_group(&v->work, &of);
  if (rc != LD_OK || of.wake == at) return queue_pass(rc);
  at_group(v, name_of(&of));
  return queue_found(v, "queue", "would be woken at %lld, of which its row says nothing",
                     (long long)at);
}

/* A job's group, and whether that has a row. */
static ld_rc check_group_of(queue_verify *v, const queue_group *of) {
  queue_space space;
  bool there = true;
  ld_buf key = queue_group_key(space, &v->work, QUEUE_GROUP, of);
  ld_rc rc = queue_is_there(v, ld_buf_slice(&key), &there);
  return rc != LD_OK || there ? rc : queue_found(v, "job", "its group has no row");
}

static ld_rc grouped_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_group said, of = {.name_size = 0};
  ld_job job;
  int64_t key[3];
  bool there;
  (void)row;
  if (!take_group(v, &rest, &said) || !queue_take_parts(&rest, key, 3)) return LD_OK;
  ld_rc rc = queue_meet(v, key[2], &job, &there);
  if (rc != LD_OK) return queue_pass(rc);
  queue_at(v, "job %lld", (long long)key[2]);
  if (!there) return queue_found(v, "job", "has a row in a group, but is not there");
  if (queue_has_groups(&v->work)) queue_name_group(&v->work, job.data, &of);
  bool fits = job.state == LD_JOB_READY && job.priority == key[0] && job.run_at == key[1];
  if (!fits || !ld_equal(name_of(&of), name_of(&said)))
    return queue_found(v, "job", "has a row in a group that it is not in");
  return check_group_of(v, &of);
}

/* ---- how many run ---- */

typedef struct counted {
  uint8_t name[QUEUE_GROUP_NAME];
  size_t name_size;
  int64_t said, running;
} counted;

typedef struct counting {
  counted groups[LD_GROUPS_KEPT];
  size_t count;
  ld_buf last; /* the key of the last one's row */
} counting;

static void add_group(queue_verify *v, counting *c, const ld_row *row, size_t before) {
  queue_group of = {.running = 0};
  ld_slice rest = ld_bytes(row->key.data + before, row->key.size - before);
  ld_buf_reset(&c->last);
  ld_buf_add(&c->last, row->key);
  if (!take_group(v, &rest, &of) || queue_read_group(&v->work, row->payload, &of) != LD_OK) return;
  counted *next = &c->groups[c->count++];
  memcpy(next->name, of.name, of.name_size);
  next->name_size = of.name_size;
  next->said = of.running;
  next->running = 0;
}

/* Take in the next groups; they come in the order of their names. */
static ld_rc fill_window(queue_verify *v, counting *c) {
  queue_space space;
  ld_buf prefix = queue_key(space, &v->work, QUEUE_GROUP), after = c->last;
  ld_scan scan;
  ld_row row;
  c->count = 0;
  c->last = (ld_buf){0};
  ld_rc rc = ld_scan_begin(&scan, v->work.txn, ld_buf_slice(&prefix), ld_buf_slice(&after));
  while (rc == LD_OK && c->count < LD_GROUPS_KEPT) {
    rc = ld_scan_next(&scan, &row);
    if (rc == LD_OK) add_group(v, c, &row, prefix.size);
    if (rc == LD_CORRUPT || rc == LD_UNSUPPORTED) rc = LD_OK;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&after);
  if (c->last.failed) return queue_no_memory(v->work.txn);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static int by_name(const void *key, const void *element) {
  const counted *a = key, *b = element;
  return ld_compare(ld_bytes(a->name, a->name_size), ld_bytes(b->name, b->name_size));
}

static ld_rc count_claim(queue_verify *v, counting *c, int64_t id) {
  queue_group of;
  counted key;
  ld_job job;
  bool there;
  ld_rc rc = queue_meet(v, id, &job, &there);
  if (rc != LD_OK || !there) return queue_pass(rc);
  queue_name_group(&v->work, job.data, &of);
  memcpy(key.name, of.name, of.name_size);
  key.name_size = of.name_size;
  counted *found = bsearch(&key, c->groups, c->count, sizeof *c->groups, by_name);
  if (found != NULL) found->running++;
  return LD_OK;
}

static ld_rc count_claims(queue_verify *v, counting *c) {
  queue_space space;
  ld_buf prefix = queue_key(space, &v->work, QUEUE_CLAIM);
  ld_scan scan;
  ld_row row;
  int64_t id;
  ld_rc rc = ld_scan_begin(&scan, v->work.txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) != LD_NOTFOUND) {
    ld_slice rest = LD_SLICE_NONE;
    if (rc == LD_OK) rest = ld_bytes(row.key.data + prefix.size, row.key.size - prefix.size);
    rc = queue_pass(rc);
    if (rc == LD_OK && queue_take_parts(&rest, &id, 1)) rc = count_claim(v, c, id);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc compare_window(queue_verify *v, const counting *c) {
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < c->count && rc == LD_OK; i++) {
    const counted *one = &c->groups[i];
    if (one->said == one->running) continue;
    at_group(v, ld_bytes(one->name, one->name_size));
    rc = queue_found(v, "count", "says that %lld of its jobs run, it is %lld", (long long)one->said,
                     (long long)one->running);
  }
  return rc;
}

static ld_rc check_running(queue_verify *v) {
  counting *c = calloc(1, sizeof *c);
  ld_rc rc = c == NULL ? queue_no_memory(v->work.txn) : fill_window(v, c);
  while (rc == LD_OK && c->count > 0) {
    rc = count_claims(v, c);
    if (rc == LD_OK) rc = compare_window(v, c);
    if (rc == LD_OK) rc = fill_window(v, c);
  }
  if (c != NULL) ld_buf_clear(&c->last);
  free(c);
  return rc;
}

/* A claim whose group has no row is not seen from any group. */
static ld_rc claim_row(queue_verify *v, const ld_row *row, ld_slice rest) {
  queue_group of;
  ld_job job;
  int64_t id;
  bool there;
  (void)row;
  if (!queue_take_parts(&rest, &id, 1)) return LD_OK;
  ld_rc rc = queue_meet(v, id, &job, &there);
  if (rc != LD_OK || !there) return queue_pass(rc);
  queue_name_group(&v->work, job.data, &of);
  queue_at(v, "job %lld", (long long)id);
  return check_group_of(v, &of);
}

ld_rc queue_verify_groups(queue_verify *v) {
  ld_rc rc = queue_each(v, QUEUE_GROUP, group_row);
  if (rc == LD_OK) rc = queue_each(v, QUEUE_GROUPED, grouped_row);
  if (rc == LD_OK) rc = queue_each(v, QUEUE_WAKE, wake_row);
  if (rc != LD_OK || !queue_has_groups(&v->work)) return rc;
  rc = queue_each(v, QUEUE_CLAIM, claim_row);
  return rc == LD_OK ? check_running(v) : rc;
}
