/* collection.h -- documents with an id: the generic repository.
**
**   COLLECTION (name)       -> the declaration (declaration.h)
**   DOCUMENT (name, id)     -> the document, with its version (version.h)
**   COUNT (name)            -> the tally of their versions (version.h)
**
** An id is a string of 1 to LD_PART_MAX bytes or an integer; it is the document's field that the declaration calls `key`. A document is a map as in value.h.
** The revision of its row is the document's revision; none is used twice.
** Each write looks at the declaration first, so that an index that one process declares is kept by all from their next write on. */
#ifndef LD_COLLECTION_H
#define LD_COLLECTION_H

#include "declaration.h"
#include "row.h"

/* What a program knows of its documents. Its functions may not use the store. */
typedef struct ld_program {
  uint64_t version; /* that it writes; 0: it did not say, and gets documents as they are stored */
  void *context;
  /* Append what a document of version `from` is in the program's version. NULL: the same. */
  ld_rc (*upgrade)(void *context, uint64_t from, ld_slice document, ld_buf *upgraded,
                   ld_error *error);
  /* Any failure: the document is not to be stored. NULL: every one may be. */
  ld_rc (*validate)(void *context, ld_slice document, ld_error *error);
} ld_program;

typedef struct ld_collection {
  ld_buf name;
  ld_declaration declared;   /* with this handle; without bytes: nothing was */
  ld_declaration current;    /* the store's, as it was looked at last; without bytes: it has none */
  const ld_program *program; /* borrowed; NULL: nothing but what was declared */
  uint64_t read_version;     /* of the document that was read last, as it is stored */
  ld_buf scratch; /* the document that was read last, upgraded; the row that is being written */
} ld_collection;

/* The version of the program's documents; 0: none was said. */
static inline uint64_t ld_collection_version(const ld_collection *collection) {
  const ld_program *program = collection->program;
  return program != NULL && program->version > 0 ? program->version : collection->declared.version;
}

/* The name of the id's field. Borrowed until the collection is looked at again. */
static inline ld_slice ld_collection_key(const ld_collection *collection) {
  if (collection->current.bytes.size > 0) return collection->current.key;
  return collection->declared.bytes.size > 0 ? collection->declared.key : LD_LITERAL("id");
}

/* Fill a handle. `declaration` is a program's, or empty for whatever the store says. INVALID, TOOBIG. ld_collection_clear it. */
ld_rc ld_collection_init(ld_collection *collection, ld_slice name, ld_slice declaration,
                         ld_error *error);
void ld_collection_clear(ld_collection *collection);

/* Take over what the store says. INVALID, showing both, when the handle was declared otherwise: another key, an index of the same name. */
ld_rc ld_collection_look(ld_txn *txn, ld_collection *collection);
/* As look, in a write transaction; a collection that is not there is entered as the handle declares it, and a version that is higher than the store's. */
ld_rc ld_collection_meet(ld_txn *txn, ld_collection *collection);
/* As meet, and enters indexes that the store does not have; `replace`: also those that it has otherwise. They are empty until they are built (index_build.h). */
ld_rc ld_collection_declare(ld_txn *txn, ld_collection *collection, bool replace);
/* Whether the store has, as last looked at, all that the handle declares, and built. */
bool ld_collection_is_settled(const ld_collection *collection);

/* Keep this as the collection's declaration; it may be the current one, changed. */
ld_rc ld_collection_enter(ld_txn *txn, ld_collection *collection,
                          const ld_declaration *declaration);
/* NOTFOUND: there is no such index. */
ld_rc ld_collection_drop_index(ld_txn *txn, ld_collection *collection, ld_slice name);
/* NOTFOUND; EXISTS: `to` is there. */
ld_rc ld_collection_rename_index(ld_txn *txn, ld_collection *collection, ld_slice from,
                                 ld_slice to);

/* The value of the id's field in a document; empty when it is missing. */
ld_slice ld_collection_find_id(const ld_collection *collection, ld_slice document);
/* Whether a value can be an id: INVALID or TOOBIG saying why not. */
ld_rc ld_collection_check_id(ld_slice id, ld_error *error);

typedef enum ld_put_mode {
  LD_PUT_CREATE, /* EXISTS when the id is taken; an id is made when it is missing */
  LD_PUT_ANY,    /* insert or replace */
  LD_PUT_REPLACE /* NOTFOUND when it is not there */
} ld_put_mode;

/* `if_revision` 0: whatever it is; else CONFLICT when the stored one differs, or there is none. */
typedef struct ld_put {
  ld_put_mode mode;
  uint64_t if_revision;
} ld_put_options;

/* Write a document in the program's version, or in that of the one there, or in the highest declared. Appends it, with its id, to `stored`. UNSUPPORTED: the one there is newer. */
ld_rc ld_collection_put(ld_txn *txn, ld_collection *collection, ld_slice document,
                        ld_put_options options, ld_buf *stored);
/* Read one as the program knows it. `id` is a value. NOTFOUND; UNSUPPORTED: it is newer. `*document` is borrowed as a row is, and until the handle reads the next. */
ld_rc ld_collection_get(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice *document,
                        uint64_t *revision);
/* Whether it is there, of whatever version: LD_OK or NOTFOUND. */
ld_rc ld_collection_has(ld_txn *txn, const ld_collection *collection, ld_slice id);
/* NOTFOUND, CONFLICT. One that is newer than the program goes, too. */
ld_rc ld_collection_delete(ld_txn *txn, ld_collection *collection, ld_slice id,
                           uint64_t if_revision);
/* Neither scans: how many documents; how many that are older than the program. */
ld_rc ld_collection_count(ld_txn *txn, ld_collection *collection, uint64_t *count);
ld_rc ld_collection_older(ld_txn *txn, ld_collection *collection, uint64_t *count);
/* Remove it with all its documents. NOTFOUND. */
ld_rc ld_collection_drop(ld_txn *txn, ld_slice name);

/* Call `visit` with each document, as it is stored, in order of id, behind `after` (a value; empty: from the first), until it returns another code than LD_OK; LD_NOTFOUND ends the walk well. The document is borrowed
** until the transaction's next write. */
typedef ld_rc (*ld_document_visit)(void *context, ld_slice id, ld_slice document,
                                   uint64_t revision);
ld_rc ld_collection_each(ld_txn *txn, ld_collection *collection, ld_slice after,
                         ld_document_visit visit, void *context);
/* ---- collection_version.c: documents as the program knows them ---- */

/* Take the document out of a row's payload as it is stored; sets `read_version`. */
ld_rc ld_collection_stored(ld_txn *txn, ld_collection *collection, ld_slice payload,
                           ld_slice *document);
/* The same in the program's version, when it is older. A newer one stays as it is stored: a filter may look at it, but before it is given out ld_collection_admit is asked. */
ld_rc ld_collection_read(ld_txn *txn, ld_collection *collection, ld_slice payload,
                         ld_slice *document);
/* What was read last with ld_collection_stored, in the program's version. INVALID names the document. */
ld_rc ld_collection_upgraded(ld_txn *txn, ld_collection *collection, ld_slice stored,
                             ld_slice *document);
/* UNSUPPORTED: the document `id`, which was read last, is newer than the program. */
ld_rc ld_collection_admit(ld_txn *txn, const ld_collection *collection, ld_slice id);
/* As get, but a newer one is read, too. */
ld_rc ld_collection_peek(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice *document,
                         uint64_t *revision);
/* Whether the program lets this be stored. INVALID names the document. */
ld_rc ld_collection_check(ld_txn *txn, const ld_collection *collection, ld_slice document);

/* Call `visit` with each collection's name, in order, until it returns another code than LD_OK. */
ld_rc ld_collections_each(ld_txn *txn, ld_rc (*visit)(void *context, ld_slice name), void *context);

#endif
