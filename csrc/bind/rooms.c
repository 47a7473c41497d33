/* rooms.c -- store:rooms(): each method checks its arguments, runs a function of room.h, and makes Lua values of what that wrote. */
#include "../room.h"

#include <math.h>
#include <string.h>

#include "../room_check.h"
#include "bind.h"

/* What a call hands to its work. */
typedef struct room_call {
  lb_store *store;
  ld_slice name, other; /* other: a user, an attempt */
  unsigned parts;
  ld_room_range range;
  int64_t limit, idle_ms;
  ld_rating rating;
  bool accepted, now;
  uint64_t count;
  ld_room_stats stats;
} room_call;

lb_rooms *lb_check_rooms(lua_State *L, const char *op) {
  lb_rooms *rooms = lb_check_self(L, LB_ROOMS, "rooms", op);
  lb_check_open(L, &rooms->place, op);
  return rooms;
}

/* The name at stack index 2. */
static ld_slice check_name(lua_State *L, const char *op) {
  ld_slice name = lb_check_string(L, 2, op, "name");
  if (name.size == 0) lb_raise(L, LD_INVALID, op, "name: is empty");
  if (name.size > LD_PART_MAX)
    lb_raise(L, LD_TOOBIG, op, "name: has %d bytes, the limit is %d", (int)name.size, LD_PART_MAX);
  return name;
}

/* The one document in the store's result. */
static int push_result(lua_State *L, lb_store *store, const char *op) {
  size_t at = 0;
  return lb_push_documents(L, &store->result, &at, 1, op);
}

/* ---- save ---- */

static ld_rc work_save(ld_txn *txn, void *context) {
  room_call *call = context;
  return ld_room_save(txn, ld_buf_slice(&call->store->document));
}

static int save_room(lua_State *L) {
  static const char op[] = "rooms:save";
  lb_rooms *rooms = lb_check_rooms(L, op);
  lb_store *store = rooms->place.store;
  room_call call = {.store = store};
  if (lua_type(L, 2) != LUA_TTABLE)
    return lb_raise(L, LD_INVALID, op, "expected a room, a table with roomName, got %s",
                    lua_isnone(L, 2) ? "nothing" : luaL_typename(L, 2));
  ld_buf_reset(&store->document);
  if (lb_encode(L, 2, &store->document, &store->error) != LD_OK)
    return lb_raise_error(L, &store->error, op);
  lb_write(L, &rooms->place, work_save, &call, op);
  return 0;
}

/* ---- get, has, delete ---- */

static ld_rc work_get(ld_txn *txn, void *context) {
  room_call *call = context;
  return ld_room_get(txn, call->name, call->parts, &call->store->result);
}

static int get_room(lua_State *L) {
  static const char op[] = "rooms:get";
  static const char *const known[] = {"ratings", NULL};
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.store = rooms->place.store, .name = check_name(L, op), .parts = LD_ROOM_WHOLE};
  lb_check_options(L, 3, known, op);
  if (!lb_option_bool(L, 3, "ratings", true, op)) call.parts = LD_ROOM_PASSWORD;
  if (lb_read(L, &rooms->place, work_get, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  return push_result(L, call.store, op);
}

static ld_rc work_has(ld_txn *txn, void *context) {
  return ld_room_has(txn, ((room_call *)context)->name);
}

static int has_room(lua_State *L) {
  static const char op[] = "rooms:has";
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.name = check_name(L, op)};
  lua_pushboolean(L, lb_read(L, &rooms->place, work_has, &call, op) == LD_OK);
  return 1;
}

static ld_rc work_delete(ld_txn *txn, void *context) {
  return ld_room_delete(txn, ((room_call *)context)->name);
}

static int delete_room(lua_State *L) {
  static const char op[] = "rooms:delete";
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.name = check_name(L, op)};
  lua_pushboolean(L, lb_write(L, &rooms->place, work_delete, &call, op) == LD_OK);
  return 1;
}

/* ---- list ---- */

static ld_rc add_to_list(void *context, ld_slice name, ld_slice document) {
  room_call *call = context;
  (void)name;
  if (call->limit >= 0 && call->count == (uint64_t)call->limit) return LD_NOTFOUND;
  ld_buf_add(&call->store->result, document);
  call->count++;
  return LD_OK;
}

static ld_rc work_list(ld_txn *txn, void *context) {
  room_call *call = context;
  ld_buf *result = &call->store->result;
  call->count = 0;
  ld_rc rc = ld_room_each(txn, &call->range, false, LD_ROOM_CONFIG, add_to_list, call);
  if (rc == LD_OK && result->failed) rc = ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return rc;
}

static int list_rooms(lua_State *L) {
  static const char op[] = "rooms:list";
  static const char *const known[] = {"prefix", "after", "limit", NULL};
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.store = rooms->place.store};
  lb_check_options(L, 2, known, op);
  call.range.prefix = lb_option_string(L, 2, "prefix", op);
  call.range.after = lb_option_string(L, 2, "after", op);
  call.limit = lb_option_count(L, 2, "limit", -1, op);
  lb_read(L, &rooms->place, work_list, &call, op);
  return lb_push_list(L, &call.store->result, (size_t)call.count, op);
}

/* ---- ratings ---- */

static ld_rc work_rate(ld_txn *txn, void *context) {
  room_call *call = context;
  lb_store *store = call->store;
  if (call->now) {
    ld_buf_reset(&store->document);
    ld_write_int(&store->document, ld_now(&txn->engine->env));
  }
  call->rating.time = ld_buf_slice(&store->document);
  if (store->document.failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory");
  return ld_room_rate(txn, call->name, &call->rating, &store->result);
}

static bool check_like(lua_State *L, int index, const char *op) {
  ld_quoted quoted;
  ld_slice rating = lb_check_string(L, index, op, "rating");
  if (ld_equal(rating, LD_LITERAL("like"))) return true;
  if (!ld_equal(rating, LD_LITERAL("dislike")))
    lb_raise(L, LD_INVALID, op, "rating: expected \"like\" or \"dislike\", got %s",
             ld_quote(rating, quoted));
  return false;
}

/* The time at stack index 6, as a document; false when it is to be now. */
static bool read_time(lua_State *L, ld_buf *document, const char *op) {
  if (lua_isnoneornil(L, 6)) return false;
  if (lua_type(L, 6) != LUA_TNUMBER || !isfinite(lua_tonumber(L, 6)))
    lb_raise(L, LD_INVALID, op, "time: expected ms since 1970, got %s", luaL_tolstring(L, 6, NULL));
  ld_buf_reset(document);
  if (lua_isinteger(L, 6))
    ld_write_int(document, lua_tointeger(L, 6));
  else
    ld_write_float(document, lua_tonumber(L, 6));
  return true;
}

static int rate_room(lua_State *L) {
  static const char op[] = "rooms:rate";
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.store = rooms->place.store, .name = check_name(L, op)};
  call.rating.user = lb_check_string(L, 3, op, "user");
  call.rating.media = lb_check_string(L, 4, op, "mediaId");
  call.rating.like = check_like(L, 5, op);
  call.now = !read_time(L, &call.store->document, op);
  lb_write(L, &rooms->place, work_rate, &call, op);
  return push_result(L, call.store, op);
}

static ld_rc work_matches(ld_txn *txn, void *context) {
  room_call *call = context;
  return ld_room_matches(txn, call->name, call->other, &call->store->result);
}

static int room_matches(lua_State *L) {
  static const char op[] = "rooms:matches";
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.store = rooms->place.store, .name = check_name(L, op)};
  if (!lua_isnoneornil(L, 3)) call.other = lb_check_string(L, 3, op, "user");
  if (lb_read(L, &rooms->place, work_matches, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  return push_result(L, call.store, op);
}

static ld_rc work_password(ld_txn *txn, void *context) {
  room_call *call = context;
  return ld_room_check_password(txn, call->name, call->other, &call->accepted);
}

static int check_password(lua_State *L) {
  static const char op[] = "rooms:check_password";
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.name = check_name(L, op)};
  if (!lua_isnoneornil(L, 3)) call.other = lb_check_string(L, 3, op, "attempt");
  if (lb_read(L, &rooms->place, work_password, &call, op) == LD_NOTFOUND) return lb_push_nil(L);
  lua_pushboolean(L, call.accepted);
  return 1;
}

/* ---- over all ---- */

static ld_rc work_expire(ld_txn *txn, void *context) {
  room_call *call = context;
  return ld_room_expire(txn, call->idle_ms, &call->count, &call->store->result);
}

static int expire_rooms(lua_State *L) {
  static const char op[] = "rooms:expire";
  static const char *const known[] = {"idle", NULL};
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {.store = rooms->place.store};
  lb_check_options(L, 2, known, op);
  call.idle_ms = lb_option_seconds(L, 2, "idle", op);
  if (call.idle_ms < 0) return lb_raise(L, LD_INVALID, op, "option idle: is missing (seconds)");
  lb_write(L, &rooms->place, work_expire, &call, op);
  lua_pushinteger(L, (lua_Integer)call.count);
  return 1 + push_result(L, call.store, op);
}

static ld_rc work_stats(ld_txn *txn, void *context) {
  return ld_room_stat(txn, &((room_call *)context)->stats);
}

static int rooms_stats(lua_State *L) {
  static const char op[] = "rooms:stats";
  lb_rooms *rooms = lb_check_rooms(L, op);
  room_call call = {0};
  lb_read(L, &rooms->place, work_stats, &call, op);
  const ld_room_stats *stats = &call.stats;
  lua_createtable(L, 0, 5);
  lb_set_count(L, "rooms", stats->rooms);
  lb_set_count(L, "ratings", stats->ratings);
  lb_set_count(L, "likes", stats->likes);
  lb_set_count(L, "matches", stats->matches);
  lua_pushnumber(L, stats->media == 0 ? 0 : (lua_Number)stats->matches / (lua_Number)stats->media);
  lua_setfield(L, -2, "match_rate");
  return 1;
}

/* ---- the box ---- */

/* store:rooms(options), tx:rooms(options) */
int lb_rooms_new(lua_State *L) {
  static const char op[] = "store:rooms";
  static const char *const known[] = {"passwords", NULL};
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  lb_check_options(L, 2, known, op);
  ld_quoted quoted;
  ld_slice passwords = lb_option_string(L, 2, "passwords", op);
  if (ld_equal(passwords, LD_LITERAL("hash")))
    return lb_raise(L, LD_UNSUPPORTED, op, "option passwords: \"hash\" is not there yet");
  if (passwords.size > 0 && !ld_equal(passwords, LD_LITERAL("plain")))
    return lb_raise(L, LD_INVALID, op, "option passwords: expected \"plain\", got %s",
                    ld_quote(passwords, quoted));
  lb_rooms *rooms = lua_newuserdatauv(L, sizeof *rooms, 1);
  rooms->place = place;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, LB_ROOMS);
  return 1;
}

static int rooms_tostring(lua_State *L) {
  const lb_rooms *rooms = luaL_checkudata(L, 1, LB_ROOMS);
  lua_pushfstring(L, "larder.rooms%s", lb_is_open(&rooms->place) ? "" : " (closed)");
  return 1;
}

static const luaL_Reg methods[] = {
    {"save", save_room},
    {"get", get_room},
    {"has", has_room},
    {"delete", delete_room},
    {"list", list_rooms},
    {"each", lb_rooms_each},
    {"names", lb_rooms_names},
    {"rate", rate_room},
    {"matches", room_matches},
    {"check_password", check_password},
    {"expire", expire_rooms},
    {"stats", rooms_stats},
    {"import", lb_rooms_import},
    {"export", lb_rooms_export},
    {NULL, NULL},
};

void lb_open_rooms(lua_State *L) {
  lb_new_metatable(L, LB_ROOMS);
  lua_pushcfunction(L, rooms_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
