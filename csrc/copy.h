/* copy.h -- a store copied into another, row by row, from one snapshot, a batch in each transaction of the target.
**
** Rows are taken over as they are stored, with their revisions, after their checksums were looked at. Entries of indexes are not taken over: declarations arrive without them, under
** new numbers, and each index is built in the target. Caches are left out; those of a target that is overwritten are emptied. The target's sequence goes on behind the source's, so that nothing is used twice.
** Each batch commits with how far it has come (unfinished.h). A copy that was broken off is gone on with when the source is as it was: the same last number of its
** sequence, and all rows that were copied, which are compared; of a transformed copy all rows of the source, by their hash. The source is only read.
** Failures of either side are in the target's error. */
#ifndef LD_COPY_H
#define LD_COPY_H

#include "content.h"

/* What is copied, and how. */
typedef struct ld_copy {
  ld_scope scope;
  bool
      transformed; /* by a program, record by record: ld_copy_read, ld_copy_note instead of ld_copy_some */
  bool overwrite;  /* what is there */
  bool unfinished; /* so may the source be: a copy or a load into it has not ended */
} ld_copy;

typedef enum ld_copy_state {
  LD_COPY_NEW,    /* the target is empty, or has none of the collections */
  LD_COPY_RESUME, /* this copy was begun, and broken off */
  LD_COPY_TAKEN   /* something else is there; the target's error says what (EXISTS) */
} ld_copy_state;

/* Look at the target. INVALID: the source has no collection of that name, or is not whole. */
ld_rc ld_copy_look(ld_txn *from, ld_txn *to, const ld_copy *copy, ld_copy_state *state);
/* Begin, or go on. EXISTS when it is taken, unless `overwrite`: then what is there is removed first. */
ld_rc ld_copy_begin(ld_txn *from, ld_txn *to, const ld_copy *copy);

typedef struct ld_copy_batch {
  uint64_t most;  /* rows at the most; 0: whatever is right */
  uint64_t rows;  /* out: copied in all, this batch too */
  bool rows_done; /* out: indexes are being built */
  bool done;      /* out: all is there; verify and end it */
} ld_copy_batch;

ld_rc ld_copy_some(ld_txn *from, ld_txn *to, const ld_copy *copy, ld_copy_batch *batch);
/* Of a transformed copy: append the next records (record.h), `most` at the most, one behind the other; and the place behind them, which is empty when they were the last. */
ld_rc ld_copy_read(ld_txn *from, ld_txn *to, const ld_copy *copy, uint64_t most, ld_buf *records,
                   uint64_t *count, ld_buf *place);
/* They are in the target. */
ld_rc ld_copy_note(ld_txn *to, ld_slice place, uint64_t count, uint64_t *rows);
/* Append the content of a store as content.h says. */
ld_rc ld_copy_report(ld_txn *to, const ld_scope *scope, ld_buf *report);
/* Compare all of both, and append the target's content as content.h says. CORRUPT names what differs. */
ld_rc ld_copy_verify(ld_txn *from, ld_txn *to, const ld_scope *scope, ld_buf *report);
/* It is no copy that goes on any more. */
ld_rc ld_copy_end(ld_txn *to);

#endif
