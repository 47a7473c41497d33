/* input.h -- a file that is read from its beginning to its end, unpacked where gzip has packed it. What it is its first bytes say, not its name. */
#ifndef LD_INPUT_H
#define LD_INPUT_H

#include "gzip.h"

typedef struct ld_input {
  int descriptor; /* -1: closed */
  bool ended;     /* so has the file */
  ld_gzip *gzip;  /* NULL: it is not packed */
  ld_buf read;    /* of the file; used up to `at` */
  size_t at;
} ld_input;

/* ld_input_close it, also after a failure. IO, INVALID (no such file; packed by another program), UNSUPPORTED (packed by gzip, and there is no zlib). */
ld_rc ld_input_open(ld_input *input, const char *path, ld_error *error);
void ld_input_close(ld_input *input);

/* Append the next bytes, `most` at the most; nothing is appended at the end. INVALID: what was packed is damaged or cut off. */
ld_rc ld_input_read(ld_input *input, size_t most, ld_buf *text, ld_error *error);

#endif
