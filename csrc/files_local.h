/* files_local.h -- what the parts of the local provider share: ways to directories beneath the root that no link leads out of.
**
** Every call of the system goes to a descriptor of a directory and one name in it, so that what is swapped meanwhile cannot move it.
** These return descriptors or 0, and -1 with errno. */
#ifndef LD_FILES_LOCAL_H
#define LD_FILES_LOCAL_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "files_port.h"
#include "ranking.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

typedef struct ld_local {
  ld_files base;
  int root;
  bool by_parts; /* no openat2 */
  bool no_sync;
  mode_t file_mode, dir_mode;
} ld_local;

enum { LD_TEMPORARY = sizeof LD_FILES_RESERVED + 16 };

typedef struct ld_local_writer {
  ld_file_writer base;
  int dir, file; /* -1: none */
  pid_t pid;     /* of the process that opened it */
  bool if_absent, no_sync;
  const char *name;             /* in `dir`; within base.path */
  char temporary[LD_TEMPORARY]; /* in `dir`; empty: none */
} ld_local_writer;

/* A directory that is being listed. */
typedef struct ld_local_level {
  DIR *dir;
  pid_t pid;                       /* whose place in `dir` it is */
  size_t path_size;                /* where the names begin in the lister's path */
  ld_ranking page;                 /* the next names, sorted */
  size_t at;                       /* in it */
  bool more;                       /* there may be names behind the page */
  char last[LD_PATH_PART_MAX + 2]; /* of the page before */
  size_t last_size;
} ld_local_level;

typedef struct ld_local_lister {
  ld_file_lister base;
  ld_local_level *levels;
  size_t depth, capacity;
  size_t names_held;          /* by all pages */
  char path[LD_PATH_MAX + 2]; /* room for a `/` behind it */
} ld_local_lister;

static inline ld_local *ld_local_of(ld_files *files) { return (ld_local *)files; }

/* The directory at `path` beneath the directory `base`; "" is that one. Links are refused: ELOOP. `flags`: O_PATH, O_RDONLY. */
int ld_local_open_dir(const ld_local *local, int base, const char *path, int flags);
/* The directory that `path` is in; `*name` becomes its last part. */
int ld_local_open_parent(const ld_local *local, const char *path, int flags, const char **name);
/* The directory at `path` (size bytes of it), made with those above where missing. */
int ld_local_make_dirs(const ld_local *local, const char *path, size_t size, bool *made);
/* fsync of a directory, unless syncing is off. */
int ld_local_sync_dir(const ld_local *local, int dir);
/* What is in the directory `file`, which is taken; NULL with errno, also for -1. */
DIR *ld_local_list_dir(int file);
/* close that leaves errno alone. */
void ld_local_close(int file);
/* INVALID_PATH and so on, from errno. */
ld_file_rc ld_local_fail(ld_local *local, const char *path);
/* What fstat says as an entry's info. */
ld_file_info ld_local_info(const struct stat *status);

/* Whether the temporary `name` in `dir` belongs to nobody any more: its writer holds a lock on it. */
bool ld_local_is_orphan(int dir, const char *name);
/* Remove it, with its lock held meanwhile. ENOENT: it is somebody's, or has gone. */
int ld_local_remove_orphan(int dir, const char *name);
bool ld_local_is_temporary(const char *name);

/* files_local_write.c */
ld_file_rc ld_local_writer_open(ld_file_writer *writer, unsigned flags);
ld_file_rc ld_local_write(ld_file_writer *writer, ld_slice bytes);
ld_file_rc ld_local_publish(ld_file_writer *writer);
void ld_local_discard(ld_file_writer *writer);
/* Rename; with `if_absent` EEXIST when `to` is there. */
int ld_local_rename(int from_dir, const char *from, int to_dir, const char *to, bool if_absent);

/* files_local_list.c */
ld_file_rc ld_local_lister_open(ld_file_lister *lister);
ld_file_rc ld_local_lister_next(ld_file_lister *lister, ld_file_entry *entry);
void ld_local_lister_close(ld_file_lister *lister);

/* files_local_remove.c */
ld_file_rc ld_local_remove_dir(ld_files *files, const char *path, unsigned flags);

#endif
