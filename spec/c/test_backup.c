/* test_backup.c -- backups and restorations, killed before each call that changes a file system: nothing half-done has a name, the store is the old or
** the new one, and a second run clears up and succeeds. */
#include "../../csrc/apart.h"
#include "backup_hits.h"

/* ---- backups ---- */

static void try_backup(void *context) {
  (void)context;
  ld_rc rc = back_up(in_folder("backups/one"));
  _exit(rc == LD_OK ? 0 : 2);
}

/* Whatever was hit, there is no backup or a good one, and the next finds nothing of it. */
static void test_hit_backups(int code) {
  int hits = 0;
  for (int at = 1;; at++) {
    const ld_env env = ld_env_system();
    new_folder();
    make_store(in_folder("store"), 3);
    int status = run_hit(try_backup, at, code);
    if (access(in_folder("backups/one"), F_OK) == 0)
      CHECK_RC(LD_OK, check(in_folder("backups/one")));
    if (status == -1) break;
    hits++;
    ld_stage_sweep(in_folder("backups"), &env);
    CHECK(count_names(in_folder("backups"), ".larder-") == 0);
    CHECK_RC(LD_OK, back_up(in_folder("backups/two")));
    CHECK_RC(LD_OK, check(in_folder("backups/two")));
    CHECK(read_mark(in_folder("backups/two")) == 3);
  }
  CHECK(hits >= 8);
  if (getenv("LD_VERBOSE") != NULL) fprintf(stderr, "%d calls of a backup\n", hits);
}

/* ---- restorations ---- */

static void try_restore(void *context) {
  (void)context;
  hit->armed = true;
  _exit(restore(in_folder("backup"), in_folder("other")) == LD_OK ? 0 : 2);
}

/* How many files of the quarantine have the mark. */
static size_t count_kept(uint64_t mark) {
  char path[1300];
  size_t count = 0;
  DIR *listing = opendir(in_folder("other.quarantine"));
  if (listing == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    snprintf(path, sizeof path, "%s/%.900s", in_folder("other.quarantine"), entry->d_name);
    if (entry->d_name[0] != '.' && read_mark(path) == mark) count++;
  }
  closedir(listing);
  return count;
}

static void check_restored_again(bool there) {
  struct stat status;
  uint64_t mark = read_mark(in_folder("other"));
  CHECK(mark == 3 || mark == (there ? 5 : 0));
  CHECK_RC(LD_OK, restore(in_folder("backup"), in_folder("other")));
  CHECK(read_mark(in_folder("other")) == 3);
  CHECK(count_names(in_folder("other"), ".larder-") == 0);
  CHECK(count_names(in_folder("other"), "quarantine") == 0);
  CHECK(stat(in_folder("other/data.mdb"), &status) == 0 && status.st_nlink == 1);
  CHECK(count_kept(5) == there);
}

static void test_hit_restorations(bool there, int code) {
  int hits = 0;
  for (int at = 1;; at++) {
    new_folder();
    make_store(in_folder("store"), 3);
    CHECK_RC(LD_OK, back_up(in_folder("backup")));
    if (there) make_store(in_folder("other"), 5);
    int status = run_hit(try_restore, at, code);
    if (status == -1) break;
    hits++;
    check_restored_again(there);
  }
  CHECK(hits >= 8);
}

/* ---- dropping ---- */

static void try_drop(void *context) {
  (void)context;
  hit->armed = true;
  _exit(ld_stage_drop(in_folder("backups/one"), NULL) == LD_OK ? 0 : 2);
}

static void test_hit_drops(void) {
  for (int at = 1;; at++) {
    const ld_env env = ld_env_system();
    new_folder();
    make_store(in_folder("store"), 3);
    CHECK_RC(LD_OK, back_up(in_folder("backups/one")));
    int status = run_hit(try_drop, at, 0);
    if (access(in_folder("backups/one"), F_OK) == 0)
      CHECK_RC(LD_OK, check(in_folder("backups/one")));
    ld_stage_sweep(in_folder("backups"), &env);
    CHECK(count_names(in_folder("backups"), ".larder-") == 0);
    if (status == -1) break;
    CHECK(at < 20);
  }
}

/* ---- stages ---- */

/* One that is being filled is left alone, by its maker's death or not. */
static void test_sweep(void) {
  const ld_env env = ld_env_system();
  ld_stage stage = {NULL, -1};
  int lock;
  new_folder();
  CHECK_RC(LD_OK, ld_stage_make(folder, &stage, &failure));
  ld_stage_sweep(folder, &env);
  CHECK(access(stage.path, F_OK) == 0);
  CHECK_RC(LD_BUSY, ld_stage_hold(stage.path, &lock, &failure));
  CHECK_RC(LD_OK, ld_stage_publish(&stage, in_folder("done"), &failure));
  CHECK_RC(LD_OK, ld_stage_hold(in_folder("done"), &lock, &failure));
  close(lock);
  CHECK(__real_mkdir(in_folder(".larder-12345678"), 0700) == 0);
  ld_stage_sweep(folder, &env);
  CHECK(access(in_folder(".larder-12345678"), F_OK) != 0);
  CHECK_RC(LD_OK, ld_stage_make(folder, &stage, &failure));
  CHECK_RC(LD_EXISTS, ld_stage_publish(&stage, in_folder("done"), &failure));
  ld_stage_remove(&stage);
  CHECK(count_names(folder, "") == 1);
}

/* ---- another process ---- */

static ld_rc die_of(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error) {
  (void)gauge, (void)answer, (void)error;
  kill(getpid(), *(int *)context);
  return LD_OK;
}

static ld_rc answer_much(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error) {
  (void)context, (void)gauge, (void)error;
  for (int i = 0; i < 100000; i++) ld_buf_byte(answer, (uint8_t)i);
  return LD_OK;
}

static ld_rc say_no(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error) {
  (void)context, (void)gauge, (void)answer;
  return ld_fail(error, LD_TOOBIG, "too big");
}

static ld_rc run_apart(const ld_apart *apart, ld_buf *answer) {
  return ld_apart_run("it", apart, answer, &failure);
}

static void test_apart(void) {
  ld_buf answer = {0};
  int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGKILL, SIGTERM};
  const ld_apart much = {.work = answer_much};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    const ld_apart dying = {.work = die_of, .context = &numbers[i]};
    CHECK_RC(i < 3 ? LD_CORRUPT : LD_IO, run_apart(&dying, &answer));
  }
  CHECK(answer.size == 0);
  CHECK_RC(LD_TOOBIG, run_apart(&(ld_apart){.work = say_no}, &answer));
  CHECK(strcmp(failure.text, "too big") == 0);
  CHECK_RC(LD_OK, run_apart(&much, &answer));
  CHECK(answer.size == 100000 && answer.data[99999] == (uint8_t)99999);
  signal(SIGCHLD, SIG_IGN); /* the program's children are reaped by the system */
  ld_buf_reset(&answer);
  CHECK_RC(LD_OK, run_apart(&much, &answer));
  CHECK_RC(LD_IO, run_apart(&(ld_apart){.work = die_of, .context = &numbers[0]}, &answer));
  signal(SIGCHLD, SIG_DFL);
  ld_buf_clear(&answer);
}

/* ---- telling how far it is ---- */

/* Waits at each step until it was looked at: the look lets it go on. */
static ld_rc go_on_when_seen(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error) {
  (void)context, (void)answer, (void)error;
  for (unsigned part = 0; part < 3; part++) {
    ld_gauge_set(gauge, part, part + 10, 100);
    while (gauge->rows < part + 1) usleep(1000);
  }
  return LD_OK;
}

typedef struct seen {
  unsigned looks, end_at;
} seen;

static ld_rc look(void *context, const ld_gauge *gauge) {
  seen *s = context;
  unsigned part = (unsigned)gauge->part;
  if (gauge->done != part + 10) return LD_OK; /* it has not begun */
  s->looks++;
  ((ld_gauge *)(uintptr_t)gauge)->rows = part + 1;
  return s->looks == s->end_at ? LD_CONFLICT : LD_OK;
}

static void test_gauge(void) {
  ld_buf answer = {0};
  seen all = {0}, two = {.end_at = 2};
  CHECK_RC(LD_OK, run_apart(&(ld_apart){&all, go_on_when_seen, look}, &answer));
  CHECK(all.looks >= 3);
  CHECK_RC(LD_CONFLICT, run_apart(&(ld_apart){&two, go_on_when_seen, look}, &answer));
  CHECK(two.looks == 2);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); /* it was ended, and reaped */
  ld_buf_clear(&answer);
}

/* ---- who has it open ---- */

static void hold_open(void *context) {
  char byte;
  int *ends = context;
  ld_engine *engine = open_at(in_folder("other"));
  CHECK(__real_write(ends[1], "x", 1) == 1);
  while (read(ends[2], &byte, 1) < 0) continue;
  ld_engine_close(engine);
}

static void test_open_target(void) {
  int there[2], done[2];
  char byte;
  new_folder();
  make_store(in_folder("store"), 3);
  CHECK_RC(LD_OK, back_up(in_folder("backup")));
  make_store(in_folder("other"), 5);
  ld_engine *engine = open_at(in_folder("other"));
  CHECK_RC(LD_MISUSE, restore(in_folder("backup"), in_folder("other")));
  ld_engine_close(engine);
  CHECK(pipe(there) == 0 && pipe(done) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    hold_open((int[]){0, there[1], done[0]});
    _exit(0);
  }
  CHECK(read(there[0], &byte, 1) == 1);
  CHECK_RC(LD_BUSY, restore(in_folder("backup"), in_folder("other")));
  CHECK(__real_write(done[1], "x", 1) == 1);
  CHECK(waitpid(pid, NULL, 0) == pid);
  CHECK(read_mark(in_folder("other")) == 5);
  CHECK_RC(LD_OK, restore(in_folder("backup"), in_folder("other")));
  CHECK(read_mark(in_folder("other")) == 3);
}

/* Who waits for liblmdb's lock while the data is replaced opens the new data, with a lock file of its own. */
static void open_and_write(void *context) {
  (void)context;
  ld_engine *engine = open_at(in_folder("other"));
  put_mark(engine, 1);
  ld_engine_close(engine);
}

static void test_openers(void) {
  new_folder();
  make_store(in_folder("store"), 3);
  CHECK_RC(LD_OK, back_up(in_folder("backup")));
  make_store(in_folder("other"), 300);
  for (int round = 0; round < 20; round++) {
    pid_t pids[3];
    for (int i = 0; i < 3; i++)
      if ((pids[i] = fork()) == 0) {
        open_and_write(NULL);
        _exit(0);
      }
    ld_rc rc = restore(in_folder("backup"), in_folder("other"));
    CHECK(rc == LD_OK || rc == LD_BUSY);
    for (int i = 0; i < 3; i++) {
      int status;
      CHECK(waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) &&
            WEXITSTATUS(status) == 0);
    }
    ld_engine *engine = open_at(in_folder("other"));
    CHECK(findings_of(engine) == 0);
    ld_engine_close(engine);
  }
}

int main(void) {
  alarm(280);
  share_hits();
  test_apart();
  test_gauge();
  test_sweep();
  test_hit_backups(0);
  test_hit_backups(ENOSPC);
  test_hit_restorations(true, 0);
  test_hit_restorations(true, ENOSPC);
  test_hit_restorations(false, 0);
  test_hit_drops();
  test_open_target();
  test_openers();
  remove_folder(folder);
  return check_done("backup");
}
