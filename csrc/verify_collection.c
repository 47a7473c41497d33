/* verify_collection.c -- collections: declarations, documents, counts; each document's entries by verify_index.c. */
#include "index.h"
#include "verify_run.h"
#include "version.h"

/* ---- one row by itself ---- */

static void note_numbers(verify *v, const ld_declaration *declaration) {
  for (unsigned i = 0; i < declaration->count; i++)
    verify_number(v, declaration->indexes[i].number);
}

ld_rc verify_declaration_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_declaration declaration;
  (void)key;
  v->report->collections++;
  ld_rc rc = ld_value_check(row->payload, ld_error_of(v->txn));
  if (rc == LD_OK) rc = ld_declaration_read(row->payload, &declaration, ld_error_of(v->txn));
  if (rc == LD_NOMEM) return rc;
  if (rc != LD_OK) {
    v->declaration_damaged = true;
    return verify_found_error(v, "collection");
  }
  note_numbers(v, &declaration);
  ld_declaration_clear(&declaration);
  return LD_OK;
}

/* Open a handle; damage of the declaration is found with its row, and leaves `*looked` false. */
static ld_rc open_collection(verify *v, ld_slice name, ld_collection *handle, bool *declared,
                             bool *looked) {
  ld_collection_clear(handle);
  ld_rc rc = ld_collection_init(handle, name, LD_SLICE_NONE, ld_error_of(v->txn));
  if (rc == LD_OK) rc = ld_collection_look(v->txn, handle);
  *looked = rc == LD_OK;
  *declared = rc != LD_OK || handle->current.bytes.size > 0;
  return verify_pass(rc);
}

/* The collection of the row at hand; rows of one come in a row. */
static ld_rc meet_collection(verify *v, ld_slice name) {
  if (ld_equal(ld_buf_slice(&v->collection.name), name)) return LD_OK;
  ld_rc rc = open_collection(v, name, &v->collection, &v->declared, &v->looked);
  if (rc != LD_OK || v->declared) return rc;
  return verify_mend(v, LD_MEND_DECLARATION, name, LD_SLICE_NONE, 0);
}

static bool is_same_id(const ld_part *part, ld_slice id) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&id, &token);
  if (part->kind == LD_PART_INT) return token.kind == LD_INT && token.integer == part->integer;
  return part->kind == LD_PART_STRING && ld_is_string(&token) && ld_equal(token.bytes, part->bytes);
}

/* Take the document out of its row. False: it is none, or has another id than its key; its error says which. */
static bool read_document(verify *v, const ld_collection *handle, const verify_key *key,
                          ld_slice payload, uint64_t *version, ld_slice *document) {
  ld_quoted quoted;
  if (!ld_version_split(payload, version, document))
    return ld_fail(ld_error_of(v->txn), LD_CORRUPT, "is no map"), false;
  if (ld_value_check(*document, ld_error_of(v->txn)) != LD_OK) return false;
  ld_slice id = ld_collection_find_id(handle, *document);
  if (id.size == 0) return ld_fail(ld_error_of(v->txn), LD_CORRUPT, "has no id"), false;
  if (is_same_id(&key->last, id)) return true;
  ld_fail(ld_error_of(v->txn), LD_CORRUPT, "its id is another one: %s", ld_quote_id(id, quoted));
  return false;
}

ld_rc verify_document_row(verify *v, const verify_key *key, const ld_row *row) {
  uint64_t version;
  ld_slice document;
  v->report->documents++;
  ld_rc rc = meet_collection(v, key->name);
  if (rc == LD_OK && !v->declared)
    rc = verify_found(v, "collection", "its collection was never declared");
  if (rc != LD_OK || !v->looked) return rc;
  bool sound = read_document(v, &v->collection, key, row->payload, &version, &document);
  return sound ? LD_OK : verify_found_error(v, "document");
}

static ld_rc has_documents(verify *v, ld_slice count_key, bool *some) {
  ld_buf own = {0};
  ld_scan scan;
  ld_row row;
  *some = false;
  ld_buf_add(&own, count_key);
  if (own.failed) return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  own.data[0] = LD_SPACE_DOCUMENT;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_buf_slice(&own), LD_SLICE_NONE);
  while (rc == LD_OK && !*some && (rc = verify_next(v, &scan, &row)) == LD_OK)
    *some = verify_is_under(row.key, ld_buf_slice(&own));
  ld_scan_end(&scan);
  ld_buf_clear(&own);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* What a count without a declaration counts is looked at when there is one (LD_MEND_DECLARATION). */
static ld_rc undeclared_count(verify *v, const verify_key *key, const ld_row *row) {
  bool some;
  ld_rc rc = has_documents(v, row->key, &some);
  if (rc == LD_OK) rc = verify_found(v, "count", "its collection was never declared");
  if (rc != LD_OK || some) return rc;
  return verify_mend(v, LD_MEND_COUNT, key->name, LD_SLICE_NONE, 0);
}

ld_rc verify_count_row(verify *v, const verify_key *key, const ld_row *row) {
  uint64_t count, older;
  ld_rc rc = meet_collection(v, key->name);
  if (rc != LD_OK) return rc;
  if (!v->declared) return undeclared_count(v, key, row);
  if (ld_tally_count(row->payload, &count) && ld_tally_older(row->payload, 2, &older)) return LD_OK;
  rc = verify_found(v, "count", "is no number");
  return rc == LD_OK ? verify_mend(v, LD_MEND_COUNT, key->name, LD_SLICE_NONE, 0) : rc;
}

/* ---- all of one collection ---- */

static ld_rc count_document(verify *v, verify_collection *c, ld_slice payload) {
  uint64_t version = 1;
  ld_slice document;
  ld_buf moved = {0};
  ld_version_split(payload, &version, &document);
  ld_tally_move(ld_buf_slice(&c->tally), 0, version, &moved);
  if (moved.failed) return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  ld_buf_clear(&c->tally);
  c->tally = moved;
  c->documents++;
  return LD_OK;
}

static ld_rc visit_document(verify *v, verify_collection *c, const ld_row *row) {
  verify_key key;
  uint64_t version;
  ld_slice document;
  ld_rc rc = count_document(v, c, row->payload);
  if (rc == LD_OK) rc = verify_step(v);
  if (rc == LD_OK) rc = verify_key_read(v, row->key, &key);
  if (rc != LD_OK || c->handle.current.count == 0 || !key.sound) return rc;
  if (!read_document(v, &c->handle, &key, row->payload, &version, &document)) return LD_OK;
  return verify_entries_of(v, c, ld_collection_find_id(&c->handle, document), document);
}

static ld_rc visit_documents(verify *v, verify_collection *c) {
  ld_buf prefix = {0};
  ld_scan scan;
  ld_row row;
  ld_buf_byte(&prefix, LD_SPACE_DOCUMENT);
  ld_tuple_string(&prefix, ld_buf_slice(&c->handle.name));
  if (prefix.failed) return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  ld_slice own = ld_buf_slice(&prefix);
  v->skipped = 0;
  ld_rc rc = ld_scan_begin(&scan, v->txn, own, LD_SLICE_NONE);
  while (rc == LD_OK && (rc = verify_next(v, &scan, &row)) == LD_OK) {
    bool under = verify_is_under(row.key, own);
    if (!under && verify_is_short(own)) break;
    if (under) rc = visit_document(v, c, &row);
  }
  ld_scan_end(&scan);
  ld_buf_clear(&prefix);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* What the count's row says; nothing where there is none. */
static ld_rc read_tally(verify *v, ld_slice name, ld_slice *tally) {
  ld_buf key = {0};
  ld_row row = {.payload = LD_SLICE_NONE};
  ld_buf_byte(&key, LD_SPACE_COUNT);
  ld_tuple_string(&key, name);
  if (key.failed) return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  ld_rc rc = ld_row_get(v->txn, ld_buf_slice(&key), &row);
  ld_buf_clear(&key);
  *tally = row.payload;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* Damaged documents may be counted or not. */
static ld_rc check_count(verify *v, const verify_collection *c, uint64_t skipped) {
  uint64_t count = 0;
  ld_slice tally, name = ld_buf_slice(&c->handle.name);
  ld_quoted quoted;
  ld_rc rc = read_tally(v, name, &tally);
  if (rc != LD_OK) return verify_pass(rc);
  bool sound = ld_tally_count(tally, &count);
  bool total = count >= c->documents && count <= c->documents + skipped;
  bool versions = skipped > 0 || ld_equal(tally, ld_buf_slice(&c->tally)) ||
                  (c->documents == 0 && tally.size <= 1);
  if (!sound || (total && versions)) return LD_OK;
  verify_at(v, "collection %s", ld_quote(name, quoted));
  rc = total ? verify_found(v, "count", "of documents by their versions is wrong")
             : verify_found(v, "count", "says %llu documents, there are %llu",
                            (unsigned long long)count, (unsigned long long)c->documents);
  return rc == LD_OK ? verify_mend(v, LD_MEND_COUNT, name, LD_SLICE_NONE, 0) : rc;
}

static ld_rc check_collection(verify *v, verify_collection *c) {
  ld_slice name = ld_buf_slice(&c->handle.name);
  const ld_declaration *current = &c->handle.current;
  ld_rc rc = visit_documents(v, c);
  uint64_t skipped = v->skipped;
  for (unsigned i = 0; i < current->count && rc == LD_OK; i++) rc = verify_entries(v, c, i);
  for (unsigned i = 0; i < current->count && rc == LD_OK; i++)
    if ((c->broken >> i & 1) != 0)
      rc = verify_mend(v, LD_MEND_INDEX, name, current->indexes[i].name, 0);
  if (rc == LD_OK) rc = check_count(v, c, skipped);
  if (rc == LD_OK && v->calls->collection != NULL)
    v->calls->collection(v->calls->context, name, c->documents, current->count);
  return rc;
}

static ld_rc visit_collection(verify *v, ld_slice name) {
  verify_collection c = {.documents = 0};
  bool declared, looked = false;
  ld_rc rc = open_collection(v, name, &c.handle, &declared, &looked);
  if (rc == LD_OK && looked) rc = check_collection(v, &c);
  ld_collection_clear(&c.handle);
  ld_buf_clear(&c.tally);
  return rc;
}

ld_rc verify_collections(verify *v) {
  static const uint8_t space = LD_SPACE_COLLECTION;
  ld_scan scan;
  ld_row row;
  verify_key key;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  while (rc == LD_OK && (rc = verify_next(v, &scan, &row)) == LD_OK) {
    bool sound = ld_value_check(row.payload, ld_error_of(v->txn)) == LD_OK;
    rc = verify_key_read(v, row.key, &key);
    if (rc == LD_OK && sound && key.sound) rc = visit_collection(v, key.name);
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
