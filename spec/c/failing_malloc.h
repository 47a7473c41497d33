/* failing_malloc.h -- memory that runs out when a test says so, and is counted.
** Included by one file of a test, which is linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free. */
#ifndef LD_FAILING_MALLOC_H
#define LD_FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

static long allocated, calls_left = -1; /* -1: for ever */
static bool stay_out, ran_out;

static bool out_of_memory(void) {
  if (calls_left < 0) return false;
  if (calls_left > 0) {
    calls_left--;
    return false;
  }
  if (!stay_out) calls_left = -1;
  return ran_out = true;
}

void *__wrap_malloc(size_t size) {
  void *made = out_of_memory() ? NULL : __real_malloc(size);
  allocated += made != NULL;
  return made;
}

void *__wrap_calloc(size_t n, size_t size) {
  void *made = out_of_memory() ? NULL : __real_calloc(n, size);
  allocated += made != NULL;
  return made;
}

void *__wrap_realloc(void *old, size_t size) {
  void *made = out_of_memory() ? NULL : __real_realloc(old, size);
  allocated += made != NULL && old == NULL;
  return made;
}

void __wrap_free(void *old) {
  allocated -= old != NULL;
  __real_free(old);
}

/* After `calls` good ones one allocation fails, or all that follow. */
static void run_out_after(long calls, bool for_good) {
  calls_left = calls;
  stay_out = for_good;
  ran_out = false;
}

static void refill(void) { calls_left = -1; }

#endif
