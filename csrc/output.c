/* output.c -- see output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ld_rc ld_output_rc(int code) {
  switch (code) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG: return LD_FULL;
  case ENOENT:
  case ENOTDIR:
  case ELOOP:
  case ENAMETOOLONG: return LD_INVALID;
  case ENOMEM: return LD_NOMEM;
  default: return LD_IO;
  }
}

int ld_output_write(int file, ld_slice text) {
  while (text.size > 0) {
    ssize_t done = write(file, text.data, text.size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return done < 0 ? errno : EIO;
    text = ld_bytes(text.data + done, text.size - (size_t)done);
  }
  return 0;
}

/* The folder that a path is in, opened. */
static int open_folder(const char *path, int flags) {
  const char *slash = strrchr(path, '/');
  char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
  int file = folder == NULL ? -1 : open(folder, flags | O_CLOEXEC, 0600);
  int code = errno;
  free(folder);
  errno = code;
  return file;
}

static int sync_folder(const char *path) {
  int file = open_folder(path, O_RDONLY | O_DIRECTORY);
  int code = file < 0 ? errno : 0;
  if (file >= 0 && fsync(file) != 0 && errno != EINVAL) code = errno;
  if (file >= 0) close(file);
  return code;
}

/* ---- without a name ---- */

typedef char descriptor_path[64];

static const char *path_of(int descriptor, descriptor_path path) {
  snprintf(path, sizeof(descriptor_path), "/proc/self/fd/%d", descriptor);
  return path;
}

/* -1: the system, or the file system, has no such files. */
static int open_unnamed(const char *path) {
#ifdef O_TMPFILE
  descriptor_path there;
  int file = open_folder(path, O_TMPFILE | O_WRONLY);
  if (file < 0 || access(path_of(file, there), F_OK) == 0) return file;
  close(file);
#else
  (void)path;
#endif
  return -1;
}

/* EEXIST: the name is taken. */
static int give_name(const ld_output *file, const char *name) {
  descriptor_path there;
  const char *from = path_of(file->descriptor, there);
  return linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* The name that it has for a moment, to be renamed; one that is there already was left by a program that was killed in that moment. */
static int give_temporary(ld_output *file) {
  ld_buf_printf(&file->temporary, "%s.tmp", (const char *)file->path.data);
  ld_buf_byte(&file->temporary, 0);
  if (file->temporary.failed) return ENOMEM;
  const char *temporary = (const char *)file->temporary.data;
  int code = give_name(file, temporary);
  if (code == EEXIST && unlink(temporary) == 0) code = give_name(file, temporary);
  if (code != 0) ld_buf_clear(&file->temporary);
  return code;
}

/* ---- with one ---- */

static int open_temporary(ld_output *file, const char *path) {
  enum { TRIES = 100 };
  int descriptor = -1;
  for (unsigned i = 0; i < TRIES && descriptor < 0; i++) {
    ld_buf_reset(&file->temporary);
    ld_buf_printf(&file->temporary, "%s.tmp-%ld-%u", path, (long)getpid(), i);
    ld_buf_byte(&file->temporary, 0);
    if (file->temporary.failed) errno = ENOMEM;
    if (file->temporary.failed) break;
    descriptor = open((const char *)file->temporary.data,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno != EEXIST) break;
  }
  if (descriptor < 0) file->temporary.size = 0; /* nothing to be removed */
  return descriptor;
}

/* ---- the steps ---- */

int ld_output_begin(ld_output *file, const char *path) {
  *file = (ld_output){.descriptor = -1, .owner = getpid()};
  ld_buf_add(&file->path, ld_bytes(path, strlen(path) + 1));
  if (file->path.failed) return ENOMEM;
  file->descriptor = open_unnamed(path);
  if (file->descriptor < 0) file->descriptor = open_temporary(file, path);
  return file->descriptor < 0 ? errno : 0;
}

/* Under its name at once, or under another one first. */
static int put_in_place(ld_output *file, bool replace) {
  const char *path = (const char *)file->path.data;
  int code = 0;
  if (file->temporary.size == 0 && !replace) return give_name(file, path);
  if (file->temporary.size == 0) code = give_temporary(file);
  if (code != 0) return code;
  const char *temporary = (const char *)file->temporary.data;
  if ((replace ? rename(temporary, path) : link(temporary, path)) != 0) code = errno;
  if (code != 0 || !replace) unlink(temporary);
  file->temporary.size = 0;
  return code;
}

int ld_output_publish(ld_output *file, bool replace) {
  int code = fsync(file->descriptor) != 0 ? errno : 0;
  if (code == 0) code = put_in_place(file, replace);
  if (close(file->descriptor) != 0 && code == 0) code = errno;
  file->descriptor = -1;
  return code == 0 ? sync_folder((const char *)file->path.data) : code;
}

void ld_output_end(ld_output *file) {
  if (file->descriptor >= 0) close(file->descriptor);
  if (file->temporary.size > 0 && file->owner == getpid())
    unlink((const char *)file->temporary.data);
  ld_buf_clear(&file->temporary);
  ld_buf_clear(&file->path);
  file->descriptor = -1;
}
