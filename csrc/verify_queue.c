/* verify_queue.c -- queues: what queue_verify.h finds in each, and rows that belong to none. */
#include "queue_row.h"
#include "queue_verify.h"
#include "verify_numbers.h"

/* ---- one row by itself ---- */

ld_rc verify_queue_row(verify *v, const verify_key *key, const ld_row *row) {
  (void)key;
  (void)row;
  v->report->queues++;
  return LD_OK;
}

ld_rc verify_job_row(verify *v, const verify_key *key, const ld_row *row) {
  (void)row;
  if (key->kind == QUEUE_LANE || key->kind == QUEUE_JOB) v->report->jobs++;
  return LD_OK;
}

/* ---- one queue ---- */

typedef struct visiting {
  verify *v;
  ld_slice name;
} visiting;

static ld_rc hear_found(void *context, const char *kind, const char *what, const char *text) {
  const visiting *one = context;
  ld_quoted name;
  ld_quote(one->name, name);
  if (what != NULL)
    verify_at(one->v, "%s of queue %s", what, name);
  else
    verify_at(one->v, "queue %s", name);
  return verify_found(one->v, kind, "%s", text);
}

static ld_rc hear_step(void *context) { return verify_step(((const visiting *)context)->v); }

static void hear_number(void *context, uint64_t number) {
  verify_number(((const visiting *)context)->v, number);
}

static ld_rc check_queue(verify *v, ld_slice name) {
  visiting one = {.v = v, .name = name};
  const ld_queue_verify_calls calls = {
      .context = &one, .found = hear_found, .step = hear_step, .number = hear_number};
  bool mendable = false;
  ld_rc rc = ld_queue_verify(v->txn, name, &calls, &mendable);
  if (rc != LD_OK || !mendable) return rc;
  return verify_mend(v, LD_MEND_QUEUE, name, LD_SLICE_NONE, 0);
}

/* ---- all ---- */

typedef ld_rc (*visit_queue)(verify *v, const ld_row *row, verify_numbers *numbers);

static ld_rc each(verify *v, visit_queue visit, verify_numbers *numbers) {
  static const uint8_t space = LD_SPACE_QUEUE;
  ld_scan scan;
  ld_row row;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = verify_next(v, &scan, &row)) == LD_OK && (rc = visit(v, &row, numbers)) == LD_OK) {
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc add_number(verify *v, const ld_row *row, verify_numbers *numbers) {
  ld_slice payload = row->payload;
  uint64_t number;
  if (ld_read_varint(&payload, &number)) verify_numbers_add(numbers, number);
  return verify_step(v);
}

static ld_rc each_number(verify *v, verify_numbers *numbers) {
  return each(v, add_number, numbers);
}

static ld_rc visit(verify *v, const ld_row *row, verify_numbers *numbers) {
  verify_key key;
  ld_buf name = {0};
  (void)numbers;
  ld_rc rc = verify_key_read(v, row->key, &key);
  if (rc != LD_OK || !key.sound) return rc;
  ld_buf_add(&name, key.name);
  rc = name.failed ? ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory")
                   : check_queue(v, ld_buf_slice(&name));
  ld_buf_clear(&name);
  return rc;
}

static ld_rc tell_stray(verify *v, uint8_t space, uint64_t number, uint64_t rows) {
  (void)space;
  verify_at(v, "rows of queue number %llu", (unsigned long long)number);
  return verify_found(v, "queue", "there is no such queue: rows: %llu", (unsigned long long)rows);
}

static ld_rc check_numbers(verify *v) {
  verify_numbers numbers = {.v = v, .kind = "queue"};
  ld_rc rc;
  while ((rc = verify_numbers_next(&numbers, each_number)) == LD_OK &&
         (rc = verify_numbers_compare(&numbers, LD_SPACE_JOB, tell_stray)) == LD_OK) {
  }
  verify_numbers_clear(&numbers);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc verify_queues(verify *v) {
  ld_rc rc = check_numbers(v);
  return rc == LD_OK ? each(v, visit, NULL) : rc;
}
