/* recover.c -- see recover.h.
**
** Rows come one by one and are written in batches, each of them a transaction that can be run again when it does not fit. Counts are taken over as they were: so the first look at the new store tells how many
** documents and keys are missing. What that look tells is kept in the note before anything is put right,
** since a run that goes on from there cannot see it any more. */
#include "recover.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache_mend.h"
#include "row.h"
#include "store.h"
#include "unfinished.h"
#include "value.h"

enum { BATCH_BYTES = 1 << 20, LOST_BYTES = 1 << 18, RUNS = 16, MARGIN = 1 << 16 };
enum { TAKING, MENDING }; /* phases of the note */

typedef struct recovery {
  ld_engine *to;
  const ld_recover *recover;
  ld_recover_report *report;
  ld_buf batch;  /* key, value: each as a string */
  ld_buf losses; /* keys of rows that were found damaged: a sound state of them may come later */
  ld_buf told;   /* where, text: each as a string that ends with NUL */
  ld_buf source; /* as the note has it */
  uint64_t highest, phase;
  ld_rc failed; /* a note that could not be written */
  bool found;   /* some sound row */
  bool first_look;
  bool muted; /* what this look finds was told by the run that was broken off */
} recovery;

static ld_rc no_memory(recovery *r) {
  return ld_fail(&r->to->error, LD_NOMEM, "recover: out of memory");
}

/* ---- the new store ---- */

static void tell(recovery *r, const char *where, const char *text) {
  if (r->recover->lost != NULL) r->recover->lost(r->recover->repair.calls.context, where, text);
}

/* Tell what the run before has told. */
static void tell_again(recovery *r) {
  ld_slice told = ld_buf_slice(&r->told);
  ld_token where, text;
  while (ld_value_next(&told, &where) && ld_value_next(&told, &text))
    tell(r, (const char *)where.bytes.data, (const char *)text.bytes.data);
}

static ld_rc refuse(recovery *r, const char *why) {
  return ld_fail(&r->to->error, LD_INVALID, "the store to recover into %s; nothing was changed",
                 why);
}

/* There is the note of a recovery of the same. */
static ld_rc go_on(recovery *r, ld_txn *txn, const ld_unfinished *note) {
  bool last = true;
  if (!ld_equal(note->what, LD_LITERAL("recover")))
    return refuse(r, "is being filled by a copy or a load, which has not ended");
  if (!ld_equal(note->source, ld_buf_slice(&r->source)))
    return refuse(r, "has a part of what was recovered from another file");
  ld_rc rc = note->phase == TAKING ? ld_unfinished_is_last(txn, note, &last) : LD_OK;
  if (rc == LD_OK && !last)
    return refuse(r, "has a part of what was recovered, and was written to since");
  r->phase = note->phase;
  r->report->rows = note->done;
  r->report->resumed = true;
  ld_buf_add(&r->told, note->place);
  tell_again(r);
  return r->told.failed ? no_memory(r) : rc;
}

static ld_rc look_at_target(recovery *r) {
  bool empty = true;
  ld_txn *txn;
  ld_buf room = {0};
  ld_unfinished note;
  ld_rc rc = ld_begin(r->to, false, &txn);
  if (rc != LD_OK) return rc;
  rc = ld_unfinished_get(txn, &note, &room);
  if (rc == LD_OK) {
    rc = go_on(r, txn, &note);
  } else if (rc == LD_NOTFOUND) {
    rc = ld_unfinished_is_empty(txn, &empty);
    if (rc == LD_OK && !empty) rc = refuse(r, "is not empty");
  }
  ld_rollback(txn);
  ld_buf_clear(&room);
  return rc;
}

static ld_rc write_note(recovery *r, ld_txn *txn, uint64_t rows) {
  const ld_unfinished note = {.what = LD_LITERAL("recover"),
                              .source = ld_buf_slice(&r->source),
                              .place = ld_buf_slice(&r->told),
                              .phase = r->phase,
                              .done = rows};
  return ld_unfinished_put(txn, &note);
}

/* Write a row as it was, unless a newer state of it is there. */
static ld_rc write_row(ld_txn *txn, ld_slice key, ld_slice value, ld_recover_report *report) {
  ld_row old, new;
  ld_slice there;
  ld_rc rc = ld_get(txn, key, &there);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  bool first = rc == LD_NOTFOUND || !ld_row_read(key, there, &old);
  if (first)
    report->rows++;
  else
    report->older++;
  if (!ld_row_read(key, value, &new) || (!first && old.revision >= new.revision)) return LD_OK;
  return ld_put(txn, key, value);
}

static ld_rc write_batch(recovery *r, ld_recover_report *report) {
  ld_slice rest = ld_buf_slice(&r->batch);
  ld_token key, value;
  ld_txn *txn;
  ld_rc rc = ld_begin(r->to, true, &txn);
  if (rc != LD_OK) return rc;
  while (rc == LD_OK && ld_value_next(&rest, &key) && ld_value_next(&rest, &value))
    rc = write_row(txn, key.bytes, value.bytes, report);
  if (rc == LD_OK) rc = ld_sequence_raise(txn, r->highest);
  if (rc == LD_OK) rc = write_note(r, txn, report->rows);
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

static ld_rc flush(recovery *r) {
  ld_rc rc = LD_FULL;
  if (r->batch.failed) return no_memory(r);
  for (int run = 0; run < RUNS; run++) {
    ld_recover_report report = *r->report;
    r->to->error.retry = false;
    rc = write_batch(r, &report);
    if (rc == LD_OK) *r->report = report;
    if ((rc != LD_FULL && rc != LD_CONFLICT) || !r->to->error.retry) break;
  }
  ld_buf_reset(&r->batch);
  return rc;
}

/* ---- the damaged one ---- */

static void note_sequence(recovery *r, const ld_row *row) {
  uint64_t number;
  ld_slice rest = row->payload;
  if (row->key.size > 2 && row->key.data[2] == 's' && ld_read_varint(&rest, &number) &&
      number > r->highest)
    r->highest = number;
}

static ld_rc take_row(void *context, ld_slice key, ld_slice value) {
  recovery *r = context;
  ld_row row;
  if (!ld_row_read(key, value, &row)) return LD_OK;
  r->found = true;
  if (ld_store_signs(key)) {
    ld_rc rc = ld_store_check_signature(row.payload, &r->to->error);
    if (rc == LD_UNSUPPORTED) return rc;
  }
  if (row.revision > r->highest) r->highest = row.revision;
  if (key.data[0] == LD_SPACE_STORE) note_sequence(r, &row);
  if (key.data[0] == LD_SPACE_STORE || key.data[0] == LD_SPACE_INDEX) return LD_OK;
  if (ld_cache_has_row(key) && !ld_cache_is_settings(key)) return LD_OK;
  ld_write_string(&r->batch, key);
  ld_write_string(&r->batch, value);
  return r->batch.size > BATCH_BYTES || r->batch.failed ? flush(r) : LD_OK;
}

/* Whether the run before has told it. */
static bool was_told(const recovery *r, ld_slice where, ld_slice text) {
  ld_slice told = ld_buf_slice(&r->told);
  ld_token tokens[2];
  while (r->report->resumed && ld_value_next(&told, &tokens[0]) && ld_value_next(&told, &tokens[1]))
    if (ld_equal(tokens[0].bytes, where) && ld_equal(tokens[1].bytes, text)) return true;
  return false;
}

/* Past what the note has room for it is told only now. */
static void tell_lost(recovery *r, const char *where, const char *text) {
  ld_slice slices[] = {ld_bytes(where, strlen(where) + 1), ld_bytes(text, strlen(text) + 1)};
  if (was_told(r, slices[0], slices[1])) return;
  if (r->told.size < LOST_BYTES) {
    ld_write_string(&r->told, slices[0]);
    ld_write_string(&r->told, slices[1]);
  }
  tell(r, where, text);
}

static void note_lost(void *context, ld_slice key, const char *text) {
  recovery *r = context;
  if (key.size == 0)
    tell_lost(r, "the file", text);
  else if (key.data[0] != LD_SPACE_INDEX && r->losses.size < LOST_BYTES)
    ld_write_string(&r->losses, key);
}

static ld_rc salvage_progress(void *context, uint64_t done, uint64_t total) {
  const ld_verify_calls *calls = &((recovery *)context)->recover->repair.calls;
  return calls->progress == NULL ? LD_OK : calls->progress(calls->context, done, total);
}

static ld_rc take_rows(recovery *r, const ld_engine_ops *ops, const ld_option *options,
                       size_t option_count) {
  ld_config config = {.env = r->to->env,
                      .options = options,
                      .option_count = option_count,
                      .check_row = ld_row_is_sound};
  ld_salvage salvage = {
      .context = r, .row = take_row, .lost = note_lost, .progress = salvage_progress};
  ld_rc rc = ld_salvage_rows(ops, &config, &salvage, &r->to->error);
  r->highest += MARGIN; /* numbers of rows that were lost are not given out again */
  return rc == LD_OK ? flush(r) : rc;
}

/* Of the rows that were found damaged, those of which no other state was found. */
static ld_rc tell_losses(recovery *r) {
  ld_slice rest = ld_buf_slice(&r->losses), value;
  ld_token key;
  ld_quoted where;
  ld_txn *txn;
  ld_rc rc = ld_begin(r->to, false, &txn);
  if (rc != LD_OK) return rc;
  while ((rc == LD_OK || rc == LD_NOTFOUND) && ld_value_next(&rest, &key)) {
    rc = ld_get(txn, key.bytes, &value);
    if (rc == LD_NOTFOUND) tell_lost(r, ld_verify_name(key.bytes, where), "is damaged");
    if (rc == LD_OK)
      tell_lost(r, ld_verify_name(key.bytes, where),
                "one of its states is damaged, another was taken");
  }
  ld_rollback(txn);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- what follows from the rows ---- */

/* What is missing is lost. It is put right at once, so no look tells it again; a document that is damaged stays. */
static void hear_finding(void *context, const char *kind, const char *where, const char *text) {
  recovery *r = context;
  const ld_verify_calls *calls = &r->recover->repair.calls;
  bool missing = strcmp(kind, "count") == 0 || strcmp(kind, "rating") == 0 ||
                 strcmp(kind, "progress") == 0 || strcmp(kind, "cache") == 0;
  if (!r->muted && (missing || (r->first_look && strcmp(kind, "document") == 0)))
    tell_lost(r, where, text);
  if (calls->finding != NULL) calls->finding(calls->context, kind, where, text);
}

static void hear_collection(void *context, ld_slice name, uint64_t documents, unsigned indexes) {
  const ld_verify_calls *calls = &((recovery *)context)->recover->repair.calls;
  if (calls->collection != NULL) calls->collection(calls->context, name, documents, indexes);
}

static void hear_again(void *context) {
  recovery *r = context;
  r->first_look = false;
  r->muted = false;
  if (r->recover->repair.again != NULL) r->recover->repair.again(r->recover->repair.calls.context);
}

typedef ld_rc (*note_work)(recovery *r, ld_txn *txn);

static ld_rc put_note(recovery *r, ld_txn *txn) { return write_note(r, txn, r->report->rows); }

static ld_rc end_note(recovery *r, ld_txn *txn) {
  (void)r;
  return ld_unfinished_end(txn);
}

static ld_rc change_note(recovery *r, note_work work) {
  ld_rc rc = LD_FULL;
  if (r->told.failed) return no_memory(r);
  for (int run = 0; run < RUNS; run++) {
    ld_txn *txn;
    r->to->error.retry = false;
    rc = ld_begin(r->to, true, &txn);
    if (rc != LD_OK) return rc;
    rc = work(r, txn);
    if (rc == LD_OK)
      rc = ld_commit(txn);
    else
      ld_rollback(txn);
    if ((rc != LD_FULL && rc != LD_CONFLICT) || !r->to->error.retry) break;
  }
  return rc;
}

static void hear_mended(void *context, ld_mend kind, const char *what, const ld_error *failure) {
  recovery *r = context;
  const ld_repair *repair = &r->recover->repair;
  size_t size = r->told.size;
  if (failure != NULL)
    tell_lost(r, what, failure->text);
  else if (kind == LD_MEND_DECLARATION)
    tell_lost(r, what, "was made anew, without indexes");
  if (size != r->told.size && r->failed == LD_OK) r->failed = change_note(r, put_note);
  if (repair->mended != NULL) repair->mended(repair->calls.context, kind, what, failure);
}

/* From here on the damaged store is not needed any more. */
static ld_rc keep_told(void *context) {
  recovery *r = context;
  if (r->phase == MENDING) return LD_OK;
  r->phase = MENDING;
  return change_note(r, put_note);
}

static ld_rc make_anew(recovery *r) {
  ld_repair repair = {.calls = {.context = r,
                                .finding = hear_finding,
                                .collection = hear_collection,
                                .progress = salvage_progress,
                                .filling = true},
                      .mends = LD_MEND_ALL,
                      .looked = keep_told,
                      .again = hear_again,
                      .mended = hear_mended,
                      .drop_clashing = true};
  r->muted = r->phase == MENDING;
  r->first_look = !r->muted;
  ld_rc rc = ld_repair_run(r->to, &repair, &r->report->verify);
  return rc == LD_OK ? r->failed : rc;
}

/* The file, however it was written. */
static ld_rc name_source(recovery *r, const ld_option *options, size_t option_count) {
  char path[PATH_MAX];
  const ld_config config = {.options = options, .option_count = option_count};
  const char *said = ld_option_text(&config, "path", "");
  snprintf(path, sizeof path, "%s/data.mdb", said);
  char *whole = realpath(path, NULL);
  if (whole == NULL) whole = realpath(said, NULL);
  ld_write_string(&r->source, ld_text(whole == NULL ? said : whole));
  free(whole);
  return r->source.failed ? no_memory(r) : LD_OK;
}

static ld_rc save_rows(recovery *r, const ld_engine_ops *ops, const ld_option *options,
                       size_t option_count) {
  ld_rc rc = take_rows(r, ops, options, option_count);
  if (rc == LD_OK) rc = r->losses.failed ? no_memory(r) : tell_losses(r);
  if (rc == LD_OK && !r->found) tell_lost(r, "the file", "holds no row of a larder store");
  return rc;
}

ld_rc ld_recover_run(const ld_engine_ops *ops, const ld_option *options, size_t option_count,
                     ld_engine *to, const ld_recover *recover, ld_recover_report *report) {
  recovery r = {.to = to, .recover = recover, .report = report};
  *report = (ld_recover_report){.rows = 0};
  ld_rc rc = name_source(&r, options, option_count);
  if (rc == LD_OK) rc = look_at_target(&r);
  if (rc == LD_OK && r.phase == TAKING) rc = save_rows(&r, ops, options, option_count);
  if (rc == LD_OK) rc = make_anew(&r);
  if (rc == LD_OK) rc = change_note(&r, end_note);
  if (rc == LD_OK) rc = ld_sync(to);
  ld_buf *const bufs[] = {&r.batch, &r.losses, &r.told, &r.source};
  for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) ld_buf_clear(bufs[i]);
  return rc;
}
