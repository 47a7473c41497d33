/* fuzz.h -- what the fuzz targets share. A target is one function; libFuzzer has the main(), or fuzz_main.c. */
#ifndef LD_FUZZ_H
#define LD_FUZZ_H

#include <math.h>

#include "../../csrc/value.h"
#include "check.h"

/* Takes any input; what must hold and does not ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Take a value off the front of `rest`, which was checked, and write it anew: shortest forms, bytes that are UTF-8 as text, one
** NaN. `late`: heads of containers are written when they close. */
static inline void fuzz_rewrite(ld_slice *rest, bool late, ld_buf *out) {
  ld_token token;
  CHECK(ld_value_next(rest, &token));
  switch (token.kind) {
  case LD_NIL: ld_write_nil(out); return;
  case LD_BOOL: ld_write_bool(out, token.truth); return;
  case LD_INT: ld_write_int(out, token.integer); return;
  case LD_FLOAT: ld_write_float(out, isnan(token.number) ? (double)NAN : token.number); return;
  case LD_STR:
  case LD_BIN: ld_write_string(out, token.bytes); return;
  case LD_ARRAY:
  case LD_MAP: break;
  }
  size_t opened = late ? ld_write_open(out) : 0;
  if (!late && token.kind == LD_ARRAY) ld_write_array(out, token.count);
  if (!late && token.kind == LD_MAP) ld_write_map(out, token.count);
  size_t count = token.count * (token.kind == LD_MAP ? (size_t)2 : 1);
  for (size_t i = 0; i < count; i++) fuzz_rewrite(rest, late, out);
  if (late) ld_write_close(out, opened, token.kind, token.count);
}

#endif
