/* salvage.h -- what an engine tells while it reads what is left in a damaged medium. */
#ifndef LD_SALVAGE_H
#define LD_SALVAGE_H

#include "base.h"

typedef struct ld_salvage {
  void *context;
  /* A row that config.check_row takes for undamaged; one key may come several times, in several states; the newest first, where that can be told. Another code than LD_OK ends the reading and is returned. */
  ld_rc (*row)(void *context, ld_slice key, ld_slice value);
  /* Something that could not be read; the key where it is known, else empty. */
  void (*lost)(void *context, ld_slice key, const char *text);
  ld_rc (*progress)(void *context, uint64_t done, uint64_t total); /* as `row`; may be NULL */
} ld_salvage;

#endif
