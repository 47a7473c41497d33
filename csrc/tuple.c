/* tuple.c -- the order-preserving encoding of keys; see "Keys" in README.md.
**
** A part is a tag and what it needs. Tags rise in the order of the values:
**   04 empty array   05 null
**   10 NaN
**   11 below or at -2^63, or -infinity    8 bytes: the float's bits, each one turned over
**   12..19 -(2^63-1)..-1 with its fraction   8..1 bytes, turned over: (whole << 1 | has fraction) [7 bytes: fraction]
**   1a between -1 and 0   8 bytes: the float's bits, turned over
**   1b zero
**   1c between 0 and 1    8 bytes: the float's bits
**   1d..24 1..2^63-1 with its fraction    1..8 bytes: (whole << 1 | has fraction) [7 bytes: fraction]
**   25 from 2^63, or infinity             8 bytes: the float's bits
**   30 string: its bytes, 00 as 00 ff, ended by 00
**   40 map   50 array     (reserved for index values)
**   60 false   61 true
** No tag is ff, so the end of a string (00 and a tag, or 00 and nothing) comes before a 00 inside one. */
#include "tuple.h"

#include <math.h>
#include <string.h>

enum {
  TAG_NULL = 0x05,
  TAG_NAN = 0x10,
  TAG_LOWEST = 0x11,
  TAG_NEGATIVE = 0x1a, /* minus the number of bytes; alone: between -1 and 0 */
  TAG_ZERO = 0x1b,
  TAG_POSITIVE = 0x1c, /* plus the number of bytes; alone: between 0 and 1 */
  TAG_HIGHEST = 0x25,
  TAG_STRING = 0x30,
  TAG_FALSE = 0x60,
  TAG_TRUE = 0x61,
  FRACTION_BYTES = 7,
  FRACTION_BITS = 56
};

static const double two_to_63 = 9223372036854775808.0;

/* ---- writing ---- */

void ld_tuple_null(ld_buf *key) { ld_buf_byte(key, TAG_NULL); }
void ld_tuple_bool(ld_buf *key, bool truth) { ld_buf_byte(key, truth ? TAG_TRUE : TAG_FALSE); }

static void add_bytes(ld_buf *key, uint64_t number, size_t size, uint8_t turn) {
  for (size_t i = size; i-- > 0;) ld_buf_byte(key, (uint8_t)(number >> (8 * i)) ^ turn);
}

/* A magnitude of at least 1: `whole`, and what is behind the point, left-aligned in 56 bits. */
static void add_magnitude(ld_buf *key, bool negative, uint64_t whole, uint64_t fraction) {
  uint64_t shifted = whole << 1 | (fraction != 0);
  uint8_t turn = negative ? 0xff : 0;
  size_t size = 1;
  while (size < 8 && shifted >> (8 * size) != 0) size++;
  ld_buf_byte(key, (uint8_t)(negative ? TAG_NEGATIVE - size : TAG_POSITIVE + size));
  add_bytes(key, shifted, size, turn);
  if (fraction != 0) add_bytes(key, fraction, FRACTION_BYTES, turn);
}

static void add_float_bits(ld_buf *key, uint8_t tag, double magnitude, uint8_t turn) {
  uint64_t bits;
  memcpy(&bits, &magnitude, 8);
  ld_buf_byte(key, tag);
  add_bytes(key, bits, 8, turn);
}

void ld_tuple_int(ld_buf *key, int64_t integer) {
  if (integer == 0)
    ld_buf_byte(key, TAG_ZERO);
  else if (integer == INT64_MIN)
    add_float_bits(key, TAG_LOWEST, two_to_63, 0xff);
  else if (integer < 0)
    add_magnitude(key, true, (uint64_t)-integer, 0);
  else
    add_magnitude(key, false, (uint64_t)integer, 0);
}

/* At least 1 and below 2^63. Both halves are exact: together they have 53 bits. */
static void add_whole_and_fraction(ld_buf *key, bool negative, double magnitude) {
  uint64_t whole = (uint64_t)magnitude;
  double behind = magnitude - (double)whole;
  add_magnitude(key, negative, whole, (uint64_t)ldexp(behind, FRACTION_BITS));
}

void ld_tuple_float(ld_buf *key, double number) {
  bool negative = number < 0;
  double magnitude = fabs(number);
  uint8_t turn = negative ? 0xff : 0;
  if (isnan(number))
    ld_buf_byte(key, TAG_NAN);
  else if (magnitude == 0)
    ld_buf_byte(key, TAG_ZERO);
  else if (magnitude >= two_to_63)
    add_float_bits(key, negative ? TAG_LOWEST : TAG_HIGHEST, magnitude, turn);
  else if (magnitude < 1)
    add_float_bits(key, negative ? TAG_NEGATIVE : TAG_POSITIVE, magnitude, turn);
  else
    add_whole_and_fraction(key, negative, magnitude);
}

void ld_tuple_prefix(ld_buf *key, ld_slice bytes) {
  ld_buf_byte(key, TAG_STRING);
  while (bytes.size > 0) {
    const uint8_t *zero = memchr(bytes.data, 0, bytes.size);
    size_t plain = zero == NULL ? bytes.size : (size_t)(zero - bytes.data) + 1;
    ld_buf_add(key, ld_bytes(bytes.data, plain));
    if (zero != NULL) ld_buf_byte(key, 0xff);
    bytes = ld_bytes(bytes.data + plain, bytes.size - plain);
  }
}

void ld_tuple_string(ld_buf *key, ld_slice bytes) {
  ld_tuple_prefix(key, bytes);
  ld_buf_byte(key, 0);
}

/* ---- reading ---- */

static bool take_bytes(ld_slice *rest, size_t size, uint8_t turn, uint64_t *number) {
  if (rest->size < size) return false;
  *number = 0;
  for (size_t i = 0; i < size; i++) *number = *number << 8 | (rest->data[i] ^ turn);
  *rest = ld_bytes(rest->data + size, rest->size - size);
  return true;
}

static ld_rc whole_part(ld_part *part, int64_t integer) {
  part->kind = LD_PART_INT;
  part->integer = integer;
  return LD_OK;
}

static ld_rc float_part(ld_part *part, double number) {
  part->kind = LD_PART_FLOAT;
  part->number = number;
  return LD_OK;
}

static ld_rc read_float_bits(ld_slice *rest, uint8_t tag, ld_part *part) {
  bool negative = tag == TAG_LOWEST || tag == TAG_NEGATIVE;
  bool large = tag == TAG_LOWEST || tag == TAG_HIGHEST;
  uint64_t bits;
  double magnitude;
  if (!take_bytes(rest, 8, negative ? 0xff : 0, &bits)) return LD_CORRUPT;
  memcpy(&magnitude, &bits, 8);
  if (large ? !(magnitude >= two_to_63) : !(magnitude > 0 && magnitude < 1)) return LD_CORRUPT;
  if (negative && magnitude == two_to_63) return whole_part(part, INT64_MIN);
  return float_part(part, negative ? -magnitude : magnitude);
}

static ld_rc read_magnitude(ld_slice *rest, uint8_t tag, ld_part *part) {
  bool negative = tag < TAG_NEGATIVE;
  size_t size = (size_t)(negative ? TAG_NEGATIVE - tag : tag - TAG_POSITIVE);
  uint8_t turn = negative ? 0xff : 0;
  uint64_t shifted, fraction = 0;
  if (!take_bytes(rest, size, turn, &shifted)) return LD_CORRUPT;
  uint64_t whole = shifted >> 1;
  if (whole == 0 || (size > 1 && shifted >> (8 * (size - 1)) == 0)) return LD_CORRUPT;
  if ((shifted & 1) == 0) return whole_part(part, negative ? -(int64_t)whole : (int64_t)whole);
  if (!take_bytes(rest, FRACTION_BYTES, turn, &fraction) || fraction == 0) return LD_CORRUPT;
  if ((uint64_t)(double)fraction != fraction) return LD_CORRUPT;
  double behind = ldexp((double)fraction, -FRACTION_BITS);
  double magnitude = (double)whole + behind;
  if (magnitude - (double)whole != behind || (uint64_t)magnitude != whole) return LD_CORRUPT;
  return float_part(part, negative ? -magnitude : magnitude);
}

static ld_rc string_part(ld_part *part, ld_slice bytes) {
  part->kind = LD_PART_STRING;
  part->bytes = bytes;
  return LD_OK;
}

/* The string holds a zero byte: put it together in `scratch`. */
static ld_rc read_escaped(ld_slice *rest, ld_part *part, ld_buf *scratch) {
  ld_buf_reset(scratch);
  for (;;) {
    const uint8_t *zero = rest->size == 0 ? NULL : memchr(rest->data, 0, rest->size);
    if (zero == NULL) return LD_CORRUPT;
    size_t plain = (size_t)(zero - rest->data);
    bool escaped = plain + 1 < rest->size && zero[1] == 0xff;
    ld_buf_add(scratch, ld_bytes(rest->data, plain + escaped));
    *rest = ld_bytes(zero + 1 + escaped, rest->size - plain - 1 - escaped);
    if (!escaped) break;
  }
  return scratch->failed ? LD_NOMEM : string_part(part, ld_buf_slice(scratch));
}

static ld_rc read_string(ld_slice *rest, ld_part *part, ld_buf *scratch) {
  const uint8_t *zero = rest->size == 0 ? NULL : memchr(rest->data, 0, rest->size);
  if (zero == NULL) return LD_CORRUPT;
  size_t size = (size_t)(zero - rest->data);
  if (size + 1 < rest->size && zero[1] == 0xff) return read_escaped(rest, part, scratch);
  ld_slice bytes = ld_bytes(rest->data, size);
  *rest = ld_bytes(zero + 1, rest->size - size - 1);
  return string_part(part, bytes);
}

ld_rc ld_tuple_next(ld_slice *rest, ld_part *part, ld_buf *scratch) {
  if (rest->size == 0) return LD_NOTFOUND;
  uint8_t tag = rest->data[0];
  *rest = ld_bytes(rest->data + 1, rest->size - 1);
  switch (tag) {
  case TAG_NULL: part->kind = LD_PART_NULL; return LD_OK;
  case TAG_NAN: return float_part(part, (double)NAN);
  case TAG_ZERO: return whole_part(part, 0);
  case TAG_STRING: return read_string(rest, part, scratch);
  case TAG_LOWEST:
  case TAG_NEGATIVE:
  case TAG_POSITIVE:
  case TAG_HIGHEST: return read_float_bits(rest, tag, part);
  case TAG_FALSE:
  case TAG_TRUE:
    part->kind = LD_PART_BOOL;
    part->truth = tag == TAG_TRUE;
    return LD_OK;
  default: break;
  }
  return tag > TAG_LOWEST && tag < TAG_HIGHEST ? read_magnitude(rest, tag, part) : LD_CORRUPT;
}
