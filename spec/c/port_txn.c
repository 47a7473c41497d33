/* port_txn.c -- transactions and cursors of the raw port; part of larder_port. */
#include "box.h"

/* The live handles; the error text is emptied, so that a failure without one shows. */
static ld_txn *live_txn(lua_State *L, box **made) {
  *made = luaL_checkudata(L, 1, BOX_TXN);
  ld_txn *txn = (*made)->handle;
  if (txn != NULL) txn->engine->error.text[0] = '\0';
  return txn;
}

static ld_cursor *live_cursor(lua_State *L, box **made) {
  *made = luaL_checkudata(L, 1, BOX_CURSOR);
  ld_cursor *cursor = (*made)->handle;
  if (cursor != NULL) cursor->txn->engine->error.text[0] = '\0';
  return cursor;
}

/* ---- transactions ---- */

static int txn_begin(lua_State *L) {
  box *parent;
  ld_txn *nested, *txn = live_txn(L, &parent);
  if (txn == NULL) return box_closed(L);
  box *made = box_new(L, BOX_TXN, 1);
  ld_rc rc = ld_begin_nested(txn, &nested);
  if (rc != LD_OK) return box_failure(L, rc, &txn->engine->error);
  box_fill(made, parent, nested);
  return 1;
}

/* The text is what the failure behind a spoilt transaction left, so it is not emptied here. */
static int txn_commit(lua_State *L) {
  box *made = luaL_checkudata(L, 1, BOX_TXN);
  ld_txn *txn = box_take(made);
  if (txn == NULL) return box_closed(L);
  ld_engine *engine = txn->engine;
  return box_answer(L, ld_commit(txn), &engine->error);
}

static int txn_rollback(lua_State *L) {
  box *made = luaL_checkudata(L, 1, BOX_TXN);
  ld_txn *txn = box_take(made);
  if (txn == NULL) return box_closed(L);
  ld_rollback(txn);
  lua_pushboolean(L, 1);
  return 1;
}

static int txn_collect(lua_State *L) {
  ld_rollback(box_take(luaL_checkudata(L, 1, BOX_TXN)));
  return 0;
}

static int txn_get(lua_State *L) {
  box *made;
  ld_slice value;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return box_closed(L);
  ld_rc rc = ld_get(txn, box_check_slice(L, 2), &value);
  if (rc != LD_OK) return box_failure(L, rc, &txn->engine->error);
  box_push_slice(L, value);
  return 1;
}

static int txn_put(lua_State *L) {
  box *made;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return box_closed(L);
  return box_answer(L, ld_put(txn, box_check_slice(L, 2), box_check_slice(L, 3)),
                    &txn->engine->error);
}

/* txn:copy(from, to): put under `to` the value borrowed from `from`. */
static int txn_copy(lua_State *L) {
  box *made;
  ld_slice value;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return box_closed(L);
  ld_rc rc = ld_get(txn, box_check_slice(L, 2), &value);
  if (rc == LD_OK) rc = ld_put(txn, box_check_slice(L, 3), value);
  return box_answer(L, rc, &txn->engine->error);
}

static int txn_del(lua_State *L) {
  box *made;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return box_closed(L);
  return box_answer(L, ld_del(txn, box_check_slice(L, 2)), &txn->engine->error);
}

static int txn_del_range(lua_State *L) {
  box *made;
  uint64_t count;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return box_closed(L);
  ld_rc rc = ld_del_range(txn, box_opt_slice(L, 2), box_opt_slice(L, 3), &count);
  if (rc != LD_OK) return box_failure(L, rc, &txn->engine->error);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* txn:spoil(code): as after a failed write. */
static int txn_spoil(lua_State *L) {
  box *made;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return box_closed(L);
  ld_rc rc = box_check_code(L, 2);
  return box_answer(L, ld_spoil(txn, ld_fail(&txn->engine->error, rc, "spoilt")),
                    &txn->engine->error);
}

static int txn_cursor(lua_State *L) {
  box *parent;
  ld_cursor *cursor;
  ld_txn *txn = live_txn(L, &parent);
  if (txn == NULL) return box_closed(L);
  box *made = box_new(L, BOX_CURSOR, 1);
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return box_failure(L, rc, &txn->engine->error);
  box_fill(made, parent, cursor);
  return 1;
}

/* ---- cursors ---- */

static int cursor_seek(lua_State *L) {
  box *made;
  ld_cursor *cursor = live_cursor(L, &made);
  if (cursor == NULL) return box_closed(L);
  return box_answer(L, ld_cursor_seek(cursor, box_opt_slice(L, 2)), &cursor->txn->engine->error);
}

static int move_cursor(lua_State *L, ld_rc (*move)(ld_cursor *)) {
  box *made;
  ld_cursor *cursor = live_cursor(L, &made);
  return cursor == NULL ? box_closed(L) : box_answer(L, move(cursor), &cursor->txn->engine->error);
}

static int cursor_next(lua_State *L) { return move_cursor(L, ld_cursor_next); }
static int cursor_prev(lua_State *L) { return move_cursor(L, ld_cursor_prev); }

static ld_rc to_end(ld_cursor *cursor) {
  ld_cursor_to_end(cursor);
  return LD_OK;
}
static int cursor_to_end(lua_State *L) { return move_cursor(L, to_end); }

static int cursor_current(lua_State *L) {
  box *made;
  ld_slice key, value;
  ld_cursor *cursor = live_cursor(L, &made);
  if (cursor == NULL) return box_closed(L);
  ld_rc rc = ld_cursor_current(cursor, &key, &value);
  if (rc != LD_OK) return box_failure(L, rc, &cursor->txn->engine->error);
  box_push_slice(L, key);
  box_push_slice(L, value);
  return 2;
}

/* Put the row the cursor stands on again, and delete it, both with borrowed bytes. */
static ld_rc put_current(ld_cursor *cursor) {
  ld_slice key, value;
  ld_rc rc = ld_cursor_current(cursor, &key, &value);
  return rc == LD_OK ? ld_put(cursor->txn, key, value) : rc;
}
static int cursor_put(lua_State *L) { return move_cursor(L, put_current); }

static ld_rc del_current(ld_cursor *cursor) {
  ld_slice key, value;
  ld_rc rc = ld_cursor_current(cursor, &key, &value);
  return rc == LD_OK ? ld_del(cursor->txn, key) : rc;
}
static int cursor_del(lua_State *L) { return move_cursor(L, del_current); }

static int cursor_close(lua_State *L) {
  ld_cursor_close(box_take(luaL_checkudata(L, 1, BOX_CURSOR)));
  return 0;
}

static const luaL_Reg txn_methods[] = {{"begin", txn_begin},
                                       {"commit", txn_commit},
                                       {"rollback", txn_rollback},
                                       {"get", txn_get},
                                       {"put", txn_put},
                                       {"copy", txn_copy},
                                       {"del", txn_del},
                                       {"spoil", txn_spoil},
                                       {"del_range", txn_del_range},
                                       {"cursor", txn_cursor},
                                       {NULL, NULL}};

static const luaL_Reg cursor_methods[] = {
    {"seek", cursor_seek},     {"next", cursor_next},       {"prev", cursor_prev},
    {"to_end", cursor_to_end}, {"current", cursor_current}, {"put", cursor_put},
    {"del", cursor_del},       {"close", cursor_close},     {NULL, NULL}};

void port_add_txns(lua_State *L) {
  box_new_type(L, BOX_TXN, txn_methods, txn_collect);
  box_new_type(L, BOX_CURSOR, cursor_methods, cursor_close);
}
