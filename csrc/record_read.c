/* record_read.c -- the records of a store, see record.h. */
#include "map.h"
#include "queue.h"
#include "record.h"
#include "room.h"
#include "tuple.h"
#include "value.h"
#include "version.h"

const char *const ld_record_kinds[] = {"room", "collection", "document", "entry", "queue",
                                       "job",  "state",      "row",      NULL};
const char *const ld_record_count_names[] = {"rooms",  "collections", "documents", "entries",
                                             "queues", "jobs",        "rows",      NULL};

bool ld_record_count(ld_slice record, ld_record_counts *counts) {
  uint64_t *const places[] = {&counts->rooms,   &counts->collections, &counts->documents,
                              &counts->entries, &counts->queues,      &counts->jobs,
                              &counts->rows,    &counts->rows};
  ld_slice value;
  ld_token kind;
  if (!ld_value_field(record, "kind", &value) || !ld_value_next(&value, &kind)) return false;
  for (size_t i = 0; ld_is_string(&kind) && ld_record_kinds[i] != NULL; i++) {
    if (!ld_equal(kind.bytes, ld_text(ld_record_kinds[i]))) continue;
    (*places[i])++;
    return true;
  }
  return false;
}

/* ---- what is a program's ---- */

bool ld_record_document(ld_slice record, ld_slice *document, ld_slice *name) {
  static const char *const fields[] = {"room", "document", "value", "data"};
  static const char *const names[] = {"collection", "map", "queue"};
  ld_slice kind, value;
  ld_token token;
  *name = LD_SLICE_NONE;
  if (!ld_value_field(record, "kind", &kind) || !ld_value_next(&kind, &token)) return false;
  if (ld_equal(token.bytes, LD_LITERAL("state")) || ld_equal(token.bytes, LD_LITERAL("row")))
    return false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ld_value_field(record, names[i], &value) && ld_value_next(&value, &token))
      *name = token.bytes;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (ld_value_field(record, fields[i], document)) return true;
  return false;
}

void ld_record_replace(ld_slice record, ld_slice document, ld_buf *changed) {
  ld_slice old, name;
  if (!ld_record_document(record, &old, &name)) return;
  size_t before = (size_t)(old.data - record.data);
  ld_buf_add(changed, ld_bytes(record.data, before));
  ld_buf_add(changed, document);
  ld_buf_add(changed, ld_bytes(old.data + old.size, record.size - before - old.size));
}

static ld_rc no_memory(ld_txn *txn) { return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory"); }

/* Or there was no memory to see that it is not. */
static ld_rc damaged(const ld_records *records, const ld_buf *record, const char *what) {
  ld_txn *txn = records->txn;
  if (records->scratch.failed || records->name.failed || (record != NULL && record->failed))
    return no_memory(txn);
  return ld_fail(ld_error_of(txn), LD_CORRUPT, "%s is damaged; restore the store from a backup",
                 what);
}

/* ---- fields ---- */

static void open_record(ld_buf *record, size_t fields, const char *kind) {
  ld_write_map(record, fields + 1);
  ld_write_text(record, "kind");
  ld_write_text(record, kind);
}

static void add_string(ld_buf *record, const char *name, ld_slice bytes) {
  ld_write_text(record, name);
  ld_write_string(record, bytes);
}

static void add_value(ld_buf *record, const char *name, ld_slice value) {
  ld_write_text(record, name);
  ld_buf_add(record, value);
}

static void add_int(ld_buf *record, const char *name, int64_t integer) {
  ld_write_text(record, name);
  ld_write_int(record, integer);
}

/* A tuple as an array, of whatever is in it. */
static bool add_tuple(ld_records *records, ld_buf *record, ld_slice tuple) {
  ld_part part;
  ld_rc rc;
  ld_write_text(record, "key");
  size_t opened = ld_write_open(record), count = 0;
  while ((rc = ld_tuple_next(&tuple, &part, &records->scratch)) == LD_OK) {
    count++;
    switch (part.kind) {
    case LD_PART_INT: ld_write_int(record, part.integer); break;
    case LD_PART_FLOAT: ld_write_float(record, part.number); break;
    case LD_PART_STRING: ld_write_string(record, part.bytes); break;
    case LD_PART_BOOL: ld_write_bool(record, part.truth); break;
    default: ld_write_nil(record); break;
    }
  }
  ld_write_close(record, opened, LD_ARRAY, count);
  return rc == LD_NOTFOUND;
}

/* The first part of a row's key, a string, and what follows it. */
static bool take_name(ld_records *records, ld_slice key, ld_slice *name, ld_slice *rest) {
  ld_part part;
  *rest = ld_bytes(key.data + 1, key.size - 1);
  if (ld_tuple_next(rest, &part, &records->name) != LD_OK || part.kind != LD_PART_STRING)
    return false;
  *name = part.bytes;
  return true;
}

/* ---- rows ---- */

static ld_rc read_room(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_slice name, rest;
  ld_buf times = {0};
  int64_t saved_at = 0;
  if (!take_name(records, row->key, &name, &rest)) return damaged(records, record, "a room's key");
  ld_rc rc = ld_room_times_of(records->txn, name, &saved_at, &times);
  bool rated = times.size > 1; /* an empty map is one byte */
  open_record(record, rated ? 3 : 2, "room");
  ld_write_text(record, "room");
  if (rc == LD_OK) rc = ld_room_get(records->txn, name, LD_ROOM_WHOLE, record);
  add_int(record, "savedAt", saved_at);
  if (rated) add_value(record, "ratedAt", ld_buf_slice(&times));
  if (times.failed) rc = no_memory(records->txn);
  ld_buf_clear(&times);
  return rc;
}

/* What a program declares: without numbers and states. */
static ld_rc read_collection(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_declaration declaration;
  ld_slice name, rest;
  if (!take_name(records, row->key, &name, &rest)) return damaged(records, record, "a name");
  ld_rc rc = ld_declaration_read(row->payload, &declaration, ld_error_of(records->txn));
  if (rc != LD_OK) return rc;
  open_record(record, 2, "collection");
  add_string(record, "collection", name);
  ld_write_text(record, "declaration");
  for (unsigned i = 0; i < declaration.count; i++) ld_index_reset(&declaration.indexes[i]);
  ld_declaration_write(&declaration, record);
  ld_declaration_clear(&declaration);
  return LD_OK;
}

static ld_rc read_document(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_slice name, rest, document;
  uint64_t version;
  if (!take_name(records, row->key, &name, &rest) ||
      !ld_version_split(row->payload, &version, &document))
    return damaged(records, record, "a document");
  open_record(record, version > 1 ? 3 : 2, "document");
  add_string(record, "collection", name);
  if (version > 1) add_int(record, "version", (int64_t)version);
  add_value(record, "document", document);
  return LD_OK;
}

/* NOTFOUND: it is the map's count. */
static ld_rc read_entry(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_slice name, rest;
  if (!take_name(records, row->key, &name, &rest)) return damaged(records, record, "a map's key");
  if (rest.size == 0) return LD_NOTFOUND;
  open_record(record, 3, "entry");
  add_string(record, "map", name);
  ld_write_text(record, "key");
  if (!ld_map_write_key(record, rest)) return damaged(records, record, "a map's key");
  add_value(record, "value", row->payload);
  return LD_OK;
}

static ld_rc read_queue(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_slice name, rest, payload = row->payload;
  uint64_t number;
  if (!take_name(records, row->key, &name, &rest) || !ld_read_varint(&payload, &number))
    return damaged(records, record, "a queue");
  open_record(record, 2, "queue");
  add_string(record, "queue", name);
  add_string(record, "settings", payload);
  return LD_OK;
}

typedef struct queue_search {
  ld_records *records;
  int64_t number;
} queue_search;

static ld_rc is_wanted(queue_search *search, const ld_row *row) {
  ld_slice name, rest, payload = row->payload;
  uint64_t number;
  if (!take_name(search->records, row->key, &name, &rest) || !ld_read_varint(&payload, &number))
    return damaged(search->records, NULL, "a queue");
  if ((int64_t)number != search->number) return LD_OK;
  ld_buf_reset(&search->records->queue);
  ld_buf_add(&search->records->queue, name);
  search->records->number = search->number;
  return search->records->queue.failed ? no_memory(search->records->txn) : LD_NOTFOUND;
}

/* The name of the queue of that number goes to `queue`. */
static ld_rc find_queue(ld_records *records, int64_t number) {
  static const uint8_t space = LD_SPACE_QUEUE;
  queue_search search = {records, number};
  ld_scan scan;
  ld_row row;
  if (records->number == number) return LD_OK;
  ld_rc rc = ld_scan_begin(&scan, records->txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK && (rc = is_wanted(&search, &row)) == LD_OK) {
  }
  ld_scan_end(&scan);
  if (rc != LD_NOTFOUND) return rc;
  return records->number == number ? LD_OK : damaged(records, NULL, "a queue");
}

static ld_rc read_job(ld_records *records, ld_slice tuple, const ld_job *job, ld_slice head,
                      ld_buf *record) {
  ld_buf documents = {0};
  ld_slice data;
  ld_job shown = *job;
  ld_job_write(&shown, &documents);
  ld_slice rest = ld_buf_slice(&documents);
  bool fine = !documents.failed && ld_value_take(&rest, &data);
  open_record(record, 5, "job");
  add_string(record, "queue", ld_buf_slice(&records->queue));
  add_value(record, "job", fine ? data : LD_SLICE_NONE);
  record->failed = record->failed || documents.failed;
  fine = add_tuple(records, record, tuple) && fine;
  add_string(record, "head", head);
  add_value(record, "data", job->data);
  ld_buf_clear(&documents);
  return fine ? LD_OK : damaged(records, record, "a job");
}

static ld_rc read_queue_row(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_slice tuple = ld_bytes(row->key.data + 1, row->key.size - 1), head;
  ld_part number;
  ld_job job;
  if (ld_tuple_next(&tuple, &number, NULL) != LD_OK || number.kind != LD_PART_INT)
    return damaged(records, record, "a queue");
  ld_rc rc = find_queue(records, number.integer);
  if (rc != LD_OK) return rc;
  rc = ld_job_of_row(tuple, row->payload, &job, &head);
  if (rc == LD_CORRUPT) return damaged(records, record, "a job");
  if (rc == LD_OK) return read_job(records, tuple, &job, head, record);
  open_record(record, 3, "state");
  add_string(record, "queue", ld_buf_slice(&records->queue));
  if (!add_tuple(records, record, tuple)) return damaged(records, record, "a queue");
  add_string(record, "value", row->payload);
  return LD_OK;
}

static ld_rc read_row(ld_records *records, const ld_row *row, ld_buf *record) {
  ld_slice tuple = ld_bytes(row->key.data + 1, row->key.size - 1);
  open_record(record, 3, "row");
  add_int(record, "space", row->key.data[0]);
  size_t before = record->size;
  if (!add_tuple(records, record, tuple)) {
    record->size = before;
    add_string(record, "bytes", tuple);
  }
  add_string(record, "value", row->payload);
  return LD_OK;
}

/* ---- the way ---- */

/* The space to go on with, where the rows of a space are none of the records. */
static uint8_t space_behind(uint8_t space) {
  switch (space) {
  case LD_SPACE_STORE: return LD_SPACE_ROOM;
  case LD_SPACE_RATING:
  case LD_SPACE_PROGRESS: return LD_SPACE_COLLECTION;
  case LD_SPACE_COUNT:
  case LD_SPACE_INDEX: return LD_SPACE_MAP;
  case LD_SPACE_CACHE:
  case LD_SPACE_CACHE_ROW: return LD_SPACE_CACHE_ROW + 1;
  default: return 0;
  }
}

static ld_rc read_one(ld_records *records, const ld_row *row, ld_buf *record) {
  switch (row->key.data[0]) {
  case LD_SPACE_ROOM: return read_room(records, row, record);
  case LD_SPACE_COLLECTION: return read_collection(records, row, record);
  case LD_SPACE_DOCUMENT: return read_document(records, row, record);
  case LD_SPACE_MAP: return read_entry(records, row, record);
  case LD_SPACE_QUEUE: return read_queue(records, row, record);
  case LD_SPACE_JOB: return read_queue_row(records, row, record);
  default: return read_row(records, row, record);
  }
}

ld_rc ld_records_begin(ld_records *records, ld_txn *txn, const ld_scope *scope, ld_slice place) {
  ld_slice key, value;
  *records = (ld_records){.txn = txn, .scope = scope};
  ld_rc rc = ld_cursor_open(txn, &records->cursor);
  if (rc != LD_OK || place.size == 0) return rc;
  rc = ld_cursor_seek(records->cursor, place);
  records->placed = rc == LD_OK;
  if (rc == LD_OK) rc = ld_cursor_current(records->cursor, &key, &value);
  if (rc == LD_OK && ld_equal(key, place)) records->placed = false;
  if (rc == LD_OK || rc == LD_NOTFOUND) return LD_OK;
  ld_records_end(records);
  return rc;
}

/* To the next row that may be one. */
static ld_rc step(ld_records *records, ld_slice *key) {
  ld_slice value;
  ld_rc rc = records->placed ? LD_OK : ld_cursor_next(records->cursor);
  records->placed = false;
  if (rc == LD_OK) rc = ld_cursor_current(records->cursor, key, &value);
  while (rc == LD_OK && space_behind(key->data[0]) != 0) {
    uint8_t space = space_behind(key->data[0]);
    rc = ld_cursor_seek(records->cursor, ld_bytes(&space, 1));
    if (rc == LD_OK) rc = ld_cursor_current(records->cursor, key, &value);
  }
  return rc;
}

ld_rc ld_records_next(ld_records *records, ld_buf *record) {
  size_t before = record->size;
  for (;;) {
    ld_row row;
    ld_slice key;
    ld_rc rc = step(records, &key);
    if (rc != LD_OK) return rc;
    rc = ld_row_current(records->cursor, &row);
    if (rc == LD_OK && !ld_scope_has(records->scope, row.key)) continue;
    if (rc == LD_OK) rc = read_one(records, &row, record);
    if (rc == LD_NOTFOUND) continue;
    if (rc == LD_OK && (record->failed || records->scratch.failed || records->name.failed))
      rc = no_memory(records->txn);
    if (rc != LD_OK) record->size = before;
    if (rc == LD_OK) records->place = key;
    return rc;
  }
}

void ld_records_end(ld_records *records) {
  ld_buf_clear(&records->scratch);
  ld_buf_clear(&records->name);
  ld_buf_clear(&records->queue);
  ld_cursor_close(records->cursor);
  records->cursor = NULL;
}
