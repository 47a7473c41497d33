/* file_name.h -- names of any bytes as names of files, distinct on every file system.
**
** a-z, 0-9, `_`, `-` and dots within stay; every other byte, upper case letters too, becomes %XX, so that two names never differ in case only. The first letter of
** a device's name (`con`, `lpt1`) is escaped as well. What would pass 200 bytes is cut and goes on with `~` and the FNV-1a-128 hash of the name. */
#ifndef LD_FILE_NAME_H
#define LD_FILE_NAME_H

#include "base.h"

/* Append it. `escaped`: the first byte becomes %XX in any case, to tell it from a name that is taken. */
void ld_file_name(ld_slice name, bool escaped, ld_buf *file);
/* The same in two steps, for names of several parts: append one, whole (`%` where it is empty); then cut what is behind `start`, and stands for `name`, if it is too long. */
void ld_file_name_part(ld_slice name, bool escaped, ld_buf *file);
void ld_file_name_fit(ld_slice name, size_t start, ld_buf *file);

#endif
