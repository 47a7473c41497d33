/* backup.c -- see backup.h.
**
** All of the work is done in a forked process, in a stage beside the backup's place: first the source's structure is walked, since liblmdb may not survive damage there; then it is
** copied; then the copy is opened and verified. This process only gives it its name. */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apart.h"
#include "backup_judge.h"
#include "backup_rows.h"
#include "folder.h"
#include "json.h"
#include "stage.h"
#include "store.h"
#include "value.h"

enum { LABEL_MOST = 1 << 16 };

/* What is done, each with all rows: parts of a gauge. Checking has the last two. */
enum { WALKING, COPYING, JUDGING, PARTS = JUDGING + 2, CHECKING = 2 };

/* ---- labels ---- */

static void write_count(ld_buf *label, const char *name, uint64_t count) {
  ld_write_text(label, name);
  ld_write_int(label, (int64_t)count);
}

static void write_label(const ld_engine *store, int64_t at, uint64_t bytes,
                        const ld_judgement *judgement, ld_buf *label) {
  ld_write_map(label, 11);
  ld_write_text(label, "larder");
  ld_write_text(label, "backup");
  ld_write_text(label, "format");
  ld_write_int(label, LD_BACKUP_FORMAT);
  ld_write_text(label, "at");
  ld_write_int(label, at);
  ld_write_text(label, "made_by");
  ld_write_text(label, LD_VERSION);
  ld_write_text(label, "engine");
  ld_write_text(label, store->ops->name);
  write_count(label, "bytes", bytes);
  write_count(label, "rows", judgement->report.rows);
  write_count(label, "rooms", judgement->report.rooms);
  write_count(label, "documents", judgement->report.documents);
  write_count(label, "keys", judgement->report.keys);
  ld_write_text(label, "hash");
  ld_write_text(label, judgement->hash);
}

static ld_rc save_label(const char *folder, ld_slice label, ld_error *error) {
  char path[PATH_MAX];
  ld_buf text = {0};
  ld_rc rc = ld_folder_path(folder, LD_BACKUP_LABEL, path, error);
  if (rc == LD_OK) rc = ld_json_print(label, true, &text, error);
  if (rc == LD_OK && !ld_folder_write_file(path, ld_buf_slice(&text)))
    rc = ld_folder_fail(path, "cannot be written", error);
  ld_buf_clear(&text);
  return rc;
}

static bool read_field(ld_slice label, const char *name, ld_token *token) {
  ld_slice value;
  return ld_value_field(label, name, &value) && ld_value_next(&value, token);
}

static bool has_count(ld_slice label, const char *name, int64_t *count) {
  ld_token token;
  if (!read_field(label, name, &token) || token.kind != LD_INT || token.integer < 0) return false;
  *count = token.integer;
  return true;
}

static ld_rc check_label(const char *path, ld_slice label, ld_error *error) {
  ld_token token;
  int64_t format, count;
  if (!read_field(label, "larder", &token) || !ld_is_string(&token) ||
      !ld_equal(token.bytes, ld_text("backup")) || !has_count(label, "format", &format))
    return ld_fail(error, LD_INVALID, "%s: is no label of a backup", path);
  if (format != LD_BACKUP_FORMAT)
    return ld_fail(error, LD_UNSUPPORTED,
                   "%s: the backup has format %lld, this version of larder reads format %d", path,
                   (long long)format, LD_BACKUP_FORMAT);
  if (has_count(label, "at", &count) && has_count(label, "bytes", &count) &&
      has_count(label, "rows", &count) && read_field(label, "hash", &token) &&
      ld_is_string(&token) && token.bytes.size == (size_t)2 * LD_HASH)
    return LD_OK;
  return ld_fail(error, LD_CORRUPT, "%s: is damaged: fields are missing", path);
}

static ld_rc read_label(const char *path, ld_buf *label, ld_error *error) {
  ld_buf text = {0};
  ld_rc rc = LD_OK;
  size_t start = label->size;
  if (!ld_folder_read_file(path, LABEL_MOST, &text)) {
    int code = errno;
    rc = ld_folder_fail(path, "cannot be read", error);
    if (code == ENOENT || code == ENOTDIR)
      rc = ld_fail(error, LD_INVALID, "%s: is not there, so this is no backup", path);
    if (code == EFBIG) rc = ld_fail(error, LD_CORRUPT, "%s: is damaged: is too long", path);
  }
  if (rc == LD_OK && ld_json_parse(ld_buf_slice(&text), label, error) != LD_OK) {
    rc = error == NULL ? LD_CORRUPT : ld_fail_in(error, "%s: is damaged: ", path);
    if (error != NULL && rc == LD_INVALID) rc = error->rc = LD_CORRUPT;
  }
  ld_buf_clear(&text);
  if (rc != LD_OK) return rc;
  return check_label(path, ld_bytes(label->data + start, label->size - start), error);
}

ld_rc ld_backup_read(const char *path, ld_buf *label, ld_error *error) {
  char file[PATH_MAX];
  struct stat status;
  int64_t bytes = 0;
  size_t start = label->size;
  ld_rc rc = ld_folder_path(path, LD_BACKUP_LABEL, file, error);
  if (rc == LD_OK) rc = read_label(file, label, error);
  if (rc == LD_OK) rc = ld_folder_path(path, LD_BACKUP_DATA, file, error);
  if (rc != LD_OK) return rc;
  has_count(ld_bytes(label->data + start, label->size - start), "bytes", &bytes);
  if (stat(file, &status) != 0)
    return ld_fail(error, LD_CORRUPT, "%s: cannot be found: %s", file, strerror(errno));
  if (status.st_size == bytes) return LD_OK;
  return ld_fail(error, LD_CORRUPT, "%s: has %lld bytes, expected %lld", file,
                 (long long)status.st_size, (long long)bytes);
}

uint64_t ld_backup_count(ld_slice label, const char *name) {
  int64_t count;
  return has_count(label, name, &count) ? (uint64_t)count : 0;
}

/* ---- telling how far it is ---- */

typedef struct telling {
  const ld_watch *watch; /* NULL: nobody */
  unsigned parts;
  uint64_t rows, told;
} telling;

static ld_rc tell(telling *t, uint64_t done) {
  if (t->rows == 0) return LD_OK; /* not known yet */
  if (done < t->told) done = t->told;
  t->told = done;
  return t->watch->progress(t->watch->context, done, t->rows * t->parts);
}

/* `done` and `total` are the part's at hand. */
static ld_rc tell_part(telling *t, const ld_gauge *gauge, uint64_t done, uint64_t total) {
  t->rows = gauge->rows;
  double share = total == 0 ? 0 : done < total ? (double)done / (double)total : 1;
  return tell(t, t->rows * gauge->part + (uint64_t)((double)t->rows * share));
}

static ld_rc tell_end(telling *t) { return t->watch == NULL ? LD_OK : tell(t, t->rows * t->parts); }

static telling begin_telling(const ld_watch *watch, unsigned parts) {
  bool heard = watch != NULL && watch->progress != NULL;
  return (telling){.watch = heard ? watch : NULL, .parts = parts};
}

/* ---- checking ---- */

typedef struct checking {
  const char *path;
  telling telling;
} checking;

/* In the other process. */
static ld_rc compare(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error) {
  const char *path = ((checking *)context)->path;
  ld_judgement judgement;
  ld_token hash;
  ld_rc rc = ld_backup_read(path, answer, error);
  if (rc != LD_OK) return rc;
  uint64_t rows = gauge->rows = ld_backup_count(ld_buf_slice(answer), "rows");
  rc = ld_backup_judge(path, gauge, 0, &judgement, error);
  if (rc != LD_OK) return rc;
  read_field(ld_buf_slice(answer), "hash", &hash);
  if (rows == judgement.report.rows && ld_equal(hash.bytes, ld_text(judgement.hash))) return LD_OK;
  return ld_fail(error, LD_CORRUPT, "%s: its rows are not those that its label tells of", path);
}

static ld_rc look_at_check(void *context, const ld_gauge *gauge) {
  checking *c = context;
  return tell_part(&c->telling, gauge, gauge->done, gauge->total);
}

ld_rc ld_backup_check(const char *path, const ld_watch *watch, ld_buf *label, ld_error *error) {
  checking c = {.path = path, .telling = begin_telling(watch, CHECKING)};
  const ld_apart apart = {
      .context = &c, .work = compare, .look = c.telling.watch == NULL ? NULL : look_at_check};
  size_t start = label->size;
  ld_rc rc = ld_apart_run(path, &apart, label, error);
  if (rc != LD_OK) return rc;
  c.telling.rows = ld_backup_count(ld_bytes(label->data + start, label->size - start), "rows");
  return tell_end(&c.telling);
}

/* ---- making ---- */

typedef struct making {
  ld_engine *store;
  const char *folder;
  int64_t at;
  telling telling;
} making;

static void note_damage(void *context, ld_slice key, const char *text) {
  ld_error *first = context;
  ld_quoted quoted;
  if (first->rc != LD_OK) return;
  ld_fail(first, LD_CORRUPT, "the store is damaged: %s%s%.200s",
          key.size == 0 ? "" : ld_quote(key, quoted), key.size == 0 ? "" : ": ", text);
}

static ld_rc check_source(ld_engine *store, ld_error *error) {
  ld_error first = {.rc = LD_OK};
  ld_rc rc = ld_check_structure(store, note_damage, &first);
  if (rc == LD_UNSUPPORTED) return LD_OK; /* a format that is not known here */
  if (rc != LD_OK) first = store->error;
  if (first.rc == LD_OK) return LD_OK;
  *error = first;
  return first.rc;
}

static bool start_over(int file) {
  return ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0;
}

/* BUSY: another process has grown the map meanwhile. */
static ld_rc write_packed(ld_engine *store, int file) {
  enum { TRIES = 5 };
  ld_rc rc = LD_BUSY;
  for (int i = 0; rc == LD_BUSY && i < TRIES; i++) {
    if (i > 0 && !start_over(file))
      return ld_folder_fail(LD_BACKUP_DATA, "cannot be written", &store->error);
    rc = ld_engine_backup(store, file);
  }
  return rc;
}

static ld_rc write_data(const making *m, ld_gauge *gauge, uint64_t *bytes, ld_error *error) {
  char path[PATH_MAX], rows[PATH_MAX];
  struct stat status;
  ld_rc rc = ld_folder_path(m->folder, LD_BACKUP_DATA, path, error);
  if (rc == LD_OK) rc = ld_folder_path(m->folder, "rows", rows, error);
  if (rc != LD_OK) return rc;
  int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return ld_folder_fail(path, "cannot be made", error);
  rc = write_packed(m->store, file);
  if (rc != LD_OK) *error = m->store->error;
  if (rc == LD_UNSUPPORTED)
    rc = start_over(file) ? ld_backup_rows(m->store, rows, file, gauge, COPYING, error)
                          : ld_folder_fail(path, "cannot be written", error);
  if (rc == LD_OK && (fsync(file) != 0 || fstat(file, &status) != 0))
    rc = ld_folder_fail(path, "cannot be synced", error);
  if (close(file) != 0 && rc == LD_OK) rc = ld_folder_fail(path, "cannot be written", error);
  if (rc == LD_OK) *bytes = (uint64_t)status.st_size;
  return rc;
}

/* In the other process, where the program's log and clock are not to be called. */
static ld_rc write_and_verify(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error) {
  making *m = context;
  ld_engine_stats stats = {0};
  ld_judgement judgement;
  uint64_t bytes = 0;
  m->store->env = ld_env_system();
  if (ld_stats(m->store, &stats) == LD_OK) gauge->rows = stats.entries;
  ld_rc rc = check_source(m->store, error);
  ld_gauge_set(gauge, COPYING, 0, stats.bytes_used);
  if (rc == LD_OK) rc = write_data(m, gauge, &bytes, error);
  if (rc == LD_OK) rc = ld_backup_judge(m->folder, gauge, JUDGING, &judgement, error);
  if (rc == LD_OK) write_label(m->store, m->at, bytes, &judgement, answer);
  if (rc == LD_OK) rc = save_label(m->folder, ld_buf_slice(answer), error);
  if ((m->store->ops->promises & LD_SHARED) != 0) ld_engine_close(m->store);
  return rc;
}

/* While liblmdb copies, only the file tells how far it is. */
static ld_rc look_at_making(void *context, const ld_gauge *gauge) {
  making *m = context;
  char path[PATH_MAX];
  struct stat status;
  uint64_t done = gauge->done;
  if (gauge->part == COPYING && done == 0 &&
      ld_folder_path(m->folder, LD_BACKUP_DATA, path, NULL) == LD_OK && stat(path, &status) == 0)
    done = (uint64_t)status.st_size;
  return tell_part(&m->telling, gauge, done, gauge->total);
}

static ld_rc drop_lock_file(const char *folder, ld_error *error) {
  char path[PATH_MAX];
  ld_rc rc = ld_folder_path(folder, "lock.mdb", path, error);
  if (rc == LD_OK && unlink(path) != 0 && errno != ENOENT)
    rc = ld_folder_fail(path, "cannot be removed", error);
  return rc;
}

static ld_rc make_in(making *m, ld_buf *label, ld_error *error) {
  const ld_apart apart = {.context = m,
                          .work = write_and_verify,
                          .look = m->telling.watch == NULL ? NULL : look_at_making};
  size_t start = label->size;
  ld_rc rc = ld_apart_run("backup", &apart, label, error);
  if (rc == LD_OK) rc = drop_lock_file(m->folder, error);
  if (rc != LD_OK) return rc;
  m->telling.rows = ld_backup_count(ld_bytes(label->data + start, label->size - start), "rows");
  return tell_end(&m->telling);
}

ld_rc ld_backup_make(ld_engine *store, const char *path, int64_t at, const ld_watch *watch,
                     ld_buf *label) {
  struct stat status;
  char above[PATH_MAX];
  ld_stage stage = {NULL, -1};
  ld_error *error = &store->error;
  if (lstat(path, &status) == 0)
    return ld_fail(error, LD_EXISTS, "%s: is there already; choose another path", path);
  ld_folder_above(path, above);
  ld_rc rc = ld_stage_make(above, &stage, error);
  if (rc != LD_OK) return rc;
  making m = {
      .store = store, .folder = stage.path, .at = at, .telling = begin_telling(watch, PARTS)};
  rc = make_in(&m, label, error);
  if (rc == LD_OK) rc = ld_stage_publish(&stage, path, error);
  ld_stage_remove(&stage);
  return rc;
}
