/* test_env.c -- the clock, the randomness and the log that the core reaches the world by. */
#include "../../csrc/env.h"

#include <string.h>
#include <time.h>

#include "check.h"

static void test_clock(void) {
  ld_env env = ld_env_system();
  int64_t before = (int64_t)time(NULL) * 1000, now = ld_now(&env);
  CHECK(now >= before - 1000 && now <= (int64_t)time(NULL) * 1000 + 2000);
}

static int64_t from_context(void *context) { return *(int64_t *)context; }

static void test_own_clock(void) {
  int64_t now = 42;
  ld_env env = {.context = &now, .now_ms = from_context};
  CHECK(ld_now(&env) == 42);
  now = -1;
  CHECK(ld_now(&env) == -1);
}

/* Every byte asked for is written, and none behind; two drafts differ. */
static void test_random(void) {
  ld_env env = ld_env_system();
  uint8_t first[600] = {0}, second[600] = {0};
  unsigned zeros = 0;
  env.random(env.context, first, 599);
  env.random(env.context, second, 599);
  CHECK(memcmp(first, second, 599) != 0 && first[599] == 0);
  for (size_t i = 0; i < 599; i++) zeros += first[i] == 0;
  CHECK(zeros < 40);
  env.random(env.context, first, 0);
}

static int64_t half_past(void *context, int64_t at_ms) {
  return *(int64_t *)context + at_ms / 1000;
}

/* The system's agrees with the C library, in whatever zone this runs. */
static void test_local_offset(void) {
  int64_t base = 1800;
  ld_env env = ld_env_system(), own = {.context = &base, .local_offset_s = half_past}, none = {0};
  CHECK(ld_local_offset_s(&own, 5000) == 1805 && ld_local_offset_s(&none, 5000) == 0);
  CHECK(setenv("TZ", "XYZ-5:30", 1) == 0);
  tzset();
  CHECK(ld_local_offset_s(&env, 1700000000000) == 5 * 3600 + 1800);
  CHECK(unsetenv("TZ") == 0);
  tzset();
}

typedef struct logged {
  unsigned lines;
  ld_level level;
  char line[700];
} logged;

static void note(void *context, ld_level level, const char *line) {
  logged *log = context;
  log->lines++;
  log->level = level;
  snprintf(log->line, sizeof log->line, "%s", line);
}

static void test_log(void) {
  logged seen = {0};
  char long_text[2000];
  ld_env env = ld_env_system(), own = {.context = &seen, .log = note};
  ld_log(&env, LD_LOG_ERROR, "nobody listens");
  ld_log(&own, LD_LOG_WARN, "%s %d", "line", 5);
  CHECK(seen.lines == 1 && seen.level == LD_LOG_WARN && strcmp(seen.line, "line 5") == 0);
  memset(long_text, 'x', sizeof long_text - 1);
  long_text[sizeof long_text - 1] = '\0';
  ld_log(&own, LD_LOG_DEBUG, "%s", long_text);
  CHECK(seen.lines == 2 && strlen(seen.line) == 599);
}

int main(void) {
  test_clock();
  test_own_clock();
  test_random();
  test_local_offset();
  test_log();
  return check_done("env");
}
