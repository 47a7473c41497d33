/* power.h -- a file system in a file, whose power can be cut. In a test's `folder`. */
#ifndef LD_POWER_H
#define LD_POWER_H

#include <sys/ioctl.h>

#include "lmdb_help.h"

/* linux/fs/ext4/ext4.h: _IOR('X', 125, __u32); 2: nothing that is not on the disk yet gets there. */
#define SHUT_DOWN _IOR('X', 125, uint32_t)
enum { WITHOUT_FLUSH = 2 };

static char power_place[40], power_image[80], power_command[400];

static inline bool power_run(const char *format, const char *one, const char *two) {
  snprintf(power_command, sizeof power_command, format, one, two);
  return system(power_command) == 0;
}

static inline void power_cut(void) {
  uint32_t how = WITHOUT_FLUSH;
  int file = open(folder, O_RDONLY | O_DIRECTORY);
  CHECK(file >= 0 && ioctl(file, SHUT_DOWN, &how) == 0);
  close(file);
}

static inline bool power_mount(void) {
  return power_run("mount -o loop '%s' '%s' 2>/dev/null", power_image, folder);
}

static inline bool power_unmount(void) {
  for (int i = 0; i < 100; i++) {
    if (power_run("umount '%s' 2>/dev/null", folder, "")) return true;
    usleep(50000); /* somebody who was killed has not ended yet */
  }
  return false;
}

/* Whether this machine lets us; it is unmounted then. */
static inline bool power_set_up(void) {
  strcpy(power_place, "/tmp/test_power.XXXXXX");
  CHECK(mkdtemp(power_place) != NULL);
  snprintf(power_image, sizeof power_image, "%s/image", power_place);
  snprintf(folder, sizeof folder, "%s/disk", power_place);
  CHECK(mkdir(folder, 0700) == 0);
  uint32_t how = WITHOUT_FLUSH;
  if (!power_run("truncate -s 16M '%s' && mkfs.ext4 -q '%s' 2>/dev/null", power_image,
                 power_image) ||
      !power_mount())
    return false;
  int file = open(folder, O_RDONLY | O_DIRECTORY);
  bool can = ioctl(file, SHUT_DOWN, &how) == 0;
  close(file);
  CHECK(power_unmount());
  return can;
}

/* The disk as it is found after the cut. */
static inline void power_come_back(void) {
  CHECK(power_unmount());
  CHECK(power_mount());
}

#endif
