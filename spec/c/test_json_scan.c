/* test_json_scan.c -- what is no JSON, or JSON that cannot be kept, is refused with exactly its place and its reason. */
#include <string.h>

#include "../../csrc/json.h"
#include "check.h"

#define ROW(literal)                                                                               \
  { (const uint8_t *)"" literal, sizeof(literal) - 1 }

/* Refused, with exactly this text, and nothing written. */
static void check_refused(ld_slice text, const char *want) {
  ld_error error = {0};
  ld_buf value = {0};
  ld_buf_byte(&value, 0x2a);
  ld_rc rc = ld_json_parse(text, &value, &error);
  if (rc != LD_INVALID || strcmp(error.text, want) != 0)
    fprintf(stderr, "%.*s\n  wanted: %s\n  got %s: %s\n", (int)text.size, (const char *)text.data,
            want, ld_rc_name(rc), error.text);
  CHECK_RC(LD_INVALID, rc);
  CHECK(strcmp(error.text, want) == 0);
  CHECK(value.size == 1 && value.data[0] == 0x2a && !value.failed);
  CHECK_RC(LD_INVALID, ld_json_parse(text, &value, NULL));
  ld_buf_clear(&value);
}

/* ---- what is refused, and where ---- */

static const struct {
  ld_slice text;
  const char *why;
} refusals[] = {
    {ROW(""), "line 1, column 1: unexpected end, expected a value"},
    {ROW(" \n"), "line 2, column 1: unexpected end, expected a value"},
    {ROW("\xef\xbb\xbf"), "line 1, column 1: unexpected end, expected a value"},
    {ROW("\xef\xbb\xbf\xef\xbb\xbf[]"), "line 1, column 1: expected a value"},
    {ROW("\xfe\xff\0["), "line 1, column 1: expected a value"},
    {ROW("\0"), "line 1, column 1: expected a value"},
    {ROW("[1]\0"), "line 1, column 4: something follows the value"},
    {ROW("[1] x"), "line 1, column 5: something follows the value"},
    {ROW("1 2"), "line 1, column 3: something follows the value"},
    {ROW("nullx"), "line 1, column 5: something follows the value"},
    {ROW("{}}"), "line 1, column 3: something follows the value"},
    {ROW("[1]]"), "line 1, column 4: something follows the value"},
    {ROW("[1}"), "line 1, column 3: expected ',' or ']' after a value"},
    {ROW("{\"a\":1]"), "line 1, column 7: expected ',' or '}' after a value"},
    {ROW("{\n  \"a\": 1\n  \"b\": 2\n}"), "line 3, column 3: expected ',' or '}' after a value"},
    {ROW("[1 2]"), "line 1, column 4: expected ',' or ']' after a value"},
    {ROW("[\"a\" \"b\"]"), "line 1, column 6: expected ',' or ']' after a value"},
    {ROW("[1,]"), "line 1, column 4: expected a value"},
    {ROW("[,1]"), "line 1, column 2: expected a value"},
    {ROW("[1,,2]"), "line 1, column 4: expected a value"},
    {ROW("["), "line 1, column 2: unexpected end, expected a value"},
    {ROW("[1"), "line 1, column 3: unexpected end, expected ',' or ']' after a value"},
    {ROW("[1,"), "line 1, column 4: unexpected end, expected a value"},
    {ROW("]"), "line 1, column 1: expected a value"},
    {ROW("{"), "line 1, column 2: unexpected end, expected a name in double quotes"},
    {ROW("{,}"), "line 1, column 2: expected a name in double quotes"},
    {ROW("{a:1}"), "line 1, column 2: expected a name in double quotes"},
    {ROW("{'a':1}"), "line 1, column 2: expected a name in double quotes"},
    {ROW("{1:1}"), "line 1, column 2: expected a name in double quotes"},
    {ROW("{\"a\":1,}"), "line 1, column 8: expected a name in double quotes"},
    {ROW("{\"a\":1,,\"b\":2}"), "line 1, column 8: expected a name in double quotes"},
    {ROW("{\"a\" 1}"), "line 1, column 6: expected ':' after a name"},
    {ROW("{\"a\",1}"), "line 1, column 5: expected ':' after a name"},
    {ROW("{\"a\""), "line 1, column 5: unexpected end, expected ':' after a name"},
    {ROW("{\"a\":"), "line 1, column 6: unexpected end, expected a value"},
    {ROW("{\"a\":}"), "line 1, column 6: expected a value"},
    {ROW("{\"a\"::1}"), "line 1, column 6: expected a value"},
    {ROW("{\"a\":1"), "line 1, column 7: unexpected end, expected ',' or '}' after a value"},
    {ROW("{\"a\":1,"), "line 1, column 8: unexpected end, expected a name in double quotes"},
    {ROW("tru"), "line 1, column 1: expected a value"},
    {ROW("True"), "line 1, column 1: expected a value"},
    {ROW("[nul]"), "line 1, column 2: expected a value"},
    {ROW("NaN"), "line 1, column 1: expected a value"},
    {ROW("Infinity"), "line 1, column 1: expected a value"},
    {ROW("'a'"), "line 1, column 1: expected a value"},
    {ROW("/**/1"), "line 1, column 1: expected a value"},
    {ROW("1//"), "line 1, column 2: something follows the value"},
    {ROW("[1\f]"), "line 1, column 3: expected ',' or ']' after a value"},
    {ROW("[\xc2\xa0]"), "line 1, column 2: expected a value"},
    {ROW("\xe2\x81\xa0"), "line 1, column 1: expected a value"},
    {ROW("+1"), "line 1, column 1: expected a value"},
    {ROW(".5"), "line 1, column 1: expected a value"},
    {ROW("-"), "line 1, column 2: unexpected end, expected a digit"},
    {ROW("--1"), "line 1, column 2: expected a digit"},
    {ROW("-Infinity"), "line 1, column 2: expected a digit"},
    {ROW("-x"), "line 1, column 2: expected a digit"},
    {ROW("01"), "line 1, column 1: expected a number without leading zeros"},
    {ROW("-01"), "line 1, column 2: expected a number without leading zeros"},
    {ROW("00.5"), "line 1, column 1: expected a number without leading zeros"},
    {ROW("1."), "line 1, column 3: unexpected end, expected a digit behind the point"},
    {ROW("[1.]"), "line 1, column 4: expected a digit behind the point"},
    {ROW("1.e5"), "line 1, column 3: expected a digit behind the point"},
    {ROW("1e"), "line 1, column 3: unexpected end, expected a digit in the exponent"},
    {ROW("1e+"), "line 1, column 4: unexpected end, expected a digit in the exponent"},
    {ROW("1e-x"), "line 1, column 4: expected a digit in the exponent"},
    {ROW("1eE2"), "line 1, column 3: expected a digit in the exponent"},
    {ROW("1.2.3"), "line 1, column 4: something follows the value"},
    {ROW("0x1F"), "line 1, column 2: something follows the value"},
    {ROW("1_000"), "line 1, column 2: something follows the value"},
    {ROW("\xef\xbc\x91"), "line 1, column 1: expected a value"},
    {ROW("1e999"), "line 1, column 1: number 1e999 is out of range"},
    {ROW("[0, -1e999999999999999999999]"),
     "line 1, column 5: number -1e999999999999999999999 is out of range"},
    {ROW("1e-400"), "line 1, column 1: number 1e-400 is out of range"},
    {ROW("3e-324"), "line 1, column 1: number 3e-324 has more digits than a float64 keeps"},
    {ROW("0.10000000000000000001"),
     "line 1, column 1: number 0.10000000000000000001 has more digits than a float64 keeps"},
    {ROW("18446744073709551617"),
     "line 1, column 1: number 18446744073709551617 has more digits than a float64 keeps"},
    {ROW("100000000000000000000000"),
     "line 1, column 1: number 100000000000000000000000 has more digits than a float64 keeps"},
    {ROW("9007199254740993.0"),
     "line 1, column 1: number 9007199254740993.0 has more digits than a float64 keeps"},
    {ROW("9007199254740992.5"),
     "line 1, column 1: number 9007199254740992.5 has more digits than a float64 keeps"},
    {ROW("0.1234567890123456789012345678901234567890123456789012345678901234567890"),
     "line 1, column 1: number 0.1234567890123456789012345678901234567890123456789012345..."
     " has more digits than a float64 keeps"},
    {ROW("\""), "line 1, column 2: unexpected end, expected the end of a string"},
    {ROW("\"a"), "line 1, column 3: unexpected end, expected the end of a string"},
    {ROW("\"a\\"), "line 1, column 4: unexpected end, expected the end of a string"},
    {ROW("\"a\\\""), "line 1, column 5: unexpected end, expected the end of a string"},
    {ROW("\"a\nb\""), "line 1, column 3: control character in a string"},
    {ROW("\"a\tb\""), "line 1, column 3: control character in a string"},
    {ROW("\"a\0b\""), "line 1, column 3: control character in a string"},
    {ROW("\"\x1f\""), "line 1, column 2: control character in a string"},
    {ROW("\"\\x41\""), "line 1, column 2: unknown escape in a string"},
    {ROW("\"\\\0\""), "line 1, column 2: unknown escape in a string"},
    {ROW("\"\\U0041\""), "line 1, column 2: unknown escape in a string"},
    {ROW("\"\\'\""), "line 1, column 2: unknown escape in a string"},
    {ROW("\"\\u\""), "line 1, column 2: expected four hex digits after \\u"},
    {ROW("\"\\u12"), "line 1, column 2: expected four hex digits after \\u"},
    {ROW("\"\\u12g4\""), "line 1, column 2: expected four hex digits after \\u"},
    {ROW("\"\\u+123\""), "line 1, column 2: expected four hex digits after \\u"},
    {ROW("\"a\\ud800\""), "line 1, column 3: lone surrogate"},
    {ROW("\"\\ud800\\u0041\""), "line 1, column 2: lone surrogate"},
    {ROW("\"\\ud800\\ud800\\udc00\""), "line 1, column 2: lone surrogate"},
    {ROW("\"\\ud800\\u\""), "line 1, column 2: lone surrogate"},
    {ROW("\"\\udc00\\ud800\""), "line 1, column 2: lone surrogate"},
    {ROW("\"\\udc00\\udc00\""), "line 1, column 2: lone surrogate"},
    {ROW("\"\\ud800\\ue000\""), "line 1, column 2: lone surrogate"},
    {ROW("\"\xff\""), "line 1, column 2: invalid UTF-8"},
    {ROW("\"\xc3\xa4\x80\""), "line 1, column 4: invalid UTF-8"},
    {ROW("\"\xc3\""), "line 1, column 2: invalid UTF-8"},
    {ROW("\"\xc0\xaf\""), "line 1, column 2: invalid UTF-8"},
    {ROW("\"\xed\xa0\x80\""), "line 1, column 2: invalid UTF-8"},
    {ROW("\"\xf4\x90\x80\x80\""), "line 1, column 2: invalid UTF-8"},
    {ROW("\"\xe2\x82\xac\xe2\x82\""), "line 1, column 5: invalid UTF-8"},
    {ROW("{\"\xfe\":1}"), "line 1, column 3: invalid UTF-8"},
    {ROW("{\"a\":1,\n \"b\":2,\n \"a\":3}"), "line 3, column 2: duplicate name \"a\""},
    {ROW("{\"a\":1,\"\\u0061\":3}"), "line 1, column 8: duplicate name \"a\""},
    {ROW("{\"\":1,\"\":3}"), "line 1, column 7: duplicate name \"\""},
    {ROW("{\"\\u0000\":1,\"x\":[{}],\"\\u0000\":3}"),
     "line 1, column 22: duplicate name \"\\x00\""},
    {ROW("[0.0,{\"x\":[1.0,{\"k\":1,\"k\":1}]}]"), "line 1, column 23: duplicate name \"k\""},
    {ROW("{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"4\":0,"
         "\"2\":0}"),
     "line 1, column 56: duplicate name \"4\""},
    {ROW("{\"$numberLong\":5}"),
     "line 1, column 2: $numberLong wants a 64-bit integer in a string"},
    {ROW("{\"$numberLong\":9007199254740993}"),
     "line 1, column 2: $numberLong wants a 64-bit integer in a string"},
    {ROW("{\"$numberLong\":\"9223372036854775808\"}"),
     "line 1, column 2: $numberLong wants a 64-bit integer in a string"},
    {ROW("{\"$numberLong\":\"1.0\"}"),
     "line 1, column 2: $numberLong wants a 64-bit integer in a string"},
    {ROW("{\"$numberLong\":\" 1\"}"),
     "line 1, column 2: $numberLong wants a 64-bit integer in a string"},
    {ROW("{\"$numberLong\":\"1\\u0000\"}"),
     "line 1, column 2: $numberLong wants a 64-bit integer in a string"},
    {ROW("{\"$numberDouble\":1.5}"), "line 1, column 2: $numberDouble wants a number in a string"},
    {ROW("{\"$numberDouble\":\"\"}"), "line 1, column 2: $numberDouble wants a number in a string"},
    {ROW("{\"$numberDouble\":\"nan\"}"),
     "line 1, column 2: $numberDouble wants a number in a string"},
    {ROW("{\"$numberDouble\":\"0x1p3\"}"),
     "line 1, column 2: $numberDouble wants a number in a string"},
    {ROW("{\"$numberDouble\":\"1e999\"}"), "line 1, column 2: the number is out of range"},
    {ROW("{\"$numberDouble\":\"9007199254740993\"}"),
     "line 1, column 2: the number has more digits than a float64 keeps"},
    {ROW("{\"$binary\":\"AA==\"}"),
     "line 1, column 2: $binary wants {\"base64\": \"...\", \"subType\": \"00\"}"},
    {ROW("{\"$binary\":{\"base64\":\"AA==\",\"subType\":\"04\"}}"),
     "line 1, column 2: $binary wants {\"base64\": \"...\", \"subType\": \"00\"}"},
    {ROW("{\"$binary\":{\"base64\":\"AA==\"}}"),
     "line 1, column 2: $binary wants {\"base64\": \"...\", \"subType\": \"00\"}"},
    {ROW("{\"$binary\":{\"base64\":\"AA==\",\"subType\":\"00\",\"x\":1}}"),
     "line 1, column 2: $binary wants {\"base64\": \"...\", \"subType\": \"00\"}"},
    {ROW("[{\"$binary\":{\"base64\":\"AA=\",\"subType\":\"00\"}}]"),
     "line 1, column 3: $binary: no base64"},
    {ROW("{\"$binary\":{\"base64\":\"AB==\",\"subType\":\"00\"}}"),
     "line 1, column 2: $binary: no base64"},
    {ROW("{\"$binary\":{\"base64\":\"AAB=\",\"subType\":\"00\"}}"),
     "line 1, column 2: $binary: no base64"},
    {ROW("{\"$binary\":{\"base64\":\"A===\",\"subType\":\"00\"}}"),
     "line 1, column 2: $binary: no base64"},
    {ROW("{\"$binary\":{\"base64\":\"AA==AA==\",\"subType\":\"00\"}}"),
     "line 1, column 2: $binary: no base64"},
    {ROW("{\"$binary\":{\"base64\":\"A-_A\",\"subType\":\"00\"}}"),
     "line 1, column 2: $binary: no base64"},
    {ROW("{\"$map\":{}}"), "line 1, column 2: $map wants an array of pairs"},
    {ROW("{\"$map\":[[1]]}"), "line 1, column 10: $map wants pairs, [key, value]"},
    {ROW("{\"$map\":[[1,2,3]]}"), "line 1, column 10: $map wants pairs, [key, value]"},
    {ROW("{\"$map\":[1]}"), "line 1, column 10: $map wants pairs, [key, value]"},
    {ROW("{\"$map\":[[\"a\",{\"x\":1}],1]}"), "line 1, column 24: $map wants pairs, [key, value]"},
    {ROW("{\"x\":{\"$map\":[1]}}"), "line 1, column 15: $map wants pairs, [key, value]"},
    {ROW("{\"$map\":[{\"a\":1,\"b\":2}]}"), "line 1, column 10: $map wants pairs, [key, value]"},
    {ROW("{\"$map\":[[null,1]]}"),
     "line 1, column 11: a $map key is a string, a number or a boolean"},
    {ROW("{\"$map\":[[{\"$numberDouble\":\"NaN\"},1]]}"),
     "line 1, column 11: a $map key is a string, a number or a boolean"},
    {ROW("{\"$map\":[[[],1]]}"),
     "line 1, column 11: a $map key is a string, a number or a boolean"},
    {ROW("{\"$map\":[[{},1]]}"),
     "line 1, column 11: a $map key is a string, a number or a boolean"},
    {ROW("{\"$map\":[[1,0],[1.0,0]]}"), "line 1, column 16: duplicate key in a $map"},
    {ROW("{\"$map\":[[0,0],[-0.0,0]]}"), "line 1, column 16: duplicate key in a $map"},
    {ROW("{\"$map\":[[\"a\",0],\n[{\"$binary\":{\"base64\":\"YQ==\",\"subType\":\"00\"}},0]]}"),
     "line 2, column 1: duplicate key in a $map"},
    {ROW("{\"$literal\":[]}"), "line 1, column 2: $literal wants an object"},
    {ROW("{\"$literal\":{\"$map\":1,\"$map\":2}}"), "line 1, column 23: duplicate name \"$map\""},
};

static void test_refusals(void) {
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
    check_refused(refusals[i].text, refusals[i].why);
}

/* Cut anywhere, a text is no JSON any more. */
static void test_cuts(void) {
  static const char text[] = "[{\"a\\n\":[1.5e+3,true,{}],\"\\u00e4\":-0.0},null]";
  for (size_t size = 0; size < sizeof text - 1; size++) {
    ld_error error = {0};
    ld_buf value = {0};
    char *copy = malloc(size + 1); /* of its own size, so that a sanitizer sees a step too far */
    CHECK(copy != NULL);
    memcpy(copy, text, size);
    copy = realloc(copy, size > 0 ? size : 1);
    CHECK_RC(LD_INVALID, ld_json_parse(ld_bytes(copy, size), &value, &error));
    CHECK(strncmp(error.text, "line 1, column ", 15) == 0);
    ld_buf_clear(&value);
    free(copy);
  }
}

static void test_deep_text(void) {
  size_t size = 1000000;
  char *text = malloc(size);
  CHECK(text != NULL);
  memset(text, '[', size);
  check_refused(ld_bytes(text, size), "line 1, column 129: nested deeper than 128");
  check_refused(ld_bytes(text, 200), "line 1, column 201: unexpected end, expected a value");
  memset(text + 129, ']', 129);
  check_refused(ld_bytes(text, 258), "line 1, column 129: nested deeper than 128");
  for (size_t i = 0; i + 5 <= size; i += 5) memcpy(text + i, "{\"a\":", 5);
  check_refused(ld_bytes(text, size - size % 5), "line 1, column 641: nested deeper than 128");
  free(text);
}

int main(void) {
  test_refusals();
  test_cuts();
  test_deep_text();
  return check_done("json_scan");
}
