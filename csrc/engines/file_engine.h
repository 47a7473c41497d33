/* file_engine.h -- the file engine, `ld_file_engine` of engine.h: what a program may set, and its backups.
**
** Options: `path` (required; a directory, made when missing), `durability` (commit: survives a power loss; none: tests, bulk loads), `backups` (3 of each file), `backup_days` (7: older ones
** go when the store is opened), `damaged` (refuse: opening fails when a file is damaged and has no good backup; skip: it is left alone), `file_mode` (0600), `folder_mode` (0700),
** `read_only` (false; true: nothing is made, locked against others or changed). */
#ifndef LD_FILE_ENGINE_H
#define LD_FILE_ENGINE_H

#include "../engine.h"

/* One backup: 1 is the newest. `time`: ms since 1970, when this content was written. */
typedef void (*ld_file_backup)(void *context, uint64_t n, int64_t time, int64_t size);

/* Tell the backups that a unit (mirror.h) has, whether it is still there or not. UNSUPPORTED: not a file store. */
ld_rc ld_file_backups(ld_txn *txn, ld_slice unit, ld_file_backup visit, void *context);
/* Make the unit what its nth backup says; what it is now becomes the newest backup when the transaction commits. NOTFOUND; INVALID, CORRUPT: the backup is damaged. */
ld_rc ld_file_restore(ld_txn *txn, ld_slice unit, uint64_t n);

#endif
