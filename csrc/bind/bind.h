/* bind.h -- the Lua module larder.core: what its files share. The only C that includes lua.h.
**
** A Lua handle is a box: userdata with a pointer that is NULL once the thing is closed. Boxes of transactions are in a list of their
** store's box, so that whichever is collected or closed first, in any order, takes the pointers of the others along.
** A layer's work runs between begin and end without touching Lua (lb_read, lb_write): it fills buffers of the store's box; Lua values are made
** from them afterwards. So an error that Lua raises finds no transaction open, and nothing native is lost. */
#ifndef LD_BIND_H
#define LD_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "../engine.h"
#include "../value.h"
#include "listeners.h"

#define LB_STORE      "larder.store"
#define LB_TX         "larder.tx"
#define LB_ROOMS      "larder.rooms"
#define LB_MAP        "larder.map"
#define LB_COLLECTION "larder.collection"
#define LB_ERROR      "larder.error"
#define LB_ARRAY      "larder.array"

enum { LB_SLEEP = LB_LISTENERS + 1 }; /* user value of a store: what it sleeps with */
typedef struct lb_tx lb_tx;
struct lb_cache;

typedef struct lb_store {
  ld_engine *engine;       /* NULL: closed */
  lb_tx *txs;              /* boxes of open transactions */
  struct lb_cache *caches; /* boxes of caches (cache.h) */
  ld_buf document, result; /* what goes into the core, what comes out */
  ld_buf problems;         /* rooms:import's */
  ld_buf key; /* a map's; a document's id; the cursor of a query; the patch for what it finds */
  lb_listeners listeners;
  ld_error error;   /* of the last failure */
  lua_State *L;     /* who calls now; for the callbacks */
  bool in_callback; /* log, clock, upgrade and validate may not use the store */
  bool has_cause;   /* of the failure: what a program's function raised; see program.c */
  bool clock_failed;
  bool wakes; /* what was committed is to be told to those who wait for jobs (queue_box.h) */
  bool retry; /* a retryable failure was raised since update began its function */
} lb_store;

struct lb_tx {
  lb_store *store;
  ld_txn *txn;    /* NULL: ended, and then the box is in no list */
  bool managed;   /* update's and view's: the end of their function ends it */
  bool borrowed;  /* tx:view's: the transaction belongs to another box */
  bool read_only; /* no writes through this box */
  bool wakes;     /* its commit is one of those */
  lb_tx *next, **link;
};

/* What methods work on: the store itself, or one of its transactions. */
typedef struct lb_place {
  lb_store *store;
  lb_tx *tx; /* NULL: each call is a transaction of its own */
} lb_place;

/* ---- errors (error.c) ---- */

/* Push a new metatable of boxes; programs get its name from getmetatable, and not the finalizer in it. */
void lb_new_metatable(lua_State *L, const char *name);
/* Raise {code, message, op, retryable}; `op` is what was called: `rooms:save`. */
int lb_raise(lua_State *L, ld_rc rc, const char *op, const char *format, ...);
int lb_raise_error(lua_State *L, const ld_error *error, const char *op);
/* The same with the value on top of the stack as its cause. */
int lb_raise_because(lua_State *L, const ld_error *error, const char *op);
/* Put the error object on the stack. */
void lb_push_error(lua_State *L, const ld_error *error, const char *op);
void lb_push_error_of(lua_State *L, const char *code, const char *text, const char *op, bool retry);
void lb_open_errors(lua_State *L);

/* ---- values (encode.c, decode.c) ---- */

/* Append the Lua value at `index` as a document. INVALID with its path: `ratings.media-1[3]: a function cannot be stored`. */
ld_rc lb_encode(lua_State *L, int index, ld_buf *document, ld_error *error);
/* The same for a patch: where it is a map, larder.remove may stand for the values in it. */
ld_rc lb_encode_patch(lua_State *L, int index, ld_buf *patch, ld_error *error);
void lb_push_remove(lua_State *L);
/* Push the document at the front of `rest` as a Lua value; false when it is no document. The bytes must stay whatever finalizers do. */
bool lb_decode(lua_State *L, ld_slice *rest);
/* Push the next `count` documents in a buffer of a box, from `*at` on, which moves. Finalizers may use the box meanwhile. Raises CORRUPT. Returns `count`. */
int lb_push_documents(lua_State *L, ld_buf *buf, size_t *at, size_t count, const char *op);
/* Likewise push one table, the list of the first `count` documents of the buffer, then those behind them. (As one document the list would be a level deeper than they may be.) */
int lb_push_list(lua_State *L, ld_buf *buf, size_t count, const char *op);
static inline int lb_push_nil(lua_State *L) {
  lua_pushnil(L);
  return 1;
}
/* Set a field of the table on top of the stack. */
static inline void lb_set_count(lua_State *L, const char *name, uint64_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  lua_setfield(L, -2, name);
}
void lb_open_values(lua_State *L, int module); /* null, remove and array, into the module's table */

/* ---- arguments (argument.c) ---- */

/* The bytes of a string argument, borrowed while it is on the stack. Raises INVALID: `rooms:get: name: expected a string, got nil`. */
ld_slice lb_check_string(lua_State *L, int index, const char *op, const char *what);
/* The same without a NUL inside, for C. */
const char *lb_check_text(lua_State *L, int index, const char *op, const char *what);
/* Nothing, or a table whose fields are all among `known`; raises INVALID naming the nearest. */
void lb_check_options(lua_State *L, int index, const char *const *known, const char *op);
bool lb_option_bool(lua_State *L, int index, const char *name, bool otherwise, const char *op);
/* A string field; empty when absent. Borrowed while the table is not changed. */
ld_slice lb_option_string(lua_State *L, int index, const char *name, const char *op);
/* A whole number from 0; `otherwise` when absent. */
int64_t lb_option_count(lua_State *L, int index, const char *name, int64_t otherwise,
                        const char *op);
/* Seconds, a fraction allowed, from 0, as ms; -1 when absent. */
int64_t lb_option_seconds(lua_State *L, int index, const char *name, const char *op);

/* ---- keys (key.c) ---- */

/* Make the tuple of the string, the integer or the array of them at `index`; an array of one is that one.
** Raises INVALID and TOOBIG: `map:get: key[2]: expected a string or an integer, got a boolean`. */
void lb_encode_key(lua_State *L, int index, ld_buf *key, const char *what, const char *op);

/* ---- stores and transactions (store.c, txn.c) ---- */

/* The place that the box at `index` stands for; raises CLOSED, or INVALID when it is no store or tx. */
lb_place lb_check_place(lua_State *L, int index, const char *op);
/* The box of this type that a method was called on; INVALID: "expected `what` before the colon, got ...". */
void *lb_check_self(lua_State *L, const char *type, const char *what, const char *op);
bool lb_is_open(const lb_place *place);
/* Raises CLOSED when the store was closed or the transaction has ended, MISUSE inside a callback. */
void lb_check_open(lua_State *L, const lb_place *place, const char *op);

/* A layer's work in the transaction `txn`. May not touch Lua. */
typedef ld_rc (*lb_work)(ld_txn *txn, void *context);
/* Run it in the place's transaction, or in one of its own. NOTFOUND without text is returned; any other failure is raised. */
ld_rc lb_read(lua_State *L, const lb_place *place, lb_work work, void *context, const char *op);
ld_rc lb_write(lua_State *L, const lb_place *place, lb_work work, void *context, const char *op);

/* update, view, begin, stats: methods of stores and transactions alike. */
int lb_update(lua_State *L);
int lb_view(lua_State *L);
int lb_begin(lua_State *L);
int lb_stats(lua_State *L);
int lb_backups(lua_State *L);
int lb_restore_backup(lua_State *L);
/* End the boxes of all transactions; their ld_txns are left to ld_engine_close. */
void lb_forget_txs(lb_store *store);
/* Whether the error on top of the stack is Lua's for a yield that cannot be. */
bool lb_is_yield(lua_State *L);
/* Push the box of a store; false, and nothing, while it is being collected. */
bool lb_push_box(lua_State *L, lb_store *store);
/* What the store is called in messages: its URL without options. The box keeps it alive. */
const char *lb_label(lua_State *L, int box);
void lb_open_txs(lua_State *L, int module);
void lb_open_stores(lua_State *L, int module);

/* ---- rooms (rooms.c, rooms_iterator.c) ---- */

typedef struct lb_rooms {
  lb_place place; /* its box is the user value */
} lb_rooms;
int lb_rooms_new(lua_State *L); /* store:rooms, tx:rooms */
lb_rooms *lb_check_rooms(lua_State *L, const char *op);
int lb_rooms_each(lua_State *L);
int lb_rooms_names(lua_State *L);
/* The rooms that the running iterator step goes over; NULL outside of one. */
lb_rooms *lb_iterated_rooms(lua_State *L);
int lb_rooms_import(lua_State *L);
int lb_rooms_export(lua_State *L);
void lb_open_rooms(lua_State *L);
void lb_open_rooms_iterator(lua_State *L);

/* ---- maps (map.c, map_iterator.c) ---- */

typedef struct lb_map {
  lb_place place; /* its box is the user value */
  ld_slice name;  /* is behind this */
} lb_map;
int lb_map_new(lua_State *L); /* store:map, tx:map */
int lb_maps(lua_State *L);    /* store:maps, tx:maps */
lb_map *lb_check_map(lua_State *L, const char *op);
/* Append the key as a document, and the value. */
void lb_add_entry(ld_buf *entries, ld_slice key, ld_slice value);
int lb_map_range(lua_State *L);
int lb_map_delete_range(lua_State *L);
void lb_open_maps(lua_State *L);
void lb_open_map_iterator(lua_State *L);

/* ---- copies, dumps (copy.c, dump.c, load.c): steps, which lua/larder/copy.lua and dump.lua run ---- */

void lb_open_copies(lua_State *L, int module);
void lb_open_dumps(lua_State *L, int module);
void lb_open_loads(lua_State *L, int module);
/* Encode the list of names at `index`, or nothing, into the store's key. */
void lb_encode_scope(lua_State *L, int index, lb_store *store, const char *op);

#include "collection.h"

#endif
