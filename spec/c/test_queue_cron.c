/* test_queue_cron.c -- cron expressions: what is read, what is refused and why, and the times they give, in UTC and in zones with summer time. */
#include <time.h>

#include "../../csrc/queue_cron.h"
#include "check.h"

/* ---- times ---- */

/* "2024-02-29 03:00:00" in UTC, as seconds since 1970. */
static int64_t at(const char *text) {
  struct tm parts = {0};
  CHECK(strptime(text, "%Y-%m-%d %H:%M:%S", &parts) != NULL);
  return (int64_t)timegm(&parts);
}

/* Berlin in 2024: an hour ahead, in summer two. */
static int64_t berlin(void *context, int64_t at_ms) {
  static int64_t from, to;
  (void)context;
  if (from == 0) from = at("2024-03-31 01:00:00"), to = at("2024-10-27 01:00:00");
  return at_ms / 1000 >= from && at_ms / 1000 < to ? 7200 : 3600;
}

static ld_cron read(const char *text) {
  ld_cron cron = {0};
  ld_error error = {0};
  ld_rc rc = ld_cron_read(ld_text(text), &cron, &error);
  if (rc != LD_OK) fprintf(stderr, "%s: %s\n", text, error.text);
  CHECK_RC(LD_OK, rc);
  return cron;
}

/* The times after `from`, one after the other. The empty text ends them. */
static void check_times(const char *text, bool local, const char *from, const char *const *times) {
  ld_cron cron = read(text);
  ld_env env = {.local_offset_s = berlin};
  int64_t now = at(from) * 1000;
  for (; *times != NULL; times++) {
    int64_t next = ld_cron_next(&cron, &env, local, now);
    if (next != at(*times) * 1000)
      fprintf(stderr, "%s: expected %s, got %lld\n", text, *times, (long long)next / 1000);
    CHECK(next == at(*times) * 1000 && next > now);
    now = next;
  }
}

#define TIMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_utc(void) {
  check_times("* * * * *", false, "2024-01-01 00:00:59",
              TIMES("2024-01-01 00:01:00", "2024-01-01 00:02:00"));
  check_times("0 3 * * *", false, "2024-02-28 03:00:00",
              TIMES("2024-02-29 03:00:00", "2024-03-01 03:00:00"));
  check_times("*/20 8-9 * * *", false, "2024-01-01 08:39:59",
              TIMES("2024-01-01 08:40:00", "2024-01-01 09:00:00", "2024-01-01 09:20:00",
                    "2024-01-01 09:40:00", "2024-01-02 08:00:00"));
  check_times("5,10 0 1 jan,JUL *", false, "2024-01-01 00:05:00",
              TIMES("2024-01-01 00:10:00", "2024-07-01 00:05:00", "2024-07-01 00:10:00",
                    "2025-01-01 00:05:00"));
  check_times("0 0 29 2 *", false, "2096-02-29 00:00:00", TIMES("2104-02-29 00:00:00"));
  check_times("0 0 31 * *", false, "2024-01-31 00:00:00",
              TIMES("2024-03-31 00:00:00", "2024-05-31 00:00:00"));
  check_times("30 1 * * fri-sun", false, "2024-01-04 00:00:00", /* a thursday */
              TIMES("2024-01-05 01:30:00", "2024-01-06 01:30:00", "2024-01-07 01:30:00",
                    "2024-01-12 01:30:00"));
  check_times("0 0 * * 7", false, "2024-01-01 00:00:00", TIMES("2024-01-07 00:00:00"));
  check_times("0 0 * * 0", false, "2024-01-01 00:00:00", TIMES("2024-01-07 00:00:00"));
  check_times("0 0 13 * 5", false, "2024-09-01 00:00:00", /* either day is enough */
              TIMES("2024-09-06 00:00:00", "2024-09-13 00:00:00", "2024-09-20 00:00:00",
                    "2024-09-27 00:00:00", "2024-10-04 00:00:00", "2024-10-11 00:00:00",
                    "2024-10-13 00:00:00"));
  check_times("0 0 */2 * mon", false, "2024-01-01 12:00:00", TIMES("2024-01-15 00:00:00"));
  check_times("0 0 29 2 */7", false, "2024-01-01 00:00:00", TIMES("2032-02-29 00:00:00"));
}

static void test_shorts(void) {
  check_times("@hourly", false, "2024-01-01 00:00:00", TIMES("2024-01-01 01:00:00"));
  check_times(" @daily", false, "2024-01-01 00:00:00", TIMES("2024-01-02 00:00:00"));
  check_times("@MIDNIGHT", false, "2024-01-01 00:00:00", TIMES("2024-01-02 00:00:00"));
  check_times("@weekly", false, "2024-01-01 00:00:00", TIMES("2024-01-07 00:00:00"));
  check_times("@monthly", false, "2024-01-01 00:00:00", TIMES("2024-02-01 00:00:00"));
  check_times("@yearly", false, "2024-01-01 00:00:00", TIMES("2025-01-01 00:00:00"));
  check_times("@annually", false, "2024-01-01 00:00:00", TIMES("2025-01-01 00:00:00"));
}

/* Clocks go from 02:00 to 03:00 on 31 march, from 03:00 to 02:00 on 27 october. Expected times are in UTC. */
static void test_local(void) {
  check_times("0 3 * * *", true, "2024-01-01 00:00:00",
              TIMES("2024-01-01 02:00:00", "2024-01-02 02:00:00"));
  check_times("0 3 * * *", true, "2024-07-01 00:00:00", TIMES("2024-07-01 01:00:00"));
  /* left out: right after the change, once */
  check_times("30 2 * * *", true, "2024-03-30 00:00:00",
              TIMES("2024-03-30 01:30:00", "2024-03-31 01:00:00", "2024-04-01 00:30:00"));
  check_times("0,30 2 * * *", true, "2024-03-31 00:00:00",
              TIMES("2024-03-31 01:00:00", "2024-04-01 00:00:00", "2024-04-01 00:30:00"));
  check_times("0 3 * * *", true, "2024-03-31 00:00:00",
              TIMES("2024-03-31 01:00:00", "2024-04-01 01:00:00"));
  /* twice: the first time */
  check_times("30 2 * * *", true, "2024-10-26 00:00:00",
              TIMES("2024-10-26 00:30:00", "2024-10-27 00:30:00", "2024-10-28 01:30:00"));
  check_times("0,30 2,3 * * *", true, "2024-10-27 00:00:00",
              TIMES("2024-10-27 00:30:00", "2024-10-27 02:00:00", "2024-10-27 02:30:00",
                    "2024-10-28 01:00:00"));
  check_times("30 2 * * *", true, "2024-10-27 01:10:00", TIMES("2024-10-28 01:30:00"));
  /* every hour: as they pass */
  check_times("30 * * * *", true, "2024-10-27 00:00:00",
              TIMES("2024-10-27 00:30:00", "2024-10-27 01:30:00", "2024-10-27 02:30:00"));
  check_times("30 * * * *", true, "2024-03-31 00:00:00",
              TIMES("2024-03-31 00:30:00", "2024-03-31 01:30:00", "2024-03-31 02:30:00"));
  check_times("0 0 1 7 *", true, "2023-12-01 00:00:00",
              TIMES("2024-06-30 22:00:00", "2025-06-30 23:00:00"));
}

/* ---- what is refused ---- */

static const struct {
  const char *text, *why;
} bad[] = {
    {"", "expected 5 fields"},
    {"* * * *", "got 4"},
    {"* * * * * *", "got 6"},
    {"@reboot", "got 1"},
    {"60 * * * *", "minute: \"60\" is not between 0 and 59"},
    {"* 24 * * *", "hour: \"24\" is not between 0 and 23"},
    {"* * 0 * *", "day of month: \"0\" is not between 1 and 31"},
    {"* * 32 * *", "day of month: \"32\""},
    {"* * * 13 *", "month: \"13\" is not between 1 and 12"},
    {"* * * juno *", "month: \"juno\" is no number and no name"},
    {"* * * * 8", "day of week: \"8\" is not between 0 and 7"},
    {"* * * * monday", "day of week: \"monday\""},
    {"mon * * * *", "minute: \"mon\""},
    {"-5 * * * *", "minute: \"\" is empty"},
    {"5- * * * *", "minute: \"\" is empty"},
    {"1,,2 * * * *", "minute: \"\" is empty"},
    {"* 5-3 * * *", "hour: \"5-3\" goes backwards"},
    {"*/0 * * * *", "minute: \"*/0\" has a step"},
    {"*/x * * * *", "minute: \"*/x\" has a step"},
    {"5/2 * * * *", "minute: \"5/2\" has a step, but no range"},
    {"1.5 * * * *", "minute: \"1.5\""},
    {"99999999999 * * * *", "minute:"},
    {"* * ? * *", "day of month: \"?\""},
    {"* * L * *", "day of month: \"L\""},
    {"0 0 30 2 *", "day of month: \"30\" never comes in these months"},
    {"0 0 31 4,6,9,11 *", "day of month: \"31\" never comes in these months"},
};

static void test_refused(void) {
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ld_cron cron;
    ld_error error = {0};
    ld_rc rc = ld_cron_read(ld_text(bad[i].text), &cron, &error);
    if (rc != LD_INVALID || strstr(error.text, bad[i].why) == NULL)
      fprintf(stderr, "\"%s\": %s\n", bad[i].text, error.text);
    CHECK_RC(LD_INVALID, rc);
    CHECK(strstr(error.text, bad[i].why) != NULL);
  }
  read("0 0 30 2 mon"); /* mondays */
  read("0\t0 29 2 *");
}

static void test_far(void) {
  ld_env env = {.local_offset_s = NULL};
  ld_cron cron = read("* * * * *");
  CHECK(ld_cron_next(&cron, &env, false, INT64_MAX) == INT64_MAX);
  CHECK(ld_cron_next(&cron, &env, true, 1000000000000000) == INT64_MAX);
  CHECK(ld_cron_next(&cron, &env, true, -5000) == 60000);
}

int main(void) {
  test_utc();
  test_shorts();
  test_local();
  test_refused();
  test_far();
  return check_done("queue_cron");
}
