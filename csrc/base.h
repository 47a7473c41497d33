/* base.h -- result codes, bytes, growing buffers, errors, CRC-32C: what every file shares.
**
** Holds no state, so that an engine in a shared object of its own may compile base.c in.
** Ownership words: *borrowed* (do not free, see its lifetime), *owned* (the caller frees), *taken* (the callee frees).
** An output is written only on success. */
#ifndef LD_BASE_H
#define LD_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define LD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LD_PRINTF(text, first)
#endif

/* Every result, and what to do about it. NOTFOUND is an answer and carries no text. */
typedef enum ld_rc {
  LD_OK = 0,
  LD_NOTFOUND,    /* nothing to do: it is not there */
  LD_EXISTS,      /* choose another key */
  LD_CONFLICT,    /* run the transaction again */
  LD_BUSY,        /* somebody holds the lock longer than the timeout: try later */
  LD_FULL,        /* raise a limit, free space */
  LD_TOOBIG,      /* shorten the input */
  LD_INVALID,     /* mend the input */
  LD_CORRUPT,     /* restore from a backup */
  LD_IO,          /* look at the disk, the network, the permissions */
  LD_UNSUPPORTED, /* use another engine */
  LD_CLOSED,      /* open it again */
  LD_MISUSE,      /* mend the program */
  LD_NOMEM        /* free memory */
} ld_rc;

/* "FULL" for LD_FULL; the names that Lua errors carry. */
const char *ld_rc_name(ld_rc rc);

typedef struct ld_slice {
  const uint8_t *data;
  size_t size;
} ld_slice;

#define LD_SLICE_NONE ((ld_slice){NULL, 0})

#define LD_LITERAL(text) ((ld_slice){(const uint8_t *)(text), sizeof(text) - 1})

ld_slice ld_text(const char *text); /* borrowed, without the NUL; NULL is the empty slice */
static inline ld_slice ld_bytes(const void *data, size_t size) {
  return (ld_slice){(const uint8_t *)data, size};
}
int ld_compare(ld_slice a, ld_slice b); /* memcmp order, the shorter first: <0, 0, >0 */
static inline bool ld_equal(ld_slice a, ld_slice b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
bool ld_equal_secret(ld_slice a, ld_slice b); /* time depends on the size of `b` only */
bool ld_starts_with(ld_slice whole, ld_slice prefix);
bool ld_is_utf8(
    ld_slice text); /* well-formed by Unicode table 3-7: no surrogates, nothing overlong */

/* The fixed place where the text of a failure is written, at the spot where it happens.
** `retry`: the same call may succeed when it is made again. */
typedef struct ld_error {
  ld_rc rc;
  bool retry;
  char text[500];
} ld_error;

/* Write the text and return `rc`. `error` may be NULL. Sets `retry` for CONFLICT and BUSY. */
ld_rc ld_fail(ld_error *error, ld_rc rc, const char *format, ...) LD_PRINTF(3, 4);
/* Put `"name": ` or another context before the text that is already there. Returns error->rc. */
ld_rc ld_fail_in(ld_error *error, const char *format, ...) LD_PRINTF(2, 3);
/* A printable rendering of any bytes, quoted, shortened past 60 bytes, into `out`; returns out. */
typedef char ld_quoted[256];
const char *ld_quote(ld_slice bytes, ld_quoted out);

/* A buffer that grows. Running out of memory sets `failed` and turns later writes into nothing,
** so that a writer checks once, at its end. Zeroed is empty. */
typedef struct ld_buf {
  uint8_t *data;
  size_t size, capacity;
  bool failed;
} ld_buf;

bool ld_buf_grow(ld_buf *buf,
                 size_t more);  /* room for `more` bytes; false and `failed` without memory */
void ld_buf_clear(ld_buf *buf); /* frees; the buffer is empty again */
void ld_buf_printf(ld_buf *buf, const char *format, ...) LD_PRINTF(2, 3);

static inline bool ld_buf_reserve(ld_buf *buf, size_t more) {
  return (buf->capacity - buf->size >= more && !buf->failed) || ld_buf_grow(buf, more);
}
static inline void ld_buf_byte(ld_buf *buf, uint8_t byte) {
  if (ld_buf_reserve(buf, 1)) buf->data[buf->size++] = byte;
}
static inline void ld_buf_add(ld_buf *buf, ld_slice bytes) {
  if (bytes.size == 0 || !ld_buf_reserve(buf, bytes.size)) return;
  memcpy(buf->data + buf->size, bytes.data, bytes.size);
  buf->size += bytes.size;
}
static inline ld_slice ld_buf_slice(const ld_buf *buf) { return (ld_slice){buf->data, buf->size}; }
static inline void ld_buf_reset(ld_buf *buf) {
  buf->size = 0;
  buf->failed = false;
}

/* Unsigned LEB128, 1 to 10 bytes. The reader takes it off the front of `rest`; false when it is cut or too long. */
void ld_buf_varint_long(ld_buf *buf, uint64_t number);
bool ld_read_varint_long(ld_slice *rest, uint64_t *number);
/* Most are one byte. */
static inline void ld_buf_varint(ld_buf *buf, uint64_t number) {
  if (number < 0x80)
    ld_buf_byte(buf, (uint8_t)number);
  else
    ld_buf_varint_long(buf, number);
}
static inline bool ld_read_varint(ld_slice *rest, uint64_t *number) {
  if (rest->size == 0 || rest->data[0] >= 0x80) return ld_read_varint_long(rest, number);
  *number = rest->data[0];
  *rest = ld_bytes(rest->data + 1, rest->size - 1);
  return true;
}

/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected; RFC 3720 B.4: "123456789" -> 0xE3069283).
** Start with 0; feed the result back in to go on. Uses the processor's instruction where there is one. */
uint32_t ld_crc32c(uint32_t crc, ld_slice bytes);

/* FNV-1a of 128 bits, big-endian (http://www.isthe.com/chongo/tech/comp/fnv/). Spreads well; not for secrets. */
enum { LD_HASH = 16 };
void ld_hash128(ld_slice bytes, uint8_t hash[LD_HASH]);

#endif
