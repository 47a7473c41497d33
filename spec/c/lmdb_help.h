/* lmdb_help.h -- what the tests of the LMDB engine share: folders, stores, rows with a checksum, children. */
#ifndef LD_LMDB_HELP_H
#define LD_LMDB_HELP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../csrc/engine.h"
#include "../../csrc/engines/lmdb_engine.h"
#include "check.h"
#include "remove.h"

#define FIRST_KEY "\001first"

static char folder[64]; /* a fresh one for each test */
static _Thread_local ld_error failure;

static inline void new_folder(void) {
  if (folder[0] != '\0') remove_folder(folder);
  make_folder(folder);
}

static inline const char *in_folder(const char *name) {
  static char path[4][256];
  static unsigned turn;
  char *at = path[turn++ % 4];
  snprintf(at, sizeof path[0], "%s/%s", folder, name);
  return at;
}

/* ---- rows: a checksum of key and payload, then the payload ---- */

static inline bool row_is_sound(ld_slice key, ld_slice value) {
  uint32_t sum;
  if (value.size < sizeof sum) return false;
  memcpy(&sum, value.data, sizeof sum);
  return ld_crc32c(ld_crc32c(0, key), ld_bytes(value.data + 4, value.size - 4)) == sum;
}

static inline ld_rc put_row(ld_txn *txn, ld_slice key, ld_slice payload) {
  ld_buf value = {0};
  uint32_t sum = ld_crc32c(ld_crc32c(0, key), payload);
  ld_buf_add(&value, ld_bytes(&sum, sizeof sum));
  ld_buf_add(&value, payload);
  CHECK(!value.failed);
  ld_rc rc = ld_put(txn, key, ld_buf_slice(&value));
  ld_buf_clear(&value);
  return rc;
}

/* ---- stores ---- */

/* Open `path` with "name", "value", ..., NULL. */
static inline ld_rc open_with(const char *path, ld_engine **engine, const char *const *options) {
  ld_option list[8] = {{"path", path}};
  ld_config config = {
      .env = ld_env_system(), .options = list, .option_count = 1, .check_row = row_is_sound};
  uint8_t first[64] = {0};
  ld_slice key = ld_text(FIRST_KEY), payload = ld_text("the first row");
  uint32_t sum = ld_crc32c(ld_crc32c(0, key), payload);
  memcpy(first, &sum, 4);
  memcpy(first + 4, payload.data, payload.size);
  config.first_key = key;
  config.first_value = ld_bytes(first, 4 + payload.size);
  for (; options != NULL && *options != NULL; options += 2)
    list[config.option_count++] = (ld_option){options[0], options[1]};
  memset(&failure, 0, sizeof failure);
  return ld_engine_open(&ld_lmdb_engine, &config, engine, &failure);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline ld_engine *open_store(const char *path) {
  ld_engine *engine = NULL;
  ld_rc rc = open_with(path, &engine, OPTIONS("durability", "none"));
  if (rc != LD_OK) fprintf(stderr, "%s\n", failure.text);
  CHECK_RC(LD_OK, rc);
  return engine;
}

static inline ld_rc write_one(ld_engine *engine, const char *key, const char *value) {
  ld_txn *txn;
  ld_rc rc = ld_begin(engine, true, &txn);
  if (rc != LD_OK) return rc;
  rc = put_row(txn, ld_text(key), ld_text(value));
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

/* Put `size` zeros under a key of this number. */
static inline ld_rc write_big(ld_engine *engine, int number, size_t size) {
  ld_txn *txn;
  char key[16], *payload = calloc(1, size);
  snprintf(key, sizeof key, "big%06d", number);
  ld_rc rc = ld_begin(engine, true, &txn);
  if (rc == LD_OK) {
    rc = put_row(txn, ld_text(key), ld_bytes(payload, size));
    if (rc == LD_OK) {
      rc = ld_commit(txn);
    } else {
      failure = engine->error;
      ld_rollback(txn);
    }
  }
  free(payload);
  return rc;
}

/* Whether `key` has `value`; NULL: whether it is absent. */
static inline bool has(ld_engine *engine, const char *key, const char *value) {
  ld_txn *txn;
  ld_slice found;
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  ld_rc rc = ld_get(txn, ld_text(key), &found);
  bool same = value == NULL
                  ? rc == LD_NOTFOUND
                  : rc == LD_OK && row_is_sound(ld_text(key), found) &&
                        ld_equal(ld_bytes(found.data + 4, found.size - 4), ld_text(value));
  ld_rollback(txn);
  return same;
}

static inline uint32_t readers_of(ld_engine *engine) {
  ld_engine_stats stats;
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  return stats.readers;
}

static inline uint64_t limit_of(ld_engine *engine) {
  ld_engine_stats stats;
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  return stats.bytes_limit;
}

/* ---- findings ---- */

static inline void count_finding(void *context, ld_slice key, const char *text) {
  (void)key;
  if (++*(unsigned *)context <= 3 && getenv("LD_VERBOSE") != NULL) fprintf(stderr, "  %s\n", text);
}

static inline unsigned findings_of(ld_engine *engine) {
  unsigned count = 0;
  CHECK_RC(LD_OK, ld_check(engine, count_finding, &count));
  return count;
}

/* ---- children ---- */

/* Run `body` in a child; whether it ended well. */
static inline bool in_child(void (*body)(void *), void *context) {
  int status;
  fflush(NULL);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    alarm(60);
    body(context);
    _exit(0);
  }
  CHECK(waitpid(pid, &status, 0) == pid);
  if (WIFSIGNALED(status)) fprintf(stderr, "the child died of signal %d\n", WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
