/* lmdb_salvage.h -- the rows in a damaged data file, found without trusting its tree.
**
** Every page of the file is looked at. One that is a leaf by its header gives its nodes; in one whose header or nodes are damaged, rows are looked for at every place where one could be. What counts in
** the end is the checksum of each row. Pages that are free still hold rows of earlier commits: they are taken only for the ranges of keys in which the newest commit is damaged. There rows come back that were
** changed (the newest revision tells which; without one the first, which is the newest commit's where it has it) or deleted (nothing tells). */
#ifndef LD_LMDB_SALVAGE_H
#define LD_LMDB_SALVAGE_H

#include "../engine.h"

/* The option `path` is the folder with data.mdb, or such a file. INVALID: it is not there; UNSUPPORTED: another format; IO. */
ld_rc ld_lmdb_salvage(const ld_config *config, const ld_salvage *salvage, ld_error *error);

#endif
