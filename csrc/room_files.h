/* room_files.h -- a directory of MovieMatch's own files: one JSON file a room, taken in and written out.
**
** A file is the room's document as json.h says, with ratings and progress in it. The name inside decides, not the file's. */
#ifndef LD_ROOM_FILES_H
#define LD_ROOM_FILES_H

#include "room.h"

/* One thing that was wrong. `file` is its name in the directory; line and column count from 1, 0 when not known. All borrowed for the call. */
typedef void (*ld_file_problem)(void *context, const char *file, unsigned line, unsigned column,
                                const char *text);

/* Save every `*.json` file of the directory as a room. All or nothing: every file is read and checked before the first is saved, each problem is told,
** and with any of them the result is INVALID and nothing is written. A room that is in the store already is a problem unless `replace`;
** so are two files with one roomName. Files with other endings, hidden ones and folders are left alone. */
ld_rc ld_room_import(ld_txn *txn, const char *directory, bool replace, ld_file_problem problem,
                     void *context, uint64_t *count);

/* Write every room, whole, into the directory (made when missing; mode 0700, files 0600), each file atomically: temporary, fsync, rename; at the end the directory is synced.
** Files of the same name are replaced, others left alone. */
ld_rc ld_room_export(ld_txn *txn, const char *directory, uint64_t *count);

/* The file name of a room: bytes other than A-Z a-z 0-9 _ - and inner dots become %XX; past 200 bytes shortened, with a hash; `.json` at the end. */
void ld_room_file_name(ld_slice name, ld_buf *file);

#endif
