/* document_mirror.c -- where rows show, and what stands in their files; the way back is in document_mirror_load.c.
**
** The key of a unit is that of its row: of a room, a document, an entry of a map. Rows of ratings and progress know only the room's number: it is the
** alias of the room's unit. */
#include "document_mirror.h"

#include "collection.h"
#include "document_mirror_load.h"
#include "file_name.h"
#include "index.h"
#include "json.h"
#include "map.h"
#include "queue_mirror.h"
#include "room.h"
#include "room_row.h"
#include "tuple.h"
#include "version.h"

static ld_rc no_memory(ld_txn *txn) {
  return ld_fail(ld_error_of(txn), LD_NOMEM, "file: out of memory");
}

/* ---- where a row shows ---- */

static ld_shown in_file_of(ld_slice key, ld_mirror_place *place) {
  ld_buf_add(&place->unit, key);
  return LD_SHOWN_FILE;
}

/* The room's number in front of its payload, as the part of a key that its other rows have. */
static ld_shown find_room(ld_slice key, ld_slice payload, ld_mirror_place *place) {
  ld_token id;
  if (!ld_value_next(&payload, &id) || id.kind != LD_INT) return LD_SHOWN_ROW;
  ld_tuple_int(&place->alias, id.integer);
  return in_file_of(key, place);
}

static ld_shown find_part(ld_slice key, ld_mirror_place *place) {
  ld_part id;
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  if (ld_tuple_next(&rest, &id, NULL) != LD_OK || id.kind != LD_PART_INT) return LD_SHOWN_ROW;
  ld_tuple_int(&place->alias, id.integer);
  return LD_SHOWN_FILE;
}

static ld_shown find_entry(ld_slice key, ld_mirror_place *place) {
  ld_buf scratch = {0};
  ld_part map;
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  ld_rc rc = ld_tuple_next(&rest, &map, &scratch);
  ld_buf_clear(&scratch);
  if (rc != LD_OK) return LD_SHOWN_ROW;
  return rest.size == 0 ? LD_SHOWN_DERIVED : in_file_of(key, place);
}

/* A short key is the row's own, and the row need not be read for it. */
static ld_shown find(ld_slice engine_key, ld_slice value, ld_mirror_place *place) {
  ld_row row = {.key = engine_key};
  uint8_t space = engine_key.data[0];
  if (space == LD_SPACE_COUNT || space == LD_SPACE_INDEX) return LD_SHOWN_DERIVED;
  bool whole = engine_key.size < LD_KEY_MAX && space != LD_SPACE_ROOM && space != LD_SPACE_JOB;
  if (!whole && !ld_row_read(engine_key, value, &row)) return LD_SHOWN_ROW;
  switch (row.key.data[0]) {
  case LD_SPACE_STORE: return ld_sequence_is(row.key) ? LD_SHOWN_AHEAD : LD_SHOWN_ROW;
  case LD_SPACE_ROOM: return find_room(row.key, row.payload, place);
  case LD_SPACE_RATING:
  case LD_SPACE_PROGRESS: return find_part(row.key, place);
  case LD_SPACE_DOCUMENT: return in_file_of(row.key, place);
  case LD_SPACE_MAP: return find_entry(row.key, place);
  case LD_SPACE_QUEUE: return LD_SHOWN_LOOSE;
  case LD_SPACE_JOB: return queue_mirror_find(&row, place);
  default: return LD_SHOWN_ROW;
  }
}

/* ---- paths ---- */

/* Digits only, as an integer is written. */
static bool looks_like_number(ld_slice name) {
  size_t at = name.size > 1 && name.data[0] == '-' ? 1 : 0;
  for (; at < name.size; at++)
    if (name.data[at] < '0' || name.data[at] > '9') return false;
  return name.size > 0;
}

static void add_part(const ld_part *part, ld_buf *path) {
  if (part->kind == LD_PART_STRING)
    ld_file_name_part(part->bytes, looks_like_number(part->bytes), path);
  else if (part->kind == LD_PART_INT)
    ld_buf_printf(path, "%lld", (long long)part->integer);
}

void document_mirror_folder(ld_slice collection, ld_buf *path) {
  static const char *const taken[] = {"rooms", "maps", "queue", "quarantine"};
  bool escaped = false;
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
    escaped = escaped || ld_equal(collection, ld_text(taken[i]));
  ld_file_name(collection, escaped, path);
}

/* The name of the file: the parts that are left, with commas between. */
static ld_rc add_file(ld_slice rest, ld_buf *path, ld_buf *scratch) {
  size_t start = path->size;
  ld_slice whole = rest;
  ld_part part;
  ld_rc rc;
  while ((rc = ld_tuple_next(&rest, &part, scratch)) == LD_OK) {
    if (path->size > start) ld_buf_byte(path, ',');
    add_part(&part, path);
  }
  ld_file_name_fit(whole, start, path);
  ld_buf_add(path, LD_LITERAL(".json"));
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc add_folder(uint8_t space, ld_slice *rest, ld_buf *path, ld_buf *scratch) {
  ld_part name;
  if (space == LD_SPACE_ROOM) {
    ld_buf_add(path, LD_LITERAL("rooms"));
    return LD_OK;
  }
  ld_rc rc = ld_tuple_next(rest, &name, scratch);
  if (rc != LD_OK) return rc;
  if (space == LD_SPACE_MAP) ld_buf_add(path, LD_LITERAL("maps/"));
  if (space == LD_SPACE_MAP)
    ld_file_name(name.bytes, false, path);
  else
    document_mirror_folder(name.bytes, path);
  return LD_OK;
}

static ld_rc add_path(ld_txn *txn, ld_slice unit, ld_buf *path) {
  ld_buf scratch = {0};
  if (unit.data[0] == LD_SPACE_JOB) return queue_mirror_path(txn, unit, path);
  ld_slice rest = ld_bytes(unit.data + 1, unit.size - 1);
  ld_rc rc = add_folder(unit.data[0], &rest, path, &scratch);
  ld_buf_byte(path, '/');
  if (rc == LD_OK) rc = add_file(rest, path, &scratch);
  ld_buf_clear(&scratch);
  return rc == LD_OK && !path->failed ? LD_OK : no_memory(txn);
}

ld_rc ld_document_unit(ld_slice kind, ld_slice id, ld_buf *unit, ld_error *error) {
  ld_token token;
  ld_slice rest = id;
  bool room = ld_equal(kind, LD_LITERAL("rooms"));
  ld_rc rc = ld_collection_check_id(id, error);
  if (rc != LD_OK) return rc;
  ld_value_next(&rest, &token);
  if (room && !ld_is_string(&token))
    return ld_fail(error, LD_INVALID, "the name of a room is a string");
  ld_buf_byte(unit, room ? LD_SPACE_ROOM : LD_SPACE_DOCUMENT);
  ld_tuple_string(unit, room ? token.bytes : kind);
  if (!room) ld_index_id(id, unit);
  return unit->failed ? ld_fail(error, LD_NOMEM, "file: out of memory") : LD_OK;
}

/* ---- what stands in the files ---- */

static ld_rc print(ld_txn *txn, const ld_buf *document, ld_buf *text) {
  if (document->failed) return no_memory(txn);
  return ld_json_print_wrapped(ld_buf_slice(document), true, text, ld_error_of(txn));
}

static ld_rc render_room(ld_txn *txn, ld_slice unit, ld_buf *document) {
  ld_slice name;
  ld_buf scratch = {0};
  ld_rc rc = room_part_name(txn, unit, &name, &scratch);
  if (rc == LD_OK) rc = ld_room_get(txn, name, LD_ROOM_WHOLE, document);
  ld_buf_clear(&scratch);
  return rc;
}

static ld_rc render_document(ld_txn *txn, ld_slice unit, ld_buf *document) {
  ld_row row;
  uint64_t version;
  ld_slice stored, field;
  ld_rc rc = ld_row_get(txn, unit, &row);
  if (rc != LD_OK) return rc;
  if (!ld_version_split(row.payload, &version, &stored))
    return ld_fail(ld_error_of(txn), LD_CORRUPT, "collection: a row is damaged");
  if (version <= 1 && !ld_value_field(stored, "$version", &field)) {
    ld_buf_add(document, stored);
    return LD_OK;
  }
  ld_write_map(document, 2);
  ld_write_text(document, "$version");
  ld_write_int(document, (int64_t)version);
  ld_write_text(document, "$document");
  ld_buf_add(document, stored);
  return LD_OK;
}

static ld_rc render_entry(ld_txn *txn, ld_slice unit, ld_buf *document) {
  ld_buf scratch = {0};
  ld_part map;
  ld_row row;
  ld_slice rest = ld_bytes(unit.data + 1, unit.size - 1);
  ld_rc rc = ld_row_get(txn, unit, &row);
  if (rc == LD_OK) rc = ld_tuple_next(&rest, &map, &scratch);
  if (rc == LD_OK) {
    ld_write_map(document, 3);
    ld_write_text(document, "map");
    ld_write_string(document, map.bytes);
    ld_write_text(document, "key");
    if (!ld_map_write_key(document, rest)) rc = no_memory(txn);
    ld_write_text(document, "value");
    ld_buf_add(document, row.payload);
  }
  ld_buf_clear(&scratch);
  return rc;
}

static ld_rc render(ld_txn *txn, ld_slice unit, ld_buf *path, ld_buf *text) {
  ld_buf document = {0};
  ld_rc rc = add_path(txn, unit, path);
  if (rc != LD_OK) return rc;
  switch (unit.data[0]) {
  case LD_SPACE_ROOM: rc = render_room(txn, unit, &document); break;
  case LD_SPACE_DOCUMENT: rc = render_document(txn, unit, &document); break;
  case LD_SPACE_JOB: rc = queue_mirror_render(txn, unit, &document); break;
  default: rc = render_entry(txn, unit, &document); break;
  }
  if (rc == LD_OK) rc = print(txn, &document, text);
  ld_buf_clear(&document);
  return rc;
}

static void ahead(ld_slice key, ld_slice kept, ld_slice value, ld_buf *row) {
  if (key.data[0] == LD_SPACE_QUEUE)
    queue_mirror_ahead(key, kept, value, row);
  else
    ld_sequence_ahead(key, kept, value, row);
}

/* Jobs come and go. */
static bool outlives(ld_slice unit) { return unit.data[0] != LD_SPACE_JOB; }

/* ---- revisions: of documents ---- */

static ld_rc revision_of(ld_txn *txn, ld_slice unit, uint64_t *revision) {
  ld_row row = {.revision = 0};
  ld_rc rc = unit.data[0] == LD_SPACE_DOCUMENT ? ld_row_get(txn, unit, &row) : LD_OK;
  if (rc == LD_OK) *revision = row.revision;
  return rc;
}

static ld_rc set_revision(ld_txn *txn, ld_slice unit, uint64_t revision) {
  if (unit.data[0] != LD_SPACE_DOCUMENT) return LD_OK;
  return ld_row_renumber(txn, unit, revision);
}

const ld_mirror ld_document_mirror = {
    .find = find,
    .render = render,
    .ahead = ahead,
    .outlives = outlives,
    .revision = revision_of,
    .set_revision = set_revision,
    .begin_load = document_mirror_begin,
    .load = document_mirror_load,
    .end_load = document_mirror_end,
    .replace = document_mirror_replace,
};
