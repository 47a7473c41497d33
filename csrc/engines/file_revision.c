/* file_revision.c -- `.larder/revisions`: which revision a unit's content had.
**
** A line: varint size of what follows; hash of the file's content; varint revision; the unit; CRC-32C of these three, little-endian. Later lines count. What is cut off
** or damaged ends the log. It is never synced: after a power loss documents that were written last may have new revisions, which no program has seen. */
#include <fcntl.h>
#include <unistd.h>

#include "file_store.h"

static const char path[] = ".larder/revisions";
static const char made[] = ".larder/revisions.new";
enum { CHECKSUM = 4 };

/* Tests make it small. */
#ifndef LD_FILE_LOG_LEAST
#define LD_FILE_LOG_LEAST ((uint64_t)1 << 16)
#endif

void file_revision_line(ld_slice unit, const uint8_t hash[LD_HASH], uint64_t revision,
                        ld_buf *log) {
  uint8_t room[16];
  ld_buf number = {.data = room, .capacity = sizeof room};
  ld_buf_varint(&number, revision);
  ld_buf_varint(log, LD_HASH + number.size + unit.size + CHECKSUM);
  size_t start = log->size;
  ld_buf_add(log, ld_bytes(hash, LD_HASH));
  ld_buf_add(log, ld_buf_slice(&number));
  ld_buf_add(log, unit);
  if (log->failed) return;
  uint32_t crc = ld_crc32c(0, ld_bytes(log->data + start, log->size - start));
  for (unsigned i = 0; i < CHECKSUM; i++) ld_buf_byte(log, (uint8_t)(crc >> (8 * i)));
}

/* False: the log ends here. */
static bool read_line(ld_slice *rest, ld_slice *unit, ld_slice *value) {
  uint64_t size, revision;
  uint32_t crc = 0;
  if (!ld_read_varint(rest, &size) || size > rest->size || size <= LD_HASH + CHECKSUM) return false;
  ld_slice body = ld_bytes(rest->data, (size_t)size - CHECKSUM);
  for (unsigned i = 0; i < CHECKSUM; i++) crc |= (uint32_t)rest->data[body.size + i] << (8 * i);
  if (crc != ld_crc32c(0, body)) return false;
  *rest = ld_bytes(rest->data + size, rest->size - (size_t)size);
  *unit = ld_bytes(body.data + LD_HASH, body.size - LD_HASH);
  if (!ld_read_varint(unit, &revision) || unit->size == 0) return false;
  *value = ld_bytes(body.data, (size_t)(unit->data - body.data));
  return true;
}

void file_revisions_read(file_store *store) {
  ld_buf text = {0};
  file_stamp stamp;
  ld_slice unit, value;
  int code = file_read(&store->disk, path, &text, &stamp);
  ld_slice rest = code == 0 ? ld_buf_slice(&text) : LD_SLICE_NONE;
  while (rest.size > 0 && read_line(&rest, &unit, &value))
    if (ld_btree_put(&store->revisions, unit, value) != LD_OK) break;
  ld_buf_clear(&text);
}

uint64_t file_revision_find(const file_store *store, ld_slice unit, const uint8_t hash[LD_HASH]) {
  ld_slice value;
  uint64_t revision = 0;
  if (ld_btree_get(&store->revisions, unit, &value) != LD_OK) return 0;
  if (memcmp(value.data, hash, LD_HASH) != 0) return 0;
  ld_slice rest = ld_bytes(value.data + LD_HASH, value.size - LD_HASH);
  return ld_read_varint(&rest, &revision) ? revision : 0;
}

static void add_all(const file_store *store, ld_buf *log) {
  ld_btree_cursor at = {.top = 0};
  ld_slice unit, value;
  file_record record;
  for (bool more = ld_btree_first(&at, &store->files); more; more = ld_btree_next(&at)) {
    ld_btree_current(&at, &unit, &value);
    memcpy(&record, value.data, sizeof record);
    if (record.revision > 0) file_revision_line(unit, record.hash, record.revision, log);
  }
}

void file_revisions_begin(file_store *store) {
  file_disk unsynced = store->disk;
  file_stamp stamp;
  ld_buf log = {0};
  if (store->mirror == NULL || store->settings.read_only) return;
  unsynced.sync = false;
  add_all(store, &log);
  file_remove(&unsynced, made);
  if (!log.failed && file_write_new(&unsynced, made, ld_buf_slice(&log), &stamp) == 0)
    file_rename(&unsynced, made, path);
  store->log_room = LD_FILE_LOG_LEAST + 4 * log.size;
  if (store->log >= 0) close(store->log);
  store->log = openat(store->disk.root, path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  ld_buf_clear(&log);
}

void file_revisions_append(file_store *store, const ld_buf *log) {
  if (log->size == 0) return;
  if (log->size > store->log_room) {
    file_revisions_begin(store);
    return;
  }
  ssize_t done = store->log < 0 || log->failed ? -1 : write(store->log, log->data, log->size);
  store->log_room -= log->size;
  if (done == (ssize_t)log->size) return;
  store->log_room = 0; /* nothing that is behind half a line would be read */
  ld_log(&store->engine->env, LD_LOG_WARN, "file: %s: could not be written", path);
}
