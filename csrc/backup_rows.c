/* backup_rows.c -- see backup_rows.h. */
#include "backup_rows.h"

#include "folder.h"
#include "store.h"

enum { BATCH_BYTES = 8 << 20, RUNS = 16 };

typedef struct rows_copy {
  ld_cursor *from;
  ld_engine *to;
  ld_buf next; /* the key that a batch begins with */
  bool done;
  uint64_t rows;
  ld_gauge *gauge;
  unsigned part;
} rows_copy;

/* Rows from `next` on, into a transaction; `next` and `done` as they are behind them. */
static ld_rc copy_some(rows_copy *copy, ld_txn *to, uint64_t *rows) {
  ld_slice key, value;
  size_t size = 0;
  ld_rc rc = ld_cursor_seek(copy->from, ld_buf_slice(&copy->next));
  while (rc == LD_OK && (rc = ld_cursor_current(copy->from, &key, &value)) == LD_OK) {
    if (size > BATCH_BYTES) {
      ld_buf_reset(&copy->next);
      ld_buf_add(&copy->next, key);
      return copy->next.failed ? ld_fail(&copy->to->error, LD_NOMEM, "out of memory") : LD_OK;
    }
    size += key.size + value.size;
    rc = ld_put(to, key, value);
    *rows += 1;
    if (rc == LD_OK) rc = ld_cursor_next(copy->from);
  }
  copy->done = rc == LD_NOTFOUND;
  return copy->done ? LD_OK : rc;
}

static ld_rc copy_batch(rows_copy *copy) {
  uint64_t rows = 0;
  ld_txn *to;
  ld_rc rc = ld_begin(copy->to, true, &to);
  if (rc != LD_OK) return rc;
  rc = copy_some(copy, to, &rows);
  if (rc == LD_OK)
    rc = ld_commit(to);
  else
    ld_rollback(to);
  if (rc == LD_OK) copy->rows += rows;
  ld_gauge_set(copy->gauge, copy->part, copy->rows, copy->gauge->rows);
  return rc;
}

/* A batch that the map had no room for finds more of it the next time. */
static ld_rc copy_all(rows_copy *copy) {
  ld_rc rc = LD_OK;
  static const uint8_t first = 1;
  ld_buf_add(&copy->next, ld_bytes(&first, 1));
  for (int run = 0; rc == LD_OK && !copy->done && run < RUNS;) {
    copy->to->error.retry = false;
    rc = copy_batch(copy);
    run = rc == LD_OK ? 0 : run + 1;
    if (rc == LD_FULL && copy->to->error.retry) rc = LD_OK;
  }
  return rc == LD_OK && !copy->done ? LD_FULL : rc;
}

/* The target's error tells failures of both. */
static ld_rc copy_rows(ld_engine *from, ld_engine *to, ld_gauge *gauge, unsigned part) {
  rows_copy copy = {.to = to, .gauge = gauge, .part = part};
  ld_txn *txn;
  from->error.rc = LD_OK;
  to->error.rc = LD_OK;
  ld_rc rc = ld_begin(from, false, &txn);
  if (rc == LD_OK) {
    rc = ld_cursor_open(txn, &copy.from);
    if (rc == LD_OK) rc = copy_all(&copy);
    ld_rollback(txn);
  }
  if (rc != LD_OK && to->error.rc != rc) to->error = from->error;
  ld_buf_clear(&copy.next);
  return rc;
}

ld_rc ld_backup_rows(ld_engine *from, const char *folder, int file, ld_gauge *gauge, unsigned part,
                     ld_error *error) {
  const ld_option options[] = {{"path", folder}, {"durability", "none"}};
  ld_env env = ld_env_system();
  ld_engine *to;
  ld_rc rc = ld_store_open(&ld_lmdb_engine, &env, options, 2, &to, error);
  if (rc != LD_OK) return rc;
  rc = copy_rows(from, to, gauge, part);
  if (rc == LD_OK) rc = ld_engine_backup(to, file);
  if (rc != LD_OK && error != NULL) *error = to->error;
  ld_engine_close(to);
  if (rc == LD_OK && !ld_folder_remove(folder))
    rc = ld_folder_fail(folder, "cannot be removed", error);
  return rc;
}
