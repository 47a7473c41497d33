/* plan_range.c -- the key ranges that a filter leaves of an index.
**
** Looked at are the conditions that all must hold: leaves below the root. A part of an index is bound by `$eq` or `$in` to points, and the next part is looked
** at, or by a range or a prefix to an interval, and that ends it. A range is made a little too wide where its end cannot be said exactly.
** Where a part has several values of a document, one may pass the lower end and another the upper one: then only one end is used. */
#include "filter_node.h"
#include "plan.h"
#include "tuple.h"

enum { MOST_RANGES = 1000 };

/* ---- the interval of one part ---- */

/* What is behind `lower` (or, `lower_after`, behind all that begin with it) up to `upper` (or, `upper_after`, with all that begin with it). */
typedef struct interval {
  ld_buf lower, upper;
  bool lower_after, upper_after;
} interval;

static void interval_clear(interval *part) {
  ld_buf_clear(&part->lower);
  ld_buf_clear(&part->upper);
}

void ld_plan_behind(ld_buf *key) {
  while (key->size > 0 && key->data[key->size - 1] == 0xff) key->size--;
  if (key->size > 0) key->data[key->size - 1]++;
}

static void turn_over(ld_buf *key) {
  for (size_t i = 0; i < key->size; i++) key->data[i] = (uint8_t)~key->data[i];
}

/* The interval of a descending part. */
static void turn_around(interval *part) {
  interval turned = {part->upper, part->lower, !part->upper_after, !part->lower_after};
  turn_over(&turned.lower);
  turn_over(&turned.upper);
  *part = turned;
}

static void cut_end(const ld_index *index, ld_buf *end, bool *after, bool is_upper) {
  if (index == NULL || index->unique || end->size <= LD_INDEX_KEPT) return;
  end->size = LD_INDEX_KEPT;
  *after = is_upper;
}

/* The tags of a class (README.md, "Keys"), from the first up to the one behind the last. */
static void class_tags(ld_class class, uint8_t *first, uint8_t *behind) {
  static const uint8_t tags[][2] = {
      [LD_CLASS_NULL] = {0x04, 0x06},   [LD_CLASS_NUMBER] = {0x10, 0x30},
      [LD_CLASS_STRING] = {0x30, 0x31}, [LD_CLASS_MAP] = {0x40, 0x41},
      [LD_CLASS_ARRAY] = {0x50, 0x51},  [LD_CLASS_BOOL] = {0x60, 0x62},
  };
  *first = tags[class][0];
  *behind = tags[class][1];
}

/* ---- the conditions on one part ---- */

typedef struct part_conditions {
  const ld_filter *points;     /* EQ or IN */
  const ld_filter *low, *high; /* GT, GTE; LT, LTE */
  const ld_filter *prefix;
} part_conditions;

static bool is_point(ld_slice value) { return ld_class_of(value) != LD_CLASS_ARRAY; }

static bool has_points(const ld_filter *leaf) {
  const ld_filter_node *node = (const ld_filter_node *)leaf;
  if (leaf->op == LD_F_EQ) return is_point(leaf->operand);
  if (leaf->op != LD_F_IN) return false;
  for (uint32_t i = 0; i < node->value_count; i++)
    if (!is_point(node->values[i])) return false;
  return true;
}

static bool is_range(const ld_filter *leaf) {
  bool range =
      leaf->op == LD_F_GT || leaf->op == LD_F_GTE || leaf->op == LD_F_LT || leaf->op == LD_F_LTE;
  return range && is_point(leaf->operand);
}

static void take_range(const ld_filter *leaf, bool one_end, part_conditions *part) {
  bool is_low = leaf->op == LD_F_GT || leaf->op == LD_F_GTE;
  const ld_filter *other = is_low ? part->high : part->low;
  if (other != NULL && (one_end || ld_class_of(other->operand) != ld_class_of(leaf->operand)))
    return;
  const ld_filter **end = is_low ? &part->low : &part->high;
  if (*end == NULL) *end = leaf;
}

static void take_leaf(const ld_filter *leaf, bool one_end, part_conditions *part) {
  bool fewer = part->points == NULL || (part->points->op == LD_F_IN && leaf->op == LD_F_EQ);
  if (has_points(leaf) && fewer) part->points = leaf;
  if (leaf->op == LD_F_PREFIX) part->prefix = leaf;
  if (is_range(leaf)) take_range(leaf, one_end, part);
}

/* Of what must hold, what is about this path. */
static part_conditions find_conditions(const ld_filter *where, const ld_path *path, bool one_end) {
  part_conditions part = {NULL, NULL, NULL, NULL};
  for (const ld_filter *child = where == NULL ? NULL : where->children; child != NULL;
       child = child->next) {
    if (child->path == NULL || !ld_path_equal(child->path, path)) continue;
    if (child->op == LD_F_ALL && child->children != NULL && child->children->op == LD_F_EQ)
      take_leaf(child->children, one_end, &part);
    else
      take_leaf(child, one_end, &part);
  }
  return part;
}

/* ---- an interval of values ---- */

/* Where keys end in the id itself, values are those of tuples. */
static void write_value(const ld_index *index, ld_slice value, ld_buf *key) {
  if (index == NULL)
    ld_index_id(value, key);
  else
    ld_order_key(key, value, false);
}

static void find_ends(const ld_index *index, const part_conditions *part, interval *ends) {
  uint8_t first, behind;
  ld_class class = ld_class_of(part->low != NULL ? part->low->operand : part->high->operand);
  class_tags(class, &first, &behind);
  if (part->low == NULL)
    ld_buf_byte(&ends->lower, first);
  else
    write_value(index, part->low->operand, &ends->lower);
  if (part->high == NULL)
    ld_buf_byte(&ends->upper, behind);
  else
    write_value(index, part->high->operand, &ends->upper);
  /* The id "a" is the beginning of "a\0". */
  ends->lower_after = index != NULL && part->low != NULL && part->low->op == LD_F_GT;
  ends->upper_after = part->high != NULL && part->high->op == LD_F_LTE;
}

static void find_prefix(const ld_filter *leaf, interval *ends) {
  ld_slice rest = leaf->operand;
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&rest, &token);
  ld_tuple_prefix(&ends->lower, token.bytes);
  ld_tuple_prefix(&ends->upper, token.bytes);
  ends->upper_after = true;
}

/* ---- the ranges ---- */

typedef struct range_writer {
  ld_plan *plan;
  const ld_filter *where;
  ld_bounds bounds;
  part_conditions parts[LD_INDEX_PARTS];
  unsigned depth; /* how many parts are bound to points */
  ld_buf key;
  bool failed;
} range_writer;

static void add_range(range_writer *writer, ld_slice from, ld_slice to) {
  if (ld_compare(from, to) >= 0) return;
  if (!ld_ranking_add(&writer->plan->ranges, from, to)) writer->failed = true;
}

/* All that begins with the key. */
static void add_whole(range_writer *writer) {
  ld_buf to = {0};
  ld_buf_add(&to, ld_buf_slice(&writer->key));
  ld_plan_behind(&to);
  writer->failed = writer->failed || to.failed;
  if (!writer->failed) add_range(writer, ld_buf_slice(&writer->key), ld_buf_slice(&to));
  ld_buf_clear(&to);
}

static void add_end(range_writer *writer, const ld_buf *end, bool after, ld_buf *key) {
  ld_buf_add(key, ld_buf_slice(&writer->key));
  ld_buf_add(key, ld_buf_slice(end));
  if (after) ld_plan_behind(key);
  writer->failed = writer->failed || key->failed || end->failed;
}

static void add_interval(range_writer *writer, interval *ends, bool descending) {
  ld_buf from = {0}, to = {0};
  cut_end(writer->plan->index, &ends->lower, &ends->lower_after, false);
  cut_end(writer->plan->index, &ends->upper, &ends->upper_after, true);
  if (descending) turn_around(ends);
  add_end(writer, &ends->lower, ends->lower_after, &from);
  add_end(writer, &ends->upper, ends->upper_after, &to);
  if (!writer->failed) add_range(writer, ld_buf_slice(&from), ld_buf_slice(&to));
  ld_buf_clear(&from);
  ld_buf_clear(&to);
}

static void add_last(range_writer *writer, unsigned part, bool descending) {
  const part_conditions *conditions = &writer->parts[part];
  interval ends = {.lower_after = false};
  if (conditions->prefix != NULL)
    find_prefix(conditions->prefix, &ends);
  else
    find_ends(writer->plan->index, conditions, &ends);
  add_interval(writer, &ends, descending);
  interval_clear(&ends);
}

/* All that there is; an index's loose documents (00) and other collections (ff) are not in it. */
static void add_all(range_writer *writer) {
  interval all = {.upper_after = false};
  ld_buf_byte(&all.lower, 0x01);
  ld_buf_byte(&all.upper, 0xff);
  add_interval(writer, &all, false);
  interval_clear(&all);
}

static void add_ranges(range_writer *writer, unsigned part);

static void add_point(range_writer *writer, unsigned part, ld_slice value) {
  size_t mark = writer->key.size;
  ld_index_value(writer->plan->index, part, value, &writer->key);
  writer->failed = writer->failed || writer->key.failed;
  if (!writer->failed) add_ranges(writer, part + 1);
  writer->key.size = mark;
}

static bool is_interval(const part_conditions *part) {
  return part->low != NULL || part->high != NULL || part->prefix != NULL;
}

static void add_ranges(range_writer *writer, unsigned part) {
  const ld_index *index = writer->plan->index;
  const ld_filter *points = part < writer->depth ? writer->parts[part].points : NULL;
  const ld_filter_node *node = (const ld_filter_node *)points;
  if (part < writer->depth && points->op == LD_F_EQ)
    add_point(writer, part, points->operand);
  else if (part < writer->depth)
    for (uint32_t i = 0; i < node->value_count; i++) add_point(writer, part, node->values[i]);
  else if (part < index->parts && is_interval(&writer->parts[part]))
    add_last(writer, part, index->part[part].descending);
  else
    add_whole(writer);
}

static bool has_null(const ld_filter *points) {
  const ld_filter_node *node = (const ld_filter_node *)points;
  if (points->op == LD_F_EQ) return ld_class_of(points->operand) == LD_CLASS_NULL;
  for (uint32_t i = 0; i < node->value_count; i++)
    if (ld_class_of(node->values[i]) == LD_CLASS_NULL) return true;
  return false;
}

static void note_part(range_writer *writer, unsigned part) {
  const part_conditions *conditions = &writer->parts[part];
  const ld_filter *points = conditions->points;
  unsigned bit = 1u << part;
  if (points == NULL && !is_interval(conditions)) return;
  writer->bounds.bound |= bit;
  if (points == NULL || !has_null(points)) writer->bounds.solid |= bit;
  if (points != NULL && points->op == LD_F_EQ) writer->bounds.fixed |= bit;
}

/* Points first, then one interval. */
static void find_parts(range_writer *writer) {
  const ld_index *index = writer->plan->index;
  uint64_t ranges = 1;
  for (unsigned i = 0; i < index->parts; i++) {
    bool several = (index->multikey >> i & 1) != 0;
    writer->parts[i] = find_conditions(writer->where, &index->part[i].path, several);
    const ld_filter *points = writer->parts[i].points;
    if (points != NULL && points->op == LD_F_IN)
      ranges *= ((const ld_filter_node *)points)->value_count;
    if (ranges > MOST_RANGES) writer->parts[i] = (part_conditions){NULL, NULL, NULL, NULL};
    note_part(writer, i);
    if (ranges > MOST_RANGES || points == NULL) return;
    writer->depth++;
  }
}

bool ld_plan_ranges(ld_plan *plan, const ld_filter *where, ld_bounds *bounds) {
  range_writer writer = {.plan = plan, .where = where};
  plan->ranges.most = SIZE_MAX;
  find_parts(&writer);
  ld_index_prefix(plan->index->number, &writer.key);
  if (writer.bounds.bound == 0)
    add_all(&writer);
  else
    add_ranges(&writer, 0);
  writer.failed = writer.failed || writer.key.failed;
  ld_buf_clear(&writer.key);
  ld_ranking_sort(&plan->ranges);
  ld_ranking_drop_doubles(&plan->ranges);
  plan->bounded = writer.bounds.bound != 0;
  *bounds = writer.bounds;
  return !writer.failed;
}

/* ---- ids ---- */

/* Whether a document can have it as its id. 1.0 finds 1, but is none itself: then all are looked at. */
static bool is_id(ld_slice value) {
  ld_token token;
  if (!ld_value_next(&value, &token)) return false;
  return token.kind == LD_INT || (ld_is_string(&token) && token.bytes.size <= LD_PART_MAX);
}

static bool are_ids(const ld_filter *points) {
  const ld_filter_node *node = (const ld_filter_node *)points;
  if (points->op == LD_F_EQ) return is_id(points->operand);
  for (uint32_t i = 0; i < node->value_count; i++)
    if (!is_id(node->values[i])) return false;
  return true;
}

static bool are_id_ends(const part_conditions *part) {
  return (part->low == NULL || is_id(part->low->operand)) &&
         (part->high == NULL || is_id(part->high->operand));
}

/* One id: nothing comes behind it in its key. */
static void add_id(range_writer *writer, ld_slice id) {
  ld_buf from = {0}, to = {0};
  ld_buf_add(&from, ld_buf_slice(&writer->key));
  ld_index_id(id, &from);
  ld_buf_add(&to, ld_buf_slice(&from));
  ld_buf_byte(&to, 0);
  writer->failed = writer->failed || from.failed || to.failed;
  if (!writer->failed) add_range(writer, ld_buf_slice(&from), ld_buf_slice(&to));
  ld_buf_clear(&from);
  ld_buf_clear(&to);
}

bool ld_plan_id_ranges(ld_plan *plan, const ld_collection *collection, const ld_filter *where) {
  range_writer writer = {.plan = plan, .where = where};
  ld_path path = {.parts = {ld_collection_key(collection)}, .count = 1};
  part_conditions *part = &writer.parts[0];
  plan->ranges.most = SIZE_MAX;
  *part = find_conditions(where, &path, false);
  ld_buf_byte(&writer.key, LD_SPACE_DOCUMENT);
  ld_tuple_string(&writer.key, ld_buf_slice(&collection->name));
  const ld_filter_node *node = (const ld_filter_node *)part->points;
  plan->bounded = true;
  if (part->points != NULL && part->points->op == LD_F_EQ && are_ids(part->points)) {
    add_id(&writer, part->points->operand);
  } else if (part->points != NULL && are_ids(part->points) && node->value_count <= MOST_RANGES) {
    for (uint32_t i = 0; i < node->value_count; i++) add_id(&writer, node->values[i]);
  } else if (is_interval(part) && are_id_ends(part)) {
    add_last(&writer, 0, false);
  } else {
    add_all(&writer);
    plan->bounded = false;
  }
  writer.failed = writer.failed || writer.key.failed;
  ld_buf_clear(&writer.key);
  ld_ranking_sort(&plan->ranges);
  ld_ranking_drop_doubles(&plan->ranges);
  return !writer.failed;
}
