/* test_path.c -- dotted paths: reading them, and what each comes to in a document. */
#include "../../csrc/path.h"

#include "documents.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Visits, in order: the value or `-` for missing, then `~` where it went through an array, `!` where it was picked. */
static const struct walk {
  const char *document, *path, *visits;
} walks[] = {
    /* maps */
    {"{\"a\": 1}", "a", "1"},
    {"{\"a\": null}", "a", "null"},
    {"{\"b\": 1}", "a", "-"},
    {"{}", "a", "-"},
    {"{\"a\": {\"b\": {\"c\": 2}}}", "a.b.c", "2"},
    {"{\"a\": {\"b\": 1}}", "a", "{\"b\":1}"},
    {"{\"a\": {\"c\": 1}}", "a.b", "-"},
    {"{\"a\": 5}", "a.b", "-"},
    {"{\"a\": null}", "a.b", "-"},
    {"{\"a\": \"b\"}", "a.b.c", "-"},
    {"{\"a\": {\"0\": 7}}", "a.0", "7"},
    {"{\"aa\": 1, \"ab\": 2, \"b\": 3, \"a\": 4}", "a", "4"},
    {"{\"$map\": [[1, 5], [\"1\", 6]]}", "1", "6"},
    {"{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": 1, \"b\": 2}",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1"},
    {"{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": 1, \"b\": 2}", "b", "2"},
    {"5", "a", "-"},
    {"null", "a", "-"},
    /* arrays at the end */
    {"{\"a\": []}", "a", "[]"},
    {"{\"a\": [1, [2]]}", "a", "[1,[2]]"},
    {"{\"a\": {\"b\": [1, 2]}}", "a.b", "[1,2]"},
    /* arrays on the way */
    {"{\"a\": [{\"b\": 1}, {\"b\": [2]}]}", "a.b", "1~ [2]~"},
    {"{\"a\": [{\"b\": 1}, {\"c\": 2}, {\"b\": null}]}", "a.b", "1~ -~ null~"},
    {"{\"a\": [{\"b\": 1}, 1, [{\"b\": 2}]]}", "a.b", "1~"},
    {"{\"a\": []}", "a.b", "-~"},
    {"{\"a\": [1]}", "a.b", "-~"},
    {"{\"a\": [[]]}", "a.b", "-~"},
    {"{\"a\": [[{\"b\": 1}]]}", "a.b", "-~"},
    {"{\"a\": [{\"b\": 5}, {\"b\": {\"c\": 1}}]}", "a.b.c", "-~ 1~"},
    {"{\"a\": [{\"b\": [1]}, {\"b\": [{\"c\": 1}, {\"c\": 2}]}]}", "a.b.c", "-~ 1~ 2~"},
    {"[{\"a\": 1}, 2]", "a", "1~"},
    /* numbers pick */
    {"{\"a\": [5, 6]}", "a.1", "6~!"},
    {"{\"a\": [5, 6]}", "a.2", "-~"},
    {"{\"a\": [5, 6]}", "a.01", "-~"},
    {"{\"a\": [5, 6]}", "a.-1", "-~"},
    {"{\"a\": [5, 6]}", "a.99999999999999999999", "-~"},
    {"{\"a\": [5, 6]}", "a.4294967297", "-~"},
    {"{\"a\": [5, 6]}", "a.18446744073709551616", "-~"},
    {"{\"a\": [5, [6, 7]]}", "a.1", "[6,7]~!"},
    {"{\"a\": [5, [6, 7]]}", "a.1.0", "6~!"},
    {"{\"a\": [[[1]]]}", "a.0.0.0", "1~!"},
    {"{\"a\": [{\"b\": 1}, {\"b\": 2}]}", "a.1.b", "2~"},
    {"{\"a\": [{\"b\": 1}, {\"c\": 2}]}", "a.1.b", "-~"},
    {"{\"a\": [{\"b\": 1}, 2]}", "a.1.b", "-~"},
    {"{\"a\": [{\"b\": 1}]}", "a.0", "{\"b\":1}~!"},
    {"{\"a\": [[{\"b\": 1}, {\"b\": [2]}]]}", "a.0.b", "1~ [2]~"},
    {"{\"a\": [{\"b\": [1, 2]}]}", "a.0.b", "[1,2]~"},
    /* and are names in the maps of an array, where they are not missed */
    {"{\"a\": [{\"1\": 4}]}", "a.1", "4~"},
    {"{\"a\": [5, {\"1\": 4}]}", "a.1", "{\"1\":4}~! 4~"},
    {"{\"a\": [{\"0\": {\"b\": 1}, \"b\": 2}]}", "a.0.b", "2~ 1~"},
    {"{\"a\": [{\"b\": [7]}]}", "a.b.0", "7~!"},
};

static bool print_visit(void *context, ld_slice value, unsigned how) {
  ld_buf *text = context;
  if (text->size > 0) ld_buf_byte(text, ' ');
  if (value.size == 0)
    ld_buf_byte(text, '-');
  else
    CHECK_RC(LD_OK, ld_json_print(value, false, text, NULL));
  if ((how & LD_PATH_THROUGH) != 0) ld_buf_byte(text, '~');
  if ((how & LD_PATH_PICKED) != 0) ld_buf_byte(text, '!');
  return true;
}

static ld_path path_of(const char *text) {
  ld_path path = {.count = 0};
  if (text[0] != '\0') CHECK_RC(LD_OK, ld_path_parse(ld_text(text), &path, NULL));
  return path;
}

static void check_walk(const struct walk *walk) {
  ld_buf document = document_of(walk->document), visits = {0};
  ld_path path = path_of(walk->path);
  CHECK(ld_path_each(ld_buf_slice(&document), &path, print_visit, &visits));
  bool same = ld_equal(ld_buf_slice(&visits), ld_text(walk->visits));
  if (!same)
    fprintf(stderr, "%s of %s: %.*s\n", walk->path, walk->document, (int)visits.size,
            (const char *)visits.data);
  CHECK(same);
  ld_buf_clear(&document);
  ld_buf_clear(&visits);
}

static bool count_to_two(void *context, ld_slice value, unsigned how) {
  (void)value, (void)how;
  return ++*(int *)context < 2;
}

static void check_stops(const char *json, const char *text, int expected) {
  ld_buf document = document_of(json);
  ld_path path = path_of(text);
  int visits = 0;
  CHECK(ld_path_each(ld_buf_slice(&document), &path, count_to_two, &visits) == (expected < 2));
  CHECK(visits == expected);
  ld_buf_clear(&document);
}

static void check_stopping(void) {
  check_stops("{\"a\": [{\"b\": 1}]}", "a.b", 1);
  check_stops("{\"a\": [{\"b\": 1}, {\"b\": 2}, {\"b\": 3}]}", "a.b", 2);
  check_stops("{\"a\": [{\"b\": 1}, {}, {}, {}]}", "a.b", 2);
  check_stops("{\"a\": [{\"b\": []}, {\"b\": []}, {\"b\": []}]}", "a.b.c", 2);
  check_stops("{\"a\": [{\"1\": 1}, {\"1\": 1}, {\"1\": 1}]}", "a.1", 2);
}

static void check_itself(void) {
  ld_buf document = document_of("[1]"), visits = {0};
  ld_path path = {.count = 0};
  CHECK(ld_path_each(ld_buf_slice(&document), &path, print_visit, &visits));
  CHECK(ld_equal(ld_buf_slice(&visits), LD_LITERAL("[1]!")));
  ld_buf_clear(&document);
  ld_buf_clear(&visits);
}

/* ---- ld_path_get ---- */

static void check_get(const char *json, const char *text, const char *expected) {
  ld_buf document = document_of(json), found = {0};
  ld_path path = path_of(text);
  ld_slice value = LD_LITERAL("untouched");
  bool got = ld_path_get(ld_buf_slice(&document), &path, &value);
  CHECK(got == (expected != NULL));
  if (got)
    CHECK_RC(LD_OK, ld_json_print(value, false, &found, NULL));
  else
    CHECK(ld_equal(value, LD_LITERAL("untouched")));
  CHECK(ld_equal(ld_buf_slice(&found), ld_text(expected)));
  ld_buf_clear(&document);
  ld_buf_clear(&found);
}

static void check_gets(void) {
  check_get("{\"a\": {\"b\": [1]}}", "a.b", "[1]");
  check_get("{\"a\": {\"b\": [1]}}", "a", "{\"b\":[1]}");
  check_get("{\"a\": {\"b\": [1]}}", "", "{\"a\":{\"b\":[1]}}");
  check_get("{\"a\": {\"b\": [1]}}", "a.b.0", NULL);
  check_get("{\"a\": [{\"b\": 1}]}", "a.b", NULL);
  check_get("{\"a\": 1}", "b", NULL);
  check_get("{\"a\": 1}", "a.b", NULL);
  check_get("7", "a", NULL);
}

/* ---- reading ---- */

static void check_parsed(const char *text, unsigned count, const char *last) {
  ld_path path = path_of(text);
  CHECK(path.count == count && ld_equal(path.parts[count - 1], ld_text(last)));
}

static void check_refused(ld_slice text, const char *expected) {
  ld_error error;
  ld_path path = {.count = 77};
  CHECK_RC(LD_INVALID, ld_path_parse(text, &path, &error));
  if (strcmp(error.text, expected) != 0) fprintf(stderr, "%s\n", error.text);
  CHECK(strcmp(error.text, expected) == 0 && path.count == 77);
}

static void check_parts(void) {
  char long_path[2 * LD_PATH_PARTS + 2];
  for (size_t i = 0; i < sizeof long_path; i++) long_path[i] = i % 2 == 0 ? 'a' : '.';
  ld_path path;
  CHECK_RC(LD_OK, ld_path_parse(ld_bytes(long_path, 2 * LD_PATH_PARTS - 1), &path, NULL));
  CHECK(path.count == LD_PATH_PARTS);
  ld_error error;
  CHECK_RC(LD_INVALID, ld_path_parse(ld_bytes(long_path, 2 * LD_PATH_PARTS + 1), &path, &error));
  CHECK(strstr(error.text, "more than 32 parts") != NULL);
  check_parsed("a", 1, "a");
  check_parsed("a.b.cc", 3, "cc");
  check_parsed("a b.$x", 2, "$x");
  check_refused(LD_SLICE_NONE, "path \"\": a part is empty");
  check_refused(LD_LITERAL("."), "path \".\": a part is empty");
  check_refused(LD_LITERAL("a..b"), "path \"a..b\": a part is empty");
  check_refused(LD_LITERAL(".a"), "path \".a\": a part is empty");
  check_refused(LD_LITERAL("a."), "path \"a.\": a part is empty");
}

int main(void) {
  for (size_t i = 0; i < COUNT(walks); i++) check_walk(&walks[i]);
  check_stopping();
  check_itself();
  check_gets();
  check_parts();
  return check_done("path");
}
