/* crc32c.c -- CRC-32C by the processor's instruction, or four bits at a time.
**
** The polynomial and the check value are those of RFC 3720, appendix B.4. */
#include "base.h"

#include <string.h>

/* Four bits at a time: sixteen entries are enough, for processors that are not the target of the speed. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_by_table(uint32_t crc, const uint8_t *at, size_t size) {
  for (; size > 0; at++, size--) {
    crc ^= *at;
    crc = (crc >> 4) ^ nibbles[crc & 15];
    crc = (crc >> 4) ^ nibbles[crc & 15];
  }
  return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#include <wmmintrin.h>

#define WITH_INSTRUCTION __attribute__((target("sse4.2,pclmul")))

static inline uint64_t eight_at(const uint8_t *at) {
  uint64_t eight;
  memcpy(&eight, at, 8);
  return eight;
}

/* The checksum as it is behind so many zero bytes: multiplied by x^(8 * bytes), modulo the polynomial. The instruction multiplies
** by x^32 itself, and the product of reversed bits is one bit short: so `by` is x^(8 * bytes - 33), bits reversed. */
static const uint32_t BY_32 = 0xba4fc28e, BY_64 = 0x9e4addf8, BY_128 = 0x0d3b6092;

WITH_INSTRUCTION static inline uint64_t move_on(uint64_t crc, uint32_t by) {
  __m128i product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi32_si128((int32_t)by), 0);
  return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* The instruction has to wait for its own last result: so the three parts of a block, one behind the other, go side by side. */
WITH_INSTRUCTION static inline uint64_t add_block(uint64_t crc, const uint8_t *at, size_t part,
                                                  uint32_t by_part, uint32_t by_two) {
  uint64_t a = crc, b = 0, c = 0;
  for (const uint8_t *end = at + part; at < end; at += 8) {
    a = _mm_crc32_u64(a, eight_at(at));
    b = _mm_crc32_u64(b, eight_at(at + part));
    c = _mm_crc32_u64(c, eight_at(at + 2 * part));
  }
  return move_on(a, by_two) ^ move_on(b, by_part) ^ c;
}

WITH_INSTRUCTION static uint32_t crc_by_instruction(uint32_t crc, const uint8_t *at, size_t size) {
  uint64_t wide = crc;
  for (; size >= 192; at += 192, size -= 192) wide = add_block(wide, at, 64, BY_64, BY_128);
  for (; size >= 96; at += 96, size -= 96) wide = add_block(wide, at, 32, BY_32, BY_64);
  for (; size >= 8; at += 8, size -= 8) wide = _mm_crc32_u64(wide, eight_at(at));
  crc = (uint32_t)wide;
  if ((size & 4) != 0) {
    uint32_t four;
    memcpy(&four, at, 4);
    crc = _mm_crc32_u32(crc, four);
    at += 4;
  }
  for (size &= 3; size > 0; at++, size--) crc = _mm_crc32_u8(crc, *at);
  return crc;
}

static bool has_instruction(void) {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

static uint32_t crc_by_instruction(uint32_t crc, const uint8_t *at, size_t size) {
  uint64_t eight;
  for (; size >= 8; at += 8, size -= 8) {
    memcpy(&eight, at, 8);
    crc = __crc32cd(crc, eight);
  }
  for (; size > 0; at++, size--) crc = __crc32cb(crc, *at);
  return crc;
}

static bool has_instruction(void) { return true; }

#else
#define crc_by_instruction crc_by_table
static bool has_instruction(void) { return false; }
#endif

uint32_t ld_crc32c(uint32_t crc, ld_slice bytes) {
  if (bytes.size == 0) return crc;
  crc = ~crc;
  crc = has_instruction() ? crc_by_instruction(crc, bytes.data, bytes.size)
                          : crc_by_table(crc, bytes.data, bytes.size);
  return ~crc;
}
