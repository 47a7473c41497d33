/* test_map.c -- ordered maps through the core: counts, ranges, what is refused, what is damaged. More, against a model: spec/map_random_spec.lua. */
#include "../../csrc/map.h"

#include "../../csrc/store.h"
#include "../../csrc/tuple.h"
#include "../../csrc/value.h"
#include "check.h"

#define M LD_LITERAL("m")

static ld_engine *store;
static ld_txn *txn;

static void begin(void) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
}

static void end(void) {
  ld_rollback(txn);
  ld_engine_close(store);
}

/* Letters are strings, digits are integers: "a1" is the tuple "a", 1. */
static ld_slice key(const char *text, ld_buf *room) {
  ld_buf_reset(room);
  for (; *text != 0; text++) {
    if (*text >= '0' && *text <= '9')
      ld_tuple_int(room, *text - '0');
    else
      ld_tuple_string(room, ld_bytes(text, 1));
  }
  return ld_buf_slice(room);
}

static bool set(const char *text, int64_t value, bool if_absent) {
  ld_buf room = {0}, document = {0};
  bool done = false;
  ld_write_int(&document, value);
  CHECK_RC(LD_OK, ld_map_set(txn, M, key(text, &room), ld_buf_slice(&document), if_absent, &done));
  ld_buf_clear(&room);
  ld_buf_clear(&document);
  return done;
}

static uint64_t count(void) {
  uint64_t number;
  CHECK_RC(LD_OK, ld_map_count(txn, M, &number));
  return number;
}

/* ---- ranges ---- */

static ld_rc add_text(void *context, ld_slice found, ld_slice value) {
  ld_buf scratch = {0};
  ld_part part;
  ld_token token;
  CHECK(ld_value_next(&value, &token) && token.kind == LD_INT && value.size == 0);
  while (ld_tuple_next(&found, &part, &scratch) == LD_OK) {
    if (part.kind == LD_PART_STRING) ld_buf_add(context, part.bytes);
    if (part.kind == LD_PART_INT) ld_buf_printf(context, "%d", (int)part.integer);
  }
  ld_buf_printf(context, " ");
  ld_buf_clear(&scratch);
  return ((ld_buf *)context)->size > 40 ? LD_NOTFOUND : LD_OK;
}

static void check_range(const ld_map_range *range, const char *expected) {
  ld_buf text = {0};
  CHECK_RC(LD_OK, ld_map_each(txn, M, range, add_text, &text));
  ld_buf_byte(&text, 0);
  if (strcmp((char *)text.data, expected) != 0) fprintf(stderr, "%s\n", (char *)text.data);
  CHECK(strcmp((char *)text.data, expected) == 0);
  ld_buf_clear(&text);
}

static void test_ranges(void) {
  ld_buf a = {0}, b = {0}, cut = {0};
  uint64_t deleted;
  begin();
  static const char *const keys[] = {"b", "a2", "1", "a", "b1", "a1", "2", "a1x", "c"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) CHECK(set(keys[i], (int64_t)i, false));
  check_range(&(ld_map_range){0}, "1 2 a a1 a1x a2 b b1 c ");
  check_range(&(ld_map_range){.reverse = true}, "c b1 b a2 a1x a1 a 2 1 ");
  key("a1", &a), key("b", &b);
  ld_map_range between = {.from = ld_buf_slice(&a), .to = ld_buf_slice(&b)};
  check_range(&between, "a1 a1x a2 b ");
  between.from_open = between.to_open = true;
  check_range(&between, "a1x a2 ");
  check_range(&(ld_map_range){.prefix = ld_buf_slice(&a)}, "a1 a1x ");
  ld_tuple_prefix(&cut, LD_LITERAL("a"));
  ld_map_range prefix = {.prefix = ld_buf_slice(&cut), .prefix_cut = true};
  check_range(&prefix, "a a1 a1x a2 ");
  CHECK_RC(LD_OK, ld_map_delete_range(txn, M, &prefix, &deleted));
  CHECK(deleted == 4 && count() == 5);
  check_range(&(ld_map_range){0}, "1 2 b b1 c ");
  ld_buf_clear(&a), ld_buf_clear(&b), ld_buf_clear(&cut);
  end();
}

static ld_rc fail_visit(void *context, ld_slice found, ld_slice value) {
  (void)context, (void)found, (void)value;
  return LD_IO;
}

/* ---- one key ---- */

static void test_counts(void) {
  ld_buf room = {0}, value = {0};
  int64_t sum;
  begin();
  CHECK(count() == 0);
  CHECK(set("a", 1, true) && !set("a", 2, true) && set("a", 3, false) && count() == 1);
  CHECK_RC(LD_OK, ld_map_get(txn, M, key("a", &room), &value));
  CHECK(ld_equal(ld_buf_slice(&value), ld_bytes("\x03", 1)));
  CHECK_RC(LD_IO, ld_map_each(txn, M, &(ld_map_range){0}, fail_visit, NULL));
  CHECK_RC(LD_OK, ld_map_increment(txn, M, key("n", &room), INT64_MAX, &sum));
  CHECK_RC(LD_INVALID, ld_map_increment(txn, M, key("n", &room), 1, &sum));
  CHECK(sum == INT64_MAX && count() == 2);
  CHECK_RC(LD_OK, ld_map_delete(txn, M, key("a", &room)));
  CHECK_RC(LD_NOTFOUND, ld_map_delete(txn, M, key("a", &room)));
  CHECK_RC(LD_OK, ld_map_delete(txn, M, key("n", &room)));
  CHECK(count() == 0);
  ld_buf_clear(&room), ld_buf_clear(&value);
  end();
}

static ld_rc fail_name(void *context, ld_slice map) {
  ld_buf_add(context, map);
  return LD_IO;
}

static void test_names(void) {
  ld_buf names = {0};
  begin();
  CHECK_RC(LD_OK, ld_maps_each(txn, fail_name, &names));
  CHECK(set("a", 1, false) && set("b", 2, false));
  CHECK_RC(LD_IO, ld_maps_each(txn, fail_name, &names));
  CHECK(ld_equal(ld_buf_slice(&names), M));
  CHECK_RC(LD_OK, ld_row_put(txn, LD_LITERAL("\x09!"), M)); /* no tuple */
  CHECK_RC(LD_CORRUPT, ld_maps_each(txn, fail_name, &names));
  ld_buf_clear(&names);
  end();
}

static void test_refused(void) {
  uint8_t name[LD_PART_MAX + 1] = {'n'};
  ld_slice one = ld_bytes("\x1b", 1);
  ld_buf value = {0};
  uint64_t number;
  begin();
  CHECK_RC(LD_INVALID, ld_map_get(txn, LD_SLICE_NONE, one, &value));
  CHECK_RC(LD_INVALID, ld_map_get(txn, M, LD_SLICE_NONE, &value));
  CHECK_RC(LD_TOOBIG, ld_map_count(txn, ld_bytes(name, sizeof name), &number));
  CHECK_RC(LD_NOTFOUND, ld_map_get(txn, ld_bytes(name, LD_PART_MAX), one, &value));
  CHECK(value.size == 0);
  end();
}

/* A flipped bit in a value is found by whatever reads it. */
static void test_damage(void) {
  ld_slice stored, row_key = ld_bytes("\x09\x30m\x00\x30"
                                      "a\x00",
                                      7);
  ld_buf room = {0}, value = {0};
  uint8_t broken[32];
  begin();
  CHECK(set("a", 5, false));
  CHECK_RC(LD_OK, ld_get(txn, row_key, &stored));
  CHECK(stored.size <= sizeof broken);
  memcpy(broken, stored.data, stored.size);
  broken[stored.size - 1] ^= 1;
  CHECK_RC(LD_OK, ld_put(txn, row_key, ld_bytes(broken, stored.size)));
  CHECK_RC(LD_CORRUPT, ld_map_get(txn, M, key("a", &room), &value));
  CHECK(value.size == 0);
  CHECK_RC(LD_CORRUPT, ld_commit(txn));
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK(count() == 0);
  ld_buf_clear(&room), ld_buf_clear(&value);
  end();
}

int main(void) {
  test_ranges();
  test_counts();
  test_names();
  test_refused();
  test_damage();
  return check_done("map");
}
