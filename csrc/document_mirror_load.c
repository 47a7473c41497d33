/* document_mirror_load.c -- files taken in through the layers, so that counts and indexes are made as ever.
**
** Everything that is wrong with a file is found before its first row is written, but a clash in a unique index. The clock says the file's time while it is loaded. */
#include "document_mirror_load.h"

#include <stdlib.h>

#include "collection.h"
#include "index.h"
#include "json.h"
#include "map.h"
#include "queue_mirror.h"
#include "room.h"
#include "row.h"
#include "tuple.h"

typedef struct loader {
  ld_txn *txn;
  ld_env env; /* the engine's own */
  int64_t time;
  bool replace;        /* an ordinary write: what is there gives way, the clock is right */
  ld_buf folder;       /* of the collection that is open; empty: none is */
  ld_buf queue_folder; /* likewise */
  int64_t queue;       /* its number */
  ld_collection collection;
  ld_program program;
  ld_buf document, stored, scratch;
} loader;

static ld_error *error_of(const loader *load) { return ld_error_of(load->txn); }

static ld_rc no_memory(const loader *load) {
  return ld_fail(error_of(load), LD_NOMEM, "file: out of memory");
}

static int64_t file_time(void *context) { return ((loader *)context)->time; }

static ld_rc twin(const loader *load, const char *what) {
  return ld_fail(error_of(load), LD_EXISTS, "%s is in another file as well", what);
}

/* ---- rooms ---- */

static ld_rc load_room(loader *load, ld_buf *unit) {
  ld_slice document = ld_buf_slice(&load->document), name;
  ld_token token;
  bool named = ld_value_field(document, "roomName", &name) && ld_value_next(&name, &token) &&
               ld_is_string(&token) && token.bytes.size > 0 && token.bytes.size <= LD_PART_MAX;
  if (named && !load->replace && ld_room_has(load->txn, token.bytes) == LD_OK)
    return twin(load, "the room");
  if (!load->replace) load->txn->engine->env.context = load;
  if (!load->replace) load->txn->engine->env.now_ms = file_time;
  ld_rc rc = ld_room_save(load->txn, document);
  load->txn->engine->env = load->env;
  if (rc != LD_OK) return rc;
  ld_buf_byte(unit, LD_SPACE_ROOM);
  ld_tuple_string(unit, token.bytes);
  return LD_OK;
}

/* ---- maps ---- */

static ld_rc load_entry(loader *load, ld_buf *unit) {
  ld_slice document = ld_buf_slice(&load->document), map, key, value;
  ld_token name;
  bool done = false;
  if (!ld_value_field(document, "map", &map) || !ld_value_next(&map, &name) ||
      !ld_is_string(&name) || !ld_value_field(document, "key", &key) ||
      !ld_value_field(document, "value", &value))
    return ld_fail(error_of(load), LD_INVALID, "expected an object with map, key and value");
  ld_buf_reset(&load->scratch);
  ld_rc rc = ld_map_read_key(key, &load->scratch, error_of(load));
  ld_slice tuple = ld_buf_slice(&load->scratch);
  if (rc == LD_OK) rc = ld_map_set(load->txn, name.bytes, tuple, value, !load->replace, &done);
  if (rc == LD_OK && !done) return twin(load, "the entry");
  ld_buf_byte(unit, LD_SPACE_MAP);
  ld_tuple_string(unit, name.bytes);
  ld_buf_add(unit, tuple);
  return rc;
}

/* ---- collections ---- */

typedef struct search {
  ld_slice folder;
  ld_buf name, made;
} search;

/* NOTFOUND ends the walk. */
static ld_rc compare_folder(void *context, ld_slice name) {
  search *wanted = context;
  ld_buf_reset(&wanted->made);
  document_mirror_folder(name, &wanted->made);
  if (!ld_equal(ld_buf_slice(&wanted->made), wanted->folder)) return LD_OK;
  ld_buf_add(&wanted->name, name);
  return LD_NOTFOUND;
}

/* Open the collection whose folder that is. NOTFOUND: it is nobody's. */
static ld_rc open_folder(loader *load, ld_slice folder) {
  search wanted = {.folder = folder};
  if (ld_equal(folder, ld_buf_slice(&load->folder))) return LD_OK;
  ld_buf_reset(&load->folder);
  ld_collection_clear(&load->collection);
  load->collection = (ld_collection){.program = NULL};
  ld_rc rc = ld_collections_each(load->txn, compare_folder, &wanted);
  if (rc == LD_OK && wanted.name.size == 0) rc = LD_NOTFOUND;
  if (rc == LD_OK)
    rc = ld_collection_init(&load->collection, ld_buf_slice(&wanted.name), LD_SLICE_NONE,
                            error_of(load));
  if (rc == LD_OK) rc = ld_collection_look(load->txn, &load->collection);
  if (rc == LD_OK) ld_buf_add(&load->folder, folder);
  if (rc == LD_OK && load->folder.failed) rc = no_memory(load);
  ld_buf_clear(&wanted.name);
  ld_buf_clear(&wanted.made);
  return rc;
}

/* Out of {"$version": 2, "$document": {...}}. */
static ld_rc unwrap(loader *load, ld_slice *document) {
  ld_slice version;
  ld_token number;
  load->program = (ld_program){.version = 1};
  if (!ld_value_field(*document, "$version", &version))
    return ld_value_check(*document, error_of(load));
  if (!ld_value_next(&version, &number) || number.kind != LD_INT || number.integer < 1 ||
      !ld_value_field(*document, "$document", document))
    return ld_fail(error_of(load), LD_INVALID, "expected $version, a whole number, and $document");
  load->program.version = (uint64_t)number.integer;
  return LD_OK;
}

/* A declaration without documents is a map all the same: the file's version is kept, whatever is declared. */
static ld_rc load_document(loader *load, ld_buf *unit) {
  ld_put_options options = {.mode = load->replace ? LD_PUT_ANY : LD_PUT_CREATE};
  ld_slice document = ld_buf_slice(&load->document), id;
  ld_rc rc = unwrap(load, &document);
  if (rc != LD_OK) return rc;
  id = ld_collection_find_id(&load->collection, document);
  rc = ld_collection_check_id(id, error_of(load));
  if (rc != LD_OK) return rc;
  load->collection.program = &load->program;
  ld_buf_reset(&load->stored);
  rc = ld_collection_put(load->txn, &load->collection, document, options, &load->stored);
  if (rc != LD_OK) return rc;
  ld_buf_byte(unit, LD_SPACE_DOCUMENT);
  ld_tuple_string(unit, ld_buf_slice(&load->collection.name));
  ld_index_id(id, unit);
  return LD_OK;
}

/* ---- queues ---- */

static ld_rc open_queue(loader *load, ld_slice folder) {
  if (ld_equal(folder, ld_buf_slice(&load->queue_folder))) return LD_OK;
  ld_buf_reset(&load->queue_folder);
  ld_rc rc = queue_mirror_open(load->txn, folder, &load->queue);
  if (rc == LD_OK) ld_buf_add(&load->queue_folder, folder);
  return rc == LD_OK && load->queue_folder.failed ? no_memory(load) : rc;
}

static ld_rc load_job(loader *load, ld_buf *unit) {
  return queue_mirror_load(load->txn, load->queue, ld_buf_slice(&load->document), unit);
}

/* ---- the loader ---- */

ld_rc document_mirror_begin(ld_txn *txn, void **out) {
  loader *load = calloc(1, sizeof *load);
  if (load == NULL) return ld_fail(ld_error_of(txn), LD_NOMEM, "file: out of memory");
  load->txn = txn;
  load->env = txn->engine->env;
  *out = load;
  return LD_OK;
}

/* Whether the folder is in another one; then that is cut off. */
static bool is_in(ld_slice *folder, const char *above) {
  size_t size = strlen(above);
  if (!ld_starts_with(*folder, ld_text(above))) return false;
  *folder = ld_bytes(folder->data + size, folder->size - size);
  return true;
}

typedef ld_rc (*load_kind)(loader *load, ld_buf *unit);

/* What files in the folder of this path are. NOTFOUND: nobody's; they may be anything then, and are not looked into. */
static ld_rc find_kind(loader *load, ld_slice path, load_kind *kind) {
  size_t size = path.size;
  while (size > 0 && path.data[size - 1] != '/') size--;
  if (size == 0) return LD_NOTFOUND;
  ld_slice folder = ld_bytes(path.data, size - 1);
  *kind = ld_equal(folder, LD_LITERAL("rooms")) ? load_room : load_entry;
  if (*kind == load_room || is_in(&folder, "maps/")) return LD_OK;
  *kind = is_in(&folder, "queue/") ? load_job : load_document;
  return *kind == load_job ? open_queue(load, folder) : open_folder(load, folder);
}

ld_rc document_mirror_load(void *context, ld_slice path, ld_slice text, int64_t time,
                           ld_buf *unit) {
  loader *load = context;
  load_kind kind = NULL;
  load->time = time;
  ld_buf_reset(&load->document);
  ld_rc rc = find_kind(load, path, &kind);
  if (rc != LD_OK) return rc;
  rc = kind == load_room ? ld_json_parse(text, &load->document, error_of(load))
                         : ld_json_parse_wrapped(text, &load->document, error_of(load));
  if (rc == LD_OK) rc = kind(load, unit);
  return rc == LD_OK && unit->failed ? no_memory(load) : rc;
}

ld_rc document_mirror_end(void *context, ld_rc rc) {
  loader *load = context;
  if (rc == LD_OK && !load->replace) rc = queue_mirror_end(load->txn);
  if (rc == LD_OK) rc = ld_sequence_save(load->txn);
  ld_collection_clear(&load->collection);
  ld_buf_clear(&load->folder);
  ld_buf_clear(&load->queue_folder);
  ld_buf_clear(&load->document);
  ld_buf_clear(&load->stored);
  ld_buf_clear(&load->scratch);
  free(load);
  return rc;
}

ld_rc document_mirror_replace(ld_txn *txn, ld_slice path, ld_slice text) {
  void *context = NULL;
  ld_buf unit = {0};
  ld_rc rc = document_mirror_begin(txn, &context);
  if (rc != LD_OK) return rc;
  ((loader *)context)->replace = true;
  rc = document_mirror_load(context, path, text, 0, &unit);
  rc = document_mirror_end(context, rc);
  ld_buf_clear(&unit);
  return rc;
}
