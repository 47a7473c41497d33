/* test_room.c -- rooms on the memory engine: save and get, ratings, matches, passwords, expiry, sums.
**
** Documents are written as JSON here, and compared as JSON that is printed without blanks. The clock stands at `now`. */
#include "../../csrc/room.h"

#include <string.h>

#include "../../csrc/json.h"
#include "../../csrc/store.h"
#include "../../csrc/value.h"
#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define BYTES(text) ld_bytes("" text, sizeof(text) - 1)

static int64_t now = 1700000000000;
static int64_t clock_now(void *context) {
  (void)context;
  return now;
}

static ld_engine *store;
static ld_txn *txn;

static void begin(void) {
  ld_env env = ld_env_system();
  env.now_ms = clock_now;
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
}

static void end(void) {
  ld_rollback(txn);
  ld_engine_close(store);
}

static uint64_t rows(void) {
  ld_cursor *cursor;
  uint64_t count = 0;
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  while (ld_cursor_next(cursor) == LD_OK) count++;
  ld_cursor_close(cursor);
  return count;
}

/* ---- documents ---- */

static ld_slice parse(const char *json, ld_buf *document) {
  ld_error error;
  if (ld_json_parse(ld_text(json), document, &error) != LD_OK) fprintf(stderr, "%s\n", error.text);
  CHECK(document->size > 0);
  return ld_buf_slice(document);
}

static ld_rc save(const char *json) {
  ld_buf document = {0};
  ld_rc rc = ld_room_save(txn, parse(json, &document));
  ld_buf_clear(&document);
  return rc;
}

/* Check a document against JSON, and free it. */
static void check_json(ld_buf *document, const char *json) {
  ld_buf text = {0};
  CHECK_RC(LD_OK, ld_json_print(ld_buf_slice(document), false, &text, NULL));
  ld_buf_byte(&text, 0);
  if (strcmp((char *)text.data, json) != 0) fprintf(stderr, "%s\n", (char *)text.data);
  CHECK(strcmp((char *)text.data, json) == 0);
  ld_buf_clear(&text);
  ld_buf_clear(document);
}

static void check_get(const char *name, unsigned parts, const char *json) {
  ld_buf document = {0};
  CHECK_RC(LD_OK, ld_room_get(txn, ld_text(name), parts, &document));
  check_json(&document, json);
}

static ld_rc rate_at(const char *name, const char *user, const char *media, bool like,
                     const char *time, ld_buf *result) {
  ld_buf value = {0};
  ld_rating rating = {ld_text(user), ld_text(media), like, parse(time, &value)};
  ld_rc rc = ld_room_rate(txn, ld_text(name), &rating, result);
  ld_buf_clear(&value);
  return rc;
}

static void check_rate(const char *user, const char *media, bool like, const char *time,
                       const char *json) {
  ld_buf result = {0};
  CHECK_RC(LD_OK, rate_at("r", user, media, like, time, &result));
  check_json(&result, json);
}

static void check_matches(const char *user, const char *json) {
  ld_buf matches = {0};
  CHECK_RC(LD_OK, ld_room_matches(txn, ld_text("r"), ld_text(user), &matches));
  check_json(&matches, json);
}

/* ---- save, get, delete ---- */

#define FULL_ROOM                                                                                  \
  "{\"roomName\":\"r\",\"password\":\"pw\",\"filters\":[{\"key\":\"genre\"}],\"options\":null,"    \
  "\"sort\":\"random\",\"createdAt\":\"2020\",\"extra\":{\"n\":[1,2.5,{}]}"
#define RATINGS                                                                                    \
  "\"ratings\":{\"m1\":[[\"ann\",\"like\",10],[\"bob\",\"dislike\",11.5]],\"m2\":[]},"             \
  "\"userProgress\":{\"ann\":1,\"bob\":7}"

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

/* ---- rate, matches ---- */

static void test_rate(void) {
  begin();
  ld_buf result = {0};
  CHECK_RC(LD_NOTFOUND, rate_at("r", "ann", "m1", true, "1", &result));
  CHECK(strstr(store->error.text, "\"r\"") != NULL);
  CHECK(result.size == 0);
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\",\"sort\":\"random\"}"));
  check_rate("ann", "m1", true, "100", "{\"rated\":true,\"progress\":1}");
  check_rate("ann", "m1", false, "101", "{\"rated\":false,\"progress\":1}");
  check_rate("ann", "m2", false, "102", "{\"rated\":true,\"progress\":2}");
  check_rate(
      "bob", "m1", true, "50",
      "{\"rated\":true,\"progress\":1,\"match\":{\"mediaId\":\"m1\",\"users\":[\"ann\",\"bob\"],"
      "\"matchedAt\":100}}");
  check_rate("bob", "m1", true, "60", "{\"rated\":false,\"progress\":1}");
  check_rate("cy", "m1", false, "70", "{\"rated\":true,\"progress\":1}");
  check_rate(
      "dee", "m1", true, "100.5",
      "{\"rated\":true,\"progress\":1,\"match\":{\"mediaId\":\"m1\",\"users\":[\"ann\",\"bob\","
      "\"dee\"],\"matchedAt\":100.5}}");
  check_get("r", LD_ROOM_WHOLE,
            "{\"roomName\":\"r\",\"sort\":\"random\",\"ratings\":{\"m1\":[[\"ann\",\"like\",100],"
            "[\"bob\",\"like\",50],[\"cy\",\"dislike\",70],[\"dee\",\"like\",100.5]],"
            "\"m2\":[[\"ann\",\"dislike\",102]]},"
            "\"userProgress\":{\"ann\":2,\"bob\":1,\"cy\":1,\"dee\":1}}");
  end();
}

/* The progress goes on from what was saved; a user who rated before the save is known. */
static void test_rate_saved_room(void) {
  begin();
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\"," RATINGS "}"));
  check_rate("bob", "m1", true, "20", "{\"rated\":false,\"progress\":7}");
  check_rate("bob", "m2", true, "20", "{\"rated\":true,\"progress\":8}");
  check_rate(
      "cy", "m1", true, "5",
      "{\"rated\":true,\"progress\":1,\"match\":{\"mediaId\":\"m1\",\"users\":[\"ann\",\"cy\"],"
      "\"matchedAt\":10}}");
  end();
}

static void test_matches(void) {
  begin();
  ld_buf result = {0};
  CHECK_RC(LD_NOTFOUND, ld_room_matches(txn, ld_text("r"), LD_SLICE_NONE, &result));
  CHECK_RC(LD_OK,
           save("{\"roomName\":\"r\",\"ratings\":{"
                "\"late\":[[\"bob\",\"like\",300],[\"ann\",\"like\",1]],"
                "\"b\":[[\"cy\",\"like\",200.0],[\"ann\",\"like\",7]],"
                "\"a\":[[\"bob\",\"like\",200],[\"cy\",\"like\",199]],"
                "\"old\":[[\"ann\",\"like\",-5],[\"bob\",\"dislike\",900],[\"cy\",\"like\",-6]],"
                "\"one\":[[\"ann\",\"like\",1]],"
                "\"none\":[[\"ann\",\"dislike\",1],[\"bob\",\"dislike\",1]],"
                "\"two\":[[\"ann\",\"like\",1],[\"bob\",\"dislike\",1]]}}"));
#define OLD "{\"mediaId\":\"old\",\"users\":[\"ann\",\"cy\"],\"matchedAt\":-5}"
#define A   "{\"mediaId\":\"a\",\"users\":[\"bob\",\"cy\"],\"matchedAt\":200}"
#define B                                                                                          \
  "{\"mediaId\":\"b\",\"users\":[\"cy\",\"ann\"],\"matchedAt\":{\"$numberDouble\":\"200.0\"}}"
#define LATE "{\"mediaId\":\"late\",\"users\":[\"bob\",\"ann\"],\"matchedAt\":300}"
  check_matches("", "[" OLD "," A "," B "," LATE "]");
  check_matches("ann", "[" OLD "," B "," LATE "]");
  check_matches("bob", "[" A "," LATE "]");
  check_matches("cy", "[" OLD "," A "," B "]");
  check_matches("nobody", "[]");
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\"}"));
  check_matches("", "[]");
  end();
}

/* ---- passwords ---- */

static bool accepts(const char *name, ld_slice attempt) {
  bool accepted = false;
  CHECK_RC(LD_OK, ld_room_check_password(txn, ld_text(name), attempt, &accepted));
  return accepted;
}

static void test_password(void) {
  bool accepted;
  begin();
  CHECK_RC(LD_NOTFOUND, ld_room_check_password(txn, ld_text("no"), BYTES(""), &accepted));
  CHECK_RC(LD_OK, save("{\"roomName\":\"open\"}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"null\",\"password\":null}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"empty\",\"password\":\"\"}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"shut\",\"password\":\"geheim\"}"));
  CHECK(accepts("open", BYTES("any")) && accepts("open", BYTES("")));
  CHECK(accepts("null", BYTES("any")) && accepts("empty", BYTES("any")));
  CHECK(accepts("shut", BYTES("geheim")));
  CHECK(!accepts("shut", BYTES("")) && !accepts("shut", BYTES("geheimx")));
  CHECK(!accepts("shut", BYTES("geheiM")) && !accepts("shut", BYTES("geheim\0")));
  CHECK(!accepts("shut", BYTES("geheimgeheim")) && !accepts("shut", BYTES("g")));
  end();
}

/* ---- over all rooms ---- */

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

static void check_expire(int64_t idle_ms, uint64_t want, const char *json) {
  ld_buf names = {0};
  uint64_t count = 99;
  CHECK_RC(LD_OK, ld_room_expire(txn, idle_ms, &count, &names));
  CHECK(count == want);
  check_json(&names, json);
}

/* Idle counts from the last save or rating in this store, not from the times in the document. */
static void test_expire(void) {
  begin();
  int64_t start = now;
  uint64_t none = rows();
  CHECK_RC(LD_OK, save("{\"roomName\":\"rated\"," RATINGS "}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"left\"," RATINGS "}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"resaved\"}"));
  check_expire(1000, 0, "[]");
  now = start + 600;
  ld_buf result = {0};
  CHECK_RC(LD_OK, rate_at("rated", "new", "m1", true, "1", &result));
  ld_buf_clear(&result);
  CHECK_RC(LD_OK, save("{\"roomName\":\"resaved\"}"));
  now = start + 999;
  check_expire(1000, 0, "[]");
  now = start + 1000;
  check_expire(1000, 1, "[\"left\"]");
  CHECK_RC(LD_NOTFOUND, ld_room_has(txn, ld_text("left")));
  CHECK_RC(LD_OK, ld_room_has(txn, ld_text("rated")));
  now = start + 1599;
  check_expire(1000, 0, "[]");
  now = start + 1600;
  check_expire(1000, 2, "[\"rated\",\"resaved\"]");
  CHECK(rows() == none);
  now = start;
  end();
}

static void test_stat(void) {
  ld_room_stats stats;
  begin();
  CHECK_RC(LD_OK, ld_room_stat(txn, &stats));
  CHECK(stats.rooms == 0 && stats.media == 0 && stats.ratings == 0 && stats.likes == 0 &&
        stats.matches == 0);
  CHECK_RC(LD_OK, save("{\"roomName\":\"r\"," RATINGS "}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"s\"," RATINGS "}"));
  CHECK_RC(LD_OK, save("{\"roomName\":\"t\"}"));
  ld_buf result = {0};
  CHECK_RC(LD_OK, rate_at("s", "cy", "m1", true, "1", &result));
  CHECK_RC(LD_OK, rate_at("s", "dee", "m1", true, "1", &result));
  ld_buf_clear(&result);
  CHECK_RC(LD_OK, ld_room_stat(txn, &stats));
  CHECK(stats.rooms == 3 && stats.media == 2 && stats.ratings == 6 && stats.likes == 4 &&
        stats.matches == 1);
  end();
}

int main(void) {
  test_save_and_get();
  test_replace();
  test_delete();
  test_names();
  test_long_names();
  test_bad_documents();
  test_rate();
  test_rate_saved_room();
  test_matches();
  test_password();
  test_each();
  test_expire();
  test_stat();
  return check_done("room");
}
