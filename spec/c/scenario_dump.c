/* scenario_dump.c -- see scenario_dump.h. */
#include "scenario_dump.h"

#include "../../csrc/copy.h"
#include "../../csrc/dump.h"
#include "../../csrc/json.h"

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
