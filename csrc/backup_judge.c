/* backup_judge.c -- see backup_judge.h. */
#include "backup_judge.h"

#include <stdio.h>

#include "store.h"

typedef struct judging {
  ld_gauge *gauge;
  unsigned part; /* the walk; the next is the hash */
  ld_error first;
  ld_judgement *judgement;
} judging;

/* ---- the hash ---- */

static ld_rc hash_rows(ld_txn *txn, const judging *j, uint8_t hash[LD_HASH]) {
  uint64_t done = 0;
  ld_cursor *cursor;
  ld_slice key, value;
  ld_buf row = {0};
  memset(hash, 0, LD_HASH);
  ld_rc rc = ld_cursor_open(txn, &cursor);
  while (rc == LD_OK && (rc = ld_cursor_next(cursor)) == LD_OK &&
         (rc = ld_cursor_current(cursor, &key, &value)) == LD_OK) {
    ld_buf_reset(&row);
    ld_buf_add(&row, ld_bytes(hash, LD_HASH));
    ld_buf_varint(&row, key.size);
    ld_buf_add(&row, key);
    ld_buf_add(&row, value);
    if (row.failed)
      rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
    else
      ld_hash128(ld_buf_slice(&row), hash);
    ld_gauge_set(j->gauge, j->part + 1, ++done, j->judgement->report.rows);
  }
  ld_buf_clear(&row);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static void write_hex(const uint8_t hash[LD_HASH], char *text) {
  for (size_t i = 0; i < LD_HASH; i++) sprintf(text + 2 * i, "%02x", hash[i]);
}

/* ---- the verdict ---- */

static void note_first(void *context, const char *kind, const char *where, const char *text) {
  ld_error *first = &((judging *)context)->first;
  if (first->rc == LD_OK) ld_fail(first, LD_CORRUPT, "%s: %.80s: %.200s", kind, where, text);
}

static ld_rc note_progress(void *context, uint64_t done, uint64_t total) {
  const judging *j = context;
  ld_gauge_set(j->gauge, j->part, done, total);
  return LD_OK;
}

static ld_rc judge(ld_engine *store, const char *folder, judging *j) {
  uint8_t hash[LD_HASH];
  const ld_verify_calls calls = {.context = j, .finding = note_first, .progress = note_progress};
  ld_verify_report *report = &j->judgement->report;
  ld_txn *txn;
  ld_rc rc = ld_begin(store, false, &txn);
  if (rc != LD_OK) return rc;
  rc = ld_verify(txn, &calls, report);
  if (rc == LD_OK && report->findings > 0)
    rc = ld_fail(&store->error, LD_CORRUPT, "%s: is damaged: %s (%llu findings)", folder,
                 j->first.text, (unsigned long long)report->findings);
  if (rc == LD_OK) rc = hash_rows(txn, j, hash);
  ld_rollback(txn);
  if (rc == LD_OK) write_hex(hash, j->judgement->hash);
  return rc;
}

ld_rc ld_backup_judge(const char *folder, ld_gauge *gauge, unsigned part, ld_judgement *judgement,
                      ld_error *error) {
  judging j = {.gauge = gauge, .part = part, .first = {.rc = LD_OK}, .judgement = judgement};
  const ld_option options[] = {{"path", folder}, {"read_only", "true"}};
  ld_env env = ld_env_system();
  ld_engine *store;
  ld_rc rc = ld_store_open(&ld_lmdb_engine, &env, options, 2, &store, error);
  if (rc == LD_MISUSE) /* it has no rows, so it would be signed */
    return ld_fail(error, LD_INVALID, "%s: is empty, and no larder store", folder);
  if (rc != LD_OK) return rc;
  rc = judge(store, folder, &j);
  if (rc != LD_OK && error != NULL) *error = store->error;
  ld_engine_close(store);
  return rc;
}
