/* file_loose.c -- rows that change with nearly every commit, and of which only a part must survive: queues' counts and statistics.
**
** `.larder/rows` has the row as it was when that part changed last, `.larder/loose` as it is. The latter is replaced as a whole and not synced. What follows from other rows
** in it is made anew when the store is opened, so it matters little that it may be of another moment. */
#include <errno.h>
#include <stdio.h>

#include "file_store.h"

static const char made[] = ".larder/loose.new";

static int replace(const file_store *store, const char *path, ld_slice text) {
  file_disk unsynced = store->disk;
  file_stamp stamp;
  unsynced.sync = false;
  int code = file_write_new(&unsynced, made, text, &stamp);
  if (code == EEXIST) {
    file_remove(&unsynced, made);
    code = file_write_new(&unsynced, made, text, &stamp);
  }
  if (code == 0) code = file_rename(&unsynced, made, path);
  if (code == ENOENT && file_make_folders(&unsynced, path) == 0)
    code = file_rename(&unsynced, made, path);
  if (code != 0) file_remove(&unsynced, made);
  return code;
}

static void write_one(ld_txn *txn, ld_slice key, ld_buf *path, ld_buf *text) {
  const file_store *store = file_store_of(txn->engine);
  ld_slice value;
  ld_buf_reset(path);
  ld_buf_reset(text);
  file_row_path(key, true, path);
  ld_rc rc = ld_memory_get(txn, key, &value);
  if (rc == LD_OK) file_row_write(key, value, text);
  if (path->failed || text->failed) return;
  const char *name = (const char *)path->data;
  int code = rc == LD_NOTFOUND ? file_remove(&store->disk, name)
                               : replace(store, name, ld_buf_slice(text));
  if (code != 0) ld_log(&store->engine->env, LD_LOG_WARN, "file: %s: could not be written", name);
}

void file_loose_write(ld_txn *txn) {
  const file_store *store = file_store_of(txn->engine);
  ld_btree_cursor at = {.top = 0};
  ld_buf path = {0}, text = {0};
  ld_slice unit, none;
  bool more = ld_btree_seek(&at, &store->changed, LD_LITERAL("l"));
  for (; more; more = ld_btree_next(&at)) {
    ld_btree_current(&at, &unit, &none);
    if (unit.data[0] != FILE_LOOSE) break;
    write_one(txn, ld_bytes(unit.data + 1, unit.size - 1), &path, &text);
  }
  ld_buf_clear(&path);
  ld_buf_clear(&text);
}

void file_loose_read(const file_store *store, ld_slice key, ld_buf *text, ld_slice *value) {
  file_stamp stamp;
  ld_slice found, latest;
  ld_buf path = {0}, more = {0};
  file_row_path(key, true, &path);
  bool there = !path.failed &&
               file_read(&store->disk, (const char *)path.data, text, &stamp) == 0 &&
               file_row_read(ld_buf_slice(text), &found, &latest) && ld_equal(found, key);
  if (there) store->mirror->ahead(key, *value, latest, &more);
  if (there && more.size == 0 && !more.failed) *value = latest;
  ld_buf_clear(&path);
  ld_buf_clear(&more);
}
