/* map.c -- ordered maps.
**
** All keys of a map begin with its own, the space and the name; behind it is a part's tag, at least 04 and never ff. So the map's rows are those
** from its key and 00 up to its key and ff, and its count is in neither. A longer name may begin with the same bytes (a 00 inside a name is
** 00 ff): it is beyond that end, and the like holds for a prefix of whole parts. */
#include "map.h"

#include <stdio.h>

#include "span.h"
#include "tuple.h"
#include "value.h"

/* ---- keys ---- */

/* The key of a row: on the stack where it is short. */
typedef struct map_key {
  ld_buf bytes;
  uint8_t small[LD_KEY_MAX];
} map_key;

static ld_rc no_memory(ld_txn *txn) {
  return ld_fail(ld_error_of(txn), LD_NOMEM, "map: out of memory");
}

ld_rc ld_map_check_name(ld_slice map, ld_error *error) {
  ld_quoted quoted;
  if (map.size == 0) return ld_fail(error, LD_INVALID, "the name of a map is empty");
  if (map.size <= LD_PART_MAX) return LD_OK;
  return ld_fail(error, LD_TOOBIG, "the name of map %s has %zu bytes, the limit is %u",
                 ld_quote(map, quoted), map.size, LD_PART_MAX);
}

/* `key` may be empty: the map's own row. On success the caller closes it. */
static ld_rc open_key(ld_txn *txn, map_key *full, ld_slice map, ld_slice key) {
  ld_rc rc = ld_map_check_name(map, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  size_t most = 2 * map.size + key.size + 4; /* with room for what ends a range */
  full->bytes = (ld_buf){0};
  if (most <= sizeof full->small)
    full->bytes = (ld_buf){.data = full->small, .capacity = sizeof full->small};
  else if (!ld_buf_reserve(&full->bytes, most))
    return no_memory(txn);
  ld_buf_byte(&full->bytes, LD_SPACE_MAP);
  ld_tuple_string(&full->bytes, map);
  ld_buf_add(&full->bytes, key);
  return LD_OK;
}

static void close_key(map_key *full) {
  if (full->bytes.data != full->small) ld_buf_clear(&full->bytes);
}

/* The row of a key, and the key, which the caller closes unless the result is a failure. */
static ld_rc open_row(ld_txn *txn, map_key *full, ld_slice map, ld_slice key, ld_row *row) {
  if (key.size == 0) return ld_fail(ld_error_of(txn), LD_INVALID, "a key of a map is empty");
  ld_rc rc = open_key(txn, full, map, key);
  if (rc != LD_OK) return rc;
  rc = ld_row_get(txn, ld_buf_slice(&full->bytes), row);
  if (rc != LD_OK && rc != LD_NOTFOUND) close_key(full);
  return rc;
}

static void quote_part(const ld_part *part, char *text, size_t size) {
  ld_quoted quoted;
  if (part->kind == LD_PART_STRING)
    snprintf(text, size, "%s", ld_quote(part->bytes, quoted));
  else
    snprintf(text, size, "%lld", part->kind == LD_PART_INT ? (long long)part->integer : 0);
}

/* `"a"`, or `{"a", 7}`: for messages. */
static const char *quote_key(ld_slice key, char text[300]) {
  ld_buf scratch = {0};
  ld_part part;
  char one[160];
  size_t count = 0, at = 1;
  text[0] = '{';
  text[1] = 0;
  while (at < 130 && ld_tuple_next(&key, &part, &scratch) == LD_OK) {
    quote_part(&part, one, sizeof one);
    at += (size_t)snprintf(text + at, 300 - at, "%s%s", count++ > 0 ? ", " : "", one);
  }
  ld_buf_clear(&scratch);
  snprintf(text + at, 300 - at, "%s}", key.size > 0 ? ", ..." : "");
  if (count != 1 || key.size > 0) return text;
  text[at] = 0;
  return text + 1;
}

/* ---- the count ---- */

static ld_rc read_count(ld_txn *txn, const map_key *own, uint64_t *count) {
  ld_row row;
  ld_rc rc = ld_row_get(txn, ld_buf_slice(&own->bytes), &row);
  if (rc == LD_NOTFOUND) *count = 0;
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (ld_read_varint(&row.payload, count)) return LD_OK;
  return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "map: a count is cut off"));
}

static ld_rc write_count(ld_txn *txn, const map_key *own, uint64_t count) {
  uint8_t room[16];
  ld_buf payload = {.data = room, .capacity = sizeof room};
  if (count == 0) return ld_row_del(txn, ld_buf_slice(&own->bytes));
  ld_buf_varint(&payload, count);
  return ld_row_put(txn, ld_buf_slice(&own->bytes), ld_buf_slice(&payload));
}

static ld_rc change_count(ld_txn *txn, ld_slice map, uint64_t more, uint64_t fewer) {
  map_key own;
  uint64_t count;
  ld_rc rc = open_key(txn, &own, map, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  rc = read_count(txn, &own, &count);
  if (rc == LD_OK && count + more < fewer)
    rc = ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "map: its count is too small"));
  if (rc == LD_OK) rc = write_count(txn, &own, count + more - fewer);
  close_key(&own);
  return rc;
}

ld_rc ld_map_count(ld_txn *txn, ld_slice map, uint64_t *count) {
  map_key own;
  ld_rc rc = open_key(txn, &own, map, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  rc = read_count(txn, &own, count);
  close_key(&own);
  return rc;
}

/* ---- changes, noted ---- */

static void write_part(ld_buf *value, const ld_part *part) {
  if (part->kind == LD_PART_INT)
    ld_write_int(value, part->integer);
  else
    ld_write_string(value, part->bytes);
}

bool ld_map_write_key(ld_buf *value, ld_slice key) {
  ld_buf scratch = {0};
  ld_part part;
  size_t before = value->size, opened = ld_write_open(value), count = 0;
  ld_rc rc;
  while ((rc = ld_tuple_next(&key, &part, &scratch)) == LD_OK) {
    if (part.kind != LD_PART_INT && part.kind != LD_PART_STRING) break;
    write_part(value, &part);
    count++;
  }
  ld_buf_clear(&scratch);
  value->failed = value->failed || rc == LD_NOMEM;
  if (count != 1) {
    ld_write_close(value, opened, LD_ARRAY, count);
  } else if (!value->failed) { /* a tuple of one part is the plain key */
    memmove(value->data + before, value->data + before + 1, value->size - before - 1);
    value->size--;
  }
  return rc == LD_NOTFOUND;
}

static ld_rc read_part(ld_slice *rest, ld_buf *key, ld_error *error) {
  ld_token part = {.kind = LD_NIL};
  ld_value_next(rest, &part);
  if (part.kind == LD_INT) {
    ld_tuple_int(key, part.integer);
    return LD_OK;
  }
  if (!ld_is_string(&part))
    return ld_fail(error, LD_INVALID, "a key of a map is made of strings and integers, got %s",
                   ld_kind_name(part.kind));
  if (part.bytes.size > LD_PART_MAX)
    return ld_fail(error, LD_TOOBIG, "a key's string has %zu bytes, the limit is %u",
                   part.bytes.size, LD_PART_MAX);
  ld_tuple_string(key, part.bytes);
  return LD_OK;
}

ld_rc ld_map_read_key(ld_slice value, ld_buf *key, ld_error *error) {
  ld_token head = {.kind = LD_NIL};
  ld_slice rest = value;
  ld_rc rc = LD_OK;
  ld_value_next(&rest, &head);
  if (head.kind != LD_ARRAY) return read_part(&value, key, error);
  if (head.count == 0) return ld_fail(error, LD_INVALID, "a key of a map is an empty tuple");
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) rc = read_part(&rest, key, error);
  return rc;
}

/* Of several keys when `key` is empty. */
static ld_rc note(ld_txn *txn, const char *kind, ld_slice map, ld_slice key) {
  ld_buf value = {0};
  if (!ld_notes_wanted(&txn->notes)) return LD_OK;
  bool written = key.size == 0 || ld_map_write_key(&value, key);
  ld_rc rc = !written || value.failed ? ld_spoil(txn, no_memory(txn))
                                      : ld_note_key(txn, kind, map, ld_buf_slice(&value));
  ld_buf_clear(&value);
  return rc;
}

/* ---- one key ---- */

ld_rc ld_map_set(ld_txn *txn, ld_slice map, ld_slice key, ld_slice value, bool if_absent,
                 bool *done) {
  map_key full;
  ld_row row;
  ld_rc rc = open_row(txn, &full, map, key, &row);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  bool absent = rc == LD_NOTFOUND, write = absent || !if_absent;
  rc = write ? ld_row_put(txn, ld_buf_slice(&full.bytes), value) : LD_OK;
  close_key(&full);
  if (rc == LD_OK && absent) rc = change_count(txn, map, 1, 0);
  if (rc == LD_OK && write) rc = note(txn, "set", map, key);
  if (rc == LD_OK) *done = write;
  return rc;
}

ld_rc ld_map_get(ld_txn *txn, ld_slice map, ld_slice key, ld_buf *value) {
  map_key full;
  ld_row row;
  size_t before = value->size;
  ld_rc rc = open_row(txn, &full, map, key, &row);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  close_key(&full);
  if (rc != LD_OK) return rc;
  ld_buf_add(value, row.payload);
  if (!value->failed) return LD_OK;
  value->size = before;
  return no_memory(txn);
}

ld_rc ld_map_has(ld_txn *txn, ld_slice map, ld_slice key) {
  map_key full;
  ld_row row;
  ld_rc rc = open_row(txn, &full, map, key, &row);
  if (rc == LD_OK || rc == LD_NOTFOUND) close_key(&full);
  return rc;
}

ld_rc ld_map_delete(ld_txn *txn, ld_slice map, ld_slice key) {
  map_key full;
  ld_row row;
  ld_rc rc = open_row(txn, &full, map, key, &row);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  if (rc == LD_OK) rc = ld_row_del(txn, ld_buf_slice(&full.bytes));
  close_key(&full);
  if (rc == LD_OK) rc = change_count(txn, map, 0, 1);
  return rc == LD_OK ? note(txn, "delete", map, key) : rc;
}

/* ---- increment ---- */

static ld_rc add(ld_txn *txn, ld_slice key, ld_slice value, int64_t by, int64_t *sum) {
  ld_error *error = ld_error_of(txn);
  ld_token token = {.kind = LD_INT};
  char text[300];
  if (value.size > 0 && !ld_value_next(&value, &token))
    return ld_spoil(txn, ld_fail(error, LD_CORRUPT, "map: a value is no document"));
  if (token.kind != LD_INT)
    return ld_fail(error, LD_INVALID, "key %s: the value is %s, no integer", quote_key(key, text),
                   ld_kind_name(token.kind));
  if (__builtin_add_overflow(token.integer, by, sum))
    return ld_fail(error, LD_INVALID, "key %s: %lld and %lld more is past the integers",
                   quote_key(key, text), (long long)token.integer, (long long)by);
  return LD_OK;
}

ld_rc ld_map_increment(ld_txn *txn, ld_slice map, ld_slice key, int64_t by, int64_t *sum) {
  map_key full;
  ld_row row;
  uint8_t room[16];
  int64_t result = 0;
  ld_buf value = {.data = room, .capacity = sizeof room};
  ld_rc rc = open_row(txn, &full, map, key, &row);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  bool absent = rc == LD_NOTFOUND;
  rc = add(txn, key, absent ? LD_SLICE_NONE : row.payload, by, &result);
  if (rc == LD_OK) {
    ld_write_int(&value, result);
    rc = ld_row_put(txn, ld_buf_slice(&full.bytes), ld_buf_slice(&value));
  }
  close_key(&full);
  if (rc == LD_OK && absent) rc = change_count(txn, map, 1, 0);
  if (rc == LD_OK) rc = note(txn, "set", map, key);
  if (rc == LD_OK) *sum = result;
  return rc;
}

/* ---- ranges ---- */

/* The keys of rows that a range goes from and up to. */
typedef struct map_ends {
  map_key own;
  ld_buf from, to;
} map_ends;

/* Move an end inward, to behind the map's own key, `tuple` and `behind`. */
static void narrow(map_ends *ends, ld_buf *end, ld_slice tuple, const char *behind) {
  ld_buf nearer = {0};
  ld_buf_add(&nearer, ld_buf_slice(&ends->own.bytes));
  ld_buf_add(&nearer, tuple);
  ld_buf_add(&nearer, ld_bytes(behind, behind == NULL ? 0 : 1));
  int order = ld_compare(ld_buf_slice(&nearer), ld_buf_slice(end));
  bool nearer_is_inside = end->size == 0 || (end == &ends->from ? order > 0 : order < 0);
  if (nearer_is_inside || nearer.failed) {
    ld_buf old = *end;
    *end = nearer;
    nearer = old;
  }
  end->failed = end->failed || nearer.failed;
  ld_buf_clear(&nearer);
}

/* The strings that begin with these bytes: up to the same with the last byte that can rise risen. */
static void narrow_to_cut(map_ends *ends, ld_slice prefix) {
  ld_buf risen = {0};
  narrow(ends, &ends->from, prefix, NULL);
  while (prefix.data[prefix.size - 1] == 0xff) prefix.size--; /* the tag is none */
  ld_buf_add(&risen, prefix);
  if (!risen.failed) risen.data[risen.size - 1]++;
  narrow(ends, &ends->to, ld_buf_slice(&risen), NULL);
  ends->to.failed = ends->to.failed || risen.failed;
  ld_buf_clear(&risen);
}

static void close_ends(map_ends *ends) {
  close_key(&ends->own);
  ld_buf_clear(&ends->from);
  ld_buf_clear(&ends->to);
}

/* On success the caller closes them. */
static ld_rc open_ends(ld_txn *txn, ld_slice map, const ld_map_range *range, map_ends *ends) {
  static const char first[] = {0}, last[] = {(char)0xff};
  ends->from = ends->to = (ld_buf){0};
  ld_rc rc = open_key(txn, &ends->own, map, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  narrow(ends, &ends->from, LD_SLICE_NONE, first);
  narrow(ends, &ends->to, LD_SLICE_NONE, last);
  if (range->from.size > 0) narrow(ends, &ends->from, range->from, range->from_open ? first : NULL);
  if (range->to.size > 0) narrow(ends, &ends->to, range->to, range->to_open ? NULL : first);
  if (range->prefix.size > 0 && range->prefix_cut) {
    narrow_to_cut(ends, range->prefix);
  } else if (range->prefix.size > 0) {
    narrow(ends, &ends->from, range->prefix, NULL);
    narrow(ends, &ends->to, range->prefix, last);
  }
  if (!ends->from.failed && !ends->to.failed) return LD_OK;
  close_ends(ends);
  return no_memory(txn);
}

static ld_rc visit_rows(ld_txn *txn, const map_ends *ends, bool reverse, ld_map_visit visit,
                        void *context) {
  ld_span span;
  ld_row row;
  size_t own = ends->own.bytes.size;
  ld_rc rc = ld_span_begin(&span, txn, ld_buf_slice(&ends->from), ld_buf_slice(&ends->to), reverse);
  if (rc != LD_OK) return rc;
  while ((rc = ld_span_next(&span, &row)) == LD_OK) {
    rc = visit(context, ld_bytes(row.key.data + own, row.key.size - own), row.payload);
    if (rc != LD_OK) break;
  }
  ld_span_end(&span);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc ld_map_each(ld_txn *txn, ld_slice map, const ld_map_range *range, ld_map_visit visit,
                  void *context) {
  map_ends ends;
  ld_rc rc = open_ends(txn, map, range, &ends);
  if (rc != LD_OK) return rc;
  rc = visit_rows(txn, &ends, range->reverse, visit, context);
  close_ends(&ends);
  return rc;
}

ld_rc ld_map_delete_range(ld_txn *txn, ld_slice map, const ld_map_range *range, uint64_t *count) {
  map_ends ends;
  uint64_t deleted;
  ld_rc rc = open_ends(txn, map, range, &ends);
  if (rc != LD_OK) return rc;
  rc = ld_span_delete(txn, ld_buf_slice(&ends.from), ld_buf_slice(&ends.to), &deleted);
  close_ends(&ends);
  if (rc == LD_OK && deleted > 0) rc = change_count(txn, map, 0, deleted);
  if (rc == LD_OK && deleted > 0) rc = note(txn, "delete_range", map, LD_SLICE_NONE);
  if (rc == LD_OK) *count = deleted;
  return rc;
}

/* ---- all maps ---- */

/* Of a row of a map: the name, unescaped in `scratch`, and in `next` what is behind all rows of that map. */
static ld_rc read_name(ld_txn *txn, ld_slice key, ld_buf *scratch, ld_slice *name, ld_buf *next) {
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  ld_part part = {.kind = LD_PART_NULL};
  ld_rc rc = ld_tuple_next(&rest, &part, scratch);
  ld_buf_reset(next);
  ld_buf_add(next, ld_bytes(key.data, key.size - rest.size));
  ld_buf_byte(next, 0xff);
  if (rc == LD_NOMEM || next->failed) return no_memory(txn);
  if (rc != LD_OK || part.kind != LD_PART_STRING)
    return ld_spoil(txn, ld_fail(ld_error_of(txn), LD_CORRUPT, "the name of a map is damaged"));
  *name = part.bytes;
  return LD_OK;
}

/* The name in the first row from `next` on. NOTFOUND: there is none. */
static ld_rc next_name(ld_txn *txn, ld_buf *scratch, ld_slice *name, ld_buf *next) {
  static const uint8_t end = LD_SPACE_MAP + 1;
  ld_span span;
  ld_row row;
  ld_rc rc = ld_span_begin(&span, txn, ld_buf_slice(next), ld_bytes(&end, 1), false);
  if (rc != LD_OK) return rc;
  rc = ld_span_next(&span, &row);
  ld_span_end(&span);
  return rc == LD_OK ? read_name(txn, row.key, scratch, name, next) : rc;
}

ld_rc ld_maps_each(ld_txn *txn, ld_rc (*visit)(void *context, ld_slice map), void *context) {
  ld_buf next = {0}, scratch = {0};
  ld_slice name;
  ld_rc rc = LD_OK;
  ld_buf_byte(&next, LD_SPACE_MAP);
  if (next.failed) rc = no_memory(txn);
  while (rc == LD_OK) {
    rc = next_name(txn, &scratch, &name, &next);
    if (rc == LD_OK) rc = visit(context, name);
  }
  ld_buf_clear(&next);
  ld_buf_clear(&scratch);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
