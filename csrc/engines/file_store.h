/* file_store.h -- what the parts of the file engine share.
**
** The rows are in the memory engine's tree. Beside it stand the *units* (mirror.h) and their files. The key of a unit here is a letter and the mirror's key: `f` one that a file
** shows, `r` a row that is kept as it is, `a` one that is kept ahead, `l` one of which a part is; these have a file in `.larder/rows`, and the last one another in `.larder/loose`.
** Invariant: what `files` says of a unit is what this process read or wrote last; a file that differs from it was changed by somebody else. */
#ifndef LD_FILE_STORE_H
#define LD_FILE_STORE_H

#include <pthread.h>

#include "file_disk.h"
#include "memory.h"

enum { FILE_SHOWN = 'f', FILE_ROW = 'r', FILE_AHEAD = 'a', FILE_LOOSE = 'l' };

typedef struct file_settings {
  bool sync, skip_damaged, read_only;
  mode_t file_mode, folder_mode;
  uint64_t backups; /* of each file */
  uint64_t backup_days;
} file_settings;

/* One for a directory, shared by the handles that a thread has on it. */
typedef struct file_store {
  memory_rows rows;
  struct file_store *next; /* of this process */
  size_t handles;
  dev_t device;
  ino_t inode;
  char *path; /* as it was opened */
  pid_t owner;
  pthread_t thread;
  ld_engine *engine;       /* the handle that is at work: its error is written */
  ld_txn *writer;          /* the open write transaction; NULL: none is */
  const ld_mirror *mirror; /* NULL: all rows are kept as they are */
  file_settings settings;
  file_disk disk;
  ld_btree files;     /* unit -> file_record and path */
  ld_btree aliases;   /* mirror's alias -> unit */
  ld_btree changed;   /* units that the open write transaction has touched */
  ld_btree revisions; /* while it is loaded: unit -> hash of its file and revision */
  int log;            /* .larder/revisions; -1: none */
  uint64_t log_room;  /* how many bytes more, until it is written anew; 0: now */
  ld_btree kept;      /* rows of `a` and `l`: key -> value, as it is in its file */
  ld_mirror_place place;
  ld_btree skipped;   /* damaged files that were left alone: path -> what is wrong */
  uint64_t temporary; /* number of the last temporary file */
  bool loading;       /* rows that are written now come from files */
  bool flat;          /* rooms are at the top */
  bool
      broken; /* a commit stands in the journal, and is not in the files: only opening anew helps */
} file_store;

typedef struct file_engine {
  memory_engine memory;
  file_store *store;
} file_engine;

typedef struct file_record {
  file_stamp stamp;
  uint8_t hash[LD_HASH];
  uint64_t revision; /* 0: it has none */
} file_record;

static inline file_store *file_store_of(ld_engine *engine) {
  return ((file_engine *)engine)->store;
}

/* file_hash.c: of a file's content. */
void file_hash(ld_slice content, uint8_t hash[LD_HASH]);

/* ---- file_commit.c ---- */

/* Write what the transaction has changed; LD_OK: it is on the disk. */
ld_rc file_commit_changes(ld_txn *txn);

/* ---- file_row.c: a row's own file ---- */

/* Append the path, with its NUL. `loose`: of the latest value of a loose row. */
void file_row_path(ld_slice key, bool loose, ld_buf *path);
void file_row_write(ld_slice key, ld_slice value, ld_buf *text);
bool file_row_read(ld_slice text, ld_slice *key, ld_slice *value);

/* ---- file_loose.c: the latest values of loose rows, not synced ---- */

/* Write those that the transaction has changed. Best effort: the next commit, or the layers, put it right. */
void file_loose_write(ld_txn *txn);
/* The latest value of a loose row, in `text`, where it goes with what was kept; else `*value` stays. */
void file_loose_read(const file_store *store, ld_slice key, ld_buf *text, ld_slice *value);

/* ---- file_journal.c: renames that are decided ---- */

/* Append one. `from` NULL: `to` is removed. */
void file_journal_add(ld_buf *journal, const char *from, const char *to);
/* Publish it; from then on the renames will be made, by whomever. */
int file_journal_write(const file_disk *disk, const ld_buf *journal);
int file_journal_remove(const file_disk *disk);
/* Make what a process that died has decided. */
ld_rc file_journal_replay(const file_disk *disk, ld_error *error);

/* ---- file_backup.c: NAME.json.backup.1 is what was there before ---- */

/* Move all one further and link the file as the first. Best effort: it never fails. */
void file_backup_rotate(const file_store *store, const char *path);
/* Remove all. */
void file_backup_remove(const file_store *store, const char *path);
/* Append the path of the nth. */
void file_backup_path(const char *path, uint64_t n, ld_buf *backup);
/* Whether a path is that of a backup; remove it when it is older than `backup_days`. */
bool file_backup_is(const char *path);
void file_backup_expire(const file_store *store, const char *path);

/* ---- file_revision.c: the revisions of units, so that they are the same when the store is opened again ----
** A line is written with each commit and not synced: it counts only for a file whose content has this hash. */

/* Read the log into `revisions`. */
void file_revisions_read(file_store *store);
/* Write it anew from all that is there, and go on with it. Best effort, as append. */
void file_revisions_begin(file_store *store);
void file_revision_line(ld_slice unit, const uint8_t hash[LD_HASH], uint64_t revision, ld_buf *log);
void file_revisions_append(file_store *store, const ld_buf *log);
/* The revision that is known for this content of a unit; 0: none. */
uint64_t file_revision_find(const file_store *store, ld_slice unit, const uint8_t hash[LD_HASH]);

/* file_survey.c: an engine's `survey`. */
ld_rc file_survey(ld_engine *engine, ld_stray tell, void *context);

/* ---- file_share.c: one store for a directory ---- */

/* Open the directory's store, or take another handle on it. `*fresh`: it is to be loaded. BUSY, INVALID (other settings). */
ld_rc file_share_open(file_engine *handle, const char *path, const file_settings *settings,
                      const ld_mirror *mirror, bool *fresh);
/* The last handle closes it. */
void file_share_close(file_engine *handle);

/* ---- file_load.c ---- */

bool file_is_temporary(const char *path); /* what a commit leaves that is killed */
/* Read all that is there into the tree, within a write transaction. With read_only nothing on the disk is changed. */
ld_rc file_load(file_store *store);
/* Note in `files` what a unit's file is; NOMEM. */
ld_rc file_record_put(ld_btree *files, ld_slice unit, const file_record *record, const char *path);
/* What is noted; the path is borrowed. False: nothing is. */
bool file_record_get(const ld_btree *files, ld_slice unit, file_record *record, const char **path);

#endif
