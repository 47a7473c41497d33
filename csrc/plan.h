/* plan.h -- how a query is run: which rows are looked at, in which order.
**
** A plan is a list of key ranges: of an index's entries, or of the documents themselves. Every document that the filter lets pass is reached by them; those that
** are reached are still asked, one by one. So a plan changes what a query costs, never what it answers. */
#ifndef LD_PLAN_H
#define LD_PLAN_H

#include "find.h"
#include "index.h"

/* Keys from `from` up to `to`; both not empty. */
typedef struct ld_plan {
  const ld_index *index; /* NULL: the documents, by id */
  ld_ranking
      ranges; /* in order, apart from one another; each entry's key is its `from`, its payload its `to` */
  bool bounded;  /* the filter or the cursor narrows them */
  bool ordered;  /* documents come in the order that the query wants, behind its cursor */
  bool reverse;  /* ... when the ranges are walked backwards; entries of equal values forwards */
  ld_buf resume; /* reverse: where to begin in the middle of entries of equal values; ... */
  ld_buf resume_group; /* ... what these begin with. Both empty: at the end */
  bool once;           /* no document is reached twice */
} ld_plan;

/* Choose among the collection's indexes, as it was looked at in this transaction; while it has documents that are older than the program, by id. `streaming`: documents are wanted one after the other, not all.
** Appends to `candidates` (may be NULL) a map for each, {index, chosen, reason, entries}, and counts them. ld_plan_clear it. */
ld_rc ld_plan_make(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_plan *plan,
                   ld_buf *candidates, unsigned *candidate_count);
void ld_plan_clear(ld_plan *plan);

/* ---- plan_range.c ---- */

typedef struct ld_bounds { /* 1 << part */
  unsigned fixed;          /* bound to one value */
  unsigned bound;          /* bound to something */
  unsigned solid;          /* bound to values that are neither missing nor null */
} ld_bounds;
/* Make the ranges of the plan's index for a filter. False: out of memory. */
bool ld_plan_ranges(ld_plan *plan, const ld_filter *where, ld_bounds *bounds);
/* The same for the documents of a collection. */
bool ld_plan_id_ranges(ld_plan *plan, const ld_collection *collection, const ld_filter *where);
/* Make a key the first one behind all that begin with it. */
void ld_plan_behind(ld_buf *key);

/* ---- plan_order.c ---- */

/* Whether the documents come in the query's order, and then behind its cursor: sets `ordered`, `reverse`, `once`, `resume`, and clips the ranges. False: out of memory. */
bool ld_plan_order(ld_plan *plan, const ld_collection *collection, const ld_find *find,
                   const ld_bounds *bounds);
bool ld_plan_id_order(ld_plan *plan, const ld_collection *collection, const ld_find *find);

/* ---- plan_partial.c ---- */

/* Whether each document that passes the filter passes the other one, too; false where that is not plain to see. */
bool ld_plan_implies(const ld_filter *where, const ld_filter *other);

#endif
