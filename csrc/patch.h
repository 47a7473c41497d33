/* patch.h -- changes to documents: a partial map, or update operators. Patches and documents are maps, sound ones (value.h).
**
** A partial map sets its top-level fields; a dotted key reaches inside (`a.b`); the value LD_PATCH_REMOVE deletes the field. Or, when every key begins
** with `$`, each is an operator over a map from paths to operands, as MongoDB means them:
**
**   $set $unset          the operand of $unset may be anything; an element of an array becomes null
**   $inc $mul            a number; what is missing counts as 0; two integers give an integer, or an error; else the result is a float
**   $min $max            when the operand is less, more, in the order of all values (order.h); what is missing is set
**   $push $addToSet      a value, or { $each = list }; equal is what order.h says; what is missing becomes an array
**   $pull                the elements that equal the operand; a map is a filter (filter.h) on elements that are maps, a map of operators on any
**   $pop                 1: the last element, -1: the first
**   $rename              a path to a path, neither through an array; what is at the new path is replaced
**
** On a path, digits are a field of a map and an element of an array; where nothing is, maps are made, and an array is filled up with null. $unset, $pull
** and $pop leave alone what leads nowhere; for the others a scalar on the way is an error. Where an array is needed, an empty map is an empty one. */
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
