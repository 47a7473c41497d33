/* lmdb_error.h -- what liblmdb says, in our words. */
#ifndef LD_LMDB_ERROR_H
#define LD_LMDB_ERROR_H

#include "lmdb_env.h"

/* Translate a code of liblmdb or the system: 0 is OK, NOTFOUND carries no text; `doing` begins the text, the folder of `env`
** (which may be NULL) goes before it. */
ld_rc ld_lmdb_fail(ld_error *error, const ld_lmdb_env *env, const char *doing, int code);

#endif
