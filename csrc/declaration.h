/* declaration.h -- what a collection is declared to be: the field of its ids, its version, its indexes.
**
** As a program writes it:   {key = "id", version = 2, indexes = {"status", {"status", "-createdAt"}, {"email", unique = true, sparse = true},
**                            {"due", where = {status = "open"}, name = "due of open"}}}
** As the store keeps it:    {key, version, indexes = {{name, number, parts = {"status", "-createdAt"}, unique, sparse, where, ready, ...}, ...}}
** An index that has no name is called by its parts: `status,-createdAt`. */
#ifndef LD_DECLARATION_H
#define LD_DECLARATION_H

#include "filter.h"
#include "order.h"

#define LD_INDEX_PARTS  8
#define LD_INDEXES_MOST 64

typedef struct ld_index_part {
  ld_slice
      text; /* as it was declared, with its minus; borrowed from the declaration, as all below */
  ld_path path;
  bool descending;
} ld_index_part;

typedef struct ld_index {
  ld_slice name;
  uint64_t number; /* of its rows; from the store's sequence. 0: the store does not have it yet */
  ld_index_part part[LD_INDEX_PARTS];
  unsigned parts;
  bool unique, sparse;
  ld_slice where;    /* empty: it has all documents */
  ld_filter *filter; /* of `where` */
  bool ready;        /* it has an entry for each document that it should have */
  unsigned multikey; /* 1 << part: of some document it has, or had, more than one value */
  bool truncated;    /* some entry has, or had, a value cut off */
  bool loose; /* some document has, or had, too many entries and is listed instead (index.h) */
} ld_index;

typedef struct ld_declaration {
  ld_buf bytes;     /* as the store keeps it */
  ld_slice key;     /* of the ids */
  bool keyed;       /* key was said, not assumed */
  uint64_t version; /* 0: none was said */
  ld_index *indexes;
  unsigned count;
} ld_declaration;

/* Read a program's declaration; an empty one is {key = "id"}. INVALID names the place: `indexes[2]: where: age.$gte: ...`. On failure nothing is
** left, else ld_declaration_clear it. */
ld_rc ld_declaration_compile(ld_slice text, ld_declaration *declaration, ld_error *error);
/* Read what the store keeps. CORRUPT. */
ld_rc ld_declaration_read(ld_slice bytes, ld_declaration *declaration, ld_error *error);
/* Append it as the store keeps it. */
void ld_declaration_write(const ld_declaration *declaration, ld_buf *bytes);
void ld_declaration_clear(ld_declaration *declaration);

/* declaration_text.c: append a program's declaration as the store would keep it; what is inside of indexes is not checked yet. */
ld_rc ld_declaration_rewrite(ld_slice text, ld_buf *bytes, ld_error *error);
/* Append the head of one; `indexes` of them follow. */
void ld_declaration_write_head(ld_slice key, uint64_t version, unsigned indexes, ld_buf *bytes);

/* NULL when there is none of this name. */
ld_index *ld_declaration_index(const ld_declaration *declaration, ld_slice name);
/* Whether both would have the same entries: all but name, number and state. */
bool ld_index_same(const ld_index *a, const ld_index *b);
/* What a program declared remains: no number, nothing that was found out. */
void ld_index_reset(ld_index *index);
/* Append one index as the store keeps it. */
void ld_index_write(const ld_index *index, ld_buf *bytes);
/* Append what a person should read: `{"email", unique = true}`. */
void ld_index_describe(const ld_index *index, ld_buf *text);

#endif
