/* btree_node.c -- items and nodes: counting references, searching, moving entries between neighbours. */
#include "btree_node.h"

#include <stdlib.h>
#include <string.h>

enum { FAN = LD_NODE_FAN, NO_RUN = UINT16_MAX };

/* ---- items ---- */

ld_item *ld_item_new(ld_slice key, ld_slice value) {
  ld_item *item = malloc(offsetof(ld_item, bytes) + key.size + value.size);
  if (item == NULL) return NULL;
  item->refs = 1;
  item->value_size = (uint32_t)value.size;
  item->key_size = (uint16_t)key.size;
  memcpy(item->bytes, key.data, key.size);
  if (value.size > 0) memcpy(item->bytes + key.size, value.data, value.size);
  return item;
}

void ld_item_release(ld_item *item) {
  if (item != NULL && --item->refs == 0) free(item);
}

size_t ld_item_size(const ld_item *item) {
  return offsetof(ld_item, bytes) + item->key_size + item->value_size;
}

/* How many bytes at their beginning two keys share. */
static unsigned shared(const ld_item *a, const ld_item *b) {
  unsigned size = 0, most = a->key_size < b->key_size ? a->key_size : b->key_size;
  while (size < most && a->bytes[size] == b->bytes[size]) size++;
  return size;
}

/* The shortest key that is > `low` and <= `high`: what they share, and one byte more of `high`. */
static ld_item *separator(const ld_item *low, const ld_item *high) {
  return ld_item_new(ld_bytes(high->bytes, shared(low, high) + 1u), LD_SLICE_NONE);
}

/* ---- nodes ---- */

size_t ld_node_size(unsigned level) {
  return sizeof(ld_node) + (level > 0 ? FAN * sizeof(ld_node *) : 0);
}

ld_node *ld_node_new(unsigned level) {
  ld_node *node = malloc(ld_node_size(level));
  if (node == NULL) return NULL;
  node->refs = 1;
  node->count = 0;
  node->skip = 0;
  node->run = NO_RUN;
  node->level = (uint16_t)level;
  return node;
}

void ld_node_release(ld_node *node) {
  if (node == NULL || --node->refs > 0) return;
  for (unsigned i = 0; i < node->count; i++) ld_item_release(node->items[i]);
  if (node->level > 0)
    for (unsigned i = 0; i < node->count; i++) ld_node_release(node->children[i]);
  free(node);
}

bool ld_node_own(ld_node **slot) {
  ld_node *old = *slot;
  if (old->refs == 1) return true;
  ld_node *node = ld_node_new(old->level);
  if (node == NULL) return false;
  node->count = old->count;
  node->skip = old->skip;
  node->run = old->run;
  memcpy(node->heads, old->heads, old->count * sizeof old->heads[0]);
  memcpy(node->items, old->items, old->count * sizeof old->items[0]);
  for (unsigned i = 0; i < node->count; i++)
    if (node->items[i] != NULL) node->items[i]->refs++;
  if (node->level > 0) {
    memcpy(node->children, old->children, old->count * sizeof old->children[0]);
    for (unsigned i = 0; i < node->count; i++) node->children[i]->refs++;
  }
  old->refs--;
  *slot = node;
  return true;
}

/* ---- heads ---- */

static inline uint64_t head_of(ld_slice key, size_t skip) {
  uint8_t b[8] = {0};
  if (key.size >= skip + 8) {
    memcpy(b, key.data + skip, 8);
  } else if (key.size > skip) {
    memcpy(b, key.data + skip, key.size - skip);
  }
  return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32 |
         (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | (uint64_t)b[7];
}

/* The first entry that has a key. */
static inline unsigned first_key(const ld_node *node) { return node->level > 0 ? 1 : 0; }

static void set_skip(ld_node *node, unsigned skip) {
  node->skip = (uint16_t)skip;
  for (unsigned i = first_key(node); i < node->count; i++)
    if (node->items[i] != NULL) node->heads[i] = head_of(ld_item_key(node->items[i]), skip);
}

/* Make the most of what the keys share. */
static void refresh(ld_node *node) {
  unsigned first = first_key(node);
  if (node->count > first) set_skip(node, shared(node->items[first], node->items[node->count - 1]));
}

void ld_node_set_item(ld_node *node, unsigned at, ld_item *item) {
  unsigned first = first_key(node), other = at > first ? at - 1 : at + 1;
  node->items[at] = item;
  if (item == NULL || at < first) return;
  unsigned skip = other < node->count ? shared(item, node->items[other]) : item->key_size;
  if (skip < node->skip || node->count == first + 1) {
    set_skip(node, skip);
  } else {
    node->heads[at] = head_of(ld_item_key(item), node->skip);
  }
}

/* ---- searching ---- */

/* Where `key` belongs, if need be outside of what shares the first `skip` bytes. The heads have led to `at`, beside `item`;
** they are right for a key that ends within those bytes, too. */
static unsigned find_outside(const ld_node *node, const ld_item *item, ld_slice key, unsigned at) {
  size_t size = key.size < node->skip ? key.size : node->skip;
  int order = memcmp(key.data, item->bytes, size);
  if (order == 0) return at;
  return order > 0 ? node->count : first_key(node);
}

/* Goes by the heads as if `key` shared the first `skip` bytes, and makes sure at the place where that leads:
** a key that is found cost the cache one item. */
unsigned ld_node_find(const ld_node *node, ld_slice key, bool *exact) {
  unsigned first = first_key(node), low = first, high = node->count;
  uint64_t head = head_of(key, node->skip);
  while (low < high) {
    unsigned middle = (low + high) / 2;
    uint64_t other = node->heads[middle];
    int order = (head > other) - (head < other);
    if (order == 0) order = ld_compare(key, ld_item_key(node->items[middle]));
    if (order == 0) {
      *exact = true;
      return middle;
    }
    if (order > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *exact = false;
  if (node->skip == 0 || node->count == first) return low;
  return find_outside(node, node->items[low < node->count ? low : low - 1], key, low);
}

unsigned ld_node_route(const ld_node *branch, ld_slice key) {
  bool exact;
  unsigned at = ld_node_find(branch, key, &exact);
  return exact ? at : at - 1;
}

/* ---- changing ---- */

/* Copy `n` entries, references and all; the places may overlap. */
static void move(ld_node *to, unsigned at, const ld_node *from, unsigned start, unsigned n) {
  memmove(to->heads + at, from->heads + start, n * sizeof to->heads[0]);
  memmove(to->items + at, from->items + start, n * sizeof to->items[0]);
  if (to->level == 0) return;
  memmove(to->children + at, from->children + start, n * sizeof to->children[0]);
}

/* Close the gap of `n` entries whose references are gone. */
static void close_gap(ld_node *node, unsigned at, unsigned n) {
  move(node, at, node, at + n, node->count - at - n);
  node->count = (uint16_t)(node->count - n);
  node->run = NO_RUN;
}

void ld_node_insert(ld_node *node, unsigned at, ld_item *item, ld_node *child) {
  move(node, at + 1, node, at, node->count - at);
  node->count++;
  node->run = (uint16_t)at;
  if (node->level > 0) node->children[at] = child;
  ld_node_set_item(node, at, item);
}

void ld_node_remove(ld_node *node, unsigned at, unsigned n) {
  for (unsigned i = at; i < at + n; i++) {
    ld_item_release(node->items[i]);
    if (node->level > 0) ld_node_release(node->children[i]);
  }
  close_gap(node, at, n);
  if (node->level == 0 || at > 0 || node->count == 0) return;
  ld_item_release(node->items[0]);
  node->items[0] = NULL;
}

/* ---- neighbours ---- */

/* Entry `at` of two neighbours taken as one. */
static ld_item *entry_of(const ld_node *left, const ld_node *right, unsigned at) {
  return at < left->count ? left->items[at] : right->items[at - left->count];
}

/* Move entries between the neighbours so that `left` has `keep`. */
static void shift(ld_node *left, ld_node *right, unsigned keep) {
  if (keep < left->count) {
    unsigned n = left->count - keep;
    move(right, n, right, 0, right->count);
    move(right, 0, left, keep, n);
    right->count = (uint16_t)(right->count + n);
  } else {
    unsigned n = keep - left->count;
    move(left, left->count, right, 0, n);
    close_gap(right, 0, n);
  }
  left->count = (uint16_t)keep;
  left->run = right->run = NO_RUN;
}

/* Leaves need a new separator; in branches the old one goes down and the one at the new border comes up. */
bool ld_node_balance(ld_node *parent, unsigned at, unsigned keep) {
  ld_node *left = parent->children[at], *right = parent->children[at + 1];
  bool all = keep == (unsigned)left->count + right->count;
  ld_item *fence = NULL;
  if (left->level > 0) {
    right->items[0] = parent->items[at + 1];
    if (!all) fence = entry_of(left, right, keep);
  } else {
    if (!all) fence = separator(entry_of(left, right, keep - 1), entry_of(left, right, keep));
    if (!all && fence == NULL) return false;
    ld_item_release(parent->items[at + 1]);
  }
  shift(left, right, keep);
  if (left->level > 0) right->items[0] = NULL;
  ld_node_set_item(parent, at + 1, fence);
  refresh(left);
  refresh(right);
  return true;
}

/* How many entries a full node keeps when the next one goes in at `where`: most of them where inserts ascend,
** few where they descend, so that both leave full nodes behind; else half. */
static unsigned split_point(const ld_node *node, unsigned where) {
  unsigned least = node->level > 0 ? 2 : 1;
  if (where == node->count && node->run == node->count - 1) return FAN - least;
  if (where <= 1 && where == node->run) return least;
  return FAN / 2;
}

bool ld_node_split(ld_node *parent, unsigned at, unsigned where) {
  ld_node *left = parent->children[at], *right = ld_node_new(left->level);
  uint16_t run = parent->run;
  if (right == NULL) return false;
  ld_node_insert(parent, at + 1, NULL, right);
  if (ld_node_balance(parent, at, split_point(left, where))) return true;
  ld_node_remove(parent, at + 1, 1);
  parent->run = run;
  return false;
}
