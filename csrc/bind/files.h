/* files.h -- larder.files in Lua: what its parts share.
**
** A box has a pointer that is NULL once the thing is closed; a reader's, a writer's and a listing's box keeps the box of its files alive. */
#ifndef LD_BIND_FILES_H
#define LD_BIND_FILES_H

#include "../files.h"
#include "bind.h"

#define LB_FILES  "larder.files"
#define LB_READER "larder.reader"
#define LB_WRITER "larder.writer"

typedef struct lb_files {
  ld_files *files; /* NULL: closed */
} lb_files;

typedef struct lb_reader {
  ld_file_reader *reader; /* NULL: closed */
  lb_files *of;           /* its box is the user value */
  uint64_t at;            /* the next byte of reader:read */
} lb_reader;

typedef struct lb_writer {
  ld_file_writer *writer; /* NULL: published or discarded */
  lb_files *of;           /* its box is the user value */
} lb_writer;

/* Push {code, message, op, retryable, path, errno}. */
void lb_push_file_error(lua_State *L, const ld_file_error *error, const char *op);
/* Raise the last failure of the files unless `rc` is OK. */
void lb_check_file(lua_State *L, const lb_files *of, ld_file_rc rc, const char *op);

/* The box at 1; raises INVALID, CLOSED. */
lb_files *lb_check_files(lua_State *L, const char *op);
void lb_check_files_open(lua_State *L, const lb_files *of, const char *op);
/* Push a new box with `size` bytes, zeroed, that keeps the files at 1. */
void *lb_new_files_child(lua_State *L, size_t size, const char *name);

/* The flags of if_absent and sync at `index`. */
unsigned lb_option_write_flags(lua_State *L, int index, const char *op);
void lb_push_file_info(lua_State *L, const ld_file_info *info);

/* files_stream.c */
int lb_files_read(lua_State *L);
int lb_files_read_range(lua_State *L);
int lb_files_write(lua_State *L);
int lb_files_open_reader(lua_State *L);
int lb_files_open_writer(lua_State *L);
void lb_open_file_streams(lua_State *L);

/* files_list.c */
int lb_files_list(lua_State *L);
int lb_files_each(lua_State *L);
int lb_files_delete_older_than(lua_State *L);
void lb_open_file_lists(lua_State *L);

/* files.c: core.files and the rest */
void lb_open_files(lua_State *L, int module);

#endif
