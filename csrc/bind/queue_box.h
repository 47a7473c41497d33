/* queue_box.h -- what the files of the queue's Lua face share. */
#ifndef LD_QUEUE_BOX_H
#define LD_QUEUE_BOX_H

#include "../queue.h"
#include "bind.h"

#define LB_QUEUE "larder.queue"

/* The user values of the box. */
enum {
  LB_QUEUE_PLACE = 1, /* the store's or transaction's box */
  LB_QUEUE_TOKENS,    /* id -> token of what this handle has claimed lately, */
  LB_QUEUE_OLDER,     /* and before that */
  LB_QUEUE_BACKOFF,   /* functions; nil: none */
  LB_QUEUE_SLEEP,
  LB_QUEUE_VALUES = LB_QUEUE_SLEEP
};

typedef struct lb_queue {
  lb_place place;
  ld_slice name;   /* is behind this */
  unsigned claims; /* that are in the table LB_QUEUE_TOKENS */
  bool dry;        /* the last claim found nothing: the next looks before it takes the write lock */
} lb_queue;

int lb_queue_new(lua_State *L); /* store:queue, tx:queue */
int lb_queues(lua_State *L);    /* store:queues, tx:queues */
lb_queue *lb_check_queue(lua_State *L, const char *op);
/* The id of the job, or the integer, at `index`. Raises INVALID. */
int64_t lb_check_job_id(lua_State *L, int index, const char *op);
/* Seconds at `index` as ms; what is above 0 is 1 ms at least. Raises INVALID, naming `what`. */
int64_t lb_check_seconds(lua_State *L, int index, const char *what, const char *op);
/* The field of the options at `index`; -1 when absent. */
int64_t lb_queue_seconds(lua_State *L, int index, const char *name, const char *op);
/* Encode the data at `index` into the store's document, and the options behind it into its key; read both. */
void lb_encode_job(lua_State *L, int index, lb_store *store, ld_job_new *job, const char *op);
/* Push the job in the store's result, or nil. */
int lb_push_job(lua_State *L, lb_store *store, const char *op);
/* Push the list of `count` pairs (a map, its data) in the store's result. */
int lb_push_jobs(lua_State *L, lb_store *store, size_t count, const char *op);
/* A job was written that somebody may be waiting for: tell them, when it is committed. */
void lb_queue_wrote(lua_State *L, const lb_queue *queue);
/* Tell those who wait, if a commit of this store asks for it. May call Lua: at the very end of a method only. */
void lb_wake(lua_State *L, lb_store *store);
/* Whether there may be something to claim; asks in a read transaction. */
bool lb_queue_is_due(lua_State *L, lb_queue *queue, const char *op);

int lb_queue_dequeue(lua_State *L); /* queue_claim.c */
int lb_queue_next(lua_State *L);
int lb_queue_ack(lua_State *L); /* queue_hold.c */
int lb_queue_ack_many(lua_State *L);
int lb_queue_fail(lua_State *L);
int lb_queue_extend(lua_State *L);
int lb_queue_release(lua_State *L);
int lb_queue_get(lua_State *L); /* queue_look.c */
int lb_queue_each(lua_State *L);
int lb_queue_counts(lua_State *L);
int lb_queue_stats(lua_State *L);
int lb_queue_cancel(lua_State *L); /* queue_repair.c */
int lb_queue_retry(lua_State *L);
int lb_queue_retry_all(lua_State *L);
int lb_queue_delete(lua_State *L);
int lb_queue_prune(lua_State *L);
int lb_queue_pause(lua_State *L);
int lb_queue_resume(lua_State *L);
int lb_queue_drain(lua_State *L);
int lb_queue_schedule(lua_State *L); /* queue_schedule.c */
int lb_queue_unschedule(lua_State *L);
int lb_queue_schedules(lua_State *L);

/* ---- tokens (queue_claim.c) ---- */

/* The token of the job at `index`; for a bare id what the handle at 1 has received, or 0, which is nobody's. Raises INVALID. */
ld_held lb_check_held(lua_State *L, int index, const char *op);
/* The handle at 1 is through with it. */
void lb_forget_token(lua_State *L, ld_held held);
/* true; or false and why. */
int lb_push_verdict(lua_State *L, ld_verdict verdict);

void lb_open_queues(lua_State *L, int module);
void lb_open_queue_iterator(lua_State *L);
void lb_open_queue_waiting(lua_State *L); /* into the table on the top of the stack */
void lb_open_termination(lua_State *L);

#endif
