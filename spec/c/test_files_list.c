/* test_files_list.c -- listings against a sorted list of what was made: random trees, prefixes, places to go on, and directories of
** more names than are kept at a time. */
#include <sys/wait.h>

#include "files_help.h"

enum { MOST = 40000 };

static char *made[MOST]; /* the paths of the files, sorted by sort_made */
static size_t count_made;
static uint32_t seed = 1;

static uint32_t draw(uint32_t most) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % most;
}

static void make(const char *path) {
  if (put(path, "", LD_FILE_NO_SYNC | LD_FILE_IF_ABSENT) == LD_FILE_OK)
    made[count_made++] = strdup(path);
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_made(void) { qsort(made, count_made, sizeof *made, by_bytes); }

static void forget(void) {
  for (size_t i = 0; i < count_made; i++) free(made[i]);
  count_made = 0;
}

/* Names around '/' in the order of bytes, so that "a-b", "a.b" and "a0" stand on both sides of "a/". */
static void make_random_path(char *path, size_t size) {
  static const char *const names[] = {"a", "a-b", "a.b", "a0", "b", "\xc3\xa9", "a b", "z"};
  unsigned parts = 1 + draw(4);
  path[0] = '\0';
  for (unsigned i = 0; i < parts; i++) {
    size_t used = strlen(path);
    snprintf(path + used, size - used, "%s%s", i > 0 ? "/" : "", names[draw(8)]);
  }
}

static bool is_wanted(const char *path, const char *begin, const char *after) {
  return strncmp(path, begin, strlen(begin)) == 0 && strcmp(path, after) > 0;
}

/* `begin`: dir and prefix put together. */
static void check_list(const char *dir, const char *prefix, const char *begin, const char *after) {
  ld_file_query query = {ld_text(dir), ld_text(prefix), ld_text(after), true, false};
  ld_file_lister *lister;
  ld_file_entry entry;
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  for (size_t i = 0; i < count_made; i++) {
    if (!is_wanted(made[i], begin, after)) continue;
    CHECK_FILE(LD_FILE_OK, ld_file_lister_next(lister, &entry));
    if (strcmp(entry.path, made[i]) != 0) fprintf(stderr, "%s, not %s\n", entry.path, made[i]);
    CHECK(strcmp(entry.path, made[i]) == 0);
  }
  CHECK(ld_file_lister_next(lister, &entry) == LD_FILE_NOT_FOUND);
  CHECK(ld_file_lister_next(lister, &entry) == LD_FILE_NOT_FOUND);
  ld_file_lister_close(lister);
}

static void test_random_trees(void) {
  char path[100];
  for (unsigned round = 0; round < 20; round++) {
    begin(round % 2 == 0 ? "kernel" : "parts");
    make("a/z");
    for (unsigned i = 0; i < 60; i++) {
      make_random_path(path, sizeof path);
      make(path);
    }
    sort_made();
    check_list("", "", "", "");
    check_list("a", "", "a/", "");
    check_list("a", "a", "a/a", "");
    check_list("", "a", "a", "");
    check_list("", "a/a", "a/a", "");
    check_list("", "a/", "a/", "");
    check_list("a", "a.b/a", "a/a.b/a", "");
    check_list("", "q", "q", "");
    for (unsigned i = 0; i < 30; i++) {
      make_random_path(path, sizeof path);
      check_list("", "", "", path);
      check_list("a", "", "a/", path);
      check_list("", "a", "a", path);
    }
    forget();
    end();
  }
}

/* Not recursive: what is in one directory, of any kind. */
static void test_one_level(void) {
  static const char *const want[] = {"d/a", "d/a-", "d/b", "d/l", "d/p"};
  static const ld_file_kind kinds[] = {LD_FILE_DIRECTORY, LD_FILE_REGULAR, LD_FILE_REGULAR,
                                       LD_FILE_LINK, LD_FILE_OTHER};
  ld_file_query query = {.dir = LD_LITERAL("d")};
  ld_file_lister *lister;
  ld_file_entry entry;
  begin("kernel");
  make("d/b"), make("d/a/x"), make("d/a-"), make("e"),
      make("d/.larder"); /* the last is no temporary */
  CHECK(unlink(at("root/d/.larder")) == 0);
  CHECK(symlink("b", at("root/d/l")) == 0 && mkfifo(at("root/d/p"), 0600) == 0);
  put_file("root/d/\xff", "no path has that name");
  put_file("root/d/.larder-1", "a temporary");
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  for (size_t i = 0; i < 5; i++) {
    CHECK_FILE(LD_FILE_OK, ld_file_lister_next(lister, &entry));
    CHECK(strcmp(entry.path, want[i]) == 0 && entry.info.kind == kinds[i]);
  }
  CHECK(ld_file_lister_next(lister, &entry) == LD_FILE_NOT_FOUND);
  ld_file_lister_close(lister);
  forget();
  end();
}

static void check_empty(const char *dir, const char *prefix) {
  ld_file_query query = {.dir = ld_text(dir), .prefix = ld_text(prefix)};
  ld_file_lister *lister;
  ld_file_entry entry;
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  CHECK(ld_file_lister_next(lister, &entry) == LD_FILE_NOT_FOUND);
  ld_file_lister_close(lister);
}

static void check_bad(const char *dir, const char *prefix, ld_file_rc want) {
  ld_file_query query = {.dir = ld_text(dir), .prefix = ld_text(prefix)};
  ld_file_lister *lister;
  CHECK_FILE(want, ld_file_lister_open(files, &query, &lister));
}

static void test_edges(void) {
  char prefix[301];
  begin("kernel");
  make("f");
  memset(prefix, 'f', 300);
  prefix[300] = '\0';
  check_empty("nobody", "");
  check_empty("no/body", "");
  check_empty("", "x/y");
  check_empty("", prefix);
  check_empty("", "..");
  check_bad("f", "", LD_FILE_NOT_A_DIRECTORY);
  check_bad("..", "", LD_FILE_INVALID_PATH);
  check_bad("", "../", LD_FILE_INVALID_PATH);
  check_bad("", "/etc/", LD_FILE_INVALID_PATH);
  check_bad("", "/", LD_FILE_INVALID_PATH);
  check_bad("a", "/b", LD_FILE_INVALID_PATH);
  check_bad("a", "b//c", LD_FILE_INVALID_PATH);
  check_bad("a/", "", LD_FILE_INVALID_PATH);
  forget();
  end();
}

/* What comes and goes meanwhile: what stays comes exactly once, what has gone does not. */
static void test_changes(void) {
  ld_file_query query = {.recursive = true};
  ld_file_lister *lister;
  ld_file_entry entry;
  char path[40];
  unsigned seen = 0;
  bool done;
  begin("kernel");
  for (unsigned i = 0; i < 100; i++) {
    snprintf(path, sizeof path, "d%02u/f", i);
    make(path);
  }
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  while (ld_file_lister_next(lister, &entry) == LD_FILE_OK) {
    unsigned number = (unsigned)atoi(entry.path + 1);
    CHECK(number % 2 == 0 || number == 1);
    seen++;
    for (unsigned i = 3; seen == 2 && i < 100;
         i += 2) { /* d00/f and d01/f were seen: the odd ones go */
      snprintf(path, sizeof path, "d%02u", i);
      CHECK_FILE(LD_FILE_OK, ld_files_remove_dir(files, ld_text(path), LD_FILE_RECURSIVE, &done));
    }
    if (seen == 10) CHECK_FILE(LD_FILE_OK, put("a/new", "", LD_FILE_NO_SYNC));
  }
  CHECK(seen == 51);
  ld_file_lister_close(lister);
  forget();
  end();
}

/* More than are kept at a time. */
#ifdef LD_LISTED_NAMES
enum { MANY = 100 * LD_LISTED_NAMES };
#else
enum { MANY = 20000 };
#endif

static unsigned walk(ld_file_lister *lister) {
  unsigned count = 0;
  ld_file_entry entry;
  while (ld_file_lister_next(lister, &entry) == LD_FILE_OK) count++;
  return count;
}

/* A listing that is under way in a fork's child and in its parent, at the same time. */
static void check_in_both(void) {
  ld_file_query query = {.recursive = true};
  ld_file_lister *lister;
  ld_file_entry entry;
  int status;
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  for (unsigned i = 0; i < MANY / 10 + 1; i++) /* all of d/, one of many/ */
    CHECK_FILE(LD_FILE_OK, ld_file_lister_next(lister, &entry));
  unsigned left = MANY - MANY / 10 - 1;
  pid_t pid = fork();
  if (pid == 0) _exit(walk(lister) == left ? 0 : 1);
  CHECK(walk(lister) == left);
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ld_file_lister_close(lister);
}

static void test_many(void) {
  char path[40];
  begin("kernel");
  for (unsigned i = 0; i < MANY; i++) {
    snprintf(path, sizeof path, "%s%u", i % 10 == 0 ? "d/" : "many/", i);
    char whole[60];
    snprintf(whole, sizeof whole, "root/%s", path);
    if (i < 10) make(path);
    if (i >= 10) {
      close(open(at(whole), O_WRONLY | O_CREAT, 0600));
      made[count_made++] = strdup(path);
    }
  }
  sort_made();
  check_list("", "", "", "");
  check_list("many", "", "many/", "");
  check_list("many", "1", "many/1", "many/1555");
  check_in_both();
  forget();
  end();
}

/* A directory that cannot be read is told, and the listing goes on behind it. */
static void test_unreadable(void) {
  static const char *const want[] = {"a/f", "c/f"};
  ld_file_query query = {.recursive = true};
  ld_file_lister *lister;
  ld_file_entry entry;
  unsigned failed = 0, seen = 0;
  ld_file_rc rc;
  begin("kernel");
  make("a/f"), make("b/f"), make("c/f");
  CHECK(chmod(at("root/b"), 0) == 0 && chmod(top, 0777) == 0);
  CHECK(geteuid() != 0 ||
        (chown(at("root"), 65534, 65534) == 0 && chown(at("root/a"), 65534, 65534) == 0 &&
         chown(at("root/c"), 65534, 65534) == 0 && seteuid(65534) == 0));
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  while (rc = ld_file_lister_next(lister, &entry), rc != LD_FILE_NOT_FOUND) {
    if (rc == LD_FILE_OK) CHECK(strcmp(entry.path, want[seen++]) == 0);
    if (rc != LD_FILE_OK)
      CHECK(rc == LD_FILE_PERMISSION && strcmp(ld_files_error(files)->path, "b") == 0);
    failed += rc != LD_FILE_OK;
  }
  CHECK(seen == 2 && failed == 1);
  ld_file_lister_close(lister);
  CHECK(seteuid(getuid()) == 0 && chmod(at("root/b"), 0700) == 0);
  forget();
  end();
}

int main(void) {
  if (access("/dev/shm", W_OK) == 0) place = "/dev/shm"; /* some thousand files come and go */
  test_random_trees();
  test_one_level();
  test_edges();
  test_changes();
  test_many();
  test_unreadable();
  return check_done("files_list");
}
