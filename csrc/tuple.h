/* tuple.h -- ordered keys: parts encoded one behind the other so that memcmp order is the order of the values.
**
** Order of the parts: empty array < null < numbers (by value, NaN first) < strings (by bytes) < maps < arrays < false < true; a tuple that is
** the beginning of another comes first. A number keeps its value, not its subtype: 1 and 1.0 are one key, read back as the integer 1.
** The encoding, with test vectors, is in README.md ("Keys"). */
#ifndef LD_TUPLE_H
#define LD_TUPLE_H

#include "base.h"

typedef enum ld_part_kind {
  LD_PART_NULL,
  LD_PART_INT,   /* a whole number of int64's range */
  LD_PART_FLOAT, /* every other number */
  LD_PART_STRING,
  LD_PART_BOOL
} ld_part_kind;

typedef struct ld_part {
  ld_part_kind kind;
  union {
    int64_t integer;
    double number;
    ld_slice bytes; /* borrowed from the `scratch` of ld_tuple_next, or from the key */
    bool truth;
  };
} ld_part;

void ld_tuple_null(ld_buf *key);
void ld_tuple_int(ld_buf *key, int64_t integer);
void ld_tuple_float(ld_buf *key, double number);
void ld_tuple_bool(ld_buf *key, bool truth);
void ld_tuple_string(ld_buf *key, ld_slice bytes);
/* The beginning that all strings that start with `bytes` share. */
void ld_tuple_prefix(ld_buf *key, ld_slice bytes);

/* Take the first part off `rest`. NOTFOUND at the end; CORRUPT, without text, when it is no tuple; NOMEM.
** `scratch` holds the bytes of a string that had to be unescaped, until it is used again. */
ld_rc ld_tuple_next(ld_slice *rest, ld_part *part, ld_buf *scratch);

#endif
