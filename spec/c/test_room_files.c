/* test_room_files.c -- rooms taken in from a directory and written out: every problem told and nothing saved, every file whole or not there.
**
** read, write, fsync and renameat go through this file, which makes them short, interrupted or failing. */
#include "../../csrc/room_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../csrc/json.h"
#include "../../csrc/store.h"
#include "../../csrc/value.h"
#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- the system, as the test wants it ---- */

ssize_t __real_read(int file, void *data, size_t size);
ssize_t __real_write(int file, const void *data, size_t size);
int __real_fsync(int file);
int __real_renameat(int from, const char *old, int to, const char *name);
ssize_t __wrap_read(int file, void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
int __wrap_fsync(int file);
int __wrap_renameat(int from, const char *old, int to, const char *name);

static long calls_left = -1; /* until one fails; -1: none does */
static int failure;          /* errno of that one */
static bool crumbs;          /* reads and writes of 7 bytes at most, every third interrupted */
static void (*before_read)(void);

static bool fails_now(void) {
  if (calls_left < 0 || calls_left-- > 0) return false;
  errno = failure;
  return true;
}

static bool is_interrupted(void) {
  static unsigned calls;
  errno = EINTR;
  return crumbs && ++calls % 3 == 0;
}

ssize_t __wrap_read(int file, void *data, size_t size) {
  if (before_read != NULL) before_read();
  if (fails_now() || is_interrupted()) return -1;
  return __real_read(file, data, crumbs && size > 7 ? 7 : size);
}

ssize_t __wrap_write(int file, const void *data, size_t size) {
  if (fails_now() || is_interrupted()) return -1;
  return __real_write(file, data, crumbs && size > 7 ? 7 : size);
}

int __wrap_fsync(int file) { return fails_now() ? -1 : __real_fsync(file); }

int __wrap_renameat(int from, const char *old, int to, const char *name) {
  return fails_now() ? -1 : __real_renameat(from, old, to, name);
}

/* ---- a directory and a store ---- */

static char directory[64];
static ld_engine *store;
static ld_txn *txn;
static char told[4000]; /* the problems, each a line */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

static void open_store(void) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
}

static void begin(void) {
  strcpy(directory, "/tmp/larder-test-XXXXXX");
  CHECK(mkdtemp(directory) != NULL);
  open_store();
}

static void end(void) {
  ld_rollback(txn);
  ld_engine_close(store);
  CHECK(nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static const char *path_of(const char *name) {
  static char path[400];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

static void put_file(const char *name, const char *text) {
  FILE *file = fopen(path_of(name), "w");
  CHECK(file != NULL);
  CHECK(fputs(text, file) >= 0 && fclose(file) == 0);
}

static char *get_file(const char *name) {
  static char text[4000];
  FILE *file = fopen(path_of(name), "r");
  CHECK(file != NULL);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static bool is_there(const char *name) {
  struct stat info;
  return lstat(path_of(name), &info) == 0;
}

static unsigned files_there(void) {
  unsigned count = 0;
  DIR *opened = opendir(directory);
  CHECK(opened != NULL);
  while (readdir(opened) != NULL) count++;
  closedir(opened);
  return count - 2;
}

static void note(void *context, const char *file, unsigned line, unsigned column,
                 const char *text) {
  size_t used = strlen(told);
  CHECK(context == &store);
  snprintf(told + used, sizeof told - used, "%s:%u:%u: %s\n", file, line, column, text);
}

static ld_rc import(bool replace, uint64_t *count) {
  told[0] = '\0';
  return ld_room_import(txn, directory, replace, note, &store, count);
}

static void check_import(uint64_t want) {
  uint64_t count = 99;
  ld_rc rc = import(false, &count);
  if (rc != LD_OK) fprintf(stderr, "%s\n%s", store->error.text, told);
  CHECK_RC(LD_OK, rc);
  CHECK(count == want);
  CHECK(told[0] == '\0');
}

static ld_rc save(const char *json) {
  ld_buf document = {0};
  CHECK_RC(LD_OK, ld_json_parse(ld_text(json), &document, NULL));
  ld_rc rc = ld_room_save(txn, ld_buf_slice(&document));
  ld_buf_clear(&document);
  return rc;
}

static void check_room(ld_slice name, const char *json) {
  ld_buf document = {0}, text = {0};
  CHECK_RC(LD_OK, ld_room_get(txn, name, LD_ROOM_WHOLE, &document));
  CHECK_RC(LD_OK, ld_json_print(ld_buf_slice(&document), false, &text, NULL));
  CHECK(ld_equal(ld_buf_slice(&text), ld_text(json)));
  ld_buf_clear(&document);
  ld_buf_clear(&text);
}

static uint64_t rooms(void) {
  ld_room_stats stats;
  CHECK_RC(LD_OK, ld_room_stat(txn, &stats));
  return stats.rooms;
}

/* ---- file names ---- */

static void check_name(ld_slice name, const char *want) {
  ld_buf file = {0};
  ld_room_file_name(name, &file);
  if (!ld_equal(ld_buf_slice(&file), ld_text(want)))
    fprintf(stderr, "%.*s\n", (int)file.size, (const char *)file.data);
  CHECK(ld_equal(ld_buf_slice(&file), ld_text(want)));
  ld_buf_clear(&file);
}

static void test_file_names(void) {
  char name[300], want[300];
  check_name(ld_text("lobby"), "lobby.json");
  check_name(ld_text("Az09_-"), "Az09_-.json");
  check_name(ld_text("a.b."), "a.b..json");
  check_name(ld_text("."), "%2E.json");
  check_name(ld_text(".."), "%2E..json");
  check_name(ld_text("../x"), "%2E.%2Fx.json");
  check_name(ld_text("~%/\\ "), "%7E%25%2F%5C%20.json");
  check_name(ld_text("gr\xc3\xbc\xc3\x9f"), "gr%C3%BC%C3%9F.json");
  check_name(ld_bytes("a\0\xff", 3), "a%00%FF.json");
  memset(name, 'n', sizeof name);
  snprintf(want, sizeof want, "%.195s.json", name);
  check_name(ld_bytes(name, 195), want);
  snprintf(want, sizeof want, "%.162s~165abb3d956a3f4564bfda4dd39e2c5d.json", name);
  check_name(ld_bytes(name, 196), want);
}

/* The cut never leaves half of an escape behind. */
static void test_cut_names(void) {
  static const char *const hashes[] = {"16f54af15c2a766199d8061083912b69",
                                       "d3b3fa63ce2e8548d219dece528771d0",
                                       "e2af480afa712a007cc7d45780dda4ee"};
  char name[120] = "ab", want[300];
  memset(name + 2, 0xff, sizeof name - 2);
  for (size_t plain = 0; plain <= 2; plain++) {
    size_t escapes = (162 - plain) / 3;
    int used = snprintf(want, sizeof want, "%.*s", (int)plain, "ab");
    for (; escapes > 0; escapes--)
      used += snprintf(want + used, sizeof want - (size_t)used, "%%FF");
    snprintf(want + used, sizeof want - (size_t)used, "~%s.json", hashes[plain]);
    memmove(name, "ab", plain);
    memset(name + plain, 0xff, 100);
    check_name(ld_bytes(name, plain + 100), want);
  }
}

/* ---- import ---- */

#define ROOM_A                                                                                     \
  "{\"roomName\":\"a\",\"ratings\":{\"m\":[[\"u\",\"like\",1]]},\"userProgress\":{\"u\":1}}"
#define ROOM_B "{\"roomName\":\"b\"}"

static void test_import(void) {
  begin();
  check_import(0);
  put_file("one.json", ROOM_A);
  put_file("two.json", "\xef\xbb\xbf" ROOM_B "\n");
  put_file(".hidden.json", "no JSON");
  put_file(".json", "no JSON");
  put_file("three.JSON", "no JSON");
  put_file("json", "no JSON");
  put_file("four.json.bak", "no JSON");
  CHECK(mkdir(path_of("folder.json"), 0700) == 0);
  CHECK(symlink("folder.json", path_of("linked-folder.json")) == 0);
  check_import(2);
  check_room(ld_text("a"), ROOM_A);
  check_room(ld_text("b"), ROOM_B);
  CHECK(rooms() == 2);
  end();
}

static void test_import_link(void) {
  begin();
  put_file("elsewhere", ROOM_A);
  CHECK(symlink("elsewhere", path_of("link.json")) == 0);
  check_import(1);
  check_room(ld_text("a"), ROOM_A);
  end();
}

static void test_import_replaces(void) {
  uint64_t count = 7;
  begin();
  CHECK_RC(LD_OK, save("{\"roomName\":\"a\",\"ratings\":{\"x\":[[\"u\",\"like\",1]]}}"));
  put_file("one.json", ROOM_A);
  put_file("two.json", ROOM_B);
  CHECK_RC(LD_INVALID, import(false, &count));
  CHECK(strcmp(told, "one.json:0:0: room \"a\" is in the store already\n") == 0);
  CHECK(count == 7 && rooms() == 1);
  CHECK_RC(LD_OK, import(true, &count));
  CHECK(count == 2);
  check_room(ld_text("a"), ROOM_A);
  end();
}

/* Every problem of every file, in order of the file names; then those of one room, in order of the rooms. */
static void test_problems(void) {
  uint64_t count = 7;
  begin();
  put_file("01.json", "");
  put_file("02.json", "{\n  \"roomName\": x\n}");
  put_file("03.json", "{\"roomName\": \"c\"} {}");
  put_file("04.json", "[]");
  put_file("05.json", "{\"ratings\": {}}");
  put_file("06.json", "{\"roomName\": \"c\", \"ratings\": {\"m\": [[\"u\", \"meh\", 1]]}}");
  put_file("07.json", ROOM_B);
  put_file("08.json", ROOM_A);
  put_file("09.json", ROOM_B);
  put_file("10.json", ROOM_A);
  put_file("11.json", ROOM_A);
  put_file("Z.json", "{\"roomName\": \"\"}");
  CHECK(symlink("nowhere", path_of("12.json")) == 0);
  CHECK(mkfifo(path_of("13.json"), 0600) == 0);
  put_file("14.json", "");
  CHECK(truncate(path_of("14.json"), ((off_t)1 << 30) + 1) == 0);
  CHECK_RC(LD_INVALID, import(false, &count));
  static const char *const begins[] = {
      "01.json:1:1: ",
      "02.json:2:15: ",
      "03.json:1:19: ",
      "04.json:0:0: expected a room, a map with roomName, got an array\n",
      "05.json:0:0: roomName: is missing\n",
      "06.json:0:0: ratings.m[1][2]: expected \"like\" or \"dislike\", got \"meh\"\n",
      "12.json:0:0: No such file or directory\n",
      "13.json:0:0: is no regular file\n",
      "14.json:0:0: has more than 1 GiB\n",
      "Z.json:0:0: roomName: is empty\n",
      "10.json:0:0: room \"a\" is in \"08.json\" as well\n",
      "11.json:0:0: room \"a\" is in \"08.json\" as well\n",
      "09.json:0:0: room \"b\" is in \"07.json\" as well\n"};
  const char *line = told;
  for (size_t i = 0; i < COUNT(begins); i++, line = strchr(line, '\n') + 1) {
    if (strncmp(line, begins[i], strlen(begins[i])) != 0) fprintf(stderr, "%s", line);
    CHECK(strncmp(line, begins[i], strlen(begins[i])) == 0);
  }
  CHECK(*line == '\0');
  CHECK(count == 7 && rooms() == 0);
  CHECK(strstr(store->error.text, "13 problems in 15 files") != NULL);
  CHECK(strstr(store->error.text, "\"01.json\": ") != NULL);
  CHECK(strstr(store->error.text, directory) != NULL);
  CHECK_RC(LD_INVALID, ld_room_import(txn, directory, false, NULL, NULL, &count));
  CHECK_RC(LD_OK, save(ROOM_A)); /* the transaction goes on */
  end();
}

static void test_no_directory(void) {
  uint64_t count = 7;
  begin();
  put_file("file", "");
  static const char *const names[] = {"missing", "file", "file/below"};
  for (size_t i = 0; i < COUNT(names); i++) {
    CHECK_RC(LD_INVALID, ld_room_import(txn, path_of(names[i]), false, note, &store, &count));
    CHECK(strstr(store->error.text, path_of(names[i])) != NULL);
    CHECK(strstr(store->error.text, i == 0 ? "No such file" : "Not a directory") != NULL);
  }
  CHECK_RC(LD_INVALID, ld_room_import(txn, "", false, note, &store, &count));
  CHECK(count == 7);
  end();
}

static void test_crumbs(void) {
  uint64_t count;
  begin();
  crumbs = true;
  CHECK_RC(LD_OK, save(ROOM_A));
  CHECK_RC(LD_OK, save(ROOM_B));
  CHECK_RC(LD_OK, ld_room_export(txn, directory, &count));
  CHECK_RC(LD_OK, ld_room_delete(txn, ld_text("a")));
  CHECK_RC(LD_OK, ld_room_delete(txn, ld_text("b")));
  check_import(2);
  crumbs = false;
  check_room(ld_text("a"), ROOM_A);
  check_room(ld_text("b"), ROOM_B);
  end();
}

static void test_failing_reads(void) {
  uint64_t count;
  begin();
  put_file("one.json", ROOM_A);
  put_file("two.json", ROOM_B);
  failure = EIO;
  for (long call = 0; call < 4; call++) {
    calls_left = call;
    CHECK_RC(LD_INVALID, import(false, &count));
    CHECK(strcmp(told, call < 2 ? "one.json:0:0: Input/output error\n"
                                : "two.json:0:0: Input/output error\n") == 0);
    CHECK(calls_left == -1 && rooms() == 0);
  }
  check_import(2);
  end();
}

/* ---- more than is kept between the passes ---- */

/* A file of 8 MiB. */
static void put_big_file(const char *name, const char *room) {
  FILE *file = fopen(path_of(name), "w");
  CHECK(file != NULL);
  fprintf(file, "{\"roomName\":\"%s\",\"pad\":\"", room);
  for (int i = 0; i < 8 << 20; i += 64)
    fputs("0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr", file);
  CHECK(fputs("\"}", file) >= 0 && fclose(file) == 0);
}

static int reads;
static void change_third(void) {
  if (++reads == 7) put_file("3.json", "{\"roomName\":\"other\"}");
}
static void spoil_third(void) {
  if (++reads == 7) put_file("3.json", "{");
}

/* Two reads a file; the seventh is the second pass over the third file, whose document was not kept. */
static void check_changed(void (*change)(void), const char *problem) {
  uint64_t count = 7;
  put_big_file("3.json", "three");
  open_store();
  reads = 0;
  before_read = change;
  CHECK_RC(LD_INVALID, import(false, &count));
  before_read = NULL;
  CHECK(strncmp(told, problem, strlen(problem)) == 0);
  CHECK(strstr(store->error.text, "changed") != NULL);
  CHECK_RC(LD_INVALID, ld_commit(txn)); /* half is never kept */
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK(rooms() == 0 && count == 7);
  ld_rollback(txn);
  ld_engine_close(store);
}

static void test_big_directory(void) {
  begin();
  put_big_file("1.json", "one");
  put_big_file("2.json", "two");
  put_big_file("3.json", "three");
  check_import(3);
  CHECK(rooms() == 3);
  CHECK_RC(LD_OK, ld_room_has(txn, ld_text("three")));
  ld_rollback(txn);
  ld_engine_close(store);
  check_changed(change_third, "3.json:0:0: holds another room");
  check_changed(spoil_third, "3.json:1:2: ");
  open_store();
  end();
}

/* ---- export ---- */

static void test_export(void) {
  struct stat info;
  uint64_t count = 7;
  char below[100];
  begin();
  mode_t mask = umask(0);
  snprintf(below, sizeof below, "%s/x/y/", directory);
  CHECK_RC(LD_OK, ld_room_export(txn, below, &count));
  CHECK(count == 0);
  CHECK(stat(path_of("x/y"), &info) == 0 && (info.st_mode & 0777) == 0700);
  CHECK_RC(LD_OK, save(ROOM_A));
  CHECK_RC(LD_OK, save("{\"roomName\":\"../b\",\"filters\":[]}"));
  CHECK_RC(LD_OK, ld_room_export(txn, below, &count));
  umask(mask);
  CHECK(count == 2);
  CHECK(stat(path_of("x/y/a.json"), &info) == 0 && (info.st_mode & 0777) == 0600);
  CHECK(strcmp(get_file("x/y/%2E.%2Fb.json"),
               "{\n  \"roomName\": \"../b\",\n  \"filters\": []\n}\n") == 0);
  CHECK(files_there() == 1);
  end();
}

/* What is there already: a file is replaced, a link too and not what it leads to; others stay, also a temporary one of this name. */
static void test_export_over(void) {
  uint64_t count;
  char temporary[60];
  begin();
  snprintf(temporary, sizeof temporary, ".b.json.tmp-%ld", (long)getpid());
  put_file(temporary, "stale");
  put_file("a.json", "old");
  put_file("c.json", "other");
  CHECK(symlink("c.json", path_of("b.json")) == 0);
  CHECK_RC(LD_OK, save("{\"roomName\":\"a\"}"));
  CHECK_RC(LD_OK, save(ROOM_B));
  CHECK_RC(LD_OK, ld_room_export(txn, directory, &count));
  CHECK(strcmp(get_file("a.json"), "{\n  \"roomName\": \"a\"\n}\n") == 0);
  CHECK(strcmp(get_file("b.json"), "{\n  \"roomName\": \"b\"\n}\n") == 0);
  CHECK(strcmp(get_file("c.json"), "other") == 0);
  CHECK(strcmp(get_file(temporary), "stale") == 0);
  CHECK(files_there() == 4);
  CHECK_RC(LD_INVALID, ld_room_export(txn, path_of("c.json"), &count));
  CHECK(strstr(store->error.text, "c.json\": Not a directory") != NULL);
  CHECK_RC(LD_INVALID, ld_room_export(txn, path_of("c.json/x"), &count));
  CHECK_RC(LD_INVALID, ld_room_export(txn, "", &count));
  end();
}

/* The Nth call fails, for every N: each file is the old one or the new one, and no temporary is left. */
static void check_failing(int code, ld_rc want) {
  uint64_t count;
  ld_rc rc = LD_IO;
  for (long call = 0; rc != LD_OK; call++) {
    put_file("a.json", "old");
    calls_left = call;
    failure = code;
    rc = ld_room_export(txn, directory, &count);
    CHECK(rc == (calls_left < 0 ? want : LD_OK));
    calls_left = -1;
    CHECK(rc == LD_OK || strstr(store->error.text, strerror(code)) != NULL);
    CHECK(rc == LD_OK || strstr(store->error.text, directory) != NULL);
    const char *text = get_file("a.json");
    CHECK(strcmp(text, "{\n  \"roomName\": \"a\"\n}\n") == 0 ||
          (rc != LD_OK && strcmp(text, "old") == 0));
    CHECK(!is_there("b.json") || strcmp(get_file("b.json"), "{\n  \"roomName\": \"b\"\n}\n") == 0);
    CHECK(files_there() == 1 + is_there("b.json"));
    CHECK((call == 7) == (rc == LD_OK)); /* write, fsync, rename, twice; the directory's fsync */
    if (is_there("b.json")) CHECK(unlink(path_of("b.json")) == 0);
  }
}

static void test_failing_export(void) {
  begin();
  CHECK_RC(LD_OK, save("{\"roomName\":\"a\"}"));
  CHECK_RC(LD_OK, save(ROOM_B));
  check_failing(ENOSPC, LD_FULL);
  check_failing(EDQUOT, LD_FULL);
  check_failing(EFBIG, LD_FULL);
  check_failing(EIO, LD_IO);
  end();
}

/* ---- there and back ---- */

static const struct {
  const char *name;
  size_t size;
} odd_names[] = {{"a", 1},   {"A", 1},     {".", 1},      {"..", 2},       {"...", 3},
                 {"a/b", 3}, {"a%2Fb", 5}, {"\0", 1},     {"\0\0", 2},     {"\xff", 1},
                 {"%", 1},   {"~", 1},     {"a.json", 6}, {"\xc3\xa9", 2}, {"e\xcc\x81", 3},
                 {" ", 1},   {"\n", 1},    {"-rf", 3}};

enum { ROOMS = COUNT(odd_names) + 3 };

static void write_room(ld_slice name, ld_buf *document) {
  ld_buf_reset(document);
  ld_write_map(document, 2);
  ld_write_text(document, "roomName");
  ld_write_string(document, name);
  ld_write_text(document, "n");
  ld_write_float(document, 1.0);
}

static void name_of(size_t i, char *long_name, ld_slice *name) {
  if (i < COUNT(odd_names)) {
    *name = ld_bytes(odd_names[i].name, odd_names[i].size);
    return;
  }
  memset(long_name, 'x', 1023); /* alike but for their ends */
  long_name[1022] = (char)('a' + i);
  *name = ld_bytes(long_name, 1023);
}

/* All rooms of the store, as JSON, one behind the other. */
static void print_rooms(ld_buf *text) {
  char long_name[1023];
  ld_buf document = {0};
  ld_slice name;
  for (size_t i = 0; i < ROOMS; i++) {
    ld_buf_reset(&document);
    name_of(i, long_name, &name);
    CHECK_RC(LD_OK, ld_room_get(txn, name, LD_ROOM_WHOLE, &document));
    CHECK_RC(LD_OK, ld_json_print(ld_buf_slice(&document), false, text, NULL));
  }
  ld_buf_clear(&document);
}

static void test_round_trip(void) {
  char long_name[1023];
  ld_buf document = {0}, before = {0}, after = {0};
  ld_slice name;
  uint64_t count;
  begin();
  for (size_t i = 0; i < ROOMS; i++) {
    name_of(i, long_name, &name);
    write_room(name, &document);
    CHECK_RC(LD_OK, ld_room_save(txn, ld_buf_slice(&document)));
  }
  print_rooms(&before);
  CHECK_RC(LD_OK, ld_room_export(txn, directory, &count));
  CHECK(count == ROOMS && files_there() == ROOMS);
  ld_rollback(txn);
  ld_engine_close(store);
  open_store();
  check_import(ROOMS);
  print_rooms(&after);
  CHECK(before.size > 3 * 1023 && ld_equal(ld_buf_slice(&before), ld_buf_slice(&after)));
  ld_buf_clear(&document);
  ld_buf_clear(&before);
  ld_buf_clear(&after);
  end();
}

int main(void) {
  test_file_names();
  test_cut_names();
  test_import();
  test_import_link();
  test_import_replaces();
  test_problems();
  test_no_directory();
  test_crumbs();
  test_failing_reads();
  test_big_directory();
  test_export();
  test_export_over();
  test_failing_export();
  test_round_trip();
  return check_done("room_files");
}
