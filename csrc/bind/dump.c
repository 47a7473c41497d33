/* dump.c -- the steps of store:dump, which lua/larder/dump.lua runs; and records as Lua sees them in a copy that transforms. */
#include "../dump.h"

#include <errno.h>
#include <string.h>

#include "../gzip.h"
#include "../output.h"
#include "bind.h"

#define LB_DUMP "larder.dumping"

enum { PIECE = 256 << 10 };

static const char op[] = "store:dump";

typedef struct lb_dump {
  ld_dump dump;
  ld_buf names; /* the scope's */
  ld_buf text;  /* of the last step; nobody else reaches it, whatever finalizers do */
  ld_output file;
  bool to_file;
  ld_gzip *gzip; /* NULL: it is not packed */
  ld_buf packed;
} lb_dump;

static lb_dump *check_dump(lua_State *L) { return luaL_checkudata(L, 1, LB_DUMP); }

/* __gc and __close: a file that is not whole goes. */
static int close_dump(lua_State *L) {
  lb_dump *box = check_dump(L);
  if (box->to_file) ld_output_end(&box->file);
  box->to_file = false;
  ld_gzip_close(box->gzip);
  box->gzip = NULL;
  ld_buf_clear(&box->packed);
  ld_dump_clear(&box->dump);
  ld_buf_clear(&box->names);
  ld_buf_clear(&box->text);
  return 0;
}

static int fail_file(lua_State *L, const char *path, int code) {
  ld_error error = {0};
  ld_quoted quoted;
  if (code == EEXIST)
    ld_fail(&error, LD_EXISTS, "%s is there already (overwrite = true replaces it)",
            ld_quote(ld_text(path), quoted));
  else
    ld_fail(&error, ld_output_rc(code), "%s: %s", ld_quote(ld_text(path), quoted), strerror(code));
  return lb_raise_error(L, &error, op);
}

/* A file is made only when all else is there. */
static int open_file(lua_State *L, lb_dump *box, const char *path, bool packed) {
  ld_error error = {0};
  if (packed && ld_gzip_open(true, &box->gzip, &error) != LD_OK)
    return lb_raise_error(L, &error, op);
  int code = ld_output_begin(&box->file, path);
  box->to_file = true;
  return code == 0 ? 1 : fail_file(L, path, code);
}

/* core.dump_open(place, names, path, packed, unfinished) -> box; without a path dump_some gives the text */
static int open_dump(lua_State *L) {
  lb_place place = lb_check_place(L, 1, op);
  const char *path = lua_isnoneornil(L, 3) ? NULL : lb_check_text(L, 3, op, "path");
  lb_dump *box = lua_newuserdatauv(L, sizeof *box, 0);
  memset(box, 0, sizeof *box);
  luaL_setmetatable(L, LB_DUMP);
  lb_check_open(L, &place, op);
  lb_encode_scope(L, 2, place.store, op);
  ld_buf_add(&box->names, ld_buf_slice(&place.store->key));
  if (box->names.failed) return lb_raise(L, LD_NOMEM, op, "out of memory");
  box->dump.scope.names = ld_buf_slice(&box->names);
  box->dump.unfinished = lua_toboolean(L, 5);
  return path == NULL ? 1 : open_file(L, box, path, lua_toboolean(L, 4));
}

typedef struct dump_call {
  lb_dump *box;
  int code;
} dump_call;

static ld_rc write_text(dump_call *call, ld_error *error) {
  lb_dump *box = call->box;
  ld_slice bytes = ld_buf_slice(&box->text);
  if (box->gzip != NULL) {
    ld_buf_reset(&box->packed);
    ld_rc rc = ld_gzip_pack(box->gzip, bytes, box->dump.done, &box->packed, error);
    if (rc != LD_OK) return rc;
    bytes = ld_buf_slice(&box->packed);
  }
  call->code = ld_output_write(box->file.descriptor, bytes);
  return LD_OK;
}

static ld_rc work_some(ld_txn *txn, void *context) {
  dump_call *call = context;
  ld_buf *text = &call->box->text;
  ld_buf_reset(text);
  ld_rc rc = ld_dump_some(txn, &call->box->dump, PIECE, text);
  return rc == LD_OK && call->box->to_file ? write_text(call, ld_error_of(txn)) : rc;
}

static uint64_t sum(const ld_record_counts *counts) {
  return counts->rooms + counts->collections + counts->documents + counts->entries +
         counts->queues + counts->jobs + counts->rows;
}

/* core.dump_some(box, tx) -> done, records written, records in all, text (without a file) */
static int dump_some(lua_State *L) {
  lb_dump *box = check_dump(L);
  lb_place place = lb_check_place(L, 2, op);
  dump_call call = {.box = box};
  lb_read(L, &place, work_some, &call, op);
  if (call.code != 0) return fail_file(L, (const char *)box->file.path.data, call.code);
  lua_pushboolean(L, box->dump.done);
  lua_pushinteger(L, (lua_Integer)sum(&box->dump.counts));
  lua_pushinteger(L, (lua_Integer)sum(&box->dump.expected));
  if (box->to_file) return 3;
  lua_pushlstring(L, (const char *)box->text.data, box->text.size);
  return 4;
}

/* core.dump_publish(box, overwrite) */
static int publish(lua_State *L) {
  lb_dump *box = check_dump(L);
  int code = ld_output_publish(&box->file, lua_toboolean(L, 2));
  return code == 0 ? 0 : fail_file(L, (const char *)box->file.path.data, code);
}

/* core.dump_counts(box) -> { rooms =, documents =, ... } */
static int counts(lua_State *L) {
  const lb_dump *box = check_dump(L);
  const uint64_t *numbers = (const uint64_t *)&box->dump.counts;
  lua_newtable(L);
  for (size_t i = 0; ld_record_count_names[i] != NULL; i++)
    lb_set_count(L, ld_record_count_names[i], numbers[i]);
  return 1;
}

void lb_open_dumps(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"dump_open", open_dump},
      {"dump_some", dump_some},
      {"dump_publish", publish},
      {"dump_counts", counts},
      {NULL, NULL},
  };
  lb_new_metatable(L, LB_DUMP);
  lua_pushcfunction(L, close_dump);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, close_dump);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
