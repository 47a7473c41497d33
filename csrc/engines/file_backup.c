/* file_backup.c -- what a file was before: NAME.json.backup.1 the last, up to the nth. Names with a number behind their `.json` are no unit's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_engine.h"
#include "file_store.h"

void file_backup_path(const char *path, uint64_t n, ld_buf *backup) {
  ld_buf_printf(backup, "%s.backup.%llu", path, (unsigned long long)n);
}

void file_backup_rotate(const file_store *store, const char *path) {
  ld_buf from = {0}, to = {0};
  for (uint64_t n = store->settings.backups; n > 0; n--) {
    ld_buf_reset(&from);
    ld_buf_reset(&to);
    if (n > 1) file_backup_path(path, n - 1, &from);
    if (n == 1) ld_buf_add(&from, ld_text(path));
    file_backup_path(path, n, &to);
    ld_buf_byte(&from, 0);
    ld_buf_byte(&to, 0);
    if (from.failed || to.failed) break;
    const char *source = (const char *)from.data, *target = (const char *)to.data;
    if (n > 1)
      file_rename(&store->disk, source, target);
    else
      linkat(store->disk.root, source, store->disk.root, target, 0);
  }
  ld_buf_clear(&from);
  ld_buf_clear(&to);
}

void file_backup_remove(const file_store *store, const char *path) {
  ld_buf name = {0};
  for (uint64_t n = 1; n <= store->settings.backups; n++) {
    ld_buf_reset(&name);
    file_backup_path(path, n, &name);
    ld_buf_byte(&name, 0);
    if (name.failed || file_remove(&store->disk, (const char *)name.data) != 0) break;
  }
  ld_buf_clear(&name);
}

bool file_backup_is(const char *path) {
  const char *at = strstr(path, ".json.backup.");
  while (at != NULL && strstr(at + 1, ".json.backup.") != NULL)
    at = strstr(at + 1, ".json.backup.");
  if (at == NULL) return false;
  at += strlen(".json.backup.");
  return *at != 0 && at[strspn(at, "0123456789")] == 0;
}

void file_backup_expire(const file_store *store, const char *path) {
  file_stamp stamp;
  int64_t days = (int64_t)store->settings.backup_days;
  int64_t now = ld_now(&store->engine->env);
  if (file_stat(&store->disk, path, &stamp) != 0) return;
  if (now - stamp.changed / 1000000 > days * 24 * 60 * 60 * 1000) file_remove(&store->disk, path);
}

/* ---- for programs ---- */

/* The paths of a unit's file, as the mirror has it and as it is, both with their NUL. */
typedef struct backup_paths {
  ld_buf mirrored, real, text;
} backup_paths;

static void clear_paths(backup_paths *paths) {
  ld_buf_clear(&paths->mirrored);
  ld_buf_clear(&paths->real);
  ld_buf_clear(&paths->text);
}

static ld_rc no_memory(ld_txn *txn) {
  return ld_fail(ld_error_of(txn), LD_NOMEM, "file: out of memory");
}

static ld_rc known_path(const file_store *store, ld_slice unit, backup_paths *paths) {
  ld_buf key = {0};
  file_record record;
  const char *path = (const char *)paths->mirrored.data;
  ld_buf_byte(&key, FILE_SHOWN);
  ld_buf_add(&key, unit);
  if (store->flat && strncmp(path, "rooms/", 6) == 0) path += 6;
  if (!key.failed) file_record_get(&store->files, ld_buf_slice(&key), &record, &path);
  ld_buf_add(&paths->real, ld_text(path));
  ld_rc rc = key.failed || paths->real.failed ? LD_NOMEM : LD_OK;
  ld_buf_clear(&key);
  return rc;
}

static ld_rc find_paths(ld_txn *txn, ld_slice unit, backup_paths *paths) {
  if (txn->engine->ops->open != ld_file_engine.open)
    return ld_fail(ld_error_of(txn), LD_UNSUPPORTED, "backups of documents: only file: has them");
  const file_store *store = file_store_of(txn->engine);
  ld_rc rc = store->mirror->render(txn, unit, &paths->mirrored, &paths->text);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  ld_buf_byte(&paths->mirrored, 0);
  rc = paths->mirrored.failed ? LD_NOMEM : known_path(store, unit, paths);
  ld_buf_byte(&paths->real, 0);
  return rc == LD_OK && !paths->real.failed ? LD_OK : no_memory(txn);
}

static int look(const file_store *store, const backup_paths *paths, uint64_t n, ld_buf *text,
                file_stamp *stamp) {
  ld_buf name = {0};
  file_backup_path((const char *)paths->real.data, n, &name);
  ld_buf_byte(&name, 0);
  const char *path = (const char *)name.data;
  int code = name.failed    ? ENOMEM
             : text == NULL ? file_stat(&store->disk, path, stamp)
                            : file_read(&store->disk, path, text, stamp);
  ld_buf_clear(&name);
  return code;
}

ld_rc ld_file_backups(ld_txn *txn, ld_slice unit, ld_file_backup visit, void *context) {
  backup_paths paths = {.text = {0}};
  file_stamp stamp;
  ld_rc rc = find_paths(txn, unit, &paths);
  uint64_t most = rc == LD_OK ? file_store_of(txn->engine)->settings.backups : 0;
  for (uint64_t n = 1; n <= most; n++)
    if (look(file_store_of(txn->engine), &paths, n, NULL, &stamp) == 0)
      visit(context, n, stamp.time / 1000000, stamp.size);
  clear_paths(&paths);
  return rc;
}

static ld_rc replace(ld_txn *txn, backup_paths *paths, uint64_t n) {
  ld_quoted quoted;
  file_stamp stamp;
  const file_store *store = file_store_of(txn->engine);
  const char *real = (const char *)paths->real.data;
  int code = look(store, paths, n, &paths->text, &stamp);
  if (code == ENOENT) return LD_NOTFOUND;
  if (code != 0) return file_fail(ld_error_of(txn), "read a backup of", real, code);
  ld_rc rc = store->mirror->replace(txn, ld_text((const char *)paths->mirrored.data),
                                    ld_buf_slice(&paths->text));
  if (rc == LD_INVALID)
    ld_fail_in(ld_error_of(txn), "backup %llu of %s is damaged: ", (unsigned long long)n,
               ld_quote(ld_text(real), quoted));
  return rc;
}

ld_rc ld_file_restore(ld_txn *txn, ld_slice unit, uint64_t n) {
  backup_paths paths = {.text = {0}};
  ld_rc rc = find_paths(txn, unit, &paths);
  if (rc == LD_OK) rc = replace(txn, &paths, n);
  clear_paths(&paths);
  return rc;
}
