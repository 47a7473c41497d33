/* test_crc32c.c -- the checksum: the vectors of RFC 3720, appendix B.4, by both ways of computing it. */
#include "../../csrc/crc32c.c"

#include "check.h"

typedef uint32_t crc_way(uint32_t crc, const uint8_t *at, size_t size);

static uint32_t whole(crc_way *way, const void *bytes, size_t size) {
  return ~way(~UINT32_C(0), bytes, size);
}

static void fill(uint8_t bytes[32], int first, int step) {
  for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)(first + i * step);
}

static void check_vectors(crc_way *way) {
  static const uint8_t read_command[48] = {
      0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
  uint8_t bytes[32];
  CHECK(whole(way, "123456789", 9) == 0xe3069283);
  CHECK(whole(way, "", 0) == 0);
  fill(bytes, 0, 0);
  CHECK(whole(way, bytes, 32) == 0x8a9136aa);
  fill(bytes, 0xff, 0);
  CHECK(whole(way, bytes, 32) == 0x62a8ab43);
  fill(bytes, 0, 1);
  CHECK(whole(way, bytes, 32) == 0x46dd794e);
  fill(bytes, 31, -1);
  CHECK(whole(way, bytes, 32) == 0x113fdb5c);
  CHECK(whole(way, read_command, sizeof read_command) == 0xd9963a56);
}

/* Any size at any place in memory, whole and in two parts, gives the same by both. */
static void test_agreement(void) {
  uint8_t bytes[500];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 131 + 7);
  for (size_t start = 0; start < 9; start++)
    for (size_t size = 0; start + size <= sizeof bytes; size++) {
      uint32_t expected = whole(crc_by_table, bytes + start, size);
      CHECK(ld_crc32c(0, ld_bytes(bytes + start, size)) == expected);
      uint32_t crc = ld_crc32c(0, ld_bytes(bytes + start, size / 3));
      CHECK(ld_crc32c(crc, ld_bytes(bytes + start + size / 3, size - size / 3)) == expected);
    }
}

static void test_each_bit_counts(void) {
  uint8_t bytes[40] = {0};
  uint32_t before = ld_crc32c(0, ld_bytes(bytes, sizeof bytes));
  for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(ld_crc32c(0, ld_bytes(bytes, sizeof bytes)) != before);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

int main(void) {
  check_vectors(crc_by_table);
  if (has_instruction()) check_vectors(crc_by_instruction);
  CHECK(ld_crc32c(0, LD_SLICE_NONE) == 0 && ld_crc32c(77, LD_SLICE_NONE) == 77);
  test_agreement();
  test_each_bit_counts();
  return check_done("crc32c");
}
