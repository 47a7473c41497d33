/* btree_node.h -- the nodes of btree.c and what they hold. Nobody else includes it.
**
**   branch   items     -    "f"   "m"        items[i] is the least key that may stand under children[i];
**            children  |     |     |         items[0] is NULL: the bound comes from above
**   leaf     items   "a=1" "f=2" "p=3"       rows
**
** Items stand in the order of their keys. heads[i] is the beginning of items[i]'s key, so that most comparisons stay
** within the node: the 8 bytes behind the first `skip`, big-endian, zeros behind the end of the key. The first `skip`
** bytes are the same in all keys of the node; `skip` may be less than it could be.
**
** Nodes and items count their references. A node is written to only when it and all above it have one reference.
** Functions that return bool or a pointer return false or NULL, having changed nothing, when memory runs out. */
#ifndef LD_BTREE_NODE_H
#define LD_BTREE_NODE_H

#include "../base.h"

#ifndef LD_NODE_FAN
#define LD_NODE_FAN                                                                                \
  64 /* entries of a node; measured: 32 to 128 make little difference, 64 scans and packs well */
#endif

/* A row, or a separator (then without a value). */
typedef struct ld_item {
  uint32_t refs;
  uint32_t value_size;
  uint16_t key_size;
  uint8_t bytes[]; /* the key, then the value */
} ld_item;

typedef struct ld_node {
  uint32_t refs;
  uint16_t count;
  uint16_t skip;
  uint16_t
      run; /* where the last entry went in; tells ascending and descending inserts from random ones */
  uint16_t level; /* 0: a leaf */
  uint64_t heads[LD_NODE_FAN];
  ld_item *items[LD_NODE_FAN];
  struct ld_node *children[]; /* LD_NODE_FAN of them in a branch, none in a leaf */
} ld_node;

ld_item *ld_item_new(ld_slice key, ld_slice value);
void ld_item_release(ld_item *item); /* NULL is fine */
size_t ld_item_size(const ld_item *item);

static inline ld_slice ld_item_key(const ld_item *item) {
  return ld_bytes(item->bytes, item->key_size);
}
static inline ld_slice ld_item_value(const ld_item *item) {
  return ld_bytes(item->bytes + item->key_size, item->value_size);
}

ld_node *ld_node_new(unsigned level); /* empty */
void ld_node_release(ld_node *node);  /* NULL is fine */
size_t ld_node_size(unsigned level);
/* Make the node in `slot` one that may be written to: itself, or a clone in its place. */
bool ld_node_own(ld_node **slot);

/* The first entry whose key is >= `key`; in a branch the search begins at 1. */
unsigned ld_node_find(const ld_node *node, ld_slice key, bool *exact);
/* The child under which `key` belongs. */
unsigned ld_node_route(const ld_node *branch, ld_slice key);

/* Both take the references. `child` is NULL in a leaf; `item` is NULL where the bound comes from above. */
void ld_node_insert(ld_node *node, unsigned at, ld_item *item, ld_node *child);
void ld_node_set_item(ld_node *node, unsigned at, ld_item *item);
/* Drop `n` entries and their references. */
void ld_node_remove(ld_node *node, unsigned at, unsigned n);
/* Let child `at` have `keep` of the entries that it and its right neighbour have together. The caller owns all three.
** Where that is all of them, the neighbour is left empty, to be removed. */
bool ld_node_balance(ld_node *parent, unsigned at, unsigned keep);
/* Split the full child `at`, into which an entry will go at `where`. The caller owns both. */
bool ld_node_split(ld_node *parent, unsigned at, unsigned where);

#endif
