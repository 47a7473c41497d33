/* test_version.c -- versions in rows, tallies against a plain count. */
#include "../../csrc/version.h"

#include "check.h"

#define BYTES(literal) LD_LITERAL(literal)

static void check_split(ld_slice payload, uint64_t version, ld_slice document) {
  uint64_t found = 0;
  ld_slice rest;
  ld_buf joined = {0};
  CHECK(ld_version_split(payload, &found, &rest));
  CHECK(found == version && ld_equal(rest, document));
  ld_version_join(version, document, &joined);
  CHECK(ld_equal(ld_buf_slice(&joined), payload));
  ld_buf_clear(&joined);
}

static void test_rows(void) {
  const ld_slice damaged[] = {
      BYTES(""),         BYTES("\x02"),     BYTES("\x01\x80"),     BYTES("\x00\x80"),
      BYTES("\xff\x80"), BYTES("\x02\x90"), BYTES("\x02\x02\x80"), BYTES("\xc0"),
      BYTES("\xa1x"),    BYTES("\xcd\x01")};
  check_split(BYTES("\x80"), 1, BYTES("\x80"));
  check_split(BYTES("\x81\xa2id\x07"), 1, BYTES("\x81\xa2id\x07"));
  check_split(BYTES("\x02\x81\xa2id\x07"), 2, BYTES("\x81\xa2id\x07"));
  check_split(BYTES("\xcd\x01\x00\x80"), 256, BYTES("\x80"));
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    uint64_t version = 77;
    ld_slice document = BYTES("x");
    CHECK(!ld_version_split(damaged[i], &version, &document));
    CHECK(version == 77 && ld_equal(document, BYTES("x")));
  }
}

/* ---- tallies ---- */

enum { VERSIONS = 6, STEPS = 20000 };

static const uint64_t versions[VERSIONS] = {0, 1, 2, 3, 200, 20260101};

static void check_tally(ld_slice tally, const uint64_t *counts) {
  uint64_t total = 0, older = 0, found;
  for (size_t i = 1; i < VERSIONS; i++) total += counts[i];
  CHECK(ld_tally_count(tally, &found) && found == total);
  for (size_t i = 1; i < VERSIONS; i++) {
    CHECK(ld_tally_older(tally, versions[i], &found) && found == older);
    older += counts[i];
    CHECK(ld_tally_older(tally, versions[i] + 1, &found) && found == older);
  }
  CHECK(ld_tally_older(tally, 0, &found) && found == 0);
}

static void move(ld_buf *tally, uint64_t from, uint64_t to) {
  ld_buf moved = {0};
  CHECK(ld_tally_move(ld_buf_slice(tally), from, to, &moved));
  ld_buf_clear(tally);
  *tally = moved;
}

static void test_random(void) {
  uint64_t counts[VERSIONS] = {[0] = STEPS}, seed = 7;
  ld_buf tally = {0};
  for (int step = 0; step < STEPS; step++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    size_t from = (seed >> 33) % VERSIONS, to = (seed >> 40) % VERSIONS;
    if (counts[from] == 0) continue;
    move(&tally, versions[from], versions[to]);
    counts[from]--;
    counts[to]++;
    check_tally(ld_buf_slice(&tally), counts);
  }
  for (size_t i = 1; i < VERSIONS; i++)
    for (; counts[i] > 0; counts[i]--) move(&tally, versions[i], 0);
  CHECK(ld_equal(ld_buf_slice(&tally), ld_bytes("", 1)));
  ld_buf_clear(&tally);
}

static void test_bytes(void) {
  ld_buf tally = {0};
  for (int i = 0; i < 3; i++) move(&tally, 0, 1);
  CHECK(ld_equal(ld_buf_slice(&tally), BYTES("\x03")));
  move(&tally, 1, 5);
  move(&tally, 1, 2);
  move(&tally, 0, 5);
  CHECK(ld_equal(ld_buf_slice(&tally), BYTES("\x04\x02\x01\x05\x02")));
  ld_buf_clear(&tally);
}

static void test_damage(void) {
  const ld_slice damaged[] = {BYTES("\x80"), BYTES("\x01\x02"), BYTES("\x01\x02\x00"),
                              BYTES("\x05\x02\x03\x85")};
  uint64_t count = 5;
  ld_buf moved = {0};
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    CHECK(!ld_tally_older(damaged[i], 2, &count));
    CHECK(!ld_tally_move(damaged[i], 1, 2, &moved));
  }
  CHECK(!ld_tally_count(damaged[0], &count));
  CHECK(!ld_tally_older(BYTES("\x01\x02\x03"), 2, &count)); /* more of one version than in all */
  CHECK(!ld_tally_move(LD_SLICE_NONE, 1, 0, &moved));
  CHECK(count == 5);
  ld_buf_clear(&moved);
}

int main(void) {
  test_rows();
  test_bytes();
  test_random();
  test_damage();
  return check_done("version");
}
