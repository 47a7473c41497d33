/* test_json.c -- JSON and back: nothing lost, nothing rounded, everything else refused with its place. */
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "../../csrc/json.h"
#include "../../csrc/value.h"
#include "check.h"
#include "failing_malloc.h"

#define ROW(literal)                                                                               \
  { (const uint8_t *)"" literal, sizeof(literal) - 1 }
#define TEXT(literal) ld_bytes("" literal, sizeof(literal) - 1)

static ld_error error; /* the last one */

/* Text as it is, what else there is in hex. */
static void show(const char *what, ld_slice bytes) {
  fprintf(stderr, "%s ", what);
  for (size_t i = 0; i < bytes.size && i < 500; i++)
    fprintf(stderr, bytes.data[i] >= ' ' && bytes.data[i] < 0x7f ? "%c" : "\\x%02x", bytes.data[i]);
  fprintf(stderr, "\n");
}

static void check_same(const char *what, ld_slice got, ld_slice want) {
  if (!ld_equal(got, want)) {
    show(what, got);
    show("not", want);
  }
  CHECK(ld_equal(got, want));
}

static void check_prints(ld_slice document, bool pretty, ld_slice want) {
  ld_buf text = {0};
  CHECK_RC(LD_OK, ld_json_print(document, pretty, &text, &error));
  check_same("prints", ld_buf_slice(&text), want);
  ld_buf_clear(&text);
}

static void check_parses(ld_slice text, ld_slice want) {
  ld_buf value = {0};
  ld_rc rc = ld_json_parse(text, &value, &error);
  if (rc != LD_OK || !ld_equal(ld_buf_slice(&value), want)) show(error.text, text);
  CHECK_RC(LD_OK, rc);
  CHECK_RC(LD_OK, ld_value_check(ld_buf_slice(&value), &error));
  check_same("parses", ld_buf_slice(&value), want);
  ld_buf_clear(&value);
}

/* ---- each kind, and its one way of being written ---- */

static const struct {
  ld_slice document, text;
} kinds[] = {
    {ROW("\xc0"), ROW("null")},
    {ROW("\xc2"), ROW("false")},
    {ROW("\xc3"), ROW("true")},
    {ROW("\x00"), ROW("0")},
    {ROW("\xff"), ROW("-1")},
    {ROW("\xcd\x01\x00"), ROW("256")},
    {ROW("\xcf\x00\x20\0\0\0\0\0\0"), ROW("9007199254740992")},
    {ROW("\xd3\xff\xe0\0\0\0\0\0\0"), ROW("-9007199254740992")},
    {ROW("\xcf\x00\x20\0\0\0\0\0\x01"), ROW("{\"$numberLong\":\"9007199254740993\"}")},
    {ROW("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), ROW("{\"$numberLong\":\"9223372036854775807\"}")},
    {ROW("\xd3\x80\0\0\0\0\0\0\0"), ROW("{\"$numberLong\":\"-9223372036854775808\"}")},
    {ROW("\xcb\0\0\0\0\0\0\0\0"), ROW("{\"$numberDouble\":\"0.0\"}")},
    {ROW("\xcb\x80\0\0\0\0\0\0\0"), ROW("{\"$numberDouble\":\"-0.0\"}")},
    {ROW("\xcb\x3f\xf0\0\0\0\0\0\0"), ROW("{\"$numberDouble\":\"1.0\"}")},
    {ROW("\xcb\x3f\xe0\0\0\0\0\0\0"), ROW("0.5")},
    {ROW("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"), ROW("0.1")},
    {ROW("\xcb\x3f\xd3\x33\x33\x33\x33\x33\x34"), ROW("0.30000000000000004")},
    {ROW("\xcb\x00\0\0\0\0\0\0\x01"), ROW("4.94065645841247e-324")},
    {ROW("\xcb\x7f\xef\xff\xff\xff\xff\xff\xff"),
     ROW("{\"$numberDouble\":\"1.7976931348623157e+308\"}")},
    {ROW("\xcb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"), ROW("{\"$numberDouble\":\"1e+300\"}")},
    {ROW("\xcb\x7f\xf0\0\0\0\0\0\0"), ROW("{\"$numberDouble\":\"Infinity\"}")},
    {ROW("\xcb\xff\xf0\0\0\0\0\0\0"), ROW("{\"$numberDouble\":\"-Infinity\"}")},
    {ROW("\xcb\x7f\xf8\0\0\0\0\0\0"), ROW("{\"$numberDouble\":\"NaN\"}")},
    {ROW("\xa0"), ROW("\"\"")},
    {ROW("\xa5"
         "a\t\"\\/"),
     ROW("\"a\\t\\\"\\\\/\"")},
    {ROW("\xa6\xc3\xa4\xf0\x9f\x98\x80"), ROW("\"\xc3\xa4\xf0\x9f\x98\x80\"")},
    {ROW("\xa3"
         "a\0b"),
     ROW("{\"$binary\":{\"base64\":\"YQBi\",\"subType\":\"00\"}}")},
    {ROW("\xc4\x01\xff"), ROW("{\"$binary\":{\"base64\":\"/w==\",\"subType\":\"00\"}}")},
    {ROW("\xc4\x02\xc3\x28"), ROW("{\"$binary\":{\"base64\":\"wyg=\",\"subType\":\"00\"}}")},
    {ROW("\x90"), ROW("[]")},
    {ROW("\x80"), ROW("{}")},
    {ROW("\x93\x01\x90\x80"), ROW("[1,[],{}]")},
    {ROW("\x82\xa1"
         "a\x01\xa1"
         "b\x81\xa0\xc0"),
     ROW("{\"a\":1,\"b\":{\"\":null}}")},
    {ROW("\x82\x01\xa1"
         "a\xc2\xa1"
         "b"),
     ROW("{\"$map\":[[1,\"a\"],[false,\"b\"]]}")},
    {ROW("\x82\xa1"
         "a\x01\x07\x02"),
     ROW("{\"$map\":[[\"a\",1],[7,2]]}")},
    {ROW("\x81\xa3"
         "a\0b\x01"),
     ROW("{\"$map\":[[{\"$binary\":{\"base64\":\"YQBi\",\"subType\":\"00\"}},1]]}")},
    {ROW("\x81\xcb\x3f\xf8\0\0\0\0\0\0\x81\x02\x03"), ROW("{\"$map\":[[1.5,{\"$map\":[[2,3]]}]]}")},
    {ROW("\x81\xa4$map\x05"), ROW("{\"$literal\":{\"$map\":5}}")},
    {ROW("\x81\xa7$binary\x81\xab$numberLong\x01"),
     ROW("{\"$literal\":{\"$binary\":{\"$literal\":{\"$numberLong\":1}}}}")},
    {ROW("\x81\xa8$literal\x81\xa1"
         "a\x01"),
     ROW("{\"$literal\":{\"$literal\":{\"a\":1}}}")},
    {ROW("\x82\xa4$map\x05\xa1"
         "a\x01"),
     ROW("{\"$map\":5,\"a\":1}")},
    {ROW("\x81\xa4$oid\xa1"
         "a"),
     ROW("{\"$oid\":\"a\"}")},
};

static void test_kinds(void) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    check_prints(kinds[i].document, false, kinds[i].text);
    check_parses(kinds[i].text, kinds[i].document);
  }
}

/* ---- other texts for the same documents ---- */

static const struct {
  ld_slice text, document;
} readings[] = {
    {ROW("\xef\xbb\xbf[1]"), ROW("\x91\x01")},
    {ROW(" \t\r\n[ 1 , 2 ] \n"), ROW("\x92\x01\x02")},
    {ROW("{ \"a\" : { } , \"b\" : [ ] }"), ROW("\x82\xa1"
                                               "a\x80\xa1"
                                               "b\x90")},
    {ROW("1.0"), ROW("\xcb\x3f\xf0\0\0\0\0\0\0")},
    {ROW("1.5e0"), ROW("\xcb\x3f\xf8\0\0\0\0\0\0")},
    {ROW("15E-1"), ROW("\xcb\x3f\xf8\0\0\0\0\0\0")},
    {ROW("1e3"), ROW("\xcb\x40\x8f\x40\0\0\0\0\0")},
    {ROW("1E+3"), ROW("\xcb\x40\x8f\x40\0\0\0\0\0")},
    {ROW("-0"), ROW("\xcb\x80\0\0\0\0\0\0\0")},
    {ROW("-0.0"), ROW("\xcb\x80\0\0\0\0\0\0\0")},
    {ROW("0e99999999999999999999"), ROW("\xcb\0\0\0\0\0\0\0\0")},
    {ROW("9007199254740993"), ROW("\xcf\x00\x20\0\0\0\0\0\x01")},
    {ROW("9223372036854775807"), ROW("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff")},
    {ROW("-9223372036854775808"), ROW("\xd3\x80\0\0\0\0\0\0\0")},
    {ROW("9223372036854775808"), ROW("\xcb\x43\xe0\0\0\0\0\0\0")},
    {ROW("18446744073709551616"), ROW("\xcb\x43\xf0\0\0\0\0\0\0")},
    {ROW("1e22"), ROW("\xcb\x44\x80\xf0\xcf\x06\x4d\xd5\x92")},
    {ROW("10000000000000000000000"), ROW("\xcb\x44\x80\xf0\xcf\x06\x4d\xd5\x92")},
    {ROW("5e-324"), ROW("\xcb\x00\0\0\0\0\0\0\x01")},
    {ROW("0.1000000000000000055511151231257827021181583404541015625"),
     ROW("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a")},
    {ROW("0.10000000000000000000000000000000000000000000000000000000000000000000000"),
     ROW("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a")},
    {ROW("0.00000000000000000000000000000000000000000000000000000000000000000000005e70"),
     ROW("\xcb\x3f\xe0\0\0\0\0\0\0")},
    {ROW("{\"$numberDouble\":\"1\"}"), ROW("\xcb\x3f\xf0\0\0\0\0\0\0")},
    {ROW("{\"$numberDouble\":\"0.5\"}"), ROW("\xcb\x3f\xe0\0\0\0\0\0\0")},
    {ROW("{\"$numberLong\":\"-5\"}"), ROW("\xfb")},
    {ROW("{\"$literal\":{\"a\":9007199254740993}}"), ROW("\x81\xa1"
                                                         "a\xcf\x00\x20\0\0\0\0\0\x01")},
    {ROW("{\"$binary\":{\"subType\":\"00\",\"base64\":\"\"}}"), ROW("\xa0")},
    {ROW("{\"$binary\":{\"base64\":\"YWI=\",\"subType\":\"00\"}}"), ROW("\xa2"
                                                                        "ab")},
    {ROW("{\"$map\":[]}"), ROW("\x80")},
    {ROW("{\"$map\":[[1.0,2],[\"a\",3]]}"), ROW("\x82\xcb\x3f\xf0\0\0\0\0\0\0\x02\xa1"
                                                "a\x03")},
    {ROW("\"\\u0041\\u00e4\\u20ac\\uD83D\\uDE00\""), ROW("\xaa"
                                                         "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")},
    {ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), ROW("\xa8\"\\/\b\f\n\r\t")},
    {ROW("\"\\u0000\""), ROW("\xa1\0")},
    {ROW("[1.0,\"a\\u0000\\u0000b\",1e5]"), ROW("\x93\xcb\x3f\xf0\0\0\0\0\0\0\xa4"
                                                "a\0\0b\xcb\x40\xf8\x6a\0\0\0\0\0")},
    {ROW("{\"a\":1,\"a\\u0000\":2,\"\\u0000\":3}"), ROW("\x83\xa1"
                                                        "a\x01\xa2"
                                                        "a\0\x02\xa1\0\x03")},
    {ROW("\"\xef\xbf\xbf\x7f\""), ROW("\xa4\xef\xbf\xbf\x7f")},
    {ROW("{\"$map\\u0000\":1}"), ROW("\x81\xa5$map\0\x01")},
};

static void test_readings(void) {
  for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
    check_parses(readings[i].text, readings[i].document);
}

/* ---- layout ---- */

static void test_layout(void) {
  static const char pretty[] = "{\n"
                               "  \"a,b:[\": [\n"
                               "    1,\n"
                               "    \"x\\\\\\\"]\",\n"
                               "    [],\n"
                               "    {}\n"
                               "  ],\n"
                               "  \"c\": {\n"
                               "    \"\": -0.5\n"
                               "  }\n"
                               "}\n";
  ld_buf value = {0};
  CHECK_RC(LD_OK, ld_json_parse(ld_text(pretty), &value, &error));
  check_prints(ld_buf_slice(&value), true, ld_text(pretty));
  check_prints(TEXT("\x90"), true, TEXT("[]\n"));
  check_prints(TEXT("\x80"), true, TEXT("{}\n"));
  check_prints(TEXT("\xa0"), true, TEXT("\"\"\n"));
  check_prints(TEXT("\x2a"), true, TEXT("42\n"));
  ld_buf_clear(&value);
}

static void test_appending(void) {
  ld_buf out = {0};
  ld_buf_byte(&out, 0x91);
  CHECK_RC(LD_OK, ld_json_parse(TEXT("{\"a\":[1.0]}"), &out, &error));
  check_same("appends", ld_buf_slice(&out),
             TEXT("\x91\x81\xa1"
                  "a\x91\xcb\x3f\xf0\0\0\0\0\0\0"));
  ld_buf_reset(&out);
  ld_buf_byte(&out, '>');
  CHECK_RC(LD_OK, ld_json_print(TEXT("\x91\x01"), true, &out, &error));
  check_same("appends", ld_buf_slice(&out), TEXT(">[\n  1\n]\n"));
  ld_buf_clear(&out);
}

static void check_no_document(ld_slice bytes, const char *why) {
  ld_buf text = {0};
  ld_buf_byte(&text, '>');
  CHECK_RC(LD_INVALID, ld_json_print(bytes, false, &text, &error));
  CHECK(strstr(error.text, why) != NULL);
  CHECK(text.size == 1);
  ld_buf_clear(&text);
}

static void test_no_documents(void) {
  check_no_document(TEXT(""), "cut off");
  check_no_document(TEXT("\x92\x01"), "cut off");
  check_no_document(TEXT("\x01\x01"), "follows");
  check_no_document(TEXT("\xa1\xff"), "UTF-8");
  check_no_document(TEXT("\x81\x90\x01"), "key");
  check_no_document(TEXT("\x82\xa1x\x01\xa1x\x02"), "duplicate key x (at byte 4)");
  check_no_document(TEXT("\x82\x01\x01\xcb\x3f\xf0\0\0\0\0\0\0\x02"), "duplicate key");
  check_no_document(TEXT("\x82\xa1x\x01\xc4\x01x\x02"), "duplicate key x");
  /* JSON keeps no difference between bytes and text when the bytes are text */
  check_prints(TEXT("\xc4\x01x"), false, TEXT("\"x\""));
}

/* ---- depth ---- */

static void check_comes_back(ld_slice document) {
  for (int pretty = 0; pretty < 2; pretty++) {
    ld_buf text = {0};
    CHECK_RC(LD_OK, ld_json_print(document, pretty, &text, &error));
    check_parses(ld_buf_slice(&text), document);
    ld_buf_clear(&text);
  }
}

/* `depth` containers, each begun by `head`, around `leaf`. */
static void nest(ld_buf *out, ld_slice head, size_t depth, ld_slice leaf) {
  ld_buf_reset(out);
  for (size_t i = 0; i < depth; i++) ld_buf_add(out, head);
  ld_buf_add(out, leaf);
}

static void test_depth(void) {
  static const ld_slice heads[] = {ROW("\x91"), ROW("\x81\xa1x"), ROW("\x81\x07"),
                                   ROW("\x81\xa8$literal"), ROW("\x81\xa4$map")};
  ld_buf document = {0}, text = {0};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    nest(&document, heads[i], 128, TEXT("\xc4\x01\xff"));
    check_comes_back(ld_buf_slice(&document));
    nest(&document, heads[i], 129, TEXT("\x01"));
    CHECK_RC(LD_INVALID, ld_json_print(ld_buf_slice(&document), false, &text, &error));
  }
  for (size_t i = 0; i < 129; i++) ld_buf_printf(&text, "{\"$map\":[[1,");
  ld_buf_printf(&text, "1");
  for (size_t i = 0; i < 129; i++) ld_buf_printf(&text, "]]}");
  CHECK_RC(LD_INVALID, ld_json_parse(ld_buf_slice(&text), &document, &error));
  CHECK(strstr(error.text, "nested deeper than 128") != NULL);
  ld_buf_reset(&document); /* side by side is not inside one another */
  ld_write_array(&document, 600);
  for (int i = 0; i < 200; i++) ld_buf_add(&document, TEXT("\x90\x80\x81\x07\x90"));
  check_comes_back(ld_buf_slice(&document));
  ld_buf_clear(&document);
  ld_buf_clear(&text);
}

/* ---- size ---- */

static void test_many(void) {
  enum { MANY = 100000 };
  ld_buf document = {0};
  ld_write_map(&document, MANY);
  for (int i = 0; i < MANY; i++) {
    char name[16];
    snprintf(name, sizeof name, "k%d", i * 7919 % MANY);
    ld_write_text(&document, name);
    ld_write_float(&document, i / 8.0);
  }
  check_comes_back(ld_buf_slice(&document));
  ld_buf_clear(&document);
}

/* Every double there is survives; some hundred thousand of them, and all powers of two. */
static void check_float(uint64_t bits) {
  double number;
  ld_buf document = {0}, text = {0}, again = {0};
  memcpy(&number, &bits, 8);
  if (isnan(number)) return;
  ld_write_float(&document, number);
  CHECK_RC(LD_OK, ld_json_print(ld_buf_slice(&document), false, &text, &error));
  CHECK_RC(LD_OK, ld_json_parse(ld_buf_slice(&text), &again, &error));
  check_same("float", ld_buf_slice(&again), ld_buf_slice(&document));
  ld_buf_clear(&document);
  ld_buf_clear(&text);
  ld_buf_clear(&again);
}

static void test_floats(void) {
  uint64_t state = 42;
  for (int exponent = -1074; exponent < 1024; exponent++) {
    double number = ldexp(1, exponent);
    uint64_t bits;
    memcpy(&bits, &number, 8);
    for (uint64_t near = 0; near < 3; near++) check_float(bits + near - (bits > 0));
  }
  for (int i = 0; i < 20000; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    check_float(state ^ state >> 29);
  }
}

/* ---- memory ---- */

/* Let each allocation fail in turn, alone or with all that follow; returns how many there are. */
static long fail_each(bool print, ld_slice input, bool for_good) {
  for (long n = 0;; n++) {
    ld_buf out = {0};
    long before = allocated;
    run_out_after(n, for_good);
    ld_rc rc =
        print ? ld_json_print(input, true, &out, &error) : ld_json_parse(input, &out, &error);
    refill();
    CHECK_RC(ran_out ? LD_NOMEM : LD_OK, rc);
    CHECK(rc == LD_OK || out.size == 0);
    ld_buf_clear(&out);
    CHECK(allocated == before);
    if (!ran_out) return n;
  }
}

static void test_memory(void) {
  static const char text[] =
      "[1.0,{\"a\":9007199254740993,\"b\\u0000\":\"x\\u0000\",\"c\":{\"$map\":[[1,-0.5],[{\"$"
      "binary\":"
      "{\"base64\":\"AAE=\",\"subType\":\"00\"}},true]]},\"d\":{\"$literal\":{\"$map\":[null]}},"
      "\"long\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}]";
  static const char binary[] = "{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"00\"}}";
  cJSON_Hooks hooks = {__wrap_malloc, __wrap_free};
  ld_buf document = {0};
  CHECK_RC(LD_OK, ld_json_parse(ld_text(text), &document, &error));
  cJSON_InitHooks(&hooks);
  for (int for_good = 0; for_good < 2; for_good++) {
    CHECK(fail_each(false, ld_text(binary), for_good) > 4);
    CHECK(fail_each(false, ld_text(text), for_good) > 40);
    CHECK(fail_each(true, ld_buf_slice(&document), for_good) > 4); /* its buffers grow */
  }
  cJSON_InitHooks(NULL);
  ld_buf_clear(&document);
}

int main(void) {
  test_kinds();
  test_readings();
  test_layout();
  test_appending();
  test_no_documents();
  test_depth();
  test_many();
  test_floats();
  test_memory();
  return check_done("json");
}
