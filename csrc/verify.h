/* verify.h -- is everything in a store what it should be? Everything that is wrong is told, nothing stops at the first.
**
** First what is on the medium beside the rows (files that are missing, changed, half-written, nobody's), and the engine's structure (where that is damaged, no row is read: an engine may not survive it; see recover.h), then each row by itself, then what rows say
** of one another: ratings and their rooms, documents and every index in both directions, counts, numbers. Memory does not grow with the store.
**
** A store that is being filled by a copy, a load or a recovery which has not ended is told as such (kind `unfinished`), and only its rows are looked at, each by itself: counts and indexes come later.
**
** Kinds of findings, by what they are about: page file row key space store unfinished sequence room rating progress collection document count index map queue job cache. */
#ifndef LD_VERIFY_H
#define LD_VERIFY_H

#include "engine.h"

typedef struct ld_verify_report {
  bool readable; /* the structure is sound, so the rows were read */
  uint64_t findings;
  uint64_t rows, rooms, collections, documents, entries, keys, queues, jobs, caches,
      cached; /* entries: of indexes; keys: of maps; cached: entries of caches */
} ld_verify_report;

/* Whom to tell; each may be NULL. All texts are borrowed for the call. */
typedef struct ld_verify_calls {
  void *context;
  /* `where` names it: `document 7 of collection "plans", index "status"`. */
  void (*finding)(void *context, const char *kind, const char *where, const char *text);
  void (*collection)(void *context, ld_slice name, uint64_t documents, unsigned indexes);
  /* Something that ld_verify_mend can put right: bytes to keep. */
  void (*mend)(void *context, ld_slice mend);
  /* Now and then. `total` is an estimate, met at the end. Another code than LD_OK ends the walk and is returned. */
  ld_rc (*progress)(void *context, uint64_t done, uint64_t total);
  bool filling; /* the caller is who fills the store: all of it is looked at */
} ld_verify_calls;

/* In a read transaction, at the top. LD_OK whatever was found; else what kept it from reading, or what `progress` said. */
ld_rc ld_verify(ld_txn *txn, const ld_verify_calls *calls, ld_verify_report *report);

/* Write what a person reads for a row's key: `document 7 of collection "plans"`. Returns `name`. */
const char *ld_verify_name(ld_slice key, ld_quoted name);

/* Put one thing right. Appends what it is to `name`. The transaction is to be rolled back on any failure: CORRUPT a row
** that it is made from is damaged; EXISTS two documents clash in a unique index, or two jobs have one key; NOTFOUND it is not there any more. */
ld_rc ld_verify_mend(ld_txn *txn, ld_slice mend, ld_buf *name);

/* The last two do not follow from the rest: they are for stores that are recovered (recover.h). */
typedef enum ld_mend {
  LD_MEND_SEQUENCE,
  LD_MEND_INDEX,
  LD_MEND_STRAY_INDEX, /* entries of an index that nobody declares */
  LD_MEND_COUNT,
  LD_MEND_MAP,
  LD_MEND_QUEUE,       /* in which state each job is, groups, counts */
  LD_MEND_CACHE,       /* all that follows from its entries; it goes where its settings are lost */
  LD_MEND_ORPHANS,     /* ratings and progress without a room: they go */
  LD_MEND_DECLARATION, /* of documents that have none: what can be seen from one of them */
  LD_MENDS
} ld_mend;
/* What kind a mend is; LD_MENDS: it is none. */
ld_mend ld_mend_kind(ld_slice mend);
/* Of a LD_MEND_INDEX: which. */
bool ld_mend_index(ld_slice mend, ld_slice *collection, ld_slice *index);
/* Append one. */
void ld_mend_write(ld_buf *mend, ld_mend kind, ld_slice name, ld_slice index, uint64_t number);

#endif
