/* journal.c -- see journal.h.
**
** All notes go into the batch of the outermost transaction; a nested one remembers how far that went, and cuts it there when it is rolled back. So a
** commit has nothing to copy, and nothing that can fail. */
#include "journal.h"

#include <stdlib.h>

#include "engine.h"
#include "value.h"

/* ---- notes ---- */

typedef struct note_field {
  const char *name;
  ld_slice bytes;
  bool is_value; /* else the bytes of a string */
} note_field;

static ld_txn *outermost(ld_txn *txn) {
  while (txn->parent != NULL) txn = txn->parent;
  return txn;
}

static ld_batch *batch_of(ld_txn *txn) {
  ld_notes *notes = &outermost(txn)->notes;
  if (notes->batch == NULL) notes->batch = calloc(1, sizeof *notes->batch);
  if (notes->batch != NULL) notes->batch->listener = notes->listener;
  return notes->batch;
}

static void write_note(ld_buf *notes, const char *kind, const note_field *fields, size_t count) {
  ld_write_map(notes, count + 1);
  ld_write_text(notes, "kind");
  ld_write_text(notes, kind);
  for (size_t i = 0; i < count; i++) {
    ld_write_text(notes, fields[i].name);
    if (fields[i].is_value)
      ld_buf_add(notes, fields[i].bytes);
    else
      ld_write_string(notes, fields[i].bytes);
  }
}

static ld_rc add_note(ld_txn *txn, const char *kind, const note_field *fields, size_t count) {
  ld_batch *batch = batch_of(txn);
  if (batch != NULL) write_note(&batch->notes, kind, fields, count);
  if (batch == NULL || batch->notes.failed)
    return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_NOMEM,
                                 "out of memory, noting changes for the listeners"));
  batch->count++;
  return LD_OK;
}

ld_rc ld_note_document(ld_txn *txn, const char *kind, ld_slice collection, ld_slice id) {
  const note_field fields[] = {{"collection", collection, false}, {"id", id, true}};
  if (!ld_notes_wanted(&txn->notes)) return LD_OK;
  return add_note(txn, kind, fields, id.size > 0 ? 2 : 1);
}

ld_rc ld_note_room(ld_txn *txn, const char *kind, ld_slice room) {
  const note_field fields[] = {{"room", room, false}};
  return ld_notes_wanted(&txn->notes) ? add_note(txn, kind, fields, 1) : LD_OK;
}

ld_rc ld_note_rating(ld_txn *txn, ld_slice room, ld_slice user, ld_slice media) {
  const note_field fields[] = {
      {"room", room, false}, {"user", user, false}, {"mediaId", media, false}};
  return ld_notes_wanted(&txn->notes) ? add_note(txn, "rate", fields, 3) : LD_OK;
}

ld_rc ld_note_key(ld_txn *txn, const char *kind, ld_slice map, ld_slice key) {
  const note_field fields[] = {{"map", map, false}, {"key", key, true}};
  if (!ld_notes_wanted(&txn->notes)) return LD_OK;
  return add_note(txn, kind, fields, key.size > 0 ? 2 : 1);
}

/* ---- transactions ---- */

void ld_journal_begin(ld_txn *txn) {
  if (txn->parent == NULL) {
    txn->notes.listener = txn->engine->journal.listener;
    return;
  }
  const ld_batch *batch = outermost(txn)->notes.batch;
  txn->notes.listener = txn->parent->notes.listener;
  if (batch == NULL) return;
  txn->notes.count = batch->count;
  txn->notes.size = batch->notes.size;
}

static void cut(ld_batch *batch, const ld_notes *notes) {
  batch->count = notes->count;
  batch->notes.size = notes->size;
  batch->notes.failed = false; /* it was this transaction's failure */
}

void ld_journal_rollback(ld_txn *txn) {
  ld_batch *batch = outermost(txn)->notes.batch;
  if (txn->parent != NULL && batch != NULL) cut(batch, &txn->notes);
  if (txn->parent != NULL) return;
  ld_batch_free(batch);
  txn->notes.batch = NULL;
}

void ld_journal_commit(ld_txn *txn) {
  ld_journal *journal = &txn->engine->journal;
  ld_batch *batch = txn->notes.batch;
  if (batch == NULL || batch->count == 0) { /* a nested one has none */
    ld_batch_free(batch);
  } else if (journal->first == NULL) {
    journal->first = journal->last = batch;
  } else {
    journal->last = journal->last->next = batch;
  }
  txn->notes.batch = NULL;
}

/* ---- listeners ---- */

void ld_journal_listen(ld_engine *engine, uint64_t listener) {
  engine->journal.listener = listener;
}

ld_batch *ld_journal_take(ld_engine *engine) {
  ld_batch *batch = engine->journal.first;
  if (batch == NULL) return NULL;
  engine->journal.first = batch->next;
  batch->next = NULL;
  return batch;
}

void ld_batch_free(ld_batch *batch) {
  if (batch == NULL) return;
  ld_buf_clear(&batch->notes);
  free(batch);
}
