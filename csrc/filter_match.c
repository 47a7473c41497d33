/* filter_match.c -- whether a document passes a filter. Nothing is allocated (but by $regex, inside the C library, and to
** compare large maps).
**
** A leaf walks its path and tests what it comes to; one value that passes is enough. Negations are nodes of their own, so
** they hold where nothing passes. */
#include <math.h>
#include <stdlib.h>

#include "filter_node.h"

static bool match(const ld_filter *filter, ld_slice document);

/* ---- one value, as it is ---- */

static bool equals(const ld_filter_node *node, ld_slice value) {
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value;
  ld_value_next(&rest, &token);
  if (token.kind == LD_ARRAY || token.kind == LD_MAP)
    return token.kind == node->token.kind && ld_same(value, node->seen.operand);
  return ld_order_scalars(&token, &node->token) == 0;
}

static bool is_nan(const ld_token *token) {
  return token->kind == LD_FLOAT && isnan(token->number);
}

static bool in_range(const ld_filter_node *node, ld_slice value) {
  ld_filter_op op = node->seen.op;
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value;
  ld_value_next(&rest, &token);
  if (ld_class_of_kind(token.kind) != node->kind) return false;
  int order = token.kind == LD_ARRAY || token.kind == LD_MAP
                  ? ld_order(value, node->seen.operand)
                  : ld_order_scalars(&token, &node->token);
  if (order == 0) return op == LD_F_GTE || op == LD_F_LTE;
  if (is_nan(&token) || is_nan(&node->token)) return false;
  return order > 0 ? op == LD_F_GT || op == LD_F_GTE : op == LD_F_LT || op == LD_F_LTE;
}

static int order_slices(const void *a, const void *b) {
  return ld_order(*(const ld_slice *)a, *(const ld_slice *)b);
}

static bool is_in(const ld_filter_node *node, ld_slice value) {
  return node->value_count > 0 && bsearch(&value, node->values, node->value_count,
                                          sizeof *node->values, order_slices) != NULL;
}

/* Whole numbers only are divided; those with a fraction are cut. */
static bool leaves_rest(const ld_filter_node *node, const ld_token *token) {
  int64_t number;
  if (!ld_filter_cut(token, &number)) return false;
  return (node->divisor == -1 ? 0 : number % node->divisor) == node->rest;
}

static bool has_match(const ld_filter_node *node, ld_slice rest, uint32_t count) {
  ld_slice element;
  for (uint32_t i = 0; i < count && ld_value_take(&rest, &element); i++)
    if ((!node->of_maps || ld_class_of(element) == LD_CLASS_MAP) &&
        match(node->seen.children, element))
      return true;
  return false;
}

static bool test(const ld_filter_node *node, ld_slice value) {
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value;
  switch (node->seen.op) {
  case LD_F_EQ: return equals(node, value);
  case LD_F_GT:
  case LD_F_GTE:
  case LD_F_LT:
  case LD_F_LTE: return in_range(node, value);
  case LD_F_IN: return is_in(node, value);
  default: break;
  }
  ld_value_next(&rest, &token);
  switch (node->seen.op) {
  case LD_F_PREFIX: return ld_is_string(&token) && ld_starts_with(token.bytes, node->token.bytes);
  case LD_F_REGEX: return token.kind == LD_STR && ld_filter_regex_match(node->regex, token.bytes);
  case LD_F_MOD: return leaves_rest(node, &token);
  case LD_F_TYPE: return (node->kinds >> token.kind & 1) != 0;
  case LD_F_EXISTS: return true;
  case LD_F_SIZE: return token.kind == LD_ARRAY && token.count == node->size;
  case LD_F_ELEM_MATCH: return token.kind == LD_ARRAY && has_match(node, rest, token.count);
  default: return false;
  }
}

/* ---- the values of a path ---- */

static bool looks_inside(ld_filter_op op) {
  return op != LD_F_SIZE && op != LD_F_EXISTS && op != LD_F_ELEM_MATCH;
}

static bool test_elements(const ld_filter_node *node, ld_slice value) {
  ld_token head;
  ld_slice element;
  if (!ld_value_next(&value, &head) || head.kind != LD_ARRAY) return false;
  for (uint32_t i = 0; i < head.count && ld_value_take(&value, &element); i++)
    if (test(node, element)) return true;
  return false;
}

/* Goes on while nothing has passed. */
static bool visit(void *context, ld_slice value, unsigned how) {
  const ld_filter_node *node = context;
  if (value.size == 0) return !node->takes_missing;
  if (test(node, value)) return false;
  return (how & LD_PATH_PICKED) != 0 || !looks_inside(node->seen.op) || !test_elements(node, value);
}

static bool match_leaf(const ld_filter *filter, ld_slice document) {
  const ld_filter_node *node = (const ld_filter_node *)filter;
  bool passed = !ld_path_each(document, filter->path, visit, (void *)filter);
  return filter->op == LD_F_EXISTS ? passed == node->wanted : passed;
}

/* ---- the tree ---- */

static bool match_all(const ld_filter *child, ld_slice document) {
  for (; child != NULL; child = child->next)
    if (!match(child, document)) return false;
  return true;
}

static bool match_any(const ld_filter *child, ld_slice document) {
  for (; child != NULL; child = child->next)
    if (match(child, document)) return true;
  return false;
}

static bool match(const ld_filter *filter, ld_slice document) {
  switch (filter->op) {
  case LD_F_AND: return match_all(filter->children, document);
  case LD_F_OR: return match_any(filter->children, document);
  case LD_F_NOR: return !match_any(filter->children, document);
  case LD_F_NOT: return !match(filter->children, document);
  case LD_F_ALL: return filter->children != NULL && match_all(filter->children, document);
  default: return match_leaf(filter, document);
  }
}

bool ld_filter_match(const ld_filter *filter, ld_slice document) { return match(filter, document); }
