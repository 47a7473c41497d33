/* backup.h -- store:backup, and what larder.backups and larder.restore are made of. */
#ifndef LB_BACKUP_H
#define LB_BACKUP_H

#include "bind.h"

int lb_backup(lua_State *L); /* store:backup */
void lb_open_backups(
    lua_State *L,
    int module); /* core.backup_label, backup_check, backup_drop, backup_folder, restore */

#endif
