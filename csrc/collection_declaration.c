/* collection_declaration.c -- the declaration of a collection: the handle's and the store's made one.
**
** What the store has counts. A handle keeps it as it was looked at last and compares the bytes each time, for it may have been changed by others, or
** rolled back. So what is kept must be what its bytes say: who changes it enters it, or clears it. */
#include <stdlib.h>

#include "collection.h"
#include "index.h"
#include "tuple.h"

typedef uint8_t key_space[2 * LD_PART_MAX + 8];

static ld_slice declaration_key(key_space space, const ld_collection *collection) {
  ld_buf key = {.data = space, .capacity = sizeof(key_space)};
  ld_buf_byte(&key, LD_SPACE_COLLECTION);
  ld_tuple_string(&key, ld_buf_slice(&collection->name));
  return ld_buf_slice(&key);
}

/* ---- what the store has ---- */

static ld_rc other_key(ld_txn *txn, const ld_collection *collection, ld_slice stored) {
  ld_quoted name, there, here;
  return ld_fail(ld_error_of(txn), LD_INVALID,
                 "collection %s: is declared with key = %s, here with key = %s",
                 ld_quote(ld_buf_slice(&collection->name), name), ld_quote(stored, there),
                 ld_quote(collection->declared.key, here));
}

static ld_rc other_index(ld_txn *txn, const ld_collection *collection, const ld_index *stored,
                         const ld_index *declared) {
  ld_quoted name, index;
  ld_buf there = {0}, here = {0};
  ld_index_describe(stored, &there);
  ld_index_describe(declared, &here);
  ld_rc rc =
      ld_fail(ld_error_of(txn), LD_INVALID,
              "collection %s: index %s is declared as %.*s, here as %.*s "
              "(replace = true builds it anew)",
              ld_quote(ld_buf_slice(&collection->name), name), ld_quote(stored->name, index),
              (int)there.size, (const char *)there.data, (int)here.size, (const char *)here.data);
  ld_buf_clear(&there);
  ld_buf_clear(&here);
  return rc;
}

/* The handle's declaration and the stored one must not contradict one another. */
static ld_rc agree(ld_txn *txn, const ld_collection *collection, const ld_declaration *stored,
                   bool replace) {
  const ld_declaration *declared = &collection->declared;
  if (declared->keyed && !ld_equal(declared->key, stored->key))
    return other_key(txn, collection, stored->key);
  for (unsigned i = 0; i < declared->count && !replace; i++) {
    const ld_index *there = ld_declaration_index(stored, declared->indexes[i].name);
    if (there != NULL && !ld_index_same(there, &declared->indexes[i]))
      return other_index(txn, collection, there, &declared->indexes[i]);
  }
  return LD_OK;
}

/* `*found`: the store has a declaration. */
static ld_rc look(ld_txn *txn, ld_collection *collection, bool replace, bool *found) {
  key_space space;
  ld_row row;
  ld_declaration stored;
  ld_rc rc = ld_row_get(txn, declaration_key(space, collection), &row);
  *found = rc == LD_OK;
  if (rc == LD_NOTFOUND) ld_declaration_clear(&collection->current);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (ld_equal(row.payload, ld_buf_slice(&collection->current.bytes))) return LD_OK;
  rc = ld_declaration_read(row.payload, &stored, ld_error_of(txn));
  if (rc == LD_OK)
    rc = agree(txn, collection, &stored, replace);
  else
    return rc;
  ld_declaration_clear(rc == LD_OK ? &collection->current : &stored);
  if (rc == LD_OK) collection->current = stored;
  return rc;
}

ld_rc ld_collection_look(ld_txn *txn, ld_collection *collection) {
  bool found;
  return look(txn, collection, false, &found);
}

ld_rc ld_collection_enter(ld_txn *txn, ld_collection *collection,
                          const ld_declaration *declaration) {
  key_space space;
  ld_slice key = declaration_key(space, collection);
  ld_declaration kept = {.key = LD_SLICE_NONE};
  ld_buf bytes = {0};
  ld_declaration_write(declaration, &bytes);
  ld_rc rc =
      bytes.failed ? ld_no_memory(txn, "collection") : ld_row_put(txn, key, ld_buf_slice(&bytes));
  if (rc == LD_OK) rc = ld_declaration_read(ld_buf_slice(&bytes), &kept, ld_error_of(txn));
  ld_buf_clear(&bytes);
  ld_declaration_clear(&collection->current); /* also after a failure: it may have been changed */
  if (rc != LD_OK) return ld_spoil(txn, rc);
  collection->current = kept;
  return LD_OK;
}

/* ---- changing it ---- */

/* Add an index, or put it in the place of the one that has its name. */
static ld_rc add_index(ld_txn *txn, ld_declaration *merged, const ld_index *index, bool ready) {
  ld_index *place = ld_declaration_index(merged, index->name);
  ld_rc rc = LD_OK;
  if (place == NULL && merged->count == LD_INDEXES_MOST)
    return ld_fail(ld_error_of(txn), LD_INVALID, "a collection of more than %d indexes",
                   LD_INDEXES_MOST);
  if (place != NULL && ld_index_same(place, index)) return LD_OK;
  if (place != NULL) rc = ld_index_delete(txn, place->number);
  if (place == NULL) place = &merged->indexes[merged->count++];
  *place = *index;
  place->ready = ready;
  return rc == LD_OK ? ld_sequence_next(txn, &place->number) : rc;
}

static uint64_t higher_version(const ld_collection *collection) {
  uint64_t here = ld_collection_version(collection), there = collection->current.version;
  return here > there ? here : there;
}

/* The current declaration and the handle's in one. */
static ld_rc merge(ld_txn *txn, ld_collection *collection, bool ready) {
  const ld_declaration *declared = &collection->declared, *current = &collection->current;
  ld_index *indexes = calloc((size_t)current->count + declared->count + 1, sizeof *indexes);
  ld_declaration merged = {.key = ld_collection_key(collection), .indexes = indexes};
  if (indexes == NULL) return ld_no_memory(txn, "collection");
  merged.version = higher_version(collection);
  merged.count = current->count;
  if (current->count > 0) memcpy(indexes, current->indexes, current->count * sizeof *indexes);
  ld_rc rc = LD_OK;
  for (unsigned i = 0; i < declared->count && rc == LD_OK; i++)
    rc = add_index(txn, &merged, &declared->indexes[i], ready);
  if (rc == LD_OK) rc = ld_collection_enter(txn, collection, &merged);
  free(indexes);
  return rc;
}

ld_rc ld_collection_meet(ld_txn *txn, ld_collection *collection) {
  bool found;
  ld_rc rc = look(txn, collection, false, &found);
  if (rc == LD_OK && !found) return merge(txn, collection, true);
  ld_declaration raised = collection->current;
  raised.version = higher_version(collection);
  if (rc != LD_OK || raised.version == collection->current.version) return rc;
  return ld_collection_enter(txn, collection, &raised);
}

bool ld_collection_is_settled(const ld_collection *collection) {
  const ld_declaration *declared = &collection->declared, *current = &collection->current;
  if (declared->bytes.size == 0) return true;
  if (current->bytes.size == 0 || current->version < declared->version) return false;
  for (unsigned i = 0; i < declared->count; i++) {
    const ld_index *index = ld_declaration_index(current, declared->indexes[i].name);
    if (index == NULL || !index->ready || !ld_index_same(index, &declared->indexes[i]))
      return false;
  }
  return true;
}

ld_rc ld_collection_declare(ld_txn *txn, ld_collection *collection, bool replace) {
  bool found;
  uint64_t documents = 0;
  ld_rc rc = look(txn, collection, replace, &found);
  if (rc == LD_OK && found) rc = ld_collection_count(txn, collection, &documents);
  if (rc != LD_OK || ld_collection_is_settled(collection)) return rc;
  return merge(txn, collection, documents == 0);
}

ld_rc ld_collection_drop_index(ld_txn *txn, ld_collection *collection, ld_slice name) {
  ld_declaration *current = &collection->current;
  ld_rc rc = ld_collection_look(txn, collection);
  ld_index *index = rc == LD_OK ? ld_declaration_index(current, name) : NULL;
  if (index == NULL) return rc == LD_OK ? LD_NOTFOUND : rc;
  rc = ld_index_delete(txn, index->number);
  if (rc != LD_OK) return rc;
  ld_filter_free(index->filter);
  current->count--;
  memmove(index, index + 1, (size_t)(current->indexes + current->count - index) * sizeof *index);
  return ld_collection_enter(txn, collection, current);
}

ld_rc ld_collection_rename_index(ld_txn *txn, ld_collection *collection, ld_slice from,
                                 ld_slice to) {
  ld_quoted quoted;
  ld_rc rc = ld_collection_look(txn, collection);
  ld_index *index = rc == LD_OK ? ld_declaration_index(&collection->current, from) : NULL;
  if (index == NULL) return rc == LD_OK ? LD_NOTFOUND : rc;
  if (ld_declaration_index(&collection->current, to) != NULL)
    return ld_fail(ld_error_of(txn), LD_EXISTS, "index %s: is there already", ld_quote(to, quoted));
  index->name = to;
  return ld_collection_enter(txn, collection, &collection->current);
}
