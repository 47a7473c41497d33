/* queue_look.c -- looking at jobs: get, counts, stats, each.
**
** each reads page by page, each page in a transaction of its own, with none held between steps; the next begins behind the last job. In a write transaction a page is one job. */
#include <string.h>

#include "../name.h"
#include "queue_box.h"

#define LB_ITERATOR "larder.queue.iterator"

enum { PAGE_JOBS = 64, PAGE_BYTES = 256 * 1024 };

/* What a call hands to its work. */
typedef struct look_call {
  const lb_queue *queue;
  int64_t id;
  uint64_t counts[LD_JOB_STATES];
} look_call;

static ld_buf *result_of(const look_call *call) { return &call->queue->place.store->result; }

static ld_rc check_memory(ld_txn *txn, const ld_buf *buf, ld_rc rc) {
  if (rc == LD_OK && buf->failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* ---- get ---- */

static ld_rc add_job(void *context, const ld_job *job) {
  ld_job_write(job, result_of(context));
  return LD_OK;
}

static ld_rc work_get(ld_txn *txn, void *context) {
  look_call *call = context;
  ld_rc rc = ld_queue_get(txn, call->queue->name, call->id, add_job, call);
  return check_memory(txn, result_of(call), rc);
}

/* queue:get(id) -> the job as it is stored, or nil */
int lb_queue_get(lua_State *L) {
  static const char op[] = "queue:get";
  lb_queue *queue = lb_check_queue(L, op);
  look_call call = {.queue = queue, .id = lb_check_job_id(L, 2, op)};
  if (lb_read(L, &queue->place, work_get, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  return lb_push_job(L, queue->place.store, op);
}

/* ---- counts, stats ---- */

static ld_rc work_counts(ld_txn *txn, void *context) {
  look_call *call = context;
  return ld_queue_counts(txn, call->queue->name, call->counts);
}

/* queue:counts() -> { delayed = n, ready = n, ... } */
int lb_queue_counts(lua_State *L) {
  static const char op[] = "queue:counts";
  lb_queue *queue = lb_check_queue(L, op);
  look_call call = {.queue = queue};
  lb_read(L, &queue->place, work_counts, &call, op);
  lua_createtable(L, 0, LD_JOB_STATES);
  for (int i = 0; i < LD_JOB_STATES; i++) lb_set_count(L, ld_job_state_names[i], call.counts[i]);
  return 1;
}

static ld_rc work_stats(ld_txn *txn, void *context) {
  look_call *call = context;
  ld_rc rc = ld_queue_stats(txn, call->queue->name, result_of(call));
  return check_memory(txn, result_of(call), rc);
}

/* queue:stats() -> { enqueued =, claimed =, ..., wait = { p50 = ... }, run = { ... } } */
int lb_queue_stats(lua_State *L) {
  static const char op[] = "queue:stats";
  lb_queue *queue = lb_check_queue(L, op);
  look_call call = {.queue = queue};
  lb_read(L, &queue->place, work_stats, &call, op);
  size_t at = 0;
  return lb_push_documents(L, &queue->place.store->result, &at, 1, op);
}

/* ---- each ---- */

typedef struct jobs_iterator {
  lb_queue *queue; /* its box is the user value */
  ld_job_state state;
  bool last_page, stepping;
  ld_buf page, after,
      last;  /* after: the place behind which the next page begins; last: of the page's last job */
  size_t at; /* in the page */
  unsigned count, most; /* jobs in it */
} jobs_iterator;

static const char op_each[] = "queue:each";

static ld_rc add_to_page(void *context, ld_slice place, const ld_job *job) {
  jobs_iterator *iterator = context;
  ld_buf_reset(&iterator->last);
  ld_buf_add(&iterator->last, place);
  ld_job_write(job, &iterator->page);
  iterator->count++;
  if (iterator->count < iterator->most && iterator->page.size < PAGE_BYTES) return LD_OK;
  iterator->last_page = false; /* or an empty one will be the last */
  return LD_NOTFOUND;
}

/* The next page begins behind the last job of this one. */
static void move_on(jobs_iterator *iterator) {
  ld_buf after = iterator->after;
  if (iterator->count == 0) return;
  iterator->after = iterator->last;
  iterator->last = after;
}

static ld_rc work_page(ld_txn *txn, void *context) {
  jobs_iterator *iterator = context;
  ld_buf_reset(&iterator->page);
  iterator->at = 0;
  iterator->count = 0;
  iterator->most = txn->writable ? 1 : PAGE_JOBS;
  iterator->last_page = true;
  ld_rc rc = ld_queue_each(txn, iterator->queue->name, iterator->state,
                           ld_buf_slice(&iterator->after), add_to_page, iterator);
  if (rc == LD_NOTFOUND) rc = LD_OK;
  rc = check_memory(txn, &iterator->page, check_memory(txn, &iterator->last, rc));
  if (rc == LD_OK)
    move_on(iterator);
  else
    ld_buf_reset(&iterator->page);
  return rc;
}

/* Make sure that there is a job in the page; false at the end. */
static bool fill_page(lua_State *L, jobs_iterator *iterator) {
  if (iterator->at < iterator->page.size) return true;
  if (iterator->last_page) return false;
  lb_read(L, &iterator->queue->place, work_page, iterator, op_each);
  return iterator->page.size > 0;
}

static int step(lua_State *L) {
  jobs_iterator *iterator = lua_touserdata(L, lua_upvalueindex(1));
  lb_check_open(L, &iterator->queue->place, op_each);
  if (iterator->stepping)
    return lb_raise(L, LD_MISUSE, op_each, "a step is not finished, or has failed");
  if (!fill_page(L, iterator)) return lb_push_nil(L);
  iterator->stepping = true;
  lb_push_documents(L, &iterator->page, &iterator->at, 2, op_each);
  lua_setfield(L, -2, "data");
  iterator->stepping = false;
  return 1;
}

static ld_job_state check_state(lua_State *L, lb_store *store, int index) {
  const char *name = lb_check_text(L, index, op_each, "state");
  for (int i = 0; i < LD_JOB_STATES; i++)
    if (strcmp(name, ld_job_state_names[i]) == 0) return (ld_job_state)i;
  ld_unknown_name("state", name, ld_job_state_names, &store->error);
  return (ld_job_state)lb_raise_error(L, &store->error, op_each);
}

/* for job in queue:each(state) */
int lb_queue_each(lua_State *L) {
  lb_queue *queue = lb_check_queue(L, op_each);
  ld_job_state state = check_state(L, queue->place.store, 2);
  jobs_iterator *iterator = lua_newuserdatauv(L, sizeof *iterator, 1);
  *iterator = (jobs_iterator){.queue = queue, .state = state};
  luaL_setmetatable(L, LB_ITERATOR);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_pushcclosure(L, step, 1);
  return 1;
}

static int drop(lua_State *L) {
  jobs_iterator *iterator = luaL_checkudata(L, 1, LB_ITERATOR);
  ld_buf_clear(&iterator->page);
  ld_buf_clear(&iterator->after);
  ld_buf_clear(&iterator->last);
  return 0;
}

void lb_open_queue_iterator(lua_State *L) {
  lb_new_metatable(L, LB_ITERATOR);
  lua_pushcfunction(L, drop);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
