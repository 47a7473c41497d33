/* load.h -- a dump (dump.h) read back: checked line by line, put into a store.
**
** Every failure about the text names its line, and a column where there is one: `line 12, column 5: ...`. INVALID: it is no dump, was cut off or changed; UNSUPPORTED: a newer version
** made it. Only the last line tells whether all is there and unchanged, so nothing may be visible before it was read: either all is one transaction, or
** the text is read twice, the first time without a store. A text that gzip has packed is unpacked (input.h). */
#ifndef LD_LOAD_H
#define LD_LOAD_H

#include "input.h"
#include "record.h"

/* Where the text is; ld_load_close it, also after a failure. */
typedef struct ld_load {
  ld_input input;
  ld_buf text;     /* what was read and is not used yet begins at `at` */
  size_t at, seen; /* up to `seen` there is no newline */
  bool ended;      /* the last line was read */
  bool over;       /* so was the end of the file */
  uint64_t line, bytes;
  uint32_t checksum;
  uint64_t sequence; /* of the header */
  ld_record_counts expected, counts;
  ld_buf record;
  ld_record_writer writer;
} ld_load;

ld_rc ld_load_open(ld_load *load, const char *path, ld_error *error);
void ld_load_close(ld_load *load);

/* Read the next lines, `most` at the most, and only check them. Sets `over` behind the last. */
ld_rc ld_load_check(ld_load *load, uint64_t most, ld_error *error);
/* And put them into the store. With `replace` what is there is replaced, else it is EXISTS. A failure spoils the transaction. */
ld_rc ld_load_some(ld_txn *txn, ld_load *load, uint64_t most, bool replace);
/* And note in the store how far it is (unfinished.h): the first time into an empty store only (EXISTS); when the load of this very dump was broken off, behind its last batch.
** `whole` has read and checked all of the text. With the last line the note is removed. CONFLICT: somebody else loads. */
ld_rc ld_load_batch(ld_txn *txn, ld_load *load, const ld_load *whole, uint64_t most);

#endif
