/* lmdb_inspect.h -- judge a data file before liblmdb touches it: sound, damaged, or not ours.
**
** A file that is walked while other processes commit may change under the eye: what looks like damage is believed only when the
** newest commit was the same before and after, else the walk is repeated, and in the end left out with a line in the log. */
#ifndef LD_LMDB_INSPECT_H
#define LD_LMDB_INSPECT_H

#include "../engine.h"

/* Look at the data version (1 is known; of another one nothing more is looked at), at the meta pages always, at all pages up to `limit` bytes of file (0: never; a file that is too short: always).
** CORRUPT: damaged. INVALID: no store of ours (config->first_key is given and missing, and no row passes config->check_row). IO. */
ld_rc ld_lmdb_inspect(const char *file, const ld_config *config, uint64_t limit, uint32_t *version,
                      ld_error *error);

/* Walk the file behind `fd` and tell all findings. The caller keeps a read transaction open, so that no page of
** the newest commit is used again meanwhile. UNSUPPORTED: an unknown data version. */
ld_rc ld_lmdb_inspect_all(int fd, const char *file, const ld_engine *engine, ld_finding finding,
                          void *context, ld_error *error);

#endif
