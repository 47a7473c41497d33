/* test_row.c -- rows: the vectors of csrc/README.md ("Rows"), long keys, damage, revisions. Scans: test_scan.c.
**
** The store's engine keys are seen with a cursor of the port, below the rows. */
#include "../../csrc/row.h"

#include <string.h>

#include "../../csrc/store.h"
#include "../../csrc/tuple.h"
#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define BYTES(text) ld_bytes("" text, sizeof(text) - 1)
#define T(text)     (text), sizeof(text) - 1

enum { KEPT = 495 }; /* bytes of a long key that stay in the engine's key */

static ld_engine *open_store(void) {
  ld_env env = ld_env_system();
  ld_engine *store;
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  return store;
}

static ld_txn *begin(ld_engine *store) {
  ld_txn *txn;
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  return txn;
}

/* ---- vectors ---- */

/* clang-format off */
/* `number` (0: none), then `piece` `times` over, as a tuple in `space`. */
static const struct vector {
  uint8_t space;
  int64_t number;
  struct {
    const char *piece;
    size_t size, times;
  } text;
  uint64_t revision;
  const char *payload, *engine_key, *value; /* hex */
} vectors[] = {
  {0x02, 0, {T("a"), 1}, 0ull, "", "02306100", "01006537699f00"},
  {0x02, 0, {T("lobby"), 1}, 1ull, "01000081a8726f6f6d4e616d65a56c6f626279", "02306c6f62627900",
   "0100c83fc83f0101000081a8726f6f6d4e616d65a56c6f626279"},
  {0x03, 12, {T("movie-150"), 1}, 127ull, "90", "031d18306d6f7669652d31353000",
   "01009a4d1bd97f90"},
  {0x04, 12, {T("user-1"), 1}, 128ull, "0700", "041d1830757365722d3100", "0100334eaaa380010700"},
  {0x02, 0, {T("a\0b"), 1}, 300ull, "c0", "02306100ff6200", "0100844c26dfac02c0"},
  {0x02, 0, {T("x"), 1}, 18446744073709551615ull, "80", "02307800",
   "0100a9b91d76ffffffffffffffffff0180"},
  {0x02, 0, {T("k"), 507}, 2ull, "c0", "0230(6b*507)00", "0100e5d1af9202c0"},
  {0x02, 0, {T("k"), 508}, 2ull, "c0", "0230(6b*493)871c18c6b91d55ae9154a71c3f110dd1",
   "010177bdc90602ff030230(6b*508)00c0"},
  {0x02, 0, {T("\0"), 300}, 3ull, "c3", "0230(00ff*246)005a1fc9a329aefc320f35c3efc03238ed",
   "010158dfed5903db040230(00ff*298)00ff00ff00c3"},
};
/* clang-format on */

/* Hex digits; `(6b*3)` is `6b6b6b`. */
static void add_hex(const char *hex, ld_buf *bytes) {
  unsigned byte, times;
  int length;
  while (*hex != '\0') {
    size_t start = bytes->size;
    bool run = *hex == '(';
    for (hex += run; sscanf(hex, "%2x", &byte) == 1; hex += 2) ld_buf_byte(bytes, (uint8_t)byte);
    if (!run) continue;
    CHECK(sscanf(hex, "*%u)%n", &times, &length) == 1);
    size_t size = bytes->size - start;
    CHECK(ld_buf_reserve(bytes, size * times));
    for (; times > 1; times--) ld_buf_add(bytes, ld_bytes(bytes->data + start, size));
    hex += length;
  }
}

static void from_hex(const char *hex, ld_buf *bytes) {
  ld_buf_reset(bytes);
  add_hex(hex, bytes);
}

static void write_key(const struct vector *vector, ld_buf *key) {
  ld_buf text = {0};
  for (size_t i = 0; i < vector->text.times; i++)
    ld_buf_add(&text, ld_bytes(vector->text.piece, vector->text.size));
  ld_buf_reset(key);
  ld_buf_byte(key, vector->space);
  if (vector->number != 0) ld_tuple_int(key, vector->number);
  ld_tuple_string(key, ld_buf_slice(&text));
  ld_buf_clear(&text);
}

static void test_vectors(void) {
  ld_buf key = {0}, payload = {0}, value = {0}, engine_key = {0}, want = {0};
  ld_engine *store = open_store();
  ld_row row;
  for (size_t i = 0; i < COUNT(vectors); i++) {
    ld_txn *txn = begin(store);
    write_key(&vectors[i], &key);
    from_hex(vectors[i].payload, &payload);
    from_hex(vectors[i].engine_key, &engine_key);
    from_hex(vectors[i].value, &want);
    ld_buf_reset(&value);
    ld_row_encode(ld_buf_slice(&key), vectors[i].revision, ld_buf_slice(&payload), &value);
    CHECK(ld_equal(ld_buf_slice(&value), ld_buf_slice(&want)));
    CHECK(ld_row_is_sound(ld_buf_slice(&engine_key), ld_buf_slice(&want)));
    CHECK_RC(LD_OK, ld_put(txn, ld_buf_slice(&engine_key), ld_buf_slice(&want)));
    CHECK_RC(LD_OK, ld_row_get(txn, ld_buf_slice(&key), &row));
    CHECK(row.revision == vectors[i].revision);
    CHECK(ld_equal(row.key, ld_buf_slice(&key)));
    CHECK(ld_equal(row.payload, ld_buf_slice(&payload)));
    ld_rollback(txn);
  }
  ld_engine_close(store);
  ld_buf_clear(&key);
  ld_buf_clear(&payload);
  ld_buf_clear(&value);
  ld_buf_clear(&engine_key);
  ld_buf_clear(&want);
}

/* ---- keys of all sizes ---- */

/* A key of `size` bytes of one letter, but for its last one. */
static ld_slice sized_key(uint8_t *room, size_t size, uint8_t last) {
  memset(room, 'k', size);
  room[size - 1] = last;
  return ld_bytes(room, size);
}

static void check_row(ld_txn *txn, ld_slice key, ld_slice payload) {
  ld_row row;
  CHECK_RC(LD_OK, ld_row_get(txn, key, &row));
  CHECK(ld_equal(row.key, key));
  CHECK(ld_equal(row.payload, payload));
}

static void test_sizes(void) {
  static const size_t sizes[] = {1,   2,   494, 495, 496,  500,  509,
                                 510, 511, 512, 513, 1026, 2049, 5000};
  uint8_t room[5000];
  ld_engine *store = open_store();
  ld_txn *txn = begin(store);
  ld_row row;
  for (size_t i = 0; i < COUNT(sizes); i++)
    for (uint8_t last = 'a'; last <= 'c'; last++)
      CHECK_RC(LD_OK, ld_row_put(txn, sized_key(room, sizes[i], last), ld_bytes(&last, 1)));
  CHECK_RC(LD_OK, ld_commit(txn));
  txn = begin(store);
  for (size_t i = 0; i < COUNT(sizes); i++)
    for (uint8_t last = 'a'; last <= 'c'; last++)
      check_row(txn, sized_key(room, sizes[i], last), ld_bytes(&last, 1));
  for (size_t i = 0; i < COUNT(sizes); i++) {
    ld_slice key = sized_key(room, sizes[i], 'b');
    CHECK_RC(LD_OK, ld_row_del(txn, key));
    CHECK_RC(LD_NOTFOUND, ld_row_get(txn, key, &row));
    CHECK_RC(LD_NOTFOUND, ld_row_del(txn, key));
    check_row(txn, sized_key(room, sizes[i], 'a'), BYTES("a"));
    check_row(txn, sized_key(room, sizes[i], 'c'), BYTES("c"));
    CHECK_RC(LD_NOTFOUND, ld_row_get(txn, sized_key(room, sizes[i], 'd'), &row));
    CHECK_RC(LD_OK, ld_row_put(txn, sized_key(room, sizes[i], 'a'), BYTES("again")));
    check_row(txn, sized_key(room, sizes[i], 'a'), BYTES("again"));
  }
  ld_rollback(txn);
  ld_engine_close(store);
}

/* The engine's key under which a row is kept: the only one of its space. */
static void find_engine_key(ld_txn *txn, uint8_t space, ld_buf *engine_key, ld_buf *engine_value) {
  ld_cursor *cursor;
  ld_slice key, value;
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_cursor_seek(cursor, ld_bytes(&space, 1)));
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
  CHECK(key.data[0] == space);
  ld_buf_reset(engine_key);
  ld_buf_add(engine_key, key);
  ld_buf_reset(engine_value);
  ld_buf_add(engine_value, value);
  ld_cursor_close(cursor);
}

static void test_shortened_from_511(void) {
  uint8_t room[600];
  ld_buf key = {0}, value = {0};
  ld_engine *store = open_store();
  for (size_t size = 495; size <= 520; size++) {
    ld_txn *txn = begin(store);
    ld_slice whole = sized_key(room, size, 'z');
    CHECK_RC(LD_OK, ld_row_put(txn, whole, BYTES("")));
    find_engine_key(txn, 'k', &key, &value);
    CHECK(key.size == (size < LD_KEY_MAX ? size : LD_KEY_MAX));
    CHECK(value.data[1] == (size < LD_KEY_MAX ? 0 : 1));
    CHECK(memcmp(key.data, room, KEPT) == 0);
    CHECK(ld_equal(ld_buf_slice(&key), whole) == (size < LD_KEY_MAX));
    ld_rollback(txn);
  }
  ld_engine_close(store);
  ld_buf_clear(&key);
  ld_buf_clear(&value);
}

/* Parts of LD_PART_MAX bytes, the worst of them all NUL: 2 * 1023 bytes and more. */
static void test_long_parts(void) {
  static const uint8_t fillings[] = {0, 'a', 0xff};
  uint8_t part[LD_PART_MAX];
  ld_buf key = {0}, scratch = {0};
  ld_engine *store = open_store();
  ld_txn *txn = begin(store);
  ld_scan scan;
  ld_row row;
  unsigned seen = 0;
  for (size_t i = 0; i < 3; i++)
    for (uint8_t last = 1; last <= 3; last++) {
      memset(part, fillings[i], sizeof part);
      part[sizeof part - 1] = last;
      ld_buf_reset(&key);
      ld_buf_byte(&key, 9);
      ld_tuple_string(&key, ld_bytes(part, sizeof part));
      CHECK_RC(LD_OK, ld_row_put(txn, ld_buf_slice(&key), ld_bytes(part, sizeof part)));
    }
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, BYTES("\x09"), LD_SLICE_NONE));
  for (; ld_scan_next(&scan, &row) == LD_OK; seen++) {
    ld_slice rest = ld_bytes(row.key.data + 1, row.key.size - 1);
    ld_part name;
    CHECK_RC(LD_OK, ld_tuple_next(&rest, &name, &scratch));
    CHECK(ld_equal(name.bytes, row.payload));
  }
  CHECK(seen == 9);
  ld_rollback(txn);
  ld_engine_close(store);
  ld_buf_clear(&key);
  ld_buf_clear(&scratch);
}

/* ---- twins ---- */

/* Put a sound row of the long key `other` where the row of the long key `key` belongs. */
static void plant_twin(ld_txn *txn, ld_slice key, ld_slice other) {
  ld_buf stored = {0}, value = {0}, twin = {0};
  static const uint8_t zero[4] = {0};
  CHECK_RC(LD_OK, ld_row_put(txn, key, BYTES("mine")));
  find_engine_key(txn, key.data[0], &stored, &value);
  ld_buf_add(&twin, BYTES("\x01\x01"));
  ld_buf_add(&twin, ld_bytes(zero, 4));
  ld_buf_varint(&twin, 5);
  ld_buf_varint(&twin, other.size);
  ld_buf_add(&twin, other);
  ld_buf_add(&twin, BYTES("theirs"));
  uint32_t crc = ld_crc32c(0, ld_buf_slice(&stored));
  crc = ld_crc32c(crc, ld_bytes(twin.data, 2));
  crc = ld_crc32c(crc, ld_bytes(twin.data + 6, twin.size - 6));
  for (size_t i = 0; i < 4; i++) twin.data[2 + i] = (uint8_t)(crc >> (8 * i));
  CHECK_RC(LD_OK, ld_put(txn, ld_buf_slice(&stored), ld_buf_slice(&twin)));
  ld_buf_clear(&stored);
  ld_buf_clear(&value);
  ld_buf_clear(&twin);
}

static void test_twins(void) {
  uint8_t mine[600], theirs[600];
  ld_slice key = sized_key(mine, sizeof mine, 'm'), other = sized_key(theirs, sizeof theirs, 't');
  ld_engine *store = open_store();
  ld_txn *txn = begin(store), *nested;
  ld_scan scan;
  ld_row row;
  plant_twin(txn, key, other);
  CHECK_RC(LD_NOTFOUND, ld_row_get(txn, key, &row));
  CHECK_RC(LD_NOTFOUND, ld_row_del(txn, key));
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, key, LD_SLICE_NONE));
  CHECK_RC(LD_NOTFOUND, ld_scan_next(&scan, &row));
  ld_scan_end(&scan);
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, other, LD_SLICE_NONE));
  CHECK_RC(LD_OK, ld_scan_next(&scan, &row));
  CHECK(ld_equal(row.key, other) && ld_equal(row.payload, BYTES("theirs")));
  ld_scan_end(&scan);
  CHECK_RC(LD_OK, ld_begin_nested(txn, &nested));
  CHECK_RC(LD_EXISTS, ld_row_put(nested, key, BYTES("mine")));
  CHECK_RC(LD_EXISTS, ld_commit(nested));
  CHECK_RC(LD_NOTFOUND, ld_row_get(txn, key, &row));
  ld_rollback(txn);
  ld_engine_close(store);
}

/* ---- damage ---- */

/* Write the row with one bit flipped and read it, in a transaction of its own. */
static void check_flipped(ld_engine *store, ld_slice key, ld_buf *value, size_t bit) {
  ld_txn *txn = begin(store);
  ld_row row;
  value->data[bit / 8] = (uint8_t)(value->data[bit / 8] ^ 1u << (bit % 8));
  CHECK(!ld_row_is_sound(key, ld_buf_slice(value)));
  CHECK_RC(LD_OK, ld_put(txn, key, ld_buf_slice(value)));
  CHECK_RC(LD_CORRUPT, ld_row_get(txn, key, &row));
  CHECK(strstr(store->error.text, "dear") != NULL); /* the row's name */
  CHECK_RC(LD_CORRUPT, ld_commit(txn));             /* spoilt */
  value->data[bit / 8] = (uint8_t)(value->data[bit / 8] ^ 1u << (bit % 8));
}

static void test_flipped_bits(void) {
  ld_slice key = BYTES("\x09\x30"
                       "dear\0");
  ld_engine *store = open_store();
  ld_buf value = {0};
  ld_row_encode(key, 1000, BYTES("a payload"), &value);
  CHECK(ld_row_is_sound(key, ld_buf_slice(&value)));
  for (size_t bit = 0; bit < 8 * value.size; bit++) check_flipped(store, key, &value, bit);
  for (size_t size = 0; size < value.size; size++)
    CHECK(!ld_row_is_sound(key, ld_bytes(value.data, size)));
  ld_engine_close(store);
  ld_buf_clear(&value);
}

/* A row under another key is damaged too, and a read transaction goes on after that. */
static void test_misplaced(void) {
  ld_engine *store = open_store();
  ld_txn *txn = begin(store);
  ld_buf value = {0};
  ld_scan scan;
  ld_row row;
  ld_row_encode(BYTES("\x09"
                      "a"),
                1, BYTES("x"), &value);
  CHECK_RC(LD_OK, ld_put(txn,
                         BYTES("\x09"
                               "b"),
                         ld_buf_slice(&value)));
  CHECK_RC(LD_OK, ld_row_put(txn, BYTES("\x0a"), BYTES("fine")));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_CORRUPT, ld_row_get(txn,
                                  BYTES("\x09"
                                        "b"),
                                  &row));
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, BYTES("\x09"), LD_SLICE_NONE));
  CHECK_RC(LD_CORRUPT, ld_scan_next(&scan, &row));
  ld_scan_end(&scan);
  check_row(txn, BYTES("\x0a"), BYTES("fine"));
  ld_rollback(txn);
  ld_engine_close(store);
  ld_buf_clear(&value);
}

static void test_unknown_flags(void) {
  ld_slice key = BYTES("\x09"), rest;
  ld_engine *store = open_store();
  ld_txn *txn = begin(store);
  ld_buf value = {0};
  ld_row row;
  ld_row_encode(key, 1, BYTES("x"), &value);
  value.data[1] = 0x02;
  rest = ld_bytes(value.data + 6, value.size - 6);
  uint32_t crc = ld_crc32c(ld_crc32c(ld_crc32c(0, key), ld_bytes(value.data, 2)), rest);
  for (size_t i = 0; i < 4; i++) value.data[2 + i] = (uint8_t)(crc >> (8 * i));
  CHECK_RC(LD_OK, ld_put(txn, key, ld_buf_slice(&value)));
  CHECK_RC(LD_UNSUPPORTED, ld_row_get(txn, key, &row));
  ld_rollback(txn);
  ld_engine_close(store);
  ld_buf_clear(&value);
}

/* ---- the sequence ---- */

static uint64_t seed = 99;
static size_t pick(size_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(seed >> 33) % below;
}

enum { NUMBERS = 100000 };
static bool used[NUMBERS]; /* revisions of rows that were committed */

/* Rows put in this transaction and its children, not committed yet. */
typedef struct pending {
  uint64_t numbers[4096];
  size_t count;
} pending;

static void put_some(ld_txn *txn, pending *rows) {
  ld_row row;
  uint64_t number;
  for (size_t n = pick(4); n > 0; n--) {
    uint8_t key[2] = {9, (uint8_t)pick(5)};
    CHECK_RC(LD_OK, ld_row_put(txn, ld_bytes(key, 2), LD_SLICE_NONE));
    CHECK_RC(LD_OK, ld_row_get(txn, ld_bytes(key, 2), &row));
    rows->numbers[rows->count++] = row.revision;
    if (pick(3) == 0) CHECK_RC(LD_OK, ld_row_del(txn, ld_bytes(key, 2)));
    if (pick(3) > 0) continue;
    CHECK_RC(LD_OK, ld_sequence_next(txn, &number));
    rows->numbers[rows->count++] = number;
  }
}

/* Nested transactions at random; a rollback takes back what was pending in it. */
static void work_nested(ld_txn *txn, unsigned depth, pending *rows) {
  for (size_t n = pick(4); n > 0; n--) {
    ld_txn *child;
    size_t before = rows->count;
    put_some(txn, rows);
    if (depth == 0) continue;
    before = rows->count;
    CHECK_RC(LD_OK, ld_begin_nested(txn, &child));
    work_nested(child, depth - 1, rows);
    if (pick(2) == 0) {
      CHECK_RC(LD_OK, ld_commit(child));
    } else {
      ld_rollback(child);
      rows->count = before;
    }
  }
  put_some(txn, rows);
}

static void test_sequence(void) {
  static pending rows;
  ld_engine *store = open_store();
  uint64_t highest = 0, number;
  for (int round = 0; round < 300; round++) {
    ld_txn *txn = begin(store);
    rows.count = 0;
    work_nested(txn, 3, &rows);
    if (pick(4) == 0) {
      ld_rollback(txn);
      continue;
    }
    CHECK_RC(LD_OK, ld_commit(txn));
    for (size_t i = 0; i < rows.count; i++) {
      number = rows.numbers[i];
      CHECK(number > 0 && number < NUMBERS);
      CHECK(!used[number]);
      used[number] = true;
      CHECK(number > highest);
      highest = number;
    }
  }
  CHECK(highest > 1000);
  ld_engine_close(store);
}

/* What a nested transaction saw before it was rolled back is not given out again in the transaction around it. */
static void test_sequence_after_rollback(void) {
  ld_engine *store = open_store();
  ld_txn *txn = begin(store), *child;
  uint64_t first, second;
  CHECK_RC(LD_OK, ld_begin_nested(txn, &child));
  CHECK_RC(LD_OK, ld_sequence_next(child, &first));
  ld_rollback(child);
  CHECK_RC(LD_OK, ld_sequence_next(txn, &second));
  CHECK(second > first);
  ld_rollback(txn);
  ld_engine_close(store);
}

/* The sequence itself is a row, and damage to it is found before a number is used twice. */
static void test_sequence_row(void) {
  ld_slice key = BYTES("\x01\x30sequence\0");
  ld_engine *store = open_store();
  ld_txn *txn = begin(store);
  ld_row row;
  uint64_t number, stored;
  for (int i = 0; i < 200; i++) CHECK_RC(LD_OK, ld_sequence_next(txn, &number));
  CHECK_RC(LD_OK, ld_commit(txn));
  txn = begin(store);
  CHECK_RC(LD_OK, ld_row_get(txn, key, &row));
  CHECK(ld_read_varint(&row.payload, &stored) && stored == number && row.payload.size == 0);
  CHECK_RC(LD_OK, ld_put(txn, key, BYTES("\x01\0\0\0\0\0\x01\x01")));
  CHECK_RC(LD_CORRUPT, ld_sequence_next(txn, &number));
  CHECK_RC(LD_CORRUPT, ld_commit(txn));
  ld_engine_close(store);
}

int main(void) {
  test_vectors();
  test_sizes();
  test_shortened_from_511();
  test_long_parts();
  test_twins();
  test_flipped_bits();
  test_misplaced();
  test_unknown_flags();
  test_sequence();
  test_sequence_row();
  test_sequence_after_rollback();
  return check_done("row");
}
