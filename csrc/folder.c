/* folder.c -- see folder.h. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ld_rc ld_folder_fail(const char *path, const char *what, ld_error *error) {
  int code = errno;
  bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  ld_rc rc = full ? LD_FULL : code == ENOMEM ? LD_NOMEM : LD_IO;
  return ld_fail(error, rc, "%s: %s: %s", path, what, strerror(code));
}

ld_rc ld_folder_path(const char *folder, const char *name, char *path, ld_error *error) {
  int size = snprintf(path, PATH_MAX, "%s/%s", folder, name);
  if (size >= 0 && size < PATH_MAX) return LD_OK;
  return ld_fail(error, LD_TOOBIG, "%.200s: the path is too long, at most %d bytes", folder,
                 PATH_MAX - 1);
}

/* ---- making ---- */

static bool sync_and_close(int file) {
  bool synced = fsync(file) == 0 || errno == EINVAL;
  int code = errno;
  if (close(file) != 0 && synced) return false;
  errno = code;
  return synced;
}

bool ld_folder_sync(const char *path) {
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno == EACCES; /* a folder may be writable and not readable */
  return sync_and_close(folder);
}

/* Make the folder `path[0..size)` unless it is there; its entry in the parent is synced. */
static bool make_one(char *path, size_t size, mode_t mode) {
  char end = path[size];
  path[size] = '\0';
  bool made = mkdir(path, mode) == 0, fine = made || errno == EEXIST;
  path[size] = end;
  if (!made) return fine;
  while (size > 0 && path[size - 1] != '/') size--;
  end = path[size];
  path[size] = '\0';
  fine = ld_folder_sync(size == 0 ? "." : path);
  path[size] = end;
  return fine;
}

/* Leaves errno alone. */
static bool is_there(const char *path) {
  int code = errno;
  bool there = access(path, F_OK) == 0;
  errno = code;
  return there;
}

static bool make_all(char *path, mode_t mode) {
  for (size_t i = 1; path[i - 1] != '\0'; i++)
    if ((path[i] == '/' || path[i] == '\0') && path[i - 1] != '/' && !make_one(path, i, mode))
      return errno == EROFS && is_there(path);
  return true;
}

bool ld_folder_make_as(const char *path, mode_t mode) {
  char *copy = strdup(path);
  bool made = copy != NULL && make_all(copy, mode);
  free(copy);
  return made;
}

bool ld_folder_make(const char *path) { return ld_folder_make_as(path, 0700); }

void ld_folder_above(const char *path, char *above) {
  size_t size = strlen(path);
  while (size > 1 && path[size - 1] == '/') size--;
  while (size > 0 && path[size - 1] != '/') size--;
  while (size > 1 && path[size - 1] == '/') size--;
  snprintf(above, PATH_MAX, "%.*s", size == 0 ? 1 : (int)size, size == 0 ? "." : path);
}

/* ---- files ---- */

static bool write_all(int file, ld_slice bytes) {
  while (bytes.size > 0) {
    ssize_t done = write(file, bytes.data, bytes.size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    bytes = ld_bytes(bytes.data + done, bytes.size - (size_t)done);
  }
  return true;
}

/* The next bytes of a file into `space`; 0 at the end, -1 with errno. */
static ssize_t read_some(int file, void *space, size_t size) {
  ssize_t got;
  do got = read(file, space, size);
  while (got < 0 && errno == EINTR);
  return got;
}

typedef struct copying {
  bool (*heard)(void *, uint64_t);
  void *context;
  uint64_t bytes;
} copying;

static bool copy_piece(copying *copy, int to, ld_slice piece) {
  if (!write_all(to, piece)) return false;
  copy->bytes += piece.size;
  if (copy->heard == NULL || copy->heard(copy->context, copy->bytes)) return true;
  errno = ECANCELED;
  return false;
}

static bool copy_all(copying *copy, int from, int to) {
  enum { PIECE = 1 << 20 };
  uint8_t *piece = malloc(PIECE);
  ssize_t got = -1;
  if (piece == NULL) errno = ENOMEM;
  while (piece != NULL && (got = read_some(from, piece, PIECE)) > 0)
    if (!copy_piece(copy, to, ld_bytes(piece, (size_t)got))) {
      got = -1;
      break;
    }
  int code = errno;
  free(piece);
  errno = code;
  return got == 0;
}

static int open_new(const char *path) {
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Close the new file, synced when it was `written`; else it goes. */
static bool finish_file(int file, const char *path, bool written) {
  int code = errno;
  if (written) {
    written = sync_and_close(file);
    code = errno;
  } else {
    close(file);
  }
  if (!written) unlink(path);
  errno = code;
  return written;
}

bool ld_folder_copy_file(const char *from, const char *to, bool (*heard)(void *, uint64_t),
                         void *context) {
  copying copy = {.heard = heard, .context = context};
  struct stat status = {0};
  int source = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (source < 0) return false;
  if (fstat(source, &status) == 0 && !S_ISREG(status.st_mode)) errno = EINVAL;
  int file = S_ISREG(status.st_mode) ? open_new(to) : -1;
  bool copied = file >= 0 && finish_file(file, to, copy_all(&copy, source, file));
  int code = errno;
  close(source);
  errno = code;
  return copied;
}

bool ld_folder_write_file(const char *path, ld_slice bytes) {
  int file = open_new(path);
  return file >= 0 && finish_file(file, path, write_all(file, bytes));
}

bool ld_folder_read_file(const char *path, size_t most, ld_buf *bytes) {
  uint8_t piece[4096];
  size_t start = bytes->size;
  ssize_t got;
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return false;
  while ((got = read_some(file, piece, sizeof piece)) > 0 && bytes->size - start <= most)
    ld_buf_add(bytes, ld_bytes(piece, (size_t)got));
  int code = got > 0 ? EFBIG : bytes->failed ? ENOMEM : got < 0 ? errno : 0;
  close(file);
  errno = code;
  return code == 0;
}

/* ---- removing ---- */

/* Remove what `name` in the folder `above` is. */
static bool remove_at(int above, const char *name) {
  if (unlinkat(above, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  int folder = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *listing = folder < 0 ? NULL : fdopendir(folder);
  if (listing == NULL) {
    if (folder >= 0) close(folder);
    return false;
  }
  bool removed = true;
  for (struct dirent *entry; removed && (entry = readdir(listing)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      removed = remove_at(folder, entry->d_name);
  int code = errno;
  closedir(listing);
  errno = code;
  return removed && (unlinkat(above, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

bool ld_folder_remove(const char *path) { return remove_at(AT_FDCWD, path); }
