/* test_sweep.c -- over all rooms: expiry by the clock of the store, and sums. */
#include "room_help.h"

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
  test_expire();
  test_stat();
  return check_done("sweep");
}
