/* order.c -- see order.h.
**
** Two values are walked side by side. An array is compared as it lies there; the pairs of a map are put in order first:
** a few on the stack, more in memory of their own, and where that runs out each next pair is searched for. */
#include "order.h"

#include <math.h>
#include <stdlib.h>

#include "tuple.h"

enum { TAG_EMPTY = 0x04, TAG_MAP = 0x40, TAG_ARRAY = 0x50, TAG_END = 0x00, FEW = 8 };

ld_class ld_class_of_kind(ld_kind kind) {
  static const ld_class classes[] = {
      [LD_NIL] = LD_CLASS_NULL,     [LD_BOOL] = LD_CLASS_BOOL,  [LD_INT] = LD_CLASS_NUMBER,
      [LD_FLOAT] = LD_CLASS_NUMBER, [LD_STR] = LD_CLASS_STRING, [LD_BIN] = LD_CLASS_STRING,
      [LD_ARRAY] = LD_CLASS_ARRAY,  [LD_MAP] = LD_CLASS_MAP,
  };
  return classes[kind];
}

ld_class ld_class_of(ld_slice value) {
  ld_token token;
  return ld_value_next(&value, &token) ? ld_class_of_kind(token.kind) : LD_CLASS_NULL;
}

/* ---- scalars ---- */

static int order_floats(double a, double b) {
  if (isnan(a) || isnan(b)) return !isnan(a) - !isnan(b);
  return (a > b) - (a < b);
}

/* Exact, past 2^53 too. */
static int order_int_float(int64_t a, double b) {
  static const double two_to_63 = 9223372036854775808.0;
  if (isnan(b) || b < -two_to_63) return 1;
  if (b >= two_to_63) return -1;
  int64_t whole = (int64_t)b;
  double behind = b - (double)whole;
  return a != whole ? (a > whole) - (a < whole) : (behind < 0) - (behind > 0);
}

static int order_numbers(const ld_token *a, const ld_token *b) {
  if (a->kind == LD_FLOAT)
    return b->kind == LD_FLOAT ? order_floats(a->number, b->number)
                               : -order_int_float(b->integer, a->number);
  if (b->kind == LD_FLOAT) return order_int_float(a->integer, b->number);
  return (a->integer > b->integer) - (a->integer < b->integer);
}

int ld_order_scalars(const ld_token *a, const ld_token *b) {
  ld_class of_a = ld_class_of_kind(a->kind), of_b = ld_class_of_kind(b->kind);
  if (of_a != of_b) return of_a < of_b ? -1 : 1;
  switch (of_a) {
  case LD_CLASS_NUMBER: return order_numbers(a, b);
  case LD_CLASS_STRING: return ld_compare(a->bytes, b->bytes);
  case LD_CLASS_BOOL: return a->truth - b->truth;
  default: return 0;
  }
}

/* ---- the pairs of a map, in order ---- */

typedef struct pair {
  const uint8_t *key, *value; /* the key ends where the value begins */
} pair;

typedef struct pairs {
  ld_slice body; /* what follows the head, and perhaps more */
  uint32_t count, given;
  pair last, few[FEW];
  pair *sorted; /* `few`, or memory of its own; NULL: there is none */
} pairs;

/* Equal keys, which only a damaged document has, keep their places. */
static int order_pairs(const void *a, const void *b) {
  const pair *left = a, *right = b;
  ld_slice of_left = ld_bytes(left->key, (size_t)(left->value - left->key));
  ld_slice of_right = ld_bytes(right->key, (size_t)(right->value - right->key));
  ld_token left_key = {.kind = LD_NIL}, right_key = {.kind = LD_NIL};
  ld_value_next(&of_left, &left_key);
  ld_value_next(&of_right, &right_key);
  int order = ld_order_scalars(&left_key, &right_key);
  return order != 0 ? order : (left->key > right->key) - (left->key < right->key);
}

static pair take_pair(ld_slice *rest) {
  ld_slice key = {rest->data, 0}, value = {rest->data, 0};
  if (ld_value_take(rest, &key)) value.data = rest->data;
  ld_value_take(rest, &value);
  return (pair){key.data, value.data};
}

static void insert_few(pairs *map) {
  ld_slice rest = map->body;
  for (uint32_t i = 0; i < map->count; i++) {
    pair next = take_pair(&rest);
    uint32_t at = i;
    for (; at > 0 && order_pairs(&map->few[at - 1], &next) > 0; at--)
      map->few[at] = map->few[at - 1];
    map->few[at] = next;
  }
}

static void pairs_init(pairs *map, ld_slice body, uint32_t count) {
  map->body = body;
  map->count = count;
  map->given = 0;
  map->sorted = count <= FEW ? map->few : malloc(count * sizeof(pair));
  if (count <= FEW) {
    insert_few(map);
  } else if (map->sorted != NULL) {
    ld_slice rest = body;
    for (uint32_t i = 0; i < count; i++) map->sorted[i] = take_pair(&rest);
    qsort(map->sorted, count, sizeof(pair), order_pairs);
  }
}

static void pairs_clear(pairs *map) {
  if (map->sorted != map->few) free(map->sorted);
}

/* The least pair behind the last one given. */
static pair search_next(const pairs *map) {
  ld_slice rest = map->body;
  pair least = {NULL, NULL};
  for (uint32_t i = 0; i < map->count; i++) {
    pair next = take_pair(&rest);
    if (map->given > 0 && order_pairs(&next, &map->last) <= 0) continue;
    if (least.key == NULL || order_pairs(&next, &least) < 0) least = next;
  }
  return least;
}

/* The bytes from the next pair's key, or value, on. */
static void pairs_next(pairs *map, ld_slice *key, ld_slice *value) {
  const uint8_t *end = map->body.data + map->body.size;
  map->last = map->sorted != NULL ? map->sorted[map->given] : search_next(map);
  map->given++;
  *key = ld_bytes(map->last.key, (size_t)(end - map->last.key));
  *value = ld_bytes(map->last.value, (size_t)(end - map->last.value));
}

/* ---- comparing ---- */

static int order_values(ld_slice *a, ld_slice *b);

static int order_counts(uint32_t a, uint32_t b) { return (a > b) - (a < b); }

static int order_arrays(ld_slice *a, uint32_t count_a, ld_slice *b, uint32_t count_b) {
  int order = 0;
  for (uint32_t i = 0; i < count_a && i < count_b && order == 0; i++) order = order_values(a, b);
  return order != 0 ? order : order_counts(count_a, count_b);
}

static int order_sorted(pairs *a, pairs *b) {
  ld_slice key_a, key_b, value_a, value_b;
  int order = 0;
  while (order == 0 && a->given < a->count && b->given < b->count) {
    pairs_next(a, &key_a, &value_a);
    pairs_next(b, &key_b, &value_b);
    order = order_values(&key_a, &key_b);
    if (order == 0) order = order_values(&value_a, &value_b);
  }
  return order != 0 ? order : order_counts(a->count, b->count);
}

static void skip_pairs(ld_slice *rest, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) take_pair(rest);
}

static int order_maps(ld_slice *a, uint32_t count_a, ld_slice *b, uint32_t count_b) {
  pairs of_a, of_b;
  pairs_init(&of_a, *a, count_a);
  pairs_init(&of_b, *b, count_b);
  int order = order_sorted(&of_a, &of_b);
  pairs_clear(&of_a);
  pairs_clear(&of_b);
  if (order == 0) {
    skip_pairs(a, count_a);
    skip_pairs(b, count_b);
  }
  return order;
}

/* Takes both values off when they are equal. */
static int order_values(ld_slice *a, ld_slice *b) {
  ld_token of_a = {.kind = LD_NIL}, of_b = {.kind = LD_NIL};
  ld_value_next(a, &of_a);
  ld_value_next(b, &of_b);
  if (of_a.kind == LD_ARRAY && of_b.kind == LD_ARRAY)
    return order_arrays(a, of_a.count, b, of_b.count);
  if (of_a.kind == LD_MAP && of_b.kind == LD_MAP) return order_maps(a, of_a.count, b, of_b.count);
  return ld_order_scalars(&of_a, &of_b);
}

int ld_order(ld_slice a, ld_slice b) { return ld_equal(a, b) ? 0 : order_values(&a, &b); }

/* ---- keys ---- */

static void add_value(ld_buf *key, ld_slice *rest);

static void add_map(ld_buf *key, ld_slice *rest, uint32_t count) {
  pairs map;
  ld_slice name, value;
  ld_buf_byte(key, TAG_MAP);
  pairs_init(&map, *rest, count);
  while (map.given < count) {
    pairs_next(&map, &name, &value);
    add_value(key, &name);
    add_value(key, &value);
  }
  pairs_clear(&map);
  skip_pairs(rest, count);
  ld_buf_byte(key, TAG_END);
}

static void add_array(ld_buf *key, ld_slice *rest, uint32_t count) {
  ld_buf_byte(key, TAG_ARRAY);
  for (uint32_t i = 0; i < count; i++) add_value(key, rest);
  ld_buf_byte(key, TAG_END);
}

static void add_string(ld_buf *key, ld_slice bytes) {
  ld_tuple_string(key, bytes);
  ld_buf_byte(key, TAG_END);
}

static void add_value(ld_buf *key, ld_slice *rest) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(rest, &token);
  switch (token.kind) {
  case LD_NIL: ld_tuple_null(key); return;
  case LD_BOOL: ld_tuple_bool(key, token.truth); return;
  case LD_INT: ld_tuple_int(key, token.integer); return;
  case LD_FLOAT: ld_tuple_float(key, token.number); return;
  case LD_STR:
  case LD_BIN: add_string(key, token.bytes); return;
  case LD_ARRAY: add_array(key, rest, token.count); return;
  case LD_MAP: add_map(key, rest, token.count); return;
  }
}

static void turn_over(ld_buf *key, size_t from) {
  for (size_t i = from; i < key->size; i++) key->data[i] = (uint8_t)~key->data[i];
}

void ld_order_key(ld_buf *key, ld_slice value, bool descending) {
  size_t from = key->size;
  add_value(key, &value);
  if (descending) turn_over(key, from);
}

void ld_order_key_found(ld_buf *key, ld_slice value, unsigned how, bool descending) {
  static const uint8_t null = 0xc0;
  if ((how & LD_PATH_EMPTY) != 0)
    ld_buf_byte(key, descending ? (uint8_t)~TAG_EMPTY : TAG_EMPTY);
  else
    ld_order_key(key, value.size > 0 ? value : ld_bytes(&null, 1), descending);
}

/* ---- the way back ---- */

/* An encoded value that is read; `flip` turns the bytes of a descending one over. */
typedef struct key_reader {
  const uint8_t *at, *end;
  uint8_t flip;
} key_reader;

static int peek(const key_reader *reader, size_t ahead) {
  if ((size_t)(reader->end - reader->at) <= ahead) return -1;
  return reader->at[ahead] ^ reader->flip;
}

static bool skip_bytes(key_reader *reader, size_t count) {
  if ((size_t)(reader->end - reader->at) < count) return false;
  reader->at += count;
  return true;
}

/* Behind the tag: so many bytes, the last of which says whether those of a fraction follow (README.md, "Keys"). */
static bool skip_whole(key_reader *reader, size_t size, uint8_t flip) {
  int last = peek(reader, size - 1);
  return last >= 0 && skip_bytes(reader, size + (((last ^ flip) & 1) != 0 ? 7 : 0));
}

static bool skip_number(key_reader *reader, int tag) {
  if (tag == 0x10 || tag == 0x1b) return true;
  if (tag == 0x11 || tag == 0x1a || tag == 0x1c || tag == 0x25) return skip_bytes(reader, 8);
  return tag < 0x1a ? skip_whole(reader, (size_t)(0x1a - tag), 0xff)
                    : skip_whole(reader, (size_t)(tag - 0x1c), 0);
}

static bool skip_string(key_reader *reader) {
  for (int byte; (byte = peek(reader, 0)) >= 0; reader->at++) {
    if (byte != TAG_END) continue;
    int next = peek(reader, 1);
    if (next <= TAG_END) return next == TAG_END && skip_bytes(reader, 2);
    reader->at++;
  }
  return false;
}

static bool skip_value(key_reader *reader);

static bool skip_values(key_reader *reader) {
  while (peek(reader, 0) > TAG_END)
    if (!skip_value(reader)) return false;
  return skip_bytes(reader, 1);
}

static bool skip_value(key_reader *reader) {
  int tag = peek(reader, 0);
  reader->at++;
  if (tag == TAG_MAP || tag == TAG_ARRAY) return skip_values(reader);
  if (tag == 0x30) return skip_string(reader);
  if (tag >= 0x10 && tag <= 0x25) return skip_number(reader, tag);
  return tag == TAG_EMPTY || tag == 0x05 || tag == 0x60 || tag == 0x61;
}

size_t ld_order_key_size(ld_slice key, bool descending) {
  key_reader reader = {key.data, key.data + key.size, descending ? 0xff : 0};
  if (key.size == 0 || !skip_value(&reader)) return 0;
  return (size_t)(reader.at - key.data);
}
