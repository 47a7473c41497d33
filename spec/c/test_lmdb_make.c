/* test_lmdb_make.c -- stores of the LMDB engine come into being whole, and outlive full disks and killed processes. */
#include "lmdb_help.h"

/* ---- a full disk ---- */

static void fill_disk(void *context) {
  struct rlimit limit = {100 << 10, 100 << 10};
  ld_engine *engine;
  int i = 0;
  (void)context;
  signal(SIGXFSZ, SIG_IGN);
  CHECK_RC(LD_OK, open_with(folder, &engine, NULL));
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  ld_rc rc = LD_OK;
  while (rc == LD_OK && i < 1000) rc = write_big(engine, i++, 5000);
  CHECK_RC(LD_FULL, rc);
  CHECK(!engine->error.retry);
  CHECK(has(engine, FIRST_KEY, "the first row"));
  CHECK(findings_of(engine) == 0);
  ld_engine_close(engine);
}

static void create_on_full_disk(void *context) {
  struct rlimit limit = {(rlim_t)(intptr_t)context, (rlim_t)(intptr_t)context};
  ld_engine *engine;
  signal(SIGXFSZ, SIG_IGN);
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHECK_RC(LD_FULL, open_with(in_folder("new"), &engine, NULL));
  DIR *listing = opendir(in_folder("new"));
  CHECK(listing != NULL);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) CHECK(entry->d_name[0] == '.');
  closedir(listing);
}

static void test_full_disk(void) {
  new_folder();
  CHECK(in_child(fill_disk, NULL));
  ld_engine *engine = open_store(folder);
  CHECK_RC(LD_OK, write_one(engine, "k", "v"));
  CHECK(findings_of(engine) == 0);
  ld_engine_close(engine);
  for (intptr_t limit = 0; limit < 12288; limit += 3000)
    CHECK(in_child(create_on_full_disk, (void *)limit));
  engine = open_store(in_folder("new"));
  ld_engine_close(engine);
}

/* ---- creation ---- */

static void create_and_die(void *context) {
  ld_engine *engine;
  (void)context;
  open_with(folder, &engine, NULL);
  kill(getpid(), SIGKILL);
}

/* Killed at any moment, creation leaves nothing or the whole; and four at once make one. */
static void test_creation(void) {
  for (int round = 0; round < 60; round++) {
    pid_t children[4];
    int status;
    new_folder();
    for (int i = 0; i < 4; i++)
      if ((children[i] = fork()) == 0) {
        create_and_die(NULL);
        _exit(1);
      }
    usleep((useconds_t)(round * 100));
    for (int i = 0; i < 4; i++) kill(children[i], SIGKILL);
    for (int i = 0; i < 4; i++) CHECK(waitpid(children[i], &status, 0) == children[i]);
    bool there = access(in_folder("data.mdb"), F_OK) == 0;
    ld_engine *engine = open_store(folder);
    CHECK(has(engine, FIRST_KEY, "the first row") && findings_of(engine) == 0);
    ld_engine_close(engine);
    if (there) continue;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
      CHECK(strstr(entry->d_name, ".new-") == NULL);
    closedir(listing);
  }
}

/* What a maker that was killed between link and unlink has left is removed by the next open. */
static void test_left_over(void) {
  char name[64];
  struct stat status;
  new_folder();
  ld_engine_close(open_store(folder));
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  CHECK(waitpid(pid, NULL, 0) == pid);
  snprintf(name, sizeof name, "data.mdb.new-%ld-12345678", (long)pid);
  CHECK(link(in_folder("data.mdb"), in_folder(name)) == 0);
  ld_engine *engine = open_store(folder);
  CHECK(stat(in_folder("data.mdb"), &status) == 0 && status.st_nlink == 1);
  CHECK(has(engine, FIRST_KEY, "the first row"));
  ld_engine_close(engine);
}

/* Kill a writer at any moment: what it has reported is there, and the pages are sound. */
static void write_until_killed(int out) {
  ld_engine *engine = open_store(folder);
  for (uint32_t i = 1;; i++) {
    char key[16];
    snprintf(key, sizeof key, "%06u", i * 7919 % 1000);
    CHECK_RC(LD_OK, write_one(engine, key, "some value that takes a little room in the page"));
    CHECK_RC(LD_OK, write_one(engine, "last", (snprintf(key, sizeof key, "%u", i), key)));
    CHECK(write(out, &i, sizeof i) == sizeof i);
  }
}

static void test_killed_writer(void) {
  uint32_t last, told = 0;
  new_folder();
  for (int round = 0; round < 20; round++) {
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) write_until_killed(ends[1]);
    close(ends[1]);
    usleep((useconds_t)(3000 + round * 777));
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
    for (told = 0; read(ends[0], &last, sizeof last) == sizeof last;) told = last;
    close(ends[0]);
    ld_engine *engine = open_store(folder);
    char text[16], next[16];
    snprintf(text, sizeof text, "%u", told);
    snprintf(next, sizeof next, "%u", told + 1);
    CHECK(told == 0 || has(engine, "last", text) || has(engine, "last", next));
    CHECK(findings_of(engine) == 0);
    ld_engine_close(engine);
  }
}

int main(void) {
  alarm(300);
  test_full_disk();
  test_creation();
  test_left_over();
  test_killed_writer();
  remove_folder(folder);
  return check_done("lmdb_make");
}
