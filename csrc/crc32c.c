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

__attribute__((target("sse4.2"))) static uint32_t
crc_by_instruction(uint32_t crc, const uint8_t *at, size_t size) {
  uint64_t wide = crc, eight;
  for (; size >= 8; at += 8, size -= 8) {
    memcpy(&eight, at, 8);
    wide = _mm_crc32_u64(wide, eight);
  }
  crc = (uint32_t)wide;
  for (; size > 0; at++, size--) crc = _mm_crc32_u8(crc, *at);
  return crc;
}

static bool has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }

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
