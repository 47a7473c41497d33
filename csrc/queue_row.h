/* queue_row.h -- the rows of a queue (drawing: queue.h), and a queue that is open for one operation: what the queue_*.c share. Not for other layers.
**
** An operation opens the queue, changes rows through these functions, which keep the tally in memory up to date, and saves the queue's row at its end. */
#ifndef LD_QUEUE_ROW_H
#define LD_QUEUE_ROW_H

#include "queue_tally.h"
#include "tuple.h"
#include "value.h"

/* The second part of each key in LD_SPACE_JOB. */
enum {
  QUEUE_CLAIM = 1,
  QUEUE_READY,
  QUEUE_LANE,
  QUEUE_JOB,
  QUEUE_DELAYED,
  QUEUE_FINISHED,
  QUEUE_KEY,
  QUEUE_WINDOW,
  QUEUE_SCHEDULE,
  QUEUE_GROUP,
  QUEUE_GROUPED,
  QUEUE_WAKE
};

typedef struct queue_work {
  ld_txn *txn;
  ld_slice name;
  int64_t number; /* 0: there is no such queue yet */
  int64_t now;    /* within 0 and LD_QUEUE_LATEST, whatever the clock says */
  bool declared;  /* somebody has set the options */
  bool changed;   /* something of this, which is in its row */
  ld_queue_options options;
  queue_tally tally;
  ld_buf record; /* the job that was loaded last: its slices are in here */
} queue_work;

/* On success the caller closes it; a queue that is not there is open and empty, and nothing is written for it unless `make`. */
ld_rc queue_open(queue_work *work, ld_txn *txn, ld_slice name, bool make);
/* Save the row if it changed and `rc` is LD_OK; free what is held. Returns the failure, or `rc`. */
ld_rc queue_close(queue_work *work, ld_rc rc);
/* Make the queue that is open, and not there. */
ld_rc queue_make(queue_work *work);
/* What programs have set: number, options, whether it is paused; the beginning of the payload of a queue's row. Borrowed. False: it cannot be read. */
bool queue_settings(ld_slice payload, ld_slice *settings);
ld_rc queue_no_memory(ld_txn *txn);
ld_rc queue_damaged(ld_txn *txn, const char *what);

/* ---- keys ---- */

/* Room for any key: each byte of a name may become two. */
typedef uint8_t queue_space[2 * LD_PART_MAX + 48];

/* The beginning of the keys of a kind, to which more parts can be added: there is room. */
ld_buf queue_key(queue_space space, const queue_work *work, int kind);
/* With up to three numbers behind it. */
ld_slice queue_key1(queue_space space, const queue_work *work, int kind, int64_t a);
ld_slice queue_key2(queue_space space, const queue_work *work, int kind, int64_t a, int64_t b);
ld_slice queue_key3(queue_space space, const queue_work *work, int kind, int64_t a, int64_t b,
                    int64_t c);
ld_slice queue_key_text(queue_space space, const queue_work *work, int kind, ld_slice text);
/* The first `count` parts behind the kind are numbers: read them. `*rest` (may be NULL) is what follows. */
ld_rc queue_key_numbers(const queue_work *work, int kind, ld_slice key, int64_t *numbers,
                        size_t count, ld_slice *rest);
/* The first row of a kind. NOTFOUND. */
ld_rc queue_first(const queue_work *work, int kind, ld_row *row);
/* The first whose key begins with `prefix`. NOTFOUND. */
ld_rc queue_first_of(const queue_work *work, ld_slice prefix, ld_row *row);

/* ---- jobs ---- */

typedef struct queue_claim {
  int64_t token, attempt, claimed_at, lease_until;
  bool cancelled;
  bool lane, keyed; /* of the job, so that it need not be read to be removed */
} queue_claim;

ld_rc queue_get_claim(queue_work *work, int64_t id, queue_claim *claim); /* NOTFOUND */
bool queue_decode_claim(ld_slice payload, queue_claim *claim);
ld_rc queue_read_claim(ld_txn *txn, ld_slice payload, queue_claim *claim);
ld_rc queue_put_claim(queue_work *work, int64_t id, const queue_claim *claim);
ld_rc queue_del_claim(queue_work *work, int64_t id);

/* Load a job's row; a waiting job is said to be ready. NOTFOUND. `job` is borrowed until the next load. */
ld_rc queue_load(queue_work *work, int64_t id, ld_job *job);
/* The same, and find out whether it is delayed, ready or running. */
ld_rc queue_find(queue_work *work, int64_t id, ld_job *job, queue_claim *claim);
ld_rc queue_put_job(queue_work *work, const ld_job *job);
void queue_encode_job(const ld_job *job, ld_buf *payload);
bool queue_decode_job(ld_slice payload, ld_job *job);

/* Enter a waiting or finished job into the range of its state and count it; take it out of there. */
ld_rc queue_enter(queue_work *work, const ld_job *job);
ld_rc queue_leave(queue_work *work, ld_job *job);
/* Whether a new job may enter the lane. */
bool queue_may_enter_lane(const queue_work *work, const ld_job *job);
/* The order of jobs: priority, run_at, id. */
int queue_compare(const int64_t a[3], const int64_t b[3]);
/* Load the first of the ready jobs that may run. NOTFOUND. And take it out of its range. */
ld_rc queue_load_first(queue_work *work, ld_job *job);
ld_rc queue_leave_first(queue_work *work, ld_job *job);
/* Running is counted apart, for only the claim row says it. The job is not in a range then. */
ld_rc queue_begin_run(queue_work *work, const ld_job *job, const queue_claim *claim);
ld_rc queue_end_run(queue_work *work, const ld_job *job);

/* The end of a job that is in no range: keep it in this state, or remove it. */
ld_rc queue_finish(queue_work *work, ld_job *job, ld_job_state state);
/* To remove a job that is in no range. */
ld_rc queue_forget(queue_work *work, const ld_job *job, bool free_key);
/* Append an error; the oldest go. `errors` holds the result, to which job->errors then points. */
void queue_add_error(ld_job *job, ld_slice text, int64_t at, ld_buf *errors);

/* Make a job: its id, rows and key. `job` has what the program gave, and its run_at. (queue.c) */
ld_rc queue_make_job(queue_work *work, ld_job *job, int64_t within_ms, ld_enqueued *made);

/* Lift off a few old jobs. (queue_sweep.c) */
ld_rc queue_prune_some(queue_work *work);
/* Remove the first job that was finished in this state, if it was until `before`. NOTFOUND: there is none. */
ld_rc queue_prune_first(queue_work *work, ld_job_state state, int64_t before, bool *pruned,
                        int64_t *finished_at);
/* Let everything fall due that is. */
ld_rc queue_sweep(queue_work *work);
/* The lease of a running job has ended: again, or dead, or cancelled. */
ld_rc queue_end_lease(queue_work *work, int64_t id);
ld_rc queue_check_claim(ld_txn *txn, const ld_claim *claim);
/* Claim up to claim->count. (queue_claim.c) */
ld_rc queue_claim_some(queue_work *work, const ld_claim *claim, ld_job_visit visit, void *context,
                       size_t *count);
/* All schedules that are due. (queue_schedule.c) */
ld_rc queue_tick(queue_work *work);
/* Whether the row of a schedule is sound, and when it is due. CORRUPT, INVALID. */
ld_rc queue_check_schedule(ld_txn *txn, ld_slice payload, int64_t *next);

/* ---- the jobs in a state (queue_walk.c) ---- */

enum { QUEUE_PLACE = 256 };

/* In the order in which they leave it. Ready ones come from two ranges, side by side. A job that is visited may be taken out of the state. */
typedef struct queue_walk {
  queue_work *work;
  bool merged; /* ready, without groups */
  ld_scan rows, lane;
  bool has_row, has_lane, has_last, started;
  /* priority, run_at, id of what comes next in each, and of the job visited before the walk began; of other ranges only the id counts */
  int64_t row[3], lane_row[3], last[3];
  queue_space prefix, lane_prefix;
  size_t prefix_size;
  uint8_t suffix[QUEUE_PLACE],
      place[QUEUE_PLACE]; /* of the next row; of the one that was visited */
  size_t suffix_size, place_size;
} queue_walk;

ld_rc queue_walk_begin(queue_walk *walk, queue_work *work, ld_job_state state, ld_slice after);
ld_rc queue_walk_next(queue_walk *walk, int64_t *id); /* NOTFOUND at the end */
void queue_walk_end(queue_walk *walk);

/* ---- unique keys (queue_unique.c) ---- */

typedef struct queue_key_row {
  int64_t id, until;
  bool finished;
} queue_key_row;

bool queue_decode_key(ld_slice payload, queue_key_row *row);
ld_rc queue_get_key(queue_work *work, ld_slice key, queue_key_row *row); /* NOTFOUND */
ld_slice queue_window_key(queue_space space, const queue_work *work, int64_t until, ld_slice key);

/* Take the key for the job `id`. `*holder` is `id`, or the other job that has it. */
ld_rc queue_take_key(queue_work *work, ld_slice key, int64_t id, int64_t within_ms,
                     int64_t *holder);
/* The job is finished: the key is free, or stays taken until its window closes. */
ld_rc queue_finish_key(queue_work *work, const ld_job *job);
/* Free it, if it is this job's. */
ld_rc queue_free_key(queue_work *work, const ld_job *job);
/* Forget the keys whose windows have closed. */
ld_rc queue_close_windows(queue_work *work);

/* ---- ready jobs and limits (queue_group.c) ---- */

ld_rc queue_del_kind(queue_work *work, int kind);
ld_rc queue_add_ready(queue_work *work, const ld_job *job);
ld_rc queue_del_ready(queue_work *work, const ld_job *job); /* NOTFOUND */
/* A job of its group began to run, or stopped. */
ld_rc queue_group_began(queue_work *work, const ld_job *job);
ld_rc queue_group_ended(queue_work *work, const ld_job *job);
/* Groups that may go on. */
ld_rc queue_wake_groups(queue_work *work);
/* The limits were changed: build all of this anew. `before` is what they were. */
ld_rc queue_regroup(queue_work *work, const ld_queue_limit *before);
/* Whether the queue as a whole may give out a job; from when on. */
bool queue_is_open(queue_work *work, int64_t *from);

#endif
