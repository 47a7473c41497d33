/* files_local_write.c -- writers: a temporary in the directory of the file, synced, renamed, the directory synced.
**
** A writer holds a lock on its temporary, so that what a killed one left can be told from what is being written. A fork's child that
** ends its copy of the writer leaves the temporary to its parent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files_local.h"

enum { MOST_TRIES = 1000 };

static ld_local *local_of(const ld_local_writer *writer) { return ld_local_of(writer->base.files); }

static ld_file_rc fail(ld_local_writer *writer) {
  return ld_local_fail(local_of(writer), writer->base.path);
}

/* ---- open ---- */

/* What would make the rename fail in the end. 0, or -1 with errno. */
static int look_ahead(const ld_local_writer *writer) {
  struct stat status;
  if (fstatat(writer->dir, writer->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : -1;
  errno = S_ISDIR(status.st_mode) ? EISDIR : EEXIST;
  return errno == EISDIR || writer->if_absent ? -1 : 0;
}

static void name_temporary(ld_local_writer *writer) {
  uint64_t random;
  const ld_env *env = &writer->base.files->env;
  env->random(env->context, &random, sizeof random);
  snprintf(writer->temporary, LD_TEMPORARY, LD_FILES_RESERVED "%016llx",
           (unsigned long long)random);
}

/* Locked and still there: ENOENT when a sweep came before the lock. */
static int lock_temporary(ld_local_writer *writer) {
  struct stat status;
  if (flock(writer->file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) errno = ENOENT;
    return errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1;
  }
  if (fstat(writer->file, &status) != 0) return -1;
  errno = ENOENT;
  return status.st_nlink > 0 ? 0 : -1;
}

static void drop_temporary(ld_local_writer *writer) {
  int number = errno;
  if (writer->temporary[0] != '\0' && writer->pid == getpid())
    unlinkat(writer->dir, writer->temporary, 0);
  writer->temporary[0] = '\0';
  errno = number;
}

static void close_both(ld_local_writer *writer) {
  ld_local_close(writer->file);
  ld_local_close(writer->dir);
  writer->file = writer->dir = -1;
}

/* EEXIST: the name is taken. ENOENT: the directory has gone. */
static int make_temporary(ld_local_writer *writer) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  name_temporary(writer);
  writer->file = openat(writer->dir, writer->temporary, flags, local_of(writer)->file_mode);
  if (writer->file < 0) writer->temporary[0] = '\0';
  return writer->file < 0 ? -1 : lock_temporary(writer);
}

static int try_open(ld_local_writer *writer) {
  bool made;
  size_t size = (size_t)(writer->name - writer->base.path);
  writer->dir =
      ld_local_make_dirs(local_of(writer), writer->base.path, size > 0 ? size - 1 : 0, &made);
  if (writer->dir < 0 || look_ahead(writer) != 0 || make_temporary(writer) != 0) return -1;
  return 0;
}

/* Once more when the directory was removed in between, or its name was taken. */
static bool may_try_again(const ld_local_writer *writer) {
  return (errno == ENOENT && writer->dir >= 0) || (errno == EEXIST && writer->temporary[0] == '\0');
}

ld_file_rc ld_local_writer_open(ld_file_writer *base, unsigned flags) {
  ld_local_writer *writer = (ld_local_writer *)base;
  const char *slash = strrchr(base->path, '/');
  writer->name = slash == NULL ? base->path : slash + 1;
  writer->dir = writer->file = -1;
  writer->pid = getpid();
  writer->if_absent = (flags & LD_FILE_IF_ABSENT) != 0;
  writer->no_sync = (flags & LD_FILE_NO_SYNC) != 0 || local_of(writer)->no_sync;
  for (int tries = 0; try_open(writer) != 0; tries++) {
    bool again = may_try_again(writer) && !(errno == EEXIST && writer->if_absent);
    if (tries == MOST_TRIES || !again) return fail(writer);
    drop_temporary(writer);
    close_both(writer);
  }
  return LD_FILE_OK;
}

/* ---- write ---- */

static ld_file_rc check_process(ld_local_writer *writer) {
  if (writer->pid == getpid()) return LD_FILE_OK;
  return ld_file_fail(&writer->base.files->error, LD_FILE_MISUSE, writer->base.path,
                      "the writer belongs to the process that opened it");
}

ld_file_rc ld_local_write(ld_file_writer *base, ld_slice bytes) {
  const size_t most = (size_t)1 << 30;
  ld_local_writer *writer = (ld_local_writer *)base;
  ld_file_rc rc = check_process(writer);
  while (rc == LD_FILE_OK && bytes.size > 0) {
    ssize_t done = write(writer->file, bytes.data, bytes.size < most ? bytes.size : most);
    if (done < 0 && errno == EINTR) continue;
    if (done == 0) errno = EIO;
    if (done <= 0) return fail(writer);
    bytes = ld_bytes(bytes.data + done, bytes.size - (size_t)done);
  }
  return rc;
}

/* ---- publish ---- */

/* Where the system has no such rename: a second name, then the first one goes. */
static int link_absent(int from_dir, const char *from, int to_dir, const char *to) {
  if (linkat(from_dir, from, to_dir, to, 0) != 0) return -1;
  unlinkat(from_dir, from, 0); /* else it is a temporary without a writer */
  return 0;
}

int ld_local_rename(int from_dir, const char *from, int to_dir, const char *to, bool if_absent) {
  if (!if_absent) return renameat(from_dir, from, to_dir, to);
#ifdef SYS_renameat2
  const unsigned no_replace = 1;
  if (syscall(SYS_renameat2, from_dir, from, to_dir, to, no_replace) == 0) return 0;
  if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return -1;
#endif
  return link_absent(from_dir, from, to_dir, to);
}

/* The file is closed, and with it its lock given up, when the temporary is one no more. */
static int publish(ld_local_writer *writer) {
  if (!writer->no_sync && fsync(writer->file) != 0) return -1;
  if (ld_local_rename(writer->dir, writer->temporary, writer->dir, writer->name,
                      writer->if_absent) != 0)
    return -1;
  writer->temporary[0] = '\0';
  return writer->no_sync ? 0 : ld_local_sync_dir(local_of(writer), writer->dir);
}

ld_file_rc ld_local_publish(ld_file_writer *base) {
  ld_local_writer *writer = (ld_local_writer *)base;
  ld_file_rc rc = check_process(writer);
  if (rc == LD_FILE_OK && publish(writer) != 0) rc = fail(writer);
  drop_temporary(writer);
  close_both(writer);
  return rc;
}

void ld_local_discard(ld_file_writer *base) {
  ld_local_writer *writer = (ld_local_writer *)base;
  drop_temporary(writer);
  close_both(writer);
}
