/* restore.h -- a backup put in the place of a store.
**
** It is copied beside the store's data, synced, verified there by another process, and takes their name in one step; what was there stays in
** `<store>.quarantine/<time>` (`<store>/quarantine/<time>` where the store is a file system of its own). A kill at any moment leaves the old store, or the new one, whole. */
#ifndef LD_RESTORE_H
#define LD_RESTORE_H

#include "backup.h"

/* Put the backup at `backup` into the folder `to`. `time` names the quarantine. Append the backup's label, then a string, the folder of the quarantine, or nil.
** MISUSE, BUSY: the store is open, here or in another process. Else as ld_backup_check. */
ld_rc ld_restore(const char *backup, const char *to, const char *time, const ld_env *env,
                 const ld_watch *watch, ld_buf *report, ld_error *error);

#endif
