/* base64.h -- bytes as text (RFC 4648, section 4: with + and /, and padded). */
#ifndef LD_BASE64_H
#define LD_BASE64_H

#include "base.h"

void ld_base64_encode(ld_slice bytes, ld_buf *text);
/* False when `text` is not what the encoder writes, to the last bit; then something may have been appended. */
bool ld_base64_decode(ld_slice text, ld_buf *bytes);

#endif
