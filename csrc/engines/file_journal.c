/* file_journal.c -- commits of several files: `.larder/journal` says which temporary files, whole and synced already, become which.
**
** Its publication decides the commit. What it says can be done again: a temporary file that is gone was renamed. It is removed, and that synced, before the next commit.
**   `larder journal 1`, a newline; for each: `from`, NUL, `to`, NUL (an empty `from`: remove `to`); CRC-32C of all that, little-endian */
#include <errno.h>

#include "file_store.h"

static const char head[] = "larder journal 1\n";
static const char path[] = ".larder/journal";
static const char made[] = ".larder/journal.new";
enum { HEAD = sizeof head - 1, CHECKSUM = 4 };

void file_journal_add(ld_buf *journal, const char *from, const char *to) {
  if (journal->size == 0) ld_buf_add(journal, LD_LITERAL(head));
  if (from != NULL) ld_buf_add(journal, ld_text(from));
  ld_buf_byte(journal, 0);
  ld_buf_add(journal, ld_text(to));
  ld_buf_byte(journal, 0);
}

int file_journal_write(const file_disk *disk, const ld_buf *journal) {
  ld_buf whole = {0};
  file_stamp stamp;
  uint32_t crc = ld_crc32c(0, ld_buf_slice(journal));
  ld_buf_add(&whole, ld_buf_slice(journal));
  for (unsigned i = 0; i < CHECKSUM; i++) ld_buf_byte(&whole, (uint8_t)(crc >> (8 * i)));
  int code = whole.failed || journal->failed ? ENOMEM : file_remove(disk, made);
  if (code == 0) code = file_write_new(disk, made, ld_buf_slice(&whole), &stamp);
  ld_buf_clear(&whole);
  if (code != 0) return code;
  code = file_rename(disk, made, path);
  if (code == 0) code = file_sync_folder(disk, path);
  if (code != 0) { /* not decided */
    file_journal_remove(disk);
    file_remove(disk, made);
  }
  return code;
}

int file_journal_remove(const file_disk *disk) {
  int code = file_remove(disk, path);
  return code != 0 ? code : file_sync_folder(disk, path);
}

static int make(const file_disk *disk, const char *from, const char *to) {
  int code = from[0] == 0 ? file_remove(disk, to) : file_rename(disk, from, to);
  if (code == ENOENT) code = 0; /* done before */
  return code != 0 ? code : file_sync_folder(disk, to);
}

static ld_rc replay(const file_disk *disk, ld_slice text, ld_error *error) {
  uint32_t crc = 0;
  size_t size = text.size < HEAD + CHECKSUM ? 0 : text.size - CHECKSUM;
  for (unsigned i = 0; size > 0 && i < CHECKSUM; i++)
    crc |= (uint32_t)text.data[size + i] << (8 * i);
  if (size == 0 || crc != ld_crc32c(0, ld_bytes(text.data, size)))
    return ld_fail(error, LD_CORRUPT, "file: %s is damaged; a commit may be half done", path);
  const char *at = (const char *)text.data + HEAD, *end = (const char *)text.data + size;
  while (at < end) {
    const char *to = at + strlen(at) + 1;
    int code = make(disk, at, to);
    if (code != 0) return file_fail(error, "finish the commit of", to, code);
    at = to + strlen(to) + 1;
  }
  return LD_OK;
}

ld_rc file_journal_replay(const file_disk *disk, ld_error *error) {
  ld_buf text = {0};
  file_stamp stamp;
  int code = file_read(disk, path, &text, &stamp);
  ld_rc rc = code == 0 ? replay(disk, ld_buf_slice(&text), error) : LD_OK;
  if (code != 0 && code != ENOENT) rc = file_fail(error, "read", path, code);
  file_remove(disk, made);
  if (code == 0 && rc == LD_OK) {
    code = file_journal_remove(disk);
    if (code != 0) rc = file_fail(error, "remove", path, code);
  }
  ld_buf_clear(&text);
  return rc;
}
