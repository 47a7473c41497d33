/* find.c -- queries, read. Running them: find_run.c.
**
** A cursor is base64 of: the checksum of the sort (4 bytes) | the place: the id as a value, or the sort key with the id | the checksum of all that (4 bytes). */
#include "find.h"

#include <string.h>

#include "base64.h"
#include "name.h"

enum { CHECKSUM = 4 };

/* ---- reading a query ---- */

static ld_rc expected(ld_error *error, const char *field, const char *what, ld_slice got) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&got, &token);
  return ld_fail(error, LD_INVALID, "%s: expected %s, got %s", field, what,
                 ld_kind_name(token.kind));
}

static ld_rc read_where(ld_find *find, ld_slice value, ld_error *error) {
  ld_rc rc = ld_filter_compile(value, &find->where, error);
  return rc == LD_INVALID ? ld_fail_in(error, "where: ") : rc;
}

static ld_rc read_sort_part(ld_find *find, ld_slice value, ld_error *error) {
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value;
  ld_value_next(&rest, &token);
  if (!ld_is_string(&token)) return expected(error, "sort", "the names of fields", value);
  if (find->sorts == LD_SORT_PARTS)
    return ld_fail(error, LD_INVALID, "sort: more than %d fields", LD_SORT_PARTS);
  ld_sort_part *part = &find->sort[find->sorts];
  part->descending = token.bytes.size > 0 && token.bytes.data[0] == '-';
  if (part->descending) token.bytes = ld_bytes(token.bytes.data + 1, token.bytes.size - 1);
  ld_rc rc = ld_path_parse(token.bytes, &part->path, error);
  if (rc == LD_INVALID) return ld_fail_in(error, "sort: ");
  find->sorts++;
  return rc;
}

static ld_rc read_sort(ld_find *find, ld_slice value, ld_error *error) {
  ld_token head = {.kind = LD_NIL};
  ld_slice rest = value, part;
  ld_rc rc = LD_OK;
  ld_value_next(&rest, &head);
  if (ld_is_string(&head)) return read_sort_part(find, value, error);
  bool empty_map = head.kind == LD_MAP && head.count == 0;
  if (head.kind != LD_ARRAY && !empty_map)
    return expected(error, "sort", "a field or a list of fields", value);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++)
    rc = ld_value_take(&rest, &part) ? read_sort_part(find, part, error) : LD_INVALID;
  return rc;
}

static ld_rc read_number(const char *field, ld_slice value, int64_t *number, ld_error *error) {
  ld_token token = {.kind = LD_NIL};
  ld_slice rest = value;
  ld_value_next(&rest, &token);
  if (token.kind != LD_INT || token.integer < 0)
    return expected(error, field, "a whole number from 0", value);
  *number = token.integer;
  return LD_OK;
}

static ld_rc read_limit(ld_find *find, ld_slice value, ld_error *error) {
  return read_number("limit", value, &find->limit, error);
}

static ld_rc read_offset(ld_find *find, ld_slice value, ld_error *error) {
  int64_t offset = 0;
  ld_rc rc = read_number("offset", value, &offset, error);
  find->offset = (uint64_t)offset;
  return rc;
}

static ld_rc read_select(ld_find *find, ld_slice value, ld_error *error) {
  ld_token head = {.kind = LD_NIL}, name;
  ld_slice rest = value;
  ld_path path;
  ld_value_next(&rest, &head);
  if (head.kind != LD_ARRAY || head.count == 0)
    return expected(error, "select", "a list of fields", value);
  if (head.count > LD_SELECT_MOST)
    return ld_fail(error, LD_INVALID, "select: more than %d fields", LD_SELECT_MOST);
  for (uint32_t i = 0; i < head.count; i++) {
    if (!ld_value_next(&rest, &name) || !ld_is_string(&name))
      return expected(error, "select", "a list of fields", value);
    if (ld_path_parse(name.bytes, &path, error) != LD_OK) return ld_fail_in(error, "select: ");
  }
  find->select = value;
  return LD_OK;
}

static uint32_t sort_checksum(const ld_find *find) {
  uint32_t crc = 0;
  for (unsigned i = 0; i < find->sorts; i++) {
    crc = ld_crc32c(crc, find->sort[i].descending ? LD_LITERAL("-") : LD_LITERAL("+"));
    for (unsigned p = 0; p < find->sort[i].path.count; p++) {
      crc = ld_crc32c(crc, find->sort[i].path.parts[p]);
      crc = ld_crc32c(crc, LD_LITERAL("."));
    }
  }
  return crc;
}

static uint32_t read_checksum(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write_checksum(ld_buf *buf, uint32_t crc) {
  for (unsigned i = 0; i < CHECKSUM; i++) ld_buf_byte(buf, (uint8_t)(crc >> (8 * i)));
}

static ld_rc read_after(ld_find *find, ld_slice value, ld_error *error) {
  ld_token token = {.kind = LD_NIL};
  ld_buf bytes = {0};
  ld_slice rest = value;
  ld_value_next(&rest, &token);
  if (!ld_is_string(&token)) return expected(error, "after", "a cursor that find returned", value);
  bool sound = ld_base64_decode(token.bytes, &bytes) && bytes.size > 2 * CHECKSUM;
  size_t end = sound ? bytes.size - CHECKSUM : 0;
  if (sound) sound = read_checksum(bytes.data + end) == ld_crc32c(0, ld_bytes(bytes.data, end));
  bool same = sound && read_checksum(bytes.data) == sort_checksum(find);
  if (same) ld_buf_add(&find->after, ld_bytes(bytes.data + CHECKSUM, end - CHECKSUM));
  bool failed = bytes.failed || find->after.failed;
  ld_buf_clear(&bytes);
  if (failed) return ld_fail(error, LD_NOMEM, "find: out of memory");
  if (!sound) return ld_fail(error, LD_INVALID, "after: is no cursor that find returned");
  return same ? LD_OK : ld_fail(error, LD_INVALID, "after: is the cursor of another sort");
}

typedef struct query_field {
  const char *name;
  ld_rc (*read)(ld_find *find, ld_slice value, ld_error *error);
} query_field;

/* `after` last: it is compared with the sort. */
static const query_field fields[] = {
    {"where", read_where},   {"sort", read_sort},     {"limit", read_limit},
    {"offset", read_offset}, {"select", read_select}, {"after", read_after},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static ld_rc check_names(ld_slice query, ld_error *error) {
  static const char *const known[] = {"where", "sort", "limit", "offset", "select", "after", NULL};
  char name[40];
  ld_token head, key;
  ld_slice value;
  if (!ld_value_next(&query, &head) || head.kind != LD_MAP)
    return ld_fail(error, LD_INVALID, "expected a query, a map");
  for (uint32_t i = 0; i < head.count; i++) {
    bool is_known = false;
    if (!ld_value_next(&query, &key) || !ld_value_take(&query, &value)) break;
    for (size_t f = 0; f < FIELDS; f++)
      is_known = is_known || (ld_is_string(&key) && ld_equal(key.bytes, ld_text(fields[f].name)));
    if (is_known) continue;
    size_t size = ld_is_string(&key) && key.bytes.size < sizeof name ? key.bytes.size : 0;
    memcpy(name, key.bytes.data, size);
    name[size] = '\0';
    return ld_unknown_name("option", name, known, error);
  }
  return LD_OK;
}

ld_rc ld_find_init(ld_find *find, ld_slice query, ld_error *error) {
  ld_slice value;
  ld_rc rc = check_names(query, error);
  if (rc != LD_OK) return rc;
  memset(find, 0, offsetof(ld_find, sort));
  find->limit = -1;
  ld_buf_add(&find->query, query);
  if (find->query.failed) rc = ld_fail(error, LD_NOMEM, "find: out of memory");
  for (size_t f = 0; f < FIELDS && rc == LD_OK; f++)
    if (ld_value_field(ld_buf_slice(&find->query), fields[f].name, &value))
      rc = fields[f].read(find, value, error);
  if (rc != LD_OK) ld_find_clear(find);
  return rc;
}

void ld_find_clear(ld_find *find) {
  ld_filter_free(find->where);
  ld_buf_clear(&find->query);
  ld_buf_clear(&find->after);
  find->where = NULL;
}

/* ---- cursors ---- */

void ld_find_cursor(const ld_find *find, ld_slice place, ld_buf *cursor) {
  ld_buf bytes = {0};
  write_checksum(&bytes, sort_checksum(find));
  ld_buf_add(&bytes, place);
  write_checksum(&bytes, ld_crc32c(0, ld_buf_slice(&bytes)));
  if (bytes.failed)
    cursor->failed = true;
  else
    ld_base64_encode(ld_buf_slice(&bytes), cursor);
  ld_buf_clear(&bytes);
}
