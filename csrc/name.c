/* name.c -- see name.h. */
#include "name.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 31 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* The Levenshtein distance of two short names. */
static size_t distance(const char *a, const char *b) {
  size_t row[LONGEST + 1], length = least(strlen(b), LONGEST);
  for (size_t j = 0; j <= length; j++) row[j] = j;
  for (size_t i = 1; i <= least(strlen(a), LONGEST); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= length; j++) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
    }
  }
  return row[length];
}

static const char *nearest(const char *name, const char *const *known) {
  const char *best = NULL;
  size_t best_distance = 4;
  for (; *known != NULL; known++) {
    size_t far = distance(name, *known);
    if (far < best_distance && far < strlen(name)) {
      best = *known;
      best_distance = far;
    }
  }
  return best;
}

static void list_names(const char *const *known, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (const char *const *name = known; *name != NULL && used < size; name++)
    used += (size_t)snprintf(text + used, size - used, "%s%s", name == known ? "" : ", ", *name);
}

ld_rc ld_unknown_name(const char *what, const char *name, const char *const *known,
                      ld_error *error) {
  char list[200];
  ld_quoted quoted;
  const char *near = nearest(name, known);
  list_names(known, list, sizeof list);
  ld_quote(ld_text(name), quoted);
  if (list[0] == '\0')
    return ld_fail(error, LD_INVALID, "unknown %s %s (there are none)", what, quoted);
  if (near == NULL)
    return ld_fail(error, LD_INVALID, "unknown %s %s (known: %s)", what, quoted, list);
  return ld_fail(error, LD_INVALID, "unknown %s %s, did you mean \"%s\"? (known: %s)", what, quoted,
                 near, list);
}
