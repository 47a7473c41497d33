/* btree.c -- the copy-on-write B+tree: what goes on between nodes. btree_node.c knows their inside.
**
** Rows live in the leaves, all of which are on level 0. No node is empty; deletes merge small ones with their neighbours.
** A write goes down from the root and makes every node on its way its own, so that whoever shares the tree never sees
** it change. Each step on the way leaves a tree with the same rows, so that a write which runs out of memory can just
** stop. */
#include "btree.h"
#include "btree_node.h"

enum {
  FAN = LD_NODE_FAN,
  FEW = FAN / 4 /* with fewer entries a node is merged or topped up */
};

/* ---- trees ---- */

ld_btree ld_btree_share(const ld_btree *tree) {
  if (tree->root != NULL) tree->root->refs++;
  return *tree;
}

void ld_btree_clear(ld_btree *tree) {
  ld_node_release(tree->root);
  *tree = (ld_btree){0};
}

ld_rc ld_btree_get(const ld_btree *tree, ld_slice key, ld_slice *value) {
  const ld_node *node = tree->root;
  bool exact;
  if (node == NULL) return LD_NOTFOUND;
  while (node->level > 0) node = node->children[ld_node_route(node, key)];
  unsigned at = ld_node_find(node, key, &exact);
  if (!exact) return LD_NOTFOUND;
  *value = ld_item_value(node->items[at]);
  return LD_OK;
}

/* A root that has one child gives way to it; one that has nothing goes. */
static void mend_root(ld_btree *tree) {
  while (tree->root != NULL && tree->root->count <= 1) {
    ld_node *old = tree->root, *child = NULL;
    if (old->level == 0 && old->count == 1) return;
    if (old->count == 1) child = old->children[0];
    if (child != NULL) child->refs++;
    tree->root = child;
    tree->bytes -= ld_node_size(old->level);
    ld_node_release(old);
  }
}

/* ---- put ---- */

/* The tree's root, made if there is none, and owned. */
static bool own_root(ld_btree *tree) {
  if (tree->root != NULL) return ld_node_own(&tree->root);
  tree->root = ld_node_new(0);
  if (tree->root == NULL) return false;
  tree->bytes += ld_node_size(0);
  return true;
}

/* Put a new root above the full one. */
static bool grow(ld_btree *tree) {
  ld_node *root = ld_node_new(tree->root->level + 1u);
  if (root == NULL) return false;
  ld_node_insert(root, 0, NULL, tree->root);
  tree->root = root;
  tree->bytes += ld_node_size(root->level);
  return true;
}

/* Whether a put of `key` may need an entry more than the node can have; then also where. */
static bool too_full(const ld_node *node, ld_slice key, unsigned *where) {
  bool exact = false;
  if (node->count < FAN) return false;
  *where = node->level > 0 ? ld_node_route(node, key) + 1 : ld_node_find(node, key, &exact);
  return !exact;
}

/* The child under which `key` belongs, owned and with room. */
static ld_node *descend(ld_btree *tree, ld_node *parent, ld_slice key) {
  unsigned at = ld_node_route(parent, key), where;
  if (!ld_node_own(&parent->children[at])) return NULL;
  if (!too_full(parent->children[at], key, &where)) return parent->children[at];
  if (!ld_node_split(parent, at, where)) return NULL;
  tree->bytes += ld_node_size(parent->level - 1u);
  return parent->children[ld_node_route(parent, key)];
}

/* The leaf for `key`, owned and with room. */
static ld_node *leaf_for(ld_btree *tree, ld_slice key) {
  unsigned where;
  if (!own_root(tree)) return NULL;
  if (too_full(tree->root, key, &where) && !grow(tree)) return NULL;
  ld_node *node = tree->root;
  while (node != NULL && node->level > 0) node = descend(tree, node, key);
  if (node == NULL) mend_root(tree);
  return node;
}

ld_rc ld_btree_put(ld_btree *tree, ld_slice key, ld_slice value) {
  ld_item *item = ld_item_new(key, value);
  if (item == NULL) return LD_NOMEM;
  ld_node *leaf = leaf_for(tree, ld_item_key(item));
  if (leaf == NULL) {
    ld_item_release(item);
    return LD_NOMEM;
  }
  bool exact;
  unsigned at = ld_node_find(leaf, ld_item_key(item), &exact);
  tree->bytes += ld_item_size(item);
  if (!exact) {
    ld_node_insert(leaf, at, item, NULL);
    tree->entries++;
  } else {
    tree->bytes -= ld_item_size(leaf->items[at]);
    ld_item_release(leaf->items[at]);
    leaf->items[at] = item;
  }
  return LD_OK;
}

/* ---- del ---- */

/* After deletes under child `at`: drop it, merge it with a neighbour, or top it up from there. Without memory a small
** node just stays small. */
static void mend(ld_btree *tree, ld_node *parent, unsigned at) {
  unsigned drop = at, count = parent->children[at]->count;
  if (count > 0) {
    if (count >= FEW || parent->count == 1) return;
    if (at > 0) at--;
    if (!ld_node_own(&parent->children[at]) || !ld_node_own(&parent->children[at + 1])) return;
    unsigned total = (unsigned)parent->children[at]->count + parent->children[at + 1]->count;
    bool merge = total <= FAN * 3 / 4;
    if (!ld_node_balance(parent, at, merge ? total : total / 2) || !merge) return;
    drop = at + 1;
  }
  tree->bytes -= ld_node_size(parent->level - 1u);
  ld_node_remove(parent, drop, 1);
}

static void forget(ld_btree *tree, ld_node *leaf, unsigned at, unsigned n) {
  for (unsigned i = at; i < at + n; i++) tree->bytes -= ld_item_size(leaf->items[i]);
  tree->entries -= n;
  ld_node_remove(leaf, at, n);
}

/* Delete `key`, which is there. */
static bool del_under(ld_btree *tree, ld_node **slot, ld_slice key) {
  if (!ld_node_own(slot)) return false;
  ld_node *node = *slot;
  if (node->level == 0) {
    bool exact;
    forget(tree, node, ld_node_find(node, key, &exact), 1);
    return true;
  }
  unsigned at = ld_node_route(node, key);
  if (!del_under(tree, &node->children[at], key)) return false;
  mend(tree, node, at);
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

/* Take what stands under `node` off the tree's sums. */
static void discount(ld_btree *tree, const ld_node *node) {
  tree->bytes -= ld_node_size(node->level);
  if (node->level > 0) {
    for (unsigned i = 0; i < node->count; i++) discount(tree, node->children[i]);
    return;
  }
  tree->entries -= node->count;
  for (unsigned i = 0; i < node->count; i++) tree->bytes -= ld_item_size(node->items[i]);
}

static void cut_whole(ld_btree *tree, ld_node **slot) {
  discount(tree, *slot);
  ld_node_release(*slot);
  *slot = NULL;
}

static bool cut(ld_btree *tree, ld_node **slot, const ld_slice *from, const ld_slice *to);

/* Only the children at both ends can be left; what is between them goes. */
static bool cut_branch(ld_btree *tree, ld_node *node, const ld_slice *from, const ld_slice *to) {
  unsigned first = from != NULL ? ld_node_route(node, *from) : 0;
  unsigned last = to != NULL ? ld_node_route(node, *to) : node->count - 1u;
  for (unsigned i = first; i <= last; i++)
    if (!cut(tree, &node->children[i], i == first ? from : NULL, i == last ? to : NULL))
      return false;
  unsigned gap = first + (node->children[first] != NULL);
  unsigned end = last + (node->children[last] == NULL);
  if (gap < end) ld_node_remove(node, gap, end - gap);
  for (unsigned i = first + 2; i-- > first;)
    if (i < node->count) mend(tree, node, i);
  return true;
}

/* Delete from <= key < to; NULL is no bound. `*slot` becomes NULL when nothing is left.
** False without memory; then the tree is only fit for clearing. */
static bool cut(ld_btree *tree, ld_node **slot, const ld_slice *from, const ld_slice *to) {
  bool exact;
  if (from == NULL && to == NULL) {
    cut_whole(tree, slot);
    return true;
  }
  if (!ld_node_own(slot)) return false;
  ld_node *node = *slot;
  if (node->level > 0) {
    if (!cut_branch(tree, node, from, to)) return false;
  } else {
    unsigned first = from != NULL ? ld_node_find(node, *from, &exact) : 0;
    unsigned end = to != NULL ? ld_node_find(node, *to, &exact) : node->count;
    forget(tree, node, first, end - first);
  }
  if (node->count == 0) cut_whole(tree, slot);
  return true;
}

/* Works on a share of the tree, so that running out of memory half-way changes nothing, and the bounds stay good. */
ld_rc ld_btree_del_range(ld_btree *tree, ld_slice from, ld_slice to, uint64_t *count) {
  *count = 0;
  if (tree->root == NULL || (to.size > 0 && ld_compare(from, to) >= 0)) return LD_OK;
  ld_btree rest = ld_btree_share(tree);
  if (!cut(&rest, &rest.root, from.size > 0 ? &from : NULL, to.size > 0 ? &to : NULL)) {
    ld_btree_clear(&rest);
    return LD_NOMEM;
  }
  mend_root(&rest);
  *count = tree->entries - rest.entries;
  ld_btree_clear(tree);
  *tree = rest;
  return LD_OK;
}

/* ---- cursors ---- */

/* From the place on `level` down to the first or last row under it. */
static void sink(ld_btree_cursor *cursor, unsigned level, bool last) {
  while (level > 0) {
    const ld_node *node = cursor->path[level].node->children[cursor->path[level].at];
    level--;
    cursor->path[level].node = node;
    cursor->path[level].at = last ? node->count - 1u : 0;
  }
}

static bool start(ld_btree_cursor *cursor, const ld_btree *tree, bool last) {
  if (tree->root == NULL) return false;
  cursor->top = tree->root->level;
  cursor->path[cursor->top].node = tree->root;
  cursor->path[cursor->top].at = last ? tree->root->count - 1u : 0;
  sink(cursor, cursor->top, last);
  return true;
}

bool ld_btree_first(ld_btree_cursor *cursor, const ld_btree *tree) {
  return start(cursor, tree, false);
}

bool ld_btree_last(ld_btree_cursor *cursor, const ld_btree *tree) {
  return start(cursor, tree, true);
}

bool ld_btree_next(ld_btree_cursor *cursor) {
  unsigned level = 0;
  while (cursor->path[level].at + 1 >= cursor->path[level].node->count)
    if (++level > cursor->top) return false;
  cursor->path[level].at++;
  sink(cursor, level, false);
  return true;
}

bool ld_btree_prev(ld_btree_cursor *cursor) {
  unsigned level = 0;
  while (cursor->path[level].at == 0)
    if (++level > cursor->top) return false;
  cursor->path[level].at--;
  sink(cursor, level, true);
  return true;
}

bool ld_btree_seek(ld_btree_cursor *cursor, const ld_btree *tree, ld_slice key) {
  const ld_node *node = tree->root;
  bool exact;
  if (node == NULL) return false;
  cursor->top = node->level;
  for (; node->level > 0; node = node->children[cursor->path[node->level].at]) {
    cursor->path[node->level].node = node;
    cursor->path[node->level].at = ld_node_route(node, key);
  }
  cursor->path[0].node = node;
  cursor->path[0].at = ld_node_find(node, key, &exact);
  return cursor->path[0].at < node->count || ld_btree_next(cursor);
}

void ld_btree_current(const ld_btree_cursor *cursor, ld_slice *key, ld_slice *value) {
  const ld_item *item = cursor->path[0].node->items[cursor->path[0].at];
  *key = ld_item_key(item);
  *value = ld_item_value(item);
}

/* ---- check ---- */

/* What a check has seen so far, and whom it tells. */
typedef struct checking {
  ld_btree seen;
  ld_btree_check_row *check_row;
  ld_btree_finding *finding;
  void *context;
} checking;

static void tell(checking *check, const ld_item *item, const char *text) {
  check->finding(check->context, item != NULL ? ld_item_key(item) : LD_SLICE_NONE, text);
}

/* Item `at` of `node`, which must not be below `low`, must be below `high`, and above the one before it. */
static void check_item(checking *check, const ld_node *node, unsigned at, const ld_item *low,
                       const ld_item *high) {
  const ld_item *item = node->items[at], *before = at > 0 ? node->items[at - 1] : NULL;
  ld_slice key = ld_item_key(item);
  bool exact;
  if (item->refs == 0) tell(check, item, "tree: a freed row");
  if (before != NULL && ld_compare(ld_item_key(before), key) >= 0)
    tell(check, item, "tree: out of order");
  if (low != NULL && ld_compare(key, ld_item_key(low)) < 0)
    tell(check, item, "tree: below the node's lower bound");
  if (high != NULL && ld_compare(key, ld_item_key(high)) >= 0)
    tell(check, item, "tree: above the node's upper bound");
  if (ld_node_find(node, key, &exact) != at || !exact) tell(check, item, "tree: not to be found");
}

static void check_leaf(checking *check, const ld_node *leaf) {
  check->seen.entries += leaf->count;
  for (unsigned i = 0; i < leaf->count; i++) {
    const ld_item *item = leaf->items[i];
    check->seen.bytes += ld_item_size(item);
    if (check->check_row != NULL && !check->check_row(ld_item_key(item), ld_item_value(item)))
      tell(check, item, "checksum differs");
  }
}

static void check_node(checking *check, const ld_node *node, const ld_item *low,
                       const ld_item *high) {
  check->seen.bytes += ld_node_size(node->level);
  if (node->refs == 0) tell(check, low, "tree: a freed node");
  if (node->count == 0 || node->count > FAN) tell(check, low, "tree: an empty or overfull node");
  for (unsigned i = node->level > 0; i < node->count; i++) check_item(check, node, i, low, high);
  if (node->level == 0) {
    check_leaf(check, node);
    return;
  }
  if (node->items[0] != NULL) tell(check, low, "tree: a bound where there is none");
  for (unsigned i = 0; i < node->count; i++) {
    const ld_node *child = node->children[i];
    if (child->level + 1u != node->level) tell(check, low, "tree: a node on the wrong level");
    check_node(check, child, i > 0 ? node->items[i] : low,
               i + 1u < node->count ? node->items[i + 1] : high);
  }
}

void ld_btree_check(const ld_btree *tree, ld_btree_check_row *check_row, ld_btree_finding *finding,
                    void *context) {
  checking check = {.check_row = check_row, .finding = finding, .context = context};
  if (tree->root != NULL) check_node(&check, tree->root, NULL, NULL);
  if (tree->root != NULL && tree->root->level > 0 && tree->root->count == 1)
    tell(&check, NULL, "tree: a root with one child");
  if (check.seen.entries != tree->entries) tell(&check, NULL, "tree: the count of rows is wrong");
  if (check.seen.bytes != tree->bytes) tell(&check, NULL, "tree: the count of bytes is wrong");
}
