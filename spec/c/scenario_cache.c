/* scenario_cache.c -- the operations of caches, for scenario.h. Each begins with a handle of its own. */
#include "../../csrc/cache_mend.h"
#include "../../csrc/cache_row.h"
#include "../../csrc/tuple.h"
#include "scenario.h"

enum { SIZE = 20, MAX = 100 };

static const char *const names[] = {"by use", "fifo"};

static ld_cache_wanted wanted(size_t policy) {
  return (ld_cache_wanted){.max_bytes = MAX,
                           .ttl_ms = 5000,
                           .policy = policy == 0 ? LD_CACHE_LRU : LD_CACHE_S3FIFO,
                           .said_policy = true};
}

static ld_rc set(ld_txn *txn, ld_cache *cache, const char *key, size_t size, uint64_t token) {
  static const uint8_t bytes[MAX + 1];
  bool kept;
  ld_cache_value value = {.key = ld_text(key),
                          .data = ld_bytes(bytes, size),
                          .type = ld_text("a type"),
                          .ttl_ms = -1,
                          .token = token};
  return ld_cache_set(txn, cache, &value, &kept);
}

ld_rc cache_fill(ld_txn *txn) {
  static const char *const keys[] = {"k1", "k2", "k3", "k4", "k5"};
  ld_rc rc = LD_OK;
  for (size_t policy = 0; policy < 2 && rc == LD_OK; policy++) {
    ld_cache cache = {.files = NULL};
    ld_cache_wanted want = wanted(policy);
    rc = ld_cache_open(txn, ld_text(names[policy]), &want, &cache);
    for (size_t i = 0; i < 5 && rc == LD_OK; i++) rc = set(txn, &cache, keys[i], SIZE, 0);
  }
  return rc;
}

typedef ld_rc (*use)(ld_txn *txn, ld_cache *cache, ld_buf *result);

static ld_rc on_both(ld_txn *txn, use with, ld_buf *result) {
  ld_rc rc = LD_OK;
  size_t before = result->size;
  for (size_t policy = 0; policy < 2 && rc == LD_OK; policy++) {
    ld_cache cache = {.files = NULL};
    ld_cache_wanted want = wanted(policy);
    rc = ld_cache_look(txn, ld_text(names[policy]), &want, &cache);
    if (rc == LD_OK) rc = with(txn, &cache, result);
    ld_cache_clear_handle(&cache);
  }
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc look_up(ld_txn *txn, ld_cache *cache, const char *key, ld_buf *result) {
  ld_cache_entry entry;
  ld_slice data;
  bool damaged;
  ld_rc rc = ld_cache_get(txn, cache, ld_text(key), false, &entry, &data, &damaged);
  if (damaged) return ld_fail(&txn->engine->error, txn->engine->error.rc, "damaged");
  if (rc != LD_OK) return rc;
  ld_cache_used(cache, &entry, ld_text(key), 1);
  if (cache->uses.count == 0) /* forgotten, without memory: it would be another result */
    return ld_spoil(txn, ld_fail(&txn->engine->error, LD_NOMEM, "out of memory"));
  ld_buf_add(result, entry.type);
  return LD_OK;
}

static ld_rc evicting(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  ld_rc rc = set(txn, cache, "k6", 2 * SIZE, 0);
  if (rc == LD_OK) rc = set(txn, cache, "k1", SIZE, 0); /* s3fifo remembers it */
  return rc == LD_OK ? look_up(txn, cache, "k6", result) : rc;
}

static ld_rc used(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  ld_rc rc = look_up(txn, cache, "k1", result);
  if (rc == LD_OK) rc = look_up(txn, cache, "k1", result);
  return rc == LD_OK ? set(txn, cache, "k2", SIZE + 1, 0) : rc;
}

static ld_rc touched(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  (void)result;
  return ld_cache_touch(txn, cache, ld_text("k1"), 10000);
}

static ld_rc cleared(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  uint64_t count;
  ld_rc rc = ld_cache_delete(txn, cache, ld_text("k3"));
  if (rc == LD_OK) rc = ld_cache_clear(txn, cache, NULL, &count);
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

static ld_rc leased(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  uint64_t token;
  (void)result;
  ld_rc rc = ld_cache_lease(txn, cache, ld_text("new"), 1000, &token);
  return rc == LD_OK ? set(txn, cache, "new", SIZE, token) : rc;
}

static ld_rc changed(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  ld_cache_wanted want = {.max_bytes = MAX / 2, .ttl_ms = -1, .replace = true};
  (void)result;
  return ld_cache_open(txn, ld_text(names[cache->settings.policy == LD_CACHE_LRU ? 0 : 1]), &want,
                       cache);
}

/* A value of nobody makes it move the others. */
static ld_rc mended(ld_txn *txn, ld_cache *cache, ld_buf *result) {
  uint8_t key[32];
  ld_cache_state state;
  ld_buf row = {.data = key, .capacity = sizeof key};
  ld_buf_byte(&row, LD_SPACE_CACHE_ROW);
  ld_tuple_int(&row, (int64_t)cache->settings.number);
  ld_tuple_int(&row, LD_CACHE_DATA);
  ld_tuple_int(&row, 1000);
  ld_rc rc = ld_row_put_plain(txn, ld_buf_slice(&row), LD_LITERAL("nobody's"));
  if (rc == LD_OK)
    rc = ld_cache_mend(txn, ld_text(names[cache->settings.policy == LD_CACHE_LRU ? 0 : 1]), 0);
  if (rc == LD_OK) rc = ld_cache_stats(txn, cache, &state);
  if (rc == LD_OK) ld_buf_varint(result, state.bytes);
  return rc;
}

static ld_rc emptied(ld_txn *txn, ld_buf *result) {
  uint64_t count = 0;
  size_t before = result->size;
  ld_rc rc = ld_caches_empty(txn);
  if (rc == LD_OK) rc = ld_caches_list(txn, result, &count);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc run_evicting(ld_txn *txn, ld_buf *result) { return on_both(txn, evicting, result); }
static ld_rc run_used(ld_txn *txn, ld_buf *result) { return on_both(txn, used, result); }
static ld_rc run_touched(ld_txn *txn, ld_buf *result) { return on_both(txn, touched, result); }
static ld_rc run_cleared(ld_txn *txn, ld_buf *result) { return on_both(txn, cleared, result); }
static ld_rc run_leased(ld_txn *txn, ld_buf *result) { return on_both(txn, leased, result); }
static ld_rc run_changed(ld_txn *txn, ld_buf *result) { return on_both(txn, changed, result); }
static ld_rc run_mended(ld_txn *txn, ld_buf *result) { return on_both(txn, mended, result); }

const scenario cache_scenarios[] = {
    {"cache: set, evicting", true, run_evicting},
    {"cache: get, then set", true, run_used},
    {"cache: touch", true, run_touched},
    {"cache: delete, clear", true, run_cleared},
    {"cache: lease", true, run_leased},
    {"cache: shrink", true, run_changed},
    {"cache: mend", true, run_mended},
    {"cache: empty", true, emptied},
};
const size_t cache_scenario_count = sizeof cache_scenarios / sizeof *cache_scenarios;
