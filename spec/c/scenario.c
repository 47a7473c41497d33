/* scenario.c -- see scenario.h. */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "../../csrc/json.h"
#include "../../csrc/map.h"
#include "../../csrc/store.h"
#include "../../csrc/tuple.h"
#include "../../csrc/value.h"
#include "scenario_dump.h"
#include "scenario_queue.h"

enum { LONG = 1000 };

#define RATINGS                                                                                    \
  "\"ratings\":{\"m1\":[[\"ann\",\"like\",10],[\"bob\",\"like\",11]],\"m2\":[[\"ann\","            \
  "\"dislike\",12]],\"m3\":[[\"bob\",\"like\",9],[\"ann\",\"like\",13]]},"                         \
  "\"userProgress\":{\"ann\":3,\"bob\":2}"

static ld_buf kitchen, larger, pantry, long_room, parsed_time;
static char long_name[LONG + 1], large[20 * LONG]; /* larger than any row before */
static int64_t now;

static int64_t clock_now(void *context) {
  (void)context;
  return now;
}

static void no_random(void *context, void *bytes, size_t size) {
  (void)context;
  memset(bytes, 7, size);
}

/* ---- documents ---- */

static void parse(const char *json, ld_buf *document) {
  ld_error error = {0};
  if (ld_json_parse(ld_text(json), document, &error) != LD_OK) abort();
}

void scenario_begin(void) {
  char json[LONG + 400] = "{\"roomName\":\"";
  memset(long_name, 'n', LONG);
  strcat(json, long_name);
  strcat(json, "\"," RATINGS "}");
  parse(json, &long_room);
  parse("{\"roomName\":\"kitchen\",\"password\":\"pw\",\"sort\":\"random\"," RATINGS "}", &kitchen);
  parse("{\"roomName\":\"kitchen\",\"options\":[1,2],\"ratings\":{\"m1\":[[\"cy\",\"like\",1]],"
        "\"m9\":[[\"cy\",\"dislike\",2]]},\"userProgress\":{\"cy\":2}}",
        &larger);
  parse("{\"roomName\":\"pantry\",\"createdAt\":\"2020\"}", &pantry);
  parse("42", &parsed_time);
  collection_begin();
  dump_begin();
}

void scenario_end(void) {
  ld_buf *const all[] = {&kitchen, &larger, &pantry, &long_room, &parsed_time};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) ld_buf_clear(all[i]);
  collection_end();
  dump_end();
}

/* ---- stores ---- */

ld_rc scenario_open(const ld_engine_ops *ops, const char *path, ld_engine **store,
                    ld_error *error) {
  ld_env env = ld_env_system();
  ld_option options[] = {{"path", path}, {"durability", "none"}};
  env.now_ms = clock_now;
  env.random = no_random;
  now = 1000;
  ld_rc rc = ld_store_open(ops, &env, options, path == NULL ? 0 : 2, store, error);
  if (rc == LD_OK) ld_journal_listen(*store, 1); /* notes can fail, too */
  return rc;
}

static ld_rc put_rows(ld_txn *txn) {
  ld_rc rc = LD_OK;
  for (char digit = '0'; digit <= '9' && rc == LD_OK; digit++) {
    char key[LONG];
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = digit;
    rc = ld_row_put(txn, ld_bytes(key + sizeof key - 5, 5), ld_text("short"));
    if (rc == LD_OK) rc = ld_row_put(txn, ld_bytes(key, sizeof key), ld_text("long"));
  }
  return rc;
}

/* The key k...kN, a tuple of one part: a long one, unless `size` is small. */
static ld_slice map_key(uint8_t room[LONG + 8], size_t size, char last) {
  ld_buf key = {.data = room, .capacity = LONG + 8};
  char text[LONG];
  memset(text, 'k', sizeof text);
  text[size - 1] = last;
  ld_tuple_string(&key, ld_bytes(text, size));
  return ld_buf_slice(&key);
}

static ld_rc put_entries(ld_txn *txn) {
  uint8_t room[LONG + 8];
  const ld_slice value = ld_bytes("\x05", 1);
  bool done;
  ld_rc rc = LD_OK;
  for (char digit = '0'; digit <= '9' && rc == LD_OK; digit++) {
    rc = ld_map_set(txn, ld_text("map"), map_key(room, 3, digit), value, false, &done);
    if (rc == LD_OK)
      rc = ld_map_set(txn, ld_text("map"), map_key(room, LONG, digit), value, false, &done);
  }
  return rc;
}

ld_rc scenario_fill(ld_engine *store) {
  ld_txn *txn;
  ld_rc rc = ld_begin(store, true, &txn);
  if (rc != LD_OK) return rc;
  now = 1000;
  rc = ld_room_save(txn, ld_buf_slice(&pantry));
  if (rc == LD_OK) rc = ld_room_save(txn, ld_buf_slice(&long_room));
  if (rc == LD_OK) rc = scenario_fill_queues(txn, &now);
  now = 9000;
  if (rc == LD_OK) rc = ld_room_save(txn, ld_buf_slice(&kitchen));
  if (rc == LD_OK) rc = put_rows(txn);
  if (rc == LD_OK) rc = put_entries(txn);
  if (rc == LD_OK) rc = collection_fill(txn);
  if (rc == LD_OK) rc = cache_fill(txn);
  if (rc == LD_OK) return ld_commit(txn);
  ld_rollback(txn);
  return rc;
}

ld_rc scenario_dump(ld_txn *txn, ld_buf *rows) {
  ld_cursor *cursor;
  ld_slice key, value;
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return rc;
  while ((rc = ld_cursor_next(cursor)) == LD_OK) {
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc != LD_OK) break;
    ld_buf_varint(rows, key.size);
    ld_buf_add(rows, key);
    ld_buf_varint(rows, value.size);
    ld_buf_add(rows, value);
  }
  ld_cursor_close(cursor);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- rooms ---- */

static ld_rc save_new(ld_txn *txn, ld_buf *result) {
  (void)result;
  ld_rc rc = ld_room_delete(txn, ld_text("kitchen"));
  return rc == LD_OK ? ld_room_save(txn, ld_buf_slice(&kitchen)) : rc;
}

static ld_rc save_over(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_room_save(txn, ld_buf_slice(&larger));
}

static ld_rc save_over_long(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_room_save(txn, ld_buf_slice(&long_room));
}

static ld_rc get_whole(ld_txn *txn, ld_buf *result) {
  return ld_room_get(txn, ld_text("kitchen"), LD_ROOM_WHOLE, result);
}

static ld_rc get_long(ld_txn *txn, ld_buf *result) {
  return ld_room_get(txn, ld_text(long_name), LD_ROOM_WHOLE, result);
}

static ld_rc has(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_room_has(txn, ld_text("kitchen"));
}

static ld_rc delete_room(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_room_delete(txn, ld_text("kitchen"));
}

static ld_rc delete_long(ld_txn *txn, ld_buf *result) {
  (void)result;
  return ld_room_delete(txn, ld_text(long_name));
}

static ld_rc visit(void *context, ld_slice name, ld_slice document) {
  ld_buf_add(context, name);
  ld_buf_add(context, document);
  return LD_OK;
}

/* Visits append on their way, so what was appended before a failure is taken back. */
static ld_rc each(ld_txn *txn, ld_buf *result) {
  const ld_room_range all = {0};
  size_t before = result->size;
  ld_rc rc = ld_room_each(txn, &all, false, LD_ROOM_WHOLE, visit, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc each_name(ld_txn *txn, ld_buf *result) {
  const ld_room_range range = {.prefix = ld_text("k"), .after = ld_text("ka")};
  size_t before = result->size;
  ld_rc rc = ld_room_each(txn, &range, true, LD_ROOM_CONFIG, visit, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc rate(ld_txn *txn, const char *name, const char *user, const char *media,
                  ld_buf *result) {
  ld_rating rating = {ld_text(user), ld_text(media), true, ld_buf_slice(&parsed_time)};
  return ld_room_rate(txn, ld_text(name), &rating, result);
}

static ld_rc rate_match(ld_txn *txn, ld_buf *result) {
  return rate(txn, "kitchen", "cy", "m1", result);
}
static ld_rc rate_first(ld_txn *txn, ld_buf *result) {
  return rate(txn, "pantry", "ann", "m7", result);
}
static ld_rc rate_again(ld_txn *txn, ld_buf *result) {
  return rate(txn, "kitchen", "ann", "m1", result);
}
static ld_rc rate_long(ld_txn *txn, ld_buf *result) {
  return rate(txn, long_name, long_name, "m1", result);
}

static ld_rc matches(ld_txn *txn, ld_buf *result) {
  return ld_room_matches(txn, ld_text("kitchen"), LD_SLICE_NONE, result);
}

static ld_rc matches_of_user(ld_txn *txn, ld_buf *result) {
  return ld_room_matches(txn, ld_text("kitchen"), ld_text("bob"), result);
}

static ld_rc check_password(ld_txn *txn, ld_buf *result) {
  bool accepted;
  ld_rc rc = ld_room_check_password(txn, ld_text("kitchen"), ld_text("pw"), &accepted);
  if (rc == LD_OK) ld_buf_byte(result, accepted);
  return rc;
}

static ld_rc expire(ld_txn *txn, ld_buf *result) {
  uint64_t count;
  ld_rc rc = ld_room_expire(txn, 5000, &count, result);
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

static ld_rc stat_rooms(ld_txn *txn, ld_buf *result) {
  ld_room_stats stats;
  ld_rc rc = ld_room_stat(txn, &stats);
  if (rc == LD_OK) ld_buf_add(result, ld_bytes(&stats, sizeof stats));
  return rc;
}

/* ---- rows ---- */

static ld_slice long_key(char room[LONG], char digit) {
  memset(room, 'k', LONG);
  room[LONG - 1] = digit;
  return ld_bytes(room, LONG);
}

static ld_rc row_get(ld_txn *txn, ld_buf *result) {
  ld_row row;
  ld_rc rc = ld_row_get(txn, ld_text("kkkk3"), &row);
  if (rc == LD_OK) ld_buf_add(result, row.payload);
  return rc;
}

static ld_rc row_put(ld_txn *txn, ld_buf *result) {
  (void)result;
  ld_rc rc = ld_row_put(txn, ld_text("kkkk3"), ld_bytes(large, sizeof large));
  return rc == LD_OK ? ld_row_put(txn, ld_text("a new one"), ld_text("")) : rc;
}

static ld_rc row_put_long(ld_txn *txn, ld_buf *result) {
  char room[LONG];
  (void)result;
  return ld_row_put(txn, long_key(room, '3'), ld_text("replaced"));
}

static ld_rc row_del(ld_txn *txn, ld_buf *result) {
  char room[LONG];
  (void)result;
  ld_rc rc = ld_row_del(txn, ld_text("kkkk3"));
  return rc == LD_OK ? ld_row_del(txn, long_key(room, '4')) : rc;
}

static ld_rc del_prefix(ld_txn *txn, size_t size, ld_buf *result) {
  char room[LONG];
  uint64_t count;
  ld_slice prefix = ld_bytes(long_key(room, '3').data, size);
  ld_rc rc = ld_row_del_prefix(txn, prefix, &count);
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

static ld_rc row_del_prefix(ld_txn *txn, ld_buf *result) { return del_prefix(txn, 3, result); }
static ld_rc row_del_long_prefix(ld_txn *txn, ld_buf *result) {
  return del_prefix(txn, LONG - 1, result);
}

static ld_rc scan(ld_txn *txn, ld_buf *result) {
  ld_scan rows;
  ld_row row;
  size_t before = result->size;
  ld_rc rc = ld_scan_begin(&rows, txn, ld_text("kk"), ld_text("kkkk4"));
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&rows, &row)) == LD_OK) ld_buf_add(result, row.key);
  ld_scan_end(&rows);
  if (rc == LD_NOTFOUND) return LD_OK;
  result->size = before;
  return rc;
}

static ld_rc sequence(ld_txn *txn, ld_buf *result) {
  uint64_t number;
  ld_rc rc = ld_sequence_next(txn, &number);
  if (rc == LD_OK) ld_buf_varint(result, number);
  return rc;
}

/* ---- maps ---- */

static ld_rc set(ld_txn *txn, size_t size, char last, bool if_absent, ld_buf *result) {
  uint8_t room[LONG + 8];
  bool done;
  ld_rc rc = ld_map_set(txn, ld_text("map"), map_key(room, size, last), ld_bytes("\x07", 1),
                        if_absent, &done);
  if (rc == LD_OK) ld_buf_byte(result, done);
  return rc;
}

static ld_rc map_set(ld_txn *txn, ld_buf *result) { return set(txn, 3, 'x', false, result); }
static ld_rc map_set_over(ld_txn *txn, ld_buf *result) { return set(txn, 3, '1', false, result); }
static ld_rc map_set_long(ld_txn *txn, ld_buf *result) { return set(txn, LONG, 'x', true, result); }
static ld_rc map_set_absent(ld_txn *txn, ld_buf *result) { return set(txn, 3, '1', true, result); }

static ld_rc map_get(ld_txn *txn, ld_buf *result) {
  uint8_t room[LONG + 8];
  return ld_map_get(txn, ld_text("map"), map_key(room, LONG, '1'), result);
}

static ld_rc map_delete(ld_txn *txn, ld_buf *result) {
  uint8_t room[LONG + 8];
  (void)result;
  return ld_map_delete(txn, ld_text("map"), map_key(room, LONG, '1'));
}

static ld_rc map_increment(ld_txn *txn, ld_buf *result) {
  uint8_t room[LONG + 8];
  int64_t sum;
  ld_rc rc = ld_map_increment(txn, ld_text("map"), map_key(room, 3, '1'), 2, &sum);
  if (rc == LD_OK) rc = ld_map_increment(txn, ld_text("another"), map_key(room, 3, '1'), 2, &sum);
  if (rc == LD_OK) ld_buf_varint(result, (uint64_t)sum);
  return rc;
}

static ld_rc map_count(ld_txn *txn, ld_buf *result) {
  uint64_t count;
  ld_rc rc = ld_map_count(txn, ld_text("map"), &count);
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

static ld_rc add_map(void *context, ld_slice map) {
  ld_buf_add(context, map);
  return LD_OK;
}

static ld_rc map_names(ld_txn *txn, ld_buf *result) {
  size_t before = result->size;
  ld_rc rc = ld_maps_each(txn, add_map, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc add_entry(void *context, ld_slice key, ld_slice value) {
  ld_buf_add(context, key);
  ld_buf_add(context, value);
  return LD_OK;
}

static ld_rc each_entry(ld_txn *txn, bool reverse, ld_buf *result) {
  uint8_t room[LONG + 8];
  size_t before = result->size;
  ld_map_range range = {.from = map_key(room, 3, '4'), .reverse = reverse};
  ld_rc rc = ld_map_each(txn, ld_text("map"), &range, add_entry, result);
  if (rc != LD_OK) result->size = before;
  return rc;
}

static ld_rc map_each(ld_txn *txn, ld_buf *result) { return each_entry(txn, false, result); }
static ld_rc map_each_back(ld_txn *txn, ld_buf *result) { return each_entry(txn, true, result); }

static ld_rc delete_range(ld_txn *txn, size_t size, ld_buf *result) {
  uint8_t room[LONG + 8];
  uint64_t count;
  ld_map_range range = {.from = map_key(room, size, '4')};
  ld_rc rc = ld_map_delete_range(txn, ld_text("map"), &range, &count);
  if (rc == LD_OK) ld_buf_varint(result, count);
  return rc;
}

static ld_rc map_delete_range(ld_txn *txn, ld_buf *result) { return delete_range(txn, 3, result); }
static ld_rc map_delete_long_range(ld_txn *txn, ld_buf *result) {
  return delete_range(txn, LONG, result);
}

const scenario scenarios[] = {{"save a new room", true, save_new},
                              {"save over a room", true, save_over},
                              {"save over a room with a long name", true, save_over_long},
                              {"get", false, get_whole},
                              {"get a long name", false, get_long},
                              {"has", false, has},
                              {"delete", true, delete_room},
                              {"delete a long name", true, delete_long},
                              {"each", false, each},
                              {"each name", false, each_name},
                              {"rate: a match", true, rate_match},
                              {"rate: the first", true, rate_first},
                              {"rate: again", true, rate_again},
                              {"rate: long names", true, rate_long},
                              {"matches", false, matches},
                              {"matches of a user", false, matches_of_user},
                              {"check_password", false, check_password},
                              {"expire", true, expire},
                              {"stat", false, stat_rooms},
                              {"row: get", false, row_get},
                              {"row: put", true, row_put},
                              {"row: put a long key", true, row_put_long},
                              {"row: del", true, row_del},
                              {"row: del a prefix", true, row_del_prefix},
                              {"row: del a long prefix", true, row_del_long_prefix},
                              {"row: scan", false, scan},
                              {"sequence", true, sequence},
                              {"map: set", true, map_set},
                              {"map: set over", true, map_set_over},
                              {"map: set a long key", true, map_set_long},
                              {"map: set if absent", true, map_set_absent},
                              {"map: get", false, map_get},
                              {"map: delete", true, map_delete},
                              {"map: increment", true, map_increment},
                              {"map: count", false, map_count},
                              {"map: names", false, map_names},
                              {"map: each", false, map_each},
                              {"map: each, reverse", false, map_each_back},
                              {"map: delete a range", true, map_delete_range},
                              {"map: delete a range from a long key", true, map_delete_long_range},
                              DUMP_SCENARIOS,
                              QUEUE_SCENARIOS(QUEUE_SCENARIO_ENTRY)};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;
