/* content.c -- see content.h. */
#include "content.h"

#include <stdio.h>
#include <stdlib.h>

#include "cache_mend.h"
#include "declaration.h"
#include "tuple.h"
#include "value.h"

/* ---- the scope ---- */

/* Whether a row's tuple begins with this name; behind a longer name that begins so stands ff. */
static bool begins_with(ld_slice tuple, ld_slice name) {
  uint8_t space[2 * LD_PART_MAX + 8];
  ld_buf part = {.data = space, .capacity = sizeof space};
  if (name.size > LD_PART_MAX) return false;
  ld_tuple_string(&part, name);
  if (!ld_starts_with(tuple, ld_buf_slice(&part))) return false;
  return tuple.size == part.size || tuple.data[part.size] != 0xff;
}

bool ld_scope_has(const ld_scope *scope, ld_slice key) {
  ld_token head, name;
  ld_slice rest = scope->names, tuple = ld_bytes(key.data + 1, key.size - 1);
  if (rest.size == 0) return true;
  if (key.data[0] < LD_SPACE_COLLECTION || key.data[0] > LD_SPACE_COUNT) return false;
  if (!ld_value_next(&rest, &head)) return false;
  for (uint32_t i = 0; i < head.count; i++)
    if (ld_value_next(&rest, &name) && ld_is_string(&name) && begins_with(tuple, name.bytes))
      return true;
  return false;
}

ld_rc ld_scope_each(const ld_scope *scope, ld_txn *txn,
                    ld_rc (*visit)(ld_txn *txn, ld_slice name)) {
  ld_token head = {.count = 0}, name;
  ld_slice rest = scope->names;
  ld_rc rc = LD_OK;
  ld_value_next(&rest, &head);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++)
    rc = ld_value_next(&rest, &name) ? visit(txn, name.bytes) : LD_INVALID;
  return rc;
}

ld_rc ld_scope_find(ld_txn *txn, ld_slice name, bool *found) {
  uint8_t space[2 * LD_PART_MAX + 8];
  ld_row row;
  ld_buf key = {.data = space, .capacity = sizeof space};
  ld_buf_byte(&key, LD_SPACE_COLLECTION);
  ld_tuple_string(&key, name);
  ld_rc rc = ld_row_get(txn, ld_buf_slice(&key), &row);
  if (rc == LD_OK || rc == LD_NOTFOUND) *found = rc == LD_OK;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc must_be_there(ld_txn *txn, ld_slice name) {
  ld_error *error = ld_error_of(txn);
  ld_quoted quoted;
  bool found;
  if (name.size == 0 || name.size > LD_PART_MAX)
    return ld_fail(error, LD_INVALID, "%s is no name of a collection", ld_quote(name, quoted));
  ld_rc rc = ld_scope_find(txn, name, &found);
  if (rc != LD_OK || found) return rc;
  return ld_fail(error, LD_INVALID, "there is no collection %s", ld_quote(name, quoted));
}

ld_rc ld_scope_check(const ld_scope *scope, ld_txn *txn) {
  return ld_scope_each(scope, txn, must_be_there);
}

/* ---- parts ---- */

static ld_content_kind kind_of(uint8_t space) {
  switch (space) {
  case LD_SPACE_ROOM:
  case LD_SPACE_RATING:
  case LD_SPACE_PROGRESS: return LD_CONTENT_ROOMS;
  case LD_SPACE_COLLECTION:
  case LD_SPACE_DOCUMENT:
  case LD_SPACE_COUNT: return LD_CONTENT_COLLECTION;
  case LD_SPACE_MAP: return LD_CONTENT_MAP;
  case LD_SPACE_QUEUE: return LD_CONTENT_QUEUE;
  case LD_SPACE_JOB: return LD_CONTENT_JOBS;
  default: return LD_CONTENT_OTHER;
  }
}

/* What tells the parts of a kind apart: the first part of the tuple; of what is not known, the space. */
static ld_slice prefix_of(ld_content_kind kind, ld_slice key, ld_buf *scratch) {
  ld_part part;
  ld_slice tuple = ld_bytes(key.data + 1, key.size - 1), rest = tuple;
  if (kind == LD_CONTENT_ROOMS) return LD_SLICE_NONE;
  if (kind == LD_CONTENT_OTHER) return ld_bytes(key.data, 1);
  if (ld_tuple_next(&rest, &part, scratch) != LD_OK) return tuple;
  return ld_bytes(tuple.data, (size_t)(rest.data - tuple.data));
}

static bool is_of(const ld_content_part *part, ld_content_kind kind, ld_slice key) {
  ld_slice prefix = ld_buf_slice(&part->prefix);
  if (part->kind != kind) return false;
  if (kind == LD_CONTENT_ROOMS) return true;
  if (kind == LD_CONTENT_OTHER) return key.data[0] == prefix.data[0];
  ld_slice tuple = ld_bytes(key.data + 1, key.size - 1);
  return ld_starts_with(tuple, prefix) &&
         (tuple.size == prefix.size || tuple.data[prefix.size] != 0xff);
}

static ld_content_part *add_part(ld_content *content, ld_content_kind kind, ld_slice key) {
  ld_buf scratch = {0};
  if (content->size == content->capacity) {
    size_t capacity = content->capacity == 0 ? 16 : 2 * content->capacity;
    ld_content_part *more = realloc(content->parts, capacity * sizeof *more);
    if (more == NULL) return NULL;
    content->parts = more;
    content->capacity = capacity;
  }
  ld_content_part *part = &content->parts[content->size];
  *part = (ld_content_part){.kind = kind};
  ld_buf_add(&part->prefix, prefix_of(kind, key, &scratch));
  part->prefix.failed = part->prefix.failed || scratch.failed;
  ld_buf_clear(&scratch);
  content->size++;
  return part->prefix.failed ? NULL : part;
}

/* Rows of one part mostly follow one another. */
static ld_content_part *part_of(ld_content *content, ld_slice key) {
  ld_content_kind kind = kind_of(key.data[0]);
  if (content->last < content->size && is_of(&content->parts[content->last], kind, key))
    return &content->parts[content->last];
  for (content->last = 0; content->last < content->size; content->last++)
    if (is_of(&content->parts[content->last], kind, key)) return &content->parts[content->last];
  return add_part(content, kind, key);
}

/* ---- rows ---- */

/* The finalizer of SplitMix64 (https://prng.di.unimi.it/splitmix64.c). */
static uint64_t mix(uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
  return number ^ (number >> 31);
}

/* Rooms, documents, entries, queues, and of other kinds each row. */
static bool is_counted(const ld_content_part *part, ld_slice key) {
  switch (part->kind) {
  case LD_CONTENT_ROOMS: return key.data[0] == LD_SPACE_ROOM;
  case LD_CONTENT_COLLECTION: return key.data[0] == LD_SPACE_DOCUMENT;
  case LD_CONTENT_MAP: return key.size > 1 + part->prefix.size;
  default: return true;
  }
}

static void add_row(ld_content_part *part, ld_slice key, uint64_t checksum, size_t size) {
  uint64_t number = mix(checksum | (uint64_t)size << 32);
  part->rows++;
  part->count += is_counted(part, key);
  part->hash[0] += number;
  part->hash[1] += mix(number + key.size + 0x9e3779b97f4a7c15u);
}

static uint32_t stored_checksum(ld_slice value) {
  return (uint32_t)value.data[2] | (uint32_t)value.data[3] << 8 | (uint32_t)value.data[4] << 16 |
         (uint32_t)value.data[5] << 24;
}

/* The checksum of what a program declares. */
static ld_rc check_declaration(ld_txn *txn, ld_slice payload, uint64_t *checksum) {
  ld_declaration declaration;
  ld_buf bytes = {0};
  ld_rc rc = ld_declaration_read(payload, &declaration, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  for (unsigned i = 0; i < declaration.count; i++) ld_index_reset(&declaration.indexes[i]);
  ld_declaration_write(&declaration, &bytes);
  if (bytes.failed) rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  *checksum = ld_crc32c(0, ld_buf_slice(&bytes));
  ld_buf_clear(&bytes);
  ld_declaration_clear(&declaration);
  return rc;
}

static ld_rc take_row(ld_content *content, ld_txn *txn, ld_slice value, const ld_row *row) {
  uint64_t checksum = stored_checksum(value);
  size_t size = value.size;
  if (row->key.data[0] == LD_SPACE_COLLECTION) {
    ld_rc rc = check_declaration(txn, row->payload, &checksum);
    if (rc != LD_OK) return rc;
    size = 0;
  }
  ld_content_part *part = part_of(content, row->key);
  if (part == NULL) return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  add_row(part, row->key, checksum, size);
  content->rows++;
  return LD_OK;
}

bool ld_content_leaves_out(ld_slice key, uint8_t *behind) {
  bool index = key.data[0] == LD_SPACE_INDEX;
  *behind = index ? LD_SPACE_INDEX + 1 : LD_SPACE_CACHE_ROW + 1;
  return index || ld_cache_has_row(key);
}

ld_rc ld_content_read(ld_txn *txn, const ld_scope *scope, ld_slice last, ld_content *content) {
  static const uint8_t first = LD_SPACE_STORE + 1;
  uint8_t behind;
  ld_cursor *cursor;
  ld_slice key, value;
  ld_row row;
  *content = (ld_content){.parts = NULL};
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return rc;
  rc = ld_cursor_seek(cursor, ld_bytes(&first, 1));
  while (rc == LD_OK && (rc = ld_cursor_current(cursor, &key, &value)) == LD_OK) {
    if (last.size > 0 && ld_compare(key, last) > 0) break;
    if (ld_content_leaves_out(key, &behind)) {
      rc = ld_cursor_seek(cursor, ld_bytes(&behind, 1));
      continue;
    }
    row.key = key;
    bool plain = key.size < LD_KEY_MAX && key.data[0] != LD_SPACE_COLLECTION;
    if (!plain || !ld_row_is_sound(key, value)) rc = ld_row_current(cursor, &row);
    if (rc == LD_OK && ld_scope_has(scope, row.key)) rc = take_row(content, txn, value, &row);
    if (rc == LD_OK) rc = ld_cursor_next(cursor);
  }
  ld_cursor_close(cursor);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

void ld_content_clear(ld_content *content) {
  for (size_t i = 0; i < content->size; i++) ld_buf_clear(&content->parts[i].prefix);
  free(content->parts);
  *content = (ld_content){.parts = NULL};
}

/* ---- comparing ---- */

static const struct {
  const char *one, *field;
} kinds[] = {[LD_CONTENT_ROOMS] = {"rooms", "rooms"},
             [LD_CONTENT_COLLECTION] = {"collection", "collections"},
             [LD_CONTENT_MAP] = {"map", "maps"},
             [LD_CONTENT_QUEUE] = {"queue", "queues"},
             [LD_CONTENT_JOBS] = {"jobs of queue", "jobs"},
             [LD_CONTENT_OTHER] = {"space", "other"}};

static void write_name(const ld_content_part *part, ld_buf *document) {
  ld_buf scratch = {0};
  ld_part name;
  ld_slice rest = ld_buf_slice(&part->prefix);
  if (part->kind == LD_CONTENT_OTHER)
    ld_write_int(document, rest.data[0]);
  else if (ld_tuple_next(&rest, &name, &scratch) == LD_OK && name.kind == LD_PART_INT)
    ld_write_int(document, name.integer);
  else
    ld_write_string(document, name.kind == LD_PART_STRING ? name.bytes : LD_SLICE_NONE);
  document->failed = document->failed || scratch.failed;
  ld_buf_clear(&scratch);
}

static const char *title_of(const ld_content_part *part, char title[160]) {
  ld_buf name = {0};
  ld_token token = {.kind = LD_NIL};
  ld_quoted quoted;
  if (part->kind != LD_CONTENT_ROOMS) write_name(part, &name);
  ld_slice rest = ld_buf_slice(&name);
  if (part->kind != LD_CONTENT_ROOMS) ld_value_next(&rest, &token);
  if (token.kind == LD_INT)
    snprintf(title, 160, "%s %lld", kinds[part->kind].one, (long long)token.integer);
  else if (ld_is_string(&token))
    snprintf(title, 160, "%s %.120s", kinds[part->kind].one, ld_quote(token.bytes, quoted));
  else
    snprintf(title, 160, "%s", kinds[part->kind].one);
  ld_buf_clear(&name);
  return title;
}

static const ld_content_part *twin_of(const ld_content *content, const ld_content_part *part) {
  for (size_t i = 0; i < content->size; i++)
    if (content->parts[i].kind == part->kind &&
        ld_equal(ld_buf_slice(&content->parts[i].prefix), ld_buf_slice(&part->prefix)))
      return &content->parts[i];
  return NULL;
}

static ld_rc compare_part(const ld_content_part *part, const ld_content_part *twin,
                          ld_error *error) {
  char title[160];
  if (twin == NULL)
    return ld_fail(error, LD_CORRUPT, "%s: %llu in the source, none here", title_of(part, title),
                   (unsigned long long)part->count);
  if (part->count != twin->count || part->rows != twin->rows)
    return ld_fail(error, LD_CORRUPT, "%s: %llu in the source (%llu rows), %llu here (%llu rows)",
                   title_of(part, title), (unsigned long long)part->count,
                   (unsigned long long)part->rows, (unsigned long long)twin->count,
                   (unsigned long long)twin->rows);
  if (memcmp(part->hash, twin->hash, sizeof part->hash) == 0) return LD_OK;
  return ld_fail(error, LD_CORRUPT, "%s: the contents differ from the source's",
                 title_of(part, title));
}

ld_rc ld_content_compare(const ld_content *expected, const ld_content *found, ld_error *error) {
  char title[160];
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < expected->size && rc == LD_OK; i++)
    rc = compare_part(&expected->parts[i], twin_of(found, &expected->parts[i]), error);
  for (size_t i = 0; i < found->size && rc == LD_OK; i++)
    if (twin_of(expected, &found->parts[i]) == NULL)
      rc = ld_fail(error, LD_CORRUPT, "%s: %llu here, none in the source",
                   title_of(&found->parts[i], title), (unsigned long long)found->parts[i].count);
  return rc;
}

/* ---- the report ---- */

static void write_figures(const ld_content_part *part, ld_buf *document) {
  char hash[33];
  snprintf(hash, sizeof hash, "%016llx%016llx", (unsigned long long)part->hash[0],
           (unsigned long long)part->hash[1]);
  ld_write_map(document, 2);
  ld_write_text(document, "count");
  ld_write_int(document, (int64_t)part->count);
  ld_write_text(document, "hash");
  ld_write_text(document, hash);
}

static void write_kind(const ld_content *content, ld_content_kind kind, ld_buf *document) {
  ld_write_text(document, kinds[kind].field);
  size_t opened = ld_write_open(document), count = 0;
  for (size_t i = 0; i < content->size; i++) {
    if (content->parts[i].kind != kind) continue;
    write_name(&content->parts[i], document);
    write_figures(&content->parts[i], document);
    count++;
  }
  ld_write_close(document, opened, LD_MAP, count);
}

void ld_content_write(const ld_content *content, ld_buf *document) {
  ld_content_part none = {.kind = LD_CONTENT_ROOMS};
  const ld_content_part *rooms = twin_of(content, &none);
  ld_write_map(document, 7);
  ld_write_text(document, "rows");
  ld_write_int(document, (int64_t)content->rows);
  ld_write_text(document, "rooms");
  write_figures(rooms == NULL ? &none : rooms, document);
  for (int kind = LD_CONTENT_COLLECTION; kind <= LD_CONTENT_OTHER; kind++)
    write_kind(content, (ld_content_kind)kind, document);
}
