/* queue_tally.h -- what every operation on a queue reads and writes: what is counted, and before when nothing falls due. It is in the queue's row. Not for other layers. */
#ifndef LD_QUEUE_TALLY_H
#define LD_QUEUE_TALLY_H

#include "queue.h"

/* ---- timings: a histogram, of ms ---- */

/* Buckets: 0 to 7 ms are exact, from then on four to each power of two, so that a percentile is right within an eighth. */
enum { QUEUE_BUCKETS = 160, QUEUE_TIMING_MOST = 3 * 10 + QUEUE_BUCKETS * 11 };

/* As it is stored, so that an operation that adds nothing only copies it: count | sum | the largest | for each bucket that is not empty, in order: its number, a byte, and its count.
** Empty: nothing was added yet. */
typedef struct queue_timing {
  size_t size;
  uint8_t bytes[QUEUE_TIMING_MOST];
} queue_timing;

void queue_timing_add(queue_timing *timing, int64_t ms);

typedef struct queue_times {
  uint64_t count, sum;
  int64_t most;
  uint64_t buckets[QUEUE_BUCKETS];
} queue_times;

void queue_timing_read(const queue_timing *timing, queue_times *times);
int64_t queue_times_percentile(const queue_times *times, unsigned percent);

/* ---- rates: the claims of the last `per_ms` ---- */

/* Never more than `rate` claims in any `per_ms`. Up to QUEUE_SLOTS claims are remembered one by one, more in slots which count with their latest. */
enum { QUEUE_SLOTS = 64 };

typedef struct queue_rate {
  unsigned count;
  struct {
    int64_t at;
    uint64_t claims;
  } slots[QUEUE_SLOTS];
} queue_rate;

/* From when on one more claim is allowed; at most `now`: it is. */
int64_t queue_rate_free_at(queue_rate *rate, const ld_queue_limit *limit, int64_t now);
void queue_rate_add(queue_rate *rate, const ld_queue_limit *limit, int64_t now);
void queue_rate_encode(const queue_rate *rate, ld_buf *payload);
bool queue_rate_decode(ld_slice *rest, queue_rate *rate);

/* ---- the tally ---- */

enum {
  QUEUE_ENQUEUED,
  QUEUE_CLAIMED,
  QUEUE_DONE,
  QUEUE_FAILED, /* attempts */
  QUEUE_RETRIED,
  QUEUE_DEAD,
  QUEUE_CANCELLED,
  QUEUE_RELEASED,
  QUEUE_LOST, /* leases */
  QUEUE_TOTALS
};

/* What falls due with time. */
enum {
  QUEUE_DUE_DELAYED, /* a job's run_at */
  QUEUE_DUE_LEASE,
  QUEUE_DUE_TICK,
  QUEUE_DUE_WAKE, /* of a group */
  QUEUE_DUE_WINDOW,
  QUEUE_DUE_DONE, /* to be pruned */
  QUEUE_DUE_DEAD,
  QUEUE_DUE_CANCELLED,
  QUEUE_DUES
};

typedef struct queue_tally {
  bool paused;
  uint64_t states[LD_JOB_STATES]; /* how many jobs are in each */
  uint64_t totals[QUEUE_TOTALS];
  int64_t due
      [QUEUE_DUES]; /* before that there is nothing of the kind; it may be later. INT64_MAX: nothing */
  int64_t head;     /* lane jobs from this id on are ready: */
  uint64_t in_lane; /* so many */
  int64_t lane_at;  /* run_at of the last that entered; those behind it are not earlier */
  queue_rate rate;  /* of the whole queue */
  queue_timing wait, run;
} queue_tally;

void queue_tally_init(queue_tally *tally);
void queue_tally_encode(const queue_tally *tally, ld_buf *payload);
bool queue_tally_decode(ld_slice payload, queue_tally *tally);

static inline void queue_due_by(queue_tally *tally, int what, int64_t at) {
  if (at < tally->due[what]) tally->due[what] = at;
}

/* Signed numbers as unsigned LEB128, those near zero short. */
void queue_put_int(ld_buf *payload, int64_t number);
bool queue_take_int(ld_slice *rest, int64_t *number);
/* A sum that stays within the integers. */
int64_t queue_later(int64_t at, int64_t ms);

#endif
