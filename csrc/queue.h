/* queue.h -- durable background jobs, in the same store and the same transaction as the data.
**
**   QUEUE (name)                                  -> number, options, tally: counts, statistics, and before when nothing can fall due
**   JOB (number, 1, id)                           -> a claim: token, attempt, lease; while the job runs
**       (number, 2, priority, run_at, id)         -> ready; with limit.by only the first job of each group that may run now
**       (number, 3, id)                           -> the lane: a job as in 4, ready when its id is from the tally's `head` on
**       (number, 4, id)                           -> a job: what it is while nobody runs it, and its data
**       (number, 5, run_at, id)                   -> delayed
**       (number, 6, state, finished_at, id)       -> done, dead, cancelled
**       (number, 7, key)                          -> the job that has this key, and how long
**       (number, 8, until, hash of the key)       -> a key that stays taken until then: the key
**       (number, 9, name)                         -> a schedule
**       (number, 10, group)                       -> with limit.by: how many of the group run, its claims lately, its first job
**       (number, 11, group, priority, run_at, id) -> with limit.by: ready
**       (number, 12, time, group)                 -> with limit.by: a group that may go on then
**
** So each state is a range of rows in the order in which jobs leave it, and no operation reads past a job that does not concern it. Most jobs have priority 0 and no delay; they
** run in the order of their ids and need no row that says so: they are the lane, whose head moves on. What most operations touch (tally, claims, the head)
** stands together, so that a commit writes few pages. Invariant: a job has one row, in 3 or 4, and is in exactly one range of a state, or in the lane from its head on, or has a claim.
**
** A job that was claimed is held by its token, not by the clock: who has the current one may finish the job late, all others are lost.
** Due jobs become ready, and jobs whose lease has ended come back, inside ld_queue_claim; old jobs are pruned, a few at a time, inside every operation that writes.
** Times come from the store's clock. Ids are from the store's sequence: rising, never used twice.
**
** All work in a transaction; on a failure roll it back. Bad input is found before anything is written. Names are 1 to LD_PART_MAX bytes of any kind; a queue comes to
** be with its first job, its first schedule or its declaration; before, it is empty. */
#ifndef LD_QUEUE_H
#define LD_QUEUE_H

#include "queue_option.h"
#include "row.h"

#define LD_QUEUE_ERRORS    20u   /* a job keeps its last ones, */
#define LD_QUEUE_ERROR_MAX 2000u /* and so many bytes of each */

typedef enum ld_job_state {
  LD_JOB_DELAYED,
  LD_JOB_READY,
  LD_JOB_RUNNING,
  LD_JOB_DONE,
  LD_JOB_DEAD,
  LD_JOB_CANCELLED,
  LD_JOB_STATES
} ld_job_state;

/* "delayed" for LD_JOB_DELAYED. NULL-terminated; borrowed for ever. */
extern const char *const ld_job_state_names[LD_JOB_STATES + 1];

typedef struct ld_job {
  int64_t id;
  ld_job_state state;
  int64_t attempt; /* that runs, or has run last; 0: none yet */
  int64_t max_attempts, priority, run_at, enqueued_at;
  int64_t timeout_ms;  /* 0: the queue's lease */
  int64_t token;       /* from ld_queue_claim; else 0 */
  int64_t lease_until; /* running */
  int64_t claimed_at;  /* running */
  bool cancelled;      /* running, and marked */
  int64_t finished_at; /* done, dead, cancelled */
  ld_slice key, tags;  /* empty: none */
  size_t error_count;  /* of the last ones */
  ld_slice errors;     /* one map {attempt, error, at} behind the other */
  ld_slice data;
  bool lane; /* the queue's own: where its row is */
} ld_job;

/* Append two documents: a map of all but the data, and the data. A claimed job has no errors in it. */
void ld_job_write(const ld_job *job, ld_buf *documents);

/* A job and its slices are borrowed for the call, which may not write. Another code than LD_OK ends the call. */
typedef ld_rc (*ld_job_visit)(void *context, const ld_job *job);

/* Read a row of a queue as a job, for dumps. `tuple` is the key behind the queue's number; `*head` is what of the payload stands before the data. NOTFOUND: it is another row. CORRUPT. */
ld_rc ld_job_of_row(ld_slice tuple, ld_slice payload, ld_job *job, ld_slice *head);

ld_rc ld_queue_check_name(ld_slice queue, ld_error *error);
/* Set the options of a queue, the first time. Others than the stored ones are INVALID, showing what differs, unless `replace`. The same: nothing is written.
** A change of `limit.by`, or of limits with it, reads all jobs. */
ld_rc ld_queue_declare(ld_txn *txn, ld_slice queue, const ld_queue_options *options, bool replace);
/* LD_OK: defaults, too. */
ld_rc ld_queue_options_of(ld_txn *txn, ld_slice queue, ld_queue_options *options);
ld_rc ld_queues_each(ld_txn *txn, ld_rc (*visit)(void *context, ld_slice queue), void *context);

/* ---- in ---- */

typedef struct ld_enqueued {
  int64_t id;
  bool created; /* false: there is a job with this key, `id` is its id */
} ld_enqueued;

/* All or none. */
ld_rc ld_queue_enqueue(ld_txn *txn, ld_slice queue, const ld_job_new *jobs, size_t count,
                       ld_enqueued *enqueued);

/* ---- out ---- */

typedef struct ld_claim {
  size_t count;     /* at most so many */
  int64_t lease_ms; /* 0: the job's, else the queue's */
} ld_claim;

/* Claim the first jobs in order of (priority, run_at, id). `visit` gets each. LD_OK also when there is none; commit then, too: jobs may have fallen due, or died. */
ld_rc ld_queue_claim(ld_txn *txn, ld_slice queue, const ld_claim *claim, ld_job_visit visit,
                     void *context, size_t *count);
/* From when on ld_queue_claim may find something to do, as the rows are: now or earlier: try. INT64_MAX: not before somebody writes. For waiting, and for
** asking in a read transaction, which waits for nobody. */
ld_rc ld_queue_due(ld_txn *txn, ld_slice queue, int64_t *at);

/* What the holder of a token is told. */
typedef enum ld_verdict {
  LD_VERDICT_OK,
  LD_VERDICT_LOST,     /* the token is not the current one: nothing was done */
  LD_VERDICT_CANCELLED /* cancelled meanwhile: now it is over (but after extend) */
} ld_verdict;

typedef struct ld_held {
  int64_t id, token;
} ld_held;

/* The job is done. One verdict for each of `held`. */
ld_rc ld_queue_ack(ld_txn *txn, ld_slice queue, const ld_held *held, size_t count,
                   ld_verdict *verdicts);
/* ack, and claim in one. A job is claimed whatever the verdict. */
ld_rc ld_queue_next(ld_txn *txn, ld_slice queue, ld_held held, const ld_claim *claim,
                    ld_verdict *verdict, ld_job_visit visit, void *context, size_t *count);

typedef struct ld_failure {
  ld_slice error; /* text; kept up to LD_QUEUE_ERROR_MAX bytes */
  bool no_retry;  /* dead at once */
  bool delayed;   /* `delay_ms` is given; else the queue's backoff */
  int64_t delay_ms;
} ld_failure;

/* Try again later, or dead when this was the last attempt. `*state` (may be NULL) is where it went; unchanged when lost. */
ld_rc ld_queue_fail(ld_txn *txn, ld_slice queue, ld_held held, const ld_failure *failure,
                    ld_verdict *verdict, ld_job_state *state);
/* Back into the queue; the attempt does not count. */
ld_rc ld_queue_release(ld_txn *txn, ld_slice queue, ld_held held, int64_t delay_ms,
                       ld_verdict *verdict);
/* The lease ends `lease_ms` from now. */
ld_rc ld_queue_extend(ld_txn *txn, ld_slice queue, ld_held held, int64_t lease_ms,
                      ld_verdict *verdict, int64_t *lease_until);

/* ---- looking (queue_look.c) ---- */

ld_rc ld_queue_get(ld_txn *txn, ld_slice queue, int64_t id, ld_job_visit visit,
                   void *context); /* NOTFOUND */
ld_rc ld_queue_counts(ld_txn *txn, ld_slice queue, uint64_t counts[LD_JOB_STATES]);
/* The jobs in a state, in the order in which they leave it (running: by id; ready with limit.by: group by group), from behind `after` (empty: from the first), which is a place that `visit` was given. */
typedef ld_rc (*ld_queue_visit)(void *context, ld_slice place, const ld_job *job);
ld_rc ld_queue_each(ld_txn *txn, ld_slice queue, ld_job_state state, ld_slice after,
                    ld_queue_visit visit, void *context);
/* Append { enqueued, claimed, done, failed, retried, dead, cancelled, released, lost, wait = { count, mean, p50, p90, p99, max }, run = {...}, paused, counts... }; wait and run are in ms. */
ld_rc ld_queue_stats(ld_txn *txn, ld_slice queue, ld_buf *document);

/* ---- repairing (queue_repair.c) ---- */

/* Never to run (again). One that runs is marked, and over when its holder or the lease ends. NOTFOUND: there is none, or it is finished. */
ld_rc ld_queue_cancel(ld_txn *txn, ld_slice queue, int64_t id);
/* A dead job is ready again, with all attempts. NOTFOUND: there is none, or it is not dead. EXISTS: its key is another job's now. */
ld_rc ld_queue_retry(ld_txn *txn, ld_slice queue, int64_t id);
/* All dead ones but those whose keys are taken. */
ld_rc ld_queue_retry_all(ld_txn *txn, ld_slice queue, uint64_t *count);
/* Whatever its state; who holds it has lost it. Its key is free. */
ld_rc ld_queue_delete(ld_txn *txn, ld_slice queue, int64_t id); /* NOTFOUND */
/* Remove jobs that were finished in this state (LD_JOB_STATES: in any) `older_ms` ago or earlier. INVALID: a state of unfinished jobs. */
ld_rc ld_queue_prune(ld_txn *txn, ld_slice queue, ld_job_state state, int64_t older_ms,
                     uint64_t *count);
/* A paused queue gives out no jobs. */
ld_rc ld_queue_pause(ld_txn *txn, ld_slice queue, bool paused);
/* Remove all that are ready or delayed. */
ld_rc ld_queue_drain(ld_txn *txn, ld_slice queue, uint64_t *count);

#endif
