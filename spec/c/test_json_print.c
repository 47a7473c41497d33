/* test_json_print.c -- what json_print writes, read by cJSON and compared with the document, value by value: random documents, all kinds
** of doubles, strings of every byte. Nothing of our own reader takes part. */
#include <cjson/cJSON.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "../../csrc/json.h"
#include "../../csrc/value.h"
#include "check.h"

static uint64_t state = 2026; /* SplitMix64 */

static uint64_t random_bits(void) {
  uint64_t number = state += 0x9e3779b97f4a7c15u;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
  return number ^ (number >> 31);
}

static unsigned below(unsigned limit) { return (unsigned)(random_bits() % limit); }

/* ---- what the text says ---- */

static const cJSON *only_member(const cJSON *node, const char *name) {
  CHECK(cJSON_IsObject(node) && node->child != NULL && node->child->next == NULL);
  CHECK(strcmp(node->child->string, name) == 0);
  return node->child;
}

static void same_bits(double a, double b) { CHECK(memcmp(&a, &b, sizeof a) == 0); }

static void same_int(const cJSON *node, int64_t integer) {
  const int64_t limit = (int64_t)1 << 53;
  if (integer >= -limit && integer <= limit) {
    CHECK(cJSON_IsNumber(node));
    same_bits(node->valuedouble, (double)integer);
    return;
  }
  node = only_member(node, "$numberLong");
  CHECK(cJSON_IsString(node) && strtoll(node->valuestring, NULL, 10) == integer);
}

/* Plain JSON numbers are for floats that cannot be taken for integers. */
static void same_float(const cJSON *node, double number) {
  if (isfinite(number) && number != floor(number)) {
    CHECK(cJSON_IsNumber(node));
    same_bits(node->valuedouble, number);
    return;
  }
  node = only_member(node, "$numberDouble");
  CHECK(cJSON_IsString(node));
  double read = strtod(node->valuestring, NULL);
  CHECK(isnan(number) == (strcmp(node->valuestring, "NaN") == 0));
  if (!isnan(number)) same_bits(read, number);
}

static int digit_of(char letter) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return (int)(strchr(digits, letter) - digits);
}

static void same_base64(const char *text, ld_slice bytes) {
  size_t size = strlen(text);
  CHECK(size == (bytes.size + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size; i++) {
    size_t at = i / 3 * 4 + i % 3;
    int two = digit_of(text[at]) << 6 | digit_of(text[at + 1]);
    CHECK(((two >> (4 - 2 * (i % 3))) & 0xff) == bytes.data[i]);
  }
  for (size_t i = 0; i < (3 - bytes.size % 3) % 3; i++) CHECK(text[size - 1 - i] == '=');
}

static bool is_text(ld_slice bytes) {
  return ld_is_utf8(bytes) && (bytes.size == 0 || memchr(bytes.data, 0, bytes.size) == NULL);
}

static void same_string(const cJSON *node, ld_slice bytes) {
  if (is_text(bytes)) {
    CHECK(cJSON_IsString(node) && ld_equal(ld_text(node->valuestring), bytes));
    return;
  }
  node = only_member(node, "$binary")->child;
  CHECK(cJSON_IsString(node) && strcmp(node->string, "base64") == 0);
  same_base64(node->valuestring, bytes);
  CHECK(strcmp(node->next->string, "subType") == 0 && strcmp(node->next->valuestring, "00") == 0);
  CHECK(node->next->next == NULL);
}

static void same_value(const cJSON *node, ld_slice *rest);

static void same_array(const cJSON *node, uint32_t count, ld_slice *rest) {
  CHECK(cJSON_IsArray(node));
  node = node->child;
  for (uint32_t i = 0; i < count; i++, node = node->next) {
    CHECK(node != NULL);
    same_value(node, rest);
  }
  CHECK(node == NULL);
}

static bool is_special(ld_slice name) {
  static const char *const names[] = {"$numberLong", "$numberDouble", "$binary", "$map",
                                      "$literal"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ld_equal(name, ld_text(names[i]))) return true;
  return false;
}

/* Whether all keys are text, and whether the one key is special. */
static void look_at_keys(ld_slice rest, uint32_t count, bool *plain, bool *special) {
  ld_token key;
  ld_slice value;
  *plain = true;
  *special = false;
  for (uint32_t i = 0; i < count; i++) {
    CHECK(ld_value_next(&rest, &key) && ld_value_take(&rest, &value));
    bool text = ld_is_string(&key) && is_text(key.bytes);
    *plain = *plain && text;
    *special = text && count == 1 && is_special(key.bytes);
  }
}

static void same_object(const cJSON *node, uint32_t count, ld_slice *rest) {
  ld_token key;
  CHECK(cJSON_IsObject(node));
  node = node->child;
  for (uint32_t i = 0; i < count; i++, node = node->next) {
    CHECK(node != NULL && ld_value_next(rest, &key));
    CHECK(ld_equal(ld_text(node->string), key.bytes));
    same_value(node, rest);
  }
  CHECK(node == NULL);
}

static void same_map(const cJSON *node, uint32_t count, ld_slice *rest) {
  bool plain, special;
  look_at_keys(*rest, count, &plain, &special);
  if (plain) {
    same_object(special ? only_member(node, "$literal") : node, count, rest);
    return;
  }
  node = only_member(node, "$map")->child;
  for (uint32_t i = 0; i < count; i++, node = node->next) {
    CHECK(node != NULL);
    same_array(node, 2, rest);
  }
  CHECK(node == NULL);
}

static void same_value(const cJSON *node, ld_slice *rest) {
  ld_token token;
  CHECK(ld_value_next(rest, &token));
  switch (token.kind) {
  case LD_NIL: CHECK(cJSON_IsNull(node)); return;
  case LD_BOOL: CHECK(token.truth ? cJSON_IsTrue(node) : cJSON_IsFalse(node)); return;
  case LD_INT: same_int(node, token.integer); return;
  case LD_FLOAT: same_float(node, token.number); return;
  case LD_STR:
  case LD_BIN: same_string(node, token.bytes); return;
  case LD_ARRAY: same_array(node, token.count, rest); return;
  case LD_MAP: same_map(node, token.count, rest); return;
  }
}

static void check_text(ld_slice document, bool pretty) {
  ld_buf text = {0};
  ld_error error;
  CHECK_RC(LD_OK, ld_json_print(document, pretty, &text, &error));
  cJSON *tree = cJSON_ParseWithLength((const char *)text.data, text.size);
  if (tree == NULL) fprintf(stderr, "cJSON: %.*s\n", (int)text.size, (const char *)text.data);
  CHECK(tree != NULL);
  CHECK(ld_is_utf8(ld_buf_slice(&text)));
  for (size_t i = 0; !pretty && i < text.size; i++)
    CHECK(text.data[i] >= ' '); /* cJSON lets them pass */
  same_value(tree, &document);
  CHECK(document.size == 0);
  cJSON_Delete(tree);
  ld_buf_clear(&text);
}

/* Emptied for the next. */
static void check_same(ld_buf *document) {
  check_text(ld_buf_slice(document), false);
  check_text(ld_buf_slice(document), true);
  ld_buf_reset(document);
}

/* ---- numbers ---- */

static void check_number(double number) {
  static ld_buf document;
  for (int sign = 0; sign < 2; sign++, number = -number) {
    ld_write_float(&document, number);
    check_same(&document);
  }
  ld_buf_clear(&document);
}

static void check_near(double number) {
  check_number(number);
  check_number(nextafter(number, 0));
  check_number(nextafter(number, INFINITY));
}

static void test_floats(void) {
  static const double edges[] = {0,       DBL_MIN,  DBL_TRUE_MIN, DBL_MAX, DBL_EPSILON,
                                 0.1,     0.5,      1.0 / 3,      1,       9007199254740992.0,
                                 5e-324,  2.2e-308, 1e15,         1e16,    1e17,
                                 1e21,    1e22,     1e23,         4.35,    123456789.125,
                                 INFINITY};
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) check_near(edges[i]);
  check_number(NAN);
  for (int exponent = -1074; exponent < 1024; exponent++) check_near(ldexp(1, exponent));
  for (int exponent = -323; exponent < 309; exponent++) check_near(pow(10, exponent));
  for (int i = 0; i < 30000; i++) {
    double number;
    uint64_t bits = random_bits();
    memcpy(&number, &bits, sizeof number);
    check_number(number);
    check_number((double)(bits >> 20) / 1000); /* what people write */
  }
}

static void test_integers(void) {
  ld_buf document = {0};
  for (int shift = 0; shift < 64; shift++)
    for (int more = -2; more <= 2; more++)
      for (int sign = 0; sign < 2; sign++) {
        uint64_t number = ((uint64_t)1 << shift) + (uint64_t)more;
        ld_write_int(&document, (int64_t)(sign == 0 ? number : 0 - number));
        check_same(&document);
      }
  ld_buf_clear(&document);
}

/* ---- strings ---- */

/* As a value, as a key, as it is and between others. */
static void check_bytes(ld_slice bytes) {
  static ld_buf document;
  ld_write_array(&document, 2);
  ld_write_string(&document, bytes);
  ld_write_map(&document, 2);
  ld_write_string(&document, bytes);
  ld_write_string(&document, bytes);
  ld_write_text(&document, "\"other\\");
  ld_write_nil(&document);
  check_same(&document);
  ld_buf_clear(&document);
}

static void test_strings(void) {
  uint8_t bytes[48];
  check_bytes(ld_bytes(bytes, 0));
  for (unsigned pair = 0; pair < 0x10000; pair++) {
    bytes[0] = (uint8_t)pair;
    bytes[1] = (uint8_t)(pair >> 8);
    if (bytes[1] == 0) check_bytes(ld_bytes(bytes, 1));
    check_bytes(ld_bytes(bytes, 2));
  }
  for (int i = 0; i < 20000; i++) {
    static const uint8_t heads[] = {0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef,
                                    0xf0, 0xf4, 0xf5, 'a',  0x9f};
    size_t size = below(sizeof bytes);
    for (size_t k = 0; k < size; k++)
      bytes[k] = below(3) == 0 ? heads[below(sizeof heads)] : (uint8_t)(0x80 + below(0x40));
    check_bytes(ld_bytes(bytes, size));
  }
}

/* Each code point: the texts of all planes in one string each. */
static void test_text(void) {
  ld_buf text = {0};
  for (uint32_t code = 1; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    if (code < 0x80) ld_buf_byte(&text, (uint8_t)code);
    if (code >= 0x80 && code < 0x800) ld_buf_byte(&text, (uint8_t)(0xc0 | code >> 6));
    if (code >= 0x800 && code < 0x10000) ld_buf_byte(&text, (uint8_t)(0xe0 | code >> 12));
    if (code >= 0x10000) ld_buf_byte(&text, (uint8_t)(0xf0 | code >> 18));
    if (code >= 0x10000) ld_buf_byte(&text, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
    if (code >= 0x800) ld_buf_byte(&text, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    if (code >= 0x80) ld_buf_byte(&text, (uint8_t)(0x80 | (code & 0x3f)));
    if ((code & 0xfff) != 0xfff) continue;
    CHECK(is_text(ld_buf_slice(&text)));
    check_bytes(ld_buf_slice(&text));
    ld_buf_reset(&text);
  }
  ld_buf_clear(&text);
}

/* ---- whole documents ---- */

static void write_random_string(ld_buf *document) {
  static const char *const some[] = {"",        "a",        "$map",    "$literal",
                                     "$binary", "\x7f\x01", "\xc3\xa4"};
  uint8_t bytes[6];
  size_t size = below(sizeof bytes + 1);
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)below(256);
  if (below(4) > 0)
    ld_write_text(document, some[below(sizeof some / sizeof *some)]);
  else
    ld_write_string(document, ld_bytes(bytes, size));
}

static void write_random_scalar(ld_buf *document) {
  switch (below(5)) {
  case 0: ld_write_nil(document); return;
  case 1: ld_write_bool(document, below(2)); return;
  case 2: ld_write_int(document, (int64_t)(random_bits() >> below(64))); return;
  case 3: ld_write_float(document, (double)(int64_t)random_bits() / (1 << below(31))); return;
  default: write_random_string(document);
  }
}

/* The number makes each key of a map another one. */
static void write_random_key(ld_buf *document, unsigned i) {
  char name[16];
  snprintf(name, sizeof name, "key %u", i);
  switch (below(8)) {
  case 0: ld_write_int(document, i); return;
  case 1: ld_write_float(document, i + 0.5); return;
  default: ld_write_text(document, name);
  }
}

static void write_random_value(ld_buf *document, unsigned depth) {
  unsigned count = below(5), kind = depth == 0 ? 0 : below(4);
  if (kind < 2) {
    write_random_scalar(document);
  } else if (kind == 2) {
    ld_write_array(document, count);
    for (unsigned i = 0; i < count; i++) write_random_value(document, depth - 1);
  } else {
    ld_write_map(document, count);
    for (unsigned i = 0; i < count; i++) {
      if (count == 1)
        write_random_string(document);
      else
        write_random_key(document, i);
      write_random_value(document, depth - 1);
    }
  }
}

static void test_documents(void) {
  ld_buf document = {0};
  for (int i = 0; i < 30000; i++) {
    write_random_value(&document, 1 + below(7));
    check_same(&document);
  }
  ld_buf_clear(&document);
}

int main(void) {
  test_floats();
  test_integers();
  test_strings();
  test_text();
  test_documents();
  return check_done("json_print");
}
