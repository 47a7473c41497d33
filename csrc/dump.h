/* dump.h -- a store as one text: JSON Lines, a record in each line, between a header and a trailer.
**
**   {"larder":"dump","format":1,"at":"2026-11-21T08:00:00.000Z","by":"0.1.0","sequence":17,"rooms":1,"collections":1,"documents":1,...}
**   {"kind":"room","room":{"roomName":"a"},"savedAt":1700000000000}
**   {"kind":"collection","collection":"plans","declaration":{"key":"id"}}
**   {"kind":"document","collection":"plans","document":{"id":1}}
**   {"larder":"end","lines":4,"bytes":372,"crc32c":"e3069283","rooms":1,...}
**
** Records are those of record.h, values Extended JSON as json.h says: nothing is lost. `lines`, `bytes` and `crc32c` are about all lines before the trailer, their newlines too;
** every line ends in one. A later version that adds kinds keeps the format's number; one that changes the meaning of a line raises it. */
#ifndef LD_DUMP_H
#define LD_DUMP_H

#include "record.h"

#define LD_DUMP_FORMAT 1

/* Zeroed to begin with, but for these two; ld_dump_clear it. */
typedef struct ld_dump {
  ld_scope scope;
  bool unfinished; /* so may the store be: a copy or a load into it has not ended */
  ld_record_counts expected, counts; /* counted before; written */
  uint64_t lines, bytes;
  uint32_t checksum;
  bool done;
  ld_buf place, record;
} ld_dump;

/* Append the next lines to `text`, about `most` bytes. Sets `done` with the trailer. Each call is made in the same snapshot. CORRUPT names a damaged row, INVALID a collection
** of the scope that is not there; INVALID also when the store is not whole. */
ld_rc ld_dump_some(ld_txn *txn, ld_dump *dump, size_t most, ld_buf *text);
void ld_dump_clear(ld_dump *dump);

/* Append one line without its newline: a map whose keys are plain names. */
ld_rc ld_dump_line(ld_slice record, ld_buf *text, ld_error *error);

#endif
