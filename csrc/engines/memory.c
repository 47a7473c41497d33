/* memory.c -- the engine that keeps everything in memory: one copy-on-write tree.
**
** A transaction is another handle on a tree: of the engine for a top-level one, of its parent for a nested one.
** A commit puts the transaction's tree in the place of the one it came from; a rollback drops it. So a reader keeps what
** it saw at begin for as long as it likes, and nothing a transaction did is seen, or stays, unless it commits. */
#include "memory.h"

static memory_engine *engine_of(ld_txn *txn) { return (memory_engine *)txn->engine; }
static ld_btree *tree_of(ld_txn *txn) { return &((memory_txn *)txn)->tree; }
static ld_btree_cursor *place_of(ld_cursor *cursor) { return &((memory_cursor *)cursor)->at; }

/* The tree a transaction came from. */
static ld_btree *origin_of(ld_txn *txn) {
  return txn->parent != NULL ? tree_of(txn->parent) : &engine_of(txn)->rows->tree;
}

static ld_rc translate(ld_engine *engine, ld_rc rc) {
  if (rc == LD_NOMEM) return ld_fail(&engine->error, rc, "memory: out of memory");
  return rc;
}

static ld_rc found(bool there) { return there ? LD_OK : LD_NOTFOUND; }

static ld_rc memory_open(ld_engine *engine, const ld_config *config) {
  memory_engine *memory = (memory_engine *)engine;
  ld_btree *tree = &memory->own.tree;
  memory->rows = &memory->own;
  if (config->first_key.size == 0) return LD_OK;
  return translate(engine, ld_btree_put(tree, config->first_key, config->first_value));
}

static void memory_close(ld_engine *engine) {
  ld_btree_clear(&((memory_engine *)engine)->own.tree);
}

ld_rc ld_memory_begin(ld_txn *txn) {
  *tree_of(txn) = ld_btree_share(origin_of(txn));
  if (!txn->writable) engine_of(txn)->rows->readers++;
  return LD_OK;
}

void ld_memory_rollback(ld_txn *txn) {
  ld_btree_clear(tree_of(txn));
  if (!txn->writable) engine_of(txn)->rows->readers--;
}

ld_rc ld_memory_commit(ld_txn *txn) {
  if (txn->writable) {
    ld_btree *origin = origin_of(txn), before = *origin;
    *origin = *tree_of(txn);
    *tree_of(txn) = before;
  }
  ld_memory_rollback(txn);
  return LD_OK;
}

ld_rc ld_memory_get(ld_txn *txn, ld_slice key, ld_slice *value) {
  return ld_btree_get(tree_of(txn), key, value);
}

ld_rc ld_memory_put(ld_txn *txn, ld_slice key, ld_slice value) {
  return translate(txn->engine, ld_btree_put(tree_of(txn), key, value));
}

ld_rc ld_memory_del(ld_txn *txn, ld_slice key) {
  return translate(txn->engine, ld_btree_del(tree_of(txn), key));
}

ld_rc ld_memory_cursor_open(ld_cursor *cursor) {
  (void)cursor;
  return LD_OK;
}

void ld_memory_cursor_close(ld_cursor *cursor) { (void)cursor; }

ld_rc ld_memory_cursor_first(ld_cursor *cursor) {
  return found(ld_btree_first(place_of(cursor), tree_of(cursor->txn)));
}

ld_rc ld_memory_cursor_last(ld_cursor *cursor) {
  return found(ld_btree_last(place_of(cursor), tree_of(cursor->txn)));
}

ld_rc ld_memory_cursor_seek(ld_cursor *cursor, ld_slice key) {
  return found(ld_btree_seek(place_of(cursor), tree_of(cursor->txn), key));
}

ld_rc ld_memory_cursor_next(ld_cursor *cursor) { return found(ld_btree_next(place_of(cursor))); }

ld_rc ld_memory_cursor_prev(ld_cursor *cursor) { return found(ld_btree_prev(place_of(cursor))); }

ld_rc ld_memory_cursor_current(ld_cursor *cursor, ld_slice *key, ld_slice *value) {
  ld_btree_current(place_of(cursor), key, value);
  return LD_OK;
}

ld_rc ld_memory_del_range(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count) {
  return translate(txn->engine, ld_btree_del_range(tree_of(txn), from, to, count));
}

ld_rc ld_memory_stats(ld_engine *engine, ld_engine_stats *stats) {
  const memory_engine *memory = (memory_engine *)engine;
  *stats = (ld_engine_stats){.entries = memory->rows->tree.entries,
                             .bytes_used = memory->rows->tree.bytes,
                             .readers = memory->rows->readers};
  return LD_OK;
}

ld_rc ld_memory_check(ld_engine *engine, ld_finding finding, void *context) {
  ld_btree_check(&((memory_engine *)engine)->rows->tree, engine->check_row, finding, context);
  return LD_OK;
}

const ld_engine_ops ld_memory_engine = {
    .abi = LD_ENGINE_ABI,
    .name = "memory",
    .promises = LD_SNAPSHOT | LD_ONE_WRITER,
    .engine_size = sizeof(memory_engine),
    .txn_size = sizeof(memory_txn),
    .cursor_size = sizeof(memory_cursor),
    .open = memory_open,
    .close = memory_close,
    .begin = ld_memory_begin,
    .commit = ld_memory_commit,
    .rollback = ld_memory_rollback,
    .get = ld_memory_get,
    .put = ld_memory_put,
    .del = ld_memory_del,
    .cursor_open = ld_memory_cursor_open,
    .cursor_close = ld_memory_cursor_close,
    .cursor_first = ld_memory_cursor_first,
    .cursor_last = ld_memory_cursor_last,
    .cursor_seek = ld_memory_cursor_seek,
    .cursor_next = ld_memory_cursor_next,
    .cursor_prev = ld_memory_cursor_prev,
    .cursor_current = ld_memory_cursor_current,
    .del_range = ld_memory_del_range,
    .stats = ld_memory_stats,
    .check = ld_memory_check,
};
