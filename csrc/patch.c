/* patch.c -- reading patches, and making their changes one after the other.
**
** No two changes of a patch touch the same place, so their order does not matter; each makes a new document of the one before. */
#include "patch.h"

#include <stdio.h>
#include <stdlib.h>

#include "name.h"
#include "patch_change.h"

/* A bin that is not in its shortest form: nothing that writes documents makes it. */
const ld_slice LD_PATCH_REMOVE = {(const uint8_t *)"\xc6\x00\x00\x00\x00", 5};

/* ---- failures ---- */

/* Put the path, and in an update document the operator, before the text. */
static ld_rc at_path(const patch_change *change, ld_error *error) {
  ld_quoted quoted;
  const char *op = change->in_partial ? "" : change->op->name;
  const char *dot = change->in_partial ? "" : ".";
  bool plain = change->text.size > 0 && change->text.size <= 200 && ld_is_utf8(change->text);
  for (size_t i = 0; plain && i < change->text.size; i++) plain = change->text.data[i] > 0x20;
  if (plain)
    return ld_fail_in(error, "%.*s%s%s: ", (int)change->text.size, (const char *)change->text.data,
                      dot, op);
  return ld_fail_in(error, "%s%s%s: ", ld_quote(change->text, quoted), dot, op);
}

static ld_rc unknown_operator(ld_slice name, ld_error *error) {
  char text[64];
  snprintf(text, sizeof text, "%.*s", (int)(name.size < 60 ? name.size : 60),
           (const char *)name.data);
  ld_unknown_name("operator", text, patch_operator_names, error);
  return ld_fail_in(error, "patch: ");
}

/* ---- reading ---- */

typedef ld_rc (*change_visit)(void *context, patch_change *change, ld_error *error);

static ld_rc parse_path(ld_slice text, ld_path *path, ld_error *error) {
  ld_rc rc = ld_path_parse(text, path, error);
  for (unsigned i = 0; rc == LD_OK && i < path->count; i++)
    if (path->parts[i].data[0] == '$')
      rc = ld_fail(error, LD_INVALID, "a part of the path begins with $");
  return rc;
}

static ld_rc visit_change(patch_change *change, change_visit visit, void *context,
                          ld_error *error) {
  ld_rc rc = parse_path(change->text, &change->path, error);
  if (rc == LD_OK && change->op->check != NULL) rc = change->op->check(change, error);
  return rc == LD_OK ? visit(context, change, error) : at_path(change, error);
}

static ld_rc visit_partial(ld_slice name, ld_slice value, change_visit visit, void *context,
                           ld_error *error) {
  bool remove = ld_equal(value, LD_PATCH_REMOVE);
  patch_change change = {
      .op = patch_operator_named(remove ? LD_LITERAL("$unset") : LD_LITERAL("$set")),
      .in_partial = true,
      .through_arrays = true,
      .text = name,
      .operand = value};
  return visit_change(&change, visit, context, error);
}

/* The paths and operands of one operator. */
static ld_rc visit_operator(ld_slice name, ld_slice fields, change_visit visit, void *context,
                            ld_error *error) {
  ld_token head, key;
  patch_change change = {.op = patch_operator_named(name), .through_arrays = true};
  ld_rc rc = LD_OK;
  if (change.op == NULL) return unknown_operator(name, error);
  if (!ld_value_next(&fields, &head) || head.kind != LD_MAP)
    return ld_fail(error, LD_INVALID, "%s: expected a map of paths", change.op->name);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    if (!ld_value_next(&fields, &key) || !ld_value_take(&fields, &change.operand) ||
        !ld_is_string(&key))
      return ld_fail(error, LD_INVALID, "%s: expected paths, strings, as keys", change.op->name);
    change.text = key.bytes;
    rc = visit_change(&change, visit, context, error);
  }
  return rc;
}

static bool is_operator(ld_slice name) { return name.size > 0 && name.data[0] == '$'; }

/* Call `visit` with each change, its path and operand read. */
static ld_rc each_change(ld_slice patch, change_visit visit, void *context, ld_error *error) {
  ld_token head, key = {.kind = LD_NIL};
  ld_slice value;
  ld_rc rc = LD_OK;
  bool operators = false;
  if (!ld_value_next(&patch, &head) || head.kind != LD_MAP)
    return ld_fail(error, LD_INVALID, "patch: expected a map of fields or of operators");
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    if (!ld_value_next(&patch, &key) || !ld_value_take(&patch, &value) || !ld_is_string(&key))
      return ld_fail(error, LD_INVALID, "patch: expected strings as keys, got %s",
                     ld_kind_name(key.kind));
    if (i > 0 && operators != is_operator(key.bytes))
      return ld_fail(error, LD_INVALID, "patch: expected either fields or operators, got both");
    operators = is_operator(key.bytes);
    rc = operators ? visit_operator(key.bytes, value, visit, context, error)
                   : visit_partial(key.bytes, value, visit, context, error);
  }
  return rc;
}

/* ---- check ---- */

/* Whether the value holds LD_PATCH_REMOVE. */
static bool holds_remove(ld_slice value) {
  ld_token token;
  do
    if (ld_starts_with(value, LD_PATCH_REMOVE)) return true;
  while (ld_value_next(&value, &token));
  return false;
}

static ld_slice new_name(const patch_change *change) {
  ld_token name = {.kind = LD_STR};
  ld_slice operand = change->operand;
  return ld_value_next(&operand, &name) && ld_is_string(&name) ? name.bytes : LD_SLICE_NONE;
}

/* `context` takes the texts of all paths. */
static ld_rc check_change(void *context, patch_change *change, ld_error *error) {
  bool removes = change->in_partial && ld_equal(change->operand, LD_PATCH_REMOVE);
  ld_buf *paths = context;
  ld_path path;
  ld_slice to;
  ld_buf_add(paths, ld_bytes(&change->text, sizeof change->text));
  if (!removes && holds_remove(change->operand)) {
    ld_fail(error, LD_INVALID, "larder.remove stands only for a field of a partial table");
    return at_path(change, error);
  }
  if (!patch_is_rename(change->op)) return LD_OK;
  to = new_name(change);
  ld_buf_add(paths, ld_bytes(&to, sizeof to));
  return parse_path(to, &path, error) == LD_OK ? LD_OK : at_path(change, error);
}

/* In the order in which a path stands before all that begin with it and a dot, and nothing else between them. */
static int compare_paths(const void *a, const void *b) {
  const ld_slice *one = a, *two = b;
  for (size_t i = 0; i < one->size && i < two->size; i++) {
    int x = one->data[i] == '.' ? -1 : one->data[i], y = two->data[i] == '.' ? -1 : two->data[i];
    if (x != y) return x - y;
  }
  return (one->size > two->size) - (one->size < two->size);
}

static bool leads_through(ld_slice path, ld_slice beginning) {
  return ld_starts_with(path, beginning) &&
         (path.size == beginning.size || path.data[beginning.size] == '.');
}

static ld_rc check_clashes(const ld_buf *texts, ld_error *error) {
  ld_slice *paths = (ld_slice *)(void *)texts->data;
  size_t count = texts->size / sizeof *paths;
  ld_quoted quoted;
  if (count > 1) qsort(paths, count, sizeof *paths, compare_paths);
  for (size_t i = 1; i < count; i++)
    if (leads_through(paths[i], paths[i - 1]))
      return ld_fail(error, LD_INVALID, "patch: %s is changed twice, or in part and as a whole",
                     ld_quote(paths[i], quoted));
  return LD_OK;
}

ld_rc ld_patch_check(ld_slice patch, ld_error *error) {
  ld_buf paths = {0};
  ld_error unread;
  if (error == NULL) error = &unread;
  ld_rc rc = each_change(patch, check_change, &paths, error);
  if (rc == LD_OK && paths.failed) rc = ld_fail(error, LD_NOMEM, "patch: out of memory");
  if (rc == LD_OK) rc = check_clashes(&paths, error);
  ld_buf_clear(&paths);
  return rc;
}

/* ---- apply ---- */

/* The document as it is now; the two buffers hold it and what it is made into. */
typedef struct patch_run {
  ld_slice document;
  ld_buf now, next;
} patch_run;

static unsigned depth_of(ld_slice *rest) {
  ld_token token;
  unsigned deepest = 0;
  if (!ld_value_next(rest, &token) || (token.kind != LD_ARRAY && token.kind != LD_MAP)) return 0;
  for (uint64_t n = (uint64_t)token.count * (token.kind == LD_MAP ? 2 : 1); n > 0; n--) {
    unsigned depth = depth_of(rest);
    if (depth > deepest) deepest = depth;
  }
  return deepest + 1;
}

static ld_rc make(patch_run *run, const patch_change *change, ld_error *error) {
  patch_outcome outcome;
  ld_slice operand = change->operand;
  ld_buf_reset(&run->next);
  ld_rc rc = patch_edit(change, run->document, &run->next, &outcome, error);
  if (rc != LD_OK || outcome == PATCH_KEPT) return rc;
  bool deep = change->path.count + depth_of(&operand) + 1 > LD_DEPTH;
  if (deep) rc = ld_value_check(ld_buf_slice(&run->next), error);
  if (rc != LD_OK) return rc;
  ld_buf made = run->next;
  run->next = run->now;
  run->now = made;
  run->document = ld_buf_slice(&made);
  return LD_OK;
}

/* The value at a path of fields. NOTFOUND; INVALID where an array is on the way. */
static ld_rc find_field(ld_slice document, const ld_path *path, ld_slice *value, ld_error *error) {
  ld_slice at = document;
  for (unsigned i = 0; i < path->count; i++) {
    ld_path part = {.parts = {path->parts[i]}, .count = 1};
    ld_slice rest = at;
    ld_token head;
    if (ld_value_next(&rest, &head) && head.kind == LD_ARRAY)
      return ld_fail(error, LD_INVALID, "what is in an array cannot be renamed");
    if (!ld_path_get(at, &part, &at)) return LD_NOTFOUND;
  }
  *value = at;
  return LD_OK;
}

static ld_rc rename_field(patch_run *run, const patch_change *change, ld_error *error) {
  patch_change step = *change;
  ld_quoted quoted;
  ld_buf value = {0};
  ld_slice found = LD_SLICE_NONE;
  ld_rc rc = find_field(run->document, &change->path, &found, error);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  ld_buf_add(&value, found);
  rc = value.failed ? ld_fail(error, LD_NOMEM, "out of memory") : LD_OK;
  step.op = patch_operator_named(LD_LITERAL("$unset"));
  if (rc == LD_OK) rc = make(run, &step, error);
  step.op = patch_operator_named(LD_LITERAL("$set"));
  step.through_arrays = false;
  step.operand = ld_buf_slice(&value);
  if (rc == LD_OK) rc = parse_path(new_name(change), &step.path, error);
  if (rc == LD_OK && (rc = make(run, &step, error)) != LD_OK)
    ld_fail_in(error, "to %s: ", ld_quote(new_name(change), quoted));
  ld_buf_clear(&value);
  return rc;
}

static ld_rc apply_change(void *context, patch_change *change, ld_error *error) {
  ld_rc rc = patch_is_rename(change->op) ? rename_field(context, change, error)
                                         : make(context, change, error);
  return rc == LD_OK ? LD_OK : at_path(change, error);
}

ld_rc ld_patch_apply(ld_slice document, ld_slice patch, ld_buf *out, ld_error *error) {
  patch_run run = {.document = document};
  ld_slice rest = document;
  ld_token head;
  ld_error unread;
  size_t start = out->size;
  if (error == NULL) error = &unread;
  if (!ld_value_next(&rest, &head) || head.kind != LD_MAP)
    return ld_fail(error, LD_INVALID, "patch: a document is a map");
  ld_rc rc = each_change(patch, apply_change, &run, error);
  if (rc == LD_OK) ld_buf_add(out, run.document);
  if (rc == LD_OK && out->failed) {
    out->size = start;
    rc = ld_fail(error, LD_NOMEM, "patch: out of memory");
  }
  ld_buf_clear(&run.now);
  ld_buf_clear(&run.next);
  return rc;
}
