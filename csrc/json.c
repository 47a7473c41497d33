/* json.c -- see json.h. The one file that knows cJSON.
**
** Reading:   text -> json_scan (what is JSON, where cJSON would lose something) -> cJSON tree -> document.
** Printing is json_print.c's.
** A wrong value in the tree is a culprit: its number in the tree is its number in the text, and so its line and column. */
#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "json_keys.h"
#include "json_number.h"
#include "json_scan.h"
#include "value.h"

/* ---- reading ---- */

typedef struct reader {
  ld_buf *value;
  ld_buf keys, scratch;
  unsigned depth, most; /* containers of the document that are open; that may be */
  bool no_memory;       /* scratch failed: it is used again, and forgets */
  const cJSON *culprit;
  ld_error *error;
} reader;

static ld_rc read_value(reader *r, const cJSON *item);

static ld_rc refuse(reader *r, const cJSON *item, const char *what, const char *why) {
  r->culprit = item;
  return ld_fail(r->error, LD_INVALID, "%s%s", what, why);
}

/* The bytes of a string or a name; borrowed from the tree or, when it holds a NUL, from scratch. */
static ld_slice bytes_of(reader *r, const char *string) {
  ld_slice bytes = ld_text(string);
  if (bytes.size == 0 || memchr(bytes.data, LD_JSON_NUL, bytes.size) == NULL) return bytes;
  ld_buf_reset(&r->scratch);
  ld_buf_add(&r->scratch, bytes);
  for (size_t i = 0; i < r->scratch.size; i++)
    if (r->scratch.data[i] == LD_JSON_NUL) r->scratch.data[i] = 0;
  r->no_memory |= r->scratch.failed;
  return ld_buf_slice(&r->scratch);
}

static bool is_number_mark(const cJSON *item) {
  return (uint8_t)item->valuestring[0] == LD_JSON_NUMBER;
}

/* The text of a string value; NULL when it is none. A NUL in it is a byte that no text wanted here has. */
static const char *text_of(const cJSON *item) {
  return cJSON_IsString(item) && !is_number_mark(item) ? item->valuestring : NULL;
}

static bool numeral_of(const char *text, ld_numeral *numeral) {
  if (text == NULL) return false;
  ld_slice rest = ld_text(text);
  return ld_numeral_take(&rest, numeral) == NULL && rest.size == 0;
}

static void write_token(reader *r, const ld_token *number) {
  if (number->kind == LD_INT)
    ld_write_int(r->value, number->integer);
  else
    ld_write_float(r->value, number->number);
}

static ld_rc read_string(reader *r, const cJSON *item) {
  ld_numeral numeral;
  ld_token number;
  if (!is_number_mark(item))
    ld_write_string(r->value, bytes_of(r, item->valuestring));
  else if (numeral_of(item->valuestring + 1, &numeral) &&
           ld_numeral_value(&numeral, &number) == NULL)
    write_token(r, &number);
  return LD_OK;
}

static ld_rc read_long(reader *r, const cJSON *item) {
  ld_numeral numeral;
  ld_token number;
  if (!numeral_of(text_of(item), &numeral) || ld_numeral_value(&numeral, &number) != NULL ||
      number.kind != LD_INT)
    return refuse(r, item, "$numberLong wants a 64-bit integer in a string", "");
  ld_write_int(r->value, number.integer);
  return LD_OK;
}

static bool named_float(const char *text, double *number) {
  if (text == NULL) return false;
  if (strcmp(text, "NaN") == 0)
    *number = (double)NAN;
  else if (strcmp(text, "Infinity") == 0)
    *number = (double)INFINITY;
  else if (strcmp(text, "-Infinity") == 0)
    *number = -(double)INFINITY;
  else
    return false;
  return true;
}

static ld_rc read_double(reader *r, const cJSON *item) {
  ld_numeral numeral;
  double number;
  const char *wrong = NULL, *text = text_of(item);
  if (!named_float(text, &number)) {
    if (!numeral_of(text, &numeral))
      return refuse(r, item, "$numberDouble wants a number in a string", "");
    wrong = ld_numeral_float(&numeral, &number);
  }
  if (wrong != NULL) return refuse(r, item, "the number ", wrong);
  ld_write_float(r->value, number);
  return LD_OK;
}

/* The text of the member `name` of `object`. */
static const char *member_text(const cJSON *object, const char *name) {
  for (const cJSON *child = object->child; child != NULL; child = child->next)
    if (strcmp(child->string, name) == 0) return text_of(child);
  return NULL;
}

static ld_rc read_binary(reader *r, const cJSON *item) {
  bool two = cJSON_IsObject(item) && item->child != NULL && item->child->next != NULL &&
             item->child->next->next == NULL;
  const char *base64 = two ? member_text(item, "base64") : NULL;
  const char *sub_type = two ? member_text(item, "subType") : NULL;
  if (base64 == NULL || sub_type == NULL || strcmp(sub_type, "00") != 0)
    return refuse(r, item, "$binary wants {\"base64\": \"...\", \"subType\": \"00\"}", "");
  ld_buf_reset(&r->scratch);
  if (!ld_base64_decode(ld_text(base64), &r->scratch))
    return refuse(r, item, "$binary: no base64", "");
  r->no_memory |= r->scratch.failed;
  ld_write_string(r->value, ld_buf_slice(&r->scratch));
  return LD_OK;
}

static size_t count_of(const cJSON *item) {
  size_t count = 0;
  for (const cJSON *child = item->child; child != NULL; child = child->next) count++;
  return count;
}

static ld_rc enter(reader *r, const cJSON *item) {
  if (r->depth == r->most) return refuse(r, item, "nested deeper than 128", "");
  r->depth++;
  return LD_OK;
}

/* The end of a map whose values are the children of `item`: no key twice. */
static ld_rc leave_map(reader *r, const cJSON *item, size_t base) {
  ld_twin twin;
  bool differ = r->value->failed || ld_keys_differ(&r->keys, base, ld_buf_slice(r->value), &twin);
  r->keys.size = base;
  r->depth--;
  if (differ) return LD_OK;
  const cJSON *child = item->child;
  while (twin.index-- > 0) child = child->next;
  ld_quoted quoted;
  return child->string == NULL
             ? refuse(r, child, "duplicate key in a $map", "")
             : refuse(r, child, "duplicate name ", ld_quote(bytes_of(r, child->string), quoted));
}

static ld_rc read_map(reader *r, const cJSON *item) {
  size_t base = r->keys.size;
  ld_rc rc = enter(r, item);
  ld_write_map(r->value, rc == LD_OK ? count_of(item) : 0);
  for (const cJSON *child = item->child; child != NULL && rc == LD_OK; child = child->next) {
    ld_keys_add(&r->keys, r->value->size);
    ld_write_string(r->value, bytes_of(r, child->string));
    rc = read_value(r, child);
  }
  return rc == LD_OK ? leave_map(r, item, base) : rc;
}

static ld_rc read_literal(reader *r, const cJSON *item) {
  return cJSON_IsObject(item) ? read_map(r, item) : refuse(r, item, "$literal wants an object", "");
}

/* The key was written at `at`. */
static bool is_key(const reader *r, size_t at) {
  if (r->value->failed) return true; /* found out later */
  ld_slice rest = ld_bytes(r->value->data + at, r->value->size - at);
  ld_token key;
  if (!ld_value_next(&rest, &key) || key.kind == LD_NIL || key.kind >= LD_ARRAY) return false;
  return key.kind != LD_FLOAT || !isnan(key.number);
}

static ld_rc read_pair(reader *r, const cJSON *pair) {
  size_t at = r->value->size;
  if (!cJSON_IsArray(pair) || count_of(pair) != 2)
    return refuse(r, pair, "$map wants pairs, [key, value]", "");
  ld_keys_add(&r->keys, at);
  ld_rc rc = read_value(r, pair->child);
  if (rc == LD_OK && !is_key(r, at))
    rc = refuse(r, pair->child, "a $map key is a string, a number or a boolean", "");
  return rc == LD_OK ? read_value(r, pair->child->next) : rc;
}

static ld_rc read_pairs(reader *r, const cJSON *item) {
  size_t base = r->keys.size;
  if (!cJSON_IsArray(item)) return refuse(r, item, "$map wants an array of pairs", "");
  ld_rc rc = enter(r, item);
  ld_write_map(r->value, rc == LD_OK ? count_of(item) : 0);
  for (const cJSON *pair = item->child; pair != NULL && rc == LD_OK; pair = pair->next)
    rc = read_pair(r, pair);
  return rc == LD_OK ? leave_map(r, item, base) : rc;
}

static ld_rc read_array(reader *r, const cJSON *item) {
  ld_rc rc = enter(r, item);
  ld_write_array(r->value, rc == LD_OK ? count_of(item) : 0);
  for (const cJSON *child = item->child; child != NULL && rc == LD_OK; child = child->next)
    rc = read_value(r, child);
  r->depth--;
  return rc;
}

/* The names that are special when they are alone in their object. */
static const struct form {
  const char *name;
  ld_rc (*read)(reader *r, const cJSON *item);
} forms[] = {
    {"$numberLong", read_long}, {"$numberDouble", read_double}, {"$binary", read_binary},
    {"$map", read_pairs},       {"$literal", read_literal},
}; /* the same names as in json_shape.c */

static const struct form *form_of(const char *name) {
  for (size_t i = 0; name[0] == '$' && i < sizeof forms / sizeof *forms; i++)
    if (strcmp(name, forms[i].name) == 0) return &forms[i];
  return NULL;
}

static ld_rc read_object(reader *r, const cJSON *item) {
  const cJSON *only = item->child != NULL && item->child->next == NULL ? item->child : NULL;
  const struct form *form = only == NULL ? NULL : form_of(only->string);
  return form != NULL ? form->read(r, only) : read_map(r, item);
}

static ld_rc read_number(reader *r, const cJSON *item) {
  if (ld_number_is_whole(item->valuedouble))
    ld_write_int(r->value, (int64_t)item->valuedouble);
  else
    ld_write_float(r->value, item->valuedouble);
  return LD_OK;
}

static ld_rc read_value(reader *r, const cJSON *item) {
  switch (item->type & 0xff) {
  case cJSON_False: ld_write_bool(r->value, false); return LD_OK;
  case cJSON_True: ld_write_bool(r->value, true); return LD_OK;
  case cJSON_Number: return read_number(r, item);
  case cJSON_String: return read_string(r, item);
  case cJSON_Array: return read_array(r, item);
  case cJSON_Object: return read_object(r, item);
  default: ld_write_nil(r->value); return LD_OK;
  }
}

/* Count the values up to `wanted`, in the order in which they begin. */
static bool find(const cJSON *item, const cJSON *wanted, size_t *index) {
  if (item == wanted) return true;
  *index += 1;
  for (const cJSON *child = item->child; child != NULL; child = child->next)
    if (find(child, wanted, index)) return true;
  return false;
}

static ld_rc read_tree(const cJSON *tree, ld_slice text, unsigned most, ld_buf *value,
                       ld_error *error) {
  reader r = {.value = value, .error = error, .most = most};
  size_t index = 0;
  ld_rc rc = read_value(&r, tree);
  if (rc == LD_OK && (value->failed || r.keys.failed || r.no_memory))
    rc = ld_fail(error, LD_NOMEM, "out of memory reading JSON");
  if (r.culprit != NULL && find(tree, r.culprit, &index)) ld_json_blame(text, index, error);
  ld_buf_clear(&r.keys);
  ld_buf_clear(&r.scratch);
  return rc;
}

static ld_rc parse(ld_slice text, unsigned most, ld_buf *value, ld_error *error) {
  ld_buf marked = {0};
  ld_slice ready;
  cJSON *tree = NULL;
  size_t before = value->size;
  ld_rc rc = ld_json_scan(text, &marked, &ready, error);
  if (rc != LD_OK) goto done;
  tree = cJSON_ParseWithLength((const char *)ready.data, ready.size);
  if (tree == NULL) /* it was found to be JSON, so this is the one reason left */
    rc = ld_fail(error, LD_NOMEM, "out of memory reading JSON");
  else
    rc = read_tree(tree, text, most, value, error);
  if (rc != LD_OK) value->size = before;
done:
  cJSON_Delete(tree);
  ld_buf_clear(&marked);
  return rc;
}

ld_rc ld_json_parse(ld_slice text, ld_buf *value, ld_error *error) {
  return parse(text, LD_DEPTH, value, error);
}

ld_rc ld_json_parse_wrapped(ld_slice text, ld_buf *value, ld_error *error) {
  return parse(text, LD_DEPTH + 1, value, error);
}
