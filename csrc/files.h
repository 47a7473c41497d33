/* files.h -- files: bytes under paths, below one root, whoever provides it (files_port.h).
**
** These are checked wrappers, the one place that calls through a provider's table: they apply the path rule, keep the handles
** straight and supply what a provider leaves out. A path is an object's key: directories need not exist before something is written
** below them.
**
** The path rule, before any provider: relative, parts between single `/`, valid UTF-8, no control bytes, no part `.` or `..`
** (refused, never resolved), none that begins with `.larder-`, a part at most 255 bytes, the whole at most 1024.
** Where a directory is meant the empty path is the root.
**
** A handle and all that hangs on it belong to one thread at a time. The text of a failure is in ld_files_error. */
#ifndef LD_FILES_H
#define LD_FILES_H

#include "engine.h"

enum { LD_PATH_MAX = 1024, LD_PATH_PART_MAX = 255, LD_FILE_CHUNK = 64 * 1024 };
#define LD_FILES_RESERVED ".larder-" /* what the names of temporaries begin with */

/* What goes wrong with files. NOT_FOUND is an answer too, and always carries a text. */
typedef enum ld_file_rc {
  LD_FILE_OK = 0,
  LD_FILE_NOT_FOUND,
  LD_FILE_EXISTS,
  LD_FILE_IS_A_DIRECTORY,
  LD_FILE_NOT_A_DIRECTORY,
  LD_FILE_NOT_EMPTY,
  LD_FILE_INVALID_PATH, /* against the rule, through a link, or to what is no file */
  LD_FILE_RANGE,
  LD_FILE_PERMISSION,
  LD_FILE_NO_SPACE,
  LD_FILE_IO,
  LD_FILE_INVALID, /* an option */
  LD_FILE_UNSUPPORTED,
  LD_FILE_CLOSED,
  LD_FILE_MISUSE,
  LD_FILE_NOMEM
} ld_file_rc;

const char *ld_file_rc_name(ld_file_rc rc); /* "NOT_FOUND" */

typedef struct ld_file_error {
  ld_file_rc rc;
  int number;                 /* errno; 0: none */
  char path[LD_PATH_MAX + 1]; /* cut where it is too long; empty: about no path */
  char text[500];
} ld_file_error;

/* Write `"path": text` and return `rc`. `error` may be NULL. */
ld_file_rc ld_file_fail(ld_file_error *error, ld_file_rc rc, const char *path, const char *format,
                        ...) LD_PRINTF(4, 5);
/* The same for a failed call of the system, whose errno is `number`. */
ld_file_rc ld_file_fail_errno(ld_file_error *error, int number, const char *path);

typedef enum ld_file_kind {
  LD_FILE_REGULAR,
  LD_FILE_DIRECTORY,
  LD_FILE_LINK, /* never followed */
  LD_FILE_OTHER
} ld_file_kind;

typedef struct ld_file_info {
  ld_file_kind kind;
  uint64_t size;
  int64_t modified_ms; /* since 1970 */
} ld_file_info;

typedef struct ld_file_entry {
  char path[LD_PATH_MAX + 1];
  ld_file_info info;
} ld_file_entry;

/* What a listing is of: of `dir` what `prefix` is the beginning of (it may hold `/`), behind the path `after`, in byte order of
** whole paths. Recursive: the regular files at any depth; else what `dir` itself holds, of any kind. Borrowed. */
typedef struct ld_file_query {
  ld_slice dir, prefix, after;
  bool recursive;
  bool temporaries; /* files.c's: also what dead writers left behind */
} ld_file_query;

enum {
  LD_FILE_IF_ABSENT = 1, /* EXISTS, atomically, rather than replacing */
  LD_FILE_NO_SYNC = 2,   /* may be lost in a power cut; never half there for readers */
  LD_FILE_RECURSIVE = 4, /* remove_dir: with all that is in it */
  LD_FILE_FORCE = 8      /* remove_dir: and directories that forbid it are made writable first */
};

typedef struct ld_files_ops ld_files_ops;
typedef struct ld_files ld_files;
typedef struct ld_file_reader ld_file_reader;
typedef struct ld_file_writer ld_file_writer;
typedef struct ld_file_lister ld_file_lister;

/* ---- what programs call ---- */

/* Open a provider. On failure the text is in `error`. `*files` is owned: ld_files_close. */
ld_file_rc ld_files_open(const ld_files_ops *ops, const ld_config *config, ld_files **files,
                         ld_file_error *error);
/* Of the last failure; borrowed until the next call. */
const ld_file_error *ld_files_error(const ld_files *files);
/* What hangs on it may still be closed afterwards (the last of that takes the error along); every other use of it is CLOSED. NULL is fine. */
void ld_files_close(ld_files *files);
/* Somebody else keeps the pointer, and lets go of it in the end: until then calls are CLOSED at worst. */
void ld_files_hold(ld_files *files);
void ld_files_let_go(ld_files *files);

/* INVALID_PATH, with the reason. `checked` gets the path with a NUL. */
ld_file_rc ld_files_check_path(ld_slice path, bool is_dir, char checked[LD_PATH_MAX + 1],
                               ld_file_error *error);
bool ld_files_is_name(ld_slice name); /* whether it can be a part of a path */

ld_file_rc ld_files_make_dir(ld_files *files, ld_slice path, bool *made);
ld_file_rc ld_files_dir_exists(ld_files *files, ld_slice path, bool *there);
ld_file_rc ld_files_remove_dir(ld_files *files, ld_slice path, unsigned flags, bool *removed);
ld_file_rc ld_files_stat(ld_files *files, ld_slice path, ld_file_info *info); /* NOT_FOUND */
ld_file_rc ld_files_delete(ld_files *files, ld_slice path, bool *deleted);
ld_file_rc ld_files_copy(ld_files *files, ld_slice from, ld_slice to, unsigned flags);
ld_file_rc ld_files_move(ld_files *files, ld_slice from, ld_slice to, unsigned flags);
ld_file_rc ld_files_write(ld_files *files, ld_slice path, ld_slice bytes, unsigned flags);
/* Append up to `length` bytes from `offset` on. RANGE: it begins behind the end. */
ld_file_rc ld_files_read(ld_files *files, ld_slice path, uint64_t offset, uint64_t length,
                         ld_buf *bytes);
/* The hash of a file, in lower-case hex with a NUL. UNSUPPORTED: another than "sha256". */
enum { LD_FILE_DIGEST = 65 };
ld_file_rc ld_files_checksum(ld_files *files, ld_slice path, const char *algorithm,
                             char digest[LD_FILE_DIGEST]);
/* Delete the files at any depth that were modified before, and what dead writers left, at any age. One that fails is told and the next is
** tried. */
typedef void (*ld_file_failed)(void *context, const ld_file_error *error);
ld_file_rc ld_files_delete_older_than(ld_files *files, ld_slice dir, int64_t before_ms,
                                      ld_file_failed failed, void *context, uint64_t *count);

/* Each is owned; its close, publish or discard frees it, whatever happens. NULL is fine there. */
ld_file_rc ld_file_reader_open(ld_files *files, ld_slice path, ld_file_reader **reader);
ld_file_rc ld_file_read_at(ld_file_reader *reader, uint64_t offset, void *data, size_t size,
                           size_t *got);
uint64_t ld_file_reader_size(const ld_file_reader *reader);
/* RANGE when `offset` is behind the end; else `length` is cut to what there is. */
ld_file_rc ld_file_reader_range(ld_file_reader *reader, uint64_t offset, uint64_t *length);
/* Write what there is from `offset` on. The text of any failure is in the files of the writer. */
ld_file_rc ld_file_pump(ld_file_reader *reader, uint64_t offset, ld_file_writer *writer);
void ld_file_reader_close(ld_file_reader *reader);

ld_file_rc ld_file_writer_open(ld_files *files, ld_slice path, unsigned flags,
                               ld_file_writer **writer);
ld_file_rc ld_file_write(ld_file_writer *writer, ld_slice bytes);
ld_file_rc ld_file_writer_publish(ld_file_writer *writer);
void ld_file_writer_discard(ld_file_writer *writer);

ld_file_rc ld_file_lister_open(ld_files *files, const ld_file_query *query,
                               ld_file_lister **lister);
ld_file_rc ld_file_lister_next(ld_file_lister *lister,
                               ld_file_entry *entry); /* NOT_FOUND: the end */
void ld_file_lister_close(ld_file_lister *lister);

/* ---- providers ---- */

/* A directory of this machine. Options: path; durability = "commit" | "none"; file_mode, dir_mode in octal digits ("600", "700");
** confine = "parts": go part by part, as where the system has no openat2. */
extern const ld_files_ops ld_files_local;
const ld_files_ops *ld_files_named(const char *name); /* NULL: there is none */
const char *const *ld_files_names(void);              /* NULL-terminated */

#endif
