/* json_print.c -- documents as JSON text, see json.h: straight from the tokens, with what json_shape has found out about each map.
**
** Strings are escaped as cJSON does: quotes, backslashes and what is below a blank; all else is as it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "json.h"
#include "json_layout.h"
#include "json_number.h"
#include "json_shape.h"
#include "value.h"

static const int64_t plain_limit = (int64_t)1 << 53;

typedef struct printer {
  ld_slice rest;
  const uint8_t *shapes; /* of the maps that are to come, see json_shape.h */
  ld_buf *text;
} printer;

static void print_value(printer *p);

static void add_text(ld_buf *text, const char *bytes) { ld_buf_add(text, ld_text(bytes)); }

/* ---- scalars ---- */

static void print_escape(ld_buf *text, uint8_t byte) {
  static const char short_ones[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
  const char *found = memchr(short_ones, byte, sizeof short_ones - 1);
  if (found != NULL) {
    ld_buf_byte(text, '\\');
    ld_buf_byte(text, (uint8_t)letters[found - short_ones]);
  } else {
    ld_buf_printf(text, "\\u%04x", byte);
  }
}

static void print_text(ld_buf *text, ld_slice bytes) {
  size_t start = 0;
  ld_buf_byte(text, '"');
  for (size_t i = 0; i < bytes.size; i++) {
    uint8_t byte = bytes.data[i];
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    ld_buf_add(text, ld_bytes(bytes.data + start, i - start));
    print_escape(text, byte);
    start = i + 1;
  }
  ld_buf_add(text, ld_bytes(bytes.data + start, bytes.size - start));
  ld_buf_byte(text, '"');
}

static void print_binary(ld_buf *text, ld_slice bytes) {
  add_text(text, "{\"$binary\":{\"base64\":\"");
  ld_base64_encode(bytes, text);
  add_text(text, "\",\"subType\":\"00\"}}");
}

static void print_string(ld_buf *text, const ld_token *token) {
  if (ld_shape_is_text(token))
    print_text(text, token->bytes);
  else
    print_binary(text, token->bytes);
}

static void print_digits(ld_buf *text, int64_t integer) {
  uint8_t digits[24];
  size_t at = sizeof digits;
  uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
  do {
    digits[--at] = (uint8_t)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (integer < 0) digits[--at] = '-';
  ld_buf_add(text, ld_bytes(digits + at, sizeof digits - at));
}

static void print_int(ld_buf *text, int64_t integer) {
  bool plain = integer >= -plain_limit && integer <= plain_limit;
  if (!plain) add_text(text, "{\"$numberLong\":\"");
  print_digits(text, integer);
  if (!plain) add_text(text, "\"}");
}

static void print_float(ld_buf *text, double number) {
  ld_number_text digits = "NaN";
  if (isinf(number)) strcpy(digits, number > 0 ? "Infinity" : "-Infinity");
  if (isfinite(number)) ld_number_print(number, digits);
  if (isfinite(number) && !ld_number_is_whole(number)) {
    add_text(text, digits);
    return;
  }
  bool bare = isfinite(number) && strchr(digits, 'e') == NULL;
  add_text(text, "{\"$numberDouble\":\"");
  add_text(text, digits);
  add_text(text, bare ? ".0\"}" : "\"}");
}

/* ---- containers ---- */

static void print_array(printer *p, uint32_t count) {
  ld_buf_byte(p->text, '[');
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) ld_buf_byte(p->text, ',');
    print_value(p);
  }
  ld_buf_byte(p->text, ']');
}

static void print_pairs(printer *p, uint32_t count) {
  ld_buf_byte(p->text, '[');
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) ld_buf_byte(p->text, ',');
    print_array(p, 2);
  }
  ld_buf_byte(p->text, ']');
}

static void print_object(printer *p, uint32_t count) {
  ld_token key;
  ld_buf_byte(p->text, '{');
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) ld_buf_byte(p->text, ',');
    ld_value_next(&p->rest, &key);
    print_text(p->text, key.bytes);
    ld_buf_byte(p->text, ':');
    print_value(p);
  }
  ld_buf_byte(p->text, '}');
}

static void print_map(printer *p, uint32_t count) {
  uint8_t shape = *p->shapes++;
  if (shape == LD_SHAPE_OBJECT) {
    print_object(p, count);
    return;
  }
  add_text(p->text, shape == LD_SHAPE_PAIRS ? "{\"$map\":" : "{\"$literal\":");
  if (shape == LD_SHAPE_PAIRS)
    print_pairs(p, count);
  else
    print_object(p, count);
  ld_buf_byte(p->text, '}');
}

static void print_value(printer *p) {
  ld_token token;
  ld_value_next(&p->rest, &token); /* the document was checked */
  switch (token.kind) {
  case LD_BOOL: add_text(p->text, token.truth ? "true" : "false"); return;
  case LD_INT: print_int(p->text, token.integer); return;
  case LD_FLOAT: print_float(p->text, token.number); return;
  case LD_STR:
  case LD_BIN: print_string(p->text, &token); return;
  case LD_ARRAY: print_array(p, token.count); return;
  case LD_MAP: print_map(p, token.count); return;
  default: add_text(p->text, "null"); return;
  }
}

/* ---- the whole ---- */

static void print_pretty(printer *p) {
  ld_buf line = {0}, *text = p->text;
  p->text = &line;
  print_value(p);
  ld_buf_byte(&line, 0);
  if (!line.failed) ld_json_layout((const char *)line.data, text);
  text->failed = text->failed || line.failed;
  ld_buf_clear(&line);
}

static ld_rc print(ld_slice document, bool pretty, ld_buf *text, ld_error *error) {
  ld_buf shapes = {0};
  size_t before = text->size;
  printer p = {.rest = document, .text = text};
  ld_rc rc = ld_shape_survey(document, &shapes, error);
  p.shapes = shapes.data;
  if (rc == LD_OK && pretty)
    print_pretty(&p);
  else if (rc == LD_OK)
    print_value(&p);
  if (rc == LD_OK && text->failed) {
    text->size = before;
    rc = ld_fail(error, LD_NOMEM, "out of memory printing JSON");
  }
  ld_buf_clear(&shapes);
  return rc;
}

ld_rc ld_json_print(ld_slice document, bool pretty, ld_buf *text, ld_error *error) {
  ld_rc rc = ld_value_check(document, error);
  return rc == LD_OK ? print(document, pretty, text, error) : rc;
}

ld_rc ld_json_print_wrapped(ld_slice document, bool pretty, ld_buf *text, ld_error *error) {
  ld_rc rc = ld_value_check_wrapped(document, error);
  return rc == LD_OK ? print(document, pretty, text, error) : rc;
}
