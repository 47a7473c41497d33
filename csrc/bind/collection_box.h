/* collection_box.h -- store:collection(): what its files share. collection.c: the box, one document; collection_declare.c: declarations and indexes; collection_find.c: queries;
** collection_update.c: changes by patch or function; collection_iterator.c: each. */
#ifndef LD_BIND_COLLECTION_BOX_H
#define LD_BIND_COLLECTION_BOX_H

#include "../collection.h"
#include "bind.h"

typedef struct lb_collection {
  lb_place place; /* its box is the user value */
  ld_collection collection;
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

#endif
