/* queue_schedule.h -- periodic jobs. A schedule belongs to a queue and has a name.
**
** Each tick is enqueued exactly once, inside ld_queue_claim, whichever process is first: the schedule's next time moves on in the same
** transaction. Of the ticks that passed while nobody claimed, one is enqueued. The job's run_at is the tick's time. */
#ifndef LD_QUEUE_SCHEDULE_H
#define LD_QUEUE_SCHEDULE_H

#include "queue.h"
#include "queue_cron.h"

typedef struct ld_schedule {
  ld_slice cron;    /* or empty: */
  int64_t every_ms; /* from 1 */
  bool local;       /* cron in the time zone of the system, not in UTC */
} ld_schedule;

/* Set or replace. The same schedule again keeps its next time. `job`: what to enqueue, without run_at and delay. INVALID. */
ld_rc ld_queue_schedule(ld_txn *txn, ld_slice queue, ld_slice name, const ld_schedule *schedule,
                        const ld_job_new *job);
ld_rc ld_queue_unschedule(ld_txn *txn, ld_slice queue, ld_slice name); /* NOTFOUND */
/* `next` is ms since 1970; all is borrowed for the call, which may not write. */
typedef ld_rc (*ld_schedule_visit)(void *context, ld_slice name, const ld_schedule *schedule,
                                   int64_t next, ld_slice data);
ld_rc ld_queue_schedules(ld_txn *txn, ld_slice queue, ld_schedule_visit visit, void *context);

#endif
