/* seen.c -- see seen.h. */
#include "seen.h"

#include <stdlib.h>

/* Where it is, or belongs. */
static size_t place_of(const ld_seen *seen, ld_slice id) {
  size_t low = 0, high = seen->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ld_compare(ld_buf_slice(&seen->ids[middle]), id) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool ld_seen_has(const ld_seen *seen, ld_slice id) {
  size_t place = place_of(seen, id);
  return place < seen->count && ld_equal(ld_buf_slice(&seen->ids[place]), id);
}

static bool make_room(ld_seen *seen) {
  if (seen->count < seen->capacity) return true;
  size_t capacity = seen->capacity == 0 ? 16 : 2 * seen->capacity;
  ld_buf *ids = realloc(seen->ids, capacity * sizeof *ids);
  if (ids == NULL) return false;
  seen->ids = ids;
  seen->capacity = capacity;
  return true;
}

bool ld_seen_add(ld_seen *seen, ld_slice id) {
  ld_buf copy = {0};
  ld_buf_add(&copy, id);
  if (copy.failed || !make_room(seen)) {
    ld_buf_clear(&copy);
    return false;
  }
  size_t place = place_of(seen, id);
  memmove(seen->ids + place + 1, seen->ids + place, (seen->count - place) * sizeof *seen->ids);
  seen->ids[place] = copy;
  seen->count++;
  return true;
}

void ld_seen_clear(ld_seen *seen) {
  for (size_t i = 0; i < seen->count; i++) ld_buf_clear(&seen->ids[i]);
  free(seen->ids);
  *seen = (ld_seen){.count = 0};
}
