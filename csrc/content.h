/* content.h -- what a store holds: how many of what, and a hash of it; so that two stores can be compared.
**
** The parts are the rooms, each collection, each map, each queue, and what this version does not know, by its space. The hash of a part is the sum of hashes of its rows (key, revision,
** payload, by their checksums), in any order: of a copy that keeps rows as they are it is the same. Of a collection's declaration
** it covers what a program declares, not the numbers and states of indexes; the rows of indexes and of caches are left out. */
#ifndef LD_CONTENT_H
#define LD_CONTENT_H

#include "row.h"

/* Some collections, by name; zeroed: everything. */
typedef struct ld_scope {
  ld_slice names; /* an array of strings; empty: everything */
} ld_scope;

/* Whether a row belongs to it; `key` is whole. */
bool ld_scope_has(const ld_scope *scope, ld_slice key);
/* Call `visit` with each name. */
ld_rc ld_scope_each(const ld_scope *scope, ld_txn *txn, ld_rc (*visit)(ld_txn *txn, ld_slice name));
/* Whether there is such a collection: declared, or with documents. */
ld_rc ld_scope_find(ld_txn *txn, ld_slice name, bool *found);
/* INVALID names the one that is not there. */
ld_rc ld_scope_check(const ld_scope *scope, ld_txn *txn);

typedef enum ld_content_kind {
  LD_CONTENT_ROOMS,
  LD_CONTENT_COLLECTION,
  LD_CONTENT_MAP,
  LD_CONTENT_QUEUE, /* its name */
  LD_CONTENT_JOBS,  /* of the queue of that number */
  LD_CONTENT_OTHER
} ld_content_kind;

typedef struct ld_content_part {
  ld_content_kind kind;
  ld_buf prefix; /* of the keys, without the space */
  uint64_t count, rows, hash[2];
} ld_content_part;

typedef struct ld_content {
  ld_content_part *parts;
  size_t size, capacity, last;
  uint64_t rows;
} ld_content;

/* Whether a row is no content: the entries of indexes, which are built anew, and caches, which are filled anew and whose files belong to one store only. `*behind`:
** the first space behind those rows. */
bool ld_content_leaves_out(ld_slice key, uint8_t *behind);

/* Read a transaction, to the row whose key is `last` (empty: to the end). CORRUPT names a damaged row. ld_content_clear it, also after a failure. */
ld_rc ld_content_read(ld_txn *txn, const ld_scope *scope, ld_slice last, ld_content *content);
/* LD_OK; CORRUPT, naming the first part that differs and how. */
ld_rc ld_content_compare(const ld_content *expected, const ld_content *found, ld_error *error);
/* Put the first row that differs, and how, behind the text that is in `error`. */
void ld_content_point(ld_txn *from, ld_txn *to, const ld_scope *scope, ld_error *error);
/* Append {rows, rooms = {count, hash}, collections = {name = {count, hash}}, maps = {...}, queues = {...}, jobs = {...}, other = {...}}. */
void ld_content_write(const ld_content *content, ld_buf *document);
void ld_content_clear(ld_content *content);

#endif
