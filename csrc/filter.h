/* filter.h -- MongoDB's filters over documents' bytes: compiled once, matched many times without allocation.
**
** A filter is a map as a document: { status = "open", age = { ["$gte"] = 18 }, ["$or"] = { {...}, {...} } }. Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $type
** $regex ($options "i") $not $and $or $nor $elemMatch $size $all $mod $prefix. See DESIGN sections 5 and 6 for the readings. */
#ifndef LD_FILTER_H
#define LD_FILTER_H

#include "path.h"

typedef enum ld_filter_op {
  LD_F_AND, LD_F_OR, LD_F_NOR,            /* children */
  LD_F_NOT,                               /* one child: its negation, on the same path */
  LD_F_EQ, LD_F_GT, LD_F_GTE, LD_F_LT, LD_F_LTE, LD_F_PREFIX,  /* operand: a value */
  LD_F_IN,                                /* operand: an array */
  LD_F_EXISTS, LD_F_TYPE, LD_F_REGEX, LD_F_ELEM_MATCH, LD_F_SIZE, LD_F_ALL, LD_F_MOD
} ld_filter_op;   /* $ne is NOT EQ, $nin is NOT IN */

typedef struct ld_filter ld_filter;
/* One node of the tree; the planner reads it. */
struct ld_filter {
  ld_filter_op op;
  ld_path path;              /* of leaves */
  ld_slice operand;          /* borrowed from the filter's copy of its document */
  ld_filter **children;
  size_t count;
  void *compiled;            /* a regex_t, a mask of types, ... : filter.c's */
};

/* Compile; the document is copied. INVALID names the path: `age.$gte: ...`, `$or[2]: ...`; an unknown operator names the nearest. An empty map matches all.
** `*filter` is owned: ld_filter_free. */
ld_rc ld_filter_compile(ld_slice document, ld_filter **filter, ld_error *error);
void ld_filter_free(ld_filter *filter); /* NULL is fine */
bool ld_filter_match(const ld_filter *filter, ld_slice document);

#endif
