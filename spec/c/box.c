/* box.c -- see box.h. */
#include "box.h"

#include <string.h>

/* ---- boxes ---- */

/* Push an empty box; it keeps the one at `parent` from being collected. */
box *box_new(lua_State *L, const char *type, int parent) {
  box *made = lua_newuserdatauv(L, sizeof *made, 1);
  memset(made, 0, sizeof *made);
  luaL_setmetatable(L, type);
  if (parent != 0) {
    lua_pushvalue(L, parent);
    lua_setiuservalue(L, -2, 1);
  }
  return made;
}

void box_fill(box *made, box *parent, void *handle) {
  made->handle = handle;
  if (parent == NULL) return;
  made->next = parent->children;
  made->link = &parent->children;
  if (made->next != NULL) made->next->link = &made->next;
  parent->children = made;
}

/* Empty a box and all under it. Returns the handle it had. */
void *box_take(box *ended) {
  void *handle = ended->handle;
  while (ended->children != NULL) box_take(ended->children);
  if (ended->link != NULL) *ended->link = ended->next;
  if (ended->link != NULL && ended->next != NULL) ended->next->link = ended->link;
  ended->link = NULL;
  ended->next = NULL;
  ended->handle = NULL;
  return handle;
}

int box_closed(lua_State *L) {
  luaL_pushfail(L);
  lua_pushliteral(L, "CLOSED");
  lua_pushliteral(L, "the handle has ended");
  return 3;
}

/* ---- results ---- */

int box_failure(lua_State *L, ld_rc rc, const ld_error *error) {
  luaL_pushfail(L);
  lua_pushstring(L, ld_rc_name(rc));
  if (rc == LD_NOTFOUND || error->text[0] == '\0') return 2;
  lua_pushstring(L, error->text);
  return 3;
}

int box_answer(lua_State *L, ld_rc rc, const ld_error *error) {
  if (rc != LD_OK) return box_failure(L, rc, error);
  lua_pushboolean(L, 1);
  return 1;
}

ld_slice box_check_slice(lua_State *L, int index) {
  size_t size;
  const char *text = luaL_checklstring(L, index, &size);
  return ld_bytes(text, size);
}

ld_slice box_opt_slice(lua_State *L, int index) {
  return lua_isnoneornil(L, index) ? LD_SLICE_NONE : box_check_slice(L, index);
}

void box_push_slice(lua_State *L, ld_slice bytes) {
  lua_pushlstring(L, bytes.size > 0 ? (const char *)bytes.data : "", bytes.size);
}

ld_rc box_check_code(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (int rc = LD_NOTFOUND; rc <= LD_NOMEM; rc++)
    if (strcmp(ld_rc_name((ld_rc)rc), name) == 0) return (ld_rc)rc;
  return (ld_rc)luaL_argerror(L, index, "no such code");
}

void box_new_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction collect) {
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
