/* test_patch.c -- patches, case by case: a document, a patch, and what comes out or what the error says. At random: test_patch_random.c.
**
** Documents and patches are JSON; the string "@remove" stands for larder.remove. */
#include "../../csrc/patch.h"

#include <stdlib.h>

#include "../../csrc/json.h"
#include "check.h"

#define BIG   "{\"$numberLong\":\"9223372036854775807\"}"
#define BYTES "{\"$binary\":{\"base64\":\"/w==\",\"subType\":\"00\"}}"

typedef struct example {
  const char *document, *patch, *expected; /* a document, or what the error begins with or holds */
} example;

static const example partial[] = {
    {"{'a':1,'b':2}", "{'b':3,'c':4}", "{'a':1,'b':3,'c':4}"},
    {"{'a':1}", "{}", "{'a':1}"},
    {"{}", "{'a':null}", "{'a':null}"},
    {"{'a':{'x':1,'y':2}}", "{'a':{'y':3}}", "{'a':{'y':3}}"},
    {"{'a':{'x':1,'y':2}}", "{'a.y':3,'a.z':{'q':[]}}", "{'a':{'x':1,'y':3,'z':{'q':[]}}}"},
    {"{'n':1}", "{'a.b.c':1}", "{'n':1,'a':{'b':{'c':1}}}"},
    {"{'a':[1,{'b':2}]}", "{'a.0':9,'a.1.b':8}", "{'a':[9,{'b':8}]}"},
    {"{'a':[1]}", "{'a.3':9}", "{'a':[1,null,null,9]}"},
    {"{'a':[]}", "{'a.1.b':9}", "{'a':[null,{'b':9}]}"},
    {"{'a':{'0':1}}", "{'a.0':9,'a.1':8}", "{'a':{'0':9,'1':8}}"},
    {"{'a':[[1,2],3]}", "{'a.0.1':9}", "{'a':[[1,9],3]}"},
    {"{'a':1,'b':2}", "{'a':'@remove','zz':'@remove'}", "{'b':2}"},
    {"{'a':{'x':1,'y':2}}", "{'a.x':'@remove','b.c.d':'@remove'}", "{'a':{'y':2}}"},
    {"{'a':[1,2]}", "{'a.0':'@remove','a.9':'@remove'}", "{'a':[null,2]}"},
    {"{'a':7}", "{'a.b':'@remove'}", "{'a':7}"},
    {"{'gr\\u00f6\\u00dfe':1}", "{'gr\\u00f6\\u00dfe':2}", "{'gr\\u00f6\\u00dfe':2}"},
    {"{'a':" BYTES "}", "{'b':" BYTES "}", "{'a':" BYTES ",'b':" BYTES "}"},
    {"{'a':1}", "{'b':{'$x':1}}", "{'a':1,'b':{'$x':1}}"},
    {"{'a':{'b':'x'}}", "{'a.b.c':1}", "a.b.c: there is a string, and no place for \"c\" in it"},
    {"{'a':null}", "{'a.b':1}", "a.b: there is null, and no place for \"b\" in it"},
    {"{'a':[1]}", "{'a.b':1}", "a.b: there is an array, and no place for \"b\" in it"},
    {"{'a':[1]}", "{'a.-1':1}", "a.-1: there is an array, and no place for \"-1\" in it"},
    {"{'a':[1]}", "{'a.1500002':1}", "a.1500002: the array has 1 elements, too few for that index"},
    {"{'a':[1]}", "{'a.99999999999999999999':1}", "a.99999999999999999999: there is an array"},
};

static const example bad_patches[] = {
    {"{}", "[1]", "patch: expected a map"},
    {"{}", "'text'", "patch: expected a map"},
    {"{}", "{'$map':[[1,'x'],['a',1]]}", "patch: expected strings as keys, got an integer"},
    {"{}", "{'':1}", "a part is empty"},
    {"{}", "{'a..b':1}", "a..b: path \"a..b\": a part is empty"},
    {"{}", "{'a.$.b':1}", "a.$.b: a part of the path begins with $"},
    {"{}", "{'$set':{'$x':1}}", "$x.$set: a part of the path begins with $"},
    {"{}", "{'a':1,'a.b':2}", "patch: \"a.b\" is changed twice, or in part and as a whole"},
    {"{}", "{'a':1,'a-b':2,'a.b.c':2}", "patch: \"a.b.c\" is changed twice"},
    {"{}", "{'$set':{'a':1},'$inc':{'a':1}}", "patch: \"a\" is changed twice"},
    {"{}", "{'$set':{'a.b':1},'$rename':{'c':'a'}}", "patch: \"a.b\" is changed twice"},
    {"{}", "{'$rename':{'c':'c'}}", "patch: \"c\" is changed twice"},
    {"{}", "{'$set':{'a':1},'b':1}", "patch: expected either fields or operators, got both"},
    {"{}", "{'b':1,'$set':{'a':1}}", "patch: expected either fields or operators, got both"},
    {"{}", "{'$ste':{'a':1}}", "patch: unknown operator \"$ste\", did you mean \"$set\"?"},
    {"{}", "{'$set':1}", "$set: expected a map of paths"},
    {"{}", "{'$set':{'$map':[[1,'x']]}}", "$set: expected paths, strings, as keys"},
    {"{}", "{'a':{'b':['@remove']}}", "a: larder.remove stands only for a field"},
    {"{}", "{'$set':{'a':'@remove'}}", "a.$set: larder.remove stands only for a field"},
    {"{}", "{'$push':{'a':{'$each':['@remove']}}}", "a.$push: larder.remove stands only"},
    {"{}", "{'$inc':{'a':'1'}}", "a.$inc: expected a number, got a string"},
    {"{}", "{'$mul':{'a.b':null}}", "a.b.$mul: expected a number, got null"},
    {"{}", "{'$push':{'a':{'$each':1}}}", "a.$push: $each: expected an array, got an integer"},
    {"{}", "{'$push':{'a':{'$each':[1],'$slice':1}}}", "a.$push: of the operators only $each"},
    {"{}", "{'$addToSet':{'a':{'$in':[1]}}}", "a.$addToSet: of the operators only $each"},
    {"{}", "{'$pop':{'a':0}}", "a.$pop: expected 1 (the last element) or -1 (the first)"},
    {"{}", "{'$pop':{'a':'1'}}", "a.$pop: expected 1"},
    {"{}", "{'$rename':{'a':1}}", "a.$rename: expected the new name, a string, got an integer"},
    {"{}", "{'$rename':{'a':'b..c'}}", "a.$rename: path \"b..c\": a part is empty"},
    {"{}", "{'$pull':{'a':{'$gtt':1}}}", "a.$pull: "},
};

static const example fields[] = {
    {"{'a':1}", "{'$set':{'a':2,'b.c':3}}", "{'a':2,'b':{'c':3}}"},
    {"{'a':1}", "{'$set':{},'$unset':{}}", "{'a':1}"},
    {"{'a':1,'b':{'c':1,'d':2}}", "{'$unset':{'a':'','b.c':1,'x.y':1}}", "{'b':{'d':2}}"},
    {"{'a':[1,2,3]}", "{'$unset':{'a.1':1,'a.7':1}}", "{'a':[1,null,3]}"},
    {"{'a':'x'}", "{'$unset':{'a.b':1}}", "{'a':'x'}"},
    {"{'a':[{'b':1}]}", "{'$unset':{'a.b':1}}", "{'a':[{'b':1}]}"},
    {"{'a':1,'c':3}", "{'$rename':{'a':'b'}}", "{'c':3,'b':1}"},
    {"{'a':1,'b':2}", "{'$rename':{'a':'b'}}", "{'b':1}"},
    {"{'a':{'x':1},'b':2}", "{'$rename':{'a.x':'b.y'}}",
     "a.x.$rename: to \"b.y\": there is an integer"},
    {"{'a':{'x':[1,{}]}}", "{'$rename':{'a.x':'b.y.z'}}", "{'a':{},'b':{'y':{'z':[1,{}]}}}"},
    {"{'b':2}", "{'$rename':{'a':'b'}}", "{'b':2}"},
    {"{'a':7}", "{'$rename':{'a.q':'b'}}", "{'a':7}"},
    {"{'a':[{'b':1}]}", "{'$rename':{'a.0':'b'}}", "a.0.$rename: what is in an array"},
    {"{'a':1,'b':[1]}", "{'$rename':{'a':'b.0'}}", "a.$rename: to \"b.0\": there is an array"},
};

static const example numbers[] = {
    {"{'a':1,'b':1.5}", "{'$inc':{'a':2,'b':2,'c':3,'d.e':0.5}}",
     "{'a':3,'b':3.5,'c':3,'d':{'e':0.5}}"},
    {"{'a':1}", "{'$inc':{'a':0.5}}", "{'a':1.5}"},
    {"{'a':1}", "{'$inc':{'a':1.0}}", "{'a':2.0}"},
    {"{'a':[1,2]}", "{'$inc':{'a.1':-5}}", "{'a':[1,-3]}"},
    {"{'a':" BIG "}", "{'$inc':{'a':1}}", "a.$inc: 9223372036854775807 and 1 is past the integers"},
    {"{'a':" BIG "}", "{'$inc':{'a':1.0}}", "{'a':9223372036854775808.0}"},
    {"{'a':'1'}", "{'$inc':{'a':1}}", "a.$inc: the value is a string, no number"},
    {"{'a':null}", "{'$inc':{'a':1}}", "a.$inc: the value is null, no number"},
    {"{'a':3,'b':2.5}", "{'$mul':{'a':4,'b':2,'c':7,'d':7.5}}", "{'a':12,'b':5.0,'c':0,'d':0.0}"},
    {"{'a':" BIG "}", "{'$mul':{'a':2}}", "a.$mul: 9223372036854775807 times 2 is past"},
    {"{'a':{}}", "{'$mul':{'a':2}}", "a.$mul: the value is a map, no number"},
    {"{'a':5,'b':5,'c':5}", "{'$min':{'a':4,'b':6,'d':1}}", "{'a':4,'b':5,'c':5,'d':1}"},
    {"{'a':5,'b':5,'c':5}", "{'$max':{'a':4,'b':6,'d':1}}", "{'a':5,'b':6,'c':5,'d':1}"},
    {"{'a':5}", "{'$max':{'a':5.0}}", "{'a':5}"},
    {"{'a':5,'b':'x','c':true}", "{'$min':{'a':'x','b':9,'c':null}}", "{'a':5,'b':9,'c':null}"},
    {"{'a':5,'b':'x','c':[1]}", "{'$max':{'a':'x','b':9,'c':[2]}}", "{'a':'x','b':'x','c':[2]}"},
};

static const example arrays[] = {
    {"{'a':[1]}", "{'$push':{'a':2,'b':3,'c.d':[4]}}", "{'a':[1,2],'b':[3],'c':{'d':[[4]]}}"},
    {"{'a':{}}", "{'$push':{'a':{'x':1}}}", "{'a':[{'x':1}]}"},
    {"{'a':[1]}", "{'$push':{'a':{'$each':[2,[3],{}]},'b':{'$each':[]}}}",
     "{'a':[1,2,[3],{}],'b':[]}"},
    {"{'a':[1]}", "{'$push':{'a':{'$each':{}}}}", "{'a':[1]}"},
    {"{'a':[[1],2]}", "{'$push':{'a.0':9,'a.2':8}}", "{'a':[[1,9],2,[8]]}"},
    {"{'a':5}", "{'$push':{'a':1}}", "a.$push: the value is an integer, no array"},
    {"{'a':{'x':1}}", "{'$push':{'a':1}}", "a.$push: the value is a map, no array"},
    {"{'a':null}", "{'$push':{'a':1}}", "a.$push: the value is null, no array"},
    {"{'a':[1,'x']}", "{'$addToSet':{'a':1}}", "{'a':[1,'x']}"},
    {"{'a':[1,1]}", "{'$addToSet':{'a':1.0,'b':[1]}}", "{'a':[1,1],'b':[[1]]}"},
    {"{'a':[{'x':1,'y':2}]}", "{'$addToSet':{'a':{'y':2,'x':1.0}}}", "{'a':[{'x':1,'y':2}]}"},
    {"{'a':[1]}", "{'$addToSet':{'a':{'$each':[2,1,2,'2',null]}}}", "{'a':[1,2,'2',null]}"},
    {"{'a':{}}", "{'$addToSet':{'a':1,'b':{'$each':[]}}}", "{'a':[1],'b':[]}"},
    {"{'a':'x'}", "{'$addToSet':{'a':1}}", "a.$addToSet: the value is a string, no array"},
    {"{'a':[1,2,3],'b':[1,2,3]}", "{'$pop':{'a':1,'b':-1}}", "{'a':[1,2],'b':[2,3]}"},
    {"{'a':[1],'b':[]}", "{'$pop':{'a':1,'b':1,'c':1,'d.e':-1}}", "{'a':[],'b':[]}"},
    {"{'a':[[1,2]]}", "{'$pop':{'a.0':-1.0}}", "{'a':[[2]]}"},
    {"{'a':'x'}", "{'$pop':{'a':1}}", "a.$pop: the value is a string, no array"},
    {"{'a':'x'}", "{'$pop':{'a.b':1}}", "{'a':'x'}"},
    {"{'a':[1,2,1.0,'1',[1],null]}", "{'$pull':{'a':1}}", "{'a':[2,'1',[1],null]}"},
    {"{'a':[1,[1],[1,2]]}", "{'$pull':{'a':[1]}}", "{'a':[1,[1,2]]}"},
    {"{'a':[1,null]}", "{'$pull':{'a':null,'b':1,'a2.b':1}}", "{'a':[1]}"},
    {"{'a':5}", "{'$pull':{'a':5}}", "a.$pull: the value is an integer, no array"},
    {"{'a':{}}", "{'$pull':{'a':5}}", "{'a':{}}"},
};

static const example pulls[] = {
    {"{'a':[1,5,6,'x',9.5]}", "{'$pull':{'a':{'$gte':6}}}", "{'a':[1,5,'x']}"},
    {"{'a':[1,5,6,'x']}", "{'$pull':{'a':{'$in':[1,'x']}}}", "{'a':[5,6]}"},
    {"{'a':[1,5,6]}", "{'$pull':{'a':{'$gt':1,'$lt':6}}}", "{'a':[1,6]}"},
    {"{'a':[1,5]}", "{'$pull':{'a':{'$not':{'$gt':1}}}}", "{'a':[5]}"},
    {"{'r':[{'i':'A','s':5},{'i':'B','s':8,'q':1},{'i':'B'},8]}", "{'$pull':{'r':{'s':8,'i':'B'}}}",
     "{'r':[{'i':'A','s':5},{'i':'B'},8]}"},
    {"{'r':[{'s':5},{'s':8},8]}", "{'$pull':{'r':{'s':{'$gte':6}}}}", "{'r':[{'s':5},8]}"},
    {"{'r':[{'s':5},{'s':8},{'t':1},8]}", "{'$pull':{'r':{'$or':[{'s':5},{'t':1}]}}}",
     "{'r':[{'s':8},8]}"},
    {"{'r':[{'s':[1,2]},{'s':[3]}]}", "{'$pull':{'r':{'s':{'$elemMatch':{'$lt':2}}}}}",
     "{'r':[{'s':[3]}]}"},
};

/* ---- running them ---- */

static void parse(const char *text, ld_buf *document) {
  ld_buf json = {0}, parsed = {0};
  ld_error error = {0};
  for (const char *at = text; *at != 0; at++) ld_buf_byte(&json, *at == '\'' ? '"' : (uint8_t)*at);
  if (ld_json_parse(ld_buf_slice(&json), &parsed, &error) != LD_OK)
    fprintf(stderr, "%s: %s\n", text, error.text);
  CHECK(parsed.size > 0);
  ld_slice rest = ld_buf_slice(&parsed);
  while (rest.size > 0) {
    ld_token token;
    const uint8_t *start = rest.data;
    CHECK(ld_value_next(&rest, &token));
    bool remove = token.kind == LD_STR && ld_equal(token.bytes, LD_LITERAL("@remove"));
    ld_buf_add(document, remove ? LD_PATCH_REMOVE : ld_bytes(start, (size_t)(rest.data - start)));
  }
  ld_buf_clear(&json);
  ld_buf_clear(&parsed);
}

static void show(const char *what, ld_slice document) {
  ld_buf text = {0};
  if (ld_json_print(document, false, &text, NULL) == LD_OK)
    fprintf(stderr, "%s: %.*s\n", what, (int)text.size, (const char *)text.data);
  ld_buf_clear(&text);
}

static void check_result(const example *one, ld_rc rc, const ld_buf *out, const ld_error *error) {
  ld_buf expected = {0};
  bool fails = one->expected[0] != '{';
  if (fails) {
    bool said = rc == LD_INVALID && strstr(error->text, one->expected) != NULL;
    if (!said)
      fprintf(stderr, "%s, %s: %s %s\n", one->document, one->patch, ld_rc_name(rc), error->text);
    CHECK(said && out->size == 3);
    return;
  }
  parse(one->expected, &expected);
  ld_slice got = ld_bytes(out->data + 3, out->size - 3);
  bool same = rc == LD_OK && ld_equal(got, ld_buf_slice(&expected));
  if (!same) {
    fprintf(stderr, "%s, %s: %s %s\n", one->document, one->patch, ld_rc_name(rc), error->text);
    show("got", got);
  }
  CHECK(same);
  ld_buf_clear(&expected);
}

/* `in_check`: the patch itself is wrong, and ld_patch_check says so. */
static void run(const example *one, bool in_check) {
  ld_buf document = {0}, patch = {0}, out = {0};
  ld_error error = {0};
  parse(one->document, &document);
  parse(one->patch, &patch);
  ld_buf_add(&out, LD_LITERAL("..."));
  ld_rc rc = ld_patch_check(ld_buf_slice(&patch), &error);
  if (!in_check && rc != LD_OK) fprintf(stderr, "%s: %s\n", one->patch, error.text);
  CHECK(in_check || rc == LD_OK);
  if (!in_check) rc = ld_patch_apply(ld_buf_slice(&document), ld_buf_slice(&patch), &out, &error);
  check_result(one, rc, &out, &error);
  ld_buf_clear(&document);
  ld_buf_clear(&patch);
  ld_buf_clear(&out);
}

static void run_all(const example *examples, size_t count, bool in_check) {
  for (size_t i = 0; i < count; i++) run(&examples[i], in_check);
}
#define RUN(examples, in_check) run_all(examples, sizeof(examples) / sizeof *(examples), in_check)

/* ---- depth ---- */

static void nest(ld_buf *document, unsigned levels) {
  for (unsigned i = 0; i < levels; i++) ld_write_array(document, 1);
  ld_write_int(document, 7);
}

static ld_rc patch_deep(const char *op, const char *path, unsigned levels) {
  ld_buf document = {0}, patch = {0}, out = {0};
  ld_error error = {0};
  ld_write_map(&document, 0);
  ld_write_map(&patch, 1);
  ld_write_text(&patch, op);
  ld_write_map(&patch, 1);
  ld_write_text(&patch, path);
  nest(&patch, levels);
  CHECK_RC(LD_OK, ld_patch_check(ld_buf_slice(&patch), &error));
  ld_rc rc = ld_patch_apply(ld_buf_slice(&document), ld_buf_slice(&patch), &out, &error);
  if (rc == LD_OK) CHECK_RC(LD_OK, ld_value_check(ld_buf_slice(&out), NULL));
  CHECK(rc == LD_OK || (out.size == 0 && strstr(error.text, path) != NULL));
  ld_buf_clear(&document), ld_buf_clear(&patch), ld_buf_clear(&out);
  return rc;
}

static void test_depth(void) {
  CHECK_RC(LD_OK, patch_deep("$set", "a", LD_DEPTH - 1));
  CHECK_RC(LD_INVALID, patch_deep("$set", "a", LD_DEPTH));
  CHECK_RC(LD_OK, patch_deep("$set", "a.b.c", LD_DEPTH - 3));
  CHECK_RC(LD_INVALID, patch_deep("$set", "a.b.c", LD_DEPTH - 2));
  CHECK_RC(LD_OK, patch_deep("$push", "a", LD_DEPTH - 2));
  CHECK_RC(LD_INVALID, patch_deep("$push", "a", LD_DEPTH - 1));
}

static void test_no_map(void) {
  ld_buf out = {0};
  CHECK_RC(LD_INVALID, ld_patch_apply(LD_LITERAL("\x90"), LD_LITERAL("\x80"), &out, NULL));
  CHECK_RC(LD_INVALID, ld_patch_check(LD_LITERAL("\x90"), NULL));
  CHECK(out.size == 0);
}

int main(void) {
  RUN(partial, false);
  RUN(bad_patches, true);
  RUN(fields, false);
  RUN(numbers, false);
  RUN(arrays, false);
  RUN(pulls, false);
  test_depth();
  test_no_map();
  return check_done("patch");
}
