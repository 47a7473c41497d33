/* files_list.c -- listings, and what goes through them: deleting what is old. checksum, which reads one file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files_port.h"
#include "sha256.h"

/* ---- listers ---- */

/* A prefix that holds `/` is of a directory below. `whole` becomes that directory. */
static ld_file_rc split(ld_files *files, const ld_file_query *query, ld_file_lister *lister) {
  ld_buf whole = {0};
  size_t cut = query->prefix.size;
  while (cut > 0 && query->prefix.data[cut - 1] != '/') cut--;
  ld_slice rest = ld_bytes(query->prefix.data + cut, query->prefix.size - cut);
  ld_buf_add(&whole, query->dir);
  if (cut > 0 && whole.size > 0) ld_buf_byte(&whole, '/');
  if (cut > 0) ld_buf_add(&whole, ld_bytes(query->prefix.data, cut - 1));
  ld_file_rc rc = whole.failed ? ld_file_fail_errno(&files->error, ENOMEM, "") : LD_FILE_OK;
  if (rc == LD_FILE_OK && cut == 1 && query->dir.size == 0)
    rc = ld_file_fail(&files->error, LD_FILE_INVALID_PATH, "", "prefix: is not relative");
  if (rc == LD_FILE_OK)
    rc = ld_files_check_path(ld_buf_slice(&whole), true, lister->dir, &files->error);
  if (rc == LD_FILE_OK && rest.size > LD_PATH_PART_MAX)
    lister->at_end = true; /* no name is that long */
  else if (rc == LD_FILE_OK && rest.size > 0)
    memcpy(lister->prefix, rest.data, rest.size);
  if (rest.size > 0 && memchr(rest.data, 0, rest.size) != NULL) lister->at_end = true;
  ld_buf_clear(&whole);
  return rc;
}

static ld_file_rc begin(ld_file_lister *lister, const ld_file_query *query) {
  ld_files *files = lister->files;
  lister->recursive = query->recursive;
  lister->temporaries = query->temporaries;
  ld_buf_add(&lister->after, query->after);
  if (lister->after.failed) return ld_file_fail_errno(&files->error, ENOMEM, "");
  ld_file_rc rc = split(files, query, lister);
  if (rc == LD_FILE_OK) rc = files->ops->lister_open(lister);
  bool below =
      query->prefix.size > 0 && memchr(query->prefix.data, '/', query->prefix.size) != NULL;
  if (rc != LD_FILE_NOT_FOUND && !(rc == LD_FILE_NOT_A_DIRECTORY && below)) return rc;
  lister->at_end = true; /* nothing begins with it */
  return LD_FILE_OK;
}

ld_file_rc ld_file_lister_open(ld_files *files, const ld_file_query *query,
                               ld_file_lister **lister) {
  ld_file_rc rc = ld_files_check_open(files);
  if (rc != LD_FILE_OK) return rc;
  ld_file_lister *opened = calloc(1, files->ops->lister_size);
  if (opened == NULL) return ld_file_fail_errno(&files->error, ENOMEM, "");
  opened->files = files;
  files->holders++;
  rc = begin(opened, query);
  if (rc == LD_FILE_OK)
    *lister = opened;
  else
    ld_file_lister_close(opened);
  return rc;
}

ld_file_rc ld_file_lister_next(ld_file_lister *lister, ld_file_entry *entry) {
  ld_file_rc rc = ld_files_check_open(lister->files);
  if (rc != LD_FILE_OK) return rc;
  if (lister->at_end) return LD_FILE_NOT_FOUND;
  rc = lister->files->ops->lister_next(lister, entry);
  lister->at_end = rc == LD_FILE_NOT_FOUND;
  return rc;
}

void ld_file_lister_close(ld_file_lister *lister) {
  if (lister == NULL) return;
  ld_files *files = lister->files;
  files->ops->lister_close(lister);
  ld_buf_clear(&lister->after);
  free(lister);
  ld_files_let_go(files);
}

/* ---- delete_older_than ---- */

typedef struct sweep {
  ld_files *files;
  int64_t before_ms;
  ld_file_failed failed;
  void *context;
  uint64_t count;
  bool only_temporaries;
} sweep;

static void tell(sweep *job) {
  if (job->failed != NULL) job->failed(job->context, &job->files->error);
}

static bool is_temporary(const char *path) {
  const char *slash = strrchr(path, '/');
  return ld_starts_with(ld_text(slash == NULL ? path : slash + 1), LD_LITERAL(LD_FILES_RESERVED));
}

static void delete_entry(sweep *job, const ld_file_entry *entry) {
  if (job->only_temporaries && !is_temporary(entry->path)) return;
  if (entry->info.kind != LD_FILE_REGULAR || entry->info.modified_ms >= job->before_ms) return;
  ld_file_rc rc = job->files->ops->del(job->files, entry->path);
  if (rc == LD_FILE_OK)
    job->count++;
  else if (rc != LD_FILE_NOT_FOUND)
    tell(job);
}

/* Every failure of a lister is of one place, so this ends. */
static void sweep_all(sweep *job, ld_file_lister *lister) {
  ld_file_entry entry;
  for (;;) {
    ld_file_rc rc = ld_file_lister_next(lister, &entry);
    if (rc == LD_FILE_NOT_FOUND) return;
    if (rc == LD_FILE_OK)
      delete_entry(job, &entry);
    else
      tell(job);
  }
}

static ld_file_rc run_sweep(sweep *job, ld_slice dir) {
  ld_file_query query = {.dir = dir, .recursive = true, .temporaries = true};
  ld_file_lister *lister;
  ld_file_rc rc = ld_file_lister_open(job->files, &query, &lister);
  if (rc != LD_FILE_OK) return rc;
  sweep_all(job, lister);
  ld_file_lister_close(lister);
  return LD_FILE_OK;
}

ld_file_rc ld_files_delete_older_than(ld_files *files, ld_slice dir, int64_t before_ms,
                                      ld_file_failed failed, void *context, uint64_t *count) {
  sweep job = {files, before_ms, failed, context, 0, false};
  ld_file_rc rc = run_sweep(&job, dir);
  if (rc == LD_FILE_OK) *count = job.count;
  return rc;
}

ld_file_rc ld_files_delete_temporaries(ld_files *files, ld_slice dir, uint64_t *count) {
  sweep job = {.files = files, .before_ms = INT64_MAX, .only_temporaries = true};
  ld_file_rc rc = run_sweep(&job, dir);
  if (rc == LD_FILE_OK) *count = job.count;
  return rc;
}

/* ---- checksum ---- */

static ld_file_rc hash_all(ld_file_reader *reader, ld_sha256 *hash) {
  uint8_t chunk[LD_FILE_CHUNK];
  size_t got = 1;
  ld_file_rc rc = LD_FILE_OK;
  for (uint64_t at = 0; rc == LD_FILE_OK && got > 0; at += got) {
    rc = ld_file_read_at(reader, at, chunk, sizeof chunk, &got);
    if (rc == LD_FILE_OK) ld_sha256_add(hash, ld_bytes(chunk, got));
  }
  return rc;
}

static void print_digest(ld_sha256 *hash, char digest[LD_FILE_DIGEST]) {
  uint8_t bytes[LD_SHA256];
  ld_sha256_end(hash, bytes);
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
}

ld_file_rc ld_files_checksum(ld_files *files, ld_slice path, const char *algorithm,
                             char digest[LD_FILE_DIGEST]) {
  ld_file_reader *reader;
  ld_sha256 hash;
  ld_quoted quoted;
  if (strcmp(algorithm, "sha256") != 0)
    return ld_file_fail(&files->error, LD_FILE_UNSUPPORTED, "",
                        "unknown algorithm %s (known: sha256)",
                        ld_quote(ld_text(algorithm), quoted));
  ld_file_rc rc = ld_file_reader_open(files, path, &reader);
  if (rc != LD_FILE_OK) return rc;
  ld_sha256_begin(&hash);
  rc = hash_all(reader, &hash);
  if (rc == LD_FILE_OK) print_digest(&hash, digest);
  ld_file_reader_close(reader);
  return rc;
}
