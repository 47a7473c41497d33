/* lmdb_make.h -- bring a new environment into being, all at once or not at all.
**
** It is made under a name of its own (data.mdb.new-PID-RANDOM), with the first row in it, synced, and linked to data.mdb:
** the first to link wins, the others use what is there. What a killed process left is removed by the next one. */
#ifndef LD_LMDB_MAKE_H
#define LD_LMDB_MAKE_H

#include "../engine.h"

/* Make the folder `path` and its parents (mode 0700) where missing. `*folder` is owned: the absolute path, without symbolic links. */
ld_rc ld_lmdb_make_folder(const char *path, bool may_create, char **folder, ld_error *error);
/* Make folder/data.mdb; fine when it is there already. */
ld_rc ld_lmdb_make(char *folder, const ld_config *config, ld_error *error);
/* Remove what killed makers left. */
void ld_lmdb_make_clean(const char *folder, const ld_env *log);

#endif
