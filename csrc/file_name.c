/* file_name.c -- see file_name.h. */
#include "file_name.h"

#include <stdio.h>
#include <string.h>

enum { WHOLE = 200, HASH_DIGITS = 32, CUT = WHOLE - 1 - HASH_DIGITS };

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static bool is_plain(ld_slice name, size_t at) {
  uint8_t byte = name.data[at];
  if ((byte >= 'a' && byte <= 'z') || is_digit(byte) || byte == '_' || byte == '-') return true;
  return byte == '.' && at > 0 && at + 1 < name.size;
}

/* What stands before the first dot is a device on some systems. */
static bool is_device(ld_slice name) {
  static const char *const devices[] = {"con", "prn", "aux", "nul"};
  size_t size = 0;
  while (size < name.size && name.data[size] != '.') size++;
  ld_slice stem = ld_bytes(name.data, size);
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
    if (ld_equal(stem, ld_text(devices[i]))) return true;
  return size == 4 && is_digit(stem.data[3]) &&
         (memcmp(stem.data, "com", 3) == 0 || memcmp(stem.data, "lpt", 3) == 0);
}

static void add_hash(ld_slice name, ld_buf *file) {
  uint8_t hash[LD_HASH];
  ld_hash128(name, hash);
  ld_buf_byte(file, '~');
  for (size_t i = 0; i < LD_HASH; i++) ld_buf_printf(file, "%02x", hash[i]);
}

void ld_file_name_fit(ld_slice name, size_t start, ld_buf *file) {
  if (file->failed || file->size - start <= WHOLE) return;
  file->size = start + CUT;
  for (size_t back = 1; back <= 2; back++)
    if (file->data[start + CUT - back] == '%') file->size -= back; /* no half of an escape */
  add_hash(name, file);
}

void ld_file_name_part(ld_slice name, bool escaped, ld_buf *file) {
  escaped = escaped || is_device(name);
  if (name.size == 0) ld_buf_byte(file, '%');
  for (size_t i = 0; i < name.size; i++)
    if (is_plain(name, i) && !(i == 0 && escaped))
      ld_buf_byte(file, name.data[i]);
    else
      ld_buf_printf(file, "%%%02X", name.data[i]);
}

void ld_file_name(ld_slice name, bool escaped, ld_buf *file) {
  size_t start = file->size;
  ld_file_name_part(name, escaped, file);
  ld_file_name_fit(name, start, file);
}
