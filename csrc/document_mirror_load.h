/* document_mirror_load.h -- files taken in through the layers: the second half of document_mirror.c, which see. */
#ifndef LD_DOCUMENT_MIRROR_LOAD_H
#define LD_DOCUMENT_MIRROR_LOAD_H

#include "engine.h"

/* Append the name of a collection's folder. */
void document_mirror_folder(ld_slice collection, ld_buf *path);

ld_rc document_mirror_begin(ld_txn *txn, void **loader);
ld_rc document_mirror_load(void *loader, ld_slice path, ld_slice text, int64_t time, ld_buf *unit);
ld_rc document_mirror_end(void *loader, ld_rc rc);
ld_rc document_mirror_replace(ld_txn *txn, ld_slice path, ld_slice text);

#endif
