/* cache.c -- values in and out. Opening: cache_open.c; which go: cache_evict.c; files: cache_file.c; rows: cache_row.c. */
#include "cache.h"

#include "cache_row.h"
#include "span.h"
#include "tuple.h"

static int64_t now_of(ld_txn *txn) { return ld_now(&txn->engine->env); }

ld_rc ld_cache_check_key(ld_slice key, ld_error *error) {
  if (key.size == 0) return ld_fail(error, LD_INVALID, "key: is empty");
  if (key.size <= LD_PART_MAX) return LD_OK;
  return ld_fail(error, LD_TOOBIG, "key: has %zu bytes, the limit is %u", key.size, LD_PART_MAX);
}

/* ---- set ---- */

static bool is_extension(ld_slice text) {
  if (text.size > LD_CACHE_EXTENSION) return false;
  for (size_t i = 0; i < text.size; i++) {
    uint8_t c = text.data[i];
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

ld_rc ld_cache_check_fits(const ld_cache_settings *settings, uint64_t size, ld_error *error) {
  if (ld_cache_charge(size) <= settings->max_bytes) return LD_OK;
  return ld_fail(error, LD_TOOBIG, "the value has %llu bytes, the whole cache %llu",
                 (unsigned long long)size, (unsigned long long)settings->max_bytes);
}

void ld_cache_describe(const ld_cache_value *value, ld_cache_entry *entry) {
  *entry = (ld_cache_entry){.size = value->is_file ? value->size : value->data.size,
                            .expires_ms = -1,
                            .is_file = value->is_file,
                            .extension = value->extension,
                            .type = value->type,
                            .metadata = value->metadata};
  memcpy(entry->hash, value->hash, LD_SHA256);
}

ld_rc ld_cache_prepare(ld_cache *cache, ld_cache_value *value, const ld_env *env, ld_error *error) {
  ld_rc rc = ld_cache_check_key(value->key, error);
  if (rc == LD_OK && value->reader == NULL)
    rc = ld_cache_check_fits(&cache->settings, value->data.size, error);
  if (rc != LD_OK) return rc;
  if (!is_extension(value->extension))
    return ld_fail(error, LD_INVALID,
                   "option extension: expected up to %d letters and digits, such as png",
                   LD_CACHE_EXTENSION);
  value->is_file = value->reader != NULL || ld_cache_is_large(cache, value->data.size);
  return value->is_file ? ld_cache_write_file(cache, value, env, error) : LD_OK;
}

static ld_rc flush_into(ld_cache_run *run);

/* What was there goes; a new value of a key that is there stays in its queue. */
static ld_rc replace(ld_cache_run *run, const ld_cache_value *value, ld_cache_entry *entry) {
  ld_cache_entry old;
  ld_rc rc = ld_cache_get_entry(run->txn, run->settings.number, value->key, &old);
  if (rc == LD_NOTFOUND) return ld_cache_choose_queue(run, value->key, &entry->queue);
  if (rc != LD_OK) return rc;
  entry->queue = old.queue;
  entry->heat = old.heat;
  return ld_cache_remove(run, value->key, &old);
}

static ld_rc keep(ld_cache_run *run, const ld_cache_value *value, ld_cache_entry *entry) {
  ld_cache_key_of row;
  int64_t ttl = value->ttl_ms >= 0 ? value->ttl_ms : run->settings.ttl_ms;
  entry->created_ms = entry->used_ms = now_of(run->txn);
  if (ttl >= 0) entry->expires_ms = entry->created_ms + ttl;
  ld_rc rc = LD_OK;
  entry->id = ++run->state.last;
  if (entry->is_file) rc = ld_cache_hold_file(run, entry);
  if (rc == LD_OK && !entry->is_file)
    rc = ld_row_put_plain(run->txn,
                          ld_cache_row_int(&row, run->settings.number, LD_CACHE_DATA, entry->id),
                          value->data);
  return rc == LD_OK ? ld_cache_enter(run, value->key, entry) : rc;
}

static ld_rc set(ld_cache_run *run, const ld_cache_value *value) {
  ld_cache_entry entry;
  ld_cache_describe(value, &entry);
  ld_rc rc = ld_cache_check_fits(&run->settings, entry.size, ld_error_of(run->txn));
  if (rc == LD_OK) rc = flush_into(run);
  if (rc != LD_OK) return rc;
  rc = replace(run, value, &entry);
  if (rc == LD_OK) rc = ld_cache_make_room(run, ld_cache_charge(entry.size));
  return rc == LD_OK ? keep(run, value, &entry) : rc;
}

ld_rc ld_cache_set(ld_txn *txn, ld_cache *cache, const ld_cache_value *value, bool *kept) {
  ld_cache_run run;
  ld_rc rc = value->token == 0 ? LD_OK : ld_cache_check_lease(txn, cache, value->key, value->token);
  *kept = rc == LD_OK;
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = value->is_file ? ld_cache_ensure_file(txn, cache, value) : LD_OK;
  if (rc == LD_OK) rc = ld_cache_run_begin(&run, txn, cache);
  if (rc != LD_OK) return rc;
  rc = set(&run, value);
  rc = ld_cache_run_end(&run, rc);
  return rc == LD_OK && value->token != 0 ? ld_cache_release(txn, cache, value->key, value->token)
                                          : rc;
}

/* ---- get ---- */

ld_rc ld_cache_get(ld_txn *txn, ld_cache *cache, ld_slice key, bool stale, ld_cache_entry *entry,
                   ld_slice *data, bool *damaged) {
  ld_cache_key_of row_key;
  ld_row row;
  uint64_t number = cache->settings.number;
  *damaged = false;
  *data = LD_SLICE_NONE;
  ld_rc rc = ld_cache_get_entry(txn, number, key, entry);
  if (rc != LD_OK) return rc;
  if (!stale && entry->expires_ms >= 0 && entry->expires_ms <= now_of(txn)) return LD_NOTFOUND;
  if (entry->is_file) return LD_OK;
  rc = ld_row_get(txn, ld_cache_row_int(&row_key, number, LD_CACHE_DATA, entry->id), &row);
  *damaged = rc == LD_CORRUPT || rc == LD_NOTFOUND;
  if (*damaged) return LD_NOTFOUND;
  if (rc == LD_OK) *data = row.payload;
  return rc;
}

/* ---- uses ---- */

bool ld_cache_used(ld_cache *cache, const ld_cache_entry *entry, ld_slice key, int64_t now) {
  ld_cache_uses_add(&cache->uses, entry->id, key, now);
  return ld_cache_uses_full(&cache->uses);
}

static ld_rc write_use(ld_cache_run *run, const ld_cache_use *use) {
  ld_cache_entry entry;
  ld_slice key = ld_bytes(run->cache->uses.keys.data + use->key, use->key_size);
  ld_rc rc = ld_cache_get_entry(run->txn, run->settings.number, key, &entry);
  if (rc == LD_NOTFOUND || (rc == LD_OK && entry.id != use->id)) return LD_OK; /* it has gone */
  if (rc != LD_OK) return rc;
  entry.used_ms = use->last_ms;
  return ld_cache_warm(run, key, &entry, use->count);
}

static ld_rc flush_into(ld_cache_run *run) {
  ld_cache_uses *uses = &run->cache->uses;
  ld_rc rc = LD_OK;
  run->state.hits += uses->hits;
  run->state.misses += uses->misses;
  ld_cache_uses_sort(uses);
  for (size_t i = 0; i < uses->count && rc == LD_OK; i++) rc = write_use(run, uses->slots + i);
  ld_cache_uses_reset(uses);
  return rc;
}

ld_rc ld_cache_flush(ld_txn *txn, ld_cache *cache) {
  ld_cache_run run;
  ld_rc rc = ld_cache_run_begin(&run, txn, cache);
  if (rc == LD_OK) rc = flush_into(&run);
  return ld_cache_run_end(&run, rc);
}

/* ---- touch, delete ---- */

static ld_rc renew(ld_cache_run *run, ld_slice key, ld_cache_entry *entry, int64_t ttl_ms) {
  ld_cache_key_of row;
  uint64_t number = run->settings.number;
  int64_t before = entry->expires_ms, ttl = ttl_ms >= 0 ? ttl_ms : run->settings.ttl_ms;
  entry->used_ms = now_of(run->txn);
  entry->expires_ms = ttl >= 0 ? entry->used_ms + ttl : -1;
  ld_rc rc = ld_cache_warm(run, key, entry, 1);
  if (rc == LD_OK && before >= 0)
    rc = ld_cache_drop_row(
        run->txn, ld_cache_row_ints(&row, number, LD_CACHE_EXPIRY, before, (int64_t)entry->id));
  if (rc == LD_OK && entry->expires_ms >= 0)
    rc = ld_row_put_plain(
        run->txn,
        ld_cache_row_ints(&row, number, LD_CACHE_EXPIRY, entry->expires_ms, (int64_t)entry->id),
        key);
  return rc;
}

ld_rc ld_cache_touch(ld_txn *txn, ld_cache *cache, ld_slice key, int64_t ttl_ms) {
  ld_cache_run run;
  ld_cache_entry entry;
  ld_rc rc = ld_cache_run_begin(&run, txn, cache);
  if (rc == LD_OK) rc = flush_into(&run);
  if (rc != LD_OK) return rc;
  rc = ld_cache_get_entry(txn, run.settings.number, key, &entry);
  if (rc == LD_OK && entry.expires_ms >= 0 && entry.expires_ms <= now_of(txn)) rc = LD_NOTFOUND;
  if (rc == LD_OK) rc = renew(&run, key, &entry, ttl_ms);
  ld_rc ended = ld_cache_run_end(&run, rc == LD_NOTFOUND ? LD_OK : rc);
  return ended == LD_OK ? rc : ended;
}

ld_rc ld_cache_delete(ld_txn *txn, ld_cache *cache, ld_slice key) {
  ld_cache_run run;
  ld_cache_entry entry;
  ld_rc rc = ld_cache_run_begin(&run, txn, cache);
  if (rc == LD_OK) rc = ld_cache_get_entry(txn, run.settings.number, key, &entry);
  if (rc == LD_OK) rc = ld_cache_remove(&run, key, &entry);
  return ld_cache_run_end(&run, rc);
}

/* ---- many ---- */

static bool matches(const ld_cache_filter *filter, const ld_cache_entry *entry) {
  return filter == NULL || filter->type.data == NULL || ld_equal(filter->type, entry->type);
}

/* The key in the row of an entry. */
static ld_rc key_in(ld_txn *txn, const ld_row *row, size_t before, ld_buf *scratch, ld_slice *key) {
  ld_part part;
  ld_slice rest = ld_bytes(row->key.data + before, row->key.size - before);
  ld_rc rc = ld_tuple_next(&rest, &part, scratch);
  if (rc == LD_NOMEM) return ld_cache_no_memory(txn);
  if (rc != LD_OK || part.kind != LD_PART_STRING) return ld_cache_corrupt(txn);
  *key = part.bytes;
  return LD_OK;
}

static ld_rc visit_rows(ld_txn *txn, ld_span *span, size_t before, const ld_cache_filter *filter,
                        ld_cache_visit visit, void *context) {
  ld_row row;
  ld_cache_entry entry;
  ld_slice key;
  ld_buf scratch = {0};
  ld_rc rc;
  while ((rc = ld_span_next(span, &row)) == LD_OK) {
    rc = key_in(txn, &row, before, &scratch, &key);
    if (rc == LD_OK && !ld_cache_decode_entry(row.payload, &entry)) rc = ld_cache_corrupt(txn);
    if (rc == LD_OK && filter != NULL && !ld_starts_with(key, filter->prefix)) rc = LD_NOTFOUND;
    if (rc == LD_OK && matches(filter, &entry)) rc = visit(context, key, &entry);
    if (rc != LD_OK) break;
  }
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_cache_each(ld_txn *txn, const ld_cache *cache, const ld_cache_filter *filter,
                    ld_cache_visit visit, void *context) {
  ld_cache_key_of from, to;
  ld_span span;
  uint64_t number = cache->settings.number;
  size_t before = ld_cache_row(&to, number, LD_CACHE_ENTRY).size;
  ld_cache_row(&from, number, LD_CACHE_ENTRY);
  ld_buf_byte(&to.bytes, 0xff);
  if (filter != NULL && filter->prefix.size > 0) ld_tuple_prefix(&from.bytes, filter->prefix);
  if (filter != NULL && filter->after.size > 0 && ld_compare(filter->after, filter->prefix) >= 0) {
    ld_cache_row_text(&from, number, LD_CACHE_ENTRY, filter->after);
    ld_buf_byte(&from.bytes, 0);
  }
  ld_rc rc = ld_span_begin(&span, txn, ld_buf_slice(&from.bytes), ld_buf_slice(&to.bytes), false);
  if (rc != LD_OK) return rc;
  rc = visit_rows(txn, &span, before, filter, visit, context);
  ld_span_end(&span);
  return rc;
}

typedef struct clearing {
  ld_cache_run run;
  uint64_t count;
} clearing;

/* The key is borrowed from the row, where it holds no NUL. */
static ld_rc clear_one(void *context, ld_slice key, const ld_cache_entry *entry) {
  clearing *job = context;
  uint8_t room[LD_PART_MAX];
  memcpy(room, key.data, key.size);
  job->count++;
  return ld_cache_remove(&job->run, ld_bytes(room, key.size), entry);
}

/* What is not of an entry: what was remembered, damaged. */
static ld_rc clear_rest(ld_cache_run *run) {
  static const ld_cache_kind kinds[] = {LD_CACHE_GHOST, LD_CACHE_GHOSTS, LD_CACHE_BAD};
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && rc == LD_OK; i++) {
    ld_cache_key_of key;
    uint64_t rows;
    rc = ld_row_del_prefix(run->txn, ld_cache_row(&key, run->settings.number, kinds[i]), &rows);
  }
  run->state.ghosts = 0;
  return rc;
}

ld_rc ld_cache_clear(ld_txn *txn, ld_cache *cache, const ld_cache_filter *filter, uint64_t *count) {
  clearing job = {.count = 0};
  ld_rc rc = ld_cache_run_begin(&job.run, txn, cache);
  if (rc == LD_OK) rc = ld_cache_each(txn, cache, filter, clear_one, &job);
  if (rc == LD_OK && filter == NULL) rc = clear_rest(&job.run);
  rc = ld_cache_run_end(&job.run, rc);
  if (rc == LD_OK) *count = job.count;
  return rc;
}

/* The first that expires, when it has. NOTFOUND: none has. */
static ld_rc purge_first(ld_cache_run *run, int64_t now) {
  ld_cache_key_of prefix;
  ld_scan scan;
  ld_row row;
  ld_cache_entry entry;
  uint8_t room[LD_PART_MAX];
  ld_slice key = {room, 0};
  ld_rc rc = ld_scan_begin(
      &scan, run->txn, ld_cache_row(&prefix, run->settings.number, LD_CACHE_EXPIRY), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  rc = ld_scan_next(&scan, &row);
  key.size = rc == LD_OK && row.payload.size <= sizeof room ? row.payload.size : 0;
  if (key.size > 0) memcpy(room, row.payload.data, key.size);
  ld_scan_end(&scan);
  if (rc == LD_OK) rc = ld_cache_get_entry(run->txn, run->settings.number, key, &entry);
  if (rc == LD_OK && entry.expires_ms > now) return LD_NOTFOUND;
  return rc == LD_OK ? ld_cache_remove(run, key, &entry) : rc;
}

ld_rc ld_cache_purge(ld_txn *txn, ld_cache *cache, uint64_t *count) {
  ld_cache_run run;
  int64_t now = now_of(txn);
  uint64_t purged = 0;
  ld_rc rc = ld_cache_run_begin(&run, txn, cache);
  while (rc == LD_OK && (rc = purge_first(&run, now)) == LD_OK) purged++;
  rc = ld_cache_run_end(&run, rc == LD_NOTFOUND ? LD_OK : rc);
  if (rc == LD_OK) *count = purged;
  return rc;
}

ld_rc ld_cache_stats(ld_txn *txn, ld_cache *cache, ld_cache_state *state) {
  ld_rc rc = ld_cache_read_state(txn, cache->settings.number, &cache->settings, state);
  state->hits += cache->uses.hits;
  state->misses += cache->uses.misses;
  return rc;
}
