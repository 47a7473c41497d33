/* index.h -- the entries of indexes, as documents come and go.
**
**   INDEX (number, value of each part, id) -> id    an entry; a value is an order key (order.h), cut off behind LD_INDEX_KEPT bytes
**   INDEX (number) 00 (id)                 -> id    a document that would have more than LD_ENTRIES_MOST entries: it is *loose*
**   INDEX (number)                         -> id    while the index is being built: of the last document that was taken in
**
** A part that leads to several values, or to an array, has an entry for each of them; two such parts have one for each pair. What is missing counts as null,
** an empty array as below null. Entries narrow a search down; whether a document is an answer is always asked of the document.
** A unique index refuses a second id under values none of which is missing, null or an empty array; it cuts nothing off, and no document is loose in it. */
#ifndef LD_INDEX_H
#define LD_INDEX_H

#include "declaration.h"
#include "ranking.h"
#include "row.h"

/* Smaller ones make rare cases common, in tests. */
#ifndef LD_INDEX_KEPT
#define LD_INDEX_KEPT 300
#endif
#ifndef LD_ENTRIES_MOST
#define LD_ENTRIES_MOST 4096
#endif

/* The keys of a document's entries in all indexes of a declaration, in order, each once. Zeroed is empty. */
typedef struct ld_entries {
  ld_ranking keys;
  size_t id_size; /* how many bytes at the end of each are the id */
  bool
      state_change; /* the indexes' states (multikey, truncated, loose) were changed: the declaration is to be written */
} ld_entries;

/* Put the entries of a document in; an empty one has none. `id` is a value. False: out of memory. */
bool ld_entries_collect(ld_entries *entries, ld_declaration *declaration, ld_slice id,
                        ld_slice document);
/* The same of one index. */
bool ld_entries_collect_one(ld_entries *entries, ld_index *index, ld_slice id, ld_slice document);
void ld_entries_clear(ld_entries *entries);

/* Delete the old ones that are not among the new ones, write those that were not among the old ones. EXISTS: a unique index has another document there,
** and nothing was written. */
ld_rc ld_entries_write(ld_txn *txn, const ld_declaration *declaration, ld_slice id,
                       const ld_entries *old, const ld_entries *new);

/* Append the beginning of all keys of an index. */
void ld_index_prefix(uint64_t number, ld_buf *key);
/* Append an id, as keys end with it. */
void ld_index_id(ld_slice id, ld_buf *key);
/* A rendering of an id for messages, into `out`; returns out. */
const char *ld_quote_id(ld_slice id, ld_quoted out);
/* Append a value of the part, as keys have it. */
void ld_index_value(const ld_index *index, unsigned part, ld_slice value, ld_buf *key);
/* Delete all rows of an index. */
ld_rc ld_index_delete(ld_txn *txn, uint64_t number);

#endif
