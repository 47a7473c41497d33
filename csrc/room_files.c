/* room_files.c -- rooms from a directory of JSON files, and back.
**
** An import reads twice: the first pass reads and checks every file and writes nothing, the second saves. What is kept between them
** is the names, and the documents only while they fit in KEEP bytes; the others are read again, and must still hold the same room.
** An export never shows a half-written file: each is written under a hidden name, synced and renamed. */
#include "room_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "folder.h"
#include "json.h"
#include "room_check.h"

enum {
  FILE_MAX = 1 << 30,  /* bytes of one file */
  KEEP = 16 << 20,     /* bytes of documents kept between the passes */
  FILE_NAME_MAX = 200, /* bytes of a file name that is made here, `.json` included */
  HASH_DIGITS = 32,
  TEMPORARY_TRIES = 100 /* names tried when one is taken */
};

static const char ending[] = ".json";
enum { ENDING = sizeof ending - 1 };
static const char too_big[] = "has more than 1 GiB";

static ld_rc fail(ld_txn *txn, const char *verb, const char *path, int code) {
  ld_quoted quoted;
  return ld_fail(ld_error_of(txn), ld_output_rc(code), "%s %s: %s", verb,
                 ld_quote(ld_text(path), quoted), strerror(code));
}

/* ---- import ---- */

/* One file of the directory, and what the first pass found in it. */
typedef struct room_file {
  const char *name;
  ld_slice room; /* its name; `data` is set when `rooms` moves no more; size 0: no room was found */
  size_t room_at, document_at; /* where in `rooms` and `documents` */
  size_t document_size;        /* 0: not kept */
} room_file;

typedef struct import_job {
  ld_txn *txn;
  const char *path;
  DIR *directory;
  bool replace;
  ld_file_problem problem;
  void *context;
  ld_buf names; /* of the files, each with its NUL */
  room_file *files;
  size_t count;
  ld_buf rooms, documents;
  ld_buf text, document; /* of the file that is being read */
  uint64_t problems;
  ld_error first; /* problem */
} import_job;

static ld_rc no_memory(import_job *job) {
  return ld_fail(ld_error_of(job->txn), LD_NOMEM, "import: out of memory");
}

/* Tell a problem. INVALID, which within an import means: told, go on with the next file. */
static ld_rc tell(import_job *job, const char *file, unsigned line, unsigned column,
                  const char *text) {
  ld_quoted quoted;
  if (job->problems++ == 0)
    ld_fail(&job->first, LD_INVALID, "%s: %s", ld_quote(ld_text(file), quoted), text);
  if (job->problem != NULL) job->problem(job->context, file, line, column, text);
  return LD_INVALID;
}

/* The same for a text that may begin with `line L, column C: `. */
static ld_rc tell_place(import_job *job, const char *file, const char *text) {
  unsigned line = 0, column = 0;
  int length = 0;
  sscanf(text, "line %u, column %u: %n", &line, &column, &length);
  return length > 0 ? tell(job, file, line, column, text + length) : tell(job, file, 0, 0, text);
}

/* -- the files -- */

static bool is_wanted(import_job *job, const struct dirent *entry) {
  struct stat info;
  const char *name = entry->d_name;
  size_t size = strlen(name);
  if (name[0] == '.' || size <= ENDING || strcmp(name + size - ENDING, ending) != 0) return false;
  if (entry->d_type == DT_REG) return true;
  return fstatat(dirfd(job->directory), name, &info, 0) != 0 || !S_ISDIR(info.st_mode);
}

static int by_file_name(const void *a, const void *b) {
  return strcmp(((const room_file *)a)->name, ((const room_file *)b)->name);
}

static ld_rc sort_files(import_job *job) {
  const char *name = (const char *)job->names.data;
  job->files = calloc(job->count + 1, sizeof *job->files);
  if (job->files == NULL || job->names.failed) return no_memory(job);
  for (size_t i = 0; i < job->count; i++, name += strlen(name) + 1) job->files[i].name = name;
  qsort(job->files, job->count, sizeof *job->files, by_file_name);
  return LD_OK;
}

static ld_rc list_files(import_job *job) {
  const struct dirent *entry;
  job->directory = opendir(job->path);
  if (job->directory == NULL) return fail(job->txn, "import", job->path, errno);
  while (errno = 0, (entry = readdir(job->directory)) != NULL) {
    if (!is_wanted(job, entry)) continue;
    ld_buf_add(&job->names, ld_bytes(entry->d_name, strlen(entry->d_name) + 1));
    job->count++;
  }
  return errno != 0 ? fail(job->txn, "import", job->path, errno) : sort_files(job);
}

/* -- one file -- */

/* Read to the end. 0, or what went wrong as errno has it; EFBIG past FILE_MAX. */
static int read_all(int file, size_t expected, ld_buf *text) {
  ssize_t got = 1;
  ld_buf_reset(text);
  ld_buf_reserve(text, expected + 1);
  while (got > 0) {
    if (!ld_buf_reserve(text, 1)) return ENOMEM;
    got = read(file, text->data + text->size, text->capacity - text->size);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got < 0)
      return errno;
    else
      text->size += (size_t)got;
    if (text->size > FILE_MAX) return EFBIG;
  }
  return 0;
}

/* What kind of file that is and how long: NULL, or why it is not read. */
static const char *look_at(int file, struct stat *info) {
  if (fstat(file, info) != 0) return strerror(errno);
  if (!S_ISREG(info->st_mode)) return "is no regular file";
  return info->st_size > FILE_MAX ? too_big : NULL;
}

/* Not blocking, so that a pipe of that name is told and not waited for. */
static ld_rc read_file(import_job *job, const char *name) {
  struct stat info;
  int file = openat(dirfd(job->directory), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return tell(job, name, 0, 0, strerror(errno));
  const char *wrong = look_at(file, &info);
  int code = wrong == NULL ? read_all(file, (size_t)info.st_size, &job->text) : 0;
  close(file);
  if (code == ENOMEM) return no_memory(job);
  if (code != 0) wrong = code == EFBIG ? too_big : strerror(code);
  return wrong == NULL ? LD_OK : tell(job, name, 0, 0, wrong);
}

/* Read a file into `document` and find the parts of its room. */
static ld_rc load(import_job *job, const char *name, ld_room_fields *fields) {
  ld_error error = {0};
  ld_rc rc = read_file(job, name);
  if (rc != LD_OK) return rc;
  ld_buf_reset(&job->document);
  rc = ld_json_parse(ld_buf_slice(&job->text), &job->document, &error);
  if (rc == LD_OK) rc = ld_room_check(ld_buf_slice(&job->document), fields, &error);
  if (rc == LD_OK) return LD_OK;
  return rc == LD_NOMEM ? no_memory(job) : tell_place(job, name, error.text);
}

/* -- the first pass -- */

static ld_rc keep(import_job *job, room_file *file, ld_slice room) {
  ld_slice document = ld_buf_slice(&job->document);
  file->room_at = job->rooms.size;
  file->room.size = room.size;
  ld_buf_add(&job->rooms, room);
  if (document.size <= KEEP - job->documents.size) {
    file->document_at = job->documents.size;
    file->document_size = document.size;
    ld_buf_add(&job->documents, document);
  }
  return job->rooms.failed || job->documents.failed ? no_memory(job) : LD_OK;
}

static ld_rc check_file(import_job *job, room_file *file) {
  ld_room_fields fields;
  ld_quoted quoted;
  ld_error error;
  ld_rc rc = load(job, file->name, &fields);
  if (rc == LD_OK) rc = keep(job, file, fields.name);
  if (rc != LD_OK || job->replace) return rc;
  rc = ld_room_has(job->txn, fields.name);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  ld_fail(&error, LD_INVALID, "room %s is in the store already", ld_quote(fields.name, quoted));
  return tell(job, file->name, 0, 0, error.text);
}

static int by_room(const void *a, const void *b) {
  const room_file *left = a, *right = b;
  int order = ld_compare(left->room, right->room);
  return order != 0 ? order : strcmp(left->name, right->name);
}

/* Put the files in order of their rooms; then two of one room are neighbours. */
static void find_twins(import_job *job) {
  ld_quoted room, other;
  ld_error error;
  const room_file *first = job->files;
  for (size_t i = 0; i < job->count; i++)
    if (job->files[i].room.size > 0)
      job->files[i].room.data = job->rooms.data + job->files[i].room_at;
  qsort(job->files, job->count, sizeof *job->files, by_room);
  for (const room_file *file = first + 1; file < job->files + job->count; file++) {
    if (file->room.size == 0 || !ld_equal(file->room, first->room)) {
      first = file;
      continue;
    }
    ld_fail(&error, LD_INVALID, "room %s is in %s as well", ld_quote(file->room, room),
            ld_quote(ld_text(first->name), other));
    tell(job, file->name, 0, 0, error.text);
  }
}

static ld_rc refuse(import_job *job, const char *outcome) {
  ld_quoted quoted;
  return ld_fail(ld_error_of(job->txn), LD_INVALID,
                 "import %s: %llu problems in %zu files, %s; the first: %s",
                 ld_quote(ld_text(job->path), quoted), (unsigned long long)job->problems,
                 job->count, outcome, job->first.text);
}

static ld_rc check_files(import_job *job) {
  for (size_t i = 0; i < job->count; i++) {
    ld_rc rc = check_file(job, &job->files[i]);
    if (rc != LD_OK && rc != LD_INVALID) return rc;
  }
  find_twins(job);
  return job->problems == 0 ? LD_OK : refuse(job, "nothing was saved");
}

/* -- the second pass -- */

/* The document as the first pass saw it, or read again. */
static ld_rc document_of(import_job *job, const room_file *file, ld_slice *document) {
  ld_room_fields fields;
  *document = ld_bytes(job->documents.data + file->document_at, file->document_size);
  if (file->document_size > 0) return LD_OK;
  ld_rc rc = load(job, file->name, &fields);
  if (rc == LD_OK && !ld_equal(fields.name, file->room))
    rc = tell(job, file->name, 0, 0, "holds another room than when it was checked");
  *document = ld_buf_slice(&job->document);
  return rc == LD_INVALID ? refuse(job, "it changed meanwhile, roll back") : rc;
}

static ld_rc save_files(import_job *job) {
  ld_quoted quoted;
  for (size_t i = 0; i < job->count; i++) {
    ld_slice document;
    ld_rc rc = document_of(job, &job->files[i], &document);
    if (rc != LD_OK) return ld_spoil(job->txn, rc);
    rc = ld_room_save(job->txn, document);
    if (rc == LD_OK) continue;
    ld_fail_in(ld_error_of(job->txn), "%s: ", ld_quote(ld_text(job->files[i].name), quoted));
    return ld_spoil(job->txn, rc);
  }
  return LD_OK;
}

static void clear_job(import_job *job) {
  if (job->directory != NULL) closedir(job->directory);
  free(job->files);
  ld_buf_clear(&job->names);
  ld_buf_clear(&job->rooms);
  ld_buf_clear(&job->documents);
  ld_buf_clear(&job->text);
  ld_buf_clear(&job->document);
}

ld_rc ld_room_import(ld_txn *txn, const char *directory, bool replace, ld_file_problem problem,
                     void *context, uint64_t *count) {
  import_job job = {
      .txn = txn, .path = directory, .replace = replace, .problem = problem, .context = context};
  ld_rc rc = list_files(&job);
  if (rc == LD_OK) rc = check_files(&job);
  if (rc == LD_OK) rc = save_files(&job);
  if (rc == LD_OK) *count = job.count;
  clear_job(&job);
  return rc;
}

/* ---- file names ---- */

static bool is_plain(uint8_t byte, bool first) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || (byte == '.' && !first);
}

static void add_escaped(ld_slice name, ld_buf *file) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < name.size; i++) {
    uint8_t byte = name.data[i];
    if (is_plain(byte, i == 0)) {
      ld_buf_byte(file, byte);
    } else {
      ld_buf_byte(file, '%');
      ld_buf_byte(file, (uint8_t)digits[byte >> 4]);
      ld_buf_byte(file, (uint8_t)digits[byte & 15]);
    }
  }
}

static void add_hash(ld_slice name, ld_buf *file) {
  uint8_t hash[LD_HASH];
  ld_hash128(name, hash);
  for (size_t i = 0; i < LD_HASH; i++) ld_buf_printf(file, "%02x", hash[i]);
}

void ld_room_file_name(ld_slice name, ld_buf *file) {
  enum { WHOLE = FILE_NAME_MAX - ENDING, CUT = WHOLE - 1 - HASH_DIGITS };
  size_t start = file->size;
  add_escaped(name, file);
  if (!file->failed && file->size - start > WHOLE) {
    file->size = start + CUT;
    for (size_t back = 1; back <= 2; back++)
      if (file->data[start + CUT - back] == '%') file->size -= back; /* no half of an escape */
    ld_buf_byte(file, '~');
    add_hash(name, file);
  }
  ld_buf_add(file, ld_text(ending));
}

/* ---- export ---- */

typedef struct export_job {
  ld_txn *txn;
  const char *path;
  int directory;
  uint64_t count;
  ld_buf text, file, temporary; /* the names with their NUL */
} export_job;

/* A new file under a hidden name that nobody has; its descriptor, -1 with errno. */
static int open_temporary(export_job *job) {
  int file = -1;
  for (unsigned i = 0; file < 0 && i < TEMPORARY_TRIES; i++) {
    ld_buf_reset(&job->temporary);
    ld_buf_printf(&job->temporary, ".%s.tmp-%ld", (const char *)job->file.data, (long)getpid());
    if (i > 0) ld_buf_printf(&job->temporary, "-%u", i);
    ld_buf_byte(&job->temporary, 0);
    if (job->temporary.failed) errno = ENOMEM;
    if (job->temporary.failed) break;
    file = openat(job->directory, (const char *)job->temporary.data,
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && errno != EEXIST) break;
  }
  return file;
}

/* 0 or errno; then nothing of it is left. */
static int write_file(export_job *job) {
  int file = open_temporary(job);
  if (file < 0) return errno;
  const char *temporary = (const char *)job->temporary.data;
  int code = ld_output_write(file, ld_buf_slice(&job->text));
  if (code == 0 && fsync(file) != 0) code = errno;
  if (close(file) != 0 && code == 0) code = errno;
  if (code == 0 &&
      renameat(job->directory, temporary, job->directory, (const char *)job->file.data) != 0)
    code = errno;
  if (code != 0) unlinkat(job->directory, temporary, 0);
  return code;
}

static ld_rc export_room(void *context, ld_slice name, ld_slice document) {
  export_job *job = context;
  ld_error *error = ld_error_of(job->txn);
  ld_quoted quoted;
  ld_buf_reset(&job->text);
  ld_buf_reset(&job->file);
  ld_room_file_name(name, &job->file);
  ld_buf_byte(&job->file, 0);
  ld_rc rc = job->file.failed ? ld_fail(error, LD_NOMEM, "out of memory")
                              : ld_json_print(document, true, &job->text, error);
  if (rc != LD_OK) return ld_fail_in(error, "export room %s: ", ld_quote(name, quoted));
  int code = write_file(job);
  if (code == 0) {
    job->count++;
    return LD_OK;
  }
  fail(job->txn, "export", (const char *)job->file.data, code);
  return ld_fail_in(error, "%s: ", ld_quote(ld_text(job->path), quoted));
}

static ld_rc open_directory(export_job *job) {
  int code = ld_folder_make(job->path) ? 0 : errno;
  if (code == 0) {
    job->directory = open(job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (job->directory < 0) code = errno;
  }
  return code == 0 ? LD_OK : fail(job->txn, "export", job->path, code);
}

ld_rc ld_room_export(ld_txn *txn, const char *directory, uint64_t *count) {
  export_job job = {.txn = txn, .path = directory, .directory = -1};
  ld_room_range all = {0};
  ld_rc rc = open_directory(&job);
  if (rc == LD_OK) rc = ld_room_each(txn, &all, false, LD_ROOM_WHOLE, export_room, &job);
  if (rc == LD_OK && fsync(job.directory) != 0 && errno != EINVAL)
    rc = fail(txn, "export", directory, errno);
  if (rc == LD_OK) *count = job.count;
  if (job.directory >= 0) close(job.directory);
  ld_buf_clear(&job.text);
  ld_buf_clear(&job.file);
  ld_buf_clear(&job.temporary);
  return rc;
}
