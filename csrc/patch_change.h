/* patch_change.h -- one change of a patch, and what patch.c, patch_edit.c and patch_act.c share. Not for other layers. */
#ifndef LD_PATCH_CHANGE_H
#define LD_PATCH_CHANGE_H

#include "path.h"

typedef enum patch_outcome {
  PATCH_KEPT,    /* nothing changes */
  PATCH_WRITTEN, /* the new value was appended */
  PATCH_REMOVED  /* the field goes; an element of an array becomes null */
} patch_outcome;

typedef struct patch_change patch_change;

/* Make the new value of what was `old` (empty: nothing was there). Failures are written without the path. */
typedef ld_rc (*patch_act)(const patch_change *change, ld_slice old, ld_buf *out,
                           patch_outcome *outcome, ld_error *error);

typedef struct patch_operator {
  const char *name;
  bool
      creates; /* makes what is missing on the path; the others leave the document alone where the path leads nowhere */
  ld_rc (*check)(const patch_change *change,
                 ld_error *error); /* of the operand; NULL: it may be anything */
  patch_act act;
} patch_operator;

struct patch_change {
  const patch_operator *op;
  bool in_partial; /* a field of a partial map; the operator is $set or $unset */
  bool through_arrays;
  ld_slice text; /* of the path */
  ld_path path;
  ld_slice operand;
};

/* ---- patch_edit.c ---- */

/* Append the map `document` with the change made. Nothing is appended when it is kept. */
ld_rc patch_edit(const patch_change *change, ld_slice document, ld_buf *out, patch_outcome *outcome,
                 ld_error *error);

/* ---- patch_act.c ---- */

const patch_operator *patch_operator_named(ld_slice name); /* NULL: unknown */
extern const char *const patch_operator_names[];           /* NULL-terminated */
bool patch_is_rename(const patch_operator *op); /* its operand is a path; it has no act */

#endif
