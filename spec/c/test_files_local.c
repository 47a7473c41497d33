/* test_files_local.c -- the local provider, with openat2 and without: what it does, and that no link leads it out of its root.
** `refused` names calls of the system that say ENOSYS, as older systems do. */
#include <stdarg.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "files_help.h"

static long refused[2];
static unsigned long refusals;

long __real_syscall(long number, long a, long b, long c, long d, long e);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);

long __wrap_syscall(long number, long a, long b, long c, long d, long e) {
  if (number != refused[0] && number != refused[1]) return __real_syscall(number, a, b, c, d, e);
  refusals++;
  errno = ENOSYS;
  return -1;
}

/* ---- what it does ---- */

static void test_write_and_read(void) {
  struct stat status;
  ld_buf bytes = {0};
  CHECK_FILE(LD_FILE_OK, put("a/b/c.txt", "hello", 0));
  CHECK(holds("root/a/b/c.txt", "hello") && gives("a/b/c.txt", "hello"));
  CHECK(stat(at("root/a/b/c.txt"), &status) == 0 && (status.st_mode & 0777) == 0600);
  CHECK(stat(at("root/a"), &status) == 0 && (status.st_mode & 0777) == 0700);
  CHECK_FILE(LD_FILE_OK, put("a/b/c.txt", "", 0));
  CHECK(gives("a/b/c.txt", ""));
  CHECK_FILE(LD_FILE_OK, put("a/b/c.txt", "0123456789", LD_FILE_NO_SYNC));
  CHECK_FILE(LD_FILE_OK, ld_files_read(files, LD_LITERAL("a/b/c.txt"), 3, 4, &bytes));
  CHECK_FILE(LD_FILE_OK, ld_files_read(files, LD_LITERAL("a/b/c.txt"), 8, 100, &bytes));
  CHECK_FILE(LD_FILE_OK, ld_files_read(files, LD_LITERAL("a/b/c.txt"), 10, 1, &bytes));
  CHECK_FILE(LD_FILE_RANGE, ld_files_read(files, LD_LITERAL("a/b/c.txt"), 11, 0, &bytes));
  CHECK(ld_equal(ld_buf_slice(&bytes), LD_LITERAL("345689")));
  ld_buf_clear(&bytes);
  CHECK(entries_in("root/a/b") == 1);
}

static void test_kinds_of_failure(void) {
  bool done;
  CHECK_FILE(LD_FILE_NOT_FOUND, get("nobody"));
  CHECK(ld_files_error(files)->number == ENOENT);
  CHECK(strcmp(ld_files_error(files)->path, "nobody") == 0);
  CHECK_FILE(LD_FILE_NOT_FOUND, get("no/body"));
  CHECK_FILE(LD_FILE_OK, put("file", "x", 0));
  CHECK_FILE(LD_FILE_NOT_A_DIRECTORY, get("file/x"));
  CHECK_FILE(LD_FILE_NOT_A_DIRECTORY, put("file/x", "", 0));
  CHECK_FILE(LD_FILE_OK, ld_files_make_dir(files, LD_LITERAL("dir/deep"), &done));
  CHECK(done);
  CHECK_FILE(LD_FILE_OK, ld_files_make_dir(files, LD_LITERAL("dir/deep"), &done));
  CHECK(!done);
  CHECK_FILE(LD_FILE_EXISTS, ld_files_make_dir(files, LD_LITERAL("file"), &done));
  CHECK_FILE(LD_FILE_NOT_A_DIRECTORY, ld_files_make_dir(files, LD_LITERAL("file/x"), &done));
  CHECK_FILE(LD_FILE_IS_A_DIRECTORY, get("dir"));
  CHECK_FILE(LD_FILE_IS_A_DIRECTORY, put("dir", "x", 0));
  CHECK_FILE(LD_FILE_IS_A_DIRECTORY, ld_files_delete(files, LD_LITERAL("dir"), &done));
  CHECK_FILE(LD_FILE_IS_A_DIRECTORY, ld_files_move(files, LD_LITERAL("dir"), LD_LITERAL("d"), 0));
  CHECK_FILE(LD_FILE_IS_A_DIRECTORY,
             ld_files_move(files, LD_LITERAL("file"), LD_LITERAL("dir"), 0));
  CHECK_FILE(LD_FILE_IS_A_DIRECTORY,
             ld_files_copy(files, LD_LITERAL("file"), LD_LITERAL("dir"), 0));
  CHECK_FILE(LD_FILE_EXISTS, put("file", "y", LD_FILE_IF_ABSENT));
  CHECK(gives("file", "x") && entries_in("root") == 2);
}

static void test_delete(void) {
  bool done;
  CHECK_FILE(LD_FILE_OK, put("a/b", "x", 0));
  CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("a/b"), &done));
  CHECK(done && entries_in("root/a") == 0);
  CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("a/b"), &done));
  CHECK(!done);
  CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("c/d/e"), &done));
  CHECK(!done);
  CHECK_FILE(LD_FILE_OK, put("f", "x", 0));
  CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("f/g"), &done));
  CHECK(!done && gives("f", "x"));
}

static void test_copy_and_move(void) {
  CHECK_FILE(LD_FILE_OK, put("from", "one", 0));
  CHECK_FILE(LD_FILE_OK, ld_files_copy(files, LD_LITERAL("from"), LD_LITERAL("x/to"), 0));
  CHECK(gives("from", "one") && gives("x/to", "one"));
  CHECK_FILE(LD_FILE_OK, put("from", "two", 0));
  CHECK_FILE(LD_FILE_EXISTS,
             ld_files_copy(files, LD_LITERAL("from"), LD_LITERAL("x/to"), LD_FILE_IF_ABSENT));
  CHECK_FILE(LD_FILE_EXISTS,
             ld_files_move(files, LD_LITERAL("from"), LD_LITERAL("x/to"), LD_FILE_IF_ABSENT));
  CHECK(strcmp(ld_files_error(files)->path, "x/to") == 0 && gives("x/to", "one"));
  CHECK_FILE(LD_FILE_OK, ld_files_copy(files, LD_LITERAL("from"), LD_LITERAL("from"), 0));
  CHECK_FILE(LD_FILE_OK, ld_files_move(files, LD_LITERAL("from"), LD_LITERAL("from"), 0));
  CHECK(gives("from", "two"));
  CHECK_FILE(LD_FILE_OK, ld_files_move(files, LD_LITERAL("from"), LD_LITERAL("x/to"), 0));
  CHECK(gives("x/to", "two") && !is_there("root/from"));
  CHECK_FILE(LD_FILE_OK,
             ld_files_move(files, LD_LITERAL("x/to"), LD_LITERAL("y/z"), LD_FILE_IF_ABSENT));
  CHECK(gives("y/z", "two") && entries_in("root/x") == 0);
  CHECK_FILE(LD_FILE_NOT_FOUND, ld_files_move(files, LD_LITERAL("from"), LD_LITERAL("q"), 0));
  CHECK_FILE(LD_FILE_NOT_FOUND, ld_files_copy(files, LD_LITERAL("from"), LD_LITERAL("q"), 0));
}

/* The system leaves two names of one file alone; a move is no move then. */
static void test_move_onto_twin(void) {
  CHECK_FILE(LD_FILE_OK, put("one", "x", 0));
  CHECK(link(at("root/one"), at("root/other")) == 0);
  CHECK_FILE(LD_FILE_OK, ld_files_move(files, LD_LITERAL("one"), LD_LITERAL("one"), 0));
  CHECK(gives("one", "x"));
  CHECK_FILE(LD_FILE_OK, ld_files_move(files, LD_LITERAL("one"), LD_LITERAL("other"), 0));
  CHECK(gives("other", "x") && !is_there("root/one"));
}

/* A move that fails says which end it is about, and makes no directories. */
static void test_failed_moves(void) {
  static const struct {
    const char *from, *to, *about;
    ld_file_rc want;
  } moves[] = {{"nobody", "new/x", "nobody", LD_FILE_NOT_FOUND},
               {"no/body", "new/x", "no/body", LD_FILE_NOT_FOUND},
               {"dir", "new/x", "dir", LD_FILE_IS_A_DIRECTORY},
               {"file/x", "new/x", "file/x", LD_FILE_NOT_A_DIRECTORY},
               {"file", "dir", "dir", LD_FILE_IS_A_DIRECTORY},
               {"file", "full", "full", LD_FILE_IS_A_DIRECTORY},
               {"file", "other/x", "other/x", LD_FILE_NOT_A_DIRECTORY}};
  bool done;
  CHECK_FILE(LD_FILE_OK, put("file", "x", 0));
  CHECK_FILE(LD_FILE_OK, put("other", "x", 0));
  CHECK_FILE(LD_FILE_OK, put("full/f", "x", 0));
  CHECK_FILE(LD_FILE_OK, ld_files_make_dir(files, LD_LITERAL("dir"), &done));
  for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
    CHECK_FILE(moves[i].want,
               ld_files_move(files, ld_text(moves[i].from), ld_text(moves[i].to), 0));
    CHECK(strcmp(ld_files_error(files)->path, moves[i].about) == 0);
    CHECK(gives("file", "x") && !is_there("root/new"));
  }
}

static void test_remove_dir(void) {
  bool done;
  CHECK_FILE(LD_FILE_OK, put("d/a", "x", 0));
  CHECK_FILE(LD_FILE_OK, put("d/e/f/g", "x", 0));
  CHECK_FILE(LD_FILE_NOT_EMPTY, ld_files_remove_dir(files, LD_LITERAL("d"), 0, &done));
  CHECK(gives("d/a", "x") && gives("d/e/f/g", "x"));
  CHECK_FILE(LD_FILE_NOT_A_DIRECTORY, ld_files_remove_dir(files, LD_LITERAL("d/a"), 0, &done));
  CHECK_FILE(LD_FILE_NOT_A_DIRECTORY,
             ld_files_remove_dir(files, LD_LITERAL("d/a"), LD_FILE_RECURSIVE, &done));
  CHECK_FILE(LD_FILE_INVALID_PATH,
             ld_files_remove_dir(files, LD_SLICE_NONE, LD_FILE_RECURSIVE, &done));
  CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, LD_LITERAL("d"), LD_FILE_RECURSIVE, &done));
  CHECK(done && entries_in("root") == 0);
  CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, LD_LITERAL("d"), LD_FILE_RECURSIVE, &done));
  CHECK(!done);
  CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, LD_LITERAL("d"), 0, &done));
  CHECK(!done);
}

/* Deeper than a path can say, and names that no path can have: made step by step, gone in one call. */
static void test_remove_foreign_tree(void) {
  char name[201];
  bool done;
  memset(name, 'n', 200);
  name[200] = '\0';
  CHECK_FILE(LD_FILE_OK, put("d/a", "x", 0));
  int dir = open(at("root/d"), O_RDONLY | O_DIRECTORY);
  for (unsigned depth = 0; depth < 60; depth++) {
    CHECK(mkdirat(dir, name, 0700) == 0 && mkdirat(dir, "\xff", 0700) == 0);
    int file = openat(dir, "a\nb", O_WRONLY | O_CREAT, 0600), below = openat(dir, name, O_RDONLY);
    CHECK(file >= 0 && below >= 0);
    close(file);
    close(dir);
    dir = below;
  }
  close(dir);
  CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, LD_LITERAL("d"), LD_FILE_RECURSIVE, &done));
  CHECK(done && entries_in("root") == 0);
}

/* ---- links and other things that are no files ---- */

static ld_file_rc stat_of(const char *path, ld_file_kind *kind) {
  ld_file_info info;
  ld_file_rc rc = ld_files_stat(files, ld_text(path), &info);
  if (rc == LD_FILE_OK) *kind = info.kind;
  return rc;
}

/* Every call on a path through the link is refused. */
static void check_refused(const char *path) {
  ld_file_query query = {.dir = ld_text(path)};
  ld_file_lister *lister;
  ld_file_kind kind;
  char digest[LD_FILE_DIGEST];
  uint64_t count;
  bool done;
  ld_slice name = ld_text(path);
  CHECK_FILE(LD_FILE_INVALID_PATH, get(path));
  CHECK(ld_files_error(files)->number == ELOOP);
  CHECK_FILE(LD_FILE_INVALID_PATH, put(path, "evil", 0));
  CHECK_FILE(LD_FILE_INVALID_PATH, put(path, "evil", LD_FILE_IF_ABSENT));
  CHECK_FILE(LD_FILE_INVALID_PATH, stat_of(path, &kind));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_delete(files, name, &done));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_make_dir(files, name, &done));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_dir_exists(files, name, &done));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_remove_dir(files, name, 0, &done));
  CHECK_FILE(LD_FILE_INVALID_PATH,
             ld_files_remove_dir(files, name, LD_FILE_RECURSIVE | LD_FILE_FORCE, &done));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_checksum(files, name, "sha256", digest));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_copy(files, name, LD_LITERAL("c"), 0));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_copy(files, LD_LITERAL("mine"), name, 0));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_move(files, name, LD_LITERAL("c"), 0));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_move(files, LD_LITERAL("mine"), name, 0));
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_file_lister_open(files, &query, &lister));
  CHECK_FILE(LD_FILE_INVALID_PATH,
             ld_files_delete_older_than(files, name, INT64_MAX, NULL, NULL, &count));
}

static bool outside_is_whole(void) {
  return holds("secret", "secret") && holds("outside/a/b/c", "secret") &&
         entries_in("outside") == 1 && entries_in("outside/a") == 1 &&
         entries_in("outside/a/b") == 1;
}

/* A tree outside, and one inside of the same shape in which the part at `level` is a link there. */
static void make_escape(unsigned level, const char *target) {
  static const char *const parts[] = {"root/x", "root/x/a", "root/x/a/b"};
  for (unsigned i = 0; i < level; i++) CHECK(mkdir(at(parts[i]), 0700) == 0);
  CHECK(symlink(target, at(parts[level])) == 0);
}

static void make_outside(void) {
  put_file("secret", "secret");
  CHECK(mkdir(at("outside"), 0700) == 0 && mkdir(at("outside/a"), 0700) == 0);
  CHECK(mkdir(at("outside/a/b"), 0700) == 0);
  put_file("outside/a/b/c", "secret");
  put_file("root/mine", "mine");
}

static void test_escape_at_every_level(void) {
  static const char *const relative[] = {"../outside", "../../outside/a", "../../../outside/a/b"};
  static const char *const inside[] = {"outside", "outside/a", "outside/a/b"};
  bool done;
  make_outside();
  for (unsigned level = 0; level < 3; level++)
    for (unsigned absolute = 0; absolute < 2; absolute++) {
      make_escape(level, absolute ? at(inside[level]) : relative[level]);
      check_refused("x/a/b/c");
      CHECK(outside_is_whole() && gives("mine", "mine"));
      if (level == 0) CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("x"), &done));
      if (level > 0)
        CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, LD_LITERAL("x"),
                                                   LD_FILE_RECURSIVE | LD_FILE_FORCE, &done));
      CHECK(done && outside_is_whole() && !is_there("root/x"));
    }
}

/* A link as the last part: nothing is read or written behind it, what replaces or removes it touches the link alone. */
static void test_last_links(void) {
  static const char *const targets[] = {"../secret", "../outside", "mine",  ".",
                                        "/",         "nowhere",    "../new"};
  ld_file_kind kind;
  bool done;
  make_outside();
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    CHECK(symlink(targets[i], at("root/l")) == 0);
    CHECK_FILE(LD_FILE_INVALID_PATH, get("l"));
    CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_copy(files, LD_LITERAL("l"), LD_LITERAL("c"), 0));
    CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_move(files, LD_LITERAL("l"), LD_LITERAL("c"), 0));
    CHECK_FILE(LD_FILE_OK, stat_of("l", &kind));
    CHECK(kind == LD_FILE_LINK);
    CHECK_FILE(LD_FILE_OK, ld_files_dir_exists(files, LD_LITERAL("l"), &done));
    CHECK(!done);
    CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_remove_dir(files, LD_LITERAL("l"), 0, &done));
    CHECK_FILE(LD_FILE_INVALID_PATH,
               ld_files_remove_dir(files, LD_LITERAL("l"), LD_FILE_RECURSIVE, &done));
    CHECK_FILE(LD_FILE_EXISTS, put("l", "evil", LD_FILE_IF_ABSENT));
    CHECK_FILE(LD_FILE_OK, put("l", "new", 0));
    CHECK_FILE(LD_FILE_OK, stat_of("l", &kind));
    CHECK(kind == LD_FILE_REGULAR && outside_is_whole() && gives("mine", "mine"));
    CHECK(unlink(at("root/l")) == 0 && symlink(targets[i], at("root/l")) == 0);
    CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("l"), &done));
    CHECK(done && outside_is_whole() && !is_there("new") && entries_in("root") == 1);
  }
}

static void test_special_files(void) {
  ld_file_kind kind;
  CHECK(mkfifo(at("root/pipe"), 0600) == 0);
  CHECK_FILE(LD_FILE_INVALID_PATH, get("pipe")); /* and does not wait */
  CHECK_FILE(LD_FILE_INVALID_PATH, ld_files_move(files, LD_LITERAL("pipe"), LD_LITERAL("x"), 0));
  CHECK_FILE(LD_FILE_OK, stat_of("pipe", &kind));
  CHECK(kind == LD_FILE_OTHER);
}

/* ---- temporaries ---- */

static void test_temporaries(void) {
  ld_file_writer *writer;
  bool done;
  uint64_t count;
  CHECK_FILE(LD_FILE_OK, put("d/old", "old", 0));
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("d/old"), 0, &writer));
  CHECK_FILE(LD_FILE_OK, ld_file_write(writer, LD_LITERAL("new")));
  put_file("root/d/.larder-dead", "half");
  CHECK(gives("d/old", "old") && entries_in("root/d") == 3);
  CHECK_FILE(LD_FILE_OK,
             ld_files_delete_older_than(files, LD_SLICE_NONE, INT64_MAX, NULL, NULL, &count));
  CHECK(count == 2 && entries_in("root/d") == 1); /* what is being written stays */
  put_file("root/d/.larder-dead", "half");
  CHECK_FILE(LD_FILE_NOT_EMPTY, ld_files_remove_dir(files, LD_LITERAL("d"), 0, &done));
  CHECK_FILE(LD_FILE_OK, ld_file_writer_publish(writer));
  CHECK(gives("d/old", "new"));
  CHECK_FILE(LD_FILE_OK, ld_files_delete(files, LD_LITERAL("d/old"), &done));
  CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, LD_LITERAL("d"), 0, &done));
  CHECK(done); /* only an orphan was in it */
}

/* With the time 0 nothing else goes. */
static void test_leftovers_of_any_age(void) {
  ld_file_writer *writer;
  uint64_t count;
  CHECK_FILE(LD_FILE_OK, put("d/f", "x", 0));
  put_file("root/.larder-1", "half");
  put_file("root/d/.larder-2", "half");
  CHECK(mkdir(at("root/.larder-dir"), 0700) == 0);
  put_file("root/.larder-dir/.larder-3", "somebody else's");
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("d/f"), 0, &writer));
  CHECK_FILE(LD_FILE_OK, ld_files_delete_older_than(files, LD_SLICE_NONE, 0, NULL, NULL, &count));
  CHECK(count == 2 && entries_in("root") == 2 && entries_in("root/d") == 2);
  CHECK(entries_in("root/.larder-dir") == 1);
  CHECK_FILE(LD_FILE_OK, ld_file_writer_publish(writer));
  CHECK(gives("d/f", "") && entries_in("root/d") == 1);
}

static void test_discard(void) {
  ld_file_writer *writer;
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("f"), 0, &writer));
  CHECK_FILE(LD_FILE_OK, ld_file_write(writer, LD_LITERAL("x")));
  ld_file_writer_discard(writer);
  CHECK(entries_in("root") == 0);
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("f"), LD_FILE_IF_ABSENT, &writer));
  CHECK_FILE(LD_FILE_OK, put("f", "first", 0));
  CHECK_FILE(LD_FILE_EXISTS, ld_file_writer_publish(writer));
  CHECK(gives("f", "first") && entries_in("root") == 1);
}

/* What hangs on the files outlives them, closed. */
static void test_close_order(void) {
  ld_file_reader *reader;
  ld_file_writer *writer;
  ld_file_lister *lister;
  ld_file_query all = {.recursive = true};
  ld_file_entry entry;
  char byte;
  size_t got;
  CHECK_FILE(LD_FILE_OK, put("f", "x", 0));
  CHECK_FILE(LD_FILE_OK, ld_file_reader_open(files, LD_LITERAL("f"), &reader));
  CHECK_FILE(LD_FILE_OK, ld_file_writer_open(files, LD_LITERAL("g"), 0, &writer));
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &all, &lister));
  ld_files_close(files);
  CHECK(ld_file_read_at(reader, 0, &byte, 1, &got) == LD_FILE_CLOSED);
  CHECK(ld_file_write(writer, LD_LITERAL("x")) == LD_FILE_CLOSED);
  CHECK(ld_file_lister_next(lister, &entry) == LD_FILE_CLOSED);
  CHECK(ld_file_writer_publish(writer) == LD_FILE_CLOSED);
  ld_file_lister_close(lister);
  ld_file_reader_close(reader);
  files = NULL;
  CHECK(entries_in("root") == 1);
}

/* ---- options ---- */

static void test_options(void) {
  static const ld_option bad[][2] = {
      {{"path", ""}, {"durability", "none"}}, {{"path", "x"}, {"durability", "system"}},
      {{"path", "x"}, {"file_mode", "99"}},   {{"path", "x"}, {"file_mode", "1777"}},
      {{"path", "x"}, {"dir_mode", "rwx"}},   {{"path", "x"}, {"confine", "no"}},
      {{"path", "x"}, {"colour", "red"}}};
  ld_file_error error;
  ld_files *opened;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    error = (ld_file_error){0};
    CHECK(open_with(bad[i], 2, &opened, &error) == LD_FILE_INVALID);
    CHECK(strstr(error.text, "option") != NULL && access("x", F_OK) != 0);
  }
  put_file("file", "x");
  const ld_option taken[] = {{"path", at("file")}};
  CHECK(open_with(taken, 1, &opened, &error) == LD_FILE_NOT_A_DIRECTORY);
}

static void test_modes(void) {
  struct stat status;
  ld_files *opened;
  ld_file_error error;
  mode_t mask = umask(0);
  const ld_option options[] = {
      {"path", at("root/m/n")}, {"file_mode", "640"}, {"dir_mode", "0750"}};
  CHECK(open_with(options, 3, &opened, &error) == LD_FILE_OK);
  CHECK(ld_files_write(opened, LD_LITERAL("d/f"), LD_LITERAL("x"), 0) == LD_FILE_OK);
  umask(mask);
  CHECK(stat(at("root/m/n/d/f"), &status) == 0 && (status.st_mode & 0777) == 0640);
  CHECK(stat(at("root/m/n/d"), &status) == 0 && (status.st_mode & 0777) == 0750);
  CHECK(stat(at("root/m"), &status) == 0 && (status.st_mode & 0777) == 0750);
  ld_files_close(opened);
}

static void (*const tests[])(void) = {test_write_and_read,
                                      test_kinds_of_failure,
                                      test_delete,
                                      test_copy_and_move,
                                      test_move_onto_twin,
                                      test_failed_moves,
                                      test_remove_dir,
                                      test_remove_foreign_tree,
                                      test_escape_at_every_level,
                                      test_last_links,
                                      test_special_files,
                                      test_temporaries,
                                      test_leftovers_of_any_age,
                                      test_discard,
                                      test_close_order,
                                      test_options,
                                      test_modes};

static void test_all(const char *confine) {
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    begin(confine);
    tests[i]();
    end();
  }
}

int main(void) {
  test_all("kernel");
  test_all("parts");
  refused[0] = SYS_openat2;
  refused[1] = SYS_renameat2;
  test_all("kernel");
  CHECK(refusals > 100);
  return check_done("files_local");
}
