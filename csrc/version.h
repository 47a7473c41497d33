/* version.h -- the version of the form that a document is in, and how many documents there are of each.
**
**   a document's row:  the document; of a version above 1 the version, an integer, and the document behind it
**   a tally:           varint: how many documents; then, ascending, for each version above 1 that some have: varint version, varint how many
**
** So a collection whose documents were never given a version has neither, and its documents are of version 1. */
#ifndef LD_VERSION_H
#define LD_VERSION_H

#include "base.h"

/* Take a row's payload apart; `document` lies in it. False: it is damaged. */
bool ld_version_split(ld_slice payload, uint64_t *version, ld_slice *document);
/* Append a row's payload. */
void ld_version_join(uint64_t version, ld_slice document, ld_buf *payload);

/* How many documents there are, and of these how many below a version. An empty tally has none. False: it is damaged. */
bool ld_tally_count(ld_slice tally, uint64_t *count);
bool ld_tally_older(ld_slice tally, uint64_t version, uint64_t *count);
/* Append the tally after a document of version `from` became one of version `to`; 0: it is not there. False: it is damaged. */
bool ld_tally_move(ld_slice tally, uint64_t from, uint64_t to, ld_buf *moved);

#endif
