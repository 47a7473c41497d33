/* find.h -- queries: which documents, in which order, how many.
**
** A query is a map, as a document: { where = filter, sort = "-a" | {"-a", "b"}, limit = n, offset = n, after = cursor, select = {"a", "b.c"} }. Without a sort the order is that of
** the ids; the id is always the last sort key, ascending. A sort with a limit keeps no more than offset + limit keys. Arrays sort by their smallest element
** ascending and by their largest descending; an empty one below null. */
#ifndef LD_FIND_H
#define LD_FIND_H

#include "collection.h"
#include "filter.h"

#define LD_SORT_PARTS  16
#define LD_SELECT_MOST 32

typedef struct ld_sort_part {
  ld_path path; /* borrowed from the find's copy of the query */
  bool descending;
} ld_sort_part;

typedef struct ld_find {
  ld_buf query;     /* a copy */
  ld_filter *where; /* NULL: all */
  int64_t limit;    /* -1: none */
  uint64_t offset;
  ld_buf after;    /* the key to begin behind; empty: at the first */
  ld_slice select; /* an array of paths; empty: everything */
  bool
      streaming; /* the caller's: documents are wanted a page at a time, so that one that gives the order is better */
  unsigned sorts;
  ld_sort_part sort[LD_SORT_PARTS]; /* so many of them */
} ld_find;

/* How a query was run. */
typedef struct ld_find_report {
  ld_slice index;           /* empty: the documents by id; borrowed from the collection */
  bool ordered, reverse;    /* it gave the order, walked backwards */
  uint64_t keys, documents; /* read: entries of the index, documents */
  uint64_t returned;
  ld_buf candidates; /* maps {index, chosen, reason, entries}, behind one another; the caller's */
  unsigned candidate_count;
} ld_find_report;

/* Compile. INVALID with the path of what is wrong: `limit: expected a whole number from 0`, `where: age.$gte: ...`. On failure nothing is left; else ld_find_clear it. */
ld_rc ld_find_init(ld_find *find, ld_slice query, ld_error *error);
void ld_find_clear(ld_find *find);

/* Call `visit` with each document found, until it returns another code than LD_OK; LD_NOTFOUND ends it well. Documents are whole, `select` is the caller's to apply (ld_find_select).
** The collection has been looked at in this transaction. Appends to `cursor` (may be NULL) the text to go on behind the last one with, when there are
** more than the limit; else nothing. `report` may be NULL. */
ld_rc ld_find_run(ld_txn *txn, ld_collection *collection, const ld_find *find,
                  ld_document_visit visit, void *context, ld_buf *cursor, ld_find_report *report);
/* Append the cursor that goes on behind a place: a sort key with its id, or the id as a value. */
void ld_find_cursor(const ld_find *find, ld_slice place, ld_buf *cursor);
/* Append, as a document, how the query would be run; it is run for that: {index, sorted, reverse, keys_scanned, documents_scanned, returned, candidates}. */
ld_rc ld_find_explain(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_buf *out);

/* Append the fields of `select`, and the id, of the document. */
void ld_find_select(const ld_find *find, const ld_collection *collection, ld_slice document,
                    ld_buf *out);

/* Append an array of the distinct values at the path in the documents found (elements of arrays one by one), in order. INVALID: a bad path. */
ld_rc ld_find_distinct(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_slice path,
                       ld_buf *values);

#endif
