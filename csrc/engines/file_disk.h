/* file_disk.h -- the directory of a file store: files read, written and put in place, below one open directory.
**
** Paths are relative to it and end in a NUL. A file is never half there: it is written whole under a temporary name in the directory where it will be, read back,
** synced and renamed. Functions that return int give 0 or an errno; EILSEQ: what was read back is not what was written. */
#ifndef LD_FILE_DISK_H
#define LD_FILE_DISK_H

#include <sys/types.h>

#include "../base.h"

typedef struct file_disk {
  int root; /* -1: not open */
  int lock;
  bool sync, read_only;
  mode_t file_mode, folder_mode;
} file_disk;

/* What changes when somebody else writes a file. */
typedef struct file_stamp {
  int64_t size, time; /* ns since 1970 */
  uint64_t inode;
  int64_t changed; /* ns since 1970: when it got this name, or was written */
} file_stamp;

/* What an errno means here; and the text for it: `write "rooms/a.json": ...`. */
ld_rc file_fail(ld_error *error, const char *verb, const char *path, int code);

/* Open the directory, made when missing with those above it, and take its lock. BUSY names the process that has it. With `read_only` nothing is made (INVALID: there is no store), and the
** lock is one that others who only read may have as well. */
ld_rc file_disk_open(file_disk *disk, const char *path, ld_error *error);
void file_disk_close(file_disk *disk);

int file_read(const file_disk *disk, const char *path, ld_buf *text, file_stamp *stamp);
int file_stat(const file_disk *disk, const char *path, file_stamp *stamp);
/* Make the folders that a path goes through. */
int file_make_folders(const file_disk *disk, const char *path);
/* A new file with this text, synced; EEXIST when it is there. After a failure nothing of it is left. */
int file_write_new(const file_disk *disk, const char *path, ld_slice text, file_stamp *stamp);
int file_rename(const file_disk *disk, const char *from, const char *to);
/* What is not there is fine. */
int file_remove(const file_disk *disk, const char *path);
/* Sync the folder that a path is in. */
int file_sync_folder(const file_disk *disk, const char *path);

/* Call `visit` with each regular file below `folder` (NULL: all), in order of their paths, but hidden ones (temporary ones of ours come) and those in hidden folders; stops at another code than LD_OK. */
typedef ld_rc (*file_visit)(void *context, const char *path);
ld_rc file_walk(const file_disk *disk, const char *folder, file_visit visit, void *context,
                ld_error *error);

#endif
