/* lmdb_error.c -- what liblmdb says, in our words: the one place that knows both vocabularies. */
#include "lmdb_error.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

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
  return ld_fail(error, LD_IO, "%s: %s", doing, code > 0 ? text : mdb_strerror(code));
}

static ld_rc fail_code(ld_error *error, const ld_lmdb_env *env, const char *doing, int code) {
  unsigned long long map = 0;
  MDB_envinfo info;
  if (env != NULL && code == MDB_MAP_FULL && mdb_env_info(env->mdb, &info) == 0)
    map = info.me_mapsize;
  switch (code) {
  case MDB_MAP_FULL:
    ld_fail(error, LD_FULL,
            "%s: the map of %llu bytes is full; the next transaction finds it doubled when no "
            "other one of this process is open, or set map_size",
            doing, map);
    if (error != NULL) error->retry = true;
    return LD_FULL;
  case MDB_TXN_FULL:
    return ld_fail(error, LD_FULL, "%s: the transaction changes too much; commit smaller parts",
                   doing);
  case MDB_READERS_FULL:
    return ld_fail(error, LD_BUSY,
                   "%s: all reader slots are taken; end read transactions, or set readers higher "
                   "and restart all processes",
                   doing);
  case MDB_MAP_RESIZED:
    return ld_fail(error, LD_BUSY,
                   "%s: another process has grown the store; end all transactions of this process, "
                   "then try again",
                   doing);
  case MDB_PANIC:
    return ld_fail(error, LD_IO,
                   "%s: a write of the meta page failed earlier; close the store and open it again",
                   doing);
  case MDB_VERSION_MISMATCH:
    return ld_fail(error, LD_INVALID,
                   "%s: another process uses it with another build of liblmdb, this one is %s; use "
                   "one for all",
                   doing, mdb_version(NULL, NULL, NULL));
  case MDB_BAD_TXN:
    return ld_fail(error, LD_MISUSE,
                   "%s: the transaction failed before and can only be rolled back", doing);
  case MDB_BAD_VALSIZE:
    return ld_fail(error, LD_TOOBIG, "%s: the key or the value is too long", doing);
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_CURSOR_FULL:
  case MDB_INVALID:
    return ld_fail(error, LD_CORRUPT,
                   "%s: the data file is damaged: %s; restore the store from a backup", doing,
                   mdb_strerror(code));
  default: return fail_system(error, env, doing, code);
  }
}

ld_rc ld_lmdb_fail(ld_error *error, const ld_lmdb_env *env, const char *doing, int code) {
  if (code == MDB_SUCCESS) return LD_OK;
  if (code == MDB_NOTFOUND) return LD_NOTFOUND;
  ld_rc rc = fail_code(error, env, doing, code);
  return error == NULL || env == NULL ? rc : ld_fail_in(error, "%s: ", env->folder);
}
