/* json_shape.h -- how each map of a document is written in JSON; see json.h for what it then looks like. */
#ifndef LD_JSON_SHAPE_H
#define LD_JSON_SHAPE_H

#include "value.h"

typedef enum ld_shape {
  LD_SHAPE_OBJECT,  /* {"a": 1} */
  LD_SHAPE_PAIRS,   /* {"$map": [[1, "a"]]}: a key is no text */
  LD_SHAPE_LITERAL, /* {"$literal": {"$map": 1}}: a special name, alone */
} ld_shape;

/* Append a byte, an ld_shape, for each map of a document, which was checked, in the order in which they begin.
** INVALID when a map has a key twice (JSON that nobody could read back); NOMEM. */
ld_rc ld_shape_survey(ld_slice document, ld_buf *shapes, ld_error *error);

bool ld_shape_is_text(const ld_token *token); /* a string in UTF-8 without a NUL */

#endif
