/* version.c -- see version.h. */
#include "version.h"

#include "value.h"

/* ---- a document's row ---- */

bool ld_version_split(ld_slice payload, uint64_t *version, ld_slice *document) {
  ld_token head;
  ld_slice rest = payload;
  uint64_t found = 1;
  if (!ld_value_next(&rest, &head)) return false;
  if (head.kind == LD_INT) {
    if (head.integer < 2) return false;
    found = (uint64_t)head.integer;
    payload = rest;
    if (!ld_value_next(&rest, &head)) return false;
  }
  if (head.kind != LD_MAP) return false;
  *version = found;
  *document = payload;
  return true;
}

void ld_version_join(uint64_t version, ld_slice document, ld_buf *payload) {
  if (version > 1) ld_write_int(payload, (int64_t)version);
  ld_buf_add(payload, document);
}

/* ---- a tally ---- */

static bool read_pair(ld_slice *tally, uint64_t *version, uint64_t *count) {
  return ld_read_varint(tally, version) && ld_read_varint(tally, count) && *count > 0;
}

static void add_pair(ld_buf *tally, uint64_t version, uint64_t count) {
  if (count == 0) return;
  ld_buf_varint(tally, version);
  ld_buf_varint(tally, count);
}

static bool read_total(ld_slice *tally, uint64_t *total) {
  *total = 0;
  return tally->size == 0 || ld_read_varint(tally, total);
}

bool ld_tally_count(ld_slice tally, uint64_t *count) {
  uint64_t total;
  if (!read_total(&tally, &total)) return false;
  *count = total;
  return true;
}

bool ld_tally_older(ld_slice tally, uint64_t version, uint64_t *count) {
  uint64_t left, of, some;
  if (!read_total(&tally, &left)) return false;
  while (tally.size > 0) {
    if (!read_pair(&tally, &of, &some)) return false;
    if (of < version) continue;
    if (some > left) return false;
    left -= some;
  }
  *count = version > 1 ? left : 0;
  return true;
}

bool ld_tally_move(ld_slice tally, uint64_t from, uint64_t to, ld_buf *moved) {
  uint64_t total, version, count;
  bool placed = to <= 1;
  if (!read_total(&tally, &total) || (from > 0 && total == 0)) return false;
  ld_buf_varint(moved, total + (to > 0) - (from > 0));
  while (tally.size > 0) {
    if (!read_pair(&tally, &version, &count)) return false;
    if (!placed && to < version) add_pair(moved, to, 1);
    placed = placed || to <= version;
    add_pair(moved, version, count + (version == to) - (version == from));
  }
  if (!placed) add_pair(moved, to, 1);
  return true;
}
