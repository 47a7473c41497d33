/* seen.h -- a set of ids that were met before. Few: each is copied, and a new one moves those behind it. */
#ifndef LD_SEEN_H
#define LD_SEEN_H

#include "base.h"

typedef struct ld_seen { /* zeroed is empty */
  ld_buf *ids;           /* in order */
  size_t count, capacity;
} ld_seen;

bool ld_seen_has(const ld_seen *seen, ld_slice id);
/* One that is not in it yet. False: out of memory. */
bool ld_seen_add(ld_seen *seen, ld_slice id);
void ld_seen_clear(ld_seen *seen);

#endif
