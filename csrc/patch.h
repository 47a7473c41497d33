/* patch.h -- changes to documents: a partial map, or update operators.
**
** A partial map sets its top-level fields; a dotted key reaches inside ("a.b"); the value LD_PATCH_REMOVE deletes the field. Or, when every key begins with `$`:
** $set $unset $inc $mul $min $max $push $pull $addToSet $pop $rename, as MongoDB means them. */
#ifndef LD_PATCH_H
#define LD_PATCH_H

#include "path.h"

/* The document that stands for larder.remove: a bin that no other value is. */
extern const ld_slice LD_PATCH_REMOVE;

/* INVALID with the path, when the patch itself is wrong (unknown operator, two changes of one path or of a path and its beginning, an operand of the wrong kind). */
ld_rc ld_patch_check(ld_slice patch, ld_error *error);
/* Append the changed document to `out`. INVALID, naming the path, when it cannot be applied (a field inside a string, $inc of a string, integer overflow, depth). Nothing is appended then.
** The order of fields is kept; new ones come last. */
ld_rc ld_patch_apply(ld_slice document, ld_slice patch, ld_buf *out, ld_error *error);

#endif
