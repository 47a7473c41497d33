/* test_lmdb_fork.c -- stores across fork: the child goes on by itself, the parent notices nothing. */
#include <pthread.h>

#include "lmdb_help.h"

static ld_engine *store;
static ld_txn *txn, *child_txn;
static ld_cursor *cursor;

static void use_it(void *context) {
  (void)context;
  CHECK(has(store, "k", "v"));
  CHECK_RC(LD_OK, write_one(store, "child", "was here"));
  CHECK(readers_of(store) == 0 && findings_of(store) == 0);
  CHECK_RC(LD_OK, ld_sync(store));
  ld_engine_close(store);
}

static void test_use(void) {
  new_folder();
  store = open_store(folder);
  CHECK_RC(LD_OK, write_one(store, "k", "v"));
  CHECK(in_child(use_it, NULL));
  CHECK(in_child(use_it, NULL));
  CHECK(has(store, "child", "was here"));
  CHECK_RC(LD_OK, write_one(store, "k", "w"));
  CHECK(readers_of(store) == 0 && findings_of(store) == 0);
  ld_engine_close(store);
}

/* Transactions and cursors from before the fork. */
static void misuse(void *context) {
  ld_slice key, value;
  uint64_t count;
  ld_txn *other;
  (void)context;
  CHECK_RC(LD_MISUSE, ld_get(txn, ld_text("k"), &value));
  CHECK(strstr(store->error.text, "fork") != NULL);
  CHECK_RC(LD_MISUSE, ld_cursor_next(cursor));
  CHECK_RC(LD_MISUSE, ld_cursor_current(cursor, &key, &value));
  CHECK_RC(LD_MISUSE, ld_cursor_seek(cursor, ld_text("a")));
  CHECK(ld_cursor_open(txn, &cursor) == LD_MISUSE);
  if (txn->writable) {
    CHECK_RC(LD_MISUSE, ld_put(txn, ld_text("k"), ld_text("x")));
    txn->spoilt = LD_OK;
    CHECK_RC(LD_MISUSE, ld_del(txn, ld_text("k")));
    txn->spoilt = LD_OK;
    CHECK_RC(LD_MISUSE, ld_del_range(txn, ld_text("k"), LD_SLICE_NONE, &count));
    txn->spoilt = LD_OK;
    CHECK_RC(LD_MISUSE, ld_begin_nested(txn, &child_txn));
  }
  CHECK_RC(LD_MISUSE, ld_commit(txn));
  CHECK(has(store, "k", "v"));
  CHECK_RC(LD_OK, ld_begin(store, false, &other));
  exit(0); /* with everything open */
}

static void close_unused(void *context) {
  (void)context;
  ld_engine_close(store); /* with open transactions of the parent in it */
}

static void look_from_outside(void *context) {
  ld_engine *other;
  CHECK_RC(LD_OK,
           open_with(folder, &other, OPTIONS("durability", "none"))); /* clears dead readers */
  CHECK(readers_of(other) == *(uint32_t *)context);
  ld_engine_close(other);
}

static void write_from_outside(void *context) {
  ld_engine *other = open_store(folder);
  (void)context;
  for (int i = 0; i < 100; i++) CHECK_RC(LD_OK, write_one(other, "k", "some other value"));
  ld_engine_close(other);
}

static void test_reading_parent(void) {
  ld_slice key, value;
  uint32_t one = 1;
  new_folder();
  store = open_store(folder);
  CHECK_RC(LD_OK, write_one(store, "k", "v"));
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_cursor_next(cursor));
  CHECK(in_child(misuse, NULL));
  CHECK(in_child(close_unused, NULL));
  CHECK(readers_of(store) == 1);
  CHECK(in_child(look_from_outside, &one)); /* our liveness lock is still held */
  CHECK(in_child(write_from_outside, NULL));
  CHECK(readers_of(store) == 1);
  CHECK_RC(LD_OK, ld_get(txn, ld_text("k"), &value)); /* the snapshot is whole */
  CHECK(row_is_sound(ld_text("k"), value) && value.size == 5);
  CHECK_RC(LD_OK, ld_cursor_next(cursor));
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
  CHECK(ld_equal(key, ld_text("k")));
  ld_rollback(txn);
  CHECK(has(store, "k", "some other value"));
  CHECK(findings_of(store) == 0);
  ld_engine_close(store);
}

/* A write of the child waits for the parent's transaction. */
static void write_later(void *context) {
  ld_engine *other = open_store(folder);
  (void)context;
  CHECK_RC(LD_OK, write_one(other, "late", "x"));
  CHECK(has(other, "k", "w"));
  ld_engine_close(other);
}

static void test_writing_parent(void) {
  int status;
  new_folder();
  store = open_store(folder);
  CHECK_RC(LD_OK, write_one(store, "k", "v"));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  CHECK_RC(LD_OK, put_row(txn, ld_text("k"), ld_text("w")));
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_cursor_next(cursor));
  CHECK(in_child(misuse, NULL));
  CHECK(in_child(close_unused, NULL));
  pid_t pid = fork();
  if (pid == 0) {
    alarm(30);
    write_later(NULL);
    _exit(0);
  }
  usleep(100000);
  CHECK(waitpid(pid, &status, WNOHANG) == 0); /* it waits */
  CHECK_RC(LD_OK, put_row(txn, ld_text("l"), ld_text("w")));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  CHECK(has(store, "late", "x") && has(store, "k", "w") && findings_of(store) == 0);
  ld_engine_close(store);
}

static void nested_misuse(void *context) {
  ld_slice value;
  (void)context;
  CHECK_RC(LD_MISUSE, ld_get(child_txn, ld_text("k"), &value));
  CHECK_RC(LD_MISUSE, ld_commit(child_txn));
  ld_rollback(txn);
  CHECK(has(store, "k", "v"));
  ld_engine_close(store);
}

static void test_nested(void) {
  new_folder();
  store = open_store(folder);
  CHECK_RC(LD_OK, write_one(store, "k", "v"));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  CHECK_RC(LD_OK, ld_begin_nested(txn, &child_txn));
  CHECK_RC(LD_OK, put_row(child_txn, ld_text("k"), ld_text("w")));
  CHECK(in_child(nested_misuse, NULL));
  CHECK_RC(LD_OK, ld_commit(child_txn));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK(has(store, "k", "w"));
  ld_engine_close(store);
}

/* Child, grandchild and so on, each with two handles. */
static void go_down(void *context) {
  int depth = *(int *)context;
  char key[32];
  static ld_engine *volatile others[8]; /* where a leak checker in the child finds its parents' */
  ld_engine *other = others[depth] = open_store(folder);
  snprintf(key, sizeof key, "depth%d", depth);
  CHECK_RC(LD_OK, ld_begin(other, false, &txn));
  CHECK_RC(LD_OK, write_one(store, key, "x"));
  if (--*(int *)context > 0) CHECK(in_child(go_down, context));
  CHECK(has(store, key, "x"));
  ld_rollback(txn);
  ld_engine_close(other);
  CHECK_RC(LD_OK, write_one(store, key, "y"));
  ld_engine_close(store);
}

static void test_generations(void) {
  int depth = 4;
  new_folder();
  store = open_store(folder);
  CHECK(in_child(go_down, &depth));
  for (int i = 1; i <= 4; i++) {
    char key[32];
    snprintf(key, sizeof key, "depth%d", i);
    CHECK(has(store, key, "y"));
  }
  CHECK(readers_of(store) == 0 && findings_of(store) == 0);
  ld_engine_close(store);
}

/* The daemon's way: the parent ends, the child goes on, elsewhere and without the parent's files. */
static void test_daemon(void) {
  int ends[2];
  char answer = 0;
  new_folder();
  CHECK(pipe(ends) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(30);
    CHECK(chdir(folder) == 0);
    store = open_store("s");
    CHECK_RC(LD_OK, write_one(store, "k", "v"));
    if (fork() != 0) {
      ld_engine_close(store);
      exit(0);
    }
    CHECK(chdir("/") == 0);
    for (int fd = 3; fd < 64; fd++)
      if (fd != ends[1]) close(fd);
    usleep(50000);
    CHECK(has(store, "k", "v"));
    CHECK_RC(LD_OK, write_one(store, "k", "w"));
    ld_engine_close(store);
    CHECK(write(ends[1], "y", 1) == 1);
    _exit(0);
  }
  close(ends[1]);
  CHECK(waitpid(pid, NULL, 0) == pid);
  CHECK(read(ends[0], &answer, 1) == 1 && answer == 'y');
  close(ends[0]);
  store = open_store(in_folder("s"));
  CHECK(has(store, "k", "w"));
  ld_engine_close(store);
}

/* Forks while other threads open, write and close. */
static void *busy(void *context) {
  for (int i = 0; i < 150; i++) {
    ld_engine *engine = open_store(folder);
    CHECK_RC(LD_OK, write_one(engine, context, "x"));
    ld_engine_close(engine);
  }
  return NULL;
}

static void one_write(void *context) {
  (void)context;
  CHECK_RC(LD_OK, write_one(store, "child", "x"));
  ld_engine *other = open_store(folder);
  CHECK(has(other, "child", "x"));
  ld_engine_close(other);
  ld_engine_close(store);
  execl("/bin/true", "true",
        NULL); /* what the other threads held is lost here, and no leak of ours */
}

static void test_threads(void) {
  pthread_t threads[2];
  new_folder();
  for (int i = 0; i < 2; i++)
    CHECK(pthread_create(&threads[i], NULL, busy, i == 0 ? "a" : "b") == 0);
  for (int i = 0; i < 60; i++) {
    store = open_store(folder);
    CHECK(in_child(one_write, NULL));
    ld_engine_close(store);
  }
  for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  store = open_store(folder);
  CHECK(findings_of(store) == 0 && readers_of(store) == 0);
  ld_engine_close(store);
}

int main(void) {
  alarm(300);
  test_use();
  test_reading_parent();
  test_writing_parent();
  test_nested();
  test_generations();
  test_daemon();
  test_threads();
  remove_folder(folder);
  return check_done("lmdb_fork");
}
