/* files_local_dir.c -- directories beneath the root: opened in one call with openat2, or part by part, without following a link. */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_openat2) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#define HAS_OPENAT2 1
#endif

#include "files_local.h"

enum { DIR_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, MOST_TRIES = 1000 };

void ld_local_close(int file) {
  int number = errno;
  if (file >= 0) close(file);
  errno = number;
}

DIR *ld_local_list_dir(int file) {
  DIR *dir = file < 0 ? NULL : fdopendir(file);
  if (dir == NULL) ld_local_close(file);
  return dir;
}

int ld_local_sync_dir(const ld_local *local, int dir) {
  if (local->no_sync || fsync(dir) == 0) return 0;
  return errno == EINVAL ? 0 : -1; /* a file system without */
}

/* ---- open ---- */

/* One part. What is no directory because it is a link is ELOOP, as openat2 has it. */
static int open_part(int dir, const char *name, int flags) {
  struct stat status;
  int file = openat(dir, name, flags | DIR_FLAGS);
  if (file >= 0 || errno != ENOTDIR) return file;
  errno = fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)
              ? ELOOP
              : ENOTDIR;
  return -1;
}

/* Cut the first part off `path`; false when it is none. Parts of other programs' names may be longer than ours, never than NAME_MAX. */
static bool next_part(const char **path, char part[LD_PATH_PART_MAX + 1]) {
  size_t size = strcspn(*path, "/");
  if (size == 0 || size > LD_PATH_PART_MAX) return false;
  memcpy(part, *path, size);
  part[size] = '\0';
  *path += size + ((*path)[size] == '/');
  return true;
}

static int open_by_parts(int base, const char *path, int flags) {
  char part[LD_PATH_PART_MAX + 1];
  int dir = base;
  while (dir >= 0 && next_part(&path, part)) {
    int below = open_part(dir, part, *path == '\0' ? flags : O_PATH);
    if (dir != base) ld_local_close(dir);
    dir = below;
  }
  if (dir < 0 || *path == '\0') return dir;
  if (dir != base) ld_local_close(dir);
  errno = ENAMETOOLONG;
  return -1;
}

static int open_whole(int base, const char *path, int flags) {
#ifdef HAS_OPENAT2
  struct open_how how = {.flags = (unsigned)(flags | O_DIRECTORY | O_CLOEXEC),
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  for (int tries = 0;; tries++) {
    long dir = syscall(SYS_openat2, base, path, &how, sizeof how);
    if (dir >= 0 || errno != EAGAIN || tries == MOST_TRIES) return (int)dir;
  }
#else
  (void)base, (void)path, (void)flags;
  errno = ENOSYS;
  return -1;
#endif
}

int ld_local_open_dir(const ld_local *local, int base, const char *path, int flags) {
  if (path[0] == '\0') return openat(base, ".", flags | DIR_FLAGS);
  if (local->by_parts) return open_by_parts(base, path, flags);
  int dir = open_whole(base, path, flags);
  if (dir >= 0 || (errno != ENAMETOOLONG && errno != ENOSYS && errno != EPERM)) return dir;
  return open_by_parts(base, path, flags); /* a tree too deep for one call, a filter of calls */
}

int ld_local_open_parent(const ld_local *local, const char *path, int flags, const char **name) {
  char above[LD_PATH_MAX + 1];
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 0 : (size_t)(slash - path);
  memcpy(above, path, size);
  above[size] = '\0';
  *name = slash == NULL ? path : slash + 1;
  return ld_local_open_dir(local, local->root, above, flags);
}

/* ---- make ---- */

static int make_part(const ld_local *local, int dir, const char *name, bool *made) {
  if (mkdirat(dir, name, local->dir_mode) != 0) return errno == EEXIST ? 0 : -1;
  *made = true;
  return ld_local_sync_dir(local, dir);
}

/* Somebody may remove it between the two calls. */
static int open_or_make(const ld_local *local, int dir, const char *name, bool *made) {
  for (int tries = 0; tries < MOST_TRIES; tries++) {
    int below = open_part(dir, name, O_RDONLY);
    if (below >= 0 || errno != ENOENT) return below;
    if (make_part(local, dir, name, made) != 0) return -1;
  }
  return -1;
}

static int make_by_parts(const ld_local *local, const char *path, bool *made) {
  char part[LD_PATH_PART_MAX + 1];
  int dir = ld_local_open_dir(local, local->root, "", O_RDONLY);
  while (dir >= 0 && next_part(&path, part)) {
    int below = open_or_make(local, dir, part, made);
    ld_local_close(dir);
    dir = below;
  }
  return dir;
}

/* Again from the root when a directory went while something was made in it. */
int ld_local_make_dirs(const ld_local *local, const char *path, size_t size, bool *made) {
  char whole[LD_PATH_MAX + 1];
  memcpy(whole, path, size);
  whole[size] = '\0';
  *made = false;
  int dir = ld_local_open_dir(local, local->root, whole, O_RDONLY);
  for (int tries = 0; dir < 0 && errno == ENOENT && tries < MOST_TRIES; tries++)
    dir = make_by_parts(local, whole, made);
  return dir;
}

/* ---- temporaries ---- */

bool ld_local_is_temporary(const char *name) {
  return strncmp(name, LD_FILES_RESERVED, sizeof LD_FILES_RESERVED - 1) == 0;
}

/* Opened, and locked in the place of its writer. */
static int lock_orphan(int dir, const char *name) {
  int file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  ld_local_close(file);
  return -1;
}

bool ld_local_is_orphan(int dir, const char *name) {
  int file = lock_orphan(dir, name);
  if (file < 0) return errno == ELOOP; /* a link is nobody's temporary */
  close(file);
  return true;
}

int ld_local_remove_orphan(int dir, const char *name) {
  int file = lock_orphan(dir, name);
  if (file < 0 && errno != ELOOP) {
    errno = ENOENT;
    return -1;
  }
  int rc = unlinkat(dir, name, 0);
  ld_local_close(file);
  return rc;
}
