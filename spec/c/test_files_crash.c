/* test_files_crash.c -- the process is killed, or the power goes, before each call that changes the disk: what is read afterwards is the old content or the
** new one, what was told as done is done, and a sweep takes what the dead left behind. The power needs a file system that can be mounted and
** shut down; without, that part is skipped. */
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "files_scenarios.h"
#include "power.h"

/* ---- calls that are struck ---- */

typedef struct strike_plan {
  bool armed;
  int calls;
  int at;               /* the call that is struck */
  void (*strike)(void); /* before it */
} strike_plan;

static strike_plan *plan; /* shared with the child */

static void count_call(void) {
  if (plan->armed && ++plan->calls == plan->at) plan->strike();
}

static void die(void) { kill(getpid(), SIGKILL); }

ssize_t __real_write(int file, const void *data, size_t size);
int __real_fsync(int file);
int __real_renameat(int from, const char *old, int to, const char *name);
int __real_unlinkat(int dir, const char *name, int flags);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __real_mkdir(const char *name, mode_t mode);
int __real_openat(int dir, const char *name, int flags, ...);
long __real_syscall(long number, long a, long b, long c, long d, long e);
ssize_t __wrap_write(int file, const void *data, size_t size);
int __wrap_fsync(int file);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdir(const char *name, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);

ssize_t __wrap_write(int file, const void *data, size_t size) {
  count_call();
  return __real_write(file, data, size);
}
int __wrap_fsync(int file) {
  count_call();
  return __real_fsync(file);
}
int __wrap_renameat(int from, const char *old, int to, const char *name) {
  count_call();
  return __real_renameat(from, old, to, name);
}
int __wrap_unlinkat(int dir, const char *name, int flags) {
  count_call();
  return __real_unlinkat(dir, name, flags);
}
int __wrap_mkdirat(int dir, const char *name, mode_t mode) {
  count_call();
  return __real_mkdirat(dir, name, mode);
}
int __wrap_mkdir(const char *name, mode_t mode) {
  count_call();
  return __real_mkdir(name, mode);
}
int __wrap_openat(int dir, const char *name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if ((flags & O_CREAT) != 0) count_call();
  return __real_openat(dir, name, flags, mode);
}
long __wrap_syscall(long number, long a, long b, long c, long d, long e) {
  if (number == SYS_renameat2) count_call();
  return __real_syscall(number, a, b, c, d, e);
}

/* ---- a root that was not there ---- */

static ld_file_rc run_open(void) {
  ld_file_error error = {0};
  ld_files *opened;
  const ld_option options[] = {{"path", at("new/base")}};
  ld_file_rc rc = open_with(options, 1, &opened, &error);
  if (rc != LD_FILE_OK) return rc;
  rc = ld_files_write(opened, LD_LITERAL("f"), LD_LITERAL("x"), 0);
  ld_files_close(opened);
  return rc;
}
static void check_open(bool done) { CHECK(!done || holds("new/base/f", "x")); }

static const scenario new_root = {"open", prepare_old, run_open, check_open};

/* ---- rounds ---- */

enum { DONE, FAILED = 3 };

static void work(const scenario *one) {
  open_files("kernel");
  plan->armed = true;
  _exit(one->run() == LD_FILE_OK ? DONE : FAILED);
}

/* Run it in a child that is struck before call `at`; false when it made fewer calls. */
static bool strike_at(const scenario *one, int at, void (*strike)(void), int *status) {
  *plan = (strike_plan){.at = at, .strike = strike};
  pid_t pid = fork();
  if (pid == 0) work(one);
  CHECK(pid > 0 && waitpid(pid, status, 0) == pid);
  plan->armed = false;
  CHECK(WIFEXITED(*status) ? WEXITSTATUS(*status) == DONE || WEXITSTATUS(*status) == FAILED
                           : WTERMSIG(*status) == SIGKILL);
  return plan->calls >= at;
}

static bool was_done(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == DONE; }

static void check_afterwards(const scenario *one, int status) {
  uint64_t count;
  open_files("kernel");
  CHECK_FILE(LD_FILE_OK, ld_files_delete_older_than(files, LD_SLICE_NONE, 0, NULL, NULL, &count));
  CHECK(count <= 1);
  one->check(was_done(status));
  ld_file_rc rc = one->run(); /* nothing is in the way of doing it again, or for the first time */
  CHECK(rc == LD_FILE_OK || rc == LD_FILE_EXISTS || rc == LD_FILE_NOT_FOUND);
  one->check(true);
}

static void test_kill(const scenario *one) {
  bool killed = true;
  for (int at = 1; killed; at++) {
    int status;
    begin("kernel");
    one->prepare();
    close_files();
    killed = strike_at(one, at, die, &status);
    CHECK(killed == WIFSIGNALED(status) && (killed || was_done(status)));
    check_afterwards(one, status);
    end();
  }
}

static void sync_disk(void) {
  int file = open(power_disk, O_RDONLY | O_DIRECTORY);
  CHECK(file >= 0 && syncfs(file) == 0);
  close(file);
}

static void test_cut(const scenario *one) {
  bool cut = true;
  for (int at = 1; cut; at++) {
    int status;
    begin("kernel");
    one->prepare();
    close_files();
    sync_disk();
    cut = strike_at(one, at, power_cut, &status);
    CHECK(cut || was_done(status));
    if (!cut) power_cut();
    power_back();
    check_afterwards(one, status);
    end();
  }
}

static void test_each(void (*test)(const scenario *one)) {
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) test(&scenarios[i]);
  test(&new_root);
}

int main(void) {
  alarm(280);
  plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(plan != MAP_FAILED);
  if (access("/dev/shm", W_OK) == 0) place = "/dev/shm";
  test_each(test_kill);
  if (power_set_up()) {
    place = power_disk;
    test_each(test_cut);
    CHECK(power_unmount());
  } else {
    fprintf(stderr,
            "files_crash: power cuts skipped: no file system can be mounted and shut down here\n");
  }
  CHECK(nftw(power_place, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
  return check_done("files_crash");
}
