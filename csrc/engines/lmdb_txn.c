/* lmdb_txn.c -- top-level transactions of a shared environment.
**
** Invariants: `open_txns` counts a transaction before liblmdb begins it, so the map never changes under one;
** `writing` is true only while `writer` holds liblmdb's write lock; the lock is not held while waiting for that. */
#include "lmdb_txn.h"

#include <stdio.h>
#include <sys/mman.h>

#include "lmdb_error.h"

/* ---- the map ---- */

static uint64_t bytes_used(const ld_lmdb_env *env, const MDB_envinfo *info) {
  return ((uint64_t)info->me_last_pgno + 1) * env->page_size;
}

static uint64_t size_wanted(const ld_lmdb_env *env, const MDB_envinfo *info) {
  uint64_t used = bytes_used(env, info), size = info->me_mapsize;
  if (env->settings.read_only) {
    while (used > size) size *= 2;
    return size;
  }
  if (env->want_room > 0) size *= 2;
  while (used + env->want_room > size / 4 * 3) size *= 2;
  return size;
}

/* liblmdb drops the old map before it asks for the new one, and cannot go on without any. */
static bool is_granted(uint64_t more) {
  void *map = mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return false;
  munmap(map, more);
  return true;
}

/* Under the lock, with no transaction open. The new size; 0: as before. */
static uint64_t fit_map(ld_lmdb_env *env) {
  MDB_envinfo info;
  mdb_env_info(env->mdb, &info);
  uint64_t size = size_wanted(env, &info);
  if (size == info.me_mapsize) return 0;
  env->want_room = 0;
  if (!is_granted(size - info.me_mapsize)) return 0;
  env->lost = mdb_env_set_mapsize(env->mdb, size) != 0;
  return size;
}

/* ---- beginning ---- */

static ld_rc enter(ld_lmdb_env *env, bool writable, uint64_t *grown, ld_error *error) {
  if (env->lost)
    return ld_fail(
        error, LD_IO,
        "%s: the map was lost for want of address space; close the store and open it again",
        env->folder);
  if (writable && env->writing && pthread_equal(env->writer, pthread_self()))
    return ld_fail(
        error, LD_MISUSE,
        "%s: this thread has a write transaction open on this store already, through another "
        "handle: end it first",
        env->folder);
  if (env->open_txns == 0) *grown = fit_map(env);
  env->open_txns++;
  return LD_OK;
}

static ld_rc enter_locked(ld_lmdb_env *env, bool writable, const ld_env *log, ld_error *error) {
  uint64_t grown = 0;
  pthread_mutex_lock(&env->lock);
  ld_rc rc = enter(env, writable, &grown, error);
  pthread_mutex_unlock(&env->lock);
  if (grown > 0)
    ld_log(log, LD_LOG_DEBUG, "lmdb: %s: the map is now %llu bytes", env->folder,
           (unsigned long long)grown);
  return rc;
}

/* Take over another process's growth. false: a transaction of this process is in the way. */
static bool follow_growth(ld_lmdb_env *env, const ld_env *log) {
  uint64_t grown = 0;
  pthread_mutex_lock(&env->lock);
  bool alone = env->open_txns == 1; /* that is the one beginning */
  if (alone) grown = fit_map(env);
  bool lost = env->lost;
  pthread_mutex_unlock(&env->lock);
  if (grown > 0)
    ld_log(log, LD_LOG_DEBUG, "lmdb: %s: another process has grown it; the map is now %llu bytes",
           env->folder, (unsigned long long)grown);
  return alone && !lost;
}

static int begin_once(ld_lmdb_env *env, bool writable, MDB_txn **txn) {
  if (writable) return mdb_txn_begin(env->mdb, NULL, 0, txn);
  if (*txn == NULL) return mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, txn);
  int code = mdb_txn_renew(*txn);
  if (code != MDB_BAD_RSLOT) return code;
  ld_lmdb_abandon(*txn); /* its slot was given to another process: not ours to clear */
  *txn = NULL;
  return mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, txn);
}

static int begin_retrying(ld_lmdb_env *env, bool writable, MDB_txn **txn, const ld_env *log) {
  int code = begin_once(env, writable, txn), dead = 0;
  if (code == MDB_READERS_FULL && mdb_reader_check(env->mdb, &dead) == 0) {
    ld_log(log, LD_LOG_DEBUG, "lmdb: %s: cleared %d dead readers", env->folder, dead);
    code = begin_once(env, writable, txn);
  }
  if (code == MDB_MAP_RESIZED && follow_growth(env, log)) code = begin_once(env, writable, txn);
  return code;
}

ld_rc ld_lmdb_txn_begin(ld_lmdb_env *env, bool writable, MDB_txn **txn, const ld_env *log,
                        ld_error *error) {
  ld_rc rc = enter_locked(env, writable, log, error);
  if (rc != LD_OK) return rc;
  int code = begin_retrying(env, writable, txn, log);
  if (code != 0) {
    rc = ld_lmdb_fail(error, env, "begin", code);
    ld_lmdb_txn_done(env);
    return rc;
  }
  if (!writable) return LD_OK;
  pthread_mutex_lock(&env->lock);
  env->writing = true;
  env->writer = pthread_self();
  pthread_mutex_unlock(&env->lock);
  return LD_OK;
}

/* ---- ending ---- */

void ld_lmdb_txn_done(ld_lmdb_env *env) {
  pthread_mutex_lock(&env->lock);
  env->open_txns--;
  pthread_mutex_unlock(&env->lock);
}

/* Before liblmdb lets go of its lock, so that the next writer's mark is not wiped out. */
static void stop_writing(ld_lmdb_env *env) {
  pthread_mutex_lock(&env->lock);
  env->writing = false;
  pthread_mutex_unlock(&env->lock);
}

void ld_lmdb_txn_want(ld_lmdb_env *env, uint64_t size) {
  pthread_mutex_lock(&env->lock);
  if (env->want_room < size + env->page_size) env->want_room = size + env->page_size;
  pthread_mutex_unlock(&env->lock);
}

/* A failed write of the meta page leaves the older meta page with the roots of commit `id`, which to the eye is a commit with a
** damaged number. Say in a file of our own that it is not. */
static void note_failed_meta(const ld_lmdb_env *env, size_t id) {
  MDB_txn *txn;
  char path[4096];
  int code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
  if (code == 0) mdb_txn_abort(txn);
  if (code != MDB_PANIC) return;
  snprintf(path, sizeof path, "%s.failed", env->file);
  FILE *note = fopen(path, "we");
  if (note == NULL) return;
  fprintf(note, "%zu\n", id);
  fclose(note);
}

ld_rc ld_lmdb_txn_commit(ld_lmdb_env *env, MDB_txn *txn, ld_error *error) {
  size_t id = mdb_txn_id(txn);
  stop_writing(env);
  int code = mdb_txn_commit(txn);
  if (code == MDB_MAP_FULL) ld_lmdb_txn_want(env, 0);
  if (code != 0 && code != MDB_MAP_FULL) note_failed_meta(env, id);
  ld_rc rc = ld_lmdb_fail(error, env, "commit", code); /* looks at the map */
  ld_lmdb_txn_done(env);
  return rc;
}

void ld_lmdb_txn_abort(ld_lmdb_env *env, MDB_txn *txn) {
  stop_writing(env);
  mdb_txn_abort(txn);
  ld_lmdb_txn_done(env);
}
