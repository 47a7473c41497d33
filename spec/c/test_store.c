/* test_store.c -- the signature row: what is ours, what is damaged, what is newer, what is somebody else's. */
#include "../../csrc/store.h"

#include <string.h>

#include "../../csrc/row.h"
#include "../../csrc/value.h"
#include "check.h"

static const uint8_t signature[] = {0x01, 0x30, 'l', 'a', 'r', 'd', 'e', 'r', 0x00};
static const ld_slice signature_key = {signature, sizeof signature};

/* ---- an engine that finds one row when it is opened ---- */

static ld_slice found_key, found_value;

static ld_rc finding_open(ld_engine *engine, const ld_config *config) {
  ld_config with_row = *config;
  with_row.first_key = found_key;
  with_row.first_value = found_value;
  return ld_memory_engine.open(engine, &with_row);
}

static ld_rc open_with(ld_slice key, ld_slice value, ld_engine **store, ld_error *error) {
  static ld_engine_ops finding_engine;
  ld_env env = ld_env_system();
  finding_engine = ld_memory_engine;
  finding_engine.open = finding_open;
  found_key = key;
  found_value = value;
  *store = NULL;
  *error = (ld_error){0};
  return ld_store_open(&finding_engine, &env, NULL, 0, store, error);
}

/* Opening fails with a text that holds `words`, and nothing is left open. */
static void check_refused(ld_slice key, ld_slice value, ld_rc expected, const char *words) {
  ld_engine *store;
  ld_error error;
  CHECK_RC(expected, open_with(key, value, &store, &error));
  if (strstr(error.text, words) == NULL) fprintf(stderr, "%s: no %s\n", error.text, words);
  CHECK(store == NULL && error.rc == expected && strstr(error.text, words) != NULL);
}

static uint64_t rows(ld_engine *store) {
  ld_engine_stats stats;
  CHECK_RC(LD_OK, ld_stats(store, &stats));
  return stats.entries;
}

/* ---- signatures ---- */

/* A signature whose format is `format`, one value of MessagePack; empty: there is no format in it. */
static void sign(ld_slice format, ld_buf *value) {
  ld_buf payload = {0};
  ld_write_map(&payload, format.size > 0 ? 2 : 1);
  ld_write_text(&payload, "store");
  ld_write_text(&payload, "larder");
  if (format.size > 0) ld_write_text(&payload, "format");
  ld_buf_add(&payload, format);
  ld_buf_reset(value);
  ld_row_encode(signature_key, 0, ld_buf_slice(&payload), value);
  ld_buf_clear(&payload);
}

static void test_formats(void) {
  ld_engine *store;
  ld_error error;
  ld_buf value = {0};
  sign(ld_text("\x01"), &value);
  CHECK_RC(LD_OK, open_with(signature_key, ld_buf_slice(&value), &store, &error));
  CHECK(rows(store) == 1);
  ld_engine_close(store);
  sign(ld_text("\x02"), &value);
  check_refused(signature_key, ld_buf_slice(&value), LD_UNSUPPORTED, "format 2");
  sign(ld_text("\xff"), &value);
  check_refused(signature_key, ld_buf_slice(&value), LD_UNSUPPORTED, "format -1");
  sign(ld_text("\xa1"
               "1"),
       &value);
  check_refused(signature_key, ld_buf_slice(&value), LD_CORRUPT, "format");
  sign(ld_text("\xc0"), &value);
  check_refused(signature_key, ld_buf_slice(&value), LD_CORRUPT, "format");
  sign(LD_SLICE_NONE, &value);
  check_refused(signature_key, ld_buf_slice(&value), LD_CORRUPT, "format");
  ld_buf_clear(&value);
}

/* Whichever bit of the signature is flipped, the store is not opened. */
static void test_damaged(void) {
  ld_buf value = {0};
  sign(ld_text("\x01"), &value);
  for (size_t bit = 0; bit < 8 * value.size; bit++) {
    value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    check_refused(signature_key, ld_buf_slice(&value), LD_CORRUPT, "restore");
    value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  for (size_t size = 0; size < value.size; size++)
    check_refused(signature_key, ld_bytes(value.data, size), LD_CORRUPT, "restore");
  ld_buf_clear(&value);
}

static void test_without_signature(void) {
  ld_engine *store;
  ld_error error;
  ld_buf value = {0};
  check_refused(ld_text("key"), ld_text("of another program"), LD_INVALID, "no larder store");
  check_refused(ld_text("key"), LD_SLICE_NONE, LD_INVALID, "no larder store");
  ld_row_encode(ld_text("\x02"
                        "room"),
                1, ld_text("x"), &value);
  check_refused(ld_text("\x02"
                        "room"),
                ld_buf_slice(&value), LD_CORRUPT, "signature");
  CHECK_RC(LD_OK, open_with(LD_SLICE_NONE, LD_SLICE_NONE, &store, &error));
  CHECK(rows(store) == 1);
  ld_engine_close(store);
  ld_buf_clear(&value);
}

/* ---- opening ---- */

static void test_open(void) {
  ld_engine *store = NULL;
  ld_env env = ld_env_system();
  ld_option option = {"colour", "red"};
  ld_error error = {0};
  CHECK_RC(LD_INVALID, ld_store_open(&ld_memory_engine, &env, &option, 1, &store, &error));
  CHECK(store == NULL && strstr(error.text, "colour") != NULL);
  CHECK_RC(LD_INVALID, ld_store_open(&ld_memory_engine, &env, &option, 1, &store, NULL));
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, &error));
  ld_row row;
  ld_txn *txn;
  ld_slice format;
  ld_token token;
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_OK, ld_row_get(txn, signature_key, &row));
  CHECK(ld_value_field(row.payload, "format", &format) && ld_value_next(&format, &token));
  CHECK(token.kind == LD_INT && token.integer == LD_STORE_FORMAT);
  ld_engine_close(store);
}

static void test_engines(void) {
  const char *const *names = ld_engine_names();
  size_t count = 0;
  for (; names[count] != NULL; count++) {
    const ld_engine_ops *ops = ld_engine_named(names[count]);
    CHECK(ops != NULL && strcmp(ops->name, names[count]) == 0 && ops->abi == LD_ENGINE_ABI);
  }
  CHECK(count == 3 && ld_engine_named("lmdb") == &ld_lmdb_engine);
  CHECK(ld_engine_named("") == NULL && ld_engine_named("Memory") == NULL);
}

int main(void) {
  test_formats();
  test_damaged();
  test_without_signature();
  test_open();
  test_engines();
  return check_done("store");
}
