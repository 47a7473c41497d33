/* patch_act.c -- what each operator does to a value, and which operands it takes.
**
** Where an operator needs an array, an empty map is an empty one: that is what `{}` in Lua is. */
#include "filter.h"
#include "order.h"
#include "patch_change.h"

static ld_rc keep(patch_outcome *outcome) {
  *outcome = PATCH_KEPT;
  return LD_OK;
}

static ld_rc put(ld_slice value, ld_buf *out, patch_outcome *outcome) {
  ld_buf_add(out, value);
  *outcome = PATCH_WRITTEN;
  return LD_OK;
}

static ld_rc is_no(const char *wanted, ld_slice value, ld_error *error) {
  ld_token token;
  if (!ld_value_next(&value, &token)) token.kind = LD_NIL;
  return ld_fail(error, LD_INVALID, "the value is %s, no %s", ld_kind_name(token.kind), wanted);
}

static ld_rc expected(const char *wanted, ld_slice operand, ld_error *error) {
  ld_token token;
  if (!ld_value_next(&operand, &token)) token.kind = LD_NIL;
  return ld_fail(error, LD_INVALID, "expected %s, got %s", wanted, ld_kind_name(token.kind));
}

/* ---- $set, $unset ---- */

static ld_rc act_set(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                     ld_error *error) {
  (void)old, (void)error;
  return put(change->operand, out, outcome);
}

static ld_rc act_unset(const patch_change *change, ld_slice old, ld_buf *out,
                       patch_outcome *outcome, ld_error *error) {
  (void)change, (void)out, (void)error;
  *outcome = old.size == 0 ? PATCH_KEPT : PATCH_REMOVED;
  return LD_OK;
}

/* ---- numbers ---- */

static bool read_number(ld_slice value, ld_token *number) {
  return ld_value_next(&value, number) && (number->kind == LD_INT || number->kind == LD_FLOAT);
}

static ld_rc check_number(const patch_change *change, ld_error *error) {
  ld_token number;
  return read_number(change->operand, &number) ? LD_OK
                                               : expected("a number", change->operand, error);
}

static double as_float(const ld_token *number) {
  return number->kind == LD_INT ? (double)number->integer : number->number;
}

/* Two integers give an integer, or nothing; else the result is a float. */
static ld_rc compute(bool times, const ld_token *a, const ld_token *b, ld_buf *out,
                     ld_error *error) {
  int64_t integer;
  if (a->kind == LD_INT && b->kind == LD_INT) {
    if (times ? __builtin_mul_overflow(a->integer, b->integer, &integer)
              : __builtin_add_overflow(a->integer, b->integer, &integer))
      return ld_fail(error, LD_INVALID, "%lld %s %lld is past the integers", (long long)a->integer,
                     times ? "times" : "and", (long long)b->integer);
    ld_write_int(out, integer);
    return LD_OK;
  }
  ld_write_float(out, times ? as_float(a) * as_float(b) : as_float(a) + as_float(b));
  return LD_OK;
}

/* What is missing counts as the 0 of the operand's kind. */
static ld_rc act_number(const patch_change *change, bool times, ld_slice old, ld_buf *out,
                        patch_outcome *outcome, ld_error *error) {
  ld_token by, number;
  if (!read_number(change->operand, &by)) return check_number(change, error);
  number = by;
  if (old.size > 0 && !read_number(old, &number)) return is_no("number", old, error);
  *outcome = PATCH_WRITTEN;
  if (old.size > 0) return compute(times, &number, &by, out, error);
  if (!times) return put(change->operand, out, outcome);
  if (by.kind == LD_INT)
    ld_write_int(out, 0);
  else
    ld_write_float(out, 0);
  return LD_OK;
}

static ld_rc act_inc(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                     ld_error *error) {
  return act_number(change, false, old, out, outcome, error);
}

static ld_rc act_mul(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                     ld_error *error) {
  return act_number(change, true, old, out, outcome, error);
}

/* ---- $min, $max: in the order of all values ---- */

static ld_rc act_min(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                     ld_error *error) {
  (void)error;
  bool replace = old.size == 0 || ld_order(change->operand, old) < 0;
  return replace ? put(change->operand, out, outcome) : keep(outcome);
}

static ld_rc act_max(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                     ld_error *error) {
  (void)error;
  bool replace = old.size == 0 || ld_order(change->operand, old) > 0;
  return replace ? put(change->operand, out, outcome) : keep(outcome);
}

/* ---- arrays ---- */

/* Values behind one another. */
typedef struct values {
  ld_slice bytes;
  uint32_t count;
} values;

static bool read_array(ld_slice array, values *elements) {
  ld_token head;
  if (!ld_value_next(&array, &head)) return false;
  if (head.kind != LD_ARRAY && (head.kind != LD_MAP || head.count > 0)) return false;
  *elements = (values){array, head.count};
  return true;
}

/* Whether a key of the map begins with `$`. */
static bool has_operator(ld_slice map) {
  ld_token head, key;
  ld_slice value;
  if (!ld_value_next(&map, &head) || head.kind != LD_MAP) return false;
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&map, &key) || !ld_value_take(&map, &value)) return false;
    if (ld_is_string(&key) && ld_starts_with(key.bytes, LD_LITERAL("$"))) return true;
  }
  return false;
}

/* What $push and $addToSet add: the operand, or what its $each lists. */
static ld_rc read_added(ld_slice operand, values *added, ld_error *error) {
  ld_slice rest = operand, list;
  ld_token head;
  *added = (values){operand, 1};
  if (!has_operator(operand)) return LD_OK;
  if (!ld_value_next(&rest, &head) || head.count != 1 || !ld_value_field(operand, "$each", &list))
    return ld_fail(error, LD_INVALID, "of the operators only $each is known here, by itself");
  if (read_array(list, added)) return LD_OK;
  expected("an array", list, error);
  return ld_fail_in(error, "$each: ");
}

static ld_rc check_added(const patch_change *change, ld_error *error) {
  values added;
  return read_added(change->operand, &added, error);
}

static ld_rc read_both(const patch_change *change, ld_slice old, values *elements, values *added,
                       ld_error *error) {
  *elements = (values){LD_SLICE_NONE, 0};
  if (old.size > 0 && !read_array(old, elements)) return is_no("array", old, error);
  return read_added(change->operand, added, error);
}

static ld_rc act_push(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                      ld_error *error) {
  values elements, added = {LD_SLICE_NONE, 0};
  ld_rc rc = read_both(change, old, &elements, &added, error);
  if (rc != LD_OK) return rc;
  ld_write_array(out, (size_t)elements.count + added.count);
  ld_buf_add(out, elements.bytes);
  return put(added.bytes, out, outcome);
}

static bool is_among(ld_slice value, values among) {
  ld_slice element;
  for (uint32_t i = 0; i < among.count && ld_value_take(&among.bytes, &element); i++)
    if (ld_same(value, element)) return true;
  return false;
}

static ld_rc act_add_to_set(const patch_change *change, ld_slice old, ld_buf *out,
                            patch_outcome *outcome, ld_error *error) {
  values elements, added = {LD_SLICE_NONE, 0};
  ld_slice value;
  ld_rc rc = read_both(change, old, &elements, &added, error);
  if (rc != LD_OK) return rc;
  size_t opened = ld_write_open(out), first = out->size + elements.bytes.size;
  uint32_t fresh = 0;
  ld_buf_add(out, elements.bytes);
  while (added.count-- > 0 && ld_value_take(&added.bytes, &value)) {
    if (out->failed || is_among(value, elements)) continue;
    if (is_among(value, (values){ld_bytes(out->data + first, out->size - first), fresh})) continue;
    ld_buf_add(out, value);
    fresh++;
  }
  ld_write_close(out, opened, LD_ARRAY, (size_t)elements.count + fresh);
  *outcome = old.size > 0 && fresh == 0 ? PATCH_KEPT : PATCH_WRITTEN;
  return LD_OK;
}

/* ---- $pop ---- */

static ld_rc check_pop(const patch_change *change, ld_error *error) {
  ld_token end;
  if (read_number(change->operand, &end) && (as_float(&end) == 1 || as_float(&end) == -1))
    return LD_OK;
  return ld_fail(error, LD_INVALID, "expected 1 (the last element) or -1 (the first)");
}

static ld_rc act_pop(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                     ld_error *error) {
  values elements;
  ld_token end;
  ld_slice rest, gone;
  if (old.size == 0) return keep(outcome);
  if (!read_array(old, &elements)) return is_no("array", old, error);
  if (!read_number(change->operand, &end)) return check_pop(change, error);
  if (elements.count == 0) return keep(outcome);
  uint32_t gone_at = as_float(&end) < 0 ? 0 : elements.count - 1;
  rest = elements.bytes;
  for (uint32_t i = 0; i <= gone_at; i++)
    if (!ld_value_take(&rest, &gone)) return keep(outcome);
  ld_write_array(out, elements.count - 1);
  ld_buf_add(out, ld_bytes(elements.bytes.data, (size_t)(gone.data - elements.bytes.data)));
  return put(rest, out, outcome);
}

/* ---- $pull ---- */

/* What goes: elements equal to a value, maps that a filter matches, or elements that match operators. Operators look at { v = element }. */
typedef struct pull_test {
  ld_slice equal;
  ld_filter *filter;
  bool wraps;
  ld_buf wrapped;
} pull_test;

/* $and, $or and $nor are about maps, as fields are; all other operators are about any value. */
static bool is_condition(ld_slice operand) {
  ld_slice list;
  return has_operator(operand) && !ld_value_field(operand, "$and", &list) &&
         !ld_value_field(operand, "$or", &list) && !ld_value_field(operand, "$nor", &list);
}

static void wrap(ld_slice value, ld_buf *wrapped) {
  ld_buf_reset(wrapped);
  ld_write_map(wrapped, 1);
  ld_write_text(wrapped, "v");
  ld_buf_add(wrapped, value);
}

static ld_rc no_memory(ld_error *error) { return ld_fail(error, LD_NOMEM, "out of memory"); }

static void close_pull(pull_test *test) {
  ld_filter_free(test->filter);
  ld_buf_clear(&test->wrapped);
}

static ld_rc open_pull(ld_slice operand, pull_test *test, ld_error *error) {
  ld_slice rest = operand;
  ld_token head;
  memset(test, 0, sizeof *test);
  if (!ld_value_next(&rest, &head) || head.kind != LD_MAP) {
    test->equal = operand;
    return LD_OK;
  }
  test->wraps = is_condition(operand);
  if (!test->wraps) return ld_filter_compile(operand, &test->filter, error);
  wrap(operand, &test->wrapped);
  ld_rc rc = test->wrapped.failed
                 ? no_memory(error)
                 : ld_filter_compile(ld_buf_slice(&test->wrapped), &test->filter, error);
  if (rc != LD_OK) close_pull(test);
  return rc;
}

static bool is_pulled(pull_test *test, ld_slice element) {
  ld_slice rest = element;
  ld_token head;
  if (test->filter == NULL) return ld_same(element, test->equal);
  if (!test->wraps)
    return ld_value_next(&rest, &head) && head.kind == LD_MAP &&
           ld_filter_match(test->filter, element);
  wrap(element, &test->wrapped);
  return !test->wrapped.failed && ld_filter_match(test->filter, ld_buf_slice(&test->wrapped));
}

static ld_rc check_pull(const patch_change *change, ld_error *error) {
  pull_test test;
  ld_rc rc = open_pull(change->operand, &test, error);
  if (rc == LD_OK) close_pull(&test);
  return rc;
}

static ld_rc act_pull(const patch_change *change, ld_slice old, ld_buf *out, patch_outcome *outcome,
                      ld_error *error) {
  pull_test test;
  values elements;
  ld_slice element;
  uint32_t kept = 0;
  if (old.size == 0) return keep(outcome);
  if (!read_array(old, &elements)) return is_no("array", old, error);
  ld_rc rc = open_pull(change->operand, &test, error);
  if (rc != LD_OK) return rc;
  size_t opened = ld_write_open(out);
  for (uint32_t i = 0; i < elements.count && ld_value_take(&elements.bytes, &element); i++) {
    if (is_pulled(&test, element)) continue;
    ld_buf_add(out, element);
    kept++;
  }
  ld_write_close(out, opened, LD_ARRAY, kept);
  *outcome = kept == elements.count ? PATCH_KEPT : PATCH_WRITTEN;
  rc = test.wrapped.failed ? no_memory(error) : LD_OK;
  close_pull(&test);
  return rc;
}

/* ---- $rename: patch.c's ---- */

static ld_rc check_rename(const patch_change *change, ld_error *error) {
  ld_token name;
  ld_slice operand = change->operand;
  if (!ld_value_next(&operand, &name) || !ld_is_string(&name))
    return expected("the new name, a string", change->operand, error);
  return LD_OK;
}

/* ---- the table ---- */

static const patch_operator operators[] = {
    {"$set", true, NULL, act_set},
    {"$unset", false, NULL, act_unset},
    {"$inc", true, check_number, act_inc},
    {"$mul", true, check_number, act_mul},
    {"$min", true, NULL, act_min},
    {"$max", true, NULL, act_max},
    {"$push", true, check_added, act_push},
    {"$pull", false, check_pull, act_pull},
    {"$addToSet", true, check_added, act_add_to_set},
    {"$pop", false, check_pop, act_pop},
    {"$rename", true, check_rename, NULL},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

const char *const patch_operator_names[] = {"$set",      "$unset", "$inc",    "$mul",
                                            "$min",      "$max",   "$push",   "$pull",
                                            "$addToSet", "$pop",   "$rename", NULL};

const patch_operator *patch_operator_named(ld_slice name) {
  for (size_t i = 0; i < OPERATORS; i++)
    if (ld_equal(name, ld_text(operators[i].name))) return &operators[i];
  return NULL;
}

bool patch_is_rename(const patch_operator *op) { return op->act == NULL; }
