/* files_help.h -- what the tests of files share: a directory of its own, the provider on a root in it, and short ways to ask. */
#ifndef LD_FILES_HELP_H
#define LD_FILES_HELP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../csrc/files.h"
#include "check.h"

static const char *place = "/tmp"; /* where top is made */
static char top[100];              /* holds the root, and beside it what nobody may touch */
static ld_files *files;            /* on top/root */

static inline const char *at(const char *name) {
  static char paths[4][1400];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", top, name);
  return path;
}

static inline void put_file(const char *name, const char *text) {
  FILE *file = fopen(at(name), "w");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static inline bool holds(const char *name, const char *text) {
  char found[400] = "";
  FILE *file = fopen(at(name), "r");
  if (file == NULL) return false;
  found[fread(found, 1, sizeof found - 1, file)] = '\0';
  fclose(file);
  return strcmp(found, text) == 0;
}

static inline bool is_there(const char *name) {
  struct stat status;
  return lstat(at(name), &status) == 0;
}

static inline unsigned entries_in(const char *name) {
  unsigned count = 0;
  DIR *dir = opendir(at(name));
  CHECK(dir != NULL);
  while (readdir(dir) != NULL) count++;
  closedir(dir);
  return count - 2;
}

static inline int remove_entry(const char *path, const struct stat *status, int kind,
                               struct FTW *where) {
  (void)status, (void)kind, (void)where;
  return remove(path);
}

static inline void remove_tree_of(const char *name) {
  CHECK(nftw(at(name), remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* ---- the provider ---- */

static inline ld_file_rc open_with(const ld_option *options, size_t count, ld_files **opened,
                                   ld_file_error *error) {
  ld_config config = {.env = ld_env_system(), .options = options, .option_count = count};
  return ld_files_open(&ld_files_local, &config, opened, error);
}

static inline void open_files(const char *confine) {
  ld_file_error error = {0};
  const ld_option options[] = {{"path", at("root")}, {"confine", confine}};
  CHECK(open_with(options, 2, &files, &error) == LD_FILE_OK);
}

static inline void close_files(void) {
  ld_files_close(files);
  files = NULL;
}

/* `confine`: "kernel" or "parts". */
static inline void begin(const char *confine) {
  snprintf(top, sizeof top, "%s/larder-test-XXXXXX", place);
  CHECK(mkdtemp(top) != NULL);
  open_files(confine);
}

static inline void end(void) {
  close_files();
  CHECK(nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static inline ld_file_rc put(const char *path, const char *text, unsigned flags) {
  return ld_files_write(files, ld_text(path), ld_text(text), flags);
}

static inline bool gives(const char *path, const char *text) {
  ld_buf bytes = {0};
  ld_file_rc rc = ld_files_read(files, ld_text(path), 0, UINT64_MAX, &bytes);
  bool same = rc == LD_FILE_OK && ld_equal(ld_buf_slice(&bytes), ld_text(text));
  ld_buf_clear(&bytes);
  return same;
}

static inline ld_file_rc get(const char *path) {
  ld_buf bytes = {0};
  ld_file_rc rc = ld_files_read(files, ld_text(path), 0, UINT64_MAX, &bytes);
  ld_buf_clear(&bytes);
  return rc;
}

#define CHECK_FILE(expected, call)                                                                 \
  do {                                                                                             \
    ld_file_rc file_want = (expected), file_got = (call);                                          \
    if (file_got != file_want) {                                                                   \
      fprintf(stderr, "%s:%d: %s: expected %s, got %s: %s\n", __FILE__, __LINE__, #call,           \
              ld_file_rc_name(file_want), ld_file_rc_name(file_got), ld_files_error(files)->text); \
      exit(1);                                                                                     \
    }                                                                                              \
    check_passed++;                                                                                \
  } while (0)

#endif
