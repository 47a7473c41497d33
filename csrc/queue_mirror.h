/* queue_mirror.h -- the jobs of queues as files, for document_mirror.h. Not for other layers.
**
**   queue/NAME/ID.json   {"id", "state", "attempt", "max_attempts", "priority", "run_at", "enqueued_at", ..., "errors", "data"}
**
** `state` is waiting (ready or delayed: `run_at` says), running, done, dead or cancelled. A running job has its claim {"token", "attempt", "claimed_at", "lease_until"} in the file, so that who
** works on it still holds it when the store is opened again. Of the queue itself a row is kept whenever a program sets something; its counts and ranges are made anew (ld_queue_mend). */
#ifndef LD_QUEUE_MIRROR_H
#define LD_QUEUE_MIRROR_H

#include "row.h"

/* Where a row of LD_SPACE_JOB shows. The unit of a job is its key among QUEUE_JOB, wherever it stands. What cannot be read is kept as it is, as is the row of a queue. */
ld_shown queue_mirror_find(const ld_row *row, ld_mirror_place *place);
/* Append the path of a job's file. NOTFOUND: there is no such queue. */
ld_rc queue_mirror_path(ld_txn *txn, ld_slice unit, ld_buf *path);
/* Append what stands in it. NOTFOUND. */
ld_rc queue_mirror_render(ld_txn *txn, ld_slice unit, ld_buf *document);
/* An ld_mirror's `ahead`, for the row of a queue. */
void queue_mirror_ahead(ld_slice key, ld_slice kept, ld_slice value, ld_buf *row);

/* Find the queue whose folder that is. NOTFOUND. */
ld_rc queue_mirror_open(ld_txn *txn, ld_slice folder, int64_t *number);
/* Write the rows of a job that a document shows, but for those that follow from them. EXISTS: there is one already, or one with its key. INVALID. */
ld_rc queue_mirror_load(ld_txn *txn, int64_t number, ld_slice document, ld_buf *unit);
/* When all jobs are there: make what follows from them. */
ld_rc queue_mirror_end(ld_txn *txn);

#endif
