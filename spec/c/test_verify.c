/* test_verify.c -- verify on the memory engine: what only raw bytes can do, half-built indexes, many numbers, memory that stays flat, and every failure of engine and memory.
** Each kind of damage: spec/verify_spec.lua. */
#include <sys/resource.h>

#include "../../csrc/verify.h"

#include "../../csrc/collection.h"
#include "../../csrc/index_build.h"
#include "../../csrc/queue_schedule.h"
#include "../../csrc/room.h"
#include "../../csrc/store.h"
#include "../../csrc/tuple.h"
#include "../../csrc/value.h"
#include "check.h"
#include "failing_malloc.h"
#include "fault.h"

static ld_engine *store;
static ld_txn *txn;

static void open_store(const ld_engine_ops *ops) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(ops, &env, NULL, 0, &store, NULL));
}

static void begin(void) { CHECK_RC(LD_OK, ld_begin(store, true, &txn)); }

/* ---- what is told ---- */

typedef struct heard {
  unsigned findings;
  char kind[32], where[300], text[300]; /* of the last one */
} heard;

static void hear(void *context, const char *kind, const char *where, const char *text) {
  heard *what = context;
  what->findings++;
  snprintf(what->kind, sizeof what->kind, "%s", kind);
  snprintf(what->where, sizeof what->where, "%s", where);
  snprintf(what->text, sizeof what->text, "%s", text);
}

static ld_rc verify(heard *what, ld_verify_report *report) {
  const ld_verify_calls calls = {.context = what, .finding = hear};
  ld_txn *reading;
  *what = (heard){.findings = 0};
  ld_rc rc = ld_begin(store, false, &reading);
  if (rc != LD_OK) return rc;
  rc = ld_verify(reading, &calls, report);
  ld_rollback(reading);
  return rc;
}

static void expect(const char *kind, const char *where, const char *text) {
  heard what;
  ld_verify_report report;
  CHECK_RC(LD_OK, verify(&what, &report));
  CHECK(what.findings == 1 && report.findings == 1);
  CHECK(strcmp(what.kind, kind) == 0);
  CHECK(strstr(what.where, where) != NULL);
  CHECK(strstr(what.text, text) != NULL);
}

static void expect_none(void) {
  heard what;
  ld_verify_report report;
  CHECK_RC(LD_OK, verify(&what, &report));
  if (what.findings > 0) fprintf(stderr, "%s: %s: %s\n", what.kind, what.where, what.text);
  CHECK(what.findings == 0);
}

/* ---- what is there ---- */

static void put(ld_collection *collection, int64_t id, const char *status) {
  ld_buf document = {0}, stored = {0};
  ld_put_options any = {.mode = LD_PUT_ANY};
  ld_write_map(&document, 2);
  ld_write_text(&document, "id");
  ld_write_int(&document, id);
  ld_write_text(&document, "status");
  ld_write_text(&document, status);
  CHECK_RC(LD_OK, ld_collection_put(txn, collection, ld_buf_slice(&document), any, &stored));
  ld_buf_clear(&document);
  ld_buf_clear(&stored);
}

/* {indexes = {"status"}} */
static const char declaration[] = "\x81\xa7indexes\x91\xa6status";

static void init(ld_collection *collection, bool declared) {
  ld_slice text = declared ? ld_text(declaration) : LD_SLICE_NONE;
  CHECK_RC(LD_OK, ld_collection_init(collection, LD_LITERAL("plans"), text, NULL));
}

static void save_rooms(unsigned count) {
  char name[24];
  for (unsigned i = 0; i < count; i++) {
    ld_buf document = {0};
    snprintf(name, sizeof name, "room %u", i);
    ld_write_map(&document, 2);
    ld_write_text(&document, "roomName");
    ld_write_text(&document, name);
    ld_write_text(&document, "userProgress");
    ld_write_map(&document, 1);
    ld_write_text(&document, "ada");
    ld_write_int(&document, 1);
    CHECK_RC(LD_OK, ld_room_save(txn, ld_buf_slice(&document)));
    ld_buf_clear(&document);
  }
}

static ld_rc drop_job(void *context, const ld_job *job) {
  (void)context;
  (void)job;
  return LD_OK;
}

/* { g = 0 to 3 } */
static void enqueue(ld_slice queue, unsigned group, ld_job_new job) {
  uint8_t data[] = {0x81, 0xa1, 'g', (uint8_t)(group % 4)};
  ld_enqueued made;
  job.data = ld_bytes(data, sizeof data);
  CHECK_RC(LD_OK, ld_queue_enqueue(txn, queue, &job, 1, &made));
}

static void fill_queues(void) {
  ld_slice plain = LD_LITERAL("plain"), grouped = LD_LITERAL("grouped");
  ld_queue_options options = ld_queue_defaults;
  ld_job_new daily = {.data = LD_LITERAL("\xc0")};
  size_t count;
  options.limit = (ld_queue_limit){.concurrency = 1, .rate = 2, .per_ms = 1000, .by = "g"};
  CHECK_RC(LD_OK, ld_queue_declare(txn, grouped, &options, false));
  for (unsigned i = 0; i < 12; i++) {
    uint8_t key[] = {'k', 0, (uint8_t)i};
    enqueue(i % 2 == 0 ? plain : grouped, i / 2, (ld_job_new){.key = ld_bytes(key, 3)});
  }
  enqueue(plain, 0, (ld_job_new){.delay_ms = 1000});
  CHECK_RC(LD_OK, ld_queue_schedule(txn, plain, LD_LITERAL("daily"),
                                    &(ld_schedule){.cron = LD_LITERAL("0 3 * * *")}, &daily));
  CHECK_RC(LD_OK, ld_queue_claim(txn, plain, &(ld_claim){.count = 2}, drop_job, NULL, &count));
  CHECK_RC(LD_OK, ld_queue_claim(txn, grouped, &(ld_claim){.count = 2}, drop_job, NULL, &count));
  CHECK(count == 2);
}

static void fill(void) {
  ld_collection plans;
  init(&plans, true);
  begin();
  CHECK_RC(LD_OK, ld_collection_declare(txn, &plans, false));
  for (int64_t i = 0; i < 20; i++) put(&plans, i, i % 2 == 0 ? "open" : "closed");
  save_rooms(20);
  fill_queues();
  CHECK_RC(LD_OK, ld_commit(txn));
  ld_collection_clear(&plans);
}

static ld_slice map_key(ld_buf *key) {
  ld_buf_byte(key, LD_SPACE_MAP);
  ld_tuple_string(key, LD_LITERAL("m"));
  ld_tuple_int(key, 1);
  return ld_buf_slice(key);
}

/* ---- tests ---- */

/* A row whose flags nobody knows, with a right checksum. */
static void test_newer(void) {
  uint8_t value[] = {1, 2, 0, 0, 0, 0, 1, 0xc0};
  ld_buf key = {0};
  map_key(&key);
  uint32_t crc = ld_crc32c(0, ld_buf_slice(&key));
  crc = ld_crc32c(crc, ld_bytes(value, 2));
  crc = ld_crc32c(crc, ld_bytes(value + 6, 2));
  for (size_t i = 0; i < 4; i++) value[2 + i] = (uint8_t)(crc >> (8 * i));
  open_store(&ld_memory_engine);
  begin();
  CHECK_RC(LD_OK, ld_put(txn, ld_buf_slice(&key), ld_bytes(value, sizeof value)));
  CHECK_RC(LD_OK, ld_commit(txn));
  expect("row", "key {1} of map \"m\"", "newer version");
  ld_engine_close(store);
  ld_buf_clear(&key);
}

static void test_signature(void) {
  static const uint8_t key[] = "\x01\x30larder";
  open_store(&ld_memory_engine);
  begin();
  CHECK_RC(LD_OK, ld_row_put(txn, ld_bytes(key, sizeof key), LD_LITERAL("\x80")));
  CHECK_RC(LD_OK, ld_commit(txn));
  expect("store", "row \"larder\"", "format");
  ld_engine_close(store);
}

/* While an index is being built, documents behind its place have no entries yet, and those before have. */
static void test_building(void) {
  ld_collection plain, plans;
  ld_build state;
  open_store(&ld_memory_engine);
  init(&plain, false);
  begin();
  for (int64_t i = 0; i < 40; i++) put(&plain, i, "open");
  CHECK_RC(LD_OK, ld_commit(txn));
  init(&plans, true);
  begin();
  CHECK_RC(LD_OK, ld_collection_declare(txn, &plans, false));
  CHECK_RC(LD_OK, ld_commit(txn));
  expect_none();
  begin();
  CHECK_RC(LD_OK, ld_index_build(txn, &plans, 10, &state));
  put(&plans, 35, "closed");
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK(state == LD_BUILD_MORE);
  expect_none();
  ld_buf key = {0};
  ld_buf_byte(&key, LD_SPACE_INDEX);
  ld_tuple_int(&key, (int64_t)plans.current.indexes[0].number);
  size_t size = key.size;
  begin();
  ld_scan scan;
  ld_row row;
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, ld_buf_slice(&key), LD_SLICE_NONE));
  for (int i = 0; i < 3; i++) CHECK_RC(LD_OK, ld_scan_next(&scan, &row));
  CHECK(row.key.size > size);
  key.size = 0;
  ld_buf_add(&key, row.key);
  ld_scan_end(&scan);
  CHECK_RC(LD_OK, ld_row_del(txn, ld_buf_slice(&key)));
  CHECK_RC(LD_OK, ld_commit(txn));
  expect("index", "index \"status\" of collection \"plans\"", "has no entry");
  ld_collection_clear(&plain);
  ld_collection_clear(&plans);
  ld_buf_clear(&key);
  ld_engine_close(store);
}

static void put_progress(int64_t room) {
  ld_buf key = {0};
  ld_buf_byte(&key, LD_SPACE_PROGRESS);
  ld_tuple_int(&key, room);
  ld_tuple_string(&key, LD_LITERAL("grace"));
  CHECK_RC(LD_OK, ld_row_put(txn, ld_buf_slice(&key), LD_LITERAL("\x01\x00")));
  ld_buf_clear(&key);
}

/* More rooms than a window of numbers holds (where tests make it small), and strays before, between and behind them. */
static void test_numbers(void) {
  heard what;
  ld_verify_report report;
  open_store(&ld_memory_engine);
  begin();
  save_rooms(100);
  CHECK_RC(LD_OK, ld_commit(txn));
  expect_none();
  begin();
  put_progress(2); /* the sequence gives each room an odd number, each row one more */
  for (int64_t i = 1; i < 5; i++) put_progress(INT64_MAX - i);
  put_progress(INT64_MAX);
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, verify(&what, &report));
  CHECK(what.findings == 6);
  CHECK(report.rooms == 100);
  ld_engine_close(store);
}

#ifdef __SANITIZE_ADDRESS__
enum { MANY = 2000, GROWTH = 1 << 20 };
#else
enum { MANY = 100000, GROWTH = 3000 }; /* KiB */
#endif

static long most_memory(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

static void test_flat(void) {
  ld_collection plans;
  heard what;
  ld_verify_report report;
  open_store(&ld_memory_engine);
  init(&plans, true);
  begin();
  CHECK_RC(LD_OK, ld_collection_declare(txn, &plans, false));
  for (int64_t i = 0; i < MANY; i++) put(&plans, i, i % 2 == 0 ? "open" : "closed");
  for (unsigned i = 0; i < MANY / 4; i++)
    enqueue(LD_LITERAL("q"), i, (ld_job_new){.priority = i % 2});
  CHECK_RC(LD_OK, ld_commit(txn));
  ld_collection_clear(&plans);
  long before = most_memory();
  CHECK_RC(LD_OK, verify(&what, &report));
  CHECK(what.findings == 0 && report.documents == MANY && report.jobs == MANY / 4);
  CHECK(most_memory() - before < GROWTH);
  ld_engine_close(store);
}

/* ---- failures ---- */

/* The failure comes out, or nothing is told that is not so. */
static void expect_failure(ld_rc expected) {
  heard what;
  ld_verify_report report;
  ld_rc rc = verify(&what, &report);
  CHECK(rc == LD_OK || rc == expected);
  CHECK(rc == LD_OK || store->error.text[0] != '\0');
  if (what.findings > 0) fprintf(stderr, "%s: %s: %s\n", what.kind, what.where, what.text);
  CHECK(what.findings == 0);
}

static void test_faults(void) {
  uint64_t call = 0;
  open_store(fault_engine(&ld_memory_engine, false));
  fault_at(0, LD_OK, false);
  fill();
  do {
    fault_at(++call, LD_IO, false);
    expect_failure(LD_IO);
  } while (fault.failed != NULL);
  CHECK(call > 200);
  fault_at(0, LD_OK, false);
  expect_none();
  ld_engine_close(store);
}

static void test_no_memory(void) {
  unsigned failed = 0;
  open_store(&ld_memory_engine);
  fill();
  expect_none();
  for (long call = 0;; call++) {
    run_out_after(call, false);
    expect_failure(LD_NOMEM);
    refill();
    if (!ran_out) break;
    failed++;
  }
  CHECK(failed > 100);
  ld_engine_close(store);
}

int main(void) {
  test_newer();
  test_signature();
  test_building();
  test_numbers();
  test_flat();
  test_faults();
  test_no_memory();
  CHECK(allocated == 0);
  return check_done("test_verify");
}
