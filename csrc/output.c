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

/* The folder that a path is in. */
static int sync_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
  int file = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int code = file < 0 ? errno : 0;
  if (file >= 0 && fsync(file) != 0 && errno != EINVAL) code = errno;
  if (file >= 0) close(file);
  free(folder);
  return code;
}

int ld_output_begin(ld_output *file, const char *path) {
  enum { TRIES = 100 };
  *file = (ld_output){.descriptor = -1};
  ld_buf_add(&file->path, ld_bytes(path, strlen(path) + 1));
  for (unsigned i = 0; i < TRIES && file->descriptor < 0; i++) {
    ld_buf_reset(&file->temporary);
    ld_buf_printf(&file->temporary, "%s.tmp-%ld-%u", path, (long)getpid(), i);
    ld_buf_byte(&file->temporary, 0);
    if (file->path.failed || file->temporary.failed) errno = ENOMEM;
    if (file->path.failed || file->temporary.failed) break;
    file->descriptor = open((const char *)file->temporary.data,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->descriptor < 0 && errno != EEXIST) break;
  }
  file->owner = getpid();
  return file->descriptor < 0 ? errno : 0;
}

int ld_output_publish(ld_output *file, bool replace) {
  const char *path = (const char *)file->path.data, *temporary = (const char *)file->temporary.data;
  int code = fsync(file->descriptor) != 0 ? errno : 0;
  if (close(file->descriptor) != 0 && code == 0) code = errno;
  file->descriptor = -1;
  if (code == 0 && (replace ? rename(temporary, path) : link(temporary, path)) != 0) code = errno;
  if (code != 0 || !replace) unlink(temporary);
  ld_buf_clear(&file->temporary);
  return code == 0 ? sync_folder(path) : code;
}

void ld_output_end(ld_output *file) {
  if (file->descriptor >= 0) close(file->descriptor);
  if (file->temporary.data != NULL && file->owner == getpid())
    unlink((const char *)file->temporary.data);
  ld_buf_clear(&file->temporary);
  ld_buf_clear(&file->path);
  file->descriptor = -1;
}
