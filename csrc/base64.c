/* base64.c -- see base64.h. Three bytes are four letters; what is missing to three is written as one or two `=`. */
#include "base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ld_base64_encode(ld_slice bytes, ld_buf *text) {
  for (size_t at = 0; at < bytes.size; at += 3) {
    size_t left = bytes.size - at;
    uint32_t group = (uint32_t)bytes.data[at] << 16;
    if (left > 1) group |= (uint32_t)bytes.data[at + 1] << 8;
    if (left > 2) group |= bytes.data[at + 2];
    ld_buf_byte(text, (uint8_t)letters[group >> 18]);
    ld_buf_byte(text, (uint8_t)letters[group >> 12 & 63]);
    ld_buf_byte(text, left > 1 ? (uint8_t)letters[group >> 6 & 63] : '=');
    ld_buf_byte(text, left > 2 ? (uint8_t)letters[group & 63] : '=');
  }
}

/* 64 when it is no letter. */
static uint32_t letter_value(uint8_t letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26u;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52u;
  return letter == '+' ? 62 : letter == '/' ? 63 : 64;
}

/* `size` letters, 2 to 4, that stand for size - 1 bytes. False: another character, or a bit left over. */
static bool decode_group(const uint8_t *at, size_t size, ld_buf *bytes) {
  uint32_t group = 0;
  for (size_t i = 0; i < 4; i++) {
    uint32_t value = i < size ? letter_value(at[i]) : 0;
    if (value == 64) return false;
    group = group << 6 | value;
  }
  for (size_t i = 0; i + 1 < size; i++) ld_buf_byte(bytes, (uint8_t)(group >> (16 - 8 * i)));
  return size == 4 || (group & (0xffffffu >> (8 * (size - 1)))) == 0;
}

bool ld_base64_decode(ld_slice text, ld_buf *bytes) {
  if (text.size % 4 != 0) return false;
  for (size_t at = 0; at < text.size; at += 4) {
    size_t size = 4;
    bool last = at + 4 == text.size;
    while (last && size > 2 && text.data[at + size - 1] == '=') size--;
    if (!decode_group(text.data + at, size, bytes)) return false;
  }
  return true;
}
