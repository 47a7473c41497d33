/* test_lmdb_damage.c -- damaged, foreign and odd data files: right data or CORRUPT, never a crash, never a changed file.
**
** Set LD_SEED to repeat a run, LD_CASES for more random flips, LD_VERBOSE=1 to see findings. */
#include <sys/syscall.h>
#include <time.h>

#include "lmdb_help.h"

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
  seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return (uint32_t)(seed >> 33) % limit;
}

/* ---- a data file, as bytes ---- */

static uint8_t *image;
static size_t image_size;

static void save(const uint8_t *bytes, size_t size) {
  int fd = open(in_folder("data.mdb"), O_WRONLY | O_CREAT, 0600);
  CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && ftruncate(fd, (off_t)size) == 0);
  close(fd);
}

static uint8_t *load(size_t *size) {
  struct stat status;
  int fd = open(in_folder("data.mdb"), O_RDONLY);
  CHECK(fd >= 0 && fstat(fd, &status) == 0);
  uint8_t *bytes = malloc((size_t)status.st_size + 1);
  CHECK(bytes != NULL && read(fd, bytes, (size_t)status.st_size) == status.st_size);
  close(fd);
  *size = (size_t)status.st_size;
  return bytes;
}

static bool is_saved(const uint8_t *bytes, size_t size) {
  size_t found_size;
  uint8_t *found = load(&found_size);
  bool same = found_size == size && memcmp(found, bytes, size) == 0;
  free(found);
  return same;
}

/* ---- a store whose rows are known ---- */

static const char *row_text(unsigned i, char *text) {
  size_t size = i % 13 == 0 ? 5000 + i : 20 + i % 60;
  memset(text, 'a' + (int)(i % 26), size);
  sprintf(text + size, "%u", i);
  return text;
}

/* Rows first..last of `count` keys, in commits of ten; then every fourth is deleted and some are put again, so that there are free pages. */
static void fill(ld_engine *engine, unsigned count) {
  char key[16], *text = malloc(10000);
  for (unsigned i = 0; i < count;) {
    ld_txn *txn;
    CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
    for (unsigned end = i + 10; i < end && i < count; i++) {
      snprintf(key, sizeof key, "key%05u", i * 7 % count);
      CHECK_RC(LD_OK, put_row(txn, ld_text(key), ld_text(row_text(i * 7 % count, text))));
    }
    CHECK_RC(LD_OK, ld_commit(txn));
  }
  for (unsigned i = 0; i < count; i += 4) {
    ld_txn *txn;
    snprintf(key, sizeof key, "key%05u", i);
    CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
    CHECK_RC(LD_OK, ld_del(txn, ld_text(key)));
    CHECK_RC(LD_OK, ld_commit(txn));
  }
  free(text);
}

static bool rows_are_right(ld_engine *engine, unsigned count) {
  ld_txn *txn;
  ld_cursor *cursor;
  ld_slice key, value;
  char name[16], *text = malloc(10000);
  bool right = true;
  CHECK_RC(LD_OK, ld_begin(engine, false, &txn));
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  right = ld_cursor_next(cursor) == LD_OK; /* the first row */
  for (unsigned i = 0; i < count && right; i++) {
    if (i % 4 == 0) continue;
    snprintf(name, sizeof name, "key%05u", i);
    row_text(i, text);
    right = ld_cursor_next(cursor) == LD_OK && ld_cursor_current(cursor, &key, &value) == LD_OK &&
            ld_equal(key, ld_text(name)) && row_is_sound(key, value) &&
            ld_equal(ld_bytes(value.data + 4, value.size - 4), ld_text(text));
    ld_slice found;
    right = right && ld_get(txn, ld_text(name), &found) == LD_OK && ld_equal(found, value);
  }
  right = right && ld_cursor_next(cursor) == LD_NOTFOUND;
  ld_rollback(txn);
  free(text);
  return right;
}

static void make_image(unsigned count) {
  new_folder();
  ld_engine *engine = open_store(folder);
  fill(engine, count);
  CHECK(rows_are_right(engine, count) && findings_of(engine) == 0);
  ld_engine_close(engine);
  free(image);
  image = load(&image_size);
}

/* ---- damage ---- */

/* Open what is saved. CORRUPT, or all rows are right, and still after another commit. The file stays as it is until then. */
static bool survives(const uint8_t *bytes, size_t size, unsigned count, bool write_on) {
  ld_engine *engine = NULL;
  ld_rc rc = open_with(folder, &engine, OPTIONS("durability", "none"));
  if (rc != LD_OK) return rc == LD_CORRUPT && is_saved(bytes, size);
  bool fine = rows_are_right(engine, count) && is_saved(bytes, size);
  if (fine && write_on) {
    fine = write_one(engine, "key00001", "x") == LD_OK &&
           write_one(engine, "key00001", "y") == LD_OK && findings_of(engine) == 0;
    ld_txn *txn;
    char text[200];
    CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
    CHECK_RC(LD_OK, put_row(txn, ld_text("key00001"), ld_text(row_text(1, text))));
    CHECK_RC(LD_OK, ld_commit(txn));
    fine = fine && rows_are_right(engine, count);
  }
  ld_engine_close(engine);
  return fine;
}

static void flip(size_t bit, unsigned count) {
  image[bit / 8] ^= (uint8_t)(1 << bit % 8);
  save(image, image_size);
  if (!survives(image, image_size, count, bit % 5 == 0)) {
    fprintf(stderr, "bit %zu of byte %zu (page %zu, offset %zu): %s\n", bit % 8, bit / 8,
            bit / 8 / 4096, bit / 8 % 4096, failure.text);
    CHECK(false && "wrong data, or a changed file");
  }
  image[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void test_flips(unsigned count, unsigned cases) {
  make_image(count);
  for (unsigned i = 0; i < cases; i++) flip(random_below((uint32_t)image_size * 8), count);
}

/* Every bit of both meta pages, for a commit with an even and one with an odd number. */
static void test_meta_flips(unsigned count) {
  make_image(count);
  for (int round = 0; round < 2; round++) {
    for (size_t page = 0; page < 2; page++)
      for (size_t bit = 0; bit < 152 * 8; bit++) flip(page * 4096 * 8 + bit, count);
    save(image, image_size);
    ld_engine *engine = open_store(folder);
    char text[200];
    CHECK_RC(LD_OK, write_one(engine, "key00001", row_text(1, text)));
    ld_engine_close(engine);
    free(image);
    image = load(&image_size);
  }
}

/* Every bit of the headers and first offsets of all pages, and of the separators in branch pages. */
static void test_structure_flips(unsigned count) {
  make_image(count);
  for (size_t page = 2; page < image_size / 4096; page++) {
    const uint8_t *at = image + page * 4096;
    bool branch = at[10] == 1;
    size_t upper = branch ? (size_t)(at[14] | at[15] << 8) : 4096;
    for (size_t bit = 0; bit < 24 * 8; bit++) flip(page * 4096 * 8 + bit, count);
    for (size_t bit = upper * 8; bit < 4096 * 8; bit++) flip(page * 4096 * 8 + bit, count);
  }
}

static void test_truncations(unsigned count, size_t step) {
  ld_engine *engine = NULL;
  size_t corrupt = 0;
  make_image(count);
  for (size_t size = 0; size < image_size;
       size += size % 4096 < 160 || size % 4096 > 4090 ? 1 : step) {
    save(image, size);
    CHECK(survives(image, size, count, false)); /* only free pages may be missing */
    bool fine = open_with(folder, &engine, NULL) == LD_OK;
    if (fine) ld_engine_close(engine);
    corrupt += !fine;
    CHECK_RC(fine ? LD_OK : LD_CORRUPT, open_with(folder, &engine, OPTIONS("check_on_open", "0")));
    if (fine) ld_engine_close(engine);
  }
  CHECK(corrupt > image_size / step * 3 / 4);
}

/* What is damaged behind the back of an open store is found by check. */
static void test_check(unsigned count) {
  make_image(count);
  for (int i = 0; i < 30; i++) {
    save(image, image_size);
    ld_engine *engine = open_store(folder);
    CHECK(findings_of(engine) == 0);
    size_t at = 2 * 4096 + random_below((uint32_t)image_size - 2 * 4096);
    int fd = open(in_folder("data.mdb"), O_RDWR);
    uint8_t bytes[64], zero[64] = {0};
    ssize_t got = pread(fd, bytes, 64, (off_t)at);
    CHECK(got > 0);
    for (int j = 0; j < got; j++) zero[j] = bytes[j] ^ 0x55;
    CHECK(pwrite(fd, zero, (size_t)got, (off_t)at) == got);
    unsigned found = findings_of(engine);
    CHECK(pwrite(fd, bytes, (size_t)got, (off_t)at) == got);
    close(fd);
    CHECK(findings_of(engine) == 0);
    ld_engine_close(engine);
    memcpy(bytes, image + at, (size_t)got);
    for (int j = 0; j < got; j++) image[at + (size_t)j] ^= 0x55;
    save(image, image_size);
    CHECK(survives(image, image_size, count, false));
    ld_rc rc = open_with(folder, &engine, NULL);
    CHECK((rc == LD_OK) ==
          (found == 0)); /* open and check see the same; both may be right about a free page */
    if (rc == LD_OK) ld_engine_close(engine);
    memcpy(image + at, bytes, (size_t)got);
  }
}

/* ---- what is no store ---- */

static void refuses(const void *bytes, size_t size, const char *word) {
  ld_engine *engine;
  save(bytes, size);
  CHECK_RC(LD_CORRUPT, open_with(folder, &engine, OPTIONS("check_on_open", "0")));
  if (strstr(failure.text, word) == NULL) fprintf(stderr, "%s\n", failure.text);
  CHECK(strstr(failure.text, word) != NULL && strstr(failure.text, folder) != NULL);
  CHECK(is_saved(bytes, size));
}

static void test_garbage(void) {
  uint8_t bytes[16384];
  make_image(20);
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)random_below(256);
  refuses(bytes, 0, "empty");
  refuses(bytes, 100, "cut off");
  refuses(bytes, sizeof bytes, "LMDB");
  memset(bytes, 0, sizeof bytes);
  refuses(bytes, sizeof bytes, "LMDB");
  memcpy(bytes, image, 8192);
  bytes[20] = bytes[4096 + 20] = 2;
  refuses(bytes, 8192, "version");
  memcpy(bytes, image, 8192);
  memcpy(bytes + 16, "\xBE\xEF\xC0\xDE", 4);
  refuses(bytes, 8192, "byte order");
  memcpy(bytes + 12, "\xDE\xC0\xEF\xBE\x01\0\0\0", 8);
  refuses(bytes, 8192, "32-bit");
}

static MDB_env *foreign(unsigned flags, const char *name, MDB_dbi *dbi, MDB_txn **txn) {
  MDB_env *env;
  new_folder();
  CHECK(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 4) == 0);
  CHECK(mdb_env_open(env, folder, 0, 0600) == 0 && mdb_txn_begin(env, NULL, 0, txn) == 0);
  CHECK(mdb_dbi_open(*txn, name, MDB_CREATE | flags, dbi) == 0);
  return env;
}

/* Rows of somebody else; 0 is an empty environment. */
static void make_foreign(unsigned flags, const char *name, size_t rows) {
  MDB_txn *txn;
  MDB_dbi dbi;
  MDB_env *env = foreign(flags, name, &dbi, &txn);
  for (size_t i = 0; i < rows; i++) {
    size_t number = (i * 1031) % rows;
    MDB_val key = {sizeof number, &number}, value = {3, (void *)(uintptr_t) "abc"};
    for (unsigned j = 0; j < 3; j++) {
      char text[16];
      value.mv_data = text;
      value.mv_size = (size_t)sprintf(text, "v%u", j);
      CHECK(mdb_put(txn, dbi, &key, &value, 0) == 0);
    }
  }
  CHECK(mdb_txn_commit(txn) == 0);
  mdb_env_close(env);
}

static void refuses_foreign(unsigned flags, const char *name, size_t rows) {
  ld_engine *engine;
  size_t size;
  make_foreign(flags, name, rows);
  uint8_t *bytes = load(&size);
  CHECK_RC(LD_INVALID, open_with(folder, &engine, NULL));
  CHECK(is_saved(bytes, size));
  free(bytes);
}

static void test_foreign(void) {
  ld_engine *engine;
  ld_txn *txn;
  refuses_foreign(0, NULL, 1);
  refuses_foreign(0, NULL, 1000);
  refuses_foreign(0, "rooms", 10);
  refuses_foreign(MDB_DUPSORT, NULL, 100);
  refuses_foreign(MDB_DUPSORT, "rooms", 100);
  refuses_foreign(MDB_INTEGERKEY, NULL, 1000);
  make_foreign(0, NULL, 0);
  CHECK_RC(LD_OK, open_with(folder, &engine, NULL));
  ld_engine_close(engine);
  new_folder();
  engine = open_store(folder);
  CHECK_RC(LD_OK, write_one(engine, "k", "v"));
  CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
  CHECK_RC(LD_OK, ld_del(txn, ld_text(FIRST_KEY)));
  CHECK_RC(LD_OK, ld_commit(txn));
  ld_engine_close(engine);
  CHECK_RC(LD_CORRUPT, open_with(folder, &engine, NULL)); /* ours, but the first row is gone */
}

/* ---- what looks odd and is sound ---- */

static void change_some_rows(ld_txn *txn) {
  static char key[520], payload[70000];
  for (unsigned i = random_below(60); i > 0; i--) {
    size_t size = random_below(10) == 0 ? 511 : 8 + random_below(30);
    memset(key, 'k', size);
    key[sprintf(key, "%05u", random_below(800))] = 'k';
    ld_slice name = ld_bytes(key, size);
    ld_slice value = ld_bytes(payload, random_below(random_below(12) == 0 ? 70000 : 900));
    ld_rc rc = random_below(3) == 0 ? ld_del(txn, name) : put_row(txn, name, value);
    CHECK(rc == LD_OK || rc == LD_NOTFOUND);
  }
  if (random_below(20) != 0) return;
  uint64_t count;
  snprintf(key, sizeof key, "%05u", random_below(800));
  ld_slice to = random_below(2) == 0 ? LD_SLICE_NONE : ld_text("00700");
  CHECK_RC(LD_OK, ld_del_range(txn, ld_text(key), to, &count));
}

static void end_somehow(ld_txn *txn) {
  if (random_below(5) == 0) {
    ld_rollback(txn);
  } else {
    CHECK_RC(LD_OK, ld_commit(txn));
  }
}

/* Many kinds of commits; the walk finds nothing after any of them. */
static void test_sound(unsigned commits) {
  new_folder();
  ld_engine *engine = open_store(folder);
  for (unsigned i = 0; i < commits; i++) {
    ld_txn *txn, *child;
    CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
    if (i % 2 == 0) change_some_rows(txn);
    if (i % 3 == 0) {
      CHECK_RC(LD_OK, ld_begin_nested(txn, &child));
      change_some_rows(child);
      end_somehow(child);
    }
    end_somehow(txn);
    CHECK(findings_of(engine) == 0);
    if (i % 10 != 0) continue;
    ld_engine_close(engine);
    engine = open_store(folder);
  }
  ld_engine_close(engine);
}

/* Emptied and filled again: commits that free nothing. */
static void test_emptied(void) {
  new_folder();
  for (int i = 0; i < 12; i++) {
    ld_engine *engine = open_store(folder);
    ld_txn *txn;
    uint64_t count;
    CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
    if (i % 3 == 2) CHECK_RC(LD_OK, ld_del_range(txn, LD_SLICE_NONE, LD_SLICE_NONE, &count));
    if (i % 3 != 2) CHECK_RC(LD_OK, put_row(txn, ld_text(FIRST_KEY), ld_text("x")));
    CHECK_RC(LD_OK, ld_commit(txn));
    CHECK(findings_of(engine) == 0);
    ld_engine_close(engine);
  }
}

static void test_copies(void) {
  for (unsigned flags = 0; flags <= MDB_CP_COMPACT; flags += MDB_CP_COMPACT) {
    MDB_env *env;
    make_image(100);
    CHECK(mkdir(in_folder("copy"), 0700) == 0);
    CHECK(mdb_env_create(&env) == 0 && mdb_env_open(env, folder, MDB_RDONLY, 0600) == 0);
    CHECK(mdb_env_copy2(env, in_folder("copy"), flags) == 0);
    mdb_env_close(env);
    ld_engine *engine = open_store(in_folder("copy"));
    CHECK(rows_are_right(engine, 100) && findings_of(engine) == 0);
    for (int i = 0; i < 5; i++) {
      CHECK_RC(LD_OK, write_one(engine, "key00000", "x"));
      CHECK(findings_of(engine) == 0);
    }
    ld_engine_close(engine);
  }
}

static void write_forever(void *context) {
  ld_engine *engine = open_store(folder);
  char key[16];
  (void)context;
  for (unsigned i = 0;; i++) {
    snprintf(key, sizeof key, "key%05u", i * 31 % 500);
    CHECK_RC(LD_OK, write_one(engine, key, "a value that is longer than the one that was there"));
  }
}

/* Opened and checked while another process writes as fast as it can. */
static void test_busy(void) {
  int status;
  make_image(500);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(30);
    write_forever(NULL);
  }
  for (int i = 0; i < 300; i++) {
    ld_engine *engine = open_store(folder);
    CHECK(findings_of(engine) == 0);
    ld_engine_close(engine);
  }
  kill(pid, SIGKILL);
  CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- a meta page that cannot be written ---- */

static bool meta_fails;

/* In the place of the C library's, also for liblmdb: meta pages are written through a file opened with O_DSYNC. */
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset);
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  if (meta_fails && (fcntl(fd, F_GETFL) & O_DSYNC) != 0) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

static void test_failed_meta(void) {
  ld_engine *engine, *other;
  ld_txn *txn;
  for (int commits = 1; commits < 8; commits++) {
    new_folder();
    CHECK_RC(LD_OK, open_with(folder, &engine, NULL));
    CHECK_RC(LD_OK, open_with(folder, &other, NULL));
    for (int i = 0; i < commits; i++)
      CHECK_RC(LD_OK, write_one(engine, "k", i % 2 == 0 ? "even" : "odd"));
    meta_fails = true;
    CHECK_RC(LD_IO, write_one(engine, "k", "lost"));
    meta_fails = false;
    CHECK_RC(LD_IO, write_one(engine, "k", "v"));
    CHECK(strstr(engine->error.text, "close") != NULL);
    CHECK_RC(LD_IO, ld_begin(other, false, &txn));
    ld_engine_close(engine);
    CHECK_RC(LD_IO,
             open_with(folder, &engine, NULL) == LD_OK ? ld_begin(engine, true, &txn) : LD_IO);
    ld_engine_close(engine);
    ld_engine_close(other);
    CHECK_RC(LD_OK, open_with(folder, &engine, NULL));
    CHECK(has(engine, "k", commits % 2 == 1 ? "even" : "odd") && findings_of(engine) == 0);
    CHECK_RC(LD_OK, write_one(engine, "k", "v"));
    CHECK(has(engine, "k", "v") && findings_of(engine) == 0);
    ld_engine_close(engine);
  }
}

int main(void) {
  const char *text = getenv("LD_SEED"), *cases = getenv("LD_CASES");
  seed = text != NULL ? strtoull(text, NULL, 10) : (unsigned long long)time(NULL);
  printf("LD_SEED=%llu\n", (unsigned long long)seed);
  fflush(stdout);
  alarm(600);
  test_garbage();
  test_foreign();
  test_sound(400);
  test_emptied();
  test_copies();
  test_busy();
  test_failed_meta();
  test_truncations(12, 97);
  test_meta_flips(60);
  test_structure_flips(60);
  test_flips(60, cases != NULL ? (unsigned)atoi(cases) : 600);
  test_flips(400, 200);
  test_check(150);
  remove_folder(folder);
  free(image);
  return check_done("lmdb_damage");
}
