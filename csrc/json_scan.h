/* json_scan.h -- the strict reader that goes over a JSON text before cJSON does.
**
** cJSON takes more than JSON and keeps less: text behind the value, leading zeros, bytes that are not UTF-8; every number
** becomes a double, a NUL ends its string. So the scanner alone decides what is JSON, and where cJSON would lose something it
** writes a text for it in which, using two bytes that UTF-8 never has,
**   a number that is more than a plain double   is the string "<LD_JSON_NUMBER>1e300"
**   \u0000 in a string or a name                is the byte LD_JSON_NUL */
#ifndef LD_JSON_SCAN_H
#define LD_JSON_SCAN_H

#include "value.h"

enum {
  LD_JSON_NUMBER = 0xfe,
  LD_JSON_NUL = 0xff,
  LD_JSON_LEVELS =
      3 * LD_DEPTH + 3 /*  {"$map": [[key, ...]]} is three; {"$binary": {...}} inside */
};

/* Check `text`. `*ready` is what cJSON is to read: `text` itself without its byte order mark, or `marked` when that was needed.
** INVALID with `line L, column C: ...`, NOMEM. Depth is checked only so far that recursion is bounded. */
ld_rc ld_json_scan(ld_slice text, ld_buf *marked, ld_slice *ready, ld_error *error);

/* Put `line L, column C: ` before the text in `error`: the place of value number `index` (0 is the whole text, then in the order
** in which values begin), or of its name when it has one. `text` is one that ld_json_scan took. */
void ld_json_blame(ld_slice text, size_t index, ld_error *error);

#endif
