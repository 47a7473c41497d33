/* files_port.h -- THE PORT for file providers: what one has to be able to do. Object stores have the same shape: keys, no directories
** needed, listings in byte order, writers that publish at once.
**
** Paths have passed the rule (files.h), and everything else that files.c checks may be relied on: no use of a closed handle, no write
** after a failed one, buffers that are not empty. Failures go into files->error with ld_file_fail. */
#ifndef LD_FILES_PORT_H
#define LD_FILES_PORT_H

#include "files.h"

#define LD_FILES_ABI 1u

/* The table. "must": has to be there; "may": NULL gives what is said behind it. */
struct ld_files_ops {
  uint32_t abi; /* LD_FILES_ABI */
  const char *name;
  size_t files_size, reader_size, writer_size, lister_size;     /* allocated zeroed by files.c */
  const char *const *options;                                   /* may; NULL-terminated */
  ld_file_rc (*open)(ld_files *files, const ld_config *config); /* must */
  void (*close)(ld_files *files); /* must; also after an open that failed */

  /* may; NULL: OK, nothing made. Missing ones above are made, too. EXISTS where a file is. */
  ld_file_rc (*make_dir)(ld_files *files, const char *path, bool *made);
  /* may; NULL: UNSUPPORTED. NOT_EMPTY, nothing removed, without RECURSIVE. NOT_FOUND. */
  ld_file_rc (*remove_dir)(ld_files *files, const char *path, unsigned flags);
  ld_file_rc (*stat)(ld_files *files, const char *path, ld_file_info *info); /* must. NOT_FOUND */
  ld_file_rc (*del)(ld_files *files, const char *path);                      /* must. NOT_FOUND */
  /* may; NULL or UNSUPPORTED: what it has to do is read and written. `to` is replaced, atomically. */
  ld_file_rc (*copy)(ld_files *files, const char *from, const char *to, unsigned flags);
  ld_file_rc (*move)(ld_files *files, const char *from, const char *to, unsigned flags);

  /* must. Sets reader->size. Sees one content however long it is read. */
  ld_file_rc (*reader_open)(ld_file_reader *reader);
  /* must. At least a byte, but at the end. */
  ld_file_rc (*read_at)(ld_file_reader *reader, uint64_t offset, void *data, size_t size,
                        size_t *got);
  void (*reader_close)(ld_file_reader *reader); /* must; also after an open that failed */

  /* must. Directories above are made. Nothing is visible before publish, which ends the writer whatever happens; EXISTS there and,
  ** where it is known, at open (IF_ABSENT). discard ends it without a trace; also after an open that failed. */
  ld_file_rc (*writer_open)(ld_file_writer *writer, unsigned flags);
  ld_file_rc (*write)(ld_file_writer *writer, ld_slice bytes);
  ld_file_rc (*publish)(ld_file_writer *writer);
  void (*discard)(ld_file_writer *writer);

  /* must. In memory that does not grow with the number of entries; what vanishes meanwhile is left out. NOT_FOUND: the end, or that `dir`
  ** is missing. A failure is about one place: the next call goes on behind it. `prefix` has no `/`; it and `dir` are owned by the lister. */
  ld_file_rc (*lister_open)(ld_file_lister *lister);
  ld_file_rc (*lister_next)(ld_file_lister *lister, ld_file_entry *entry);
  void (*lister_close)(ld_file_lister *lister);
};

/* What every provider's handles begin with. `files.c's`: providers leave it alone. */
struct ld_files {
  const ld_files_ops *ops;
  ld_env env;
  ld_file_error error;
  bool closed;    /* files.c's */
  size_t holders; /* files.c's: the handle itself, and what hangs on it */
};
struct ld_file_reader {
  ld_files *files;
  uint64_t size;
  char path[LD_PATH_MAX + 1];
};
struct ld_file_writer {
  ld_files *files;
  ld_file_rc failed; /* files.c's: a write went wrong, nothing can be published */
  char path[LD_PATH_MAX + 1];
};
struct ld_file_lister {
  ld_files *files;
  bool recursive, temporaries, at_end; /* at_end: files.c's */
  char dir[LD_PATH_MAX + 1], prefix[LD_PATH_MAX + 1];
  ld_buf after;
};

/* ---- files.c's, for files_list.c ---- */

ld_file_rc ld_files_check_open(ld_files *files); /* CLOSED */

#endif
