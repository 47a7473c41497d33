/* file_disk.c -- see file_disk.h. */
#include "file_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

ld_rc file_fail(ld_error *error, const char *verb, const char *path, int code) {
  ld_quoted quoted;
  ld_rc rc = LD_IO;
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) rc = LD_FULL;
  if (code == ENOMEM) rc = LD_NOMEM;
  return ld_fail(error, rc, "file: %s %s: %s", verb, ld_quote(ld_text(path), quoted),
                 code == EILSEQ ? "what was read back is not what was written" : strerror(code));
}

/* ---- the directory ---- */

/* Make the directory and what is missing above it. 0 or errno. */
static int make_all(const char *path, mode_t mode) {
  int code = mkdir(path, mode) == 0 || errno == EEXIST ? 0 : errno;
  if (code != ENOENT) return code;
  size_t size = strlen(path);
  while (size > 0 && path[size - 1] == '/') size--;
  while (size > 0 && path[size - 1] != '/') size--;
  char *above = size <= 1 ? NULL : strndup(path, size - 1);
  if (above == NULL) return code;
  code = make_all(above, mode);
  free(above);
  if (code == 0 && mkdir(path, mode) != 0 && errno != EEXIST) code = errno;
  return code;
}

/* Who only reads does not say who it is: then the pid is that of one before it. */
static ld_rc busy(const file_disk *disk, const char *path, ld_error *error) {
  char pid[24] = "";
  ld_quoted quoted;
  ssize_t got = pread(disk->lock, pid, sizeof pid - 1, 0);
  pid[got > 0 ? got : 0] = 0;
  long holder = strtol(pid, NULL, 10);
  bool known = holder > 0 && (kill((pid_t)holder, 0) == 0 || errno != ESRCH);
  ld_quote(ld_text(path), quoted);
  if (!known)
    return ld_fail(error, LD_BUSY, "file: %s is open already, in a process that reads it", quoted);
  return ld_fail(error, LD_BUSY, "file: %s is open already, in process %ld", quoted, holder);
}

static ld_rc share_lock(file_disk *disk, const char *path, ld_error *error) {
  disk->lock = openat(disk->root, ".larder/lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (disk->lock < 0 && errno == ENOENT) return LD_OK; /* nobody had it as a store */
  if (disk->lock < 0) return file_fail(error, "open", ".larder/lock", errno);
  if (flock(disk->lock, LOCK_SH | LOCK_NB) == 0) return LD_OK;
  return errno == EWOULDBLOCK ? busy(disk, path, error)
                              : file_fail(error, "lock", ".larder/lock", errno);
}

static ld_rc take_lock(file_disk *disk, const char *path, ld_error *error) {
  char pid[24];
  int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
  if (disk->read_only) return share_lock(disk, path, error);
  disk->lock = openat(disk->root, ".larder/lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                      disk->file_mode);
  if (disk->lock < 0) return file_fail(error, "open", ".larder/lock", errno);
  if (flock(disk->lock, LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? busy(disk, path, error)
                                : file_fail(error, "lock", ".larder/lock", errno);
  if (ftruncate(disk->lock, 0) != 0 || pwrite(disk->lock, pid, (size_t)size, 0) != size)
    return file_fail(error, "write", ".larder/lock", errno);
  return LD_OK;
}

/* Whether there is a store, or a directory of rooms: one with a file, or a folder of ours. */
static bool is_store(int root) {
  static const char *const folders[] = {".larder", "rooms"};
  struct stat info;
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    if (fstatat(root, folders[i], &info, 0) == 0 && S_ISDIR(info.st_mode)) return true;
  int again = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = again < 0 ? NULL : fdopendir(again);
  const struct dirent *entry;
  bool found = false;
  while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
    size_t size = strlen(entry->d_name);
    found = size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
  }
  if (folder != NULL) closedir(folder);
  return found;
}

static ld_rc look_root(file_disk *disk, const char *path, ld_error *error) {
  ld_quoted quoted;
  disk->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (disk->root < 0) return file_fail(error, "open", path, errno);
  if (is_store(disk->root)) return LD_OK;
  return ld_fail(error, LD_INVALID,
                 "file: %s: there is no store; open it without read_only to make one",
                 ld_quote(ld_text(path), quoted));
}

static ld_rc open_root(file_disk *disk, const char *path, ld_error *error) {
  if (disk->read_only) return look_root(disk, path, error);
  int code = make_all(path, disk->folder_mode);
  if (code == 0) disk->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (code == 0 && disk->root < 0) code = errno;
  if (code == 0 && mkdirat(disk->root, ".larder", disk->folder_mode) != 0 && errno != EEXIST)
    code = errno;
  return code == 0 ? LD_OK : file_fail(error, "open", path, code);
}

ld_rc file_disk_open(file_disk *disk, const char *path, ld_error *error) {
  disk->root = disk->lock = -1;
  ld_rc rc = open_root(disk, path, error);
  if (rc == LD_OK) rc = take_lock(disk, path, error);
  if (rc != LD_OK) file_disk_close(disk);
  return rc;
}

void file_disk_close(file_disk *disk) {
  if (disk->lock >= 0) close(disk->lock);
  if (disk->root >= 0) close(disk->root);
  disk->root = disk->lock = -1;
}

/* ---- one file ---- */

static void read_stamp(const struct stat *info, file_stamp *stamp) {
  *stamp =
      (file_stamp){.size = info->st_size,
                   .time = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec,
                   .inode = info->st_ino,
                   .changed = (int64_t)info->st_ctim.tv_sec * 1000000000 + info->st_ctim.tv_nsec};
}

/* Having read what was expected, and no more though there was room, it is at the end. */
static int read_all(int file, size_t expected, ld_buf *text) {
  ld_buf_reset(text);
  if (!ld_buf_reserve(text, expected + 1)) return ENOMEM;
  for (;;) {
    if (!ld_buf_reserve(text, 1)) return ENOMEM;
    size_t room = text->capacity - text->size;
    ssize_t got = read(file, text->data + text->size, room);
    if (got < 0 && errno != EINTR) return errno;
    if (got > 0) text->size += (size_t)got;
    if (got == 0 || (got > 0 && (size_t)got < room && text->size == expected)) return 0;
  }
}

int file_read(const file_disk *disk, const char *path, ld_buf *text, file_stamp *stamp) {
  struct stat info;
  int file = openat(disk->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (file < 0) return errno;
  int code = fstat(file, &info) != 0 ? errno : 0;
  if (code == 0 && !S_ISREG(info.st_mode)) code = EINVAL;
  if (code == 0) code = read_all(file, (size_t)info.st_size, text);
  close(file);
  if (code == 0) read_stamp(&info, stamp);
  return code;
}

int file_stat(const file_disk *disk, const char *path, file_stamp *stamp) {
  struct stat info;
  if (fstatat(disk->root, path, &info, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  read_stamp(&info, stamp);
  return 0;
}

static int write_all(int file, ld_slice text) {
  while (text.size > 0) {
    ssize_t done = write(file, text.data, text.size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return done < 0 ? errno : EIO;
    text = ld_bytes(text.data + done, text.size - (size_t)done);
  }
  return 0;
}

static int compare(int file, ld_slice text) {
  uint8_t part[16384];
  size_t at = 0;
  for (;;) {
    ssize_t got = pread(file, part, sizeof part, (off_t)at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return at == text.size ? 0 : EILSEQ;
    if ((size_t)got > text.size - at || memcmp(part, text.data + at, (size_t)got) != 0)
      return EILSEQ;
    at += (size_t)got;
  }
}

int file_write_new(const file_disk *disk, const char *path, ld_slice text, file_stamp *stamp) {
  struct stat info = {0};
  int file =
      openat(disk->root, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, disk->file_mode);
  if (file < 0) return errno;
  int code = write_all(file, text);
  if (code == 0 && disk->sync && fsync(file) != 0) code = errno;
  if (code == 0) code = compare(file, text);
  if (code == 0 && fstat(file, &info) != 0) code = errno;
  if (close(file) != 0 && code == 0) code = errno;
  if (code != 0) unlinkat(disk->root, path, 0);
  if (code == 0) read_stamp(&info, stamp);
  return code;
}

int file_rename(const file_disk *disk, const char *from, const char *to) {
  return renameat(disk->root, from, disk->root, to) == 0 ? 0 : errno;
}

int file_remove(const file_disk *disk, const char *path) {
  return unlinkat(disk->root, path, 0) == 0 || errno == ENOENT ? 0 : errno;
}

/* ---- folders ---- */

/* The folder of a path, in `folder`; "." at the top. False: too long. */
static bool folder_of(const char *path, char folder[PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 0 : (size_t)(slash - path);
  if (size >= PATH_MAX) return false;
  memcpy(folder, slash == NULL ? "." : path, slash == NULL ? 1 : size);
  folder[slash == NULL ? 1 : size] = 0;
  return true;
}

int file_sync_folder(const file_disk *disk, const char *path) {
  char folder[PATH_MAX];
  if (!disk->sync) return 0;
  if (!folder_of(path, folder)) return ENAMETOOLONG;
  int open_folder = openat(disk->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (open_folder < 0) return errno;
  int code = fsync(open_folder) != 0 ? errno : 0;
  close(open_folder);
  return code;
}

int file_make_folders(const file_disk *disk, const char *path) {
  char folder[PATH_MAX];
  if (!folder_of(path, folder)) return ENAMETOOLONG;
  if (mkdirat(disk->root, folder, disk->folder_mode) == 0) return file_sync_folder(disk, folder);
  if (errno == EEXIST) return 0;
  if (errno != ENOENT) return errno;
  int code = file_make_folders(disk, folder);
  if (code == 0 && mkdirat(disk->root, folder, disk->folder_mode) != 0) code = errno;
  return code == 0 ? file_sync_folder(disk, folder) : code;
}
