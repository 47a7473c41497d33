/* span.h -- the rows from one key up to another, either way, in the order of their whole keys.
**
** An engine has long keys that share their first LD_KEY_KEPT bytes in the order of their hashes. A span sorts them, a page of keys at a
** time, and reads all of them for each page: n of them cost n * n / LD_SPAN_KEYS. All other rows are read once.
** While the same transaction writes, every row that stays comes exactly once. */
#ifndef LD_SPAN_H
#define LD_SPAN_H

#include "row.h"

enum { LD_SPAN_KEYS = 64 };

typedef struct ld_span {
  ld_cursor *cursor;
  ld_slice from, to;
  bool reverse;
  bool placed; /* the cursor stands on the next row, not on the one before */
  bool more;   /* among the rows of `head` are some behind `last` */
  ld_buf last; /* of the page before; empty: this is the first page */
  unsigned count, at;
  unsigned made; /* so many keys have been used; what follows is not even zeroed before */
  uint8_t head[LD_KEY_KEPT]; /* what the rows share that are sorted now */
  ld_buf keys[LD_SPAN_KEYS]; /* the next of them, in the order of the way */
} ld_span;

/* The rows with from <= key < to, both not empty and borrowed until the end. */
ld_rc ld_span_begin(ld_span *span, ld_txn *txn, ld_slice from, ld_slice to, bool reverse);
ld_rc ld_span_next(ld_span *span, ld_row *row); /* NOTFOUND at the end */
void ld_span_end(ld_span *span);

/* Delete the rows with from <= key < to. */
ld_rc ld_span_delete(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count);

#endif
