/* test_order.c -- the order of values, and of their keys.
**
** A list in order, each against each; then random values, on which the comparison and the bytes of the keys, which are
** two ways to the same order, have to agree. */
#include "../../csrc/order.h"

#include <math.h>
#include <time.h>

#include "../../csrc/tuple.h"
#include "documents.h"
#include "failing_malloc.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *const rising[] = {
    "null",
    "{\"$numberDouble\": \"NaN\"}",
    "{\"$numberDouble\": \"-Infinity\"}",
    "{\"$numberDouble\": \"-9.3e+18\"}",
    "{\"$numberLong\": \"-9223372036854775808\"}",
    "{\"$numberLong\": \"-9223372036854775807\"}",
    "-1.5",
    "-1",
    "-0.5",
    "0",
    "0.5",
    "1",
    "1.5",
    "2",
    "{\"$numberDouble\": \"9007199254740992.0\"}",
    "{\"$numberLong\": \"9007199254740993\"}",
    "{\"$numberLong\": \"9223372036854775807\"}",
    "{\"$numberDouble\": \"9223372036854775808.0\"}",
    "{\"$numberDouble\": \"Infinity\"}",
    "\"\"",
    "\"\\u0000\"",
    "\"\\u0000\\u0000\"",
    "\"a\"",
    "\"a\\u0000\"",
    "\"a\\u0000b\"",
    "\"a\\u0001\"",
    "\"ab\"",
    "\"b\"",
    "\"\xc3\xb6\"",
    "{\"$binary\": {\"base64\": \"/w==\", \"subType\": \"00\"}}",
    "{}",
    "{\"$map\": [[1, 5]]}",
    "{\"$map\": [[2, 1]]}",
    "{\"a\": null}",
    "{\"a\": 1}",
    "{\"b\": 1, \"a\": 1}",
    "{\"c\": 0, \"a\": 1}",
    "{\"a\": 2}",
    "{\"a\": \"x\"}",
    "{\"a\": \"x\\u0000\"}",
    "{\"a\": {\"b\": 1}}",
    "{\"a\": []}",
    "{\"b\": 0}",
    "{\"$map\": [[false, 0]]}",
    "[]",
    "[null]",
    "[null, null]",
    "[1]",
    "[1, 0]",
    "[1, [2]]",
    "[2]",
    "[\"a\"]",
    "[\"a\", 1]",
    "[\"a\\u0000\"]",
    "[{}]",
    "[[]]",
    "[[], 1]",
    "[[1]]",
    "[false]",
    "false",
    "true",
};

static const char *const equal[][2] = {
    {"1", "{\"$numberDouble\": \"1.0\"}"},
    {"0", "{\"$numberDouble\": \"-0.0\"}"},
    {"{\"$numberDouble\": \"NaN\"}", "{\"$numberDouble\": \"NaN\"}"},
    {"{\"$numberLong\": \"-9223372036854775808\"}",
     "{\"$numberDouble\": \"-9223372036854775808.0\"}"},
    {"{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}"},
    {"[{\"a\": 1, \"b\": [2, {\"x\": 1, \"y\": 2}]}, 3]",
     "[{\"b\": [2, {\"y\": 2, \"x\": 1}], \"a\": {\"$numberDouble\": \"1.0\"}}, 3]"},
    {"{\"$map\": [[1, 1], [false, 2]]}",
     "{\"$map\": [[false, 2], [1, {\"$numberDouble\": \"1.0\"}]]}"},
};

static int sign(int order) { return (order > 0) - (order < 0); }

/* That `ld_order` and the keys, both ways, have a and b in this order. */
static void check_order(ld_slice a, ld_slice b, int expected) {
  CHECK(sign(ld_order(a, b)) == expected && sign(ld_order(b, a)) == -expected);
  for (int descending = 0; descending < 2; descending++) {
    ld_buf key_a = {0}, key_b = {0};
    ld_order_key(&key_a, a, descending);
    ld_order_key(&key_b, b, descending);
    int order = sign(ld_compare(ld_buf_slice(&key_a), ld_buf_slice(&key_b)));
    CHECK(order == (descending ? -expected : expected));
    if (expected != 0) {
      CHECK(!ld_starts_with(ld_buf_slice(&key_a), ld_buf_slice(&key_b)));
      CHECK(!ld_starts_with(ld_buf_slice(&key_b), ld_buf_slice(&key_a)));
    }
    ld_buf_clear(&key_a);
    ld_buf_clear(&key_b);
  }
}

static void check_json(const char *json_a, const char *json_b, int expected) {
  ld_buf a = document_of(json_a), b = document_of(json_b);
  if (sign(ld_order(ld_buf_slice(&a), ld_buf_slice(&b))) != expected)
    fprintf(stderr, "%s against %s\n", json_a, json_b);
  check_order(ld_buf_slice(&a), ld_buf_slice(&b), expected);
  ld_buf_clear(&a);
  ld_buf_clear(&b);
}

static void check_lists(void) {
  for (size_t i = 0; i < COUNT(rising); i++)
    for (size_t j = 0; j < COUNT(rising); j++) check_json(rising[i], rising[j], (i > j) - (i < j));
  for (size_t i = 0; i < COUNT(equal); i++) check_json(equal[i][0], equal[i][1], 0);
}

static void check_class(const char *json, ld_class expected) {
  ld_buf document = document_of(json);
  CHECK(ld_class_of(ld_buf_slice(&document)) == expected);
  ld_buf_clear(&document);
}

static void check_classes(void) {
  check_class("null", LD_CLASS_NULL);
  check_class("1", LD_CLASS_NUMBER);
  check_class("1.5", LD_CLASS_NUMBER);
  check_class("\"a\"", LD_CLASS_STRING);
  check_class("{\"$binary\": {\"base64\": \"/w==\", \"subType\": \"00\"}}", LD_CLASS_STRING);
  check_class("{}", LD_CLASS_MAP);
  check_class("[]", LD_CLASS_ARRAY);
  check_class("false", LD_CLASS_BOOL);
}

/* What a key looks like; and an empty array of a sort is below null, or above it. */
static void check_bytes(void) {
  static const uint8_t map[] = {0x40, 0x30, 'a', 0, 0, 0x1d, 2, 0};
  ld_buf key = {0}, null = {0}, prefix = {0}, document = document_of("{\"a\": 1}");
  ld_order_key(&key, ld_buf_slice(&document), false);
  CHECK(ld_equal(ld_buf_slice(&key), ld_bytes(map, sizeof map)));
  for (int descending = 0; descending < 2; descending++) {
    ld_buf_reset(&key);
    ld_buf_reset(&null);
    ld_order_key_found(&key, LD_LITERAL("\x90"), LD_PATH_EMPTY, descending);
    ld_order_key(&null, LD_LITERAL("\xc0"), descending);
    CHECK(sign(ld_compare(ld_buf_slice(&key), ld_buf_slice(&null))) == (descending ? 1 : -1));
  }
  ld_buf_reset(&key);
  ld_order_key(&key,
               LD_LITERAL("\xa3"
                          "a\0b"),
               false);
  ld_tuple_prefix(&prefix, ld_bytes("a\0", 2));
  CHECK(ld_starts_with(ld_buf_slice(&key), ld_buf_slice(&prefix)));
  ld_buf_clear(&key);
  ld_buf_clear(&null);
  ld_buf_clear(&prefix);
  ld_buf_clear(&document);
}

/* ---- random values ---- */

static uint64_t state;

static unsigned draw(unsigned below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % below;
}

static void write_scalar(ld_buf *out, bool as_key) {
  static const double floats[] = {0.5, 1.0, -1.5, 9007199254740992.0, 1e300, -0.0, 2.0};
  static const char strings[][3] = {"", "a", "ab", "b", "\0a", "a\0", "\xff"};
  static const size_t sizes[] = {0, 1, 2, 1, 2, 2, 1};
  unsigned pick = draw(7);
  switch (draw(as_key ? 4 : 6)) {
  case 0: ld_write_int(out, (int64_t)draw(4) - 1); return;
  case 1: ld_write_float(out, floats[pick]); return;
  case 2: ld_write_string(out, ld_bytes(strings[pick], sizes[pick])); return;
  case 3: ld_write_bool(out, pick & 1); return;
  case 4: ld_write_float(out, (double)NAN); return;
  default: ld_write_nil(out); return;
  }
}

static void write_random(ld_buf *out, unsigned depth);

static void write_pairs(ld_buf *out, unsigned depth) {
  ld_buf keys = {0};
  size_t opened = ld_write_open(out), count = 0, most = draw(8) == 0 ? 24 : 3;
  for (size_t tries = draw((unsigned)most + 1); tries > 0; tries--) {
    ld_buf key = {0};
    ld_slice rest = ld_buf_slice(&keys), other;
    bool taken = false;
    if (most > 3 && draw(2) == 0)
      ld_write_int(&key, draw(1000));
    else
      write_scalar(&key, true);
    while (rest.size > 0 && ld_value_take(&rest, &other))
      taken = taken || ld_same(other, ld_buf_slice(&key));
    if (!taken) {
      ld_buf_add(&keys, ld_buf_slice(&key));
      ld_buf_add(out, ld_buf_slice(&key));
      write_random(out, depth + 1);
      count++;
    }
    ld_buf_clear(&key);
  }
  ld_write_close(out, opened, LD_MAP, count);
  ld_buf_clear(&keys);
}

static void write_random(ld_buf *out, unsigned depth) {
  unsigned kind = draw(depth < 3 ? 4 : 2);
  if (kind == 2) {
    size_t count = draw(4);
    ld_write_array(out, count);
    for (size_t i = 0; i < count; i++) write_random(out, depth + 1);
  } else if (kind == 3) {
    write_pairs(out, depth);
  } else {
    write_scalar(out, false);
  }
}

/* The same value with the pairs of its maps the other way round, and its whole numbers as floats. */
static void write_twin(ld_slice value, ld_buf *out) {
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value, part;
  ld_value_next(&rest, &token);
  if (token.kind == LD_INT) {
    ld_write_float(out, (double)token.integer);
    return;
  }
  if (token.kind != LD_ARRAY && token.kind != LD_MAP) {
    ld_buf_add(out, value);
    return;
  }
  if (token.kind == LD_ARRAY) {
    ld_write_array(out, token.count);
    while (ld_value_take(&rest, &part)) write_twin(part, out);
    return;
  }
  ld_buf done = {0};
  for (uint32_t i = 0; i < token.count; i++) {
    ld_buf pair = {0};
    ld_value_take(&rest, &part);
    ld_buf_add(&pair, part);
    ld_value_take(&rest, &part);
    write_twin(part, &pair);
    ld_buf_add(&pair, ld_buf_slice(&done));
    ld_buf_clear(&done);
    done = pair;
  }
  ld_write_map(out, token.count);
  ld_buf_add(out, ld_buf_slice(&done));
  ld_buf_clear(&done);
}

/* Two random values: by comparison, by comparison without memory, by keys. */
static void check_random(void) {
  ld_buf a = {0}, b = {0}, key_a = {0}, key_b = {0};
  write_random(&a, 0);
  if (draw(3) == 0)
    write_twin(ld_buf_slice(&a), &b);
  else
    write_random(&b, 0);
  ld_order_key(&key_a, ld_buf_slice(&a), false);
  ld_order_key(&key_b, ld_buf_slice(&b), false);
  int expected = sign(ld_compare(ld_buf_slice(&key_a), ld_buf_slice(&key_b)));
  check_order(ld_buf_slice(&a), ld_buf_slice(&b), expected);
  run_out_after(0, true);
  int without = sign(ld_order(ld_buf_slice(&a), ld_buf_slice(&b)));
  refill();
  CHECK(without == expected);
  ld_buf_clear(&a);
  ld_buf_clear(&b);
  ld_buf_clear(&key_a);
  ld_buf_clear(&key_b);
}

static void check_twin(void) {
  ld_buf a = {0}, b = {0};
  write_random(&a, 0);
  write_twin(ld_buf_slice(&a), &b);
  check_order(ld_buf_slice(&a), ld_buf_slice(&b), 0);
  ld_buf_clear(&a);
  ld_buf_clear(&b);
}

/* A map of more pairs than go on the stack; the keys come in this order, or the other way round. */
static void write_many(ld_buf *out, bool backwards, int64_t last) {
  enum { PAIRS = 20 };
  ld_write_map(out, PAIRS);
  for (int i = 0; i < PAIRS; i++) {
    int key = backwards ? PAIRS - 1 - i : i;
    ld_write_int(out, key);
    ld_write_int(out, key == PAIRS - 1 ? last : key % 3);
  }
}

/* Maps that differ in the last pair only, with memory and without. */
static void check_many(int64_t last_of_a, int64_t last_of_b, int expected) {
  ld_buf a = {0}, b = {0};
  write_many(&a, false, last_of_a);
  write_many(&b, true, last_of_b);
  check_order(ld_buf_slice(&a), ld_buf_slice(&b), expected);
  run_out_after(0, true);
  int without = sign(ld_order(ld_buf_slice(&a), ld_buf_slice(&b)));
  refill();
  CHECK(without == expected && ran_out);
  ld_buf_clear(&a);
  ld_buf_clear(&b);
}

/* The deepest documents there are. */
static void check_deep(void) {
  ld_buf a = {0}, b = {0};
  for (int i = 0; i < LD_DEPTH; i++) {
    ld_buf *both[] = {&a, &b};
    for (int j = 0; j < 2; j++) {
      ld_write_map(both[j], 1);
      ld_write_text(both[j], "a");
    }
  }
  ld_write_int(&a, 1);
  ld_write_int(&b, 2);
  check_order(ld_buf_slice(&a), ld_buf_slice(&b), -1);
  ld_buf_clear(&a);
  ld_buf_clear(&b);
}

int main(void) {
  const char *given = getenv("SEED");
  state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
  printf("order: SEED=%llu\n", (unsigned long long)state);
  check_lists();
  check_classes();
  check_bytes();
  check_deep();
  check_many(1, 2, -1);
  check_many(2, 1, 1);
  check_many(1, 1, 0);
  for (int i = 0; i < 30000; i++) check_random();
  for (int i = 0; i < 5000; i++) check_twin();
  CHECK(allocated == 0);
  return check_done("order");
}
