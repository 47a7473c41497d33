/* files_local.c -- files in a directory of this machine. The parts: files_local_dir.c finds directories, _write.c writes, _list.c lists,
** _remove.c removes trees. A last name is never followed: it goes to the system with its directory's descriptor. */
#include "files_local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"

typedef struct local_reader {
  ld_file_reader base;
  int file;
} local_reader;

ld_file_rc ld_local_fail(ld_local *local, const char *path) {
  struct stat root;
  ld_file_error *error = &local->base.error;
  ld_file_rc rc = ld_file_fail_errno(error, errno, path);
  if (rc != LD_FILE_NOT_FOUND || fstat(local->root, &root) != 0 || root.st_nlink > 0) return rc;
  ld_file_fail(error, rc, path, "the root has been removed");
  error->number = ENOENT;
  return rc;
}

ld_file_info ld_local_info(const struct stat *status) {
  ld_file_kind kind = S_ISREG(status->st_mode)   ? LD_FILE_REGULAR
                      : S_ISDIR(status->st_mode) ? LD_FILE_DIRECTORY
                      : S_ISLNK(status->st_mode) ? LD_FILE_LINK
                                                 : LD_FILE_OTHER;
  return (ld_file_info){kind, kind == LD_FILE_REGULAR ? (uint64_t)status->st_size : 0,
                        (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000};
}

/* ---- open ---- */

static ld_file_rc bad_option(ld_local *local, const char *name, const char *value,
                             const char *expected) {
  ld_quoted quoted;
  return ld_file_fail(&local->base.error, LD_FILE_INVALID, "", "option %s: expected %s, got %s",
                      name, expected, ld_quote(ld_text(value), quoted));
}

static ld_file_rc read_mode(ld_local *local, const ld_config *config, const char *name,
                            mode_t otherwise, mode_t *mode) {
  const char *text = ld_option_text(config, name, NULL);
  *mode = otherwise;
  if (text == NULL) return LD_FILE_OK;
  size_t size = strspn(text, "01234567");
  if (size < 3 || size > 4 || text[size] != '\0' || strtol(text, NULL, 8) > 0777)
    return bad_option(local, name, text, "octal digits such as \"640\"");
  *mode = (mode_t)strtol(text, NULL, 8);
  return LD_FILE_OK;
}

/* One of two words. */
static ld_file_rc read_choice(ld_local *local, const ld_config *config, const char *name,
                              const char *usual, const char *other, bool *is_other) {
  char expected[80];
  const char *text = ld_option_text(config, name, usual);
  *is_other = strcmp(text, other) == 0;
  if (*is_other || strcmp(text, usual) == 0) return LD_FILE_OK;
  ld_error both = {0};
  ld_fail(&both, LD_INVALID, "\"%s\" or \"%s\"", usual, other);
  memcpy(expected, both.text, sizeof expected);
  return bad_option(local, name, text, expected);
}

/* The root may be reached through links: it is who opens it that says where it is. */
static int open_root(const ld_local *local, const char *path) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  int root = open(path, flags);
  if (root >= 0 || errno != ENOENT || !ld_folder_make_as(path, local->dir_mode)) return root;
  return open(path, flags);
}

static ld_file_rc local_open(ld_files *files, const ld_config *config) {
  ld_local *local = ld_local_of(files);
  const char *path = ld_option_text(config, "path", "");
  local->root = -1;
  if (path[0] == '\0')
    return ld_file_fail(&files->error, LD_FILE_INVALID, "", "option path: is missing");
  ld_file_rc rc = read_mode(local, config, "file_mode", 0600, &local->file_mode);
  if (rc == LD_FILE_OK) rc = read_mode(local, config, "dir_mode", 0700, &local->dir_mode);
  if (rc == LD_FILE_OK)
    rc = read_choice(local, config, "durability", "commit", "none", &local->no_sync);
  if (rc == LD_FILE_OK)
    rc = read_choice(local, config, "confine", "kernel", "parts", &local->by_parts);
  if (rc != LD_FILE_OK) return rc;
  local->root = open_root(local, path);
  return local->root < 0 ? ld_local_fail(local, path) : LD_FILE_OK;
}

static void local_close(ld_files *files) { ld_local_close(ld_local_of(files)->root); }

/* ---- make_dir ---- */

/* A file in the place of the directory itself, not above it. */
static bool is_taken(const ld_local *local, const char *path) {
  struct stat status;
  const char *name;
  int parent = ld_local_open_parent(local, path, O_PATH, &name);
  bool taken = parent >= 0 && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  ld_local_close(parent);
  return taken;
}

static ld_file_rc local_make_dir(ld_files *files, const char *path, bool *made) {
  ld_local *local = ld_local_of(files);
  int dir = ld_local_make_dirs(local, path, strlen(path), made);
  if (dir < 0) {
    int number = errno;
    errno = number == ENOTDIR && is_taken(local, path) ? EEXIST : number;
    return ld_local_fail(local, path);
  }
  ld_local_close(dir);
  return LD_FILE_OK;
}

/* ---- stat, delete, move ---- */

/* What is below a file is not there; "" is the root. */
static ld_file_rc local_stat(ld_files *files, const char *path, ld_file_info *info) {
  ld_local *local = ld_local_of(files);
  struct stat status;
  const char *name;
  int parent = ld_local_open_parent(local, path, O_PATH, &name);
  int rc = parent < 0        ? -1
           : name[0] == '\0' ? fstat(parent, &status)
                             : fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW);
  ld_local_close(parent);
  if (rc != 0 && errno == ENOTDIR) errno = ENOENT;
  if (rc != 0) return ld_local_fail(local, path);
  *info = ld_local_info(&status);
  return LD_FILE_OK;
}

/* Temporaries come here from files_list.c only. */
static int delete_in(const ld_local *local, int parent, const char *name) {
  int rc = ld_local_is_temporary(name) ? ld_local_remove_orphan(parent, name)
                                       : unlinkat(parent, name, 0);
  return rc != 0 ? -1 : ld_local_sync_dir(local, parent);
}

static ld_file_rc local_del(ld_files *files, const char *path) {
  ld_local *local = ld_local_of(files);
  const char *name;
  int parent = ld_local_open_parent(local, path, O_RDONLY, &name);
  int rc = parent < 0 ? -1 : delete_in(local, parent, name);
  ld_local_close(parent);
  if (rc != 0 && errno == ENOTDIR) errno = ENOENT;
  return rc == 0 ? LD_FILE_OK : ld_local_fail(local, path);
}

/* EISDIR, ELOOP, ENXIO: no file to move or to read. */
static int check_regular(const struct stat *status) {
  errno = S_ISDIR(status->st_mode) ? EISDIR : S_ISLNK(status->st_mode) ? ELOOP : ENXIO;
  return S_ISREG(status->st_mode) ? 0 : -1;
}

/* One end of a move. */
typedef struct move_end {
  const char *path, *name; /* name: in dir */
  int dir;
} move_end;

/* The system leaves two names of one file as they are. */
static int drop_twin(const move_end *from, const move_end *to, const struct stat *moved) {
  struct stat left;
  if (moved->st_nlink < 2 || strcmp(from->path, to->path) == 0 ||
      fstatat(from->dir, from->name, &left, AT_SYMLINK_NOFOLLOW) != 0)
    return 0;
  bool same = left.st_ino == moved->st_ino && left.st_dev == moved->st_dev;
  return same ? unlinkat(from->dir, from->name, 0) : 0;
}

/* Whether a failed rename is about the new name. */
static bool is_about_target(int number, const move_end *to) {
  switch (number) {
  case ENOENT:
  case EIO: return false;
  case EACCES:
  case EPERM: return faccessat(to->dir, ".", W_OK | X_OK, AT_EACCESS) != 0;
  default: return true;
  }
}

static ld_file_rc rename_ends(ld_local *local, const move_end *from, const move_end *to,
                              unsigned flags, const struct stat *status) {
  bool if_absent = (flags & LD_FILE_IF_ABSENT) != 0;
  if (ld_local_rename(from->dir, from->name, to->dir, to->name, if_absent) != 0) {
    int number = errno;
    const char *path = is_about_target(number, to) ? to->path : from->path;
    errno = number;
    return number == EXDEV ? LD_FILE_UNSUPPORTED : ld_local_fail(local, path);
  }
  if (drop_twin(from, to, status) != 0) return ld_local_fail(local, from->path);
  if ((flags & LD_FILE_NO_SYNC) != 0) return LD_FILE_OK;
  if (ld_local_sync_dir(local, to->dir) != 0) return ld_local_fail(local, to->path);
  return ld_local_sync_dir(local, from->dir) != 0 ? ld_local_fail(local, from->path) : LD_FILE_OK;
}

static ld_file_rc move_from(ld_local *local, const move_end *from, const char *path,
                            unsigned flags) {
  struct stat status;
  bool made;
  const char *slash = strrchr(path, '/');
  if (fstatat(from->dir, from->name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      check_regular(&status) != 0)
    return ld_local_fail(local, from->path);
  move_end to = {path, slash == NULL ? path : slash + 1, -1};
  to.dir = ld_local_make_dirs(local, path, slash == NULL ? 0 : (size_t)(slash - path), &made);
  if (to.dir < 0) return ld_local_fail(local, path);
  ld_file_rc rc = rename_ends(local, from, &to, flags, &status);
  ld_local_close(to.dir);
  return rc;
}

static ld_file_rc local_move(ld_files *files, const char *path, const char *to, unsigned flags) {
  ld_local *local = ld_local_of(files);
  move_end from = {.path = path};
  from.dir = ld_local_open_parent(local, path, O_RDONLY, &from.name);
  if (from.dir < 0) return ld_local_fail(local, path);
  ld_file_rc rc = move_from(local, &from, to, flags);
  ld_local_close(from.dir);
  return rc;
}

/* ---- readers ---- */

/* Not blocking, so that a pipe of that name is refused and not waited for. */
static int open_file(const ld_local *local, const char *path, struct stat *status) {
  const char *name;
  int parent = ld_local_open_parent(local, path, O_PATH, &name), file = -1;
  if (parent >= 0)
    file = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  ld_local_close(parent);
  if (file >= 0 && fstat(file, status) == 0 && check_regular(status) == 0) return file;
  ld_local_close(file);
  return -1;
}

static ld_file_rc local_reader_open(ld_file_reader *base) {
  struct stat status;
  local_reader *reader = (local_reader *)base;
  reader->file = open_file(ld_local_of(base->files), base->path, &status);
  if (reader->file < 0) return ld_local_fail(ld_local_of(base->files), base->path);
  base->size = (uint64_t)status.st_size;
  return LD_FILE_OK;
}

/* pread: a fork's child does not move its parent's place. */
static ld_file_rc local_read_at(ld_file_reader *base, uint64_t offset, void *data, size_t size,
                                size_t *got) {
  const size_t most = (size_t)1 << 30;
  ssize_t done;
  *got = 0;
  if (offset > INT64_MAX) return LD_FILE_OK; /* behind the end of any file */
  do done = pread(((local_reader *)base)->file, data, size < most ? size : most, (off_t)offset);
  while (done < 0 && errno == EINTR);
  if (done < 0) return ld_local_fail(ld_local_of(base->files), base->path);
  *got = (size_t)done;
  return LD_FILE_OK;
}

static void local_reader_close(ld_file_reader *base) {
  ld_local_close(((local_reader *)base)->file);
}

/* ---- the table ---- */

static const char *const options[] = {"path",     "durability", "file_mode",
                                      "dir_mode", "confine",    NULL};

const ld_files_ops ld_files_local = {
    .abi = LD_FILES_ABI,
    .name = "local",
    .files_size = sizeof(ld_local),
    .reader_size = sizeof(local_reader),
    .writer_size = sizeof(ld_local_writer),
    .lister_size = sizeof(ld_local_lister),
    .options = options,
    .open = local_open,
    .close = local_close,
    .make_dir = local_make_dir,
    .remove_dir = ld_local_remove_dir,
    .stat = local_stat,
    .del = local_del,
    .move = local_move,
    .reader_open = local_reader_open,
    .read_at = local_read_at,
    .reader_close = local_reader_close,
    .writer_open = ld_local_writer_open,
    .write = ld_local_write,
    .publish = ld_local_publish,
    .discard = ld_local_discard,
    .lister_open = ld_local_lister_open,
    .lister_next = ld_local_lister_next,
    .lister_close = ld_local_lister_close,
};
