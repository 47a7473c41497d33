/* test_cache_write.c -- large values of a cache: each call to the files fails in turn, or it and all after it, or a sweep comes before it. Whatever was entered can be
** read, what is on disk belongs to entries after a sweep, and a failed call has changed nothing. */
#include "../../csrc/cache.h"
#include "../../csrc/files_port.h"
#include "../../csrc/store.h"
#include "check.h"
#include "files_help.h"

enum { LARGE = 1000, STREAMED = 2 * LD_FILE_CHUNK + 777, MAX = 3 * STREAMED };
enum { NOTHING, ONE_FAILS, ALL_FAIL, SWEEPS };

static ld_engine *store;
static ld_cache cache, other;
static bool in_txn, busy;
static int mode;
static long calls; /* until something happens */

/* ---- a provider in which things happen ---- */

static void sweep(ld_cache *by, uint64_t *count) {
  ld_txn *txn;
  ld_buf orphans = {0};
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_OK, ld_cache_find_orphans(txn, by, &orphans));
  ld_rollback(txn);
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  CHECK_RC(LD_OK, ld_cache_sweep(txn, by, &orphans, count));
  CHECK_RC(LD_OK, ld_commit(txn));
  ld_buf_clear(&orphans);
}

/* Whether the call is to fail. */
static bool happens(void) {
  uint64_t count;
  if (busy || mode == NOTHING) return false;
  calls--;
  if (mode == SWEEPS && calls == 0 && !in_txn) {
    busy = true;
    sweep(&other, &count);
    busy = false;
  }
  return (mode == ONE_FAILS && calls == 0) || (mode == ALL_FAIL && calls <= 0);
}

static ld_file_rc injected(ld_files *of, const char *path) {
  return ld_file_fail(&of->error, LD_FILE_IO, path, "injected");
}

static ld_file_rc happen_stat(ld_files *of, const char *path, ld_file_info *info) {
  return happens() ? injected(of, path) : ld_files_local.stat(of, path, info);
}
static ld_file_rc happen_del(ld_files *of, const char *path) {
  return happens() ? injected(of, path) : ld_files_local.del(of, path);
}
static ld_file_rc happen_move(ld_files *of, const char *from, const char *to, unsigned flags) {
  return happens() ? injected(of, from) : ld_files_local.move(of, from, to, flags);
}
static ld_file_rc happen_read_at(ld_file_reader *reader, uint64_t offset, void *data, size_t size,
                                 size_t *got) {
  if (happens()) return injected(reader->files, reader->path);
  return ld_files_local.read_at(reader, offset, data, size, got);
}
static ld_file_rc happen_writer_open(ld_file_writer *writer, unsigned flags) {
  if (!happens()) return ld_files_local.writer_open(writer, flags);
  ld_files_local.writer_open(writer, flags);
  return injected(writer->files, writer->path);
}
static ld_file_rc happen_write(ld_file_writer *writer, ld_slice bytes) {
  if (happens()) return injected(writer->files, writer->path);
  return ld_files_local.write(writer, bytes);
}
static ld_file_rc happen_publish(ld_file_writer *writer) {
  if (!happens()) return ld_files_local.publish(writer);
  ld_files_local.discard(writer);
  return injected(writer->files, writer->path);
}

/* ---- a store, a cache in it with one entry ---- */

static void give_bytes(uint8_t *bytes, size_t size, unsigned seed) {
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)((i * 7 + i / 251 + seed) & 0xff);
}

/* NULL: `size` bytes from memory. */
static ld_rc set(const char *key, ld_file_reader *reader, size_t size, unsigned seed) {
  static uint8_t bytes[STREAMED];
  ld_txn *txn;
  bool kept = false;
  ld_cache_value value = {.key = ld_text(key), .ttl_ms = -1, .reader = reader, .from_files = files};
  give_bytes(bytes, size, seed);
  if (reader == NULL) value.data = ld_bytes(bytes, size);
  ld_rc rc = ld_cache_prepare(&cache, &value, &store->env, &store->error);
  if (rc != LD_OK) return rc;
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  in_txn = true;
  rc = ld_cache_set(txn, &cache, &value, &kept);
  in_txn = false;
  if (rc != LD_OK) {
    ld_rollback(txn);
    return rc;
  }
  CHECK(kept && value.is_file);
  CHECK_RC(LD_OK, ld_commit(txn));
  if (!cache.trash) return LD_OK;
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  in_txn = true;
  CHECK_RC(LD_OK, ld_cache_empty_trash(txn, &cache));
  in_txn = false;
  CHECK_RC(LD_OK, ld_commit(txn));
  return LD_OK;
}

static void begin_all(const ld_files_ops *ops) {
  ld_env env = ld_env_system();
  ld_file_error error = {0};
  ld_txn *txn;
  ld_cache_wanted wanted = {
      .max_bytes = MAX, .ttl_ms = -1, .large = LARGE, .said_large = true, .has_files = true};
  begin("kernel");
  ld_files_close(files);
  const ld_option options[] = {{"path", at("root")}, {"durability", "none"}};
  ld_config config = {.env = env, .options = options, .option_count = 2};
  CHECK(ld_files_open(ops, &config, &files, &error) == LD_FILE_OK);
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  cache = other = (ld_cache){.files = files};
  CHECK_RC(LD_OK, ld_cache_open(txn, LD_LITERAL("c"), &wanted, &cache));
  CHECK_RC(LD_OK, ld_cache_look(txn, LD_LITERAL("c"), &wanted, &other));
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, set("old", NULL, STREAMED, 1));
}

static void end_all(void) {
  ld_cache_clear_handle(&cache);
  ld_cache_clear_handle(&other);
  ld_engine_close(store);
  end();
}

/* ---- what has to hold ---- */

static ld_rc look_up(const char *key, unsigned seed) {
  static uint8_t bytes[STREAMED];
  ld_txn *txn;
  ld_cache_entry entry;
  ld_slice data;
  bool damaged;
  ld_buf content = {0};
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  ld_rc rc = ld_cache_get(txn, &cache, ld_text(key), false, &entry, &data, &damaged);
  if (rc == LD_OK) {
    CHECK_RC(LD_OK, ld_cache_read_file(&cache, &entry, &content, &store->error));
    give_bytes(bytes, content.size, seed);
    CHECK(content.size == entry.size);
    CHECK(ld_equal(ld_buf_slice(&content), ld_bytes(bytes, content.size)));
  }
  ld_rollback(txn);
  ld_buf_clear(&content);
  return rc;
}

static unsigned files_there(void) {
  unsigned count = 0;
  ld_file_query query = {.dir = ld_text(cache.settings.folder), .recursive = true};
  ld_file_lister *lister;
  ld_file_entry entry;
  CHECK_FILE(LD_FILE_OK, ld_file_lister_open(files, &query, &lister));
  while (ld_file_lister_next(lister, &entry) == LD_FILE_OK) count++;
  ld_file_lister_close(lister);
  return count;
}

static void check_all(const char *key, bool done) {
  uint64_t count;
  ld_cache_state state;
  ld_txn *txn;
  bool there = look_up(key, 2) == LD_OK;
  CHECK(there == done);
  unsigned entries = (there ? 1u : 0u) + (look_up("old", 1) == LD_OK ? 1u : 0u);
  CHECK(done || entries == 1);
  CHECK_RC(LD_OK, ld_begin(store, false, &txn));
  CHECK_RC(LD_OK, ld_cache_stats(txn, &cache, &state));
  ld_rollback(txn);
  CHECK(state.entries == entries && state.bytes <= MAX && state.quarantined == 0);
  sweep(&other, &count);
  CHECK(files_there() == entries);
  sweep(&other, &count);
  CHECK(count == 0 && files_there() == entries);
}

/* ---- what is done ---- */

typedef struct scenario {
  const char *name;
  size_t size; /* from memory; 0: from a reader */
  bool fills;  /* so that the old entry has to go */
} scenario;

static ld_rc run(const scenario *s) {
  ld_file_reader *reader = NULL;
  if (s->size > 0) return set("new", NULL, s->size, 2);
  busy = true; /* it is the program's */
  CHECK_FILE(LD_FILE_OK, ld_file_reader_open(files, LD_LITERAL("source"), &reader));
  busy = false;
  ld_rc rc = set("new", reader, 0, 2);
  ld_file_reader_close(reader);
  return rc;
}

static void prepare(const scenario *s) {
  static uint8_t bytes[STREAMED];
  ld_txn *txn;
  ld_cache_wanted tight = {
      .max_bytes = STREAMED + 1, .ttl_ms = -1, .has_files = true, .replace = true};
  give_bytes(bytes, sizeof bytes, 2);
  CHECK_FILE(LD_FILE_OK,
             ld_files_write(files, LD_LITERAL("source"), ld_bytes(bytes, sizeof bytes), 0));
  if (!s->fills) return;
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  CHECK_RC(LD_OK, ld_cache_open(txn, LD_LITERAL("c"), &tight, &cache));
  CHECK_RC(LD_OK, ld_commit(txn));
}

static void test(const ld_files_ops *ops, const scenario *s, int how) {
  bool reached = true;
  for (long n = 1; reached; n++) {
    CHECK(n < 200);
    begin_all(ops);
    prepare(s);
    mode = how;
    calls = n;
    ld_rc rc = run(s);
    mode = NOTHING;
    reached = calls <= 0;
    CHECK(rc == LD_OK || (how != SWEEPS && rc == LD_IO && strstr(store->error.text, "injected")));
    CHECK(rc == LD_OK || reached);
    check_all("new", rc == LD_OK);
    end_all();
  }
}

/* A reader that has more in the end than it said, or other bytes when it is read again. */
static void test_changing(void) {
  ld_file_reader *reader;
  const scenario s = {"changing", 0, true};
  begin_all(&ld_files_local);
  prepare(&s);
  CHECK_FILE(LD_FILE_OK, ld_file_reader_open(files, LD_LITERAL("source"), &reader));
  FILE *source = fopen(at("root/source"), "a");
  CHECK(source != NULL && fputs("more", source) >= 0 && fclose(source) == 0);
  CHECK_RC(LD_TOOBIG, set("new", reader, 0, 2));
  ld_file_reader_close(reader);
  check_all("new", false);
  end_all();
}

int main(void) {
  static const scenario scenarios[] = {{"from memory", LARGE, false},
                                       {"from a reader", 0, false},
                                       {"from memory, evicting", LARGE, true},
                                       {"from a reader, evicting", 0, true}};
  ld_files_ops ops = ld_files_local;
  ops.stat = happen_stat;
  ops.del = happen_del;
  ops.move = happen_move;
  ops.read_at = happen_read_at;
  ops.writer_open = happen_writer_open;
  ops.write = happen_write;
  ops.publish = happen_publish;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
    for (int how = ONE_FAILS; how <= SWEEPS; how++) test(&ops, &scenarios[i], how);
  test_changing();
  return check_done("cache_write");
}
