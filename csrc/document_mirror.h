/* document_mirror.h -- the layers' side of mirror.h: rooms, documents and maps as JSON files.
**
**   rooms/NAME.json             MovieMatch's own file: the room with ratings and progress
**   COLLECTION/ID.json          the document; of a version above 1, and where a field has that very name, {"$version": 2, "$document": {...}}
**   maps/MAP/KEY.json           {"map": ..., "key": ..., "value": ...}
**   queue/QUEUE/ID.json         a job (queue_mirror.h)
**
** Names are written as file_name.h says. What is inside a file decides whose it is, not its name; but the folder says which collection.
** Counts and indexes are derived. A document gets a new revision when it is loaded; a room's last activity is the file's time. */
#ifndef LD_DOCUMENT_MIRROR_H
#define LD_DOCUMENT_MIRROR_H

#include "mirror.h"

/* Append the unit of a room (`kind` is `rooms`) or of a document (its collection). `id` is a value. INVALID, TOOBIG. */
ld_rc ld_document_unit(ld_slice kind, ld_slice id, ld_buf *unit, ld_error *error);

extern const ld_mirror ld_document_mirror;

#endif
