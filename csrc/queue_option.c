/* queue_option.c -- see queue_option.h. Each field of a map is looked up in a table; its reader checks it and names the whole path when it is wrong. */
#include "queue_option.h"

#include <math.h>
#include <stdio.h>

#include "name.h"
#include "row.h"
#include "value.h"

enum { MOST_FIELDS = 12 };

const ld_queue_options ld_queue_defaults = {.lease_ms = 30000,
                                            .max_attempts = 20,
                                            .keep_dead_ms = (int64_t)30 * LD_QUEUE_DAY,
                                            .limit = {.per_ms = 1000}};

/* ---- maps ---- */

/* A field: its name, and what takes its value into `target`. */
typedef struct field {
  const char *name;
  ld_rc (*read)(ld_slice value, const char *path, void *target, ld_error *error);
  void *target;
} field;

static ld_rc unknown_field(ld_slice name, const field *fields, const char *what, ld_error *error) {
  const char *known[MOST_FIELDS + 1];
  char text[64];
  size_t count = 0;
  for (; fields[count].name != NULL; count++) known[count] = fields[count].name;
  known[count] = NULL;
  snprintf(text, sizeof text, "%.*s", (int)(name.size < 60 ? name.size : 60),
           (const char *)name.data);
  return ld_unknown_name(what, text, known, error);
}

static ld_rc read_field(ld_slice name, ld_slice value, const field *fields, const char *path,
                        ld_error *error) {
  char at[64];
  for (const field *one = fields; one->name != NULL; one++) {
    if (!ld_equal(name, ld_text(one->name))) continue;
    snprintf(at, sizeof at, "%s%s%s", path, path[0] != 0 ? "." : "", one->name);
    return one->read(value, at, one->target, error);
  }
  return unknown_field(name, fields, "option", error);
}

static ld_rc read_map(ld_slice map, const field *fields, const char *path, ld_error *error) {
  ld_token head, key;
  ld_slice value;
  if (map.size == 0) return LD_OK;
  if (!ld_value_next(&map, &head) || head.kind != LD_MAP)
    return ld_fail(error, LD_INVALID, "%s: expected a map of options",
                   path[0] != 0 ? path : "options");
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&map, &key) || !ld_value_take(&map, &value)) break;
    if (!ld_is_string(&key))
      return ld_fail(error, LD_INVALID, "the name of an option is %s", ld_kind_name(key.kind));
    ld_rc rc = read_field(key.bytes, value, fields, path, error);
    if (rc != LD_OK) return rc;
  }
  return LD_OK;
}

/* ---- values ---- */

static ld_rc wrong(const char *path, const char *expected, const ld_token *got, ld_error *error) {
  char text[48];
  if (got->kind == LD_INT)
    snprintf(text, sizeof text, "%lld", (long long)got->integer);
  else if (got->kind == LD_FLOAT)
    snprintf(text, sizeof text, "%.17g", got->number);
  else
    snprintf(text, sizeof text, "%s", ld_kind_name(got->kind));
  return ld_fail(error, LD_INVALID, "%s: expected %s, got %s", path, expected, text);
}

static ld_token scalar(ld_slice value) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&value, &token);
  return token;
}

/* A whole number, as a float, too. */
static bool as_integer(const ld_token *token, int64_t *integer) {
  if (token->kind == LD_INT) *integer = token->integer;
  if (token->kind == LD_INT) return true;
  if (token->kind != LD_FLOAT || token->number != floor(token->number)) return false;
  if (!(token->number >= -9223372036854775808.0 && token->number < 9223372036854775808.0))
    return false;
  *integer = (int64_t)token->number;
  return true;
}

static ld_rc read_integer(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_token token = scalar(value);
  return as_integer(&token, target) ? LD_OK : wrong(path, "a whole number", &token, error);
}

static ld_rc read_count_from(ld_slice value, const char *path, int64_t least, int64_t *count,
                             ld_error *error) {
  ld_token token = scalar(value);
  int64_t number;
  if (as_integer(&token, &number) && number >= least) {
    *count = number;
    return LD_OK;
  }
  return wrong(path, least == 0 ? "a whole number from 0" : "a whole number from 1", &token, error);
}

static ld_rc read_count0(ld_slice value, const char *path, void *target, ld_error *error) {
  return read_count_from(value, path, 0, target, error);
}

static ld_rc read_count1(ld_slice value, const char *path, void *target, ld_error *error) {
  return read_count_from(value, path, 1, target, error);
}

static ld_rc read_time(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_token token = scalar(value);
  int64_t at;
  if (!as_integer(&token, &at) || at < 0 || at > LD_QUEUE_LATEST)
    return wrong(path, "ms since 1970, a whole number from 0", &token, error);
  *(int64_t *)target = at;
  return LD_OK;
}

/* Seconds, as ms. What is above zero is at least 1 ms. */
static ld_rc read_seconds(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_token token = scalar(value);
  double seconds = token.kind == LD_INT     ? (double)token.integer
                   : token.kind == LD_FLOAT ? token.number
                                            : -1;
  if (!(seconds >= 0 && seconds <= (double)LD_QUEUE_LONGEST / 1000))
    return wrong(path, "seconds, a number from 0 to 1e11", &token, error);
  double ms = round(seconds * 1000);
  *(int64_t *)target = ms == 0 && seconds > 0 ? 1 : (int64_t)ms;
  return LD_OK;
}

static ld_rc read_positive_seconds(ld_slice value, const char *path, void *target,
                                   ld_error *error) {
  int64_t ms;
  ld_token token = scalar(value);
  ld_rc rc = read_seconds(value, path, &ms, error);
  if (rc != LD_OK) return rc;
  if (ms == 0) return wrong(path, "more than 0 seconds", &token, error);
  *(int64_t *)target = ms;
  return LD_OK;
}

/* ---- options of a queue ---- */

static ld_rc read_backoff(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_queue_options *options = target;
  ld_token token = scalar(value);
  options->backoff_ms = 0;
  if (ld_is_string(&token) && ld_equal(token.bytes, LD_LITERAL("default"))) {
    options->backoff = LD_BACKOFF_DEFAULT;
    return LD_OK;
  }
  if (ld_is_string(&token) && ld_equal(token.bytes, LD_LITERAL("exponential"))) {
    options->backoff = LD_BACKOFF_EXPONENTIAL;
    return LD_OK;
  }
  if (token.kind != LD_INT && token.kind != LD_FLOAT)
    return wrong(path, "\"default\", \"exponential\" or seconds", &token, error);
  options->backoff = LD_BACKOFF_FIXED;
  return read_seconds(value, path, &options->backoff_ms, error);
}

static ld_rc read_keep_done(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_queue_options *options = target;
  field fields[] = {{"count", read_count0, &options->keep_done_count}, {NULL, NULL, NULL}};
  options->keep_done_count = 0;
  options->keep_done_ms = 0;
  if (scalar(value).kind == LD_MAP) return read_map(value, fields, path, error);
  return read_seconds(value, path, &options->keep_done_ms, error);
}

static ld_rc read_by(ld_slice value, const char *path, void *target, ld_error *error) {
  char *by = target;
  ld_token token = scalar(value);
  if (token.kind != LD_STR || token.bytes.size == 0 || token.bytes.size > LD_QUEUE_FIELD_MAX ||
      memchr(token.bytes.data, 0, token.bytes.size) != NULL)
    return wrong(path, "the name of a field, of 1 to 255 bytes", &token, error);
  memcpy(by, token.bytes.data, token.bytes.size);
  by[token.bytes.size] = 0;
  return LD_OK;
}

static ld_rc read_limit(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_queue_limit *limit = target;
  field fields[] = {{"concurrency", read_count1, &limit->concurrency},
                    {"rate", read_count1, &limit->rate},
                    {"per", read_positive_seconds, &limit->per_ms},
                    {"by", read_by, limit->by},
                    {NULL, NULL, NULL}};
  ld_rc rc = read_map(value, fields, path, error);
  if (rc == LD_OK && limit->concurrency == 0 && limit->rate == 0)
    return ld_fail(error, LD_INVALID, "%s: expected concurrency, rate, or both", path);
  return rc;
}

ld_rc ld_queue_options_read(ld_slice document, ld_queue_options *options, ld_error *error) {
  ld_queue_options read = ld_queue_defaults;
  field fields[] = {{"lease", read_positive_seconds, &read.lease_ms},
                    {"max_attempts", read_count1, &read.max_attempts},
                    {"backoff", read_backoff, &read},
                    {"keep_done", read_keep_done, &read},
                    {"keep_dead", read_seconds, &read.keep_dead_ms},
                    {"limit", read_limit, &read.limit},
                    {NULL, NULL, NULL}};
  ld_rc rc = read_map(document, fields, "", error);
  if (rc == LD_OK) *options = read;
  return rc;
}

/* ---- backoff ---- */

int64_t ld_backoff_ms(const ld_queue_options *options, int64_t attempt, uint64_t chance) {
  int64_t n = attempt < 1 ? 1 : attempt > 20 ? 20 : attempt; /* both are past a day by then */
  int64_t ms = options->backoff_ms;
  if (options->backoff == LD_BACKOFF_EXPONENTIAL) ms = (int64_t)1000 << (n - 1);
  if (options->backoff == LD_BACKOFF_DEFAULT) {
    ms = n * n * n * n * 1000;
    ms += (int64_t)(chance % (uint64_t)(ms / 5 + 1)) - ms / 10;
  }
  return ms < LD_QUEUE_DAY ? ms : LD_QUEUE_DAY;
}

/* ---- jobs ---- */

static ld_rc read_key(ld_slice value, const char *path, void *target, ld_error *error) {
  ld_token token = scalar(value);
  if (!ld_is_string(&token) || token.bytes.size == 0)
    return wrong(path, "a string that is not empty", &token, error);
  *(ld_slice *)target = token.bytes;
  return LD_OK;
}

static ld_rc read_value(ld_slice value, const char *path, void *target, ld_error *error) {
  (void)path, (void)error;
  *(ld_slice *)target = value;
  return LD_OK;
}

static ld_rc check_tags(ld_slice tags, ld_error *error) {
  ld_token head, tag;
  if (tags.size == 0) return LD_OK;
  if (!ld_value_next(&tags, &head) ||
      (head.kind != LD_ARRAY && !(head.kind == LD_MAP && head.count == 0)))
    return ld_fail(error, LD_INVALID, "tags: expected a list of strings");
  for (uint32_t i = 0; i < head.count; i++)
    if (!ld_value_next(&tags, &tag) || !ld_is_string(&tag))
      return ld_fail(error, LD_INVALID, "tags[%u]: expected a string", (unsigned)i + 1);
  return LD_OK;
}

static ld_rc check_range(int64_t number, int64_t most, const char *what, ld_error *error) {
  if (number >= 0 && number <= most) return LD_OK;
  return ld_fail(error, LD_INVALID, "%s: %lld is not between 0 and %lld", what, (long long)number,
                 (long long)most);
}

ld_rc ld_job_new_check(const ld_job_new *job, ld_error *error) {
  ld_rc rc = check_range(job->delay_ms, LD_QUEUE_LONGEST, "delay", error);
  if (rc == LD_OK && job->at) rc = check_range(job->run_at, LD_QUEUE_LATEST, "run_at", error);
  if (rc == LD_OK) rc = check_range(job->within_ms, LD_QUEUE_LONGEST, "within", error);
  if (rc == LD_OK) rc = check_range(job->timeout_ms, LD_QUEUE_LONGEST, "timeout", error);
  if (rc == LD_OK) rc = check_range(job->max_attempts, INT64_MAX, "max_attempts", error);
  if (rc == LD_OK) rc = check_tags(job->tags, error);
  if (rc != LD_OK) return rc;
  if (job->data.size == 0) return ld_fail(error, LD_INVALID, "data: is missing");
  if (job->at && job->delay_ms > 0)
    return ld_fail(error, LD_INVALID, "delay: does not go with run_at");
  if (job->within_ms > 0 && job->key.size == 0)
    return ld_fail(error, LD_INVALID, "within: does not go without key");
  if (job->key.size > LD_PART_MAX)
    return ld_fail(error, LD_TOOBIG, "key: has %zu bytes, the limit is %u", job->key.size,
                   LD_PART_MAX);
  if (job->data.size > LD_VALUE_MAX / 2 || job->tags.size > LD_VALUE_MAX / 4)
    return ld_fail(error, LD_TOOBIG, "data: has %zu bytes, the limit is %u", job->data.size,
                   LD_VALUE_MAX / 2);
  return LD_OK;
}

ld_rc ld_job_new_read(ld_slice document, bool with_data, ld_job_new *job, ld_error *error) {
  ld_job_new read = {.run_at = -1, .delay_ms = -1};
  field fields[] = {{"run_at", read_time, &read.run_at},
                    {"delay", read_seconds, &read.delay_ms},
                    {"priority", read_integer, &read.priority},
                    {"key", read_key, &read.key},
                    {"within", read_seconds, &read.within_ms},
                    {"max_attempts", read_count1, &read.max_attempts},
                    {"timeout", read_positive_seconds, &read.timeout_ms},
                    {"tags", read_value, &read.tags},
                    {with_data ? "data" : NULL, read_value, &read.data},
                    {NULL, NULL, NULL}};
  ld_rc rc = read_map(document, fields, "", error);
  if (rc != LD_OK) return rc;
  if (read.run_at >= 0 && read.delay_ms >= 0)
    return ld_fail(error, LD_INVALID, "delay: does not go with run_at");
  read.at = read.run_at >= 0;
  if (!read.at) read.run_at = 0;
  if (read.delay_ms < 0) read.delay_ms = 0;
  if (!with_data) read.data = job->data;
  rc = ld_job_new_check(&read, error);
  if (rc == LD_OK) *job = read;
  return rc;
}
