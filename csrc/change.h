/* change.h -- changing documents that are there: by a patch, one or all that a query finds. */
#ifndef LD_CHANGE_H
#define LD_CHANGE_H

#include "find.h"

/* Apply a patch (patch.h) to the document `id`; appends the new document to `stored`. NOTFOUND; with `upsert` it is made from the id and the patch. CONFLICT. INVALID: also when the id would change. */
ld_rc ld_change(ld_txn *txn, ld_collection *collection, ld_slice id, ld_slice patch,
                uint64_t if_revision, bool upsert, ld_buf *stored);
/* Apply a patch to all documents found, or to none: everything is checked before the first is written. */
ld_rc ld_change_where(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_slice patch,
                      uint64_t *count);
ld_rc ld_delete_where(ld_txn *txn, ld_collection *collection, const ld_find *find, uint64_t *count);

#endif
