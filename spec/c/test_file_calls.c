/* test_file_calls.c -- a file store while a call that changes its directory is hit, for every call: the process is killed before it, it fails, it writes less than it
** was given, what is read back is not what was written, or the power goes. What was acknowledged is there, and no commit is half-done; without a cut, what was refused is not seen either. */
#include <stdarg.h>
#include <sys/mman.h>

#include "../../csrc/engines/file_engine.h"
#include "../../csrc/map.h"
#include "../../csrc/queue.h"
#include "../../csrc/store.h"
#include "../../csrc/tuple.h"
#include "../../csrc/value.h"
#include "../../csrc/verify.h"
#include "lmdb_help.h"
#include "power.h"

/* ---- calls that are hit ---- */

typedef enum hit_kind { KILL, FAIL, SHORT, LIE, POWER } hit_kind;

/* Shared with the child. */
typedef struct plan {
  bool armed;
  hit_kind how;
  int at, calls, code;
  int64_t several, one; /* acknowledged */
} plan;

static plan *hit;

/* Whether this call fails. */
static bool is_hit(bool writes) {
  if (!hit->armed || ((hit->how == SHORT || hit->how == LIE) && !writes) || ++hit->calls != hit->at)
    return false;
  if (hit->how == KILL) kill(getpid(), SIGKILL);
  if (hit->how == POWER) power_cut();
  errno = hit->code;
  return hit->how != KILL && hit->how != POWER;
}

int __real_openat(int above, const char *path, int flags, ...);
int __wrap_openat(int above, const char *path, int flags, ...);
int __wrap_openat(int above, const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return (flags & O_CREAT) != 0 && is_hit(false) ? -1 : __real_openat(above, path, flags, mode);
}
int __real_renameat(int above, const char *from, int below, const char *to);
int __wrap_renameat(int above, const char *from, int below, const char *to);
int __wrap_renameat(int above, const char *from, int below, const char *to) {
  return is_hit(false) ? -1 : __real_renameat(above, from, below, to);
}
int __real_linkat(int above, const char *from, int below, const char *to, int flags);
int __wrap_linkat(int above, const char *from, int below, const char *to, int flags);
int __wrap_linkat(int above, const char *from, int below, const char *to, int flags) {
  return is_hit(false) ? -1 : __real_linkat(above, from, below, to, flags);
}
int __real_unlinkat(int above, const char *path, int flags);
int __wrap_unlinkat(int above, const char *path, int flags);
int __wrap_unlinkat(int above, const char *path, int flags) {
  return is_hit(false) ? -1 : __real_unlinkat(above, path, flags);
}
int __real_mkdirat(int above, const char *path, mode_t mode);
int __wrap_mkdirat(int above, const char *path, mode_t mode);
int __wrap_mkdirat(int above, const char *path, mode_t mode) {
  return is_hit(false) ? -1 : __real_mkdirat(above, path, mode);
}
int __real_fsync(int file);
int __wrap_fsync(int file);
int __wrap_fsync(int file) { return is_hit(false) ? -1 : __real_fsync(file); }
ssize_t __real_pread(int file, void *data, size_t size, off_t at);
ssize_t __wrap_pread(int file, void *data, size_t size, off_t at);
ssize_t __wrap_pread(int file, void *data, size_t size, off_t at) {
  if (hit->how != LIE) return is_hit(false) ? -1 : __real_pread(file, data, size, at);
  ssize_t got = __real_pread(file, data, size, at);
  if (got > 0 && is_hit(true)) ((uint8_t *)data)[got - 1] ^= 1;
  return got;
}
ssize_t __real_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size) {
  if (hit->how == LIE || !is_hit(true)) return __real_write(file, data, size);
  return hit->how == SHORT && size > 1 ? __real_write(file, data, size / 2) : -1;
}

/* ---- a store: three entries that change together, one that comes and goes with them, one alone, jobs ---- */

#define MAP LD_LITERAL("m")

static ld_engine *open_files(void) {
  const ld_option options[] = {{"path", in_folder("store")}};
  ld_env env = ld_env_system();
  ld_engine *engine = NULL;
  ld_rc rc = ld_store_open(&ld_file_engine, &env, options, 1, &engine, &failure);
  if (rc != LD_OK) fprintf(stderr, "%s\n", failure.text);
  CHECK_RC(LD_OK, rc);
  return engine;
}

static ld_slice key_of(const char *name, uint8_t space[16]) {
  ld_buf key = {.data = space, .capacity = 16};
  ld_tuple_string(&key, ld_text(name));
  return ld_buf_slice(&key);
}

static ld_rc set(ld_txn *txn, const char *name, int64_t number) {
  uint8_t space[16], room[16];
  bool done;
  ld_buf value = {.data = room, .capacity = sizeof room};
  ld_write_int(&value, number);
  return ld_map_set(txn, MAP, key_of(name, space), ld_buf_slice(&value), false, &done);
}

/* 0: it is not there. */
static int64_t get(ld_txn *txn, const char *name) {
  uint8_t space[16];
  ld_buf value = {0};
  ld_token token = {.integer = 0};
  if (ld_map_get(txn, MAP, key_of(name, space), &value) == LD_OK) {
    ld_slice rest = ld_buf_slice(&value);
    CHECK(ld_value_next(&rest, &token) && token.kind == LD_INT);
  }
  ld_buf_clear(&value);
  return token.integer;
}

static ld_rc enqueue(ld_txn *txn) {
  uint8_t nothing = 0xc0;
  const ld_job_new job = {.data = ld_bytes(&nothing, 1)};
  ld_enqueued made;
  return ld_queue_enqueue(txn, LD_LITERAL("q"), &job, 1, &made);
}

static ld_rc write_several(ld_txn *txn, int64_t number) {
  static const char *const names[] = {"a", "b", "c"};
  uint8_t space[16];
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < 3 && rc == LD_OK; i++) rc = set(txn, names[i], number);
  if (rc != LD_OK) return rc;
  if (number % 2 == 1) return set(txn, "odd", number);
  rc = ld_map_delete(txn, MAP, key_of("odd", space));
  return rc == LD_OK || rc == LD_NOTFOUND ? enqueue(txn) : rc;
}

static ld_rc commit(ld_engine *engine, int64_t several, int64_t one) {
  ld_txn *txn;
  ld_rc rc = ld_begin(engine, true, &txn);
  if (rc != LD_OK) return rc;
  if (several > 0) rc = write_several(txn, several);
  if (rc == LD_OK && one > 0) rc = set(txn, "one", one);
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

/* In what is seen, all of a commit or nothing. Returns the number that it is at. */
static int64_t check_seen(ld_engine *engine, int64_t *one) {
  ld_txn *txn;
  uint64_t counts[LD_JOB_STATES];
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  int64_t several = get(txn, "a");
  *one = get(txn, "one");
  CHECK(get(txn, "b") == several && get(txn, "c") == several);
  CHECK(get(txn, "odd") == (several % 2 == 1 ? several : 0));
  CHECK_RC(LD_OK, ld_queue_counts(txn, LD_LITERAL("q"), counts));
  CHECK(counts[LD_JOB_READY] == (uint64_t)several / 2);
  ld_rollback(txn);
  return several;
}

static void hear(void *context, const char *kind, const char *where, const char *text) {
  (void)context;
  fprintf(stderr, "%s %s: %s\n", kind, where, text);
}

static void check_sound(ld_engine *engine) {
  ld_txn *txn;
  ld_verify_report report;
  const ld_verify_calls calls = {.finding = hear};
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  CHECK_RC(LD_OK, ld_verify(txn, &calls, &report));
  ld_rollback(txn);
  CHECK(report.findings == 0);
}

/* ---- hitting ---- */

enum { STEPS = 3 };

/* A refused commit is not seen in this process, unless it was decided; then nothing is written any more. */
static void work(void) {
  ld_engine *engine = open_files();
  int64_t one;
  hit->armed = true;
  for (int step = 0; step < STEPS; step++) {
    if (commit(engine, hit->several + 1, 0) == LD_OK) hit->several++;
    CHECK(check_seen(engine, &one) == hit->several);
    if (commit(engine, 0, hit->one + 1) == LD_OK) hit->one++;
    CHECK(check_seen(engine, &one) == hit->several && one == hit->one);
  }
  hit->armed = false;
  ld_engine_close(engine);
}

static void begin_anew(void) {
  CHECK(power_run("rm -rf '%s'/store", folder, ""));
  ld_engine *engine = open_files();
  CHECK_RC(LD_OK, commit(engine, 1, 1));
  ld_engine_close(engine);
}

/* False: there were fewer calls. */
static bool try_at(hit_kind how, int at, int code) {
  int status;
  *hit = (plan){.how = how, .at = at, .code = code, .several = 1, .one = 1};
  if (how == POWER) sync();
  pid_t pid = fork();
  if (pid == 0) {
    work();
    _exit(0);
  }
  CHECK(waitpid(pid, &status, 0) == pid);
  bool was = hit->calls >= at;
  CHECK(how == KILL || how == POWER ? was || status == 0 : status == 0);
  hit->armed = false;
  if (how == POWER && !was) power_cut();
  if (how == POWER) power_back();
  return was;
}

static void check_after(void) {
  int64_t one;
  ld_engine *engine = open_files();
  int64_t several = check_seen(engine, &one);
  CHECK(several >= hit->several && one >= hit->one);
  CHECK(several <= hit->several + 1 && one <= hit->one + 1);
  check_sound(engine);
  CHECK_RC(LD_OK, commit(engine, several + 1, 9));
  ld_engine_close(engine);
  engine = open_files();
  CHECK(check_seen(engine, &one) == several + 1 && one == 9);
  check_sound(engine);
  ld_engine_close(engine);
}

static int hit_each(hit_kind how, int code) {
  bool was = true;
  int at = 0;
  while (was) {
    begin_anew();
    was = try_at(how, ++at, code);
    check_after();
  }
  return at - 1;
}

int main(void) {
  alarm(280);
  hit = mmap(NULL, sizeof *hit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(hit != MAP_FAILED);
  new_folder();
  CHECK(hit_each(KILL, 0) > 60);
  CHECK(hit_each(FAIL, EIO) > 60);
  CHECK(hit_each(FAIL, ENOSPC) > 60);
  CHECK(hit_each(SHORT, 0) > 12);
  CHECK(hit_each(LIE, 0) > 12);
  remove_folder(folder);
  if (power_set_up()) {
    strcpy(folder, power_disk);
    CHECK(hit_each(POWER, 0) > 60);
    CHECK(power_unmount());
  } else {
    fprintf(stderr,
            "file_calls: no power cuts: no file system can be mounted and shut down here\n");
  }
  remove_folder(power_place);
  return check_done("file_calls");
}
