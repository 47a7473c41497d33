/* order.h -- the order of values, as queries see it, over documents' bytes.
**
** null < numbers (by value: 1 = 1.0; NaN below all numbers and equal to itself) < strings (str and bin are one kind, by
** bytes) < maps < arrays < false < true. Maps are compared as lists of their pairs sorted by key, so equality is free of
** key order; arrays element by element, the shorter first. All values are sound documents. */
#ifndef LD_ORDER_H
#define LD_ORDER_H

#include "path.h"

/* The kinds that ranges stay inside of. */
typedef enum ld_class {
  LD_CLASS_NULL,
  LD_CLASS_NUMBER,
  LD_CLASS_STRING,
  LD_CLASS_MAP,
  LD_CLASS_ARRAY,
  LD_CLASS_BOOL
} ld_class;
ld_class ld_class_of(ld_slice value);
ld_class ld_class_of_kind(ld_kind kind);

/* <0, 0, >0. Never fails: where memory runs out while large maps are sorted, it compares without. */
int ld_order(ld_slice a, ld_slice b);
/* The same for scalars that have been read already. */
int ld_order_scalars(const ld_token *a, const ld_token *b);
static inline bool ld_same(ld_slice a, ld_slice b) { return ld_order(a, b) == 0; }

/* Append to a key what sorts (memcmp) as the value does; `descending`: the other way round. Equal values give equal
** bytes, different ones different bytes, and no encoding is the beginning of another. Numbers, null and booleans are
** encoded as in a tuple (tuple.h), strings so with one more 00, since of tuples "a" is the beginning of "a\0"; what
** ld_tuple_prefix writes begins these strings, too. Maps are tag 40, arrays tag 50, then their sorted pairs, their
** elements, and 00. */
void ld_order_key(ld_buf *key, ld_slice value, bool descending);
/* How many bytes at the front of `key` are one value's; 0 when they are none's. */
size_t ld_order_key_size(ld_slice key, bool descending);
/* The same for what ld_path_each_element came to, and how: missing is null, an empty array is below it (tag 04). */
void ld_order_key_found(ld_buf *key, ld_slice value, unsigned how, bool descending);

#endif
