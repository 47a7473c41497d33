/* lmdb_error.c -- what liblmdb says, in our words: the one place that knows both vocabularies. */
#include "lmdb_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lmdb_engine.h"

/* liblmdb calls a short write EIO; most often it is a full disk. */
static bool is_disk_full(const ld_lmdb_env *env) {
  struct statvfs disk;
  struct rlimit limit;
  struct stat status;
  if (env == NULL || stat(env->file, &status) != 0) return false;
  if (statvfs(env->folder, &disk) == 0 && disk.f_bavail == 0) return true;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         (uint64_t)status.st_size + 32768 > limit.rlim_cur;
}

static ld_rc fail_system(ld_error *error, const ld_lmdb_env *env, const char *doing, int code) {
  const char *text = strerror(code);
  if (code == ENOMEM) return ld_fail(error, LD_NOMEM, "%s: out of memory", doing);
  if (code == EIO && is_disk_full(env)) code = ENOSPC;
  if (code == ENOSPC || code == EFBIG || code == EDQUOT)
    return ld_fail(error, LD_FULL, "%s: %s; free space, then try again", doing, strerror(code));
  if (code == EACCES || code == EPERM || code == EROFS)
    return ld_fail(error, LD_IO, "%s: %s; data.mdb, lock.mdb and the folder must be writable",
                   doing, text);
  return ld_fail(error, LD_IO, "%s: %s", doing, code > 0 ? text : mdb_strerror(code));
}

/* Codes with one meaning wherever they come from. */
static const struct {
  int code;
  ld_rc rc;
  const char *text;
} meanings[] = {
    {MDB_TXN_FULL, LD_FULL, "the transaction changes too much; commit smaller parts"},
    {MDB_READERS_FULL, LD_BUSY,
     "all reader slots are taken; end read transactions, or set readers higher and restart all "
     "processes"},
    {MDB_MAP_RESIZED, LD_BUSY,
     "another process has grown the store; end all transactions of this process, then try again"},
    {MDB_PANIC, LD_IO,
     "a write of the meta page failed earlier; close the store and open it again"},
    {MDB_VERSION_MISMATCH, LD_INVALID,
     "another process uses it with another build of liblmdb; use one for all"},
    {MDB_BAD_TXN, LD_MISUSE, "the transaction failed before and can only be rolled back"},
    {MDB_BAD_VALSIZE, LD_TOOBIG, "the key or the value is too long"},
    {MDB_CORRUPTED, LD_CORRUPT, "the data file is damaged; restore the store from a backup"},
    {MDB_PAGE_NOTFOUND, LD_CORRUPT,
     "the data file is damaged, a page is missing; restore the store from a backup"},
    {MDB_CURSOR_FULL, LD_CORRUPT,
     "the data file is damaged, the tree is too deep; restore the store from a backup"},
    {MDB_INVALID, LD_CORRUPT,
     "this is no LMDB data file, or a damaged one; restore the store from a backup"},
};

static ld_rc fail_map_full(ld_error *error, const ld_lmdb_env *env, const char *doing) {
  MDB_envinfo info = {0};
  if (env != NULL) mdb_env_info(env->mdb, &info);
  ld_fail(error, LD_FULL,
          "%s: the map of %zu bytes is full; the next transaction finds it doubled when no other "
          "one of this process is open, or set map_size",
          doing, info.me_mapsize);
  if (error != NULL) error->retry = env != NULL && env->open_txns <= 1; /* else it cannot grow */
  return LD_FULL;
}

static ld_rc fail_code(ld_error *error, const ld_lmdb_env *env, const char *doing, int code) {
  if (code == MDB_MAP_FULL) return fail_map_full(error, env, doing);
  for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
    if (meanings[i].code == code)
      return ld_fail(error, meanings[i].rc, "%s: %s", doing, meanings[i].text);
  return fail_system(error, env, doing, code);
}

ld_rc ld_lmdb_fail(ld_error *error, const ld_lmdb_env *env, const char *doing, int code) {
  if (code == MDB_SUCCESS) return LD_OK;
  if (code == MDB_NOTFOUND) return LD_NOTFOUND;
  ld_rc rc = fail_code(error, env, doing, code);
  return error == NULL || env == NULL ? rc : ld_fail_in(error, "%s: ", env->folder);
}

const char *ld_lmdb_problem(void) {
  static char text[160];
  int major, minor, patch;
  const char *running = mdb_version(&major, &minor, &patch);
  bool new_enough = major == MDB_VERSION_MAJOR && minor >= MDB_VERSION_MINOR &&
                    MDB_VERINT(major, minor, patch) >= MDB_VERINT(0, 9, 24);
  if (new_enough) return NULL;
  snprintf(text, sizeof text, "built for liblmdb %d.%d.%d, running %.60s is %s", MDB_VERSION_MAJOR,
           MDB_VERSION_MINOR, MDB_VERSION_PATCH, running,
           major > MDB_VERSION_MAJOR ? "too new: build larder again" : "too old");
  return text;
}
