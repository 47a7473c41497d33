/* json.h -- documents as JSON text and back, lossless or refused; never rounded in silence. cJSON parses (json.c), json_print.c prints.
**
** What JSON cannot say is MongoDB Extended JSON v2 (https://github.com/mongodb/specifications/blob/master/source/extended-json.md):
**   an integer past 2^53            {"$numberLong": "9007199254740993"}
**   a float with a whole value      {"$numberDouble": "1.0"}, "-0.0", "NaN", "Infinity", "-Infinity", "1e+300"
**   bytes that are not UTF-8, or hold a NUL   {"$binary": {"base64": "AAE=", "subType": "00"}}
** and, of our own,
**   a map with a key that is not a plain string   {"$map": [[1, "a"], [false, "b"]]}
**   a map that looks like one of these            {"$literal": {...}}
** A special form that is malformed ({"$numberLong": 5}, a $binary of another subType) is INVALID, not a plain map: in $literal it is one.
** The member of $literal is a map whatever its names are; what is in it is read as ever. Keys in $map are strings, numbers, booleans.
** A map with a key twice (1 and 1.0 are one key, and so are bytes and text that are alike) is refused in both directions.
** A number in plain JSON is an integer when it has neither fraction nor exponent and fits int64 (-0 is a float), else a float; it is
** refused when its digits do not survive in a float64, an integer past int64 when it is not exactly one.
** Only these five names, alone in their object, are special; others are plain fields. */
#ifndef LD_JSON_H
#define LD_JSON_H

#include "base.h"

/* Parse one JSON text (RFC 8259, strictly: UTF-8, no duplicate names, no lone surrogates, nothing behind it, a leading byte order mark allowed)
** and append the document to `value`. INVALID with `line L, column C: ...` (columns count bytes from 1), NOMEM. */
ld_rc ld_json_parse(ld_slice text, ld_buf *value, ld_error *error);

/* The same for a text whose outermost object or array is a wrapping and no part of a document: it does not count among the containers. */
ld_rc ld_json_parse_wrapped(ld_slice text, ld_buf *value, ld_error *error);

/* Append `document` as JSON text. `pretty`: two spaces an indent, and a newline at the end; else one line without blanks.
** INVALID when `document` is no document, NOMEM. */
ld_rc ld_json_print(ld_slice document, bool pretty, ld_buf *text, ld_error *error);
ld_rc ld_json_print_wrapped(ld_slice document, bool pretty, ld_buf *text, ld_error *error);

#endif
