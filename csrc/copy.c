/* copy.c -- see copy.h.
**
** Keys come in the engine's order, which is the same on every engine, so the key of the last row says what is done. The index entries' space is
** stepped over. In the second phase the place is the name of the collection whose indexes were built last. */
#include "copy.h"

#include "cache_mend.h"
#include "collection.h"
#include "index_build.h"
#include "record.h"
#include "tuple.h"
#include "unfinished.h"
#include "value.h"

enum { PHASE_ROWS, PHASE_INDEXES, PHASE_DONE };
enum { BATCH_BYTES = 16 << 20, INDEX_BATCH = 5000 };

/* What failed in the source is told by the target. */
static ld_rc of_source(ld_txn *from, ld_txn *to, ld_rc rc) {
  if (rc == LD_OK || rc == LD_NOTFOUND) return rc;
  *ld_error_of(to) = *ld_error_of(from);
  return ld_fail_in(ld_error_of(to), "the source: ");
}

/* ---- looking ---- */

static ld_rc must_be_free(ld_txn *to, ld_slice name) {
  ld_quoted quoted;
  bool found;
  ld_rc rc = ld_scope_find(to, name, &found);
  if (rc != LD_OK || !found) return rc;
  return ld_fail(ld_error_of(to), LD_EXISTS, "the target has a collection %s already",
                 ld_quote(name, quoted));
}

static ld_rc look_free(ld_txn *to, const ld_scope *scope) {
  bool empty;
  if (scope->names.size > 0) return ld_scope_each(scope, to, must_be_free);
  ld_rc rc = ld_unfinished_is_empty(to, &empty);
  if (rc != LD_OK || empty) return rc;
  return ld_fail(ld_error_of(to), LD_EXISTS, "the target is not empty");
}

/* The number that the source's sequence has come to; and when its rows will not be in the target as they are, what they are. */
static ld_rc write_source(ld_txn *from, const ld_copy *copy, ld_buf *source) {
  uint64_t number, hash[2] = {0, 0};
  ld_content content = {.parts = NULL};
  ld_rc rc = ld_sequence_last(from, &number);
  if (rc == LD_OK && copy->transformed)
    rc = ld_content_read(from, &copy->scope, LD_SLICE_NONE, &content);
  for (size_t i = 0; i < content.size; i++)
    for (int k = 0; k < 2; k++) hash[k] += content.parts[i].hash[k];
  ld_write_array(source, 4);
  ld_write_int(source, (int64_t)number);
  ld_write_int(source, (int64_t)content.rows);
  for (int k = 0; k < 2; k++) ld_write_int(source, (int64_t)hash[k]);
  ld_content_clear(&content);
  return rc;
}

/* Whether all that was copied is in the source as it is here: another store may have come to the same number. */
static ld_rc same_rows(ld_txn *from, ld_txn *to, const ld_scope *scope, const ld_unfinished *note,
                       bool *same) {
  ld_content there = {.parts = NULL}, here = {.parts = NULL};
  ld_slice last = note->phase == PHASE_ROWS ? note->place : LD_SLICE_NONE;
  ld_error difference;
  *same = true;
  if (note->phase == PHASE_ROWS && last.size == 0) return LD_OK;
  ld_rc rc = of_source(from, to, ld_content_read(from, scope, last, &there));
  if (rc == LD_OK) rc = ld_content_read(to, scope, last, &here);
  if (rc == LD_OK) *same = ld_content_compare(&there, &here, &difference) == LD_OK;
  ld_content_clear(&there);
  ld_content_clear(&here);
  return rc;
}

static ld_slice what_of(const ld_copy *copy) {
  return copy->transformed ? LD_LITERAL("transformed copy") : LD_LITERAL("copy");
}

static ld_rc look_at_note(ld_txn *from, ld_txn *to, const ld_copy *copy, const ld_unfinished *note,
                          bool *same) {
  ld_buf source = {0};
  bool last = false;
  *same = false;
  ld_rc rc = of_source(from, to, write_source(from, copy, &source));
  bool alike = rc == LD_OK && ld_equal(note->what, what_of(copy)) &&
               ld_equal(note->scope, copy->scope.names) &&
               ld_equal(note->source, ld_buf_slice(&source));
  ld_buf_clear(&source);
  if (rc == LD_OK && alike) rc = ld_unfinished_is_last(to, note, &last);
  *same = last;
  if (rc == LD_OK && last && !copy->transformed) rc = same_rows(from, to, &copy->scope, note, same);
  return rc;
}

static ld_rc look(ld_txn *from, ld_txn *to, const ld_copy *copy, ld_copy_state *state) {
  ld_buf room = {0};
  ld_unfinished note;
  bool same = false;
  ld_rc rc = ld_unfinished_get(to, &note, &room);
  bool noted = rc == LD_OK;
  if (noted) rc = look_at_note(from, to, copy, &note, &same);
  ld_buf_clear(&room);
  if (rc == LD_NOTFOUND) rc = look_free(to, &copy->scope);
  if (rc == LD_OK && noted && !same)
    rc = ld_fail(ld_error_of(to), LD_EXISTS,
                 "the target holds the beginning of another copy or load, or of a copy of this "
                 "source before it changed");
  if (rc == LD_OK) *state = same ? LD_COPY_RESUME : LD_COPY_NEW;
  return rc;
}

ld_rc ld_copy_look(ld_txn *from, ld_txn *to, const ld_copy *copy, ld_copy_state *state) {
  ld_rc rc = copy->unfinished ? LD_OK : of_source(from, to, ld_unfinished_refuse(from));
  if (rc == LD_OK) rc = of_source(from, to, ld_scope_check(&copy->scope, from));
  if (rc == LD_OK) rc = look(from, to, copy, state);
  if (rc == LD_EXISTS) *state = LD_COPY_TAKEN;
  return rc == LD_EXISTS ? LD_OK : rc;
}

/* ---- beginning ---- */

static ld_rc drop(ld_txn *to, ld_slice name) {
  ld_rc rc = ld_collection_drop(to, name);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* The target's caches may hold what was made from what goes. Their names stay, so that their files are found. */
static ld_rc wipe(ld_txn *to, const ld_scope *scope) {
  static const uint8_t first = LD_SPACE_STORE + 1, caches = LD_SPACE_CACHE,
                       behind = LD_SPACE_CACHE_ROW + 1;
  uint64_t count;
  if (scope->names.size > 0) return ld_scope_each(scope, to, drop);
  ld_rc rc = ld_del_range(to, ld_bytes(&first, 1), ld_bytes(&caches, 1), &count);
  if (rc == LD_OK) rc = ld_caches_empty(to);
  return rc == LD_OK ? ld_del_range(to, ld_bytes(&behind, 1), LD_SLICE_NONE, &count) : rc;
}

static ld_rc start(ld_txn *from, ld_txn *to, const ld_copy *copy) {
  ld_buf source = {0};
  uint64_t number = 0;
  ld_rc rc = of_source(from, to, ld_sequence_last(from, &number));
  if (rc == LD_OK) rc = ld_sequence_raise(to, number);
  if (rc == LD_OK) rc = of_source(from, to, write_source(from, copy, &source));
  ld_unfinished note = {
      .what = what_of(copy), .source = ld_buf_slice(&source), .scope = copy->scope.names};
  if (rc == LD_OK) rc = source.failed ? ld_no_memory(to, "copy") : ld_unfinished_put(to, &note);
  ld_buf_clear(&source);
  return rc;
}

ld_rc ld_copy_begin(ld_txn *from, ld_txn *to, const ld_copy *copy) {
  ld_copy_state state;
  ld_rc rc = ld_copy_look(from, to, copy, &state);
  if (rc != LD_OK || state == LD_COPY_RESUME) return rc;
  if (state == LD_COPY_TAKEN && !copy->overwrite)
    return ld_fail_in(ld_error_of(to), "copy (overwrite = true replaces what is there): ");
  if (state == LD_COPY_TAKEN) rc = wipe(to, &copy->scope);
  if (rc == LD_OK) rc = start(from, to, copy);
  return rc == LD_OK ? rc : ld_spoil(to, rc);
}

/* ---- rows ---- */

typedef struct copy_run {
  ld_txn *from, *to;
  const ld_scope *scope;
  ld_cursor *cursor; /* in the source */
  ld_buf place, declaration, value;
  uint64_t rows, bytes, most;
} copy_run;

/* Write a declaration without what only the source's rows of indexes have: numbers, states. */
static ld_rc rewrite_declaration(copy_run *run, ld_slice payload) {
  ld_declaration declaration;
  ld_rc rc = ld_declaration_read(payload, &declaration, ld_error_of(run->from));
  if (rc != LD_OK) return of_source(run->from, run->to, rc);
  for (unsigned i = 0; i < declaration.count && rc == LD_OK; i++) {
    ld_index_reset(&declaration.indexes[i]);
    rc = ld_sequence_next(run->to, &declaration.indexes[i].number);
  }
  ld_buf_reset(&run->declaration);
  ld_declaration_write(&declaration, &run->declaration);
  ld_declaration_clear(&declaration);
  return rc == LD_OK && run->declaration.failed ? ld_no_memory(run->to, "copy") : rc;
}

static ld_rc copy_declaration(copy_run *run, ld_slice key, const ld_row *row) {
  ld_rc rc = rewrite_declaration(run, row->payload);
  if (rc != LD_OK) return rc;
  ld_buf_reset(&run->value);
  ld_row_encode(row->key, row->revision, ld_buf_slice(&run->declaration), &run->value);
  return run->value.failed ? ld_no_memory(run->to, "copy")
                           : ld_put(run->to, key, ld_buf_slice(&run->value));
}

/* A row whose key is whole, and that is sound, need not be taken apart. */
static ld_rc copy_row(copy_run *run, ld_slice key, ld_slice value) {
  ld_row row = {.key = key};
  bool plain = key.size < LD_KEY_MAX && key.data[0] != LD_SPACE_COLLECTION;
  ld_rc rc = plain && ld_row_is_sound(key, value) ? LD_OK : ld_row_current(run->cursor, &row);
  if (rc != LD_OK) return of_source(run->from, run->to, rc);
  ld_buf_reset(&run->place);
  ld_buf_add(&run->place, key);
  if (run->place.failed) return ld_no_memory(run->to, "copy");
  if (!ld_scope_has(run->scope, row.key)) return LD_OK;
  run->rows++;
  run->bytes += key.size + value.size;
  return key.data[0] == LD_SPACE_COLLECTION ? copy_declaration(run, key, &row)
                                            : ld_put(run->to, key, value);
}

/* To the first row that is to be copied; NOTFOUND: there is none. */
static ld_rc find_start(copy_run *run, ld_slice place) {
  static const uint8_t first = LD_SPACE_STORE + 1;
  ld_slice key, value;
  ld_rc rc = ld_cursor_seek(run->cursor, place.size > 0 ? place : ld_bytes(&first, 1));
  if (rc != LD_OK || place.size == 0) return rc;
  rc = ld_cursor_current(run->cursor, &key, &value);
  return rc == LD_OK && ld_equal(key, place) ? ld_cursor_next(run->cursor) : rc;
}

/* The row that the cursor stands on, or the first behind the entries of indexes, behind caches. */
static ld_rc find_row(copy_run *run, ld_slice *key, ld_slice *value) {
  uint8_t behind;
  ld_rc rc = ld_cursor_current(run->cursor, key, value);
  while (rc == LD_OK && ld_content_leaves_out(*key, &behind)) {
    rc = ld_cursor_seek(run->cursor, ld_bytes(&behind, 1));
    if (rc == LD_OK) rc = ld_cursor_current(run->cursor, key, value);
  }
  return rc;
}

static bool is_full(const copy_run *run) {
  return run->most > 0 ? run->rows >= run->most : run->bytes >= BATCH_BYTES;
}

/* NOTFOUND: these were the last. */
static ld_rc copy_rows(copy_run *run, ld_slice place) {
  ld_rc rc = ld_cursor_open(run->from, &run->cursor);
  if (rc == LD_OK) rc = find_start(run, place);
  while (rc == LD_OK && !is_full(run)) {
    ld_slice key, value;
    rc = find_row(run, &key, &value);
    if (rc != LD_OK) break;
    rc = copy_row(run, key, value);
    if (rc != LD_OK) break;
    rc = ld_cursor_next(run->cursor);
  }
  ld_cursor_close(run->cursor);
  return rc;
}

static ld_rc run_rows(copy_run *run, ld_unfinished *note) {
  ld_rc rc = copy_rows(run, note->place);
  if (rc == LD_NOTFOUND) {
    note->phase = PHASE_INDEXES;
    ld_buf_reset(&run->place);
    rc = LD_OK;
  }
  note->place = ld_buf_slice(&run->place);
  note->done += run->rows;
  return rc;
}

/* ---- indexes ---- */

typedef struct next_name {
  ld_slice after;
  ld_buf name;
  bool found;
} next_name;

/* In the order of names, so the first that is behind the last one is the next. */
static ld_rc find_next(void *context, ld_slice name) {
  next_name *next = context;
  if (next->after.size > 0 && ld_compare(name, next->after) <= 0) return LD_OK;
  ld_buf_add(&next->name, name);
  next->found = true;
  return LD_NOTFOUND;
}

/* `*idle`: there was nothing to build. */
static ld_rc build(ld_txn *to, ld_slice name, uint64_t most, bool *ready, bool *idle) {
  ld_collection collection;
  ld_build state;
  ld_rc rc = ld_collection_init(&collection, name, LD_SLICE_NONE, ld_error_of(to));
  if (rc != LD_OK) return rc;
  rc = ld_collection_look(to, &collection);
  *idle = collection.current.count == 0;
  if (rc == LD_OK)
    rc = ld_index_build(to, &collection, most > 0 ? (unsigned)most : INDEX_BATCH, &state);
  ld_collection_clear(&collection);
  if (rc == LD_OK && state == LD_BUILD_CLASH) {
    ld_error_of(to)->rc = LD_CORRUPT;
    return ld_spoil(to, LD_CORRUPT);
  }
  if (rc == LD_OK) *ready = state == LD_BUILD_DONE;
  return rc;
}

/* A batch of one collection's. */
static ld_rc run_collection(copy_run *run, ld_unfinished *note, bool *idle) {
  next_name next = {.after = note->place};
  bool ready = false;
  ld_rc rc = ld_collections_each(run->to, find_next, &next);
  if (rc == LD_OK && next.name.failed) rc = ld_no_memory(run->to, "copy");
  if (rc == LD_OK && next.found)
    rc = build(run->to, ld_buf_slice(&next.name), run->most, &ready, idle);
  if (rc == LD_OK && !next.found) note->phase = PHASE_DONE;
  if (rc == LD_OK && ready) {
    ld_buf_clear(&run->place);
    run->place = next.name;
    note->place = ld_buf_slice(&run->place);
  } else {
    ld_buf_clear(&next.name);
  }
  return rc;
}

/* Collections without indexes cost no batch of their own. */
static ld_rc run_indexes(copy_run *run, ld_unfinished *note) {
  bool idle = true;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && idle && note->phase == PHASE_INDEXES) rc = run_collection(run, note, &idle);
  return rc;
}

/* ---- the steps ---- */

static ld_rc must_be_begun(ld_txn *to, ld_unfinished *note, ld_buf *room) {
  ld_rc rc = ld_unfinished_get(to, note, room);
  if (rc != LD_NOTFOUND) return rc;
  return ld_fail(ld_error_of(to), LD_CONFLICT, "copy: somebody else has ended it meanwhile");
}

ld_rc ld_copy_some(ld_txn *from, ld_txn *to, const ld_copy *copy, ld_copy_batch *batch) {
  ld_buf room = {0};
  ld_unfinished note;
  copy_run run = {.from = from, .to = to, .scope = &copy->scope, .most = batch->most};
  ld_rc rc = must_be_begun(to, &note, &room);
  if (rc == LD_OK && note.phase == PHASE_ROWS) rc = run_rows(&run, &note);
  if (rc == LD_OK && note.phase == PHASE_INDEXES) rc = run_indexes(&run, &note);
  if (rc == LD_OK) rc = ld_unfinished_put(to, &note);
  if (rc == LD_OK) {
    batch->rows = note.done;
    batch->rows_done = note.phase > PHASE_ROWS;
    batch->done = note.phase == PHASE_DONE;
  }
  ld_buf_clear(&room);
  ld_buf_clear(&run.place);
  ld_buf_clear(&run.declaration);
  ld_buf_clear(&run.value);
  return rc == LD_OK ? rc : ld_spoil(to, rc);
}

/* ---- transformed ---- */

static ld_rc read_records(ld_records *records, uint64_t most, ld_buf *read, uint64_t *count,
                          ld_buf *place) {
  ld_rc rc = LD_OK;
  for (*count = 0; *count < most && rc == LD_OK;) {
    rc = ld_records_next(records, read);
    if (rc == LD_OK) (*count)++;
  }
  if (rc == LD_OK) ld_buf_add(place, records->place);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_copy_read(ld_txn *from, ld_txn *to, const ld_copy *copy, uint64_t most, ld_buf *records,
                   uint64_t *count, ld_buf *place) {
  ld_buf room = {0};
  ld_unfinished note;
  ld_records walk;
  *count = 0;
  ld_rc rc = must_be_begun(to, &note, &room);
  if (rc == LD_OK && note.phase == PHASE_ROWS) {
    rc = of_source(from, to, ld_records_begin(&walk, from, &copy->scope, note.place));
    if (rc == LD_OK) {
      rc = of_source(from, to, read_records(&walk, most, records, count, place));
      ld_records_end(&walk);
    }
  }
  ld_buf_clear(&room);
  return rc == LD_OK && (records->failed || place->failed) ? ld_no_memory(to, "copy") : rc;
}

ld_rc ld_copy_note(ld_txn *to, ld_slice place, uint64_t count, uint64_t *rows) {
  ld_buf room = {0};
  ld_unfinished note;
  ld_rc rc = must_be_begun(to, &note, &room);
  if (rc == LD_OK) {
    if (place.size == 0) note.phase = PHASE_DONE;
    note.place = place;
    note.done += count;
    rc = ld_unfinished_put(to, &note);
  }
  if (rc == LD_OK) *rows = note.done;
  ld_buf_clear(&room);
  return rc == LD_OK ? rc : ld_spoil(to, rc);
}

/* ---- the end ---- */

ld_rc ld_copy_report(ld_txn *to, const ld_scope *scope, ld_buf *report) {
  ld_content found;
  ld_rc rc = ld_content_read(to, scope, LD_SLICE_NONE, &found);
  if (rc == LD_OK) ld_content_write(&found, report);
  ld_content_clear(&found);
  return rc == LD_OK && report->failed ? ld_no_memory(to, "copy") : rc;
}

ld_rc ld_copy_verify(ld_txn *from, ld_txn *to, const ld_scope *scope, ld_buf *report) {
  ld_content expected = {.parts = NULL}, found = {.parts = NULL};
  ld_rc rc = of_source(from, to, ld_content_read(from, scope, LD_SLICE_NONE, &expected));
  if (rc == LD_OK) rc = ld_content_read(to, scope, LD_SLICE_NONE, &found);
  if (rc == LD_OK) {
    rc = ld_content_compare(&expected, &found, ld_error_of(to));
    if (rc != LD_OK) ld_content_point(from, to, scope, ld_error_of(to));
  }
  if (rc == LD_OK) ld_content_write(&found, report);
  ld_content_clear(&expected);
  ld_content_clear(&found);
  if (rc == LD_OK && report->failed) rc = ld_fail(ld_error_of(to), LD_NOMEM, "copy: out of memory");
  return rc;
}

ld_rc ld_copy_end(ld_txn *to) { return ld_unfinished_end(to); }
