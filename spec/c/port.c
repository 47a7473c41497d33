/* port.c -- larder_port: the raw port (engine.h) for specs. Here: engines, and the module. */
#include <string.h>

#include "../../csrc/row.h"
#include "../../csrc/store.h"
#include "box.h"
#include "fault.h"

/* The live handles; the error text is emptied, so that a failure without one shows. */
static ld_engine *live_engine(lua_State *L, box **made) {
  *made = luaL_checkudata(L, 1, BOX_ENGINE);
  ld_engine *engine = (*made)->handle;
  if (engine != NULL) engine->error.text[0] = '\0';
  return engine;
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
  config->first_key = box_opt_slice(L, -2);
  config->first_value = box_opt_slice(L, -1);
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
  box *made = box_new(L, BOX_ENGINE, 0);
  int at = lua_gettop(L);
  config.option_count = read_options(L, 2, options);
  ld_rc rc = ld_engine_open(ops, &config, &engine, &error);
  if (rc != LD_OK) return box_failure(L, rc, &error);
  box_fill(made, NULL, engine);
  lua_pushvalue(L, at);
  return 1;
}

static int engine_close(lua_State *L) {
  box *made = luaL_checkudata(L, 1, BOX_ENGINE);
  ld_engine_close(box_take(made));
  return 0;
}

static int engine_begin(lua_State *L) {
  box *parent;
  ld_txn *txn;
  ld_engine *engine = live_engine(L, &parent);
  if (engine == NULL) return box_closed(L);
  box *made = box_new(L, BOX_TXN, 1);
  ld_rc rc = ld_begin(engine, lua_toboolean(L, 2), &txn);
  if (rc != LD_OK) return box_failure(L, rc, &engine->error);
  box_fill(made, parent, txn);
  return 1;
}

static int engine_sync(lua_State *L) {
  box *made;
  ld_engine *engine = live_engine(L, &made);
  return engine == NULL ? box_closed(L) : box_answer(L, ld_sync(engine), &engine->error);
}

static void set_number(lua_State *L, const char *name, uint64_t number) {
  lua_pushinteger(L, (lua_Integer)number);
  lua_setfield(L, -2, name);
}

static int engine_stats(lua_State *L) {
  box *made;
  ld_engine_stats stats;
  ld_engine *engine = live_engine(L, &made);
  if (engine == NULL) return box_closed(L);
  ld_rc rc = ld_stats(engine, &stats);
  if (rc != LD_OK) return box_failure(L, rc, &engine->error);
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
  if (engine == NULL) return box_closed(L);
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
    box_push_slice(L, take_bytes(&found));
    lua_setfield(L, -2, "key");
    box_push_slice(L, take_bytes(&found));
    lua_setfield(L, -2, "text");
    lua_seti(L, -2, i);
  }
}

static int engine_check(lua_State *L) {
  box *made;
  ld_buf found = {0};
  ld_engine *engine = live_engine(L, &made);
  if (engine == NULL) return box_closed(L);
  ld_rc rc = ld_check(engine, gather, &found);
  if (rc == LD_OK) push_findings(L, ld_buf_slice(&found));
  ld_buf_clear(&found);
  return rc == LD_OK ? 1 : box_failure(L, rc, &engine->error);
}

/* ---- faults ---- */

/* port.fault(call, code, late): that call of engines opened with `fault` fails. port.fault(): none; returns the calls counted
** since the last one, and the slot that failed. */
static int port_fault(lua_State *L) {
  uint64_t call = (uint64_t)luaL_optinteger(L, 1, 0);
  ld_rc rc = call > 0 ? box_check_code(L, 2) : LD_OK;
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

int luaopen_larder_port(lua_State *L);

int luaopen_larder_port(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", port_open}, {"fault", port_fault}, {NULL, NULL}};
  box_new_type(L, BOX_ENGINE, engine_methods, engine_close);
  port_add_txns(L);
  luaL_newlib(L, functions);
  port_add_processes(L);
  port_add_files(L);
  port_add_ground(L);
  port_add_traces(L);
  return 1;
}
