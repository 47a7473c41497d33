/* upgrade.c -- see upgrade.h. */
#include "upgrade.h"

/* So many documents are looked at for each that may be upgraded: a batch ends, too, where all are done. */
enum { LOOKS = 64 };

typedef struct upgrade_run {
  ld_txn *txn;
  ld_collection *collection;
  ld_buf last, stored; /* the id that was looked at last; what was written */
  uint64_t count, most, older, looks;
  bool cut; /* there may be more behind the last */
} upgrade_run;

static ld_rc no_memory(ld_txn *txn) {
  return ld_fail(ld_error_of(txn), LD_NOMEM, "upgrade: out of memory");
}

static ld_rc upgrade_one(upgrade_run *run, ld_slice stored) {
  ld_slice document;
  ld_rc rc = ld_collection_upgraded(run->txn, run->collection, stored, &document);
  ld_buf_reset(&run->stored);
  if (rc == LD_OK)
    rc = ld_collection_put(run->txn, run->collection, document, (ld_put_options){LD_PUT_REPLACE, 0},
                           &run->stored);
  run->count++;
  run->older--;
  return rc;
}

static ld_rc visit(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  upgrade_run *run = context;
  (void)revision;
  if (run->older == 0) return LD_NOTFOUND;
  run->cut = run->count == run->most || run->looks++ == run->most * LOOKS;
  if (run->cut) return LD_NOTFOUND;
  ld_buf_reset(&run->last);
  ld_buf_add(&run->last, id);
  if (run->last.failed) return no_memory(run->txn);
  if (run->collection->read_version >= ld_collection_version(run->collection)) return LD_OK;
  return upgrade_one(run, document);
}

ld_rc ld_upgrade(ld_txn *txn, ld_collection *collection, unsigned most, ld_slice after,
                 ld_buf *next, uint64_t *count, uint64_t *older) {
  upgrade_run run = {.txn = txn, .collection = collection, .most = most};
  ld_quoted name;
  if (ld_collection_version(collection) == 0)
    return ld_fail(ld_error_of(txn), LD_INVALID, "collection %s: no version was declared",
                   ld_quote(ld_buf_slice(&collection->name), name));
  ld_rc rc = ld_collection_meet(txn, collection);
  if (rc == LD_OK) rc = ld_collection_older(txn, collection, &run.older);
  if (rc == LD_OK && run.older > 0) rc = ld_collection_each(txn, collection, after, visit, &run);
  if (rc == LD_OK && run.cut) ld_buf_add(next, ld_buf_slice(&run.last));
  if (rc == LD_OK && next->failed) rc = no_memory(txn);
  ld_buf_clear(&run.last);
  ld_buf_clear(&run.stored);
  if (rc != LD_OK) return ld_spoil(txn, rc);
  *count = run.count;
  *older = run.older;
  return LD_OK;
}
