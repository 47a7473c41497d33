/* port.c -- larder_port: the raw port (engine.h) for specs.
**
** A handle is a box that points to the port's handle. The port frees the handles of a transaction at its end, so boxes
** form a tree (engine > transactions > nested ones and cursors), and the end of a handle empties all boxes under it first.
** Invariant: a box that is not empty points to a live handle. What is done with an empty one is CLOSED. */
#include "port.h"

#include <stdlib.h>
#include <string.h>

#include "../../csrc/row.h"
#include "../../csrc/store.h"
#include "fault.h"

typedef struct box {
  void *handle;
  struct box *children, *next, **link;
} box;

static const char ENGINE[] = "larder_port.engine";
static const char TXN[] = "larder_port.txn";
static const char CURSOR[] = "larder_port.cursor";

/* ---- boxes ---- */

/* Push an empty box; it keeps the one at `parent` from being collected. */
static box *new_box(lua_State *L, const char *type, int parent) {
  box *made = lua_newuserdatauv(L, sizeof *made, 1);
  memset(made, 0, sizeof *made);
  luaL_setmetatable(L, type);
  if (parent != 0) {
    lua_pushvalue(L, parent);
    lua_setiuservalue(L, -2, 1);
  }
  return made;
}

static void fill(box *made, box *parent, void *handle) {
  made->handle = handle;
  if (parent == NULL) return;
  made->next = parent->children;
  made->link = &parent->children;
  if (made->next != NULL) made->next->link = &made->next;
  parent->children = made;
}

/* Empty a box and all under it. Returns the handle it had. */
static void *take(box *ended) {
  void *handle = ended->handle;
  while (ended->children != NULL) take(ended->children);
  if (ended->link != NULL) *ended->link = ended->next;
  if (ended->link != NULL && ended->next != NULL) ended->next->link = ended->link;
  ended->link = NULL;
  ended->next = NULL;
  ended->handle = NULL;
  return handle;
}

static int closed(lua_State *L) {
  luaL_pushfail(L);
  lua_pushliteral(L, "CLOSED");
  lua_pushliteral(L, "the handle has ended");
  return 3;
}

/* ---- results ---- */

static int failure(lua_State *L, ld_rc rc, const ld_error *error) {
  luaL_pushfail(L);
  lua_pushstring(L, ld_rc_name(rc));
  if (rc == LD_NOTFOUND || error->text[0] == '\0') return 2;
  lua_pushstring(L, error->text);
  return 3;
}

static int answer(lua_State *L, ld_rc rc, const ld_error *error) {
  if (rc != LD_OK) return failure(L, rc, error);
  lua_pushboolean(L, 1);
  return 1;
}

static ld_slice check_slice(lua_State *L, int index) {
  size_t size;
  const char *text = luaL_checklstring(L, index, &size);
  return ld_bytes(text, size);
}

static ld_slice opt_slice(lua_State *L, int index) {
  return lua_isnoneornil(L, index) ? LD_SLICE_NONE : check_slice(L, index);
}

static void push_slice(lua_State *L, ld_slice bytes) {
  lua_pushlstring(L, bytes.size > 0 ? (const char *)bytes.data : "", bytes.size);
}

static ld_rc check_code(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (int rc = LD_NOTFOUND; rc <= LD_NOMEM; rc++)
    if (strcmp(ld_rc_name((ld_rc)rc), name) == 0) return (ld_rc)rc;
  return (ld_rc)luaL_argerror(L, index, "no such code");
}

/* The live handles; the error text is emptied, so that a failure without one shows. */
static ld_engine *live_engine(lua_State *L, box **made) {
  *made = luaL_checkudata(L, 1, ENGINE);
  ld_engine *engine = (*made)->handle;
  if (engine != NULL) engine->error.text[0] = '\0';
  return engine;
}

static ld_txn *live_txn(lua_State *L, box **made) {
  *made = luaL_checkudata(L, 1, TXN);
  ld_txn *txn = (*made)->handle;
  if (txn != NULL) txn->engine->error.text[0] = '\0';
  return txn;
}

static ld_cursor *live_cursor(lua_State *L, box **made) {
  *made = luaL_checkudata(L, 1, CURSOR);
  ld_cursor *cursor = (*made)->handle;
  if (cursor != NULL) cursor->txn->engine->error.text[0] = '\0';
  return cursor;
}

/* ---- engine ---- */

enum { OPTIONS_MAX = 32 };

static bool flag(lua_State *L, int index, const char *name) {
  if (lua_isnoneornil(L, index)) return false;
  lua_getfield(L, index, name);
  bool on = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return on;
}

/* The strings of the table at `index` stay borrowed from it; numbers become strings on the stack. */
static size_t read_options(lua_State *L, int index, ld_option options[OPTIONS_MAX]) {
  size_t count = 0;
  if (lua_isnoneornil(L, index)) return 0;
  luaL_checktype(L, index, LUA_TTABLE);
  luaL_checkstack(L, 2 * OPTIONS_MAX + 4, NULL);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    luaL_argcheck(L, count < OPTIONS_MAX, index, "too many options");
    options[count].name = luaL_checkstring(L, -2);
    options[count++].value = luaL_tolstring(L, -1, NULL);
    lua_insert(L, -3); /* the text stays under the key */
    lua_pop(L, 1);
  }
  return count;
}

static void read_first_row(lua_State *L, int index, ld_config *config) {
  if (lua_isnoneornil(L, index)) return;
  lua_getfield(L, index, "first_key");
  lua_getfield(L, index, "first_value");
  config->first_key = opt_slice(L, -2);
  config->first_value = opt_slice(L, -1);
}

static const ld_engine_ops *find_engine(lua_State *L) {
  const ld_engine_ops *ops = ld_engine_named(luaL_checkstring(L, 1));
  if (ops == NULL) luaL_argerror(L, 1, "no such engine");
  bool bare = flag(L, 3, "bare");
  return bare || flag(L, 3, "fault") ? fault_engine(ops, bare) : ops;
}

/* port.open(name, { option = value }, { rows = , bare = , fault = , first_key = , first_value = }) */
static int port_open(lua_State *L) {
  ld_option options[OPTIONS_MAX];
  ld_error error = {0};
  ld_engine *engine;
  lua_settop(L, 3);
  const ld_engine_ops *ops = find_engine(L);
  ld_config config = {.env = ld_env_system(), .options = options};
  if (flag(L, 3, "rows")) config.check_row = ld_row_is_sound;
  read_first_row(L, 3, &config);
  box *made = new_box(L, ENGINE, 0);
  int at = lua_gettop(L);
  config.option_count = read_options(L, 2, options);
  ld_rc rc = ld_engine_open(ops, &config, &engine, &error);
  if (rc != LD_OK) return failure(L, rc, &error);
  fill(made, NULL, engine);
  lua_pushvalue(L, at);
  return 1;
}

static int engine_close(lua_State *L) {
  box *made = luaL_checkudata(L, 1, ENGINE);
  ld_engine_close(take(made));
  return 0;
}

static int engine_begin(lua_State *L) {
  box *parent;
  ld_txn *txn;
  ld_engine *engine = live_engine(L, &parent);
  if (engine == NULL) return closed(L);
  box *made = new_box(L, TXN, 1);
  ld_rc rc = ld_begin(engine, lua_toboolean(L, 2), &txn);
  if (rc != LD_OK) return failure(L, rc, &engine->error);
  fill(made, parent, txn);
  return 1;
}

static int engine_sync(lua_State *L) {
  box *made;
  ld_engine *engine = live_engine(L, &made);
  return engine == NULL ? closed(L) : answer(L, ld_sync(engine), &engine->error);
}

static void set_number(lua_State *L, const char *name, uint64_t number) {
  lua_pushinteger(L, (lua_Integer)number);
  lua_setfield(L, -2, name);
}

static int engine_stats(lua_State *L) {
  box *made;
  ld_engine_stats stats;
  ld_engine *engine = live_engine(L, &made);
  if (engine == NULL) return closed(L);
  ld_rc rc = ld_stats(engine, &stats);
  if (rc != LD_OK) return failure(L, rc, &engine->error);
  lua_newtable(L);
  set_number(L, "entries", stats.entries);
  set_number(L, "bytes_used", stats.bytes_used);
  set_number(L, "bytes_limit", stats.bytes_limit);
  set_number(L, "readers", stats.readers);
  return 1;
}

static int engine_promises(lua_State *L) {
  static const char *const names[] = {"durable", "snapshot", "shared", "one_writer"};
  box *made;
  ld_engine *engine = live_engine(L, &made);
  if (engine == NULL) return closed(L);
  lua_newtable(L);
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    lua_pushboolean(L, (engine->ops->promises >> i & 1) != 0);
    lua_setfield(L, -2, names[i]);
  }
  return 1;
}

/* Findings are gathered outside Lua: the engine that reports them is no place to raise from. */
static void gather(void *context, ld_slice key, const char *text) {
  ld_buf *found = context;
  ld_buf_varint(found, key.size);
  ld_buf_add(found, key);
  ld_buf_varint(found, strlen(text));
  ld_buf_add(found, ld_text(text));
}

static ld_slice take_bytes(ld_slice *rest) {
  uint64_t size = 0;
  ld_read_varint(rest, &size);
  ld_slice bytes = ld_bytes(rest->data, (size_t)size);
  *rest = ld_bytes(rest->data + size, rest->size - (size_t)size);
  return bytes;
}

static void push_findings(lua_State *L, ld_slice found) {
  lua_newtable(L);
  for (lua_Integer i = 1; found.size > 0; i++) {
    lua_newtable(L);
    push_slice(L, take_bytes(&found));
    lua_setfield(L, -2, "key");
    push_slice(L, take_bytes(&found));
    lua_setfield(L, -2, "text");
    lua_seti(L, -2, i);
  }
}

static int engine_check(lua_State *L) {
  box *made;
  ld_buf found = {0};
  ld_engine *engine = live_engine(L, &made);
  if (engine == NULL) return closed(L);
  ld_rc rc = ld_check(engine, gather, &found);
  if (rc == LD_OK) push_findings(L, ld_buf_slice(&found));
  ld_buf_clear(&found);
  return rc == LD_OK ? 1 : failure(L, rc, &engine->error);
}

/* ---- transactions ---- */

static int txn_begin(lua_State *L) {
  box *parent;
  ld_txn *nested, *txn = live_txn(L, &parent);
  if (txn == NULL) return closed(L);
  box *made = new_box(L, TXN, 1);
  ld_rc rc = ld_begin_nested(txn, &nested);
  if (rc != LD_OK) return failure(L, rc, &txn->engine->error);
  fill(made, parent, nested);
  return 1;
}

/* The text is what the failure behind a spoilt transaction left, so it is not emptied here. */
static int txn_commit(lua_State *L) {
  box *made = luaL_checkudata(L, 1, TXN);
  ld_txn *txn = take(made);
  if (txn == NULL) return closed(L);
  ld_engine *engine = txn->engine;
  return answer(L, ld_commit(txn), &engine->error);
}

static int txn_rollback(lua_State *L) {
  box *made = luaL_checkudata(L, 1, TXN);
  ld_txn *txn = take(made);
  if (txn == NULL) return closed(L);
  ld_rollback(txn);
  lua_pushboolean(L, 1);
  return 1;
}

static int txn_collect(lua_State *L) {
  ld_rollback(take(luaL_checkudata(L, 1, TXN)));
  return 0;
}

static int txn_get(lua_State *L) {
  box *made;
  ld_slice value;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return closed(L);
  ld_rc rc = ld_get(txn, check_slice(L, 2), &value);
  if (rc != LD_OK) return failure(L, rc, &txn->engine->error);
  push_slice(L, value);
  return 1;
}

static int txn_put(lua_State *L) {
  box *made;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return closed(L);
  return answer(L, ld_put(txn, check_slice(L, 2), check_slice(L, 3)), &txn->engine->error);
}

/* txn:copy(from, to): put under `to` the value borrowed from `from`. */
static int txn_copy(lua_State *L) {
  box *made;
  ld_slice value;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return closed(L);
  ld_rc rc = ld_get(txn, check_slice(L, 2), &value);
  if (rc == LD_OK) rc = ld_put(txn, check_slice(L, 3), value);
  return answer(L, rc, &txn->engine->error);
}

static int txn_del(lua_State *L) {
  box *made;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return closed(L);
  return answer(L, ld_del(txn, check_slice(L, 2)), &txn->engine->error);
}

static int txn_del_range(lua_State *L) {
  box *made;
  uint64_t count;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return closed(L);
  ld_rc rc = ld_del_range(txn, opt_slice(L, 2), opt_slice(L, 3), &count);
  if (rc != LD_OK) return failure(L, rc, &txn->engine->error);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* txn:spoil(code): as after a failed write. */
static int txn_spoil(lua_State *L) {
  box *made;
  ld_txn *txn = live_txn(L, &made);
  if (txn == NULL) return closed(L);
  ld_rc rc = check_code(L, 2);
  return answer(L, ld_spoil(txn, ld_fail(&txn->engine->error, rc, "spoilt")), &txn->engine->error);
}

static int txn_cursor(lua_State *L) {
  box *parent;
  ld_cursor *cursor;
  ld_txn *txn = live_txn(L, &parent);
  if (txn == NULL) return closed(L);
  box *made = new_box(L, CURSOR, 1);
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return failure(L, rc, &txn->engine->error);
  fill(made, parent, cursor);
  return 1;
}

/* ---- cursors ---- */

static int cursor_seek(lua_State *L) {
  box *made;
  ld_cursor *cursor = live_cursor(L, &made);
  if (cursor == NULL) return closed(L);
  return answer(L, ld_cursor_seek(cursor, opt_slice(L, 2)), &cursor->txn->engine->error);
}

static int move_cursor(lua_State *L, ld_rc (*move)(ld_cursor *)) {
  box *made;
  ld_cursor *cursor = live_cursor(L, &made);
  return cursor == NULL ? closed(L) : answer(L, move(cursor), &cursor->txn->engine->error);
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
  if (cursor == NULL) return closed(L);
  ld_rc rc = ld_cursor_current(cursor, &key, &value);
  if (rc != LD_OK) return failure(L, rc, &cursor->txn->engine->error);
  push_slice(L, key);
  push_slice(L, value);
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
  ld_cursor_close(take(luaL_checkudata(L, 1, CURSOR)));
  return 0;
}

/* ---- faults ---- */

/* port.fault(call, code, late): that call of engines opened with `fault` fails. port.fault(): none; returns the calls counted
** since the last one, and the slot that failed. */
static int port_fault(lua_State *L) {
  uint64_t call = (uint64_t)luaL_optinteger(L, 1, 0);
  ld_rc rc = call > 0 ? check_code(L, 2) : LD_OK;
  lua_pushinteger(L, (lua_Integer)fault.calls);
  lua_pushstring(L, fault.failed);
  fault_at(call, rc, lua_toboolean(L, 3));
  return 2;
}

/* ---- the module ---- */

static const luaL_Reg engine_methods[] = {{"begin", engine_begin},
                                          {"close", engine_close},
                                          {"sync", engine_sync},
                                          {"stats", engine_stats},
                                          {"promises", engine_promises},
                                          {"check", engine_check},
                                          {NULL, NULL}};

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

static void new_type(lua_State *L, const char *name, const luaL_Reg *methods,
                     lua_CFunction collect) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}

int luaopen_larder_port(lua_State *L);

int luaopen_larder_port(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", port_open}, {"fault", port_fault}, {NULL, NULL}};
  new_type(L, ENGINE, engine_methods, engine_close);
  new_type(L, TXN, txn_methods, txn_collect);
  new_type(L, CURSOR, cursor_methods, cursor_close);
  luaL_newlib(L, functions);
  port_add_processes(L);
  port_add_files(L);
  port_add_ground(L);
  return 1;
}
