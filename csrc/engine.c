/* engine.c -- the checked wrappers of the port: the one place that calls through an engine's table.
**
** Invariant: every open transaction is in its engine's list, every open cursor in its transaction's,
** so that the end of the one ends the other, in any order of calls.
** A cursor is in one of four places; only at PLACED does the engine's own cursor stand on a row. A write
** moves every placed cursor of the transaction to PARKED: its key is copied, and it is placed anew by key
** before its next move. So engines need no rule of their own for cursors and writes. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

enum { BEFORE, PLACED, PARKED, BEHIND };

#define OPS(txn) ((txn)->engine->ops)

/* ---- engines ---- */

static void free_engine(ld_engine *engine) {
  free(engine->spare_txn);
  if (engine->spare_cursor != NULL) ld_buf_clear(&engine->spare_cursor->parked);
  free(engine->spare_cursor);
  ld_buf_clear(&engine->scratch);
  while (engine->journal.first != NULL) ld_batch_free(ld_journal_take(engine));
  free(engine);
}

static ld_rc check_table(const ld_engine_ops *ops, const ld_config *config, ld_error *error) {
  static const char *const none[] = {NULL};
  if (ops->abi == LD_ENGINE_ABI)
    return ld_options_check(config, ops->options == NULL ? none : ops->options, error);
  return ld_fail(error, LD_UNSUPPORTED, "engine: built for version %u of the port, this is %u",
                 (unsigned)ops->abi, LD_ENGINE_ABI);
}

ld_rc ld_engine_open(const ld_engine_ops *ops, const ld_config *config, ld_engine **engine,
                     ld_error *error) {
  ld_rc rc = check_table(ops, config, error);
  if (rc != LD_OK) return rc;
  ld_engine *opened = calloc(1, ops->engine_size);
  if (opened == NULL) return ld_fail(error, LD_NOMEM, "%s: out of memory", ops->name);
  opened->ops = ops;
  opened->env = config->env;
  opened->check_row = config->check_row;
  rc = ops->open(opened, config);
  if (rc == LD_OK) {
    *engine = opened;
    return LD_OK;
  }
  if (error != NULL) *error = opened->error;
  free_engine(opened);
  return rc;
}

void ld_engine_close(ld_engine *engine) {
  if (engine == NULL) return;
  while (engine->txns != NULL) ld_rollback(engine->txns);
  engine->ops->close(engine);
  free_engine(engine);
}

ld_rc ld_sync(ld_engine *engine) {
  return engine->ops->sync == NULL ? LD_OK : engine->ops->sync(engine);
}

ld_rc ld_stats(ld_engine *engine, ld_engine_stats *stats) {
  if (engine->ops->stats != NULL) return engine->ops->stats(engine, stats);
  return ld_fail(&engine->error, LD_UNSUPPORTED, "%s: keeps no statistics", engine->ops->name);
}

static ld_rc check_rows(ld_txn *txn, ld_finding finding, void *context) {
  ld_cursor *cursor;
  ld_slice key, value;
  ld_rc rc = ld_cursor_open(txn, &cursor);
  while (rc == LD_OK && (rc = ld_cursor_next(cursor)) == LD_OK) {
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc == LD_OK && txn->engine->check_row != NULL && !txn->engine->check_row(key, value))
      finding(context, key, "checksum differs");
  }
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_check(ld_engine *engine, ld_finding finding, void *context) {
  if (engine->ops->check != NULL) return engine->ops->check(engine, finding, context);
  ld_txn *txn;
  ld_rc rc = ld_begin(engine, false, &txn);
  if (rc != LD_OK) return rc;
  rc = check_rows(txn, finding, context);
  ld_rollback(txn);
  return rc;
}

ld_rc ld_check_structure(ld_engine *engine, ld_finding finding, void *context) {
  bool (*check_row)(ld_slice, ld_slice) = engine->check_row;
  engine->check_row = NULL;
  ld_rc rc = ld_check(engine, finding, context);
  engine->check_row = check_row;
  return rc;
}

ld_rc ld_survey(ld_engine *engine, ld_stray tell, void *context) {
  return engine->ops->survey == NULL ? LD_OK : engine->ops->survey(engine, tell, context);
}

ld_rc ld_engine_backup(ld_engine *engine, int file) {
  if (engine->ops->backup != NULL) return engine->ops->backup(engine, file);
  return ld_fail(&engine->error, LD_UNSUPPORTED, "engine %s has no backups", engine->ops->name);
}

ld_rc ld_engine_replace(const ld_engine_ops *ops, const ld_replace *replace, ld_error *error) {
  if (ops->replace != NULL) return ops->replace(replace, error);
  return ld_fail(error, LD_UNSUPPORTED, "engine %s keeps no files", ops->name);
}

ld_rc ld_salvage_rows(const ld_engine_ops *ops, const ld_config *config, const ld_salvage *salvage,
                      ld_error *error) {
  if (ops->salvage != NULL) return ops->salvage(config, salvage, error);
  return ld_fail(error, LD_UNSUPPORTED, "%s: has nothing that could be recovered", ops->name);
}

/* ---- transactions ---- */

static ld_txn *new_txn(ld_engine *engine) {
  ld_txn *txn = engine->spare_txn;
  engine->spare_txn = NULL;
  return txn != NULL ? memset(txn, 0, engine->ops->txn_size) : calloc(1, engine->ops->txn_size);
}

static void free_txn(ld_txn *txn) {
  ld_engine *engine = txn->engine;
  if (txn->parent != NULL) txn->parent->has_child = false;
  *txn->link = txn->next;
  if (txn->next != NULL) txn->next->link = txn->link;
  if (engine->spare_txn != NULL) {
    free(txn);
  } else {
    engine->spare_txn = txn;
  }
}

static ld_rc start(ld_engine *engine, ld_txn *parent, bool writable, ld_txn **out) {
  ld_txn *txn = new_txn(engine);
  if (txn == NULL) return ld_fail(&engine->error, LD_NOMEM, "begin: out of memory");
  txn->engine = engine;
  txn->parent = parent;
  txn->writable = writable;
  if (parent != NULL) txn->sequence = parent->sequence;
  if (parent != NULL) txn->sequence_moved = parent->sequence_moved;
  ld_journal_begin(txn);
  ld_rc rc = engine->ops->begin(txn);
  txn->next = engine->txns;
  txn->link = &engine->txns;
  if (txn->next != NULL) txn->next->link = &txn->next;
  engine->txns = txn;
  if (rc != LD_OK) {
    txn->parent = NULL;
    free_txn(txn);
    return rc;
  }
  if (parent != NULL) parent->has_child = true;
  *out = txn;
  return LD_OK;
}

ld_rc ld_begin(ld_engine *engine, bool writable, ld_txn **txn) {
  if (writable && (engine->ops->promises & LD_ONE_WRITER) != 0)
    for (ld_txn *open = engine->txns; open != NULL; open = open->next)
      if (open->writable)
        return ld_fail(
            &engine->error, LD_MISUSE,
            "a write transaction of this store is open already: use its tx, or end it first");
  return start(engine, NULL, writable, txn);
}

/* The numbers that a nested transaction gave out stay given out, though it is rolled back. */
static void hand_up_sequence(ld_txn *txn) {
  if (txn->parent == NULL) return;
  txn->parent->sequence = txn->sequence;
  txn->parent->sequence_moved = txn->sequence_moved;
}

static void close_cursors(ld_txn *txn) {
  while (txn->cursors != NULL) ld_cursor_close(txn->cursors);
}

static void end_children(ld_txn *txn) {
  if (!txn->has_child) return;
  for (ld_txn *open = txn->engine->txns; open != NULL; open = open->next)
    if (open->parent == txn) {
      ld_rollback(open);
      return;
    }
}

void ld_rollback(ld_txn *txn) {
  if (txn == NULL) return;
  end_children(txn);
  close_cursors(txn);
  hand_up_sequence(txn);
  ld_journal_rollback(txn);
  OPS(txn)->rollback(txn);
  free_txn(txn);
}

/* The text of what spoilt it, unless another call on the engine has written its own since. */
static ld_rc still_spoilt(ld_txn *txn) {
  ld_error *error = ld_error_of(txn);
  if (error->rc == txn->spoilt) return txn->spoilt;
  ld_fail(error, txn->spoilt, "the transaction failed before, and was rolled back");
  error->retry = txn->spoilt_retry;
  return txn->spoilt;
}

static ld_rc ready_to_commit(ld_txn *txn) {
  if (txn->spoilt != LD_OK) return still_spoilt(txn);
  if (txn->has_child)
    return ld_fail(ld_error_of(txn), LD_MISUSE, "commit while a nested transaction is open");
  if (!txn->writable || txn->parent != NULL || txn->engine->before_commit == NULL) return LD_OK;
  return txn->engine->before_commit(txn);
}

ld_rc ld_commit(ld_txn *txn) {
  ld_rc rc = ready_to_commit(txn);
  if (rc != LD_OK) {
    ld_rollback(txn);
    return rc;
  }
  close_cursors(txn);
  hand_up_sequence(txn);
  rc = OPS(txn)->commit(txn);
  if (rc == LD_OK)
    ld_journal_commit(txn);
  else
    ld_journal_rollback(txn);
  free_txn(txn);
  return rc;
}

ld_rc ld_spoil(ld_txn *txn, ld_rc rc) {
  if (!txn->writable || txn->spoilt != LD_OK) return rc;
  txn->spoilt = rc;
  txn->spoilt_retry = ld_error_of(txn)->retry;
  return rc;
}

ld_rc ld_no_memory(ld_txn *txn, const char *what) {
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_NOMEM, "%s: out of memory", what));
}

static ld_rc check_usable(ld_txn *txn) {
  if (txn->spoilt != LD_OK)
    return ld_fail(ld_error_of(txn), LD_MISUSE,
                   "the transaction failed before (%s) and can only be rolled back",
                   ld_rc_name(txn->spoilt));
  if (txn->has_child)
    return ld_fail(ld_error_of(txn), LD_MISUSE,
                   "a nested transaction is open: use it, or end it first");
  return LD_OK;
}

static ld_rc check_key(ld_txn *txn, ld_slice key) {
  if (key.size == 0) return ld_fail(ld_error_of(txn), LD_INVALID, "the key is empty");
  if (key.size > LD_KEY_MAX)
    return ld_fail(ld_error_of(txn), LD_TOOBIG, "the key has %zu bytes, the limit is %u", key.size,
                   LD_KEY_MAX);
  return LD_OK;
}

static ld_rc park_cursors(ld_txn *txn) {
  for (ld_cursor *cursor = txn->cursors; cursor != NULL; cursor = cursor->next) {
    ld_slice key, value;
    if (cursor->place != PLACED) continue;
    ld_rc rc = OPS(txn)->cursor_current(cursor, &key, &value);
    if (rc != LD_OK) return rc;
    ld_buf_reset(&cursor->parked);
    ld_buf_add(&cursor->parked, key);
    if (cursor->parked.failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "cursor: out of memory");
    cursor->place = PARKED;
  }
  return LD_OK;
}

ld_rc ld_begin_nested(ld_txn *parent, ld_txn **txn) {
  ld_rc rc = check_usable(parent);
  if (rc == LD_OK && !parent->writable)
    rc = ld_fail(ld_error_of(parent), LD_MISUSE,
                 "a nested transaction needs a write transaction around it");
  if (rc == LD_OK) rc = park_cursors(parent);
  return rc == LD_OK ? start(parent->engine, parent, true, txn) : rc;
}

/* ---- rows ---- */

ld_rc ld_get(ld_txn *txn, ld_slice key, ld_slice *value) {
  ld_rc rc = check_usable(txn);
  if (rc == LD_OK) rc = check_key(txn, key);
  return rc == LD_OK ? OPS(txn)->get(txn, key, value) : rc;
}

/* An end of a range; empty is no end. */
static ld_rc check_end(ld_txn *txn, ld_slice end) {
  return end.size == 0 ? LD_OK : check_key(txn, end);
}

static ld_rc before_write(ld_txn *txn) {
  ld_rc rc = check_usable(txn);
  if (rc == LD_OK && !txn->writable)
    rc = ld_fail(ld_error_of(txn), LD_MISUSE, "a write in a read transaction");
  return rc == LD_OK && txn->cursors != NULL ? park_cursors(txn) : rc;
}

/* What is left half-done by a failing engine must never be committed. */
static ld_rc after_write(ld_txn *txn, ld_rc rc) {
  return rc == LD_OK || rc == LD_NOTFOUND ? rc : ld_spoil(txn, rc);
}

ld_rc ld_put(ld_txn *txn, ld_slice key, ld_slice value) {
  ld_rc rc = before_write(txn);
  if (rc == LD_OK) rc = check_key(txn, key);
  if (rc == LD_OK && value.size > LD_VALUE_MAX)
    rc = ld_fail(ld_error_of(txn), LD_TOOBIG, "the value has %zu bytes, the limit is %u",
                 value.size, LD_VALUE_MAX);
  return rc == LD_OK ? after_write(txn, OPS(txn)->put(txn, key, value)) : rc;
}

ld_rc ld_del(ld_txn *txn, ld_slice key) {
  ld_rc rc = before_write(txn);
  if (rc == LD_OK) rc = check_key(txn, key);
  return rc == LD_OK ? after_write(txn, OPS(txn)->del(txn, key)) : rc;
}

static ld_rc del_by_cursor(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count) {
  ld_cursor *cursor;
  ld_slice key, value;
  uint64_t deleted = 0;
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return rc;
  rc = from.size == 0 ? ld_cursor_next(cursor) : ld_cursor_seek(cursor, from);
  while (rc == LD_OK) {
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc != LD_OK || (to.size > 0 && ld_compare(key, to) >= 0)) break;
    rc = ld_del(txn, key);
    if (rc == LD_OK) deleted++;
    if (rc == LD_OK) rc = ld_cursor_next(cursor);
  }
  ld_cursor_close(cursor);
  if (rc == LD_NOTFOUND) rc = LD_OK;
  if (rc == LD_OK) *count = deleted;
  return rc;
}

ld_rc ld_del_range(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count) {
  ld_rc rc = before_write(txn);
  if (rc == LD_OK) rc = check_end(txn, from);
  if (rc == LD_OK) rc = check_end(txn, to);
  if (rc != LD_OK) return rc;
  if (OPS(txn)->del_range == NULL) return after_write(txn, del_by_cursor(txn, from, to, count));
  return after_write(txn, OPS(txn)->del_range(txn, from, to, count));
}

/* ---- cursors ---- */

static ld_cursor *new_cursor(ld_engine *engine) {
  ld_cursor *cursor = engine->spare_cursor;
  if (cursor == NULL) return calloc(1, engine->ops->cursor_size);
  ld_buf parked = cursor->parked;
  engine->spare_cursor = NULL;
  memset(cursor, 0, engine->ops->cursor_size);
  cursor->parked = parked;
  return cursor;
}

static void free_cursor(ld_engine *engine, ld_cursor *cursor) {
  if (engine->spare_cursor == NULL) {
    engine->spare_cursor = cursor;
    return;
  }
  ld_buf_clear(&cursor->parked);
  free(cursor);
}

ld_rc ld_cursor_open(ld_txn *txn, ld_cursor **out) {
  ld_rc rc = check_usable(txn);
  if (rc != LD_OK) return rc;
  ld_cursor *cursor = new_cursor(txn->engine);
  if (cursor == NULL) return ld_fail(ld_error_of(txn), LD_NOMEM, "cursor: out of memory");
  cursor->txn = txn;
  cursor->place = BEFORE;
  rc = OPS(txn)->cursor_open(cursor);
  if (rc != LD_OK) {
    free_cursor(txn->engine, cursor);
    return rc;
  }
  cursor->next = txn->cursors;
  cursor->link = &txn->cursors;
  if (cursor->next != NULL) cursor->next->link = &cursor->next;
  txn->cursors = cursor;
  *out = cursor;
  return LD_OK;
}

void ld_cursor_close(ld_cursor *cursor) {
  if (cursor == NULL) return;
  OPS(cursor->txn)->cursor_close(cursor);
  *cursor->link = cursor->next;
  if (cursor->next != NULL) cursor->next->link = cursor->link;
  free_cursor(cursor->txn->engine, cursor);
}

/* Note where a move has led: on a row, or over the edge at `over`. */
static ld_rc arrive(ld_cursor *cursor, ld_rc rc, int over) {
  if (rc == LD_OK) cursor->place = PLACED;
  if (rc == LD_NOTFOUND) cursor->place = over;
  return rc;
}

ld_rc ld_cursor_seek(ld_cursor *cursor, ld_slice key) {
  ld_rc rc = check_usable(cursor->txn);
  if (rc != LD_OK) return rc;
  if (key.size == 0) return arrive(cursor, OPS(cursor->txn)->cursor_first(cursor), BEHIND);
  rc = check_key(cursor->txn, key);
  return rc == LD_OK ? arrive(cursor, OPS(cursor->txn)->cursor_seek(cursor, key), BEHIND) : rc;
}

/* Place a parked cursor anew. LD_OK: on its row. LD_NOTFOUND: the row is gone; `*follows` tells
** whether the engine's cursor stands on the row behind it (else there is none). */
static ld_rc unpark(ld_cursor *cursor, bool *follows) {
  ld_slice key, value, parked = ld_buf_slice(&cursor->parked);
  ld_rc rc = OPS(cursor->txn)->cursor_seek(cursor, parked);
  *follows = rc == LD_OK;
  if (rc == LD_OK) rc = OPS(cursor->txn)->cursor_current(cursor, &key, &value);
  return rc == LD_OK && !ld_equal(key, parked) ? LD_NOTFOUND : rc;
}

static ld_rc next_from_parked(ld_cursor *cursor) {
  bool follows;
  ld_rc rc = unpark(cursor, &follows);
  if (rc == LD_OK) return OPS(cursor->txn)->cursor_next(cursor);
  return rc == LD_NOTFOUND && follows ? LD_OK : rc;
}

static ld_rc prev_from_parked(ld_cursor *cursor) {
  bool follows;
  ld_rc rc = unpark(cursor, &follows);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  return follows ? OPS(cursor->txn)->cursor_prev(cursor) : OPS(cursor->txn)->cursor_last(cursor);
}

ld_rc ld_cursor_next(ld_cursor *cursor) {
  const ld_engine_ops *ops = OPS(cursor->txn);
  ld_rc rc = check_usable(cursor->txn);
  if (rc != LD_OK) return rc;
  switch (cursor->place) {
  case BEFORE: return arrive(cursor, ops->cursor_first(cursor), BEHIND);
  case PLACED: return arrive(cursor, ops->cursor_next(cursor), BEHIND);
  case PARKED: return arrive(cursor, next_from_parked(cursor), BEHIND);
  default: return LD_NOTFOUND;
  }
}

ld_rc ld_cursor_prev(ld_cursor *cursor) {
  const ld_engine_ops *ops = OPS(cursor->txn);
  ld_rc rc = check_usable(cursor->txn);
  if (rc != LD_OK) return rc;
  switch (cursor->place) {
  case BEHIND: return arrive(cursor, ops->cursor_last(cursor), BEFORE);
  case PLACED: return arrive(cursor, ops->cursor_prev(cursor), BEFORE);
  case PARKED: return arrive(cursor, prev_from_parked(cursor), BEFORE);
  default: return LD_NOTFOUND;
  }
}

void ld_cursor_to_end(ld_cursor *cursor) { cursor->place = BEHIND; }

ld_rc ld_cursor_current(ld_cursor *cursor, ld_slice *key, ld_slice *value) {
  ld_rc rc = check_usable(cursor->txn);
  if (rc != LD_OK) return rc;
  if (cursor->place == PARKED) {
    bool follows;
    rc = unpark(cursor, &follows);
    if (rc != LD_OK) return rc; /* it stays parked */
    cursor->place = PLACED;
  }
  if (cursor->place != PLACED) return LD_NOTFOUND;
  return OPS(cursor->txn)->cursor_current(cursor, key, value);
}
