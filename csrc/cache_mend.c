/* cache_mend.c -- see cache_mend.h.
**
** Rows are read past ld_row_current, which would spoil the transaction. Entries keep their places, so the order is what it was. Values are found by the id of their entry, and nothing leads
** back; where there are more values than entries, those of entries get new ids, and all others go. */
#include "cache_mend.h"

#include "cache_row.h"
#include "tuple.h"
#include "value.h"

typedef struct mending {
  ld_cache_run run;
  ld_cache cache;
  uint64_t values, last; /* rows of values; the highest number */
  uint64_t renew_from;   /* ids above it are new ones; 0: they stay as they are */
} mending;

/* ---- rows past their checksums ---- */

/* `row->key` is empty where the row is damaged. Borrowed until something is written. */
typedef ld_rc (*mend_row)(mending *m, ld_slice stored, const ld_row *row, ld_slice value);

static ld_rc each(mending *m, ld_cache_kind kind, mend_row visit) {
  ld_cache_key_of key;
  ld_slice stored, value, prefix = ld_cache_row(&key, m->run.settings.number, kind);
  ld_cursor *cursor;
  ld_rc rc = ld_cursor_open(m->run.txn, &cursor);
  if (rc != LD_OK) return rc;
  for (rc = ld_cursor_seek(cursor, prefix); rc == LD_OK; rc = ld_cursor_next(cursor)) {
    ld_row row;
    rc = ld_cursor_current(cursor, &stored, &value);
    if (rc != LD_OK || !ld_starts_with(stored, prefix)) break;
    if (!ld_row_read(stored, value, &row)) row = (ld_row){.key = LD_SLICE_NONE};
    rc = visit(m, stored, &row, value);
    if (rc != LD_OK) break;
  }
  ld_cursor_close(cursor);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc drop(mending *m, ld_slice stored) {
  uint8_t key[LD_KEY_MAX];
  memcpy(key, stored.data, stored.size);
  ld_rc rc = ld_del(m->run.txn, ld_bytes(key, stored.size));
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc drop_damaged(mending *m, ld_slice stored, const ld_row *row, ld_slice value) {
  (void)value;
  return row->key.size > 0 ? LD_OK : drop(m, stored);
}

/* ---- values ---- */

/* OK: it is there, and sound. NOTFOUND: it is not, or was damaged, and is kept apart. */
static ld_rc look_at_value(mending *m, const ld_cache_entry *entry, ld_row *row) {
  ld_cache_key_of from, to;
  ld_buf copy = {0};
  ld_slice value;
  uint64_t number = m->run.settings.number;
  ld_slice key = ld_cache_row_int(&from, number, LD_CACHE_DATA, entry->id);
  ld_rc rc = ld_get(m->run.txn, key, &value);
  if (rc != LD_OK) return rc;
  if (ld_row_read(key, value, row)) return row->payload.size == entry->size ? LD_OK : LD_NOTFOUND;
  ld_buf_add(&copy, value);
  rc = copy.failed
           ? ld_cache_no_memory(m->run.txn)
           : ld_row_put_plain(m->run.txn, ld_cache_row_int(&to, number, LD_CACHE_BAD, entry->id),
                              ld_buf_slice(&copy));
  ld_buf_clear(&copy);
  if (rc == LD_OK) rc = ld_cache_drop_row(m->run.txn, key);
  m->run.state.quarantined++;
  return rc == LD_OK ? LD_NOTFOUND : rc;
}

/* Under a new id, behind all that were there. */
static ld_rc renew(mending *m, ld_cache_entry *entry, ld_slice payload) {
  ld_cache_key_of key;
  ld_buf copy = {0};
  uint64_t number = m->run.settings.number;
  entry->id = ++m->run.state.last;
  ld_buf_add(&copy, payload);
  ld_rc rc =
      copy.failed
          ? ld_cache_no_memory(m->run.txn)
          : ld_row_put_plain(m->run.txn, ld_cache_row_int(&key, number, LD_CACHE_DATA, entry->id),
                             ld_buf_slice(&copy));
  ld_buf_clear(&copy);
  return rc;
}

static ld_rc mend_value(mending *m, ld_cache_entry *entry) {
  ld_row row;
  ld_rc rc = look_at_value(m, entry, &row);
  return rc == LD_OK && m->renew_from > 0 ? renew(m, entry, row.payload) : rc;
}

static ld_rc drop_old_value(mending *m, ld_slice stored, const ld_row *row, ld_slice value) {
  ld_cache_key_of key;
  (void)value;
  ld_slice first = ld_cache_row_int(&key, m->run.settings.number, LD_CACHE_DATA, m->renew_from);
  return row->key.size > 0 && ld_compare(stored, first) > 0 ? LD_OK : drop(m, stored);
}

/* ---- entries ---- */

typedef struct met {
  ld_buf key, payload;
  ld_cache_entry entry;
} met;

static bool is_key(ld_rc rc, const ld_part *part, ld_slice rest) {
  return rc == LD_OK && part->kind == LD_PART_STRING && part->bytes.size > 0 &&
         part->bytes.size <= LD_PART_MAX && rest.size == 0;
}

/* Copy the entry of a row. NOTFOUND: it is none. */
static ld_rc meet(const mending *m, const ld_row *row, met *found) {
  ld_cache_key_of prefix;
  ld_part part;
  size_t before = ld_cache_row(&prefix, m->run.settings.number, LD_CACHE_ENTRY).size;
  if (row->key.size <= before) return LD_NOTFOUND;
  ld_slice rest = ld_bytes(row->key.data + before, row->key.size - before);
  ld_buf scratch = {0};
  ld_rc rc = ld_tuple_next(&rest, &part, &scratch);
  bool sound = is_key(rc, &part, rest);
  if (sound) ld_buf_add(&found->key, part.bytes);
  ld_buf_add(&found->payload, row->payload);
  bool failed = rc == LD_NOMEM || found->key.failed || found->payload.failed;
  ld_buf_clear(&scratch);
  if (failed) return ld_cache_no_memory(m->run.txn);
  sound = sound && ld_cache_decode_entry(ld_buf_slice(&found->payload), &found->entry) &&
          found->entry.queue <= LD_CACHE_MAIN && found->entry.extension.size <= LD_CACHE_EXTENSION;
  return sound ? LD_OK : LD_NOTFOUND;
}

static void forget(met *found) {
  ld_buf_clear(&found->key);
  ld_buf_clear(&found->payload);
}

static ld_rc count_value(mending *m, ld_slice stored, const ld_row *row, ld_slice value) {
  ld_cache_key_of prefix;
  ld_part id;
  size_t before = ld_cache_row(&prefix, m->run.settings.number, LD_CACHE_DATA).size;
  ld_slice rest = ld_bytes(stored.data + before, stored.size - before);
  (void)row, (void)value;
  m->values++;
  if (ld_tuple_next(&rest, &id, NULL) == LD_OK && id.kind == LD_PART_INT &&
      id.integer > (int64_t)m->last)
    m->last = (uint64_t)id.integer;
  return LD_OK;
}

/* Its value is somebody's; those that are left in the end are nobody's. */
static ld_rc count_owner(mending *m, const ld_cache_entry *entry) {
  ld_cache_key_of key;
  ld_slice value;
  if (entry->is_file) return LD_OK;
  ld_rc rc = ld_get(
      m->run.txn, ld_cache_row_int(&key, m->run.settings.number, LD_CACHE_DATA, entry->id), &value);
  if (rc == LD_OK && m->values > 0) m->values--;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc count_entry(mending *m, ld_slice stored, const ld_row *row, ld_slice value) {
  met found = {.key = {0}};
  (void)stored, (void)value;
  ld_rc rc = meet(m, row, &found);
  if (rc == LD_OK) {
    rc = count_owner(m, &found.entry);
    if (found.entry.id > m->last) m->last = found.entry.id;
    if (found.entry.place > m->last) m->last = found.entry.place;
  }
  forget(&found);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* Whether the place is free: two entries cannot have one. */
static ld_rc is_free(mending *m, const ld_cache_entry *entry) {
  ld_cache_key_of key;
  ld_slice value;
  ld_rc rc = ld_get(m->run.txn,
                    ld_cache_row_ints(&key, m->run.settings.number, LD_CACHE_QUEUE, entry->queue,
                                      -(int64_t)entry->place),
                    &value);
  return rc == LD_OK ? LD_EXISTS : rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc mend_entry(mending *m, ld_slice stored, const ld_row *row, ld_slice value) {
  met found = {.key = {0}};
  uint8_t key[LD_KEY_MAX];
  (void)value;
  memcpy(key, stored.data, stored.size);
  ld_slice kept = ld_bytes(key, stored.size);
  ld_rc rc = meet(m, row, &found);
  if (rc == LD_OK) rc = is_free(m, &found.entry);
  if (rc == LD_OK)
    rc = found.entry.is_file ? ld_cache_hold_file(&m->run, &found.entry)
                             : mend_value(m, &found.entry);
  if (rc == LD_OK) rc = ld_cache_enter_at(&m->run, ld_buf_slice(&found.key), &found.entry);
  if (rc == LD_NOTFOUND || rc == LD_EXISTS) rc = drop(m, kept);
  forget(&found);
  return rc;
}

/* ---- all of one ---- */

static ld_rc drop_kinds(mending *m, const ld_cache_kind *kinds, size_t count) {
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < count && rc == LD_OK; i++) {
    ld_cache_key_of key;
    uint64_t rows;
    rc = ld_row_del_prefix(m->run.txn, ld_cache_row(&key, m->run.settings.number, kinds[i]), &rows);
  }
  return rc;
}

static ld_rc drop_derived(mending *m) {
  static const ld_cache_kind kinds[] = {LD_CACHE_QUEUE,  LD_CACHE_EXPIRY, LD_CACHE_GHOST,
                                        LD_CACHE_GHOSTS, LD_CACHE_TRASH,  LD_CACHE_FILE_ROW};
  ld_cache_state *state = &m->run.state;
  state->small_bytes = state->bytes = state->entries = state->ghosts = 0;
  return drop_kinds(m, kinds, sizeof kinds / sizeof *kinds);
}

static ld_rc mend_rows(mending *m) {
  ld_rc rc = drop_derived(m);
  if (rc == LD_OK) rc = each(m, LD_CACHE_DATA, count_value);
  if (rc == LD_OK) rc = each(m, LD_CACHE_ENTRY, count_entry);
  if (m->run.state.last < m->last) m->run.state.last = m->last;
  if (m->values > 0) m->renew_from = ++m->run.state.last;
  if (rc == LD_OK) rc = each(m, LD_CACHE_ENTRY, mend_entry);
  if (rc == LD_OK && m->renew_from > 0) rc = each(m, LD_CACHE_DATA, drop_old_value);
  if (rc == LD_OK) rc = each(m, LD_CACHE_LEASE, drop_damaged);
  if (rc == LD_OK) rc = each(m, LD_CACHE_BAD, drop_damaged);
  return rc == LD_OK ? ld_cache_make_room(&m->run, 0) : rc;
}

static ld_rc drop_number(ld_txn *txn, uint64_t number) {
  uint8_t room[16];
  uint64_t count;
  ld_buf prefix = {.data = room, .capacity = sizeof room};
  ld_buf_byte(&prefix, LD_SPACE_CACHE_ROW);
  ld_tuple_int(&prefix, (int64_t)number);
  return ld_row_del_prefix(txn, ld_buf_slice(&prefix), &count);
}

/* NOTFOUND: they are lost. */
static ld_rc read_settings(mending *m, uint64_t number) {
  ld_cache_key_of key;
  ld_slice stored = ld_cache_row(&key, number, LD_CACHE_STATE), value;
  ld_row row;
  m->cache.settings.number = number;
  m->run = (ld_cache_run){.txn = m->run.txn, .cache = &m->cache};
  ld_rc rc = ld_get(m->run.txn, stored, &value);
  if (rc != LD_OK) return rc;
  bool sound = ld_row_read(stored, value, &row) &&
               ld_cache_decode_state(row.payload, &m->run.settings, &m->run.state);
  m->run.settings.number = number;
  return sound && m->run.settings.max_bytes > 0 ? LD_OK : LD_NOTFOUND;
}

/* The number of the cache; 0: its row is damaged. NOTFOUND. */
static ld_rc read_number(ld_txn *txn, ld_slice key, uint64_t *number) {
  ld_slice value;
  ld_row row;
  ld_rc rc = ld_get(txn, key, &value);
  if (rc != LD_OK) return rc;
  if (!ld_row_read(key, value, &row) || !ld_read_varint(&row.payload, number)) *number = 0;
  return LD_OK;
}

static ld_rc mend_named(ld_txn *txn, ld_slice key) {
  uint64_t number;
  mending m = {.run = {.txn = txn}};
  ld_rc rc = read_number(txn, key, &number);
  if (rc != LD_OK) return rc;
  rc = number > 0 ? read_settings(&m, number) : LD_NOTFOUND;
  if (rc == LD_OK) return ld_cache_run_end(&m.run, mend_rows(&m));
  if (rc == LD_NOTFOUND) rc = ld_del(txn, key);
  return rc == LD_OK && number > 0 ? drop_number(txn, number) : rc;
}

ld_rc ld_cache_mend(ld_txn *txn, ld_slice name, uint64_t number) {
  ld_buf key = {0};
  if (name.size == 0) return drop_number(txn, number);
  ld_buf_byte(&key, LD_SPACE_CACHE);
  ld_tuple_string(&key, name);
  ld_rc rc = key.failed ? ld_cache_no_memory(txn) : mend_named(txn, ld_buf_slice(&key));
  ld_buf_clear(&key);
  return rc;
}

ld_rc ld_cache_mend_open(ld_txn *txn, ld_cache *cache) {
  mending m = {.run = {.txn = txn}};
  ld_rc rc = read_settings(&m, cache->settings.number);
  if (rc == LD_NOTFOUND)
    return ld_fail(ld_error_of(txn), LD_CORRUPT, "cache: its settings are damaged");
  if (rc == LD_OK) rc = ld_cache_run_end(&m.run, mend_rows(&m));
  if (rc == LD_OK) cache->trash = cache->trash || m.cache.trash;
  return rc;
}

/* ---- all of all ---- */

bool ld_cache_is_settings(ld_slice key) {
  ld_part number, kind;
  if (key.data[0] == LD_SPACE_CACHE) return true;
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  return ld_tuple_next(&rest, &number, NULL) == LD_OK &&
         ld_tuple_next(&rest, &kind, NULL) == LD_OK && kind.kind == LD_PART_INT &&
         kind.integer == LD_CACHE_STATE;
}

typedef ld_rc (*visit_cache)(ld_txn *txn, const ld_row *row, void *context);

static ld_rc each_cache(ld_txn *txn, visit_cache visit, void *context) {
  static const uint8_t space = LD_SPACE_CACHE;
  ld_scan scan;
  ld_row row;
  ld_rc rc = ld_scan_begin(&scan, txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK && (rc = visit(txn, &row, context)) == LD_OK) {
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc empty_one(ld_txn *txn, const ld_row *row, void *context) {
  static const ld_cache_kind kinds[] = {LD_CACHE_ENTRY, LD_CACHE_DATA, LD_CACHE_LEASE,
                                        LD_CACHE_BAD};
  mending m = {.run = {.txn = txn}};
  uint64_t number;
  ld_slice payload = row->payload;
  (void)context;
  if (!ld_read_varint(&payload, &number)) return ld_cache_corrupt(txn);
  ld_rc rc = read_settings(&m, number);
  if (rc == LD_NOTFOUND) return ld_cache_corrupt(txn);
  if (rc == LD_OK) rc = drop_derived(&m);
  if (rc == LD_OK) rc = drop_kinds(&m, kinds, sizeof kinds / sizeof *kinds);
  return ld_cache_run_end(&m.run, rc);
}

ld_rc ld_caches_empty(ld_txn *txn) { return each_cache(txn, empty_one, NULL); }

typedef struct listing {
  ld_buf *names;
  uint64_t count;
} listing;

static ld_rc list_one(ld_txn *txn, const ld_row *row, void *context) {
  listing *list = context;
  ld_buf scratch = {0};
  ld_part name;
  ld_slice rest = ld_bytes(row->key.data + 1, row->key.size - 1);
  ld_rc rc = ld_tuple_next(&rest, &name, &scratch);
  if (rc == LD_OK && name.kind == LD_PART_STRING) {
    ld_write_string(list->names, name.bytes);
    list->count++;
  }
  ld_buf_clear(&scratch);
  if (rc == LD_NOMEM || list->names->failed) return ld_cache_no_memory(txn);
  return rc == LD_OK ? LD_OK : ld_cache_corrupt(txn);
}

ld_rc ld_caches_list(ld_txn *txn, ld_buf *names, uint64_t *count) {
  listing list = {.names = names};
  ld_rc rc = each_cache(txn, list_one, &list);
  if (rc == LD_OK) *count = list.count;
  return rc;
}
