/* patch_edit.c -- rewriting a document at one path.
**
** The way down writes what is before the value at each level, the way up what is behind it. A level whose value is kept or removed takes back what
** it wrote; so a kept document leaves no trace. */
#include "patch_change.h"

enum {
  MOST_PADDING = 1500000
}; /* elements that one change may make null to reach an index, as in MongoDB */

typedef struct edit {
  const patch_change *change;
  ld_buf *out;
  patch_outcome outcome;
  ld_error *error;
} edit;

static ld_rc rewrite(edit *e, unsigned depth, ld_slice old);

static ld_rc act(edit *e, ld_slice old) {
  return e->change->op->act(e->change, old, e->out, &e->outcome, e->error);
}

/* Write what the path leads to from here, where nothing is. */
static ld_rc create(edit *e, unsigned depth) {
  const ld_path *path = &e->change->path;
  for (; depth < path->count; depth++) {
    ld_write_map(e->out, 1);
    ld_write_string(e->out, path->parts[depth]);
  }
  return act(e, LD_SLICE_NONE);
}

/* The path goes on, and the value there has nothing below it by that name. */
static ld_rc blocked(edit *e, unsigned depth, const char *what) {
  ld_quoted quoted;
  e->outcome = PATCH_KEPT;
  if (!e->change->op->creates) return LD_OK;
  return ld_fail(e->error, LD_INVALID, "there is %s, and no place for %s in it", what,
                 ld_quote(e->change->path.parts[depth], quoted));
}

/* ---- maps ---- */

/* A field and what is around it. */
typedef struct field {
  const uint8_t *key;
  ld_slice value, rest;
} field;

static bool find(ld_slice pairs, uint32_t count, ld_slice name, field *found) {
  ld_token key;
  for (uint32_t i = 0; i < count; i++) {
    found->key = pairs.data;
    if (!ld_value_next(&pairs, &key) || !ld_value_take(&pairs, &found->value)) return false;
    found->rest = pairs;
    if (ld_is_string(&key) && ld_equal(key.bytes, name)) return true;
  }
  return false;
}

static ld_slice between(const uint8_t *from, const uint8_t *to) {
  return ld_bytes(from, (size_t)(to - from));
}

static ld_rc rewrite_field(edit *e, unsigned depth, ld_slice pairs, uint32_t count,
                           const field *found) {
  size_t start = e->out->size;
  ld_write_map(e->out, count);
  ld_buf_add(e->out, between(pairs.data, found->value.data));
  ld_rc rc = rewrite(e, depth + 1, found->value);
  if (rc == LD_OK && e->outcome == PATCH_WRITTEN) ld_buf_add(e->out, found->rest);
  if (rc != LD_OK || e->outcome == PATCH_WRITTEN) return rc;
  e->out->size = start;
  if (e->outcome == PATCH_KEPT) return LD_OK;
  ld_write_map(e->out, count - 1);
  ld_buf_add(e->out, between(pairs.data, found->key));
  ld_buf_add(e->out, found->rest);
  e->outcome = PATCH_WRITTEN;
  return LD_OK;
}

static ld_rc add_field(edit *e, unsigned depth, ld_slice pairs, uint32_t count) {
  ld_write_map(e->out, (size_t)count + 1);
  ld_buf_add(e->out, pairs);
  ld_write_string(e->out, e->change->path.parts[depth]);
  return create(e, depth + 1);
}

static ld_rc rewrite_map(edit *e, unsigned depth, ld_slice pairs, uint32_t count) {
  field found;
  if (find(pairs, count, e->change->path.parts[depth], &found))
    return rewrite_field(e, depth, pairs, count, &found);
  e->outcome = PATCH_KEPT;
  return e->change->op->creates ? add_field(e, depth, pairs, count) : LD_OK;
}

/* ---- arrays ---- */

/* False: no number, or one that no array reaches. */
static bool read_index(ld_slice part, uint64_t *index) {
  *index = 0;
  for (size_t i = 0; i < part.size; i++) {
    if (part.data[i] < '0' || part.data[i] > '9' || *index > UINT32_MAX) return false;
    *index = *index * 10 + (uint64_t)(part.data[i] - '0');
  }
  return part.size > 0 && *index < UINT32_MAX;
}

static ld_rc rewrite_element(edit *e, unsigned depth, ld_slice elements, uint32_t count,
                             uint64_t index) {
  size_t start = e->out->size;
  ld_slice rest = elements, element = elements;
  for (uint64_t i = 0; i <= index; i++)
    if (!ld_value_take(&rest, &element)) return LD_OK;
  ld_write_array(e->out, count);
  ld_buf_add(e->out, between(elements.data, element.data));
  ld_rc rc = rewrite(e, depth + 1, element);
  if (rc != LD_OK) return rc;
  if (e->outcome == PATCH_KEPT) {
    e->out->size = start;
    return LD_OK;
  }
  if (e->outcome == PATCH_REMOVED) ld_write_nil(e->out);
  ld_buf_add(e->out, rest);
  e->outcome = PATCH_WRITTEN;
  return LD_OK;
}

/* An element behind the last one: what is between them becomes null. */
static ld_rc add_element(edit *e, unsigned depth, ld_slice elements, uint32_t count,
                         uint64_t index) {
  if (index - count > MOST_PADDING)
    return ld_fail(e->error, LD_INVALID, "the array has %u elements, too few for that index",
                   count);
  ld_write_array(e->out, (size_t)index + 1);
  ld_buf_add(e->out, elements);
  for (uint64_t i = count; i < index; i++) ld_write_nil(e->out);
  return create(e, depth + 1);
}

static ld_rc rewrite_array(edit *e, unsigned depth, ld_slice elements, uint32_t count) {
  uint64_t index;
  e->outcome = PATCH_KEPT;
  if (!e->change->through_arrays || !read_index(e->change->path.parts[depth], &index))
    return blocked(e, depth, ld_kind_name(LD_ARRAY));
  if (index < count) return rewrite_element(e, depth, elements, count, index);
  return e->change->op->creates ? add_element(e, depth, elements, count, index) : LD_OK;
}

/* ---- any value ---- */

static ld_rc rewrite(edit *e, unsigned depth, ld_slice old) {
  ld_token head;
  ld_slice rest = old;
  if (depth == e->change->path.count) return act(e, old);
  if (!ld_value_next(&rest, &head)) return ld_fail(e->error, LD_INVALID, "the document is cut off");
  if (head.kind == LD_MAP) return rewrite_map(e, depth, rest, head.count);
  if (head.kind == LD_ARRAY) return rewrite_array(e, depth, rest, head.count);
  return blocked(e, depth, ld_kind_name(head.kind));
}

ld_rc patch_edit(const patch_change *change, ld_slice document, ld_buf *out, patch_outcome *outcome,
                 ld_error *error) {
  edit e = {.change = change, .out = out, .outcome = PATCH_KEPT, .error = error};
  size_t start = out->size;
  ld_rc rc = rewrite(&e, 0, document);
  if (rc == LD_OK && e.outcome == PATCH_KEPT) out->size = start;
  if (rc == LD_OK && out->failed) rc = ld_fail(error, LD_NOMEM, "out of memory");
  if (rc != LD_OK)
    out->size = start;
  else
    *outcome = e.outcome;
  return rc;
}
