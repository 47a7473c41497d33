/* remove.h -- folders that tests have made, and all that is in them. */
#ifndef LD_REMOVE_H
#define LD_REMOVE_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

#endif
