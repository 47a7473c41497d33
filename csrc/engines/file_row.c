/* file_row.c -- the file of a row that shows nowhere else: `larder row 1`, a newline, varint size of the key, key, value, and the CRC-32C of all that, little-endian. */
#include "file_store.h"

static const char head[] = "larder row 1\n";
enum { HEAD = sizeof head - 1, CHECKSUM = 4 };

void file_row_path(ld_slice key, bool loose, ld_buf *path) {
  uint8_t hash[LD_HASH];
  ld_hash128(key, hash);
  ld_buf_add(path, loose ? LD_LITERAL(".larder/loose/") : LD_LITERAL(".larder/rows/"));
  for (size_t i = 0; i < LD_HASH; i++) ld_buf_printf(path, "%02x", hash[i]);
  ld_buf_byte(path, 0);
}

void file_row_write(ld_slice key, ld_slice value, ld_buf *text) {
  ld_buf_add(text, LD_LITERAL(head));
  ld_buf_varint(text, key.size);
  ld_buf_add(text, key);
  ld_buf_add(text, value);
  uint32_t crc = ld_crc32c(0, ld_buf_slice(text));
  for (unsigned i = 0; i < CHECKSUM; i++) ld_buf_byte(text, (uint8_t)(crc >> (8 * i)));
}

bool file_row_read(ld_slice text, ld_slice *key, ld_slice *value) {
  uint64_t size;
  uint32_t crc = 0;
  if (text.size < HEAD + CHECKSUM || !ld_starts_with(text, LD_LITERAL(head))) return false;
  ld_slice body = ld_bytes(text.data, text.size - CHECKSUM);
  for (unsigned i = 0; i < CHECKSUM; i++) crc |= (uint32_t)text.data[body.size + i] << (8 * i);
  if (crc != ld_crc32c(0, body)) return false;
  ld_slice rest = ld_bytes(body.data + HEAD, body.size - HEAD);
  if (!ld_read_varint(&rest, &size) || size == 0 || size > rest.size) return false;
  *key = ld_bytes(rest.data, (size_t)size);
  *value = ld_bytes(rest.data + size, rest.size - (size_t)size);
  return true;
}
