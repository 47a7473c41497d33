/* record_put.c -- records written into a store, through the layers that they belong to; see record.h. */
#include "map.h"
#include "record.h"
#include "room.h"
#include "room_check.h"
#include "tuple.h"
#include "value.h"

static ld_rc no_memory(ld_txn *txn) { return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory"); }

/* ---- fields ---- */

static ld_rc missing(ld_txn *txn, const char *name, const char *what) {
  return ld_fail(ld_error_of(txn), LD_INVALID, "%s: expected %s", name, what);
}

static ld_rc get_value(ld_txn *txn, ld_slice record, const char *name, ld_slice *value) {
  return ld_value_field(record, name, value) ? LD_OK : missing(txn, name, "a value");
}

static ld_rc get_string(ld_txn *txn, ld_slice record, const char *name, ld_slice *bytes) {
  ld_slice value;
  ld_token token;
  if (!ld_value_field(record, name, &value) || !ld_value_next(&value, &token) ||
      !ld_is_string(&token))
    return missing(txn, name, "a string");
  *bytes = token.bytes;
  return LD_OK;
}

/* A whole number from 1. */
static ld_rc get_count(ld_txn *txn, ld_slice record, const char *name, int64_t otherwise,
                       int64_t *number) {
  ld_slice value;
  ld_token token;
  *number = otherwise;
  if (!ld_value_field(record, name, &value)) return LD_OK;
  if (!ld_value_next(&value, &token) || token.kind != LD_INT || token.integer < 0)
    return missing(txn, name, "a whole number");
  *number = token.integer;
  return LD_OK;
}

static ld_rc exists(ld_txn *txn, const char *what, ld_slice name) {
  ld_quoted quoted;
  return ld_fail(ld_error_of(txn), LD_EXISTS, "%s %s: is there already", what,
                 ld_quote(name, quoted));
}

/* ---- rooms ---- */

static ld_rc put_room(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice room, rated_at = LD_SLICE_NONE;
  ld_room_fields fields;
  ld_room_times times;
  ld_rc rc = get_value(txn, record, "room", &room);
  if (rc == LD_OK)
    rc = get_count(txn, record, "savedAt", ld_now(&txn->engine->env), &times.saved_at);
  if (rc == LD_OK) rc = ld_room_check(room, &fields, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  ld_value_field(record, "ratedAt", &rated_at);
  times.rated_at = rated_at;
  rc = writer->replace ? LD_NOTFOUND : ld_room_has(txn, fields.name);
  if (rc == LD_OK) return exists(txn, "room", fields.name);
  return rc == LD_NOTFOUND ? ld_room_restore(txn, room, &times) : rc;
}

/* ---- collections ---- */

static ld_rc use_collection(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice name;
  ld_rc rc = get_string(txn, record, "collection", &name);
  if (rc != LD_OK || ld_equal(ld_buf_slice(&writer->collection.name), name)) return rc;
  ld_collection_clear(&writer->collection);
  writer->collection = (ld_collection){.name = {0}};
  rc = ld_collection_init(&writer->collection, name, LD_SLICE_NONE, ld_error_of(txn));
  writer->collection.program = &writer->program;
  return rc;
}

/* Its indexes get numbers, and are ready, for they and the collection are empty. */
static ld_rc enter_declaration(ld_txn *txn, ld_record_writer *writer, ld_declaration *declaration) {
  ld_rc rc = LD_OK;
  for (unsigned i = 0; i < declaration->count && rc == LD_OK; i++) {
    ld_index_reset(&declaration->indexes[i]);
    declaration->indexes[i].ready = true;
    rc = ld_sequence_next(txn, &declaration->indexes[i].number);
  }
  return rc == LD_OK ? ld_collection_enter(txn, &writer->collection, declaration) : rc;
}

/* With `replace`, a collection that is there keeps its declaration, which must not contradict this one. */
static ld_rc put_collection(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_collection *collection = &writer->collection;
  ld_declaration declaration;
  ld_slice bytes;
  ld_rc rc = use_collection(txn, writer, record);
  if (rc == LD_OK) rc = get_value(txn, record, "declaration", &bytes);
  if (rc == LD_OK) rc = ld_collection_look(txn, collection);
  if (rc != LD_OK) return rc;
  bool there = collection->current.bytes.size > 0;
  if (there && !writer->replace) return exists(txn, "collection", ld_buf_slice(&collection->name));
  rc = ld_declaration_read(bytes, &declaration, ld_error_of(txn));
  if (rc == LD_CORRUPT) return ld_error_of(txn)->rc = LD_INVALID;
  if (rc != LD_OK) return rc;
  if (!there) rc = enter_declaration(txn, writer, &declaration);
  if (there && !ld_equal(declaration.key, ld_collection_key(collection)))
    rc = ld_fail(ld_error_of(txn), LD_INVALID, "the collection that is there has another key");
  ld_declaration_clear(&declaration);
  return rc;
}

static ld_rc put_document(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_put_options options = {writer->replace ? LD_PUT_ANY : LD_PUT_CREATE, 0};
  ld_slice document;
  int64_t version;
  ld_rc rc = use_collection(txn, writer, record);
  if (rc == LD_OK) rc = get_value(txn, record, "document", &document);
  if (rc == LD_OK) rc = get_count(txn, record, "version", 1, &version);
  if (rc != LD_OK) return rc;
  if (writer->collection.current.bytes.size == 0) rc = ld_collection_look(txn, &writer->collection);
  if (rc != LD_OK) return rc;
  /* A collection without versions stays one. */
  bool versioned = version > 1 || writer->collection.current.version > 0;
  writer->program = (ld_program){.version = versioned ? (uint64_t)version : 0};
  ld_buf_reset(&writer->stored);
  return ld_collection_put(txn, &writer->collection, document, options, &writer->stored);
}

/* ---- maps ---- */

static ld_rc put_entry(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice name, key, value;
  bool done = false;
  ld_rc rc = get_string(txn, record, "map", &name);
  if (rc == LD_OK) rc = get_value(txn, record, "key", &key);
  if (rc == LD_OK) rc = get_value(txn, record, "value", &value);
  ld_buf_reset(&writer->key);
  if (rc == LD_OK) rc = ld_map_read_key(key, &writer->key, ld_error_of(txn));
  if (rc == LD_OK && writer->key.failed) rc = no_memory(txn);
  if (rc == LD_OK)
    rc = ld_map_set(txn, name, ld_buf_slice(&writer->key), value, !writer->replace, &done);
  return rc == LD_OK && !done ? exists(txn, "an entry of map", name) : rc;
}

/* ---- queues and other rows ---- */

static ld_rc add_part(ld_txn *txn, ld_slice *rest, ld_buf *key) {
  ld_token part = {.kind = LD_ARRAY};
  ld_value_next(rest, &part);
  switch (part.kind) {
  case LD_NIL: ld_tuple_null(key); break;
  case LD_BOOL: ld_tuple_bool(key, part.truth); break;
  case LD_INT: ld_tuple_int(key, part.integer); break;
  case LD_FLOAT: ld_tuple_float(key, part.number); break;
  case LD_STR:
  case LD_BIN: ld_tuple_string(key, part.bytes); break;
  default: return missing(txn, "key", "a list of strings, numbers and booleans");
  }
  return LD_OK;
}

/* Put the row whose tuple, behind what is in `key` already, is in the record. */
static ld_rc put_at(ld_txn *txn, ld_record_writer *writer, ld_slice record, ld_slice payload) {
  ld_slice list;
  ld_token head = {.kind = LD_NIL};
  ld_rc rc = get_value(txn, record, "key", &list);
  if (rc == LD_OK) ld_value_next(&list, &head);
  if (rc == LD_OK && head.kind != LD_ARRAY) rc = missing(txn, "key", "a list");
  for (uint32_t i = 0; rc == LD_OK && i < head.count; i++) rc = add_part(txn, &list, &writer->key);
  if (rc == LD_OK && writer->key.failed) rc = no_memory(txn);
  return rc == LD_OK ? ld_row_put(txn, ld_buf_slice(&writer->key), payload) : rc;
}

static void queue_key(ld_record_writer *writer, ld_slice name) {
  ld_buf_reset(&writer->key);
  ld_buf_byte(&writer->key, LD_SPACE_QUEUE);
  ld_tuple_string(&writer->key, name);
}

/* Its number is a new one. */
static ld_rc put_queue(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice name, settings;
  ld_row row;
  uint64_t number = 0;
  ld_rc rc = get_string(txn, record, "queue", &name);
  if (rc == LD_OK) rc = get_string(txn, record, "settings", &settings);
  if (rc == LD_OK && (name.size == 0 || name.size > LD_PART_MAX))
    rc = missing(txn, "queue", "a name of 1 to 1023 bytes");
  if (rc != LD_OK) return rc;
  queue_key(writer, name);
  rc = writer->key.failed ? no_memory(txn) : ld_row_get(txn, ld_buf_slice(&writer->key), &row);
  if (rc == LD_OK) return exists(txn, "queue", name);
  if (rc == LD_NOTFOUND) rc = ld_sequence_next(txn, &number);
  ld_buf_reset(&writer->stored);
  ld_buf_varint(&writer->stored, number);
  ld_buf_add(&writer->stored, settings);
  if (rc == LD_OK && writer->stored.failed) rc = no_memory(txn);
  if (rc != LD_OK) return rc;
  return ld_row_put(txn, ld_buf_slice(&writer->key), ld_buf_slice(&writer->stored));
}

/* The number of the record's queue. */
static ld_rc use_queue(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice name;
  ld_row row;
  ld_quoted quoted;
  uint64_t number;
  ld_rc rc = get_string(txn, record, "queue", &name);
  if (rc != LD_OK || (writer->number > 0 && ld_equal(name, ld_buf_slice(&writer->queue))))
    return rc;
  queue_key(writer, name);
  writer->number = 0;
  ld_buf_reset(&writer->queue);
  ld_buf_add(&writer->queue, name);
  if (writer->key.failed || writer->queue.failed) return no_memory(txn);
  rc = ld_row_get(txn, ld_buf_slice(&writer->key), &row);
  if (rc == LD_NOTFOUND)
    rc = ld_fail(ld_error_of(txn), LD_INVALID, "queue %s: comes before its own record",
                 ld_quote(name, quoted));
  if (rc == LD_OK && !ld_read_varint(&row.payload, &number))
    rc = ld_fail(ld_error_of(txn), LD_CORRUPT, "queue %s: is damaged", ld_quote(name, quoted));
  if (rc == LD_OK) writer->number = (int64_t)number;
  return rc;
}

static ld_rc put_queue_row(ld_txn *txn, ld_record_writer *writer, ld_slice record,
                           ld_slice payload) {
  ld_rc rc = use_queue(txn, writer, record);
  if (rc != LD_OK) return rc;
  ld_buf_reset(&writer->key);
  ld_buf_byte(&writer->key, LD_SPACE_JOB);
  ld_tuple_int(&writer->key, writer->number);
  return put_at(txn, writer, record, payload);
}

static ld_rc put_job(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice head, data;
  ld_rc rc = get_string(txn, record, "head", &head);
  if (rc == LD_OK) rc = get_value(txn, record, "data", &data);
  if (rc != LD_OK) return rc;
  ld_buf_reset(&writer->stored);
  ld_buf_add(&writer->stored, head);
  ld_buf_add(&writer->stored, data);
  return writer->stored.failed ? no_memory(txn)
                               : put_queue_row(txn, writer, record, ld_buf_slice(&writer->stored));
}

static ld_rc put_state(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice value;
  ld_rc rc = get_string(txn, record, "value", &value);
  return rc == LD_OK ? put_queue_row(txn, writer, record, value) : rc;
}

static ld_rc put_row(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice value, bytes;
  int64_t space;
  ld_rc rc = get_string(txn, record, "value", &value);
  if (rc == LD_OK) rc = get_count(txn, record, "space", 0, &space);
  if (rc != LD_OK) return rc;
  if (space == LD_SPACE_CACHE || space == LD_SPACE_CACHE_ROW)
    return LD_OK; /* of a version that did not know that they are left out */
  if (space <= LD_SPACE_JOB || space > 0xff)
    return ld_fail(ld_error_of(txn), LD_INVALID, "space %lld: has records of its own",
                   (long long)space);
  if (!writer->was_empty)
    return ld_fail(ld_error_of(txn), LD_UNSUPPORTED,
                   "rows of space %lld, which this version does not know, go only into an empty "
                   "store",
                   (long long)space);
  ld_buf_reset(&writer->key);
  ld_buf_byte(&writer->key, (uint8_t)space);
  if (!ld_value_field(record, "bytes", &bytes)) return put_at(txn, writer, record, value);
  rc = get_string(txn, record, "bytes", &bytes);
  ld_buf_add(&writer->key, bytes);
  if (rc == LD_OK && writer->key.failed) rc = no_memory(txn);
  return rc == LD_OK ? ld_row_put(txn, ld_buf_slice(&writer->key), value) : rc;
}

/* ---- all ---- */

static const struct {
  const char *kind;
  ld_rc (*put)(ld_txn *txn, ld_record_writer *writer, ld_slice record);
} kinds[] = {{"room", put_room},         {"collection", put_collection},
             {"document", put_document}, {"entry", put_entry},
             {"queue", put_queue},       {"job", put_job},
             {"state", put_state},       {"row", put_row}};

ld_rc ld_record_put(ld_txn *txn, ld_record_writer *writer, ld_slice record) {
  ld_slice kind;
  ld_quoted quoted;
  ld_rc rc = get_string(txn, record, "kind", &kind);
  for (size_t i = 0; rc == LD_OK && i < sizeof kinds / sizeof *kinds; i++)
    if (ld_equal(kind, ld_text(kinds[i].kind))) {
      rc = kinds[i].put(txn, writer, record);
      return rc == LD_OK ? rc : ld_spoil(txn, rc);
    }
  if (rc == LD_OK)
    rc = ld_fail(ld_error_of(txn), LD_UNSUPPORTED, "kind %s: a newer version wrote this",
                 ld_quote(kind, quoted));
  return ld_spoil(txn, rc);
}

void ld_record_writer_clear(ld_record_writer *writer) {
  ld_collection_clear(&writer->collection);
  ld_buf_clear(&writer->stored);
  ld_buf_clear(&writer->key);
  ld_buf_clear(&writer->queue);
}
