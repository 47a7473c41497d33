/* test_backup_power.c -- the power goes while a backup is made, or restored: on a file system in a file, which is shut down as a cut does it. Skipped where
** file systems cannot be mounted. */
#include "backup_hits.h"
#include "power.h"

static void empty_disk(void) {
  CHECK(power_run("rm -rf '%s'/store '%s'/*other* ", folder, folder));
  CHECK(power_run("rm -rf '%s'/backup* '%s'/.larder-*", folder, folder));
  make_store(in_folder("store"), 3);
}

static void try_backup(void *context) {
  (void)context;
  _exit(back_up(in_folder("backups/one")) == LD_OK ? 0 : 2);
}

static void try_restore(void *context) {
  (void)context;
  hit->armed = true;
  _exit(restore(in_folder("backup"), in_folder("other")) == LD_OK ? 0 : 2);
}

/* Run it with the cut before call `at`; false when it made fewer calls, and then was cut behind them. */
static bool cut_at(void (*work)(void *), int at) {
  int status;
  sync();
  aim(at, 0);
  hit->strike = power_cut;
  pid_t pid = fork();
  if (pid == 0) work(NULL);
  CHECK(waitpid(pid, &status, 0) == pid);
  bool was = hit->calls >= at;
  aim(0, 0);
  if (!was) {
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    power_cut();
  }
  power_back();
  return was;
}

static void test_backups(void) {
  bool cut = true;
  for (int at = 1; cut; at++) {
    const ld_env env = ld_env_system();
    empty_disk();
    cut = cut_at(try_backup, at);
    bool there = access(in_folder("backups/one"), F_OK) == 0;
    CHECK(there || cut); /* what was acknowledged is there */
    if (there) CHECK_RC(LD_OK, check(in_folder("backups/one")));
    ld_stage_sweep(in_folder("backups"), &env);
    CHECK(read_mark(in_folder("store")) == 3);
    CHECK_RC(LD_OK, back_up(in_folder("backups/two")));
  }
}

static void test_restorations(void) {
  bool cut = true;
  for (int at = 1; cut; at++) {
    empty_disk();
    CHECK_RC(LD_OK, back_up(in_folder("backup")));
    make_store(in_folder("other"), 5);
    cut = cut_at(try_restore, at);
    uint64_t mark = read_mark(in_folder("other"));
    CHECK(mark == 3 || (cut && mark == 5));
    CHECK_RC(LD_OK, restore(in_folder("backup"), in_folder("other")));
    CHECK(read_mark(in_folder("other")) == 3);
  }
}

static void try_drop(void *context) {
  (void)context;
  hit->armed = true;
  _exit(ld_stage_drop(in_folder("backups/one"), NULL) == LD_OK ? 0 : 2);
}

/* Of a backup that rotation lets go there is all, or nothing under its name. */
static void test_drops(void) {
  bool cut = true;
  for (int at = 1; cut; at++) {
    const ld_env env = ld_env_system();
    empty_disk();
    CHECK_RC(LD_OK, back_up(in_folder("backups/one")));
    cut = cut_at(try_drop, at);
    bool there = access(in_folder("backups/one"), F_OK) == 0;
    CHECK(!there || cut);
    if (there) CHECK_RC(LD_OK, check(in_folder("backups/one")));
    ld_stage_sweep(in_folder("backups"), &env);
    CHECK(count_names(in_folder("backups"), ".larder-") == 0);
    CHECK_RC(LD_OK, back_up(in_folder("backups/two")));
  }
}

int main(void) {
  alarm(280);
  share_hits();
  if (power_set_up()) {
    strcpy(folder, power_disk);
    test_backups();
    test_restorations();
    test_drops();
    CHECK(power_unmount());
  } else {
    fprintf(stderr, "backup_power: skipped: no file system can be mounted and shut down here\n");
  }
  remove_folder(power_place);
  return check_done("backup_power");
}
