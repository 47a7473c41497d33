/* env.c -- the system's clock, randomness and time zone. */
#include "env.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static int64_t system_now_ms(void *context) {
  (void)context;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void system_random(void *context, void *bytes, size_t size) {
  (void)context;
  for (uint8_t *at = bytes; size > 0;) {
    ssize_t got = getrandom(at, size, 0);
    if (got <= 0) continue; /* interrupted */
    at += got;
    size -= (size_t)got;
  }
}

static int64_t system_local_offset_s(void *context, int64_t at_ms) {
  (void)context;
  time_t at = (time_t)(at_ms / 1000);
  struct tm local;
  return localtime_r(&at, &local) == NULL ? 0 : local.tm_gmtoff;
}

ld_env ld_env_system(void) {
  return (ld_env){
      .now_ms = system_now_ms, .random = system_random, .local_offset_s = system_local_offset_s};
}

int64_t ld_now(const ld_env *env) { return env->now_ms(env->context); }

int64_t ld_local_offset_s(const ld_env *env, int64_t at_ms) {
  return env->local_offset_s == NULL ? 0 : env->local_offset_s(env->context, at_ms);
}

void ld_log(const ld_env *env, ld_level level, const char *format, ...) {
  if (env->log == NULL) return;
  char line[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  env->log(env->context, level, line);
}
