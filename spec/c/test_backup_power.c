/* test_backup_power.c -- the power goes while a backup is made, or restored: on a file system in a file, which is shut down as a cut does it. Skipped where
** file systems cannot be mounted. */
#include <sys/ioctl.h>

#include "backup_hits.h"

/* linux/fs/ext4/ext4.h: _IOR('X', 125, __u32); 2: nothing that is not on the disk yet gets there. */
#define SHUT_DOWN _IOR('X', 125, uint32_t)
enum { WITHOUT_FLUSH = 2 };

static char place[40], image[80], command[400];

static bool run(const char *format, const char *one, const char *two) {
  snprintf(command, sizeof command, format, one, two);
  return system(command) == 0;
}

static void cut_power(void) {
  uint32_t how = WITHOUT_FLUSH;
  int file = open(folder, O_RDONLY | O_DIRECTORY);
  CHECK(file >= 0 && ioctl(file, SHUT_DOWN, &how) == 0);
  close(file);
}

static bool mount_image(void) { return run("mount -o loop '%s' '%s' 2>/dev/null", image, folder); }

static bool unmount(void) {
  for (int i = 0; i < 100; i++) {
    if (run("umount '%s' 2>/dev/null", folder, "")) return true;
    usleep(50000); /* somebody who was killed has not ended yet */
  }
  return false;
}

static bool set_up(void) {
  strcpy(place, "/tmp/test_power.XXXXXX");
  CHECK(mkdtemp(place) != NULL);
  snprintf(image, sizeof image, "%s/image", place);
  snprintf(folder, sizeof folder, "%s/disk", place);
  CHECK(mkdir(folder, 0700) == 0);
  uint32_t how = WITHOUT_FLUSH;
  if (!run("truncate -s 16M '%s' && mkfs.ext4 -q '%s' 2>/dev/null", image, image) || !mount_image())
    return false;
  int file = open(folder, O_RDONLY | O_DIRECTORY);
  bool can = ioctl(file, SHUT_DOWN, &how) == 0;
  close(file);
  CHECK(unmount());
  return can;
}

/* The disk as it was found after the cut. */
static void come_back(void) {
  CHECK(unmount());
  CHECK(mount_image());
}

static void empty_disk(void) {
  CHECK(run("rm -rf '%s'/store '%s'/*other* ", folder, folder));
  CHECK(run("rm -rf '%s'/backup* '%s'/.larder-*", folder, folder));
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
  hit->strike = cut_power;
  pid_t pid = fork();
  if (pid == 0) work(NULL);
  CHECK(waitpid(pid, &status, 0) == pid);
  bool was = hit->calls >= at;
  aim(0, 0);
  if (!was) {
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cut_power();
  }
  come_back();
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
  if (set_up()) {
    CHECK(mount_image());
    test_backups();
    test_restorations();
    test_drops();
    CHECK(unmount());
  } else {
    fprintf(stderr, "backup_power: skipped: no file system can be mounted and shut down here\n");
  }
  remove_folder(place);
  return check_done("backup_power");
}
