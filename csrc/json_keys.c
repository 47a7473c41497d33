/* json_keys.c -- see json_keys.h. Few keys are compared each with each, many are sorted; but what was exported is in order already. */
#include "json_keys.h"

#include <stdlib.h>
#include <string.h>

#include "json_number.h"

typedef struct entry {
  size_t at, order;
  ld_token key; /* set by the check; a whole float has become an integer, bin str */
} entry;

enum { FEW = 8 };

void ld_keys_add(ld_buf *keys, size_t at) {
  entry new_entry = {.at = at};
  ld_buf_add(keys, ld_bytes(&new_entry, sizeof new_entry));
}

static ld_token read_key(ld_slice document, size_t at) {
  ld_slice rest = ld_bytes(document.data + at, document.size - at);
  ld_token key = {.kind = LD_NIL};
  ld_value_next(&rest, &key);
  bool fits = key.kind == LD_FLOAT && key.number >= -0x1p63 && key.number < 0x1p63;
  if (fits && ld_number_is_whole(key.number))
    key = (ld_token){.kind = LD_INT, .integer = (int64_t)key.number};
  if (key.kind == LD_BIN) key.kind = LD_STR;
  return key;
}

static int compare(const ld_token *a, const ld_token *b) {
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  switch (a->kind) {
  case LD_BOOL: return a->truth - b->truth;
  case LD_INT: return (a->integer > b->integer) - (a->integer < b->integer);
  case LD_FLOAT: return (a->number > b->number) - (a->number < b->number);
  case LD_STR: return ld_compare(a->bytes, b->bytes);
  default: return 0;
  }
}

static int by_key(const void *a, const void *b) {
  const entry *left = a, *right = b;
  int order = compare(&left->key, &right->key);
  return order != 0 ? order : (left->order > right->order) - (left->order < right->order);
}

static const entry *twin_of_few(const entry *entries, size_t count) {
  for (size_t i = 1; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (compare(&entries[i].key, &entries[j].key) == 0) return &entries[i];
  return NULL;
}

static bool ascend(const entry *entries, size_t count) {
  size_t i = 1;
  while (i < count && compare(&entries[i - 1].key, &entries[i].key) < 0) i++;
  return i == count;
}

static const entry *twin_of_many(entry *entries, size_t count) {
  const entry *twin = NULL;
  if (ascend(entries, count)) return NULL;
  qsort(entries, count, sizeof *entries, by_key);
  for (size_t i = 1; i < count; i++)
    if (compare(&entries[i].key, &entries[i - 1].key) == 0 &&
        (twin == NULL || entries[i].order < twin->order))
      twin = &entries[i];
  return twin;
}

bool ld_keys_differ(ld_buf *keys, size_t base, ld_slice document, ld_twin *twin) {
  size_t count = (keys->size - base) / sizeof(entry);
  if (count < 2) return true;
  entry *entries = (entry *)(void *)(keys->data + base);
  for (size_t i = 0; i < count; i++) {
    entries[i].order = i;
    entries[i].key = read_key(document, entries[i].at);
  }
  const entry *found = count <= FEW ? twin_of_few(entries, count) : twin_of_many(entries, count);
  if (found != NULL) *twin = (ld_twin){found->order, found->at};
  return found == NULL;
}
