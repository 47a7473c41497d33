/* file_share.c -- the stores of this process, one for a directory.
**
** A second open of one directory by the same thread shares the first one's store; by another thread, or another process, it is BUSY. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_store.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static file_store *stores;

/* The store of the directory, opened by this thread since the last fork. */
static file_store *find(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return NULL;
  for (file_store *store = stores; store != NULL; store = store->next)
    if (store->device == info.st_dev && store->inode == info.st_ino && store->owner == getpid() &&
        pthread_equal(store->thread, pthread_self()))
      return store;
  return NULL;
}

/* The first option in which they differ; NULL: none. */
static const char *different(const file_settings *a, const file_settings *b) {
  if (a->sync != b->sync) return "durability";
  if (a->skip_damaged != b->skip_damaged) return "damaged";
  if (a->read_only != b->read_only) return "read_only";
  if (a->backups != b->backups) return "backups";
  if (a->backup_days != b->backup_days) return "backup_days";
  if (a->file_mode != b->file_mode) return "file_mode";
  return a->folder_mode != b->folder_mode ? "folder_mode" : NULL;
}

static ld_rc share(file_engine *handle, file_store *store, const char *path,
                   const file_settings *settings, const ld_mirror *mirror) {
  ld_quoted quoted;
  const char *option = different(&store->settings, settings);
  if (option != NULL || store->mirror != mirror)
    return ld_fail(&handle->memory.base.error, LD_INVALID,
                   "file: %s is open already in this process, with another %s",
                   ld_quote(ld_text(path), quoted), option == NULL ? "mirror" : option);
  store->handles++;
  handle->store = store;
  handle->memory.rows = &store->rows;
  return LD_OK;
}

static ld_rc make(file_engine *handle, const char *path, const file_settings *settings,
                  const ld_mirror *mirror) {
  struct stat info;
  ld_error *error = &handle->memory.base.error;
  file_store *store = calloc(1, sizeof *store);
  if (store == NULL) return ld_fail(error, LD_NOMEM, "file: out of memory");
  *store = (file_store){.settings = *settings,
                        .mirror = mirror,
                        .owner = getpid(),
                        .thread = pthread_self(),
                        .engine = &handle->memory.base,
                        .log = -1};
  store->disk.sync = settings->sync;
  store->disk.file_mode = settings->file_mode;
  store->disk.folder_mode = settings->folder_mode;
  store->disk.read_only = settings->read_only;
  store->path = malloc(strlen(path) + 1);
  if (store->path != NULL) strcpy(store->path, path);
  ld_rc rc = store->path == NULL ? ld_fail(error, LD_NOMEM, "file: out of memory")
                                 : file_disk_open(&store->disk, path, error);
  if (rc == LD_OK && fstat(store->disk.root, &info) != 0) {
    rc = file_fail(error, "look at", path, errno);
    file_disk_close(&store->disk);
  }
  if (rc != LD_OK) {
    free(store->path);
    free(store);
    return rc;
  }
  store->device = info.st_dev;
  store->inode = info.st_ino;
  store->next = stores;
  stores = store;
  return share(handle, store, path, settings, mirror);
}

ld_rc file_share_open(file_engine *handle, const char *path, const file_settings *settings,
                      const ld_mirror *mirror, bool *fresh) {
  pthread_mutex_lock(&mutex);
  file_store *store = find(path);
  *fresh = store == NULL;
  ld_rc rc = store != NULL ? share(handle, store, path, settings, mirror)
                           : make(handle, path, settings, mirror);
  pthread_mutex_unlock(&mutex);
  return rc;
}

static void free_store(file_store *store) {
  ld_btree_clear(&store->rows.tree);
  ld_btree_clear(&store->files);
  ld_btree_clear(&store->aliases);
  ld_btree_clear(&store->changed);
  ld_btree_clear(&store->revisions);
  ld_btree_clear(&store->kept);
  ld_btree_clear(&store->skipped);
  ld_buf_clear(&store->place.unit);
  ld_buf_clear(&store->place.alias);
  if (store->log >= 0) close(store->log);
  file_disk_close(&store->disk);
  free(store->path);
  free(store);
}

void file_share_close(file_engine *handle) {
  file_store *store = handle->store;
  handle->store = NULL;
  pthread_mutex_lock(&mutex);
  bool last = --store->handles == 0;
  file_store **link = &stores;
  while (last && *link != store) link = &(*link)->next;
  if (last) *link = store->next;
  pthread_mutex_unlock(&mutex);
  if (last) free_store(store);
}
