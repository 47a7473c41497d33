/* verify_index.c -- the entries of indexes: of each document, and back from each entry to its document. */
#include "index.h"
#include "verify_numbers.h"

static ld_rc no_memory(verify *v) {
  return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
}

/* The next finding is of this index, and it is to be built anew. */
static void at_index(verify *v, verify_collection *c, unsigned index) {
  ld_quoted name, collection;
  c->broken |= UINT64_C(1) << index;
  verify_at(v, "index %s of collection %s", ld_quote(c->handle.current.indexes[index].name, name),
            ld_quote(ld_buf_slice(&c->handle.name), collection));
}

/* What the index has to have of a document. */
static ld_rc collect(verify *v, ld_index *index, ld_slice id, ld_slice document,
                     ld_entries *entries) {
  if (!ld_entries_collect_one(entries, index, id, document)) return no_memory(v);
  ld_ranking_sort(&entries->keys);
  return LD_OK;
}

/* ---- while it is being built ---- */

/* Whether a build has come past this id; those behind may have no entries yet. A key that is only the index' number says how far it is. */
static ld_rc is_taken_in(verify *v, const ld_index *index, ld_slice id, bool *taken) {
  ld_buf bytes = {0};
  ld_row row;
  *taken = true;
  if (index->ready) return LD_OK;
  ld_index_prefix(index->number, &bytes);
  ld_rc rc = bytes.failed ? no_memory(v) : ld_row_get(v->txn, ld_buf_slice(&bytes), &row);
  *taken = false;
  if (rc == LD_OK && ld_collection_check_id(row.payload, ld_error_of(v->txn)) == LD_OK) {
    ld_buf_reset(&bytes);
    ld_index_id(id, &bytes);
    size_t size = bytes.size;
    ld_index_id(row.payload, &bytes);
    *taken = !bytes.failed && ld_compare(ld_bytes(bytes.data, size),
                                         ld_bytes(bytes.data + size, bytes.size - size)) <= 0;
    if (bytes.failed) rc = no_memory(v);
  }
  ld_buf_clear(&bytes);
  return rc == LD_NOTFOUND ? LD_OK : verify_pass(rc);
}

/* ---- from documents to entries ---- */

static ld_rc tell_document(verify *v, verify_collection *c, unsigned index, ld_slice id,
                           const char *text) {
  ld_quoted quoted;
  at_index(v, c, index);
  return verify_found(v, "index", "document %s %s", ld_quote_id(id, quoted), text);
}

/* Whether each of these rows is there, and leads to the id. */
static ld_rc look_up(verify *v, const ld_entries *entries, ld_slice id, bool *missing,
                     bool *astray) {
  ld_row row;
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < entries->keys.count && rc == LD_OK; i++) {
    rc = ld_row_get(v->txn, ld_ranked_key(&entries->keys.entries[i]), &row);
    if (rc == LD_NOTFOUND)
      *missing = true;
    else if (rc == LD_OK && !ld_equal(row.payload, id))
      *astray = true;
    else if (verify_pass(rc) == LD_OK && rc != LD_OK)
      *missing = true; /* damaged: to be built anew as well */
    if (rc == LD_NOTFOUND) rc = LD_OK;
    rc = verify_pass(rc);
  }
  return rc;
}

static ld_rc check_one(verify *v, verify_collection *c, unsigned at, ld_slice id,
                       ld_slice document) {
  ld_index *index = &c->handle.current.indexes[at];
  ld_entries entries = {.id_size = 0};
  bool missing = false, astray = false, taken = true;
  ld_rc rc = collect(v, index, id, document, &entries);
  if (rc == LD_OK) rc = look_up(v, &entries, id, &missing, &astray);
  if (rc == LD_OK && missing) rc = is_taken_in(v, index, id, &taken);
  if (rc == LD_OK && missing && taken) rc = tell_document(v, c, at, id, "has no entry in it");
  if (rc == LD_OK && astray) rc = tell_document(v, c, at, id, "has an entry that leads to another");
  if (rc == LD_OK && entries.state_change && taken && !missing)
    rc = tell_document(v, c, at, id,
                       "has several or long values there, which the declaration does not say");
  ld_entries_clear(&entries);
  return rc;
}

ld_rc verify_entries_of(verify *v, verify_collection *c, ld_slice id, ld_slice document) {
  ld_rc rc = LD_OK;
  for (unsigned i = 0; i < c->handle.current.count && rc == LD_OK; i++)
    rc = check_one(v, c, i, id, document);
  return rc;
}

/* ---- from entries to documents ---- */

/* Another document under the values of an entry that has to be the only one; told once, by the lesser id. */
static ld_rc check_unique(verify *v, verify_collection *c, unsigned at, ld_slice key, ld_slice id,
                          size_t id_size) {
  ld_scan scan;
  ld_row row;
  bool twice = false;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(key.data, key.size - id_size), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while (!twice && (rc = verify_next(v, &scan, &row)) == LD_OK)
    twice = ld_compare(row.payload, id) > 0;
  ld_scan_end(&scan);
  if (!twice) return rc == LD_NOTFOUND ? LD_OK : rc;
  return tell_document(v, c, at, id, "has the same value as another one in a unique index");
}

/* Whether a document's entries in an index have this key. */
static const ld_ranked *find_entry(const ld_entries *entries, ld_slice key) {
  for (size_t i = 0; i < entries->keys.count; i++)
    if (ld_equal(ld_ranked_key(&entries->keys.entries[i]), key)) return &entries->keys.entries[i];
  return NULL;
}

static ld_rc compare_document(verify *v, verify_collection *c, unsigned at, const ld_row *entry,
                              ld_slice document) {
  ld_index *index = &c->handle.current.indexes[at];
  ld_entries entries = {.id_size = 0};
  ld_slice id = ld_collection_find_id(&c->handle, document);
  ld_rc rc = collect(v, index, id, document, &entries);
  const ld_ranked *found = rc == LD_OK ? find_entry(&entries, entry->key) : NULL;
  if (rc == LD_OK && found == NULL)
    rc = tell_document(v, c, at, entry->payload, "has an entry that does not follow from it");
  else if (rc == LD_OK && ld_ranked_payload(found).data[0] != 0)
    rc = check_unique(v, c, at, entry->key, entry->payload, entries.id_size);
  ld_entries_clear(&entries);
  return rc;
}

static ld_rc check_entry(verify *v, verify_collection *c, unsigned at, const ld_row *entry) {
  ld_slice document;
  uint64_t revision;
  if (ld_value_check(entry->payload, ld_error_of(v->txn)) != LD_OK ||
      ld_collection_check_id(entry->payload, ld_error_of(v->txn)) != LD_OK) {
    at_index(v, c, at);
    return verify_found(v, "index", "has an entry without an id");
  }
  ld_rc rc = ld_collection_get(v->txn, &c->handle, entry->payload, &document, &revision);
  if (rc == LD_NOTFOUND)
    return tell_document(v, c, at, entry->payload, "has an entry, but is not there");
  if (rc != LD_OK) return verify_pass(rc);
  if (ld_value_check(document, ld_error_of(v->txn)) != LD_OK) return LD_OK;
  return compare_document(v, c, at, entry, document);
}

/* How far a build is. */
static ld_rc check_place(verify *v, verify_collection *c, unsigned at, const ld_row *row) {
  bool sound = ld_value_check(row->payload, ld_error_of(v->txn)) == LD_OK &&
               ld_collection_check_id(row->payload, ld_error_of(v->txn)) == LD_OK;
  if (sound && !c->handle.current.indexes[at].ready) return LD_OK;
  at_index(v, c, at);
  return verify_found(v, "index", "its note of how far it is built is wrong");
}

ld_rc verify_entries(verify *v, verify_collection *c, unsigned at) {
  uint8_t room[16];
  ld_buf prefix = {.data = room, .capacity = sizeof room};
  ld_scan scan;
  ld_row row;
  ld_index_prefix(c->handle.current.indexes[at].number, &prefix);
  v->skipped = 0;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_buf_slice(&prefix), LD_SLICE_NONE);
  while (rc == LD_OK && (rc = verify_next(v, &scan, &row)) == LD_OK) {
    rc = row.key.size == prefix.size ? check_place(v, c, at, &row) : check_entry(v, c, at, &row);
    if (rc == LD_OK) rc = verify_step(v);
  }
  ld_scan_end(&scan);
  if (v->skipped > 0) c->broken |= UINT64_C(1) << at;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- indexes that nobody declares ---- */

static ld_rc each_index(verify *v, verify_numbers *numbers) {
  static const uint8_t space = LD_SPACE_COLLECTION;
  ld_scan scan;
  ld_row row;
  ld_declaration declaration;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  while (rc == LD_OK && (rc = verify_next(v, &scan, &row)) == LD_OK) {
    rc = ld_value_check(row.payload, ld_error_of(v->txn));
    if (rc == LD_OK) rc = ld_declaration_read(row.payload, &declaration, ld_error_of(v->txn));
    for (unsigned i = 0; rc == LD_OK && i < declaration.count; i++)
      verify_numbers_add(numbers, declaration.indexes[i].number);
    if (rc == LD_OK) ld_declaration_clear(&declaration);
    if (rc != LD_NOMEM) rc = LD_OK;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc tell_stray(verify *v, uint8_t space, uint64_t number, uint64_t rows) {
  (void)space;
  verify_at(v, "index number %llu", (unsigned long long)number);
  ld_rc rc =
      verify_found(v, "index", "no collection declares it: rows: %llu", (unsigned long long)rows);
  if (rc != LD_OK || v->declaration_damaged) return rc;
  return verify_mend(v, LD_MEND_STRAY_INDEX, LD_SLICE_NONE, LD_SLICE_NONE, number);
}

ld_rc verify_index_numbers(verify *v) {
  verify_numbers numbers = {.v = v, .kind = "index"};
  ld_rc rc;
  while ((rc = verify_numbers_next(&numbers, each_index)) == LD_OK &&
         (rc = verify_numbers_compare(&numbers, LD_SPACE_INDEX, tell_stray)) == LD_OK) {
  }
  verify_numbers_clear(&numbers);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
