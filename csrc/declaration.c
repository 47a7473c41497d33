/* declaration.c -- see declaration.h.
**
** A program's text is first written as the store keeps it, then read like a stored one: so there is one reader, and all that an index
** borrows lies in the bytes of its declaration. */
#include "declaration.h"

#include <stdlib.h>

#include "json.h"

static ld_rc no_memory(ld_error *error) {
  return ld_fail(error, LD_NOMEM, "collection: out of memory");
}

static ld_rc expected(ld_error *error, const char *what, ld_slice got) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&got, &token);
  return ld_fail(error, LD_INVALID, "expected %s, got %s", what, ld_kind_name(token.kind));
}

static bool read_flag(ld_slice map, const char *name) {
  ld_slice value;
  ld_token token;
  return ld_value_field(map, name, &value) && ld_value_next(&value, &token) &&
         token.kind == LD_BOOL && token.truth;
}

static uint64_t read_count(ld_slice map, const char *name) {
  ld_slice value;
  ld_token token;
  bool there = ld_value_field(map, name, &value) && ld_value_next(&value, &token) &&
               token.kind == LD_INT && token.integer > 0;
  return there ? (uint64_t)token.integer : 0;
}

static ld_slice read_string(ld_slice map, const char *name) {
  ld_slice value;
  ld_token token;
  bool there = ld_value_field(map, name, &value) && ld_value_next(&value, &token);
  return there && ld_is_string(&token) ? token.bytes : LD_SLICE_NONE;
}

/* ---- what the store keeps ---- */

static ld_rc read_part(ld_slice value, ld_index_part *part, ld_error *error) {
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value, text;
  ld_value_next(&rest, &token);
  if (!ld_is_string(&token)) return expected(error, "the name of a field", value);
  text = token.bytes;
  part->text = text;
  part->descending = text.size > 0 && text.data[0] == '-';
  if (part->descending) text = ld_bytes(text.data + 1, text.size - 1);
  return ld_path_parse(text, &part->path, error);
}

static ld_rc read_parts(ld_slice map, ld_index *index, ld_error *error) {
  ld_slice list, value;
  ld_token head = {.kind = LD_NIL};
  ld_rc rc = LD_OK;
  if (!ld_value_field(map, "parts", &list) || !ld_value_next(&list, &head) ||
      head.kind != LD_ARRAY || head.count == 0)
    return ld_fail(error, LD_INVALID, "an index needs a field at least");
  if (head.count > LD_INDEX_PARTS)
    return ld_fail(error, LD_INVALID, "an index of more than %d fields", LD_INDEX_PARTS);
  for (; index->parts < head.count && rc == LD_OK; index->parts++) {
    rc = ld_value_take(&list, &value) ? read_part(value, &index->part[index->parts], error)
                                      : LD_INVALID;
  }
  return rc;
}

static ld_rc read_index(ld_slice map, ld_index *index, ld_error *error) {
  *index = (ld_index){.name = read_string(map, "name"),
                      .number = read_count(map, "number"),
                      .unique = read_flag(map, "unique"),
                      .sparse = read_flag(map, "sparse"),
                      .ready = read_flag(map, "ready"),
                      .multikey = (unsigned)read_count(map, "multikey"),
                      .truncated = read_flag(map, "truncated"),
                      .loose = read_flag(map, "loose")};
  ld_rc rc = read_parts(map, index, error);
  if (rc != LD_OK || !ld_value_field(map, "where", &index->where)) return rc;
  rc = ld_filter_compile(index->where, &index->filter, error);
  return rc == LD_INVALID ? ld_fail_in(error, "where: ") : rc;
}

static ld_rc check_names(const ld_declaration *declaration, ld_error *error) {
  ld_quoted quoted;
  for (unsigned i = 1; i < declaration->count; i++)
    for (unsigned j = 0; j < i; j++)
      if (ld_equal(declaration->indexes[i].name, declaration->indexes[j].name))
        return ld_fail(error, LD_INVALID, "indexes: two are called %s",
                       ld_quote(declaration->indexes[i].name, quoted));
  return LD_OK;
}

static ld_rc read_indexes(ld_declaration *declaration, ld_error *error) {
  ld_slice list, map;
  ld_token head;
  ld_rc rc = LD_OK;
  if (!ld_value_field(ld_buf_slice(&declaration->bytes), "indexes", &list)) return LD_OK;
  if (!ld_value_next(&list, &head) || head.kind != LD_ARRAY || head.count == 0) return LD_OK;
  declaration->indexes = calloc(head.count, sizeof *declaration->indexes);
  if (declaration->indexes == NULL) return no_memory(error);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    if (!ld_value_take(&list, &map)) return ld_fail(error, LD_INVALID, "indexes: is cut off");
    declaration->count++;
    rc = read_index(map, &declaration->indexes[i], error);
    if (rc == LD_INVALID) ld_fail_in(error, "indexes[%u]: ", (unsigned)i + 1);
  }
  return rc == LD_OK ? check_names(declaration, error) : rc;
}

static ld_rc read_all(ld_declaration *made, ld_error *error) {
  if (made->bytes.failed) return no_memory(error);
  made->key = read_string(ld_buf_slice(&made->bytes), "key");
  made->keyed = made->key.size > 0;
  if (!made->keyed) made->key = LD_LITERAL("id");
  made->version = read_count(ld_buf_slice(&made->bytes), "version");
  return read_indexes(made, error);
}

ld_rc ld_declaration_read(ld_slice bytes, ld_declaration *declaration, ld_error *error) {
  ld_declaration made = {0};
  ld_buf_add(&made.bytes, bytes);
  ld_rc rc = read_all(&made, error);
  if (rc == LD_OK) {
    *declaration = made;
    return rc;
  }
  ld_declaration_clear(&made);
  if (rc != LD_INVALID) return rc;
  ld_fail_in(error, "the declaration of a collection is damaged: ");
  return error->rc = LD_CORRUPT;
}

void ld_declaration_clear(ld_declaration *declaration) {
  for (unsigned i = 0; i < declaration->count; i++) ld_filter_free(declaration->indexes[i].filter);
  free(declaration->indexes);
  ld_buf_clear(&declaration->bytes);
  *declaration = (ld_declaration){.count = 0};
}

/* ---- writing ---- */

typedef struct named_flag {
  const char *name;
  bool set;
} named_flag;

void ld_index_write(const ld_index *index, ld_buf *bytes) {
  const named_flag flags[] = {{"unique", index->unique},
                              {"sparse", index->sparse},
                              {"ready", index->ready},
                              {"truncated", index->truncated},
                              {"loose", index->loose}};
  size_t opened = ld_write_open(bytes), count = 2;
  ld_write_text(bytes, "name");
  ld_write_string(bytes, index->name);
  ld_write_text(bytes, "parts");
  ld_write_array(bytes, index->parts);
  for (unsigned i = 0; i < index->parts; i++) ld_write_string(bytes, index->part[i].text);
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    if (!flags[i].set) continue;
    ld_write_text(bytes, flags[i].name);
    ld_write_bool(bytes, true);
    count++;
  }
  if (index->number != 0) {
    ld_write_text(bytes, "number");
    ld_write_int(bytes, (int64_t)index->number);
    count++;
  }
  if (index->multikey != 0) {
    ld_write_text(bytes, "multikey");
    ld_write_int(bytes, index->multikey);
    count++;
  }
  if (index->where.size > 0) {
    ld_write_text(bytes, "where");
    ld_buf_add(bytes, index->where);
    count++;
  }
  ld_write_close(bytes, opened, LD_MAP, count);
}

void ld_declaration_write_head(ld_slice key, uint64_t version, unsigned indexes, ld_buf *bytes) {
  ld_write_map(bytes, 0u + (key.size > 0) + (version > 0) + (indexes > 0));
  if (key.size > 0) {
    ld_write_text(bytes, "key");
    ld_write_string(bytes, key);
  }
  if (version > 0) {
    ld_write_text(bytes, "version");
    ld_write_int(bytes, (int64_t)version);
  }
  if (indexes == 0) return;
  ld_write_text(bytes, "indexes");
  ld_write_array(bytes, indexes);
}

void ld_declaration_write(const ld_declaration *declaration, ld_buf *bytes) {
  ld_declaration_write_head(declaration->key, declaration->version, declaration->count, bytes);
  for (unsigned i = 0; i < declaration->count; i++) ld_index_write(&declaration->indexes[i], bytes);
}

ld_rc ld_declaration_compile(ld_slice text, ld_declaration *declaration, ld_error *error) {
  ld_declaration made = {0};
  ld_rc rc = ld_declaration_rewrite(text, &made.bytes, error);
  if (rc == LD_OK) rc = read_all(&made, error);
  if (rc == LD_OK)
    *declaration = made;
  else
    ld_declaration_clear(&made);
  return rc;
}

/* ---- comparing ---- */

ld_index *ld_declaration_index(const ld_declaration *declaration, ld_slice name) {
  for (unsigned i = 0; i < declaration->count; i++)
    if (ld_equal(declaration->indexes[i].name, name)) return &declaration->indexes[i];
  return NULL;
}

bool ld_index_same(const ld_index *a, const ld_index *b) {
  if (a->parts != b->parts || a->unique != b->unique || a->sparse != b->sparse) return false;
  for (unsigned i = 0; i < a->parts; i++)
    if (!ld_equal(a->part[i].text, b->part[i].text)) return false;
  return ld_equal(a->where, b->where) ||
         (a->where.size > 0 && b->where.size > 0 && ld_same(a->where, b->where));
}

void ld_index_reset(ld_index *index) {
  index->number = 0;
  index->multikey = 0;
  index->ready = index->truncated = index->loose = false;
}

void ld_index_describe(const ld_index *index, ld_buf *text) {
  ld_quoted quoted;
  for (unsigned i = 0; i < index->parts; i++)
    ld_buf_printf(text, "%s%s", i == 0 ? "{" : ", ", ld_quote(index->part[i].text, quoted));
  ld_buf_printf(text, "%s%s", index->unique ? ", unique = true" : "",
                index->sparse ? ", sparse = true" : "");
  if (index->where.size > 0) {
    ld_buf_printf(text, ", where = ");
    ld_json_print(index->where, false, text, NULL);
  }
  ld_buf_printf(text, "}");
}
