/* lmdb_replace.c -- see ld_replace in medium.h.
**
** Invariant: data.mdb is there, whole, at every moment: the old file gets a second name aside first, then the new one takes its name by rename(2). A kill in
** between leaves a second name only, which the next replacement removes. */
#include "lmdb_replace.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "lmdb_env.h"

/* Of the folders beside `aside`, those that have a name of the store's present data: a replacement was killed before it was one. */
static void forget_unfinished(const char *aside, const struct stat *data) {
  char above[PATH_MAX], kept[PATH_MAX], path[PATH_MAX];
  struct stat status;
  ld_folder_above(aside, above);
  DIR *listing = opendir(above);
  if (listing == NULL) return;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] != '.' && ld_folder_path(above, entry->d_name, kept, NULL) == LD_OK &&
        ld_folder_path(kept, "data.mdb", path, NULL) == LD_OK && lstat(path, &status) == 0 &&
        status.st_ino == data->st_ino && status.st_dev == data->st_dev)
      ld_folder_remove(kept);
  closedir(listing);
}

/* A second name; a copy where the file system has no second names. */
static bool keep_file(const char *path, const char *kept) {
  if (link(path, kept) == 0) return true;
  if (errno != EPERM && errno != EXDEV && errno != EMLINK && errno != EOPNOTSUPP && errno != ENOSYS)
    return false;
  return ld_folder_copy_file(path, kept, NULL, NULL);
}

/* The note of a failed meta page (lmdb_txn.c) belongs to the data. */
static ld_rc keep_old(const char *data, const char *note, const char *aside, ld_error *error) {
  char kept[PATH_MAX], kept_note[PATH_MAX];
  ld_rc rc = ld_folder_path(aside, "data.mdb", kept, error);
  if (rc == LD_OK) rc = ld_folder_path(aside, "data.mdb.failed", kept_note, error);
  if (rc != LD_OK) return rc;
  if (!ld_folder_make(aside)) return ld_folder_fail(aside, "cannot be made", error);
  if (!keep_file(data, kept)) return ld_folder_fail(aside, "cannot keep the old data", error);
  if (access(note, F_OK) == 0 && !keep_file(note, kept_note))
    return ld_folder_fail(aside, "cannot keep the old data", error);
  if (!ld_folder_sync(aside)) return ld_folder_fail(aside, "cannot be synced", error);
  return LD_OK;
}

static ld_rc put_in_place(const ld_replace *replace, const char *data, const char *note,
                          ld_error *error) {
  struct stat old;
  bool there = lstat(data, &old) == 0;
  if (there && replace->aside == NULL)
    return ld_fail(error, LD_EXISTS, "%s: there is a store", replace->folder);
  if (there) {
    forget_unfinished(replace->aside, &old);
    ld_rc rc = keep_old(data, note, replace->aside, error);
    if (rc != LD_OK) return rc;
  }
  if (rename(replace->data, data) != 0) {
    ld_rc rc = ld_folder_fail(data, "cannot be put in place", error);
    if (there) forget_unfinished(replace->aside, &old);
    return rc;
  }
  unlink(note);
  if (!ld_folder_sync(replace->folder))
    return ld_folder_fail(replace->folder, "cannot be synced", error);
  return LD_OK;
}

/* Without an old one, link(2) instead of rename(2): another process may make a store at this moment, and then has one. */
static ld_rc put_first(const ld_replace *replace, const char *data, ld_error *error) {
  if (link(replace->data, data) != 0) {
    if (errno == EEXIST) return LD_EXISTS;
    if (rename(replace->data, data) != 0)
      return ld_folder_fail(data, "cannot be put in place", error);
  }
  unlink(replace->data);
  if (!ld_folder_sync(replace->folder))
    return ld_folder_fail(replace->folder, "cannot be synced", error);
  return LD_OK;
}

ld_rc ld_lmdb_replace(const ld_replace *replace, ld_error *error) {
  char data[PATH_MAX], note[PATH_MAX];
  struct stat status;
  int lock;
  ld_rc rc = ld_folder_path(replace->folder, "data.mdb", data, error);
  if (rc == LD_OK) rc = ld_folder_path(replace->folder, "data.mdb.failed", note, error);
  if (rc == LD_OK) rc = ld_lmdb_env_exclude(replace->folder, &lock, error);
  if (rc != LD_OK) return rc;
  rc = LD_EXISTS;
  if (replace->data == NULL) rc = LD_OK;
  if (rc == LD_EXISTS && lstat(data, &status) != 0) rc = put_first(replace, data, error);
  if (rc == LD_EXISTS) rc = put_in_place(replace, data, note, error);
  ld_lmdb_env_readmit(lock);
  return rc;
}
