/* lmdb_settings.h -- the options of the LMDB engine, read. What they mean: lmdb_engine.h. */
#ifndef LD_LMDB_SETTINGS_H
#define LD_LMDB_SETTINGS_H

#include "../engine.h"

typedef struct ld_lmdb_settings {
  uint64_t map_size, readers, check_on_open;
  unsigned durability; /* 0, MDB_NOMETASYNC, MDB_NOSYNC */
  bool read_only;
} ld_lmdb_settings;

extern const char *const ld_lmdb_options[]; /* their names, NULL-terminated */

/* All but `path`. INVALID names the option. */
ld_rc ld_lmdb_settings_read(const ld_config *config, ld_lmdb_settings *settings, ld_error *error);
/* The name of the first option that differs; NULL: none. */
const char *ld_lmdb_settings_differ(const ld_lmdb_settings *a, const ld_lmdb_settings *b);

#endif
