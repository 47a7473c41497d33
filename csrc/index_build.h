/* index_build.h -- taking the documents that are there into a new index, a batch in each transaction.
**
** From the moment the declaration has an index, every write keeps it. A build goes through the documents in order of id beside that, and notes how far it has
** come with each batch, so that any process may go on where another one stopped; with the last document the index is ready. */
#ifndef LD_INDEX_BUILD_H
#define LD_INDEX_BUILD_H

#include "collection.h"

typedef enum ld_build {
  LD_BUILD_MORE,
  LD_BUILD_DONE, /* all indexes are ready */
  LD_BUILD_CLASH /* two documents clash in a unique index: it was dropped, and the engine's error names them (EXISTS) */
} ld_build;

/* Take in the next documents, `most` at the most, for the first index that is not ready. */
ld_rc ld_index_build(ld_txn *txn, ld_collection *collection, unsigned most, ld_build *state);

#endif
