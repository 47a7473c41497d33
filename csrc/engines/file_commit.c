/* file_commit.c -- from changed rows to files.
**
** Each changed unit is rendered and, where it differs from its file, written under a temporary name. So all that can fail for want of space has been done before anything is
** decided. One file is then renamed; several are through the journal. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "file_store.h"

typedef struct change {
  size_t unit, unit_size; /* where in `names`, as all below */
  size_t path, temporary; /* each with its NUL */
  bool gone;              /* there is no unit any more: the file goes */
  bool known;             /* there is a file */
  file_record record;
} change;

typedef struct commit {
  file_store *store;
  ld_txn *txn;
  ld_buf changes, names, text, path, read, journal;
  ld_btree files, kept; /* what the store's will be */
} commit;

static ld_error *error_of(commit *job) { return &job->store->engine->error; }

static ld_rc no_memory(commit *job) {
  return ld_fail(error_of(job), LD_NOMEM, "file: out of memory");
}

static size_t count_of(const commit *job) { return job->changes.size / sizeof(change); }
static change *change_at(const commit *job, size_t i) {
  return (change *)(void *)job->changes.data + i;
}
static const char *name_at(const commit *job, size_t at) {
  return (const char *)job->names.data + at;
}

/* ---- what a unit's file should hold ---- */

static ld_rc render_row(commit *job, ld_slice key, ld_buf *path, ld_buf *text) {
  ld_slice value;
  file_row_path(key, false, path);
  ld_rc rc = ld_memory_get(job->txn, key, &value);
  if (rc == LD_OK) file_row_write(key, value, text);
  return rc;
}

static ld_rc render_ahead(commit *job, ld_slice key, ld_buf *path, ld_buf *text) {
  ld_slice value, kept = LD_SLICE_NONE;
  ld_buf ahead = {0};
  file_row_path(key, false, path);
  ld_rc rc = ld_memory_get(job->txn, key, &value);
  ld_btree_get(&job->kept, key, &kept);
  if (rc == LD_OK) job->store->mirror->ahead(key, kept, value, &ahead);
  if (rc == LD_OK && ahead.size > 0) file_row_write(key, ld_buf_slice(&ahead), text);
  ld_rc put = rc == LD_NOTFOUND ? ld_btree_del(&job->kept, key)
              : ahead.failed    ? LD_NOMEM
              : ahead.size == 0 ? LD_OK
                                : ld_btree_put(&job->kept, key, ld_buf_slice(&ahead));
  ld_buf_clear(&ahead);
  return put == LD_NOMEM ? no_memory(job) : rc;
}

static ld_rc render_shown(commit *job, ld_slice unit, ld_buf *path, ld_buf *text) {
  size_t start = path->size;
  ld_rc rc = job->store->mirror->render(job->txn, unit, path, text);
  ld_slice whole = ld_bytes(path->data + start, path->size - start);
  if (!job->store->flat || path->failed || !ld_starts_with(whole, LD_LITERAL("rooms/"))) return rc;
  memmove(path->data + start, whole.data + 6, whole.size - 6);
  path->size -= 6;
  return rc;
}

static ld_rc render(commit *job, ld_slice unit) {
  ld_slice key = ld_bytes(unit.data + 1, unit.size - 1);
  ld_buf_reset(&job->path);
  ld_buf_reset(&job->text);
  ld_rc rc = unit.data[0] == FILE_SHOWN ? render_shown(job, key, &job->path, &job->text)
             : unit.data[0] == FILE_ROW ? render_row(job, key, &job->path, &job->text)
                                        : render_ahead(job, key, &job->path, &job->text);
  if (unit.data[0] == FILE_SHOWN) ld_buf_byte(&job->path, 0);
  if (job->path.failed || job->text.failed) return no_memory(job);
  return rc;
}

/* ---- whether somebody else has changed the file ---- */

static ld_rc conflict(commit *job, const char *path, const char *what) {
  ld_quoted quoted;
  ld_fail(error_of(job), LD_CONFLICT, "file: %s %s", ld_quote(ld_text(path), quoted), what);
  error_of(job)->retry = false; /* it would be overwritten */
  return LD_CONFLICT;
}

static bool same_stamp(const file_stamp *a, const file_stamp *b) {
  return a->size == b->size && a->time == b->time && a->inode == b->inode;
}

/* The stamp is another one; the content may be the same. */
static ld_rc look_inside(commit *job, const char *path, const file_record *record) {
  file_stamp stamp;
  uint8_t hash[LD_HASH];
  int code = file_read(&job->store->disk, path, &job->read, &stamp);
  if (code != 0) return file_fail(error_of(job), "read", path, code);
  file_hash(ld_buf_slice(&job->read), hash);
  if (memcmp(hash, record->hash, LD_HASH) == 0) return LD_OK;
  return conflict(job, path,
                  "was changed by another program; open the store again to take it over");
}

static ld_rc check_untouched(commit *job, const char *path, const file_record *record) {
  file_stamp stamp;
  int code = file_stat(&job->store->disk, path, &stamp);
  if (code == ENOENT && record != NULL)
    return conflict(job, path, "was removed by another program; open the store again");
  if (code == ENOENT) return LD_OK;
  if (code != 0) return file_fail(error_of(job), "look at", path, code);
  if (record == NULL) return conflict(job, path, "is there, and is not this store's; move it away");
  return same_stamp(&stamp, &record->stamp) ? LD_OK : look_inside(job, path, record);
}

/* ---- temporary files ---- */

/* In the folder of the path, hidden; with its NUL. */
static void name_temporary(commit *job, const char *path, ld_buf *name) {
  const char *slash = strrchr(path, '/');
  int folder = slash == NULL ? 0 : (int)(slash + 1 - path);
  ld_buf_printf(name, "%.*s.larder-%llu.tmp", folder, path,
                (unsigned long long)++job->store->temporary);
  ld_buf_byte(name, 0);
}

static ld_rc write_temporary(commit *job, change *made, const char *path) {
  const file_disk *disk = &job->store->disk;
  int code = EEXIST;
  made->temporary = job->names.size;
  for (unsigned tries = 0; code == EEXIST && tries < 100; tries++) {
    job->names.size = made->temporary;
    name_temporary(job, path, &job->names);
    if (job->names.failed) return no_memory(job);
    const char *name = name_at(job, made->temporary);
    code = file_write_new(disk, name, ld_buf_slice(&job->text), &made->record.stamp);
    if (code != ENOENT) continue;
    code = file_make_folders(disk, name);
    if (code == 0) code = file_write_new(disk, name, ld_buf_slice(&job->text), &made->record.stamp);
  }
  return code == 0 ? LD_OK : file_fail(error_of(job), "write", path, code);
}

/* ---- one change ---- */

static bool keep(commit *job, const change *made) {
  ld_buf_add(&job->changes, ld_bytes(made, sizeof *made));
  return !job->changes.failed && !job->names.failed;
}

static ld_rc add_change(commit *job, ld_slice unit, const char *path, const file_record *old,
                        bool gone) {
  change made = {.gone = gone, .known = old != NULL};
  ld_rc rc = check_untouched(job, path, old);
  if (rc != LD_OK) return rc;
  made.unit = job->names.size;
  made.unit_size = unit.size;
  ld_buf_add(&job->names, unit);
  made.path = job->names.size;
  ld_buf_add(&job->names, ld_bytes(path, strlen(path) + 1));
  if (job->names.failed) return no_memory(job);
  file_hash(ld_buf_slice(&job->text), made.record.hash);
  if (gone) {
    rc = ld_btree_del(&job->files, unit);
    return rc == LD_OK && keep(job, &made) ? LD_OK : no_memory(job);
  }
  if (unit.data[0] == FILE_SHOWN)
    rc = job->store->mirror->revision(job->txn, ld_bytes(unit.data + 1, unit.size - 1),
                                      &made.record.revision);
  if (rc == LD_OK) rc = write_temporary(job, &made, path);
  if (rc != LD_OK) return rc;
  if (!keep(job, &made)) {
    file_remove(&job->store->disk, name_at(job, made.temporary));
    return no_memory(job);
  }
  rc = file_record_put(&job->files, unit, &made.record, path);
  return rc == LD_OK ? rc : no_memory(job);
}

static bool is_unchanged(const commit *job, const file_record *old) {
  uint8_t hash[LD_HASH];
  if (old->stamp.size != (int64_t)job->text.size) return false;
  file_hash(ld_buf_slice(&job->text), hash);
  return memcmp(hash, old->hash, LD_HASH) == 0;
}

static ld_rc add_unit(commit *job, ld_slice unit) {
  file_record old;
  const char *path;
  ld_rc rc = render(job, unit);
  if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  bool known = file_record_get(&job->files, unit, &old, &path), gone = rc == LD_NOTFOUND;
  if (!gone && job->text.size == 0) return LD_OK; /* what is kept will do */
  if (gone && !known) return LD_OK;
  if (gone) ld_buf_reset(&job->text);
  if (!gone && known && is_unchanged(job, &old)) return LD_OK;
  if (!known) path = (const char *)job->path.data;
  if (known) { /* a write to `files` would move it */
    ld_buf_reset(&job->path);
    ld_buf_add(&job->path, ld_bytes(path, strlen(path) + 1));
    if (job->path.failed) return no_memory(job);
    path = (const char *)job->path.data;
  }
  return add_change(job, unit, path, known ? &old : NULL, gone);
}

static ld_rc add_units(commit *job) {
  ld_btree_cursor at = {.top = 0};
  ld_rc rc = LD_OK;
  for (bool more = ld_btree_first(&at, &job->store->changed); more && rc == LD_OK;
       more = ld_btree_next(&at)) {
    ld_slice unit, none;
    ld_btree_current(&at, &unit, &none);
    rc = add_unit(job, unit);
  }
  return rc;
}

/* ---- putting the files in place ---- */

static void back_up(commit *job, const change *made) {
  const char *unit = name_at(job, made->unit);
  ld_slice key = ld_bytes(unit + 1, made->unit_size - 1);
  if (!made->known || unit[0] != FILE_SHOWN) return;
  if (!made->gone || job->store->mirror->outlives(key))
    file_backup_rotate(job->store, name_at(job, made->path));
}

/* Those of what has gone for good. */
static void remove_backups(commit *job) {
  for (size_t i = 0; i < count_of(job); i++) {
    const change *made = change_at(job, i);
    const char *unit = name_at(job, made->unit);
    ld_slice key = ld_bytes(unit + 1, made->unit_size - 1);
    if (made->gone && unit[0] == FILE_SHOWN && !job->store->mirror->outlives(key))
      file_backup_remove(job->store, name_at(job, made->path));
  }
}

static int put_in_place(commit *job, const change *made) {
  const file_disk *disk = &job->store->disk;
  const char *path = name_at(job, made->path);
  if (made->gone) return file_remove(disk, path);
  return file_rename(disk, name_at(job, made->temporary), path);
}

/* Whether two paths are in one folder. */
static bool share_folder(const char *a, const char *b) {
  const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
  if (slash_a == NULL || slash_b == NULL) return slash_a == slash_b;
  return slash_a - a == slash_b - b && memcmp(a, b, (size_t)(slash_a - a)) == 0;
}

static int sync_folders(commit *job) {
  const char *before = NULL;
  for (size_t i = 0; i < count_of(job); i++) {
    const char *path = name_at(job, change_at(job, i)->path);
    int code = before != NULL && share_folder(before, path)
                   ? 0
                   : file_sync_folder(&job->store->disk, path);
    if (code != 0) return code;
    before = path;
  }
  return 0;
}

static ld_rc broken(commit *job, int code) {
  job->store->broken = true;
  return file_fail(error_of(job), "finish the commit of", name_at(job, change_at(job, 0)->path),
                   code);
}

static ld_rc apply_one(commit *job) {
  const change *made = change_at(job, 0);
  const char *path = name_at(job, made->path);
  back_up(job, made);
  int code = put_in_place(job, made);
  if (code != 0) return file_fail(error_of(job), made->gone ? "remove" : "write", path, code);
  code = file_sync_folder(&job->store->disk, path);
  return code == 0 ? LD_OK : broken(job, code);
}

static int write_journal(commit *job) {
  int code = sync_folders(job);
  for (size_t i = 0; i < count_of(job) && code == 0; i++) {
    const change *made = change_at(job, i);
    back_up(job, made);
    file_journal_add(&job->journal, made->gone ? NULL : name_at(job, made->temporary),
                     name_at(job, made->path));
  }
  return code == 0 ? file_journal_write(&job->store->disk, &job->journal) : code;
}

static ld_rc apply_several(commit *job) {
  int code = write_journal(job);
  if (code != 0) return file_fail(error_of(job), "write", ".larder/journal", code);
  for (size_t i = 0; i < count_of(job) && code == 0; i++)
    code = put_in_place(job, change_at(job, i));
  if (code == 0) code = sync_folders(job);
  if (code == 0) code = file_journal_remove(&job->store->disk);
  return code == 0 ? LD_OK : broken(job, code);
}

/* ---- the commit ---- */

static void remove_temporaries(commit *job) {
  for (size_t i = 0; i < count_of(job); i++)
    if (!change_at(job, i)->gone)
      file_remove(&job->store->disk, name_at(job, change_at(job, i)->temporary));
}

static void log_revisions(commit *job) {
  ld_buf log = {0};
  for (size_t i = 0; i < count_of(job); i++) {
    const change *made = change_at(job, i);
    ld_slice unit = ld_bytes(name_at(job, made->unit), made->unit_size);
    if (!made->gone && made->record.revision > 0)
      file_revision_line(unit, made->record.hash, made->record.revision, &log);
  }
  file_revisions_append(job->store, &log);
  ld_buf_clear(&log);
}

static void succeed(commit *job) {
  ld_btree files = job->store->files, kept = job->store->kept;
  job->store->files = job->files;
  job->store->kept = job->kept;
  job->files = files;
  job->kept = kept;
  remove_backups(job);
  log_revisions(job);
  file_loose_write(job->txn);
}

ld_rc file_commit_changes(ld_txn *txn) {
  file_store *store = file_store_of(txn->engine);
  commit job = {.store = store,
                .txn = txn,
                .files = ld_btree_share(&store->files),
                .kept = ld_btree_share(&store->kept)};
  ld_rc rc = add_units(&job);
  if (rc == LD_OK && count_of(&job) > 0)
    rc = count_of(&job) == 1 ? apply_one(&job) : apply_several(&job);
  if (rc == LD_OK) succeed(&job);
  if (rc != LD_OK && !store->broken) remove_temporaries(&job);
  ld_btree_clear(&job.files);
  ld_btree_clear(&job.kept);
  ld_buf_clear(&job.changes);
  ld_buf_clear(&job.names);
  ld_buf_clear(&job.text);
  ld_buf_clear(&job.path);
  ld_buf_clear(&job.read);
  ld_buf_clear(&job.journal);
  return rc;
}
