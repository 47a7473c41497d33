/* remove.h -- folders that tests have made, and all that is in them. */
#ifndef LD_REMOVE_H
#define LD_REMOVE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static inline void remove_folder(const char *path) {
  DIR *listing = opendir(path);
  if (listing == NULL) return;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    char inner[1300];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(inner, sizeof inner, "%.1000s/%s", path, entry->d_name);
    if (unlink(inner) != 0) remove_folder(inner);
  }
  closedir(listing);
  rmdir(path);
}

/* A new folder: in memory, where the system has such a file system, since these tests ask nothing of a disk. */
static inline void make_folder(char folder[64]) {
  bool quick = access("/dev/shm", W_OK) == 0;
  strcpy(folder, quick ? "/dev/shm/larder-test.XXXXXX" : "/tmp/larder-test.XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
}

#endif
