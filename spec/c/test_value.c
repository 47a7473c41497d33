/* test_value.c -- documents: every wire format of the MessagePack specification read, the shortest one written, everything else refused.
**
** The vectors are written by hand from https://github.com/msgpack/msgpack/blob/master/spec.md. */
#include "../../csrc/value.h"

#include <math.h>
#include <string.h>

#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define BYTES(text) ld_bytes("" text, sizeof(text) - 1)
#define WIRE(text)  "" text, sizeof(text) - 1

static void check_written(ld_buf *buf, const char *wire, size_t size) {
  CHECK(!buf->failed);
  CHECK(ld_equal(ld_buf_slice(buf), ld_bytes(wire, size)));
  ld_buf_reset(buf);
}

/* ---- scalars ---- */

/* Each integer with its shortest form: the borders of all formats. */
static const struct {
  int64_t integer;
  const char *wire;
  size_t size;
} integers[] = {{0, WIRE("\x00")},
                {1, WIRE("\x01")},
                {127, WIRE("\x7f")},
                {128, WIRE("\xcc\x80")},
                {255, WIRE("\xcc\xff")},
                {256, WIRE("\xcd\x01\x00")},
                {65535, WIRE("\xcd\xff\xff")},
                {65536, WIRE("\xce\x00\x01\x00\x00")},
                {4294967295, WIRE("\xce\xff\xff\xff\xff")},
                {4294967296, WIRE("\xcf\x00\x00\x00\x01\x00\x00\x00\x00")},
                {1700000000000, WIRE("\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00")},
                {INT64_MAX, WIRE("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff")},
                {-1, WIRE("\xff")},
                {-32, WIRE("\xe0")},
                {-33, WIRE("\xd0\xdf")},
                {-128, WIRE("\xd0\x80")},
                {-129, WIRE("\xd1\xff\x7f")},
                {-32768, WIRE("\xd1\x80\x00")},
                {-32769, WIRE("\xd2\xff\xff\x7f\xff")},
                {-2147483647 - 1, WIRE("\xd2\x80\x00\x00\x00")},
                {-2147483649, WIRE("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff")},
                {INT64_MIN, WIRE("\xd3\x80\x00\x00\x00\x00\x00\x00\x00")}};

static int64_t read_int(ld_slice bytes) {
  ld_token token;
  CHECK(ld_value_next(&bytes, &token));
  CHECK(token.kind == LD_INT);
  CHECK(bytes.size == 0);
  return token.integer;
}

static void test_integers(void) {
  ld_buf buf = {0};
  for (size_t i = 0; i < COUNT(integers); i++) {
    ld_write_int(&buf, integers[i].integer);
    check_written(&buf, integers[i].wire, integers[i].size);
    CHECK(read_int(ld_bytes(integers[i].wire, integers[i].size)) == integers[i].integer);
  }
  ld_buf_clear(&buf);
}

/* Longer forms than needed are read as well. */
static void test_long_forms(void) {
  CHECK(read_int(BYTES("\xcc\x01")) == 1);
  CHECK(read_int(BYTES("\xcd\x00\x01")) == 1);
  CHECK(read_int(BYTES("\xce\x00\x00\x00\x01")) == 1);
  CHECK(read_int(BYTES("\xcf\x00\x00\x00\x00\x00\x00\x00\x01")) == 1);
  CHECK(read_int(BYTES("\xd0\x01")) == 1);
  CHECK(read_int(BYTES("\xd0\xff")) == -1);
  CHECK(read_int(BYTES("\xd1\x00\x80")) == 128);
  CHECK(read_int(BYTES("\xd1\xff\xff")) == -1);
  CHECK(read_int(BYTES("\xd2\x7f\xff\xff\xff")) == 2147483647);
  CHECK(read_int(BYTES("\xd2\xff\xff\xff\xfe")) == -2);
  CHECK(read_int(BYTES("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff")) == INT64_MAX);
  CHECK(read_int(BYTES("\xd3\xff\xff\xff\xff\xff\xff\xff\xfd")) == -3);
}

static double read_float(ld_slice bytes) {
  ld_token token;
  CHECK(ld_value_next(&bytes, &token));
  CHECK(token.kind == LD_FLOAT);
  CHECK(bytes.size == 0);
  return token.number;
}

static void test_floats(void) {
  ld_buf buf = {0};
  ld_write_float(&buf, 1.0);
  check_written(&buf, WIRE("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"));
  ld_write_float(&buf, -0.0);
  check_written(&buf, WIRE("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"));
  ld_write_float(&buf, 1.1);
  check_written(&buf, WIRE("\xcb\x3f\xf1\x99\x99\x99\x99\x99\x9a"));
  ld_write_float(&buf, (double)INFINITY);
  check_written(&buf, WIRE("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"));
  ld_write_float(&buf, (double)NAN);
  CHECK(isnan(read_float(ld_buf_slice(&buf))));
  CHECK(read_float(BYTES("\xcb\x3f\xf1\x99\x99\x99\x99\x99\x9a")) == 1.1);
  CHECK(signbit(read_float(BYTES("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"))) != 0);
  CHECK(read_float(BYTES("\xcb\x00\x00\x00\x00\x00\x00\x00\x01")) == 0x1p-1074);
  CHECK(read_float(BYTES("\xca\x3f\x80\x00\x00")) == 1.0);
  CHECK(read_float(BYTES("\xca\xbf\x00\x00\x00")) == -0.5);
  CHECK(read_float(BYTES("\xca\x00\x00\x00\x01")) == 0x1p-149);
  CHECK(isinf(read_float(BYTES("\xca\xff\x80\x00\x00"))));
  CHECK(isnan(read_float(BYTES("\xca\x7f\xc0\x00\x00"))));
  ld_buf_clear(&buf);
}

static void test_nil_and_booleans(void) {
  ld_buf buf = {0};
  ld_token token;
  ld_write_nil(&buf);
  ld_write_bool(&buf, false);
  ld_write_bool(&buf, true);
  check_written(&buf, WIRE("\xc0\xc2\xc3"));
  ld_slice rest = BYTES("\xc0\xc2\xc3");
  CHECK(ld_value_next(&rest, &token) && token.kind == LD_NIL);
  CHECK(ld_value_next(&rest, &token) && token.kind == LD_BOOL && !token.truth);
  CHECK(ld_value_next(&rest, &token) && token.kind == LD_BOOL && token.truth);
  CHECK(!ld_value_next(&rest, &token));
  ld_buf_clear(&buf);
}

/* ---- strings ---- */

/* A string of `size` times `byte`: the head that is written, and that it reads back. */
static void check_string(size_t size, uint8_t byte, const char *head, size_t head_size) {
  ld_buf buf = {0};
  ld_token token;
  uint8_t *bytes = malloc(size + 1);
  CHECK(bytes != NULL);
  memset(bytes, byte, size);
  ld_write_string(&buf, ld_bytes(bytes, size));
  CHECK(!buf.failed && buf.size == head_size + size);
  CHECK(memcmp(buf.data, head, head_size) == 0);
  CHECK(size == 0 || memcmp(buf.data + head_size, bytes, size) == 0);
  ld_slice rest = ld_buf_slice(&buf);
  CHECK(ld_value_next(&rest, &token));
  CHECK(token.kind == (byte < 0x80 || size == 0 ? LD_STR : LD_BIN));
  CHECK(ld_equal(token.bytes, ld_bytes(bytes, size)));
  free(bytes);
  ld_buf_clear(&buf);
}

static void test_strings(void) {
  check_string(0, 'a', WIRE("\xa0"));
  check_string(1, 'a', WIRE("\xa1"));
  check_string(31, 'a', WIRE("\xbf"));
  check_string(32, 'a', WIRE("\xd9\x20"));
  check_string(255, 'a', WIRE("\xd9\xff"));
  check_string(256, 'a', WIRE("\xda\x01\x00"));
  check_string(65535, 'a', WIRE("\xda\xff\xff"));
  check_string(65536, 'a', WIRE("\xdb\x00\x01\x00\x00"));
  check_string(1, 0xff, WIRE("\xc4\x01"));
  check_string(255, 0xff, WIRE("\xc4\xff"));
  check_string(256, 0xff, WIRE("\xc5\x01\x00"));
  check_string(65535, 0xff, WIRE("\xc5\xff\xff"));
  check_string(65536, 0xff, WIRE("\xc6\x00\x01\x00\x00"));
  check_string(3, 0x00, WIRE("\xa3"));
}

/* Well-formed UTF-8 makes a str, the rest bin: Unicode table 3-7 at its borders. */
static void test_text_or_bytes(void) {
  static const char *const text[] = {"\xc2\x80",         "\xdf\xbf",        "\xe0\xa0\x80",
                                     "\xed\x9f\xbf",     "\xee\x80\x80",    "\xf0\x90\x80\x80",
                                     "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9"};
  static const char *const bytes[] = {"\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "12345678\xff",
                                      "a\xc3"};
  ld_buf buf = {0};
  for (size_t i = 0; i < COUNT(text) + COUNT(bytes); i++) {
    bool is_text = i < COUNT(text);
    ld_write_string(&buf, ld_text(is_text ? text[i] : bytes[i - COUNT(text)]));
    CHECK(((buf.data[0] & 0xe0) == 0xa0) == is_text);
    CHECK((buf.data[0] == 0xc4) == !is_text);
    ld_buf_reset(&buf);
  }
  ld_write_text(&buf, "plain");
  check_written(&buf, WIRE("\xa5plain"));
  ld_buf_clear(&buf);
}

static ld_token read_token(ld_slice bytes) {
  ld_token token;
  CHECK(ld_value_next(&bytes, &token));
  return token;
}

static void test_string_long_forms(void) {
  CHECK(ld_equal(read_token(BYTES("\xd9\x01z")).bytes, BYTES("z")));
  CHECK(ld_equal(read_token(BYTES("\xda\x00\x01z")).bytes, BYTES("z")));
  CHECK(ld_equal(read_token(BYTES("\xdb\x00\x00\x00\x01z")).bytes, BYTES("z")));
  CHECK(ld_equal(read_token(BYTES("\xc4\x02zz")).bytes, BYTES("zz")));
  CHECK(ld_equal(read_token(BYTES("\xc5\x00\x02zz")).bytes, BYTES("zz")));
  CHECK(ld_equal(read_token(BYTES("\xc6\x00\x00\x00\x02zz")).bytes, BYTES("zz")));
  CHECK(read_token(BYTES("\xc4\x00")).kind == LD_BIN);
}

/* ---- containers ---- */

static void check_container(ld_kind kind, size_t count, const char *head, size_t head_size) {
  ld_buf at_once = {0}, opened = {0};
  size_t each = kind == LD_MAP ? 2 : 1;
  (kind == LD_MAP ? ld_write_map : ld_write_array)(&at_once, count);
  CHECK(at_once.size == head_size && memcmp(at_once.data, head, head_size) == 0);
  ld_write_int(&opened, 7); /* what stands before is left alone */
  size_t place = ld_write_open(&opened);
  for (size_t i = 0; i < count * each; i++) {
    ld_write_int(&at_once, (int64_t)(i & 0x7f));
    ld_write_int(&opened, (int64_t)(i & 0x7f));
  }
  ld_write_close(&opened, place, kind, count);
  CHECK(!at_once.failed && !opened.failed && opened.data[0] == 7);
  CHECK(ld_equal(ld_buf_slice(&at_once), ld_bytes(opened.data + 1, opened.size - 1)));
  ld_token token = read_token(ld_buf_slice(&at_once));
  CHECK(token.kind == kind && token.count == count);
  CHECK_RC(LD_OK, ld_value_check(ld_buf_slice(&at_once), NULL));
  ld_buf_clear(&at_once);
  ld_buf_clear(&opened);
}

static void test_containers(void) {
  check_container(LD_ARRAY, 0, WIRE("\x90"));
  check_container(LD_ARRAY, 15, WIRE("\x9f"));
  check_container(LD_ARRAY, 16, WIRE("\xdc\x00\x10"));
  check_container(LD_ARRAY, 65535, WIRE("\xdc\xff\xff"));
  check_container(LD_ARRAY, 65536, WIRE("\xdd\x00\x01\x00\x00"));
  check_container(LD_MAP, 0, WIRE("\x80"));
  check_container(LD_MAP, 15, WIRE("\x8f"));
  check_container(LD_MAP, 16, WIRE("\xde\x00\x10"));
  check_container(LD_MAP, 65535, WIRE("\xde\xff\xff"));
  check_container(LD_MAP, 65536, WIRE("\xdf\x00\x01\x00\x00"));
  CHECK(read_token(BYTES("\xdc\x00\x01\xc0")).count == 1);
  CHECK(read_token(BYTES("\xdd\x00\x00\x00\x01\xc0")).count == 1);
  CHECK(read_token(BYTES("\xde\x00\x01\x01\xc0")).count == 1);
  CHECK(read_token(BYTES("\xdf\x00\x00\x00\x01\x01\xc0")).count == 1);
}

static void test_take(void) {
  ld_slice rest = BYTES("\x82\xa1"
                        "a\x93\x01\x02\x91\xc0\xa1"
                        "b\x80\xc3"),
           value;
  CHECK(ld_value_take(&rest, &value));
  CHECK(value.size == 11 && rest.size == 1);
  CHECK(ld_value_take(&rest, &value));
  CHECK(ld_equal(value, BYTES("\xc3")));
  CHECK(!ld_value_take(&rest, &value));
}

static void test_field(void) {
  ld_slice value = LD_SLICE_NONE;
  ld_slice map = BYTES("\x84\x01\xa1x\xa1"
                       "a\x92\x01\x02\xc4\x01"
                       "b\xc3\xa2"
                       "aa\xc0");
  CHECK(ld_value_field(map, "a", &value) && ld_equal(value, BYTES("\x92\x01\x02")));
  CHECK(ld_value_field(map, "b", &value) &&
        ld_equal(value, BYTES("\xc3"))); /* bytes are a name too */
  CHECK(ld_value_field(map, "aa", &value) && ld_equal(value, BYTES("\xc0")));
  CHECK(!ld_value_field(map, "", &value));
  CHECK(!ld_value_field(map, "x", &value));
  CHECK(ld_equal(value, BYTES("\xc0"))); /* untouched */
  CHECK(!ld_value_field(BYTES("\x92\xa1"
                              "a\x01"),
                        "a", &value));
  CHECK(!ld_value_field(LD_SLICE_NONE, "a", &value));
}

/* ---- what is refused ---- */

static const struct {
  const char *wire;
  size_t size;
  const char *text;
} refused[] = {{WIRE(""), "cut off"},
               {WIRE("\xc1"), "no kind that is kept"},
               {WIRE("\xc7\x01\x01z"), "no kind that is kept"},
               {WIRE("\xc8\x00\x01\x01z"), "no kind that is kept"},
               {WIRE("\xc9\x00\x00\x00\x01\x01z"), "no kind that is kept"},
               {WIRE("\xd4\x01z"), "no kind that is kept"},
               {WIRE("\xd5\x01zz"), "no kind that is kept"},
               {WIRE("\xd6\xff\x00\x00\x00\x00"), "no kind that is kept"},
               {WIRE("\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x00"), "no kind that is kept"},
               {WIRE("\xd8\x01zzzzzzzzzzzzzzzz"), "no kind that is kept"},
               {WIRE("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), "no kind that is kept"},
               {WIRE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "no kind that is kept"},
               {WIRE("\xa1\xff"), "not UTF-8"},
               {WIRE("\xd9\x02\xc3("), "not UTF-8"},
               {WIRE("\x81\xa1\xff\xc0"), "not UTF-8"},
               {WIRE("\x81\xc0\x01"), "map key"},
               {WIRE("\x81\x90\x01"), "map key"},
               {WIRE("\x81\x80\x01"), "map key"},
               {WIRE("\x81\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00\x01"), "NaN"},
               {WIRE("\x81\xca\x7f\xc0\x00\x00\x01"), "NaN"},
               {WIRE("\x91\x81\xc0\x01"), "map key"},
               {WIRE("\x01\x02"), "something follows"},
               {WIRE("\x91\xc0\xc0"), "something follows"},
               {WIRE("\xdd\xff\xff\xff\xff\xc0"), "cut off"},
               {WIRE("\xdf\xff\xff\xff\xff\xc0\xc0"), "cut off"},
               {WIRE("\xdb\xff\xff\xff\xffz"), "cut off"},
               {WIRE("\xc6\xff\xff\xff\xffz"), "cut off"}};

static void test_check_refuses(void) {
  for (size_t i = 0; i < COUNT(refused); i++) {
    ld_error error = {0};
    if (ld_value_check(ld_bytes(refused[i].wire, refused[i].size), &error) == LD_OK)
      fprintf(stderr, "bad %zu\n", i);
    CHECK_RC(LD_INVALID, ld_value_check(ld_bytes(refused[i].wire, refused[i].size), &error));
    CHECK(strstr(error.text, refused[i].text) != NULL);
    CHECK(strstr(error.text, "near byte ") != NULL);
  }
}

static void test_check_accepts(void) {
  static const struct {
    const char *wire;
    size_t size;
  } good[] = {{WIRE("\xc0")},
              {WIRE("\xc4\x01\xff")},
              {WIRE("\x81\xc4\x01\xff\xc0")},
              {WIRE("\x83\x01\xc0\xc2\xc0\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xc0")},
              {WIRE("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00")},
              {WIRE("\x81\x01\x81\x01\x90")}};
  for (size_t i = 0; i < COUNT(good); i++)
    CHECK_RC(LD_OK, ld_value_check(ld_bytes(good[i].wire, good[i].size), NULL));
}

/* `levels` arrays, or maps, one inside the other. */
static void nest(ld_buf *buf, unsigned levels, bool maps) {
  ld_buf_reset(buf);
  for (unsigned i = 0; i + 1 < levels; i++)
    ld_buf_add(buf, maps ? BYTES("\x81\x01") : BYTES("\x91"));
  ld_buf_byte(buf, maps ? 0x80 : 0x90);
}

static void test_depth(void) {
  ld_buf buf = {0};
  ld_error error = {0};
  for (int maps = 0; maps <= 1; maps++) {
    nest(&buf, LD_DEPTH, maps != 0);
    CHECK_RC(LD_OK, ld_value_check(ld_buf_slice(&buf), &error));
    nest(&buf, LD_DEPTH + 1, maps != 0);
    CHECK_RC(LD_INVALID, ld_value_check(ld_buf_slice(&buf), &error));
    CHECK(strstr(error.text, "128") != NULL);
  }
  nest(&buf, 1000000, false);
  CHECK_RC(LD_INVALID, ld_value_check(ld_buf_slice(&buf), &error));
  ld_buf_clear(&buf);
}

/* ---- truncated, and any bytes ---- */

static ld_slice sample(void) {
  return BYTES(
      "\xde\x00\x06\xa4name\xd9\x05lobby\x01\xcd\x12\x34\xc2\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"
      "\xa4list\xdc\x00\x03\xc0\xca\x3f\x80\x00\x00\xd2\xff\x00\x00\x00\xa3"
      "bin\xc5\x00\x02\xff\xfe\xa3"
      "big\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00");
}

/* On memory of exactly that size, so that a sanitizer sees a read past the end. */
static ld_rc check_copy(const uint8_t *data, size_t size, bool *taken) {
  uint8_t *copy = malloc(size + (size == 0));
  ld_slice value;
  CHECK(copy != NULL);
  memcpy(copy, data, size);
  ld_slice rest = ld_bytes(copy, size);
  *taken = ld_value_take(&rest, &value) && rest.size == 0;
  ld_rc rc = ld_value_check(ld_bytes(copy, size), NULL);
  ld_value_field(ld_bytes(copy, size), "name", &value);
  free(copy);
  return rc;
}

static void test_truncated(void) {
  bool taken;
  ld_slice whole = sample();
  CHECK_RC(LD_OK, check_copy(whole.data, whole.size, &taken));
  CHECK(taken);
  for (size_t size = 0; size < whole.size; size++) {
    CHECK_RC(LD_INVALID, check_copy(whole.data, size, &taken));
    CHECK(!taken);
  }
}

/* Whatever the bytes: what the check accepts can be taken, in one piece. */
static void test_damaged(void) {
  uint8_t bytes[128];
  uint64_t seed = 7;
  unsigned accepted = 0;
  bool taken;
  ld_slice whole = sample();
  for (int round = 0; round < 200000; round++) {
    memcpy(bytes, whole.data, whole.size);
    for (int i = 0; i < 2; i++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      bytes[(seed >> 33) % whole.size] = (uint8_t)(seed >> 56);
    }
    ld_rc rc = check_copy(bytes, whole.size, &taken);
    accepted += rc == LD_OK;
    CHECK(rc == LD_INVALID || (rc == LD_OK && taken));
  }
  CHECK(accepted > 1000 && accepted < 199000);
}

/* ---- paths ---- */

static void test_paths(void) {
  ld_buf path = {0};
  ld_path_key(&path, &(ld_token){.kind = LD_STR, .bytes = ld_text("ratings")});
  ld_path_key(&path, &(ld_token){.kind = LD_STR, .bytes = ld_text("media-1")});
  ld_path_index(&path, 3);
  check_written(&path, WIRE("ratings.media-1[3]"));
  ld_path_key(&path, &(ld_token){.kind = LD_STR, .bytes = ld_text("a")});
  ld_path_key(&path, &(ld_token){.kind = LD_STR, .bytes = ld_text("b c")});
  ld_path_key(&path, &(ld_token){.kind = LD_BIN, .bytes = BYTES("\xff\0")});
  ld_path_key(&path, &(ld_token){.kind = LD_STR, .bytes = ld_text("")});
  ld_path_key(&path, &(ld_token){.kind = LD_INT, .integer = -7});
  ld_path_key(&path, &(ld_token){.kind = LD_FLOAT, .number = 1.5});
  ld_path_key(&path, &(ld_token){.kind = LD_BOOL, .truth = true});
  check_written(&path, WIRE("a[\"b c\"][\"\\xff\\x00\"][\"\"][-7][1.5][true]"));
  ld_buf_clear(&path);
  CHECK(strcmp(ld_kind_name(LD_MAP), "a map") == 0);
}

int main(void) {
  test_integers();
  test_long_forms();
  test_floats();
  test_nil_and_booleans();
  test_strings();
  test_text_or_bytes();
  test_string_long_forms();
  test_containers();
  test_take();
  test_field();
  test_check_refuses();
  test_check_accepts();
  test_depth();
  test_truncated();
  test_damaged();
  test_paths();
  return check_done("value");
}
