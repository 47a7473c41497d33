/* backup_hits.h -- stores that are backed up and restored while a call that changes a file system is hit: the process is killed before it, it fails, or the power goes. */
#ifndef LD_BACKUP_HITS_H
#define LD_BACKUP_HITS_H

#include <sys/mman.h>

#include "../../csrc/backup.h"
#include "../../csrc/restore.h"
#include "../../csrc/row.h"
#include "../../csrc/stage.h"
#include "../../csrc/store.h"
#include "lmdb_help.h"

/* ---- calls that kill, or fail ---- */

typedef struct hit_plan {
  bool armed;
  int calls;
  int at;               /* the call that is hit; 0: none */
  int code;             /* errno it fails with; 0: it kills */
  void (*strike)(void); /* called instead, where it is set */
} hit_plan;

static hit_plan *hit; /* shared by all processes of a test */

static inline bool fails_here(void) {
  if (!hit->armed) return false;
  if (++hit->calls != hit->at) return false;
  if (hit->strike != NULL) {
    hit->strike();
    return false;
  }
  if (hit->code == 0) kill(getpid(), SIGKILL);
  errno = hit->code;
  return true;
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
  return fails_here() ? -1 : __real_mkdir(path, mode);
}
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to) {
  return fails_here() ? -1 : __real_rename(from, to);
}
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to) {
  return fails_here() ? -1 : __real_link(from, to);
}
int __real_fsync(int file);
int __wrap_fsync(int file);
int __wrap_fsync(int file) { return fails_here() ? -1 : __real_fsync(file); }
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) { return fails_here() ? -1 : __real_unlink(path); }
int __real_unlinkat(int above, const char *path, int flags);
int __wrap_unlinkat(int above, const char *path, int flags);
int __wrap_unlinkat(int above, const char *path, int flags) {
  return fails_here() ? -1 : __real_unlinkat(above, path, flags);
}
int __real_ftruncate(int file, off_t size);
int __wrap_ftruncate(int file, off_t size);
int __wrap_ftruncate(int file, off_t size) {
  return fails_here() ? -1 : __real_ftruncate(file, size);
}
ssize_t __real_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size) {
  return fails_here() ? -1 : __real_write(file, data, size);
}

static inline void aim(int at, int code) {
  hit->calls = 0;
  hit->at = at;
  hit->code = code;
  hit->armed = false;
}

/* ---- stores ---- */

static inline ld_engine *open_at(const char *path) {
  const ld_option options[] = {{"path", path}};
  ld_env env = ld_env_system();
  ld_engine *engine = NULL;
  ld_rc rc = ld_store_open(&ld_lmdb_engine, &env, options, 1, &engine, &failure);
  if (rc != LD_OK) fprintf(stderr, "%s\n", failure.text);
  CHECK_RC(LD_OK, rc);
  return engine;
}

static inline ld_slice key_of(const char *name, char space[16]) {
  snprintf(space, 16, "\x09\x30%s", name);
  return ld_bytes(space, strlen(name) + 3);
}

/* A map "m" that has no keys but a count: a row that verify has no quarrel with. */
static inline void put_mark(ld_engine *engine, uint64_t mark) {
  char space[16];
  ld_txn *txn;
  ld_buf payload = {0};
  ld_buf_varint(&payload, 0);
  CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
  for (uint64_t i = 0; i < mark; i++)
    CHECK_RC(LD_OK, ld_row_put(txn, key_of("m", space), ld_buf_slice(&payload)));
  CHECK_RC(LD_OK, ld_commit(txn));
  ld_buf_clear(&payload);
}

/* The revision of the row tells how often it was put. 0: it is not there. */
static inline uint64_t read_mark(const char *path) {
  char space[16];
  ld_txn *txn;
  ld_row row = {0};
  ld_engine *engine = open_at(path);
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  if (ld_row_get(txn, key_of("m", space), &row) != LD_OK) row.revision = 0;
  ld_rollback(txn);
  ld_engine_close(engine);
  return row.revision;
}

static inline void make_store(const char *path, uint64_t mark) {
  ld_engine *engine = open_at(path);
  put_mark(engine, mark);
  ld_engine_close(engine);
}

static inline size_t count_names(const char *path, const char *beginning) {
  size_t count = 0;
  DIR *listing = opendir(path);
  if (listing == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0 &&
             strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(listing);
  return count;
}

/* ---- what is hit ---- */

static inline ld_rc back_up(const char *path) {
  ld_buf label = {0};
  ld_engine *engine = open_at(in_folder("store"));
  hit->armed = hit->at > 0;
  ld_rc rc = ld_backup_make(engine, path, 1000, NULL, &label);
  hit->armed = false;
  failure = engine->error;
  ld_engine_close(engine);
  ld_buf_clear(&label);
  return rc;
}

static inline ld_rc check(const char *path) {
  ld_buf label = {0};
  ld_rc rc = ld_backup_check(path, NULL, &label, &failure);
  ld_buf_clear(&label);
  return rc;
}

static inline ld_rc restore(const char *backup, const char *to) {
  const ld_env env = ld_env_system();
  ld_buf report = {0};
  ld_rc rc = ld_restore(backup, to, "now", &env, NULL, &report, &failure);
  ld_buf_clear(&report);
  return rc;
}

static inline int run_hit(void (*work)(void *), int at, int code) {
  int status;
  aim(at, code);
  pid_t pid = fork();
  if (pid == 0) {
    work(NULL);
    _exit(0);
  }
  CHECK(waitpid(pid, &status, 0) == pid);
  int calls = hit->calls;
  aim(0, 0);
  return calls < at ? -1 : status;
}

static inline void share_hits(void) {
  hit = mmap(NULL, sizeof *hit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(hit != MAP_FAILED);
}

#endif
