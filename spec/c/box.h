/* box.h -- the port's handles in Lua.
**
** A handle is a box that points to the port's handle. The port frees the handles of a transaction at its end, so boxes
** form a tree (engine > transactions > nested ones and cursors), and the end of a handle empties all boxes under it first.
** Invariant: a box that is not empty points to a live handle. What is done with an empty one is CLOSED. */
#ifndef SPEC_BOX_H
#define SPEC_BOX_H

#include "../../csrc/engine.h"
#include "port.h"

#define BOX_ENGINE "larder_port.engine"
#define BOX_TXN    "larder_port.txn"
#define BOX_CURSOR "larder_port.cursor"

typedef struct box {
  void *handle;
  struct box *children, *next, **link;
} box;

/* Push an empty box; it keeps the one at `parent` (0: none) from being collected. */
box *box_new(lua_State *L, const char *type, int parent);
void box_fill(box *made, box *parent, void *handle);
/* Empty a box and all under it. Returns the handle it had. */
void *box_take(box *ended);
/* A type of boxes: its methods, and what lets go of one. */
void box_new_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction collect);

/* Push the results of a failure, of a call on an empty box, and true or a failure. */
int box_failure(lua_State *L, ld_rc rc, const ld_error *error);
int box_closed(lua_State *L);
int box_answer(lua_State *L, ld_rc rc, const ld_error *error);

/* Arguments: borrowed from the string at `index`; nil is empty for box_opt_slice. */
ld_slice box_check_slice(lua_State *L, int index);
ld_slice box_opt_slice(lua_State *L, int index);
ld_rc box_check_code(lua_State *L, int index);
void box_push_slice(lua_State *L, ld_slice bytes);

#endif
