/* collection_version.c -- documents as the program knows them: older ones upgraded, newer ones refused, all of them checked before they are written. */
#include "collection.h"

#include <stdio.h>

#include "index.h"
#include "order.h"
#include "version.h"

/* What the program's function says, with what it is about in front. */
static ld_rc about(ld_txn *txn, const ld_collection *collection, ld_slice document,
                   const char *what) {
  ld_quoted name, id;
  return ld_fail_in(ld_error_of(txn), "collection %s: document %s: %s",
                    ld_quote(ld_buf_slice(&collection->name), name),
                    ld_quote_id(ld_collection_find_id(collection, document), id), what);
}

ld_rc ld_collection_stored(ld_txn *txn, ld_collection *collection, ld_slice payload,
                           ld_slice *document) {
  ld_quoted name;
  if (ld_version_split(payload, &collection->read_version, document)) return LD_OK;
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "collection %s: a document is damaged",
                               ld_quote(ld_buf_slice(&collection->name), name)));
}

static bool keeps_id(const ld_collection *collection, ld_slice before, ld_slice after) {
  ld_slice old = ld_collection_find_id(collection, before);
  ld_slice new = ld_collection_find_id(collection, after);
  return new.size > 0 && ld_same(old, new) && ld_collection_check_id(new, NULL) == LD_OK;
}

static ld_rc run_upgrade(ld_txn *txn, ld_collection *collection, ld_slice stored) {
  const ld_program *program = collection->program;
  ld_buf *upgraded = &collection->scratch;
  ld_buf_reset(upgraded);
  ld_rc rc = program->upgrade(program->context, collection->read_version, stored, upgraded,
                              ld_error_of(txn));
  if (rc != LD_OK) return rc;
  if (upgraded->failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  if (keeps_id(collection, stored, ld_buf_slice(upgraded))) return LD_OK;
  return ld_fail(ld_error_of(txn), LD_INVALID, "the id of a document cannot be changed");
}

ld_rc ld_collection_upgraded(ld_txn *txn, ld_collection *collection, ld_slice stored,
                             ld_slice *document) {
  const ld_program *program = collection->program;
  uint64_t from = collection->read_version, to = ld_collection_version(collection);
  char what[80];
  *document = stored;
  if (from >= to || program == NULL || program->upgrade == NULL) return LD_OK;
  /* The name of the id's field is known when the collection was looked at. */
  ld_rc rc = collection->current.bytes.size == 0 ? ld_collection_look(txn, collection) : LD_OK;
  if (rc != LD_OK) return rc;
  rc = run_upgrade(txn, collection, stored);
  *document = ld_buf_slice(&collection->scratch);
  if (rc == LD_OK) return rc;
  snprintf(what, sizeof what, "upgrade from version %llu to %llu: ", (unsigned long long)from,
           (unsigned long long)to);
  return about(txn, collection, stored, what);
}

ld_rc ld_collection_read(ld_txn *txn, ld_collection *collection, ld_slice payload,
                         ld_slice *document) {
  ld_slice stored;
  ld_rc rc = ld_collection_stored(txn, collection, payload, &stored);
  return rc == LD_OK ? ld_collection_upgraded(txn, collection, stored, document) : rc;
}

ld_rc ld_collection_admit(ld_txn *txn, const ld_collection *collection, ld_slice id) {
  ld_quoted name, quoted;
  uint64_t version = ld_collection_version(collection);
  if (version == 0 || collection->read_version <= version) return LD_OK;
  return ld_fail(ld_error_of(txn), LD_UNSUPPORTED,
                 "collection %s: document %s: a newer program wrote it, in version %llu; this one "
                 "knows version %llu",
                 ld_quote(ld_buf_slice(&collection->name), name), ld_quote_id(id, quoted),
                 (unsigned long long)collection->read_version, (unsigned long long)version);
}

ld_rc ld_collection_check(ld_txn *txn, const ld_collection *collection, ld_slice document) {
  const ld_program *program = collection->program;
  if (program == NULL || program->validate == NULL) return LD_OK;
  ld_rc rc = program->validate(program->context, document, ld_error_of(txn));
  return rc == LD_OK ? rc : about(txn, collection, document, "");
}
