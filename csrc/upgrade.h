/* upgrade.h -- writing the documents of older versions in the program's, a batch in each transaction.
**
** What was upgraded says so itself, in its version: a run that was cut short is begun again, and passes over what is done. */
#ifndef LD_UPGRADE_H
#define LD_UPGRADE_H

#include "collection.h"

/* Upgrade documents, `most` at the most, in order of id from behind `after` (a value; empty: from the first). Appends to `next` the id to go on behind; nothing
** when there is nothing left to do there. `older`: how many are left in all, also before `after`, where an older program may have written meanwhile. Newer ones
** are passed over. INVALID: no version was declared, or a document cannot be upgraded; the transaction is then spoilt. */
ld_rc ld_upgrade(ld_txn *txn, ld_collection *collection, unsigned most, ld_slice after,
                 ld_buf *next, uint64_t *count, uint64_t *older);

#endif
