/* test_room_files.c -- rooms taken in from a directory: every problem told and nothing saved. */
#include "failing_malloc.h"
#include "room_files_help.h"

ssize_t __real_read(int file, void *data, size_t size);
ssize_t __wrap_read(int file, void *data, size_t size);

static void (*before_read)(void);

ssize_t __wrap_read(int file, void *data, size_t size) {
  if (before_read != NULL) before_read();
  if (fails_now() || is_interrupted()) return -1;
  return __real_read(file, data, crumbs && size > 7 ? 7 : size);
}

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

static const char *const problems[] = {
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
  const char *line = told;
  for (size_t i = 0; i < COUNT(problems); i++, line = strchr(line, '\n') + 1) {
    if (strncmp(line, problems[i], strlen(problems[i])) != 0) fprintf(stderr, "%s", line);
    CHECK(strncmp(line, problems[i], strlen(problems[i])) == 0);
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
  begin();
  put_file("one.json", ROOM_A);
  put_file("two.json", ROOM_B);
  crumbs = true;
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
    good_calls = call;
    CHECK_RC(LD_INVALID, import(false, &count));
    CHECK(strcmp(told, call < 2 ? "one.json:0:0: Input/output error\n"
                                : "two.json:0:0: Input/output error\n") == 0);
    CHECK(good_calls == -1 && rooms() == 0);
  }
  check_import(2);
  end();
}

/* The Nth allocation fails, for every N: no memory is the answer, and nothing is kept of it. */
static void test_no_memory(void) {
  uint64_t count;
  begin();
  put_file("one.json", ROOM_A);
  put_file("two.json", ROOM_B);
  long before = allocated, call = 0;
  do {
    ld_txn *nested, *outer = txn;
    CHECK_RC(LD_OK, ld_begin_nested(outer, &nested));
    txn = nested;
    run_out_after(call++, true);
    ld_rc rc = import(false, &count);
    refill();
    CHECK_RC(ran_out ? LD_NOMEM : LD_OK, rc);
    CHECK(told[0] == '\0');
    ld_rollback(nested);
    txn = outer;
    CHECK(rooms() == 0);
  } while (ran_out);
  CHECK(call > 10 && allocated <= before + 3); /* what an engine keeps for later */
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

int main(void) {
  test_import();
  test_import_link();
  test_import_replaces();
  test_problems();
  test_no_directory();
  test_crumbs();
  test_failing_reads();
  test_no_memory();
  test_big_directory();
  return check_done("room_files");
}
