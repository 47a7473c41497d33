/* json_layout.c -- see json_layout.h. Only the marks outside of strings matter. */
#include "json_layout.h"

#include <string.h>

static void new_line(ld_buf *text, size_t depth) {
  ld_buf_byte(text, '\n');
  for (size_t i = 0; i < depth; i++) ld_buf_add(text, ld_bytes("  ", 2));
}

/* The size of the scalar, or the name, at `at`. */
static size_t run_size(const char *at) {
  if (*at != '"') return strcspn(at, ",:[]{}");
  const char *end = at + 1;
  while (*end != '"') end += *end == '\\' ? 2 : 1;
  return (size_t)(end - at) + 1;
}

/* A bracket that opens, and at once the one that closes when there is nothing in between. */
static const char *open_bracket(const char *at, ld_buf *text, size_t *depth) {
  bool empty = at[1] == ']' || at[1] == '}';
  ld_buf_add(text, ld_bytes(at, empty ? 2 : 1));
  if (!empty) new_line(text, ++*depth);
  return at + (empty ? 2 : 1);
}

void ld_json_layout(const char *line, ld_buf *text) {
  size_t depth = 0, size;
  for (const char *at = line; *at != '\0';) {
    switch (*at) {
    case '[':
    case '{': at = open_bracket(at, text, &depth); continue;
    case ']':
    case '}': new_line(text, --depth); break;
    default:
      if ((size = run_size(at)) == 0) break;
      ld_buf_add(text, ld_bytes(at, size));
      at += size;
      continue;
    }
    ld_buf_byte(text, (uint8_t)*at);
    if (*at == ',') new_line(text, depth);
    if (*at == ':') ld_buf_byte(text, ' ');
    at++;
  }
  ld_buf_byte(text, '\n');
}
