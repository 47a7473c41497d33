/* btree.c -- the copy-on-write B+tree.
**
**   branch   items     -    "f"   "m"        items[i] is the least key that may stand under children[i];
**            children  |     |     |         items[0] is always NULL: the bound comes from above
**   leaf     items   "a=1" "f=2" "p=3"       rows in order of their keys
**
** Nodes and items count their references. A node is written to only when it and every node above it have one reference
** (`own` sees to that on the way down), so that whoever shares a tree never sees it change. Rows live in the leaves, all
** of which are on level 0. No node is empty. A separator is the shortest key that tells its neighbours apart. */
#include "btree.h"

#include <stdlib.h>
#include <string.h>

#ifndef LD_BTREE_FAN
#define LD_BTREE_FAN 64
#endif

enum {
  FAN = LD_BTREE_FAN, /* entries of a node */
  FEW = FAN / 4,      /* with fewer a node is merged or topped up */
  NO_RUN = UINT16_MAX
};

/* A row, or a separator (then without a value). */
typedef struct item {
  uint32_t refs;
  uint32_t value_size;
  uint16_t key_size;
  uint8_t bytes[]; /* the key, then the value */
} item;

typedef struct ld_btree_node node;
struct ld_btree_node {
  uint32_t refs;
  uint16_t count;
  uint16_t run; /* where the last entry went in; tells ascending and descending inserts from random ones */
  uint32_t level;
  item *items[FAN];
  node *children[]; /* FAN of them in a branch, none in a leaf */
};

/* ---- items ---- */

static size_t item_size(const item *it) {
  return offsetof(item, bytes) + it->key_size + it->value_size;
}

static item *item_new(ld_slice key, ld_slice value) {
  item *it = malloc(offsetof(item, bytes) + key.size + value.size);
  if (it == NULL) return NULL;
  *it = (item){.refs = 1, .value_size = (uint32_t)value.size, .key_size = (uint16_t)key.size};
  memcpy(it->bytes, key.data, key.size);
  if (value.size > 0) memcpy(it->bytes + key.size, value.data, value.size);
  return it;
}

static void item_release(item *it) {
  if (it != NULL && --it->refs == 0) free(it);
}

static ld_slice item_key(const item *it) {
  return (ld_slice){it->bytes, it->key_size};
}

static ld_slice item_value(const item *it) {
  return (ld_slice){it->bytes + it->key_size, it->value_size};
}

static inline int compare(ld_slice key, const item *it) {
  size_t size = key.size < it->key_size ? key.size : it->key_size;
  int order = memcmp(key.data, it->bytes, size);
  return order != 0 ? order : (key.size > it->key_size) - (key.size < it->key_size);
}

/* The shortest key that is > `low` and <= `high`: what they share, and one byte more of `high`. */
static item *separator(const item *low, const item *high) {
  size_t size = 0;
  while (size < low->key_size && low->bytes[size] == high->bytes[size]) size++;
  return item_new(ld_bytes(high->bytes, size + 1), LD_SLICE_NONE);
}

/* ---- nodes ---- */

static size_t node_size(unsigned level) {
  return sizeof(node) + (level > 0 ? FAN * sizeof(node *) : 0);
}

static node *node_new(unsigned level) {
  node *nd = malloc(node_size(level));
  if (nd == NULL) return NULL;
  nd->refs = 1;
  nd->count = 0;
  nd->run = NO_RUN;
  nd->level = level;
  return nd;
}

static void node_release(node *nd) {
  if (nd == NULL || --nd->refs > 0) return;
  for (unsigned i = 0; i < nd->count; i++) item_release(nd->items[i]);
  if (nd->level > 0)
    for (unsigned i = 0; i < nd->count; i++) node_release(nd->children[i]);
  free(nd);
}

/* Make the node in `slot` one that may be written to. */
static bool own(node **slot) {
  node *old = *slot;
  if (old->refs == 1) return true;
  node *nd = node_new(old->level);
  if (nd == NULL) return false;
  nd->count = old->count;
  nd->run = old->run;
  memcpy(nd->items, old->items, old->count * sizeof(item *));
  for (unsigned i = 0; i < nd->count; i++)
    if (nd->items[i] != NULL) nd->items[i]->refs++;
  if (nd->level > 0) {
    memcpy(nd->children, old->children, old->count * sizeof(node *));
    for (unsigned i = 0; i < nd->count; i++) nd->children[i]->refs++;
  }
  old->refs--;
  *slot = nd;
  return true;
}

/* Copy `n` entries, references and all; the places may overlap. */
static void move(node *to, unsigned at, const node *from, unsigned start, unsigned n) {
  memmove(to->items + at, from->items + start, n * sizeof(item *));
  if (to->level > 0) memmove(to->children + at, from->children + start, n * sizeof(node *));
}

static void insert_at(node *nd, unsigned at, item *it, node *child) {
  move(nd, at + 1, nd, at, nd->count - at);
  nd->items[at] = it;
  if (nd->level > 0) nd->children[at] = child;
  nd->count++;
  nd->run = (uint16_t)at;
}

/* Close the gap that `n` entries leave; their references are gone already. */
static void remove_at(node *nd, unsigned at, unsigned n) {
  move(nd, at, nd, at + n, nd->count - at - n);
  nd->count = (uint16_t)(nd->count - n);
  nd->run = NO_RUN;
}

/* The first entry from `start` on whose key is >= `key`. */
static unsigned lower_bound(const node *nd, unsigned start, ld_slice key, bool *exact) {
  unsigned low = start, high = nd->count;
  *exact = false;
  while (low < high) {
    unsigned middle = (low + high) / 2;
    int order = compare(key, nd->items[middle]);
    if (order > 0) {
      low = middle + 1;
    } else {
      high = middle;
      if (order == 0) {
        *exact = true;
        return middle;
      }
    }
  }
  return low;
}

/* The child under which `key` belongs. */
static unsigned route(const node *branch, ld_slice key) {
  bool exact;
  unsigned at = lower_bound(branch, 1, key, &exact);
  return exact ? at : at - 1;
}

/* ---- neighbours ---- */

/* Entry `at` of two neighbours taken as one. */
static item *entry_of(const node *left, const node *right, unsigned at) {
  return at < left->count ? left->items[at] : right->items[at - left->count];
}

/* Move entries between the neighbours so that `left` has `keep`. */
static void shift(node *left, node *right, unsigned keep) {
  if (keep < left->count) {
    unsigned n = left->count - keep;
    move(right, n, right, 0, right->count);
    move(right, 0, left, keep, n);
    right->count = (uint16_t)(right->count + n);
  } else {
    unsigned n = keep - left->count;
    move(left, left->count, right, 0, n);
    remove_at(right, 0, n);
  }
  left->count = (uint16_t)keep;
  left->run = right->run = NO_RUN;
}

/* Let child `at` keep `keep` of the entries that it and its right neighbour have, all or some. The caller owns all three.
** False, and nothing done, without memory. */
static bool balance(node *parent, unsigned at, unsigned keep) {
  node *left = parent->children[at], *right = parent->children[at + 1];
  item *fence = NULL;
  bool all = keep == (unsigned)left->count + right->count;
  if (left->level == 0) {
    if (!all) fence = separator(entry_of(left, right, keep - 1), entry_of(left, right, keep));
    if (!all && fence == NULL) return false;
    item_release(parent->items[at + 1]);
    shift(left, right, keep);
  } else {
    right->items[0] = parent->items[at + 1];
    shift(left, right, keep);
    if (!all) fence = right->items[0];
    right->items[0] = NULL;
  }
  parent->items[at + 1] = fence;
  return true;
}

/* How many entries a full node keeps when the next one goes in at `at`: all of them where inserts ascend,
** few where they descend, so that both leave full nodes behind; else half. */
static unsigned split_point(const node *nd, unsigned at) {
  unsigned least = nd->level > 0 ? 2 : 1;
  if (at == nd->count && nd->run == nd->count - 1) return FAN - least;
  if (at <= 1 && at == nd->run) return least;
  return FAN / 2;
}

/* Split the full child `at`, into which an entry will go at `where`. */
static bool split(ld_btree *tree, node *parent, unsigned at, unsigned where) {
  node *left = parent->children[at];
  node *right = node_new(left->level);
  if (right == NULL) return false;
  uint16_t run = parent->run;
  insert_at(parent, at + 1, NULL, right);
  if (!balance(parent, at, split_point(left, where))) {
    remove_at(parent, at + 1, 1);
    parent->run = run;
    node_release(right);
    return false;
  }
  tree->bytes += node_size(left->level);
  return true;
}

/* Drop `n` children, some of which may be NULL by now. The first child's bound comes from above. */
static void drop_children(node *parent, unsigned at, unsigned n) {
  for (unsigned i = at; i < at + n; i++) {
    node_release(parent->children[i]);
    item_release(parent->items[i]);
  }
  remove_at(parent, at, n);
  if (at > 0 || parent->count == 0) return;
  item_release(parent->items[0]);
  parent->items[0] = NULL;
}

/* After deletes under child `at`: drop it, merge it with a neighbour, or top it up from there. Without memory a small
** node just stays small. */
static void mend(ld_btree *tree, node *parent, unsigned at) {
  if (parent->children[at]->count == 0) {
    tree->bytes -= node_size(parent->level - 1);
    drop_children(parent, at, 1);
    return;
  }
  if (parent->children[at]->count >= FEW || parent->count == 1) return;
  if (at > 0) at--;
  if (!own(&parent->children[at]) || !own(&parent->children[at + 1])) return;
  unsigned total = (unsigned)parent->children[at]->count + parent->children[at + 1]->count;
  if (total > FAN * 3 / 4) {
    balance(parent, at, total / 2);
  } else if (balance(parent, at, total)) {
    tree->bytes -= node_size(parent->level - 1);
    drop_children(parent, at + 1, 1);
  }
}

/* A root that has one child gives way to it; one that has nothing goes. */
static void mend_root(ld_btree *tree) {
  while (tree->root->level > 0 && tree->root->count == 1) {
    node *old = tree->root;
    tree->bytes -= node_size(old->level);
    tree->root = old->children[0];
    tree->root->refs++;
    node_release(old);
  }
  if (tree->root->count > 0) return;
  tree->bytes -= node_size(tree->root->level);
  node_release(tree->root);
  tree->root = NULL;
}

/* ---- trees ---- */

ld_btree ld_btree_share(const ld_btree *tree) {
  if (tree->root != NULL) tree->root->refs++;
  return *tree;
}

void ld_btree_clear(ld_btree *tree) {
  node_release(tree->root);
  *tree = (ld_btree){0};
}

ld_rc ld_btree_get(const ld_btree *tree, ld_slice key, ld_slice *value) {
  const node *nd = tree->root;
  if (nd == NULL) return LD_NOTFOUND;
  while (nd->level > 0) nd = nd->children[route(nd, key)];
  bool exact;
  unsigned at = lower_bound(nd, 0, key, &exact);
  if (!exact) return LD_NOTFOUND;
  *value = item_value(nd->items[at]);
  return LD_OK;
}

/* ---- put ---- */

/* Make the root one that is owned and is there. */
static bool own_root(ld_btree *tree) {
  if (tree->root != NULL) return own(&tree->root);
  tree->root = node_new(0);
  if (tree->root == NULL) return false;
  tree->bytes += node_size(0);
  return true;
}

/* Put a new root with one child above the full one. */
static bool grow(ld_btree *tree) {
  node *root = node_new(tree->root->level + 1);
  if (root == NULL) return false;
  insert_at(root, 0, NULL, tree->root);
  tree->root = root;
  tree->bytes += node_size(root->level);
  return true;
}

/* Whether a put of `key` may add an entry to `nd`; then also where. */
static bool may_grow(const node *nd, ld_slice key, unsigned *where) {
  bool exact = false;
  *where = nd->level > 0 ? route(nd, key) + 1 : lower_bound(nd, 0, key, &exact);
  return !exact;
}

/* Own the child under which `key` belongs, and make room in it. */
static node *descend(ld_btree *tree, node *parent, ld_slice key) {
  unsigned at = route(parent, key), where;
  if (!own(&parent->children[at])) return NULL;
  if (parent->children[at]->count == FAN && may_grow(parent->children[at], key, &where)) {
    if (!split(tree, parent, at, where)) return NULL;
    if (compare(key, parent->items[at + 1]) >= 0) at++;
  }
  return parent->children[at];
}

/* The leaf for `key`, owned and with room for it. */
static node *leaf_for(ld_btree *tree, ld_slice key) {
  unsigned where;
  if (!own_root(tree)) return NULL;
  if (tree->root->count == FAN && may_grow(tree->root, key, &where) && !grow(tree)) return NULL;
  node *nd = tree->root;
  while (nd != NULL && nd->level > 0) nd = descend(tree, nd, key);
  return nd;
}

ld_rc ld_btree_put(ld_btree *tree, ld_slice key, ld_slice value) {
  item *it = item_new(key, value);
  if (it == NULL) return LD_NOMEM;
  node *leaf = leaf_for(tree, item_key(it));
  if (leaf == NULL) {
    item_release(it);
    if (tree->root != NULL) mend_root(tree);
    return LD_NOMEM;
  }
  bool exact;
  unsigned at = lower_bound(leaf, 0, item_key(it), &exact);
  tree->bytes += item_size(it);
  if (exact) {
    tree->bytes -= item_size(leaf->items[at]);
    item_release(leaf->items[at]);
    leaf->items[at] = it;
  } else {
    insert_at(leaf, at, it, NULL);
    tree->entries++;
  }
  return LD_OK;
}

/* ---- del ---- */

static void forget(ld_btree *tree, node *leaf, unsigned at, unsigned n) {
  for (unsigned i = at; i < at + n; i++) {
    tree->bytes -= item_size(leaf->items[i]);
    item_release(leaf->items[i]);
  }
  tree->entries -= n;
  remove_at(leaf, at, n);
}

/* Delete `key`, which is there. False, and nothing done, without memory. */
static bool del_under(ld_btree *tree, node **slot, ld_slice key) {
  if (!own(slot)) return false;
  node *nd = *slot;
  if (nd->level == 0) {
    bool exact;
    forget(tree, nd, lower_bound(nd, 0, key, &exact), 1);
    return true;
  }
  unsigned at = route(nd, key);
  if (!del_under(tree, &nd->children[at], key)) return false;
  mend(tree, nd, at);
  return true;
}

ld_rc ld_btree_del(ld_btree *tree, ld_slice key) {
  ld_slice value;
  if (ld_btree_get(tree, key, &value) != LD_OK) return LD_NOTFOUND;
  if (!del_under(tree, &tree->root, key)) return LD_NOMEM;
  mend_root(tree);
  return LD_OK;
}

/* ---- del_range ---- */

/* Take what stands under `nd` off the tree's sums. */
static void discount(ld_btree *tree, const node *nd) {
  tree->bytes -= node_size(nd->level);
  if (nd->level > 0) {
    for (unsigned i = 0; i < nd->count; i++) discount(tree, nd->children[i]);
    return;
  }
  tree->entries -= nd->count;
  for (unsigned i = 0; i < nd->count; i++) tree->bytes -= item_size(nd->items[i]);
}

static void cut_whole(ld_btree *tree, node **slot) {
  discount(tree, *slot);
  node_release(*slot);
  *slot = NULL;
}

static bool cut(ld_btree *tree, node **slot, const ld_slice *from, const ld_slice *to);

static bool cut_branch(ld_btree *tree, node *nd, const ld_slice *from, const ld_slice *to) {
  unsigned first = from != NULL ? route(nd, *from) : 0;
  unsigned last = to != NULL ? route(nd, *to) : nd->count - 1u;
  for (unsigned i = first; i <= last; i++)
    if (!cut(tree, &nd->children[i], i == first ? from : NULL, i == last ? to : NULL)) return false;
  unsigned gap = first + (nd->children[first] != NULL);
  unsigned end = last + (nd->children[last] == NULL);
  if (gap < end) drop_children(nd, gap, end - gap);
  for (unsigned i = first + 2; i-- > first;)
    if (i < nd->count) mend(tree, nd, i);
  return true;
}

/* Delete from <= key < to; NULL is no bound. `*slot` becomes NULL when nothing is left.
** False without memory; then the tree is only fit for clearing. */
static bool cut(ld_btree *tree, node **slot, const ld_slice *from, const ld_slice *to) {
  bool exact;
  if (from == NULL && to == NULL) {
    cut_whole(tree, slot);
    return true;
  }
  if (!own(slot)) return false;
  if ((*slot)->level > 0) {
    if (!cut_branch(tree, *slot, from, to)) return false;
  } else {
    unsigned first = from != NULL ? lower_bound(*slot, 0, *from, &exact) : 0;
    unsigned end = to != NULL ? lower_bound(*slot, 0, *to, &exact) : (*slot)->count;
    if (first < end) forget(tree, *slot, first, end - first);
  }
  if ((*slot)->count == 0) cut_whole(tree, slot);
  return true;
}

/* Works on a tree of its own, so that running out of memory half-way changes nothing. */
ld_rc ld_btree_del_range(ld_btree *tree, ld_slice from, ld_slice to, uint64_t *count) {
  *count = 0;
  if (tree->root == NULL || (to.size > 0 && ld_compare(from, to) >= 0)) return LD_OK;
  ld_btree rest = ld_btree_share(tree);
  if (!cut(&rest, &rest.root, &from, to.size > 0 ? &to : NULL)) {
    ld_btree_clear(&rest);
    return LD_NOMEM;
  }
  if (rest.root != NULL) mend_root(&rest);
  *count = tree->entries - rest.entries;
  ld_btree_clear(tree);
  *tree = rest;
  return LD_OK;
}

/* ---- cursors ---- */

static item *cursor_item(const ld_btree_cursor *cursor) {
  return cursor->path[0].node->items[cursor->path[0].at];
}

/* From the place on `level` down to the first or last row under it. */
static void cursor_sink(ld_btree_cursor *cursor, unsigned level, bool last) {
  while (level > 0) {
    const node *nd = cursor->path[level].node->children[cursor->path[level].at];
    level--;
    cursor->path[level].node = nd;
    cursor->path[level].at = last ? nd->count - 1u : 0;
  }
}

static bool cursor_unplace(ld_btree_cursor *cursor) {
  cursor->path[0].node = NULL;
  return false;
}

static bool cursor_root(ld_btree_cursor *cursor, const ld_btree *tree, bool last) {
  if (tree->root == NULL) return cursor_unplace(cursor);
  cursor->top = tree->root->level;
  cursor->path[cursor->top].node = tree->root;
  cursor->path[cursor->top].at = last ? tree->root->count - 1u : 0;
  cursor_sink(cursor, cursor->top, last);
  return true;
}

bool ld_btree_first(ld_btree_cursor *cursor, const ld_btree *tree) {
  return cursor_root(cursor, tree, false);
}

bool ld_btree_last(ld_btree_cursor *cursor, const ld_btree *tree) {
  return cursor_root(cursor, tree, true);
}

bool ld_btree_next(ld_btree_cursor *cursor) {
  unsigned level = 0;
  while (cursor->path[level].at + 1 >= cursor->path[level].node->count)
    if (++level > cursor->top) return cursor_unplace(cursor);
  cursor->path[level].at++;
  cursor_sink(cursor, level, false);
  return true;
}

bool ld_btree_prev(ld_btree_cursor *cursor) {
  unsigned level = 0;
  while (cursor->path[level].at == 0)
    if (++level > cursor->top) return cursor_unplace(cursor);
  cursor->path[level].at--;
  cursor_sink(cursor, level, true);
  return true;
}

bool ld_btree_seek(ld_btree_cursor *cursor, const ld_btree *tree, ld_slice key) {
  const node *nd = tree->root;
  bool exact;
  if (nd == NULL) return cursor_unplace(cursor);
  cursor->top = nd->level;
  for (; nd->level > 0; nd = nd->children[cursor->path[nd->level].at]) {
    cursor->path[nd->level].node = nd;
    cursor->path[nd->level].at = route(nd, key);
  }
  cursor->path[0].node = nd;
  cursor->path[0].at = lower_bound(nd, 0, key, &exact);
  if (cursor->path[0].at < nd->count) return true;
  return ld_btree_next(cursor);
}

void ld_btree_current(const ld_btree_cursor *cursor, ld_slice *key, ld_slice *value) {
  item *it = cursor_item(cursor);
  *key = item_key(it);
  *value = item_value(it);
}
