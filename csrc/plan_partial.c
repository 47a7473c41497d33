/* plan_partial.c -- whether a filter implies another one, so that a partial index has every document that it finds.
**
** Each condition of the other must stand in the filter as it is, or follow from one on the same path: from a value that it lets pass, or from a narrower range;
** that something is there follows from all that only a value can meet.
** What follows from one value that a path leads to holds for all documents with it, so only conditions that one value can meet count here. */
#include "filter_node.h"
#include "plan.h"

/* One value is enough for it, and any that equals it will do: so not $type, which tells 1 from 1.0. */
static bool is_positive(ld_filter_op op) {
  switch (op) {
  case LD_F_EQ:
  case LD_F_GT:
  case LD_F_GTE:
  case LD_F_LT:
  case LD_F_LTE:
  case LD_F_PREFIX:
  case LD_F_IN:
  case LD_F_REGEX:
  case LD_F_MOD:
  case LD_F_EXISTS: return true;
  default: return false;
  }
}

static bool is_same(const ld_filter *a, const ld_filter *b);

static bool are_same(const ld_filter *a, const ld_filter *b) {
  for (; a != NULL && b != NULL; a = a->next, b = b->next)
    if (!is_same(a, b)) return false;
  return a == b;
}

static bool is_same(const ld_filter *a, const ld_filter *b) {
  if (a->op != b->op || (a->path == NULL) != (b->path == NULL)) return false;
  if (a->op == LD_F_REGEX) return false; /* its options are no operand */
  if (a->path != NULL && !ld_path_equal(a->path, b->path)) return false;
  if ((a->operand.size == 0) != (b->operand.size == 0)) return false;
  if (a->operand.size > 0 && !ld_equal(a->operand, b->operand)) return false;
  return are_same(a->children, b->children);
}

static bool is_nan(ld_slice value) {
  static const uint8_t nan[] = {0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0};
  return ld_same(value, ld_bytes(nan, sizeof nan));
}

static bool has_end(const ld_filter *range) {
  return range->op == LD_F_GTE || range->op == LD_F_LTE;
}

/* Both are lower ends, or both upper ones, of one class. */
static bool is_narrower(const ld_filter *range, const ld_filter *other) {
  bool low = range->op == LD_F_GT || range->op == LD_F_GTE;
  bool high = range->op == LD_F_LT || range->op == LD_F_LTE;
  bool other_low = other->op == LD_F_GT || other->op == LD_F_GTE;
  bool other_high = other->op == LD_F_LT || other->op == LD_F_LTE;
  if (!(low && other_low) && !(high && other_high)) return false;
  if (ld_class_of(range->operand) != ld_class_of(other->operand)) return false;
  if (is_nan(range->operand) || is_nan(other->operand)) return false; /* in no range but its own */
  int order = ld_order(range->operand, other->operand);
  if (order == 0) return has_end(other) || !has_end(range);
  return low ? order > 0 : order < 0;
}

/* A document in which the path leads to the value, by maps. */
static void write_document(const ld_path *path, ld_slice value, ld_buf *document) {
  for (unsigned i = 0; i < path->count; i++) {
    ld_write_map(document, 1);
    ld_write_string(document, path->parts[i]);
  }
  ld_buf_add(document, value);
}

static bool passes(ld_slice value, const ld_filter *other) {
  ld_buf document = {0};
  write_document(other->path, value, &document);
  bool passed = !document.failed && ld_filter_match(other, ld_buf_slice(&document));
  ld_buf_clear(&document);
  return passed;
}

static bool is_scalar(ld_slice value) {
  ld_class class = ld_class_of(value);
  return class != LD_CLASS_NULL && class != LD_CLASS_ARRAY && class != LD_CLASS_MAP;
}

static bool all_pass(const ld_filter *points, const ld_filter *other) {
  const ld_filter_node *node = (const ld_filter_node *)points;
  if (points->op == LD_F_EQ) return is_scalar(points->operand) && passes(points->operand, other);
  for (uint32_t i = 0; i < node->value_count; i++)
    if (!is_scalar(node->values[i]) || !passes(node->values[i], other)) return false;
  return node->value_count > 0;
}

static bool wants_value(const ld_filter *condition) {
  return condition->op == LD_F_EXISTS && ((const ld_filter_node *)condition)->wanted;
}

/* Nothing that lacks the field passes it. */
static bool needs_value(const ld_filter *from) {
  if (from->op == LD_F_EXISTS || ((const ld_filter_node *)from)->takes_missing) return false;
  return is_positive(from->op) || from->op == LD_F_TYPE || from->op == LD_F_SIZE;
}

static bool follows(const ld_filter *condition, const ld_filter *from) {
  if (is_same(from, condition)) return true;
  if (condition->path == NULL || from->path == NULL || !is_positive(condition->op)) return false;
  if (!ld_path_equal(condition->path, from->path)) return false;
  if (wants_value(condition)) return needs_value(from);
  if (from->op == LD_F_EQ || from->op == LD_F_IN) return all_pass(from, condition);
  return is_narrower(from, condition);
}

bool ld_plan_implies(const ld_filter *where, const ld_filter *other) {
  for (const ld_filter *condition = other->children; condition != NULL;
       condition = condition->next) {
    const ld_filter *from = where == NULL ? NULL : where->children;
    while (from != NULL && !follows(condition, from)) from = from->next;
    if (from == NULL) return false;
  }
  return true;
}
