/* backup.h -- a store written into a folder while others go on writing, verified by another process before it has its name.
**
** A backup is a folder with data.mdb, a store of the LMDB engine whatever engine it was made from, packed, and backup.json, its label:
**   {"larder": "backup", "format": 1, "at": ms, "made_by": version, "engine": name, "bytes": of data.mdb, "rows", "rooms", "documents", "keys", "hash"}
** The hash is h(n) of the rows in their order, h(i) = FNV-1a-128(h(i-1), size of the key as LEB128, key, value), h(0) = 16 zeros: two
** backups with the same hash hold the same rows. A label is handed out as a document, with those fields.
**
** Nothing that is wrong gets a name: a store that is damaged is refused (CORRUPT), and what was written until then is removed. */
#ifndef LD_BACKUP_H
#define LD_BACKUP_H

#include "engine.h"

/* Who is told how far it is; `progress` may be NULL. */
typedef struct ld_watch {
  void *context;
  /* Now and then, `done` growing up to `total`: rows, each as often as it is gone through. Another code than LD_OK ends the work as a failure does, and is returned. */
  ld_rc (*progress)(void *context, uint64_t done, uint64_t total);
} ld_watch;

#define LD_BACKUP_FORMAT 1
#define LD_BACKUP_DATA   "data.mdb"
#define LD_BACKUP_LABEL  "backup.json"

/* Write what is committed now into the new folder `path` and append its label; `at` is the time in it. EXISTS: something is at `path`. */
ld_rc ld_backup_make(ld_engine *store, const char *path, int64_t at, const ld_watch *watch,
                     ld_buf *label);
/* Append the label of the backup at `path`; the data are not looked at, but for their size. INVALID: no backup of ours. UNSUPPORTED: a newer format. CORRUPT. */
ld_rc ld_backup_read(const char *path, ld_buf *label, ld_error *error);
/* Verify that a backup holds what its label says, in another process, and append the label. As read; CORRUPT says what is wrong. */
ld_rc ld_backup_check(const char *path, const ld_watch *watch, ld_buf *label, ld_error *error);
/* A number that a label tells: "rows", "bytes". */
uint64_t ld_backup_count(ld_slice label, const char *name);

#endif
