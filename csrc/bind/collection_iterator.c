/* collection_iterator.c -- collection:each: page by page, with no transaction held between steps.
**
** A page is a query with a limit, run in one transaction; the next one goes on behind its cursor. How many documents it has follows from
** their size: it grows while they are small, and a page that becomes too large is read again, shorter. In a write transaction a page is one
** document. */
#include <string.h>

#include "../find.h"
#include "bind.h"

#define LB_ITERATOR "larder.collection.iterator"

enum { FIRST_PAGE = 16, LONGEST_PAGE = 1024, PAGE_BYTES = 256 * 1024 };

typedef struct documents_iterator {
  lb_collection *collection; /* its box is the user value */
  ld_buf query;              /* without `after` */
  ld_buf after;              /* the cursor to go on behind; empty: from the first */
  ld_buf whole, cursor, page;
  const ld_find *find;
  uint64_t offset;
  int64_t left;        /* of the limit */
  int64_t page_length; /* of the next page */
  int64_t count;       /* in this page */
  bool last_page, too_large, stepping;
  size_t at; /* in the page */
} documents_iterator;

static const char op[] = "collection:each";

/* ---- pages ---- */

static ld_rc add_to_page(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  documents_iterator *iterator = context;
  (void)id, (void)revision;
  iterator->too_large = iterator->page.size >= PAGE_BYTES;
  if (iterator->too_large) return LD_NOTFOUND;
  ld_find_select(iterator->find, &iterator->collection->collection, document, &iterator->page);
  iterator->count++;
  return iterator->page.failed ? LD_NOTFOUND : LD_OK;
}

/* The query with its cursor. */
static void write_query(documents_iterator *iterator) {
  ld_token head = {.count = 0};
  ld_slice pairs = ld_buf_slice(&iterator->query);
  ld_value_next(&pairs, &head);
  bool goes_on = iterator->after.size > 0;
  ld_buf_reset(&iterator->whole);
  ld_write_map(&iterator->whole, head.count + (goes_on ? 1 : 0));
  ld_buf_add(&iterator->whole, pairs);
  if (!goes_on) return;
  ld_write_text(&iterator->whole, "after");
  ld_write_string(&iterator->whole, ld_buf_slice(&iterator->after));
}

static ld_rc fill_page(ld_txn *txn, documents_iterator *iterator, ld_find *find) {
  ld_collection *collection = &iterator->collection->collection;
  ld_rc rc;
  iterator->find = find;
  find->offset = iterator->offset;
  find->streaming = true;
  find->limit = txn->writable ? 1 : iterator->page_length;
  if (find->limit > iterator->left) find->limit = iterator->left;
  do {
    ld_buf_reset(&iterator->page);
    ld_buf_reset(&iterator->cursor);
    iterator->count = 0;
    iterator->too_large = false;
    rc = ld_find_run(txn, collection, find, add_to_page, iterator, &iterator->cursor, NULL);
    find->limit = iterator->count;
  } while (rc == LD_OK && iterator->too_large);
  return rc;
}

/* Where and how long the next page is. */
static void move_on(documents_iterator *iterator) {
  ld_buf after = iterator->after;
  iterator->after = iterator->cursor;
  iterator->cursor = after;
  iterator->last_page = iterator->after.size == 0;
  iterator->left -= iterator->count;
  iterator->offset = 0;
  if (iterator->count == 0) return;
  int64_t fitting = PAGE_BYTES / (1 + (int64_t)iterator->page.size / iterator->count);
  iterator->page_length *= 4;
  if (iterator->page_length > fitting) iterator->page_length = fitting;
  if (iterator->page_length > LONGEST_PAGE) iterator->page_length = LONGEST_PAGE;
  if (iterator->page_length < 1) iterator->page_length = 1;
}

static ld_rc work_page(ld_txn *txn, void *context) {
  documents_iterator *iterator = context;
  ld_error *error = ld_error_of(txn);
  ld_find find;
  iterator->at = 0;
  ld_buf_reset(&iterator->page);
  write_query(iterator);
  if (iterator->whole.failed) return ld_fail(error, LD_NOMEM, "out of memory");
  ld_rc rc = ld_find_init(&find, ld_buf_slice(&iterator->whole), error);
  if (rc != LD_OK) return rc;
  rc = ld_collection_look(txn, &iterator->collection->collection);
  if (rc == LD_OK) rc = fill_page(txn, iterator, &find);
  ld_find_clear(&find);
  if (rc == LD_OK && iterator->page.failed) rc = ld_fail(error, LD_NOMEM, "out of memory");
  if (rc == LD_OK)
    move_on(iterator);
  else
    ld_buf_reset(&iterator->page); /* the next step tries again */
  return rc;
}

/* Make sure that there is a document in the page; false at the end. */
static bool have_document(lua_State *L, documents_iterator *iterator) {
  if (iterator->at < iterator->page.size) return true;
  if (iterator->last_page || iterator->left == 0) return false;
  lb_read(L, &iterator->collection->place, work_page, iterator, op);
  return iterator->page.size > 0;
}

static int step(lua_State *L) {
  documents_iterator *iterator = lua_touserdata(L, lua_upvalueindex(1));
  lb_check_open(L, &iterator->collection->place, op);
  if (iterator->stepping)
    return lb_raise(L, LD_MISUSE, op, "a step is not finished, or has failed");
  if (!have_document(L, iterator)) return lb_push_nil(L);
  iterator->stepping = true;
  int count = lb_push_documents(L, &iterator->page, &iterator->at, 1, op);
  iterator->stepping = false;
  return count;
}

/* ---- the box ---- */

static int drop(lua_State *L) {
  documents_iterator *iterator = luaL_checkudata(L, 1, LB_ITERATOR);
  ld_buf *const all[] = {&iterator->query, &iterator->after, &iterator->whole, &iterator->cursor,
                         &iterator->page};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) ld_buf_clear(all[i]);
  return 0;
}

static void encode(lua_State *L, int index, lb_store *store, ld_buf *into) {
  ld_buf_reset(into);
  if (lb_encode(L, index, into, &store->error) != LD_OK) lb_raise_error(L, &store->error, op);
}

/* Push a copy of the table at 2 without `after`. */
static void push_rest(lua_State *L) {
  lua_newtable(L);
  int copy = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, copy);
  }
  lua_pushnil(L);
  lua_setfield(L, copy, "after");
}

/* Check the query at 2, and take it in. */
static void read_query(lua_State *L, documents_iterator *iterator) {
  lb_store *store = iterator->collection->place.store;
  ld_find find;
  encode(L, 2, store, &store->document);
  if (ld_find_init(&find, ld_buf_slice(&store->document), &store->error) != LD_OK)
    lb_raise_error(L, &store->error, op);
  iterator->left = find.limit < 0 ? INT64_MAX : find.limit;
  iterator->offset = find.offset;
  ld_find_clear(&find);
  ld_buf_add(&iterator->after, lb_option_string(L, 2, "after", op));
  push_rest(L);
  encode(L, -1, store, &iterator->query);
  lua_pop(L, 1);
  if (iterator->after.failed) lb_raise(L, LD_NOMEM, op, "out of memory");
}

/* for document in collection:each{ where =, sort =, limit =, offset =, after =, select = } */
int lb_collection_each(lua_State *L) {
  lb_collection *collection = lb_check_collection(L, op);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  if (lua_type(L, 2) != LUA_TTABLE)
    return lb_raise(L, LD_INVALID, op, "expected a query, a table, got %s", luaL_typename(L, 2));
  documents_iterator *iterator = lua_newuserdatauv(L, sizeof *iterator, 1);
  memset(iterator, 0, sizeof *iterator);
  luaL_setmetatable(L, LB_ITERATOR);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  iterator->collection = collection;
  iterator->page_length = FIRST_PAGE;
  read_query(L, iterator);
  lua_pushcclosure(L, step, 1);
  return 1;
}

void lb_open_collection_iterator(lua_State *L) {
  lb_new_metatable(L, LB_ITERATOR);
  lua_pushcfunction(L, drop);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
