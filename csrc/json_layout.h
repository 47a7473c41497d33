/* json_layout.h -- one line of JSON laid out for people. */
#ifndef LD_JSON_LAYOUT_H
#define LD_JSON_LAYOUT_H

#include "base.h"

/* Append `line`, which is JSON without blanks, with each member on a line of its own, two spaces an indent, and a newline at the
** end; empty containers stay `[]` and `{}`: byte for byte what JavaScript's JSON.stringify(value, null, 2) lays out. */
void ld_json_layout(const char *line, ld_buf *text);

#endif
