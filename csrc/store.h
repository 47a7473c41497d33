/* store.h -- opening a store: an engine whose rows are ours.
**
** A store is an ld_engine with our signature row in it, which says what this is and in which version; well-formed data of
** somebody else is INVALID, a newer version UNSUPPORTED. From here on, layers work on transactions (ld_begin). */
#ifndef LD_STORE_H
#define LD_STORE_H

#include "engine.h"

#define LD_VERSION      "0.1.0"
#define LD_STORE_FORMAT 1 /* of keys and rows */

/* The engine that is called `name`; NULL when there is none. */
const ld_engine_ops *ld_engine_named(const char *name);
/* The names of all, NULL-terminated; borrowed for ever. */
const char *const *ld_engine_names(void);

/* For those who read rows without opening a store. */
bool ld_store_signs(ld_slice key); /* it is the signature's */
/* UNSUPPORTED: of a newer version; CORRUPT: it does not say of which. */
ld_rc ld_store_check_signature(ld_slice payload, ld_error *error);

/* `*store` is owned: ld_engine_close. */
ld_rc ld_store_open(const ld_engine_ops *ops, const ld_env *env, const ld_option *options,
                    size_t option_count, ld_engine **store, ld_error *error);

#endif
