/* row.h -- what the layers keep in an engine: a payload under a key, with a checksum and a revision.
**
** A key is a space byte and a tuple. Keys past LD_KEY_MAX are stored shortened: the first bytes and a hash, the row then keeps the whole key.
** The row's value:  format 0x01 | flags | CRC-32C, 4 bytes LE | revision, varint | [whole key: varint size, bytes] | payload
** The checksum covers the engine's key, format, flags, and everything behind the checksum. Vectors: README.md ("Rows").
** A row that fails its checksum is CORRUPT, names its key, and spoils a write transaction. */
#ifndef LD_ROW_H
#define LD_ROW_H

#include "engine.h"

#define LD_PART_MAX 1023u              /* bytes of one name, id or user in a key */
#define LD_KEY_KEPT (LD_KEY_MAX - 16u) /* bytes of a shortened key that are its own */

/* The first byte of each key. */
enum {
  LD_SPACE_STORE = 0x01,      /* signature, sequence */
  LD_SPACE_ROOM = 0x02,       /* (name) -> room */
  LD_SPACE_RATING = 0x03,     /* (room id, media) -> ratings */
  LD_SPACE_PROGRESS = 0x04,   /* (room id, user) -> progress */
  LD_SPACE_COLLECTION = 0x05, /* (name) -> declaration */
  LD_SPACE_DOCUMENT = 0x06,   /* (collection, id) -> document */
  LD_SPACE_COUNT = 0x07,      /* (collection) -> how many documents */
  LD_SPACE_INDEX = 0x08,      /* (index, values, id) -> id */
  LD_SPACE_MAP = 0x09,        /* (map) -> how many keys; (map, key...) -> value */
  LD_SPACE_QUEUE = 0x0a,      /* (queue) -> number, options */
  LD_SPACE_JOB = 0x0b,        /* (number of the queue, kind, ...) -> see queue.h */
  LD_SPACE_CACHE = 0x0c,      /* (cache) -> its number */
  LD_SPACE_CACHE_ROW = 0x0d   /* (number of the cache, kind, ...) -> see cache.h */
};

typedef struct ld_row {
  uint64_t revision;
  ld_slice key;     /* whole */
  ld_slice payload; /* both borrowed until the next write or the end of the transaction */
} ld_row;

/* Read a row. NOTFOUND, CORRUPT. */
ld_rc ld_row_get(ld_txn *txn, ld_slice key, ld_row *row);
/* Write a row under a new revision. */
ld_rc ld_row_put(ld_txn *txn, ld_slice key, ld_slice payload);
/* The same with revision 0, which leaves the sequence alone: for rows whose revision nobody asks for, and that are written often. */
ld_rc ld_row_put_plain(ld_txn *txn, ld_slice key, ld_slice payload);
ld_rc ld_row_del(ld_txn *txn, ld_slice key);
/* Give a row the revision that it had before it was loaded from elsewhere; the sequence goes on behind it. NOTFOUND. */
ld_rc ld_row_renumber(ld_txn *txn, ld_slice key, uint64_t revision);
/* Delete all rows whose key begins with `prefix`. */
ld_rc ld_row_del_prefix(ld_txn *txn, ld_slice prefix, uint64_t *count);

/* The row that the cursor stands on. NOTFOUND when it is gone. */
ld_rc ld_row_current(ld_cursor *cursor, ld_row *row);

/* All rows whose key begins with `prefix`, in the engine's order, from behind `after` (empty: from the first). `prefix` and `after` are borrowed until the end. */
typedef struct ld_scan {
  ld_cursor *cursor;
  ld_slice prefix;
  ld_slice short_prefix; /* of `prefix`, what engine keys can hold */
  bool placed;
} ld_scan;
ld_rc ld_scan_begin(ld_scan *scan, ld_txn *txn, ld_slice prefix, ld_slice after);
ld_rc ld_scan_next(ld_scan *scan, ld_row *row); /* NOTFOUND at the end */
void ld_scan_end(ld_scan *scan);

/* The next number of the store's one sequence: revisions and ids come from it, so none is ever used twice. It is written with the commit. */
ld_rc ld_sequence_next(ld_txn *txn, uint64_t *number);
/* The last number that was given out; 0: none was. */
ld_rc ld_sequence_last(ld_txn *txn, uint64_t *number);
/* No number up to this one is given out any more. It also puts right a damaged row of the sequence, which nothing else can be written beside. */
ld_rc ld_sequence_raise(ld_txn *txn, uint64_t number);
/* An engine's before_commit: writes the sequence. */
ld_rc ld_sequence_save(ld_txn *txn);

/* Whether the stored bytes are an undamaged row: an engine's check_row. */
bool ld_row_is_sound(ld_slice engine_key, ld_slice value);
/* Read stored bytes outside of a transaction. False: damaged, or of a newer version. */
bool ld_row_read(ld_slice engine_key, ld_slice value, ld_row *row);
bool ld_sequence_is(ld_slice key); /* whether it is that of the sequence's row */
/* An ld_mirror's `ahead`, for the row of the sequence. */
void ld_sequence_ahead(ld_slice key, ld_slice kept, ld_slice value, ld_buf *row);
/* Append the value of a row; for engines that are made with a first row. */
void ld_row_encode(ld_slice key, uint64_t revision, ld_slice payload, ld_buf *value);

#endif
