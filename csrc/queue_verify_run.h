/* queue_verify_run.h -- what the files of ld_queue_verify share. Not for other layers. */
#ifndef LD_QUEUE_VERIFY_RUN_H
#define LD_QUEUE_VERIFY_RUN_H

#include "queue_group.h"
#include "queue_verify.h"

typedef struct queue_verify {
  queue_work work;
  const ld_queue_verify_calls *calls;
  bool mendable;
  /* what is there, to be compared with the tally */
  uint64_t states[LD_JOB_STATES], in_lane;
  uint64_t
      skipped; /* rows of jobs that are damaged, or nobody knows in which state: counts may have them or not */
  int64_t due[QUEUE_DUES];
  int64_t lane_at; /* run_at of the lane's job before */
  ld_buf what;     /* where the next findings are */
  ld_buf scratch;
} queue_verify;

/* Say where the next findings are. */
void queue_at(queue_verify *v, const char *format, ...) LD_PRINTF(2, 3);
/* Tell one that ld_queue_mend puts right. */
ld_rc queue_found(queue_verify *v, const char *kind, const char *format, ...) LD_PRINTF(3, 4);
/* Tell one that it does not. */
ld_rc queue_found_lasting(queue_verify *v, const char *kind, const char *text);

/* Each sound row of a kind; `rest` is its key behind the kind. */
typedef ld_rc (*queue_look)(queue_verify *v, const ld_row *row, ld_slice rest);
ld_rc queue_each(queue_verify *v, int kind, queue_look look);
/* Read numbers off the front of a key. False: it is no sound key, which was told. */
bool queue_take_parts(ld_slice *rest, int64_t *numbers, size_t count);
/* Whether there is a sound row. */
ld_rc queue_is_there(queue_verify *v, ld_slice key, bool *there);
/* Load a job that another row leads to. */
ld_rc queue_meet(queue_verify *v, int64_t id, ld_job *job, bool *there);
/* A number that the sequence has given out. */
static inline void queue_note_number(queue_verify *v, int64_t number) {
  if (number > 0) v->calls->number(v->calls->context, (uint64_t)number);
}
/* A failure that means damage which was found already becomes LD_OK. */
static inline ld_rc queue_pass(ld_rc rc) {
  return rc == LD_CORRUPT || rc == LD_UNSUPPORTED ? LD_OK : rc;
}

ld_rc queue_verify_jobs(queue_verify *v);   /* queue_verify_job.c */
ld_rc queue_verify_ranges(queue_verify *v); /* queue_verify_range.c */
ld_rc queue_verify_keys(queue_verify *v);   /* queue_verify_key.c */
ld_rc queue_verify_groups(queue_verify *v); /* queue_verify_group.c */

#endif
