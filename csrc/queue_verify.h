/* queue_verify.h -- is a queue what it should be? Each of its rows against the others: jobs and the ranges they stand in, claims, keys and their windows, schedules, groups,
** and the counts of the queue's row. Memory does not grow with the queue. */
#ifndef LD_QUEUE_VERIFY_H
#define LD_QUEUE_VERIFY_H

#include "queue.h"

typedef struct ld_queue_verify_calls {
  void *context;
  /* Something is wrong. `kind`: "job", "queue", "count"; `what` is in the queue, and NULL for the queue itself: `job 7`. Borrowed for the call.
  ** As of the others, another code than LD_OK ends the walk and is returned. */
  ld_rc (*found)(void *context, const char *kind, const char *what, const char *text);
  ld_rc (*step)(void *context);                   /* one more row was looked at */
  void (*number)(void *context, uint64_t number); /* one that the sequence must have given out */
} ld_queue_verify_calls;

/* Rows with a wrong checksum are left out: they are found without this. `*mendable`: something is wrong that ld_queue_mend puts right. */
ld_rc ld_queue_verify(ld_txn *txn, ld_slice queue, const ld_queue_verify_calls *calls,
                      bool *mendable);

/* Make anew all that follows from the jobs, their keys and claims: which state each is in, the order, groups, counts. Claims without a job, and keys that nobody
** has, go. The transaction is to be rolled back on any failure: NOTFOUND there is no such queue; CORRUPT a row that this is made from is damaged; EXISTS two jobs have one key. */
ld_rc ld_queue_mend(ld_txn *txn, ld_slice queue);

#endif
