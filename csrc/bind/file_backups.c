/* file_backups.c -- store:backups and store:restore_backup: what a file store's files were before. */
#include "../document_mirror.h"
#include "../engines/file_engine.h"
#include "bind.h"

typedef struct backups_call {
  lb_store *store;
  ld_slice kind;
  uint64_t n;
  size_t count;
  ld_buf *list;
} backups_call;

static ld_rc unit_of(ld_txn *txn, backups_call *call, ld_slice *unit) {
  ld_buf *key = &call->store->key;
  ld_slice id = ld_buf_slice(&call->store->document);
  ld_buf_reset(key);
  ld_rc rc = ld_document_unit(call->kind, id, key, ld_error_of(txn));
  if (rc == LD_OK) *unit = ld_buf_slice(key);
  return rc;
}

static void add_backup(void *context, uint64_t n, int64_t time, int64_t size) {
  backups_call *call = context;
  call->count++;
  ld_write_map(call->list, 3);
  ld_write_text(call->list, "n");
  ld_write_int(call->list, (int64_t)n);
  ld_write_text(call->list, "time");
  ld_write_int(call->list, time);
  ld_write_text(call->list, "size");
  ld_write_int(call->list, size);
}

static ld_rc work_backups(ld_txn *txn, void *context) {
  backups_call *call = context;
  ld_slice unit;
  call->count = 0;
  ld_buf_reset(call->list);
  ld_rc rc = unit_of(txn, call, &unit);
  return rc == LD_OK ? ld_file_backups(txn, unit, add_backup, call) : rc;
}

static ld_rc work_restore(ld_txn *txn, void *context) {
  backups_call *call = context;
  ld_slice unit;
  ld_rc rc = unit_of(txn, call, &unit);
  return rc == LD_OK ? ld_file_restore(txn, unit, call->n) : rc;
}

/* The kind and the id, at 2 and 3. */
static void check_call(lua_State *L, lb_place *place, backups_call *call, const char *op) {
  ld_error error = {0};
  *place = lb_check_place(L, 1, op);
  lb_check_open(L, place, op);
  call->store = place->store;
  call->list = &place->store->result;
  call->kind = lb_check_string(L, 2, op, "kind");
  if (lua_isnoneornil(L, 3))
    lb_raise(L, LD_INVALID, op, "id: expected a string or an integer, got nothing");
  ld_buf_reset(&call->store->document);
  if (lb_encode(L, 3, &call->store->document, &error) != LD_OK) lb_raise_error(L, &error, op);
}

/* store:backups(kind, id) -> { { n = 1, time = ms, size = bytes }, ... } */
int lb_backups(lua_State *L) {
  static const char op[] = "store:backups";
  lb_place place;
  backups_call call = {.n = 0};
  check_call(L, &place, &call, op);
  lb_read(L, &place, work_backups, &call, op);
  return lb_push_list(L, call.list, call.count, op);
}

/* store:restore_backup(kind, id, n = 1) -> bool */
int lb_restore_backup(lua_State *L) {
  static const char op[] = "store:restore_backup";
  lb_place place;
  lua_Integer n = 1;
  if (!lua_isnoneornil(L, 4)) n = lua_isinteger(L, 4) ? lua_tointeger(L, 4) : 0;
  if (n < 1) lb_raise(L, LD_INVALID, op, "n: expected a whole number from 1");
  backups_call call = {.n = (uint64_t)n};
  check_call(L, &place, &call, op);
  lua_pushboolean(L, lb_write(L, &place, work_restore, &call, op) == LD_OK);
  return 1;
}
