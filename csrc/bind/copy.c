/* copy.c -- the steps of larder.copy; lua/larder/copy.lua runs them, so that it may yield and tell its progress in between.
**
** Each gets the transaction of the source, the place of the target, and the names of collections or nil. */
#include "../copy.h"
#include "../record.h"

#include <string.h>
#include <sys/stat.h>

#include "bind.h"

static const char op[] = "larder.copy";

typedef struct copy_call {
  lb_tx *from;
  lb_store *to;
  ld_copy copy;
  ld_copy_state state;
  ld_copy_batch batch;
  bool compare;
  ld_slice place;
  ld_buf behind; /* the place of the records that were read */
  uint64_t count, rows;
} copy_call;

void lb_encode_scope(lua_State *L, int index, lb_store *store, const char *what) {
  ld_buf_reset(&store->key);
  if (lua_isnoneornil(L, index)) return;
  if (lb_encode(L, index, &store->key, &store->error) != LD_OK)
    lb_raise_error(L, &store->error, what);
}

static lb_place check_call(lua_State *L, copy_call *call) {
  memset(call, 0, sizeof *call);
  call->from = luaL_checkudata(L, 1, LB_TX);
  lb_place to = lb_check_place(L, 2, op);
  call->to = to.store;
  lb_check_open(L, &(lb_place){call->from->store, call->from}, op);
  lb_check_open(L, &to, op);
  if (call->from->store == to.store)
    lb_raise(L, LD_INVALID, op, "the source and the target are the same store");
  lb_encode_scope(L, 3, to.store, op);
  call->copy.scope.names = ld_buf_slice(&to.store->key);
  return to;
}

static ld_rc work_look(ld_txn *txn, void *context) {
  copy_call *call = context;
  return ld_copy_look(call->from->txn, txn, &call->copy, &call->state);
}

/* core.copy_look(from, to, names, transformed, unfinished) -> "new" | "resume" | "taken" */
static int look(lua_State *L) {
  static const char *const names[] = {"new", "resume", "taken"};
  copy_call call;
  lb_place to = check_call(L, &call);
  call.copy.transformed = lua_toboolean(L, 4);
  call.copy.unfinished = lua_toboolean(L, 5);
  lb_read(L, &to, work_look, &call, op);
  lua_pushstring(L, names[call.state]);
  return 1;
}

static ld_rc work_begin(ld_txn *txn, void *context) {
  copy_call *call = context;
  return ld_copy_begin(call->from->txn, txn, &call->copy);
}

/* core.copy_begin(from, to, names, overwrite, transformed, unfinished) */
static int begin(lua_State *L) {
  copy_call call;
  lb_place to = check_call(L, &call);
  call.copy.overwrite = lua_toboolean(L, 4);
  call.copy.transformed = lua_toboolean(L, 5);
  call.copy.unfinished = lua_toboolean(L, 6);
  lb_write(L, &to, work_begin, &call, op);
  return 0;
}

static ld_rc work_some(ld_txn *txn, void *context) {
  copy_call *call = context;
  return ld_copy_some(call->from->txn, txn, &call->copy, &call->batch);
}

/* core.copy_some(from, to, names, most) -> done, rows, whether all rows are there */
static int some(lua_State *L) {
  copy_call call;
  lb_place to = check_call(L, &call);
  call.batch.most = (uint64_t)luaL_optinteger(L, 4, 0);
  lb_write(L, &to, work_some, &call, op);
  lua_pushboolean(L, call.batch.done);
  lua_pushinteger(L, (lua_Integer)call.batch.rows);
  lua_pushboolean(L, call.batch.rows_done);
  return 3;
}

static ld_rc work_verify(ld_txn *txn, void *context) {
  copy_call *call = context;
  ld_buf *report = &call->to->result;
  if (!call->compare) return ld_copy_report(txn, &call->copy.scope, report);
  return ld_copy_verify(call->from->txn, txn, &call->copy.scope, report);
}

/* core.copy_verify(from, to, names, compare) -> the report */
static int verify(lua_State *L) {
  copy_call call;
  size_t at = 0;
  lb_place to = check_call(L, &call);
  call.compare = lua_toboolean(L, 4);
  lb_read(L, &to, work_verify, &call, op);
  return lb_push_documents(L, &call.to->result, &at, 1, op);
}

/* ---- transformed ---- */

/* For each record four values: its kind, false where nothing is a program's; the name; all of it, as bytes; the program's document. */
static void list_records(ld_slice records, ld_buf *list) {
  ld_slice record, document, name, kind;
  ld_token token;
  while (records.size > 0 && ld_value_take(&records, &record)) {
    bool ours = ld_record_document(record, &document, &name) &&
                ld_value_field(record, "kind", &kind) && ld_value_next(&kind, &token);
    if (ours)
      ld_write_string(list, token.bytes);
    else
      ld_write_bool(list, false);
    ld_write_string(list, ours ? name : LD_SLICE_NONE);
    ld_write_string(list, record);
    if (ours)
      ld_buf_add(list, document);
    else
      ld_write_nil(list);
  }
}

static ld_rc work_read(ld_txn *txn, void *context) {
  copy_call *call = context;
  ld_buf *records = &call->to->document, *list = &call->to->result;
  ld_buf_reset(records);
  ld_buf_reset(&call->behind);
  ld_rc rc = ld_copy_read(call->from->txn, txn, &call->copy, call->batch.most, records,
                          &call->count, &call->behind);
  if (rc == LD_OK) list_records(ld_buf_slice(records), list);
  if (rc == LD_OK && call->behind.size > 0) ld_write_string(list, ld_buf_slice(&call->behind));
  ld_buf_clear(&call->behind);
  if (rc == LD_OK && list->failed) rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

/* core.copy_read(from, to, names, most) -> a flat list of records, the place behind them or nothing */
static int read_records(lua_State *L) {
  copy_call call;
  lb_place to = check_call(L, &call);
  call.batch.most = (uint64_t)luaL_checkinteger(L, 4);
  call.copy.transformed = true;
  lb_read(L, &to, work_read, &call, op);
  return lb_push_list(L, &call.to->result, 4 * (size_t)call.count, op);
}

static ld_rc work_note(ld_txn *txn, void *context) {
  copy_call *call = context;
  return ld_copy_note(txn, call->place, call->count, &call->rows);
}

/* core.copy_note(from, to, place, count) -> rows */
static int note(lua_State *L) {
  lua_pushnil(L);
  lua_insert(L, 3);
  copy_call call;
  lb_place to = check_call(L, &call);
  if (!lua_isnoneornil(L, 4)) call.place = lb_check_string(L, 4, op, "place");
  call.count = (uint64_t)luaL_checkinteger(L, 5);
  lb_write(L, &to, work_note, &call, op);
  lua_pushinteger(L, (lua_Integer)call.rows);
  return 1;
}

typedef struct put_call {
  ld_slice record;
} put_call;

static ld_rc work_put(ld_txn *txn, void *context) {
  put_call *call = context;
  ld_record_writer writer = {.was_empty = true};
  ld_rc rc = ld_record_put(txn, &writer, call->record);
  ld_record_writer_clear(&writer);
  return rc;
}

/* core.record_put(tx, bytes, document) */
static int put_record(lua_State *L) {
  lb_place to = lb_check_place(L, 1, op);
  put_call call = {.record = lb_check_string(L, 2, op, "record")};
  lb_store *store = to.store;
  ld_buf_reset(&store->document);
  ld_buf_reset(&store->key);
  if (!lua_isnone(L, 3)) {
    if (lb_encode(L, 3, &store->document, &store->error) != LD_OK)
      return lb_raise_error(L, &store->error, op);
    ld_record_replace(call.record, ld_buf_slice(&store->document), &store->key);
    if (store->key.failed) return lb_raise(L, LD_NOMEM, op, "out of memory");
    call.record = ld_buf_slice(&store->key);
  }
  lb_write(L, &to, work_put, &call, op);
  return 0;
}

/* ---- the end ---- */

static ld_rc work_end(ld_txn *txn, void *context) {
  (void)context;
  return ld_copy_end(txn);
}

/* core.copy_end(from, to) */
static int end(lua_State *L) {
  copy_call call;
  lb_place to = check_call(L, &call);
  lb_write(L, &to, work_end, &call, op);
  return 0;
}

/* Of a box or a text, such as "lmdb:./data". */
static const char *label_of(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING) return lua_tostring(L, index);
  luaL_checkudata(L, index, LB_STORE);
  return lb_label(L, index);
}

/* core.same_store(a, b): whether two boxes, or what is going to be one, are of one directory, which each of them may call another name. */
static int same_store(lua_State *L) {
  struct stat info[2];
  bool same = lua_rawequal(L, 1, 2);
  for (int i = 0; i < 2 && !same; i++) {
    const char *path = strchr(label_of(L, i + 1), ':');
    if (path == NULL || path[1] == '\0' || stat(path + 1, &info[i]) != 0) break;
    same = i == 1 && info[0].st_dev == info[1].st_dev && info[0].st_ino == info[1].st_ino;
  }
  lua_pushboolean(L, same);
  return 1;
}

void lb_open_copies(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"copy_look", look},         {"copy_begin", begin},
      {"copy_some", some},         {"copy_verify", verify},
      {"copy_end", end},           {"same_store", same_store},
      {"copy_read", read_records}, {"copy_note", note},
      {"record_put", put_record},  {NULL, NULL},
  };
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
