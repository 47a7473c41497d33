/* restore.c -- see restore.h. */
#include "restore.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "stage.h"
#include "value.h"

typedef struct restoring {
  const char *backup, *time;
  char to[PATH_MAX];                          /* absolute, without links */
  bool made;                                  /* there was no such folder */
  char quarantine[PATH_MAX], aside[PATH_MAX]; /* of all, of this one; empty: nothing is displaced */
  ld_stage stage;
  const ld_watch *watch; /* NULL: nobody is told */
  uint64_t rows, bytes;  /* of the backup */
  ld_rc heard;           /* what the watch said to the copying */
} restoring;

/* ---- the target ---- */

static ld_rc find_target(restoring *r, const char *to, ld_error *error) {
  struct stat status;
  r->made = stat(to, &status) != 0 && errno == ENOENT;
  if (!ld_folder_make(to)) return ld_folder_fail(to, "the folder cannot be made", error);
  char *whole = realpath(to, NULL);
  if (whole == NULL) return ld_folder_fail(to, "the folder cannot be found", error);
  snprintf(r->to, sizeof r->to, "%s", whole);
  free(whole);
  if (stat(r->to, &status) == 0 && S_ISDIR(status.st_mode)) return LD_OK;
  return ld_fail(error, LD_INVALID, "%s: is no folder; choose another path", to);
}

/* Before it is copied for nothing. */
static ld_rc check_closed(const restoring *r, ld_error *error) {
  char label[PATH_MAX];
  const ld_replace look = {.folder = r->to};
  ld_rc rc = ld_folder_path(r->to, LD_BACKUP_LABEL, label, error);
  if (rc != LD_OK) return rc;
  if (access(label, F_OK) == 0)
    return ld_fail(error, LD_INVALID, "%s: is a backup itself; choose another path", r->to);
  return r->made ? LD_OK : ld_engine_replace(&ld_lmdb_engine, &look, error);
}

/* ---- the quarantine ---- */

static bool is_same_device(const char *one, const char *other) {
  struct stat a, b;
  return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev;
}

static bool may_not(int code) { return code == EACCES || code == EPERM || code == EROFS; }

/* Beside the store; in it where it cannot be there: a mount point, or no permission. */
static ld_rc make_quarantine(restoring *r, ld_error *error) {
  int size = snprintf(r->quarantine, sizeof r->quarantine, "%s.quarantine", r->to);
  if (size >= (int)sizeof r->quarantine)
    return ld_fail(error, LD_TOOBIG, "%.200s: is too long", r->to);
  bool made = ld_folder_make(r->quarantine);
  if (made && is_same_device(r->quarantine, r->to)) return LD_OK;
  if (!made && !may_not(errno)) return ld_folder_fail(r->quarantine, "cannot be made", error);
  if (made) rmdir(r->quarantine);
  ld_rc rc = ld_folder_path(r->to, "quarantine", r->quarantine, error);
  if (rc == LD_OK && !ld_folder_make(r->quarantine))
    rc = ld_folder_fail(r->quarantine, "cannot be made", error);
  return rc;
}

static ld_rc choose_aside(restoring *r, ld_error *error) {
  enum { MOST = 1000 };
  struct stat status;
  char name[64];
  ld_rc rc = make_quarantine(r, error);
  for (int i = 1; rc == LD_OK && i < MOST; i++) {
    snprintf(name, sizeof name, i == 1 ? "%.40s" : "%.40s-%d", r->time, i);
    rc = ld_folder_path(r->quarantine, name, r->aside, error);
    if (rc == LD_OK && lstat(r->aside, &status) != 0) return LD_OK;
  }
  return rc == LD_OK ? ld_fail(error, LD_EXISTS, "%s: is full", r->quarantine) : rc;
}

static ld_rc choose_quarantine(restoring *r, ld_error *error) {
  char data[PATH_MAX];
  struct stat status;
  ld_rc rc = ld_folder_path(r->to, LD_BACKUP_DATA, data, error);
  if (rc != LD_OK || lstat(data, &status) != 0) return rc;
  return choose_aside(r, error);
}

/* ---- the data ---- */

/* Each row is copied, verified and hashed; the last two are told by the check. */
static ld_rc tell(restoring *r, uint64_t done) {
  if (r->watch == NULL) return LD_OK;
  return r->watch->progress(r->watch->context, done, 3 * r->rows);
}

static bool tell_copied(void *context, uint64_t bytes) {
  restoring *r = context;
  double share = bytes < r->bytes ? (double)bytes / (double)r->bytes : 1;
  r->heard = tell(r, (uint64_t)(share * (double)r->rows));
  return r->heard == LD_OK;
}

static ld_rc tell_checked(void *context, uint64_t done, uint64_t total) {
  restoring *r = context;
  (void)total;
  return tell(r, r->rows + done);
}

static ld_rc copy_file(restoring *r, const char *name, bool (*heard)(void *, uint64_t),
                       ld_error *error) {
  char from[PATH_MAX], to[PATH_MAX];
  ld_rc rc = ld_folder_path(r->backup, name, from, error);
  if (rc == LD_OK) rc = ld_folder_path(r->stage.path, name, to, error);
  if (rc != LD_OK || ld_folder_copy_file(from, to, heard, r)) return rc;
  return r->heard != LD_OK ? r->heard : ld_folder_fail(from, "cannot be copied", error);
}

static ld_rc copy_and_check(restoring *r, ld_buf *label, ld_error *error) {
  const ld_watch watch = {.context = r, .progress = r->watch == NULL ? NULL : tell_checked};
  ld_rc rc = ld_stage_make(r->to, &r->stage, error);
  if (rc == LD_OK) rc = copy_file(r, LD_BACKUP_LABEL, NULL, error);
  if (rc == LD_OK) rc = copy_file(r, LD_BACKUP_DATA, tell_copied, error);
  if (rc == LD_OK) rc = ld_backup_check(r->stage.path, &watch, label, error);
  return rc;
}

static ld_rc put_in_place(restoring *r, ld_error *error) {
  char data[PATH_MAX];
  ld_replace replace = {.folder = r->to, .data = data};
  ld_rc rc = ld_folder_path(r->stage.path, LD_BACKUP_DATA, data, error);
  if (rc == LD_OK) rc = choose_quarantine(r, error);
  if (rc != LD_OK) return rc;
  if (r->aside[0] != '\0') replace.aside = r->aside;
  return ld_engine_replace(&ld_lmdb_engine, &replace, error);
}

/* What was made for a restoration that did not come about. Folders with anything in them stay. */
static void undo(const restoring *r) {
  if (r->aside[0] != '\0') rmdir(r->aside);
  if (r->quarantine[0] != '\0') rmdir(r->quarantine);
  if (r->made) rmdir(r->to);
}

static void write_quarantine(const restoring *r, ld_buf *report) {
  if (r->aside[0] == '\0')
    ld_write_nil(report);
  else
    ld_write_string(report, ld_text(r->aside));
}

/* What is to come, from its label. */
static ld_rc look_at_backup(restoring *r, ld_error *error) {
  ld_buf label = {0};
  ld_rc rc = ld_backup_read(r->backup, &label, error);
  if (rc == LD_OK) r->rows = ld_backup_count(ld_buf_slice(&label), "rows");
  if (rc == LD_OK) r->bytes = ld_backup_count(ld_buf_slice(&label), "bytes");
  ld_buf_clear(&label);
  return rc;
}

ld_rc ld_restore(const char *backup, const char *to, const char *time, const ld_env *env,
                 const ld_watch *watch, ld_buf *report, ld_error *error) {
  bool heard = watch != NULL && watch->progress != NULL;
  restoring r = {
      .backup = backup, .time = time, .stage = {NULL, -1}, .watch = heard ? watch : NULL};
  ld_rc rc = look_at_backup(&r, error);
  if (rc == LD_OK) rc = find_target(&r, to, error);
  if (rc != LD_OK) return rc;
  ld_stage_sweep(r.to, env);
  rc = check_closed(&r, error);
  if (rc == LD_OK) rc = copy_and_check(&r, report, error);
  if (rc == LD_OK) rc = put_in_place(&r, error);
  ld_stage_remove(&r.stage);
  if (rc == LD_OK)
    write_quarantine(&r, report);
  else
    undo(&r);
  if (rc == LD_OK && report->failed) rc = ld_fail(error, LD_NOMEM, "%s: out of memory", to);
  return rc;
}
