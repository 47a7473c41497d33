/* test_btree.c -- the tree under bulk loads, mass deletes, and memory that runs out at every single allocation.
**
** The model says of each number whether it is a row; the key of a number is a prefix and its 4 bytes, big-endian.
** LD_SEED=n repeats a run. Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free.
** Build it with -DLD_NODE_FAN=8 too: then a few hundred rows make a deep tree. */
#include <string.h>
#include <time.h>

#include "../../csrc/engine.h"
#include "../../csrc/engines/btree.h"
#include "../../csrc/engines/btree_node.h"
#include "check.h"
#include "failing_malloc.h"

enum { MANY = 30000, SOME = 40 * LD_NODE_FAN };

static uint64_t state;

static uint64_t chance(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static unsigned below(unsigned n) { return (unsigned)(chance() % n); }

/* Each slot is good until it is used again. */
static ld_slice key_in(unsigned slot, unsigned n) {
  static uint8_t bytes[2][10] = {"prefix", "prefix"};
  for (unsigned i = 0; i < 4; i++) bytes[slot][6 + i] = (uint8_t)(n >> (24 - 8 * i));
  return ld_bytes(bytes[slot], 10);
}

static ld_slice key_of(unsigned n) { return key_in(0, n); }

static bool rows[MANY];

static void complain(void *context, ld_slice key, const char *text) {
  ld_quoted quoted;
  fprintf(stderr, "%s: %s\n", text, ld_quote(key, quoted));
  ++*(unsigned *)context;
}

/* The tree is sound and has just the model's rows below `limit`, each with its key as its value. */
static void check_tree(const ld_btree *tree, unsigned limit) {
  ld_btree_cursor cursor = {0};
  ld_slice key, value;
  unsigned complaints = 0;
  ld_btree_check(tree, NULL, complain, &complaints);
  CHECK(complaints == 0);
  bool there = ld_btree_first(&cursor, tree);
  for (unsigned n = 0; n < limit; n++) {
    if (!rows[n]) continue;
    CHECK(there);
    ld_btree_current(&cursor, &key, &value);
    CHECK(ld_equal(key, key_of(n)) && ld_equal(value, key_of(n)));
    there = ld_btree_next(&cursor);
  }
  CHECK(!there);
}

/* How full the leaves are, 0 to 1. */
static double fill_of(const ld_btree *tree) {
  uint64_t row = 20 + offsetof(ld_item, bytes);
  uint64_t nodes = (tree->bytes - tree->entries * row) / ld_node_size(0) + 1;
  return (double)tree->entries / ((double)nodes * LD_NODE_FAN);
}

static void put(ld_btree *tree, unsigned n) {
  CHECK_RC(LD_OK, ld_btree_put(tree, key_of(n), key_of(n)));
  rows[n] = true;
}

static void del(ld_btree *tree, unsigned n) {
  CHECK_RC(rows[n] ? LD_OK : LD_NOTFOUND, ld_btree_del(tree, key_of(n)));
  rows[n] = false;
}

static void shuffle(unsigned *order, unsigned n) {
  for (unsigned i = n; i-- > 1;) {
    unsigned other = below(i + 1), kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
}

enum { ASCENDING, DESCENDING, RANDOM, ORDERS };

static void make_order(unsigned *order, unsigned n, int kind) {
  for (unsigned i = 0; i < n; i++) order[i] = kind == DESCENDING ? n - 1 - i : i;
  if (kind == RANDOM) shuffle(order, n);
}

/* ---- orders ---- */

static void test_order(int in, int out) {
  static unsigned order[MANY];
  static const double least[ORDERS] = {0.85, 0.85, 0.6};
  ld_btree tree = {0};
  make_order(order, MANY, in);
  for (unsigned i = 0; i < MANY; i++) {
    put(&tree, order[i]);
    if (i % 5000 == 77) check_tree(&tree, MANY);
  }
  check_tree(&tree, MANY);
  CHECK(LD_NODE_FAN < 32 || fill_of(&tree) > least[in]);
  make_order(order, MANY, out);
  for (unsigned i = 0; i < MANY; i++) {
    del(&tree, order[i]);
    if (i % 5000 != 4999) continue;
    check_tree(&tree, MANY);
    CHECK(LD_NODE_FAN < 32 || tree.entries < 1000 || fill_of(&tree) > 0.2);
  }
  CHECK(tree.root == NULL && tree.entries == 0 && tree.bytes == 0);
}

/* Interleaved series, each ascending, as queues and logs of several rooms make them. */
static void test_interleaved_series(void) {
  ld_btree tree = {0};
  memset(rows, 0, sizeof rows);
  for (unsigned i = 0; i < MANY / 10; i++)
    for (unsigned series = 0; series < 10; series++) put(&tree, series * (MANY / 10) + i);
  check_tree(&tree, MANY);
  CHECK(fill_of(&tree) > 0.45);
  ld_btree_clear(&tree);
  memset(rows, 0, sizeof rows);
}

/* Rows that ranges leave behind one by one must not keep a node each. */
static void test_ranges_leave_no_husks(void) {
  ld_btree tree = {0};
  uint64_t count;
  for (unsigned n = 0; n < MANY; n++) put(&tree, n);
  for (unsigned n = 0; n + 100 <= MANY; n += 100) {
    CHECK_RC(LD_OK, ld_btree_del_range(&tree, key_in(0, n + 1), key_in(1, n + 100), &count));
    CHECK(count == 99);
    memset(rows + n + 1, 0, 99 * sizeof rows[0]);
  }
  check_tree(&tree, MANY);
  CHECK(tree.entries == MANY / 100);
  CHECK(fill_of(&tree) > 0.1);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, LD_SLICE_NONE, LD_SLICE_NONE, &count));
  CHECK(count == MANY / 100 && tree.root == NULL && tree.bytes == 0);
  memset(rows, 0, sizeof rows);
}

static void test_range_edges(void) {
  ld_btree tree = {0};
  uint64_t count = 99;
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, LD_SLICE_NONE, LD_SLICE_NONE, &count));
  CHECK(count == 0);
  for (unsigned n = 0; n < 1000; n++) put(&tree, n);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, key_in(0, 500), key_in(1, 500), &count));
  CHECK(count == 0);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, key_in(0, 600), key_in(1, 500), &count));
  CHECK(count == 0);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, key_in(0, 1000), LD_SLICE_NONE, &count));
  CHECK(count == 0);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, LD_SLICE_NONE, key_in(1, 0), &count));
  CHECK(count == 0);
  check_tree(&tree, 1000);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, LD_SLICE_NONE, key_in(1, 1), &count));
  CHECK(count == 1);
  CHECK_RC(LD_OK, ld_btree_del_range(&tree, key_in(0, 999), LD_SLICE_NONE, &count));
  CHECK(count == 1);
  rows[0] = rows[999] = false;
  check_tree(&tree, 1000);
  ld_btree_clear(&tree);
  memset(rows, 0, sizeof rows);
}

/* ---- what check finds ---- */

static void note(void *context, ld_slice key, const char *text) {
  (void)key;
  snprintf(context, 100, "%s", text);
}

static void expect(const ld_btree *tree, const char *word) {
  char last[100] = "nothing";
  ld_btree_check(tree, NULL, note, last);
  CHECK(strstr(last, word) != NULL);
}

static void test_check_finds_damage(void) {
  ld_btree tree = {0};
  for (unsigned n = 0; n < SOME; n++) put(&tree, n);
  ld_node *child = tree.root->children[1];
  expect(&tree, "nothing");
  tree.entries++;
  expect(&tree, "count of rows");
  tree.entries--;
  tree.bytes++;
  expect(&tree, "count of bytes");
  tree.bytes--;
  tree.root->items[1]->bytes[9] ^= 0xff;
  expect(&tree, "tree: ");
  tree.root->items[1]->bytes[9] ^= 0xff;
  child->heads[child->count / 2] ^= 1;
  expect(&tree, "not to be found");
  child->heads[child->count / 2] ^= 1;
  expect(&tree, "nothing");
  ld_btree_clear(&tree);
  memset(rows, 0, sizeof rows);
}

/* ---- memory runs out ---- */

enum { PUT, DEL, DEL_RANGE, WRITES };

static ld_rc write_to(ld_btree *tree, int kind, unsigned n, unsigned span) {
  uint64_t count;
  if (kind == PUT) return ld_btree_put(tree, key_of(n), key_of(n));
  if (kind == DEL) return ld_btree_del(tree, key_of(n));
  return ld_btree_del_range(tree, key_in(0, n), key_in(1, n + span), &count);
}

static void note_write(int kind, unsigned n, unsigned span) {
  if (kind == DEL_RANGE) {
    memset(rows + n, 0, span * sizeof rows[0]);
  } else {
    rows[n] = kind == PUT;
  }
}

/* One write fails at its first allocation, then at its second, ... until it has all it asks for. Each failure leaves
** the rows as they were. `shared`: a snapshot is open, so that all nodes have to be cloned. */
static void starve(ld_btree *tree, int kind, bool shared, bool for_good) {
  unsigned n = below(SOME), span = 1 + below(SOME - n);
  bool there = rows[n], done = false;
  for (long calls = 0; !done; calls++) {
    ld_btree snapshot = shared ? ld_btree_share(tree) : (ld_btree){0};
    run_out_after(calls, for_good);
    ld_rc rc = write_to(tree, kind, n, span);
    refill();
    done = rc != LD_NOMEM;
    if (done) CHECK(rc == (kind == DEL && !there ? LD_NOTFOUND : LD_OK));
    if (!done) CHECK(ran_out);
    if (shared) check_tree(&snapshot, SOME);
    ld_btree_clear(&snapshot);
    if (done) note_write(kind, n, span);
    check_tree(tree, SOME);
  }
}

static void test_starving_tree(unsigned writes) {
  ld_btree tree = {0};
  for (unsigned i = 0; i < writes; i++) {
    bool growing = (i / 200) % 2 == 0;
    int kind = below(100) == 0 ? DEL_RANGE
               : below(4) > 0  ? (growing ? PUT : DEL)
                               : (growing ? DEL : PUT);
    starve(&tree, kind, below(2) == 0, below(2) == 0);
    for (unsigned more = below(20); more > 0; more--)
      growing ? put(&tree, below(SOME)) : del(&tree, below(SOME));
  }
  ld_btree_clear(&tree);
  memset(rows, 0, sizeof rows);
}

/* A transaction with a nested one in it. */
static ld_rc transact(ld_engine *engine) {
  ld_txn *txn = NULL, *child = NULL;
  ld_cursor *cursor;
  ld_rc rc = ld_begin(engine, true, &txn);
  for (unsigned n = 0; rc == LD_OK && n < 3 * LD_NODE_FAN; n++)
    rc = ld_put(txn, key_in(0, n * 7), key_in(1, n));
  if (rc == LD_OK) rc = ld_begin_nested(txn, &child);
  if (rc == LD_OK) rc = ld_cursor_open(child, &cursor);
  if (rc == LD_OK) rc = ld_cursor_seek(cursor, key_of(7));
  for (unsigned n = 1; rc == LD_OK && n < 2 * LD_NODE_FAN; n++) rc = ld_del(child, key_of(n * 7));
  if (rc == LD_OK) rc = ld_cursor_next(cursor);
  if (rc == LD_OK) {
    rc = ld_commit(child);
  } else {
    ld_rollback(child);
  }
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

static ld_rc live_through(void) {
  ld_engine *engine = NULL;
  ld_engine_stats stats;
  ld_error error = {0};
  ld_config config = {.env = ld_env_system(), .first_key = ld_text("first")};
  ld_rc rc = ld_engine_open(&ld_memory_engine, &config, &engine, &error);
  if (rc != LD_OK) return rc;
  rc = transact(engine);
  refill();
  if (rc != LD_OK) CHECK(engine->error.rc == rc && strstr(engine->error.text, "memory") != NULL);
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  CHECK(stats.entries == (rc == LD_OK ? 2 + LD_NODE_FAN : 1));
  ld_engine_close(engine);
  return rc;
}

/* Where mending runs out of memory the write has been done all the same, so only the last round has to succeed. */
static void test_starving_engine(bool for_good) {
  long calls = 0, before = allocated;
  ld_rc rc;
  do {
    run_out_after(calls++, for_good);
    rc = live_through();
    refill();
    CHECK(allocated == before);
    CHECK(rc == LD_OK || (rc == LD_NOMEM && ran_out));
  } while (ran_out);
  CHECK(calls > 3 * LD_NODE_FAN);
}

int main(void) {
  const char *seed = getenv("LD_SEED");
  long before = allocated;
  state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
  printf("btree: LD_SEED=%llu\n", (unsigned long long)state);
  fflush(stdout);
  for (int in = 0; in < ORDERS; in++)
    for (int out = 0; out < ORDERS; out++) test_order(in, out);
  test_interleaved_series();
  test_ranges_leave_no_husks();
  test_range_edges();
  test_check_finds_damage();
  test_starving_tree(1500);
  test_starving_engine(false);
  test_starving_engine(true);
  CHECK(allocated == before);
  return check_done("btree");
}
