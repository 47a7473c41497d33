/* record.h -- a store as a sequence of records: what dumps are made of.
**
** A record is a map, whose field `kind` says which others it has:
**   room        room (whole), savedAt, ratedAt = {user = ms}
**   collection  collection (its name), declaration = {key, version, indexes = {{name, parts, unique, sparse, where}}}
**   document    collection, version (above 1), document
**   entry       map, key, value
**   queue       queue, settings
**   job         queue, job (what it is, for readers: of a waiting one the state is `ready`, also while it is delayed or runs), key, head, data
**   state       queue, key, value: other rows of a queue
**   row         space, key (or bytes: a key that is no tuple), value: what this version does not know
** Caches are left out: they are filled anew.
** They come in the order of the engine's keys, declarations before documents, so that a place is the key of a row. Together they are all that is in the store, but for revisions and
** what can be made of the rest: indexes, counts, numbers. `settings`, `head` and the values of states and rows are bytes. */
#ifndef LD_RECORD_H
#define LD_RECORD_H

#include "collection.h"
#include "content.h"

/* How many there are of each: `entries` of maps, `rows` of queues and of what is not known. */
typedef struct ld_record_counts {
  uint64_t rooms, collections, documents, entries, queues, jobs, rows;
} ld_record_counts;

/* Both NULL-terminated and in the same order; borrowed for ever. */
extern const char *const ld_record_kinds[], *const ld_record_count_names[];
enum { LD_RECORD_COUNTS = sizeof(ld_record_counts) / sizeof(uint64_t) };

/* Add a record to the counts; false: its kind is none. */
bool ld_record_count(ld_slice record, ld_record_counts *counts);

/* What in a record is a program's: the room, the document, the value of an entry, the data of a job; and the name of the collection, map or queue, or
** empty. False: it has nothing like that. */
bool ld_record_document(ld_slice record, ld_slice *document, ld_slice *name);
/* Append the record with another document in its place. */
void ld_record_replace(ld_slice record, ld_slice document, ld_buf *changed);

/* ---- reading (record_read.c) ---- */

typedef struct ld_records {
  ld_txn *txn;
  const ld_scope *scope;
  ld_cursor *cursor;
  bool placed;          /* on the next row */
  ld_slice place;       /* key of the row of the last record; borrowed until the next */
  ld_buf scratch, name; /* of keys */
  ld_buf queue;         /* the name of the queue `number` */
  int64_t number;
} ld_records;

/* From behind `place` (empty: from the first). On success ld_records_end it. */
ld_rc ld_records_begin(ld_records *records, ld_txn *txn, const ld_scope *scope, ld_slice place);
/* Append the next record. NOTFOUND at the end. */
ld_rc ld_records_next(ld_records *records, ld_buf *record);
void ld_records_end(ld_records *records);

/* ---- writing (record_put.c) ---- */

/* Zeroed to begin with; ld_record_writer_clear it. */
typedef struct ld_record_writer {
  bool replace; /* what is there already; else it is EXISTS */
  bool
      was_empty; /* the store, when the writing began: rows of kinds that are not known are only taken then */
  ld_collection collection;
  ld_program program;
  ld_buf stored, key, queue;
  int64_t number; /* of `queue` */
} ld_record_writer;

/* INVALID, EXISTS, TOOBIG, UNSUPPORTED: a kind that this version does not know. The transaction can then only be rolled back. */
ld_rc ld_record_put(ld_txn *txn, ld_record_writer *writer, ld_slice record);
void ld_record_writer_clear(ld_record_writer *writer);

#endif
