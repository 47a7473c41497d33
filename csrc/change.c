/* change.c -- changing documents that are there. */
#include "change.h"

#include "order.h"
#include "patch.h"

/* The document after the patch; its id must be the one it had. */
static ld_rc patched(ld_txn *txn, const ld_collection *collection, ld_slice id, ld_slice document,
                     ld_slice patch, ld_buf *changed) {
  ld_slice changed_id;
  ld_quoted quoted;
  ld_path key = {.parts = {ld_collection_key(collection)}, .count = 1};
  ld_rc rc = ld_patch_apply(document, patch, changed, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  if (changed->failed) return ld_no_memory(txn, "update");
  if (ld_path_get(ld_buf_slice(changed), &key, &changed_id) && ld_same(changed_id, id))
    return ld_collection_check_id(changed_id, ld_error_of(txn)); /* 1.0 is not 1 */
  return ld_fail(ld_error_of(txn), LD_INVALID, "%s: the id of a document cannot be changed",
                 ld_quote(ld_collection_key(collection), quoted));
}

/* What a document that an upsert makes begins with: its id. */
static ld_rc change_new(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice patch,
                        ld_buf *stored) {
  ld_buf fresh = {0}, changed = {0};
  ld_write_map(&fresh, 1);
  ld_write_string(&fresh, ld_collection_key(collection));
  ld_buf_add(&fresh, id);
  ld_rc rc = fresh.failed ? ld_no_memory(txn, "update") : LD_OK;
  if (rc == LD_OK) rc = patched(txn, collection, id, ld_buf_slice(&fresh), patch, &changed);
  if (rc == LD_OK)
    rc = ld_collection_put(txn, collection, ld_buf_slice(&changed),
                           (ld_put_options){LD_PUT_CREATE, 0}, stored);
  ld_buf_clear(&fresh);
  ld_buf_clear(&changed);
  return rc;
}

ld_rc ld_change(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice patch,
                uint64_t if_revision, bool upsert, ld_buf *stored) {
  ld_slice document;
  uint64_t revision;
  ld_buf changed = {0};
  ld_rc rc = ld_patch_check(patch, ld_error_of(txn));
  if (rc == LD_OK) rc = ld_collection_meet(txn, collection);
  if (rc == LD_OK) rc = ld_collection_get(txn, collection, id, &document, &revision);
  if (rc == LD_NOTFOUND && upsert && if_revision == 0)
    return change_new(txn, collection, id, patch, stored);
  if (rc == LD_OK) rc = patched(txn, collection, id, document, patch, &changed);
  if (rc == LD_OK)
    rc = ld_collection_put(txn, collection, ld_buf_slice(&changed),
                           (ld_put_options){LD_PUT_REPLACE, if_revision}, stored);
  ld_buf_clear(&changed);
  return rc;
}

/* The ids of what was found, as values behind one another; for a patch, each was tried. */
typedef struct found_ids {
  ld_txn *txn;
  const ld_collection *collection;
  ld_slice patch;
  ld_buf ids, scratch;
  uint64_t count;
} found_ids;

static ld_rc add_id(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  found_ids *found = context;
  ld_rc rc = LD_OK;
  (void)revision;
  ld_buf_reset(&found->scratch);
  if (found->patch.size > 0)
    rc = patched(found->txn, found->collection, id, document, found->patch, &found->scratch);
  if (rc == LD_OK && found->patch.size > 0)
    rc = ld_collection_check(found->txn, found->collection, ld_buf_slice(&found->scratch));
  ld_buf_add(&found->ids, id);
  found->count++;
  return rc == LD_OK && found->ids.failed ? ld_no_memory(found->txn, "update") : rc;
}

static ld_rc change_all(ld_txn *txn, ld_collection *collection, ld_slice ids, ld_slice patch) {
  ld_buf stored = {0};
  ld_slice id;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && ids.size > 0 && ld_value_take(&ids, &id)) {
    ld_buf_reset(&stored);
    rc = patch.size > 0 ? ld_change(txn, collection, id, patch, 0, false, &stored)
                        : ld_collection_delete(txn, collection, id, 0);
  }
  ld_buf_clear(&stored);
  return rc == LD_OK ? rc : ld_spoil(txn, rc);
}

/* An empty patch deletes. */
static ld_rc change_found(ld_txn *txn, ld_collection *collection, const ld_find *find,
                          ld_slice patch, uint64_t *count) {
  found_ids found = {.txn = txn, .collection = collection, .patch = patch};
  ld_rc rc = ld_collection_meet(txn, collection);
  if (rc == LD_OK) rc = ld_find_run(txn, collection, find, add_id, &found, NULL, NULL);
  if (rc == LD_OK) rc = change_all(txn, collection, ld_buf_slice(&found.ids), patch);
  if (rc == LD_OK) *count = found.count;
  ld_buf_clear(&found.ids);
  ld_buf_clear(&found.scratch);
  return rc;
}

ld_rc ld_change_where(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_slice patch,
                      uint64_t *count) {
  ld_rc rc = ld_patch_check(patch, ld_error_of(txn));
  return rc == LD_OK ? change_found(txn, collection, find, patch, count) : rc;
}

ld_rc ld_delete_where(ld_txn *txn, ld_collection *collection, const ld_find *find,
                      uint64_t *count) {
  return change_found(txn, collection, find, LD_SLICE_NONE, count);
}
