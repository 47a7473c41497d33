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

/* Drop the empty child `at`. The first child's bound comes from above. */
static void drop_child(ld_btree *tree, node *parent, unsigned at) {
  node *child = parent->children[at];
  tree->bytes -= node_size(parent->level - 1);
  node_release(child);
  item_release(parent->items[at]);
  remove_at(parent, at, 1);
  if (at == 0 && parent->count > 0) {
    item_release(parent->items[0]);
    parent->items[0] = NULL;
  }
}

/* After deletes under child `at`: drop it, merge it with a neighbour, or top it up from there. Without memory a small
** node just stays small. */
static void mend(ld_btree *tree, node *parent, unsigned at) {
  node *child = parent->children[at];
  if (child == NULL || child->count == 0) {
    drop_child(tree, parent, at);
    return;
  }
  if (child->count >= FEW || parent->count == 1) return;
  if (at > 0) at--;
  if (!own(&parent->children[at]) || !own(&parent->children[at + 1])) return;
  unsigned total = (unsigned)parent->children[at]->count + parent->children[at + 1]->count;
  if (total > FAN * 3 / 4) {
    balance(parent, at, total / 2);
  } else if (balance(parent, at, total)) {
    drop_child(tree, parent, at + 1);
  }
}

/* A root that has one child gives way to it; one that has nothing goes. */
static void mend_root(ld_btree *tree) {
  while (tree->root->level > 0 && tree->root->count == 1) {
    node *old = tree->root;
    tree->root = old->children[0];
    tree->bytes -= node_size(old->level);
    old->count = 0;
    node_release(old);
  }
  if (tree->root->count > 0) return;
  tree->bytes -= node_size(tree->root->level);
  node_release(tree->root);
  tree->root = NULL;
}
