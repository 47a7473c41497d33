/* second_filter.c -- see second_filter.h: both sides are read into trees, and compared as the rules say, with no care for
** anything but being plain. */
#include "second_filter.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"

enum { NODES = 20000, FOUND = 4000 };

/* ---- trees ---- */

typedef struct tree tree;
struct tree {
  ld_token token;
  tree *keys, *items; /* of a map both, of an array items */
};

static tree pool[NODES];
static size_t pooled;

static tree *take_trees(size_t count) {
  tree *taken = pool + pooled;
  CHECK(pooled + count <= NODES);
  pooled += count;
  return taken;
}

static void read_tree(ld_slice *rest, tree *into) {
  CHECK(ld_value_next(rest, &into->token));
  bool is_map = into->token.kind == LD_MAP;
  if (!is_map && into->token.kind != LD_ARRAY) return;
  into->keys = is_map ? take_trees(into->token.count) : NULL;
  into->items = take_trees(into->token.count);
  for (uint32_t i = 0; i < into->token.count; i++) {
    if (is_map) read_tree(rest, &into->keys[i]);
    read_tree(rest, &into->items[i]);
  }
}

static const tree *tree_of(ld_slice rest) {
  tree *root = take_trees(1);
  read_tree(&rest, root);
  return root;
}

static bool is(const tree *at, ld_kind kind) { return at->token.kind == kind; }
static bool is_text(const tree *at, const char *text) {
  return ld_is_string(&at->token) && ld_equal(at->token.bytes, ld_text(text));
}
static bool has_dollar(const tree *at) {
  return ld_is_string(&at->token) && at->token.bytes.size > 0 && at->token.bytes.data[0] == '$';
}

static const tree *field(const tree *map, ld_slice name) {
  for (uint32_t i = 0; i < map->token.count; i++)
    if (ld_is_string(&map->keys[i].token) && ld_equal(map->keys[i].token.bytes, name))
      return &map->items[i];
  return NULL;
}

/* ---- order ---- */

static int rank(const tree *at) {
  static const int ranks[] = {0, 5, 1, 1, 2, 2, 4, 3};
  return ranks[at->token.kind];
}

static long double number(const tree *at) {
  return is(at, LD_INT) ? (long double)at->token.integer : (long double)at->token.number;
}

static bool nan_is(const tree *at) { return is(at, LD_FLOAT) && isnan(at->token.number); }

static int compare(const tree *a, const tree *b);

/* The place of the pair that has `before` smaller keys. */
static uint32_t nth_pair(const tree *map, uint32_t before) {
  for (uint32_t i = 0; i < map->token.count; i++) {
    uint32_t smaller = 0;
    for (uint32_t j = 0; j < map->token.count; j++)
      smaller += compare(&map->keys[j], &map->keys[i]) < 0;
    if (smaller == before) return i;
  }
  abort();
}

static int compare_many(const tree *a, const tree *b) {
  uint32_t of_a = a->token.count, of_b = b->token.count;
  for (uint32_t i = 0; i < of_a && i < of_b; i++) {
    uint32_t at_a = is(a, LD_MAP) ? nth_pair(a, i) : i, at_b = is(a, LD_MAP) ? nth_pair(b, i) : i;
    int order = is(a, LD_MAP) ? compare(&a->keys[at_a], &b->keys[at_b]) : 0;
    if (order == 0) order = compare(&a->items[at_a], &b->items[at_b]);
    if (order != 0) return order;
  }
  return of_a < of_b ? -1 : of_a > of_b;
}

static int compare(const tree *a, const tree *b) {
  if (rank(a) != rank(b)) return rank(a) < rank(b) ? -1 : 1;
  switch (rank(a)) {
  case 1:
    if (nan_is(a) || nan_is(b)) return nan_is(b) - nan_is(a);
    return number(a) < number(b) ? -1 : number(a) > number(b);
  case 2: return ld_compare(a->token.bytes, b->token.bytes);
  case 3:
  case 4: return compare_many(a, b);
  case 5: return a->token.truth - b->token.truth;
  default: return 0;
  }
}

/* ---- paths ---- */

typedef struct found {
  const tree *value; /* NULL: missing */
  bool whole;        /* its elements do not count */
} found;

static found all_found[FOUND];
static size_t founds;

static void add_found(const tree *value, bool whole) {
  CHECK(founds < FOUND);
  all_found[founds++] = (found){value, whole};
}

static ld_slice first_part(ld_slice path) {
  const uint8_t *dot = memchr(path.data, '.', path.size);
  return dot == NULL ? path : ld_bytes(path.data, (size_t)(dot - path.data));
}

static void resolve(const tree *at, ld_slice path, bool whole) {
  if (path.size == 0) {
    add_found(at, whole);
    return;
  }
  ld_slice part = first_part(path);
  bool last = part.size == path.size, digits = part.data[0] == '0' || part.data[0] == '1';
  ld_slice behind =
      last ? LD_SLICE_NONE : ld_bytes(part.data + part.size + 1, path.size - part.size - 1);
  size_t before = founds;
  if (is(at, LD_MAP) && field(at, part) != NULL) resolve(field(at, part), behind, false);
  for (uint32_t i = 0; is(at, LD_ARRAY) && i < at->token.count; i++) {
    const tree *element = &at->items[i];
    if (digits && i == (uint32_t)(part.data[0] - '0') &&
        (last || rank(element) == 3 || rank(element) == 4))
      resolve(element, behind, true);
    if (!is(element, LD_MAP)) continue;
    if (field(element, part) != NULL)
      resolve(field(element, part), behind, false);
    else if (!digits)
      add_found(NULL, false);
  }
  if (founds == before) add_found(NULL, false);
}

/* ---- operators ---- */

static bool holds(const tree *filter, const tree *document);
static bool all_hold(const tree *operators, const found *values, size_t count);

static bool matches_text(const tree *pattern, bool fold, ld_slice text) {
  bool has_a = text.size > 0 && memchr(text.data, 'a', text.size) != NULL;
  if (is_text(pattern, "^a")) return text.size > 0 && text.data[0] == 'a';
  if (is_text(pattern, "b$")) return text.size > 0 && text.data[text.size - 1] == 'b';
  if (is_text(pattern, "A")) return fold && has_a;
  return is_text(pattern, "a") ? has_a : true;
}

static bool in_range(const char *op, const tree *operand, const tree *value) {
  if (rank(value) != rank(operand)) return false;
  int order = compare(value, operand);
  bool or_equal = strcmp(op, "$gte") == 0 || strcmp(op, "$lte") == 0;
  if (order == 0) return or_equal;
  if (nan_is(value) || nan_is(operand)) return false;
  return op[1] == 'g' ? order > 0 : order < 0;
}

static bool of_type(const tree *type, const tree *value) {
  static const char *const names[] = {"null",   "bool",    "int",   "double",
                                      "string", "binData", "array", "object"};
  if (is_text(type, "number")) return rank(value) == 1;
  return is_text(type, names[value->token.kind]);
}

static bool divides(const tree *operand, const tree *value) {
  if (rank(value) != 1) return false;
  long double whole = truncl(number(value));
  if (!(whole >= -0x1p63L && whole < 0x1p63L)) return false;
  return fmodl(whole, truncl(number(&operand->items[0]))) == truncl(number(&operand->items[1]));
}

/* One value as it is. */
static bool passes(const char *op, const tree *operand, const tree *beside, const tree *value) {
  if (strcmp(op, "$eq") == 0) return compare(value, operand) == 0;
  if (strcmp(op, "$in") == 0) {
    for (uint32_t i = 0; i < operand->token.count; i++)
      if (compare(value, &operand->items[i]) == 0) return true;
    return false;
  }
  if (strcmp(op, "$prefix") == 0)
    return rank(value) == 2 && ld_starts_with(value->token.bytes, operand->token.bytes);
  if (strcmp(op, "$regex") == 0)
    return is(value, LD_STR) &&
           matches_text(operand, field(beside, LD_LITERAL("$options")) != NULL, value->token.bytes);
  if (strcmp(op, "$mod") == 0) return divides(operand, value);
  if (strcmp(op, "$type") == 0) {
    if (is(operand, LD_STR)) return of_type(operand, value);
    for (uint32_t i = 0; i < operand->token.count; i++)
      if (of_type(&operand->items[i], value)) return true;
    return false;
  }
  return in_range(op, operand, value);
}

static bool takes_missing(const char *op, const tree *operand) {
  if (strcmp(op, "$in") == 0)
    for (uint32_t i = 0; i < operand->token.count; i++)
      if (is(&operand->items[i], LD_NIL)) return true;
  return (strcmp(op, "$eq") == 0 || strcmp(op, "$gte") == 0 || strcmp(op, "$lte") == 0) &&
         is(operand, LD_NIL);
}

static bool of_fields(const tree *operand) {
  for (uint32_t i = 0; i < operand->token.count; i++)
    if (has_dollar(&operand->keys[i]) && !is_text(&operand->keys[i], "$or") &&
        !is_text(&operand->keys[i], "$and") && !is_text(&operand->keys[i], "$nor"))
      return false;
  return true;
}

static bool has_element(const tree *operand, const tree *value) {
  for (uint32_t i = 0; is(value, LD_ARRAY) && i < value->token.count; i++) {
    const found itself = {&value->items[i], true};
    if (of_fields(operand) ? is(itself.value, LD_MAP) && holds(operand, itself.value)
                           : all_hold(operand, &itself, 1))
      return true;
  }
  return false;
}

static bool any_passes(const char *op, const tree *operand, const tree *beside, const found *values,
                       size_t count) {
  for (size_t i = 0; i < count; i++) {
    const tree *value = values[i].value;
    if (value == NULL && takes_missing(op, operand)) return true;
    if (value == NULL) continue;
    if (passes(op, operand, beside, value)) return true;
    for (uint32_t j = 0; is(value, LD_ARRAY) && !values[i].whole && j < value->token.count; j++)
      if (passes(op, operand, beside, &value->items[j])) return true;
  }
  return false;
}

static bool each_in_all(const tree *operand, const found *values, size_t count) {
  for (uint32_t i = 0; i < operand->token.count; i++) {
    const tree *wanted = &operand->items[i];
    bool dollar = is(wanted, LD_MAP) && wanted->token.count > 0 && has_dollar(&wanted->keys[0]);
    if (!(dollar ? all_hold(wanted, values, count)
                 : any_passes("$eq", wanted, NULL, values, count)))
      return false;
  }
  return operand->token.count > 0;
}

static bool operator_holds(const char *op, const tree *operand, const tree *beside,
                           const found *values, size_t count) {
  if (strcmp(op, "$ne") == 0) return !any_passes("$eq", operand, beside, values, count);
  if (strcmp(op, "$nin") == 0) return !any_passes("$in", operand, beside, values, count);
  if (strcmp(op, "$not") == 0) return !all_hold(operand, values, count);
  if (strcmp(op, "$all") == 0) return each_in_all(operand, values, count);
  if (strcmp(op, "$options") == 0) return true;
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    const tree *value = values[i].value;
    if (value == NULL) continue;
    if (strcmp(op, "$exists") == 0) any = true;
    if (strcmp(op, "$size") == 0)
      any = any || (is(value, LD_ARRAY) && value->token.count == number(operand));
    if (strcmp(op, "$elemMatch") == 0) any = any || has_element(operand, value);
  }
  if (strcmp(op, "$exists") == 0) return any == operand->token.truth;
  if (strcmp(op, "$size") == 0 || strcmp(op, "$elemMatch") == 0) return any;
  return any_passes(op, operand, beside, values, count);
}

static bool all_hold(const tree *operators, const found *values, size_t count) {
  for (uint32_t i = 0; i < operators->token.count; i++) {
    char op[16] = "";
    memcpy(op, operators->keys[i].token.bytes.data, operators->keys[i].token.bytes.size);
    if (!operator_holds(op, &operators->items[i], operators, values, count)) return false;
  }
  return true;
}

static bool field_holds(ld_slice path, const tree *condition, const tree *document) {
  size_t before = founds;
  resolve(document, path, false);
  bool operators =
      is(condition, LD_MAP) && condition->token.count > 0 && has_dollar(&condition->keys[0]);
  bool result = operators ? all_hold(condition, all_found + before, founds - before)
                          : any_passes("$eq", condition, NULL, all_found + before, founds - before);
  founds = before;
  return result;
}

static bool connective_holds(const tree *name, const tree *filters, const tree *document) {
  uint32_t held = 0;
  for (uint32_t i = 0; i < filters->token.count; i++) held += holds(&filters->items[i], document);
  if (is_text(name, "$and")) return held == filters->token.count;
  return is_text(name, "$or") ? held > 0 : held == 0;
}

static bool holds(const tree *filter, const tree *document) {
  for (uint32_t i = 0; i < filter->token.count; i++) {
    const tree *key = &filter->keys[i];
    if (!(has_dollar(key) ? connective_holds(key, &filter->items[i], document)
                          : field_holds(key->token.bytes, &filter->items[i], document)))
      return false;
  }
  return true;
}

bool second_filter_holds(ld_slice filter, ld_slice document) {
  pooled = founds = 0;
  return holds(tree_of(filter), tree_of(document));
}
