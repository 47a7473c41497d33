/* file_survey.c -- is the directory what this process has made of it? For verify: every file is read, nothing is changed. */
#include <errno.h>

#include "file_store.h"

typedef struct survey {
  file_store *store;
  ld_stray tell;
  void *context;
  ld_btree known; /* paths of units */
  ld_buf text;
} survey;

/* NULL: nothing is wrong. */
static const char *compare(survey *job, const char *path, const file_record *record) {
  file_stamp stamp;
  uint8_t hash[LD_HASH];
  int code = file_read(&job->store->disk, path, &job->text, &stamp);
  if (code == ENOENT) return "is missing; another program has removed it";
  if (code != 0) return strerror(code);
  file_hash(ld_buf_slice(&job->text), hash);
  if (memcmp(hash, record->hash, LD_HASH) == 0) return NULL;
  return "is not what was written; another program has changed it, or it is damaged";
}

static ld_rc check_unit(survey *job, ld_slice value) {
  file_record record;
  const char *path = (const char *)value.data + sizeof record;
  memcpy(&record, value.data, sizeof record);
  const char *wrong = compare(job, path, &record);
  if (wrong != NULL) job->tell(job->context, path, wrong);
  return ld_btree_put(&job->known, ld_text(path), LD_SLICE_NONE);
}

static ld_rc check_units(survey *job) {
  ld_btree_cursor at = {.top = 0};
  ld_rc rc = LD_OK;
  bool more = ld_btree_first(&at, &job->store->files);
  for (; more && rc == LD_OK; more = ld_btree_next(&at)) {
    ld_slice unit, value;
    ld_btree_current(&at, &unit, &value);
    rc = check_unit(job, value);
  }
  return rc;
}

static ld_rc check_path(void *context, const char *path) {
  survey *job = context;
  ld_slice value;
  if (ld_btree_get(&job->store->skipped, ld_text(path), &value) == LD_OK)
    job->tell(job->context, path, (const char *)value.data);
  else if (file_is_temporary(path))
    job->tell(job->context, path, "was left by a commit that did not end");
  else if (ld_btree_get(&job->known, ld_text(path), &value) != LD_OK && !file_backup_is(path) &&
           strncmp(path, "quarantine/", 11) != 0)
    job->tell(job->context, path, "is not this store's");
  return LD_OK;
}

/* What is written and renamed at once, within a commit. */
static void check_own(survey *job) {
  static const char *const names[] = {".larder/journal", ".larder/journal.new",
                                      ".larder/revisions.new", ".larder/loose.new"};
  file_stamp stamp;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (file_stat(&job->store->disk, names[i], &stamp) == 0)
      job->tell(job->context, names[i], "was left by a commit that did not end");
}

static ld_rc walk(survey *job, const char *folder) {
  file_stamp stamp;
  if (folder != NULL && file_stat(&job->store->disk, folder, &stamp) == ENOENT) return LD_OK;
  return file_walk(&job->store->disk, folder, check_path, job, &job->store->engine->error);
}

ld_rc file_survey(ld_engine *engine, ld_stray tell, void *context) {
  survey job = {.store = file_store_of(engine), .tell = tell, .context = context};
  job.store->engine = engine;
  ld_rc rc = check_units(&job);
  if (rc == LD_OK) rc = walk(&job, NULL);
  if (rc == LD_OK) rc = walk(&job, ".larder/rows");
  if (rc == LD_OK) check_own(&job);
  if (rc == LD_NOMEM) ld_fail(&engine->error, LD_NOMEM, "file: out of memory");
  ld_btree_clear(&job.known);
  ld_buf_clear(&job.text);
  return rc;
}
