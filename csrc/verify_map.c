/* verify_map.c -- ordered maps: values, and counts against the keys that are there. */
#include "verify_run.h"

#include "value.h"

ld_rc verify_map_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_slice payload = row->payload;
  uint64_t count;
  if (key->parts == 1) {
    if (ld_read_varint(&payload, &count) && payload.size == 0) return LD_OK;
    ld_rc rc = verify_found(v, "map", "its count is no number");
    return rc == LD_OK ? verify_mend(v, LD_MEND_MAP, key->name, LD_SLICE_NONE, 0) : rc;
  }
  v->report->keys++;
  if (ld_value_check(payload, ld_error_of(v->txn)) == LD_OK) return LD_OK;
  return verify_found_error(v, "map");
}

/* What the row of the map says; false: there is none that says anything. */
static ld_rc read_count(verify *v, ld_slice own, uint64_t *count, bool *there) {
  ld_row row;
  ld_rc rc = ld_row_get(v->txn, own, &row);
  *there = rc == LD_OK && ld_read_varint(&row.payload, count);
  return rc == LD_NOTFOUND ? LD_OK : verify_pass(rc);
}

/* The keys of one map, damaged ones too, since the count has them. */
static ld_rc count_keys(verify *v, ld_slice own, uint64_t *count) {
  ld_scan scan;
  ld_row row;
  *count = 0;
  ld_rc rc = ld_scan_begin(&scan, v->txn, own, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  v->skipped = 0;
  while ((rc = verify_next(v, &scan, &row)) == LD_OK) {
    bool under = verify_is_under(row.key, own);
    if (!under && verify_is_short(own)) break;
    if (under && row.key.size > own.size) ++*count;
    if ((rc = verify_step(v)) != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc check_map(verify *v, const verify_key *key, ld_slice own) {
  ld_quoted quoted;
  uint64_t said = 0, count;
  bool there;
  ld_rc rc = count_keys(v, own, &count);
  uint64_t most = count + v->skipped;
  if (rc == LD_OK) rc = read_count(v, own, &said, &there);
  if (rc != LD_OK || (said >= count && said <= most)) return rc;
  verify_at(v, "map %s", ld_quote(key->name, quoted));
  rc = verify_found(v, "count", "says %llu keys, there are %llu", (unsigned long long)said,
                    (unsigned long long)count);
  return rc == LD_OK ? verify_mend(v, LD_MEND_MAP, key->name, LD_SLICE_NONE, 0) : rc;
}

/* Among names that share their first LD_KEY_KEPT bytes rows come in any order: the map is looked at when its count's row comes, or, where it has none, with each key. */
static ld_rc is_due(verify *v, ld_slice key, ld_slice own, bool *due) {
  uint64_t said;
  *due = verify_is_short(own) || key.size == own.size;
  if (*due) return LD_OK;
  bool there = false;
  ld_rc rc = read_count(v, own, &said, &there);
  *due = !there;
  return rc;
}

/* The first row behind `after`, and its map; then `after` is behind that map, or that row where names are long. */
static ld_rc next_map(verify *v, ld_buf *after) {
  static const uint8_t space = LD_SPACE_MAP;
  ld_scan scan;
  ld_row row;
  verify_key key;
  bool due = false;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), ld_buf_slice(after));
  if (rc != LD_OK) return rc;
  rc = verify_next(v, &scan, &row);
  if (rc == LD_OK) rc = verify_key_read(v, row.key, &key);
  if (rc == LD_OK) {
    ld_slice own = ld_bytes(row.key.data, key.sound ? key.own : row.key.size);
    ld_buf_reset(after);
    ld_buf_add(after, key.sound && verify_is_short(own) ? own : row.key);
    if (key.sound && verify_is_short(own)) ld_buf_byte(after, 0xfe);
    if (key.sound) rc = is_due(v, row.key, own, &due);
    if (rc == LD_OK && due) rc = check_map(v, &key, own);
    if (after->failed) rc = ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  }
  ld_scan_end(&scan);
  return rc;
}

ld_rc verify_maps(verify *v) {
  ld_buf after = {0};
  ld_rc rc = LD_OK;
  while (rc == LD_OK) rc = next_map(v, &after);
  ld_buf_clear(&after);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
