/* test_span.c -- rows from one key up to another: exactly those, each once, in the order of whole keys, either way, and while rows come and go.
**
** The keys share long beginnings, so that most of them are stored shortened, and many share all that is stored of them. */
#include "../../csrc/span.h"

#include "../../csrc/store.h"
#include "check.h"

enum { KEYS = 500, LONGEST = 560 };

static uint8_t bytes[KEYS][LONGEST];
static ld_slice keys[KEYS]; /* in order, all different */
static bool there[KEYS];
static ld_engine *store;
static ld_txn *txn;

static uint64_t seed = 7;
static size_t pick(size_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(seed >> 33) % below;
}

/* ---- keys ---- */

static ld_slice random_key(uint8_t room[LONGEST]) {
  static const size_t sizes[] = {1, 3, 470, 494, 495, 496, 500, 510, 511, 512, 513, 530, 559};
  size_t size = sizes[pick(sizeof sizes / sizeof *sizes)];
  memset(room, 'a', LONGEST);
  if (pick(4) == 0) room[pick(2) == 0 ? 480 : pick(495)] = (uint8_t)('a' + pick(3));
  for (size_t n = pick(4); n > 0; n--)
    room[485 + pick(60)] = pick(4) == 0 ? 0xff : (uint8_t)('`' + pick(3));
  return ld_bytes(room, size);
}

static int compare_keys(const void *a, const void *b) {
  return ld_compare(*(const ld_slice *)a, *(const ld_slice *)b);
}

static bool is_twin(size_t i) {
  for (size_t k = 0; k < i; k++)
    if (ld_equal(keys[k], keys[i])) return true;
  return false;
}

static void begin(void) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  for (size_t i = 0; i < KEYS; i++) do
      keys[i] = random_key(bytes[i]);
    while (is_twin(i));
  qsort(keys, KEYS, sizeof *keys, compare_keys);
  for (size_t i = 0; i < KEYS; i++) {
    CHECK_RC(LD_OK, ld_row_put(txn, keys[i], ld_bytes(&i, sizeof i)));
    there[i] = true;
  }
}

static void end(void) {
  ld_rollback(txn);
  ld_engine_close(store);
}

static size_t number_of(const ld_row *row) {
  size_t i;
  CHECK(row->payload.size == sizeof i);
  memcpy(&i, row->payload.data, sizeof i);
  CHECK(i < KEYS && ld_equal(row->key, keys[i]));
  return i;
}

static bool is_inside(size_t i, ld_slice from, ld_slice to) {
  return there[i] && ld_compare(keys[i], from) >= 0 && ld_compare(keys[i], to) < 0;
}

/* ---- tests ---- */

static void check_span(ld_slice from, ld_slice to, bool reverse) {
  ld_span span;
  ld_row row;
  CHECK_RC(LD_OK, ld_span_begin(&span, txn, from, to, reverse));
  for (size_t n = 0; n < KEYS; n++) {
    size_t i = reverse ? KEYS - 1 - n : n;
    if (!is_inside(i, from, to)) continue;
    CHECK_RC(LD_OK, ld_span_next(&span, &row));
    CHECK(number_of(&row) == i);
  }
  CHECK_RC(LD_NOTFOUND, ld_span_next(&span, &row));
  ld_span_end(&span);
}

/* An end is a key, or a key's beginning, or any bytes. */
static ld_slice random_end(uint8_t room[LONGEST]) {
  ld_slice key = keys[pick(KEYS)];
  if (pick(3) == 0) return random_key(room);
  return pick(3) == 0 ? ld_bytes(key.data, 1 + pick(key.size)) : key;
}

static void test_ends(void) {
  uint8_t room[2][LONGEST];
  begin();
  check_span(LD_LITERAL("a"), LD_LITERAL("z"), false);
  check_span(LD_LITERAL("a"), LD_LITERAL("z"), true);
  for (unsigned round = 0; round < 1000; round++)
    check_span(random_end(room[0]), random_end(room[1]), pick(2) == 0);
  end();
}

static void test_delete(void) {
  uint8_t room[2][LONGEST];
  uint64_t count, want;
  for (unsigned round = 0; round < 40; round++) {
    begin();
    for (unsigned n = 0; n < 4; n++) {
      ld_slice from = random_end(room[0]), to = random_end(room[1]);
      want = 0;
      CHECK_RC(LD_OK, ld_span_delete(txn, from, to, &count));
      for (size_t i = 0; i < KEYS; i++) {
        if (!is_inside(i, from, to)) continue;
        there[i] = false;
        want++;
      }
      CHECK(count == want);
      check_span(LD_LITERAL("a"), LD_LITERAL("z"), false);
    }
    end();
  }
}

/* At each step some rows go for good; the others come exactly once, and those that went before their turn never. */
static void walk_and_write(bool reverse) {
  bool seen[KEYS] = {false};
  ld_span span;
  ld_row row;
  ld_rc rc;
  begin();
  CHECK_RC(LD_OK, ld_span_begin(&span, txn, LD_LITERAL("a"), LD_LITERAL("z"), reverse));
  while ((rc = ld_span_next(&span, &row)) == LD_OK) {
    size_t i = number_of(&row), gone = pick(KEYS);
    CHECK(there[i] && !seen[i]);
    seen[i] = true;
    if (there[gone]) CHECK_RC(LD_OK, ld_row_del(txn, keys[gone]));
    there[gone] = false;
    if (there[i]) CHECK_RC(LD_OK, ld_row_put(txn, keys[i], ld_bytes(&i, sizeof i)));
  }
  CHECK_RC(LD_NOTFOUND, rc);
  ld_span_end(&span);
  for (size_t i = 0; i < KEYS; i++) CHECK(seen[i] || !there[i]);
  end();
}

int main(void) {
  test_ends();
  test_delete();
  for (unsigned round = 0; round < 20; round++) walk_and_write(round % 2 == 1);
  return check_done("span");
}
