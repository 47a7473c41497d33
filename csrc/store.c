/* store.c -- the signature row, and the engines that are compiled in. */
#include "store.h"

#include <string.h>

#include "document_mirror.h"
#include "row.h"
#include "value.h"

static const ld_engine_ops *const engines[] = {&ld_memory_engine, &ld_lmdb_engine, &ld_file_engine};
enum { ENGINES = sizeof engines / sizeof *engines };

const ld_engine_ops *ld_engine_named(const char *name) {
  for (size_t i = 0; i < ENGINES; i++)
    if (strcmp(engines[i]->name, name) == 0) return engines[i];
  return NULL;
}

const char *const *ld_engine_names(void) {
  static const char *const names[ENGINES + 1] = {"memory", "lmdb", "file", NULL};
  return names;
}

/* Space STORE, the tuple of one string; the NUL that ends the literal ends the string. */
static ld_slice signature_key(void) {
  static const char key[] = "\x01\x30"
                            "larder";
  return ld_bytes(key, sizeof key);
}

static void write_signature(ld_buf *payload) {
  ld_write_map(payload, 3);
  ld_write_text(payload, "store");
  ld_write_text(payload, "larder");
  ld_write_text(payload, "format");
  ld_write_int(payload, LD_STORE_FORMAT);
  ld_write_text(payload, "made_by");
  ld_write_text(payload, LD_VERSION);
}

bool ld_store_signs(ld_slice key) { return ld_equal(key, signature_key()); }

ld_rc ld_store_check_signature(ld_slice payload, ld_error *error) {
  ld_slice field;
  ld_token format;
  if (!ld_value_field(payload, "format", &field) || !ld_value_next(&field, &format) ||
      format.kind != LD_INT)
    return ld_fail(error, LD_CORRUPT, "the signature row holds no format number");
  if (format.integer == LD_STORE_FORMAT) return LD_OK;
  return ld_fail(error, LD_UNSUPPORTED,
                 "the store has format %lld, this version of larder reads format %d",
                 (long long)format.integer, LD_STORE_FORMAT);
}

static ld_rc read_signature(ld_txn *txn) {
  ld_row row;
  ld_rc rc = ld_row_get(txn, signature_key(), &row);
  return rc == LD_OK ? ld_store_check_signature(row.payload, ld_error_of(txn)) : rc;
}

/* There is no signature. Sound rows make it a damaged store of ours, other rows somebody else's data. */
static ld_rc explain_missing(ld_txn *txn) {
  ld_cursor *cursor;
  ld_slice key, value;
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc == LD_OK) rc = ld_cursor_next(cursor);
  if (rc == LD_OK) rc = ld_cursor_current(cursor, &key, &value);
  if (rc != LD_OK) return rc;
  if (ld_row_is_sound(key, value))
    return ld_fail(ld_error_of(txn), LD_CORRUPT,
                   "the signature row is missing; restore the store from a backup");
  return ld_fail(ld_error_of(txn), LD_INVALID,
                 "this holds data, but is no larder store; nothing was changed");
}

static ld_rc sign(ld_engine *engine, ld_slice value) {
  ld_txn *txn;
  ld_rc rc = ld_begin(engine, true, &txn);
  if (rc != LD_OK) return rc;
  rc = explain_missing(txn); /* again: another process may have been quicker */
  if (rc == LD_NOTFOUND) rc = ld_put(txn, signature_key(), value);
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc == LD_CORRUPT ? LD_OK : rc; /* signed meanwhile, as the caller will see */
}

static ld_rc check_signature(ld_engine *engine, ld_slice value, bool may_sign) {
  ld_txn *txn;
  ld_rc rc = ld_begin(engine, false, &txn);
  if (rc != LD_OK) return rc;
  rc = read_signature(txn);
  bool missing = rc == LD_NOTFOUND;
  if (missing) rc = explain_missing(txn);
  ld_rollback(txn);
  if (!missing || rc != LD_NOTFOUND) return rc;
  if (!may_sign) return ld_fail(&engine->error, LD_INVALID, "this is empty, and no larder store");
  rc = sign(engine, value);
  return rc == LD_OK ? check_signature(engine, value, false) : rc;
}

static ld_rc open_signed(const ld_engine_ops *ops, ld_config *config, ld_engine **store,
                         ld_error *error) {
  ld_engine *engine;
  ld_rc rc = ld_engine_open(ops, config, &engine, error);
  if (rc != LD_OK) return rc;
  engine->before_commit = ld_sequence_save;
  rc = check_signature(engine, config->first_value, true);
  if (rc == LD_OK) {
    *store = engine;
    return LD_OK;
  }
  if (error != NULL) *error = engine->error;
  ld_engine_close(engine);
  return rc;
}

ld_rc ld_store_open(const ld_engine_ops *ops, const ld_env *env, const ld_option *options,
                    size_t option_count, ld_engine **store, ld_error *error) {
  ld_buf payload = {0}, value = {0};
  ld_rc rc;
  write_signature(&payload);
  ld_row_encode(signature_key(), 0, ld_buf_slice(&payload), &value);
  if (payload.failed || value.failed) {
    rc = ld_fail(error, LD_NOMEM, "open: out of memory");
  } else {
    ld_config config = {.env = *env,
                        .options = options,
                        .option_count = option_count,
                        .first_key = signature_key(),
                        .first_value = ld_buf_slice(&value),
                        .check_row = ld_row_is_sound,
                        .mirror = &ld_document_mirror};
    rc = open_signed(ops, &config, store, error);
  }
  ld_buf_clear(&payload);
  ld_buf_clear(&value);
  return rc;
}
