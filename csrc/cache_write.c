/* cache_write.c -- a large value on its way into its file.
**
** What comes from a reader has no name before its end, when its hash is known: it is written as folder/incoming/RANDOM, a chunk at a time, and then moved to where
** its hash says. A process that is killed on the way leaves a file that no entry has, for the sweep. A sweep that comes on the way may take the file along; then it is written
** once more, in the transaction that enters it, where nobody sweeps. */
#include <stdio.h>

#include "cache_row.h"

static ld_rc failed(const ld_cache *cache, ld_error *error) {
  return ld_cache_file_failed(cache->files, error);
}

/* Where the value belongs. */
static ld_slice path_of(const ld_cache *cache, const ld_cache_value *value,
                        char path[LD_CACHE_PATH]) {
  ld_cache_entry entry;
  ld_cache_describe(value, &entry);
  ld_cache_path(cache, &entry, path);
  return ld_text(path);
}

/* ---- from memory ---- */

static ld_rc write_bytes(ld_cache *cache, ld_cache_value *value, ld_error *error) {
  char path[LD_CACHE_PATH];
  ld_sha256 hash;
  ld_sha256_begin(&hash);
  ld_sha256_add(&hash, value->data);
  ld_sha256_end(&hash, value->hash);
  value->size = value->data.size;
  ld_file_rc rc = ld_files_write(cache->files, path_of(cache, value, path), value->data, 0);
  return rc == LD_FILE_OK ? LD_OK : failed(cache, error);
}

/* ---- from a reader ---- */

static ld_rc write_chunk(const ld_cache *cache, ld_cache_value *value, ld_file_writer *writer,
                         ld_slice chunk, ld_error *error) {
  value->size += chunk.size;
  ld_rc rc = ld_cache_check_fits(&cache->settings, value->size, error);
  if (rc != LD_OK) return rc;
  return ld_file_write(writer, chunk) == LD_FILE_OK ? LD_OK : failed(cache, error);
}

static ld_rc pump(const ld_cache *cache, ld_cache_value *value, ld_file_writer *writer,
                  ld_error *error) {
  uint8_t chunk[LD_FILE_CHUNK];
  size_t got = 1;
  ld_sha256 hash;
  ld_rc rc = LD_OK;
  value->size = 0;
  ld_sha256_begin(&hash);
  while (rc == LD_OK && got > 0) {
    uint64_t at = value->from + value->size;
    if (ld_file_read_at(value->reader, at, chunk, sizeof chunk, &got) != LD_FILE_OK)
      return ld_cache_file_failed(value->from_files, error);
    ld_sha256_add(&hash, ld_bytes(chunk, got));
    if (got > 0) rc = write_chunk(cache, value, writer, ld_bytes(chunk, got), error);
  }
  ld_sha256_end(&hash, value->hash);
  return rc;
}

static ld_slice name_incoming(const ld_cache *cache, const ld_env *env, char path[LD_CACHE_PATH]) {
  uint64_t random;
  env->random(env->context, &random, sizeof random);
  snprintf(path, LD_CACHE_PATH, "%s/incoming/%016llx", cache->settings.folder,
           (unsigned long long)random);
  return ld_text(path);
}

static ld_rc stream(ld_cache *cache, ld_cache_value *value, ld_slice path, ld_error *error) {
  ld_file_writer *writer;
  if (ld_file_writer_open(cache->files, path, 0, &writer) != LD_FILE_OK)
    return failed(cache, error);
  ld_rc rc = pump(cache, value, writer, error);
  if (rc != LD_OK)
    ld_file_writer_discard(writer);
  else if (ld_file_writer_publish(writer) != LD_FILE_OK)
    rc = failed(cache, error);
  return rc;
}

/* NOTFOUND: a sweep has taken it along. */
static ld_rc write_stream(ld_cache *cache, ld_cache_value *value, const ld_env *env,
                          ld_error *error) {
  char incoming[LD_CACHE_PATH], path[LD_CACHE_PATH];
  ld_slice from = name_incoming(cache, env, incoming);
  ld_rc rc = stream(cache, value, from, error);
  if (rc != LD_OK) return rc;
  ld_file_rc moved = ld_files_move(cache->files, from, path_of(cache, value, path), 0);
  if (moved == LD_FILE_NOT_FOUND) return LD_NOTFOUND;
  return moved == LD_FILE_OK ? LD_OK : failed(cache, error);
}

/* ---- both ---- */

ld_rc ld_cache_write_file(ld_cache *cache, ld_cache_value *value, const ld_env *env,
                          ld_error *error) {
  if (value->reader == NULL) return write_bytes(cache, value, error);
  ld_rc rc = write_stream(cache, value, env, error);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc write_again(ld_txn *txn, ld_cache *cache, const ld_cache_value *value) {
  ld_cache_value again = *value;
  ld_error *error = ld_error_of(txn);
  ld_rc rc = value->reader == NULL ? write_bytes(cache, &again, error)
                                   : write_stream(cache, &again, &txn->engine->env, error);
  if (rc == LD_NOTFOUND || (rc == LD_OK && memcmp(again.hash, value->hash, LD_SHA256) != 0))
    rc = ld_fail(error, LD_IO, "cache: what the reader reads has changed meanwhile");
  return rc;
}

ld_rc ld_cache_ensure_file(ld_txn *txn, ld_cache *cache, const ld_cache_value *value) {
  char path[LD_CACHE_PATH];
  ld_file_info info;
  ld_file_rc rc = ld_files_stat(cache->files, path_of(cache, value, path), &info);
  if (rc != LD_FILE_OK && rc != LD_FILE_NOT_FOUND) return failed(cache, ld_error_of(txn));
  return rc == LD_FILE_OK && info.size == value->size ? LD_OK : write_again(txn, cache, value);
}
