/* content_point.c -- the first row in which two stores differ, named.
**
** Both are walked side by side, in the engine's order, over the rows that content.h compares; but for declarations, which are not the same
** bytes in both. */
#include <stdio.h>

#include "content.h"
#include "tuple.h"

typedef struct side {
  const ld_scope *scope;
  ld_cursor *cursor;
  ld_slice key, value;
  ld_row row;
} side;

static ld_rc skip_space(side *of, uint8_t space) {
  const uint8_t behind = (uint8_t)(space + 1);
  return ld_cursor_seek(of->cursor, ld_bytes(&behind, 1));
}

/* How many entries a map has: what is wrong with it is told by the entries. */
static bool is_tally(ld_slice key) {
  ld_slice tuple = ld_bytes(key.data + 1, key.size - 1);
  ld_buf scratch = {0};
  ld_part name;
  bool alone = key.data[0] == LD_SPACE_MAP && ld_tuple_next(&tuple, &name, &scratch) == LD_OK &&
               tuple.size == 0;
  ld_buf_clear(&scratch);
  return alone;
}

/* Read the row that the cursor stands on, or the next one that counts. NOTFOUND at the end. */
static ld_rc settle(side *of) {
  for (;;) {
    ld_rc rc = ld_cursor_current(of->cursor, &of->key, &of->value);
    if (rc != LD_OK) return rc;
    uint8_t behind, space = of->key.data[0];
    if (space == LD_SPACE_COLLECTION) {
      rc = skip_space(of, space);
    } else if (ld_content_leaves_out(of->key, &behind)) {
      rc = skip_space(of, (uint8_t)(behind - 1));
    } else {
      rc = ld_row_current(of->cursor, &of->row);
      if (rc != LD_OK) return rc;
      if (ld_scope_has(of->scope, of->row.key) && !is_tally(of->row.key)) return rc;
      rc = ld_cursor_next(of->cursor);
    }
    if (rc != LD_OK) return rc;
  }
}

static ld_rc step(side *of) {
  ld_rc rc = ld_cursor_next(of->cursor);
  return rc == LD_OK ? settle(of) : rc;
}

static ld_rc begin(side *of, ld_txn *txn, const ld_scope *scope) {
  *of = (side){.scope = scope};
  ld_rc rc = ld_cursor_open(txn, &of->cursor);
  if (rc == LD_OK) rc = skip_space(of, LD_SPACE_STORE);
  return rc == LD_OK ? settle(of) : rc;
}

/* ---- names ---- */

static void write_part(const ld_part *part, ld_buf *text) {
  ld_quoted quoted;
  switch (part->kind) {
  case LD_PART_INT: ld_buf_printf(text, "%lld", (long long)part->integer); break;
  case LD_PART_FLOAT: ld_buf_printf(text, "%.17g", part->number); break;
  case LD_PART_STRING: ld_buf_printf(text, "%s", ld_quote(part->bytes, quoted)); break;
  case LD_PART_BOOL: ld_buf_printf(text, part->truth ? "true" : "false"); break;
  default: ld_buf_printf(text, "null"); break;
  }
}

/* document ("plans", 7) */
static void write_name(ld_slice key, ld_buf *text) {
  static const char *const names[] = {
      [LD_SPACE_ROOM] = "room",         [LD_SPACE_RATING] = "rating",
      [LD_SPACE_PROGRESS] = "progress", [LD_SPACE_DOCUMENT] = "document",
      [LD_SPACE_COUNT] = "count",       [LD_SPACE_MAP] = "entry",
      [LD_SPACE_QUEUE] = "queue",       [LD_SPACE_JOB] = "row of queue"};
  ld_slice tuple = ld_bytes(key.data + 1, key.size - 1);
  bool known = key.data[0] < sizeof names / sizeof *names && names[key.data[0]] != NULL;
  ld_buf scratch = {0};
  ld_part part;
  ld_buf_printf(text, "%s (", known ? names[key.data[0]] : "row");
  for (bool more = false; ld_tuple_next(&tuple, &part, &scratch) == LD_OK; more = true) {
    if (more) ld_buf_printf(text, ", ");
    write_part(&part, text);
  }
  ld_buf_printf(text, ")");
  ld_buf_clear(&scratch);
}

/* ---- the way ---- */

/* NULL: no row differs. */
static const char *find(side *from, side *to, ld_rc rc[2], ld_slice *key) {
  while (rc[0] == LD_OK || rc[1] == LD_OK) {
    int order = rc[0] != LD_OK ? 1 : rc[1] != LD_OK ? -1 : ld_compare(from->key, to->key);
    *key = order <= 0 ? from->row.key : to->row.key;
    if (order < 0) return "is missing";
    if (order > 0) return "is not in the source";
    if (!ld_equal(from->value, to->value)) return "differs";
    rc[0] = step(from);
    rc[1] = step(to);
  }
  return NULL;
}

void ld_content_point(ld_txn *from, ld_txn *to, const ld_scope *scope, ld_error *error) {
  const ld_error before = *error;
  side sides[2];
  ld_slice key;
  ld_buf name = {0};
  ld_rc rc[2] = {begin(&sides[0], from, scope), begin(&sides[1], to, scope)};
  const char *how = find(&sides[0], &sides[1], rc, &key);
  if (how != NULL) write_name(key, &name);
  *error = before; /* what failed here matters less */
  if (how != NULL && !name.failed && (rc[0] == LD_OK || rc[0] == LD_NOTFOUND) &&
      (rc[1] == LD_OK || rc[1] == LD_NOTFOUND))
    ld_fail(error, before.rc, "%s; the first: %.*s %s", before.text, (int)name.size,
            (const char *)name.data, how);
  for (int i = 0; i < 2; i++) ld_cursor_close(sides[i].cursor);
  ld_buf_clear(&name);
}
