/* test_index_build.c -- a build that stops and goes on, with other handles, while documents come and go. With processes: spec/index_build_spec.lua. */
#include "../../csrc/index_build.h"

#include "../../csrc/find.h"
#include "../../csrc/store.h"
#include "documents.h"

enum { BATCH = 2 };

static ld_engine *store;
static ld_txn *txn;
static ld_collection builder, other; /* both of "c" */

static void open_handle(ld_collection *handle, const char *declaration) {
  ld_buf text = {0};
  if (declaration != NULL) text = document_of(declaration);
  CHECK_RC(LD_OK, ld_collection_init(handle, ld_text("c"), ld_buf_slice(&text), NULL));
  ld_buf_clear(&text);
}

static void put(ld_collection *handle, const char *json) {
  ld_buf document = document_of(json), stored = {0};
  CHECK_RC(LD_OK, ld_collection_put(txn, handle, ld_buf_slice(&document),
                                    (ld_put_options){LD_PUT_ANY, 0}, &stored));
  ld_buf_clear(&document);
  ld_buf_clear(&stored);
}

static void delete (ld_collection *handle, const char *id) {
  ld_buf value = document_of(id);
  CHECK_RC(LD_OK, ld_collection_delete(txn, handle, ld_buf_slice(&value), 0));
  ld_buf_clear(&value);
}

/* Five documents, and the declaration of an index on `a`. */
static void begin(const char *declaration) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  open_handle(&other, NULL);
  open_handle(&builder, declaration);
  for (int i = 1; i <= 5; i++) {
    char json[40];
    snprintf(json, sizeof json, "{\"id\":%d,\"a\":%d}", i, i);
    put(&other, json);
  }
  CHECK_RC(LD_OK, ld_collection_declare(txn, &builder, false));
  CHECK(!ld_collection_is_settled(&builder));
}

static void end(void) {
  ld_collection_clear(&builder);
  ld_collection_clear(&other);
  ld_rollback(txn);
  ld_engine_close(store);
}

static ld_build build(ld_collection *handle) {
  ld_build state;
  CHECK_RC(LD_OK, ld_index_build(txn, handle, BATCH, &state));
  return state;
}

static uint64_t entries(void) {
  static const uint8_t space = LD_SPACE_INDEX;
  ld_scan scan;
  ld_row row;
  uint64_t count = 0;
  CHECK_RC(LD_OK, ld_scan_begin(&scan, txn, ld_bytes(&space, 1), LD_SLICE_NONE));
  while (ld_scan_next(&scan, &row) == LD_OK) count++;
  ld_scan_end(&scan);
  return count;
}

static ld_rc add(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  (void)id, (void)document, (void)revision;
  ++*(unsigned *)context;
  return LD_OK;
}

static unsigned found(ld_collection *handle, const char *where, bool by_index) {
  ld_buf query = document_of(where);
  ld_find find;
  ld_find_report report = {.index = LD_SLICE_NONE};
  unsigned count = 0;
  CHECK_RC(LD_OK, ld_find_init(&find, ld_buf_slice(&query), NULL));
  CHECK_RC(LD_OK, ld_collection_look(txn, handle));
  CHECK_RC(LD_OK, ld_find_run(txn, handle, &find, add, &count, NULL, &report));
  CHECK((report.index.size > 0) == by_index);
  ld_find_clear(&find);
  ld_buf_clear(&report.candidates);
  ld_buf_clear(&query);
  return count;
}

static void test_going_on(void) {
  begin("{\"indexes\":[\"a\"]}");
  CHECK(build(&builder) == LD_BUILD_MORE);
  CHECK(entries() == 2 + 1); /* and the place */
  CHECK(found(&other, "{\"where\":{\"a\":{\"$lt\":4}}}", false) == 3);
  CHECK(build(&other) == LD_BUILD_MORE);
  CHECK(entries() == 4 + 1);
  CHECK(build(&builder) == LD_BUILD_DONE);
  CHECK(entries() == 5 && ld_collection_is_settled(&builder));
  CHECK(found(&other, "{\"where\":{\"a\":{\"$lt\":4}}}", true) == 3);
  CHECK(build(&other) == LD_BUILD_DONE && entries() == 5);
  end();
}

/* What is written meanwhile is kept, on both sides of the place. */
static void test_writes_between(void) {
  begin("{\"indexes\":[\"a\"]}");
  CHECK(build(&builder) == LD_BUILD_MORE);
  put(&other, "{\"id\":1,\"a\":50}");
  put(&other, "{\"id\":4,\"a\":51}");
  put(&other, "{\"id\":-1,\"a\":52}");
  put(&other, "{\"id\":9,\"a\":53}");
  delete (&other, "2"); /* the place itself */
  delete (&other, "5");
  CHECK(entries() == 1 + 1 + 1 + 1 + 1);
  while (build(&builder) == LD_BUILD_MORE) continue;
  CHECK(entries() == 5);
  CHECK(found(&other, "{\"where\":{\"a\":{\"$gte\":50}}}", true) == 4);
  CHECK(found(&other, "{\"where\":{\"a\":{\"$lt\":50}}}", true) == 1);
  end();
}

/* A document that the build never sees is the first to have several values; so was one that went before it was seen. */
static void test_states(void) {
  begin("{\"indexes\":[\"a\"]}");
  put(&other, "{\"id\":5,\"a\":[5,6]}");
  ld_collection_clear(&other);
  open_handle(&other, NULL);
  CHECK_RC(LD_OK, ld_collection_drop_index(txn, &builder, ld_text("a")));
  CHECK_RC(LD_OK, ld_collection_declare(txn, &builder, false));
  CHECK(build(&builder) == LD_BUILD_MORE);
  delete (&other, "5");
  put(&other, "{\"id\":0,\"a\":[7,8]}");
  while (build(&builder) == LD_BUILD_MORE) continue;
  CHECK(found(&builder, "{\"where\":{\"a\":{\"$gte\":7}}}", true) == 1);
  CHECK(found(&other, "{\"where\":{\"a\":{\"$gte\":7}}}", true) == 1);
  end();
}

static void test_clash(void) {
  ld_buf document = document_of("{\"id\":6,\"a\":1}"), stored = {0};
  begin("{\"indexes\":[{\"$map\":[[1,\"a\"],[\"unique\",true]]},\"b\"]}");
  CHECK(build(&builder) == LD_BUILD_MORE);
  CHECK_RC(LD_EXISTS, ld_collection_put(txn, &other, ld_buf_slice(&document),
                                        (ld_put_options){LD_PUT_ANY, 0}, &stored));
  put(&other, "{\"id\":6,\"a\":4}"); /* 4 has not been taken in */
  CHECK(build(&builder) == LD_BUILD_CLASH);
  CHECK(store->error.rc == LD_EXISTS && strstr(store->error.text, "documents 6 and 4") != NULL);
  CHECK(entries() == 1); /* of the other index, which every write keeps */
  CHECK(ld_declaration_index(&builder.current, ld_text("a")) == NULL);
  while (build(&other) == LD_BUILD_MORE) continue;
  CHECK(entries() == 6);
  ld_buf_clear(&document);
  ld_buf_clear(&stored);
  end();
}

int main(void) {
  test_going_on();
  test_writes_between();
  test_states();
  test_clash();
  return check_done("index_build");
}
