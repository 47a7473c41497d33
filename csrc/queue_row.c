/* queue_row.c -- see queue_row.h.
**
** The row of a queue: number, whether it was declared, the options, the tally (queue_tally.c). That of a job:
**   state | attempt | max_attempts | priority | run_at | enqueued_at | finished_at | timeout | size of key, key | size of tags, tags |
**   number of errors, size of errors, errors | data
** where times and the priority are signed (queue_put_int), the rest unsigned LEB128, the state a byte. */
#include "queue_row.h"

/* ---- failures ---- */

ld_rc queue_no_memory(ld_txn *txn) { return ld_no_memory(txn, "queue"); }

ld_rc queue_damaged(ld_txn *txn, const char *what) {
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "queue: %s is damaged", what));
}

ld_rc ld_queue_check_name(ld_slice queue, ld_error *error) {
  ld_quoted quoted;
  if (queue.size == 0) return ld_fail(error, LD_INVALID, "the name of a queue is empty");
  if (queue.size <= LD_PART_MAX) return LD_OK;
  return ld_fail(error, LD_TOOBIG, "the name of queue %s has %zu bytes, the limit is %u",
                 ld_quote(queue, quoted), queue.size, LD_PART_MAX);
}

/* ---- keys ---- */

ld_buf queue_key(queue_space space, const queue_work *work, int kind) {
  ld_buf key = {.data = space, .capacity = sizeof(queue_space)};
  ld_buf_byte(&key, LD_SPACE_JOB);
  ld_tuple_int(&key, work->number);
  ld_tuple_int(&key, kind);
  return key;
}

ld_slice queue_key1(queue_space space, const queue_work *work, int kind, int64_t a) {
  ld_buf key = queue_key(space, work, kind);
  ld_tuple_int(&key, a);
  return ld_buf_slice(&key);
}

ld_slice queue_key2(queue_space space, const queue_work *work, int kind, int64_t a, int64_t b) {
  ld_buf key = queue_key(space, work, kind);
  ld_tuple_int(&key, a);
  ld_tuple_int(&key, b);
  return ld_buf_slice(&key);
}

ld_slice queue_key3(queue_space space, const queue_work *work, int kind, int64_t a, int64_t b,
                    int64_t c) {
  ld_buf key = queue_key(space, work, kind);
  ld_tuple_int(&key, a);
  ld_tuple_int(&key, b);
  ld_tuple_int(&key, c);
  return ld_buf_slice(&key);
}

ld_slice queue_key_text(queue_space space, const queue_work *work, int kind, ld_slice text) {
  ld_buf key = queue_key(space, work, kind);
  ld_tuple_string(&key, text);
  return ld_buf_slice(&key);
}

ld_rc queue_key_numbers(const queue_work *work, int kind, ld_slice key, int64_t *numbers,
                        size_t count, ld_slice *rest) {
  queue_space space;
  ld_part part;
  size_t before = queue_key(space, work, kind).size;
  if (key.size < before) return queue_damaged(work->txn, "a key");
  key = ld_bytes(key.data + before, key.size - before);
  for (size_t i = 0; i < count; i++) {
    if (ld_tuple_next(&key, &part, NULL) != LD_OK || part.kind != LD_PART_INT)
      return queue_damaged(work->txn, "a key");
    numbers[i] = part.integer;
  }
  if (rest != NULL) *rest = key;
  return LD_OK;
}

ld_rc queue_first_of(const queue_work *work, ld_slice prefix, ld_row *row) {
  ld_scan scan;
  ld_rc rc = ld_scan_begin(&scan, work->txn, prefix, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  rc = ld_scan_next(&scan, row);
  ld_scan_end(&scan);
  return rc;
}

ld_rc queue_first(const queue_work *work, int kind, ld_row *row) {
  queue_space space;
  ld_buf prefix = queue_key(space, work, kind);
  return queue_first_of(work, ld_buf_slice(&prefix), row);
}

int queue_compare(const int64_t a[3], const int64_t b[3]) {
  for (int i = 0; i < 3; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

/* ---- the row of a queue ---- */

static void encode_options(const ld_queue_options *options, ld_buf *payload) {
  const ld_queue_limit *limit = &options->limit;
  const int64_t numbers[] = {options->lease_ms,     options->max_attempts, options->backoff,
                             options->backoff_ms,   options->keep_done_ms, options->keep_done_count,
                             options->keep_dead_ms, limit->concurrency,    limit->rate,
                             limit->per_ms};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    ld_buf_varint(payload, (uint64_t)numbers[i]);
  ld_buf_varint(payload, strlen(limit->by));
  ld_buf_add(payload, ld_text(limit->by));
}

static bool decode_by(ld_slice *rest, char by[LD_QUEUE_FIELD_MAX + 1]) {
  uint64_t size;
  if (!ld_read_varint(rest, &size) || size > rest->size || size > LD_QUEUE_FIELD_MAX) return false;
  memcpy(by, rest->data, (size_t)size);
  by[size] = 0;
  *rest = ld_bytes(rest->data + size, rest->size - (size_t)size);
  return true;
}

static bool decode_options(ld_slice *rest, ld_queue_options *options) {
  ld_queue_limit *limit = &options->limit;
  uint64_t number;
  int64_t *const numbers[] = {
      &options->lease_ms,     &options->max_attempts, NULL,
      &options->backoff_ms,   &options->keep_done_ms, &options->keep_done_count,
      &options->keep_dead_ms, &limit->concurrency,    &limit->rate,
      &limit->per_ms};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (!ld_read_varint(rest, &number)) return false;
    if (numbers[i] != NULL) *numbers[i] = (int64_t)number;
    if (numbers[i] == NULL) options->backoff = (ld_backoff_kind)number;
  }
  return decode_by(rest, limit->by);
}

bool queue_settings(ld_slice payload, ld_slice *settings) {
  ld_slice rest = payload;
  ld_queue_options options;
  queue_tally tally;
  uint64_t number, declared;
  if (!ld_read_varint(&rest, &number) || !ld_read_varint(&rest, &declared) ||
      !decode_options(&rest, &options) || !queue_tally_decode(rest, &tally))
    return false;
  *settings = ld_bytes(payload.data, payload.size - rest.size + 1);
  return true;
}

static ld_slice queue_row_key(queue_space space, ld_slice name) {
  ld_buf key = {.data = space, .capacity = sizeof(queue_space)};
  ld_buf_byte(&key, LD_SPACE_QUEUE);
  ld_tuple_string(&key, name);
  return ld_buf_slice(&key);
}

/* ---- opening ---- */

static int64_t now_of(ld_txn *txn) {
  int64_t now = ld_now(&txn->engine->env);
  return now < 0 ? 0 : now > LD_QUEUE_LATEST ? LD_QUEUE_LATEST : now;
}

static ld_rc load(queue_work *work) {
  queue_space space;
  ld_row row;
  uint64_t number, declared;
  ld_rc rc = ld_row_get(work->txn, queue_row_key(space, work->name), &row);
  if (rc != LD_OK) return rc;
  ld_slice rest = row.payload;
  if (!ld_read_varint(&rest, &number) || !ld_read_varint(&rest, &declared) ||
      !decode_options(&rest, &work->options) || !queue_tally_decode(rest, &work->tally))
    return queue_damaged(work->txn, "the row of a queue");
  work->number = (int64_t)number;
  work->declared = declared != 0;
  return LD_OK;
}

static ld_rc save(queue_work *work) {
  queue_space space;
  ld_buf *payload = &work->record;
  ld_buf_reset(payload);
  ld_buf_varint(payload, (uint64_t)work->number);
  ld_buf_varint(payload, work->declared ? 1 : 0);
  encode_options(&work->options, payload);
  queue_tally_encode(&work->tally, payload);
  if (payload->failed) return queue_no_memory(work->txn);
  return ld_row_put_plain(work->txn, queue_row_key(space, work->name), ld_buf_slice(payload));
}

ld_rc queue_make(queue_work *work) {
  uint64_t number;
  ld_rc rc = ld_sequence_next(work->txn, &number);
  if (rc != LD_OK) return rc;
  work->number = (int64_t)number;
  work->changed = true;
  return LD_OK;
}

ld_rc queue_open(queue_work *work, ld_txn *txn, ld_slice name, bool make) {
  ld_rc rc = ld_queue_check_name(name, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  work->txn = txn;
  work->name = name;
  work->number = 0;
  work->now = now_of(txn);
  work->declared = work->changed = false;
  work->record = (ld_buf){0};
  rc = load(work);
  if (rc != LD_NOTFOUND) return rc;
  work->options = ld_queue_defaults;
  queue_tally_init(&work->tally);
  return make ? queue_make(work) : LD_OK;
}

ld_rc queue_close(queue_work *work, ld_rc rc) {
  if (rc == LD_OK && work->changed && work->number != 0) rc = save(work);
  ld_buf_clear(&work->record);
  return rc;
}
