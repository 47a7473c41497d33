/* test_files_faults.c -- each call to the system fails in turn, or does half of what it was asked: what is read afterwards is the old
** content or the new one, nothing half-done is left behind, and the failure is told by its kind. */
#include <stdarg.h>
#include <sys/file.h>

#include "failing_malloc.h"
#include "files_scenarios.h"

static long good_calls = -1; /* until one fails; -1: none does */
static int failure;          /* errno of that one */
static bool crumbs;          /* reads and writes of 7 bytes at most, every third interrupted */

/* What somebody else does just before a call. */
static void (*before_flock)(void), (*before_mkdir)(const char *name),
    (*before_unlink)(const char *name);
static bool no_types;       /* a file system that does not tell what entries are */
static bool swapped_always; /* directories below another one are none */

static bool fails_now(void) {
  if (good_calls < 0 || good_calls-- > 0) return false;
  errno = failure;
  return true;
}

static bool is_interrupted(void) {
  static unsigned calls;
  if (!crumbs || ++calls % 3 != 0) return false;
  errno = EINTR;
  return true;
}

ssize_t __real_write(int file, const void *data, size_t size);
ssize_t __real_pread(int file, void *data, size_t size, off_t offset);
int __real_flock(int file, int how);
int __real_renameat(int from, const char *old, int to, const char *name);
int __real_unlinkat(int dir, const char *name, int flags);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __real_openat(int dir, const char *name, int flags, ...);
struct dirent *__real_readdir(DIR *dir);
DIR *__real_fdopendir(int file);
long __real_syscall(long number, long a, long b, long c, long d, long e);
ssize_t __wrap_write(int file, const void *data, size_t size);
ssize_t __wrap_pread(int file, void *data, size_t size, off_t offset);
int __wrap_fsync(int file);
int __wrap_flock(int file, int how);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, ...);
struct dirent *__wrap_readdir(DIR *dir);
DIR *__wrap_fdopendir(int file);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);

ssize_t __wrap_write(int file, const void *data, size_t size) {
  if (fails_now() || is_interrupted()) return -1;
  return __real_write(file, data, crumbs && size > 7 ? 7 : size);
}
ssize_t __wrap_pread(int file, void *data, size_t size, off_t offset) {
  if (fails_now() || is_interrupted()) return -1;
  return __real_pread(file, data, crumbs && size > 7 ? 7 : size, offset);
}
/* That it is called counts; waiting for the disk each time would not. */
int __wrap_fsync(int file) { return fails_now() ? -1 : fcntl(file, F_GETFD) < 0 ? -1 : 0; }
int __wrap_flock(int file, int how) {
  if (before_flock != NULL) before_flock();
  return fails_now() ? -1 : __real_flock(file, how);
}
int __wrap_renameat(int from, const char *old, int to, const char *name) {
  return fails_now() ? -1 : __real_renameat(from, old, to, name);
}
int __wrap_unlinkat(int dir, const char *name, int flags) {
  /* A temporary that cannot be removed is a sweep's business. */
  if (before_unlink != NULL) before_unlink(name);
  if (strncmp(name, LD_FILES_RESERVED, 8) != 0 && fails_now()) return -1;
  return __real_unlinkat(dir, name, flags);
}
int __wrap_mkdirat(int dir, const char *name, mode_t mode) {
  if (before_mkdir != NULL) before_mkdir(name);
  return fails_now() ? -1 : __real_mkdirat(dir, name, mode);
}
int __wrap_openat(int dir, const char *name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return fails_now() ? -1 : __real_openat(dir, name, flags, mode);
}
struct dirent *__wrap_readdir(DIR *dir) {
  struct dirent *entry = fails_now() ? NULL : __real_readdir(dir);
  if (entry != NULL && no_types) entry->d_type = DT_UNKNOWN;
  return entry;
}
DIR *__wrap_fdopendir(int file) { return fails_now() ? NULL : __real_fdopendir(file); }
long __wrap_syscall(long number, long a, long b, long c, long d, long e) {
  if (swapped_always && strchr((const char *)b, '/') != NULL) {
    errno = ENOTDIR;
    return -1;
  }
  return fails_now() ? -1 : __real_syscall(number, a, b, c, d, e);
}

/* How many calls it took; errors that mean something to the provider itself (it tries again, or another way) may succeed. */
static unsigned fail_each(const scenario *one, const char *confine, int code, ld_file_rc want) {
  unsigned failed = 0;
  for (long call = 0;; call++) {
    begin(confine);
    one->prepare();
    failure = code;
    good_calls = call;
    ld_file_rc rc = one->run();
    bool reached = good_calls < 0;
    good_calls = -1;
    if (rc != LD_FILE_OK && rc != want)
      fprintf(stderr, "%s, call %ld: %s\n", one->name, call, ld_files_error(files)->text);
    CHECK(rc == LD_FILE_OK || rc == want);
    CHECK(rc == LD_FILE_OK ||
          (ld_files_error(files)->number == code && ld_files_error(files)->rc == want));
    one->check(rc == LD_FILE_OK);
    end();
    failed += rc != LD_FILE_OK;
    if (!reached) return failed;
  }
}

static void test_failing_calls(void) {
  static const struct {
    int code;
    ld_file_rc want;
  } kinds[] = {{EIO, LD_FILE_IO},         {ENOSPC, LD_FILE_NO_SPACE},   {EDQUOT, LD_FILE_NO_SPACE},
               {EFBIG, LD_FILE_NO_SPACE}, {EACCES, LD_FILE_PERMISSION}, {EROFS, LD_FILE_PERMISSION},
               {EMFILE, LD_FILE_IO}};
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
      CHECK(fail_each(&scenarios[i], "kernel", kinds[k].code, kinds[k].want) >= 3);
      CHECK(fail_each(&scenarios[i], "parts", kinds[k].code, kinds[k].want) >= 3);
    }
}

/* ---- crumbs ---- */

static void test_short_calls(void) {
  char text[500];
  memset(text, 'q', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  begin("kernel");
  crumbs = true;
  CHECK_FILE(LD_FILE_OK, put("f", text, 0));
  CHECK_FILE(LD_FILE_OK, ld_files_copy(files, LD_LITERAL("f"), LD_LITERAL("g"), 0));
  CHECK(gives("f", text) && gives("g", text));
  crumbs = false;
  CHECK(gives("g", text));
  end();
}

/* After a failed write nothing can be published, even when later ones would do. */
static void test_failed_writer(void) {
  ld_file_writer *writer;
  begin("kernel");
  CHECK_FILE(LD_FILE_OK, put("f", "old", 0));
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("f"), 0, &writer));
  CHECK_FILE(LD_FILE_OK, ld_file_write(writer, LD_LITERAL("one ")));
  good_calls = 0;
  failure = ENOSPC;
  CHECK_FILE(LD_FILE_NO_SPACE, ld_file_write(writer, LD_LITERAL("two ")));
  CHECK_FILE(LD_FILE_NO_SPACE, ld_file_write(writer, LD_LITERAL("three")));
  CHECK_FILE(LD_FILE_NO_SPACE, ld_file_writer_publish(writer));
  CHECK(gives("f", "old") && entries_in("root") == 1);
  end();
}

/* ---- others, at the worst moment ---- */

static int held = -1; /* a temporary, as a sweep has it */
static char held_name[300];

static int open_temporary(void) {
  struct dirent *entry;
  DIR *dir = opendir(at("root"));
  CHECK(dir != NULL);
  while ((entry = __real_readdir(dir)) != NULL)
    if (strncmp(entry->d_name, LD_FILES_RESERVED, 8) == 0) break;
  CHECK(entry != NULL);
  snprintf(held_name, sizeof held_name, "root/%s", entry->d_name);
  closedir(dir);
  return open(at(held_name), O_RDONLY);
}

static void sweep_begins(void) {
  before_flock = NULL;
  held = open_temporary();
  CHECK(held >= 0 && __real_flock(held, LOCK_EX | LOCK_NB) == 0);
}

/* A sweep has seen the temporary before its writer could lock it: the writer takes another one. */
static void test_sweep_before_lock(void) {
  ld_file_writer *writer;
  begin("kernel");
  before_flock = sweep_begins;
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("f"), 0, &writer));
  CHECK(held >= 0);
  unlink(at(held_name));
  close(held);
  CHECK_FILE(LD_FILE_OK, ld_file_write(writer, LD_LITERAL("x")));
  CHECK_FILE(LD_FILE_OK, ld_file_writer_publish(writer));
  CHECK(gives("f", "x") && entries_in("root") == 1);
  end();
}

static unsigned removals;

static void check_locked(const char *name) {
  if (strncmp(name, LD_FILES_RESERVED, 8) != 0) return;
  int file = open_temporary();
  CHECK(file >= 0 && __real_flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK);
  close(file);
  removals++;
}

/* The other way round: while a sweep removes a temporary no writer can come to believe that it has it. */
static void test_sweep_holds_lock(void) {
  uint64_t count;
  begin("kernel");
  put_file("root/.larder-1", "half");
  before_unlink = check_locked;
  CHECK_FILE(LD_FILE_OK, ld_files_delete_older_than(files, LD_SLICE_NONE, 0, NULL, NULL, &count));
  before_unlink = NULL;
  CHECK(count == 1 && removals == 1 && entries_in("root") == 0);
  end();
}

static void remove_above(const char *name) {
  if (strcmp(name, "e") != 0) return;
  before_mkdir = NULL;
  CHECK(rmdir(at("root/d")) == 0);
}

static void test_directory_goes(void) {
  begin("kernel");
  before_mkdir = remove_above;
  CHECK_FILE(LD_FILE_OK, put("d/e/f", "x", 0));
  CHECK(before_mkdir == NULL && gives("d/e/f", "x"));
  end();
}

static void test_no_types(void) {
  begin("kernel");
  prepare_tree();
  CHECK(symlink("d", at("root/e")) == 0 && mkfifo(at("root/p"), 0600) == 0);
  no_types = true;
  CHECK_FILE(LD_FILE_OK, run_list());
  CHECK_FILE(LD_FILE_OK, run_remove());
  no_types = false;
  CHECK(entries_in("root") == 3);
  end();
}

/* Somebody who swaps directories for ever gets an error, not a loop. */
static void test_swapped_always(void) {
  begin("kernel");
  prepare_tree();
  swapped_always = true;
  ld_file_rc rc = run_remove();
  swapped_always = false;
  CHECK_FILE(LD_FILE_NOT_A_DIRECTORY, rc);
  CHECK(is_there("root/d/a/b/c"));
  end();
}

/* ---- memory ---- */

/* Fails the allocation behind `calls` good ones; false when there are not so many. */
static bool run_out(const scenario *one, long calls) {
  begin("kernel");
  one->prepare();
  long before = allocated;
  run_out_after(calls, true);
  ld_file_rc rc = one->run();
  refill();
  CHECK(rc == (ran_out ? LD_FILE_NOMEM : LD_FILE_OK));
  CHECK(allocated == before);
  one->check(rc == LD_FILE_OK);
  end();
  return ran_out;
}

static void test_memory(void) {
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
    for (long calls = 0; run_out(&scenarios[i], calls); calls++) CHECK(calls < 100);
}

int main(void) {
  if (access("/dev/shm", W_OK) == 0) place = "/dev/shm"; /* some thousand directories come and go */
  test_failing_calls();
  test_short_calls();
  test_failed_writer();
  test_sweep_before_lock();
  test_sweep_holds_lock();
  test_directory_goes();
  test_no_types();
  test_swapped_always();
  test_memory();
  return check_done("files_faults");
}
