/* file_hash.c -- 128 bits of a file's content: two lanes of 64, eight bytes at a time. It tells that a file was edited; it is no defence against forgers. */
#include "file_store.h"

static uint64_t mix(uint64_t lane, uint64_t word, uint64_t odd) {
  lane = (lane ^ word) * odd;
  return lane ^ lane >> 29;
}

void file_hash(ld_slice content, uint8_t hash[LD_HASH]) {
  static const uint64_t odd_a = UINT64_C(0x9e3779b97f4a7c15), odd_b = UINT64_C(0xc2b2ae3d27d4eb4f);
  uint64_t a = content.size, b = ~a, word;
  for (size_t at = 0; at < content.size; at += sizeof word) {
    size_t left = content.size - at;
    word = 0;
    memcpy(&word, content.data + at, left < sizeof word ? left : sizeof word);
    a = mix(a, word, odd_a);
    b = mix(b, word, odd_b);
  }
  a = mix(a, b, odd_b);
  b = mix(b, a, odd_a);
  memcpy(hash, &a, sizeof a);
  memcpy(hash + sizeof a, &b, sizeof b);
}
