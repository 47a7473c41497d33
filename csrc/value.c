/* value.c -- MessagePack, read and written in place.
**
** The reader is a cursor over the bytes: it never allocates and never looks past `rest`. */
#include "value.h"

#include <string.h>

static const char *const kind_names[] = {"null",     "a boolean", "an integer", "a float",
                                         "a string", "bytes",     "an array",   "a map"};

const char *ld_kind_name(ld_kind kind) { return kind_names[kind]; }

/* ---- reading ---- */

static uint64_t big_endian(const uint8_t *at, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; i++) number = number << 8 | at[i];
  return number;
}

static bool take(ld_slice *rest, size_t size, const uint8_t **at) {
  if (rest->size < size) return false;
  *at = rest->data;
  *rest = ld_bytes(rest->data + size, rest->size - size);
  return true;
}

static bool take_number(ld_slice *rest, size_t size, uint64_t *number) {
  const uint8_t *at;
  if (!take(rest, size, &at)) return false;
  *number = big_endian(at, size);
  return true;
}

static bool take_bytes(ld_slice *rest, ld_kind kind, size_t size, ld_token *token) {
  const uint8_t *at;
  if (!take(rest, size, &at)) return false;
  token->kind = kind;
  token->bytes = ld_bytes(at, size);
  return true;
}

/* A head whose length follows in `width` bytes. */
static bool take_sized(ld_slice *rest, ld_kind kind, size_t width, ld_token *token) {
  uint64_t size;
  if (!take_number(rest, width, &size)) return false;
  if (kind == LD_STR || kind == LD_BIN) return take_bytes(rest, kind, (size_t)size, token);
  token->kind = kind;
  token->count = (uint32_t)size;
  return size <= rest->size; /* each element takes a byte at least */
}

static bool take_float(ld_slice *rest, size_t width, ld_token *token) {
  uint64_t bits;
  if (!take_number(rest, width, &bits)) return false;
  token->kind = LD_FLOAT;
  if (width == 8) {
    memcpy(&token->number, &bits, 8);
  } else {
    uint32_t narrow_bits = (uint32_t)bits;
    float narrow;
    memcpy(&narrow, &narrow_bits, 4);
    token->number = (double)narrow;
  }
  return true;
}

static bool take_int(ld_slice *rest, size_t width, bool is_signed, ld_token *token) {
  uint64_t bits;
  if (!take_number(rest, width, &bits)) return false;
  if (is_signed && width < 8 && (bits >> (8 * width - 1)) != 0) bits |= UINT64_MAX << (8 * width);
  if (!is_signed && bits > INT64_MAX) return false;
  token->kind = LD_INT;
  token->integer = (int64_t)bits;
  return true;
}

/* The heads from 0xc0 to 0xdf. */
static bool take_marked(ld_slice *rest, uint8_t head, ld_token *token) {
  switch (head) {
  case 0xc0: token->kind = LD_NIL; return true;
  case 0xc2:
  case 0xc3:
    token->kind = LD_BOOL;
    token->truth = head == 0xc3;
    return true;
  case 0xc4:
  case 0xc5:
  case 0xc6: return take_sized(rest, LD_BIN, (size_t)1 << (head - 0xc4), token);
  case 0xca: return take_float(rest, 4, token);
  case 0xcb: return take_float(rest, 8, token);
  case 0xcc:
  case 0xcd:
  case 0xce:
  case 0xcf: return take_int(rest, (size_t)1 << (head - 0xcc), false, token);
  case 0xd0:
  case 0xd1:
  case 0xd2:
  case 0xd3: return take_int(rest, (size_t)1 << (head - 0xd0), true, token);
  case 0xd9:
  case 0xda:
  case 0xdb: return take_sized(rest, LD_STR, (size_t)1 << (head - 0xd9), token);
  case 0xdc:
  case 0xdd: return take_sized(rest, LD_ARRAY, (size_t)2 << (head - 0xdc), token);
  case 0xde:
  case 0xdf: return take_sized(rest, LD_MAP, (size_t)2 << (head - 0xde), token);
  default: return false; /* 0xc1 is never used; 0xc7-0xc9 and 0xd4-0xd8 are extensions */
  }
}

bool ld_value_next(ld_slice *rest, ld_token *token) {
  const uint8_t *at;
  if (!take(rest, 1, &at)) return false;
  uint8_t head = *at;
  if (head >= 0xa0 && head <= 0xbf) return take_bytes(rest, LD_STR, head & 0x1f, token);
  if (head < 0x80 || head >= 0xe0) {
    token->kind = LD_INT;
    token->integer = (int8_t)head;
    return true;
  }
  if (head >= 0xc0) return take_marked(rest, head, token);
  token->kind = head < 0x90 ? LD_MAP : LD_ARRAY;
  token->count = head & 0x0f;
  return token->count <= rest->size;
}

const uint8_t ld_scalar_sizes[32] = {1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9,
                                     2, 3, 5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* The size of a scalar, or of the head of an array or a map, of which `*wanted` more values follow; 0: it is cut off, or none. */
static size_t taken_size(ld_slice left, uint64_t *wanted) {
  ld_token token;
  ld_slice rest = left;
  if (!ld_value_next(&rest, &token)) return 0;
  if (token.kind == LD_ARRAY) *wanted += token.count;
  if (token.kind == LD_MAP) *wanted += 2 * (uint64_t)token.count;
  return left.size - rest.size;
}

bool ld_value_take(ld_slice *rest, ld_slice *value) {
  ld_slice left = *rest;
  for (uint64_t wanted = 1; wanted > 0; wanted--) {
    size_t size = ld_scalar_size(left);
    if (size == 0) size = taken_size(left, &wanted);
    if (size == 0 || size > left.size) return false;
    left = ld_bytes(left.data + size, left.size - size);
  }
  *value = ld_bytes(rest->data, rest->size - left.size);
  *rest = left;
  return true;
}

static const char *check_key(const ld_token *key) {
  if (key->kind == LD_NIL || key->kind == LD_ARRAY || key->kind == LD_MAP)
    return "a map key is no string, number or boolean";
  if (key->kind == LD_FLOAT && key->number != key->number) return "a map key is NaN";
  return NULL;
}

/* NULL when the value at the front of `rest` is sound, with at most so many levels, else what is wrong. */
static const char *check_value(ld_slice *rest, unsigned levels, bool as_key) {
  ld_token token;
  const char *wrong = NULL;
  if (!ld_value_next(rest, &token)) return "cut off, or no kind that is kept";
  if (token.kind == LD_STR && !ld_is_utf8(token.bytes)) return "a string is not UTF-8";
  if (as_key && (wrong = check_key(&token)) != NULL) return wrong;
  if (token.kind != LD_ARRAY && token.kind != LD_MAP) return NULL;
  if (levels == 0) return "nested deeper than 128 levels";
  for (uint32_t i = 0; i < token.count && wrong == NULL; i++) {
    if (token.kind == LD_MAP) wrong = check_value(rest, levels - 1, true);
    if (wrong == NULL) wrong = check_value(rest, levels - 1, false);
  }
  return wrong;
}

static ld_rc check(ld_slice document, unsigned levels, ld_error *error) {
  ld_slice rest = document;
  const char *wrong = check_value(&rest, levels, false);
  if (wrong == NULL && rest.size > 0) wrong = "something follows the value";
  if (wrong == NULL) return LD_OK;
  return ld_fail(error, LD_INVALID, "document: %s (near byte %zu)", wrong,
                 document.size - rest.size);
}

ld_rc ld_value_check(ld_slice document, ld_error *error) {
  return check(document, LD_DEPTH, error);
}

ld_rc ld_value_check_wrapped(ld_slice document, ld_error *error) {
  return check(document, LD_DEPTH + 1, error);
}

bool ld_value_field(ld_slice map, const char *name, ld_slice *value) {
  ld_token token, key;
  ld_slice wanted = ld_text(name), rest = map;
  if (!ld_value_next(&rest, &token) || token.kind != LD_MAP) return false;
  for (uint32_t i = 0; i < token.count; i++) {
    if (!ld_value_next(&rest, &key)) return false;
    if (ld_is_string(&key) && ld_equal(key.bytes, wanted)) return ld_value_take(&rest, value);
    if (!ld_value_skip(&rest)) return false;
  }
  return false;
}

/* ---- paths ---- */

static bool is_plain(ld_slice name) {
  for (size_t i = 0; i < name.size; i++)
    if (strchr(" .[]\"\\", name.data[i]) != NULL || name.data[i] < 0x20 || name.data[i] >= 0x7f)
      return false;
  return name.size > 0 && name.size <= 60;
}

void ld_path_key(ld_buf *path, const ld_token *key) {
  ld_quoted quoted;
  if (ld_is_string(key) && is_plain(key->bytes))
    ld_buf_printf(path, "%s%.*s", path->size > 0 ? "." : "", (int)key->bytes.size,
                  (const char *)key->bytes.data);
  else if (ld_is_string(key))
    ld_buf_printf(path, "[%s]", ld_quote(key->bytes, quoted));
  else if (key->kind == LD_INT)
    ld_buf_printf(path, "[%lld]", (long long)key->integer);
  else if (key->kind == LD_FLOAT)
    ld_buf_printf(path, "[%.17g]", key->number);
  else
    ld_buf_printf(path, "[%s]", key->kind == LD_BOOL && key->truth ? "true" : "false");
}

void ld_path_index(ld_buf *path, uint64_t index) {
  ld_buf_printf(path, "[%llu]", (unsigned long long)index);
}

/* ---- writing ---- */

static void write_head(ld_buf *buf, uint8_t head, uint64_t number, size_t width) {
  if (!ld_buf_reserve(buf, 1 + width)) return;
  uint8_t *at = buf->data + buf->size;
  *at++ = head;
  for (size_t i = width; i-- > 0;) *at++ = (uint8_t)(number >> (8 * i));
  buf->size += 1 + width;
}

void ld_write_nil(ld_buf *buf) { ld_buf_byte(buf, 0xc0); }
void ld_write_bool(ld_buf *buf, bool truth) { ld_buf_byte(buf, truth ? 0xc3 : 0xc2); }

static void write_negative(ld_buf *buf, int64_t integer) {
  uint64_t bits = (uint64_t)integer;
  if (integer >= -32)
    ld_buf_byte(buf, (uint8_t)bits);
  else if (integer >= INT8_MIN)
    write_head(buf, 0xd0, bits, 1);
  else if (integer >= INT16_MIN)
    write_head(buf, 0xd1, bits, 2);
  else if (integer >= INT32_MIN)
    write_head(buf, 0xd2, bits, 4);
  else
    write_head(buf, 0xd3, bits, 8);
}

void ld_write_int(ld_buf *buf, int64_t integer) {
  uint64_t bits = (uint64_t)integer;
  if (integer < 0)
    write_negative(buf, integer);
  else if (bits < 0x80)
    ld_buf_byte(buf, (uint8_t)bits);
  else if (bits <= UINT8_MAX)
    write_head(buf, 0xcc, bits, 1);
  else if (bits <= UINT16_MAX)
    write_head(buf, 0xcd, bits, 2);
  else if (bits <= UINT32_MAX)
    write_head(buf, 0xce, bits, 4);
  else
    write_head(buf, 0xcf, bits, 8);
}

void ld_write_float(ld_buf *buf, double number) {
  uint64_t bits;
  memcpy(&bits, &number, 8);
  write_head(buf, 0xcb, bits, 8);
}

static void write_string_head(ld_buf *buf, size_t size, bool text) {
  if (text && size < 32)
    ld_buf_byte(buf, (uint8_t)(0xa0 | size));
  else if (size <= UINT8_MAX)
    write_head(buf, text ? 0xd9 : 0xc4, size, 1);
  else if (size <= UINT16_MAX)
    write_head(buf, text ? 0xda : 0xc5, size, 2);
  else
    write_head(buf, text ? 0xdb : 0xc6, size, 4);
}

void ld_write_string(ld_buf *buf, ld_slice bytes) {
  if (bytes.size > UINT32_MAX) {
    buf->failed = true;
    return;
  }
  write_string_head(buf, bytes.size, ld_is_utf8(bytes));
  ld_buf_add(buf, bytes);
}

void ld_write_text(ld_buf *buf, const char *text) {
  ld_slice bytes = ld_text(text);
  write_string_head(buf, bytes.size, true);
  ld_buf_add(buf, bytes);
}

static size_t container_width(size_t count) { return count < 16 ? 0 : count <= UINT16_MAX ? 2 : 4; }

static uint8_t container_head(ld_kind kind, size_t count) {
  size_t width = container_width(count);
  if (width == 0) return (uint8_t)((kind == LD_MAP ? 0x80 : 0x90) | count);
  return (uint8_t)((kind == LD_MAP ? 0xde : 0xdc) + (width == 4));
}

void ld_write_array(ld_buf *buf, size_t count) {
  write_head(buf, container_head(LD_ARRAY, count), count, container_width(count));
}

void ld_write_map(ld_buf *buf, size_t count) {
  write_head(buf, container_head(LD_MAP, count), count, container_width(count));
}

size_t ld_write_open(ld_buf *buf) {
  size_t opened = buf->size;
  ld_buf_byte(buf, 0);
  return opened;
}

void ld_write_close(ld_buf *buf, size_t opened, ld_kind kind, size_t count) {
  size_t width = container_width(count);
  if (!ld_buf_reserve(buf, width)) return;
  uint8_t *head = buf->data + opened;
  if (width > 0) memmove(head + 1 + width, head + 1, buf->size - opened - 1);
  head[0] = container_head(kind, count);
  for (size_t i = 0; i < width; i++) head[1 + i] = (uint8_t)(count >> (8 * (width - 1 - i)));
  buf->size += width;
}
