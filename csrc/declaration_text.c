/* declaration_text.c -- a program's declaration, written as the store keeps it. */
#include "declaration.h"
#include "name.h"

/* The fields and the options of one index. */
typedef struct index_text {
  ld_slice parts[LD_INDEX_PARTS]; /* values; empty: missing */
  uint32_t count;
  ld_slice name, where;
  bool unique, sparse;
} index_text;

static ld_rc expected(ld_error *error, const char *place, const char *what, ld_slice got) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&got, &token);
  return ld_fail(error, LD_INVALID, "%s%sexpected %s, got %s", place, place[0] == 0 ? "" : ": ",
                 what, ld_kind_name(token.kind));
}

static ld_token first_token(ld_slice value) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&value, &token);
  return token;
}

/* ---- one index ---- */

static ld_rc read_option(ld_slice name, ld_slice value, index_text *text, ld_error *error) {
  static const char *const known[] = {"name", "unique", "sparse", "where", NULL};
  char copy[40] = "";
  ld_token token = first_token(value);
  bool is_bool = token.kind == LD_BOOL;
  if (ld_equal(name, LD_LITERAL("name"))) {
    if (!ld_is_string(&token)) return expected(error, "name", "a string", value);
    if (token.bytes.size == 0) return ld_fail(error, LD_INVALID, "name: is empty");
    text->name = token.bytes;
  } else if (ld_equal(name, LD_LITERAL("where"))) {
    if (token.kind != LD_MAP) return expected(error, "where", "a filter, a map", value);
    text->where = value;
  } else if (ld_equal(name, LD_LITERAL("unique"))) {
    if (!is_bool) return expected(error, "unique", "true or false", value);
    text->unique = token.truth;
  } else if (ld_equal(name, LD_LITERAL("sparse"))) {
    if (!is_bool) return expected(error, "sparse", "true or false", value);
    text->sparse = token.truth;
  } else {
    if (name.size < sizeof copy) memcpy(copy, name.data, name.size);
    return ld_unknown_name("option", copy, known, error);
  }
  return LD_OK;
}

static ld_rc add_part(index_text *text, int64_t place, ld_slice value, ld_error *error) {
  if (place < 1 || place > LD_INDEX_PARTS)
    return ld_fail(error, LD_INVALID, "an index has 1 to %d fields", LD_INDEX_PARTS);
  text->parts[place - 1] = value;
  if (text->count < (uint32_t)place) text->count = (uint32_t)place;
  return LD_OK;
}

/* The keys 1..n are the fields, the others options. */
static ld_rc read_pair(ld_slice *rest, index_text *text, ld_error *error) {
  ld_token key;
  ld_slice value;
  if (!ld_value_next(rest, &key) || !ld_value_take(rest, &value)) return LD_INVALID;
  if (key.kind == LD_INT) return add_part(text, key.integer, value, error);
  if (!ld_is_string(&key)) return ld_fail(error, LD_INVALID, "a key that is no option's name");
  return read_option(key.bytes, value, text, error);
}

/* A string, an array of them, or a map. */
static ld_rc read_index_text(ld_slice value, index_text *text, ld_error *error) {
  ld_token head = first_token(value);
  ld_slice rest = value, each;
  ld_rc rc = LD_OK;
  if (ld_is_string(&head)) return add_part(text, 1, value, error);
  if (head.kind != LD_ARRAY && head.kind != LD_MAP)
    return expected(error, "", "a field, or a list of fields", value);
  ld_value_next(&rest, &head);
  for (uint32_t i = 1; i <= head.count && rc == LD_OK; i++) {
    if (head.kind == LD_MAP)
      rc = read_pair(&rest, text, error);
    else
      rc = ld_value_take(&rest, &each) ? add_part(text, i, each, error) : LD_INVALID;
  }
  return rc;
}

static ld_rc check_parts(const index_text *text, ld_error *error) {
  if (text->count == 0) return ld_fail(error, LD_INVALID, "an index needs a field at least");
  for (uint32_t i = 0; i < text->count; i++) {
    if (text->parts[i].size == 0) return ld_fail(error, LD_INVALID, "field %u is missing", i + 1);
    ld_token token = first_token(text->parts[i]);
    if (!ld_is_string(&token)) return expected(error, "", "the name of a field", text->parts[i]);
  }
  return LD_OK;
}

/* Its own, or its parts'. */
static void write_name(const index_text *text, ld_buf *bytes) {
  ld_buf name = {0};
  for (uint32_t i = 0; i < text->count; i++) {
    if (i > 0) ld_buf_byte(&name, ',');
    ld_buf_add(&name, first_token(text->parts[i]).bytes);
  }
  ld_write_string(bytes, text->name.size > 0 ? text->name : ld_buf_slice(&name));
  bytes->failed = bytes->failed || name.failed;
  ld_buf_clear(&name);
}

static void write_true(ld_buf *bytes, const char *name) {
  ld_write_text(bytes, name);
  ld_write_bool(bytes, true);
}

static ld_rc write_index(ld_slice value, ld_buf *bytes, ld_error *error) {
  index_text text = {.count = 0};
  ld_rc rc = read_index_text(value, &text, error);
  if (rc == LD_OK) rc = check_parts(&text, error);
  if (rc != LD_OK) return rc;
  ld_write_map(bytes, 2u + text.unique + text.sparse + (text.where.size > 0));
  ld_write_text(bytes, "name");
  write_name(&text, bytes);
  ld_write_text(bytes, "parts");
  ld_write_array(bytes, text.count);
  for (uint32_t i = 0; i < text.count; i++) ld_buf_add(bytes, text.parts[i]);
  if (text.unique) write_true(bytes, "unique");
  if (text.sparse) write_true(bytes, "sparse");
  if (text.where.size > 0) {
    ld_write_text(bytes, "where");
    ld_buf_add(bytes, text.where);
  }
  return LD_OK;
}

/* ---- the whole ---- */

static ld_rc check_key(ld_slice text, ld_slice *key, ld_error *error) {
  ld_slice value;
  *key = LD_SLICE_NONE;
  if (!ld_value_field(text, "key", &value)) return LD_OK;
  ld_token token = first_token(value);
  if (token.kind != LD_STR || token.bytes.size == 0)
    return expected(error, "key", "the name of a field", value);
  *key = token.bytes;
  return LD_OK;
}

static ld_rc check_version(ld_slice text, uint64_t *version, ld_error *error) {
  ld_slice value;
  *version = 0;
  if (!ld_value_field(text, "version", &value)) return LD_OK;
  ld_token token = first_token(value);
  if (token.kind != LD_INT || token.integer < 1)
    return expected(error, "version", "a whole number from 1", value);
  *version = (uint64_t)token.integer;
  return LD_OK;
}

/* The elements that `*list` begins with afterwards. */
static ld_rc open_list(ld_slice text, ld_slice *list, uint32_t *count, ld_error *error) {
  ld_slice value;
  *count = 0;
  if (!ld_value_field(text, "indexes", &value)) return LD_OK;
  ld_token head = first_token(value);
  bool is_list = head.kind == LD_ARRAY || (head.kind == LD_MAP && head.count == 0);
  if (!is_list) return expected(error, "indexes", "a list", value);
  if (head.count > LD_INDEXES_MOST)
    return ld_fail(error, LD_INVALID, "indexes: more than %d", LD_INDEXES_MOST);
  ld_value_next(&value, &head);
  *list = value;
  *count = head.count;
  return LD_OK;
}

ld_rc ld_declaration_rewrite(ld_slice text, ld_buf *bytes, ld_error *error) {
  ld_slice key, list = LD_SLICE_NONE, each;
  uint64_t version;
  uint32_t count;
  ld_rc rc = check_key(text, &key, error);
  if (rc == LD_OK) rc = check_version(text, &version, error);
  if (rc == LD_OK) rc = open_list(text, &list, &count, error);
  if (rc != LD_OK) return rc;
  ld_declaration_write_head(key, version, count, bytes);
  for (uint32_t i = 0; i < count && rc == LD_OK; i++) {
    rc = ld_value_take(&list, &each) ? write_index(each, bytes, error) : LD_INVALID;
    if (rc == LD_INVALID) ld_fail_in(error, "indexes[%u]: ", (unsigned)i + 1);
  }
  return rc;
}
