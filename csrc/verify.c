/* verify.c -- the walk over all rows, each looked at by itself; and how findings are told. */
#include <stdio.h>

#include "unfinished.h"
#include "verify_run.h"

enum { STEPS = 1000 }; /* rows between two calls of progress */

/* ---- telling ---- */

static void print(ld_buf *text, const char *format, va_list arguments) {
  char room[400];
  vsnprintf(room, sizeof room, format, arguments);
  ld_buf_add(text, ld_text(room));
}

void verify_at(verify *v, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  ld_buf_reset(&v->where);
  print(&v->where, format, arguments);
  va_end(arguments);
}

void verify_at_key(verify *v, ld_slice key) {
  verify_key read;
  ld_buf_reset(&v->where);
  if (verify_key_read(v, key, &read) == LD_OK) verify_key_name(&read, key, &v->where);
}

ld_rc verify_found(verify *v, const char *kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  ld_buf_reset(&v->text);
  print(&v->text, format, arguments);
  va_end(arguments);
  size_t size = v->where.size;
  ld_buf_byte(&v->text, 0);
  ld_buf_byte(&v->where, 0);
  if (v->text.failed || v->where.failed)
    return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  v->report->findings++;
  if (v->calls->finding != NULL)
    v->calls->finding(v->calls->context, kind, (const char *)v->where.data,
                      (const char *)v->text.data);
  v->where.size = size;
  return LD_OK;
}

ld_rc verify_found_error(verify *v, const char *kind) {
  char text[sizeof ld_error_of(v->txn)->text];
  memcpy(text, ld_error_of(v->txn)->text, sizeof text);
  return verify_found(v, kind, "%s", text);
}

ld_rc verify_mend(verify *v, ld_mend kind, ld_slice name, ld_slice index, uint64_t number) {
  if (v->calls->mend == NULL) return LD_OK;
  ld_buf_reset(&v->mend);
  ld_mend_write(&v->mend, kind, name, index, number);
  if (v->mend.failed) return ld_fail(ld_error_of(v->txn), LD_NOMEM, "verify: out of memory");
  v->calls->mend(v->calls->context, ld_buf_slice(&v->mend));
  return LD_OK;
}

static ld_rc tell_progress(verify *v) {
  if (v->calls->progress == NULL) return LD_OK;
  return v->calls->progress(v->calls->context, v->done < v->total ? v->done : v->total, v->total);
}

ld_rc verify_step(verify *v) { return ++v->done % STEPS == 0 ? tell_progress(v) : LD_OK; }

ld_rc verify_pass(ld_rc rc) { return rc == LD_CORRUPT || rc == LD_UNSUPPORTED ? LD_OK : rc; }

ld_rc verify_next(verify *v, ld_scan *scan, ld_row *row) {
  ld_rc rc;
  while ((rc = ld_scan_next(scan, row)) == LD_CORRUPT || rc == LD_UNSUPPORTED) v->skipped++;
  return rc;
}

/* ---- the store's own rows ---- */

/* The note of a copy, a load or a recovery. */
static ld_rc unfinished_row(verify *v) {
  ld_unfinished note;
  ld_buf room = {0};
  if (v->calls->filling) return LD_OK;
  v->unfinished = true;
  ld_rc rc = ld_unfinished_get(v->txn, &note, &room);
  bool copy = rc == LD_OK && ld_equal(note.what, LD_LITERAL("copy"));
  bool recovery = rc == LD_OK && ld_equal(note.what, LD_LITERAL("recover"));
  if (rc == LD_OK)
    rc = verify_found(v, "unfinished",
                      "a %s into this store has not ended; what its rows say of one another was "
                      "not looked at",
                      copy       ? "copy"
                      : recovery ? "recovery"
                                 : "load");
  ld_buf_clear(&room);
  return rc;
}

static ld_rc store_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_slice payload = row->payload, field;
  if (ld_equal(key->name, LD_LITERAL("unfinished"))) return unfinished_row(v);
  if (ld_equal(key->name, LD_LITERAL("sequence"))) {
    if (ld_read_varint(&payload, &v->sequence) && payload.size == 0) return LD_OK;
    v->sequence_damaged = true;
    return verify_found(v, "store", "expected a number");
  }
  if (!ld_equal(key->name, LD_LITERAL("larder")))
    return verify_found(v, "store", "no version known here writes it");
  if (ld_value_check(payload, ld_error_of(v->txn)) != LD_OK ||
      !ld_value_field(payload, "format", &field))
    return verify_found(v, "store", "the signature does not say the format");
  return LD_OK;
}

static ld_rc check_sequence(verify *v) {
  if (v->highest <= v->sequence && !v->sequence_damaged) return LD_OK;
  verify_at(v, "row \"sequence\" of the store");
  ld_rc rc = LD_OK;
  if (v->highest > v->sequence)
    rc = verify_found(v, "sequence", "stands at %llu, but %llu was given out",
                      (unsigned long long)v->sequence, (unsigned long long)v->highest);
  return rc == LD_OK ? verify_mend(v, LD_MEND_SEQUENCE, LD_SLICE_NONE, LD_SLICE_NONE, v->highest)
                     : rc;
}

/* ---- any row ---- */

static ld_rc index_row(verify *v, const verify_key *key, const ld_row *row) {
  (void)key;
  (void)row;
  v->report->entries++;
  return LD_OK;
}

typedef ld_rc (*row_check)(verify *v, const verify_key *key, const ld_row *row);
static const row_check checks[] = {
    [LD_SPACE_STORE] = store_row,
    [LD_SPACE_ROOM] = verify_room_row,
    [LD_SPACE_RATING] = verify_rating_row,
    [LD_SPACE_PROGRESS] = verify_progress_row,
    [LD_SPACE_COLLECTION] = verify_declaration_row,
    [LD_SPACE_DOCUMENT] = verify_document_row,
    [LD_SPACE_COUNT] = verify_count_row,
    [LD_SPACE_INDEX] = index_row,
    [LD_SPACE_MAP] = verify_map_row,
    [LD_SPACE_QUEUE] = verify_queue_row,
    [LD_SPACE_JOB] = verify_job_row,
    [LD_SPACE_CACHE] = verify_cache_row,
    [LD_SPACE_CACHE_ROW] = verify_cached_row,
};

/* Whether a reader would find this very row by its whole key. */
static ld_rc is_found(verify *v, const ld_row *row, bool *found) {
  ld_row again;
  ld_rc rc = ld_row_get(v->txn, row->key, &again);
  *found = rc == LD_OK && again.payload.data == row->payload.data;
  return rc == LD_NOTFOUND ? LD_OK : verify_pass(rc);
}

static ld_rc sound_row(verify *v, ld_slice stored, const ld_row *row) {
  verify_key key;
  bool found = true;
  bool whole = row->key.data != stored.data; /* the row keeps it */
  ld_rc rc = LD_OK;
  verify_number(v, row->revision);
  if (row->key.size == 0) return verify_found(v, "key", "the whole key in it is empty");
  if (whole || stored.size == LD_KEY_MAX) rc = is_found(v, row, &found);
  if (rc == LD_OK) rc = verify_key_read(v, row->key, &key);
  if (rc != LD_OK) return rc;
  ld_buf_reset(&v->where);
  verify_key_name(&key, row->key, &v->where);
  if (!found) return verify_found(v, "key", "stands under another key than the one it keeps");
  if (key.space >= sizeof checks / sizeof *checks || checks[key.space] == NULL)
    return verify_found(v, "space", "space 0x%02x is unknown", key.space);
  if (!key.sound) return verify_found(v, "key", "is no key of space 0x%02x", key.space);
  return checks[key.space](v, &key, row);
}

/* A count that cannot be read can be counted again; a cache can be made anew. */
static ld_rc mend_damaged(verify *v, ld_slice stored) {
  verify_key key;
  ld_rc rc = verify_key_read(v, stored, &key);
  bool count = key.sound && key.parts == 1;
  if (rc == LD_OK && count && key.space == LD_SPACE_COUNT)
    rc = verify_mend(v, LD_MEND_COUNT, key.name, LD_SLICE_NONE, 0);
  if (rc == LD_OK && count && key.space == LD_SPACE_MAP)
    rc = verify_mend(v, LD_MEND_MAP, key.name, LD_SLICE_NONE, 0);
  if (rc == LD_OK && count && key.space == LD_SPACE_CACHE)
    rc = verify_mend(v, LD_MEND_CACHE, key.name, LD_SLICE_NONE, 0);
  return rc;
}

static ld_rc damaged_row(verify *v, ld_slice stored, ld_slice value, ld_rc rc) {
  static const uint8_t sequence[] = "\x01\x30sequence";
  if (ld_equal(stored, ld_bytes(sequence, sizeof sequence))) v->sequence_damaged = true;
  if (stored.data[0] == LD_SPACE_COLLECTION) v->declaration_damaged = true;
  verify_at_key(v, stored);
  if (rc == LD_UNSUPPORTED) return verify_found(v, "row", "was written by a newer version");
  bool sound = ld_row_is_sound(stored, value);
  rc = verify_found(v, "row", "%s",
                    sound ? "its header is cut off"
                          : "the checksum differs: its key or value is damaged");
  return rc == LD_OK ? mend_damaged(v, stored) : rc;
}

static ld_rc check_rows(verify *v) {
  ld_cursor *cursor;
  ld_slice stored, value;
  ld_row row;
  ld_rc rc = ld_cursor_open(v->txn, &cursor);
  if (rc != LD_OK) return rc;
  while (rc == LD_OK && (rc = ld_cursor_next(cursor)) == LD_OK) {
    rc = ld_cursor_current(cursor, &stored, &value);
    if (rc == LD_OK) rc = ld_row_current(cursor, &row);
    v->report->rows++;
    if (rc == LD_OK)
      rc = sound_row(v, stored, &row);
    else if (rc == LD_CORRUPT || rc == LD_UNSUPPORTED)
      rc = damaged_row(v, stored, value, rc);
    if (rc == LD_OK) rc = verify_step(v);
  }
  ld_cursor_close(cursor);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- the structure ---- */

static void tell_structure(void *context, ld_slice key, const char *text) {
  verify *v = context;
  verify_at(v, "the file");
  if (key.size > 0) verify_at_key(v, key);
  v->report->readable = false;
  verify_found(v, "page", "%s", text);
}

static ld_rc check_structure(verify *v) {
  ld_rc rc = ld_check_structure(v->txn->engine, tell_structure, v);
  if (rc != LD_OK && rc != LD_UNSUPPORTED) return rc; /* of a format that is not known */
  if (v->report->readable) return LD_OK;
  verify_at(v, "the rows");
  return verify_found(v, "page", "were not read, since pages are damaged; recover the store");
}

static void tell_stray(void *context, const char *path, const char *text) {
  verify *v = context;
  ld_quoted quoted;
  verify_at(v, "file %s", ld_quote(ld_text(path), quoted));
  verify_found(v, "file", "%s", text);
}

static ld_rc check_all(verify *v) {
  ld_rc rc = check_rows(v);
  if (rc != LD_OK || v->unfinished) return rc;
  rc = verify_rooms(v);
  if (rc == LD_OK) rc = verify_collections(v);
  if (rc == LD_OK) rc = verify_index_numbers(v);
  if (rc == LD_OK) rc = verify_maps(v);
  if (rc == LD_OK) rc = verify_queues(v);
  if (rc == LD_OK) rc = verify_caches(v);
  return rc == LD_OK ? check_sequence(v) : rc;
}

ld_rc ld_verify(ld_txn *txn, const ld_verify_calls *calls, ld_verify_report *report) {
  verify v = {.txn = txn, .calls = calls, .report = report};
  ld_engine_stats stats = {0};
  *report = (ld_verify_report){.readable = true};
  ld_rc rc = ld_survey(txn->engine, tell_stray, &v);
  if (rc == LD_OK) rc = check_structure(&v);
  if (rc == LD_OK && report->readable) {
    if (ld_stats(txn->engine, &stats) == LD_OK) v.total = 2 * stats.entries;
    rc = check_all(&v);
  }
  v.done = v.total;
  if (rc == LD_OK) rc = tell_progress(&v);
  ld_buf *const bufs[] = {&v.where, &v.text, &v.mend, &v.first, &v.last};
  for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) ld_buf_clear(bufs[i]);
  ld_collection_clear(&v.collection);
  return rc;
}
