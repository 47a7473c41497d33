/* verify_cache.c -- caches: each entry against its rows in the order, in expiry, its value or file; counts; rows that belong to none.
**
** Files are not looked at: what a store knows of them is their names. A cache finds out when it reads one. */
#include <stdio.h>

#include "cache_mend.h"
#include "cache_row.h"
#include "verify_numbers.h"

/* ---- one row by itself ---- */

ld_rc verify_cache_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_slice payload = row->payload;
  uint64_t number;
  (void)key;
  v->report->caches++;
  if (!ld_read_varint(&payload, &number)) return verify_found(v, "cache", "has no number");
  verify_number(v, number);
  return LD_OK;
}

ld_rc verify_cached_row(verify *v, const verify_key *key, const ld_row *row) {
  (void)row;
  if (key->kind == LD_CACHE_ENTRY) v->report->cached++;
  return LD_OK;
}

/* ---- one cache ---- */

typedef struct looking {
  verify *v;
  ld_slice name; /* the quoted one */
  ld_cache_settings settings;
  ld_cache_state said, found;
  uint64_t expiring, values, files; /* entries that have such a row */
  bool broken;
} looking;

static ld_rc tell(looking *l, const char *format, ...) LD_PRINTF(2, 3);
static ld_rc tell(looking *l, const char *format, ...) {
  char text[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  l->broken = true;
  return verify_found(l->v, "cache", "%s", text);
}

/* A row that is damaged was found by the walk over all rows. */
static ld_rc look(looking *l, ld_slice key, ld_row *row, bool *there) {
  ld_rc rc = ld_row_get(l->v->txn, key, row);
  *there = rc == LD_OK;
  if (rc == LD_CORRUPT || rc == LD_UNSUPPORTED) l->broken = true;
  return rc == LD_NOTFOUND ? LD_OK : verify_pass(rc);
}

static ld_rc must_lead(looking *l, ld_slice row_key, ld_slice key, const char *what) {
  ld_row row;
  bool there, was_broken = l->broken;
  ld_rc rc = look(l, row_key, &row, &there);
  if (rc != LD_OK || (there && ld_equal(row.payload, key))) return rc;
  if (!there && l->broken && !was_broken) return LD_OK;
  return tell(l, there ? "its row of %s is another entry's" : "has no row of %s", what);
}

static ld_rc check_value(looking *l, const ld_cache_entry *entry) {
  ld_cache_key_of key;
  ld_row row;
  bool there, was_broken = l->broken;
  l->values++;
  ld_rc rc =
      look(l, ld_cache_row_int(&key, l->settings.number, LD_CACHE_DATA, entry->id), &row, &there);
  if (rc != LD_OK || (there && row.payload.size == entry->size)) return rc;
  if (!there && l->broken && !was_broken) return LD_OK;
  return tell(l, there ? "its value has another size" : "has no value");
}

static ld_rc check_file(looking *l, const ld_cache_entry *entry) {
  ld_cache_key_of key;
  char name[LD_CACHE_FILE];
  ld_row row;
  bool there;
  uint64_t number = l->settings.number;
  l->files++;
  ld_cache_file_name(entry, name);
  ld_rc rc =
      look(l, ld_cache_row_text(&key, number, LD_CACHE_FILE_ROW, ld_text(name)), &row, &there);
  if (rc == LD_OK && !there) rc = tell(l, "its file %s has no row", name);
  if (rc == LD_OK)
    rc = look(l, ld_cache_row_text(&key, number, LD_CACHE_TRASH, ld_text(name)), &row, &there);
  return rc == LD_OK && there ? tell(l, "its file %s is to be deleted", name) : rc;
}

static void count(looking *l, const ld_cache_entry *entry) {
  uint64_t charge = ld_cache_charge(entry->size);
  l->found.entries++;
  l->found.bytes += charge;
  if (entry->queue == LD_CACHE_SMALL) l->found.small_bytes += charge;
  if (entry->id > l->found.last) l->found.last = entry->id;
  if (entry->place > l->found.last) l->found.last = entry->place;
}

static ld_rc check_entry(void *context, ld_slice key, const ld_cache_entry *entry) {
  looking *l = context;
  ld_cache_key_of row;
  ld_quoted quoted;
  uint64_t number = l->settings.number;
  verify_at(l->v, "entry %s of cache %s", ld_quote(key, quoted), (const char *)l->name.data);
  count(l, entry);
  ld_rc rc = must_lead(
      l, ld_cache_row_ints(&row, number, LD_CACHE_QUEUE, entry->queue, -(int64_t)entry->place), key,
      "the order");
  if (rc == LD_OK && entry->expires_ms >= 0) {
    l->expiring++;
    rc = must_lead(
        l, ld_cache_row_ints(&row, number, LD_CACHE_EXPIRY, entry->expires_ms, (int64_t)entry->id),
        key, "expiry");
  }
  if (rc == LD_OK) rc = entry->is_file ? check_file(l, entry) : check_value(l, entry);
  return rc == LD_OK ? verify_step(l->v) : rc;
}

/* ---- its kinds of rows ---- */

/* How many rows; of files, what they say together. */
static ld_rc count_rows(looking *l, ld_cache_kind kind, uint64_t *rows) {
  ld_cache_key_of key;
  ld_scan scan;
  ld_row row;
  uint64_t holders;
  *rows = 0;
  l->v->skipped = 0;
  ld_rc rc =
      ld_scan_begin(&scan, l->v->txn, ld_cache_row(&key, l->settings.number, kind), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = verify_next(l->v, &scan, &row)) == LD_OK) {
    ld_slice payload = row.payload;
    bool counts = kind == LD_CACHE_FILE_ROW && ld_read_varint(&payload, &holders);
    *rows += counts ? holders : 1;
    if ((rc = verify_step(l->v)) != LD_OK) break;
  }
  ld_scan_end(&scan);
  if (l->v->skipped > 0) l->broken = true;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc check_kind(looking *l, ld_cache_kind kind, uint64_t expected, const char *what) {
  uint64_t rows;
  ld_rc rc = count_rows(l, kind, &rows);
  if (rc != LD_OK || rows == expected || l->v->skipped > 0) return rc;
  return tell(l, "%s: rows for %llu, there are %llu", what, (unsigned long long)rows,
              (unsigned long long)expected);
}

static ld_rc check_kinds(looking *l) {
  uint64_t any;
  verify_at(l->v, "cache %s", (const char *)l->name.data);
  ld_rc rc = check_kind(l, LD_CACHE_QUEUE, l->found.entries, "order");
  if (rc == LD_OK) rc = check_kind(l, LD_CACHE_EXPIRY, l->expiring, "expiry");
  if (rc == LD_OK) rc = check_kind(l, LD_CACHE_DATA, l->values, "values");
  if (rc == LD_OK) rc = check_kind(l, LD_CACHE_FILE_ROW, l->files, "files");
  if (rc == LD_OK) rc = check_kind(l, LD_CACHE_GHOST, l->said.ghosts, "ghosts");
  if (rc == LD_OK) rc = check_kind(l, LD_CACHE_GHOSTS, l->said.ghosts, "ghosts in order");
  if (rc == LD_OK) rc = count_rows(l, LD_CACHE_TRASH, &any); /* damaged ones can be mended */
  if (rc == LD_OK) rc = count_rows(l, LD_CACHE_LEASE, &any);
  return rc == LD_OK ? count_rows(l, LD_CACHE_BAD, &any) : rc;
}

static ld_rc check_counts(looking *l) {
  const ld_cache_state *said = &l->said, *found = &l->found;
  ld_rc rc = LD_OK;
  if (said->entries != found->entries || said->bytes != found->bytes)
    rc = tell(l, "says %llu entries of %llu bytes, there are %llu of %llu",
              (unsigned long long)said->entries, (unsigned long long)said->bytes,
              (unsigned long long)found->entries, (unsigned long long)found->bytes);
  if (rc == LD_OK && said->small_bytes != found->small_bytes)
    rc = tell(l, "says %llu bytes in its small queue, there are %llu",
              (unsigned long long)said->small_bytes, (unsigned long long)found->small_bytes);
  if (rc == LD_OK && said->last < found->last)
    rc = tell(l, "stands at number %llu, but %llu was given out", (unsigned long long)said->last,
              (unsigned long long)found->last);
  if (rc == LD_OK && found->bytes > l->settings.max_bytes)
    rc = tell(l, "holds %llu bytes, more than its limit %llu", (unsigned long long)found->bytes,
              (unsigned long long)l->settings.max_bytes);
  return rc;
}

/* Entries that cannot be read end the walk over them: the rest would be found missing for no reason. */
static ld_rc check_cache(looking *l) {
  uint64_t number = l->settings.number;
  ld_cache cache = {.settings = {.number = number}};
  ld_rc rc = ld_cache_read_state(l->v->txn, number, &l->settings, &l->said);
  if (rc == LD_CORRUPT || rc == LD_UNSUPPORTED)
    return tell(l, "its settings cannot be read; they are lost");
  if (rc == LD_OK) rc = ld_cache_each(l->v->txn, &cache, NULL, check_entry, l);
  if (rc == LD_CORRUPT || rc == LD_UNSUPPORTED) {
    verify_at(l->v, "cache %s", (const char *)l->name.data);
    return tell(l, "an entry cannot be read");
  }
  if (rc == LD_OK) rc = check_kinds(l);
  return rc == LD_OK ? check_counts(l) : rc;
}

static ld_rc check_named(verify *v, ld_slice name, uint64_t number) {
  ld_quoted quoted;
  looking l = {.v = v, .settings = {.number = number}};
  ld_quote(name, quoted);
  l.name = ld_text(quoted);
  verify_at(v, "cache %s", quoted);
  ld_rc rc = check_cache(&l);
  if (rc != LD_OK || !l.broken) return rc;
  return verify_mend(v, LD_MEND_CACHE, name, LD_SLICE_NONE, number);
}

/* ---- all ---- */

typedef ld_rc (*visit_cache)(verify *v, const ld_row *row, uint64_t number,
                             verify_numbers *numbers);

static ld_rc each(verify *v, visit_cache visit, verify_numbers *numbers) {
  static const uint8_t space = LD_SPACE_CACHE;
  ld_scan scan;
  ld_row row;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = verify_next(v, &scan, &row)) == LD_OK) {
    uint64_t number;
    ld_slice payload = row.payload;
    if (ld_read_varint(&payload, &number)) rc = visit(v, &row, number, numbers);
    if (rc != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc add_number(verify *v, const ld_row *row, uint64_t number, verify_numbers *numbers) {
  (void)row;
  verify_numbers_add(numbers, number);
  return verify_step(v);
}

static ld_rc each_number(verify *v, verify_numbers *numbers) {
  return each(v, add_number, numbers);
}

static ld_rc visit(verify *v, const ld_row *row, uint64_t number, verify_numbers *numbers) {
  verify_key key;
  ld_buf name = {0};
  (void)numbers;
  ld_rc rc = verify_key_read(v, row->key, &key);
  if (rc != LD_OK || !key.sound) return rc;
  ld_buf_add(&name, key.name);
  rc = name.failed ? ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory")
                   : check_named(v, ld_buf_slice(&name), number);
  ld_buf_clear(&name);
  return rc;
}

static ld_rc tell_stray(verify *v, uint8_t space, uint64_t number, uint64_t rows) {
  (void)space;
  verify_at(v, "rows of cache number %llu", (unsigned long long)number);
  ld_rc rc =
      verify_found(v, "cache", "there is no such cache: rows: %llu", (unsigned long long)rows);
  return rc == LD_OK ? verify_mend(v, LD_MEND_CACHE, LD_SLICE_NONE, LD_SLICE_NONE, number) : rc;
}

static ld_rc check_numbers(verify *v) {
  verify_numbers numbers = {.v = v, .kind = "cache"};
  ld_rc rc;
  while ((rc = verify_numbers_next(&numbers, each_number)) == LD_OK &&
         (rc = verify_numbers_compare(&numbers, LD_SPACE_CACHE_ROW, tell_stray)) == LD_OK) {
  }
  verify_numbers_clear(&numbers);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc verify_caches(verify *v) {
  ld_rc rc = check_numbers(v);
  return rc == LD_OK ? each(v, visit, NULL) : rc;
}
