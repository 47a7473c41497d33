/* lmdb_settings.c -- the options of the LMDB engine, read. */
#include "lmdb_settings.h"

#include <lmdb.h>
#include <string.h>

const char *const ld_lmdb_options[] = {"path",          "map_size",  "durability", "readers",
                                       "check_on_open", "read_only", NULL};
static const char *const durabilities[] = {"commit", "system", "none", NULL};
static const unsigned durability_flags[] = {0, MDB_NOMETASYNC, MDB_NOSYNC};

static ld_rc read_choice(const ld_config *config, const char *name, const char *const *choices,
                         size_t *choice, ld_error *error) {
  const char *text = ld_option_text(config, name, NULL);
  ld_quoted quoted;
  if (text == NULL) return LD_OK;
  for (size_t i = 0; choices[i] != NULL; i++)
    if (strcmp(choices[i], text) == 0) {
      *choice = i;
      return LD_OK;
    }
  return ld_fail(error, LD_INVALID, "option %s: %s is not one of %s, %s%s%s", name,
                 ld_quote(ld_text(text), quoted), choices[0], choices[1],
                 choices[2] == NULL ? "" : ", ", choices[2] == NULL ? "" : choices[2]);
}

ld_rc ld_lmdb_settings_read(const ld_config *config, ld_lmdb_settings *settings, ld_error *error) {
  static const char *const booleans[] = {"false", "true", NULL};
  size_t durability = 0, read_only = 0;
  *settings =
      (ld_lmdb_settings){.map_size = sizeof(size_t) < 8 ? UINT64_C(1) << 30 : UINT64_C(64) << 30,
                         .readers = 1024,
                         .check_on_open = UINT64_C(16) << 20};
  ld_rc rc = ld_option_size(config, "map_size", &settings->map_size, error);
  if (rc == LD_OK) rc = ld_option_size(config, "check_on_open", &settings->check_on_open, error);
  if (rc == LD_OK) rc = ld_option_number(config, "readers", 1, 100000, &settings->readers, error);
  if (rc == LD_OK) rc = read_choice(config, "durability", durabilities, &durability, error);
  if (rc == LD_OK) rc = read_choice(config, "read_only", booleans, &read_only, error);
  settings->durability = durability_flags[durability];
  settings->read_only = read_only == 1;
  if (rc == LD_OK && (settings->map_size < 65536 || settings->map_size > SIZE_MAX / 4))
    return ld_fail(error, LD_INVALID, "option map_size: %llu bytes, expected 64KiB to %zu bytes",
                   (unsigned long long)settings->map_size, SIZE_MAX / 4);
  return rc;
}

const char *ld_lmdb_settings_differ(const ld_lmdb_settings *a, const ld_lmdb_settings *b) {
  if (a->map_size != b->map_size) return "map_size";
  if (a->durability != b->durability) return "durability";
  if (a->readers != b->readers) return "readers";
  if (a->check_on_open != b->check_on_open) return "check_on_open";
  return a->read_only != b->read_only ? "read_only" : NULL;
}
