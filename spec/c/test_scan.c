/* test_scan.c -- rows by prefix, where keys are longer than an engine takes: exactly the rows of the prefix, each once, whole.
**
** The keys share long beginnings, so that most prefixes end near the place where keys are shortened. */
#include "../../csrc/row.h"

#include <string.h>

#include "../../csrc/store.h"
#include "check.h"

#define BYTES(text) ld_bytes("" text, sizeof(text) - 1)

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

enum { KEYS = 400, LONGEST = 560 };

/* A set of keys that share long beginnings: letters `a` but at a few places. */
typedef struct key_set {
  uint8_t bytes[KEYS][LONGEST];
  size_t sizes[KEYS];
  bool there[KEYS];
} key_set;

static uint64_t seed = 99;
static size_t pick(size_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(seed >> 33) % below;
}

static ld_slice key_of(const key_set *set, size_t i) {
  return ld_bytes(set->bytes[i], set->sizes[i]);
}

static bool is_twin(const key_set *set, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (ld_equal(key_of(set, k), key_of(set, i))) return true;
  return false;
}

static void make_keys(key_set *set) {
  for (size_t i = 0; i < KEYS; i++) do {
      memset(set->bytes[i], 'a', LONGEST);
      set->sizes[i] = pick(2) == 0 ? 485 + pick(40) : 1 + pick(LONGEST);
      for (size_t n = pick(3); n > 0; n--)
        set->bytes[i][470 + pick(60)] = pick(4) == 0 ? 0xff : (uint8_t)('a' + pick(3));
      set->there[i] = true;
    } while (is_twin(set, i));
}

/* ---- against the set ---- */

/* Exactly the keys of the set that begin with the prefix, each once, whole. */
static void check_scan(ld_txn *txn, const key_set *set, ld_slice prefix) {
  bool seen[KEYS] = {false};
  ld_scan scan;
  ld_row row;
  ld_rc rc;
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, prefix, LD_SLICE_NONE));
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    size_t i;
    CHECK(row.payload.size == sizeof i);
    memcpy(&i, row.payload.data, sizeof i);
    CHECK(i < KEYS && set->there[i] && !seen[i]);
    CHECK(ld_equal(row.key, key_of(set, i)));
    CHECK(ld_starts_with(row.key, prefix));
    seen[i] = true;
  }
  CHECK_RC(LD_NOTFOUND, rc);
  ld_scan_end(&scan);
  for (size_t i = 0; i < KEYS; i++)
    CHECK(seen[i] == (set->there[i] && ld_starts_with(key_of(set, i), prefix)));
}

/* Go on behind each row in turn: what follows is the rest of the whole scan. */
static void check_after(ld_txn *txn, ld_slice prefix) {
  static uint8_t keys[KEYS][LONGEST];
  size_t sizes[KEYS], count = 0;
  ld_scan scan;
  ld_row row;
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, prefix, LD_SLICE_NONE));
  for (; ld_scan_next(&scan, &row) == LD_OK; count++) {
    memcpy(keys[count], row.key.data, row.key.size);
    sizes[count] = row.key.size;
  }
  ld_scan_end(&scan);
  for (size_t i = 0; i < count; i += 7) {
    CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, prefix, ld_bytes(keys[i], sizes[i])));
    for (size_t k = i + 1; k < count; k++) {
      CHECK_RC(LD_OK, ld_scan_next(&scan, &row));
      CHECK(ld_equal(row.key, ld_bytes(keys[k], sizes[k])));
    }
    CHECK_RC(LD_NOTFOUND, ld_scan_next(&scan, &row));
    ld_scan_end(&scan);
  }
}

static void check_delete(ld_txn *txn, key_set *set, ld_slice prefix) {
  uint64_t deleted, want = 0;
  CHECK_RC(LD_OK, ld_row_del_prefix(txn, prefix, &deleted));
  for (size_t i = 0; i < KEYS; i++) {
    if (!set->there[i] || !ld_starts_with(key_of(set, i), prefix)) continue;
    set->there[i] = false;
    want++;
  }
  CHECK(deleted == want);
  check_scan(txn, set, BYTES("a"));
}

static void test_scans(void) {
  static key_set set;
  uint8_t prefix[LONGEST];
  ld_engine *store = open_store();
  ld_txn *txn = begin(store), *nested;
  make_keys(&set);
  for (size_t i = 0; i < KEYS; i++)
    CHECK_RC(LD_OK, ld_row_put(txn, key_of(&set, i), ld_bytes(&i, sizeof i)));
  for (size_t round = 0; round < 600; round++) {
    size_t size = round < LONGEST ? round + 1 : 1 + pick(LONGEST);
    memcpy(prefix, set.bytes[pick(KEYS)], LONGEST);
    check_scan(txn, &set, ld_bytes(prefix, size));
  }
  for (size_t size = 1; size < 520; size += size < 480 ? 100 : 3)
    check_after(txn, ld_bytes(prefix, size));
  for (size_t size = 540; size > 480; size -= 4) {
    memcpy(prefix, set.bytes[pick(KEYS)], LONGEST);
    CHECK_RC(LD_OK, ld_begin_nested(txn, &nested));
    check_delete(nested, &set, ld_bytes(prefix, size));
    CHECK_RC(LD_OK, ld_commit(nested));
  }
  check_delete(txn, &set, BYTES("a"));
  ld_rollback(txn);
  ld_engine_close(store);
}

/* Rows that come and go while a scan is under way: those that stay come exactly once. */
static void test_scan_and_write(void) {
  ld_engine *store = open_store();
  ld_txn *txn = begin(store);
  uint8_t key[600];
  ld_scan scan;
  ld_row row;
  unsigned odd = 0;
  memset(key, 'q', sizeof key);
  for (unsigned i = 0; i < 100; i++) {
    key[1] = (uint8_t)i;
    CHECK_RC(LD_OK,
             ld_row_put(txn, ld_bytes(key, i % 3 == 0 ? sizeof key : 9), ld_bytes(key + 1, 1)));
  }
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, BYTES("q"), LD_SLICE_NONE));
  while (ld_scan_next(&scan, &row) == LD_OK) {
    uint8_t i = row.payload.data[0];
    odd += i % 2;
    memset(key, 'q', sizeof key);
    key[1] = (uint8_t)(i & ~1u);
    ld_rc rc = ld_row_del(txn, ld_bytes(key, key[1] % 3 == 0 ? sizeof key : 9));
    CHECK(rc == (i % 2 == 0 ? LD_OK : LD_NOTFOUND));
  }
  ld_scan_end(&scan);
  CHECK(odd == 50);
  ld_rollback(txn);
  ld_engine_close(store);
}

int main(void) {
  test_scans();
  test_scan_and_write();
  return check_done("scan");
}
