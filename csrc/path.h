/* path.h -- dotted paths into documents, with MongoDB's meaning.
**
** `a.b` is the field b of the map a; where a is an array, it is the field b of each of its maps (not of arrays inside it). A part of digits only picks the
** element of an array with that number (from 0), and is a field name in a map; an array reached so is not looked inside again for the same part. */
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

/* Call `visit` with each value that the path leads to, as it stands there: an array at the end comes whole, its elements do not. `*through_array`
** tells whether an array was walked through on the way. A branch that leads nowhere comes as an empty slice, `missing`:
** once for a map without the field or a scalar on the way outside of arrays; for each map in an array that lacks it; for scalars and arrays inside an array not at all.
** Return false from `visit` to stop. The result is false when it was stopped. */
typedef bool (*ld_path_visit)(void *context, ld_slice value, bool through_array);
bool ld_path_each(ld_slice document, const ld_path *path, ld_path_visit visit, void *context);

/* The value at the path by map fields alone, without going through arrays; false when there is none. */
bool ld_path_get(ld_slice document, const ld_path *path, ld_slice *value);

#endif
