/* test_filter_invalid.c -- filters that are refused: the message names the place. */
#include "../../csrc/filter.h"

#include "documents.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* A text that ends in `...` is the beginning of the message. */
static const char *const refused[][2] = {
    {"[]", "expected a filter, which is a map, got an array"},
    {"5", "expected a filter, which is a map, got an integer"},
    {"{\"$map\": [[1, \"a\"]]}", "expected the name of a field, got an integer"},
    {"{\"\": 1}", "path \"\": a part is empty"},
    {"{\"a..b\": 1}", "path \"a..b\": a part is empty"},
    {"{\"$or\": [{\"a.\": 1}]}", "$or[1]: path \"a.\": a part is empty"},
    /* operators */
    {"{\"a\": {\"$gtt\": 1}}",
     "a.$gtt: unknown operator \"$gtt\", did you mean \"$gt\"? (known: $eq, $ne, ..."},
    {"{\"a.b\": {\"$elemmatch\": {}}}",
     "a.b.$elemmatch: unknown operator \"$elemmatch\", did you mean \"$elemMatch\"? ..."},
    {"{\"a\": {\"$where\": 1}}", "a.$where: unknown operator \"$where\" (known: ..."},
    {"{\"a\": {\"$\": 1}}", "a.$: unknown operator \"$\" (known: ..."},
    {"{\"$orr\": []}",
     "$orr: unknown operator \"$orr\", did you mean \"$or\"? (known: $and, $or, $nor)"},
    {"{\"$gte\": 1}", "$gte: goes behind a field, into a map of operators"},
    {"{\"$not\": {\"a\": 1}}", "$not: goes behind a field, into a map of operators"},
    {"{\"a\": {\"$or\": [{\"b\": 1}]}}", "a.$or[1]: expected a map of operators"},
    {"{\"a\": {\"$nor\": [{\"$gt\": 1}, 5]}}", "a.$nor[2]: expected a map of operators"},
    {"{\"a\": {\"$and\": []}}", "a.$and: expected one filter at least, got none"},
    {"{\"a\": {\"$gt\": 1, \"b\": 2}}", "a: operators and fields do not go into one map"},
    {"{\"a\": {\"b\": 2, \"$gt\": 1}}", "a: operators and fields do not go into one map"},
    {"{\"a b\": {\"$gt\": 1, \"b\": 2}}", "\"a b\": operators and ..."},
    /* $and, $or, $nor */
    {"{\"$and\": []}", "$and: expected one filter at least, got none"},
    {"{\"$or\": {}}", "$or: expected one filter at least, got none"},
    {"{\"$nor\": []}", "$nor: expected one filter at least, got none"},
    {"{\"$or\": {\"a\": 1}}", "$or: expected a list, got a map"},
    {"{\"$or\": \"a\"}", "$or: expected a list, got a string"},
    {"{\"$and\": [{\"a\": 1}, 5]}", "$and[2]: expected a filter, which is a map, got an integer"},
    {"{\"$or\": [{\"a\": 1}, {\"$nor\": [{\"b.c\": {\"$size\": -1}}]}]}",
     "$or[2].$nor[1].b.c.$size: expected a whole number from 0"},
    /* operands */
    {"{\"a\": {\"$in\": 1}}", "a.$in: expected a list, got an integer"},
    {"{\"a\": {\"$nin\": {\"x\": 1}}}", "a.$nin: expected a list, got a map"},
    {"{\"a\": {\"$in\": [1, {\"$gt\": 1}]}}",
     "a.$in[2]: operators do not go into a list of values"},
    {"{\"a\": {\"$all\": 1}}", "a.$all: expected a list, got an integer"},
    {"{\"a\": {\"$all\": [{\"$gt\": 1}]}}",
     "a.$all[1]: only $elemMatch goes into this list, and only alone"},
    {"{\"a\": {\"$all\": [1, {\"$elemMatch\": {}, \"$gt\": 1}]}}",
     "a.$all[2]: only $elemMatch ..."},
    {"{\"a\": {\"$all\": [{\"$elemMatch\": 1}]}}",
     "a.$all[1].$elemMatch: expected a map, got an integer"},
    {"{\"a\": {\"$exists\": 1}}", "a.$exists: expected true or false, got an integer"},
    {"{\"a\": {\"$exists\": null}}", "a.$exists: expected true or false, got null"},
    {"{\"a\": {\"$size\": \"1\"}}", "a.$size: expected a whole number from 0"},
    {"{\"a\": {\"$size\": 1.5}}", "a.$size: expected a whole number from 0"},
    {"{\"a\": {\"$size\": {\"$numberDouble\": \"NaN\"}}}",
     "a.$size: expected a whole number from 0"},
    {"{\"a\": {\"$size\": {\"$numberDouble\": \"Infinity\"}}}",
     "a.$size: expected a whole number from 0"},
    {"{\"a\": {\"$size\": {\"$gt\": 1}}}", "a.$size: expected a whole number from 0"},
    {"{\"a\": {\"$type\": \"strin\"}}",
     "a.$type: unknown type \"strin\", did you mean \"string\"? (known: number, int, ..."},
    {"{\"a\": {\"$type\": 2}}", "a.$type: expected a list, got an integer"},
    {"{\"a\": {\"$type\": []}}", "a.$type: expected one type at least, got none"},
    {"{\"a\": {\"$type\": [\"int\", 2]}}", "a.$type: expected the name of a type, got an integer"},
    {"{\"a\": {\"$mod\": 3}}", "a.$mod: expected a list, got an integer"},
    {"{\"a\": {\"$mod\": []}}", "a.$mod: expected two numbers, divisor and remainder"},
    {"{\"a\": {\"$mod\": [3]}}", "a.$mod: expected two numbers, divisor and remainder"},
    {"{\"a\": {\"$mod\": [3, 1, 2]}}", "a.$mod: expected two numbers, divisor and remainder"},
    {"{\"a\": {\"$mod\": [3, \"1\"]}}", "a.$mod: expected two numbers, divisor and remainder"},
    {"{\"a\": {\"$mod\": [{\"$numberDouble\": \"NaN\"}, 1]}}", "a.$mod: expected two numbers, ..."},
    {"{\"a\": {\"$mod\": [0, 0]}}", "a.$mod: the divisor is 0"},
    {"{\"a\": {\"$mod\": [0.5, 0]}}", "a.$mod: the divisor is 0"},
    {"{\"a\": {\"$mod\": [{\"$numberDouble\": \"-0.0\"}, 0]}}", "a.$mod: the divisor is 0"},
    {"{\"a\": {\"$prefix\": 1}}", "a.$prefix: expected a string, got an integer"},
    {"{\"a\": {\"$prefix\": null}}", "a.$prefix: expected a string, got null"},
    {"{\"a\": {\"$not\": 1}}", "a.$not: expected a map of operators"},
    {"{\"a\": {\"$not\": {}}}", "a.$not: expected a map of operators"},
    {"{\"a\": {\"$not\": {\"b\": 1}}}", "a.$not: expected a map of operators"},
    {"{\"a\": {\"$not\": {\"$gt\": 1, \"b\": 1}}}",
     "a.$not: operators and fields do not go into one map"},
    {"{\"a\": {\"$not\": {\"$in\": 1}}}", "a.$not.$in: expected a list, got an integer"},
    {"{\"a\": {\"$elemMatch\": [1]}}", "a.$elemMatch: expected a map, got an array"},
    {"{\"a\": {\"$elemMatch\": {\"$gt\": 1, \"$or\": [{\"b\": 1}]}}}",
     "a.$elemMatch.$or[1]: expected a map of operators"},
    {"{\"a\": {\"$elemMatch\": {\"b\": {\"$foo\": 1}}}}",
     "a.$elemMatch.b.$foo: unknown operator \"$foo\", ..."},
    {"{\"a\": {\"$elemMatch\": {\"$gt\": 1, \"b\": 1}}}",
     "a.$elemMatch: operators and fields do not go into one map"},
    /* regular expressions */
    {"{\"a\": {\"$regex\": 1}}", "a.$regex: expected a pattern, which is a string, got an integer"},
    {"{\"a\": {\"$regex\": {\"$binary\": {\"base64\": \"/w==\", \"subType\": \"00\"}}}}",
     "a.$regex: expected a pattern, which is a string, got bytes"},
    {"{\"a\": {\"$regex\": \"(a\"}}", "a.$regex: no regular expression: ..."},
    {"{\"a\": {\"$regex\": \"[a\"}}", "a.$regex: no regular expression: ..."},
    {"{\"a\": {\"$regex\": \"a\\u0000b\"}}",
     "a.$regex: no regular expression: it holds a zero byte"},
    {"{\"a\": {\"$regex\": \"(a)\\\\1\"}}",
     "a.$regex: no regular expression: it has a back-reference"},
    {"{\"a\": {\"$regex\": \"(((a{99}){99}){99}){99}\"}}",
     "a.$regex: no regular expression: it repeats too much"},
    {"{\"a\": {\"$regex\": \"((a{50}b)+x{1,50}){20,}\"}}",
     "a.$regex: no regular expression: it repeats too much"},
    {"{\"a\": {\"$regex\": \"(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+\"}}",
     "a.$regex: no regular expression: it repeats too much"},
    {"{\"a\": {\"$regex\": \"[[:alpha:]{]{3000}\"}}",
     "a.$regex: no regular expression: it repeats too much"},
    {"{\"a\": {\"$regex\": \"a\", \"$options\": \"m\"}}", "a.$regex: $options may be \"i\" only"},
    {"{\"a\": {\"$regex\": \"a\", \"$options\": 1}}", "a.$regex: $options may be \"i\" only"},
    {"{\"a\": {\"$options\": \"i\"}}", "a.$options: goes with $regex only"},
    {"{\"a\": {\"$options\": \"i\", \"$gt\": 1}}", "a.$options: goes with $regex only"},
};

/* A filter that is compiled is one of these. */
static const char *const accepted[] = {
    "{\"a\": {\"$regex\": \"^[]{9999}x]{2,3}(b|c)*d?$\"}}",
    "{\"a\": {\"$regex\": \"^[0-9]{255}-[0-9]{255}$\"}}",
    "{\"a\": {\"$regex\": \"(a+b+)+\\\\.\\\\{9999}\"}}",
    "{\"a.$b\": 1}",
    "{\"a\": {\"b$\": 1}}",
};

static void check_message(ld_slice document, const char *json, const char *expected) {
  ld_error error;
  ld_filter *filter = NULL;
  size_t size = strlen(expected);
  bool beginning = size > 3 && strcmp(expected + size - 3, "...") == 0;
  CHECK_RC(LD_INVALID, ld_filter_compile(document, &filter, &error));
  CHECK(filter == NULL);
  bool same =
      beginning ? strncmp(error.text, expected, size - 3) == 0 : strcmp(error.text, expected) == 0;
  if (!same) fprintf(stderr, "%s: %s\n", json, error.text);
  CHECK(same);
  CHECK_RC(LD_INVALID, ld_filter_compile(document, &filter, NULL));
}

static void check_refused(const char *json, const char *expected) {
  ld_buf document = document_of(json);
  check_message(ld_buf_slice(&document), json, expected);
  ld_buf_clear(&document);
}

static void check_accepted(const char *json) {
  ld_buf document = document_of(json);
  ld_filter *filter;
  CHECK_RC(LD_OK, ld_filter_compile(ld_buf_slice(&document), &filter, NULL));
  ld_filter_match(filter, ld_buf_slice(&document));
  ld_filter_free(filter);
  ld_buf_clear(&document);
}

/* Bytes that are no document at all. */
static void check_bytes(void) {
  check_message(LD_SLICE_NONE, "", "document: cut off, ...");
  check_message(LD_LITERAL("\x81\xa1"), "", "document: cut off, ...");
  check_message(LD_LITERAL("\x80\x80"), "", "document: something follows ...");
}

/* Lists inside lists, and names as long as one likes. */
static void check_large(void) {
  ld_buf json = {0}, name = {0};
  for (int i = 0; i < 400; i++) ld_buf_add(&name, LD_LITERAL("0123456789"));
  ld_buf_printf(&json, "{\"$or\": [{\"%.*s\": {\"$gtt%.*s\": 1}}]}", (int)name.size,
                (const char *)name.data, (int)name.size, (const char *)name.data);
  check_refused((const char *)json.data, "$or[1].\"0123456789...");
  ld_buf_reset(&json);
  for (int i = 0; i < 60; i++) ld_buf_add(&json, LD_LITERAL("{\"$or\": ["));
  ld_buf_add(&json, LD_LITERAL("{\"a\": 1}"));
  for (int i = 0; i < 60; i++) ld_buf_add(&json, LD_LITERAL("]}"));
  ld_buf_byte(&json, 0);
  check_accepted((const char *)json.data);
  ld_buf_clear(&json);
  ld_buf_clear(&name);
}

/* Patterns: too long, groups too deep; and just not so. */
static void check_pattern(size_t depth, size_t letters, bool fine) {
  ld_buf json = {0};
  ld_buf_add(&json, LD_LITERAL("{\"a\": {\"$regex\": \""));
  for (size_t i = 0; i < depth; i++) ld_buf_byte(&json, '(');
  for (size_t i = 0; i < letters; i++) ld_buf_byte(&json, 'a');
  for (size_t i = 0; i < depth; i++) ld_buf_byte(&json, ')');
  ld_buf_add(&json, LD_LITERAL("\"}}"));
  ld_buf_byte(&json, 0);
  if (fine)
    check_accepted((const char *)json.data);
  else
    check_refused((const char *)json.data, "a.$regex: no regular expression: ...");
  ld_buf_clear(&json);
}

int main(void) {
  for (size_t i = 0; i < COUNT(refused); i++) check_refused(refused[i][0], refused[i][1]);
  for (size_t i = 0; i < COUNT(accepted); i++) check_accepted(accepted[i]);
  check_bytes();
  check_large();
  check_pattern(0, 1000, true);
  check_pattern(0, 1001, false);
  check_pattern(100, 1, true);
  check_pattern(101, 1, false);
  return check_done("filter_invalid");
}
