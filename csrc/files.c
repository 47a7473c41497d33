/* files.c -- the checked wrappers around a provider's table. See files.h.
**
** Invariant: a reader, writer or lister holds its `files` until it is closed, so that any order of closing is fine. */
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files_port.h"

static const ld_files_ops *const providers[] = {&ld_files_local};
enum { PROVIDERS = sizeof providers / sizeof *providers };

const ld_files_ops *ld_files_named(const char *name) {
  for (size_t i = 0; i < PROVIDERS; i++)
    if (strcmp(providers[i]->name, name) == 0) return providers[i];
  return NULL;
}

const char *const *ld_files_names(void) {
  static const char *const names[PROVIDERS + 1] = {"local", NULL};
  return names;
}

/* ---- open, close ---- */

static ld_file_rc check_options(const ld_files_ops *ops, const ld_config *config,
                                ld_file_error *error) {
  static const char *const none[] = {NULL};
  ld_error wrong = {0};
  if (ops->abi != LD_FILES_ABI)
    return ld_file_fail(error, LD_FILE_UNSUPPORTED, "", "%s: is of another version", ops->name);
  if (ld_options_check(config, ops->options == NULL ? none : ops->options, &wrong) == LD_OK)
    return LD_FILE_OK;
  return ld_file_fail(error, LD_FILE_INVALID, "", "%s", wrong.text);
}

void ld_files_hold(ld_files *files) { files->holders++; }

void ld_files_let_go(ld_files *files) {
  if (files == NULL || --files->holders > 0) return;
  files->ops->close(files);
  free(files);
}

ld_file_rc ld_files_open(const ld_files_ops *ops, const ld_config *config, ld_files **files,
                         ld_file_error *error) {
  ld_file_rc rc = check_options(ops, config, error);
  if (rc != LD_FILE_OK) return rc;
  ld_files *opened = calloc(1, ops->files_size);
  if (opened == NULL) return ld_file_fail_errno(error, ENOMEM, "");
  opened->ops = ops;
  opened->env = config->env;
  opened->holders = 1;
  rc = ops->open(opened, config);
  if (rc == LD_FILE_OK) {
    *files = opened;
    return rc;
  }
  if (error != NULL) *error = opened->error;
  ld_files_let_go(opened);
  return rc;
}

void ld_files_close(ld_files *files) {
  if (files == NULL) return;
  files->closed = true;
  ld_files_let_go(files);
}

const ld_file_error *ld_files_error(const ld_files *files) { return &files->error; }

/* ---- checks ---- */

ld_file_rc ld_files_check_open(ld_files *files) {
  if (!files->closed) return LD_FILE_OK;
  return ld_file_fail(&files->error, LD_FILE_CLOSED, "", "the files are closed");
}

static ld_file_rc check(ld_files *files, ld_slice path, bool is_dir, char at[LD_PATH_MAX + 1]) {
  ld_file_rc rc = ld_files_check_open(files);
  return rc != LD_FILE_OK ? rc : ld_files_check_path(path, is_dir, at, &files->error);
}

static ld_file_rc unsupported(ld_files *files, const char *path, const char *what) {
  return ld_file_fail(&files->error, LD_FILE_UNSUPPORTED, path, "%s files cannot %s",
                      files->ops->name, what);
}

/* ---- directories ---- */

ld_file_rc ld_files_make_dir(ld_files *files, ld_slice path, bool *made) {
  char at[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, path, true, at);
  if (rc == LD_FILE_OK) *made = false;
  if (rc != LD_FILE_OK || files->ops->make_dir == NULL) return rc;
  return files->ops->make_dir(files, at, made);
}

ld_file_rc ld_files_dir_exists(ld_files *files, ld_slice path, bool *there) {
  char at[LD_PATH_MAX + 1];
  ld_file_info info;
  ld_file_rc rc = check(files, path, true, at);
  if (rc != LD_FILE_OK) return rc;
  rc = files->ops->stat(files, at, &info);
  if (rc != LD_FILE_OK && rc != LD_FILE_NOT_FOUND) return rc;
  *there = rc == LD_FILE_OK && info.kind == LD_FILE_DIRECTORY;
  return LD_FILE_OK;
}

ld_file_rc ld_files_remove_dir(ld_files *files, ld_slice path, unsigned flags, bool *removed) {
  char at[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, path, true, at);
  if (rc != LD_FILE_OK) return rc;
  if (at[0] == '\0')
    return ld_file_fail(&files->error, LD_FILE_INVALID_PATH, "", "the root cannot be removed");
  if (files->ops->remove_dir == NULL) return unsupported(files, at, "remove directories");
  rc = files->ops->remove_dir(files, at, flags);
  if (rc != LD_FILE_OK && rc != LD_FILE_NOT_FOUND) return rc;
  *removed = rc == LD_FILE_OK;
  return LD_FILE_OK;
}

/* ---- one file ---- */

ld_file_rc ld_files_stat(ld_files *files, ld_slice path, ld_file_info *info) {
  char at[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, path, false, at);
  return rc != LD_FILE_OK ? rc : files->ops->stat(files, at, info);
}

ld_file_rc ld_files_delete(ld_files *files, ld_slice path, bool *deleted) {
  char at[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, path, false, at);
  if (rc != LD_FILE_OK) return rc;
  rc = files->ops->del(files, at);
  if (rc != LD_FILE_OK && rc != LD_FILE_NOT_FOUND) return rc;
  *deleted = rc == LD_FILE_OK;
  return LD_FILE_OK;
}

ld_file_rc ld_files_write(ld_files *files, ld_slice path, ld_slice bytes, unsigned flags) {
  ld_file_writer *writer;
  ld_file_rc rc = ld_file_writer_open(files, path, flags, &writer);
  if (rc != LD_FILE_OK) return rc;
  rc = ld_file_write(writer, bytes);
  if (rc == LD_FILE_OK) return ld_file_writer_publish(writer);
  ld_file_writer_discard(writer);
  return rc;
}

ld_file_rc ld_file_reader_range(ld_file_reader *reader, uint64_t offset, uint64_t *length) {
  uint64_t size = reader->size;
  if (offset > size)
    return ld_file_fail(&reader->files->error, LD_FILE_RANGE, reader->path,
                        "has %llu bytes, nothing is at %llu", (unsigned long long)size,
                        (unsigned long long)offset);
  if (*length > size - offset) *length = size - offset;
  return LD_FILE_OK;
}

static ld_file_rc read_range(ld_file_reader *reader, uint64_t offset, uint64_t length,
                             ld_buf *bytes) {
  size_t got = 1;
  ld_file_rc rc = ld_file_reader_range(reader, offset, &length);
  if (rc != LD_FILE_OK) return rc;
  if (!ld_buf_reserve(bytes, (size_t)length))
    return ld_file_fail_errno(&reader->files->error, ENOMEM, reader->path);
  for (; rc == LD_FILE_OK && length > 0 && got > 0; length -= got, offset += got) {
    rc = ld_file_read_at(reader, offset, bytes->data + bytes->size, (size_t)length, &got);
    if (rc == LD_FILE_OK) bytes->size += got;
  }
  return rc;
}

ld_file_rc ld_files_read(ld_files *files, ld_slice path, uint64_t offset, uint64_t length,
                         ld_buf *bytes) {
  ld_file_reader *reader;
  size_t before = bytes->size;
  ld_file_rc rc = ld_file_reader_open(files, path, &reader);
  if (rc != LD_FILE_OK) return rc;
  rc = read_range(reader, offset, length, bytes);
  if (rc != LD_FILE_OK) bytes->size = before;
  ld_file_reader_close(reader);
  return rc;
}

/* ---- copy, move ---- */

ld_file_rc ld_file_pump(ld_file_reader *reader, uint64_t offset, ld_file_writer *writer) {
  uint8_t chunk[LD_FILE_CHUNK];
  size_t got = 1;
  ld_file_rc rc = LD_FILE_OK;
  for (; rc == LD_FILE_OK && got > 0; offset += got) {
    rc = ld_file_read_at(reader, offset, chunk, sizeof chunk, &got);
    if (rc != LD_FILE_OK)
      writer->files->error = reader->files->error;
    else if (got > 0)
      rc = ld_file_write(writer, ld_bytes(chunk, got));
  }
  return rc;
}

static ld_file_rc copy_by_hand(ld_files *files, const char *from, const char *to, unsigned flags) {
  ld_file_reader *reader;
  ld_file_writer *writer;
  ld_file_rc rc = ld_file_reader_open(files, ld_text(from), &reader);
  if (rc != LD_FILE_OK) return rc;
  rc = ld_file_writer_open(files, ld_text(to), flags, &writer);
  if (rc == LD_FILE_OK) {
    rc = ld_file_pump(reader, 0, writer);
    if (rc == LD_FILE_OK)
      rc = ld_file_writer_publish(writer);
    else
      ld_file_writer_discard(writer);
  }
  ld_file_reader_close(reader);
  return rc;
}

static ld_file_rc copy(ld_files *files, const char *from, const char *to, unsigned flags) {
  ld_file_rc rc = LD_FILE_UNSUPPORTED;
  if (files->ops->copy != NULL) rc = files->ops->copy(files, from, to, flags);
  return rc == LD_FILE_UNSUPPORTED ? copy_by_hand(files, from, to, flags) : rc;
}

ld_file_rc ld_files_copy(ld_files *files, ld_slice from, ld_slice to, unsigned flags) {
  char source[LD_PATH_MAX + 1], target[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, from, false, source);
  if (rc == LD_FILE_OK) rc = check(files, to, false, target);
  return rc != LD_FILE_OK ? rc : copy(files, source, target, flags);
}

ld_file_rc ld_files_move(ld_files *files, ld_slice from, ld_slice to, unsigned flags) {
  char source[LD_PATH_MAX + 1], target[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, from, false, source);
  if (rc == LD_FILE_OK) rc = check(files, to, false, target);
  if (rc != LD_FILE_OK) return rc;
  rc = LD_FILE_UNSUPPORTED;
  if (files->ops->move != NULL) rc = files->ops->move(files, source, target, flags);
  if (rc != LD_FILE_UNSUPPORTED) return rc;
  rc = copy(files, source, target, flags);
  if (rc != LD_FILE_OK || strcmp(source, target) == 0) return rc;
  return files->ops->del(files, source);
}

/* ---- readers ---- */

static void end_reader(ld_file_reader *reader) {
  ld_files *files = reader->files;
  files->ops->reader_close(reader);
  free(reader);
  ld_files_let_go(files);
}

ld_file_rc ld_file_reader_open(ld_files *files, ld_slice path, ld_file_reader **reader) {
  char at[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, path, false, at);
  if (rc != LD_FILE_OK) return rc;
  ld_file_reader *opened = calloc(1, files->ops->reader_size);
  if (opened == NULL) return ld_file_fail_errno(&files->error, ENOMEM, "");
  opened->files = files;
  memcpy(opened->path, at, sizeof at);
  files->holders++;
  rc = files->ops->reader_open(opened);
  if (rc == LD_FILE_OK)
    *reader = opened;
  else
    end_reader(opened);
  return rc;
}

ld_file_rc ld_file_read_at(ld_file_reader *reader, uint64_t offset, void *data, size_t size,
                           size_t *got) {
  ld_file_rc rc = ld_files_check_open(reader->files);
  if (rc == LD_FILE_OK && size == 0) *got = 0;
  if (rc != LD_FILE_OK || size == 0) return rc;
  return reader->files->ops->read_at(reader, offset, data, size, got);
}

uint64_t ld_file_reader_size(const ld_file_reader *reader) { return reader->size; }

void ld_file_reader_close(ld_file_reader *reader) {
  if (reader != NULL) end_reader(reader);
}

/* ---- writers ---- */

static void end_writer(ld_file_writer *writer) {
  ld_files *files = writer->files;
  free(writer);
  ld_files_let_go(files);
}

void ld_file_writer_discard(ld_file_writer *writer) {
  if (writer == NULL) return;
  writer->files->ops->discard(writer);
  end_writer(writer);
}

ld_file_rc ld_file_writer_open(ld_files *files, ld_slice path, unsigned flags,
                               ld_file_writer **writer) {
  char at[LD_PATH_MAX + 1];
  ld_file_rc rc = check(files, path, false, at);
  if (rc != LD_FILE_OK) return rc;
  ld_file_writer *opened = calloc(1, files->ops->writer_size);
  if (opened == NULL) return ld_file_fail_errno(&files->error, ENOMEM, "");
  opened->files = files;
  memcpy(opened->path, at, sizeof at);
  files->holders++;
  rc = files->ops->writer_open(opened, flags);
  if (rc == LD_FILE_OK)
    *writer = opened;
  else
    ld_file_writer_discard(opened);
  return rc;
}

static ld_file_rc check_writer(ld_file_writer *writer) {
  ld_file_rc rc = ld_files_check_open(writer->files);
  if (rc != LD_FILE_OK || writer->failed == LD_FILE_OK) return rc;
  return ld_file_fail(&writer->files->error, writer->failed, writer->path,
                      "an earlier write failed, nothing can be published");
}

ld_file_rc ld_file_write(ld_file_writer *writer, ld_slice bytes) {
  ld_file_rc rc = check_writer(writer);
  if (rc != LD_FILE_OK || bytes.size == 0) return rc;
  return writer->failed = writer->files->ops->write(writer, bytes);
}

ld_file_rc ld_file_writer_publish(ld_file_writer *writer) {
  ld_file_rc rc = check_writer(writer);
  if (rc == LD_FILE_OK)
    rc = writer->files->ops->publish(writer);
  else
    writer->files->ops->discard(writer);
  end_writer(writer);
  return rc;
}
