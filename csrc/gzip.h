/* gzip.h -- bytes packed and unpacked as gzip does (RFC 1952), by zlib.
**
** The library does without zlib: it is looked for when a stream is opened, and its header when this is compiled. Where one of them
** is not there (or LD_NO_ZLIB is defined), opening is UNSUPPORTED and says so. */
#ifndef LD_GZIP_H
#define LD_GZIP_H

#include "base.h"

typedef struct ld_gzip ld_gzip;

/* `*stream` is owned: ld_gzip_close. */
ld_rc ld_gzip_open(bool packing, ld_gzip **stream, ld_error *error);
void ld_gzip_close(ld_gzip *stream);

/* Append `text`, packed; with the `last` also what a file ends with. */
ld_rc ld_gzip_pack(ld_gzip *stream, ld_slice text, bool last, ld_buf *packed, ld_error *error);

/* Unpack the front of `packed`, which is taken off it, and append the text, `most` bytes at the most. All of it is unpacked when nothing was appended and `packed`
** is empty. INVALID: damaged; what comes before the damage is given first. */
ld_rc ld_gzip_unpack(ld_gzip *stream, ld_slice *packed, size_t most, ld_buf *text, ld_error *error);
/* Whether a file may end here. Several of them, one behind the other, are one. */
bool ld_gzip_is_whole(const ld_gzip *stream);

#endif
