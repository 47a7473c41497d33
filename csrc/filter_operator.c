/* filter_operator.c -- the operators behind a field, and what each takes: one row of the table an operator. */
#include <math.h>
#include <stdlib.h>

#include "filter_node.h"

typedef struct operation {
  const char *name;
  ld_filter_op op;
  bool negated;
  /* Checks and reads node->seen.operand. `map`: the operator and those beside it. NULL: makes no condition. */
  ld_rc (*read)(ld_filter_compiler *by, ld_filter_node *node, ld_slice map);
} operation;

/* ---- operands ---- */

static ld_rc read_value(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_slice rest = node->seen.operand;
  (void)by, (void)map;
  ld_value_next(&rest, &node->token);
  node->kind = ld_class_of(node->seen.operand);
  node->takes_missing = node->seen.op == LD_F_EQ && node->kind == LD_CLASS_NULL;
  return LD_OK;
}

/* At least null, or at most, is null. */
static ld_rc read_range(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  bool or_equal = node->seen.op == LD_F_GTE || node->seen.op == LD_F_LTE;
  if (or_equal && ld_class_of(node->seen.operand) == LD_CLASS_NULL) node->seen.op = LD_F_EQ;
  return read_value(by, node, map);
}

static ld_rc read_prefix(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  if (ld_class_of(node->seen.operand) != LD_CLASS_STRING)
    return ld_filter_expected(by, "a string", node->seen.operand);
  return read_value(by, node, map);
}

static int compare_values(const void *a, const void *b) {
  return ld_order(*(const ld_slice *)a, *(const ld_slice *)b);
}

static ld_rc take_values(ld_filter_compiler *by, ld_filter_node *node, ld_slice rest,
                         uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    ld_value_take(&rest, &node->values[i]);
    size_t entered = ld_filter_enter_element(by, i + 1);
    if (ld_filter_has_operators(node->values[i]))
      return ld_filter_fail(by, "operators do not go into a list of values");
    ld_filter_leave(by, entered);
    if (ld_class_of(node->values[i]) == LD_CLASS_NULL) node->takes_missing = true;
  }
  return LD_OK;
}

static ld_rc read_in(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_slice rest;
  (void)map;
  ld_rc rc = ld_filter_open_list(by, node->seen.operand, &rest, &node->value_count);
  if (rc != LD_OK || node->value_count == 0) return rc;
  node->values = ld_filter_make(by, node->value_count * sizeof *node->values);
  if (node->values == NULL) return LD_NOMEM;
  rc = take_values(by, node, rest, node->value_count);
  qsort(node->values, node->value_count, sizeof *node->values, compare_values);
  return rc;
}

static ld_rc read_exists(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  read_value(by, node, map);
  node->wanted = node->kind == LD_CLASS_BOOL && node->token.truth;
  return node->kind == LD_CLASS_BOOL ? LD_OK
                                     : ld_filter_expected(by, "true or false", node->seen.operand);
}

bool ld_filter_cut(const ld_token *token, int64_t *whole) {
  static const double two_to_63 = 9223372036854775808.0;
  if (token->kind == LD_INT) *whole = token->integer;
  if (token->kind != LD_FLOAT) return token->kind == LD_INT;
  if (!(token->number >= -two_to_63 && token->number < two_to_63)) return false;
  *whole = (int64_t)token->number;
  return true;
}

static ld_rc read_size(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  read_value(by, node, map);
  bool is_whole = node->token.kind != LD_FLOAT || node->token.number == trunc(node->token.number);
  if (!ld_filter_cut(&node->token, &node->size) || !is_whole || node->size < 0)
    return ld_filter_fail(by, "expected a whole number from 0");
  return LD_OK;
}

static ld_rc read_mod(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_slice rest;
  ld_token divisor = {.kind = LD_NIL}, remainder = {.kind = LD_NIL};
  uint32_t count;
  (void)map;
  ld_rc rc = ld_filter_open_list(by, node->seen.operand, &rest, &count);
  if (rc != LD_OK) return rc;
  if (count == 2) {
    ld_value_next(&rest, &divisor);
    ld_value_next(&rest, &remainder);
  }
  if (!ld_filter_cut(&divisor, &node->divisor) || !ld_filter_cut(&remainder, &node->rest))
    return ld_filter_fail(by, "expected two numbers, divisor and remainder");
  return node->divisor != 0 ? LD_OK : ld_filter_fail(by, "the divisor is 0");
}

static ld_rc read_regex(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_slice options = LD_SLICE_NONE;
  ld_token flags = {.kind = LD_STR, .bytes = LD_SLICE_NONE};
  read_value(by, node, map);
  if (node->token.kind != LD_STR)
    return ld_filter_expected(by, "a pattern, which is a string", node->seen.operand);
  if (ld_value_field(map, "$options", &options)) ld_value_next(&options, &flags);
  bool fold_case = ld_is_string(&flags) && ld_equal(flags.bytes, LD_LITERAL("i"));
  if (!fold_case && !(ld_is_string(&flags) && flags.bytes.size == 0))
    return ld_filter_fail(by, "$options may be \"i\" only");
  return ld_filter_regex_new(by, node->token.bytes, fold_case, &node->regex);
}

/* ---- types ---- */

static const char *const type_names[] = {"number", "int",   "double", "string", "binData",
                                         "object", "array", "bool",   "null",   NULL};
static const unsigned type_kinds[] = {1u << LD_INT | 1u << LD_FLOAT,
                                      1u << LD_INT,
                                      1u << LD_FLOAT,
                                      1u << LD_STR,
                                      1u << LD_BIN,
                                      1u << LD_MAP,
                                      1u << LD_ARRAY,
                                      1u << LD_BOOL,
                                      1u << LD_NIL};

static ld_rc add_type(ld_filter_compiler *by, ld_filter_node *node, ld_slice name) {
  ld_slice rest = name;
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&rest, &token);
  if (!ld_is_string(&token)) return ld_filter_expected(by, "the name of a type", name);
  for (size_t i = 0; type_names[i] != NULL; i++) {
    if (!ld_equal(token.bytes, ld_text(type_names[i]))) continue;
    node->kinds |= type_kinds[i];
    return LD_OK;
  }
  return ld_filter_unknown(by, "type", token.bytes, type_names);
}

static ld_rc read_type(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_slice rest, name;
  uint32_t count;
  (void)map;
  if (ld_class_of(node->seen.operand) == LD_CLASS_STRING)
    return add_type(by, node, node->seen.operand);
  ld_rc rc = ld_filter_open_list(by, node->seen.operand, &rest, &count);
  if (rc == LD_OK && count == 0) rc = ld_filter_fail(by, "expected one type at least, got none");
  for (uint32_t i = 0; rc == LD_OK && i < count && ld_value_take(&rest, &name); i++)
    rc = add_type(by, node, name);
  return rc;
}

/* ---- operators inside operators ---- */

static ld_rc adopt(ld_filter_compiler *by, ld_filter_node *node, const ld_path *path,
                   const ld_filter_list *list) {
  ld_filter_node *child = ld_filter_join(by, path, list);
  if (child == NULL) return LD_NOMEM;
  node->seen.children = &child->seen;
  return LD_OK;
}

static ld_rc read_not(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_filter_list list = {NULL, NULL};
  (void)map;
  if (!ld_filter_has_operators(node->seen.operand))
    return ld_filter_fail(by, "expected a map of operators");
  ld_rc rc = ld_filter_operators(by, node->seen.path, node->seen.operand, &list);
  return rc != LD_OK ? rc : adopt(by, node, node->seen.path, &list);
}

/* Whether a map of conditions, as in an $elemMatch, looks at fields: none of its keys is an operator on a value, nor is one in the first
** branch of its $and, $or, $nor. The recursion follows the document. */
static bool is_of_maps(ld_slice map) {
  ld_token head = {.kind = LD_NIL}, key = {.kind = LD_NIL}, list = {.kind = LD_NIL};
  ld_slice value;
  if (!ld_value_next(&map, &head) || head.kind != LD_MAP) return true;
  for (uint32_t i = 0; i < head.count; i++) {
    ld_value_next(&map, &key);
    ld_value_take(&map, &value);
    if (!ld_filter_is_dollar(&key)) continue;
    if (!ld_filter_is_connective(key.bytes)) return false;
    ld_value_next(&value, &list);
    if (list.kind == LD_ARRAY && list.count > 0 && !is_of_maps(value)) return false;
  }
  return true;
}

static ld_rc read_elem_match(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  static const ld_path self = {.count = 0};
  ld_filter_list list = {NULL, NULL};
  ld_slice operand = node->seen.operand;
  (void)map;
  if (ld_class_of(operand) != LD_CLASS_MAP) return ld_filter_expected(by, "a map", operand);
  node->of_maps = is_of_maps(operand);
  ld_rc rc = node->of_maps ? ld_filter_fields(by, operand, &list)
                           : ld_filter_operators(by, &self, operand, &list);
  return rc != LD_OK ? rc : adopt(by, node, node->of_maps ? NULL : &self, &list);
}

static ld_rc add_to_all(ld_filter_compiler *by, const ld_path *path, ld_slice element,
                        ld_filter_list *list) {
  ld_slice rest = element, unused;
  ld_token head = {.kind = LD_NIL};
  if (!ld_filter_has_operators(element)) return ld_filter_equality(by, path, element, list);
  ld_value_next(&rest, &head);
  if (head.count != 1 || !ld_value_field(element, "$elemMatch", &unused))
    return ld_filter_fail(by, "only $elemMatch goes into this list, and only alone");
  return ld_filter_operators(by, path, element, list);
}

static ld_rc read_all(ld_filter_compiler *by, ld_filter_node *node, ld_slice map) {
  ld_filter_list list = {NULL, NULL};
  ld_slice rest, element;
  uint32_t count;
  (void)map;
  ld_rc rc = ld_filter_open_list(by, node->seen.operand, &rest, &count);
  for (uint32_t i = 0; rc == LD_OK && i < count && ld_value_take(&rest, &element); i++) {
    size_t entered = ld_filter_enter_element(by, i + 1);
    rc = add_to_all(by, node->seen.path, element, &list);
    ld_filter_leave(by, entered);
  }
  node->seen.children = list.first;
  return rc;
}

/* ---- the table ---- */

static const operation operators[] = {
    {"$eq", LD_F_EQ, false, read_value},
    {"$ne", LD_F_EQ, true, read_value},
    {"$gt", LD_F_GT, false, read_range},
    {"$gte", LD_F_GTE, false, read_range},
    {"$lt", LD_F_LT, false, read_range},
    {"$lte", LD_F_LTE, false, read_range},
    {"$in", LD_F_IN, false, read_in},
    {"$nin", LD_F_IN, true, read_in},
    {"$exists", LD_F_EXISTS, false, read_exists},
    {"$type", LD_F_TYPE, false, read_type},
    {"$regex", LD_F_REGEX, false, read_regex},
    {"$options", LD_F_REGEX, false, NULL},
    {"$prefix", LD_F_PREFIX, false, read_prefix},
    {"$mod", LD_F_MOD, false, read_mod},
    {"$size", LD_F_SIZE, false, read_size},
    {"$all", LD_F_ALL, false, read_all},
    {"$elemMatch", LD_F_ELEM_MATCH, false, read_elem_match},
    {"$not", LD_F_NOT, false, read_not},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

bool ld_filter_is_operator(ld_slice name) {
  for (size_t i = 0; i < OPERATORS; i++)
    if (ld_equal(name, ld_text(operators[i].name))) return true;
  return false;
}

static ld_rc unknown_operator(ld_filter_compiler *by, ld_slice name) {
  const char *known[OPERATORS + 1] = {NULL};
  for (size_t i = 0; i < OPERATORS; i++) known[i] = operators[i].name;
  return ld_filter_unknown(by, "operator", name, known);
}

static ld_rc add_condition(ld_filter_compiler *by, const operation *op, ld_filter_node *node,
                           ld_filter_list *list) {
  const ld_path *path = node->seen.path;
  if (op->negated) {
    ld_filter_node *negation = ld_filter_make_node(by, LD_F_NOT, path, LD_SLICE_NONE);
    if (negation == NULL) return LD_NOMEM;
    negation->seen.children = &node->seen;
    node = negation;
  }
  ld_filter_append(list, node);
  return LD_OK;
}

static ld_rc compile_operator(ld_filter_compiler *by, const ld_path *path, ld_slice name,
                              ld_slice operand, ld_slice map, ld_filter_list *list) {
  const operation *op = operators;
  ld_slice pattern;
  if (ld_filter_is_connective(name)) return ld_filter_connect(by, path, name, operand, list);
  while (op < operators + OPERATORS && !ld_equal(name, ld_text(op->name))) op++;
  if (op == operators + OPERATORS) return unknown_operator(by, name);
  if (op->read == NULL)
    return ld_value_field(map, "$regex", &pattern) ? LD_OK
                                                   : ld_filter_fail(by, "goes with $regex only");
  ld_filter_node *node = ld_filter_make_node(by, op->op, path, operand);
  if (node == NULL) return LD_NOMEM;
  ld_rc rc = op->read(by, node, map);
  return rc != LD_OK ? rc : add_condition(by, op, node, list);
}

ld_rc ld_filter_operators(ld_filter_compiler *by, const ld_path *path, ld_slice map,
                          ld_filter_list *list) {
  ld_token head = {.kind = LD_NIL}, key = {.kind = LD_NIL};
  ld_slice rest = map, operand;
  ld_rc rc = LD_OK;
  ld_value_next(&rest, &head);
  for (uint32_t i = 0; rc == LD_OK && i < head.count; i++) {
    ld_value_next(&rest, &key);
    ld_value_take(&rest, &operand);
    if (!ld_filter_is_dollar(&key))
      return ld_filter_fail(by, "operators and fields do not go into one map");
    size_t entered = ld_filter_enter(by, key.bytes);
    rc = compile_operator(by, path, key.bytes, operand, map, list);
    ld_filter_leave(by, entered);
  }
  return rc;
}

ld_rc ld_filter_equality(ld_filter_compiler *by, const ld_path *path, ld_slice value,
                         ld_filter_list *list) {
  ld_filter_node *node = ld_filter_make_node(by, LD_F_EQ, path, value);
  if (node == NULL) return LD_NOMEM;
  read_value(by, node, LD_SLICE_NONE);
  ld_filter_append(list, node);
  return LD_OK;
}
