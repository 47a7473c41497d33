/* cache_open.c -- finding and making caches, and the keys of what has a URL. */
#include <stdio.h>

#include "cache_row.h"
#include "order.h"
#include "tuple.h"

typedef struct name_key {
  ld_buf bytes;
  uint8_t room[2 * LD_PART_MAX + 4];
} name_key;

static ld_rc key_of(ld_txn *txn, ld_slice name, name_key *key) {
  ld_error *error = ld_error_of(txn);
  if (name.size == 0) return ld_fail(error, LD_INVALID, "the name of a cache is empty");
  if (name.size > LD_PART_MAX)
    return ld_fail(error, LD_TOOBIG, "the name of the cache has %zu bytes, the limit is %u",
                   name.size, LD_PART_MAX);
  key->bytes = (ld_buf){.data = key->room, .capacity = sizeof key->room};
  ld_buf_byte(&key->bytes, LD_SPACE_CACHE);
  ld_tuple_string(&key->bytes, name);
  return LD_OK;
}

/* ---- settings ---- */

/* Those of the store with what the program said. */
static ld_cache_settings changed(const ld_cache_settings *now, const ld_cache_wanted *wanted) {
  ld_cache_settings to = *now;
  if (wanted->max_bytes > 0) to.max_bytes = wanted->max_bytes;
  if (wanted->ttl_ms >= 0) to.ttl_ms = wanted->ttl_ms;
  if (wanted->said_policy) to.policy = wanted->policy;
  if (wanted->said_large) to.large = wanted->large;
  if (!wanted->said_large && wanted->has_files && to.large == 0) to.large = LD_CACHE_LARGE;
  return to;
}

static bool same(const ld_cache_settings *a, const ld_cache_settings *b) {
  return a->max_bytes == b->max_bytes && a->ttl_ms == b->ttl_ms && a->policy == b->policy &&
         a->large == b->large;
}

static ld_rc check(ld_txn *txn, ld_slice name, const ld_cache_settings *now,
                   const ld_cache_wanted *wanted) {
  static const char *const policies[] = {"lru", "s3fifo"};
  ld_quoted quoted;
  ld_error *error = ld_error_of(txn);
  ld_cache_settings to = changed(now, wanted);
  if (now->large > 0 && !wanted->has_files)
    return ld_fail(error, LD_INVALID,
                   "cache %s: keeps large values in files: option files is missing",
                   ld_quote(name, quoted));
  if (same(&to, now)) return LD_OK;
  if (wanted->replace) return LD_NOTFOUND;
  char ttl[32] = "none", large[32] = "none (no files)";
  if (now->ttl_ms >= 0) snprintf(ttl, sizeof ttl, "%g", (double)now->ttl_ms / 1000);
  if (now->large > 0) snprintf(large, sizeof large, "%llu", (unsigned long long)now->large);
  return ld_fail(error, LD_INVALID,
                 "cache %s: is declared with max_bytes = %llu, ttl = %s, policy = \"%s\", large = "
                 "%s (replace = true changes it)",
                 ld_quote(name, quoted), (unsigned long long)now->max_bytes, ttl,
                 policies[now->policy], large);
}

ld_rc ld_cache_look(ld_txn *txn, ld_slice name, const ld_cache_wanted *wanted, ld_cache *cache) {
  name_key key;
  uint64_t number;
  ld_cache_settings settings;
  ld_cache_state state;
  ld_rc rc = key_of(txn, name, &key);
  if (rc == LD_OK) rc = ld_cache_get_varint(txn, ld_buf_slice(&key.bytes), &number);
  if (rc == LD_OK) rc = ld_cache_read_state(txn, number, &settings, &state);
  if (rc != LD_OK) return rc;
  cache->settings = settings;
  return check(txn, name, &settings, wanted);
}

/* ---- making, changing ---- */

static void name_folder(const ld_env *env, char folder[LD_CACHE_FOLDER + 1]) {
  uint8_t bytes[LD_CACHE_FOLDER / 2];
  env->random(env->context, bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(folder + 2 * i, 3, "%02x", bytes[i]);
}

static ld_rc make(ld_txn *txn, ld_slice name, const ld_cache_wanted *wanted, ld_cache *cache) {
  name_key key;
  ld_quoted quoted;
  ld_cache_run run = {.txn = txn, .cache = cache};
  const ld_cache_settings none = {.ttl_ms = -1};
  if (wanted->max_bytes == 0)
    return ld_fail(ld_error_of(txn), LD_INVALID,
                   "cache %s: is not there yet: option max_bytes is missing",
                   ld_quote(name, quoted));
  run.settings = changed(&none, wanted);
  name_folder(&txn->engine->env, run.settings.folder);
  ld_rc rc = ld_sequence_next(txn, &run.settings.number);
  if (rc == LD_OK) rc = key_of(txn, name, &key);
  if (rc == LD_OK) rc = ld_cache_put_varint(txn, ld_buf_slice(&key.bytes), run.settings.number);
  rc = ld_cache_run_end(&run, rc);
  if (rc == LD_OK) cache->settings = run.settings;
  return rc;
}

static ld_rc change(ld_txn *txn, const ld_cache_wanted *wanted, ld_cache *cache) {
  ld_cache_run run;
  uint64_t count;
  ld_cache_settings to = changed(&cache->settings, wanted);
  ld_rc rc = LD_OK;
  if (to.policy != cache->settings.policy) rc = ld_cache_clear(txn, cache, NULL, &count);
  if (rc == LD_OK) rc = ld_cache_run_begin(&run, txn, cache);
  if (rc != LD_OK) return rc;
  run.settings = to;
  rc = ld_cache_run_end(&run, ld_cache_make_room(&run, 0));
  if (rc == LD_OK) cache->settings = to;
  return rc;
}

ld_rc ld_cache_open(ld_txn *txn, ld_slice name, const ld_cache_wanted *wanted, ld_cache *cache) {
  cache->settings.number = 0;
  ld_rc rc = ld_cache_look(txn, name, wanted, cache);
  if (rc != LD_NOTFOUND) return rc;
  return cache->settings.number == 0 ? make(txn, name, wanted, cache) : change(txn, wanted, cache);
}

void ld_cache_clear_handle(ld_cache *cache) { ld_cache_uses_clear(&cache->uses); }

/* ---- keys ---- */

void ld_cache_key(ld_slice url, ld_slice params, char key[LD_FILE_DIGEST]) {
  ld_sha256 hash;
  uint8_t digest[LD_SHA256];
  ld_buf canonical = {0};
  ld_tuple_string(&canonical, url);
  if (params.size > 0) ld_order_key(&canonical, params, false);
  ld_sha256_begin(&hash);
  ld_sha256_add(&hash, ld_buf_slice(&canonical));
  ld_sha256_end(&hash, digest);
  ld_buf_clear(&canonical);
  for (size_t i = 0; i < sizeof digest; i++) snprintf(key + 2 * i, 3, "%02x", digest[i]);
}
