/* files_path.c -- the one rule for paths. See files.h. */
#include <string.h>

#include "files.h"

static bool has_control(ld_slice text) {
  for (size_t i = 0; i < text.size; i++)
    if (text.data[i] < 0x20 || text.data[i] == 0x7f) return true;
  return false;
}

/* NULL, or what is wrong with a part. */
static const char *wrong_part(ld_slice part) {
  if (part.size == 0) return "has an empty part";
  if (part.data[0] == '.' && part.size == 1) return "has a part \".\"";
  if (ld_equal(part, LD_LITERAL(".."))) return "has a part \"..\"";
  if (part.size > LD_PATH_PART_MAX) return "has a part of more than 255 bytes";
  if (ld_starts_with(part, LD_LITERAL(LD_FILES_RESERVED)))
    return "has a part that begins with \"" LD_FILES_RESERVED "\"";
  return NULL;
}

static const char *wrong_bytes(ld_slice text) {
  if (!ld_is_utf8(text)) return "is not valid UTF-8";
  return has_control(text) ? "has control bytes" : NULL;
}

bool ld_files_is_name(ld_slice name) {
  return wrong_part(name) == NULL && wrong_bytes(name) == NULL;
}

static const char *wrong_parts(ld_slice path) {
  const uint8_t *at = path.data, *end = path.data + path.size;
  for (;;) {
    const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
    const char *wrong = wrong_part(ld_bytes(at, (size_t)((slash == NULL ? end : slash) - at)));
    if (wrong != NULL || slash == NULL) return wrong;
    at = slash + 1;
  }
}

static const char *wrong_path(ld_slice path, bool is_dir) {
  if (path.size == 0) return is_dir ? NULL : "an empty path";
  if (path.size > LD_PATH_MAX) return "has more than 1024 bytes";
  if (path.data[0] == '/') return "is not relative";
  const char *wrong = wrong_bytes(path);
  return wrong != NULL ? wrong : wrong_parts(path);
}

ld_file_rc ld_files_check_path(ld_slice path, bool is_dir, char checked[LD_PATH_MAX + 1],
                               ld_file_error *error) {
  ld_quoted quoted;
  const char *wrong = wrong_path(path, is_dir);
  size_t size = path.size <= LD_PATH_MAX ? path.size : LD_PATH_MAX;
  if (size > 0) memcpy(checked, path.data, size);
  checked[size] = '\0';
  if (wrong == NULL) return LD_FILE_OK;
  ld_file_fail(error, LD_FILE_INVALID_PATH, "", "path %s: %s", ld_quote(path, quoted), wrong);
  if (error != NULL) memcpy(error->path, checked, size + 1);
  return LD_FILE_INVALID_PATH;
}
