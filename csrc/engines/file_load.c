/* file_load.c -- from files to rows, when a store is opened.
**
** First the rows in `.larder/rows`, then each JSON file, through the mirror. A file that does not load is replaced by its newest backup that does, and goes to `quarantine/`. Where there
** is none, opening fails, naming it, or leaves it alone when told to; then nothing is ever written over it, for it is no unit's. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "file_store.h"

typedef struct load {
  file_store *store;
  ld_txn *txn;
  void *loader;
  ld_buf text, unit, path;
  uint64_t problems;
  ld_error first;
  ld_btree left; /* paths that are passed over, after a failure that had written rows already */
  bool again;    /* load all anew: one more is left */
} load;

static ld_error *error_of(load *job) { return &job->store->engine->error; }

static ld_rc no_memory(load *job) {
  return ld_fail(error_of(job), LD_NOMEM, "file: out of memory");
}

/* ---- records ---- */

ld_rc file_record_put(ld_btree *files, ld_slice unit, const file_record *record, const char *path) {
  ld_buf value = {0};
  ld_buf_add(&value, ld_bytes(record, sizeof *record));
  ld_buf_add(&value, ld_bytes(path, strlen(path) + 1));
  ld_rc rc = value.failed ? LD_NOMEM : ld_btree_put(files, unit, ld_buf_slice(&value));
  ld_buf_clear(&value);
  return rc;
}

bool file_record_get(const ld_btree *files, ld_slice unit, file_record *record, const char **path) {
  ld_slice value;
  if (ld_btree_get(files, unit, &value) != LD_OK) return false;
  memcpy(record, value.data, sizeof *record);
  *path = (const char *)value.data + sizeof *record;
  return true;
}

static ld_rc remember(load *job, char letter, ld_slice unit, const char *path,
                      const file_stamp *stamp) {
  ld_buf key = {0};
  file_record record = {.stamp = *stamp};
  file_hash(ld_buf_slice(&job->text), record.hash);
  ld_buf_byte(&key, (uint8_t)letter);
  ld_buf_add(&key, unit);
  uint64_t revision = letter == FILE_SHOWN && !key.failed
                          ? file_revision_find(job->store, ld_buf_slice(&key), record.hash)
                          : 0;
  if (revision > 0) {
    ld_rc renumbered = job->store->mirror->set_revision(job->txn, unit, revision);
    if (renumbered != LD_OK) key.failed = true;
  }
  ld_rc rc = key.failed ? LD_NOMEM
                        : file_record_put(&job->store->files, ld_buf_slice(&key), &record, path);
  ld_buf_clear(&key);
  return rc == LD_OK ? rc : no_memory(job);
}

/* ---- problems ---- */

/* What is wrong is in the engine's error. */
static void tell(load *job, const char *path) {
  ld_quoted quoted;
  ld_fail_in(error_of(job), "%s: ", ld_quote(ld_text(path), quoted));
  ld_log(&job->store->engine->env, LD_LOG_WARN, "file: %s", error_of(job)->text);
  if (job->problems++ == 0) job->first = *error_of(job);
}

static ld_rc refuse(load *job) {
  if (job->problems == 0 || job->store->settings.skip_damaged) return LD_OK;
  return ld_fail(
      error_of(job), LD_CORRUPT,
      "file: %llu damaged files without a good backup (damaged = \"skip\" opens without them): %s",
      (unsigned long long)job->problems, job->first.text);
}

/* ---- rows ---- */

static char letter_of(load *job, ld_slice key, ld_slice value) {
  ld_mirror_place place = {.unit = {0}};
  if (job->store->mirror == NULL) return FILE_ROW;
  ld_shown shown = job->store->mirror->find(key, value, &place);
  ld_buf_clear(&place.unit);
  ld_buf_clear(&place.alias);
  return shown == LD_SHOWN_AHEAD ? FILE_AHEAD : shown == LD_SHOWN_LOOSE ? FILE_LOOSE : FILE_ROW;
}

static ld_rc take_row(load *job, const char *path, const file_stamp *stamp, ld_slice key,
                      ld_slice value) {
  ld_buf loose = {0};
  char letter = letter_of(job, key, value);
  ld_rc rc = remember(job, letter, key, path, stamp);
  if (rc == LD_OK && letter != FILE_ROW && ld_btree_put(&job->store->kept, key, value) != LD_OK)
    rc = no_memory(job);
  if (rc == LD_OK && letter == FILE_LOOSE) file_loose_read(job->store, key, &loose, &value);
  if (rc == LD_OK) rc = ld_put(job->txn, key, value);
  ld_buf_clear(&loose);
  return rc;
}

/* Temporary files that a commit left. */
static bool is_temporary(const char *path) {
  const char *slash = strrchr(path, '/');
  return strncmp(slash == NULL ? path : slash + 1, ".larder-", 8) == 0;
}

static ld_rc load_row(void *context, const char *path) {
  load *job = context;
  file_stamp stamp;
  ld_slice key, value;
  if (is_temporary(path)) {
    file_remove(&job->store->disk, path);
    return LD_OK;
  }
  int code = file_read(&job->store->disk, path, &job->text, &stamp);
  if (code != 0) return file_fail(error_of(job), "read", path, code);
  if (!file_row_read(ld_buf_slice(&job->text), &key, &value)) {
    ld_quoted quoted;
    return ld_fail(error_of(job), LD_CORRUPT, "file: %s is damaged; restore it from a backup",
                   ld_quote(ld_text(path), quoted));
  }
  return take_row(job, path, &stamp, key, value);
}

static ld_rc load_rows(load *job) {
  file_stamp stamp;
  int code = file_stat(&job->store->disk, ".larder/rows", &stamp);
  if (code == ENOENT) return LD_OK;
  if (code != 0) return file_fail(error_of(job), "look at", ".larder/rows", code);
  return file_walk(&job->store->disk, ".larder/rows", load_row, job, error_of(job));
}

/* ---- files ---- */

/* As the mirror knows it. */
static ld_slice mirrored(load *job, const char *path) {
  if (!job->store->flat || strchr(path, '/') != NULL) return ld_text(path);
  ld_buf_reset(&job->path);
  ld_buf_printf(&job->path, "rooms/%s", path);
  return ld_buf_slice(&job->path);
}

static ld_rc load_text(load *job, const char *path, const file_stamp *stamp) {
  ld_buf_reset(&job->unit);
  ld_slice name = mirrored(job, path);
  if (job->path.failed) return no_memory(job);
  return job->store->mirror->load(job->loader, name, ld_buf_slice(&job->text),
                                  stamp->time / 1000000, &job->unit);
}

static ld_rc take_file(load *job, const char *path) {
  file_stamp stamp;
  int code = file_read(&job->store->disk, path, &job->text, &stamp);
  if (code != 0) return file_fail(error_of(job), "read", path, code);
  ld_rc rc = load_text(job, path, &stamp);
  return rc == LD_OK ? remember(job, FILE_SHOWN, ld_buf_slice(&job->unit), path, &stamp) : rc;
}

/* quarantine/PATH.TIME, the folder's slashes kept. */
static int quarantine(load *job, const char *path) {
  const file_disk *disk = &job->store->disk;
  ld_buf place = {0};
  ld_buf_printf(&place, "quarantine/%s.%lld", path, (long long)ld_now(&job->store->engine->env));
  ld_buf_byte(&place, 0);
  int code = place.failed ? ENOMEM : file_make_folders(disk, (const char *)place.data);
  if (code == 0) code = file_rename(disk, path, (const char *)place.data);
  if (code == 0) code = file_sync_folder(disk, (const char *)place.data);
  ld_buf_clear(&place);
  return code;
}

/* The text at hand is a good backup: it becomes the file. */
static ld_rc restore(load *job, const char *path) {
  file_stamp stamp = {0};
  int code = quarantine(job, path);
  if (code == 0) code = file_write_new(&job->store->disk, path, ld_buf_slice(&job->text), &stamp);
  if (code == 0) code = file_sync_folder(&job->store->disk, path);
  if (code != 0) return file_fail(error_of(job), "restore", path, code);
  ld_log(&job->store->engine->env, LD_LOG_WARN, "file: %s: restored from its backup", path);
  return remember(job, FILE_SHOWN, ld_buf_slice(&job->unit), path, &stamp);
}

static ld_rc try_backup(load *job, const char *path, uint64_t n) {
  ld_buf name = {0};
  file_stamp stamp;
  file_backup_path(path, n, &name);
  ld_buf_byte(&name, 0);
  int code = name.failed
                 ? ENOMEM
                 : file_read(&job->store->disk, (const char *)name.data, &job->text, &stamp);
  ld_buf_clear(&name);
  if (code != 0) return LD_NOTFOUND;
  return load_text(job, path, &stamp);
}

static ld_rc from_backups(load *job, const char *path) {
  ld_error why = *error_of(job);
  for (uint64_t n = 1; n <= job->store->settings.backups; n++) {
    ld_rc rc = try_backup(job, path, n);
    if (rc == LD_OK) return restore(job, path);
    if (rc == LD_NOMEM || rc == LD_EXISTS) break;
  }
  *error_of(job) = why;
  tell(job, path);
  return LD_OK;
}

/* Rows may have been written already: all is loaded again, without this file. */
static ld_rc leave(load *job, const char *path) {
  if (ld_btree_put(&job->left, ld_text(path), LD_SLICE_NONE) != LD_OK) return no_memory(job);
  tell(job, path);
  job->again = true;
  return LD_NOTFOUND;
}

static bool is_ours(load *job, const char *path) {
  ld_slice none;
  size_t size = strlen(path);
  if (size < 6 || strcmp(path + size - 5, ".json") != 0) return false;
  if (strncmp(path, "quarantine/", 11) == 0) return false;
  return ld_btree_get(&job->left, ld_text(path), &none) != LD_OK;
}

static ld_rc load_file(void *context, const char *path) {
  load *job = context;
  if (is_temporary(path)) file_remove(&job->store->disk, path);
  if (file_backup_is(path)) file_backup_expire(job->store, path);
  if (is_temporary(path) || !is_ours(job, path)) return LD_OK;
  ld_rc rc = take_file(job, path);
  if (rc == LD_OK || rc == LD_NOTFOUND) return LD_OK; /* not found: nobody's */
  if (rc == LD_EXISTS) return leave(job, path);
  if (rc == LD_NOMEM || job->txn->spoilt != LD_OK) return rc;
  return from_backups(job, path);
}

/* ---- the whole ---- */

/* MovieMatch's own layout: rooms at the top, and no folder for them. */
static ld_rc find_rooms(void *context, const char *path) {
  file_store *store = context;
  size_t size = strlen(path);
  if (strchr(path, '/') != NULL || size < 6 || strcmp(path + size - 5, ".json") != 0) return LD_OK;
  store->flat = true;
  return LD_NOTFOUND;
}

static ld_rc find_layout(load *job) {
  file_store *store = job->store;
  file_stamp stamp;
  if (file_stat(&store->disk, "rooms", &stamp) == 0) return LD_OK;
  ld_rc rc = file_walk(&store->disk, NULL, find_rooms, store, error_of(job));
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc load_files(load *job) {
  const ld_mirror *mirror = job->store->mirror;
  if (mirror == NULL) return LD_OK;
  ld_rc rc = find_layout(job);
  if (rc == LD_OK) rc = mirror->begin_load(job->txn, &job->loader);
  if (rc != LD_OK) return rc;
  rc = file_walk(&job->store->disk, NULL, load_file, job, error_of(job));
  return mirror->end_load(job->loader, rc);
}

static ld_rc load_once(load *job) {
  job->again = false;
  job->store->loading = true;
  ld_btree_clear(&job->store->files);
  ld_btree_clear(&job->store->kept);
  ld_btree_clear(&job->store->changed);
  ld_rc rc = ld_begin(job->store->engine, true, &job->txn);
  if (rc != LD_OK) return rc;
  rc = load_rows(job);
  if (rc == LD_OK) rc = load_files(job);
  job->store->loading = false;
  if (rc == LD_OK) rc = refuse(job);
  if (rc == LD_OK) file_revisions_begin(job->store, job->txn);
  if (rc == LD_OK) return ld_commit(job->txn);
  ld_rollback(job->txn);
  return rc;
}

ld_rc file_load(file_store *store) {
  load job = {.store = store};
  ld_rc rc;
  file_revisions_read(store);
  do {
    rc = load_once(&job);
  } while (rc == LD_NOTFOUND && job.again);
  ld_btree_clear(&job.left);
  ld_btree_clear(&store->revisions);
  ld_buf_clear(&job.text);
  ld_buf_clear(&job.unit);
  ld_buf_clear(&job.path);
  return rc;
}
