/* path.h -- dotted paths into documents, with MongoDB's meaning.
**
** `a.b` is the field b of the map a; where a is an array, it is the field b of each of its maps (not of arrays inside it).
** A part that is a number (digits, no leading zero) picks the element of an array with that number, from 0, and is a field
** name in a map, also in the maps of an array: `a.0` of a = [{"0": 1}] is the whole map, and 1. */
#ifndef LD_PATH_H
#define LD_PATH_H

#include "value.h"

#define LD_PATH_PARTS 32

typedef struct ld_path {
  ld_slice parts[LD_PATH_PARTS]; /* borrowed from the text */
  unsigned count;
} ld_path;

/* INVALID: empty, an empty part (`a..b`), more than LD_PATH_PARTS. */
ld_rc ld_path_parse(ld_slice text, ld_path *path, ld_error *error);

bool ld_path_equal(const ld_path *a, const ld_path *b);

/* How a value was come to. THROUGH: through an array on the way, each of its elements or one that was picked.
** PICKED: it is an element that the last part picked; an array that is one counts as a whole, its elements are not looked
** at for the same part again. EMPTY: an array without elements, from ld_path_each_element only. */
enum { LD_PATH_THROUGH = 1, LD_PATH_PICKED = 2, LD_PATH_EMPTY = 4 };

/* Call `visit` with each value that the path leads to, as it stands there: an array at the end comes whole, its elements
** do not. A branch that leads nowhere comes as an empty slice, *missing*:
**   outside of arrays once, for a map without the field or a scalar on the way;
**   in an array for each map that lacks the field (a number is not missed in maps, for it picks), and once for an array in
**   which no element leads on ([], [1], [[]]); beside elements that do, scalars and arrays count for nothing.
** So there is one visit at least. A path without parts leads to the document itself, PICKED.
** Return false from `visit` to stop. The result is false when it was stopped. */
typedef bool (*ld_path_visit)(void *context, ld_slice value, unsigned how);
bool ld_path_each(ld_slice document, const ld_path *path, ld_path_visit visit, void *context);
/* The same as sorts, indexes and distinct see it: of an array at the end, unless it was picked, each element comes. */
bool ld_path_each_element(ld_slice document, const ld_path *path, ld_path_visit visit,
                          void *context);

/* The value at the path by map fields alone, without going through arrays; false when there is none. */
bool ld_path_get(ld_slice document, const ld_path *path, ld_slice *value);

#endif
