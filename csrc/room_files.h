/* room_files.h -- a directory of MovieMatch's own files: one JSON file a room, taken in and written out.
**
** A file is the room's document as json.h says, with ratings and progress in it. The name inside decides, not the file's.
** INVALID: the directory is missing, or is none. FULL, IO: what the system says, with the path. */
#ifndef LD_ROOM_FILES_H
#define LD_ROOM_FILES_H

#include "room.h"

/* One thing that was wrong. `file` is its name in the directory; line and column count from 1, 0 when not known. All borrowed for the call. */
typedef void (*ld_file_problem)(void *context, const char *file, unsigned line, unsigned column,
                                const char *text);

/* Save every `*.json` file of the directory as a room. All or nothing: every file is read and checked before the first is saved, each problem is told
** (in order of the file names; `problem` may be NULL), and with any of them the result is INVALID and nothing is written. A room that is in the store
** already is a problem unless `replace`; so are two files with one roomName, and a file that cannot be read, is no regular one or has more than 1 GiB.
** Files with other endings, hidden ones and folders are left alone. A failure while saving, because the files changed meanwhile or the
** engine failed, spoils the transaction: it can only be rolled back. */
ld_rc ld_room_import(ld_txn *txn, const char *directory, bool replace, ld_file_problem problem,
                     void *context, uint64_t *count);

/* Write every room, whole, into the directory (made when missing, with those above it; mode 0700, files 0600), each file atomically: temporary,
** fsync, rename; at the end the directory is synced. Files of the same name are replaced, others left alone. After a failure the files that were
** written stay, each whole. */
ld_rc ld_room_export(ld_txn *txn, const char *directory, uint64_t *count);

/* Append the file name of a room: bytes other than A-Z a-z 0-9 _ - and dots behind the first byte become %XX, and `.json` follows. What would pass
** 200 bytes is cut after at most 162 and goes on with `~` and the FNV-1a-128 hash of the name, 32 hex digits. So two names never share
** a file (where upper and lower case differ), but for a collision of hashes, and no name leads out of the directory. */
void ld_room_file_name(ld_slice name, ld_buf *file);

#endif
