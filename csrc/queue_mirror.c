/* queue_mirror.c -- see queue_mirror.h.
**
** A job's file is read as carefully as what a program says: a person may have written it. Keys have rows of their own, kept as they are, for a key may outlive its job; a
** job that comes without takes its key when it is loaded. */
#include "queue_mirror.h"

#include <stdio.h>

#include "file_name.h"
#include "queue_row.h"
#include "queue_verify.h"

static const char waiting[] = "waiting";

/* ---- units ---- */

static bool read_number_part(ld_slice *rest, int64_t *number) {
  ld_part part;
  if (ld_tuple_next(rest, &part, NULL) != LD_OK || part.kind != LD_PART_INT) return false;
  *number = part.integer;
  return true;
}

/* What is behind the kind in keys of rows that are not of one job may be anything. */
static bool read_key(ld_slice key, int64_t *number, int64_t *kind, int64_t *id) {
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  if (!read_number_part(&rest, number) || !read_number_part(&rest, kind)) return false;
  if (*kind != QUEUE_CLAIM && *kind != QUEUE_LANE && *kind != QUEUE_JOB) return true;
  return read_number_part(&rest, id);
}

static void write_unit(int64_t number, int64_t id, ld_buf *unit) {
  ld_buf_byte(unit, LD_SPACE_JOB);
  ld_tuple_int(unit, number);
  ld_tuple_int(unit, QUEUE_JOB);
  ld_tuple_int(unit, id);
}

ld_shown queue_mirror_find(const ld_row *row, ld_mirror_place *place) {
  int64_t number, kind, id = 0;
  ld_job job;
  queue_claim claim;
  if (!read_key(row->key, &number, &kind, &id)) return LD_SHOWN_ROW;
  switch (kind) {
  case QUEUE_CLAIM:
    if (!queue_decode_claim(row->payload, &claim)) return LD_SHOWN_ROW;
    break;
  case QUEUE_LANE:
  case QUEUE_JOB:
    if (!queue_decode_job(row->payload, &job)) return LD_SHOWN_ROW;
    break;
  case QUEUE_KEY:
  case QUEUE_SCHEDULE: return LD_SHOWN_ROW;
  default: return LD_SHOWN_DERIVED;
  }
  write_unit(number, id, &place->unit);
  return LD_SHOWN_FILE;
}

void queue_mirror_ahead(ld_slice key, ld_slice kept, ld_slice value, ld_buf *row) {
  ld_row before, now;
  ld_slice set_before, set_now;
  if (kept.size > 0 && ld_row_read(key, kept, &before) && ld_row_read(key, value, &now) &&
      queue_settings(before.payload, &set_before) && queue_settings(now.payload, &set_now) &&
      ld_equal(set_before, set_now))
    return;
  ld_buf_add(row, value);
}

/* ---- queues ---- */

/* May not write. Another code than LD_OK ends the walk. */
typedef ld_rc (*queue_visit)(void *context, ld_slice name, ld_slice payload);

/* Also those whose rows cannot be read. */
static ld_rc each_queue(ld_txn *txn, queue_visit visit, void *context) {
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
    if (rc == LD_OK && name.kind == LD_PART_STRING) rc = visit(context, name.bytes, row.payload);
    if (rc != LD_OK && rc != LD_CORRUPT) break;
  }
  ld_scan_end(&scan);
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

typedef struct search {
  ld_txn *txn;
  uint64_t number; /* that is looked for; 0: `folder` is */
  ld_slice folder;
  ld_buf made;
  uint64_t found;
} search;

/* EXISTS ends the walk. */
static ld_rc compare(void *context, ld_slice name, ld_slice payload) {
  search *wanted = context;
  uint64_t number;
  if (!ld_read_varint(&payload, &number)) return LD_OK;
  ld_buf_reset(&wanted->made);
  ld_file_name(name, false, &wanted->made);
  bool same = wanted->number != 0 ? wanted->number == number
                                  : ld_equal(ld_buf_slice(&wanted->made), wanted->folder);
  if (same) wanted->found = number;
  return same ? LD_EXISTS : LD_OK;
}

static ld_rc look_for(search *wanted) {
  ld_rc rc = each_queue(wanted->txn, compare, wanted);
  if (wanted->made.failed) return queue_no_memory(wanted->txn);
  return rc == LD_OK ? LD_NOTFOUND : rc == LD_EXISTS ? LD_OK : rc;
}

ld_rc queue_mirror_open(ld_txn *txn, ld_slice folder, int64_t *number) {
  search wanted = {.txn = txn, .folder = folder};
  ld_rc rc = look_for(&wanted);
  if (rc == LD_OK) *number = (int64_t)wanted.found;
  ld_buf_clear(&wanted.made);
  return rc;
}

ld_rc queue_mirror_path(ld_txn *txn, ld_slice unit, ld_buf *path) {
  int64_t number, kind, id = 0;
  if (!read_key(unit, &number, &kind, &id)) return LD_NOTFOUND;
  search wanted = {.txn = txn, .number = (uint64_t)number};
  ld_rc rc = look_for(&wanted);
  if (rc == LD_OK) {
    ld_buf_add(path, LD_LITERAL("queue/"));
    ld_buf_add(path, ld_buf_slice(&wanted.made));
    ld_buf_printf(path, "/%lld.json", (long long)id);
  }
  ld_buf_clear(&wanted.made);
  return rc;
}

/* ---- writing ---- */

static void write_number(ld_buf *document, size_t *count, const char *name, int64_t number) {
  ld_write_text(document, name);
  ld_write_int(document, number);
  ++*count;
}

static void write_claim(ld_buf *document, size_t *count, const queue_claim *claim) {
  size_t fields = 0;
  ld_write_text(document, "claim");
  size_t opened = ld_write_open(document);
  write_number(document, &fields, "token", claim->token);
  write_number(document, &fields, "attempt", claim->attempt);
  write_number(document, &fields, "claimed_at", claim->claimed_at);
  write_number(document, &fields, "lease_until", claim->lease_until);
  if (claim->cancelled)
    fields++, ld_write_text(document, "cancelled"), ld_write_bool(document, true);
  ld_write_close(document, opened, LD_MAP, fields);
  ++*count;
}

static void write_job(const ld_job *job, const queue_claim *claim, ld_buf *document) {
  size_t opened = ld_write_open(document), count = 3;
  write_number(document, &count, "id", job->id);
  ld_write_text(document, "state");
  ld_write_text(document, claim != NULL                ? "running"
                          : job->state == LD_JOB_READY ? waiting
                                                       : ld_job_state_names[job->state]);
  write_number(document, &count, "attempt", job->attempt);
  write_number(document, &count, "max_attempts", job->max_attempts);
  write_number(document, &count, "priority", job->priority);
  write_number(document, &count, "run_at", job->run_at);
  write_number(document, &count, "enqueued_at", job->enqueued_at);
  if (job->state >= LD_JOB_DONE) write_number(document, &count, "finished_at", job->finished_at);
  if (job->timeout_ms > 0) write_number(document, &count, "timeout_ms", job->timeout_ms);
  if (job->key.size > 0)
    count++, ld_write_text(document, "key"), ld_write_string(document, job->key);
  if (job->tags.size > 0) count++, ld_write_text(document, "tags"), ld_buf_add(document, job->tags);
  if (claim != NULL) write_claim(document, &count, claim);
  ld_write_text(document, "errors");
  ld_write_array(document, job->error_count);
  ld_buf_add(document, job->errors);
  ld_write_text(document, "data");
  ld_buf_add(document, job->data);
  ld_write_close(document, opened, LD_MAP, count);
}

ld_rc queue_mirror_render(ld_txn *txn, ld_slice unit, ld_buf *document) {
  queue_work work = {.txn = txn};
  queue_claim claim;
  ld_job job;
  int64_t kind, id = 0;
  if (!read_key(unit, &work.number, &kind, &id)) return LD_NOTFOUND;
  ld_rc rc = queue_load(&work, id, &job);
  ld_rc claimed = rc == LD_OK ? queue_get_claim(&work, id, &claim) : LD_NOTFOUND;
  if (claimed != LD_OK && claimed != LD_NOTFOUND) rc = claimed;
  if (rc == LD_OK) write_job(&job, claimed == LD_OK ? &claim : NULL, document);
  ld_buf_clear(&work.record);
  return rc;
}

/* ---- reading ---- */

static ld_rc expected(ld_txn *txn, const char *name, const char *what) {
  return ld_fail(ld_error_of(txn), LD_INVALID, "%s: expected %s", name, what);
}

/* Read a field that is a whole number from `low` to `high`. What is not there is `*number`, if that is. */
static ld_rc read_number(ld_txn *txn, ld_slice map, const char *name, int64_t low, int64_t high,
                         int64_t *number) {
  ld_slice value;
  ld_token token;
  char what[80];
  bool there = ld_value_field(map, name, &value);
  if (!there && *number >= low && *number <= high) return LD_OK;
  if (there && ld_value_next(&value, &token) && token.kind == LD_INT && token.integer >= low &&
      token.integer <= high) {
    *number = token.integer;
    return LD_OK;
  }
  snprintf(what, sizeof what, "a whole number from %lld to %lld", (long long)low, (long long)high);
  return expected(txn, name, what);
}

static ld_rc read_numbers(ld_txn *txn, ld_slice map, ld_job *job) {
  struct {
    const char *name;
    int64_t low, high, *number;
  } fields[] = {
      {"id", 1, INT64_C(1) << 53, &job->id},
      {"attempt", 0, INT64_MAX, &job->attempt},
      {"max_attempts", 1, INT64_MAX, &job->max_attempts},
      {"priority", INT64_MIN, INT64_MAX, &job->priority},
      {"run_at", 0, LD_QUEUE_LATEST, &job->run_at},
      {"enqueued_at", 0, LD_QUEUE_LATEST, &job->enqueued_at},
      {"finished_at", 0, LD_QUEUE_LATEST, &job->finished_at},
      {"timeout_ms", 0, LD_QUEUE_LONGEST, &job->timeout_ms},
  };
  ld_rc rc = LD_OK;
  job->max_attempts = ld_queue_defaults.max_attempts;
  for (size_t i = 0; i < sizeof fields / sizeof *fields && rc == LD_OK; i++)
    rc = read_number(txn, map, fields[i].name, fields[i].low, fields[i].high, fields[i].number);
  return rc;
}

static ld_rc read_state(ld_txn *txn, ld_slice map, ld_job *job) {
  ld_slice value;
  ld_token token;
  job->state = LD_JOB_READY;
  if (!ld_value_field(map, "state", &value)) return LD_OK;
  if (ld_value_next(&value, &token) && ld_is_string(&token)) {
    if (ld_equal(token.bytes, ld_text(waiting))) return LD_OK;
    for (int i = 0; i < LD_JOB_STATES; i++) {
      if (!ld_equal(token.bytes, ld_text(ld_job_state_names[i]))) continue;
      if (i >= LD_JOB_DONE) job->state = (ld_job_state)i;
      return LD_OK;
    }
  }
  return expected(txn, "state", "waiting, running, done, dead or cancelled");
}

/* Of a list whose elements are all `wanted`; `*rest` is the elements. */
static bool read_list(ld_slice value, bool (*wanted)(const ld_token *token), size_t *count,
                      ld_slice *rest) {
  ld_token token;
  if (!ld_value_next(&value, &token) || token.kind != LD_ARRAY) return false;
  *count = token.count;
  *rest = value;
  for (uint32_t left = token.count; left > 0; left--) {
    ld_slice element = value;
    if (!ld_value_next(&element, &token) || !wanted(&token) || !ld_value_skip(&value)) return false;
  }
  return true;
}

static bool is_map(const ld_token *token) { return token->kind == LD_MAP; }

static ld_rc read_texts(ld_txn *txn, ld_slice map, ld_job *job) {
  ld_slice value, rest;
  ld_token token;
  size_t count;
  if (ld_value_field(map, "key", &value)) {
    if (!ld_value_next(&value, &token) || !ld_is_string(&token) || token.bytes.size == 0 ||
        token.bytes.size > LD_PART_MAX)
      return expected(txn, "key", "a string of 1 to 1023 bytes");
    job->key = token.bytes;
  }
  if (ld_value_field(map, "tags", &job->tags) && !read_list(job->tags, ld_is_string, &count, &rest))
    return expected(txn, "tags", "a list of strings");
  if (ld_value_field(map, "errors", &value) &&
      (!read_list(value, is_map, &job->error_count, &job->errors) ||
       job->error_count > LD_QUEUE_ERRORS))
    return expected(txn, "errors", "a list of at most 20 objects");
  return ld_value_field(map, "data", &job->data) ? LD_OK : expected(txn, "data", "a value");
}

static ld_rc read_claim(ld_txn *txn, ld_slice map, queue_claim *claim) {
  ld_slice cancelled;
  ld_token token;
  *claim = (queue_claim){.cancelled = false};
  ld_rc rc = read_number(txn, map, "token", 1, INT64_MAX, &claim->token);
  if (rc == LD_OK) rc = read_number(txn, map, "attempt", 1, INT64_MAX, &claim->attempt);
  if (rc == LD_OK) rc = read_number(txn, map, "claimed_at", 0, LD_QUEUE_LATEST, &claim->claimed_at);
  if (rc == LD_OK) rc = read_number(txn, map, "lease_until", 0, INT64_MAX, &claim->lease_until);
  if (rc != LD_OK || !ld_value_field(map, "cancelled", &cancelled)) return rc;
  if (!ld_value_next(&cancelled, &token) || token.kind != LD_BOOL)
    return expected(txn, "cancelled", "true or false");
  claim->cancelled = token.truth;
  return LD_OK;
}

/* ---- loading ---- */

/* Whether a job that was loaded has this key. */
static ld_rc has_key(queue_work *work, int64_t id, ld_slice key, bool *has) {
  ld_job other;
  ld_rc rc = queue_load(work, id, &other);
  *has = rc == LD_OK && other.state == LD_JOB_READY && ld_equal(other.key, key);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc claim_key(queue_work *work, const ld_job *job) {
  queue_space space;
  queue_key_row row;
  int64_t holder = 0;
  bool taken = false;
  ld_quoted quoted;
  ld_rc rc = queue_get_key(work, job->key, &row);
  if (rc == LD_OK && row.id == job->id && !row.finished) return LD_OK;
  if (rc == LD_OK && row.finished) taken = row.until > work->now;
  if (rc == LD_OK && !row.finished) rc = has_key(work, row.id, job->key, &taken);
  if (rc == LD_OK && taken)
    return ld_fail(ld_error_of(work->txn), LD_EXISTS, "the key %s is that of job %lld",
                   ld_quote(job->key, quoted), (long long)row.id);
  if (rc == LD_OK) rc = ld_row_del(work->txn, queue_key_text(space, work, QUEUE_KEY, job->key));
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  return queue_take_key(work, job->key, job->id, 0, &holder);
}

static ld_rc write_rows(queue_work *work, const ld_job *job, queue_claim *claim) {
  queue_space space;
  ld_row row;
  ld_rc rc = ld_row_get(work->txn, queue_key1(space, work, QUEUE_JOB, job->id), &row);
  if (rc == LD_OK)
    return ld_fail(ld_error_of(work->txn), LD_EXISTS, "the job is in another file as well");
  if (rc == LD_NOTFOUND)
    rc = job->key.size > 0 && job->state == LD_JOB_READY ? claim_key(work, job) : LD_OK;
  if (rc == LD_OK) rc = queue_put_job(work, job);
  if (rc == LD_OK && claim != NULL) rc = queue_put_claim(work, job->id, claim);
  return rc == LD_OK ? ld_sequence_raise(work->txn, (uint64_t)job->id) : rc;
}

ld_rc queue_mirror_load(ld_txn *txn, int64_t number, ld_slice document, ld_buf *unit) {
  int64_t now = ld_now(&txn->engine->env);
  queue_work work = {.txn = txn, .number = number, .now = now};
  ld_job job = {.id = 0};
  queue_claim claim;
  ld_slice map;
  ld_rc rc = read_numbers(txn, document, &job);
  if (rc == LD_OK) rc = read_state(txn, document, &job);
  if (rc == LD_OK) rc = read_texts(txn, document, &job);
  bool claimed = job.state == LD_JOB_READY && ld_value_field(document, "claim", &map);
  if (rc == LD_OK && claimed) rc = read_claim(txn, map, &claim);
  if (rc != LD_OK) return rc;
  if (claimed) claim.keyed = job.key.size > 0;
  rc = write_rows(&work, &job, claimed ? &claim : NULL);
  ld_buf_clear(&work.record);
  if (rc == LD_OK) write_unit(number, job.id, unit);
  return rc;
}

static ld_rc note_name(void *context, ld_slice name, ld_slice payload) {
  ld_buf *names = context;
  ld_slice settings;
  if (!queue_settings(payload, &settings)) return LD_OK;
  ld_buf_varint(names, name.size);
  ld_buf_add(names, name);
  return LD_OK;
}

ld_rc queue_mirror_end(ld_txn *txn) {
  ld_buf names = {0};
  uint64_t size;
  ld_rc rc = each_queue(txn, note_name, &names);
  ld_slice rest = ld_buf_slice(&names);
  if (names.failed) rc = queue_no_memory(txn);
  while (rc == LD_OK && ld_read_varint(&rest, &size)) {
    rc = ld_queue_mend(txn, ld_bytes(rest.data, (size_t)size));
    rest = ld_bytes(rest.data + size, rest.size - (size_t)size);
  }
  ld_buf_clear(&names);
  return rc;
}
