/* queue_option.h -- what a program may say of a queue and of a job, and the reading of it from documents.
**
** Times are ms since 1970, durations here are ms; in documents durations are seconds, and may be fractions. A duration is a number from 0 to LD_QUEUE_LONGEST ms, a time a whole
** number from 0 to LD_QUEUE_LATEST. NaN, infinity, what is negative or larger is INVALID and named. */
#ifndef LD_QUEUE_OPTION_H
#define LD_QUEUE_OPTION_H

#include "base.h"

#define LD_QUEUE_LONGEST   100000000000000  /* ms: 3,168 years */
#define LD_QUEUE_LATEST    1000000000000000 /* ms since 1970 */
#define LD_QUEUE_FIELD_MAX 255u             /* bytes of the name of a field */
#define LD_QUEUE_DAY       86400000

/* How long a failed job waits before attempt n + 1, when attempt n has failed: a day at most. */
typedef enum ld_backoff_kind {
  LD_BACKOFF_DEFAULT,     /* n^4 seconds, 10 % more or less at random */
  LD_BACKOFF_EXPONENTIAL, /* 2^(n-1) seconds */
  LD_BACKOFF_FIXED
} ld_backoff_kind;

/* How many jobs may run at once, and how many may be claimed in any `per_ms`. 0: no limit. With `by` that holds for each
** group of jobs whose data have the same value in that field (those without it are one group); else for the whole queue. */
typedef struct ld_queue_limit {
  int64_t concurrency, rate, per_ms;
  char by[LD_QUEUE_FIELD_MAX + 1]; /* empty: the whole queue */
} ld_queue_limit;

typedef struct ld_queue_options {
  int64_t lease_ms;     /* how long a claim holds, when neither the claim nor the job says: 30 s */
  int64_t max_attempts; /* of jobs that do not say: 20 */
  ld_backoff_kind backoff;
  int64_t backoff_ms;      /* of LD_BACKOFF_FIXED */
  int64_t keep_done_ms;    /* how long done jobs are kept; 0: they are removed at once */
  int64_t keep_done_count; /* or so many of them; 0: by time */
  int64_t keep_dead_ms;    /* dead and cancelled ones: 30 days */
  ld_queue_limit limit;
} ld_queue_options;

extern const ld_queue_options ld_queue_defaults;

/* { lease = s, max_attempts = n, backoff = "default" | "exponential" | s, keep_done = s | { count = n }, keep_dead = s,
**   limit = { concurrency = n, rate = n, per = s, by = "field" } }. What is missing has its default; `per` is 1 s.
** INVALID: `limit.rate: expected a whole number from 1, got -1`; an unknown name, with the nearest known one. */
ld_rc ld_queue_options_read(ld_slice document, ld_queue_options *options, ld_error *error);

/* The wait after attempt `attempt` (from 1) has failed. `chance` is any random number. */
int64_t ld_backoff_ms(const ld_queue_options *options, int64_t attempt, uint64_t chance);

/* A job to be. All slices are borrowed, but not from the transaction in which it is enqueued. */
typedef struct ld_job_new {
  ld_slice data;    /* a sound document */
  bool at;          /* `run_at` is given; else it runs after `delay_ms` */
  int64_t run_at;   /* what has passed already is fine: such a job is before others */
  int64_t delay_ms; /* 0: at once */
  int64_t priority; /* lower is earlier */
  ld_slice key;     /* 1 to LD_PART_MAX bytes; empty: none */
  int64_t
      within_ms; /* goes with a key: for so long from now on another job with this key is none, though this one be finished */
  int64_t max_attempts; /* 0: the queue's */
  int64_t timeout_ms;   /* of its lease; 0: the queue's */
  ld_slice tags;        /* an array of strings; empty: none */
} ld_job_new;

/* { run_at = ms | delay = s, priority = n, key = "...", within = s, max_attempts = n, timeout = s, tags = { "..." } }, and with `with_data` its data. The slices are borrowed from the document,
** which may be empty: nothing is said. Without, `job->data` stays, and is checked, too. */
ld_rc ld_job_new_read(ld_slice document, bool with_data, ld_job_new *job, ld_error *error);
/* The same checks, for jobs that a C program has made. */
ld_rc ld_job_new_check(const ld_job_new *job, ld_error *error);

#endif
