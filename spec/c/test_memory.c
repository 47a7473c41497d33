/* test_memory.c -- the memory engine against a model.
**
** The model is an array over a fixed pool of keys in memcmp order: what the value of each is, or that it is not there.
** So a snapshot of the model is a memcpy, and `seek` is an index.
** LD_SEED=n repeats a run. With -DLD_NODE_FAN=8 (for the engine) a few thousand rows make a deep tree. */
#include <string.h>
#include <time.h>

#include "../../csrc/engine.h"
#include "check.h"

enum { KEYS = 3000, SNAPSHOTS = 4, DEPTH = 4, BIG = 1 << 20 };

/* ---- chance ---- */

static uint64_t state;

static uint64_t chance(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static unsigned below(unsigned n) { return (unsigned)(chance() % n); }

/* ---- the pool of keys ---- */

typedef struct pooled {
  uint8_t bytes[LD_KEY_MAX];
  size_t size;
} pooled;

static pooled pool[KEYS];

static ld_slice key_at(unsigned rank) { return ld_bytes(pool[rank].bytes, pool[rank].size); }

static int by_bytes(const void *a, const void *b) {
  const pooled *x = a, *y = b;
  return ld_compare(ld_bytes(x->bytes, x->size), ld_bytes(y->bytes, y->size));
}

/* Numbers behind a long prefix, runs of one byte, strings over 00, 01, fe, ff, and any bytes at all. */
static void make_key(pooled *key, unsigned n) {
  static const uint8_t edges[] = {0x00, 0x01, 0xfe, 0xff};
  key->size = n % 5 == 0 ? 1 + below(LD_KEY_MAX) : 1 + below(12);
  switch (n % 4) {
  case 0:
    memcpy(key->bytes, "collection\0plans\0", 17);
    for (unsigned i = 0; i < 4; i++) key->bytes[17 + i] = (uint8_t)(n >> (24 - 8 * i));
    key->size = 21;
    break;
  case 1: memset(key->bytes, edges[below(4)], sizeof key->bytes); break;
  case 2:
    for (size_t i = 0; i < key->size; i++) key->bytes[i] = edges[below(4)];
    break;
  default:
    for (size_t i = 0; i < key->size; i++) key->bytes[i] = (uint8_t)chance();
  }
}

static void fill_pool(void) {
  unsigned filled = 0;
  for (unsigned n = 0; filled < KEYS; n++) {
    make_key(&pool[filled++], n);
    if (filled < KEYS) continue;
    qsort(pool, KEYS, sizeof pool[0], by_bytes);
    filled = 1;
    for (unsigned i = 1; i < KEYS; i++)
      if (by_bytes(&pool[filled - 1], &pool[i]) != 0) pool[filled++] = pool[i];
  }
}

/* ---- the model ---- */

/* A value is `size` bytes that follow from `stamp`. */
typedef struct stored {
  uint32_t stamp; /* 0: there is no such row */
  uint32_t size;
} stored;

typedef struct model {
  stored rows[KEYS];
} model;

static uint8_t filled[BIG];

static ld_slice bytes_of(stored v) {
  for (uint32_t i = 0; i < v.size; i++) filled[i] = (uint8_t)(v.stamp + i * 7u + (i >> 8));
  return ld_bytes(filled, v.size);
}

static stored some_value(void) {
  static uint32_t stamp;
  static const uint32_t sizes[] = {0, 1, 20, 60, 200, 3000};
  return (stored){.stamp = ++stamp, .size = below(2000) == 0 ? BIG : sizes[below(6)]};
}

/* The first row from `rank` on, KEYS if there is none; the last one before `rank`, KEYS if there is none. */
static unsigned at_or_after(const model *m, unsigned rank) {
  while (rank < KEYS && m->rows[rank].stamp == 0) rank++;
  return rank;
}

static unsigned before(const model *m, unsigned rank) {
  while (rank-- > 0)
    if (m->rows[rank].stamp != 0) return rank;
  return KEYS;
}

static uint64_t rows_in(const model *m, unsigned from, unsigned to) {
  uint64_t n = 0;
  for (unsigned i = from; i < to; i++) n += m->rows[i].stamp != 0;
  return n;
}

static void forget(model *m, unsigned from, unsigned to) {
  memset(m->rows + from, 0, (to - from) * sizeof m->rows[0]);
}

/* ---- both alike ---- */

static void complain(void *context, ld_slice key, const char *text) {
  ld_quoted quoted;
  fprintf(stderr, "%s: %s\n", text, ld_quote(key, quoted));
  ++*(unsigned *)context;
}

static void check_row_is(ld_cursor *cursor, const model *m, unsigned rank) {
  ld_slice key, got;
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &got));
  CHECK(ld_equal(key, key_at(rank)));
  CHECK(ld_equal(got, bytes_of(m->rows[rank])));
}

static void check_moved(ld_cursor *cursor, ld_rc rc, const model *m, unsigned rank) {
  CHECK_RC(rank < KEYS ? LD_OK : LD_NOTFOUND, rc);
  if (rank < KEYS) check_row_is(cursor, m, rank);
}

static void check_same(ld_txn *txn, const model *m) {
  ld_cursor *cursor;
  ld_slice got;
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  for (unsigned rank = at_or_after(m, 0);; rank = at_or_after(m, rank + 1)) {
    check_moved(cursor, ld_cursor_next(cursor), m, rank);
    if (rank == KEYS) break;
  }
  for (unsigned rank = before(m, KEYS);; rank = before(m, rank)) {
    check_moved(cursor, ld_cursor_prev(cursor), m, rank);
    if (rank == KEYS) break;
  }
  ld_cursor_close(cursor);
  for (unsigned rank = 0; rank < KEYS; rank++)
    CHECK_RC(m->rows[rank].stamp != 0 ? LD_OK : LD_NOTFOUND, ld_get(txn, key_at(rank), &got));
}

static void check_sound(ld_engine *engine, const model *m) {
  unsigned complaints = 0;
  ld_engine_stats stats;
  CHECK_RC(LD_OK, ld_check(engine, complain, &complaints));
  CHECK(complaints == 0);
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  CHECK(stats.entries == rows_in(m, 0, KEYS));
  CHECK((stats.bytes_used == 0) == (stats.entries == 0));
}

static ld_engine *open_engine(bool (*check_row)(ld_slice, ld_slice)) {
  ld_engine *engine;
  ld_error error;
  ld_config config = {.env = ld_env_system(), .check_row = check_row};
  CHECK_RC(LD_OK, ld_engine_open(&ld_memory_engine, &config, &engine, &error));
  return engine;
}

/* ---- a random walk ---- */

/* The open transactions of a walk: nested write ones, each with the model of what it sees, and snapshots. */
typedef struct walk {
  ld_engine *engine;
  model committed, nested[DEPTH], seen[SNAPSHOTS];
  ld_txn *writers[DEPTH], *readers[SNAPSHOTS];
  unsigned depth;
} walk;

static void deepen(walk *w) {
  unsigned d = w->depth++;
  w->nested[d] = d > 0 ? w->nested[d - 1] : w->committed;
  CHECK_RC(LD_OK, d > 0 ? ld_begin_nested(w->writers[d - 1], &w->writers[d])
                        : ld_begin(w->engine, true, &w->writers[d]));
}

static void surface(walk *w, bool keep) {
  unsigned d = --w->depth;
  if (below(8) == 0) check_same(w->writers[d], &w->nested[d]);
  if (!keep) {
    ld_rollback(w->writers[d]);
    return;
  }
  CHECK_RC(LD_OK, ld_commit(w->writers[d]));
  *(d > 0 ? &w->nested[d - 1] : &w->committed) = w->nested[d];
  if (d == 0) check_sound(w->engine, &w->committed);
}

static void swap_snapshot(walk *w) {
  unsigned i = below(SNAPSHOTS);
  if (w->readers[i] != NULL) {
    check_same(w->readers[i], &w->seen[i]);
    ld_rollback(w->readers[i]);
  }
  CHECK_RC(LD_OK, ld_begin(w->engine, false, &w->readers[i]));
  w->seen[i] = w->committed;
}

static void put_one(ld_txn *txn, model *m, unsigned rank, stored v) {
  CHECK_RC(LD_OK, ld_put(txn, key_at(rank), bytes_of(v)));
  m->rows[rank] = v;
}

/* Key and value come from the rows that are about to be replaced or cloned. */
static void put_borrowed(ld_txn *txn, model *m, unsigned rank) {
  unsigned other = at_or_after(m, below(KEYS));
  ld_slice key, got;
  ld_cursor *cursor;
  if (other == KEYS) return;
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_cursor_seek(cursor, key_at(other)));
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &got));
  if (rank % 2 == 0) {
    CHECK_RC(LD_OK, ld_put(txn, key, got));
    CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &got));
    CHECK_RC(LD_OK, ld_put(txn, key_at(rank), got));
    m->rows[rank] = m->rows[other];
  } else {
    CHECK_RC(LD_OK, ld_del(txn, key));
    m->rows[other] = (stored){0};
  }
  ld_cursor_close(cursor);
}

static void del_one(ld_txn *txn, model *m, unsigned rank) {
  CHECK_RC(m->rows[rank].stamp != 0 ? LD_OK : LD_NOTFOUND, ld_del(txn, key_at(rank)));
  m->rows[rank] = (stored){0};
}

static void del_some(ld_txn *txn, model *m, unsigned from) {
  unsigned span = below(4) == 0 ? KEYS : 60, to = from + below(span);
  uint64_t count = 99;
  ld_slice bound = to < KEYS ? key_at(to) : LD_SLICE_NONE;
  if (to > KEYS) to = KEYS;
  CHECK_RC(LD_OK, ld_del_range(txn, key_at(from), bound, &count));
  CHECK(count == rows_in(m, from, to));
  forget(m, from, to);
}

/* A cursor steps to and fro while its transaction writes where it stands. */
static void stroll(ld_txn *txn, model *m, unsigned rank) {
  ld_cursor *cursor;
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  unsigned at = at_or_after(m, rank);
  check_moved(cursor, ld_cursor_seek(cursor, key_at(rank)), m, at);
  for (unsigned steps = below(100); steps > 0 && at < KEYS; steps--) {
    if (below(8) == 0) del_one(txn, m, at);
    if (below(8) == 0) put_one(txn, m, below(KEYS), some_value());
    bool ahead = below(3) > 0;
    at = ahead ? at_or_after(m, at + 1) : before(m, at);
    check_moved(cursor, ahead ? ld_cursor_next(cursor) : ld_cursor_prev(cursor), m, at);
  }
  ld_cursor_close(cursor);
}

static void step(walk *w) {
  ld_txn *txn = w->writers[w->depth - 1];
  model *m = &w->nested[w->depth - 1];
  unsigned rank = below(KEYS), kind = below(1000);
  if (kind < 500) {
    put_one(txn, m, rank, some_value());
  } else if (kind < 850) {
    del_one(txn, m, rank);
  } else if (kind < 860) {
    del_some(txn, m, rank);
  } else if (kind < 900) {
    put_borrowed(txn, m, rank);
  } else if (kind < 940) {
    stroll(txn, m, rank);
  } else if (kind < 965) {
    if (w->depth < DEPTH) deepen(w);
  } else if (w->depth > 1) {
    surface(w, below(2) == 0);
  }
}

static void test_walk(unsigned transactions) {
  walk *w = calloc(1, sizeof *w);
  CHECK(w != NULL);
  w->engine = open_engine(NULL);
  for (unsigned i = 0; i < transactions; i++) {
    deepen(w);
    for (unsigned steps = below(3) == 0 ? 2000 : below(30); steps > 0; steps--) step(w);
    while (w->depth > 0) surface(w, below(4) > 0);
    if (below(4) == 0) swap_snapshot(w);
  }
  for (unsigned i = 0; i < SNAPSHOTS; i++)
    if (w->readers[i] != NULL) check_same(w->readers[i], &w->seen[i]);
  ld_engine_close(w->engine);
  free(w);
}

/* ---- the rest of the port ---- */

static void test_options(void) {
  ld_engine *engine = NULL;
  ld_error error = {0};
  ld_option options[] = {{"map_size", "1GiB"}};
  ld_config config = {.env = ld_env_system(), .options = options, .option_count = 1};
  CHECK_RC(LD_INVALID, ld_engine_open(&ld_memory_engine, &config, &engine, &error));
  CHECK(engine == NULL);
  CHECK(strstr(error.text, "map_size") != NULL);
}

static void test_first_row(void) {
  ld_engine *engine;
  ld_error error;
  ld_txn *txn;
  ld_slice got;
  ld_config config = {
      .env = ld_env_system(), .first_key = ld_text("signature"), .first_value = ld_text("larder")};
  CHECK_RC(LD_OK, ld_engine_open(&ld_memory_engine, &config, &engine, &error));
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  CHECK_RC(LD_OK, ld_get(txn, ld_text("signature"), &got));
  CHECK(ld_equal(got, ld_text("larder")));
  ld_rollback(txn);
  ld_engine_close(engine);
}

static bool is_good(ld_slice key, ld_slice value) {
  (void)value;
  return !ld_equal(key, ld_text("bad"));
}

static void expect_bad(void *context, ld_slice key, const char *text) {
  CHECK(ld_equal(key, ld_text("bad")));
  CHECK(strstr(text, "checksum") != NULL);
  ++*(unsigned *)context;
}

static void test_check_tells_damaged_rows(void) {
  ld_engine *engine = open_engine(is_good);
  ld_txn *txn;
  unsigned findings = 0;
  CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
  CHECK_RC(LD_OK, ld_put(txn, ld_text("good"), ld_text("1")));
  CHECK_RC(LD_OK, ld_put(txn, ld_text("bad"), ld_text("2")));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, ld_check(engine, expect_bad, &findings));
  CHECK(findings == 1);
  ld_engine_close(engine);
}

static void test_stats(void) {
  ld_engine *engine = open_engine(NULL);
  ld_engine_stats stats;
  ld_txn *reader, *writer;
  CHECK_RC(LD_OK, ld_begin(engine, false, &reader));
  CHECK_RC(LD_OK, ld_begin(engine, true, &writer));
  CHECK_RC(LD_OK, ld_put(writer, ld_text("a"), ld_text("1")));
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  CHECK(stats.entries == 0 && stats.bytes_used == 0 && stats.bytes_limit == 0);
  CHECK(stats.readers == 1);
  CHECK_RC(LD_OK, ld_commit(writer));
  CHECK_RC(LD_OK, ld_commit(reader));
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  CHECK(stats.entries == 1 && stats.bytes_used > 2 && stats.readers == 0);
  ld_engine_close(engine);
}

int main(void) {
  const char *seed = getenv("LD_SEED");
  state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
  printf("memory: LD_SEED=%llu\n", (unsigned long long)state);
  fflush(stdout);
  fill_pool();
  test_options();
  test_first_row();
  test_check_tells_damaged_rows();
  test_stats();
  for (int i = 0; i < 4; i++) test_walk(60);
  return check_done("memory");
}
