/* collection.h -- store:collection(name): the boxes of collections and of what a program says of them. A part of bind.h. */
#ifndef LD_BIND_COLLECTION_H
#define LD_BIND_COLLECTION_H

#include "../collection.h"

/* ---- programs (program.c) ---- */

/* What a program says of a collection: version, upgrade, validate. There is one box for each name and store: the handles share it, and what one of them declares
** holds for all. It is borrowed by their ld_collection, and kept alive by a user value of theirs. */
typedef struct lb_program {
  ld_program program; /* its context is this */
  lb_store *store;
} lb_program;

/* Push the box for the name at `index`. */
lb_program *lb_push_program(lua_State *L, lb_store *store, int index);
/* Raises INVALID when upgrade or validate at `options` are wrong, or the collection's version is another one than was declared. */
void lb_check_program(lua_State *L, const lb_program *program, const ld_collection *collection,
                      int options, const char *op);
/* What they say holds from now on. The box is at `index`. */
void lb_declare_program(lua_State *L, int index, const ld_collection *collection, int options,
                        const char *op);
/* Raise what failed because a function of a program raised, with that as the cause; otherwise return. */
void lb_raise_caused(lua_State *L, lb_store *store, const ld_error *error, const char *op);
void lb_open_programs(lua_State *L);

/* ---- collections (collection.c, collection_declare.c, collection_find.c, collection_update.c, collection_iterator.c, collection_upgrade.c) ---- */

typedef struct lb_collection {
  lb_place place;           /* its box is the user value */
  ld_collection collection; /* the box of its program is the second user value */
} lb_collection;
int lb_collection_new(lua_State *L);   /* store:collection, tx:collection */
int lb_collection_names(lua_State *L); /* store:collections, tx:collections */
int lb_collection_drop(lua_State *L);  /* store:drop, tx:drop */
lb_collection *lb_check_collection(lua_State *L, const char *op);
/* Put the id at `index` into the store's key. */
void lb_encode_id(lua_State *L, int index, lb_store *store, const char *op);
/* The option if_rev; 0 when absent. */
uint64_t lb_option_revision(lua_State *L, int index, const char *op);
/* A revision that has passed does not come back: making the same call again is no use. */
ld_rc lb_no_retry(ld_txn *txn, ld_rc rc, uint64_t if_revision);
/* Push the one document in the store's result. */
int lb_push_result(lua_State *L, lb_store *store, const char *op);
int lb_collection_key(lua_State *L);
int lb_collection_indexes(lua_State *L);
int lb_collection_drop_index(lua_State *L);
int lb_collection_rename_index(lua_State *L);
int lb_collection_find(lua_State *L);
int lb_collection_first(lua_State *L);
int lb_collection_explain(lua_State *L);
int lb_collection_count(lua_State *L);
int lb_collection_distinct(lua_State *L);
int lb_collection_update_where(lua_State *L);
int lb_collection_delete_where(lua_State *L);
int lb_collection_update(lua_State *L);
int lb_collection_each(lua_State *L);
void lb_open_collections(lua_State *L, int module);
void lb_open_collection_iterator(lua_State *L);
void lb_open_collection_upgrade(lua_State *L, int module);

#endif
