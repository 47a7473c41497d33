/* filter_compile.c -- from a filter's document to its tree: fields, $and, $or, $nor; operators are filter_operator.c's.
**
** The recursion follows the document, which is at most LD_DEPTH deep. */
#include <stdio.h>
#include <stdlib.h>

#include "filter_node.h"
#include "name.h"

/* ---- the place, for messages ---- */

ld_rc ld_filter_fail_here(ld_filter_compiler *by) {
  if (by->where.size == 0 || by->error == NULL) return LD_INVALID;
  int size = by->where.size < 300 ? (int)by->where.size : 300;
  return ld_fail_in(by->error, "%.*s: ", size, (const char *)by->where.data);
}

ld_rc ld_filter_fail(ld_filter_compiler *by, const char *format, ...) {
  char text[300];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  ld_fail(by->error, LD_INVALID, "%s", text);
  return ld_filter_fail_here(by);
}

ld_rc ld_filter_expected(ld_filter_compiler *by, const char *what, ld_slice got) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&got, &token);
  return ld_filter_fail(by, "expected %s, got %s", what, ld_kind_name(token.kind));
}

ld_rc ld_filter_unknown(ld_filter_compiler *by, const char *what, ld_slice name,
                        const char *const *known) {
  char text[64];
  snprintf(text, sizeof text, "%.*s", (int)(name.size < 64 ? name.size : 64),
           (const char *)name.data);
  ld_unknown_name(what, text, known, by->error);
  return ld_filter_fail_here(by);
}

static bool is_printable(ld_slice name) {
  for (size_t i = 0; i < name.size; i++)
    if (name.data[i] <= ' ' || name.data[i] == 0x7f) return false;
  return name.size > 0 && name.size <= 60 && ld_is_utf8(name);
}

size_t ld_filter_enter(ld_filter_compiler *by, ld_slice name) {
  size_t entered = by->where.size;
  ld_quoted quoted;
  if (entered > 0) ld_buf_byte(&by->where, '.');
  ld_buf_add(&by->where, is_printable(name) ? name : ld_text(ld_quote(name, quoted)));
  return entered;
}

size_t ld_filter_enter_element(ld_filter_compiler *by, uint32_t index) {
  size_t entered = by->where.size;
  ld_path_index(&by->where, index);
  return entered;
}

void ld_filter_leave(ld_filter_compiler *by, size_t entered) { by->where.size = entered; }

/* ---- memory ---- */

struct ld_filter_block {
  ld_filter_block *next;
  max_align_t data[];
};

void *ld_filter_make(ld_filter_compiler *by, size_t size) {
  ld_filter_block *block = calloc(1, sizeof *block + size);
  if (block == NULL) {
    ld_fail(by->error, LD_NOMEM, "filter: out of memory");
    return NULL;
  }
  block->next = by->root->blocks;
  by->root->blocks = block;
  return block->data;
}

ld_filter_node *ld_filter_make_node(ld_filter_compiler *by, ld_filter_op op, const ld_path *path,
                                    ld_slice operand) {
  ld_filter_node *node = ld_filter_make(by, sizeof *node);
  if (node != NULL) node->seen = (ld_filter){.op = op, .path = path, .operand = operand};
  return node;
}

void ld_filter_free(ld_filter *filter) {
  ld_filter_root *root = (ld_filter_root *)filter;
  if (root == NULL) return;
  ld_filter_regex_free(root->regexes);
  for (ld_filter_block *block = root->blocks, *next; block != NULL; block = next) {
    next = block->next;
    free(block);
  }
  ld_buf_clear(&root->document);
  free(root);
}

/* ---- the tree ---- */

void ld_filter_append(ld_filter_list *list, ld_filter_node *node) {
  if (list->first == NULL)
    list->first = &node->seen;
  else
    list->last->next = &node->seen;
  list->last = &node->seen;
}

ld_filter_node *ld_filter_join(ld_filter_compiler *by, const ld_path *path,
                               const ld_filter_list *list) {
  if (list->first != NULL && list->first->next == NULL) return (ld_filter_node *)list->first;
  ld_filter_node *node = ld_filter_make_node(by, LD_F_AND, path, LD_SLICE_NONE);
  if (node != NULL) node->seen.children = list->first;
  return node;
}

ld_rc ld_filter_open_list(ld_filter_compiler *by, ld_slice operand, ld_slice *rest,
                          uint32_t *count) {
  ld_token head = {.kind = LD_NIL};
  ld_slice open = operand;
  ld_value_next(&open, &head);
  if (head.kind != LD_ARRAY && !(head.kind == LD_MAP && head.count == 0))
    return ld_filter_expected(by, "a list", operand);
  *rest = open;
  *count = head.count;
  return LD_OK;
}

bool ld_filter_has_operators(ld_slice value) {
  ld_token head, key;
  ld_slice skipped;
  if (!ld_value_next(&value, &head) || head.kind != LD_MAP) return false;
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&value, &key) || !ld_value_take(&value, &skipped)) return false;
    if (ld_filter_is_dollar(&key)) return true;
  }
  return false;
}

static ld_rc compile_field(ld_filter_compiler *by, ld_slice name, ld_slice value,
                           ld_filter_list *list) {
  ld_path *path = ld_filter_make(by, sizeof *path);
  if (path == NULL) return LD_NOMEM;
  if (ld_path_parse(name, path, by->error) != LD_OK) return ld_filter_fail_here(by);
  size_t entered = ld_filter_enter(by, name);
  ld_rc rc = ld_filter_has_operators(value) ? ld_filter_operators(by, path, value, list)
                                            : ld_filter_equality(by, path, value, list);
  ld_filter_leave(by, entered);
  return rc;
}

/* Behind a field a branch is a map of operators on its path; else a filter. */
static ld_rc compile_conditions(ld_filter_compiler *by, const ld_path *path, ld_slice filter,
                                ld_filter_list *list) {
  if (path == NULL) return ld_filter_fields(by, filter, list);
  if (!ld_filter_has_operators(filter)) return ld_filter_fail(by, "expected a map of operators");
  return ld_filter_operators(by, path, filter, list);
}

/* One of the filters of $and, $or, $nor: of $and its conditions themselves. */
static ld_rc compile_branch(ld_filter_compiler *by, ld_filter_op op, const ld_path *path,
                            ld_slice filter, ld_filter_list *list) {
  ld_filter_list conditions = {NULL, NULL};
  ld_rc rc = compile_conditions(by, path, filter, op == LD_F_AND ? list : &conditions);
  if (rc != LD_OK || op == LD_F_AND) return rc;
  ld_filter_node *node = ld_filter_join(by, path, &conditions);
  if (node == NULL) return LD_NOMEM;
  ld_filter_append(list, node);
  return LD_OK;
}

static ld_rc compile_branches(ld_filter_compiler *by, ld_filter_op op, const ld_path *path,
                              ld_slice operand, ld_filter_list *list) {
  ld_slice rest, filter;
  uint32_t count;
  ld_rc rc = ld_filter_open_list(by, operand, &rest, &count);
  if (rc == LD_OK && count == 0) rc = ld_filter_fail(by, "expected one filter at least, got none");
  for (uint32_t i = 0; rc == LD_OK && i < count && ld_value_take(&rest, &filter); i++) {
    size_t entered = ld_filter_enter_element(by, i + 1);
    rc = compile_branch(by, op, path, filter, list);
    ld_filter_leave(by, entered);
  }
  return rc;
}

static const char *const connectives[] = {"$and", "$or", "$nor", NULL};

/* LD_F_NOT where the name is none of them. */
static ld_filter_op connective_of(ld_slice name) {
  static const ld_filter_op ops[] = {LD_F_AND, LD_F_OR, LD_F_NOR};
  for (size_t i = 0; connectives[i] != NULL; i++)
    if (ld_equal(name, ld_text(connectives[i]))) return ops[i];
  return LD_F_NOT;
}

bool ld_filter_is_connective(ld_slice name) { return connective_of(name) != LD_F_NOT; }

ld_rc ld_filter_connect(ld_filter_compiler *by, const ld_path *path, ld_slice name,
                        ld_slice operand, ld_filter_list *list) {
  ld_filter_list branches = {NULL, NULL};
  ld_filter_op op = connective_of(name);
  if (op == LD_F_AND) return compile_branches(by, op, path, operand, list);
  ld_filter_node *node = ld_filter_make_node(by, op, NULL, LD_SLICE_NONE);
  if (node == NULL) return LD_NOMEM;
  ld_rc rc = compile_branches(by, op, path, operand, &branches);
  if (rc != LD_OK) return rc;
  node->seen.children = branches.first;
  ld_filter_append(list, node);
  return LD_OK;
}

static ld_rc compile_dollar(ld_filter_compiler *by, ld_slice name, ld_slice operand,
                            ld_filter_list *list) {
  ld_rc rc;
  size_t entered = ld_filter_enter(by, name);
  if (ld_filter_is_connective(name))
    rc = ld_filter_connect(by, NULL, name, operand, list);
  else if (ld_filter_is_operator(name))
    rc = ld_filter_fail(by, "goes behind a field, into a map of operators");
  else
    rc = ld_filter_unknown(by, "operator", name, connectives);
  ld_filter_leave(by, entered);
  return rc;
}

ld_rc ld_filter_fields(ld_filter_compiler *by, ld_slice map, ld_filter_list *list) {
  ld_token head = {.kind = LD_NIL}, key = {.kind = LD_NIL};
  ld_slice rest = map, value;
  ld_rc rc = LD_OK;
  ld_value_next(&rest, &head);
  if (head.kind != LD_MAP) return ld_filter_expected(by, "a filter, which is a map", map);
  for (uint32_t i = 0; rc == LD_OK && i < head.count; i++) {
    ld_slice key_bytes = rest;
    ld_value_next(&rest, &key);
    if (!ld_is_string(&key)) return ld_filter_expected(by, "the name of a field", key_bytes);
    ld_value_take(&rest, &value);
    rc = ld_filter_is_dollar(&key) ? compile_dollar(by, key.bytes, value, list)
                                   : compile_field(by, key.bytes, value, list);
  }
  return rc;
}

static ld_rc compile(ld_filter_root *root, ld_slice document, ld_error *error) {
  ld_filter_compiler by = {.root = root, .error = error};
  ld_filter_list list = {NULL, NULL};
  ld_rc rc = LD_OK;
  ld_buf_add(&root->document, document);
  if (!root->document.failed) rc = ld_filter_fields(&by, ld_buf_slice(&root->document), &list);
  if (root->document.failed || (rc == LD_OK && by.where.failed))
    rc = ld_fail(error, LD_NOMEM, "filter: out of memory");
  root->node.seen = (ld_filter){.op = LD_F_AND, .children = list.first};
  ld_buf_clear(&by.where);
  return rc;
}

ld_rc ld_filter_compile(ld_slice document, ld_filter **filter, ld_error *error) {
  ld_rc rc = ld_value_check(document, error);
  if (rc != LD_OK) return rc;
  ld_filter_root *root = calloc(1, sizeof *root);
  if (root == NULL) return ld_fail(error, LD_NOMEM, "filter: out of memory");
  rc = compile(root, document, error);
  if (rc == LD_OK)
    *filter = &root->node.seen;
  else
    ld_filter_free(&root->node.seen);
  return rc;
}
