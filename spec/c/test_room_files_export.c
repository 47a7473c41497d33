/* test_room_files_export.c -- rooms written out: safe names, every file whole or not there, and back without loss. */
#include "failing_malloc.h"
#include "room_files_help.h"

ssize_t __real_write(int file, const void *data, size_t size);
int __real_fsync(int file);
int __real_renameat(int from, const char *old, int to, const char *name);
ssize_t __wrap_write(int file, const void *data, size_t size);
int __wrap_fsync(int file);
int __wrap_renameat(int from, const char *old, int to, const char *name);

ssize_t __wrap_write(int file, const void *data, size_t size) {
  if (fails_now() || is_interrupted()) return -1;
  return __real_write(file, data, crumbs && size > 7 ? 7 : size);
}

int __wrap_fsync(int file) { return fails_now() ? -1 : __real_fsync(file); }

int __wrap_renameat(int from, const char *old, int to, const char *name) {
  return fails_now() ? -1 : __real_renameat(from, old, to, name);
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
    good_calls = call;
    failure = code;
    rc = ld_room_export(txn, directory, &count);
    CHECK(rc == (good_calls < 0 ? want : LD_OK));
    good_calls = -1;
    CHECK(rc == LD_OK || strstr(store->error.text, strerror(code)) != NULL);
    CHECK(rc == LD_OK || strstr(store->error.text, directory) != NULL);
    const char *text = get_file("a.json");
    CHECK(strcmp(text, "{\n  \"roomName\": \"a\"\n}\n") == 0 ||
          (rc != LD_OK && strcmp(text, "old") == 0));
    CHECK(!is_there("b.json") || strcmp(get_file("b.json"), "{\n  \"roomName\": \"b\"\n}\n") == 0);
    CHECK(files_there() == (is_there("b.json") ? 2 : 1));
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

static void test_no_memory(void) {
  uint64_t count;
  long before, call = 0;
  begin();
  CHECK_RC(LD_OK, save(ROOM_A));
  CHECK_RC(LD_OK, save(ROOM_B));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  before = allocated;
  do {
    run_out_after(call++, true);
    ld_rc rc = ld_room_export(txn, directory, &count);
    refill();
    CHECK_RC(ran_out ? LD_NOMEM : LD_OK, rc);
    CHECK(files_there() <= 2);
    ld_rollback(txn); /* where memory runs out the transaction may be spoilt */
    CHECK_RC(LD_OK, ld_begin(store, true, &txn));
    CHECK(rooms() == 2);
  } while (ran_out);
  CHECK(call > 10 && allocated <= before + 3);
  end();
}

static void test_crumbs(void) {
  uint64_t count;
  begin();
  CHECK_RC(LD_OK, save("{\"roomName\":\"a\",\"n\":[1,2,3]}"));
  crumbs = true;
  CHECK_RC(LD_OK, ld_room_export(txn, directory, &count));
  crumbs = false;
  CHECK(strcmp(get_file("a.json"),
               "{\n  \"roomName\": \"a\",\n  \"n\": [\n    1,\n    2,\n    3\n  ]\n}\n") == 0);
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
  test_export();
  test_export_over();
  test_failing_export();
  test_no_memory();
  test_crumbs();
  test_round_trip();
  return check_done("room_files_export");
}
