/* files_stream.c -- contents: read and write at once, readers, writers.
**
** Lua's buffers are made before bytes are read into them, and whether a thing is still open is looked at behind every step that may run
** a finalizer. */
#include "files.h"

/* ---- readers ---- */

static lb_reader *check_reader(lua_State *L, int index, const char *op) {
  lb_reader *reader = luaL_testudata(L, index, LB_READER);
  if (reader == NULL)
    lb_raise(L, LD_INVALID, op, "expected a reader, got %s",
             lua_isnone(L, index) ? "nothing" : luaL_typename(L, index));
  return reader;
}

static void check_reader_open(lua_State *L, const lb_reader *reader, const char *op) {
  lb_check_files_open(L, reader->of, op);
  if (reader->reader == NULL) lb_raise(L, LD_CLOSED, op, "the reader is closed");
}

/* Push a reader of the path at 2, for the files at 1. */
static lb_reader *open_reader(lua_State *L, const char *op) {
  lb_files *of = lb_check_files(L, op);
  ld_slice path = lb_check_string(L, 2, op, "path");
  lb_reader *reader = lb_new_files_child(L, sizeof *reader, LB_READER);
  reader->of = of;
  lb_check_files_open(L, of, op);
  lb_check_file(L, of, ld_file_reader_open(of->files, path, &reader->reader), op);
  return reader;
}

/* files:open_reader(path) */
int lb_files_open_reader(lua_State *L) {
  open_reader(L, "files:open_reader");
  return 1;
}

/* Serves close, __gc and __close. */
static int close_reader(lua_State *L) {
  lb_reader *reader = check_reader(L, 1, "reader:close");
  ld_file_reader_close(reader->reader);
  reader->reader = NULL;
  return 0;
}

/* Push up to `length` bytes from reader->at on, and move there. */
static size_t push_bytes(lua_State *L, lb_reader *reader, size_t length, const char *op) {
  luaL_Buffer buffer;
  size_t done = 0, got = 1;
  uint8_t *data = (uint8_t *)luaL_buffinitsize(L, &buffer, length);
  check_reader_open(L, reader, op);
  for (; done < length && got > 0; done += got) {
    lb_check_file(
        L, reader->of,
        ld_file_read_at(reader->reader, reader->at + done, data + done, length - done, &got), op);
  }
  reader->at += done;
  luaL_pushresultsize(&buffer, done);
  return done;
}

static size_t check_size(lua_State *L, int index, const char *op) {
  int whole = 1;
  lua_Integer size = lua_isnoneornil(L, index) ? LD_FILE_CHUNK : lua_tointegerx(L, index, &whole);
  if (!whole || size < 1) lb_raise(L, LD_INVALID, op, "size: expected a whole number from 1");
  return (size_t)size;
}

/* The bytes, or nil at the end. Asking for more than there is costs no memory. */
static int read_next(lua_State *L, lb_reader *reader, size_t size, const char *op) {
  check_reader_open(L, reader, op);
  uint64_t whole = ld_file_reader_size(reader->reader);
  uint64_t left = whole > reader->at ? whole - reader->at : 0;
  if (left < LD_FILE_CHUNK) left = LD_FILE_CHUNK; /* who writes in place may have written more */
  return push_bytes(L, reader, size < left ? size : (size_t)left, op) > 0 ? 1 : lb_push_nil(L);
}

/* reader:read(n) -> bytes or nil */
static int reader_read(lua_State *L) {
  static const char op[] = "reader:read";
  lb_reader *reader = check_reader(L, 1, op);
  return read_next(L, reader, check_size(L, 2, op), op);
}

static int next_chunk(lua_State *L) {
  lb_reader *reader = lua_touserdata(L, lua_upvalueindex(1));
  return read_next(L, reader, (size_t)lua_tointeger(L, lua_upvalueindex(2)), "reader:chunks");
}

/* for chunk in reader:chunks(n) */
static int reader_chunks(lua_State *L) {
  static const char op[] = "reader:chunks";
  check_reader_open(L, check_reader(L, 1, op), op);
  size_t size = check_size(L, 2, op);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, (lua_Integer)size);
  lua_pushcclosure(L, next_chunk, 2);
  return 1;
}

static int reader_size(lua_State *L) {
  lb_reader *reader = check_reader(L, 1, "reader:size");
  check_reader_open(L, reader, "reader:size");
  lua_pushinteger(L, (lua_Integer)ld_file_reader_size(reader->reader));
  return 1;
}

/* A whole number from 0; what is below is RANGE, as is what lies behind the end. `path` may be "". */
static uint64_t check_place(lua_State *L, int index, const char *path, const char *op,
                            const char *what) {
  int whole;
  lua_Integer place = lua_tointegerx(L, index, &whole);
  if (!whole) lb_raise(L, LD_INVALID, op, "%s: expected a whole number", what);
  if (place >= 0) return (uint64_t)place;
  ld_file_error error = {0};
  ld_file_fail(&error, LD_FILE_RANGE, path, "%s: is below 0", what);
  lb_push_file_error(L, &error, op);
  lua_error(L);
  return 0;
}

static void seek(lua_State *L, lb_reader *reader, uint64_t at, uint64_t *length, const char *op) {
  check_reader_open(L, reader, op);
  lb_check_file(L, reader->of, ld_file_reader_range(reader->reader, at, length), op);
  reader->at = at;
}

/* reader:seek(offset): where the next read begins */
static int reader_seek(lua_State *L) {
  static const char op[] = "reader:seek";
  uint64_t length = 0;
  lb_reader *reader = check_reader(L, 1, op);
  check_reader_open(L, reader, op);
  seek(L, reader, check_place(L, 2, "", op, "offset"), &length, op);
  lua_settop(L, 1);
  return 1;
}

static int read_range(lua_State *L, uint64_t offset, uint64_t length, const char *op) {
  lb_reader *reader = open_reader(L, op);
  seek(L, reader, offset, &length, op);
  push_bytes(L, reader, (size_t)length, op);
  ld_file_reader_close(reader->reader);
  reader->reader = NULL;
  return 1;
}

/* files:read(path) -> bytes */
int lb_files_read(lua_State *L) { return read_range(L, 0, INT64_MAX, "files:read"); }

/* files:read_range(path, offset, length) -> bytes: fewer where the file ends, all of the rest without a length */
int lb_files_read_range(lua_State *L) {
  static const char op[] = "files:read_range";
  lb_check_files(L, op);
  lb_check_string(L, 2, op, "path");
  const char *path = lua_tostring(L, 2);
  uint64_t offset = check_place(L, 3, path, op, "offset"), length = INT64_MAX;
  if (!lua_isnoneornil(L, 4)) length = check_place(L, 4, path, op, "length");
  return read_range(L, offset, length, op);
}

/* ---- writers ---- */

static lb_writer *check_writer(lua_State *L, const char *op) {
  lb_writer *writer = lb_check_self(L, LB_WRITER, "a writer", op);
  return writer;
}

static void check_writer_open(lua_State *L, const lb_writer *writer, const char *op) {
  lb_check_files_open(L, writer->of, op);
  if (writer->writer == NULL) lb_raise(L, LD_CLOSED, op, "the writer is closed");
}

/* Push a writer to the path at 2, for the files at 1. */
static lb_writer *open_writer(lua_State *L, unsigned flags, const char *op) {
  lb_files *of = lb_check_files(L, op);
  ld_slice path = lb_check_string(L, 2, op, "path");
  lb_writer *writer = lb_new_files_child(L, sizeof *writer, LB_WRITER);
  writer->of = of;
  lb_check_files_open(L, of, op);
  lb_check_file(L, of, ld_file_writer_open(of->files, path, flags, &writer->writer), op);
  return writer;
}

/* files:open_writer(path, { if_absent = false, sync = true }) */
int lb_files_open_writer(lua_State *L) {
  static const char op[] = "files:open_writer";
  lb_check_files(L, op);
  open_writer(L, lb_option_write_flags(L, 3, op), op);
  return 1;
}

/* writer:write(bytes...) -> writer */
static int writer_write(lua_State *L) {
  static const char op[] = "writer:write";
  lb_writer *writer = check_writer(L, op);
  int count = lua_gettop(L);
  for (int i = 2; i <= count; i++) lb_check_string(L, i, op, "data");
  check_writer_open(L, writer, op);
  for (int i = 2; i <= count; i++)
    lb_check_file(L, writer->of, ld_file_write(writer->writer, lb_check_string(L, i, op, "data")),
                  op);
  lua_settop(L, 1);
  return 1;
}

/* Serves discard, __gc and __close: leaving a block publishes nothing. */
static int discard_writer(lua_State *L) {
  lb_writer *writer = check_writer(L, "writer:discard");
  ld_file_writer_discard(writer->writer);
  writer->writer = NULL;
  return 0;
}

static void publish(lua_State *L, lb_writer *writer, const char *op) {
  ld_file_writer *ended = writer->writer;
  if (ended == NULL) return;
  writer->writer = NULL;
  if (writer->of->files == NULL) { /* the error would go with the files */
    ld_file_writer_discard(ended);
    lb_check_files_open(L, writer->of, op);
  }
  lb_check_file(L, writer->of, ld_file_writer_publish(ended), op);
}

static int close_writer(lua_State *L) {
  static const char op[] = "writer:close";
  publish(L, check_writer(L, op), op);
  return 0;
}

/* ---- write ---- */

static const char write_op[] = "files:write";

/* Where the data and its writer stand in a call of files:write. */
enum { DATA = 3, WRITER = 5 };

static int publish_stream(lua_State *L, lb_writer *writer) {
  check_writer_open(L, writer, write_op);
  publish(L, writer, write_op);
  return 0;
}

/* Pop what the function gave, and write it; false at its end. */
static bool write_piece(lua_State *L, lb_writer *writer) {
  if (lua_isnil(L, -1)) return false;
  ld_slice bytes = lb_check_string(L, -1, write_op, "data, from its function");
  check_writer_open(L, writer, write_op);
  lb_check_file(L, writer->of, ld_file_write(writer->writer, bytes), write_op);
  lua_pop(L, 1);
  return true;
}

/* What the function gives, until nil. It may yield: then this is how it goes on, with a piece on top. */
static int write_calls(lua_State *L, int status, lua_KContext context) {
  lb_writer *writer = lua_touserdata(L, WRITER);
  bool more = status != LUA_YIELD || write_piece(L, writer);
  while (more) {
    lua_pushvalue(L, DATA);
    lua_callk(L, 0, 1, context, write_calls);
    more = write_piece(L, writer);
  }
  return publish_stream(L, writer);
}

static int write_reader(lua_State *L, lb_writer *writer, lb_reader *reader) {
  check_reader_open(L, reader, write_op);
  lb_check_file(L, writer->of, ld_file_pump(reader->reader, reader->at, writer->writer), write_op);
  return publish_stream(L, writer);
}

static int write_stream(lua_State *L, unsigned flags) {
  lb_reader *reader = luaL_testudata(L, DATA, LB_READER);
  if (reader == NULL && lua_type(L, DATA) != LUA_TFUNCTION)
    return lb_raise(L, LD_INVALID, write_op,
                    "data: expected a string, a reader or a function, got %s",
                    luaL_typename(L, DATA));
  lua_settop(L, WRITER - 1);
  lb_writer *writer = open_writer(L, flags, write_op);
  lua_toclose(L, WRITER);
  return reader != NULL ? write_reader(L, writer, reader) : write_calls(L, LUA_OK, 0);
}

/* files:write(path, string | reader | function, { if_absent = false, sync = true }) */
int lb_files_write(lua_State *L) {
  const char *op = write_op;
  lb_files *of = lb_check_files(L, op);
  ld_slice path = lb_check_string(L, 2, op, "path");
  unsigned flags = lb_option_write_flags(L, 4, op);
  if (lua_type(L, 3) != LUA_TSTRING) return write_stream(L, flags);
  ld_slice bytes = lb_check_string(L, 3, op, "data");
  lb_check_file(L, of, ld_files_write(of->files, path, bytes, flags), op);
  return 0;
}

/* ---- the boxes ---- */

static int push_state(lua_State *L, const char *name, bool closed) {
  lua_pushfstring(L, "%s: %p%s", name, lua_topointer(L, 1), closed ? " (closed)" : "");
  return 1;
}

static int reader_tostring(lua_State *L) {
  return push_state(L, LB_READER, check_reader(L, 1, "tostring")->reader == NULL);
}

static int writer_tostring(lua_State *L) {
  return push_state(L, LB_WRITER, check_writer(L, "tostring")->writer == NULL);
}

static const luaL_Reg reader_methods[] = {
    {"read", reader_read}, {"chunks", reader_chunks}, {"size", reader_size},
    {"seek", reader_seek}, {"close", close_reader},   {NULL, NULL},
};
static const luaL_Reg reader_metamethods[] = {
    {"__gc", close_reader},
    {"__close", close_reader},
    {"__tostring", reader_tostring},
    {NULL, NULL},
};
static const luaL_Reg writer_methods[] = {
    {"write", writer_write},
    {"close", close_writer},
    {"discard", discard_writer},
    {NULL, NULL},
};
static const luaL_Reg writer_metamethods[] = {
    {"__gc", discard_writer},
    {"__close", discard_writer},
    {"__tostring", writer_tostring},
    {NULL, NULL},
};

static void new_type(lua_State *L, const char *name, const luaL_Reg *metamethods,
                     const luaL_Reg *methods) {
  lb_new_metatable(L, name);
  luaL_setfuncs(L, metamethods, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lb_open_file_streams(lua_State *L) {
  new_type(L, LB_READER, reader_metamethods, reader_methods);
  new_type(L, LB_WRITER, writer_metamethods, writer_methods);
}
