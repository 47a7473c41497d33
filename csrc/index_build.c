/* index_build.c -- see index_build.h. */
#include "index_build.h"

#include "index.h"

typedef struct index_build {
  ld_txn *txn;
  ld_declaration *declaration;
  ld_index *index;
  ld_buf after; /* the id of the last document taken in */
  unsigned count, most;
  bool state_change;
} index_build;

static ld_index *first_unready(const ld_collection *collection) {
  for (unsigned i = 0; i < collection->current.count; i++)
    if (!collection->current.indexes[i].ready) return &collection->current.indexes[i];
  return NULL;
}

static ld_rc take_in(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  index_build *build = context;
  ld_entries none = {.id_size = 0}, entries = {.id_size = 0};
  (void)revision;
  if (build->count == build->most) return LD_NOTFOUND;
  ld_buf_reset(&build->after);
  ld_buf_add(&build->after, id);
  bool fine = ld_entries_collect_one(&entries, build->index, id, document) && !build->after.failed;
  ld_ranking_sort(&entries.keys);
  build->state_change = build->state_change || entries.state_change;
  ld_rc rc = fine ? ld_entries_write(build->txn, build->declaration, ld_buf_slice(&build->after),
                                     &none, &entries)
                  : ld_no_memory(build->txn, "index");
  ld_entries_clear(&entries);
  build->count++;
  return rc;
}

static ld_rc find_place(index_build *build, ld_slice key) {
  ld_row row;
  ld_rc rc = ld_row_get(build->txn, key, &row);
  if (rc == LD_OK) ld_buf_add(&build->after, row.payload);
  if (build->after.failed) return ld_no_memory(build->txn, "index");
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc run_batch(ld_collection *collection, index_build *build, ld_slice place) {
  ld_buf after = {0};
  ld_rc rc = find_place(build, place);
  ld_buf_add(&after, ld_buf_slice(&build->after));
  if (rc == LD_OK && after.failed) rc = ld_no_memory(build->txn, "index");
  if (rc == LD_OK)
    rc = ld_collection_each(build->txn, collection, ld_buf_slice(&after), take_in, build);
  ld_buf_clear(&after);
  return rc;
}

/* Note how far it is. */
static ld_rc note_place(ld_collection *collection, index_build *build, ld_slice place) {
  bool ready = build->count < build->most;
  ld_rc rc = ready ? ld_row_del(build->txn, place)
                   : ld_row_put(build->txn, place, ld_buf_slice(&build->after));
  if (rc == LD_NOTFOUND) rc = LD_OK; /* it was done in one batch */
  if (rc != LD_OK || (!ready && !build->state_change)) return rc;
  build->index->ready = ready;
  return ld_collection_enter(build->txn, collection, &collection->current);
}

/* The index goes, with what the batch wrote; the text of the failure stays. */
static ld_rc give_up(ld_collection *collection, index_build *build) {
  ld_error text = *ld_error_of(build->txn);
  ld_buf name = {0};
  ld_buf_add(&name, build->index->name);
  ld_rc rc = name.failed ? ld_no_memory(build->txn, "index")
                         : ld_collection_drop_index(build->txn, collection, ld_buf_slice(&name));
  ld_buf_clear(&name);
  if (rc == LD_OK) *ld_error_of(build->txn) = text;
  return rc;
}

ld_rc ld_index_build(ld_txn *txn, ld_collection *collection, unsigned most, ld_build *state) {
  uint8_t space[16];
  ld_buf place = {.data = space, .capacity = sizeof space};
  ld_rc rc = ld_collection_look(txn, collection);
  index_build build = {.txn = txn, .declaration = &collection->current, .most = most};
  build.index = rc == LD_OK ? first_unready(collection) : NULL;
  if (build.index != NULL) {
    ld_index_prefix(build.index->number, &place);
    rc = run_batch(collection, &build, ld_buf_slice(&place));
    if (rc == LD_OK) rc = note_place(collection, &build, ld_buf_slice(&place));
  }
  bool clashes = rc == LD_EXISTS;
  if (clashes) rc = give_up(collection, &build);
  ld_buf_clear(&build.after);
  if (rc != LD_OK)
    ld_declaration_clear(&collection->current); /* its states may not be the store's */
  if (rc != LD_OK) return rc;
  *state = first_unready(collection) == NULL ? LD_BUILD_DONE : LD_BUILD_MORE;
  if (clashes) *state = LD_BUILD_CLASH;
  return LD_OK;
}
