/* folder.h -- folders and files on the disk: made, synced, copied, removed. Not for what others may change meanwhile.
**
** Functions that return false leave the reason in errno. */
#ifndef LD_FOLDER_H
#define LD_FOLDER_H

#include <sys/types.h>

#include "base.h"

/* The text for errno: "`path`: `what`: No space left on device". FULL for a full disk, NOMEM, else IO. */
ld_rc ld_folder_fail(const char *path, const char *what, ld_error *error);
/* Write "`folder`/`name`" into `path`, of PATH_MAX bytes. TOOBIG. */
ld_rc ld_folder_path(const char *folder, const char *name, char *path, ld_error *error);

/* ld_folder_make with another mode. */
bool ld_folder_make_as(const char *path, mode_t mode);
/* Make the folder and its parents (mode 0700) where missing; the entries of new ones are synced. */
bool ld_folder_make(const char *path);
/* Make the names in it outlive a power loss. */
bool ld_folder_sync(const char *path);
/* The folder that `path` is in, into `above`, of PATH_MAX bytes. */
void ld_folder_above(const char *path, char *above);
/* Copy a regular file into a new one, synced. EEXIST; then, as after any failure, nothing is left of this one.
** `heard`, unless NULL, is told now and then how many bytes are there; false from it ends the copying (ECANCELED). */
bool ld_folder_copy_file(const char *from, const char *to, bool (*heard)(void *, uint64_t),
                         void *context);
/* Write a new file, synced. */
bool ld_folder_write_file(const char *path, ld_slice bytes);
/* Append what a file holds; EFBIG past `most` bytes. */
bool ld_folder_read_file(const char *path, size_t most, ld_buf *bytes);
/* Remove the folder and all below it; links are not followed. What is not there is fine. */
bool ld_folder_remove(const char *path);

#endif
