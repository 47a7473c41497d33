/* scenario_dump.c -- see scenario_dump.h. */
#include "scenario_dump.h"

#include "../../csrc/copy.h"
#include "../../csrc/dump.h"
#include "../../csrc/json.h"
#include "../../csrc/store.h"
#include "../../csrc/value.h"
#include "check.h"

ld_rc scenario_content(ld_txn *txn, ld_buf *result) {
  ld_scope all = {.names = LD_SLICE_NONE};
  size_t before = result->size;
  ld_rc rc = ld_copy_report(txn, &all, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

ld_rc scenario_dump_text(ld_txn *txn, ld_buf *result) {
  ld_dump dump = {.lines = 0};
  ld_buf text = {0};
  ld_rc rc = LD_OK;
  while (rc == LD_OK && !dump.done) rc = ld_dump_some(txn, &dump, 300, &text);
  if (rc == LD_OK) ld_buf_add(result, ld_buf_slice(&text));
  ld_dump_clear(&dump);
  ld_buf_clear(&text);
  return rc;
}

static ld_rc put(ld_txn *txn, ld_record_writer *writer, const char *json) {
  ld_buf record = {0};
  ld_rc rc = ld_json_parse(ld_text(json), &record, &txn->engine->error);
  if (rc == LD_OK) rc = ld_record_put(txn, writer, ld_buf_slice(&record));
  ld_buf_clear(&record);
  return rc;
}

ld_rc scenario_put_records(ld_txn *txn, ld_buf *result) {
  static const char *const records[] = {
      "{\"kind\":\"room\",\"room\":{\"roomName\":\"loaded\",\"userProgress\":{\"ada\":1}},"
      "\"savedAt\":5,\"ratedAt\":{\"ada\":6}}",
      "{\"kind\":\"collection\",\"collection\":\"loaded\",\"declaration\":{\"key\":\"id\","
      "\"indexes\":[{\"name\":\"a\",\"parts\":[\"a\"]}]}}",
      "{\"kind\":\"document\",\"collection\":\"loaded\",\"document\":{\"id\":1,\"a\":2}}",
      "{\"kind\":\"document\",\"collection\":\"loaded\",\"version\":2,\"document\":{\"id\":2}}",
      "{\"kind\":\"entry\",\"map\":\"loaded\",\"key\":[\"k\",1],\"value\":null}",
      "{\"kind\":\"queue\",\"queue\":\"loaded\",\"settings\":\"x\"}",
      "{\"kind\":\"state\",\"queue\":\"loaded\",\"key\":[7,\"k\"],\"value\":\"y\"}",
      "{\"kind\":\"job\",\"queue\":\"loaded\",\"key\":[4,9],\"head\":\"h\",\"data\":{\"a\":1}}"};
  ld_record_writer writer = {.number = 0};
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < sizeof records / sizeof *records && rc == LD_OK; i++)
    rc = put(txn, &writer, records[i]);
  ld_record_writer_clear(&writer);
  if (rc == LD_OK) ld_buf_byte(result, 1);
  return rc;
}

/* ---- copies ---- */

static ld_engine *source;
static ld_buf names; /* of the collections that are copied */

void dump_begin(void) {
  const ld_env env = ld_env_system();
  ld_buf done = {0};
  ld_cursor *cursor;
  ld_txn *txn;
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &source, NULL));
  CHECK_RC(LD_OK, ld_begin(source, true, &txn));
  CHECK_RC(LD_OK, scenario_put_records(txn, &done));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, ld_begin(source, false, &txn)); /* an engine keeps both for the next */
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  ld_cursor_close(cursor);
  ld_rollback(txn);
  ld_write_array(&names, 1);
  ld_write_text(&names, "loaded");
  ld_buf_clear(&done);
}

void dump_end(void) {
  ld_engine_close(source);
  ld_buf_clear(&names);
}

static ld_rc copy_all(ld_txn *from, ld_txn *to, ld_buf *report) {
  ld_copy copy = {.scope = {.names = ld_buf_slice(&names)}};
  ld_copy_batch batch = {.most = 2};
  ld_rc rc = ld_copy_begin(from, to, &copy);
  while (rc == LD_OK && !batch.done) rc = ld_copy_some(from, to, &copy, &batch);
  if (rc == LD_OK) rc = ld_copy_verify(from, to, &copy.scope, report);
  return rc == LD_OK ? ld_copy_end(to) : rc;
}

ld_rc scenario_copy(ld_txn *txn, ld_buf *result) {
  ld_buf report = {0};
  ld_txn *from;
  ld_rc rc = ld_begin(source, false, &from);
  if (rc != LD_OK) return ld_fail(&txn->engine->error, rc, "%s", source->error.text);
  rc = copy_all(from, txn, &report);
  if (rc == LD_OK) ld_buf_add(result, ld_buf_slice(&report));
  ld_buf_clear(&report);
  ld_rollback(from);
  return rc;
}
