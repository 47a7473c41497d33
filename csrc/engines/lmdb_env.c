/* lmdb_env.c -- the environments of this process: opened once, shared, left alone after a fork.
**
** Invariants: an environment is in `registry` from its opening to its closing, both under `registry_lock`, so no file is open
** twice; a fork waits for that lock, so the child finds the registry whole; nothing is logged under a lock. */
#include "lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "lmdb_error.h"
#include "lmdb_inspect.h"

unsigned ld_lmdb_generation;
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static ld_lmdb_env *registry;

/* ---- forks ---- */

typedef struct abandoned {
  void *what;
  struct abandoned *next;
} abandoned;

static abandoned *left_alone;
static ld_lmdb_env *left_registry; /* of the parent, and its parents */

void ld_lmdb_abandon(void *what) {
  if (what == NULL) return;
  abandoned *entry = malloc(sizeof *entry);
  if (entry == NULL) return;
  pthread_mutex_lock(&registry_lock);
  *entry = (abandoned){what, left_alone};
  left_alone = entry;
  pthread_mutex_unlock(&registry_lock);
}

static void before_fork(void) { pthread_mutex_lock(&registry_lock); }

static void in_parent(void) { pthread_mutex_unlock(&registry_lock); }

static void in_child(void) {
  ld_lmdb_env **end = &left_registry;
  while (*end != NULL) end = &(*end)->next;
  *end = registry;
  registry = NULL;
  ld_lmdb_generation++;
  registry_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void watch_forks(void) { pthread_atfork(before_fork, in_parent, in_child); }

/* ---- opening ---- */

/* Find the environment of the file in the registry. OK and NULL: it is not open yet. */
static ld_rc find_open(const char *folder, const struct stat *data,
                       const ld_lmdb_settings *settings, ld_lmdb_env **found, ld_error *error) {
  ld_lmdb_env *env = registry;
  while (env != NULL && (env->device != data->st_dev || env->inode != data->st_ino))
    env = env->next;
  *found = env;
  if (env == NULL) return LD_OK;
  const char *differs = ld_lmdb_settings_differ(&env->settings, settings);
  if (differs != NULL)
    return ld_fail(error, LD_INVALID,
                   "%s: is open in this process with another %s; open it with the same options, or "
                   "close it first",
                   folder, differs);
  env->handles++;
  return LD_OK;
}

/* A data.mdb that was replaced while the old one is open shares the lock file, which must not be opened twice. */
static ld_rc check_lock_file(const char *folder, ld_error *error) {
  char path[PATH_MAX];
  struct stat lock;
  snprintf(path, sizeof path, "%s/lock.mdb", folder);
  if (stat(path, &lock) != 0) return LD_OK;
  for (ld_lmdb_env *env = registry; env != NULL; env = env->next)
    if (env->device == lock.st_dev && env->lock_inode == lock.st_ino)
      return ld_fail(
          error, LD_INVALID,
          "%s: its data.mdb was replaced while it is open in this process; close it first", folder);
  return LD_OK;
}

/* liblmdb maps a lock.mdb with holes in it, and dies of SIGBUS when the disk has no room for them: give it its blocks first. It is not open in this process
** (check_lock_file), so closing it here gives up no lock. */
static ld_rc reserve_lock_file(const ld_lmdb_env *env, ld_error *error) {
  enum { SLOT = 64, HEAD = 4096 };
  char path[PATH_MAX];
  struct stat status;
  if (env->settings.read_only) return LD_OK;
  snprintf(path, sizeof path, "%s/lock.mdb", env->folder);
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
    return ld_fail(error, LD_INVALID, "%s: is no regular file; move it away", path);
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return ld_lmdb_fail(error, env, "open lock.mdb", errno);
  bool failed =
      fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)(env->settings.readers * SLOT + HEAD)) != 0;
  int code = failed && errno != EOPNOTSUPP && errno != ENOSYS ? errno : 0;
  close(file);
  return ld_lmdb_fail(error, env, "make room for lock.mdb", code);
}

static int open_once(ld_lmdb_env *env, size_t map_size) {
  unsigned flags = MDB_NOTLS | env->settings.durability;
  if (env->settings.read_only) flags |= MDB_RDONLY;
  int code = mdb_env_create(&env->mdb);
  if (code != 0) return code;
  code = mdb_env_set_mapsize(env->mdb, map_size);
  if (code == 0) code = mdb_env_set_maxreaders(env->mdb, (unsigned)env->settings.readers);
  if (code == 0) code = mdb_env_open(env->mdb, env->folder, flags, 0600);
  if (code == 0) return 0;
  mdb_env_close(env->mdb);
  env->mdb = NULL;
  return code;
}

/* Halve the map until the system grants it (valgrind says EINVAL). */
static int open_mdb(ld_lmdb_env *env) {
  enum { SMALLEST = 1 << 20 };
  uint64_t size = env->settings.map_size / 4096 * 4096;
  int code = open_once(env, size);
  while ((code == ENOMEM || code == EINVAL) && size / 2 >= SMALLEST) {
    size = size / 2 / 4096 * 4096;
    code = open_once(env, size);
  }
  return code;
}

static bool identify(ld_lmdb_env *env) {
  char path[PATH_MAX];
  struct stat data, lock;
  MDB_stat stats;
  int fd;
  if (mdb_env_get_fd(env->mdb, &fd) != 0 || fstat(fd, &data) != 0) return false;
  snprintf(path, sizeof path, "%s/lock.mdb", env->folder);
  env->device = data.st_dev;
  env->inode = data.st_ino;
  env->lock_inode = stat(path, &lock) == 0 ? lock.st_ino : 0;
  mdb_env_stat(env->mdb, &stats);
  env->page_size = stats.ms_psize;
  return fcntl(fd, F_SETFD, FD_CLOEXEC) ==
         0; /* liblmdb leaves this one open to programs we start */
}

/* What can be said only of an open environment: dead readers, the database, limits. */
static ld_rc prepare(ld_lmdb_env *env, ld_error *error) {
  MDB_txn *txn;
  unsigned flags = 0;
  int dead;
  if (!identify(env)) return ld_lmdb_fail(error, env, "open", errno);
  int code = mdb_reader_check(env->mdb, &dead);
  if (code == 0) code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
  if (code != 0) return ld_lmdb_fail(error, env, "open", code);
  code = mdb_dbi_open(txn, NULL, 0, &env->dbi);
  if (code == 0) code = mdb_dbi_flags(txn, env->dbi, &flags);
  mdb_txn_abort(txn);
  if (code != 0) return ld_lmdb_fail(error, env, "open", code);
  if (mdb_env_get_maxkeysize(env->mdb) < (int)LD_KEY_MAX)
    return ld_fail(error, LD_UNSUPPORTED, "%s: this liblmdb takes keys of %d bytes, %u are needed",
                   env->folder, mdb_env_get_maxkeysize(env->mdb), LD_KEY_MAX);
  if (flags != 0)
    return ld_fail(error, LD_INVALID,
                   "%s: holds a database with flags 0x%x, no larder store; choose another path",
                   env->folder, flags);
  return LD_OK;
}

static void free_env(ld_lmdb_env *env) {
  if (env->mdb != NULL) mdb_env_close(env->mdb);
  pthread_mutex_destroy(&env->lock);
  free(env->folder);
  free(env->file);
  free(env);
}

static ld_lmdb_env *new_env(const char *folder, const ld_lmdb_settings *settings) {
  ld_lmdb_env *env = calloc(1, sizeof *env);
  if (env == NULL) return NULL;
  pthread_mutex_init(&env->lock, NULL);
  env->settings = *settings;
  env->generation = ld_lmdb_generation;
  env->handles = 1;
  env->folder = strdup(folder);
  env->file = malloc(strlen(folder) + sizeof "/data.mdb");
  if (env->file != NULL) sprintf(env->file, "%s/data.mdb", folder);
  if (env->folder != NULL && env->file != NULL) return env;
  free_env(env);
  return NULL;
}

/* Open it and enter it into the registry. */
static ld_rc open_env(const char *folder, const ld_lmdb_settings *settings, ld_lmdb_env **out,
                      ld_error *error) {
  ld_lmdb_env *env = new_env(folder, settings);
  if (env == NULL) return ld_fail(error, LD_NOMEM, "%s: out of memory", folder);
  ld_rc rc = reserve_lock_file(env, error);
  if (rc == LD_OK) rc = ld_lmdb_fail(error, env, "open", open_mdb(env));
  if (rc == LD_OK) rc = prepare(env, error);
  if (rc != LD_OK) {
    free_env(env);
    return rc;
  }
  env->next = registry;
  registry = env;
  *out = env;
  return LD_OK;
}

static ld_rc join_open(const char *folder, const struct stat *data,
                       const ld_lmdb_settings *settings, bool open, ld_lmdb_env **env,
                       ld_error *error) {
  pthread_mutex_lock(&registry_lock);
  ld_rc rc = find_open(folder, data, settings, env, error);
  if (rc == LD_OK && *env == NULL && open) {
    rc = check_lock_file(folder, error);
    if (rc == LD_OK) rc = open_env(folder, settings, env, error);
  }
  pthread_mutex_unlock(&registry_lock);
  return rc;
}

static void warn_of_names(const ld_lmdb_env *env, const struct stat *data, const ld_env *log) {
  if (data->st_nlink > 1)
    ld_log(log, LD_LOG_WARN,
           "lmdb: %s: has %lu names; processes that use different ones do not see each other's "
           "locks",
           env->file, (unsigned long)data->st_nlink);
}

/* A data version that we do not know: liblmdb 0.9 knows none but 1, a newer one may. */
static ld_rc check_version(const char *file, uint32_t version, const ld_env *log, ld_error *error) {
  int major, minor, patch;
  const char *running = mdb_version(&major, &minor, &patch);
  if (version == 1) return LD_OK;
  if (MDB_VERINT(major, minor, patch) < MDB_VERINT(0, 9, 70))
    return ld_fail(
        error, LD_CORRUPT,
        "%s: found data version %u, expected 1, which is all that %s reads; dump it where "
        "it was written and load it here",
        file, (unsigned)version, running);
  ld_log(log, LD_LOG_WARN, "lmdb: %s: data version %u is not known here: not checked", file,
         (unsigned)version);
  return LD_OK;
}

ld_rc ld_lmdb_env_join(const char *folder, const ld_lmdb_settings *settings, uint64_t check_limit,
                       const ld_config *config, ld_lmdb_env **env, ld_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  char file[PATH_MAX];
  struct stat data;
  ld_lmdb_env *joined = NULL;
  pthread_once(&once, watch_forks);
  snprintf(file, sizeof file, "%s/data.mdb", folder);
  if (stat(file, &data) != 0)
    return ld_fail(error, LD_IO, "%s: cannot be found: %s", file, strerror(errno));
  ld_rc rc = join_open(folder, &data, settings, false, &joined, error);
  if (rc == LD_OK && joined == NULL) {
    uint32_t version = 0;
    rc = ld_lmdb_inspect(file, config, check_limit, &version, error);
    if (rc == LD_OK) rc = check_version(file, version, &config->env, error);
    if (rc == LD_OK) rc = join_open(folder, &data, settings, true, &joined, error);
    if (rc == LD_OK) warn_of_names(joined, &data, &config->env);
  }
  if (rc == LD_OK) *env = joined;
  return rc;
}

void ld_lmdb_env_leave(ld_lmdb_env *env) {
  if (env == NULL || ld_lmdb_stale(env)) return;
  pthread_mutex_lock(&registry_lock);
  bool last = --env->handles == 0;
  if (last) {
    ld_lmdb_env **link = &registry;
    while (*link != env) link = &(*link)->next;
    *link = env->next;
    mdb_env_close(env->mdb); /* under the lock: until then nobody may open it anew */
    env->mdb = NULL;
  }
  pthread_mutex_unlock(&registry_lock);
  if (last) free_env(env);
}

/* ---- exclusion ---- */

/* An environment that is stale was its parent's; that process holds its own lock. */
static bool is_open_here(const char *folder) {
  static const char *const files[] = {"data.mdb", "lock.mdb"};
  char path[PATH_MAX];
  struct stat status;
  for (size_t i = 0; i < 2; i++) {
    if (ld_folder_path(folder, files[i], path, NULL) != LD_OK || stat(path, &status) != 0) continue;
    for (const ld_lmdb_env *env = registry; env != NULL; env = env->next)
      if (env->device == status.st_dev &&
          (env->inode == status.st_ino || env->lock_inode == status.st_ino))
        return true;
  }
  return false;
}

/* liblmdb has the first byte of lock.mdb under a shared lock while an environment is open. */
static ld_rc lock_out(const char *folder, int *lock, ld_error *error) {
  struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
  char path[PATH_MAX];
  ld_rc rc = ld_folder_path(folder, "lock.mdb", path, error);
  if (rc != LD_OK) return rc;
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (file < 0) return ld_folder_fail(path, "cannot be opened", error);
  if (fcntl(file, F_SETLK, &all) == 0) {
    *lock = file;
    return LD_OK;
  }
  if (errno == EACCES || errno == EAGAIN)
    rc = ld_fail(error, LD_BUSY, "%s: another process has it open; close it there first", folder);
  else
    rc = ld_folder_fail(path, "cannot be locked", error);
  close(file);
  return rc;
}

ld_rc ld_lmdb_env_exclude(const char *folder, int *lock, ld_error *error) {
  pthread_mutex_lock(&registry_lock);
  ld_rc rc = is_open_here(folder)
                 ? ld_fail(error, LD_MISUSE, "%s: is open in this process; close it first", folder)
                 : lock_out(folder, lock, error);
  if (rc != LD_OK) pthread_mutex_unlock(&registry_lock);
  return rc;
}

void ld_lmdb_env_readmit(int lock) {
  if (ftruncate(lock, 0) != 0) lseek(lock, 0, SEEK_SET); /* it is as its last user left it */
  close(lock);
  pthread_mutex_unlock(&registry_lock);
}
