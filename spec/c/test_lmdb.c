/* test_lmdb.c -- the LMDB engine: options, sharing, one writer, growth, borrowed bytes, readers. */
#include <pthread.h>

#include "lmdb_help.h"

/* ---- options ---- */

static void refuses(const char *name, const char *value, const char *word) {
  ld_engine *engine = NULL;
  CHECK_RC(LD_INVALID, open_with(in_folder("x"), &engine, OPTIONS(name, value)));
  CHECK(engine == NULL && strstr(failure.text, word) != NULL);
  CHECK(access(in_folder("x"), F_OK) != 0);
}

static void test_options(void) {
  ld_engine *engine = NULL;
  new_folder();
  refuses("durabilty", "commit", "durability");
  refuses("durability", "sometimes", "sometimes");
  refuses("map_size", "much", "map_size");
  refuses("map_size", "4", "map_size");
  refuses("map_size", "16000000TiB", "map_size");
  refuses("readers", "0", "readers");
  refuses("check_on_open", "-1", "check_on_open");
  refuses("read_only", "yes", "read_only");
  CHECK_RC(LD_INVALID, open_with("", &engine, NULL));
  CHECK_RC(LD_INVALID, open_with(in_folder("x"), &engine, OPTIONS("read_only", "true")) == LD_OK
                           ? LD_OK
                           : LD_INVALID);
  CHECK(access(in_folder("x"), F_OK) != 0);
  close(open(in_folder("file"), O_CREAT | O_WRONLY, 0600));
  CHECK(open_with(in_folder("file"), &engine, NULL) != LD_OK);
  CHECK(open_with(in_folder("file/below"), &engine, NULL) == LD_IO);
  CHECK(ld_lmdb_problem() == NULL);
}

static void test_folders(void) {
  struct stat status;
  new_folder();
  ld_engine *engine = open_store(in_folder("a/b//c/"));
  CHECK(stat(in_folder("a/b/c/data.mdb"), &status) == 0 && (status.st_mode & 0777) == 0600 &&
        status.st_nlink == 1);
  CHECK(stat(in_folder("a/b"), &status) == 0 && (status.st_mode & 0777) == 0700);
  CHECK(has(engine, FIRST_KEY, "the first row"));
  CHECK_RC(LD_OK, write_one(engine, "k", "v"));
  ld_engine_close(engine);
  CHECK_RC(LD_OK, open_with(in_folder("a/b/c"), &engine, OPTIONS("read_only", "true")));
  CHECK(has(engine, "k", "v"));
  CHECK_RC(LD_MISUSE, write_one(engine, "k", "w"));
  CHECK_RC(LD_OK, ld_sync(engine));
  CHECK(findings_of(engine) == 0);
  ld_engine_close(engine);
}

/* ---- sharing ---- */

static void test_sharing(void) {
  static const char *const names[] = {"s", "./s", "link", "s/../s", "hard"};
  ld_engine *first, *other, *more[5];
  char cwd[256];
  new_folder();
  CHECK(getcwd(cwd, sizeof cwd) != NULL && chdir(folder) == 0);
  first = open_store("s");
  CHECK(symlink("s", "link") == 0 && mkdir("hard", 0700) == 0 &&
        link("s/data.mdb", "hard/data.mdb") == 0);
  for (size_t i = 0; i < 5; i++) more[i] = open_store(names[i]);
  CHECK(chdir("/") == 0);
  CHECK_RC(LD_OK, write_one(more[1], "k", "v"));
  for (size_t i = 0; i < 5; i++) CHECK(has(more[i], "k", "v"));
  CHECK_RC(LD_INVALID, open_with(in_folder("s"), &other, OPTIONS("durability", "system")));
  CHECK(strstr(failure.text, "durability") != NULL);
  CHECK_RC(LD_INVALID,
           open_with(in_folder("s"), &other, OPTIONS("durability", "none", "map_size", "1GiB")));
  CHECK(strstr(failure.text, "map_size") != NULL);
  CHECK_RC(LD_INVALID,
           open_with(in_folder("s"), &other, OPTIONS("durability", "none", "readers", "7")));
  for (size_t i = 0; i < 5; i++) ld_engine_close(more[i]);
  CHECK_RC(LD_OK, write_one(first, "k", "w"));
  ld_engine_close(first);
  CHECK_RC(LD_OK, open_with(in_folder("s"), &other, OPTIONS("durability", "system")));
  CHECK(has(other, "k", "w"));
  CHECK(rename(in_folder("s/data.mdb"), in_folder("old")) == 0);
  CHECK(open_with(in_folder("s"), &first, OPTIONS("durability", "system")) == LD_INVALID);
  CHECK(strstr(failure.text, "replaced") != NULL);
  ld_engine_close(other);
  CHECK(chdir(cwd) == 0);
}

static void test_one_writer(void) {
  ld_txn *one, *two, *reader;
  new_folder();
  ld_engine *a = open_store(folder), *b = open_store(folder);
  CHECK_RC(LD_OK, ld_begin(a, true, &one));
  CHECK_RC(LD_MISUSE, ld_begin(a, true, &two));
  CHECK_RC(LD_MISUSE, ld_begin(b, true, &two));
  CHECK_RC(LD_OK, ld_begin(b, false, &reader));
  CHECK_RC(LD_OK, put_row(one, ld_text("k"), ld_text("v")));
  CHECK_RC(LD_OK, ld_commit(one));
  CHECK_RC(LD_OK, ld_begin(b, true, &two));
  ld_slice value;
  CHECK_RC(LD_NOTFOUND, ld_get(reader, ld_text("k"), &value));
  CHECK_RC(LD_OK, ld_get(two, ld_text("k"), &value));
  ld_rollback(two);
  ld_rollback(reader);
  CHECK_RC(LD_OK, write_one(a, "k", "w"));
  ld_engine_close(a);
  ld_engine_close(b);
}

enum { THREADS = 4, ROUNDS = 200 };

/* Each adds to one counter; a second writer waits for the first. */
static void *add_many(void *context) {
  ld_engine *engine = open_store(context);
  for (int i = 0; i < ROUNDS; i++) {
    ld_txn *txn;
    ld_slice value;
    uint64_t count = 0;
    CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
    if (ld_get(txn, ld_text("count"), &value) == LD_OK)
      memcpy(&count, value.data + 4, sizeof count);
    count++;
    CHECK_RC(LD_OK, put_row(txn, ld_text("count"), ld_bytes(&count, sizeof count)));
    CHECK_RC(LD_OK, ld_commit(txn));
  }
  ld_engine_close(engine);
  return NULL;
}

static void add_in_child(void *context) { add_many(context); }

static uint64_t counter(ld_engine *engine) {
  ld_txn *txn;
  ld_slice value;
  uint64_t count;
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  CHECK_RC(LD_OK, ld_get(txn, ld_text("count"), &value));
  memcpy(&count, value.data + 4, sizeof count);
  ld_rollback(txn);
  return count;
}

static void test_many_writers(void) {
  pthread_t threads[THREADS];
  pid_t children[THREADS];
  new_folder();
  for (int i = 0; i < THREADS; i++)
    if ((children[i] = fork()) == 0) {
      alarm(60);
      add_in_child(folder);
      _exit(0);
    }
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, add_many, folder) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < THREADS; i++) {
    int status;
    CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
  }
  ld_engine *engine = open_store(folder);
  CHECK(counter(engine) == 2 * THREADS * ROUNDS);
  CHECK(findings_of(engine) == 0);
  ld_engine_close(engine);
}

/* ---- growth ---- */

static const char *const small_map[] = {"durability", "none", "map_size", "128KiB", NULL};

static void test_growth(void) {
  ld_engine *engine, *other;
  ld_txn *reader;
  new_folder();
  CHECK_RC(LD_OK, open_with(folder, &engine, small_map));
  CHECK(limit_of(engine) == 128 << 10);
  for (int i = 0; i < 200; i++) CHECK_RC(LD_OK, write_big(engine, i, 5000));
  CHECK(limit_of(engine) >= 1 << 20);
  CHECK_RC(LD_OK, open_with(folder, &other, small_map));
  CHECK_RC(LD_OK, ld_begin(other, false, &reader));
  CHECK_RC(LD_FULL, write_big(engine, 999, 64 << 20));
  CHECK(!failure.retry &&
        strstr(failure.text, "map_size") != NULL);     /* it would be in the way again */
  CHECK_RC(LD_FULL, write_big(engine, 999, 64 << 20)); /* a reader of this process is in the way */
  ld_rollback(reader);
  CHECK_RC(LD_OK, write_big(engine, 999, 64 << 20)); /* so much room is made at once */
  CHECK(findings_of(engine) == 0);
  ld_engine_close(other);
  ld_engine_close(engine);
}

static void grow_it(void *context) {
  ld_engine *engine;
  (void)context;
  CHECK_RC(LD_OK, open_with(folder, &engine, small_map));
  for (int i = 0; i < 100; i++) CHECK_RC(LD_OK, write_big(engine, i, 20000));
  ld_engine_close(engine);
}

static void test_growth_by_another(void) {
  ld_engine *engine;
  ld_txn *reader, *late;
  ld_slice value;
  new_folder();
  CHECK_RC(LD_OK, open_with(folder, &engine, small_map));
  CHECK(has(engine, "none", NULL));
  CHECK(in_child(grow_it, NULL));
  CHECK(has(engine, FIRST_KEY, "the first row")); /* with the kept transaction */
  CHECK(limit_of(engine) >= 2 << 20);
  ld_engine_close(engine);
  new_folder();
  CHECK_RC(LD_OK, open_with(folder, &engine, small_map));
  CHECK_RC(LD_OK, ld_begin(engine, false, &reader));
  CHECK(in_child(grow_it, NULL));
  CHECK_RC(LD_BUSY, ld_begin(engine, false, &late));
  CHECK(engine->error.retry);
  CHECK_RC(LD_BUSY, ld_begin(engine, true, &late));
  CHECK_RC(LD_NOTFOUND, ld_get(reader, ld_text("big000001"), &value));
  ld_rollback(reader);
  CHECK_RC(LD_OK, write_one(engine, "k", "v"));
  CHECK(findings_of(engine) == 0);
  ld_engine_close(engine);
}

/* Where address space is short, the map begins smaller, and what does not fit is FULL. */
static void use_little_space(void *context) {
  struct rlimit limit = {256 << 20, 256 << 20};
  ld_engine *engine;
  (void)context;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
  CHECK_RC(LD_OK, open_with(folder, &engine, OPTIONS("durability", "none")));
  CHECK(limit_of(engine) >= 16 << 20 && limit_of(engine) < 256 << 20);
  CHECK_RC(LD_OK, write_big(engine, 1, 1 << 20));
  ld_rc rc = LD_OK;
  for (int i = 0; rc == LD_OK && i < 100; i++) rc = write_big(engine, i, 8 << 20);
  CHECK_RC(LD_FULL, rc);
  CHECK_RC(LD_OK, write_one(engine, "k", "v"));
  CHECK(has(engine, "k", "v") && has(engine, FIRST_KEY, "the first row"));
  ld_engine_close(engine);
}

/* Sanitizers and valgrind take more address space for themselves than we would leave. */
static bool can_limit_space(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  bool read = file != NULL && fscanf(file, "%lu", &pages) == 1;
  if (file != NULL) fclose(file);
  return read && pages < (128 << 20) / 4096;
}

static void test_little_space(void) {
  if (!can_limit_space()) return;
  new_folder();
  CHECK(in_child(use_little_space, NULL));
}

/* ---- rows and cursors where liblmdb has its own ideas ---- */

static void test_borrowed_put(void) {
  ld_txn *txn;
  ld_slice value, key;
  ld_cursor *cursor;
  char name[32];
  new_folder();
  ld_engine *engine = open_store(folder);
  CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
  for (int i = 0; i < 2000; i++) {
    snprintf(name, sizeof name, "row%05d", i * 7919 % 2000);
    CHECK_RC(LD_OK, ld_put(txn, ld_text(name), ld_text("0123456789abcdefghijklmnopqrstuvwxyz")));
    snprintf(name, sizeof name, "row%05d", i * 7919 % 2000);
    CHECK_RC(LD_OK, ld_get(txn, ld_text(name), &value));
    snprintf(name, sizeof name, "copy%05d", i);
    CHECK_RC(LD_OK,
             ld_put(txn, ld_text(name), value)); /* borrowed from a page that this write moves */
  }
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_cursor_next(cursor)); /* the first row */
  for (int i = 0; i < 2000; i++) {
    CHECK_RC(LD_OK, ld_cursor_next(cursor));
    CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
    CHECK(ld_equal(value, ld_text("0123456789abcdefghijklmnopqrstuvwxyz")));
    CHECK_RC(LD_OK, ld_put(txn, key, ld_bytes(value.data + 3, 20))); /* and key */
    CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
    CHECK(ld_equal(value, ld_text("3456789abcdefghijklm")));
  }
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK(has(engine, "none", NULL));
  ld_engine_close(engine);
}

static void test_nested(void) {
  ld_txn *outer, *inner;
  ld_cursor *cursor;
  ld_slice key, value;
  uint64_t count;
  new_folder();
  ld_engine *engine = open_store(folder);
  CHECK_RC(LD_OK, ld_begin(engine, true, &outer));
  for (char c = 'a'; c <= 'z'; c++) CHECK_RC(LD_OK, put_row(outer, ld_bytes(&c, 1), ld_text("1")));
  CHECK_RC(LD_OK, ld_cursor_open(outer, &cursor));
  CHECK_RC(LD_OK, ld_cursor_seek(cursor, ld_text("m")));
  CHECK_RC(LD_OK, ld_begin_nested(outer, &inner));
  CHECK_RC(LD_OK, ld_del_range(inner, ld_text("k"), ld_text("p"), &count));
  CHECK(count == 5);
  CHECK_RC(LD_OK, ld_commit(inner));
  CHECK_RC(LD_NOTFOUND, ld_cursor_current(cursor, &key, &value));
  CHECK_RC(LD_OK, ld_cursor_next(cursor));
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
  CHECK(ld_equal(key, ld_text("p")));
  CHECK_RC(LD_OK, ld_begin_nested(outer, &inner));
  CHECK_RC(LD_OK, ld_del_range(inner, LD_SLICE_NONE, LD_SLICE_NONE, &count));
  CHECK(count == 22);
  ld_rollback(inner);
  CHECK_RC(LD_OK, ld_cursor_prev(cursor));
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
  CHECK(ld_equal(key, ld_text("j")));
  CHECK_RC(LD_OK, ld_commit(outer));
  CHECK(has(engine, "j", "1") && has(engine, "k", NULL) && has(engine, FIRST_KEY, "the first row"));
  ld_engine_close(engine);
}

static void test_stats(void) {
  ld_engine_stats stats;
  ld_txn *one, *two;
  new_folder();
  ld_engine *engine = open_store(folder);
  CHECK_RC(LD_OK, write_one(engine, "k", "v"));
  CHECK_RC(LD_OK, ld_stats(engine, &stats));
  CHECK(stats.entries == 2 && stats.readers == 0 && stats.bytes_limit >= 1 << 20 &&
        stats.bytes_used >= 3 * 4096);
  CHECK_RC(LD_OK, ld_begin(engine, false, &one));
  CHECK_RC(LD_OK, ld_begin(engine, false, &two));
  CHECK(readers_of(engine) == 2);
  ld_rollback(one);
  ld_rollback(two);
  CHECK(readers_of(engine) == 0);
  ld_engine_close(engine);
}

/* ---- readers ---- */

static void die_reading(void *context) {
  ld_engine *engine;
  ld_txn *txn;
  CHECK_RC(LD_OK, open_with(folder, &engine, context));
  for (int i = 0; i < 3; i++) CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  kill(getpid(), SIGKILL);
}

static void test_dead_readers(void) {
  const char *const options[] = {"durability", "none", "readers", "4", NULL};
  ld_engine *engine;
  ld_txn *txns[5];
  new_folder();
  CHECK_RC(LD_OK, open_with(folder, &engine, options));
  CHECK(!in_child(die_reading, (void *)(uintptr_t)options));
  for (int i = 0; i < 4; i++) CHECK_RC(LD_OK, ld_begin(engine, false, &txns[i]));
  CHECK_RC(LD_BUSY, ld_begin(engine, false, &txns[4]));
  CHECK(engine->error.retry && strstr(engine->error.text, "readers") != NULL);
  for (int i = 0; i < 4; i++) ld_rollback(txns[i]);
  CHECK(!in_child(die_reading, (void *)(uintptr_t)options));
  CHECK(readers_of(engine) == 0);
  CHECK(has(engine, FIRST_KEY, "the first row"));
  ld_engine_close(engine);
}

int main(void) {
  alarm(300);
  test_options();
  test_folders();
  test_sharing();
  test_one_writer();
  test_many_writers();
  test_growth();
  test_growth_by_another();
  test_little_space();
  test_borrowed_put();
  test_nested();
  test_stats();
  test_dead_readers();
  remove_folder(folder);
  return check_done("lmdb");
}
