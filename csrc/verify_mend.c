/* verify_mend.c -- making anew what follows from the rest.
**
** A mend is an array {kind, name, index, number}. What it is made from is read again, in the transaction that writes it. */
#include "cache_mend.h"
#include "index.h"
#include "index_build.h"
#include "queue_verify.h"
#include "verify_run.h"
#include "version.h"

#include <limits.h>

typedef struct mending {
  ld_txn *txn;
  ld_mend kind;
  ld_slice name, index;
  uint64_t number;
  ld_buf *text;
} mending;

void ld_mend_write(ld_buf *mend, ld_mend kind, ld_slice name, ld_slice index, uint64_t number) {
  ld_write_array(mend, 4);
  ld_write_int(mend, (int64_t)kind);
  ld_write_string(mend, name);
  ld_write_string(mend, index);
  ld_write_int(mend, (int64_t)number);
}

static bool read_mend(ld_slice bytes, mending *m) {
  ld_token head, kind, name, index, number;
  if (!ld_value_next(&bytes, &head) || head.kind != LD_ARRAY || head.count != 4) return false;
  if (!ld_value_next(&bytes, &kind) || kind.kind != LD_INT) return false;
  if (!ld_value_next(&bytes, &name) || !ld_is_string(&name)) return false;
  if (!ld_value_next(&bytes, &index) || !ld_is_string(&index)) return false;
  if (!ld_value_next(&bytes, &number) || number.kind != LD_INT) return false;
  if (kind.integer < 0 || kind.integer >= LD_MENDS) return false;
  m->kind = (ld_mend)kind.integer;
  m->name = name.bytes;
  m->index = index.bytes;
  m->number = (uint64_t)number.integer;
  return true;
}

ld_mend ld_mend_kind(ld_slice mend) {
  mending m;
  return read_mend(mend, &m) ? m.kind : LD_MENDS;
}

bool ld_mend_index(ld_slice mend, ld_slice *collection, ld_slice *index) {
  mending m;
  if (!read_mend(mend, &m) || m.kind != LD_MEND_INDEX) return false;
  *collection = m.name;
  *index = m.index;
  return true;
}

/* ---- counts ---- */

/* What is under a key, counted. */
typedef struct counting {
  mending *m;
  ld_slice own;
  bool documents;
  uint64_t count;
  ld_buf tally; /* documents by version */
} counting;

/* A document of which nothing can be read counts as one of version 1. */
static ld_rc count_row(counting *counted, ld_slice payload) {
  uint64_t version = 1;
  ld_slice document;
  ld_buf moved = {0};
  counted->count++;
  if (!counted->documents) return LD_OK;
  ld_version_split(payload, &version, &document);
  ld_tally_move(ld_buf_slice(&counted->tally), 0, version, &moved);
  if (moved.failed) return ld_fail(ld_error_of(counted->m->txn), LD_NOMEM, "verify: out of memory");
  ld_buf_clear(&counted->tally);
  counted->tally = moved;
  return LD_OK;
}

/* Damaged rows count, too, as far as their keys tell where they belong. So rows are read past ld_row_current, which would spoil the transaction. */
static ld_rc count_rows(counting *counted) {
  ld_slice own = counted->own, key, value;
  ld_slice head = ld_bytes(own.data, own.size < LD_KEY_KEPT ? own.size : LD_KEY_KEPT);
  ld_cursor *cursor;
  ld_rc rc = ld_cursor_open(counted->m->txn, &cursor);
  if (rc != LD_OK) return rc;
  for (rc = ld_cursor_seek(cursor, head); rc == LD_OK; rc = ld_cursor_next(cursor)) {
    ld_row row = {.payload = LD_SLICE_NONE};
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc != LD_OK || !ld_starts_with(key, head)) break;
    if (!ld_row_read(key, value, &row)) row = (ld_row){.key = key};
    if (row.key.size > own.size && verify_is_under(row.key, own))
      rc = count_row(counted, row.payload);
    if (rc != LD_OK) break;
  }
  ld_cursor_close(cursor);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* Count what is under the name in one space, and write it under the name in another. A damaged row of the count is in the way of no one. */
static ld_rc mend_count(mending *m, uint8_t counted_space, uint8_t space) {
  uint8_t digits[16];
  ld_buf own = {0}, payload = {.data = digits, .capacity = sizeof digits};
  ld_buf_byte(&own, counted_space);
  ld_tuple_string(&own, m->name);
  if (own.failed) return ld_fail(ld_error_of(m->txn), LD_NOMEM, "verify: out of memory");
  counting counted = {.m = m, .own = ld_buf_slice(&own), .documents = space == LD_SPACE_COUNT};
  ld_rc rc = count_rows(&counted);
  own.data[0] = space;
  ld_buf_varint(&payload, counted.count);
  ld_slice written = ld_buf_slice(counted.documents ? &counted.tally : &payload);
  if (rc == LD_OK)
    rc = counted.count > 0 ? ld_row_put(m->txn, ld_buf_slice(&own), written)
                           : ld_row_del(m->txn, ld_buf_slice(&own));
  ld_buf_clear(&own);
  ld_buf_clear(&counted.tally);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- indexes ---- */

/* Empty it, under a new number. */
static ld_rc begin_anew(mending *m, ld_collection *handle) {
  ld_index *index = ld_declaration_index(&handle->current, m->index);
  if (index == NULL) return LD_NOTFOUND;
  ld_rc rc = ld_index_delete(m->txn, index->number);
  if (rc == LD_OK) rc = ld_sequence_next(m->txn, &index->number);
  index->ready = index->truncated = index->loose = false;
  index->multikey = 0;
  return rc == LD_OK ? ld_collection_enter(m->txn, handle, &handle->current) : rc;
}

static ld_rc build(mending *m, ld_collection *handle) {
  ld_build state = LD_BUILD_MORE;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && state == LD_BUILD_MORE)
    rc = ld_index_build(m->txn, handle, UINT_MAX, &state);
  return rc == LD_OK && state == LD_BUILD_CLASH ? LD_EXISTS : rc;
}

static ld_rc mend_index(mending *m) {
  ld_collection handle = {.name = {0}};
  ld_rc rc = ld_collection_init(&handle, m->name, LD_SLICE_NONE, ld_error_of(m->txn));
  if (rc == LD_OK) rc = ld_collection_look(m->txn, &handle);
  if (rc == LD_OK) rc = begin_anew(m, &handle);
  if (rc == LD_OK) rc = build(m, &handle);
  ld_collection_clear(&handle);
  return rc;
}

/* ---- what belongs to nobody ---- */

static ld_rc delete_number(mending *m, uint8_t space) {
  uint8_t room[16];
  uint64_t count;
  ld_buf prefix = {.data = room, .capacity = sizeof room};
  ld_buf_byte(&prefix, space);
  ld_tuple_int(&prefix, (int64_t)m->number);
  return ld_row_del_prefix(m->txn, ld_buf_slice(&prefix), &count);
}

static ld_rc mend_orphans(mending *m) {
  ld_rc rc = delete_number(m, LD_SPACE_RATING);
  return rc == LD_OK ? delete_number(m, LD_SPACE_PROGRESS) : rc;
}

/* ---- declarations ---- */

/* The string field whose value is the id; `id` where it is one of them. */
static ld_slice find_key(ld_slice document, const ld_part *id) {
  ld_token head, key, value;
  ld_slice field, found = LD_SLICE_NONE;
  if (!ld_value_next(&document, &head) || head.kind != LD_MAP) return found;
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&document, &key) || !ld_value_take(&document, &field)) return found;
    if (!ld_is_string(&key) || !ld_value_next(&field, &value)) continue;
    bool same = id->kind == LD_PART_INT ? value.kind == LD_INT && value.integer == id->integer
                                        : ld_is_string(&value) && ld_equal(value.bytes, id->bytes);
    if (same && (found.size == 0 || ld_equal(key.bytes, LD_LITERAL("id")))) found = key.bytes;
  }
  return found;
}

/* The key of the id, as the first document that can be read shows it. */
static ld_rc guess_key(mending *m, ld_slice own, ld_buf *declaration) {
  verify v = {.txn = m->txn};
  verify_key key;
  ld_scan scan;
  ld_row row;
  ld_slice document, found = LD_SLICE_NONE;
  uint64_t version = 0;
  ld_rc rc = ld_scan_begin(&scan, m->txn, own, LD_SLICE_NONE);
  while (rc == LD_OK && found.size == 0 && (rc = ld_scan_next(&scan, &row)) == LD_OK) {
    if (!verify_is_under(row.key, own)) continue;
    rc = verify_key_read(&v, row.key, &key);
    if (rc == LD_OK && key.sound && ld_version_split(row.payload, &version, &document) &&
        ld_value_check(document, ld_error_of(m->txn)) == LD_OK)
      found = find_key(document, &key.last);
  }
  if (rc == LD_OK) ld_declaration_write_head(found, version > 1 ? version : 0, 0, declaration);
  ld_scan_end(&scan);
  ld_buf_clear(&v.first);
  ld_buf_clear(&v.last);
  return rc;
}

static ld_rc mend_declaration(mending *m) {
  ld_buf own = {0}, declaration = {0};
  ld_row row;
  ld_buf_byte(&own, LD_SPACE_COLLECTION);
  ld_tuple_string(&own, m->name);
  ld_rc rc = own.failed ? LD_NOMEM : ld_row_get(m->txn, ld_buf_slice(&own), &row);
  if (rc == LD_NOTFOUND) {
    own.data[0] = LD_SPACE_DOCUMENT;
    rc = guess_key(m, ld_buf_slice(&own), &declaration);
    own.data[0] = LD_SPACE_COLLECTION;
    if (rc == LD_OK && declaration.failed) rc = LD_NOMEM;
    if (rc == LD_OK) rc = ld_row_put(m->txn, ld_buf_slice(&own), ld_buf_slice(&declaration));
  }
  ld_buf_clear(&own);
  ld_buf_clear(&declaration);
  if (rc == LD_NOMEM) ld_fail(ld_error_of(m->txn), rc, "verify: out of memory");
  return rc;
}

/* ---- all ---- */

static void name_mend(const mending *m) {
  ld_quoted name, index;
  unsigned long long number = m->number;
  ld_quote(m->name, name);
  switch (m->kind) {
  case LD_MEND_SEQUENCE: ld_buf_printf(m->text, "the sequence"); break;
  case LD_MEND_INDEX:
    ld_buf_printf(m->text, "index %s of collection %s", ld_quote(m->index, index), name);
    break;
  case LD_MEND_STRAY_INDEX: ld_buf_printf(m->text, "index number %llu", number); break;
  case LD_MEND_COUNT: ld_buf_printf(m->text, "count of collection %s", name); break;
  case LD_MEND_MAP: ld_buf_printf(m->text, "count of map %s", name); break;
  case LD_MEND_QUEUE: ld_buf_printf(m->text, "states and counts of queue %s", name); break;
  case LD_MEND_CACHE:
    if (m->name.size > 0)
      ld_buf_printf(m->text, "cache %s", name);
    else
      ld_buf_printf(m->text, "rows of cache number %llu", number);
    break;
  case LD_MEND_DECLARATION: ld_buf_printf(m->text, "declaration of collection %s", name); break;
  default: ld_buf_printf(m->text, "ratings and progress of room number %llu", number);
  }
}

ld_rc ld_verify_mend(ld_txn *txn, ld_slice mend, ld_buf *name) {
  mending m = {.txn = txn, .text = name};
  if (!read_mend(mend, &m)) return ld_fail(ld_error_of(txn), LD_INVALID, "verify: is no mend");
  name_mend(&m);
  if (name->failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "verify: out of memory");
  switch (m.kind) {
  case LD_MEND_SEQUENCE: return ld_sequence_raise(txn, m.number);
  case LD_MEND_INDEX: return mend_index(&m);
  case LD_MEND_STRAY_INDEX: return ld_index_delete(txn, m.number);
  case LD_MEND_COUNT: return mend_count(&m, LD_SPACE_DOCUMENT, LD_SPACE_COUNT);
  case LD_MEND_MAP: return mend_count(&m, LD_SPACE_MAP, LD_SPACE_MAP);
  case LD_MEND_QUEUE: return ld_queue_mend(txn, m.name);
  case LD_MEND_CACHE: return ld_cache_mend(txn, m.name, m.number);
  case LD_MEND_DECLARATION: return mend_declaration(&m);
  default: return mend_orphans(&m);
  }
}
