/* filter.h -- MongoDB's filters over documents' bytes: compiled once, matched many times without allocation.
**
** A filter is a map: { status = "open", age = { ["$gte"] = 18 }, ["$or"] = { {...}, {...} } }, as a document. All its
** conditions hold. A field is a path (path.h); what it is compared with is a map of operators, or any other value, which
** it equals. The readings, where the path leads to several values and one is enough:
**
**   $eq $in                 an equal value, or an array with an equal element; null equals what is missing, too
**   $gt $gte $lt $lte       inside one class (order.h); NaN is only $gte and $lte of NaN; $gte and $lte of null are $eq
**   $prefix                 a string that begins with the string
**   $regex ($options "i")   a text (not bytes) that has a match of the POSIX extended expression, bytes as the locale says
**   $mod [divisor, rest]    a number, cut to a whole one; both are too, and the rest has the sign of the number
**   $type                   number int double string binData object array bool null, or a list of these
**   $exists                 true: something is there, also null; false: nothing is
**   $size                   an array with so many elements
**   $all                    each of the list matches as $eq, or as the $elemMatch that it is; an empty list matches nothing
**   $elemMatch              an array with an element that matches: with operators the element itself, as it is; with
**                           fields an element that is a map
**   $ne $nin $not           the negation; so they match a document without the field
**   $and $or $nor           at the top of a filter, of a list of filters, at least one; behind a field, of maps of operators
**
** A predicate looks at an array and at each of its elements (not where the path ends in a number that picked the array);
** $size, $exists and $elemMatch look at the array only. Where an operator needs a list, {} is an empty one. */
#ifndef LD_FILTER_H
#define LD_FILTER_H

#include "path.h"

typedef enum ld_filter_op {
  LD_F_AND,
  LD_F_OR,
  LD_F_NOR,
  LD_F_NOT, /* one child: its negation, all of it on one path */
  /* operand: a value */
  LD_F_EQ,
  LD_F_GT,
  LD_F_GTE,
  LD_F_LT,
  LD_F_LTE,
  LD_F_PREFIX,
  LD_F_IN, /* operand: an array, or an empty map */
  LD_F_EXISTS,
  LD_F_TYPE,
  LD_F_REGEX,
  LD_F_ELEM_MATCH, /* one child, on the elements */
  LD_F_SIZE,
  LD_F_ALL, /* children: EQ and ELEM_MATCH, on the same path */
  LD_F_MOD
} ld_filter_op;

/* One node of the tree; the planner reads it. The root is an AND, perhaps of nothing; an AND below is in no AND and has no
** single child. $ne is NOT EQ, $nin NOT IN, $gte null and $lte null are EQ null. A range of numbers leaves out NaN, which
** sorts below them. */
typedef struct ld_filter ld_filter;
struct ld_filter {
  ld_filter_op op;
  const ld_path *path; /* of leaves; without parts: the element of an $elemMatch itself */
  ld_slice operand;    /* of leaves; both borrowed from the filter */
  const ld_filter *children, *next; /* the first child; the next child of the same parent */
};

/* Compile; the document is copied. INVALID names the place: `age.$gte: ...`, `$or[2].name: ...`; an unknown operator
** names the nearest. An empty map matches all. `*filter` is owned: ld_filter_free. */
ld_rc ld_filter_compile(ld_slice document, ld_filter **filter, ld_error *error);
void ld_filter_free(ld_filter *filter); /* the root; NULL is fine */
bool ld_filter_match(const ld_filter *filter, ld_slice document);

#endif
