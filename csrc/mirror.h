/* mirror.h -- what an engine that keeps readable files asks the layers: which file shows a row, what is in it, and the way back.
**
** A *unit* is what one file shows: a room with its ratings, a document, an entry of a map. It has a key, bytes like those of a row.
** Its *path* is relative, parts separated by `/`, each safe on any file system; a record of the engine's may say another.
** Rows that show in no file are kept as they are (LD_SHOWN_ROW), or made anew from the others (LD_SHOWN_DERIVED). */
#ifndef LD_MIRROR_H
#define LD_MIRROR_H

#include "base.h"

struct ld_txn;
struct ld_engine;

typedef enum ld_shown {
  LD_SHOWN_ROW,     /* nowhere: keep it */
  LD_SHOWN_DERIVED, /* nowhere: loading makes it anew */
  LD_SHOWN_AHEAD,   /* nowhere: `ahead` says what is kept of it, and when */
  LD_SHOWN_LOOSE, /* likewise, and beside that its latest value is kept, which a power loss may take */
  LD_SHOWN_FILE /* in the file of a unit */
} ld_shown;

/* A row's file. Either may be empty: without `unit` it is the one that was told last with this `alias`. */
typedef struct ld_mirror_place {
  ld_buf unit, alias;
} ld_mirror_place;

typedef struct ld_mirror {
  /* Where a row shows, as it is written (or deleted: then `value` is what was there). Appends to `place`. */
  ld_shown (*find)(ld_slice key, ld_slice value, ld_mirror_place *place);
  /* Append what stands in the file of a unit, and its path. NOTFOUND: it is gone; the path comes all the same. */
  ld_rc (*render)(struct ld_txn *txn, ld_slice unit, ld_buf *path, ld_buf *text);
  /* Append what is to be kept of the row `key`, now that it has this value: of a number that only grows, one so far ahead that it need not be kept again soon. Nothing when
  ** `kept`, which is kept already (empty: nothing is), will do. */
  void (*ahead)(ld_slice key, ld_slice kept, ld_slice value, ld_buf *row);

  /* Whether the backups of a unit stay when it has gone. */
  bool (*outlives)(ld_slice unit);
  /* The revision of a unit that has one which programs see; else 0. Setting it changes nothing but that. */
  ld_rc (*revision)(struct ld_txn *txn, ld_slice unit, uint64_t *revision);
  ld_rc (*set_revision)(struct ld_txn *txn, ld_slice unit, uint64_t revision);

  /* Reading files in: begin, load each, end (always, when begin went well); all within one write transaction. */
  ld_rc (*begin_load)(struct ld_txn *txn, void **loader);
  /* Write the rows of a file that was changed last at `time` (ms since 1970) and append its unit. NOTFOUND: no file of ours. EXISTS: there is another one of
  ** this unit, or what is unique; rows may be half-written. Other failures: it is damaged, and nothing was written. */
  ld_rc (*load)(void *loader, ld_slice path, ld_slice text, int64_t time, ld_buf *unit);
  ld_rc (*end_load)(void *loader, ld_rc rc);
  /* Make a unit what a text for its path says, by an ordinary write. */
  ld_rc (*replace)(struct ld_txn *txn, ld_slice path, ld_slice text);
} ld_mirror;

#endif
