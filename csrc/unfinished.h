/* unfinished.h -- the note that a store keeps while it is being filled from elsewhere, a batch in each transaction.
**
**   STORE ("unfinished") -> {what, source, scope, place, phase, done, written}
**
** Each batch commits with the note, so whoever goes on after a crash begins where the last commit ended. The note is removed with the end of the work.
** It takes no number of the sequence: `written` is the store's last one after the batch, and another one now means that somebody else has written. */
#ifndef LD_UNFINISHED_H
#define LD_UNFINISHED_H

#include "row.h"

typedef struct ld_unfinished {
  ld_slice what;   /* "copy", "load", "recover" */
  ld_slice source; /* a value that is equal only for the same source in the same state */
  ld_slice scope;  /* a value: what of it; empty: all */
  ld_slice place;  /* bytes: how far it has come */
  uint64_t phase, done, written;
} ld_unfinished;

/* Read the note; its slices are in `room`, which is emptied first. NOTFOUND. */
ld_rc ld_unfinished_get(ld_txn *txn, ld_unfinished *note, ld_buf *room);
/* Write it; `written` is found here. */
ld_rc ld_unfinished_put(ld_txn *txn, const ld_unfinished *note);
ld_rc ld_unfinished_end(ld_txn *txn);
/* INVALID when there is a note: what is in the store is not all that belongs there. */
ld_rc ld_unfinished_refuse(ld_txn *txn);
/* Whether the store has nothing but what it is made with, its sequence, such a note, and caches. */
ld_rc ld_unfinished_is_empty(ld_txn *txn, bool *empty);
/* Whether nobody has written since the note. */
ld_rc ld_unfinished_is_last(ld_txn *txn, const ld_unfinished *note, bool *last);

#endif
