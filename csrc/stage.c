/* stage.c -- see stage.h. */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

#define MARK ".larder-"

/* 0, or errno; EWOULDBLOCK: somebody else has it. */
static int lock_folder(int folder) {
  int code;
  do code = flock(folder, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  while (code == EINTR);
  return code;
}

static int open_folder(const char *path) {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whether the folder still has its name: a sweeper may have taken it before it was locked. */
static bool is_whole(int folder, const char *path) {
  struct stat named, opened;
  return fstat(folder, &opened) == 0 && lstat(path, &named) == 0 && named.st_ino == opened.st_ino &&
         named.st_dev == opened.st_dev;
}

/* ---- making ---- */

static ld_rc new_name(const char *parent, char *path, ld_error *error) {
  ld_env env = ld_env_system();
  uint32_t number;
  char name[sizeof MARK + 8];
  env.random(env.context, &number, sizeof number);
  snprintf(name, sizeof name, MARK "%08x", (unsigned)number);
  return ld_folder_path(parent, name, path, error);
}

/* One try. A lock that cannot be had at all is done without. */
static bool make_one(const char *path, int *lock) {
  if (mkdir(path, 0700) != 0) return false;
  *lock = open_folder(path);
  if (*lock < 0) return false;
  if (lock_folder(*lock) != EWOULDBLOCK && is_whole(*lock, path)) return true;
  close(*lock);
  errno = EEXIST;
  return false;
}

ld_rc ld_stage_make(const char *parent, ld_stage *stage, ld_error *error) {
  enum { TRIES = 100 };
  char path[PATH_MAX];
  int lock = -1;
  bool made = false;
  if (!ld_folder_make(parent)) return ld_folder_fail(parent, "the folder cannot be made", error);
  for (int i = 0; !made && i < TRIES; i++) {
    ld_rc rc = new_name(parent, path, error);
    if (rc != LD_OK) return rc;
    made = make_one(path, &lock);
    if (!made && errno != EEXIST) break;
  }
  if (!made) return ld_folder_fail(path, "the folder cannot be made", error);
  stage->path = strdup(path);
  stage->lock = lock;
  if (stage->path != NULL) return LD_OK;
  rmdir(path);
  close(lock);
  return ld_fail(error, LD_NOMEM, "%s: out of memory", parent);
}

/* ---- ending ---- */

static void end(ld_stage *stage) {
  free(stage->path);
  close(stage->lock);
  *stage = (ld_stage){NULL, -1};
}

ld_rc ld_stage_publish(ld_stage *stage, const char *path, ld_error *error) {
  struct stat status;
  char above[PATH_MAX];
  if (!ld_folder_sync(stage->path)) return ld_folder_fail(stage->path, "cannot be synced", error);
  if (lstat(path, &status) == 0)
    return ld_fail(error, LD_EXISTS, "%s: is there already; choose another path", path);
  if (rename(stage->path, path) != 0) return ld_folder_fail(path, "cannot be made", error);
  end(stage);
  ld_folder_above(path, above);
  if (!ld_folder_sync(above)) return ld_folder_fail(above, "cannot be synced", error);
  return LD_OK;
}

void ld_stage_remove(ld_stage *stage) {
  if (stage->path == NULL) return;
  ld_folder_remove(stage->path);
  end(stage);
}

/* ---- what is left ---- */

static bool sweep_one(const char *path) {
  int folder = open_folder(path);
  if (folder < 0) return false;
  bool swept = lock_folder(folder) == 0 && is_whole(folder, path) && ld_folder_remove(path);
  close(folder);
  return swept;
}

void ld_stage_sweep(const char *parent, const ld_env *log) {
  char path[PATH_MAX];
  DIR *listing = opendir(parent);
  if (listing == NULL) return;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (strncmp(entry->d_name, MARK, sizeof MARK - 1) == 0 &&
        ld_folder_path(parent, entry->d_name, path, NULL) == LD_OK && sweep_one(path))
      ld_log(log, LD_LOG_WARN, "%s: removed %s, left by a killed process", parent, entry->d_name);
  closedir(listing);
}

/* Synced in between, so that no power loss brings the name back to less than all of it. */
ld_rc ld_stage_drop(const char *path, ld_error *error) {
  char above[PATH_MAX], hidden[PATH_MAX];
  ld_folder_above(path, above);
  ld_rc rc = new_name(above, hidden, error);
  if (rc != LD_OK) return rc;
  if (rename(path, hidden) != 0 || !ld_folder_sync(above) || !ld_folder_remove(hidden))
    return ld_folder_fail(path, "cannot be removed", error);
  return LD_OK;
}

ld_rc ld_stage_hold(const char *path, int *lock, ld_error *error) {
  int folder = open_folder(path);
  if (folder < 0) return ld_folder_fail(path, "cannot be opened", error);
  if (lock_folder(folder) != EWOULDBLOCK) {
    *lock = folder;
    return LD_OK;
  }
  close(folder);
  return ld_fail(error, LD_BUSY, "%s: another one is at work there", path);
}
