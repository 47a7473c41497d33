/* test_room.c -- whole rooms on the memory engine: save, get, delete, each; names of any bytes; documents that are no room. */
#include "room_help.h"

#define FULL_ROOM                                                                                  \
  "{\"roomName\":\"r\",\"password\":\"pw\",\"filters\":[{\"key\":\"genre\"}],\"options\":null,"    \
  "\"sort\":\"random\",\"createdAt\":\"2020\",\"extra\":{\"n\":[1,2.5,{}]}"
static void test_save_and_get(void) {
  begin();
  CHECK_RC(LD_OK, save(FULL_ROOM "," RATINGS "}"));
  check_get("r", LD_ROOM_WHOLE, FULL_ROOM "," RATINGS "}");
  check_get("r", LD_ROOM_PASSWORD, FULL_ROOM "}");
  check_get("r", LD_ROOM_CONFIG,
            "{\"roomName\":\"r\",\"filters\":[{\"key\":\"genre\"}],\"options\":null,"
            "\"sort\":\"random\",\"createdAt\":\"2020\",\"extra\":{\"n\":[1,2.5,{}]}}");
  CHECK_RC(LD_OK, save("{\"roomName\":\"bare\"}"));
  check_get("bare", LD_ROOM_WHOLE, "{\"roomName\":\"bare\"}");
  CHECK_RC(LD_OK, save("{\"userProgress\":{},\"ratings\":{},\"roomName\":\"empty\"}"));
  check_get("empty", LD_ROOM_WHOLE, "{\"roomName\":\"empty\",\"ratings\":{},\"userProgress\":{}}");
  end();
}

/* The later save replaces all of it, ratings included, and leaves no row behind. */
static void test_replace(void) {
  begin();
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\"}"));
  uint64_t bare = rows();
  CHECK_RC(LD_OK, save(FULL_ROOM "," RATINGS "}"));
  CHECK(rows() == bare + 4);
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\",\"ratings\":{\"m9\":[[\"cy\",\"like\",1]]}}"));
  check_get("r", LD_ROOM_WHOLE, "{\"roomName\":\"r\",\"ratings\":{\"m9\":[[\"cy\",\"like\",1]]}}");
  CHECK(rows() == bare + 1);
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\"}"));
  CHECK(rows() == bare);
  end();
}

static void test_delete(void) {
  begin();
  uint64_t none = rows();
  CHECK_RC(LD_NOTFOUND, ld_room_has(txn, ld_text("r")));
  CHECK_RC(LD_NOTFOUND, ld_room_delete(txn, ld_text("r")));
  CHECK_RC(LD_OK, save(FULL_ROOM "," RATINGS "}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"r2\"," RATINGS "}"));
  CHECK_RC(LD_OK, ld_room_has(txn, ld_text("r")));
  CHECK_RC(LD_OK, ld_room_delete(txn, ld_text("r")));
  CHECK_RC(LD_NOTFOUND, ld_room_has(txn, ld_text("r")));
  CHECK_RC(LD_NOTFOUND, ld_room_delete(txn, ld_text("r")));
  check_get("r2", LD_ROOM_WHOLE, "{\"roomName\":\"r2\"," RATINGS "}");
  CHECK_RC(LD_OK, ld_room_delete(txn, ld_text("r2")));
  CHECK(rows() == none);
  end();
}

/* Names of any bytes: neither reaches another's rows, whatever it holds. */
static void test_names(void) {
  static const char *const json[] = {
      "{\"roomName\":{\"$binary\":{\"base64\":\"AA==\",\"subType\":\"00\"}},\"n\":0,",
      "{\"roomName\":{\"$binary\":{\"base64\":\"AAA=\",\"subType\":\"00\"}},\"n\":1,",
      "{\"roomName\":{\"$binary\":{\"base64\":\"AP8=\",\"subType\":\"00\"}},\"n\":2,",
      "{\"roomName\":{\"$binary\":{\"base64\":\"/w==\",\"subType\":\"00\"}},\"n\":3,",
      "{\"roomName\":\"../etc\",\"n\":4,",
      "{\"roomName\":\"..\",\"n\":5,",
      "{\"roomName\":\"a\",\"n\":6,",
      "{\"roomName\":\"A\",\"n\":7,",
      "{\"roomName\":\"a \",\"n\":8,"};
  static const char bytes[][7] = {"\0", "\0", "\0\xff", "\xff", "../etc", "..", "a", "A", "a "};
  static const size_t sizes[] = {1, 2, 2, 1, 6, 2, 1, 1, 2};
  char text[200];
  begin();
  for (size_t i = 0; i < COUNT(json); i++) {
    snprintf(text, sizeof text, "%s\"ratings\":{\"m\":[[\"u%zu\",\"like\",%zu]]}}", json[i], i, i);
    CHECK_RC(LD_OK, save(text));
  }
  for (size_t i = 0; i < COUNT(json); i++) {
    ld_buf document = {0};
    CHECK_RC(LD_OK, ld_room_get(txn, ld_bytes(bytes[i], sizes[i]), LD_ROOM_WHOLE, &document));
    snprintf(text, sizeof text, "%s\"ratings\":{\"m\":[[\"u%zu\",\"like\",%zu]]}}", json[i], i, i);
    check_json(&document, text);
    CHECK_RC(LD_OK, ld_room_delete(txn, ld_bytes(bytes[i], sizes[i])));
  }
  CHECK_RC(LD_NOTFOUND, ld_room_has(txn, LD_SLICE_NONE));
  end();
}

/* Names, media and users of 1,023 bytes; of 1,024 they are TOOBIG and nothing is written. */
static void test_long_names(void) {
  char name[1025], json[4500], want[4500];
  begin();
  uint64_t before = rows();
  for (size_t size = 1022; size <= 1024; size++) {
    memset(name, 'n', sizeof name);
    name[size] = '\0';
    snprintf(json, sizeof json,
             "{\"roomName\":\"%s\",\"ratings\":{\"%s\":[[\"%s\",\"like\",1]]},\"userProgress\":{\"%"
             "s\":1}}",
             name, name, name, name);
    CHECK_RC(size <= 1023 ? LD_OK : LD_TOOBIG, save(json));
    CHECK(rows() == before + 3 * (size <= 1023 ? size - 1021 : 2));
    if (size <= 1023) check_get(name, LD_ROOM_WHOLE, json);
  }
  name[1023] = '\0';
  ld_buf result = {0};
  CHECK_RC(LD_OK, rate_at(name, name, "other", true, "5", &result));
  check_json(&result, "{\"rated\":true,\"progress\":2}");
  memset(name, 'n', 1024);
  CHECK_RC(LD_NOTFOUND, ld_room_has(txn, ld_text(name)));
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\"}"));
  CHECK_RC(LD_TOOBIG, rate_at("r", name, "m", true, "5", &result));
  CHECK_RC(LD_TOOBIG, rate_at("r", "u", name, true, "5", &result));
  CHECK(result.size == 0);
  snprintf(want, sizeof want, "{\"roomName\":\"r\"}");
  check_get("r", LD_ROOM_WHOLE, want);
  end();
}

static void test_bad_documents(void) {
  static const struct {
    const char *json, *text;
  } bad[] = {
      {"[]", "expected a room, a map with roomName, got an array"},
      {"{}", "roomName: is missing"},
      {"{\"roomName\":\"\"}", "roomName: is empty"},
      {"{\"roomName\":7}", "roomName: expected a string, got an integer"},
      {"{\"roomName\":\"x\",\"password\":7}", "password: expected a string, got an integer"},
      {"{\"roomName\":\"x\",\"ratings\":[1]}", "ratings: expected a map, got an array"},
      {"{\"roomName\":\"x\",\"ratings\":{\"m\":7}}",
       "ratings.m: expected a list of [user, rating, time], got an integer"},
      {"{\"roomName\":\"x\",\"ratings\":{\"m\":[7]}}",
       "ratings.m[1]: expected a list of user, rating and time, got an integer"},
      {"{\"roomName\":\"x\",\"ratings\":{\"m\":[[\"u\",\"like\"]]}}",
       "ratings.m[1]: expected user, rating and time, got 2 elements"},
      {"{\"roomName\":\"x\",\"ratings\":{\"m\":[[\"u\",\"like\",1],[1,\"like\",1]]}}",
       "ratings.m[2][1]: expected a user, got an integer"},
      {"{\"roomName\":\"x\",\"ratings\":{\"media-1\":[[\"u\",\"meh\",1]]}}",
       "ratings.media-1[1][2]: expected \"like\" or \"dislike\", got \"meh\""},
      {"{\"roomName\":\"x\",\"ratings\":{\"m\":[[\"u\",\"like\",\"1\"]]}}",
       "ratings.m[1][3]: expected a time in ms, got \"1\""},
      {"{\"roomName\":\"x\",\"ratings\":{\"m\":[[\"u\",\"like\",{\"$numberDouble\":\"NaN\"}]]}}",
       "ratings.m[1][3]: expected a time in ms, got a float"},
      {"{\"roomName\":\"x\",\"userProgress\":{\"u\":-1}}",
       "userProgress.u: expected a whole number from 0, got an integer"},
      {"{\"roomName\":\"x\",\"userProgress\":{\"u u\":1.5}}",
       "userProgress[\"u u\"]: expected a whole number from 0, got a float"}};
  begin();
  uint64_t before = rows();
  for (size_t i = 0; i < COUNT(bad); i++) {
    CHECK_RC(LD_INVALID, save(bad[i].json));
    if (strstr(store->error.text, bad[i].text) == NULL) fprintf(stderr, "%s\n", store->error.text);
    CHECK(strstr(store->error.text, bad[i].text) != NULL);
    CHECK(rows() == before);
  }
  end();
}

/* ---- each ---- */

typedef struct seen {
  char names[200]; /* each with a blank behind it */
  ld_rc stop;
  unsigned documents;
} seen;

static ld_rc note(void *context, ld_slice name, ld_slice document) {
  seen *list = context;
  size_t used = strlen(list->names);
  snprintf(list->names + used, sizeof list->names - used, "%.*s ", (int)name.size,
           (const char *)name.data);
  list->documents += document.size > 0;
  return list->stop;
}

static void check_each(const char *prefix, const char *after, const char *want) {
  for (int names_only = 0; names_only <= 1; names_only++) {
    ld_room_range range = {ld_text(prefix), ld_text(after)};
    seen list = {.stop = LD_OK};
    CHECK_RC(LD_OK, ld_room_each(txn, &range, names_only != 0, LD_ROOM_WHOLE, note, &list));
    if (strcmp(list.names, want) != 0) fprintf(stderr, "%s\n", list.names);
    CHECK(strcmp(list.names, want) == 0);
    CHECK((list.documents > 0) == (names_only == 0 && want[0] != '\0'));
  }
}

static void test_each(void) {
  static const char *const names[] = {"b", "a", "ab", "abc", "B", "c"};
  char json[60];
  ld_room_range all = {0};
  seen list = {.stop = LD_NOTFOUND};
  begin();
  check_each("", "", "");
  for (size_t i = 0; i < COUNT(names); i++) {
    snprintf(json, sizeof json, "{\"roomName\":\"%s\"}", names[i]);
    CHECK_RC(LD_OK, save(json));
  }
  check_each("", "", "B a ab abc b c ");
  check_each("a", "", "a ab abc ");
  check_each("ab", "", "ab abc ");
  check_each("ab", "ab", "abc ");
  check_each("", "ab", "abc b c ");
  check_each("", "aa", "ab abc b c "); /* behind a name that is not there */
  check_each("a", "B", "a ab abc ");   /* behind one before the prefix */
  check_each("a", "b", "");
  check_each("z", "", "");
  CHECK_RC(LD_OK, ld_room_each(txn, &all, true, LD_ROOM_WHOLE, note, &list));
  CHECK(strcmp(list.names, "B ") == 0);
  list = (seen){.stop = LD_BUSY};
  CHECK_RC(LD_BUSY, ld_room_each(txn, &all, false, LD_ROOM_WHOLE, note, &list));
  CHECK(strcmp(list.names, "B ") == 0);
  end();
}

int main(void) {
  test_save_and_get();
  test_replace();
  test_delete();
  test_names();
  test_long_names();
  test_bad_documents();
  test_each();
  return check_done("room");
}
