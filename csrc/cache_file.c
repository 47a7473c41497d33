/* cache_file.c -- the files of large values: folder/ab/abcd....extension; what was damaged is in folder/quarantine/.
**
** A file is named by its content, so entries share it, and writing it again changes nothing. It is deleted only in a write transaction, in which nobody enters it. */
#include <stdio.h>

#include "cache_row.h"

/* ---- errors, paths ---- */

ld_rc ld_cache_file_failed(const ld_files *files, ld_error *error) {
  const ld_file_error *why = ld_files_error(files);
  ld_rc rc = why->rc == LD_FILE_NO_SPACE ? LD_FULL
             : why->rc == LD_FILE_NOMEM  ? LD_NOMEM
             : why->rc == LD_FILE_CLOSED ? LD_CLOSED
                                         : LD_IO;
  return ld_fail(error, rc, "cache: file %s", why->text);
}

static ld_rc fail(const ld_cache *cache, ld_error *error) {
  return ld_cache_file_failed(cache->files, error);
}

void ld_cache_file_name(const ld_cache_entry *entry, char name[LD_CACHE_FILE]) {
  for (size_t i = 0; i < LD_SHA256; i++) snprintf(name + 2 * i, 3, "%02x", entry->hash[i]);
  ld_slice extension = entry->extension;
  if (extension.size == 0) return;
  snprintf(name + 2 * LD_SHA256, LD_CACHE_FILE - 2 * LD_SHA256, ".%.*s", (int)extension.size,
           (const char *)extension.data);
}

static ld_slice path_of(const ld_cache *cache, const char *name, char path[LD_CACHE_PATH]) {
  snprintf(path, LD_CACHE_PATH, "%s/%.2s/%s", cache->settings.folder, name, name);
  return ld_text(path);
}

void ld_cache_path(const ld_cache *cache, const ld_cache_entry *entry, char path[LD_CACHE_PATH]) {
  char name[LD_CACHE_FILE];
  ld_cache_file_name(entry, name);
  path_of(cache, name, path);
}

/* ---- holding ---- */

ld_rc ld_cache_hold_file(ld_cache_run *run, const ld_cache_entry *entry) {
  ld_cache_key_of row;
  char name[LD_CACHE_FILE];
  uint64_t holders = 0, number = run->settings.number;
  ld_cache_file_name(entry, name);
  ld_rc rc =
      ld_cache_drop_row(run->txn, ld_cache_row_text(&row, number, LD_CACHE_TRASH, ld_text(name)));
  if (rc != LD_OK) return rc;
  ld_slice key = ld_cache_row_text(&row, number, LD_CACHE_FILE_ROW, ld_text(name));
  rc = ld_cache_get_varint(run->txn, key, &holders);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  return ld_cache_put_varint(run->txn, key, holders + 1);
}

ld_rc ld_cache_drop_file(ld_cache_run *run, const ld_cache_entry *entry) {
  ld_cache_key_of row;
  char name[LD_CACHE_FILE];
  uint64_t holders = 0, number = run->settings.number;
  ld_cache_file_name(entry, name);
  ld_slice key = ld_cache_row_text(&row, number, LD_CACHE_FILE_ROW, ld_text(name));
  ld_rc rc = ld_cache_get_varint(run->txn, key, &holders);
  if (rc == LD_NOTFOUND || (rc == LD_OK && holders == 0)) return ld_cache_corrupt(run->txn);
  if (rc != LD_OK) return rc;
  if (holders > 1) return ld_cache_put_varint(run->txn, key, holders - 1);
  rc = ld_row_del(run->txn, key);
  run->cache->trash = true;
  return rc == LD_OK
             ? ld_row_put_plain(run->txn,
                                ld_cache_row_text(&row, number, LD_CACHE_TRASH, ld_text(name)),
                                ld_text(name))
             : rc;
}

/* ---- reading ---- */

static ld_file_rc read_all(ld_file_reader *reader, ld_sha256 *hash, ld_buf *bytes) {
  uint8_t chunk[LD_FILE_CHUNK / 4];
  size_t got = 1;
  ld_file_rc rc = LD_FILE_OK;
  for (uint64_t at = 0; rc == LD_FILE_OK && got > 0; at += got) {
    rc = ld_file_read_at(reader, at, chunk, sizeof chunk, &got);
    if (rc != LD_FILE_OK) break;
    ld_sha256_add(hash, ld_bytes(chunk, got));
    if (bytes != NULL) ld_buf_add(bytes, ld_bytes(chunk, got));
  }
  return rc;
}

ld_rc ld_cache_read_file(ld_cache *cache, const ld_cache_entry *entry, ld_buf *bytes,
                         ld_error *error) {
  char path[LD_CACHE_PATH];
  uint8_t digest[LD_SHA256];
  ld_file_reader *reader;
  ld_sha256 hash;
  if (cache->files == NULL)
    return ld_fail(error, LD_INVALID,
                   "the value is a file, and the cache was opened without option files");
  ld_cache_path(cache, entry, path);
  ld_file_rc rc = ld_file_reader_open(cache->files, ld_text(path), &reader);
  if (rc == LD_FILE_NOT_FOUND) return LD_NOTFOUND;
  if (rc != LD_FILE_OK) return fail(cache, error);
  ld_sha256_begin(&hash);
  if (bytes != NULL) ld_buf_reserve(bytes, (size_t)entry->size);
  rc = read_all(reader, &hash, bytes);
  ld_file_reader_close(reader);
  if (rc != LD_FILE_OK) return fail(cache, error);
  if (bytes != NULL && bytes->failed) return ld_fail(error, LD_NOMEM, "cache: out of memory");
  ld_sha256_end(&hash, digest);
  return memcmp(digest, entry->hash, LD_SHA256) == 0 ? LD_OK : LD_NOTFOUND;
}

/* ---- quarantine ---- */

static ld_rc move_file(ld_cache_run *run, const ld_cache_entry *entry) {
  char from[LD_CACHE_PATH], to[LD_CACHE_PATH + 32], name[LD_CACHE_FILE];
  ld_cache *cache = run->cache;
  ld_cache_file_name(entry, name);
  ld_cache_path(cache, entry, from);
  snprintf(to, sizeof to, "%s/quarantine/%llu-%s", cache->settings.folder,
           (unsigned long long)entry->id, name);
  ld_file_rc rc = ld_files_move(cache->files, ld_text(from), ld_text(to), 0);
  if (rc == LD_FILE_OK) run->state.quarantined++;
  return rc == LD_FILE_OK || rc == LD_FILE_NOT_FOUND ? LD_OK : fail(cache, ld_error_of(run->txn));
}

/* EXISTS: it is undamaged after all. */
static ld_rc condemn_file(ld_cache_run *run, const ld_cache_entry *entry) {
  ld_rc rc = ld_cache_read_file(run->cache, entry, NULL, ld_error_of(run->txn));
  if (rc == LD_OK) return LD_EXISTS;
  return rc == LD_NOTFOUND ? move_file(run, entry) : rc;
}

/* The row as it was, checksum and all, becomes the payload of another. (Reading it as a row would spoil the transaction.) */
static ld_rc condemn_row(ld_cache_run *run, uint64_t id) {
  ld_cache_key_of from, to;
  ld_slice value, key = ld_cache_row_int(&from, run->settings.number, LD_CACHE_DATA, id);
  ld_buf copy = {0};
  ld_rc rc = ld_get(run->txn, key, &value);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (ld_row_is_sound(key, value)) return LD_EXISTS;
  ld_buf_add(&copy, value);
  rc = copy.failed ? ld_cache_no_memory(run->txn)
                   : ld_row_put_plain(run->txn,
                                      ld_cache_row_int(&to, run->settings.number, LD_CACHE_BAD, id),
                                      ld_buf_slice(&copy));
  ld_buf_clear(&copy);
  if (rc == LD_OK) run->state.quarantined++;
  return rc;
}

ld_rc ld_cache_condemn(ld_txn *txn, ld_cache *cache, ld_slice key, uint64_t id) {
  ld_cache_run run;
  ld_cache_entry entry;
  ld_rc rc = ld_cache_run_begin(&run, txn, cache);
  if (rc == LD_OK) rc = ld_cache_get_entry(txn, run.settings.number, key, &entry);
  if (rc != LD_OK || entry.id != id) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = entry.is_file ? condemn_file(&run, &entry) : condemn_row(&run, id);
  if (rc == LD_EXISTS) return LD_OK;
  if (rc == LD_OK) /* its slices were borrowed before a row was written */
    rc = ld_cache_get_entry(txn, run.settings.number, key, &entry);
  if (rc == LD_OK) rc = ld_cache_remove(&run, key, &entry);
  return ld_cache_run_end(&run, rc);
}

/* ---- trash ---- */

static ld_rc next_trash(ld_txn *txn, const ld_cache *cache, ld_buf *after, char *name) {
  ld_cache_key_of prefix;
  ld_scan scan;
  ld_row row;
  ld_rc rc =
      ld_scan_begin(&scan, txn, ld_cache_row(&prefix, cache->settings.number, LD_CACHE_TRASH),
                    ld_buf_slice(after));
  if (rc != LD_OK) return rc;
  rc = ld_scan_next(&scan, &row);
  if (rc == LD_OK && row.payload.size >= LD_CACHE_FILE) rc = ld_cache_corrupt(txn);
  if (rc == LD_OK) {
    ld_buf_reset(after);
    ld_buf_add(after, row.key);
    memcpy(name, row.payload.data, row.payload.size);
    name[row.payload.size] = '\0';
    if (after->failed) rc = ld_cache_no_memory(txn);
  }
  ld_scan_end(&scan);
  return rc;
}

ld_rc ld_cache_empty_trash(ld_txn *txn, ld_cache *cache) {
  char name[LD_CACHE_FILE], path[LD_CACHE_PATH];
  ld_buf at = {0};
  ld_rc rc;
  while ((rc = next_trash(txn, cache, &at, name)) == LD_OK) {
    bool deleted;
    ld_file_rc done = ld_files_delete(cache->files, path_of(cache, name, path), &deleted);
    if (done != LD_FILE_OK) continue; /* it stays in the trash */
    rc = ld_row_del(txn, ld_buf_slice(&at));
    if (rc != LD_OK) break;
  }
  ld_buf_clear(&at);
  cache->trash = false;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- sweep ---- */

static const char *name_in(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

/* Whether some entry has the file: LD_OK or NOTFOUND. */
static ld_rc has_owner(ld_txn *txn, const ld_cache *cache, const char *path) {
  ld_cache_key_of row;
  uint64_t holders;
  return ld_cache_get_varint(
      txn,
      ld_cache_row_text(&row, cache->settings.number, LD_CACHE_FILE_ROW, ld_text(name_in(path))),
      &holders);
}

static ld_rc list_orphans(ld_txn *txn, ld_cache *cache, ld_file_lister *lister, ld_buf *orphans) {
  ld_file_entry entry;
  ld_file_rc found;
  while ((found = ld_file_lister_next(lister, &entry)) == LD_FILE_OK) {
    if (strncmp(entry.path + LD_CACHE_FOLDER, "/quarantine/", 12) == 0) continue;
    ld_rc rc = has_owner(txn, cache, entry.path);
    if (rc == LD_NOTFOUND) ld_buf_add(orphans, ld_bytes(entry.path, strlen(entry.path) + 1));
    if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  }
  if (orphans->failed) return ld_fail(ld_error_of(txn), LD_NOMEM, "cache: out of memory");
  return found == LD_FILE_NOT_FOUND ? LD_OK : fail(cache, ld_error_of(txn));
}

ld_rc ld_cache_find_orphans(ld_txn *txn, ld_cache *cache, ld_buf *orphans) {
  ld_file_query query = {.dir = ld_text(cache->settings.folder), .recursive = true};
  ld_file_lister *lister;
  if (ld_file_lister_open(cache->files, &query, &lister) != LD_FILE_OK)
    return fail(cache, ld_error_of(txn));
  ld_rc rc = list_orphans(txn, cache, lister, orphans);
  ld_file_lister_close(lister);
  return rc;
}

static ld_rc delete_orphan(ld_txn *txn, ld_cache *cache, const char *path, uint64_t *count) {
  bool deleted;
  ld_rc rc = has_owner(txn, cache, path);
  if (rc != LD_NOTFOUND) return rc;
  if (ld_files_delete(cache->files, ld_text(path), &deleted) != LD_FILE_OK)
    return fail(cache, ld_error_of(txn));
  *count += deleted;
  return LD_OK;
}

ld_rc ld_cache_sweep(ld_txn *txn, ld_cache *cache, const ld_buf *orphans, uint64_t *count) {
  uint64_t deleted = 0, left = 0;
  ld_slice folder = ld_text(cache->settings.folder);
  ld_rc rc = ld_cache_drop_leases(txn, cache);
  if (rc == LD_OK && cache->files != NULL) rc = ld_cache_empty_trash(txn, cache);
  for (size_t at = 0; at < orphans->size && rc == LD_OK;) {
    const char *path = (const char *)orphans->data + at;
    rc = delete_orphan(txn, cache, path, &deleted);
    at += strlen(path) + 1;
  }
  if (rc == LD_OK && cache->files != NULL &&
      ld_files_delete_older_than(cache->files, folder, INT64_MIN, NULL, NULL, &left) != LD_FILE_OK)
    rc = fail(cache, ld_error_of(txn));
  if (rc == LD_OK) *count = deleted + left;
  return rc;
}
