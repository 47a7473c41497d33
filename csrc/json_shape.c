/* json_shape.c -- see json_shape.h. One pass over the document, so that the printer, which meets the head of a map first,
** knows what keys are in it. */
#include "json_shape.h"

#include <string.h>

#include "json_keys.h"

typedef struct survey {
  ld_slice document, rest;
  ld_buf *shapes;
  ld_buf keys;
  ld_error *error;
} survey;

static const char *const special[] = {"$numberLong", "$numberDouble", "$binary", "$map",
                                      "$literal"};

static bool is_special(ld_slice name) {
  for (size_t i = 0; i < sizeof special / sizeof *special; i++)
    if (ld_equal(name, ld_text(special[i]))) return true;
  return false;
}

bool ld_shape_is_text(const ld_token *token) {
  if (!ld_is_string(token)) return false;
  if (token->bytes.size > 0 && memchr(token->bytes.data, 0, token->bytes.size) != NULL)
    return false;
  return token->kind == LD_STR || ld_is_utf8(token->bytes);
}

static ld_rc survey_value(survey *s);

static ld_rc check_keys(survey *s, size_t base) {
  ld_twin twin;
  bool differ = ld_keys_differ(&s->keys, base, s->document, &twin);
  s->keys.size = base;
  if (differ) return LD_OK;
  ld_slice rest = ld_bytes(s->document.data + twin.at, s->document.size - twin.at);
  ld_token key;
  ld_buf name = {0};
  ld_value_next(&rest, &key);
  ld_path_key(&name, &key);
  ld_fail(s->error, LD_INVALID, "document: duplicate key %.*s (at byte %zu)", (int)name.size,
          (const char *)name.data, twin.at);
  ld_buf_clear(&name);
  return LD_INVALID;
}

static ld_rc survey_map(survey *s, uint32_t count) {
  size_t base = s->keys.size, place = s->shapes->size;
  ld_shape shape = LD_SHAPE_OBJECT;
  ld_token key;
  ld_rc rc = LD_OK;
  ld_buf_byte(s->shapes, 0);
  for (uint32_t i = 0; i < count && rc == LD_OK; i++) {
    ld_keys_add(&s->keys, (size_t)(s->rest.data - s->document.data));
    ld_value_next(&s->rest, &key);
    if (!ld_shape_is_text(&key))
      shape = LD_SHAPE_PAIRS;
    else if (count == 1 && is_special(key.bytes))
      shape = LD_SHAPE_LITERAL;
    rc = survey_value(s);
  }
  if (s->shapes->failed || s->keys.failed) return LD_NOMEM;
  s->shapes->data[place] = (uint8_t)shape;
  return rc == LD_OK ? check_keys(s, base) : rc;
}

static ld_rc survey_value(survey *s) {
  ld_token token;
  ld_rc rc = LD_OK;
  ld_value_next(&s->rest, &token);
  if (token.kind == LD_MAP) return survey_map(s, token.count);
  if (token.kind != LD_ARRAY) return LD_OK;
  for (uint32_t i = 0; i < token.count && rc == LD_OK; i++) rc = survey_value(s);
  return rc;
}

ld_rc ld_shape_survey(ld_slice document, ld_buf *shapes, ld_error *error) {
  survey s = {.document = document, .rest = document, .shapes = shapes, .error = error};
  ld_rc rc = survey_value(&s);
  if (rc == LD_NOMEM) ld_fail(error, LD_NOMEM, "out of memory printing JSON");
  ld_buf_clear(&s.keys);
  return rc;
}
