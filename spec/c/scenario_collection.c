/* scenario_collection.c -- the operations of collections and their indexes, for scenario.h.
**
** The handles stay from one attempt to the next, as those of a program do: what a failure leaves in them must not be believed. */
#include <stdlib.h>

#include "../../csrc/change.h"
#include "../../csrc/find.h"
#include "../../csrc/index_build.h"
#include "../../csrc/json.h"
#include "../../csrc/value.h"
#include "scenario.h"

enum { FILLED = 6 };

typedef struct prepared {
  const char *json;
  ld_buf bytes;
} prepared;

static prepared declaration = {
    .json =
        "{\"indexes\":[\"a\",[\"-b\",\"a\"],{\"$map\":[[1,\"u\"],[\"unique\",true]]},{\"$map\":[[1,"
        "\"a\"],[\"name\",\"some\"],[\"where\",{\"b\":1}]]}]}"};
static prepared more = {
    .json =
        "{\"indexes\":[{\"$map\":[[1,\"u\"],[\"unique\",true],[\"name\",\"u2\"]]},[\"a\",\"b\"]]}"};
static prepared first = {.json = "{\"id\":1,\"a\":[1,2,3],\"b\":\"x\",\"u\":1}"};
static prepared fresh = {.json = "{\"id\":\"new\",\"a\":[1,5],\"b\":1,\"u\":99}"};
static prepared clashing = {.json = "{\"id\":3,\"a\":9,\"b\":9,\"u\":1}"};
static prepared grow = {.json = "{\"$inc\":{\"u\":10},\"$set\":{\"a\":[7,8]}}"};
static prepared rename_b = {.json = "{\"$rename\":{\"b\":\"c\"},\"$unset\":{\"u\":1}}"};
static prepared by_a = {.json = "{\"where\":{\"a\":{\"$gte\":1}},\"sort\":\"a\"}"};
static prepared back = {
    .json = "{\"where\":{\"b\":{\"$in\":[0,1,\"x\"]}},\"sort\":[\"b\",\"-a\"],\"limit\":3}"};
static prepared in_order = {.json = "{\"sort\":\"-u\",\"limit\":4}"};
static prepared few = {.json = "{\"where\":{\"a\":1}}"};
static prepared two = {.json = "2"}, four = {.json = "4"};

static prepared *const all[] = {&declaration, &more, &first,    &fresh, &clashing, &grow, &rename_b,
                                &by_a,        &back, &in_order, &few,   &two,      &four};

static ld_collection docs, plain, growing;

static ld_slice of(const prepared *text) { return ld_buf_slice(&text->bytes); }

void collection_begin(void) {
  ld_error error = {0};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (ld_json_parse(ld_text(all[i]->json), &all[i]->bytes, &error) != LD_OK) abort();
}

void collection_forget(void) {
  ld_collection_clear(&docs);
  ld_collection_clear(&plain);
  ld_collection_clear(&growing);
  docs = plain = growing = (ld_collection){.name = {0}};
}

void collection_end(void) {
  collection_forget();
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) ld_buf_clear(&all[i]->bytes);
}

static ld_rc open_handle(ld_txn *txn, ld_collection *handle, const char *name,
                         const prepared *declared) {
  if (handle->name.size > 0) return LD_OK;
  return ld_collection_init(handle, ld_text(name), declared == NULL ? LD_SLICE_NONE : of(declared),
                            &txn->engine->error);
}

static ld_rc open_docs(ld_txn *txn) {
  ld_rc rc = open_handle(txn, &docs, "docs", &declaration);
  return rc == LD_OK ? ld_collection_look(txn, &docs) : rc;
}

/* ---- what is there ---- */

static ld_rc put_numbered(ld_txn *txn, ld_collection *handle, int64_t id) {
  ld_buf document = {0}, stored = {0};
  ld_write_map(&document, 4);
  ld_write_text(&document, "id");
  ld_write_int(&document, id);
  ld_write_text(&document, "a");
  ld_write_int(&document, id % 3);
  ld_write_text(&document, "b");
  ld_write_int(&document, id % 2);
  ld_write_text(&document, "u");
  ld_write_int(&document, id);
  ld_rc rc = ld_collection_put(txn, handle, ld_buf_slice(&document),
                               (ld_put_options){LD_PUT_ANY, 0}, &stored);
  ld_buf_clear(&document);
  ld_buf_clear(&stored);
  return rc;
}

ld_rc collection_fill(ld_txn *txn) {
  ld_buf stored = {0};
  ld_rc rc = open_handle(txn, &docs, "docs", &declaration);
  if (rc == LD_OK) rc = open_handle(txn, &plain, "plain", NULL);
  for (int64_t id = 1; id <= FILLED && rc == LD_OK; id++) {
    rc = put_numbered(txn, &docs, id);
    if (rc == LD_OK) rc = put_numbered(txn, &plain, id);
  }
  if (rc == LD_OK)
    rc = ld_collection_put(txn, &plain, of(&first), (ld_put_options){LD_PUT_ANY, 0}, &stored);
  ld_buf_clear(&stored);
  return rc;
}

/* ---- changes ---- */

static ld_rc put(ld_txn *txn, const prepared *document, ld_buf *result) {
  ld_rc rc = open_docs(txn);
  return rc == LD_OK
             ? ld_collection_put(txn, &docs, of(document), (ld_put_options){LD_PUT_ANY, 0}, result)
             : rc;
}

static ld_rc put_new(ld_txn *txn, ld_buf *result) { return put(txn, &fresh, result); }
static ld_rc put_over(ld_txn *txn, ld_buf *result) { return put(txn, &first, result); }

/* Refused, and nothing of it stays. */
static ld_rc put_clashing(ld_txn *txn, ld_buf *result) {
  ld_rc rc = put(txn, &clashing, result);
  return rc == LD_EXISTS ? LD_OK : rc == LD_OK ? LD_MISUSE : rc;
}

static ld_rc change(ld_txn *txn, ld_buf *result) {
  ld_rc rc = open_docs(txn);
  return rc == LD_OK ? ld_change(txn, &docs, of(&two), of(&grow), 0, false, result) : rc;
}

static ld_rc delete (ld_txn *txn, ld_buf *result) {
  (void)result;
  ld_rc rc = open_docs(txn);
  return rc == LD_OK ? ld_collection_delete(txn, &docs, of(&four), 0) : rc;
}

static ld_rc change_where(ld_txn *txn, const prepared *patch, ld_buf *result) {
  ld_find find;
  uint64_t count = 0;
  ld_rc rc = open_docs(txn);
  if (rc == LD_OK) rc = ld_find_init(&find, of(&few), &txn->engine->error);
  if (rc != LD_OK) return rc;
  rc = patch == NULL ? ld_delete_where(txn, &docs, &find, &count)
                     : ld_change_where(txn, &docs, &find, of(patch), &count);
  ld_find_clear(&find);
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

static ld_rc update_where(ld_txn *txn, ld_buf *result) {
  return change_where(txn, &rename_b, result);
}
static ld_rc delete_where(ld_txn *txn, ld_buf *result) { return change_where(txn, NULL, result); }

/* ---- queries ---- */

static ld_rc add_document(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  (void)id, (void)revision;
  ld_buf_add(context, document);
  return LD_OK;
}

static ld_rc run_query(ld_txn *txn, const prepared *query, ld_buf *result) {
  ld_find find;
  size_t before = result->size;
  ld_rc rc = open_docs(txn);
  if (rc == LD_OK) rc = ld_find_init(&find, of(query), &txn->engine->error);
  if (rc != LD_OK) return rc;
  rc = ld_find_run(txn, &docs, &find, add_document, result, result, NULL);
  if (rc == LD_OK) rc = ld_find_explain(txn, &docs, &find, result);
  ld_find_clear(&find);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc find_sorted(ld_txn *txn, ld_buf *result) { return run_query(txn, &by_a, result); }
static ld_rc find_back(ld_txn *txn, ld_buf *result) { return run_query(txn, &back, result); }
static ld_rc find_ordered(ld_txn *txn, ld_buf *result) { return run_query(txn, &in_order, result); }

/* ---- indexes ---- */

static ld_rc build(ld_txn *txn, unsigned batch) {
  ld_build state = LD_BUILD_MORE;
  ld_rc rc = open_handle(txn, &growing, "plain", &more);
  if (rc == LD_OK) rc = ld_collection_declare(txn, &growing, false);
  while (rc == LD_OK && state == LD_BUILD_MORE) rc = ld_index_build(txn, &growing, batch, &state);
  if (rc != LD_OK) return rc;
  return state == LD_BUILD_DONE && ld_collection_is_settled(&growing) ? LD_OK : LD_MISUSE;
}

static ld_rc build_at_once(ld_txn *txn, ld_buf *result) {
  (void)result;
  return build(txn, 100);
}
static ld_rc build_in_batches(ld_txn *txn, ld_buf *result) {
  (void)result;
  return build(txn, 2);
}

static ld_rc drop_index(ld_txn *txn, ld_buf *result) {
  (void)result;
  ld_rc rc = open_docs(txn);
  return rc == LD_OK ? ld_collection_drop_index(txn, &docs, ld_text("a")) : rc;
}

static ld_rc rename_index(ld_txn *txn, ld_buf *result) {
  char name[] = "alpha"; /* gone when this returns */
  (void)result;
  ld_rc rc = open_docs(txn);
  return rc == LD_OK ? ld_collection_rename_index(txn, &docs, ld_text("a"), ld_text(name)) : rc;
}

static ld_rc drop(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_collection_drop(txn, ld_text("docs"));
}

const scenario collection_scenarios[] = {
    {"collection: put", true, put_new},
    {"collection: put over", true, put_over},
    {"collection: put what clashes", true, put_clashing},
    {"collection: change", true, change},
    {"collection: delete", true, delete},
    {"collection: change what is found", true, update_where},
    {"collection: delete what is found", true, delete_where},
    {"collection: find, sorted", false, find_sorted},
    {"collection: find, sorted, with a limit", false, find_back},
    {"collection: find in the order of an index", false, find_ordered},
    {"collection: build", true, build_at_once},
    {"collection: build in batches", true, build_in_batches},
    {"collection: drop an index", true, drop_index},
    {"collection: rename an index", true, rename_index},
    {"collection: drop", true, drop},
};
const size_t collection_scenario_count = sizeof collection_scenarios / sizeof *collection_scenarios;
