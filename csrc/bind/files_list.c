/* files_list.c -- files:list and files:each, and files:delete_older_than, whose failures are a list.
**
** A lister is in a box, which is closed at the end of its listing, or of the `for` that walks it. */
#include <math.h>
#include <string.h>

#include "files.h"

#define LB_LISTER   "larder.files.lister"
#define LB_FAILURES "larder.files.failures"

typedef struct lb_lister {
  ld_file_lister *lister; /* NULL: closed */
  lb_files *of;           /* its box is the user value */
  int64_t left;           /* of the limit */
  bool stepping;          /* the filter is running, or has failed */
} lb_lister;

/* ---- options ---- */

/* (dir, options), (options), (dir) or nothing: the directory is at 2 then and the options at 3. */
static void arrange(lua_State *L, const char *op) {
  static const char *const known[] = {"prefix", "recursive", "filter", "after", "limit", NULL};
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "");
    lua_insert(L, 2);
  }
  lua_settop(L, 3);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "");
    lua_replace(L, 2);
  }
  lb_check_options(L, 3, known, op);
}

static ld_file_query read_query(lua_State *L, const char *op) {
  return (ld_file_query){
      .dir = lb_check_string(L, 2, op, "dir"),
      .prefix = lb_option_string(L, 3, "prefix", op),
      .after = lb_option_string(L, 3, "after", op),
      .recursive = lb_option_bool(L, 3, "recursive", false, op),
  };
}

/* Leave the filter, or nil, at 4. */
static void push_filter(lua_State *L, const char *op) {
  lua_pushnil(L);
  if (!lua_istable(L, 3)) return;
  lua_getfield(L, 3, "filter");
  lua_replace(L, 4);
  if (!lua_isnil(L, 4) && !lua_isfunction(L, 4))
    lb_raise(L, LD_INVALID, op, "option filter: expected a function, got %s", luaL_typename(L, 4));
}

/* Push the box; the files are at 1, the filter is at 4. */
static lb_lister *open_lister(lua_State *L, const char *op) {
  lb_files *of = lb_check_files(L, op);
  arrange(L, op);
  ld_file_query query = read_query(L, op);
  int64_t limit = lb_option_count(L, 3, "limit", INT64_MAX, op);
  push_filter(L, op);
  lb_lister *box = lb_new_files_child(L, sizeof *box, LB_LISTER);
  box->of = of;
  box->left = limit;
  lb_check_files_open(L, of, op);
  lb_check_file(L, of, ld_file_lister_open(of->files, &query, &box->lister), op);
  return box;
}

static void end_lister(lb_lister *box) {
  ld_file_lister_close(box->lister);
  box->lister = NULL;
}

static int close_lister(lua_State *L) {
  end_lister(luaL_checkudata(L, 1, LB_LISTER));
  return 0;
}

/* ---- entries ---- */

static void push_entry(lua_State *L, const ld_file_entry *entry) {
  const char *slash = strrchr(entry->path, '/');
  lb_push_file_info(L, &entry->info);
  lua_pushstring(L, entry->path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, slash == NULL ? entry->path : slash + 1);
  lua_setfield(L, -2, "name");
}

static bool next_entry(lua_State *L, lb_lister *box, ld_file_entry *entry, const char *op) {
  lb_check_files_open(L, box->of, op);
  if (box->lister == NULL) return false;
  ld_file_rc rc = ld_file_lister_next(box->lister, entry);
  if (rc != LD_FILE_NOT_FOUND) lb_check_file(L, box->of, rc, op);
  return rc == LD_FILE_OK;
}

/* Whether the function at `filter`, if there is one, wants the entry on top. */
static bool passes(lua_State *L, int filter) {
  if (lua_isnil(L, filter)) return true;
  lua_pushvalue(L, filter);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  bool passed = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return passed;
}

/* Push the next entry that passes; false at the end. */
static bool push_next(lua_State *L, lb_lister *box, int filter, const char *op) {
  ld_file_entry entry;
  if (box->stepping) lb_raise(L, LD_MISUSE, op, "a step is not finished, or has failed");
  while (box->left > 0 && next_entry(L, box, &entry, op)) {
    box->stepping = true;
    push_entry(L, &entry);
    bool passed = passes(L, filter);
    box->stepping = false;
    if (passed) {
      box->left--;
      return true;
    }
    lua_pop(L, 1);
  }
  return false;
}

/* files:list(dir, { prefix =, recursive =, filter =, after =, limit = }) -> entries, token */
int lb_files_list(lua_State *L) {
  static const char op[] = "files:list";
  ld_file_entry next;
  lb_lister *box = open_lister(L, op);
  lua_toclose(L, -1);
  lua_newtable(L);
  lua_Integer count = 0;
  while (push_next(L, box, 4, op)) lua_rawseti(L, 6, ++count);
  if (box->left > 0 || count == 0 || !next_entry(L, box, &next, op)) return 1;
  lua_rawgeti(L, 6, count);
  lua_getfield(L, -1, "path");
  lua_replace(L, -2);
  return 2;
}

static int step(lua_State *L) {
  lb_lister *box = lua_touserdata(L, lua_upvalueindex(1));
  if (!push_next(L, box, lua_upvalueindex(2), "files:each")) {
    end_lister(box);
    return lb_push_nil(L);
  }
  lua_getfield(L, -1, "path");
  lua_insert(L, -2);
  return 2;
}

/* for path, entry in files:each(dir, the options of list) */
int lb_files_each(lua_State *L) {
  open_lister(L, "files:each");
  lua_pushvalue(L, 5);
  lua_pushvalue(L, 4);
  lua_pushcclosure(L, step, 2);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 5);
  return 4;
}

/* ---- delete_older_than ---- */

/* One behind the other; owned by a box, since C may not make Lua values meanwhile. */
static void add_failure(void *context, const ld_file_error *error) {
  ld_buf *failures = context;
  ld_buf_add(failures, ld_bytes(error, sizeof *error));
}

static int drop_failures(lua_State *L) {
  ld_buf_clear(luaL_checkudata(L, 1, LB_FAILURES));
  return 0;
}

static void push_failures(lua_State *L, const ld_buf *failures, const char *op) {
  ld_file_error error;
  lua_newtable(L);
  for (size_t at = 0; at < failures->size; at += sizeof error) {
    memcpy(&error, failures->data + at, sizeof error);
    lb_push_file_error(L, &error, op);
    lua_rawseti(L, -2, (lua_Integer)(at / sizeof error) + 1);
  }
}

static int64_t check_time(lua_State *L, int index, const char *op) {
  lua_Number time = lua_tonumber(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || !(fabs(time) < 9e18))
    lb_raise(L, LD_INVALID, op, "time: expected ms since 1970, got %s",
             luaL_tolstring(L, index, NULL));
  return (int64_t)floor(time);
}

/* files:delete_older_than(dir, time) -> how many, the failures */
int lb_files_delete_older_than(lua_State *L) {
  static const char op[] = "files:delete_older_than";
  uint64_t count = 0;
  lb_files *of = lb_check_files(L, op);
  ld_slice dir = lb_check_string(L, 2, op, "dir");
  int64_t time = check_time(L, 3, op);
  ld_buf *failures = lua_newuserdatauv(L, sizeof *failures, 0);
  *failures = (ld_buf){0};
  luaL_setmetatable(L, LB_FAILURES);
  lb_check_files_open(L, of, op);
  lb_check_file(
      L, of, ld_files_delete_older_than(of->files, dir, time, add_failure, failures, &count), op);
  if (failures->failed) return lb_raise(L, LD_NOMEM, op, "out of memory for the failures");
  lua_pushinteger(L, (lua_Integer)count);
  push_failures(L, failures, op);
  return 2;
}

void lb_open_file_lists(lua_State *L) {
  lb_new_metatable(L, LB_LISTER);
  lua_pushcfunction(L, close_lister);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, close_lister);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  lb_new_metatable(L, LB_FAILURES);
  lua_pushcfunction(L, drop_failures);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
