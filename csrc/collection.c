/* collection.c -- see collection.h. */
#include "collection.h"

#include <stdio.h>

#include "index.h"
#include "span.h"
#include "tuple.h"
#include "version.h"

/* Room for the key of any document: two names, each byte of which may become two. */
typedef uint8_t key_space[4 * LD_PART_MAX + 16];

/* ---- keys ---- */

static ld_slice key_of(key_space space, uint8_t kind, ld_slice name) {
  ld_buf key = {.data = space, .capacity = sizeof(key_space)};
  ld_buf_byte(&key, kind);
  ld_tuple_string(&key, name);
  return ld_buf_slice(&key);
}

/* `id` was checked. */
static ld_slice document_key(key_space space, const ld_collection *collection, ld_slice id) {
  ld_slice prefix = key_of(space, LD_SPACE_DOCUMENT, ld_buf_slice(&collection->name));
  ld_buf key = {.data = space, .size = prefix.size, .capacity = sizeof(key_space)};
  ld_index_id(id, &key);
  return ld_buf_slice(&key);
}

ld_rc ld_collection_check_id(ld_slice id, ld_error *error) {
  ld_token token;
  if (!ld_value_next(&id, &token)) return ld_fail(error, LD_INVALID, "the id is missing");
  if (token.kind == LD_INT) return LD_OK;
  if (!ld_is_string(&token))
    return ld_fail(error, LD_INVALID, "an id is a string or an integer, got %s",
                   ld_kind_name(token.kind));
  if (token.bytes.size == 0) return ld_fail(error, LD_INVALID, "an id is not empty");
  if (token.bytes.size <= LD_PART_MAX) return LD_OK;
  return ld_fail(error, LD_TOOBIG, "the id has %zu bytes, the limit is %u", token.bytes.size,
                 LD_PART_MAX);
}

/* ---- the handle ---- */

ld_rc ld_collection_init(ld_collection *collection, ld_slice name, ld_slice declaration,
                         ld_error *error) {
  ld_collection made = {.name = {0}};
  ld_rc rc = LD_OK;
  if (name.size == 0) return ld_fail(error, LD_INVALID, "the name of a collection is not empty");
  if (name.size > LD_PART_MAX)
    return ld_fail(error, LD_TOOBIG, "the name has %zu bytes, the limit is %u", name.size,
                   LD_PART_MAX);
  if (declaration.size > 0) rc = ld_declaration_compile(declaration, &made.declared, error);
  ld_buf_add(&made.name, name);
  if (rc == LD_OK && made.name.failed) rc = ld_fail(error, LD_NOMEM, "collection: out of memory");
  if (rc == LD_OK)
    *collection = made;
  else
    ld_collection_clear(&made);
  return rc;
}

void ld_collection_clear(ld_collection *collection) {
  ld_buf_clear(&collection->name);
  ld_declaration_clear(&collection->declared);
  ld_declaration_clear(&collection->current);
  ld_buf_clear(&collection->scratch);
}

/* ---- counting ---- */

static ld_rc damaged_count(ld_txn *txn) {
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "collection: a count is damaged"));
}

static ld_rc read_tally(ld_txn *txn, ld_slice key, ld_slice *tally) {
  ld_row row = {.payload = LD_SLICE_NONE};
  ld_rc rc = ld_row_get(txn, key, &row);
  if (rc == LD_OK || rc == LD_NOTFOUND) *tally = row.payload;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* A document of version `from` became one of version `to`; 0: it is not there. */
static ld_rc move_count(ld_txn *txn, const ld_collection *collection, uint64_t from, uint64_t to) {
  key_space space;
  ld_slice tally, key = key_of(space, LD_SPACE_COUNT, ld_buf_slice(&collection->name));
  ld_buf moved = {0};
  if (from == to) return LD_OK;
  ld_rc rc = read_tally(txn, key, &tally);
  if (rc == LD_OK && !ld_tally_move(tally, from, to, &moved)) rc = damaged_count(txn);
  if (rc == LD_OK && moved.failed) rc = ld_no_memory(txn, "collection");
  if (rc == LD_OK) rc = ld_row_put(txn, key, ld_buf_slice(&moved));
  ld_buf_clear(&moved);
  return rc;
}

ld_rc ld_collection_count(ld_txn *txn, ld_collection *collection, uint64_t *count) {
  key_space space;
  ld_slice tally, key = key_of(space, LD_SPACE_COUNT, ld_buf_slice(&collection->name));
  ld_rc rc = read_tally(txn, key, &tally);
  return rc != LD_OK || ld_tally_count(tally, count) ? rc : damaged_count(txn);
}

ld_rc ld_collection_older(ld_txn *txn, ld_collection *collection, uint64_t *count) {
  key_space space;
  ld_slice tally, key = key_of(space, LD_SPACE_COUNT, ld_buf_slice(&collection->name));
  ld_rc rc = read_tally(txn, key, &tally);
  if (rc != LD_OK || ld_tally_older(tally, ld_collection_version(collection), count)) return rc;
  return damaged_count(txn);
}

/* ---- put ---- */

static ld_rc note(ld_txn *txn, const char *kind, const ld_collection *collection, ld_slice id) {
  return ld_note_document(txn, kind, ld_buf_slice(&collection->name), id);
}

/* RFC 9562, version 7: 48 bits of ms since 1970, then random ones. */
static void make_id(const ld_env *env, ld_buf *id) {
  uint8_t bytes[16];
  char text[37];
  uint64_t now = (uint64_t)ld_now(env);
  env->random(env->context, bytes, sizeof bytes);
  for (size_t i = 0; i < 6; i++) bytes[i] = (uint8_t)(now >> (8 * (5 - i)));
  bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x70);
  bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
  size_t used = 0;
  for (size_t i = 0; i < 16; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%02x",
                             i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
  ld_write_text(id, text);
}

ld_slice ld_collection_find_id(const ld_collection *collection, ld_slice document) {
  ld_token head, key;
  ld_slice value, wanted = ld_collection_key(collection);
  if (!ld_value_next(&document, &head) || head.kind != LD_MAP) return LD_SLICE_NONE;
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&document, &key) || !ld_value_take(&document, &value)) break;
    if (ld_is_string(&key) && ld_equal(key.bytes, wanted)) return value;
  }
  return LD_SLICE_NONE;
}

/* The document with a new id in front. */
static void write_with_id(const ld_env *env, const ld_collection *collection, ld_slice document,
                          ld_buf *stored) {
  ld_token head = {.count = 0};
  ld_value_next(&document, &head);
  ld_write_map(stored, (size_t)head.count + 1);
  ld_write_string(stored, ld_collection_key(collection));
  make_id(env, stored);
  ld_buf_add(stored, document);
}

static ld_rc complete(ld_txn *txn, const ld_collection *collection, ld_slice document,
                      ld_put_options options, ld_buf *stored) {
  ld_token head;
  ld_slice rest = document;
  if (!ld_value_next(&rest, &head) || head.kind != LD_MAP)
    return ld_fail(ld_error_of(txn), LD_INVALID, "expected a document, a map");
  if (options.mode == LD_PUT_CREATE && ld_collection_find_id(collection, document).size == 0)
    write_with_id(&txn->engine->env, collection, document, stored);
  else
    ld_buf_add(stored, document);
  return stored->failed ? ld_no_memory(txn, "collection") : LD_OK;
}

static ld_rc check_revision(ld_txn *txn, ld_slice id, uint64_t wanted, uint64_t found) {
  ld_quoted quoted;
  if (wanted == 0 || wanted == found) return LD_OK;
  return ld_fail(ld_error_of(txn), LD_CONFLICT, "document %s: was changed meanwhile",
                 ld_quote_id(id, quoted));
}

static ld_rc taken(ld_txn *txn, ld_slice id) {
  ld_quoted quoted;
  return ld_fail(ld_error_of(txn), LD_EXISTS, "document %s: is there already",
                 ld_quote_id(id, quoted));
}

/* From the entries of the document before to those of the document after; either may be empty. */
static ld_rc move_entries(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice before,
                          ld_slice after) {
  ld_declaration *current = &collection->current;
  ld_entries old = {.id_size = 0}, new = {.id_size = 0};
  if (current->count == 0) return LD_OK;
  ld_rc rc =
      ld_entries_collect(&old, current, id, before) && ld_entries_collect(&new, current, id, after)
          ? LD_OK
          : ld_no_memory(txn, "collection");
  if (rc == LD_OK && (old.state_change || new.state_change))
    rc = ld_collection_enter(txn, collection, current);
  if (rc == LD_OK) rc = ld_entries_write(txn, current, id, &old, &new);
  ld_entries_clear(&old);
  ld_entries_clear(&new);
  if (rc != LD_OK) ld_declaration_clear(current); /* its states may not be the store's */
  return rc;
}

/* The version that a document is written in over one of version `there`; 0: there is none. A program that says no version keeps what is there. */
static uint64_t written_version(const ld_collection *collection, uint64_t there) {
  uint64_t version = ld_collection_version(collection);
  if (version == 0) version = there > 0 ? there : collection->current.version;
  return version > 0 ? version : 1;
}

static ld_rc write_row(ld_txn *txn, ld_collection *collection, ld_slice key, uint64_t version,
                       ld_slice document) {
  ld_buf *payload = &collection->scratch;
  if (version <= 1) return ld_row_put(txn, key, document);
  ld_buf_reset(payload);
  ld_version_join(version, document, payload);
  return payload->failed ? ld_no_memory(txn, "collection")
                         : ld_row_put(txn, key, ld_buf_slice(payload));
}

/* What is stored there, and its version; nothing and 0 when it is not. */
static ld_rc find_there(ld_txn *txn, ld_collection *collection, ld_slice key, ld_slice id,
                        ld_put_options options, uint64_t *version, ld_slice *document) {
  ld_row row = {.revision = 0};
  ld_rc rc = ld_row_get(txn, key, &row);
  bool there = rc == LD_OK;
  *version = 0;
  *document = LD_SLICE_NONE;
  if (!there && rc != LD_NOTFOUND) return rc;
  if (there && options.mode == LD_PUT_CREATE) return taken(txn, id);
  if (!there && options.mode == LD_PUT_REPLACE) return LD_NOTFOUND;
  rc = check_revision(txn, id, options.if_revision, there ? row.revision : 0);
  if (rc != LD_OK || !there) return rc;
  rc = ld_collection_stored(txn, collection, row.payload, document);
  *version = collection->read_version;
  return rc == LD_OK ? ld_collection_admit(txn, collection, id) : rc;
}

static ld_rc put_at(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice document,
                    ld_put_options options) {
  key_space space;
  ld_slice before, key = document_key(space, collection, id);
  uint64_t there;
  ld_rc rc = find_there(txn, collection, key, id, options, &there, &before);
  if (rc != LD_OK) return rc;
  uint64_t version = written_version(collection, there);
  rc = move_entries(txn, collection, id, before, document);
  if (rc == LD_OK) rc = write_row(txn, collection, key, version, document);
  if (rc == LD_OK) rc = note(txn, there > 0 ? "update" : "create", collection, id);
  return rc == LD_OK ? move_count(txn, collection, there, version) : rc;
}

ld_rc ld_collection_put(ld_txn *txn, ld_collection *collection, ld_slice document,
                        ld_put_options options, ld_buf *stored) {
  size_t before = stored->size;
  ld_rc rc = ld_collection_meet(txn, collection);
  if (rc == LD_OK) rc = complete(txn, collection, document, options, stored);
  ld_slice whole = ld_bytes(stored->data + before, stored->size - before);
  ld_slice id = rc == LD_OK ? ld_collection_find_id(collection, whole) : LD_SLICE_NONE;
  if (rc == LD_OK) rc = ld_collection_check_id(id, ld_error_of(txn));
  if (rc == LD_OK) rc = ld_collection_check(txn, collection, whole);
  if (rc == LD_OK) rc = put_at(txn, collection, id, whole, options);
  if (rc != LD_OK) stored->size = before;
  return rc;
}

/* ---- get, delete, each ---- */

ld_rc ld_collection_peek(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice *document,
                         uint64_t *revision) {
  key_space space;
  ld_row row;
  ld_rc rc = ld_row_get(txn, document_key(space, collection, id), &row);
  if (rc == LD_OK) rc = ld_collection_read(txn, collection, row.payload, document);
  if (rc == LD_OK) *revision = row.revision;
  return rc;
}

ld_rc ld_collection_get(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice *document,
                        uint64_t *revision) {
  ld_slice found;
  ld_rc rc = ld_collection_peek(txn, collection, id, &found, revision);
  if (rc == LD_OK) rc = ld_collection_admit(txn, collection, id);
  if (rc == LD_OK) *document = found;
  return rc;
}

ld_rc ld_collection_has(ld_txn *txn, const ld_collection *collection, ld_slice id) {
  key_space space;
  ld_row row;
  return ld_row_get(txn, document_key(space, collection, id), &row);
}

ld_rc ld_collection_delete(ld_txn *txn, ld_collection *collection, ld_slice id,
                           uint64_t if_revision) {
  key_space space;
  ld_row row;
  ld_slice document, key = document_key(space, collection, id);
  ld_rc rc = ld_collection_look(txn, collection);
  if (rc == LD_OK) rc = ld_row_get(txn, key, &row);
  if (rc == LD_OK) rc = check_revision(txn, id, if_revision, row.revision);
  if (rc == LD_OK) rc = ld_collection_stored(txn, collection, row.payload, &document);
  if (rc != LD_OK) return rc;
  uint64_t version = collection->read_version;
  rc = move_entries(txn, collection, id, document, LD_SLICE_NONE);
  if (rc == LD_OK) rc = ld_row_del(txn, key);
  if (rc == LD_OK) rc = note(txn, "delete", collection, id);
  return rc == LD_OK ? move_count(txn, collection, version, 0) : rc;
}

/* The keys of all documents are from `from` up to `to`. What follows a name in a longer one that begins with it is ff, which begins no id. */
typedef struct documents_ends {
  key_space from_space, to_space;
  ld_slice from, to;
} documents_ends;

static void find_ends(documents_ends *ends, ld_slice name) {
  ends->from = key_of(ends->from_space, LD_SPACE_DOCUMENT, name);
  ends->to = key_of(ends->to_space, LD_SPACE_DOCUMENT, name);
  ends->to_space[ends->to.size++] = 0xff;
}

ld_rc ld_collection_each(ld_txn *txn, ld_collection *collection, ld_slice after,
                         ld_document_visit visit, void *context) {
  documents_ends ends;
  ld_span span;
  ld_row row;
  find_ends(&ends, ld_buf_slice(&collection->name));
  if (after.size > 0) { /* the next key that there could be */
    ends.from = document_key(ends.from_space, collection, after);
    ends.from_space[ends.from.size++] = 0;
  }
  ld_rc rc = ld_span_begin(&span, txn, ends.from, ends.to, false);
  if (rc != LD_OK) return rc;
  while ((rc = ld_span_next(&span, &row)) == LD_OK) {
    ld_slice document = LD_SLICE_NONE;
    rc = ld_collection_stored(txn, collection, row.payload, &document);
    if (rc == LD_OK)
      rc = visit(context, ld_collection_find_id(collection, document), document, row.revision);
    if (rc != LD_OK) break;
  }
  ld_span_end(&span);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- all collections ---- */

static ld_rc drop_indexes(ld_txn *txn, ld_slice key) {
  ld_declaration declaration;
  ld_row row;
  ld_rc rc = ld_row_get(txn, key, &row);
  if (rc == LD_OK) rc = ld_declaration_read(row.payload, &declaration, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  for (unsigned i = 0; i < declaration.count && rc == LD_OK; i++)
    rc = ld_index_delete(txn, declaration.indexes[i].number);
  ld_declaration_clear(&declaration);
  return rc;
}

ld_rc ld_collection_drop(ld_txn *txn, ld_slice name) {
  key_space space;
  documents_ends ends;
  uint64_t count;
  ld_rc rc = drop_indexes(txn, key_of(space, LD_SPACE_COLLECTION, name));
  if (rc == LD_OK) rc = ld_row_del(txn, key_of(space, LD_SPACE_COLLECTION, name));
  if (rc != LD_OK) return rc;
  rc = ld_row_del(txn, key_of(space, LD_SPACE_COUNT, name));
  find_ends(&ends, name);
  if (rc == LD_OK || rc == LD_NOTFOUND) rc = ld_span_delete(txn, ends.from, ends.to, &count);
  return rc == LD_OK ? ld_note_document(txn, "drop", name, LD_SLICE_NONE) : rc;
}

ld_rc ld_collections_each(ld_txn *txn, ld_rc (*visit)(void *context, ld_slice name),
                          void *context) {
  static const uint8_t from = LD_SPACE_COLLECTION, to = LD_SPACE_COLLECTION + 1;
  ld_buf scratch = {0};
  ld_span span;
  ld_row row;
  ld_part part;
  ld_rc rc = ld_span_begin(&span, txn, ld_bytes(&from, 1), ld_bytes(&to, 1), false);
  if (rc != LD_OK) return rc;
  while ((rc = ld_span_next(&span, &row)) == LD_OK) {
    ld_slice rest = ld_bytes(row.key.data + 1, row.key.size - 1);
    rc = ld_tuple_next(&rest, &part, &scratch);
    if (rc == LD_OK) rc = visit(context, part.bytes);
    if (rc != LD_OK) break;
  }
  ld_span_end(&span);
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
