/* rooms_files.c -- rooms:import and rooms:export. */
#include "../room_files.h"

#include "bind.h"

typedef struct files_call {
  lb_store *store;
  const char *directory;
  bool replace;
  uint64_t count, problems;
} files_call;

enum { SHOWN = 5 };

/* Collect the problems as documents, {file =, line =, column =, message =}, and the first few as lines of text. */
static void add_problem(void *context, const char *file, unsigned line, unsigned column,
                        const char *text) {
  files_call *call = context;
  ld_buf *problems = &call->store->problems;
  ld_write_map(problems, line > 0 ? 4 : 2);
  ld_write_text(problems, "file");
  ld_write_string(problems, ld_text(file));
  ld_write_text(problems, "message");
  ld_write_string(problems, ld_text(text));
  if (line > 0) {
    ld_write_text(problems, "line");
    ld_write_int(problems, line);
    ld_write_text(problems, "column");
    ld_write_int(problems, column);
  }
  if (call->problems++ >= SHOWN) return;
  if (line > 0)
    ld_buf_printf(&call->store->result, "\n  %s:%u:%u: %s", file, line, column, text);
  else
    ld_buf_printf(&call->store->result, "\n  %s: %s", file, text);
}

static ld_rc work_import(ld_txn *txn, void *context) {
  files_call *call = context;
  ld_buf_reset(&call->store->problems);
  ld_write_open(&call->store->problems);
  call->problems = 0;
  ld_rc rc = ld_room_import(txn, call->directory, call->replace, add_problem, call, &call->count);
  if (rc == LD_INVALID && call->problems > 0)
    return LD_OK; /* nothing is written; raised with the list */
  return rc;
}

/* An error object with the field `problems`, whose message shows the first few. */
static int raise_problems(lua_State *L, const files_call *call, const char *op) {
  ld_error error = {0};
  ld_buf *problems = &call->store->problems;
  ld_slice shown = ld_buf_slice(&call->store->result);
  size_t at = 0;
  ld_fail(&error, LD_INVALID, "%llu of the files cannot be taken, nothing was imported:%.*s",
          (unsigned long long)call->problems, (int)shown.size, (const char *)shown.data);
  ld_write_close(problems, 0, LD_ARRAY, (size_t)call->problems);
  lb_push_error(L, &error, op);
  lb_push_documents(L, problems, &at, 1, op);
  lua_setfield(L, -2, "problems");
  return lua_error(L);
}

/* rooms:import(directory, { replace = false }) -> count */
int lb_rooms_import(lua_State *L) {
  static const char op[] = "rooms:import";
  static const char *const known[] = {"replace", NULL};
  lb_rooms *rooms = lb_check_rooms(L, op);
  files_call call = {.store = rooms->place.store};
  call.directory = lb_check_text(L, 2, op, "directory");
  lb_check_options(L, 3, known, op);
  call.replace = lb_option_bool(L, 3, "replace", false, op);
  lb_write(L, &rooms->place, work_import, &call, op);
  if (call.problems > 0) return raise_problems(L, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1;
}

static ld_rc work_export(ld_txn *txn, void *context) {
  files_call *call = context;
  return ld_room_export(txn, call->directory, &call->count);
}

/* rooms:export(directory) -> count */
int lb_rooms_export(lua_State *L) {
  static const char op[] = "rooms:export";
  lb_rooms *rooms = lb_check_rooms(L, op);
  files_call call = {.store = rooms->place.store};
  call.directory = lb_check_text(L, 2, op, "directory");
  lb_read(L, &rooms->place, work_export, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1;
}
