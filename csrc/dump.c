/* dump.c -- see dump.h. */
#include "dump.h"

#include <stdio.h>
#include <time.h>

#include "json.h"
#include "queue.h"
#include "store.h"
#include "tuple.h"
#include "unfinished.h"
#include "value.h"

/* ---- counting ---- */

/* Whether a map's row is an entry: its key has more than the name. */
static ld_rc count_map_row(ld_cursor *cursor, ld_record_counts *counts, ld_buf *scratch) {
  ld_row row;
  ld_part name;
  ld_rc rc = ld_row_current(cursor, &row);
  if (rc != LD_OK) return rc;
  ld_slice rest = ld_bytes(row.key.data + 1, row.key.size - 1);
  rc = ld_tuple_next(&rest, &name, scratch);
  if (rc == LD_NOMEM) return ld_fail(ld_error_of(cursor->txn), rc, "dump: out of memory");
  if (rc == LD_OK && rest.size > 0) counts->entries++;
  return LD_OK;
}

static ld_rc count_queue_row(ld_cursor *cursor, ld_record_counts *counts) {
  ld_row row;
  ld_job job;
  ld_slice head;
  ld_part number;
  ld_rc rc = ld_row_current(cursor, &row);
  if (rc != LD_OK) return rc;
  ld_slice tuple = ld_bytes(row.key.data + 1, row.key.size - 1);
  ld_tuple_next(&tuple, &number, NULL);
  bool is_job = ld_job_of_row(tuple, row.payload, &job, &head) == LD_OK;
  *(is_job ? &counts->jobs : &counts->rows) += 1;
  return LD_OK;
}

static ld_rc count_row(ld_cursor *cursor, const ld_scope *scope, ld_slice key,
                       ld_record_counts *counts, ld_buf *scratch) {
  ld_row row = {.key = key};
  bool whole = scope->names.size == 0 || key.size < LD_KEY_MAX;
  ld_rc rc = whole ? LD_OK : ld_row_current(cursor, &row);
  if (rc != LD_OK || !ld_scope_has(scope, row.key)) return rc;
  switch (key.data[0]) {
  case LD_SPACE_ROOM: counts->rooms++; return LD_OK;
  case LD_SPACE_COLLECTION: counts->collections++; return LD_OK;
  case LD_SPACE_DOCUMENT: counts->documents++; return LD_OK;
  case LD_SPACE_MAP: return count_map_row(cursor, counts, scratch);
  case LD_SPACE_QUEUE: counts->queues++; return LD_OK;
  case LD_SPACE_JOB: return count_queue_row(cursor, counts);
  case LD_SPACE_STORE:
  case LD_SPACE_RATING:
  case LD_SPACE_PROGRESS:
  case LD_SPACE_COUNT:
  case LD_SPACE_INDEX: return LD_OK;
  default: counts->rows++; return LD_OK;
  }
}

static ld_rc count_rows(ld_txn *txn, const ld_scope *scope, ld_record_counts *counts) {
  ld_cursor *cursor;
  ld_slice key, value;
  ld_buf scratch = {0};
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return rc;
  while ((rc = ld_cursor_next(cursor)) == LD_OK) {
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc == LD_OK) rc = count_row(cursor, scope, key, counts, &scratch);
    if (rc != LD_OK) break;
  }
  ld_cursor_close(cursor);
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- lines ---- */

ld_rc ld_dump_line(ld_slice record, ld_buf *text, ld_error *error) {
  ld_token head = {.count = 0}, key;
  ld_slice value;
  ld_rc rc = LD_OK;
  size_t before = text->size;
  ld_value_next(&record, &head);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    if (!ld_value_next(&record, &key) || !ld_value_take(&record, &value))
      return ld_fail(error, LD_CORRUPT, "a record is damaged");
    ld_buf_add(text, i == 0 ? LD_LITERAL("{\"") : LD_LITERAL(",\""));
    ld_buf_add(text, key.bytes);
    ld_buf_add(text, LD_LITERAL("\":"));
    rc = ld_json_print(value, false, text, error);
  }
  ld_buf_byte(text, '}');
  if (rc == LD_OK && text->failed) rc = ld_fail(error, LD_NOMEM, "out of memory");
  if (rc != LD_OK) text->size = before;
  return rc;
}

static void write_counts(const ld_record_counts *counts, ld_buf *text) {
  const uint64_t numbers[] = {counts->rooms,   counts->collections, counts->documents,
                              counts->entries, counts->queues,      counts->jobs,
                              counts->rows};
  for (size_t i = 0; ld_record_count_names[i] != NULL; i++)
    ld_buf_printf(text, ",\"%s\":%llu", ld_record_count_names[i], (unsigned long long)numbers[i]);
}

/* The line from `start` on ends, and counts. */
static void end_line(ld_dump *dump, ld_buf *text, size_t start) {
  ld_buf_byte(text, '\n');
  if (text->failed) return;
  ld_slice line = ld_bytes(text->data + start, text->size - start);
  dump->checksum = ld_crc32c(dump->checksum, line);
  dump->bytes += line.size;
  dump->lines++;
}

static void write_time(int64_t ms, ld_buf *text) {
  time_t seconds = (time_t)(ms / 1000);
  struct tm parts;
  char date[40] = "";
  gmtime_r(&seconds, &parts);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  ld_buf_printf(text, "%s.%03dZ", date, (int)(ms % 1000));
}

static ld_rc write_header(ld_txn *txn, ld_dump *dump, ld_buf *text) {
  uint64_t sequence;
  size_t start = text->size;
  ld_rc rc = dump->unfinished ? LD_OK : ld_unfinished_refuse(txn);
  if (rc == LD_OK) rc = ld_scope_check(&dump->scope, txn);
  if (rc == LD_OK) rc = ld_sequence_last(txn, &sequence);
  if (rc == LD_OK) rc = count_rows(txn, &dump->scope, &dump->expected);
  if (rc != LD_OK) return rc;
  ld_buf_printf(text, "{\"larder\":\"dump\",\"format\":%d,\"at\":\"", LD_DUMP_FORMAT);
  write_time(ld_now(&txn->engine->env), text);
  ld_buf_printf(text, "\",\"by\":\"%s\",\"sequence\":%llu", LD_VERSION,
                (unsigned long long)sequence);
  write_counts(&dump->expected, text);
  ld_buf_byte(text, '}');
  end_line(dump, text, start);
  return LD_OK;
}

static void write_trailer(ld_dump *dump, ld_buf *text) {
  ld_buf_printf(text, "{\"larder\":\"end\",\"lines\":%llu,\"bytes\":%llu,\"crc32c\":\"%08x\"",
                (unsigned long long)dump->lines, (unsigned long long)dump->bytes,
                (unsigned)dump->checksum);
  write_counts(&dump->counts, text);
  ld_buf_add(text, LD_LITERAL("}\n"));
  dump->done = true;
}

static ld_rc write_record(ld_dump *dump, ld_records *records, ld_buf *text) {
  size_t start = text->size;
  ld_rc rc = ld_dump_line(ld_buf_slice(&dump->record), text, ld_error_of(records->txn));
  if (rc != LD_OK) return rc;
  ld_record_count(ld_buf_slice(&dump->record), &dump->counts);
  end_line(dump, text, start);
  return LD_OK;
}

static ld_rc write_records(ld_txn *txn, ld_dump *dump, size_t most, ld_buf *text) {
  ld_records records;
  size_t end = text->size + most;
  ld_rc rc = ld_records_begin(&records, txn, &dump->scope, ld_buf_slice(&dump->place));
  if (rc != LD_OK) return rc;
  while (rc == LD_OK && text->size < end) {
    ld_buf_reset(&dump->record);
    rc = ld_records_next(&records, &dump->record);
    if (rc == LD_OK) rc = write_record(dump, &records, text);
  }
  if (rc == LD_OK) {
    ld_buf_reset(&dump->place);
    ld_buf_add(&dump->place, records.place);
  }
  ld_records_end(&records);
  return rc;
}

ld_rc ld_dump_some(ld_txn *txn, ld_dump *dump, size_t most, ld_buf *text) {
  ld_rc rc = dump->lines == 0 ? write_header(txn, dump, text) : LD_OK;
  if (rc == LD_OK) rc = write_records(txn, dump, most, text);
  if (rc == LD_NOTFOUND) {
    write_trailer(dump, text);
    rc = LD_OK;
  }
  if (rc == LD_OK && (text->failed || dump->place.failed))
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "dump: out of memory");
  return rc;
}

void ld_dump_clear(ld_dump *dump) {
  ld_buf_clear(&dump->place);
  ld_buf_clear(&dump->record);
}
