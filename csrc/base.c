/* base.c -- see base.h. No state: everything static here is constant. */
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const rc_names[] = {
    [LD_OK] = "OK",
    [LD_NOTFOUND] = "NOTFOUND",
    [LD_EXISTS] = "EXISTS",
    [LD_CONFLICT] = "CONFLICT",
    [LD_BUSY] = "BUSY",
    [LD_FULL] = "FULL",
    [LD_TOOBIG] = "TOOBIG",
    [LD_INVALID] = "INVALID",
    [LD_CORRUPT] = "CORRUPT",
    [LD_IO] = "IO",
    [LD_UNSUPPORTED] = "UNSUPPORTED",
    [LD_CLOSED] = "CLOSED",
    [LD_MISUSE] = "MISUSE",
    [LD_NOMEM] = "NOMEM",
};

const char *ld_rc_name(ld_rc rc) {
  return (size_t)rc < sizeof rc_names / sizeof *rc_names ? rc_names[rc] : "UNKNOWN";
}

ld_slice ld_text(const char *text) {
  return text == NULL ? LD_SLICE_NONE : ld_bytes(text, strlen(text));
}

int ld_compare(ld_slice a, ld_slice b) {
  size_t common = a.size < b.size ? a.size : b.size;
  int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool ld_equal_secret(ld_slice a, ld_slice b) {
  volatile uint8_t differs = a.size != b.size;
  for (size_t i = 0; i < b.size; i++) {
    uint8_t byte = a.size > 0 ? a.data[i % a.size] : 0;
    differs = (uint8_t)(differs | (byte ^ b.data[i]));
  }
  return differs == 0;
}

bool ld_starts_with(ld_slice whole, ld_slice prefix) {
  return prefix.size == 0 ||
         (whole.size >= prefix.size && memcmp(whole.data, prefix.data, prefix.size) == 0);
}

/* The length of the well-formed sequence at `at`, 0 when there is none. `left` is at least 1. */
static size_t utf8_length(const uint8_t *at, size_t left) {
  uint8_t lead = at[0];
  if (lead < 0x80) return 1;
  size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || left < length) return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  if (lead == 0xe0 && at[1] < 0xa0) return 0;
  if (lead == 0xed && at[1] > 0x9f) return 0;
  if (lead == 0xf0 && at[1] < 0x90) return 0;
  if (lead == 0xf4 && at[1] > 0x8f) return 0;
  return length;
}

/* Whether the 8 bytes at `at` are all below 0x80. */
static bool is_ascii8(const uint8_t *at) {
  uint64_t eight;
  memcpy(&eight, at, 8);
  return (eight & 0x8080808080808080u) == 0;
}

bool ld_is_utf8(ld_slice text) {
  if (text.size == 0) return true;
  const uint8_t *at = text.data, *end = text.data + text.size;
  while (at < end) {
    while (end - at >= 8 && is_ascii8(at)) at += 8;
    if (at == end || (text.size >= 8 && end - at < 8 && is_ascii8(end - 8))) return true;
    size_t length = utf8_length(at, (size_t)(end - at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

ld_rc ld_fail(ld_error *error, ld_rc rc, const char *format, ...) {
  if (error == NULL) return rc;
  char text[sizeof error->text]; /* the arguments may point into error->text */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(error->text, text, sizeof text);
  error->rc = rc;
  error->retry = rc == LD_CONFLICT || rc == LD_BUSY;
  return rc;
}

ld_rc ld_fail_in(ld_error *error, const char *format, ...) {
  enum { LONGEST = sizeof error->text - 1, REASON = LONGEST / 2 };
  char context[sizeof error->text];
  size_t reason = strnlen(error->text, LONGEST);
  size_t room = LONGEST - (reason < REASON ? reason : REASON);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(context, sizeof context, format, arguments);
  va_end(arguments);
  size_t size = strlen(context), cut = size > room ? size - room : 0;
  if (cut > 0) memcpy(context + cut, "...", 3); /* of a path its end says more */
  size -= cut;
  if (reason > LONGEST - size) reason = LONGEST - size;
  memmove(error->text + size, error->text, reason);
  memcpy(error->text, context + cut, size);
  error->text[size + reason] = '\0';
  return error->rc;
}

const char *ld_quote(ld_slice bytes, ld_quoted out) {
  enum { ROOM = 60 };
  size_t shown = bytes.size > ROOM ? ROOM - 3 : bytes.size, used = 0;
  while (shown < bytes.size && shown > 0 && (bytes.data[shown] & 0xc0) == 0x80) shown--;
  bool plain = ld_is_utf8(ld_bytes(bytes.data, shown));
  out[used++] = '"';
  for (size_t i = 0; i < shown; i++) { /* at most 4 characters each: they all fit */
    uint8_t byte = bytes.data[i];
    if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\' || (byte >= 0x80 && !plain))
      used += (size_t)snprintf(out + used, sizeof(ld_quoted) - used, "\\x%02x", byte);
    else
      out[used++] = (char)byte;
  }
  out[used++] = '"';
  if (shown < bytes.size) {
    memcpy(out + used, "...", 3);
    used += 3;
  }
  out[used] = '\0';
  return out;
}

bool ld_buf_grow(ld_buf *buf, size_t more) {
  if (buf->failed) return false;
  size_t wanted = buf->size + more, capacity = buf->capacity < 32 ? 64 : buf->capacity * 2;
  if (capacity < wanted) capacity = wanted;
  uint8_t *data = wanted < buf->size ? NULL : realloc(buf->data, capacity);
  if (data == NULL) {
    buf->failed = true;
    return false;
  }
  buf->data = data;
  buf->capacity = capacity;
  return true;
}

void ld_buf_clear(ld_buf *buf) {
  free(buf->data);
  *buf = (ld_buf){0};
}

void ld_buf_printf(ld_buf *buf, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0 || !ld_buf_reserve(buf, (size_t)length + 1)) return;
  va_start(arguments, format);
  vsnprintf((char *)buf->data + buf->size, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buf->size += (size_t)length;
}

void ld_buf_varint_long(ld_buf *buf, uint64_t number) {
  uint8_t bytes[10];
  size_t size = 0;
  for (; number >= 0x80; number >>= 7) bytes[size++] = (uint8_t)(number | 0x80);
  bytes[size++] = (uint8_t)number;
  ld_buf_add(buf, ld_bytes(bytes, size));
}

bool ld_read_varint_long(ld_slice *rest, uint64_t *number) {
  uint64_t sum = 0;
  for (size_t i = 0; i < rest->size && i < 10; i++) {
    uint8_t byte = rest->data[i];
    if (i == 9 && byte > 1) return false;
    sum |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *rest = ld_bytes(rest->data + i + 1, rest->size - i - 1);
      *number = sum;
      return true;
    }
  }
  return false;
}

void ld_hash128(ld_slice bytes, uint8_t out[LD_HASH]) {
  __extension__ typedef unsigned __int128 wide;
  const wide prime = (wide)1 << 88 | 0x13b;
  wide hash = (wide)0x6c62272e07bb0142u << 64 | 0x62b821756295c58du;
  for (size_t i = 0; i < bytes.size; i++) hash = (hash ^ bytes.data[i]) * prime;
  for (size_t i = 0; i < LD_HASH; i++) out[i] = (uint8_t)(hash >> (8 * (LD_HASH - 1 - i)));
}
