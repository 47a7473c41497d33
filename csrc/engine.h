/* engine.h -- THE PORT: an ordered, transactional map from bytes to bytes.
**
** A program calls the functions of the second half (`ld_begin`, `ld_get`, ...): thin wrappers in engine.c, the one place
** that calls through an engine's table. They check arguments and state, keep the lists of open transactions and cursors,
** and supply what an engine leaves out. An engine fills a table (`ld_engine_ops`) and may rely on all that they check:
** keys of 1..LD_KEY_MAX bytes, no write in a read transaction, no use of a parent while its child is open,
** no cursor used after a write before it is placed again.
**
** An engine handle and all that hangs on it belong to one thread at a time.
** The text of a failure is in `engine->error`. */
#ifndef LD_ENGINE_H
#define LD_ENGINE_H

#include "base.h"
#include "env.h"
#include "journal.h"
#include "medium.h"
#include "name.h"
#include "option.h"
#include "salvage.h"

#define LD_ENGINE_ABI 1u
#define LD_KEY_MAX    511u /* bytes, on every engine, so that a store can move between them */
#define LD_VALUE_MAX  0x7fffffffu /* bytes */

/* What an engine promises. */
enum {
  LD_DURABLE = 1,   /* a committed transaction survives a crash */
  LD_SNAPSHOT = 2,  /* readers neither block nor see a writer */
  LD_SHARED = 4,    /* several processes at once */
  LD_ONE_WRITER = 8 /* one write transaction at a time; a second on the same thread is MISUSE */
};

typedef struct ld_cursor ld_cursor;

/* The table. "must": has to be there; "may": NULL gives what is said behind it. */
typedef struct ld_engine_ops {
  uint32_t abi; /* LD_ENGINE_ABI; compared first */
  const char *name;
  uint32_t promises;
  size_t engine_size, txn_size, cursor_size; /* of its structs; engine.c allocates them zeroed */

  /* may. The names of its options, NULL-terminated; engine.c refuses others, naming the nearest. NULL: it has none. */
  const char *const *options;
  /* must. On failure nothing is left open. */
  ld_rc (*open)(ld_engine *engine, const ld_config *config);
  /* must. No transaction is open any more (engine.c has rolled them back). */
  void (*close)(ld_engine *engine);

  /* must. txn->writable and txn->parent are set; a parent (only of a writable child) is frozen until the child ends. */
  ld_rc (*begin)(ld_txn *txn);
  /* must. Ends the transaction even when it fails; then nothing of it is kept. A child's writes become the parent's. */
  ld_rc (*commit)(ld_txn *txn);
  void (*rollback)(ld_txn *txn);

  /* must. The value is borrowed until the next write in this transaction or its end. */
  ld_rc (*get)(ld_txn *txn, ld_slice key, ld_slice *value);
  /* must. Inserts or replaces. key and value may be borrowed from this very transaction. */
  ld_rc (*put)(ld_txn *txn, ld_slice key, ld_slice value);
  ld_rc (*del)(ld_txn *txn, ld_slice key); /* must. NOTFOUND when it is not there. */

  /* must. A cursor sees the transaction's own writes. It is opened unplaced, then placed by first, last or seek (the first key >= `key`);
  ** next and prev are called only when placed. NOTFOUND: no such row, and the cursor is unplaced again.
  ** After any write of the transaction it is closed or placed anew before it is used, never stepped. */
  ld_rc (*cursor_open)(ld_cursor *cursor);
  void (*cursor_close)(ld_cursor *cursor);
  ld_rc (*cursor_first)(ld_cursor *cursor);
  ld_rc (*cursor_last)(ld_cursor *cursor);
  ld_rc (*cursor_seek)(ld_cursor *cursor, ld_slice key);
  ld_rc (*cursor_next)(ld_cursor *cursor);
  ld_rc (*cursor_prev)(ld_cursor *cursor);
  /* Borrowed until the next move, write or end. */
  ld_rc (*cursor_current)(ld_cursor *cursor, ld_slice *key, ld_slice *value);

  /* may. Delete all rows with from <= key < to (an empty `to`: no upper end); count them. NULL: a cursor and del. */
  ld_rc (*del_range)(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count);
  /* may. Make every commit so far survive a power loss. NULL: nothing to do. */
  ld_rc (*sync)(ld_engine *engine);
  /* may. NULL: UNSUPPORTED. */
  ld_rc (*stats)(ld_engine *engine, ld_engine_stats *stats);
  /* may. Read all that is stored, structure and (config.check_row) rows, and tell each damage. OK when the reading itself went well. NULL: a cursor over all rows. */
  ld_rc (*check)(ld_engine *engine, ld_finding finding, void *context);
  ld_rc (*survey)(ld_engine *engine, ld_stray tell, void *context); /* may: see ld_stray */
  /* may. Read all rows that can still be found in a damaged medium, which is neither opened nor changed. NULL: UNSUPPORTED. */
  ld_rc (*salvage)(const ld_config *config, const ld_salvage *salvage, ld_error *error);
  /* may. Write all that is committed, packed, into the empty `file`, as a data file of the engine "lmdb"; no write waits for it. NULL or UNSUPPORTED: row by row. */
  ld_rc (*backup)(ld_engine *engine, int file);
  /* may. See ld_replace. NULL: UNSUPPORTED. */
  ld_rc (*replace)(const ld_replace *replace, ld_error *error);
} ld_engine_ops;

/* What every engine's handles begin with. `engine.c's`: engines leave it alone. */
struct ld_engine {
  const ld_engine_ops *ops;
  ld_env env;
  ld_error error;
  bool (*check_row)(ld_slice key, ld_slice value);
  /* Of the layer above: called before a top-level commit of a write transaction. NULL: none. */
  ld_rc (*before_commit)(ld_txn *txn);
  ld_txn *txns;            /* engine.c's: open ones, newest first */
  ld_txn *spare_txn;       /* engine.c's: kept so that a get allocates nothing */
  ld_cursor *spare_cursor; /* engine.c's */
  ld_buf scratch;          /* row.c's: where the value of a row is put together */
  ld_journal journal;      /* journal.c's */
};

struct ld_txn {
  ld_engine *engine;
  ld_txn *parent; /* NULL at the top */
  bool writable;
  bool has_child;       /* engine.c's */
  ld_rc spoilt;         /* engine.c's: the failure after which only rollback is left */
  bool spoilt_retry;    /* engine.c's: whether that may succeed when it is run again */
  ld_cursor *cursors;   /* engine.c's */
  ld_txn *next, **link; /* engine.c's: list in the engine */
  uint64_t sequence;    /* row.c's: the last number given out; 0: not read yet */
  bool sequence_moved;  /* row.c's: to be written before the commit */
  ld_notes notes;       /* journal.c's */
};

struct ld_cursor {
  ld_txn *txn;
  int place;               /* engine.c's */
  ld_buf parked;           /* engine.c's: the key it stood on when the transaction wrote */
  ld_cursor *next, **link; /* engine.c's */
};

/* ---- what programs call ---- */

/* Open an engine. On failure the text is in `error` and nothing is left. `*engine` is owned: ld_engine_close. */
ld_rc ld_engine_open(const ld_engine_ops *ops, const ld_config *config, ld_engine **engine,
                     ld_error *error);
/* Roll back what is open (the handles of those transactions are freed), close and free. NULL is fine. */
void ld_engine_close(ld_engine *engine);

/* Begin a transaction; with `parent` a nested one (a savepoint), always writable.
** MISUSE: a write transaction while one of this engine handle is open (where LD_ONE_WRITER). */
ld_rc ld_begin(ld_engine *engine, bool writable, ld_txn **txn);
ld_rc ld_begin_nested(ld_txn *parent, ld_txn **txn);
/* Both end the transaction, its open children and its cursors, and free them, whatever happens. rollback(NULL) is fine.
** Committing a spoilt transaction rolls it back and returns what spoilt it. */
ld_rc ld_commit(ld_txn *txn);
void ld_rollback(ld_txn *txn);
/* From now on this write transaction can only be rolled back. Returns `rc`. */
ld_rc ld_spoil(ld_txn *txn, ld_rc rc);
ld_rc ld_no_memory(ld_txn *txn, const char *what); /* spoils it: "`what`: out of memory" */
static inline ld_error *ld_error_of(const ld_txn *txn) { return &txn->engine->error; }

ld_rc ld_get(ld_txn *txn, ld_slice key, ld_slice *value);
ld_rc ld_put(ld_txn *txn, ld_slice key, ld_slice value);
ld_rc ld_del(ld_txn *txn, ld_slice key);
ld_rc ld_del_range(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count);

/* A cursor is owned: ld_cursor_close, or the end of the transaction (then the handle is gone too).
** It stands before the first row when opened. It stays defined while the same transaction writes: it keeps its place
** by key, so stepping from a row that was deleted goes to that row's neighbour as it is then, and `current` is NOTFOUND there. */
ld_rc ld_cursor_open(ld_txn *txn, ld_cursor **cursor);
void ld_cursor_close(ld_cursor *cursor);
/* seek: to the first key >= `key`. NOTFOUND, of next too: now behind the last row, from where prev goes to it. */
ld_rc ld_cursor_seek(ld_cursor *cursor, ld_slice key);
ld_rc ld_cursor_next(ld_cursor *cursor);
ld_rc ld_cursor_prev(ld_cursor *cursor);  /* NOTFOUND: now before the first row */
void ld_cursor_to_end(ld_cursor *cursor); /* behind the last row */
ld_rc ld_cursor_current(ld_cursor *cursor, ld_slice *key, ld_slice *value);

ld_rc ld_sync(ld_engine *engine);
ld_rc ld_stats(ld_engine *engine, ld_engine_stats *stats);
ld_rc ld_check(ld_engine *engine, ld_finding finding, void *context);
ld_rc ld_survey(ld_engine *engine, ld_stray tell, void *context);
/* As check, of the structure only: rows are not judged. */
ld_rc ld_check_structure(ld_engine *engine, ld_finding finding, void *context);
ld_rc ld_salvage_rows(const ld_engine_ops *ops, const ld_config *config, const ld_salvage *salvage,
                      ld_error *error);

ld_rc ld_engine_backup(ld_engine *engine, int file);
ld_rc ld_engine_replace(const ld_engine_ops *ops, const ld_replace *replace, ld_error *error);

extern const ld_engine_ops ld_memory_engine, ld_lmdb_engine, ld_file_engine;

#endif
