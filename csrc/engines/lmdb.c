/* lmdb.c -- the LMDB engine: one environment, its unnamed database, memcmp order, no duplicates.
**
** A handle keeps one read transaction (reset, its reader slot held) and one read cursor, so that a read allocates nothing.
** A cursor remembers the row it stands on, so `current` asks liblmdb nothing; after a write in the transaction it is opened anew before it is
** placed. Every call of a transaction or cursor looks first whether a fork has come between. */
#include "lmdb_engine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lmdb_error.h"
#include "lmdb_inspect.h"
#include "lmdb_make.h"
#include "lmdb_replace.h"
#include "lmdb_salvage.h"
#include "lmdb_settings.h"
#include "lmdb_txn.h"

typedef struct lmdb_engine {
  ld_engine base;
  ld_lmdb_env *env;
  MDB_txn *kept;           /* a read transaction at rest; NULL: in use, or none */
  MDB_cursor *kept_cursor; /* likewise */
  ld_buf copy;             /* of what a put borrows from its own transaction */
} lmdb_engine;

typedef struct lmdb_txn {
  ld_txn base;
  ld_lmdb_env *env;
  MDB_txn *mdb;
  uint64_t writes; /* counts them, and children */
  const uint8_t *lent_from,
      *lent_end; /* between these lies all that was lent since the last write */
} lmdb_txn;

typedef struct lmdb_cursor {
  ld_cursor base;
  MDB_cursor *mdb; /* NULL: to be opened */
  uint64_t writes; /* of the transaction, when it was opened */
  MDB_val key, value;
} lmdb_cursor;

static lmdb_engine *engine_of(ld_txn *txn) { return (lmdb_engine *)txn->engine; }
static lmdb_txn *as_txn(ld_txn *txn) { return (lmdb_txn *)txn; }
static lmdb_cursor *as_cursor(ld_cursor *cursor) { return (lmdb_cursor *)cursor; }
static lmdb_txn *txn_of(ld_cursor *cursor) { return (lmdb_txn *)cursor->txn; }

static MDB_val to_val(ld_slice bytes) {
  return (MDB_val){bytes.size, (void *)(uintptr_t)bytes.data};
}

static ld_slice to_slice(MDB_val val) { return ld_bytes(val.mv_data, val.mv_size); }

static ld_rc fail(const lmdb_txn *txn, const char *doing, int code) {
  return ld_lmdb_fail(&txn->base.engine->error, txn->env, doing, code);
}

/* ---- opening ---- */

/* Make sure that there is a data.mdb. */
static ld_rc make_missing(char *folder, const ld_config *config, bool read_only, ld_error *error) {
  char file[PATH_MAX];
  struct stat status;
  snprintf(file, sizeof file, "%s/data.mdb", folder);
  if (lstat(file, &status) == 0) {
    if (status.st_nlink > 1 && !read_only) ld_lmdb_make_clean(folder, &config->env);
    return LD_OK;
  }
  if (errno != ENOENT)
    return ld_fail(error, LD_IO, "%s: cannot be found: %s", file, strerror(errno));
  if (read_only)
    return ld_fail(error, LD_INVALID,
                   "%s: there is no store; open it without read_only to make one", file);
  return ld_lmdb_make(folder, config, error);
}

static ld_rc join(lmdb_engine *engine, const ld_config *config, const ld_lmdb_settings *settings,
                  const char *path) {
  char *folder;
  ld_error *error = &engine->base.error;
  ld_rc rc = ld_lmdb_make_folder(path, !settings->read_only, &folder, error);
  if (rc != LD_OK) return rc;
  rc = make_missing(folder, config, settings->read_only, error);
  if (rc == LD_OK)
    rc = ld_lmdb_env_join(folder, settings, settings->check_on_open, config, &engine->env, error);
  free(folder);
  return rc;
}

static ld_rc lmdb_open(ld_engine *base, const ld_config *config) {
  lmdb_engine *engine = (lmdb_engine *)base;
  ld_lmdb_settings settings;
  const char *problem = ld_lmdb_problem(), *path = ld_option_text(config, "path", "");
  if (problem != NULL) return ld_fail(&base->error, LD_UNSUPPORTED, "lmdb: %s", problem);
  ld_rc rc = ld_lmdb_settings_read(config, &settings, &base->error);
  if (rc == LD_OK && path[0] == '\0')
    rc = ld_fail(&base->error, LD_INVALID, "option path: is missing; give the folder of the store");
  return rc == LD_OK ? join(engine, config, &settings, path) : rc;
}

/* Let go of what the handle keeps; after a fork, without a touch. */
static void drop_kept(lmdb_engine *engine) {
  bool stale = ld_lmdb_stale(engine->env);
  if (stale) {
    ld_lmdb_abandon(engine->kept_cursor);
    ld_lmdb_abandon(engine->kept);
  } else {
    if (engine->kept_cursor != NULL) mdb_cursor_close(engine->kept_cursor);
    mdb_txn_abort(engine->kept);
  }
  engine->kept_cursor = NULL;
  engine->kept = NULL;
}

static void lmdb_close(ld_engine *base) {
  lmdb_engine *engine = (lmdb_engine *)base;
  drop_kept(engine);
  ld_lmdb_env_leave(engine->env);
  ld_buf_clear(&engine->copy);
}

/* After a fork, open the environment again. It was checked when the parent opened it. */
static ld_rc refresh(lmdb_engine *engine) {
  ld_config config = {.env = engine->base.env, .check_row = engine->base.check_row};
  ld_lmdb_env *fresh;
  if (!ld_lmdb_stale(engine->env)) return LD_OK;
  ld_rc rc = ld_lmdb_env_join(engine->env->folder, &engine->env->settings, 0, &config, &fresh,
                              &engine->base.error);
  if (rc != LD_OK) return rc;
  drop_kept(engine);
  engine->env = fresh;
  ld_log(&config.env, LD_LOG_DEBUG, "lmdb: %s: opened again after a fork", fresh->folder);
  return LD_OK;
}

/* ---- transactions ---- */

static ld_rc check_fork(const lmdb_txn *txn) {
  if (!ld_lmdb_stale(txn->env)) return LD_OK;
  return ld_fail(&txn->base.engine->error, LD_MISUSE,
                 "%s: the transaction was begun before the fork and belongs to the parent process; "
                 "roll it back and begin another",
                 txn->env->folder);
}

static ld_rc begin_child(lmdb_txn *txn) {
  lmdb_txn *parent = as_txn(txn->base.parent);
  txn->env = parent->env;
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) return rc;
  txn->lent_from = parent->lent_from;
  txn->lent_end = parent->lent_end;
  parent->writes++;
  return fail(txn, "begin", mdb_txn_begin(txn->env->mdb, parent->mdb, 0, &txn->mdb));
}

static ld_rc lmdb_begin(ld_txn *base) {
  lmdb_txn *txn = as_txn(base);
  lmdb_engine *engine = engine_of(base);
  if (base->parent != NULL) return begin_child(txn);
  ld_rc rc = refresh(engine);
  if (rc != LD_OK) return rc;
  txn->env = engine->env;
  if (!base->writable) {
    rc = ld_lmdb_txn_begin(txn->env, false, &engine->kept, &engine->base.env, &engine->base.error);
    if (rc != LD_OK) return rc;
    txn->mdb = engine->kept;
    engine->kept = NULL;
    return LD_OK;
  }
  if (txn->env->settings.read_only)
    return ld_fail(&engine->base.error, LD_MISUSE, "%s: was opened read_only", txn->env->folder);
  return ld_lmdb_txn_begin(txn->env, true, &txn->mdb, &engine->base.env, &engine->base.error);
}

static void end_read(lmdb_txn *txn) {
  lmdb_engine *engine = engine_of(&txn->base);
  if (engine->kept == NULL) {
    mdb_txn_reset(txn->mdb);
    engine->kept = txn->mdb;
  } else {
    mdb_txn_abort(txn->mdb);
  }
  ld_lmdb_txn_done(txn->env);
}

static void lmdb_rollback(ld_txn *base) {
  lmdb_txn *txn = as_txn(base);
  if (ld_lmdb_stale(txn->env)) {
    ld_lmdb_abandon(txn->mdb);
  } else if (!base->writable) {
    end_read(txn);
  } else if (base->parent != NULL) {
    mdb_txn_abort(txn->mdb);
  } else {
    ld_lmdb_txn_abort(txn->env, txn->mdb);
  }
}

static ld_rc lmdb_commit(ld_txn *base) {
  lmdb_txn *txn = as_txn(base);
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) {
    ld_lmdb_abandon(txn->mdb);
    return rc;
  }
  if (!base->writable) {
    end_read(txn);
    return LD_OK;
  }
  if (base->parent == NULL) return ld_lmdb_txn_commit(txn->env, txn->mdb, &base->engine->error);
  as_txn(base->parent)->lent_from = as_txn(base->parent)->lent_end = NULL;
  return fail(txn, "commit", mdb_txn_commit(txn->mdb));
}

/* ---- rows ---- */

/* liblmdb moves pages while it writes, so a put must not read from what it may move. */
static void lend(lmdb_txn *txn, MDB_val val) {
  const uint8_t *from = val.mv_data;
  if (!txn->base.writable) return;
  if (txn->lent_from == NULL || from < txn->lent_from) txn->lent_from = from;
  if (txn->lent_end == NULL || from + val.mv_size > txn->lent_end)
    txn->lent_end = from + val.mv_size;
}

static bool is_lent(const lmdb_txn *txn, ld_slice bytes) {
  return bytes.size > 0 && bytes.data < txn->lent_end && bytes.data + bytes.size > txn->lent_from;
}

static void wrote(lmdb_txn *txn) {
  txn->writes++;
  txn->lent_from = txn->lent_end = NULL;
}

static ld_rc lmdb_get(ld_txn *base, ld_slice key, ld_slice *value) {
  lmdb_txn *txn = as_txn(base);
  MDB_val name = to_val(key), found;
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) return rc;
  int code = mdb_get(txn->mdb, txn->env->dbi, &name, &found);
  if (code != 0) return fail(txn, "get", code);
  lend(txn, found);
  *value = to_slice(found);
  return LD_OK;
}

/* Put copies of key and value in their place. */
static bool copy_lent(ld_buf *copy, ld_slice *key, ld_slice *value) {
  ld_buf_reset(copy);
  ld_buf_add(copy, *key);
  ld_buf_add(copy, *value);
  if (!ld_buf_reserve(copy, 1)) return false;
  *key = ld_bytes(copy->data, key->size);
  *value = ld_bytes(copy->data + key->size, value->size);
  return true;
}

static ld_rc lmdb_put(ld_txn *base, ld_slice key, ld_slice value) {
  enum { COPY_KEPT = 1 << 16 };
  lmdb_txn *txn = as_txn(base);
  ld_buf *copy = &engine_of(base)->copy;
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) return rc;
  if ((is_lent(txn, key) || is_lent(txn, value)) && !copy_lent(copy, &key, &value))
    return ld_fail(&base->engine->error, LD_NOMEM, "%s: put: out of memory", txn->env->folder);
  MDB_val name = to_val(key), data = to_val(value);
  int code = mdb_put(txn->mdb, txn->env->dbi, &name, &data, 0);
  wrote(txn);
  if (code == MDB_MAP_FULL) ld_lmdb_txn_want(txn->env, value.size);
  if (copy->capacity > COPY_KEPT) ld_buf_clear(copy);
  return fail(txn, "put", code);
}

static ld_rc lmdb_del(ld_txn *base, ld_slice key) {
  lmdb_txn *txn = as_txn(base);
  MDB_val name = to_val(key);
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) return rc;
  int code = mdb_del(txn->mdb, txn->env->dbi, &name, NULL);
  if (code != MDB_NOTFOUND) wrote(txn);
  if (code == MDB_MAP_FULL) ld_lmdb_txn_want(txn->env, 0);
  return fail(txn, "delete", code);
}

/* ---- cursors ---- */

static int open_cursor(lmdb_cursor *cursor) {
  lmdb_txn *txn = txn_of(&cursor->base);
  lmdb_engine *engine = engine_of(cursor->base.txn);
  cursor->writes = txn->writes;
  if (txn->base.writable || engine->kept_cursor == NULL)
    return mdb_cursor_open(txn->mdb, txn->env->dbi, &cursor->mdb);
  cursor->mdb = engine->kept_cursor;
  engine->kept_cursor = NULL;
  return mdb_cursor_renew(txn->mdb, cursor->mdb);
}

static ld_rc lmdb_cursor_open(ld_cursor *base) {
  as_cursor(base)->mdb = NULL;
  return check_fork(txn_of(base));
}

static void lmdb_cursor_close(ld_cursor *base) {
  lmdb_cursor *cursor = as_cursor(base);
  lmdb_engine *engine = engine_of(base->txn);
  if (cursor->mdb == NULL) return;
  if (ld_lmdb_stale(txn_of(base)->env)) {
    ld_lmdb_abandon(cursor->mdb);
  } else if (!base->txn->writable && engine->kept_cursor == NULL) {
    engine->kept_cursor = cursor->mdb;
  } else {
    mdb_cursor_close(cursor->mdb);
  }
  cursor->mdb = NULL;
}

static ld_rc move(lmdb_cursor *cursor, MDB_cursor_op op) {
  lmdb_txn *txn = txn_of(&cursor->base);
  int code = mdb_cursor_get(cursor->mdb, &cursor->key, &cursor->value, op);
  if (code != 0) return fail(txn, "cursor", code);
  lend(txn, cursor->key);
  lend(txn, cursor->value);
  return LD_OK;
}

static ld_rc place(lmdb_cursor *cursor, MDB_cursor_op op) {
  lmdb_txn *txn = txn_of(&cursor->base);
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) return rc;
  if (cursor->mdb != NULL && cursor->writes != txn->writes) lmdb_cursor_close(&cursor->base);
  if (cursor->mdb == NULL) rc = fail(txn, "cursor", open_cursor(cursor));
  return rc == LD_OK ? move(cursor, op) : rc;
}

static ld_rc step(lmdb_cursor *cursor, MDB_cursor_op op) {
  ld_rc rc = check_fork(txn_of(&cursor->base));
  return rc == LD_OK ? move(cursor, op) : rc;
}

static ld_rc lmdb_cursor_first(ld_cursor *base) { return place(as_cursor(base), MDB_FIRST); }
static ld_rc lmdb_cursor_last(ld_cursor *base) { return place(as_cursor(base), MDB_LAST); }
static ld_rc lmdb_cursor_next(ld_cursor *base) { return step(as_cursor(base), MDB_NEXT); }
static ld_rc lmdb_cursor_prev(ld_cursor *base) { return step(as_cursor(base), MDB_PREV); }

static ld_rc lmdb_cursor_seek(ld_cursor *base, ld_slice key) {
  as_cursor(base)->key = to_val(key);
  return place(as_cursor(base), MDB_SET_RANGE);
}

static ld_rc lmdb_cursor_current(ld_cursor *base, ld_slice *key, ld_slice *value) {
  ld_rc rc = check_fork(txn_of(base));
  if (rc != LD_OK) return rc;
  *key = to_slice(as_cursor(base)->key);
  *value = to_slice(as_cursor(base)->value);
  return LD_OK;
}

/* ---- ranges ---- */

static int del_up_to(MDB_cursor *cursor, ld_slice from, ld_slice to, uint64_t *count) {
  MDB_val key = to_val(from), value;
  int code = mdb_cursor_get(cursor, &key, &value, from.size == 0 ? MDB_FIRST : MDB_SET_RANGE);
  while (code == 0 && (to.size == 0 || ld_compare(to_slice(key), to) < 0)) {
    code = mdb_cursor_del(cursor, 0);
    if (code != 0) break;
    ++*count;
    code =
        mdb_cursor_get(cursor, &key, &value, MDB_NEXT); /* after a delete: the row that moved up */
  }
  return code == MDB_NOTFOUND ? 0 : code;
}

static ld_rc lmdb_del_range(ld_txn *base, ld_slice from, ld_slice to, uint64_t *count) {
  lmdb_txn *txn = as_txn(base);
  MDB_cursor *cursor;
  uint64_t deleted = 0;
  ld_rc rc = check_fork(txn);
  if (rc != LD_OK) return rc;
  if (!copy_lent(&engine_of(base)->copy, &from, &to))
    return ld_fail(&base->engine->error, LD_NOMEM, "%s: delete: out of memory", txn->env->folder);
  int code = mdb_cursor_open(txn->mdb, txn->env->dbi, &cursor);
  if (code != 0) return fail(txn, "delete", code);
  code = del_up_to(cursor, from, to, &deleted);
  mdb_cursor_close(cursor);
  wrote(txn);
  if (code == MDB_MAP_FULL) ld_lmdb_txn_want(txn->env, 0);
  if (code == 0) *count = deleted;
  return fail(txn, "delete", code);
}

/* ---- the whole ---- */

static ld_rc lmdb_sync(ld_engine *base) {
  lmdb_engine *engine = (lmdb_engine *)base;
  ld_rc rc = refresh(engine);
  if (rc != LD_OK || engine->env->settings.read_only) return rc;
  return ld_lmdb_fail(&base->error, engine->env, "sync", mdb_env_sync(engine->env->mdb, 1));
}

/* A line for a reader at rest ends in "-". */
static int count_reader(const char *line, void *context) {
  size_t size = strlen(line);
  if (size > 2 && line[size - 2] >= '0' && line[size - 2] <= '9') ++*(uint32_t *)context;
  return 0;
}

static ld_rc lmdb_stats(ld_engine *base, ld_engine_stats *stats) {
  lmdb_engine *engine = (lmdb_engine *)base;
  MDB_envinfo info;
  MDB_stat tree;
  uint32_t readers = 0;
  int dead;
  ld_txn *txn;
  ld_rc rc = refresh(engine);
  if (rc != LD_OK) return rc;
  mdb_reader_check(engine->env->mdb, &dead);
  mdb_reader_list(engine->env->mdb, count_reader, &readers);
  rc = ld_begin(base, false, &txn); /* so that the map stays while we look */
  if (rc != LD_OK) return rc;
  mdb_env_info(engine->env->mdb, &info);
  mdb_stat(as_txn(txn)->mdb, engine->env->dbi, &tree);
  ld_rollback(txn);
  *stats =
      (ld_engine_stats){.entries = tree.ms_entries,
                        .bytes_used = ((uint64_t)info.me_last_pgno + 1) * engine->env->page_size,
                        .bytes_limit = info.me_mapsize,
                        .readers = readers};
  return LD_OK;
}

static ld_rc lmdb_check(ld_engine *base, ld_finding finding, void *context) {
  ld_txn *txn;
  int fd;
  ld_rc rc =
      ld_begin(base, false, &txn); /* keeps the pages of the newest commit from being used again */
  if (rc != LD_OK) return rc;
  const ld_lmdb_env *env = as_txn(txn)->env;
  int code = mdb_env_get_fd(env->mdb, &fd);
  rc = code == 0 ? ld_lmdb_inspect_all(fd, env->file, base, finding, context, &base->error)
                 : ld_lmdb_fail(&base->error, env, "check", code);
  ld_rollback(txn);
  return rc;
}

/* liblmdb copies a snapshot of its own; ours keeps the map as it is meanwhile. INCOMPATIBLE: it cannot pack a file that has lost pages. */
static ld_rc lmdb_backup(ld_engine *base, int file) {
  ld_txn *txn;
  ld_rc rc = ld_begin(base, false, &txn);
  if (rc != LD_OK) return rc;
  const ld_lmdb_env *env = as_txn(txn)->env;
  int code = mdb_env_copyfd2(env->mdb, file, MDB_CP_COMPACT);
  rc = code == MDB_INCOMPATIBLE
           ? ld_fail(&base->error, LD_UNSUPPORTED, "%s: cannot be packed", env->file)
           : ld_lmdb_fail(&base->error, env, "backup", code);
  ld_rollback(txn);
  return rc;
}

const ld_engine_ops ld_lmdb_engine = {
    .abi = LD_ENGINE_ABI,
    .name = "lmdb",
    .promises = LD_DURABLE | LD_SNAPSHOT | LD_SHARED | LD_ONE_WRITER,
    .engine_size = sizeof(lmdb_engine),
    .txn_size = sizeof(lmdb_txn),
    .cursor_size = sizeof(lmdb_cursor),
    .options = ld_lmdb_options,
    .open = lmdb_open,
    .close = lmdb_close,
    .begin = lmdb_begin,
    .commit = lmdb_commit,
    .rollback = lmdb_rollback,
    .get = lmdb_get,
    .put = lmdb_put,
    .del = lmdb_del,
    .cursor_open = lmdb_cursor_open,
    .cursor_close = lmdb_cursor_close,
    .cursor_first = lmdb_cursor_first,
    .cursor_last = lmdb_cursor_last,
    .cursor_seek = lmdb_cursor_seek,
    .cursor_next = lmdb_cursor_next,
    .cursor_prev = lmdb_cursor_prev,
    .cursor_current = lmdb_cursor_current,
    .del_range = lmdb_del_range,
    .sync = lmdb_sync,
    .stats = lmdb_stats,
    .check = lmdb_check,
    .salvage = ld_lmdb_salvage,
    .backup = lmdb_backup,
    .replace = ld_lmdb_replace,
};
