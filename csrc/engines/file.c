/* file.c -- the engine that keeps a directory of JSON files: the memory engine's tree, loaded at open and written out at commit.
**
** A write transaction notes which units its rows show in. Its commit renders each of them, writes those that differ from their files, and only then puts its tree in the
** place of the engine's. One process has the directory at a time. */
#include <errno.h>
#include <unistd.h>

#include "file_store.h"

static file_store *store_of(ld_txn *txn) { return file_store_of(txn->engine); }

static ld_rc no_memory(file_store *store) {
  return ld_fail(&store->engine->error, LD_NOMEM, "file: out of memory");
}

/* ---- which units a transaction changes ---- */

static ld_rc mark(file_store *store, char letter, ld_slice key) {
  ld_buf unit = {0};
  ld_buf_byte(&unit, (uint8_t)letter);
  ld_buf_add(&unit, key);
  ld_rc rc =
      unit.failed ? LD_NOMEM : ld_btree_put(&store->changed, ld_buf_slice(&unit), LD_SLICE_NONE);
  ld_buf_clear(&unit);
  return rc == LD_OK ? LD_OK : no_memory(store);
}

/* A row whose unit is known by an alias only. */
static ld_rc mark_alias(file_store *store, ld_slice alias) {
  ld_slice unit;
  if (ld_btree_get(&store->aliases, alias, &unit) != LD_OK)
    return ld_fail(&store->engine->error, LD_CORRUPT, "file: a row belongs to nothing");
  return mark(store, FILE_SHOWN, unit);
}

static ld_rc mark_file(file_store *store) {
  ld_slice unit = ld_buf_slice(&store->place.unit), alias = ld_buf_slice(&store->place.alias);
  if (store->place.unit.failed || store->place.alias.failed) return no_memory(store);
  if (unit.size == 0) return store->loading ? LD_OK : mark_alias(store, alias);
  if (alias.size > 0 && ld_btree_put(&store->aliases, alias, unit) != LD_OK)
    return no_memory(store);
  return store->loading ? LD_OK : mark(store, FILE_SHOWN, unit);
}

static ld_rc note(file_store *store, ld_slice key, ld_slice value) {
  if (store->mirror == NULL) return store->loading ? LD_OK : mark(store, FILE_ROW, key);
  ld_buf_reset(&store->place.unit);
  ld_buf_reset(&store->place.alias);
  ld_shown shown = store->mirror->find(key, value, &store->place);
  if (shown == LD_SHOWN_FILE) return mark_file(store);
  if (shown == LD_SHOWN_DERIVED || (store->loading && shown != LD_SHOWN_AHEAD)) return LD_OK;
  return mark(store,
              shown == LD_SHOWN_AHEAD   ? FILE_AHEAD
              : shown == LD_SHOWN_LOOSE ? FILE_LOOSE
                                        : FILE_ROW,
              key);
}

/* ---- writing ---- */

static ld_rc file_put(ld_txn *txn, ld_slice key, ld_slice value) {
  ld_rc rc = note(store_of(txn), key, value);
  return rc == LD_OK ? ld_memory_put(txn, key, value) : rc;
}

static ld_rc file_del(ld_txn *txn, ld_slice key) {
  ld_slice value;
  ld_rc rc = ld_memory_get(txn, key, &value);
  if (rc == LD_OK) rc = note(store_of(txn), key, value);
  return rc == LD_OK ? ld_memory_del(txn, key) : rc;
}

static ld_rc file_del_range(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count) {
  ld_btree_cursor at = {.top = 0};
  const ld_btree *tree = &((memory_txn *)txn)->tree;
  ld_slice key, value;
  ld_rc rc = LD_OK;
  bool more = from.size == 0 ? ld_btree_first(&at, tree) : ld_btree_seek(&at, tree, from);
  for (; more && rc == LD_OK; more = ld_btree_next(&at)) {
    ld_btree_current(&at, &key, &value);
    if (to.size > 0 && ld_compare(key, to) >= 0) break;
    rc = note(store_of(txn), key, value);
  }
  return rc == LD_OK ? ld_memory_del_range(txn, from, to, count) : rc;
}

/* ---- transactions ---- */

static ld_rc check_writable(const file_store *store, ld_error *error) {
  ld_quoted path;
  ld_quote(ld_text(store->path), path);
  if (store->broken)
    return ld_fail(
        error, LD_IO,
        "file: %s: a commit failed after it was decided; open the store again to finish it", path);
  if (store->settings.read_only && !store->loading)
    return ld_fail(error, LD_MISUSE, "file: %s was opened read_only", path);
  if (store->owner == getpid()) return LD_OK;
  return ld_fail(error, LD_MISUSE, "file: %s belongs to the process that opened it", path);
}

static bool is_writer(const ld_txn *txn) { return txn->writable && txn->parent == NULL; }

static ld_rc begin_writer(file_store *store, ld_txn *txn) {
  ld_rc rc = check_writable(store, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  if (store->writer != NULL)
    return ld_fail(ld_error_of(txn), LD_MISUSE,
                   "a write transaction is open already on another handle of this store");
  store->writer = txn;
  store->engine = txn->engine;
  return LD_OK;
}

static ld_rc file_begin(ld_txn *txn) {
  ld_rc rc = is_writer(txn) ? begin_writer(store_of(txn), txn) : LD_OK;
  return rc == LD_OK ? ld_memory_begin(txn) : rc;
}

static void end_writer(file_store *store) {
  ld_btree_clear(&store->changed);
  store->writer = NULL;
}

static void file_rollback(ld_txn *txn) {
  if (is_writer(txn)) end_writer(store_of(txn));
  ld_memory_rollback(txn);
}

static ld_rc file_commit(ld_txn *txn) {
  ld_rc rc = LD_OK;
  if (!is_writer(txn)) return ld_memory_commit(txn);
  const file_store *store = store_of(txn);
  if (store->changed.entries > 0 && !store->settings.read_only) rc = file_commit_changes(txn);
  if (rc != LD_OK) {
    file_rollback(txn);
    return rc;
  }
  end_writer(store_of(txn));
  return ld_memory_commit(txn);
}

/* ---- opening ---- */

static const char *const options[] = {"path",        "durability", "backups",
                                      "backup_days", "damaged",    "file_mode",
                                      "folder_mode", "read_only",  NULL};

static ld_rc read_mode(const ld_config *config, const char *name, mode_t *mode, ld_error *error) {
  const char *text = ld_option_text(config, name, NULL);
  unsigned bits = 0;
  if (text == NULL) return LD_OK;
  for (const char *at = text; *at != 0; at++) {
    if (*at < '0' || *at > '7' || bits > 0777)
      return ld_fail(error, LD_INVALID, "option %s: expected octal digits such as 0640", name);
    bits = bits * 8 + (unsigned)(*at - '0');
  }
  if (bits == 0 || bits > 0777)
    return ld_fail(error, LD_INVALID, "option %s: expected octal digits such as 0640", name);
  *mode = bits;
  return LD_OK;
}

/* One of two words; the first unless told. */
static ld_rc read_word(const ld_config *config, const char *name, const char *first,
                       const char *second, bool *is_second, ld_error *error) {
  ld_quoted quoted;
  const char *text = ld_option_text(config, name, first);
  *is_second = strcmp(text, second) == 0;
  if (*is_second || strcmp(text, first) == 0) return LD_OK;
  return ld_fail(error, LD_INVALID, "option %s: expected \"%s\" or \"%s\", got %s", name, first,
                 second, ld_quote(ld_text(text), quoted));
}

static ld_rc read_settings(const ld_config *config, file_settings *settings, ld_error *error) {
  bool unsynced = false;
  *settings =
      (file_settings){.file_mode = 0600, .folder_mode = 0700, .backups = 3, .backup_days = 7};
  ld_rc rc = read_word(config, "durability", "commit", "none", &unsynced, error);
  if (rc == LD_OK)
    rc = read_word(config, "damaged", "refuse", "skip", &settings->skip_damaged, error);
  if (rc == LD_OK)
    rc = read_word(config, "read_only", "false", "true", &settings->read_only, error);
  if (rc == LD_OK) rc = ld_option_number(config, "backups", 0, 100, &settings->backups, error);
  if (rc == LD_OK)
    rc = ld_option_number(config, "backup_days", 0, 36500, &settings->backup_days, error);
  if (rc == LD_OK) rc = read_mode(config, "file_mode", &settings->file_mode, error);
  if (rc == LD_OK) rc = read_mode(config, "folder_mode", &settings->folder_mode, error);
  settings->sync = !unsynced;
  return rc;
}

/* Without `durability = "none"` there is nothing left to do. */
static ld_rc file_sync(ld_engine *engine) {
  const file_store *store = file_store_of(engine);
  if (store->disk.sync) return LD_OK;
#ifdef __linux__
  if (syncfs(store->disk.root) != 0) return file_fail(&engine->error, "sync", store->path, errno);
#else
  sync();
#endif
  return LD_OK;
}

static void file_close(ld_engine *engine) { file_share_close((file_engine *)engine); }

/* Whether it has rows of its own; files alone may be anybody's. */
static bool is_made(const file_store *store) {
  ld_btree_cursor at = {.top = 0};
  return ld_btree_seek(&at, &store->files, LD_LITERAL("r"));
}

/* A new one gets its first row; one that is only looked at has it in memory. */
static ld_rc put_first(file_store *store, const ld_config *config) {
  ld_txn *txn;
  if (config->first_key.size == 0 || is_made(store)) return LD_OK;
  store->loading = store->settings.read_only;
  ld_rc rc = ld_begin(store->engine, true, &txn);
  if (rc == LD_OK) rc = ld_put(txn, config->first_key, config->first_value);
  if (rc == LD_OK) rc = ld_commit(txn);
  store->loading = false;
  return rc;
}

static ld_rc replay(file_store *store) {
  file_stamp stamp;
  ld_error *error = &store->engine->error;
  if (!store->settings.read_only) return file_journal_replay(&store->disk, error);
  int code = file_stat(&store->disk, ".larder/journal", &stamp);
  if (code == ENOENT) return LD_OK;
  if (code != 0) return file_fail(error, "look at", ".larder/journal", code);
  return ld_fail(error, LD_IO, "file: a commit was not finished; open the store without read_only");
}

static ld_rc fill(file_store *store, const ld_config *config) {
  ld_rc rc = replay(store);
  if (rc == LD_OK) rc = file_load(store);
  return rc == LD_OK ? put_first(store, config) : rc;
}

static ld_rc file_open(ld_engine *engine, const ld_config *config) {
  file_engine *handle = (file_engine *)engine;
  file_settings settings;
  bool fresh = false;
  const char *path = ld_option_text(config, "path", "");
  if (path[0] == 0) return ld_fail(&engine->error, LD_INVALID, "option path: is missing");
  ld_rc rc = read_settings(config, &settings, &engine->error);
  if (rc == LD_OK) rc = file_share_open(handle, path, &settings, config->mirror, &fresh);
  if (rc == LD_OK && fresh) rc = fill(handle->store, config);
  if (rc == LD_OK || handle->store == NULL) return rc;
  while (engine->txns != NULL) ld_rollback(engine->txns);
  file_share_close(handle);
  return rc;
}

const ld_engine_ops ld_file_engine = {
    .abi = LD_ENGINE_ABI,
    .name = "file",
    .promises = LD_DURABLE | LD_SNAPSHOT | LD_ONE_WRITER,
    .engine_size = sizeof(file_engine),
    .txn_size = sizeof(memory_txn),
    .cursor_size = sizeof(memory_cursor),
    .options = options,
    .open = file_open,
    .close = file_close,
    .begin = file_begin,
    .commit = file_commit,
    .rollback = file_rollback,
    .get = ld_memory_get,
    .put = file_put,
    .del = file_del,
    .cursor_open = ld_memory_cursor_open,
    .cursor_close = ld_memory_cursor_close,
    .cursor_first = ld_memory_cursor_first,
    .cursor_last = ld_memory_cursor_last,
    .cursor_seek = ld_memory_cursor_seek,
    .cursor_next = ld_memory_cursor_next,
    .cursor_prev = ld_memory_cursor_prev,
    .cursor_current = ld_memory_cursor_current,
    .del_range = file_del_range,
    .sync = file_sync,
    .stats = ld_memory_stats,
    .check = ld_memory_check,
    .survey = file_survey,
};
