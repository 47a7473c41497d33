/* test_seen.c -- a set of ids, against a plain table. */
#include "../../csrc/seen.h"

#include "check.h"
#include "failing_malloc.h"

static ld_slice id_of(unsigned number, char text[16]) {
  snprintf(text, 16, "%u", number * 7919 % 1000);
  return ld_text(text);
}

static void test_set(void) {
  ld_seen seen = {.count = 0};
  char text[16];
  CHECK(!ld_seen_has(&seen, LD_SLICE_NONE));
  for (unsigned i = 0; i < 1000; i++) {
    CHECK(!ld_seen_has(&seen, id_of(i, text)));
    CHECK(ld_seen_add(&seen, id_of(i, text)));
    CHECK(ld_seen_has(&seen, id_of(i, text)) && ld_seen_has(&seen, id_of(i / 2, text)));
  }
  for (unsigned i = 0; i < 1000; i++) CHECK(ld_seen_has(&seen, id_of(i, text)));
  CHECK(!ld_seen_has(&seen, ld_text("1000")) && !ld_seen_has(&seen, ld_bytes("0", 2)));
  ld_seen_clear(&seen);
  CHECK(!ld_seen_has(&seen, ld_text("1")));
}

static void test_no_memory(void) {
  ld_seen seen = {.count = 0};
  char text[16];
  for (long calls = 0; calls < 2; calls++) {
    run_out_after(calls, false);
    CHECK(!ld_seen_add(&seen, id_of(1, text)));
    refill();
    CHECK(!ld_seen_has(&seen, id_of(1, text)));
  }
  CHECK(ld_seen_add(&seen, id_of(1, text)));
  ld_seen_clear(&seen);
}

int main(void) {
  test_set();
  test_no_memory();
  CHECK(allocated == 0);
  return check_done("seen");
}
