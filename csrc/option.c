/* option.c -- what engines need to read the options of `open`. */
#include "option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"

static bool is_known(const char *name, const char *const *known) {
  for (; *known != NULL; known++)
    if (strcmp(name, *known) == 0) return true;
  return false;
}

ld_rc ld_options_check(const ld_config *config, const char *const *known, ld_error *error) {
  for (size_t i = 0; i < config->option_count; i++)
    if (!is_known(config->options[i].name, known))
      return ld_unknown_name("option", config->options[i].name, known, error);
  return LD_OK;
}

const char *ld_option_text(const ld_config *config, const char *name, const char *otherwise) {
  for (size_t i = 0; i < config->option_count; i++)
    if (strcmp(config->options[i].name, name) == 0) return config->options[i].value;
  return otherwise;
}

static ld_rc bad_value(const char *name, const char *text, const char *expected, ld_error *error) {
  ld_quoted quoted;
  return ld_fail(error, LD_INVALID, "option %s: %s is not %s", name,
                 ld_quote(ld_text(text), quoted), expected);
}

/* Digits only, and what follows them. */
static bool read_digits(const char *text, uint64_t *number, const char **end) {
  char *stop;
  if (text[0] < '0' || text[0] > '9') return false;
  errno = 0;
  *number = strtoull(text, &stop, 10);
  *end = stop;
  return errno == 0;
}

ld_rc ld_option_number(const ld_config *config, const char *name, uint64_t low, uint64_t high,
                       uint64_t *number, ld_error *error) {
  const char *text = ld_option_text(config, name, NULL), *end;
  uint64_t read;
  char expected[80];
  if (text == NULL) return LD_OK;
  snprintf(expected, sizeof expected, "a whole number from %llu to %llu", (unsigned long long)low,
           (unsigned long long)high);
  if (!read_digits(text, &read, &end) || *end != '\0' || read < low || read > high)
    return bad_value(name, text, expected, error);
  *number = read;
  return LD_OK;
}

ld_rc ld_option_size(const ld_config *config, const char *name, uint64_t *size, ld_error *error) {
  static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
  const char *text = ld_option_text(config, name, NULL), *end;
  uint64_t read;
  if (text == NULL) return LD_OK;
  if (read_digits(text, &read, &end))
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++)
      if (strcmp(end + (i > 0 && *end == ' '), units[i]) == 0 && read <= UINT64_MAX >> (10 * i)) {
        *size = read << (10 * i);
        return LD_OK;
      }
  return bad_value(name, text, "a size such as 1048576 or 64GiB", error);
}
