/* cache_lease.c -- who makes a value that is missing: the holder of the key's lease. A token is a number of the store's sequence, so none comes twice. */
#include "cache_row.h"

typedef struct lease {
  uint64_t token, until_ms;
} lease;

static ld_rc read_lease(ld_txn *txn, ld_slice row_key, lease *found) {
  ld_row row;
  ld_rc rc = ld_row_get(txn, row_key, &row);
  if (rc != LD_OK) return rc;
  bool sound =
      ld_read_varint(&row.payload, &found->token) && ld_read_varint(&row.payload, &found->until_ms);
  return sound ? LD_OK : ld_cache_corrupt(txn);
}

static ld_rc write_lease(ld_txn *txn, ld_slice row_key, lease made) {
  uint8_t room[24];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  ld_buf_varint(&payload, made.token);
  ld_buf_varint(&payload, made.until_ms);
  return ld_row_put_plain(txn, row_key, ld_buf_slice(&payload));
}

ld_rc ld_cache_lease(ld_txn *txn, ld_cache *cache, ld_slice key, int64_t lease_ms,
                     uint64_t *token) {
  ld_cache_key_of row;
  ld_cache_entry entry;
  ld_slice row_key = ld_cache_row_text(&row, cache->settings.number, LD_CACHE_LEASE, key);
  lease there, made;
  int64_t now = ld_now(&txn->engine->env);
  ld_rc rc = ld_cache_get_entry(txn, cache->settings.number, key, &entry);
  if (rc == LD_OK && (entry.expires_ms < 0 || entry.expires_ms > now)) return LD_EXISTS;
  if (rc == LD_OK || rc == LD_NOTFOUND) rc = read_lease(txn, row_key, &there);
  if (rc == LD_OK && there.until_ms > (uint64_t)now) return LD_BUSY;
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  rc = ld_sequence_next(txn, &made.token);
  made.until_ms = (uint64_t)(now + lease_ms);
  if (rc == LD_OK) rc = write_lease(txn, row_key, made);
  if (rc == LD_OK) *token = made.token;
  return rc;
}

ld_rc ld_cache_check_lease(ld_txn *txn, const ld_cache *cache, ld_slice key, uint64_t token) {
  ld_cache_key_of row;
  lease there;
  ld_rc rc =
      read_lease(txn, ld_cache_row_text(&row, cache->settings.number, LD_CACHE_LEASE, key), &there);
  return rc == LD_OK && there.token != token ? LD_NOTFOUND : rc;
}

ld_rc ld_cache_release(ld_txn *txn, const ld_cache *cache, ld_slice key, uint64_t token) {
  ld_cache_key_of row;
  ld_rc rc = ld_cache_check_lease(txn, cache, key, token);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  return ld_row_del(txn, ld_cache_row_text(&row, cache->settings.number, LD_CACHE_LEASE, key));
}

/* Rows whose holder has died, or is late. */
ld_rc ld_cache_drop_leases(ld_txn *txn, const ld_cache *cache) {
  ld_cache_key_of prefix;
  ld_scan scan;
  ld_row row;
  uint64_t token, until, now = (uint64_t)ld_now(&txn->engine->env);
  ld_rc rc = ld_scan_begin(
      &scan, txn, ld_cache_row(&prefix, cache->settings.number, LD_CACHE_LEASE), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK) {
    if (!ld_read_varint(&row.payload, &token) || !ld_read_varint(&row.payload, &until))
      rc = ld_cache_corrupt(txn);
    if (rc == LD_OK && until <= now) rc = ld_row_del(txn, row.key);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
