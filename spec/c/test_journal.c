/* test_journal.c -- what transactions have changed: batches, savepoints, who listened when, commits that fail, memory that runs out.
** What each method notes, and how listeners are called: spec/listeners_spec.lua. */
#include "../../csrc/journal.h"

#include "../../csrc/map.h"
#include "../../csrc/room.h"
#include "../../csrc/store.h"
#include "../../csrc/tuple.h"
#include "../../csrc/value.h"
#include "check.h"
#include "failing_malloc.h"
#include "fault.h"

static ld_engine *store;
static ld_txn *txn;

static void open_on(const ld_engine_ops *ops, uint64_t listener) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(ops, &env, NULL, 0, &store, NULL));
  ld_journal_listen(store, listener);
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
}

static ld_rc set_in(ld_txn *in, const char *letter) {
  uint8_t room[16], nil = 0xc0;
  ld_buf key = {.data = room, .capacity = sizeof room};
  bool done;
  ld_tuple_string(&key, ld_text(letter));
  return ld_map_set(in, LD_LITERAL("m"), ld_buf_slice(&key), ld_bytes(&nil, 1), false, &done);
}

static void set(ld_txn *in, const char *letter) { CHECK_RC(LD_OK, set_in(in, letter)); }

static ld_txn *nest(ld_txn *in) {
  ld_txn *nested;
  CHECK_RC(LD_OK, ld_begin_nested(in, &nested));
  return nested;
}

/* Take the oldest batch, which must hold the keys of these letters, in this order, for listeners up to `listener`. */
static void taken(const char *letters, uint64_t listener) {
  ld_batch *batch = ld_journal_take(store);
  ld_slice note, rest, field;
  ld_token key;
  CHECK(batch != NULL && batch->count == strlen(letters) && batch->listener == listener);
  rest = ld_buf_slice(&batch->notes);
  for (; *letters != 0; letters++) {
    CHECK(ld_value_take(&rest, &note) && ld_value_check(note, NULL) == LD_OK);
    CHECK(ld_value_field(note, "key", &field) && ld_value_next(&field, &key));
    CHECK(key.kind == LD_STR && ld_equal(key.bytes, ld_bytes(letters, 1)));
  }
  CHECK(rest.size == 0);
  ld_batch_free(batch);
}

static void nothing_taken(void) { CHECK(ld_journal_take(store) == NULL); }

/* ---- batches ---- */

static void test_batches(void) {
  open_on(&ld_memory_engine, 1);
  set(txn, "a");
  set(txn, "b");
  nothing_taken();
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  CHECK_RC(LD_OK, ld_commit(txn)); /* nothing changed: no batch */
  for (const char *letter = "c"; letter != NULL; letter = *letter == 'c' ? "d" : NULL) {
    CHECK_RC(LD_OK, ld_begin(store, true, &txn));
    set(txn, letter);
    CHECK_RC(LD_OK, ld_commit(txn));
  }
  taken("ab", 1);
  taken("c", 1);
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  set(txn, "e");
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("d", 1);
  taken("e", 1);
  nothing_taken();
  ld_engine_close(store);
}

static void test_rollback(void) {
  open_on(&ld_memory_engine, 1);
  set(txn, "a");
  ld_rollback(txn);
  nothing_taken();
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  set(txn, "b");
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("b", 1);
  ld_engine_close(store);
}

/* What is left in a journal, and in open transactions, is freed: test_memory_is_freed counts. */
static void test_close(void) {
  open_on(&ld_memory_engine, 1);
  set(txn, "a");
  CHECK_RC(LD_OK, ld_commit(txn));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  set(txn, "b");
  set(nest(txn), "c");
  ld_engine_close(store);
}

/* ---- savepoints ---- */

static void test_nested(void) {
  ld_txn *inner, *innermost;
  open_on(&ld_memory_engine, 1);
  ld_rollback(nest(txn));
  inner = nest(txn); /* before there is a batch */
  set(inner, "x");
  ld_rollback(inner);
  set(txn, "a");
  inner = nest(txn);
  set(inner, "b");
  innermost = nest(inner);
  set(innermost, "x");
  ld_rollback(innermost);
  innermost = nest(inner);
  set(innermost, "c");
  CHECK_RC(LD_OK, ld_commit(innermost));
  CHECK_RC(LD_OK, ld_commit(inner));
  nothing_taken();
  inner = nest(txn);
  innermost = nest(inner);
  set(innermost, "x");
  CHECK_RC(LD_OK, ld_commit(innermost)); /* into one that is rolled back */
  ld_rollback(inner);
  set(txn, "d");
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("abcd", 1);
  nothing_taken();
  ld_engine_close(store);
}

/* Only nested changes, all rolled back: no batch. */
static void test_nothing_left(void) {
  open_on(&ld_memory_engine, 1);
  ld_txn *inner = nest(txn);
  set(inner, "x");
  ld_rollback(inner);
  CHECK_RC(LD_OK, ld_commit(txn));
  nothing_taken();
  ld_engine_close(store);
}

/* ---- listeners ---- */

static void test_who_listens(void) {
  open_on(&ld_memory_engine, 0);
  set(txn, "a");
  ld_journal_listen(store, 3);
  set(txn, "b");
  ld_txn *inner = nest(txn);
  set(inner, "c");
  CHECK_RC(LD_OK, ld_commit(inner));
  CHECK_RC(LD_OK, ld_commit(txn));
  nothing_taken(); /* all or nothing: it had begun before */
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  set(txn, "d");
  ld_journal_listen(store, 4);
  inner = nest(txn);
  set(inner, "e");
  CHECK_RC(LD_OK, ld_commit(inner));
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("de", 3);
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  ld_journal_listen(store, 0);
  set(txn, "f");
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("f", 4);
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  set(txn, "g");
  CHECK_RC(LD_OK, ld_commit(txn));
  nothing_taken();
  ld_engine_close(store);
}

/* ---- failures ---- */

/* A set and its commit, in a store of its own, in which call number `call` of the engine fails; true when there was none. */
static bool fail_call(uint64_t call, bool nested, bool late) {
  open_on(fault_engine(&ld_memory_engine, false), 1);
  set(txn, "a"); /* the map, and the sequence, are there */
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("a", 1);
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
  ld_txn *in = nested ? nest(txn) : txn;
  fault_at(call, LD_IO, late);
  ld_rc rc = set_in(in, "b");
  if (rc == LD_OK && nested) rc = ld_commit(in);
  if (rc == LD_OK)
    rc = ld_commit(txn);
  else
    ld_rollback(txn); /* and what is nested in it */
  bool failed = fault.failed != NULL;
  fault_at(0, LD_OK, false);
  CHECK(rc == (failed ? LD_IO : LD_OK));
  if (failed)
    nothing_taken();
  else
    taken("b", 1);
  ld_engine_close(store);
  return !failed;
}

/* ---- memory ---- */

static void test_without_memory(void) {
  for (int level = 0; level < 2; level++) {
    open_on(&ld_memory_engine, 1);
    ld_txn *in = level == 0 ? txn : nest(txn);
    run_out_after(0, false);
    CHECK_RC(LD_NOMEM, ld_note_room(in, "save", LD_LITERAL("r")));
    refill();
    CHECK_RC(LD_NOMEM, ld_commit(in)); /* spoilt: no commit without its notes */
    if (level == 1) {
      set(txn, "a");
      CHECK_RC(LD_OK, ld_commit(txn));
      taken("a", 1);
    }
    nothing_taken();
    ld_engine_close(store);
  }
}

/* A nested transaction cannot grow the batch: what was noted before stays. */
static void test_growing_without_memory(void) {
  static char name[LD_PART_MAX];
  memset(name, 'n', sizeof name);
  open_on(&ld_memory_engine, 1);
  set(txn, "a");
  ld_txn *in = nest(txn);
  run_out_after(0, true);
  CHECK_RC(LD_NOMEM, ld_note_room(in, "save", ld_bytes(name, sizeof name)));
  refill();
  ld_rollback(in);
  set(txn, "b");
  CHECK_RC(LD_OK, ld_commit(txn));
  taken("ab", 1);
  ld_engine_close(store);
}

/* Nobody listens: no allocation, and nothing to take. */
static void test_costs_nothing(void) {
  open_on(&ld_memory_engine, 0);
  run_out_after(0, true);
  CHECK_RC(LD_OK, ld_note_room(txn, "save", LD_LITERAL("r")));
  CHECK_RC(LD_OK, ld_note_rating(txn, LD_LITERAL("r"), LD_LITERAL("u"), LD_LITERAL("m")));
  CHECK_RC(LD_OK, ld_note_document(txn, "drop", LD_LITERAL("c"), LD_SLICE_NONE));
  CHECK_RC(LD_OK, ld_note_key(txn, "set", LD_LITERAL("m"), LD_LITERAL("\x01")));
  CHECK(!ran_out);
  refill();
  CHECK_RC(LD_OK, ld_commit(txn));
  nothing_taken();
  ld_engine_close(store);
}

int main(void) {
  long held = allocated;
  test_batches();
  test_rollback();
  test_close();
  test_nested();
  test_nothing_left();
  test_who_listens();
  for (int way = 0; way < 4; way++)
    for (uint64_t call = 1; !fail_call(call, (way & 1) != 0, (way & 2) != 0); call++) continue;
  test_without_memory();
  test_growing_without_memory();
  test_costs_nothing();
  CHECK(allocated == held);
  return check_done("journal");
}
