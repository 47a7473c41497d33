/* cache.h -- store:cache(name): its box, and what its two files share. A part of bind.h. */
#ifndef LD_BIND_CACHE_H
#define LD_BIND_CACHE_H

#include "../cache.h"
#include "files.h"

#define LB_CACHE "larder.cache"
enum { LB_CACHE_STORE = 1, LB_CACHE_FILES, LB_CACHE_SLEEP }; /* user values of its box */

typedef struct lb_cache {
  lb_place place;                /* of the store; caches stand outside of transactions */
  lb_files *of;                  /* NULL: none */
  ld_cache cache;                /* holds the files of `of` */
  struct lb_cache *next, **link; /* the store's list */
} lb_cache;

int lb_cache_new(lua_State *L); /* store:cache */
int lb_caches(lua_State *L);    /* store:caches, tx:caches */
/* The box at 1, its store and files open. */
lb_cache *lb_check_cache(lua_State *L, const char *op);
/* The key at 2. */
ld_slice lb_check_cache_key(lua_State *L, lb_cache *cache, const char *op);
/* Write what was gathered, unless a write transaction is open; says nothing of failures, since nobody asked for it. */
void lb_cache_flush(lb_cache *cache);
/* Those of all its boxes, before the store is closed. */
void lb_caches_flush(lb_store *store);
/* A read. Where a row of the cache is damaged the cache is put right, and the work runs again. */
ld_rc lb_cache_read(lua_State *L, lb_cache *cache, lb_work work, void *context, const char *op);
/* The same for a write, and then the deletion of the files that it left to nobody. */
ld_rc lb_cache_write(lua_State *L, lb_cache *cache, lb_work work, void *context, const char *op);

/* cache_value.c */
int lb_cache_set(lua_State *L);
int lb_cache_get(lua_State *L);
int lb_cache_info(lua_State *L);
int lb_cache_lease(lua_State *L);
int lb_cache_release(lua_State *L);
int lb_cache_keep(lua_State *L);
int lb_cache_stale(lua_State *L);

void lb_open_caches(lua_State *L, int module);

#endif
