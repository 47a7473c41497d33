/* files_scenarios.h -- operations on files, each from the same beginning, and what holds behind it, whether it was done or not. */
#ifndef LD_FILES_SCENARIOS_H
#define LD_FILES_SCENARIOS_H

#include "files_help.h"

typedef struct scenario {
  const char *name;
  void (*prepare)(void);
  ld_file_rc (*run)(void);
  void (*check)(bool done);
} scenario;

static inline void prepare_old(void) { CHECK_FILE(LD_FILE_OK, put("d/f", "old content", 0)); }

static inline ld_file_rc run_write(void) { return put("d/f", "the new content", 0); }
static inline void check_write(bool done) {
  CHECK(gives("d/f", "the new content") || (!done && gives("d/f", "old content")));
  CHECK(entries_in("root/d") == 1);
}

static inline ld_file_rc run_write_below(void) { return put("d/x/y/g", "new", LD_FILE_IF_ABSENT); }
static inline void check_write_below(bool done) {
  CHECK(gives("d/x/y/g", "new") || (!done && !is_there("root/d/x/y/g")));
  if (is_there("root/d/x/y")) CHECK(entries_in("root/d/x/y") == (is_there("root/d/x/y/g") ? 1 : 0));
}

static inline ld_file_rc run_copy(void) {
  return ld_files_copy(files, LD_LITERAL("d/f"), LD_LITERAL("d/g"), 0);
}
static inline void check_copy(bool done) {
  CHECK(gives("d/f", "old content"));
  CHECK(gives("d/g", "old content") || (!done && !is_there("root/d/g")));
  CHECK(entries_in("root/d") == (is_there("root/d/g") ? 2 : 1));
}

static inline ld_file_rc run_move(void) {
  return ld_files_move(files, LD_LITERAL("d/f"), LD_LITERAL("e/g"), 0);
}
static inline void check_move(bool done) {
  bool moved = is_there("root/e/g");
  CHECK((moved || !done) && gives(moved ? "e/g" : "d/f", "old content"));
  CHECK(entries_in("root/d") == (moved ? 0 : 1));
}

static inline ld_file_rc run_delete(void) {
  bool deleted;
  return ld_files_delete(files, LD_LITERAL("d/f"), &deleted);
}
static inline void check_delete(bool done) {
  CHECK(gives("d/f", "old content") || !is_there("root/d/f"));
  CHECK(!done || !is_there("root/d/f"));
}

static inline void prepare_tree(void) {
  CHECK_FILE(LD_FILE_OK, put("d/a/b/c", "x", 0));
  CHECK_FILE(LD_FILE_OK, put("d/f", "x", 0));
  CHECK_FILE(LD_FILE_OK, put("other", "mine", 0));
}
static inline ld_file_rc run_remove(void) {
  bool removed;
  return ld_files_remove_dir(files, LD_LITERAL("d"), LD_FILE_RECURSIVE, &removed);
}
static inline void check_remove(bool done) {
  CHECK((!done || !is_there("root/d")) && gives("other", "mine"));
}

static inline ld_file_rc run_list(void) {
  static const char *const want[] = {"d/a/b/c", "d/f", "other"};
  ld_file_query query = {.recursive = true};
  ld_file_lister *lister;
  ld_file_entry entry;
  unsigned count = 0;
  ld_file_rc rc = ld_file_lister_open(files, &query, &lister);
  if (rc != LD_FILE_OK) return rc;
  while (rc = ld_file_lister_next(lister, &entry), rc == LD_FILE_OK)
    CHECK(count < 3 && strcmp(entry.path, want[count++]) == 0);
  CHECK(rc != LD_FILE_NOT_FOUND || count == 3);
  ld_file_lister_close(lister);
  return rc == LD_FILE_NOT_FOUND ? LD_FILE_OK : rc;
}
static inline void check_list(bool done) { (void)done; }

static inline ld_file_rc run_checksum(void) {
  char digest[LD_FILE_DIGEST];
  ld_file_rc rc = ld_files_checksum(files, LD_LITERAL("d/f"), "sha256", digest);
  CHECK(rc != LD_FILE_OK || strncmp(digest, "2d711642b726b044", 16) == 0);
  return rc;
}
static inline void prepare_x(void) { CHECK_FILE(LD_FILE_OK, put("d/f", "x", 0)); }

static const scenario scenarios[] = {
    {"write", prepare_old, run_write, check_write},
    {"write below", prepare_old, run_write_below, check_write_below},
    {"copy", prepare_old, run_copy, check_copy},
    {"move", prepare_old, run_move, check_move},
    {"delete", prepare_old, run_delete, check_delete},
    {"remove", prepare_tree, run_remove, check_remove},
    {"list", prepare_tree, run_list, check_list},
    {"checksum", prepare_x, run_checksum, check_list},
};

#endif
