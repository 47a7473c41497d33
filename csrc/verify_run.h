/* verify_run.h -- what the files of verify share. Not for other layers. */
#ifndef LD_VERIFY_RUN_H
#define LD_VERIFY_RUN_H

#include "collection.h"
#include "row.h"
#include "tuple.h"
#include "verify.h"

/* A whole key, read. Of a row of an index only the number. */
typedef struct verify_key {
  uint8_t space;
  unsigned parts;
  int64_t number; /* the first part, an integer from 1; else 0 */
  int64_t kind;   /* of a row of a queue, of a cache; else 0 */
  ld_slice name;  /* the first part, a string; borrowed from `scratch` or the key, as `last` */
  size_t own;     /* bytes of the key up to the end of the first part */
  ld_part last;   /* when there are two or more */
  bool sound;     /* a tuple of the shape that its space has */
} verify_key;

typedef struct verify {
  ld_txn *txn;
  const ld_verify_calls *calls;
  ld_verify_report *report;
  uint64_t done, total;
  uint64_t sequence, highest; /* the sequence's number; of all revisions and numbers */
  bool sequence_damaged;
  bool declaration_damaged; /* so that nobody knows which indexes there are */
  bool unfinished;          /* somebody is filling the store */
  uint64_t skipped; /* damaged rows that verify_next has left out since somebody set it to 0 */
  ld_buf where, text, mend;
  ld_buf first, last;       /* of the key at hand */
  ld_collection collection; /* of the document at hand */
  bool declared, looked;    /* it is; its declaration could be read */
} verify;

/* ---- telling (verify.c) ---- */

/* Say where the next findings are. */
void verify_at(verify *v, const char *format, ...) LD_PRINTF(2, 3);
void verify_at_key(verify *v, ld_slice key);
ld_rc verify_found(verify *v, const char *kind, const char *format, ...) LD_PRINTF(3, 4);
/* Tell what the engine's error says. */
ld_rc verify_found_error(verify *v, const char *kind);
ld_rc verify_mend(verify *v, ld_mend kind, ld_slice name, ld_slice index, uint64_t number);
/* One more row was looked at. */
ld_rc verify_step(verify *v);
/* A number that the sequence has given out. */
static inline void verify_number(verify *v, uint64_t number) {
  if (number > v->highest) v->highest = number;
}

/* The next sound row; the others were found by the walk over all rows. */
ld_rc verify_next(verify *v, ld_scan *scan, ld_row *row);
/* A failure that means damage which was found already becomes LD_OK. */
ld_rc verify_pass(ld_rc rc);

/* ---- keys (verify_key.c) ---- */

/* NOMEM. */
ld_rc verify_key_read(verify *v, ld_slice key, verify_key *read);
/* Append what a person reads: `document 7 of collection "plans"`. */
void verify_key_name(const verify_key *key, ld_slice bytes, ld_buf *text);
/* `7`, `"seven"`. */
void verify_part_name(const ld_part *part, ld_buf *text);
/* Whether what is behind a prefix that ends with a string belongs to it: not when the string goes on (a NUL in it is 00 ff). */
static inline bool verify_is_under(ld_slice key, ld_slice prefix) {
  return ld_starts_with(key, prefix) && (key.size == prefix.size || key.data[prefix.size] != 0xff);
}

/* Whether all rows under a prefix stand together: where it is longer, hashes decide. */
static inline bool verify_is_short(ld_slice prefix) { return prefix.size < LD_KEY_KEPT; }

/* ---- one row by itself; its key is sound ---- */

ld_rc verify_room_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_rating_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_progress_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_declaration_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_document_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_count_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_map_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_queue_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_job_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_cache_row(verify *v, const verify_key *key, const ld_row *row);
ld_rc verify_cached_row(verify *v, const verify_key *key, const ld_row *row);

/* ---- all rows of a kind, and what they say of one another ---- */

ld_rc verify_rooms(verify *v);
ld_rc verify_collections(verify *v);
ld_rc verify_maps(verify *v);
ld_rc verify_queues(verify *v);
ld_rc verify_caches(verify *v);
ld_rc verify_index_numbers(verify *v);

/* One collection while it is looked at (verify_collection.c, verify_index.c). */
typedef struct verify_collection {
  ld_collection handle;
  uint64_t documents;
  ld_buf tally;    /* of their versions */
  uint64_t broken; /* 1 << index: it is to be built anew */
} verify_collection;
/* A document that is sound, under its own id: its entries are there. */
ld_rc verify_entries_of(verify *v, verify_collection *c, ld_slice id, ld_slice document);
/* Each entry leads to a document that has it. */
ld_rc verify_entries(verify *v, verify_collection *c, unsigned index);

#endif
