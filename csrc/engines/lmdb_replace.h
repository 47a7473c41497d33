/* lmdb_replace.h -- put other data in the place of a store's. */
#ifndef LD_LMDB_REPLACE_H
#define LD_LMDB_REPLACE_H

#include "../engine.h"

ld_rc ld_lmdb_replace(const ld_replace *replace, ld_error *error);

#endif
