/* btree.h -- an ordered map from bytes to bytes whose copies cost nothing: a copy-on-write B+tree.
**
** A tree is a handle: a reference to a root, and what the tree under it adds up to. Sharing a tree takes another
** reference; from then on a write to either of the two clones what it touches and leaves the other as it was.
**
** Running out of memory returns LD_NOMEM, and the tree holds the same rows as before.
** Keys are 1 to 65535 bytes, values up to 4 GiB - 1. A tree and those it shares nodes with belong to one thread. */
#ifndef LD_BTREE_H
#define LD_BTREE_H

#include "../base.h"

#define LD_BTREE_LEVELS 24u /* of nodes: far more than memory can hold */

struct ld_node;

/* Zeroed is empty. */
typedef struct ld_btree {
  struct ld_node *root; /* NULL: no rows */
  uint64_t entries;
  uint64_t bytes; /* of its rows and nodes, whether or not another tree shares them */
} ld_btree;

ld_btree ld_btree_share(const ld_btree *tree); /* owned: ld_btree_clear it */
void ld_btree_clear(ld_btree *tree);           /* drops the reference; the tree is empty again */

/* Values are borrowed until the next write to this tree. Keys and values that are passed in may be borrowed from it. */
ld_rc ld_btree_get(const ld_btree *tree, ld_slice key, ld_slice *value);
ld_rc ld_btree_put(ld_btree *tree, ld_slice key, ld_slice value); /* inserts or replaces */
ld_rc ld_btree_del(ld_btree *tree, ld_slice key);
/* Delete all rows with from <= key < to (an empty `to`: no upper end). Whole subtrees go at once. */
ld_rc ld_btree_del_range(ld_btree *tree, ld_slice from, ld_slice to, uint64_t *count);

/* Verify order, separators, levels, fill and sums, and tell each damage. `check_row` tells whether a row is undamaged,
** and may be NULL. */
typedef bool ld_btree_check_row(ld_slice key, ld_slice value);
typedef void ld_btree_finding(void *context, ld_slice key, const char *text);
void ld_btree_check(const ld_btree *tree, ld_btree_check_row *check_row, ld_btree_finding *finding,
                    void *context);

/* A place in a tree, good until that tree is written to or cleared. Zeroed is unplaced, and holds nothing.
** The functions return whether there is such a row; where there is none, the cursor is unplaced.
** next, prev and current want a placed one. */
typedef struct ld_btree_cursor {
  struct {
    const struct ld_node *node;
    unsigned at;
  } path[LD_BTREE_LEVELS]; /* by level; 0 is the leaf */
  unsigned top;            /* level of the root */
} ld_btree_cursor;

bool ld_btree_first(ld_btree_cursor *cursor, const ld_btree *tree);
bool ld_btree_last(ld_btree_cursor *cursor, const ld_btree *tree);
bool ld_btree_seek(ld_btree_cursor *cursor, const ld_btree *tree,
                   ld_slice key); /* the first key >= `key` */
bool ld_btree_next(ld_btree_cursor *cursor);
bool ld_btree_prev(ld_btree_cursor *cursor);
void ld_btree_current(const ld_btree_cursor *cursor, ld_slice *key, ld_slice *value);

#endif
