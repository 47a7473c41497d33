/* repair.c -- see repair.h.
**
** A look notes what is to be put right, at most LIST_MOST bytes of it; more comes with the next look. Each thing is tried once a round; the rounds end when nothing could
** be put right any more. */
#include "repair.h"

#include "collection.h"
#include "value.h"

enum { LIST_MOST = 1 << 20, ROUNDS = 16, RUNS = 16 };

typedef struct repairing {
  ld_engine *engine;
  const ld_repair *repair;
  ld_verify_report *report;
  ld_buf list; /* mends, one behind the other */
  uint64_t mended;
} repairing;

static void note(void *context, ld_slice mend) {
  repairing *r = context;
  bool wanted = (r->repair->mends >> ld_mend_kind(mend) & 1) != 0;
  if (wanted && r->list.size < LIST_MOST) ld_buf_add(&r->list, mend);
}

/* ld_verify_calls has one context for all: what is passed on gets the caller's. */
static void pass_finding(void *context, const char *kind, const char *where, const char *text) {
  const ld_verify_calls *calls = &((repairing *)context)->repair->calls;
  if (calls->finding != NULL) calls->finding(calls->context, kind, where, text);
}

static void pass_collection(void *context, ld_slice name, uint64_t documents, unsigned indexes) {
  const ld_verify_calls *calls = &((repairing *)context)->repair->calls;
  if (calls->collection != NULL) calls->collection(calls->context, name, documents, indexes);
}

static ld_rc pass_progress(void *context, uint64_t done, uint64_t total) {
  const ld_verify_calls *calls = &((repairing *)context)->repair->calls;
  return calls->progress == NULL ? LD_OK : calls->progress(calls->context, done, total);
}

static ld_rc look(repairing *r) {
  const ld_verify_calls calls = {.context = r,
                                 .finding = pass_finding,
                                 .collection = pass_collection,
                                 .mend = note,
                                 .progress = pass_progress,
                                 .filling = r->repair->calls.filling};
  ld_txn *txn;
  ld_buf_reset(&r->list);
  ld_rc rc = ld_begin(r->engine, false, &txn);
  if (rc != LD_OK) return rc;
  rc = ld_verify(txn, &calls, r->report);
  ld_rollback(txn);
  if (rc == LD_OK && r->list.failed)
    rc = ld_fail(&r->engine->error, LD_NOMEM, "verify: out of memory");
  return rc;
}

/* ---- one thing ---- */

typedef ld_rc (*repair_work)(ld_txn *txn, ld_slice mend, ld_buf *name);

static ld_rc write_once(repairing *r, repair_work work, ld_slice mend, ld_buf *name) {
  ld_txn *txn;
  ld_buf_reset(name);
  ld_rc rc = ld_begin(r->engine, true, &txn);
  if (rc != LD_OK) return rc;
  rc = work(txn, mend, name);
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

static ld_rc write(repairing *r, repair_work work, ld_slice mend, ld_buf *name) {
  ld_rc rc = LD_FULL;
  for (int run = 0; run < RUNS; run++) {
    r->engine->error.retry = false;
    rc = write_once(r, work, mend, name);
    if ((rc != LD_FULL && rc != LD_CONFLICT) || !r->engine->error.retry) break;
  }
  return rc;
}

static ld_rc drop_index(ld_txn *txn, ld_slice mend, ld_buf *name) {
  ld_collection handle = {.name = {0}};
  ld_slice collection, index;
  if (!ld_mend_index(mend, &collection, &index)) return LD_NOTFOUND;
  ld_rc rc = ld_collection_init(&handle, collection, LD_SLICE_NONE, ld_error_of(txn));
  if (rc == LD_OK) rc = ld_collection_drop_index(txn, &handle, index);
  ld_collection_clear(&handle);
  ld_buf_printf(name, "index");
  return rc;
}

static ld_rc tell(repairing *r, ld_slice mend, ld_buf *name, const ld_error *failure) {
  const ld_repair *repair = r->repair;
  ld_buf_byte(name, 0);
  if (name->failed) return ld_fail(&r->engine->error, LD_NOMEM, "verify: out of memory");
  if (repair->mended != NULL)
    repair->mended(repair->calls.context, ld_mend_kind(mend), (const char *)name->data, failure);
  return LD_OK;
}

/* What cannot be put right for a reason of its own is told; other failures end it all. */
static ld_rc put_right(repairing *r, ld_slice mend, ld_buf *name) {
  ld_buf dropped = {0};
  ld_rc rc = write(r, ld_verify_mend, mend, name);
  if (rc == LD_NOTFOUND) return LD_OK;
  if (rc == LD_OK) r->mended++;
  if (rc == LD_OK) return tell(r, mend, name, NULL);
  if (rc != LD_EXISTS && rc != LD_CORRUPT && rc != LD_UNSUPPORTED && rc != LD_INVALID) return rc;
  ld_error failure = r->engine->error;
  if (rc == LD_EXISTS && r->repair->drop_clashing && ld_mend_kind(mend) == LD_MEND_INDEX) {
    rc = write(r, drop_index, mend, &dropped);
    ld_buf_clear(&dropped);
    if (rc != LD_OK) return rc;
    r->mended++;
  }
  return tell(r, mend, name, &failure);
}

static ld_rc put_all_right(repairing *r) {
  ld_buf name = {0};
  ld_slice rest = ld_buf_slice(&r->list), mend;
  ld_rc rc = LD_OK;
  r->mended = 0;
  while (rc == LD_OK && ld_value_take(&rest, &mend)) rc = put_right(r, mend, &name);
  ld_buf_clear(&name);
  return rc;
}

ld_rc ld_repair_run(ld_engine *engine, const ld_repair *repair, ld_verify_report *report) {
  repairing r = {.engine = engine, .repair = repair, .report = report};
  ld_rc rc = look(&r);
  if (rc == LD_OK && repair->looked != NULL) rc = repair->looked(repair->calls.context);
  for (int round = 0; rc == LD_OK && r.list.size > 0 && round < ROUNDS; round++) {
    rc = put_all_right(&r);
    if (rc != LD_OK || r.mended == 0) break;
    if (repair->again != NULL) repair->again(repair->calls.context);
    rc = look(&r);
  }
  ld_buf_clear(&r.list);
  return rc;
}
