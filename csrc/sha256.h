/* sha256.h -- SHA-256 (FIPS 180-4), for checksums; bytes may come in pieces. */
#ifndef LD_SHA256_H
#define LD_SHA256_H

#include "base.h"

enum { LD_SHA256 = 32, LD_SHA256_BLOCK = 64 };

typedef struct ld_sha256 {
  uint32_t state[8];
  uint64_t size; /* bytes so far */
  uint8_t block[LD_SHA256_BLOCK];
} ld_sha256;

void ld_sha256_begin(ld_sha256 *hash);
void ld_sha256_add(ld_sha256 *hash, ld_slice bytes);
void ld_sha256_end(ld_sha256 *hash, uint8_t digest[LD_SHA256]);

#endif
