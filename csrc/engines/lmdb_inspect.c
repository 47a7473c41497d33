/* lmdb_inspect.c -- judge a data file before liblmdb touches it: sound, damaged, or not ours. */
#include "lmdb_inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_meta.h"
#include "lmdb_walk.h"

enum { TRIES = 5 };

/* The first finding, which the error will tell. */
typedef struct first_finding {
  char text[300];
} first_finding;

static void note_first(void *context, ld_slice key, const char *text) {
  first_finding *first = context;
  ld_quoted quoted;
  if (first->text[0] != '\0') return;
  if (key.size == 0) {
    snprintf(first->text, sizeof first->text, "%s", text);
  } else {
    snprintf(first->text, sizeof first->text, "row %s: %s", ld_quote(key, quoted), text);
  }
}

static ld_rc not_ours(const char *file, ld_error *error) {
  return ld_fail(error, LD_INVALID,
                 "%s: holds data of another program, no larder store; nothing was changed; choose "
                 "another path",
                 file);
}

static ld_rc judge(const ld_lmdb_walk *walk, const char *file, const char *first, ld_error *error) {
  uint64_t findings = walk->damages + walk->unsound;
  bool ours = walk->has_first_key || (walk->check_row != NULL && walk->sound > 0);
  bool rows = walk->sound + walk->unsound + walk->strange > 0;
  if (walk->first_key.size > 0 && !ours && rows && (walk->damages == 0 || walk->strange > 0))
    return not_ours(file, error);
  if (findings > 0)
    return ld_fail(error, LD_CORRUPT,
                   "%s: is damaged: %s (%llu findings); nothing was changed; restore the store "
                   "from a backup",
                   file, first, (unsigned long long)findings);
  if (walk->strange > 0)
    return ld_fail(error, LD_CORRUPT,
                   "%s: is damaged: it has duplicates or named databases, expected none; nothing "
                   "was changed; restore the store from a backup",
                   file);
  if (walk->first_key.size > 0 && !walk->has_first_key && rows)
    return ld_fail(error, LD_CORRUPT,
                   "%s: is damaged: the store's first row is missing; nothing was changed; restore "
                   "the store from a backup",
                   file);
  return LD_OK;
}

static bool same_commit(int fd, const char *file, const ld_lmdb_metas *before) {
  ld_lmdb_metas after;
  return ld_lmdb_metas_read(fd, file, &after, NULL) == LD_OK && after.known &&
         after.newest.txnid == before->newest.txnid;
}

static bool worth_a_walk(const ld_lmdb_metas *metas, uint64_t limit) {
  uint64_t pages = metas->file_size / metas->newest.page_size;
  return metas->file_size <= limit || metas->newest.last_page >= pages;
}

/* The commit whose meta page could not be written (lmdb_txn.c leaves this note); 0: none. */
static uint64_t read_failed(const char *file) {
  char path[4096];
  unsigned long long commit = 0;
  snprintf(path, sizeof path, "%s.failed", file);
  FILE *note = fopen(path, "re");
  if (note == NULL) return 0;
  if (fscanf(note, "%llu", &commit) != 1) commit = 0;
  fclose(note);
  return commit;
}

/* One look. `*again`: what was found may be another process's commit under way. */
static ld_rc look(int fd, const char *file, const ld_config *config, uint64_t limit,
                  uint32_t *version, bool *again, ld_error *error) {
  ld_lmdb_metas metas;
  first_finding first = {{0}};
  ld_lmdb_walk walk = {.fd = fd,
                       .check_row = config->check_row,
                       .first_key = config->first_key,
                       .failed_commit = read_failed(file),
                       .finding = note_first,
                       .context = &first};
  *again = false;
  ld_rc rc = ld_lmdb_metas_read(fd, file, &metas, error);
  if (rc != LD_OK) return rc;
  *version = metas.version;
  if (!metas.known || !worth_a_walk(&metas, limit)) return LD_OK;
  rc = ld_lmdb_walk_run(&walk, &metas, error);
  if (rc != LD_OK) return error == NULL ? rc : ld_fail_in(error, "%s: ", file);
  rc = judge(&walk, file, first.text, error);
  *again = rc != LD_OK && !same_commit(fd, file, &metas);
  return rc;
}

static ld_rc open_file(const char *file, int *fd, ld_error *error) {
  struct stat status;
  int opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (opened < 0) return ld_fail(error, LD_IO, "%s: cannot be opened: %s", file, strerror(errno));
  if (fstat(opened, &status) == 0 && S_ISREG(status.st_mode)) {
    *fd = opened;
    return LD_OK;
  }
  close(opened);
  return ld_fail(error, LD_INVALID, "%s: is no file; choose another path", file);
}

ld_rc ld_lmdb_inspect(const char *file, const ld_config *config, uint64_t limit, uint32_t *version,
                      ld_error *error) {
  int fd = -1;
  bool again = true;
  ld_rc rc = open_file(file, &fd, error);
  if (rc != LD_OK) return rc;
  for (int i = 0; i < TRIES && again; i++)
    rc = look(fd, file, config, limit, version, &again, error);
  close(fd); /* data.mdb carries no locks, so that closing it drops none */
  if (!again) return rc;
  ld_log(&config->env, LD_LOG_WARN, "lmdb: %s: changes all the time: not checked", file);
  return LD_OK;
}

ld_rc ld_lmdb_inspect_all(int fd, const char *file, const ld_engine *engine, ld_finding finding,
                          void *context, ld_error *error) {
  ld_lmdb_metas metas;
  ld_lmdb_walk walk = {.fd = fd,
                       .check_row = engine->check_row,
                       .failed_commit = read_failed(file),
                       .finding = finding,
                       .context = context};
  ld_rc rc = ld_lmdb_metas_read(fd, file, &metas, error);
  if (rc == LD_CORRUPT) {
    finding(context, LD_SLICE_NONE, error->text);
    return LD_OK;
  }
  if (rc != LD_OK) return rc;
  if (!metas.known)
    return ld_fail(error, LD_UNSUPPORTED, "%s: data version %u is not known here", file,
                   (unsigned)metas.version);
  rc = ld_lmdb_walk_run(&walk, &metas, error);
  if (rc != LD_OK) return ld_fail_in(error, "%s: ", file);
  if (walk.strange > 0)
    finding(context, LD_SLICE_NONE, "there are duplicates or named databases, expected none");
  return LD_OK;
}
