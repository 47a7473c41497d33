/* test_engine.c -- the wrappers of the port themselves: what they ask of an engine, in which order, and what they never ask.
**
** The engine here does nothing but note each call as a letter; it has one row. What engines do with rows is checked by
** spec/contract; what happens when their calls fail by test_fault.c. */
#include "../../csrc/engine.h"

#include <string.h>

#include "check.h"
#include "failing_malloc.h"

/* ---- an engine that takes notes ---- */

static char notes[200];
static const char *row = "k"; /* the key of the only row */
static char failing;          /* the call that fails with IO; 0: none */

static ld_rc note(char letter) {
  size_t used = strlen(notes);
  CHECK(used + 1 < sizeof notes);
  notes[used] = letter;
  notes[used + 1] = '\0';
  return letter == failing ? LD_IO : LD_OK;
}

/* Check what was called since the last time. */
static void called(const char *expected) {
  if (strcmp(notes, expected) != 0) fprintf(stderr, "called %s, not %s\n", notes, expected);
  CHECK(strcmp(notes, expected) == 0);
  notes[0] = '\0';
}

static ld_rc noting_open(ld_engine *engine, const ld_config *config) {
  (void)config;
  ld_rc rc = note('o');
  return rc == LD_OK ? rc : ld_fail(&engine->error, rc, "no open");
}
static void noting_close(ld_engine *engine) { (void)engine, note('c'); }
static ld_rc noting_begin(ld_txn *txn) { return note(txn->writable ? 'B' : 'b'); }
static ld_rc noting_commit(ld_txn *txn) { return note(txn->parent != NULL ? 'm' : 'M'); }
static void noting_rollback(ld_txn *txn) { note(txn->parent != NULL ? 'r' : 'R'); }

static ld_rc noting_get(ld_txn *txn, ld_slice key, ld_slice *value) {
  (void)txn, (void)key;
  *value = ld_text("v");
  return note('g');
}
static ld_rc noting_put(ld_txn *txn, ld_slice key, ld_slice value) {
  (void)txn, (void)key, (void)value;
  return note('p');
}
static ld_rc noting_del(ld_txn *txn, ld_slice key) {
  (void)txn, (void)key;
  return note('d');
}

static ld_rc noting_cursor_open(ld_cursor *cursor) { return (void)cursor, note('('); }
static void noting_cursor_close(ld_cursor *cursor) { (void)cursor, note(')'); }
static ld_rc noting_first(ld_cursor *cursor) { return (void)cursor, note('f'); }
static ld_rc noting_last(ld_cursor *cursor) { return (void)cursor, note('l'); }
static ld_rc noting_seek(ld_cursor *cursor, ld_slice key) {
  (void)cursor;
  ld_rc rc = note('s');
  return rc != LD_OK || ld_compare(key, ld_text(row)) <= 0 ? rc : LD_NOTFOUND;
}
static ld_rc over(char letter) {
  ld_rc rc = note(letter);
  return rc == LD_OK ? LD_NOTFOUND : rc;
}
static ld_rc noting_next(ld_cursor *cursor) { return (void)cursor, over('>'); }
static ld_rc noting_prev(ld_cursor *cursor) { return (void)cursor, over('<'); }
static ld_rc noting_current(ld_cursor *cursor, ld_slice *key, ld_slice *value) {
  (void)cursor;
  *key = ld_text(row);
  *value = ld_text("v");
  return note('=');
}

static const ld_engine_ops noting_engine = {
    .abi = LD_ENGINE_ABI,
    .name = "noting",
    .promises = LD_SNAPSHOT | LD_ONE_WRITER,
    .engine_size = sizeof(ld_engine),
    .txn_size = sizeof(ld_txn),
    .cursor_size = sizeof(ld_cursor),
    .open = noting_open,
    .close = noting_close,
    .begin = noting_begin,
    .commit = noting_commit,
    .rollback = noting_rollback,
    .get = noting_get,
    .put = noting_put,
    .del = noting_del,
    .cursor_open = noting_cursor_open,
    .cursor_close = noting_cursor_close,
    .cursor_first = noting_first,
    .cursor_last = noting_last,
    .cursor_seek = noting_seek,
    .cursor_next = noting_next,
    .cursor_prev = noting_prev,
    .cursor_current = noting_current,
};

static ld_engine *engine;
static ld_txn *txn;
static ld_cursor *cursor;
static ld_slice key, value;

static void open_engine(void) {
  ld_config config = {.env = ld_env_system()};
  CHECK_RC(LD_OK, ld_engine_open(&noting_engine, &config, &engine, NULL));
  called("o");
}

static void begin(bool writable) {
  CHECK_RC(LD_OK, ld_begin(engine, writable, &txn));
  called(writable ? "B" : "b");
}

static void close_engine(const char *expected) {
  ld_engine_close(engine);
  called(expected);
}

/* ---- opening and closing ---- */

static void test_abi(void) {
  ld_engine_ops other = noting_engine;
  ld_config config = {.env = ld_env_system()};
  ld_error error = {0};
  ld_engine *untouched = NULL;
  other.abi = LD_ENGINE_ABI + 1;
  CHECK_RC(LD_UNSUPPORTED, ld_engine_open(&other, &config, &untouched, &error));
  CHECK(untouched == NULL && error.rc == LD_UNSUPPORTED && strstr(error.text, "version 2") != NULL);
  CHECK_RC(LD_UNSUPPORTED, ld_engine_open(&other, &config, &untouched, NULL));
  called("");
}

static void test_open_fails(void) {
  ld_config config = {.env = ld_env_system()};
  ld_error error = {0};
  ld_engine *untouched = NULL;
  failing = 'o';
  CHECK_RC(LD_IO, ld_engine_open(&noting_engine, &config, &untouched, &error));
  CHECK(untouched == NULL && error.rc == LD_IO && strcmp(error.text, "no open") == 0);
  called("o");
  failing = 0;
  run_out_after(0, false);
  CHECK_RC(LD_NOMEM, ld_engine_open(&noting_engine, &config, &untouched, &error));
  CHECK(error.rc == LD_NOMEM);
  called("");
  ld_engine_close(NULL);
}

/* Children before parents, cursors before their transaction, all before the engine. */
static void test_close_with_everything_open(void) {
  ld_txn *reader, *nested;
  open_engine();
  CHECK_RC(LD_OK, ld_begin(engine, false, &reader));
  CHECK_RC(LD_OK, ld_cursor_open(reader, &cursor));
  CHECK_RC(LD_OK, ld_begin(engine, true, &txn));
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_begin_nested(txn, &nested));
  CHECK_RC(LD_OK, ld_cursor_open(nested, &cursor));
  CHECK_RC(LD_OK, ld_cursor_open(nested, &cursor));
  called("b(B(B((");
  close_engine("))r)R)Rc");
}

static void test_defaults(void) {
  ld_engine_stats stats;
  open_engine();
  CHECK_RC(LD_OK, ld_sync(engine));
  CHECK_RC(LD_UNSUPPORTED, ld_stats(engine, &stats));
  CHECK(strstr(engine->error.text, "noting") != NULL);
  close_engine("c");
}

/* ---- transactions ---- */

/* One transaction and one cursor are kept, so that a reader allocates nothing. */
static void test_spares(void) {
  open_engine();
  begin(false);
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  ld_rollback(txn);
  long before = allocated;
  run_out_after(0, true);
  for (int i = 0; i < 3; i++) {
    CHECK_RC(LD_OK, ld_begin(engine, i == 1, &txn));
    CHECK(txn->writable == (i == 1) && txn->cursors == NULL && txn->spoilt == LD_OK);
    CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
    CHECK_RC(LD_NOTFOUND, ld_cursor_current(cursor, &key, &value));
    CHECK_RC(LD_OK, ld_commit(txn));
  }
  refill();
  CHECK(allocated == before);
  notes[0] = '\0';
  close_engine("c");
}

static void test_begin_fails(void) {
  ld_txn *nested = NULL;
  open_engine();
  failing = 'b';
  CHECK_RC(LD_IO, ld_begin(engine, false, &nested));
  failing = 'B';
  CHECK_RC(LD_IO, ld_begin(engine, true, &nested));
  failing = 0;
  called("bB");
  begin(true);
  failing = 'B';
  CHECK_RC(LD_IO, ld_begin_nested(txn, &nested));
  failing = 0;
  called("B");
  CHECK(nested == NULL && engine->txns == txn && txn->next == NULL);
  CHECK_RC(LD_OK, ld_put(txn, ld_text("k"), ld_text("v")));
  CHECK_RC(LD_OK, ld_commit(txn));
  called("pM");
  close_engine("c");
}

static void test_ends(void) {
  ld_txn *nested;
  open_engine();
  begin(true);
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_begin_nested(txn, &nested));
  CHECK_RC(LD_OK, ld_commit(nested));
  CHECK_RC(LD_OK, ld_commit(txn));
  called("(Bm)M");
  begin(true);
  CHECK_RC(LD_OK, ld_begin_nested(txn, &nested));
  CHECK_RC(LD_MISUSE, ld_commit(txn));
  called("BrR");
  begin(true);
  failing = 'M';
  CHECK_RC(LD_IO, ld_commit(txn));
  failing = 0;
  called("M");
  CHECK(engine->txns == NULL);
  ld_rollback(NULL);
  close_engine("c");
}

static void test_spoilt(void) {
  open_engine();
  begin(true);
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  failing = 'p';
  CHECK_RC(LD_IO, ld_put(txn, ld_text("k"), ld_text("v")));
  failing = 0;
  called("(p");
  CHECK_RC(LD_MISUSE, ld_get(txn, ld_text("k"), &value));
  CHECK_RC(LD_MISUSE, ld_put(txn, ld_text("k"), ld_text("v")));
  CHECK_RC(LD_MISUSE, ld_cursor_next(cursor));
  CHECK_RC(LD_IO, ld_commit(txn));
  called(")R");
  close_engine("c");
}

static ld_rc before_commit(ld_txn *ending) {
  CHECK(ending->writable && ending->parent == NULL);
  return note('!');
}

/* Only for top-level write transactions that may still commit. */
static void test_before_commit(void) {
  ld_txn *nested;
  open_engine();
  engine->before_commit = before_commit;
  begin(false);
  CHECK_RC(LD_OK, ld_commit(txn));
  called("M");
  begin(true);
  CHECK_RC(LD_OK, ld_begin_nested(txn, &nested));
  CHECK_RC(LD_OK, ld_commit(nested));
  CHECK_RC(LD_OK, ld_commit(txn));
  called("Bm!M");
  begin(true);
  ld_spoil(txn, LD_FULL);
  CHECK_RC(LD_FULL, ld_commit(txn));
  called("R");
  begin(true);
  failing = '!';
  CHECK_RC(LD_IO, ld_commit(txn));
  failing = 0;
  called("!R");
  close_engine("c");
}

/* ---- what never reaches an engine ---- */

static void test_refused(void) {
  static const uint8_t long_key[LD_KEY_MAX + 1] = {1};
  const ld_slice too_long = ld_bytes(long_key, sizeof long_key), one = ld_text("k");
  ld_txn *nested, *other;
  uint64_t count;
  open_engine();
  begin(false);
  CHECK_RC(LD_MISUSE, ld_put(txn, one, one));
  CHECK_RC(LD_MISUSE, ld_del(txn, one));
  CHECK_RC(LD_MISUSE, ld_del_range(txn, one, one, &count));
  CHECK_RC(LD_MISUSE, ld_begin_nested(txn, &nested));
  ld_rollback(txn);
  called("R");
  begin(true);
  CHECK_RC(LD_MISUSE, ld_begin(engine, true, &other));
  CHECK_RC(LD_TOOBIG, ld_put(txn, too_long, one));
  CHECK_RC(LD_TOOBIG, ld_put(txn, one, ld_bytes(long_key, (size_t)LD_VALUE_MAX + 1)));
  CHECK_RC(LD_TOOBIG, ld_get(txn, too_long, &value));
  CHECK_RC(LD_TOOBIG, ld_del(txn, too_long));
  CHECK_RC(LD_TOOBIG, ld_del_range(txn, too_long, one, &count));
  CHECK_RC(LD_TOOBIG, ld_del_range(txn, one, too_long, &count));
  CHECK_RC(LD_INVALID, ld_put(txn, LD_SLICE_NONE, one));
  called("");
  CHECK_RC(LD_OK, ld_commit(txn));
  called("M");
  close_engine("c");
}

/* ---- cursors ---- */

/* A cursor asks its engine to step only from a row, and finds its row anew after a write. */
static void test_cursor_places(void) {
  open_engine();
  begin(true);
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_NOTFOUND, ld_cursor_prev(cursor));
  CHECK_RC(LD_NOTFOUND, ld_cursor_current(cursor, &key, &value));
  called("(");
  CHECK_RC(LD_OK, ld_cursor_next(cursor));
  CHECK_RC(LD_NOTFOUND, ld_cursor_next(cursor));
  CHECK_RC(LD_NOTFOUND, ld_cursor_next(cursor));
  called("f>");
  CHECK_RC(LD_OK, ld_cursor_prev(cursor));
  CHECK_RC(LD_NOTFOUND, ld_cursor_prev(cursor));
  called("l<");
  CHECK_RC(LD_OK, ld_cursor_seek(cursor, ld_text("a")));
  CHECK_RC(LD_OK, ld_put(txn, ld_text("x"), ld_text("")));
  CHECK_RC(LD_OK, ld_put(txn, ld_text("x"), ld_text("")));
  called("s=pp");
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
  CHECK_RC(LD_OK, ld_cursor_current(cursor, &key, &value));
  called("s===");
  CHECK_RC(LD_OK, ld_del(txn, ld_text("x")));
  CHECK_RC(LD_NOTFOUND, ld_cursor_next(cursor));
  called("=ds=>");
  ld_cursor_close(cursor);
  ld_cursor_close(NULL);
  ld_rollback(txn);
  called(")R");
  close_engine("c");
}

/* From a row that is gone, the engine's cursor is only stepped when it found a row behind that. */
static void test_gone_row(void) {
  open_engine();
  begin(true);
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  for (int i = 0; i < 4; i++) {
    row = "k";
    CHECK_RC(LD_OK, ld_cursor_seek(cursor, ld_text("a")));
    CHECK_RC(LD_OK, ld_del(txn, ld_text("k")));
    notes[0] = '\0';
    row = i < 2 ? "j" : "l";
    CHECK_RC(LD_NOTFOUND, ld_cursor_current(cursor, &key, &value));
    called(i < 2 ? "s" : "s=");
    CHECK_RC(i == 0 || i == 3 ? LD_OK : LD_NOTFOUND,
             i % 2 == 0 ? ld_cursor_prev(cursor) : ld_cursor_next(cursor));
    called(i == 0 ? "sl" : i == 1 ? "s" : i == 2 ? "s=<" : "s=");
  }
  row = "k";
  ld_rollback(txn);
  called(")R");
  close_engine("c");
}

/* When a cursor's place cannot be noted, nothing is written. */
static void test_parking_fails(void) {
  open_engine();
  begin(true);
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  CHECK_RC(LD_OK, ld_cursor_next(cursor));
  run_out_after(0, false);
  CHECK_RC(LD_NOMEM, ld_put(txn, ld_text("x"), ld_text("")));
  refill();
  failing = '=';
  CHECK_RC(LD_IO, ld_put(txn, ld_text("x"), ld_text("")));
  failing = 0;
  called("(f==");
  CHECK_RC(LD_OK, ld_put(txn, ld_text("x"), ld_text("")));
  CHECK_RC(LD_OK, ld_commit(txn));
  called("=p)M");
  close_engine("c");
}

static void test_cursor_open_fails(void) {
  open_engine();
  begin(true);
  ld_cursor *untouched = NULL;
  failing = '(';
  CHECK_RC(LD_IO, ld_cursor_open(txn, &untouched));
  failing = 0;
  CHECK(untouched == NULL && txn->cursors == NULL);
  CHECK_RC(LD_OK, ld_commit(txn));
  called("(M");
  close_engine("c");
}

int main(void) {
  test_abi();
  test_open_fails();
  test_close_with_everything_open();
  test_defaults();
  test_spares();
  test_begin_fails();
  test_ends();
  test_spoilt();
  test_before_commit();
  test_refused();
  test_cursor_places();
  test_gone_row();
  test_parking_fails();
  test_cursor_open_fails();
  CHECK(allocated == 0);
  return check_done("engine");
}
