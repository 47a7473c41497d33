/* test_tuple.c -- keys: the vectors of csrc/README.md ("Keys"), order against a comparison of the values, reading back, refusing.
**
** The order is checked on pairs: whatever two parts are, their encodings compare as `compare_parts` says, which knows
** nothing of encodings. */
#include "../../csrc/tuple.h"

#include <math.h>
#include <string.h>

#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define N                                                                                          \
  { .kind = LD_PART_NULL }
#define I(value)                                                                                   \
  { .kind = LD_PART_INT, .integer = (value) }
#define F(value)                                                                                   \
  { .kind = LD_PART_FLOAT, .number = (double)(value) }
#define B(value)                                                                                   \
  { .kind = LD_PART_BOOL, .truth = (value) }
#define S(text)                                                                                    \
  {                                                                                                \
    .kind = LD_PART_STRING, .bytes = {(const uint8_t *)(text), sizeof(text) - 1 }                  \
  }

/* clang-format off */
static const struct vector {
  size_t count;
  ld_part parts[3];
  const char *hex;
} vectors[] = {
  {1, {N}, "05"},
  {1, {F(NAN)}, "10"},
  {1, {F(-INFINITY)}, "11800fffffffffffff"},
  {1, {F(-1e300)}, "1181c81bc377ff8a63"},
  {1, {F(-9223372036854777856.0)}, "11bc1ffffffffffffe"},
  {1, {I(INT64_MIN)}, "11bc1fffffffffffff"},
  {1, {F(-9223372036854775808.0)}, "11bc1fffffffffffff"},
  {1, {I(-9223372036854775807)}, "120000000000000001"},
  {1, {I(-9007199254740993)}, "13bffffffffffffd"},
  {1, {I(-256)}, "18fdff"},
  {1, {I(-128)}, "18feff"},
  {1, {I(-127)}, "1901"},
  {1, {I(-2)}, "19fb"},
  {1, {F(-1.5)}, "19fc7fffffffffffff"},
  {1, {I(-1)}, "19fd"},
  {1, {F(-1.0)}, "19fd"},
  {1, {F(-0.5)}, "1ac01fffffffffffff"},
  {1, {F(-0x1p-1074)}, "1afffffffffffffffe"},
  {1, {F(-0.0)}, "1b"},
  {1, {I(0)}, "1b"},
  {1, {F(0x1p-1074)}, "1c0000000000000001"},
  {1, {F(0.1)}, "1c3fb999999999999a"},
  {1, {F(0.5)}, "1c3fe0000000000000"},
  {1, {I(1)}, "1d02"},
  {1, {F(1.0)}, "1d02"},
  {1, {F(1.1)}, "1d03199999999999a0"},
  {1, {F(1.5)}, "1d0380000000000000"},
  {1, {I(2)}, "1d04"},
  {1, {I(127)}, "1dfe"},
  {1, {F(127.5)}, "1dff80000000000000"},
  {1, {I(128)}, "1e0100"},
  {1, {I(255)}, "1e01fe"},
  {1, {I(256)}, "1e0200"},
  {1, {I(32767)}, "1efffe"},
  {1, {I(32768)}, "1f010000"},
  {1, {I(1700000000000)}, "2203179fcad000"},
  {1, {F(4503599627370495.5)}, "231fffffffffffff80000000000000"},
  {1, {F(9007199254740992.0)}, "2340000000000000"},
  {1, {I(9007199254740993)}, "2340000000000002"},
  {1, {F(9223372036854774784.0)}, "24fffffffffffff800"},
  {1, {I(INT64_MAX)}, "24fffffffffffffffe"},
  {1, {F(9223372036854775808.0)}, "2543e0000000000000"},
  {1, {F(1e300)}, "257e37e43c8800759c"},
  {1, {F(INFINITY)}, "257ff0000000000000"},
  {1, {S("")}, "3000"},
  {1, {S("\0")}, "3000ff00"},
  {1, {S("\0\0")}, "3000ff00ff00"},
  {1, {S("\0\xff")}, "3000ffff00"},
  {1, {S("\x01")}, "300100"},
  {1, {S("a")}, "306100"},
  {1, {S("a\0" "b")}, "306100ff6200"},
  {1, {S("ab")}, "30616200"},
  {1, {S("gr\xc3\xb6\xc3\x9f" "e")}, "306772c3b6c39f6500"},
  {1, {S("\xff")}, "30ff00"},
  {1, {S("\xff\0")}, "30ff00ff00"},
  {1, {B(false)}, "60"},
  {1, {B(true)}, "61"},
  {2, {S("a"), I(1)}, "3061001d02"},
  {2, {S("a"), S("b")}, "306100306200"},
  {2, {S("a\0"), N}, "306100ff0005"},
  {3, {I(1), S("a"), B(true)}, "1d0230610061"},
  {2, {I(12), S("movie-150")}, "1d18306d6f7669652d31353000"},
};
/* clang-format on */

/* ---- what a key should be ---- */

static void write_part(ld_buf *key, const ld_part *part) {
  switch (part->kind) {
  case LD_PART_NULL: ld_tuple_null(key); break;
  case LD_PART_INT: ld_tuple_int(key, part->integer); break;
  case LD_PART_FLOAT: ld_tuple_float(key, part->number); break;
  case LD_PART_STRING: ld_tuple_string(key, part->bytes); break;
  case LD_PART_BOOL: ld_tuple_bool(key, part->truth); break;
  }
}

static int sign(int order) { return (order > 0) - (order < 0); }

/* Exact: a float is split into its whole part, which int64 holds, and the rest. */
static int compare_int_float(int64_t integer, double number) {
  if (isnan(number)) return 1;
  if (number >= 0x1p63) return -1;
  if (number < -0x1p63) return 1;
  int64_t whole = (int64_t)number;
  double rest = number - (double)whole;
  if (integer != whole) return integer < whole ? -1 : 1;
  return (rest < 0) - (rest > 0);
}

static int compare_floats(double a, double b) {
  if (isnan(a) || isnan(b)) return (isnan(a) == 0) - (isnan(b) == 0);
  return (a > b) - (a < b);
}

static int compare_numbers(const ld_part *a, const ld_part *b) {
  if (a->kind == LD_PART_INT && b->kind == LD_PART_INT)
    return (a->integer > b->integer) - (a->integer < b->integer);
  if (a->kind == LD_PART_INT) return compare_int_float(a->integer, b->number);
  if (b->kind == LD_PART_INT) return -compare_int_float(b->integer, a->number);
  return compare_floats(a->number, b->number);
}

static int rank_of(const ld_part *part) {
  static const int ranks[] = {[LD_PART_NULL] = 0,
                              [LD_PART_INT] = 1,
                              [LD_PART_FLOAT] = 1,
                              [LD_PART_STRING] = 2,
                              [LD_PART_BOOL] = 3};
  return ranks[part->kind];
}

static int compare_parts(const ld_part *a, const ld_part *b) {
  int rank = rank_of(a);
  if (rank != rank_of(b)) return rank < rank_of(b) ? -1 : 1;
  if (rank == 1) return compare_numbers(a, b);
  if (rank == 2) return sign(ld_compare(a->bytes, b->bytes));
  return rank == 3 ? (int)a->truth - (int)b->truth : 0;
}

/* ---- vectors ---- */

static void to_hex(ld_slice bytes, ld_buf *hex) {
  ld_buf_reset(hex);
  for (size_t i = 0; i < bytes.size; i++) ld_buf_printf(hex, "%02x", bytes.data[i]);
  ld_buf_byte(hex, 0);
}

static void test_vectors(void) {
  ld_buf key = {0}, hex = {0};
  for (size_t i = 0; i < COUNT(vectors); i++) {
    ld_buf_reset(&key);
    for (size_t p = 0; p < vectors[i].count; p++) write_part(&key, &vectors[i].parts[p]);
    to_hex(ld_buf_slice(&key), &hex);
    CHECK(strcmp((char *)hex.data, vectors[i].hex) == 0);
  }
  ld_buf_clear(&key);
  ld_buf_clear(&hex);
}

/* ---- order, and back ---- */

/* What reading a part gives: a whole number of int64's range is an integer, whatever wrote it. */
static void check_read(ld_slice key, const ld_part *part) {
  ld_buf scratch = {0};
  ld_part got, again;
  CHECK_RC(LD_OK, ld_tuple_next(&key, &got, &scratch));
  CHECK(key.size == 0);
  CHECK_RC(LD_NOTFOUND, ld_tuple_next(&key, &again, &scratch));
  bool number = part->kind == LD_PART_FLOAT;
  bool whole = number && part->number >= -0x1p63 && part->number < 0x1p63 &&
               part->number == floor(part->number);
  CHECK(got.kind == (whole ? LD_PART_INT : part->kind));
  if (got.kind == LD_PART_FLOAT && isnan(part->number))
    CHECK(isnan(got.number));
  else
    CHECK(compare_parts(&got, part) == 0);
  ld_buf_clear(&scratch);
}

static void check_pair(const ld_part *a, const ld_part *b) {
  uint8_t room[2][64];
  ld_buf keys[2] = {{.data = room[0], .capacity = 64}, {.data = room[1], .capacity = 64}};
  write_part(&keys[0], a);
  write_part(&keys[1], b);
  int want = compare_parts(a, b),
      got = sign(ld_compare(ld_buf_slice(&keys[0]), ld_buf_slice(&keys[1])));
  CHECK(want == got);
}

enum { NUMBERS = 4000 };
static ld_part numbers[NUMBERS];
static size_t number_count;

static void add_int(int64_t integer) {
  if (number_count < NUMBERS) numbers[number_count++] = (ld_part)I(integer);
}

static void add_float(double number) {
  if (number_count < NUMBERS) numbers[number_count++] = (ld_part)F(number);
}

/* A power of two as an integer and a float, and their neighbours, above and below zero. */
static void add_around(int power) {
  double two = ldexp(1, power);
  for (int s = -1; s <= 1; s += 2) {
    add_float(s * two);
    add_float(s * nextafter(two, 0));
    add_float(s * nextafter(two, INFINITY));
    add_float(s * (two + 0.5));
    add_float(s * (two + 1));
    if (power < 0 || power > 62) continue;
    for (int64_t d = -1; d <= 1; d++) add_int(s * ((int64_t)1 << power) + s * d);
  }
}

static void gather_numbers(void) {
  static const double odd[] = {0.0,       -0.0,       NAN,    INFINITY, -INFINITY,
                               0x1p-1074, -0x1p-1074, 1e-300, -1e-300,  1e300,
                               -1e300,    0.1,        -0.1,   1.1,      -1.1,
                               1e15 + .5, -1e15 - .5, 127.5,  128.25,   1.7976931348623157e308};
  for (size_t i = 0; i < COUNT(odd); i++) add_float(odd[i]);
  add_int(INT64_MIN);
  add_int(INT64_MIN + 1);
  add_int(INT64_MAX);
  for (int64_t i = -300; i <= 300; i += 3) add_int(i);
  static const int powers[] = {-1074, -1023, -1022, -60, -52, -1, 0,  1,  6,  7,  8,   14,
                               15,    16,    22,    23,  24,  31, 32, 39, 40, 47, 48,  51,
                               52,    53,    54,    55,  56,  61, 62, 63, 64, 65, 127, 1023};
  for (size_t i = 0; i < COUNT(powers); i++) add_around(powers[i]);
  CHECK(number_count > 700 && number_count < NUMBERS);
}

static void test_numbers(void) {
  uint8_t room[64];
  gather_numbers();
  for (size_t a = 0; a < number_count; a++) {
    ld_buf key = {.data = room, .capacity = sizeof room};
    write_part(&key, &numbers[a]);
    check_read(ld_buf_slice(&key), &numbers[a]);
    for (size_t b = 0; b < number_count; b++) check_pair(&numbers[a], &numbers[b]);
  }
}

static uint64_t seed = 20240229;
static uint64_t next_random(void) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return seed * 0x2545f4914f6cdd1du;
}

/* A number of any size; half of the time near another. */
static ld_part random_number(const ld_part *near) {
  uint64_t bits = next_random();
  ld_part part = I((int64_t)(bits >> (next_random() % 64)));
  if (bits & 1) part.integer = -part.integer;
  if (bits & 2) {
    part.kind = LD_PART_FLOAT;
    memcpy(&part.number, &bits, 8);
    if (bits & 4) part.number = ldexp((double)(int64_t)bits, -(int)(next_random() % 80));
  }
  if (near == NULL || (bits & 8) == 0) return part;
  if (near->kind == LD_PART_INT)
    return (ld_part)F((double)near->integer + (double)((int)(bits >> 32) % 3));
  bool fits = fabs(near->number) < 0x1p62;
  return fits ? (ld_part)I((int64_t)near->number + (int64_t)(bits >> 32) % 3) : part;
}

static void test_random_numbers(void) {
  uint8_t room[64];
  for (int i = 0; i < 200000; i++) {
    ld_part a = random_number(NULL), b = random_number(&a);
    ld_buf key = {.data = room, .capacity = sizeof room};
    write_part(&key, &b);
    check_read(ld_buf_slice(&key), &b);
    check_pair(&a, &b);
  }
}

static const ld_part mixed[] = {N,
                                F(NAN),
                                F(-INFINITY),
                                I(INT64_MIN),
                                I(-1),
                                I(0),
                                F(0.5),
                                I(1),
                                F(0x1p63),
                                S(""),
                                S("\0"),
                                S("\0\0"),
                                S("\0\xff"),
                                S("\0\1"),
                                S("\1"),
                                S("\4"),
                                S("\5"),
                                S("\x1b"),
                                S("a"),
                                S("a\0"),
                                S("a\0\0"),
                                S("a\0\xff"),
                                S("a\0"
                                  "b"),
                                S("a\1"),
                                S("ab"),
                                S("a\xff"),
                                S("a\xff\xff"),
                                S("b"),
                                S("gr\xc3\xb6\xc3\x9f"
                                  "e"),
                                S("\xff"),
                                S("\xff\0"),
                                S("\xff\xff"),
                                B(false),
                                B(true)};

/* Tuples of up to three parts: order part by part, the shorter first, and every one reads back. */
static void test_tuples(void) {
  enum { M = COUNT(mixed), SIZE = 64 };
  static uint8_t rooms[M * M + M + 1][SIZE];
  static ld_slice keys[M * M + M + 1];
  static size_t first[M * M + M + 1], second[M * M + M + 1]; /* M: no such part */
  size_t count = 0;
  for (size_t a = 0; a <= M; a++)
    for (size_t b = 0; b <= (a == M ? 0 : M); b++, count++) {
      ld_buf key = {.data = rooms[count], .capacity = SIZE};
      if (a < M) write_part(&key, &mixed[a]);
      if (a < M && b < M) write_part(&key, &mixed[b]);
      keys[count] = ld_buf_slice(&key);
      first[count] = a;
      second[count] = a < M ? b : M;
    }
  for (size_t x = 0; x < count; x++)
    for (size_t y = 0; y < count; y++) {
      int want = (first[x] < M) - (first[y] < M);
      if (first[x] < M && first[y] < M) want = compare_parts(&mixed[first[x]], &mixed[first[y]]);
      if (want == 0 && (second[x] == M || second[y] == M))
        want = (second[x] < M) - (second[y] < M);
      else if (want == 0)
        want = compare_parts(&mixed[second[x]], &mixed[second[y]]);
      CHECK(sign(ld_compare(keys[x], keys[y])) == want);
    }
}

static void test_strings_read_back(void) {
  ld_buf key = {0}, scratch = {0};
  for (size_t a = 0; a < COUNT(mixed); a++) {
    ld_part got;
    ld_buf_reset(&key);
    write_part(&key, &mixed[a]);
    check_read(ld_buf_slice(&key), &mixed[a]);
    write_part(&key, &mixed[COUNT(mixed) - 1 - a]);
    ld_slice rest = ld_buf_slice(&key);
    CHECK_RC(LD_OK, ld_tuple_next(&rest, &got, &scratch));
    if (rank_of(&mixed[a]) != 1) CHECK(compare_parts(&got, &mixed[a]) == 0);
    check_read(rest, &mixed[COUNT(mixed) - 1 - a]);
  }
  ld_buf_clear(&key);
  ld_buf_clear(&scratch);
}

/* The prefix of a string begins exactly the strings that begin with it. */
static void test_prefixes(void) {
  ld_buf prefix = {0}, key = {0};
  for (size_t a = 0; a < COUNT(mixed); a++)
    for (size_t b = 0; b < COUNT(mixed); b++) {
      if (mixed[a].kind != LD_PART_STRING || mixed[b].kind != LD_PART_STRING) continue;
      ld_buf_reset(&prefix);
      ld_buf_reset(&key);
      ld_tuple_prefix(&prefix, mixed[a].bytes);
      ld_tuple_string(&key, mixed[b].bytes);
      CHECK(ld_starts_with(ld_buf_slice(&key), ld_buf_slice(&prefix)) ==
            ld_starts_with(mixed[b].bytes, mixed[a].bytes));
    }
  ld_buf_clear(&prefix);
  ld_buf_clear(&key);
}

/* ---- what is no key ---- */

/* Read all parts and write them again: the only tuple that is accepted is the one that is written. */
static bool survives(ld_slice key, ld_buf *again) {
  ld_buf scratch = {0};
  ld_part part;
  ld_rc rc;
  ld_slice rest = key;
  ld_buf_reset(again);
  while ((rc = ld_tuple_next(&rest, &part, &scratch)) == LD_OK) write_part(again, &part);
  ld_buf_clear(&scratch);
  CHECK(rc == LD_NOTFOUND || rc == LD_CORRUPT);
  return rc == LD_NOTFOUND;
}

static void check_canonical(ld_slice key, ld_buf *again) {
  if (!survives(key, again)) return;
  CHECK(ld_equal(ld_buf_slice(again), key));
}

static void test_truncated(void) {
  ld_buf key = {0}, scratch = {0};
  for (size_t i = 0; i < COUNT(vectors); i++) {
    if (vectors[i].count != 1) continue;
    ld_buf_reset(&key);
    write_part(&key, &vectors[i].parts[0]);
    for (size_t size = 1; size < key.size; size++) {
      uint8_t *exact = malloc(size); /* so that a sanitizer sees a read past the end */
      ld_part part;
      CHECK(exact != NULL);
      memcpy(exact, key.data, size);
      ld_slice rest = ld_bytes(exact, size);
      /* cut inside of an escape, a string reads as the one before its zero byte */
      bool shorter = exact[0] == 0x30 && size > 1 && exact[size - 1] == 0;
      CHECK_RC(shorter ? LD_OK : LD_CORRUPT, ld_tuple_next(&rest, &part, &scratch));
      free(exact);
    }
  }
  ld_buf_clear(&key);
  ld_buf_clear(&scratch);
}

static void test_refused(void) {
  static const struct {
    const char *bytes;
    size_t size;
  } bad[] = {{"\x00", 1},                       /* no tag */
             {"\x04", 1},                       /* reserved */
             {"\x40", 1},                       /* reserved */
             {"\x50", 1},                       /* reserved */
             {"\x62", 1},                       /* no tag */
             {"\xff", 1},                       /* no tag */
             {"\x1d\x00", 2},                   /* zero as a magnitude */
             {"\x1d\x01\x80\0\0\0\0\0\0", 9},   /* a half as a magnitude */
             {"\x1e\x00\x02", 3},               /* a byte too many */
             {"\x19\xff", 2},                   /* minus zero */
             {"\x18\xff\xfd", 3},               /* a byte too many, below zero */
             {"\x1d\x03\0\0\0\0\0\0\0", 9},     /* a fraction of nothing */
             {"\x1d\x03\x80\0\0\0\0\0\x01", 9}, /* a fraction finer than a float has */
             {"\x24\xff\xff\xff\xff\xff\xff\xff\xff\x80\0\0\0\0\0\0",
              16},                                        /* a whole part finer than that */
             {"\x1c\0\0\0\0\0\0\0\0", 9},                 /* zero as a fraction */
             {"\x1c\x3f\xf0\0\0\0\0\0\0", 9},             /* one as a fraction */
             {"\x1c\x7f\xf8\0\0\0\0\0\0", 9},             /* NaN */
             {"\x25\x43\xdf\xff\xff\xff\xff\xff\xff", 9}, /* below 2^63 */
             {"\x25\x7f\xf8\0\0\0\0\0\0", 9},             /* NaN */
             {"\x25\xff\xf0\0\0\0\0\0\0", 9},             /* -infinity among the positive */
             {"\x30"
              "abc",
              4}, /* no end */
             {"\x30"
              "a\0\xff",
              4}}; /* no end behind a zero byte */
  ld_buf again = {0};
  for (size_t i = 0; i < COUNT(bad); i++) {
    CHECK(!survives(ld_bytes(bad[i].bytes, bad[i].size), &again));
  }
  ld_buf_clear(&again);
}

static void test_mutations(void) {
  ld_buf key = {0}, again = {0};
  for (int round = 0; round < 300000; round++) {
    uint64_t random = next_random();
    const struct vector *vector = &vectors[random % COUNT(vectors)];
    ld_buf_reset(&key);
    for (size_t p = 0; p < vector->count; p++) write_part(&key, &vector->parts[p]);
    size_t at = (size_t)(random >> 16) % key.size;
    uint64_t byte =
        (random >> 40) & 1 ? random >> 48 : key.data[at] ^ (uint64_t)1 << (random >> 48 & 7);
    key.data[at] = (uint8_t)byte;
    check_canonical(ld_buf_slice(&key), &again);
  }
  ld_buf_clear(&key);
  ld_buf_clear(&again);
}

int main(void) {
  test_vectors();
  test_numbers();
  test_random_numbers();
  test_tuples();
  test_strings_read_back();
  test_prefixes();
  test_truncated();
  test_refused();
  test_mutations();
  return check_done("tuple");
}
