/* power.h -- a file system in a file, which is shut down as a power cut does it. Where none can be mounted and shut down, power_set_up is false. */
#ifndef LD_POWER_H
#define LD_POWER_H

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* linux/fs/ext4/ext4.h: _IOR('X', 125, __u32); 2: nothing that is not on the disk yet gets there. */
#define POWER_SHUT_DOWN _IOR('X', 125, uint32_t)
enum { POWER_WITHOUT_FLUSH = 2 };

static char power_place[40], power_image[60],
    power_disk[60]; /* the disk is where it is mounted; place: remove it at the end */

static inline bool power_run(const char *format, const char *one, const char *two) {
  char command[400];
  snprintf(command, sizeof command, format, one, two);
  return system(command) == 0;
}

static inline bool power_is_cut(void) {
  uint32_t how = POWER_WITHOUT_FLUSH;
  int file = open(power_disk, O_RDONLY | O_DIRECTORY);
  bool is = file >= 0 && ioctl(file, POWER_SHUT_DOWN, &how) == 0;
  if (file >= 0) close(file);
  return is;
}

static inline void power_cut(void) { CHECK(power_is_cut()); }

static inline bool power_mount(void) {
  return power_run("mount -o loop '%s' '%s' 2>/dev/null", power_image, power_disk);
}

static inline bool power_unmount(void) {
  for (int i = 0; i < 100; i++) {
    if (power_run("umount '%s' 2>/dev/null", power_disk, "")) return true;
    usleep(50000); /* somebody who was killed has not ended yet */
  }
  return false;
}

/* The disk as it was found after the cut. */
static inline void power_back(void) {
  CHECK(power_unmount());
  CHECK(power_mount());
}

static inline bool power_set_up(void) {
  strcpy(power_place, "/tmp/test_power.XXXXXX");
  CHECK(mkdtemp(power_place) != NULL);
  snprintf(power_image, sizeof power_image, "%s/image", power_place);
  snprintf(power_disk, sizeof power_disk, "%s/disk", power_place);
  CHECK(mkdir(power_disk, 0700) == 0);
  if (!power_run("truncate -s 16M '%s' && mkfs.ext4 -q '%s' 2>/dev/null", power_image, power_image))
    return false;
  if (!power_mount()) return false;
  bool can = power_is_cut();
  CHECK(power_unmount());
  return can && power_mount();
}

#endif
