/* filter_node.h -- a filter as its parts see it: filter_compile (fields, the tree), filter_operator (operators and their
** operands), filter_match, filter_regex. All memory of a filter hangs on its root, so that one function frees it,
** finished or not. */
#ifndef LD_FILTER_NODE_H
#define LD_FILTER_NODE_H

#include "filter.h"
#include "order.h"

typedef struct ld_filter_regex ld_filter_regex;
typedef struct ld_filter_block ld_filter_block;

typedef struct ld_filter_node {
  ld_filter seen; /* first */
  ld_class kind;  /* of the operand */
  ld_token token; /* the operand, when it is a scalar */
  bool takes_missing;
  union {
    const ld_filter_regex *regex;
    struct {
      ld_slice *values; /* of $in, in order */
      uint32_t value_count;
    };
    struct {
      int64_t divisor, rest;
    };
    unsigned kinds; /* of $type: 1 << ld_kind */
    int64_t size;
    bool wanted;  /* of $exists */
    bool of_maps; /* of $elemMatch: its child looks at fields */
  };
} ld_filter_node;

typedef struct ld_filter_root {
  ld_filter_node node; /* first */
  ld_buf document;
  ld_filter_block *blocks;
  ld_filter_regex *regexes;
} ld_filter_root;

/* Children as they come. Zeroed is empty. */
typedef struct ld_filter_list {
  ld_filter *first, *last;
} ld_filter_list;

typedef struct ld_filter_compiler {
  ld_filter_root *root;
  ld_buf where; /* the place that is looked at, for messages: `$or[2].age.$gte` */
  ld_error *error;
} ld_filter_compiler;

/* ---- filter_compile.c ---- */

/* INVALID, with the place before the text. */
ld_rc ld_filter_fail(ld_filter_compiler *by, const char *format, ...) LD_PRINTF(2, 3);
/* INVALID: `expected a list, got a map`. */
ld_rc ld_filter_expected(ld_filter_compiler *by, const char *what, ld_slice got);
/* INVALID: `unknown operator "$gtt", did you mean ...`. */
ld_rc ld_filter_unknown(ld_filter_compiler *by, const char *what, ld_slice name,
                        const char *const *known);
/* Put the place before a text that is written already. Returns its code. */
ld_rc ld_filter_fail_here(ld_filter_compiler *by);
/* Go into a name or the element of a list (from 1), and back to what was returned. */
size_t ld_filter_enter(ld_filter_compiler *by, ld_slice name);
size_t ld_filter_enter_element(ld_filter_compiler *by, uint32_t index);
void ld_filter_leave(ld_filter_compiler *by, size_t entered);

/* Zeroed; lives as long as the filter. NULL: no memory, and the text is written. */
void *ld_filter_make(ld_filter_compiler *by, size_t size);
ld_filter_node *ld_filter_make_node(ld_filter_compiler *by, ld_filter_op op, const ld_path *path,
                                    ld_slice operand);
void ld_filter_append(ld_filter_list *list, ld_filter_node *node);
/* The only one of the list, or an AND over it; NULL: no memory. */
ld_filter_node *ld_filter_join(ld_filter_compiler *by, const ld_path *path,
                               const ld_filter_list *list);

/* The elements of an operand that has to be a list; {} is an empty one. `*rest` begins with the first. */
ld_rc ld_filter_open_list(ld_filter_compiler *by, ld_slice operand, ld_slice *rest,
                          uint32_t *count);
static inline bool ld_filter_is_dollar(const ld_token *key) {
  return ld_is_string(key) && key->bytes.size > 0 && key->bytes.data[0] == '$';
}
bool ld_filter_is_connective(ld_slice name); /* $and $or $nor */
/* Append the condition of one of them: over filters, or, behind a field, over maps of operators on its path. */
ld_rc ld_filter_connect(ld_filter_compiler *by, const ld_path *path, ld_slice name,
                        ld_slice operand, ld_filter_list *list);
/* Whether a value is a map in which some key begins with `$`. */
bool ld_filter_has_operators(ld_slice value);
/* Append the conditions of a map of fields, $and, $or, $nor. */
ld_rc ld_filter_fields(ld_filter_compiler *by, ld_slice map, ld_filter_list *list);

/* ---- filter_operator.c ---- */

bool ld_filter_is_operator(ld_slice name);
/* Append the conditions of a map of operators on one path. */
ld_rc ld_filter_operators(ld_filter_compiler *by, const ld_path *path, ld_slice map,
                          ld_filter_list *list);
/* Append the condition that the path leads to this very value. */
ld_rc ld_filter_equality(ld_filter_compiler *by, const ld_path *path, ld_slice value,
                         ld_filter_list *list);

/* A number cut to a whole one; false when it is no number, or none that int64 holds. */
bool ld_filter_cut(const ld_token *token, int64_t *whole);

/* ---- filter_regex.c ---- */

ld_rc ld_filter_regex_new(ld_filter_compiler *by, ld_slice pattern, bool fold_case,
                          const ld_filter_regex **regex);
bool ld_filter_regex_match(const ld_filter_regex *regex, ld_slice text);
void ld_filter_regex_free(ld_filter_regex *regexes); /* all of a filter's */

#endif
