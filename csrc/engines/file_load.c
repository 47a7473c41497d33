/* file_load.c -- from files to rows, when a store is opened.
**
** First the rows in `.larder/rows`, then each JSON file, through the mirror. A file that does not load is replaced by its newest backup that does, and goes to `quarantine/`. Where there
** is none, or it cannot even be read, opening fails, naming it, or leaves it alone when told to; then nothing is ever written over it, for it is no unit's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "file_store.h"

typedef struct load {
  file_store *store;
  ld_txn *txn;
  void *loader;
  ld_buf text, unit, path, key;
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
  ld_buf *key = &job->key;
  file_record record = {.stamp = *stamp};
  ld_rc rc = LD_OK;
  file_hash(ld_buf_slice(&job->text), record.hash);
  ld_buf_reset(key);
  ld_buf_byte(key, (uint8_t)letter);
  ld_buf_add(key, unit);
  if (key->failed) return no_memory(job);
  uint64_t revision =
      letter == FILE_SHOWN ? file_revision_find(job->store, ld_buf_slice(key), record.hash) : 0;
  if (revision > 0) rc = job->store->mirror->set_revision(job->txn, unit, revision);
  if (rc == LD_OK && letter == FILE_SHOWN)
    rc = job->store->mirror->revision(job->txn, unit, &record.revision);
  if (rc != LD_OK) return rc;
  rc = file_record_put(&job->store->files, ld_buf_slice(key), &record, path);
  return rc == LD_OK ? rc : no_memory(job);
}

/* ---- problems ---- */

/* What is wrong is in the engine's error. */
static ld_rc skip(load *job, const char *path) {
  const char *text = error_of(job)->text;
  ld_quoted quoted;
  ld_log(&job->store->engine->env, LD_LOG_WARN, "file: %s: %s", ld_quote(ld_text(path), quoted),
         text);
  ld_rc rc = ld_btree_put(&job->store->skipped, ld_text(path), ld_bytes(text, strlen(text) + 1));
  return rc == LD_OK ? rc : no_memory(job);
}

/* Append those that fit into an error's text. */
static void list_skipped(const load *job, ld_buf *list) {
  enum { MOST = 360 };
  ld_btree_cursor at = {.top = 0};
  ld_slice path, text;
  ld_quoted quoted;
  uint64_t left = job->store->skipped.entries;
  bool more = ld_btree_first(&at, &job->store->skipped);
  for (; more && list->size < MOST; more = ld_btree_next(&at), left--) {
    ld_btree_current(&at, &path, &text);
    ld_buf_printf(list, "%s%s: %s", list->size > 0 ? "; " : "", ld_quote(path, quoted),
                  (const char *)text.data);
  }
  if (left > 0) ld_buf_printf(list, "; and %llu more", (unsigned long long)left);
  ld_buf_byte(list, 0);
}

static ld_rc refuse(load *job) {
  ld_buf list = {0};
  uint64_t count = job->store->skipped.entries;
  if (count == 0 || job->store->settings.skip_damaged) return LD_OK;
  list_skipped(job, &list);
  ld_rc rc = list.failed
                 ? no_memory(job)
                 : ld_fail(error_of(job), LD_CORRUPT,
                           "file: %llu damaged without a good backup (damaged = \"skip\" opens "
                           "without): %s",
                           (unsigned long long)count, (const char *)list.data);
  ld_buf_clear(&list);
  return rc;
}

/* ---- quarantine ---- */

/* quarantine/PATH.TIME, the folder's slashes kept. The file stays where it is as well, unless it `goes`. */
static int quarantine(load *job, const char *path, bool goes) {
  const file_disk *disk = &job->store->disk;
  ld_buf place = {0};
  ld_buf_printf(&place, "quarantine/%s.%lld", path, (long long)ld_now(&job->store->engine->env));
  ld_buf_byte(&place, 0);
  const char *to = (const char *)place.data;
  int code = place.failed ? ENOMEM : file_make_folders(disk, to);
  if (code == 0 && (goes || linkat(disk->root, path, disk->root, to, 0) != 0))
    code = file_rename(disk, path, to);
  if (code == 0) code = file_sync_folder(disk, to);
  ld_buf_clear(&place);
  return code;
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

bool file_is_temporary(const char *path) {
  const char *slash = strrchr(path, '/');
  return strncmp(slash == NULL ? path : slash + 1, ".larder-", 8) == 0;
}

/* Nothing else would be written in its place. */
static ld_rc damaged_row(load *job, const char *path) {
  const file_settings *settings = &job->store->settings;
  ld_fail(error_of(job), LD_CORRUPT, "the row in it is damaged");
  ld_rc rc = skip(job, path);
  if (rc != LD_OK || !settings->skip_damaged || settings->read_only) return rc;
  int code = quarantine(job, path, true);
  return code == 0 ? LD_OK : file_fail(error_of(job), "move away", path, code);
}

static ld_rc load_row(void *context, const char *path) {
  load *job = context;
  file_stamp stamp;
  ld_slice key, value;
  if (file_is_temporary(path)) {
    if (!job->store->settings.read_only) file_remove(&job->store->disk, path);
    return LD_OK;
  }
  int code = file_read(&job->store->disk, path, &job->text, &stamp);
  if (code != 0) return file_fail(error_of(job), "read", path, code);
  if (!file_row_read(ld_buf_slice(&job->text), &key, &value)) return damaged_row(job, path);
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

/* Write the text under a temporary name, and then in the place of the file. */
static int write_over(load *job, const char *path, file_stamp *stamp) {
  const file_disk *disk = &job->store->disk;
  const char *slash = strrchr(path, '/');
  int folder = slash == NULL ? 0 : (int)(slash + 1 - path);
  ld_buf name = {0};
  ld_buf_printf(&name, "%.*s.larder-restored.tmp", folder, path);
  ld_buf_byte(&name, 0);
  const char *made = (const char *)name.data;
  int code = name.failed ? ENOMEM : file_remove(disk, made);
  if (code == 0) code = file_write_new(disk, made, ld_buf_slice(&job->text), stamp);
  if (code == 0) code = quarantine(job, path, false);
  if (code == 0) code = file_rename(disk, made, path);
  if (code == 0) code = file_sync_folder(disk, path);
  ld_buf_clear(&name);
  return code;
}

/* The text at hand is a good backup: it becomes the file. */
static ld_rc restore(load *job, const char *path) {
  file_stamp stamp = {0};
  int code = job->store->settings.read_only ? 0 : write_over(job, path, &stamp);
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
  return skip(job, path);
}

/* Rows may have been written already: all is loaded again, without this file. */
static ld_rc leave(load *job, const char *path) {
  if (ld_btree_put(&job->left, ld_text(path), LD_SLICE_NONE) != LD_OK) return no_memory(job);
  ld_rc rc = skip(job, path);
  job->again = true;
  return rc == LD_OK ? LD_NOTFOUND : rc;
}

static bool is_ours(load *job, const char *path) {
  ld_slice none;
  size_t size = strlen(path);
  if (size < 6 || strcmp(path + size - 5, ".json") != 0) return false;
  if (strncmp(path, "quarantine/", 11) == 0) return false;
  return ld_btree_get(&job->left, ld_text(path), &none) != LD_OK;
}

static void tidy(load *job, const char *path) {
  if (job->store->settings.read_only) return;
  if (file_is_temporary(path)) file_remove(&job->store->disk, path);
  if (file_backup_is(path)) file_backup_expire(job->store, path);
}

static ld_rc load_file(void *context, const char *path) {
  load *job = context;
  file_stamp stamp;
  tidy(job, path);
  if (file_is_temporary(path) || !is_ours(job, path)) return LD_OK;
  int code = file_read(&job->store->disk, path, &job->text, &stamp);
  if (code == ENOENT) return LD_OK;
  if (code != 0) {
    ld_fail(error_of(job), LD_IO, "cannot be read: %s", strerror(code));
    return skip(job, path);
  }
  ld_rc rc = load_text(job, path, &stamp);
  if (rc == LD_OK) return remember(job, FILE_SHOWN, ld_buf_slice(&job->unit), path, &stamp);
  if (rc == LD_NOTFOUND) return LD_OK; /* nobody's */
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
  if (rc == LD_OK) file_revisions_begin(job->store);
  if (rc == LD_OK) return ld_commit(job->txn);
  ld_rollback(job->txn);
  return rc;
}

ld_rc file_load(file_store *store) {
  load job = {.store = store};
  ld_rc rc;
  if (!store->settings.read_only) file_remove(&store->disk, ".larder/loose.new");
  file_revisions_read(store);
  do {
    rc = load_once(&job);
  } while (rc == LD_NOTFOUND && job.again);
  ld_btree_clear(&job.left);
  ld_btree_clear(&store->revisions);
  ld_buf_clear(&job.text);
  ld_buf_clear(&job.unit);
  ld_buf_clear(&job.path);
  ld_buf_clear(&job.key);
  return rc;
}
