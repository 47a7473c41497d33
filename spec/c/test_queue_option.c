/* test_queue_option.c -- the options of queues and jobs, read from documents. */
#include "../../csrc/queue_option.h"

#include "documents.h"

static ld_rc read_queue(const char *json, ld_queue_options *options, ld_error *error) {
  ld_buf document = document_of(json);
  ld_rc rc = ld_queue_options_read(ld_buf_slice(&document), options, error);
  ld_buf_clear(&document);
  return rc;
}

static ld_queue_options queue_of(const char *json) {
  ld_queue_options options = {0};
  ld_error error = {0};
  ld_rc rc = read_queue(json, &options, &error);
  if (rc != LD_OK) fprintf(stderr, "%s: %s\n", json, error.text);
  CHECK_RC(LD_OK, rc);
  return options;
}

static void test_queue(void) {
  ld_queue_options options = queue_of("{}");
  CHECK(options.lease_ms == 30000 && options.max_attempts == 20 && options.keep_done_ms == 0);
  CHECK(options.keep_dead_ms == 2592000000 && options.backoff == LD_BACKOFF_DEFAULT);
  CHECK(options.limit.concurrency == 0 && options.limit.rate == 0);
  options = queue_of("{\"lease\":1.5,\"max_attempts\":3,\"backoff\":2,\"keep_done\":0.0001,"
                     "\"keep_dead\":1e11,\"limit\":{\"concurrency\":2,\"rate\":3,\"per\":0.25,"
                     "\"by\":\"user\"}}");
  CHECK(options.lease_ms == 1500 && options.max_attempts == 3 && options.backoff_ms == 2000);
  CHECK(options.backoff == LD_BACKOFF_FIXED && options.keep_done_ms == 1);
  CHECK(options.keep_dead_ms == LD_QUEUE_LONGEST && options.limit.concurrency == 2);
  CHECK(options.limit.rate == 3 && options.limit.per_ms == 250);
  CHECK(strcmp(options.limit.by, "user") == 0);
  options = queue_of("{\"keep_done\":{\"count\":7},\"backoff\":\"exponential\"}");
  CHECK(options.keep_done_count == 7 && options.keep_done_ms == 0);
  CHECK(options.backoff == LD_BACKOFF_EXPONENTIAL);
  CHECK(queue_of("{\"backoff\":\"default\"}").backoff == LD_BACKOFF_DEFAULT);
  CHECK(queue_of("{\"max_attempts\":3.0}").max_attempts == 3);
}

/* What stands there, and a part of what is said about it. */
typedef struct refusal {
  const char *json, *why;
} refusal;

static void test_queue_refused(void) {
  static const refusal bad[] = {
      {"{\"lease\":0}", "lease: expected more than 0 seconds"},
      {"{\"lease\":-1}", "lease: expected seconds, a number from 0 to 1e11, got -1"},
      {"{\"lease\":\"1\"}", "lease: expected seconds"},
      {"{\"lease\":{\"$numberDouble\":\"NaN\"}}", "lease: expected seconds"},
      {"{\"lease\":{\"$numberDouble\":\"Infinity\"}}", "lease: expected seconds"},
      {"{\"lease\":1e12}", "lease: expected seconds"},
      {"{\"max_attempts\":0}", "max_attempts: expected a whole number from 1, got 0"},
      {"{\"max_attempts\":1.5}", "max_attempts: expected a whole number from 1, got 1.5"},
      {"{\"backoff\":\"square\"}", "backoff: expected \"default\", \"exponential\" or seconds"},
      {"{\"backoff\":-1}", "backoff: expected seconds"},
      {"{\"keep_done\":{\"count\":-1}}", "keep_done.count: expected a whole number from 0"},
      {"{\"keep_done\":{\"counts\":1}}", "did you mean \"count\""},
      {"{\"keep_done\":true}", "keep_done: expected seconds"},
      {"{\"limit\":{}}", "limit: expected concurrency, rate, or both"},
      {"{\"limit\":5}", "limit: expected a map"},
      {"{\"limit\":{\"rate\":0}}", "limit.rate: expected a whole number from 1"},
      {"{\"limit\":{\"rate\":1,\"per\":0}}", "limit.per: expected more than 0"},
      {"{\"limit\":{\"rate\":1,\"by\":\"\"}}", "limit.by: expected the name of a field"},
      {"{\"limit\":{\"rate\":1,\"by\":\"a\\u0000\"}}", "limit.by: expected the name of a field"},
      {"{\"leese\":1}", "unknown option \"leese\", did you mean \"lease\""},
      {"[1]", "options: expected a map"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ld_queue_options options = {.lease_ms = 77};
    ld_error error = {0};
    CHECK_RC(LD_INVALID, read_queue(bad[i].json, &options, &error));
    if (strstr(error.text, bad[i].why) == NULL) fprintf(stderr, "%s\n", error.text);
    CHECK(strstr(error.text, bad[i].why) != NULL && options.lease_ms == 77);
  }
}

/* ---- jobs ---- */

static void test_job(void) {
  ld_buf document = document_of("{\"run_at\":5000,\"priority\":-3,\"key\":\"k\",\"within\":2,"
                                "\"max_attempts\":4,\"timeout\":0.5,\"tags\":[\"a\",\"b\"],"
                                "\"data\":{\"x\":1}}");
  ld_job_new job = {0};
  CHECK_RC(LD_OK, ld_job_new_read(ld_buf_slice(&document), true, &job, NULL));
  CHECK(job.at && job.run_at == 5000 && job.priority == -3 && job.within_ms == 2000);
  CHECK(ld_equal(job.key, LD_LITERAL("k")) && job.max_attempts == 4 && job.timeout_ms == 500);
  CHECK(ld_equal(job.tags, LD_LITERAL("\x92\xa1"
                                      "a\xa1"
                                      "b")));
  CHECK(ld_equal(job.data, LD_LITERAL("\x81\xa1x\x01")));
  ld_buf_clear(&document);
  job = (ld_job_new){.data = LD_LITERAL("\x05")};
  CHECK_RC(LD_OK, ld_job_new_read(LD_SLICE_NONE, false, &job, NULL));
  CHECK(!job.at && job.delay_ms == 0 && job.max_attempts == 0 && job.key.size == 0);
  CHECK(ld_equal(job.data, LD_LITERAL("\x05")));
}

static void test_job_refused(void) {
  static const refusal bad[] = {
      {"{\"run_at\":-1}", "run_at: expected ms since 1970"},
      {"{\"run_at\":1.5}", "run_at: expected ms since 1970"},
      {"{\"run_at\":1e16}", "run_at: expected ms since 1970"},
      {"{\"run_at\":5,\"delay\":1}", "delay: does not go with run_at"},
      {"{\"run_at\":5,\"delay\":0}", "delay: does not go with run_at"},
      {"{\"delay\":-0.5}", "delay: expected seconds"},
      {"{\"priority\":1.5}", "priority: expected a whole number"},
      {"{\"priority\":1e300}", "priority: expected a whole number"},
      {"{\"key\":\"\"}", "key: expected a string that is not empty"},
      {"{\"key\":5}", "key: expected a string that is not empty"},
      {"{\"within\":5}", "within: does not go without key"},
      {"{\"max_attempts\":0}", "max_attempts: expected a whole number from 1"},
      {"{\"timeout\":0}", "timeout: expected more than 0"},
      {"{\"tags\":\"a\"}", "tags: expected a list of strings"},
      {"{\"tags\":[1]}", "tags[1]: expected a string"},
      {"{\"prio\":1}", "unknown option \"prio\""},
      {"{\"data\":1}", "unknown option \"data\""},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ld_buf document = document_of(bad[i].json);
    ld_job_new job = {.data = LD_LITERAL("\x05"), .priority = 77};
    ld_error error = {0};
    CHECK_RC(LD_INVALID, ld_job_new_read(ld_buf_slice(&document), false, &job, &error));
    if (strstr(error.text, bad[i].why) == NULL) fprintf(stderr, "%s\n", error.text);
    CHECK(strstr(error.text, bad[i].why) != NULL && job.priority == 77);
    ld_buf_clear(&document);
  }
}

int main(void) {
  test_queue();
  test_queue_refused();
  test_job();
  test_job_refused();
  return check_done("queue_option");
}
