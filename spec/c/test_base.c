/* test_base.c -- codes, slices, UTF-8, errors, quotes, buffers and varints. */
#include <limits.h>
#include <string.h>

#include "check.h"
#include "failing_malloc.h"

#define BYTES(text) ld_bytes("" text, sizeof(text) - 1)

/* ---- codes and slices ---- */

static void test_codes(void) {
  static const char *const names[] = {"OK",          "NOTFOUND", "EXISTS",  "CONFLICT", "BUSY",
                                      "FULL",        "TOOBIG",   "INVALID", "CORRUPT",  "IO",
                                      "UNSUPPORTED", "CLOSED",   "MISUSE",  "NOMEM"};
  for (int rc = LD_OK; rc <= LD_NOMEM; rc++) CHECK(strcmp(ld_rc_name((ld_rc)rc), names[rc]) == 0);
  CHECK(strcmp(ld_rc_name((ld_rc)(LD_NOMEM + 1)), "UNKNOWN") == 0);
  CHECK(strcmp(ld_rc_name((ld_rc)-1), "UNKNOWN") == 0);
}

static void check_order(ld_slice less, ld_slice more) {
  CHECK(ld_compare(less, more) < 0 && ld_compare(more, less) > 0);
  CHECK(!ld_equal(less, more) && !ld_equal_secret(less, more) && !ld_equal_secret(more, less));
}

static void test_slices(void) {
  check_order(LD_SLICE_NONE, BYTES("\0"));
  check_order(BYTES("a"), BYTES("a\0"));
  check_order(BYTES("a\xff"), BYTES("b"));
  check_order(BYTES("\x7f"), BYTES("\x80"));
  check_order(BYTES("aa"), BYTES("aaa"));
  check_order(BYTES("abab"), BYTES("ababab")); /* the shorter one repeated */
  CHECK(ld_compare(BYTES("a\0b"), BYTES("a\0b")) == 0);
  CHECK(ld_equal(BYTES("a\0b"), BYTES("a\0b")) && ld_equal_secret(BYTES("a\0b"), BYTES("a\0b")));
  CHECK(ld_equal(LD_SLICE_NONE, BYTES("")) && ld_equal_secret(BYTES(""), LD_SLICE_NONE));
  CHECK(!ld_equal_secret(LD_SLICE_NONE, BYTES("\0")) && !ld_equal_secret(BYTES("x"), BYTES("")));
  CHECK(ld_starts_with(BYTES("abc"), BYTES("ab")) && ld_starts_with(BYTES("ab"), BYTES("ab")));
  CHECK(ld_starts_with(BYTES("ab"), LD_SLICE_NONE) && ld_starts_with(LD_SLICE_NONE, BYTES("")));
  CHECK(!ld_starts_with(BYTES("ab"), BYTES("abc")) && !ld_starts_with(BYTES("ab"), BYTES("b")));
  CHECK(ld_text(NULL).size == 0 && ld_text("abc").size == 3);
}

/* ---- UTF-8 ---- */

/* Unicode, table 3-7: the ranges of the bytes of each well-formed sequence. */
static const struct form {
  size_t length;
  uint8_t low[4], high[4];
} forms[] = {
    {1, {0x00}, {0x7f}},
    {2, {0xc2, 0x80}, {0xdf, 0xbf}},
    {3, {0xe0, 0xa0, 0x80}, {0xe0, 0xbf, 0xbf}},
    {3, {0xe1, 0x80, 0x80}, {0xec, 0xbf, 0xbf}},
    {3, {0xed, 0x80, 0x80}, {0xed, 0x9f, 0xbf}},
    {3, {0xee, 0x80, 0x80}, {0xef, 0xbf, 0xbf}},
    {4, {0xf0, 0x90, 0x80, 0x80}, {0xf0, 0xbf, 0xbf, 0xbf}},
    {4, {0xf1, 0x80, 0x80, 0x80}, {0xf3, 0xbf, 0xbf, 0xbf}},
    {4, {0xf4, 0x80, 0x80, 0x80}, {0xf4, 0x8f, 0xbf, 0xbf}},
};

static bool has_form(const uint8_t *bytes, size_t size, const struct form *form) {
  if (size != form->length) return false;
  for (size_t i = 0; i < size; i++)
    if (bytes[i] < form->low[i] || bytes[i] > form->high[i]) return false;
  return true;
}

static bool is_sequence(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (has_form(bytes, size, &forms[i])) return true;
  return false;
}

/* Two sequences may follow one another in a few bytes; a first byte that is no ASCII leaves one. */
static void check_sequence(const uint8_t *bytes, size_t size) {
  if (ld_is_utf8(ld_bytes(bytes, size)) == is_sequence(bytes, size)) return;
  fprintf(stderr, "%02x %02x %02x %02x of %zu\n", bytes[0], bytes[1], bytes[2], bytes[3], size);
  CHECK(false);
}

static void test_utf8_sequences(void) {
  static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
  for (unsigned first = 0x80; first < 0x100; first++)
    for (unsigned second = 0; second < 0x100; second++)
      for (size_t i = 0; i < sizeof edges; i++)
        for (size_t j = 0; j < sizeof edges; j++) {
          uint8_t bytes[] = {(uint8_t)first, (uint8_t)second, edges[i], edges[j]};
          for (size_t size = 1; size <= 4; size++) {
            bool apart = size > 1 && is_sequence(bytes, size - 1) && bytes[size - 1] < 0x80;
            if (size == 4 && is_sequence(bytes, 2) && is_sequence(bytes + 2, 2)) continue;
            if (size == 4 && is_sequence(bytes, 2) && bytes[2] < 0x80 && bytes[3] < 0x80) continue;
            if (!apart) check_sequence(bytes, size);
          }
        }
  check_passed++;
}

/* A good or bad sequence is found behind and before any number of ASCII bytes: eight of them are skipped at once. */
static void test_utf8_in_text(void) {
  static const char *const good[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  static const char *const bad[] = {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"};
  char text[64];
  for (size_t before = 0; before < 20; before++)
    for (size_t after = 0; after < 20; after++)
      for (size_t i = 0; i < 8; i++) {
        const char *middle = i < 3 ? good[i] : bad[i - 3];
        size_t size = strlen(middle);
        memset(text, 'a', sizeof text);
        memcpy(text + before, middle, size);
        CHECK(ld_is_utf8(ld_bytes(text, before + size + after)) == (i < 3));
        if (i < 3) CHECK(!ld_is_utf8(ld_bytes(text, before + size - 1)));
      }
  CHECK(ld_is_utf8(LD_SLICE_NONE) && ld_is_utf8(BYTES("a\0b")));
}

/* ---- errors ---- */

static void test_fail(void) {
  ld_error error = {0};
  CHECK_RC(LD_BUSY, ld_fail(NULL, LD_BUSY, "nobody reads this"));
  CHECK_RC(LD_BUSY, ld_fail(&error, LD_BUSY, "%s %d", "text", 5));
  CHECK(error.rc == LD_BUSY && error.retry && strcmp(error.text, "text 5") == 0);
  CHECK_RC(LD_CONFLICT, ld_fail(&error, LD_CONFLICT, "(%s)", error.text));
  CHECK(error.retry && strcmp(error.text, "(text 5)") == 0);
  CHECK_RC(LD_IO, ld_fail(&error, LD_IO, "disk"));
  CHECK(!error.retry);
  CHECK_RC(LD_IO, ld_fail_in(&error, "%s: ", "commit"));
  CHECK(error.rc == LD_IO && strcmp(error.text, "commit: disk") == 0);
}

static void test_fail_long(void) {
  char long_text[2000];
  ld_error error = {0};
  memset(long_text, 'x', sizeof long_text);
  long_text[sizeof long_text - 1] = '\0';
  ld_fail(&error, LD_IO, "%s", long_text);
  CHECK(strlen(error.text) == sizeof error.text - 1);
  ld_fail_in(&error, "outer: ");
  CHECK(strlen(error.text) == sizeof error.text - 1 && strncmp(error.text, "outer: xx", 9) == 0);
  ld_fail_in(&error, "%s", long_text);
  CHECK(strlen(error.text) == sizeof error.text - 1);
}

/* ---- quotes ---- */

static void check_quote(ld_slice bytes, const char *expected) {
  ld_quoted quoted;
  CHECK(ld_quote(bytes, quoted) == quoted);
  if (strcmp(quoted, expected) != 0) fprintf(stderr, "%s instead of %s\n", quoted, expected);
  CHECK(strcmp(quoted, expected) == 0);
}

static void test_quote(void) {
  check_quote(LD_SLICE_NONE, "\"\"");
  check_quote(BYTES("plain text"), "\"plain text\"");
  check_quote(BYTES("a\0\n\x7f\"\\"), "\"a\\x00\\x0a\\x7f\\x22\\x5c\"");
  check_quote(BYTES("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
  check_quote(BYTES("caf\xc3"), "\"caf\\xc3\"");
  check_quote(BYTES("123456789012345678901234567890123456789012345678901234567890"),
              "\"123456789012345678901234567890123456789012345678901234567890\"");
  check_quote(BYTES("1234567890123456789012345678901234567890123456789012345678901"),
              "\"123456789012345678901234567890123456789012345678901234567\"...");
  check_quote(
      BYTES("12345678901234567890123456789012345678901234567890123456\xe2\x82\xac, and more"),
      "\"12345678901234567890123456789012345678901234567890123456\"...");
}

/* Whatever the bytes are, the quote fits, is UTF-8, and says when something is left out. */
static void test_quote_fits(void) {
  static const uint8_t kinds[] = {0x01, 0x80, 0xbf, 0xc3, 0xff, '"', 'a'};
  uint8_t bytes[300];
  ld_quoted quoted;
  for (size_t kind = 0; kind < sizeof kinds; kind++)
    for (size_t size = 0; size <= sizeof bytes; size++) {
      memset(bytes, kinds[kind], sizeof bytes);
      if (size > 0) bytes[size / 2] = 'b';
      memset(quoted, 'Q', sizeof quoted);
      ld_quote(ld_bytes(bytes, size), quoted);
      size_t length = strnlen(quoted, sizeof quoted);
      CHECK(length < sizeof quoted && ld_is_utf8(ld_text(quoted)));
      size_t shown = length - 2;
      bool left_out = length > 4 && strcmp(quoted + length - 4, "\"...") == 0;
      size_t whole = size == 0 ? 0 : 1 + (size - 1) * (kinds[kind] == 'a' ? 1 : 4);
      CHECK(left_out || shown == whole);
    }
}

/* ---- buffers ---- */

static void test_buffers(void) {
  ld_buf buf = {0};
  for (unsigned i = 0; i < 1000; i++) ld_buf_byte(&buf, (uint8_t)i);
  ld_buf_add(&buf, BYTES("text"));
  ld_buf_add(&buf, LD_SLICE_NONE);
  ld_buf_printf(&buf, "%d-%s", 42, "x");
  CHECK(buf.size == 1008 && buf.data[999] == (uint8_t)999);
  CHECK(memcmp(buf.data + 1000, "text42-x", 8) == 0);
  ld_buf_reset(&buf);
  CHECK(buf.size == 0 && buf.capacity >= 1008);
  ld_buf_printf(&buf, "%s", "");
  CHECK(buf.size == 0 && !buf.failed);
  ld_buf_clear(&buf);
  CHECK(buf.data == NULL && buf.size == 0 && buf.capacity == 0);
  ld_buf_clear(&buf);
}

/* A failed buffer takes nothing more, keeps what it had, and is as new after a reset. */
static void test_buffers_out_of_memory(void) {
  ld_buf buf = {0};
  ld_buf_add(&buf, BYTES("kept"));
  run_out_after(0, false);
  CHECK(!ld_buf_reserve(&buf, 1000) && buf.failed);
  refill();
  ld_buf_byte(&buf, 'x');
  ld_buf_add(&buf, BYTES("x"));
  ld_buf_printf(&buf, "x");
  ld_buf_varint(&buf, 300);
  CHECK(!ld_buf_reserve(&buf, 1) && buf.failed);
  CHECK(buf.size == 4 && memcmp(buf.data, "kept", 4) == 0);
  ld_buf_reset(&buf);
  ld_buf_add(&buf, BYTES("new"));
  CHECK(!buf.failed && buf.size == 3);
  CHECK(!ld_buf_reserve(&buf, SIZE_MAX) && buf.failed);
  ld_buf_reset(&buf);
  ld_buf_clear(&buf);
  CHECK(!buf.failed);
}

/* ---- varints ---- */

static void check_varint(uint64_t number, size_t size) {
  ld_buf buf = {0};
  uint64_t read = ~number;
  ld_buf_varint(&buf, number);
  CHECK(buf.size == size);
  for (size_t cut = 0; cut < size; cut++) {
    ld_slice rest = ld_bytes(buf.data, cut);
    CHECK(!ld_read_varint(&rest, &read) && rest.size == cut && read == ~number);
  }
  ld_buf_byte(&buf, 0xee);
  ld_slice rest = ld_buf_slice(&buf);
  CHECK(ld_read_varint(&rest, &read) && read == number);
  CHECK(rest.size == 1 && rest.data[0] == 0xee);
  ld_buf_clear(&buf);
}

static void test_varints(void) {
  check_varint(0, 1);
  for (size_t size = 1; size < 10; size++) {
    check_varint((UINT64_C(1) << (7 * size)) - 1, size);
    check_varint(UINT64_C(1) << (7 * size), size + 1);
  }
  check_varint(UINT64_MAX, 10);
}

static void check_no_varint(ld_slice bytes) {
  uint64_t number = 7;
  ld_slice rest = bytes;
  CHECK(!ld_read_varint(&rest, &number) && number == 7);
  CHECK(rest.data == bytes.data && rest.size == bytes.size);
}

static void test_bad_varints(void) {
  check_no_varint(LD_SLICE_NONE);
  check_no_varint(BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
  check_no_varint(BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"));
  check_no_varint(BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"));
}

int main(void) {
  test_codes();
  test_slices();
  test_utf8_sequences();
  test_utf8_in_text();
  test_fail();
  test_fail_long();
  test_quote();
  test_quote_fits();
  test_buffers();
  test_buffers_out_of_memory();
  test_varints();
  test_bad_varints();
  return check_done("base");
}
