/* file_walk.c -- the files of a directory, in the order of their paths. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_disk.h"

typedef struct walk {
  const file_disk *disk;
  file_visit visit;
  void *context;
  ld_error *error;
} walk;

typedef struct names {
  ld_buf bytes; /* each with its NUL */
  const char **list;
  size_t count;
} names;

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_names(names *found) {
  const char *name = (const char *)found->bytes.data;
  found->list = calloc(found->count + 1, sizeof *found->list);
  if (found->list == NULL || found->bytes.failed) return ENOMEM;
  for (size_t i = 0; i < found->count; i++, name += strlen(name) + 1) found->list[i] = name;
  qsort(found->list, found->count, sizeof *found->list, by_name);
  return 0;
}

/* Folders have a slash behind their names. */
static void add_name(DIR *folder, const struct dirent *entry, names *found) {
  struct stat info;
  int type = entry->d_type;
  if (type == DT_UNKNOWN && fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
    type = S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_UNKNOWN;
  if (type != DT_DIR && type != DT_REG) return;
  ld_buf_add(&found->bytes, ld_text(entry->d_name));
  if (type == DT_DIR) ld_buf_byte(&found->bytes, '/');
  ld_buf_byte(&found->bytes, 0);
  found->count++;
}

static int list(const file_disk *disk, const char *path, names *found) {
  const struct dirent *entry;
  int at = openat(disk->root, path[0] == 0 ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) return errno;
  DIR *folder = fdopendir(at);
  if (folder == NULL) {
    close(at);
    return ENOMEM;
  }
  while (errno = 0, (entry = readdir(folder)) != NULL)
    if (entry->d_name[0] != '.' || strncmp(entry->d_name, ".larder-", 8) == 0)
      add_name(folder, entry, found);
  int code = errno;
  closedir(folder);
  return code != 0 ? code : sort_names(found);
}

static ld_rc walk_folder(const walk *job, const char *path);

static ld_rc step(const walk *job, const char *folder, const char *name, ld_buf *path) {
  size_t size = strlen(name);
  bool down = name[size - 1] == '/';
  ld_buf_reset(path);
  ld_buf_add(path, ld_text(folder));
  if (path->size > 0) ld_buf_byte(path, '/');
  ld_buf_add(path, ld_bytes(name, down ? size - 1 : size));
  ld_buf_byte(path, 0);
  if (path->failed) return file_fail(job->error, "list", folder, ENOMEM);
  const char *whole = (const char *)path->data;
  return down ? walk_folder(job, whole) : job->visit(job->context, whole);
}

static ld_rc walk_folder(const walk *job, const char *folder) {
  names found = {.count = 0};
  ld_buf path = {0};
  int code = list(job->disk, folder, &found);
  ld_rc rc = code == 0 ? LD_OK : file_fail(job->error, "list", folder, code);
  for (size_t i = 0; i < found.count && rc == LD_OK; i++)
    rc = step(job, folder, found.list[i], &path);
  free(found.list);
  ld_buf_clear(&found.bytes);
  ld_buf_clear(&path);
  return rc;
}

ld_rc file_walk(const file_disk *disk, const char *folder, file_visit visit, void *context,
                ld_error *error) {
  walk job = {.disk = disk, .visit = visit, .context = context, .error = error};
  return walk_folder(&job, folder == NULL ? "" : folder);
}
