/* memory.h -- the parts of the memory engine, for engines that keep their rows in its tree (file.c).
**
** Their handles begin with these structs, and their tables name these functions where they do nothing of their own. */
#ifndef LD_MEMORY_H
#define LD_MEMORY_H

#include "../engine.h"
#include "btree.h"

typedef struct memory_rows {
  ld_btree tree; /* what is committed */
  uint32_t readers;
} memory_rows;

typedef struct memory_engine {
  ld_engine base;
  memory_rows *rows; /* its own, or shared by several handles of a thread */
  memory_rows own;
} memory_engine;

typedef struct memory_txn {
  ld_txn base;
  ld_btree tree;
} memory_txn;

typedef struct memory_cursor {
  ld_cursor base;
  ld_btree_cursor at;
} memory_cursor;

ld_rc ld_memory_begin(ld_txn *txn);
ld_rc ld_memory_commit(ld_txn *txn);
void ld_memory_rollback(ld_txn *txn);
ld_rc ld_memory_get(ld_txn *txn, ld_slice key, ld_slice *value);
ld_rc ld_memory_put(ld_txn *txn, ld_slice key, ld_slice value);
ld_rc ld_memory_del(ld_txn *txn, ld_slice key);
ld_rc ld_memory_del_range(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count);
ld_rc ld_memory_cursor_open(ld_cursor *cursor);
void ld_memory_cursor_close(ld_cursor *cursor);
ld_rc ld_memory_cursor_first(ld_cursor *cursor);
ld_rc ld_memory_cursor_last(ld_cursor *cursor);
ld_rc ld_memory_cursor_seek(ld_cursor *cursor, ld_slice key);
ld_rc ld_memory_cursor_next(ld_cursor *cursor);
ld_rc ld_memory_cursor_prev(ld_cursor *cursor);
ld_rc ld_memory_cursor_current(ld_cursor *cursor, ld_slice *key, ld_slice *value);
ld_rc ld_memory_stats(ld_engine *engine, ld_engine_stats *stats);
ld_rc ld_memory_check(ld_engine *engine, ld_finding finding, void *context);

#endif
