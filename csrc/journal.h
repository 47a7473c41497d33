/* journal.h -- what transactions have changed, noted for those who listen.
**
** Layers note each change in their write transaction. A note is a document, as listeners get it: {kind = "create", collection = "plans", id = 7}.
** The notes of a transaction and those nested in it are one batch, in the order of the changes; what is rolled back takes its notes along. The commit of the
** outermost leaves the batch in its engine, where whoever listens takes it. A transaction notes everything when somebody listened as it
** began, and nothing otherwise: then a note costs a branch. */
#ifndef LD_JOURNAL_H
#define LD_JOURNAL_H

#include "base.h"

typedef struct ld_engine ld_engine;
typedef struct ld_txn ld_txn;

typedef struct ld_batch {
  struct ld_batch *next;
  uint64_t listener; /* the newest when the transaction began */
  ld_buf notes;      /* one behind the other */
  size_t count;
} ld_batch;

/* A part of ld_engine. */
typedef struct ld_journal {
  uint64_t listener;      /* the number of the newest; 0: nobody listens */
  ld_batch *first, *last; /* committed and not taken yet, oldest first */
} ld_journal;

/* A part of ld_txn. */
typedef struct ld_notes {
  uint64_t listener;  /* the engine's when the outermost transaction began */
  ld_batch *batch;    /* of the outermost; NULL: nothing was noted */
  size_t count, size; /* of a nested one: what was in the batch when it began */
} ld_notes;

/* ---- for layers: after the change was made. NOMEM spoils the transaction. ---- */

/* {kind, collection, id}. `id` is a value; empty: of all its documents. */
ld_rc ld_note_document(ld_txn *txn, const char *kind, ld_slice collection, ld_slice id);
/* {kind, room} */
ld_rc ld_note_room(ld_txn *txn, const char *kind, ld_slice room);
/* {kind = "rate", room, user, mediaId} */
ld_rc ld_note_rating(ld_txn *txn, ld_slice room, ld_slice user, ld_slice media);
/* {kind, map, key}. `key` is a value; empty: of several keys. */
ld_rc ld_note_key(ld_txn *txn, const char *kind, ld_slice map, ld_slice key);
static inline bool ld_notes_wanted(const ld_notes *notes) { return notes->listener != 0; }

/* ---- for listeners ---- */

/* Transactions that begin from now on note. `listener` is a number that rises with each listener; 0: nobody listens any more. */
void ld_journal_listen(ld_engine *engine, uint64_t listener);
/* The oldest batch, owned: ld_batch_free it. NULL: there is none. */
ld_batch *ld_journal_take(ld_engine *engine);
void ld_batch_free(ld_batch *batch); /* NULL is fine */

/* ---- for engine.c: a transaction has begun, was committed, is rolled back ---- */

void ld_journal_begin(ld_txn *txn);
void ld_journal_commit(ld_txn *txn);
void ld_journal_rollback(ld_txn *txn);

#endif
