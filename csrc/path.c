/* path.c -- see path.h.
**
** A walk goes down one part at a time and comes back with whether to go on; it keeps nothing but its place, so it needs
** no memory. The depth is that of the path. */
#include "path.h"

static ld_rc add_part(ld_path *path, ld_slice part, ld_slice text, ld_error *error) {
  ld_quoted quoted;
  if (part.size == 0)
    return ld_fail(error, LD_INVALID, "path %s: a part is empty", ld_quote(text, quoted));
  if (path->count == LD_PATH_PARTS)
    return ld_fail(error, LD_INVALID, "path %s: more than %d parts", ld_quote(text, quoted),
                   LD_PATH_PARTS);
  path->parts[path->count++] = part;
  return LD_OK;
}

ld_rc ld_path_parse(ld_slice text, ld_path *path, ld_error *error) {
  ld_path parsed; /* it is large: only what is used of it is written */
  ld_slice rest = text;
  parsed.count = 0;
  for (;;) {
    const uint8_t *dot = rest.size > 0 ? memchr(rest.data, '.', rest.size) : NULL;
    size_t size = dot == NULL ? rest.size : (size_t)(dot - rest.data);
    ld_rc rc = add_part(&parsed, ld_bytes(rest.data, size), text, error);
    if (rc != LD_OK) return rc;
    if (dot == NULL) break;
    rest = ld_bytes(dot + 1, rest.size - size - 1);
  }
  memcpy(path->parts, parsed.parts, parsed.count * sizeof *parsed.parts);
  path->count = parsed.count;
  return LD_OK;
}

bool ld_path_equal(const ld_path *a, const ld_path *b) {
  if (a->count != b->count) return false;
  for (unsigned i = 0; i < a->count; i++)
    if (!ld_equal(a->parts[i], b->parts[i])) return false;
  return true;
}

/* ---- fields ---- */

/* Take a map's key off, which is most often a short string; whether it is `name`. */
static inline bool take_key(ld_slice *rest, ld_slice name, bool *is_name) {
  ld_token key;
  uint8_t head = rest->size > 0 ? rest->data[0] : 0;
  size_t size = head & 0x1f;
  if ((head & 0xe0) == 0xa0 && rest->size > size) {
    *is_name = size == name.size && size > 0 && rest->data[1] == name.data[0] &&
               memcmp(rest->data + 1, name.data, size) == 0;
    *rest = ld_bytes(rest->data + 1 + size, rest->size - 1 - size);
    return true;
  }
  if (!ld_value_next(rest, &key)) return false;
  *is_name = ld_is_string(&key) && ld_equal(key.bytes, name);
  return true;
}

/* The value of a field; `rest` is what follows the head of the map. */
static bool find_field(ld_slice rest, uint32_t count, ld_slice name, ld_slice *value) {
  bool is_name;
  for (uint32_t i = 0; i < count; i++) {
    if (!take_key(&rest, name, &is_name)) return false;
    if (is_name) return ld_value_take(&rest, value);
    if (!ld_value_skip(&rest)) return false;
  }
  return false;
}

bool ld_path_get(ld_slice document, const ld_path *path, ld_slice *value) {
  ld_slice at = document;
  for (unsigned i = 0; i < path->count; i++) {
    ld_slice rest = at;
    ld_token head;
    if (!ld_value_next(&rest, &head) || head.kind != LD_MAP) return false;
    if (!find_field(rest, head.count, path->parts[i], &at)) return false;
  }
  *value = at;
  return true;
}

/* ---- the walk ---- */

typedef struct walk {
  const ld_path *path;
  ld_path_visit visit;
  void *context;
} walk;

static bool walk_array(const walk *by, ld_slice rest, uint32_t count, unsigned part);

/* From a value at which `part` parts have been gone. */
static bool walk_value(const walk *by, ld_slice value, unsigned part, unsigned how) {
  ld_token head;
  ld_slice rest = value, field;
  if (part == by->path->count) return by->visit(by->context, value, how);
  if (!ld_value_next(&rest, &head)) return true;
  if (head.kind == LD_ARRAY) return walk_array(by, rest, head.count, part);
  how &= LD_PATH_THROUGH;
  if (head.kind == LD_MAP && find_field(rest, head.count, by->path->parts[part], &field))
    return walk_value(by, field, part + 1, how);
  return by->visit(by->context, LD_SLICE_NONE, how);
}

/* The number that a part is; -1 when it is none, or larger than any array. */
static int64_t number_of(ld_slice part) {
  int64_t number = 0;
  if (part.size > 10 || (part.size > 1 && part.data[0] == '0')) return -1;
  for (size_t i = 0; i < part.size; i++) {
    if (part.data[i] < '0' || part.data[i] > '9') return -1;
    number = number * 10 + (part.data[i] - '0');
  }
  return number;
}

/* An element picked by its number. `*led`: it leads on, which a scalar with parts behind does not. */
static bool walk_picked(const walk *by, ld_slice element, unsigned part, bool *led) {
  ld_slice rest = element;
  ld_token head;
  bool leads = part + 1 == by->path->count;
  if (!leads && ld_value_next(&rest, &head)) leads = head.kind == LD_ARRAY || head.kind == LD_MAP;
  if (!leads) return true;
  *led = true;
  return walk_value(by, element, part + 1, LD_PATH_THROUGH | LD_PATH_PICKED);
}

/* The field of an element that is a map. */
static bool walk_element(const walk *by, ld_slice element, unsigned part, bool numbered,
                         bool *led) {
  ld_slice field;
  ld_token head;
  if (!ld_value_next(&element, &head) || head.kind != LD_MAP) return true;
  bool found = find_field(element, head.count, by->path->parts[part], &field);
  if (!found && numbered) return true;
  *led = true;
  if (!found) return by->visit(by->context, LD_SLICE_NONE, LD_PATH_THROUGH);
  return walk_value(by, field, part + 1, LD_PATH_THROUGH);
}

static bool walk_array(const walk *by, ld_slice rest, uint32_t count, unsigned part) {
  int64_t number = number_of(by->path->parts[part]);
  bool led = false;
  ld_slice element;
  for (uint32_t i = 0; i < count && ld_value_take(&rest, &element); i++) {
    if (i == number && !walk_picked(by, element, part, &led)) return false;
    if (!walk_element(by, element, part, number >= 0, &led)) return false;
  }
  return led || by->visit(by->context, LD_SLICE_NONE, LD_PATH_THROUGH);
}

bool ld_path_each(ld_slice document, const ld_path *path, ld_path_visit visit, void *context) {
  walk by = {path, visit, context};
  return walk_value(&by, document, 0, path->count == 0 ? LD_PATH_PICKED : 0);
}

static bool visit_elements(void *context, ld_slice value, unsigned how) {
  const walk *to = context;
  ld_token head;
  ld_slice rest = value, element;
  bool whole = value.size == 0 || (how & LD_PATH_PICKED) != 0 || !ld_value_next(&rest, &head) ||
               head.kind != LD_ARRAY;
  if (whole) return to->visit(to->context, value, how);
  if (head.count == 0) return to->visit(to->context, value, how | LD_PATH_EMPTY);
  for (uint32_t i = 0; i < head.count && ld_value_take(&rest, &element); i++)
    if (!to->visit(to->context, element, how | LD_PATH_THROUGH)) return false;
  return true;
}

bool ld_path_each_element(ld_slice document, const ld_path *path, ld_path_visit visit,
                          void *context) {
  walk to = {path, visit, context};
  return ld_path_each(document, path, visit_elements, &to);
}
