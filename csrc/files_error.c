/* files_error.c -- the kinds of failures of files, and what the system's errnos are among them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "files.h"

static const char *const names[] = {
    [LD_FILE_OK] = "OK",
    [LD_FILE_NOT_FOUND] = "NOT_FOUND",
    [LD_FILE_EXISTS] = "EXISTS",
    [LD_FILE_IS_A_DIRECTORY] = "IS_A_DIRECTORY",
    [LD_FILE_NOT_A_DIRECTORY] = "NOT_A_DIRECTORY",
    [LD_FILE_NOT_EMPTY] = "NOT_EMPTY",
    [LD_FILE_INVALID_PATH] = "INVALID_PATH",
    [LD_FILE_RANGE] = "RANGE",
    [LD_FILE_PERMISSION] = "PERMISSION",
    [LD_FILE_NO_SPACE] = "NO_SPACE",
    [LD_FILE_IO] = "IO",
    [LD_FILE_INVALID] = "INVALID",
    [LD_FILE_UNSUPPORTED] = "UNSUPPORTED",
    [LD_FILE_CLOSED] = "CLOSED",
    [LD_FILE_MISUSE] = "MISUSE",
    [LD_FILE_NOMEM] = "NOMEM",
};

const char *ld_file_rc_name(ld_file_rc rc) {
  return (size_t)rc < sizeof names / sizeof *names ? names[rc] : "UNKNOWN";
}

ld_file_rc ld_file_fail(ld_file_error *error, ld_file_rc rc, const char *path, const char *format,
                        ...) {
  ld_quoted quoted;
  char text[sizeof error->text], about[sizeof error->path];
  if (error == NULL) return rc;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  snprintf(about, sizeof about, "%s", path); /* it may be error->path itself */
  *error = (ld_file_error){.rc = rc};
  memcpy(error->path, about, sizeof about);
  if (path[0] == '\0')
    snprintf(error->text, sizeof error->text, "%s", text);
  else
    snprintf(error->text, sizeof error->text, "%s: %.240s", ld_quote(ld_text(path), quoted), text);
  return rc;
}

static ld_file_rc kind_of(int number) {
  switch (number) {
  case ENOENT: return LD_FILE_NOT_FOUND;
  case EEXIST: return LD_FILE_EXISTS;
  case EISDIR: return LD_FILE_IS_A_DIRECTORY;
  case ENOTDIR: return LD_FILE_NOT_A_DIRECTORY;
  case ENOTEMPTY: return LD_FILE_NOT_EMPTY;
  case ELOOP:
  case ENAMETOOLONG:
  case EILSEQ:
  case ENXIO: return LD_FILE_INVALID_PATH;
  case EACCES:
  case EPERM:
  case EROFS: return LD_FILE_PERMISSION;
  case ENOSPC:
  case EDQUOT:
  case EFBIG: return LD_FILE_NO_SPACE;
  case ENOMEM: return LD_FILE_NOMEM;
  default: return LD_FILE_IO;
  }
}

static const char *text_of(ld_file_rc rc, int number) {
  switch (rc) {
  case LD_FILE_NOT_FOUND: return "is not there";
  case LD_FILE_EXISTS: return "is there already";
  case LD_FILE_IS_A_DIRECTORY: return "is a directory";
  case LD_FILE_NOT_A_DIRECTORY: return "is no directory, or is below a file";
  case LD_FILE_NOT_EMPTY: return "is not empty";
  case LD_FILE_NOMEM: return "out of memory";
  default: break;
  }
  if (number == ELOOP) return "is a symbolic link, or leads through one: they are not followed";
  return number == ENXIO ? "is no regular file" : strerror(number);
}

ld_file_rc ld_file_fail_errno(ld_file_error *error, int number, const char *path) {
  ld_file_rc rc = kind_of(number);
  ld_file_fail(error, rc, path, "%s", text_of(rc, number));
  if (error != NULL) error->number = number;
  return rc;
}
