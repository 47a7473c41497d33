/* load.c -- the steps of larder.load, which lua/larder/dump.lua runs. */
#include "../load.h"

#include <string.h>
#include <unistd.h>

#include "bind.h"

#define LB_LOAD "larder.loading"

static const char op[] = "larder.load";

typedef struct lb_load {
  ld_load load; /* its descriptor is -1 when it is closed */
} lb_load;

static lb_load *check_load(lua_State *L, int index) {
  lb_load *box = luaL_checkudata(L, index, LB_LOAD);
  if (box->load.input.descriptor < 0) lb_raise(L, LD_CLOSED, op, "the dump is closed");
  return box;
}

static int close_load(lua_State *L) {
  lb_load *box = luaL_checkudata(L, 1, LB_LOAD);
  ld_load_close(&box->load);
  return 0;
}

/* core.load_open(path) -> box, whether it can be read again: it is no pipe */
static int open_load(lua_State *L) {
  ld_error error = {0};
  const char *path = lb_check_text(L, 1, op, "path");
  lb_load *box = lua_newuserdatauv(L, sizeof *box, 0);
  memset(box, 0, sizeof *box);
  box->load.input.descriptor = -1;
  luaL_setmetatable(L, LB_LOAD);
  if (ld_load_open(&box->load, path, &error) != LD_OK) return lb_raise_error(L, &error, op);
  lua_pushboolean(L, lseek(box->load.input.descriptor, 0, SEEK_CUR) >= 0);
  return 2;
}

static uint64_t sum(const ld_record_counts *counts) {
  return counts->rooms + counts->collections + counts->documents + counts->entries +
         counts->queues + counts->jobs + counts->rows;
}

static int push_progress(lua_State *L, const ld_load *load) {
  lua_pushboolean(L, load->over);
  lua_pushinteger(L, (lua_Integer)sum(&load->counts));
  lua_pushinteger(L, (lua_Integer)sum(&load->expected));
  return 3;
}

/* core.load_check(box, most) -> done, records read, records in all */
static int check(lua_State *L) {
  ld_error error = {0};
  lb_load *box = check_load(L, 1);
  ld_rc rc = ld_load_check(&box->load, (uint64_t)luaL_checkinteger(L, 2), &error);
  return rc == LD_OK ? push_progress(L, &box->load) : lb_raise_error(L, &error, op);
}

typedef struct load_call {
  ld_load *load;
  const ld_load *whole; /* NULL: all in one transaction */
  uint64_t most;
  bool replace;
} load_call;

static ld_rc work_some(ld_txn *txn, void *context) {
  load_call *call = context;
  return call->whole == NULL ? ld_load_some(txn, call->load, call->most, call->replace)
                             : ld_load_batch(txn, call->load, call->whole, call->most);
}

/* core.load_some(box, tx, most, replace, whole) -> done, records read, records in all. `whole`: a box that was checked; then this is a batch. In a
** transaction of the caller's, since a box cannot go back when it is run again. */
static int load_some(lua_State *L) {
  lb_load *box = check_load(L, 1);
  lb_place place = lb_check_place(L, 2, op);
  load_call call = {.load = &box->load, .most = (uint64_t)luaL_checkinteger(L, 3)};
  call.replace = lua_toboolean(L, 4);
  if (!lua_isnoneornil(L, 5)) call.whole = &check_load(L, 5)->load;
  luaL_argcheck(L, place.tx != NULL, 2, "expected a transaction");
  lb_write(L, &place, work_some, &call, op);
  return push_progress(L, &box->load);
}

/* core.load_counts(box) -> { rooms =, documents =, ... } */
static int counts(lua_State *L) {
  const lb_load *box = check_load(L, 1);
  const uint64_t *numbers = (const uint64_t *)&box->load.counts;
  lua_newtable(L);
  for (size_t i = 0; ld_record_count_names[i] != NULL; i++)
    lb_set_count(L, ld_record_count_names[i], numbers[i]);
  return 1;
}

void lb_open_loads(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"load_open", open_load}, {"load_check", check}, {"load_some", load_some},
      {"load_counts", counts},  {NULL, NULL},
  };
  lb_new_metatable(L, LB_LOAD);
  lua_pushcfunction(L, close_load);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, close_load);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
