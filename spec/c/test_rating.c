/* test_rating.c -- ratings one by one, the matches they make, and passwords. */
#include "room_help.h"

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

int main(void) {
  test_rate();
  test_rate_saved_room();
  test_matches();
  test_password();
  return check_done("rating");
}
