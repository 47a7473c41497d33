/* fuzz_tuple.c -- keys: parts come back, their order is the order of the bytes, and there is one key for one list of parts. */
#include <math.h>
#include <string.h>

#include "../../csrc/tuple.h"
#include "fuzz.h"

enum { PARTS = 6 };

typedef struct list {
  ld_part parts[PARTS];
  size_t count;
} list;

/* ---- parts out of the input ---- */

static uint8_t take_byte(ld_slice *input) {
  if (input->size == 0) return 0;
  *input = ld_bytes(input->data + 1, input->size - 1);
  return input->data[-1];
}

static uint64_t take_bits(ld_slice *input) {
  uint64_t bits = 0;
  for (int i = 0; i < 8; i++) bits = bits << 8 | take_byte(input);
  return bits;
}

static ld_slice take_string(ld_slice *input) {
  size_t size = take_byte(input) & 15;
  if (size > input->size) size = input->size;
  ld_slice bytes = ld_bytes(input->data, size);
  *input = ld_bytes(input->data + size, input->size - size);
  return bytes;
}

static ld_part take_part(ld_slice *input) {
  uint8_t choice = take_byte(input);
  uint64_t bits;
  double number;
  switch (choice & 7) {
  case 0: return (ld_part){.kind = LD_PART_NULL};
  case 1: return (ld_part){.kind = LD_PART_BOOL, .truth = choice >> 7};
  case 2: return (ld_part){.kind = LD_PART_INT, .integer = (int8_t)take_byte(input)};
  case 3: return (ld_part){.kind = LD_PART_INT, .integer = (int64_t)take_bits(input)};
  case 4: return (ld_part){.kind = LD_PART_FLOAT, .number = (int8_t)take_byte(input) / 8.0};
  case 5:
    bits = take_bits(input);
    memcpy(&number, &bits, 8);
    return (ld_part){.kind = LD_PART_FLOAT, .number = number};
  default: return (ld_part){.kind = LD_PART_STRING, .bytes = take_string(input)};
  }
}

static list take_list(ld_slice *input) {
  list made = {.count = take_byte(input) % (PARTS + 1)};
  for (size_t i = 0; i < made.count; i++) made.parts[i] = take_part(input);
  return made;
}

/* ---- what must come of them ---- */

static void write_part(ld_buf *key, const ld_part *part) {
  switch (part->kind) {
  case LD_PART_NULL: ld_tuple_null(key); break;
  case LD_PART_INT: ld_tuple_int(key, part->integer); break;
  case LD_PART_FLOAT: ld_tuple_float(key, part->number); break;
  case LD_PART_STRING: ld_tuple_string(key, part->bytes); break;
  case LD_PART_BOOL: ld_tuple_bool(key, part->truth); break;
  }
}

static int rank(const ld_part *part) {
  switch (part->kind) {
  case LD_PART_NULL: return 0;
  case LD_PART_INT:
  case LD_PART_FLOAT: return 1;
  case LD_PART_STRING: return 2;
  default: return part->truth ? 4 : 3;
  }
}

static int sign(bool greater, bool less) { return greater - less; }

static int compare_int_to_float(int64_t integer, double number) {
  if (isnan(number) || number < -0x1p63) return 1;
  if (number >= 0x1p63) return -1;
  int64_t whole = (int64_t)number;
  double behind =
      number - (double)whole; /* exact: where there is a fraction, whole is below 2^53 */
  if (integer != whole) return integer < whole ? -1 : 1;
  return sign(behind<0, behind> 0);
}

static int compare_numbers(const ld_part *a, const ld_part *b) {
  if (a->kind == LD_PART_INT && b->kind == LD_PART_INT)
    return sign(a->integer > b->integer, a->integer < b->integer);
  if (a->kind == LD_PART_INT) return compare_int_to_float(a->integer, b->number);
  if (b->kind == LD_PART_INT) return -compare_int_to_float(b->integer, a->number);
  if (isnan(a->number) || isnan(b->number)) return sign(!isnan(a->number), !isnan(b->number));
  return sign(a->number > b->number, a->number < b->number);
}

static int compare_parts(const ld_part *a, const ld_part *b) {
  int by_rank = rank(a) - rank(b);
  if (by_rank != 0) return by_rank;
  if (rank(a) == 1) return compare_numbers(a, b);
  return rank(a) == 2 ? ld_compare(a->bytes, b->bytes) : 0;
}

static int compare_lists(const list *a, const list *b) {
  for (size_t i = 0; i < a->count && i < b->count; i++) {
    int order = compare_parts(&a->parts[i], &b->parts[i]);
    if (order != 0) return order;
  }
  return sign(a->count > b->count, a->count < b->count);
}

static void check_comes_back(const list *parts, ld_slice key) {
  ld_buf scratch = {0};
  ld_part part;
  for (size_t i = 0; i < parts->count; i++) {
    CHECK_RC(LD_OK, ld_tuple_next(&key, &part, &scratch));
    CHECK(compare_parts(&part, &parts->parts[i]) == 0);
    if (part.kind == LD_PART_FLOAT) /* a whole number that fits is an integer */
      CHECK(part.number != trunc(part.number) || fabs(part.number) >= 0x1p63);
  }
  CHECK_RC(LD_NOTFOUND, ld_tuple_next(&key, &part, &scratch));
  ld_buf_clear(&scratch);
}

static void check_prefix(ld_slice string, ld_slice beginning) {
  ld_buf key = {0}, prefix = {0};
  ld_tuple_string(&key, string);
  ld_tuple_prefix(&prefix, beginning);
  CHECK(ld_starts_with(ld_buf_slice(&key), ld_buf_slice(&prefix)) ==
        ld_starts_with(string, beginning));
  ld_buf_clear(&key);
  ld_buf_clear(&prefix);
}

static void check_lists(ld_slice input) {
  ld_buf left = {0}, right = {0};
  list a = take_list(&input), b = take_list(&input);
  for (size_t i = 0; i < a.count; i++) write_part(&left, &a.parts[i]);
  for (size_t i = 0; i < b.count; i++) write_part(&right, &b.parts[i]);
  int want = compare_lists(&a, &b), got = ld_compare(ld_buf_slice(&left), ld_buf_slice(&right));
  CHECK(sign(want > 0, want < 0) == sign(got > 0, got < 0));
  check_comes_back(&a, ld_buf_slice(&left));
  check_comes_back(&b, ld_buf_slice(&right));
  ld_slice string = take_string(&input);
  check_prefix(string, take_string(&input));
  check_prefix(string, ld_bytes(string.data, string.size / 2));
  ld_buf_clear(&left);
  ld_buf_clear(&right);
}

/* Any bytes: no key, or the only way to write its parts. */
static void check_any(ld_slice input) {
  ld_slice rest = input;
  ld_buf scratch = {0}, again = {0};
  ld_part part;
  ld_rc rc;
  while ((rc = ld_tuple_next(&rest, &part, &scratch)) == LD_OK) write_part(&again, &part);
  CHECK(rc == LD_NOTFOUND || rc == LD_CORRUPT);
  if (rc == LD_NOTFOUND) CHECK(ld_equal(ld_buf_slice(&again), input));
  ld_buf_clear(&scratch);
  ld_buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_any(ld_bytes(data, size));
  check_lists(ld_bytes(data, size));
  return 0;
}
