/* listeners.h -- store:on_commit. A part of bind.h. */
#ifndef LD_BIND_LISTENERS_H
#define LD_BIND_LISTENERS_H

typedef struct lb_store lb_store;

/* The user value of a store's box that holds the functions of its listeners by their numbers. */
enum { LB_LISTENERS = 4 };

/* A part of lb_store. */
typedef struct lb_listeners {
  ld_buf numbers; /* uint64_t each, rising: those who listen */
  uint64_t last;  /* the number given out last */
  bool delivering;
} lb_listeners;

int lb_on_commit(lua_State *L);
/* After a commit, with no write transaction open: call the listeners. Raises nothing; but the store may be closed afterwards.
** What listeners overwrite in the store's box is put back: its result. */
void lb_deliver(lua_State *L, lb_store *store);
/* The store, whose box is at `index`, is closed. */
void lb_forget_listeners(lua_State *L, int index, lb_store *store);
/* store.c's: push the box of a store; false, and nothing, while it is being collected. */
bool lb_push_box(lua_State *L, lb_store *store);

#endif
