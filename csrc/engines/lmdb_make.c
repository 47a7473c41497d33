/* lmdb_make.c -- bring a new environment into being, all at once or not at all.
**
** Invariant: data.mdb appears by one link(2), complete and synced; at any earlier moment there is only a file under another
** name, whose maker's process id is in that name. */
#include "lmdb_make.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "lmdb_error.h"

#define MAKING "data.mdb.new-"

/* ---- the folder ---- */

ld_rc ld_lmdb_make_folder(const char *path, bool may_create, char **folder, ld_error *error) {
  if (may_create && !ld_folder_make(path))
    return ld_folder_fail(path, "the folder cannot be made", error);
  char *whole = realpath(path, NULL);
  if (whole == NULL) return ld_folder_fail(path, "the folder cannot be found", error);
  struct stat status;
  if (stat(whole, &status) == 0 && S_ISDIR(status.st_mode)) {
    *folder = whole;
    return LD_OK;
  }
  free(whole);
  return ld_fail(error, LD_INVALID, "%s: is no folder; choose another path", path);
}

/* ---- the file ---- */

static ld_rc put_first_row(const ld_lmdb_env *made, const ld_config *config, ld_error *error) {
  MDB_txn *txn;
  MDB_dbi dbi;
  MDB_val key = {config->first_key.size, (void *)(uintptr_t)config->first_key.data};
  MDB_val value = {config->first_value.size, (void *)(uintptr_t)config->first_value.data};
  int code = mdb_txn_begin(made->mdb, NULL, 0, &txn);
  if (code != 0) return ld_lmdb_fail(error, made, "making a new store", code);
  code = mdb_dbi_open(txn, NULL, 0, &dbi);
  if (code == 0) code = mdb_put(txn, dbi, &key, &value, 0);
  if (code == 0) return ld_lmdb_fail(error, made, "making a new store", mdb_txn_commit(txn));
  mdb_txn_abort(txn);
  return ld_lmdb_fail(error, made, "making a new store", code);
}

static ld_rc fill(const ld_lmdb_env *made, const ld_config *config, ld_error *error) {
  size_t room = 1u << 20;
  while (room < 4 * config->first_value.size) room *= 2;
  int code = mdb_env_set_mapsize(made->mdb, room);
  if (code == 0)
    code = mdb_env_open(made->mdb, made->file, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0600);
  if (code != 0) return ld_lmdb_fail(error, made, "making a new store", code);
  if (config->first_key.size > 0) {
    ld_rc rc = put_first_row(made, config, error);
    if (rc != LD_OK) return rc;
  }
  return ld_lmdb_fail(error, made, "making a new store", mdb_env_sync(made->mdb, 1));
}

/* Fails with EEXIST when `to` is there. */
static bool give_name(const char *from, const char *to) {
  if (link(from, to) == 0) return true;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) return false;
#ifdef RENAME_NOREPLACE
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0; /* no hard links here */
#else
  return false;
#endif
}

/* `made` is no environment to share: it carries the names for liblmdb and for errors. */
static ld_rc build(ld_lmdb_env *made, const char *file, const ld_config *config, ld_error *error) {
  int code = mdb_env_create(&made->mdb);
  if (code != 0) return ld_lmdb_fail(error, made, "making a new store", code);
  ld_rc rc = fill(made, config, error);
  mdb_env_close(made->mdb);
  if (rc != LD_OK || give_name(made->file, file) || errno == EEXIST) return rc;
  return ld_folder_fail(file, "cannot be made", error);
}

ld_rc ld_lmdb_make(char *folder, const ld_config *config, ld_error *error) {
  ld_lmdb_env made = {.folder = folder};
  char file[PATH_MAX], making[PATH_MAX];
  uint32_t number;
  config->env.random(config->env.context, &number, sizeof number);
  int size = snprintf(file, sizeof file, "%s/data.mdb", folder);
  int longer = snprintf(making, sizeof making, "%s/" MAKING "%ld-%08x", folder, (long)getpid(),
                        (unsigned)number);
  if (size < 0 || longer >= (int)sizeof making)
    return ld_fail(error, LD_INVALID, "%s: the path is too long", folder);
  ld_lmdb_make_clean(folder, &config->env);
  made.file = making;
  ld_rc rc = build(&made, file, config, error);
  unlink(making);
  if (rc == LD_OK && !ld_folder_sync(folder))
    return ld_folder_fail(folder, "cannot be synced", error);
  return rc;
}

static bool is_left(const char *name) {
  size_t size = sizeof MAKING - 1;
  if (strncmp(name, MAKING, size) != 0) return false;
  char *end;
  errno = 0;
  long pid = strtol(name + size, &end, 10);
  return errno == 0 && *end == '-' && pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void ld_lmdb_make_clean(const char *folder, const ld_env *log) {
  DIR *listing = opendir(folder);
  if (listing == NULL) return;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (is_left(entry->d_name) && unlinkat(dirfd(listing), entry->d_name, 0) == 0)
      ld_log(log, LD_LOG_WARN, "lmdb: %s: removed %s, left by a killed process", folder,
             entry->d_name);
  closedir(listing);
}
