/* files.c -- larder.files(url): directories, and what is done to whole files. Contents: files_stream.c; listings: files_list.c. */
#include "files.h"

#include <string.h>

/* ---- errors ---- */

void lb_push_file_error(lua_State *L, const ld_file_error *of, const char *op) {
  ld_file_error error = *of; /* a finalizer may run meanwhile, and fail too */
  lb_push_error_of(L, ld_file_rc_name(error.rc), error.text, op, false);
  if (error.path[0] != '\0') {
    lua_pushstring(L, error.path);
    lua_setfield(L, -2, "path");
  }
  if (error.number != 0) {
    lua_pushinteger(L, error.number);
    lua_setfield(L, -2, "errno");
  }
}

void lb_check_file(lua_State *L, const lb_files *of, ld_file_rc rc, const char *op) {
  if (rc == LD_FILE_OK) return;
  lb_push_file_error(L, ld_files_error(of->files), op);
  lua_error(L);
}

/* ---- the box ---- */

void lb_check_files_open(lua_State *L, const lb_files *of, const char *op) {
  if (of->files == NULL) lb_raise(L, LD_CLOSED, op, "the files are closed");
}

lb_files *lb_check_files(lua_State *L, const char *op) {
  lb_files *of = lb_check_self(L, LB_FILES, "files", op);
  lb_check_files_open(L, of, op);
  return of;
}

void *lb_new_files_child(lua_State *L, size_t size, const char *name) {
  void *child = lua_newuserdatauv(L, size, 1);
  memset(child, 0, size);
  luaL_setmetatable(L, name);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return child;
}

/* ---- directories ---- */

typedef ld_file_rc (*one_path)(ld_files *files, ld_slice path, bool *answer);

static int ask(lua_State *L, one_path work, const char *op) {
  bool answer;
  lb_files *of = lb_check_files(L, op);
  ld_slice path = lb_check_string(L, 2, op, "path");
  lb_check_file(L, of, work(of->files, path, &answer), op);
  lua_pushboolean(L, answer);
  return 1;
}

static int make_dir(lua_State *L) { return ask(L, ld_files_make_dir, "files:make_dir"); }
static int dir_exists(lua_State *L) { return ask(L, ld_files_dir_exists, "files:dir_exists"); }

/* files:remove_dir(path, { recursive = false, force = false }) -> whether it was there */
static int remove_dir(lua_State *L) {
  static const char op[] = "files:remove_dir";
  static const char *const known[] = {"recursive", "force", NULL};
  unsigned flags = 0;
  bool removed;
  lb_files *of = lb_check_files(L, op);
  ld_slice path = lb_check_string(L, 2, op, "path");
  lb_check_options(L, 3, known, op);
  if (lb_option_bool(L, 3, "recursive", false, op)) flags |= LD_FILE_RECURSIVE;
  if (lb_option_bool(L, 3, "force", false, op)) flags |= LD_FILE_FORCE;
  lb_check_file(L, of, ld_files_remove_dir(of->files, path, flags, &removed), op);
  lua_pushboolean(L, removed);
  return 1;
}

/* ---- one file ---- */

void lb_push_file_info(lua_State *L, const ld_file_info *info) {
  static const char *const kinds[] = {"file", "directory", "link", "other"};
  lua_createtable(L, 0, 5);
  lua_pushstring(L, kinds[info->kind]);
  lua_setfield(L, -2, "kind");
  lb_set_count(L, "size", info->size);
  lua_pushinteger(L, info->modified_ms);
  lua_setfield(L, -2, "modified_at");
}

static ld_file_rc look_at(lua_State *L, ld_file_info *info, const char *op) {
  lb_files *of = lb_check_files(L, op);
  ld_file_rc rc = ld_files_stat(of->files, lb_check_string(L, 2, op, "path"), info);
  if (rc != LD_FILE_NOT_FOUND) lb_check_file(L, of, rc, op);
  return rc;
}

static int stat_file(lua_State *L) {
  ld_file_info info;
  if (look_at(L, &info, "files:stat") != LD_FILE_OK) return lb_push_nil(L);
  lb_push_file_info(L, &info);
  return 1;
}

static int file_exists(lua_State *L) {
  ld_file_info info;
  ld_file_rc rc = look_at(L, &info, "files:exists");
  lua_pushboolean(L, rc == LD_FILE_OK && info.kind == LD_FILE_REGULAR);
  return 1;
}

static int delete_file(lua_State *L) { return ask(L, ld_files_delete, "files:delete"); }

unsigned lb_option_write_flags(lua_State *L, int index, const char *op) {
  static const char *const known[] = {"if_absent", "sync", NULL};
  lb_check_options(L, index, known, op);
  return (lb_option_bool(L, index, "if_absent", false, op) ? LD_FILE_IF_ABSENT : 0u) |
         (lb_option_bool(L, index, "sync", true, op) ? 0u : LD_FILE_NO_SYNC);
}

typedef ld_file_rc (*two_paths)(ld_files *files, ld_slice from, ld_slice to, unsigned flags);

static int transfer(lua_State *L, two_paths work, const char *op) {
  lb_files *of = lb_check_files(L, op);
  ld_slice from = lb_check_string(L, 2, op, "from"), to = lb_check_string(L, 3, op, "to");
  unsigned flags = lb_option_write_flags(L, 4, op);
  lb_check_file(L, of, work(of->files, from, to, flags), op);
  return 0;
}

static int copy_file(lua_State *L) { return transfer(L, ld_files_copy, "files:copy"); }
static int move_file(lua_State *L) { return transfer(L, ld_files_move, "files:move"); }

/* files:checksum(path, "sha256") -> hex */
static int checksum(lua_State *L) {
  static const char op[] = "files:checksum";
  char digest[LD_FILE_DIGEST];
  lb_files *of = lb_check_files(L, op);
  ld_slice path = lb_check_string(L, 2, op, "path");
  const char *algorithm = lua_isnoneornil(L, 3) ? "sha256" : lb_check_text(L, 3, op, "algorithm");
  lb_check_file(L, of, ld_files_checksum(of->files, path, algorithm, digest), op);
  lua_pushstring(L, digest);
  return 1;
}

/* ---- open, close ---- */

enum { MOST_OPTIONS = 16 };

static const ld_files_ops *check_provider(lua_State *L, const char *name, const char *op) {
  ld_error error = {0};
  const ld_files_ops *ops = ld_files_named(name);
  if (ops != NULL) return ops;
  ld_unknown_name("provider of files", name, ld_files_names(), &error);
  lb_raise_error(L, &error, op);
  return NULL;
}

/* core.files(provider, {option = text}) */
static int open_files(lua_State *L) {
  static const char op[] = "larder.files";
  ld_option options[MOST_OPTIONS];
  ld_config config = {.env = ld_env_system(), .options = options};
  ld_file_error error = {0};
  const ld_files_ops *ops = check_provider(L, luaL_checkstring(L, 1), op);
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || config.option_count == MOST_OPTIONS)
      return lb_raise(L, LD_INVALID, op, "options: expected a few names and texts");
    const char *name = lua_tostring(L, -2);
    options[config.option_count++] = (ld_option){name, lb_check_text(L, -1, op, name)};
  }
  lb_files *of = lua_newuserdatauv(L, sizeof *of, 0);
  of->files = NULL;
  luaL_setmetatable(L, LB_FILES);
  if (ld_files_open(ops, &config, &of->files, &error) == LD_FILE_OK) return 1;
  lb_push_file_error(L, &error, op);
  return lua_error(L);
}

/* Serves close, __gc and __close. */
static int close_files(lua_State *L) {
  lb_files *of = lb_check_self(L, LB_FILES, "files", "files:close");
  ld_files_close(of->files);
  of->files = NULL;
  return 0;
}

static int files_tostring(lua_State *L) {
  const lb_files *of = luaL_checkudata(L, 1, LB_FILES);
  lua_pushfstring(L, "larder.files: %p%s", (const void *)of, of->files == NULL ? " (closed)" : "");
  return 1;
}

static const luaL_Reg methods[] = {
    {"make_dir", make_dir},
    {"dir_exists", dir_exists},
    {"remove_dir", remove_dir},
    {"write", lb_files_write},
    {"read", lb_files_read},
    {"read_range", lb_files_read_range},
    {"open_reader", lb_files_open_reader},
    {"open_writer", lb_files_open_writer},
    {"exists", file_exists},
    {"stat", stat_file},
    {"delete", delete_file},
    {"list", lb_files_list},
    {"each", lb_files_each},
    {"copy", copy_file},
    {"move", move_file},
    {"delete_older_than", lb_files_delete_older_than},
    {"checksum", checksum},
    {"close", close_files},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", close_files},
    {"__close", close_files},
    {"__tostring", files_tostring},
    {NULL, NULL},
};

void lb_open_files(lua_State *L, int module) {
  lb_new_metatable(L, LB_FILES);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lb_open_file_streams(L);
  lb_open_file_lists(L);
  lua_pushcfunction(L, open_files);
  lua_setfield(L, module, "files");
}
