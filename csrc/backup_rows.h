/* backup_rows.h -- the committed rows of any engine, as they are stored, in a new data file. Private to backups. */
#ifndef LD_BACKUP_ROWS_H
#define LD_BACKUP_ROWS_H

#include "apart.h"
#include "engine.h"

/* Write them, packed, into the empty `file`. `folder` is there while it works, and does not exist before. It is the gauge's `part`. */
ld_rc ld_backup_rows(ld_engine *from, const char *folder, int file, ld_gauge *gauge, unsigned part,
                     ld_error *error);

#endif
