/* lmdb_env.h -- the environments of this process: private to the LMDB engine's files.
**
** liblmdb allows an environment to be open once in a process, so the handles on it share an `ld_lmdb_env`, found by device and inode of
** data.mdb. After a fork the child finds its environments stale. It touches none of them, not even to free them, and opens anew. */
#ifndef LD_LMDB_ENV_H
#define LD_LMDB_ENV_H

#include <lmdb.h>
#include <pthread.h>
#include <sys/types.h>

#include "lmdb_settings.h"

typedef struct ld_lmdb_env {
  MDB_env *mdb;
  MDB_dbi dbi;
  char *folder, *file; /* as first opened, absolute; data.mdb in it */
  ld_lmdb_settings settings;
  dev_t device;
  ino_t inode, lock_inode;
  unsigned generation; /* of forks, when it was opened */
  unsigned page_size;
  size_t handles;           /* under the registry's lock */
  struct ld_lmdb_env *next; /* likewise */

  /* lmdb_txn.c's, under `lock`: */
  pthread_mutex_t lock;
  size_t open_txns; /* begun or beginning */
  bool writing;     /* `writer` holds liblmdb's write lock */
  pthread_t writer;
  uint64_t want_room; /* bytes that did not fit; 0: none */
  bool lost;          /* the map could not be made anew */
} ld_lmdb_env;

extern unsigned ld_lmdb_generation; /* counts forks, in the children */

static inline bool ld_lmdb_stale(const ld_lmdb_env *env) {
  return env->generation != ld_lmdb_generation;
}

/* Join the environment in `folder` (absolute), or inspect it up to `check_limit` bytes and open it. INVALID: it is open with
** other settings. Give it back with leave. */
ld_rc ld_lmdb_env_join(const char *folder, const ld_lmdb_settings *settings, uint64_t check_limit,
                       const ld_config *config, ld_lmdb_env **env, ld_error *error);
/* Closes the environment when this was the last handle; a stale one is left alone. NULL is fine. */
void ld_lmdb_env_leave(ld_lmdb_env *env);

/* Shut out everybody from the environment in `folder`, with liblmdb's own lock. MISUSE: this process has it open. BUSY: another one. Until readmit no
** environment can be opened in this process; what waited for the lock finds nothing in lock.mdb that it could believe. */
ld_rc ld_lmdb_env_exclude(const char *folder, int *lock, ld_error *error);
void ld_lmdb_env_readmit(int lock);

/* Keep what the parent process left behind reachable for ever, and untouched. */
void ld_lmdb_abandon(void *what);

#endif
