/* test_filter_random.c -- random filters on random documents: the filter and second_filter.c say the same.
** SEED=n repeats a run. */
#include <math.h>
#include <time.h>

#include "../../csrc/filter.h"
#include "documents.h"
#include "second_filter.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { FILTERS = 50000, DOCUMENTS = 6 };

static uint64_t state;

static unsigned draw(unsigned below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % below;
}

/* ---- values ---- */

static void write_number(ld_buf *out) {
  static const double floats[] = {1.0, 0.5, -1.5, -0.0, 3.0, 1e300};
  static const int64_t large[] = {9007199254740993, INT64_MIN, INT64_MAX};
  switch (draw(10)) {
  case 0: ld_write_float(out, floats[draw(COUNT(floats))]); return;
  case 1: ld_write_float(out, (double)floats[draw(2)]); return;
  case 2: ld_write_float(out, draw(3) == 0 ? (double)NAN : 9007199254740992.0); return;
  case 3: ld_write_int(out, large[draw(COUNT(large))]); return;
  default: ld_write_int(out, (int64_t)draw(4) - 1); return;
  }
}

static void write_text(ld_buf *out) {
  static const char texts[][4] = {"", "a", "ab", "b", "ba", "a\0b", "\0", "\xff", "a\xff"};
  static const size_t sizes[] = {0, 1, 2, 1, 2, 3, 1, 1, 2};
  unsigned pick = draw(COUNT(texts));
  ld_write_string(out, ld_bytes(texts[pick], sizes[pick]));
}

static void write_value(ld_buf *out, unsigned depth);

static void write_list(ld_buf *out, size_t count, unsigned depth) {
  ld_write_array(out, count);
  for (size_t i = 0; i < count; i++) write_value(out, depth);
}

/* In any order of the keys, some of which are no strings. */
static void write_map(ld_buf *out, unsigned most, unsigned depth) {
  static const char *const names[] = {"a", "b", "0", "1"};
  size_t opened = ld_write_open(out), count = 0;
  unsigned first = draw(COUNT(names));
  for (unsigned i = 0; i < COUNT(names); i++) {
    if (draw(COUNT(names)) >= most) continue;
    ld_write_text(out, names[(i + first) % COUNT(names)]);
    write_value(out, depth);
    count++;
  }
  if (draw(10) == 0) {
    ld_write_int(out, draw(2));
    write_value(out, depth);
    count++;
  }
  ld_write_close(out, opened, LD_MAP, count);
}

static void write_value(ld_buf *out, unsigned depth) {
  switch (draw(depth > 0 ? 9 : 5)) {
  case 0: ld_write_nil(out); return;
  case 1: write_text(out); return;
  case 2: ld_write_bool(out, draw(2)); return;
  case 5:
  case 6: write_map(out, 2, depth - 1); return;
  case 7:
  case 8: write_list(out, draw(4), depth - 1); return;
  default: write_number(out); return;
  }
}

/* ---- filters ---- */

static void write_filter(ld_buf *out, unsigned depth);
static void write_operators(ld_buf *out, unsigned depth);

static void write_filters(ld_buf *out, unsigned depth) {
  size_t count = 1 + draw(3);
  ld_write_array(out, count);
  for (size_t i = 0; i < count; i++) write_filter(out, depth);
}

/* Sometimes an empty list is {}. */
static void write_empty_or_list(ld_buf *out) {
  if (draw(20) == 0)
    ld_write_map(out, 0);
  else
    write_list(out, draw(4), 2);
}

static void write_type(ld_buf *out) {
  static const char *const names[] = {"number", "int",   "double", "string", "binData",
                                      "object", "array", "bool",   "null"};
  if (draw(3) == 0) {
    ld_write_array(out, 2);
    ld_write_text(out, names[draw(COUNT(names))]);
  }
  ld_write_text(out, names[draw(COUNT(names))]);
}

static void write_all(ld_buf *out, unsigned depth) {
  size_t count = draw(3);
  ld_write_array(out, count);
  for (size_t i = 0; i < count; i++) {
    if (draw(4) > 0) {
      write_value(out, 1);
      continue;
    }
    ld_write_map(out, 1);
    ld_write_text(out, "$elemMatch");
    if (draw(2) == 0)
      write_operators(out, depth);
    else
      write_filter(out, depth);
  }
}

static void write_elem_match(ld_buf *out, unsigned depth) {
  if (draw(2) == 0)
    write_operators(out, depth);
  else
    write_filter(out, depth);
}

static void write_mod(ld_buf *out) {
  static const double divisors[] = {1, 2, 3, -2, -1, 2.5};
  ld_write_array(out, 2);
  ld_write_float(out, divisors[draw(COUNT(divisors))]);
  ld_write_int(out, (int64_t)draw(3) - 1);
}

/* The number of pairs. */
static size_t write_regex(ld_buf *out) {
  static const char *const patterns[] = {"", "^a", "b$", "a", "A"};
  bool fold = draw(2);
  ld_write_text(out, "$regex");
  ld_write_text(out, patterns[draw(COUNT(patterns))]);
  if (!fold) return 1;
  ld_write_text(out, "$options");
  ld_write_text(out, "i");
  return 2;
}

static const char *const verbs[] = {
    "$eq",   "$ne",  "$gt",     "$gte",  "$lt",  "$lte",       "$in",  "$nin",   "$exists",
    "$type", "$mod", "$prefix", "$size", "$all", "$elemMatch", "$not", "$regex",
};

static void write_operand(ld_buf *out, unsigned verb, unsigned depth) {
  switch (verb) {
  case 6:
  case 7: write_empty_or_list(out); return;
  case 8: ld_write_bool(out, draw(2)); return;
  case 9: write_type(out); return;
  case 10: write_mod(out); return;
  case 11: write_text(out); return;
  case 12: ld_write_int(out, draw(4)); return;
  case 13: write_all(out, depth); return;
  case 14: write_elem_match(out, depth); return;
  case 15: write_operators(out, depth); return;
  default: write_value(out, 2); return;
  }
}

static void write_operators(ld_buf *out, unsigned depth) {
  size_t opened = ld_write_open(out), pairs = 0;
  unsigned first = draw(COUNT(verbs)), wanted = draw(3) == 0 ? 2 : 1;
  for (unsigned i = 0; i < wanted; i++) {
    unsigned verb = (first + 5 * i) % COUNT(verbs);
    if (depth == 0 && verb >= 13 && verb <= 15) verb = 0;
    if (verb == 16) {
      pairs += write_regex(out);
      continue;
    }
    ld_write_text(out, verbs[verb]);
    write_operand(out, verb, depth > 0 ? depth - 1 : 0);
    pairs++;
    if (verb == 0) break;
  }
  ld_write_close(out, opened, LD_MAP, pairs);
}

/* One or two conditions; no name twice. */
static void write_filter(ld_buf *out, unsigned depth) {
  static const char *const paths[] = {"a",     "b",     "a.b",   "a.0", "a.1",  "b.a",
                                      "a.b.a", "a.0.b", "b.1.0", "0",   "a.a.1"};
  static const char *const connectives[] = {"$or", "$and", "$nor"};
  unsigned count = draw(10) == 0 ? 0 : 1 + draw(2), first = draw(COUNT(paths));
  size_t opened = ld_write_open(out);
  for (unsigned i = 0; i < count; i++) {
    bool connective = depth > 0 && draw(4) == 0;
    ld_write_text(out,
                  connective ? connectives[(first + i) % 3] : paths[(first + i) % COUNT(paths)]);
    if (connective)
      write_filters(out, depth - 1);
    else if (draw(3) > 0)
      write_operators(out, depth > 0 ? depth - 1 : 0);
    else
      write_value(out, 2);
  }
  ld_write_close(out, opened, LD_MAP, count);
}

/* ---- the comparison ---- */

static unsigned long matched[2];

static void check_document(const ld_filter *filter, ld_slice filter_document) {
  ld_buf document = {0};
  write_map(&document, 3, 3);
  bool expected = second_filter_holds(filter_document, ld_buf_slice(&document));
  bool got = ld_filter_match(filter, ld_buf_slice(&document));
  if (got != expected) {
    print_document(stderr, "filter", filter_document);
    print_document(stderr, expected ? "does not match" : "matches", ld_buf_slice(&document));
  }
  CHECK(got == expected);
  matched[got]++;
  ld_buf_clear(&document);
}

static void check_filter(void) {
  ld_buf document = {0};
  ld_filter *filter;
  ld_error error;
  write_filter(&document, 3);
  ld_rc rc = ld_filter_compile(ld_buf_slice(&document), &filter, &error);
  if (rc != LD_OK) print_document(stderr, error.text, ld_buf_slice(&document));
  CHECK_RC(LD_OK, rc);
  for (int i = 0; i < DOCUMENTS; i++) check_document(filter, ld_buf_slice(&document));
  ld_filter_free(filter);
  ld_buf_clear(&document);
}

int main(void) {
  const char *given = getenv("SEED");
  state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
  printf("filter_random: SEED=%llu\n", (unsigned long long)state);
  for (int i = 0; i < FILTERS; i++) check_filter();
  CHECK(matched[0] > FILTERS * DOCUMENTS / 10 && matched[1] > FILTERS * DOCUMENTS / 10);
  return check_done("filter_random");
}
