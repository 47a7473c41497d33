/* files_local_remove.c -- directories removed, with what is in them.
**
** A tree goes from the bottom up with one descriptor, however deep it is: in a directory all goes that can go; at the first directory
** that is not empty the way leads down, and from there up again. A link is unlinked; each directory on the way down is opened
** beneath the first one, and no link can lead elsewhere. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "files_local.h"

enum { MOST_ROUNDS = 1000 }; /* of coming back to what somebody fills, or swaps, meanwhile */

typedef struct removal {
  const ld_local *local;
  int parent;       /* of the tree */
  const char *name; /* of the tree, in it */
  bool force;
  unsigned rounds;
  ld_buf path; /* from `parent` to the directory at work, with a NUL */
} removal;

static bool is_self(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* The system says EISDIR or EPERM where a directory stands. */
static int remove_entry(int dir, const char *name, bool is_dir) {
  if (unlinkat(dir, name, is_dir ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT) return 0;
  if (!is_dir && (errno == EISDIR || errno == EPERM)) return unlinkat(dir, name, AT_REMOVEDIR);
  return is_dir && errno == ENOTDIR ? unlinkat(dir, name, 0) : -1;
}

/* Remove what can be removed; ENOTEMPTY at a directory that is not empty, whose name comes behind the path. */
static int clear_dir(removal *job, DIR *dir) {
  const struct dirent *entry;
  while (errno = 0, (entry = readdir(dir)) != NULL) {
    if (is_self(entry->d_name)) continue;
    if (remove_entry(dirfd(dir), entry->d_name, entry->d_type == DT_DIR) == 0) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) return -1;
    if (job->force) fchmodat(dirfd(dir), entry->d_name, 0700, AT_SYMLINK_NOFOLLOW);
    job->path.data[job->path.size - 1] = '/';
    ld_buf_add(&job->path, ld_bytes(entry->d_name, strlen(entry->d_name) + 1));
    errno = job->path.failed ? ENOMEM : ENOTEMPTY;
    return -1;
  }
  return errno == 0 ? 0 : -1;
}

static int clear_current(removal *job) {
  const char *path = (const char *)job->path.data;
  DIR *dir = ld_local_list_dir(ld_local_open_dir(job->local, job->parent, path, O_RDONLY));
  if (dir == NULL) return -1;
  int rc = clear_dir(job, dir), code = errno;
  closedir(dir);
  errno = code;
  return rc;
}

/* False at the tree itself. */
static bool go_up(removal *job) {
  const char *path = (const char *)job->path.data, *slash = strrchr(path, '/');
  if (slash == NULL) return false;
  job->path.size = (size_t)(slash - path) + 1;
  job->path.data[job->path.size - 1] = '\0';
  return true;
}

/* A directory on the way that went, or became a link: what is there now is seen from above. */
static bool was_swapped(void) { return errno == ENOENT || errno == ENOTDIR || errno == ELOOP; }

/* One round: down, or up. 1: the tree is empty. */
static int step(removal *job) {
  int rc = clear_current(job);
  if (rc != 0 && errno == ENOTEMPTY) return 0;
  if (rc != 0 && (!was_swapped() || ++job->rounds == MOST_ROUNDS)) return -1;
  return go_up(job) ? 0 : rc != 0 ? -1 : 1;
}

static int remove_tree(removal *job) {
  ld_buf_add(&job->path, ld_bytes(job->name, strlen(job->name) + 1));
  if (job->path.failed) errno = ENOMEM;
  if (job->path.failed) return -1;
  if (job->force) fchmodat(job->parent, job->name, 0700, AT_SYMLINK_NOFOLLOW);
  for (;;) {
    int rc = step(job);
    if (rc == 0) continue;
    if (rc < 0) return -1;
    if (unlinkat(job->parent, job->name, AT_REMOVEDIR) == 0) return 0;
    if (errno != ENOTEMPTY || ++job->rounds == MOST_ROUNDS) return -1;
  }
}

/* ---- without what is in it ---- */

/* Whether nothing but orphaned temporaries is there. */
static bool holds_orphans_only(DIR *dir) {
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL)
    if (!is_self(entry->d_name) &&
        !(ld_local_is_temporary(entry->d_name) && ld_local_is_orphan(dirfd(dir), entry->d_name)))
      return false;
  return true;
}

static void remove_orphans(const ld_local *local, int parent, const char *name) {
  const struct dirent *entry;
  DIR *dir = ld_local_list_dir(ld_local_open_dir(local, parent, name, O_RDONLY));
  if (dir == NULL) return;
  if (holds_orphans_only(dir))
    for (rewinddir(dir); (entry = readdir(dir)) != NULL;)
      if (ld_local_is_temporary(entry->d_name)) ld_local_remove_orphan(dirfd(dir), entry->d_name);
  closedir(dir);
}

/* A link is told from what is no directory otherwise. */
static int refuse(const ld_local *local, int parent, const char *name) {
  int file = ld_local_open_dir(local, parent, name, O_PATH);
  if (file >= 0) errno = ENOTDIR;
  ld_local_close(file);
  return -1;
}

static int remove_empty(const ld_local *local, int parent, const char *name) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return 0;
  if (errno == ENOTDIR) return refuse(local, parent, name);
  if (errno != ENOTEMPTY && errno != EEXIST) return -1;
  remove_orphans(local, parent, name);
  int rc = unlinkat(parent, name, AT_REMOVEDIR);
  if (rc != 0 && errno == EEXIST) errno = ENOTEMPTY;
  return rc;
}

ld_file_rc ld_local_remove_dir(ld_files *files, const char *path, unsigned flags) {
  ld_local *local = ld_local_of(files);
  removal job = {.local = local, .force = (flags & LD_FILE_FORCE) != 0};
  job.parent = ld_local_open_parent(local, path, O_RDONLY, &job.name);
  int rc = job.parent < 0                     ? -1
           : (flags & LD_FILE_RECURSIVE) != 0 ? remove_tree(&job)
                                              : remove_empty(local, job.parent, job.name);
  if (rc == 0) rc = ld_local_sync_dir(local, job.parent);
  ld_local_close(job.parent);
  int code = errno;
  ld_buf_clear(&job.path);
  return rc == 0 ? LD_FILE_OK : ld_file_fail_errno(&files->error, code, path);
}
