/* name.h -- names that nobody knows: what was meant instead. */
#ifndef LD_NAME_H
#define LD_NAME_H

#include "base.h"

/* INVALID: `unknown option "durabilty", did you mean "durability"? (known: ...)`, for names of any kind.
** `known` ends with NULL. */
ld_rc ld_unknown_name(const char *what, const char *name, const char *const *known,
                      ld_error *error);

#endif
