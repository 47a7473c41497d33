/* cache_value.c -- a cache's values: set, get, and the leases of fetch.
**
** A value that is found becomes documents in the store's result, the bytes and what else is bytes, which are pushed afterwards. */
#include <string.h>

#include "cache.h"

typedef struct value_call {
  lb_cache *cache;
  lb_reader *reader; /* of a large value; NULL: none */
  ld_cache_value value;
  ld_slice key;
  ld_cache_entry entry;
  bool kept, stale, damaged, as_path, has_type, has_metadata;
  uint8_t extension[LD_CACHE_EXTENSION];
  int64_t now, lease_ms;
  uint64_t token;
  ld_rc answer;
} value_call;

/* ---- set ---- */

/* Each run looks whether the reader is still open: a function that the store calls may close it. */
static ld_rc work_set(ld_txn *txn, void *context) {
  value_call *call = context;
  if (call->reader != NULL && call->reader->reader == NULL)
    return ld_fail(ld_error_of(txn), LD_CLOSED, "the reader was closed meanwhile");
  return ld_cache_set(txn, &call->cache->cache, &call->value, &call->kept);
}

static lb_reader *check_reader(lua_State *L, const char *op) {
  lb_reader *reader = luaL_testudata(L, 3, LB_READER);
  if (reader == NULL)
    lb_raise(L, LD_INVALID, op, "data: expected a string or a reader of larder.files, got %s",
             lua_isnone(L, 3) ? "nothing" : luaL_typename(L, 3));
  lb_check_files_open(L, reader->of, op);
  if (reader->reader == NULL) lb_raise(L, LD_CLOSED, op, "data: the reader is closed");
  return reader;
}

/* All of it, into the store's document. */
static ld_slice read_all(lua_State *L, lb_cache *cache, lb_reader *reader, const char *op) {
  ld_buf *data = &cache->place.store->document;
  ld_buf_reset(data);
  for (size_t got = 1; got > 0; data->size += got, reader->at += got) {
    if (!ld_buf_reserve(data, LD_FILE_CHUNK)) lb_raise(L, LD_NOMEM, op, "out of memory");
    lb_check_file(
        L, reader->of,
        ld_file_read_at(reader->reader, reader->at, data->data + data->size, LD_FILE_CHUNK, &got),
        op);
  }
  return ld_buf_slice(data);
}

/* A large value is not read here, but when its file is written. */
static void take_reader(lua_State *L, value_call *call, const char *op) {
  lb_reader *reader = check_reader(L, op);
  ld_cache *cache = &call->cache->cache;
  uint64_t whole = ld_file_reader_size(reader->reader), most = cache->settings.max_bytes;
  uint64_t size = whole > reader->at ? whole - reader->at : 0;
  if (size > most)
    lb_raise(L, LD_TOOBIG, op, "the value has %llu bytes, the whole cache %llu",
             (unsigned long long)size, (unsigned long long)most);
  if (!ld_cache_is_large(cache, size)) {
    call->value.data = read_all(L, call->cache, reader, op);
    return;
  }
  call->reader = reader;
  call->value.reader = reader->reader;
  call->value.from_files = reader->of->files;
  call->value.from = reader->at;
}

/* { ttl =, type =, metadata =, extension = } at 4; the metadata is encoded last, into the store's key. */
static void read_options(lua_State *L, value_call *call, const char *op) {
  static const char *const known[] = {"ttl", "type", "metadata", "extension", NULL};
  lb_store *store = call->cache->place.store;
  lb_check_options(L, 4, known, op);
  call->value.ttl_ms = lb_option_seconds(L, 4, "ttl", op);
  call->value.type = lb_option_string(L, 4, "type", op);
  call->value.extension = lb_option_string(L, 4, "extension", op);
  if (lua_type(L, 4) != LUA_TTABLE) return;
  ld_buf_reset(&store->key);
  if (lua_getfield(L, 4, "metadata") != LUA_TNIL &&
      lb_encode(L, lua_gettop(L), &store->key, &store->error) != LD_OK) {
    ld_fail_in(&store->error, "option metadata: ");
    lb_raise_error(L, &store->error, op);
  }
  lua_pop(L, 1);
  call->value.metadata = ld_buf_slice(&store->key);
}

static int set_value(lua_State *L, uint64_t token, const char *op) {
  lb_cache *cache = lb_check_cache(L, op);
  value_call call = {.cache = cache, .value = {.key = lb_check_cache_key(L, cache, op)}};
  lb_store *store = cache->place.store;
  call.value.token = token;
  read_options(L, &call, op);
  if (lua_type(L, 3) == LUA_TSTRING)
    call.value.data = lb_check_string(L, 3, op, "data");
  else
    take_reader(L, &call, op);
  lb_check_cache(L, op);
  if (ld_cache_prepare(&cache->cache, &call.value, &store->engine->env, &store->error) != LD_OK)
    return lb_raise_error(L, &store->error, op);
  lb_cache_write(L, cache, work_set, &call, op);
  if (call.reader != NULL) call.reader->at += call.value.size;
  lua_pushboolean(L, call.kept);
  return 1;
}

/* cache:set(key, data, { ttl =, type =, metadata =, extension = }) */
int lb_cache_set(lua_State *L) {
  set_value(L, 0, "cache:set");
  return 0;
}

/* core.cache_keep(cache, key, data, options, token) -> whether the lease held and it was set */
int lb_cache_keep(lua_State *L) {
  return set_value(L, (uint64_t)luaL_checkinteger(L, 5), "cache:fetch");
}

/* ---- what is found, as documents ---- */

/* The head of a bin value; the bytes follow. */
static void write_bin_head(ld_buf *buf, uint64_t size) {
  ld_buf_byte(buf, 0xc6);
  for (int shift = 24; shift >= 0; shift -= 8) ld_buf_byte(buf, (uint8_t)(size >> shift));
}

/* Of the entry what is bytes: a document each, in the order of `extras`. Numbers are in `entry`. */
static void write_extras(ld_buf *buf, value_call *call) {
  const ld_cache_entry *entry = &call->entry;
  call->has_type = entry->type.size > 0;
  call->has_metadata = entry->metadata.size > 0;
  if (call->has_type) ld_write_string(buf, entry->type);
  if (call->has_metadata) ld_buf_add(buf, entry->metadata);
  if (!entry->is_file) return;
  char path[LD_CACHE_PATH];
  ld_cache_path(&call->cache->cache, entry, path);
  ld_write_text(buf, path);
}

static void set_extra(lua_State *L, int *at, bool there, const char *name) {
  if (!there) return;
  lua_pushvalue(L, (*at)++);
  lua_setfield(L, -2, name);
}

/* Push the documents of the store's result, `before` of them and the extras, and replace the extras by a table of all that is known. */
static int push_known(lua_State *L, value_call *call, size_t before, const char *op) {
  size_t place = 0;
  const ld_cache_entry *entry = &call->entry;
  size_t extras = (size_t)call->has_type + call->has_metadata + entry->is_file;
  int first = lua_gettop(L) + 1 + (int)before, at = first;
  lb_push_documents(L, &call->cache->place.store->result, &place, before + extras, op);
  lua_createtable(L, 0, (int)extras + 5);
  lb_set_count(L, "size", entry->size);
  lb_set_count(L, "created_at", (uint64_t)entry->created_ms);
  lb_set_count(L, "uses", entry->uses);
  if (before == 0) lb_set_count(L, "used_at", (uint64_t)entry->used_ms);
  if (entry->expires_ms >= 0) lb_set_count(L, "expires_at", (uint64_t)entry->expires_ms);
  set_extra(L, &at, call->has_type, "type");
  set_extra(L, &at, call->has_metadata, "metadata");
  set_extra(L, &at, entry->is_file, "path");
  if (extras > 0) lua_replace(L, first);
  lua_settop(L, first);
  return (int)before + 1;
}

/* ---- get ---- */

static ld_rc work_get(ld_txn *txn, void *context) {
  value_call *call = context;
  ld_slice data;
  lb_store *store = call->cache->place.store;
  ld_rc rc = ld_cache_get(txn, &call->cache->cache, call->key, call->stale, &call->entry, &data,
                          &call->damaged);
  if (rc != LD_OK) return rc;
  call->now = ld_now(&txn->engine->env);
  if (call->entry.is_file) { /* the file is read when the transaction is over */
    ld_buf_reset(&store->document);
    write_extras(&store->document, call);
    ld_slice extension = call->entry.extension;
    memcpy(call->extension, extension.data, extension.size);
    call->entry.extension = ld_bytes(call->extension, extension.size);
    return store->document.failed ? ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory") : LD_OK;
  }
  write_bin_head(&store->result, data.size);
  ld_buf_add(&store->result, data);
  write_extras(&store->result, call);
  return store->result.failed ? ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory") : LD_OK;
}

/* The content, or the path, and what is known of it. NOTFOUND: it is gone or damaged. */
static ld_rc read_file(value_call *call) {
  lb_store *store = call->cache->place.store;
  ld_cache *cache = &call->cache->cache;
  ld_buf *result = &store->result;
  char path[LD_CACHE_PATH];
  ld_cache_path(cache, &call->entry, path);
  ld_buf_reset(result);
  if (call->as_path)
    ld_write_text(result, path);
  else
    write_bin_head(result, call->entry.size);
  size_t before = result->size;
  ld_rc rc = ld_cache_read_file(cache, &call->entry, call->as_path ? NULL : result, &store->error);
  if (rc != LD_OK) return rc;
  if (!call->as_path && result->size - before != call->entry.size) return LD_NOTFOUND;
  ld_buf_add(result, ld_buf_slice(&store->document));
  return result->failed ? ld_fail(&store->error, LD_NOMEM, "out of memory") : LD_OK;
}

/* What is damaged goes, unless a write transaction is open; then it is a miss all the same. */
static void condemn(value_call *call) {
  ld_txn *txn;
  lb_cache *cache = call->cache;
  if (ld_begin(cache->place.store->engine, true, &txn) != LD_OK) return;
  if (ld_cache_condemn(txn, &cache->cache, call->key, call->entry.id) == LD_OK)
    ld_commit(txn);
  else
    ld_rollback(txn);
}

/* NOTFOUND, or the documents are in the store's result. A file that went between the two steps is looked up once more. */
static ld_rc find(lua_State *L, value_call *call, const char *op) {
  lb_store *store = call->cache->place.store;
  for (int tries = 0; tries < 2; tries++) {
    ld_rc rc = lb_cache_read(L, call->cache, work_get, call, op);
    if (rc == LD_OK && call->entry.is_file) {
      lb_check_cache(L, op);
      rc = read_file(call);
      if (rc != LD_OK && rc != LD_NOTFOUND) lb_raise_error(L, &store->error, op);
      if (rc == LD_NOTFOUND) call->damaged = true;
    }
    if (rc == LD_OK || !call->damaged) return rc;
    condemn(call);
  }
  return LD_NOTFOUND;
}

static int push_found(lua_State *L, value_call *call, const char *op) {
  ld_cache *cache = &call->cache->cache;
  if (find(L, call, op) != LD_OK) {
    if (!call->stale) cache->uses.misses++;
    return lb_push_nil(L);
  }
  if (!call->stale && ld_cache_used(cache, &call->entry, call->key, call->now))
    lb_cache_flush(call->cache);
  return push_known(L, call, 1, op);
}

/* cache:get(key, { path = false }) -> the bytes (or the path of a file), what is known of them; or nil */
int lb_cache_get(lua_State *L) {
  static const char op[] = "cache:get";
  static const char *const known[] = {"path", NULL};
  lb_cache *cache = lb_check_cache(L, op);
  value_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op)};
  lb_check_options(L, 3, known, op);
  call.as_path = lb_option_bool(L, 3, "path", false, op);
  return push_found(L, &call, op);
}

static ld_rc work_info(ld_txn *txn, void *context) {
  value_call *call = context;
  ld_slice data;
  ld_buf *result = &call->cache->place.store->result;
  ld_rc rc =
      ld_cache_get(txn, &call->cache->cache, call->key, false, &call->entry, &data, &call->damaged);
  if (rc != LD_OK) return rc;
  write_extras(result, call);
  return result->failed ? ld_fail(ld_error_of(txn), LD_NOMEM, "out of memory") : LD_OK;
}

/* cache:info(key) -> what is known of it, or nil; no use of it */
int lb_cache_info(lua_State *L) {
  static const char op[] = "cache:info";
  lb_cache *cache = lb_check_cache(L, op);
  value_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op)};
  if (lb_cache_read(L, cache, work_info, &call, op) != LD_OK) return lb_push_nil(L);
  return push_known(L, &call, 0, op);
}

/* core.cache_stale(cache, key, path) -> as get, expired or not; not counted */
int lb_cache_stale(lua_State *L) {
  static const char op[] = "cache:fetch";
  lb_cache *cache = lb_check_cache(L, op);
  value_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op), .stale = true};
  call.as_path = lua_toboolean(L, 3);
  return push_found(L, &call, op);
}

/* ---- leases ---- */

/* EXISTS and BUSY are answers. */
static ld_rc work_lease(ld_txn *txn, void *context) {
  value_call *call = context;
  call->answer = ld_cache_lease(txn, &call->cache->cache, call->key, call->lease_ms, &call->token);
  return call->answer == LD_EXISTS || call->answer == LD_BUSY ? LD_OK : call->answer;
}

/* core.cache_lease(cache, key, seconds) -> token, or nil while somebody else has it or the value is there */
int lb_cache_lease(lua_State *L) {
  static const char op[] = "cache:fetch";
  lb_cache *cache = lb_check_cache(L, op);
  value_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op)};
  call.lease_ms = (int64_t)(luaL_checknumber(L, 3) * 1000);
  lb_cache_write(L, cache, work_lease, &call, op);
  if (call.answer != LD_OK) return lb_push_nil(L);
  lua_pushinteger(L, (lua_Integer)call.token);
  return 1;
}

static ld_rc work_release(ld_txn *txn, void *context) {
  value_call *call = context;
  return ld_cache_release(txn, &call->cache->cache, call->key, call->token);
}

/* core.cache_release(cache, key, token) */
int lb_cache_release(lua_State *L) {
  static const char op[] = "cache:fetch";
  lb_cache *cache = lb_check_cache(L, op);
  value_call call = {.cache = cache, .key = lb_check_cache_key(L, cache, op)};
  call.token = (uint64_t)luaL_checkinteger(L, 3);
  lb_cache_write(L, cache, work_release, &call, op);
  return 0;
}
