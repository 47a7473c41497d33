/* option.h -- what an engine is opened with. */
#ifndef LD_OPTION_H
#define LD_OPTION_H

#include "env.h"
#include "mirror.h"

/* One option of `open`, as text: `durability` = `commit`. */
typedef struct ld_option {
  const char *name, *value;
} ld_option;

/* What open gets. Everything is borrowed for the duration of the call, but `env`, which is copied. */
typedef struct ld_config {
  ld_env env;
  const ld_option *options;
  size_t option_count;
  /* The row that a new, empty environment is made with, atomically; empty: none. Whether a stored row is undamaged; NULL: not known. */
  ld_slice first_key, first_value;
  bool (*check_row)(ld_slice key, ld_slice value);
  const ld_mirror *mirror; /* for engines that keep files; borrowed for ever */
} ld_config;

/* ---- reading them ---- */

/* INVALID when an option is not among `known` (NULL-terminated); the text names the nearest and lists all. */
ld_rc ld_options_check(const ld_config *config, const char *const *known, ld_error *error);
const char *ld_option_text(const ld_config *config, const char *name, const char *otherwise);
/* A size in bytes: digits with an optional KiB, MiB, GiB, TiB. */
ld_rc ld_option_size(const ld_config *config, const char *name, uint64_t *size, ld_error *error);
ld_rc ld_option_number(const ld_config *config, const char *name, uint64_t low, uint64_t high,
                       uint64_t *number, ld_error *error);

#endif
