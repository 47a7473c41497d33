/* test_base64.c -- the vectors of RFC 4648, section 10, all sizes and bytes, and every way of being no base64. */
#include <string.h>

#include "../../csrc/base64.h"
#include "check.h"

static const char *const vectors[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

static const char *const refused[] = {"Z",    "Zg",   "Zg=",      "Z===",         "====",
                                      "Zh==", "Zm9=", "Zg==Zg==", "Zm=v",         "=m9v",
                                      "Zm9-", "Zm 9", "Zm9v\n",   "Zg==\n\n\n\n", "Zm9v\xc3\xa4zz"};

static void check_both_ways(ld_slice bytes, const char *want) {
  ld_buf text = {0}, again = {0};
  ld_base64_encode(bytes, &text);
  if (want != NULL) CHECK(ld_equal(ld_buf_slice(&text), ld_text(want)));
  CHECK(ld_base64_decode(ld_buf_slice(&text), &again));
  CHECK(ld_equal(ld_buf_slice(&again), bytes));
  ld_buf_clear(&text);
  ld_buf_clear(&again);
}

int main(void) {
  uint8_t bytes[256];
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
    check_both_ways(ld_text(vectors[i][0]), vectors[i][1]);
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 37);
  for (size_t size = 0; size <= sizeof bytes; size++) check_both_ways(ld_bytes(bytes, size), NULL);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    ld_buf out = {0};
    CHECK(!ld_base64_decode(ld_text(refused[i]), &out));
    ld_buf_clear(&out);
  }
  return check_done("base64");
}
