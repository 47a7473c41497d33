/* json_keys.h -- finding the key that a map has twice, in n log n, whatever the keys are.
**
** Keys are compared as Lua compares them: 1 and 1.0 are one key, and so are str and bin of the same bytes. The keys of the
** maps that are open at the moment lie on one stack, a buffer: note its size as `base`, add, check, set its size back. */
#ifndef LD_JSON_KEYS_H
#define LD_JSON_KEYS_H

#include "value.h"

/* Add the key that begins at byte `at` of the document. */
void ld_keys_add(ld_buf *keys, size_t at);
/* The first key that was there before it. */
typedef struct ld_twin {
  size_t index, at; /* its number, from 0, in the order they were added; its first byte */
} ld_twin;

/* True when the keys above `base` differ from one another, else `*twin`. `document` may have moved since. Leaves the keys in
** another order. */
bool ld_keys_differ(ld_buf *keys, size_t base, ld_slice document, ld_twin *twin);

#endif
