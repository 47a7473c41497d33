/* map_iterator.c -- map:range and map:delete_range.
**
** On the store a range is read in pages, each in a transaction of its own, with none held between steps; the next begins behind the last key. In a
** write transaction a page is one row, so that the walk always goes to the next key as it is then. */
#include <string.h>

#include "../map.h"
#include "../tuple.h"
#include "bind.h"

#define LB_ITERATOR "larder.map.iterator"

enum { PAGE_KEYS = 64, PAGE_BYTES = 256 * 1024 };

typedef struct map_iterator {
  lb_map *map; /* its box is the user value */
  const char *op;
  ld_map_range range; /* its ends are these buffers: */
  ld_buf from, to, prefix;
  int64_t left; /* of the limit */
  bool last_page, stepping;
  ld_buf page, last;   /* last: the key of the page's last entry */
  size_t at;           /* in the page */
  int64_t count, most; /* entries in it */
  uint64_t deleted;
} map_iterator;

/* ---- options ---- */

static bool push_option(lua_State *L, int index, const char *name) {
  if (lua_type(L, index) != LUA_TTABLE) return false;
  lua_pushstring(L, name);
  return lua_rawget(L, index) != LUA_TNIL;
}

static ld_slice read_end(lua_State *L, const char *name, ld_buf *end, const char *op) {
  int top = lua_gettop(L);
  if (push_option(L, 2, name))
    lb_encode_key(L, top + 1, end, lua_pushfstring(L, "option %s", name), op);
  lua_settop(L, top);
  return ld_buf_slice(end);
}

/* A string is what keys' first string begins with; an integer or an array are whole parts. */
static void read_prefix(lua_State *L, map_iterator *iterator) {
  ld_map_range *range = &iterator->range;
  size_t size;
  int top = lua_gettop(L);
  range->prefix_cut = push_option(L, 2, "prefix") && lua_type(L, -1) == LUA_TSTRING;
  if (range->prefix_cut) {
    const char *text = lua_tolstring(L, -1, &size);
    ld_tuple_prefix(&iterator->prefix, ld_bytes(text, size));
    range->prefix = ld_buf_slice(&iterator->prefix);
  }
  lua_settop(L, top);
  if (!range->prefix_cut) range->prefix = read_end(L, "prefix", &iterator->prefix, iterator->op);
}

/* Push a new one, for the map at 1 and the options at 2. */
static map_iterator *new_iterator(lua_State *L, const char *const *known, const char *op) {
  lb_map *map = lb_check_map(L, op);
  lb_check_options(L, 2, known, op);
  map_iterator *iterator = lua_newuserdatauv(L, sizeof *iterator, 1);
  memset(iterator, 0, sizeof *iterator);
  luaL_setmetatable(L, LB_ITERATOR);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  iterator->map = map;
  iterator->op = op;
  iterator->range.from = read_end(L, "from", &iterator->from, op);
  iterator->range.to = read_end(L, "to", &iterator->to, op);
  iterator->range.from_open = lb_option_bool(L, 2, "from_open", false, op);
  iterator->range.to_open = lb_option_bool(L, 2, "to_open", false, op);
  read_prefix(L, iterator);
  if (iterator->prefix.failed) lb_raise(L, LD_NOMEM, op, "out of memory");
  return iterator;
}

static int drop(lua_State *L) {
  map_iterator *iterator = luaL_checkudata(L, 1, LB_ITERATOR);
  ld_buf *const all[] = {&iterator->from, &iterator->to, &iterator->prefix, &iterator->page,
                         &iterator->last};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) ld_buf_clear(all[i]);
  return 0;
}

/* ---- pages ---- */

static ld_rc add_to_page(void *context, ld_slice key, ld_slice value) {
  map_iterator *iterator = context;
  ld_buf_reset(&iterator->last);
  ld_buf_add(&iterator->last, key);
  lb_add_entry(&iterator->page, key, value);
  iterator->count++;
  if (iterator->count < iterator->most && iterator->page.size < PAGE_BYTES) return LD_OK;
  iterator->last_page = false; /* or an empty one will be the last */
  return LD_NOTFOUND;
}

/* The next page begins behind the last key of this one. */
static void move_on(map_iterator *iterator) {
  ld_map_range *range = &iterator->range;
  ld_buf *end = range->reverse ? &iterator->to : &iterator->from;
  if (iterator->count == 0) return;
  ld_buf_reset(end);
  ld_buf_add(end, ld_buf_slice(&iterator->last));
  *(range->reverse ? &range->to : &range->from) = ld_buf_slice(end);
  *(range->reverse ? &range->to_open : &range->from_open) = true;
  if (end->failed) iterator->page.failed = true;
}

static ld_rc work_page(ld_txn *txn, void *context) {
  map_iterator *iterator = context;
  int64_t most = txn->writable ? 1 : PAGE_KEYS;
  ld_buf_reset(&iterator->page);
  iterator->at = 0;
  iterator->count = 0;
  iterator->most = iterator->left < most ? iterator->left : most;
  iterator->last_page = true;
  ld_rc rc = ld_map_each(txn, iterator->map->name, &iterator->range, add_to_page, iterator);
  if (rc == LD_OK && !iterator->page.failed) move_on(iterator);
  if (rc == LD_OK && iterator->page.failed)
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  if (rc == LD_OK)
    iterator->left -= iterator->count;
  else
    ld_buf_reset(&iterator->page);
  return rc;
}

/* Make sure that there is an entry in the page; false at the end. */
static bool fill_page(lua_State *L, map_iterator *iterator) {
  if (iterator->at < iterator->page.size) return true;
  if (iterator->last_page || iterator->left == 0) return false;
  lb_read(L, &iterator->map->place, work_page, iterator, iterator->op);
  return iterator->page.size > 0;
}

static int step(lua_State *L) {
  map_iterator *iterator = lua_touserdata(L, lua_upvalueindex(1));
  lb_check_open(L, &iterator->map->place, iterator->op);
  if (iterator->stepping)
    return lb_raise(L, LD_MISUSE, iterator->op, "a step is not finished, or has failed");
  if (!fill_page(L, iterator)) return lb_push_nil(L);
  iterator->stepping = true;
  int count = lb_push_documents(L, &iterator->page, &iterator->at, 2, iterator->op);
  iterator->stepping = false;
  return count;
}

/* for key, value in map:range{ from =, to =, from_open =, to_open =, prefix =, reverse =, limit = } */
int lb_map_range(lua_State *L) {
  static const char op[] = "map:range";
  static const char *const known[] = {"from",   "to",      "from_open", "to_open",
                                      "prefix", "reverse", "limit",     NULL};
  map_iterator *iterator = new_iterator(L, known, op);
  iterator->range.reverse = lb_option_bool(L, 2, "reverse", false, op);
  iterator->left = lb_option_count(L, 2, "limit", INT64_MAX, op);
  lua_pushcclosure(L, step, 1);
  return 1;
}

/* ---- delete ---- */

static ld_rc work_delete(ld_txn *txn, void *context) {
  map_iterator *iterator = context;
  return ld_map_delete_range(txn, iterator->map->name, &iterator->range, &iterator->deleted);
}

/* map:delete_range{ from =, to =, from_open =, to_open =, prefix = } -> how many */
int lb_map_delete_range(lua_State *L) {
  static const char op[] = "map:delete_range";
  static const char *const known[] = {"from", "to", "from_open", "to_open", "prefix", NULL};
  lb_check_map(L, op);
  if (lua_isnoneornil(L, 2))
    return lb_raise(L, LD_INVALID, op, "expected a table of ends ({} deletes all)");
  map_iterator *iterator = new_iterator(L, known, op);
  lb_write(L, &iterator->map->place, work_delete, iterator, op);
  lua_pushinteger(L, (lua_Integer)iterator->deleted);
  return 1;
}

void lb_open_map_iterator(lua_State *L) {
  lb_new_metatable(L, LB_ITERATOR);
  lua_pushcfunction(L, drop);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
