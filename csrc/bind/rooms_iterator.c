/* rooms_iterator.c -- rooms:each and rooms:names: page by page, with no transaction held between steps.
**
** A page is read in one transaction: names and documents behind one another; the next begins behind the last name. In a write transaction
** a page is one row, so that the walk always goes to the next room as it is then. An iterator that is left alone costs its memory. */
#include <string.h>

#include "../room.h"
#include "bind.h"

#define LB_ITERATOR "larder.rooms.iterator"

enum { PAGE_ROOMS = 64, PAGE_BYTES = 256 * 1024 };

typedef struct rooms_iterator {
  lb_rooms *rooms; /* its box is the user value */
  const char *op;
  bool names_only, last_page, stepping;
  unsigned parts;
  uint64_t page_rooms, count;
  ld_buf prefix, after, page;
  size_t at; /* in the page */
} rooms_iterator;

static ld_rc add_to_page(void *context, ld_slice name, ld_slice document) {
  rooms_iterator *iterator = context;
  if (iterator->count == iterator->page_rooms || iterator->page.size >= PAGE_BYTES) {
    iterator->last_page = false;
    return LD_NOTFOUND;
  }
  ld_write_string(&iterator->page, name);
  ld_buf_add(&iterator->page, document);
  ld_buf_reset(&iterator->after);
  ld_buf_add(&iterator->after, name);
  iterator->count++;
  return LD_OK;
}

/* Read a page. When that fails the iterator is as before, and the next step tries again. */
static ld_rc work_page(ld_txn *txn, void *context) {
  rooms_iterator *iterator = context;
  ld_buf begin = {0}; /* the range borrows it while the page moves `after` on */
  ld_buf_add(&begin, ld_buf_slice(&iterator->after));
  ld_room_range range = {ld_buf_slice(&iterator->prefix), ld_buf_slice(&begin)};
  ld_buf_reset(&iterator->page);
  iterator->at = 0;
  iterator->count = 0;
  iterator->last_page = !txn->writable; /* a room may be saved behind the last one */
  iterator->page_rooms = txn->writable ? 1 : PAGE_ROOMS;
  ld_rc rc = begin.failed ? LD_NOMEM : LD_OK;
  if (rc == LD_OK)
    rc = ld_room_each(txn, &range, iterator->names_only, iterator->parts, add_to_page, iterator);
  if (rc == LD_NOMEM || (rc == LD_OK && (iterator->page.failed || iterator->after.failed)))
    rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  if (rc != LD_OK) {
    ld_buf_reset(&iterator->page);
    ld_buf_reset(&iterator->after);
    ld_buf_add(&iterator->after, ld_buf_slice(&begin));
    iterator->last_page = false;
  }
  ld_buf_clear(&begin);
  return rc;
}

/* Make sure that there is a row in the page; false at the end. */
static bool fill_page(lua_State *L, rooms_iterator *iterator) {
  if (iterator->at < iterator->page.size) return true;
  if (iterator->last_page) return false;
  lb_read(L, &iterator->rooms->place, work_page, iterator, iterator->op);
  return iterator->page.size > 0;
}

/* A finalizer that runs while a row is made into values, must not step the same iterator. */
static int step(lua_State *L) {
  rooms_iterator *iterator = lua_touserdata(L, lua_upvalueindex(1));
  lb_check_open(L, &iterator->rooms->place, iterator->op);
  if (iterator->stepping)
    return lb_raise(L, LD_MISUSE, iterator->op, "a step is not finished, or has failed");
  if (!fill_page(L, iterator)) return lb_push_nil(L);
  iterator->stepping = true;
  int count = lb_push_documents(L, &iterator->page, &iterator->at, iterator->names_only ? 1 : 2,
                                iterator->op);
  iterator->stepping = false;
  return count;
}

lb_rooms *lb_iterated_rooms(lua_State *L) {
  rooms_iterator *iterator = luaL_testudata(L, lua_upvalueindex(1), LB_ITERATOR);
  return iterator == NULL ? NULL : iterator->rooms;
}

static int drop(lua_State *L) {
  rooms_iterator *iterator = luaL_checkudata(L, 1, LB_ITERATOR);
  ld_buf_clear(&iterator->prefix);
  ld_buf_clear(&iterator->after);
  ld_buf_clear(&iterator->page);
  return 0;
}

static int new_iterator(lua_State *L, bool names_only, const char *const *known, const char *op) {
  lb_rooms *rooms = lb_check_rooms(L, op);
  lb_check_options(L, 2, known, op);
  ld_slice prefix = lb_option_string(L, 2, "prefix", op);
  ld_slice after = lb_option_string(L, 2, "after", op);
  bool ratings = !names_only && lb_option_bool(L, 2, "ratings", false, op);
  rooms_iterator *iterator = lua_newuserdatauv(L, sizeof *iterator, 1);
  memset(iterator, 0, sizeof *iterator);
  luaL_setmetatable(L, LB_ITERATOR);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  iterator->rooms = rooms;
  iterator->op = op;
  iterator->names_only = names_only;
  iterator->parts = ratings ? LD_ROOM_RATINGS : LD_ROOM_CONFIG;
  ld_buf_add(&iterator->prefix, prefix);
  ld_buf_add(&iterator->after, after);
  if (iterator->prefix.failed || iterator->after.failed) lb_raise(L, LD_NOMEM, op, "out of memory");
  lua_pushcclosure(L, step, 1);
  return 1;
}

/* for name, room in rooms:each{ prefix =, after =, ratings = false } */
int lb_rooms_each(lua_State *L) {
  static const char *const known[] = {"prefix", "after", "ratings", NULL};
  return new_iterator(L, false, known, "rooms:each");
}

/* for name in rooms:names{ prefix =, after = } */
int lb_rooms_names(lua_State *L) {
  static const char *const known[] = {"prefix", "after", NULL};
  return new_iterator(L, true, known, "rooms:names");
}

void lb_open_rooms_iterator(lua_State *L) {
  lb_new_metatable(L, LB_ITERATOR);
  lua_pushcfunction(L, drop);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
