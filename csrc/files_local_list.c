/* files_local_list.c -- listings in byte order, in memory that does not grow with the number of entries.
**
** A directory is read as often as it takes: each pass keeps the first names behind the last of the pass before, as many as its share of
** NAMES allows. In a recursive listing the key of a directory is its name and `/`, which puts what is in it where its paths belong:
** "a.txt" < "a/b". A level is a directory that is being listed; what `path` holds up to its path_size is where it is.
** The directories are open, so that what is swapped meanwhile does not matter. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files_local.h"

/* How many names all levels keep together; each new one may take half of what is left, but NAMES_LEAST at least. */
#ifndef LD_LISTED_NAMES
#define LD_LISTED_NAMES 16384
#endif
enum { NAMES = LD_LISTED_NAMES, NAMES_LEAST = NAMES / 256 > 0 ? NAMES / 256 : 1 };

static ld_local *local_of(const ld_local_lister *lister) { return ld_local_of(lister->base.files); }

/* ---- levels ---- */

static ld_local_level *top_of(ld_local_lister *lister) {
  return &lister->levels[lister->depth - 1];
}

static void pop(ld_local_lister *lister) {
  ld_local_level *level = top_of(lister);
  lister->names_held -= level->page.count;
  closedir(level->dir);
  ld_ranking_clear(&level->page);
  lister->depth--;
}

static bool grow(ld_local_lister *lister) {
  if (lister->depth < lister->capacity) return true;
  size_t capacity = lister->capacity == 0 ? 4 : 2 * lister->capacity;
  ld_local_level *levels = realloc(lister->levels, capacity * sizeof *levels);
  if (levels == NULL) return false;
  lister->levels = levels;
  lister->capacity = capacity;
  return true;
}

/* `file` is taken. 0, or -1 with errno. */
static int push(ld_local_lister *lister, int file, size_t path_size) {
  DIR *dir = ld_local_list_dir(file);
  if (dir == NULL) return -1;
  if (!grow(lister)) {
    closedir(dir);
    errno = ENOMEM;
    return -1;
  }
  lister->levels[lister->depth++] =
      (ld_local_level){.dir = dir, .pid = getpid(), .path_size = path_size, .more = true};
  return 0;
}

/* ---- which names ---- */

/* Whether the path, which ends in `/` where it is a directory's to go into, is one to come, or the beginning of one. */
static bool is_wanted(const ld_local_lister *lister, ld_slice path, bool into) {
  ld_slice after = ld_buf_slice(&lister->base.after);
  return ld_compare(path, after) > 0 || (into && ld_starts_with(after, path));
}

/* Directories of other programs may hold names that no path can have. */
static bool is_listed(const ld_local_lister *lister, const ld_local_level *level,
                      const char *name) {
  ld_slice prefix = ld_text(lister->base.prefix);
  if (level->path_size + strlen(name) > LD_PATH_MAX) return false;
  if (lister->depth == 1 && !ld_starts_with(ld_text(name), prefix)) return false;
  if (ld_files_is_name(ld_text(name))) return true;
  return lister->base.temporaries && ld_local_is_temporary(name);
}

static bool is_dir(const ld_local_level *level, const struct dirent *entry, bool *other) {
  struct stat status;
  unsigned char type = entry->d_type;
  if (type == DT_UNKNOWN &&
      fstatat(dirfd(level->dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    type = S_ISDIR(status.st_mode) ? DT_DIR : S_ISREG(status.st_mode) ? DT_REG : DT_LNK;
  *other = type != DT_DIR && type != DT_REG && type != DT_UNKNOWN;
  return type == DT_DIR;
}

/* The key within the level; size 0: not listed. `key` has room for a name and `/`. */
static size_t key_of(ld_local_lister *lister, const ld_local_level *level,
                     const struct dirent *entry, char *key) {
  bool other = false;
  size_t size = strlen(entry->d_name);
  if (!is_listed(lister, level, entry->d_name)) return 0;
  memcpy(key, entry->d_name, size);
  bool into = lister->base.recursive && is_dir(level, entry, &other);
  if (lister->base.recursive && other) return 0;
  if (into && ld_local_is_temporary(entry->d_name)) return 0; /* a stage of a backup, say */
  if (into) key[size++] = '/';
  memcpy(lister->path + level->path_size, key, size);
  return is_wanted(lister, ld_bytes(lister->path, level->path_size + size), into) ? size : 0;
}

/* ---- pages ---- */

/* Forget the page; what follows it is behind its last key. */
static void turn(ld_local_lister *lister, ld_local_level *level) {
  if (level->page.count > 0) {
    ld_slice last = ld_ranked_key(&level->page.entries[level->page.count - 1]);
    memcpy(level->last, last.data, last.size);
    level->last_size = last.size;
  }
  lister->names_held -= level->page.count;
  ld_ranking_clear(&level->page);
  level->at = 0;
  size_t left = lister->names_held < NAMES ? NAMES - lister->names_held : 0;
  level->page.most = left / 2 > NAMES_LEAST ? left / 2 : NAMES_LEAST;
}

static bool is_behind(const ld_local_level *level, ld_slice key) {
  return ld_compare(key, ld_bytes(level->last, level->last_size)) > 0;
}

/* A fork's child shares its parent's place in a directory, and opens it again. */
static bool own(ld_local_level *level) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  if (level->pid == getpid()) return true;
  DIR *dir = ld_local_list_dir(openat(dirfd(level->dir), ".", flags));
  if (dir == NULL) return false;
  closedir(level->dir);
  level->dir = dir;
  level->pid = getpid();
  return true;
}

/* 0 or errno. */
static int fill(ld_local_lister *lister, ld_local_level *level) {
  char key[sizeof((struct dirent *)0)->d_name + 1];
  const struct dirent *entry;
  size_t candidates = 0;
  if (!own(level)) return errno;
  rewinddir(level->dir);
  while (errno = 0, (entry = readdir(level->dir)) != NULL) {
    ld_slice name = ld_bytes(key, key_of(lister, level, entry, key));
    if (name.size == 0 || !is_behind(level, name)) continue;
    candidates++;
    if (!ld_ranking_add(&level->page, name, LD_SLICE_NONE)) return ENOMEM;
  }
  int code = errno;
  ld_ranking_sort(&level->page);
  level->more = candidates > level->page.count;
  return code;
}

/* A directory that cannot be read is done with. */
static ld_file_rc next_page(ld_local_lister *lister) {
  ld_local_level *level = top_of(lister);
  turn(lister, level);
  int code = fill(lister, level);
  lister->names_held += level->page.count;
  if (code == 0) return LD_FILE_OK;
  lister->path[level->path_size > 0 ? level->path_size - 1 : 0] = '\0';
  pop(lister);
  return ld_file_fail_errno(&lister->base.files->error, code, lister->path);
}

/* ---- entries ---- */

/* What went away, or is no directory any more, is left out. */
static ld_file_rc enter(ld_local_lister *lister, ld_slice key) {
  const ld_local_level *level = top_of(lister);
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  size_t size = level->path_size + key.size;
  lister->path[size - 1] = '\0';
  int file = openat(dirfd(level->dir), lister->path + level->path_size, flags);
  if (push(lister, file, size) == 0) {
    lister->path[size - 1] = '/';
    return LD_FILE_OK;
  }
  if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return LD_FILE_OK;
  return ld_local_fail(local_of(lister), lister->path);
}

/* What vanished is left out. */
static ld_file_rc look_at(ld_local_lister *lister, ld_slice key, ld_file_entry *entry,
                          bool *found) {
  struct stat status;
  const ld_local_level *level = top_of(lister);
  lister->path[level->path_size + key.size] = '\0';
  const char *name = lister->path + level->path_size;
  if (fstatat(dirfd(level->dir), name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? LD_FILE_OK : ld_local_fail(local_of(lister), lister->path);
  *found = !lister->base.recursive || S_ISREG(status.st_mode);
  memcpy(entry->path, lister->path, level->path_size + key.size + 1);
  entry->info = ld_local_info(&status);
  return LD_FILE_OK;
}

/* The next name of the page: an entry, or a directory to go into. */
static ld_file_rc take_name(ld_local_lister *lister, ld_file_entry *entry, bool *found) {
  ld_local_level *level = top_of(lister);
  ld_slice key = ld_ranked_key(&level->page.entries[level->at++]);
  memcpy(lister->path + level->path_size, key.data, key.size);
  if (key.data[key.size - 1] == '/') return enter(lister, key);
  return look_at(lister, key, entry, found);
}

ld_file_rc ld_local_lister_next(ld_file_lister *base, ld_file_entry *entry) {
  ld_local_lister *lister = (ld_local_lister *)base;
  ld_file_rc rc = LD_FILE_OK;
  bool found = false;
  while (rc == LD_FILE_OK && !found) {
    if (lister->depth == 0) return LD_FILE_NOT_FOUND;
    const ld_local_level *level = top_of(lister);
    if (level->at < level->page.count)
      rc = take_name(lister, entry, &found);
    else if (level->more)
      rc = next_page(lister);
    else
      pop(lister);
  }
  return rc;
}

/* ---- open, close ---- */

ld_file_rc ld_local_lister_open(ld_file_lister *base) {
  ld_local_lister *lister = (ld_local_lister *)base;
  ld_local *local = ld_local_of(base->files);
  size_t size = strlen(base->dir);
  int file = ld_local_open_dir(local, local->root, base->dir, O_RDONLY);
  if (push(lister, file, size > 0 ? size + 1 : 0) != 0) return ld_local_fail(local, base->dir);
  memcpy(lister->path, base->dir, size);
  lister->path[size] = '/';
  return LD_FILE_OK;
}

void ld_local_lister_close(ld_file_lister *base) {
  ld_local_lister *lister = (ld_local_lister *)base;
  while (lister->depth > 0) pop(lister);
  free(lister->levels);
}
