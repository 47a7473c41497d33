/* room_help.h -- what the tests of rooms share: a store in memory, documents written as JSON and compared as JSON without blanks.
** The clock stands at `now`. */
#ifndef LD_ROOM_HELP_H
#define LD_ROOM_HELP_H

#include <string.h>

#include "../../csrc/json.h"
#include "../../csrc/room.h"
#include "../../csrc/store.h"
#include "../../csrc/value.h"
#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define BYTES(text) ld_bytes("" text, sizeof(text) - 1)

/* Fields of a room: two likes and dislikes of two users. */
#define RATINGS                                                                                    \
  "\"ratings\":{\"m1\":[[\"ann\",\"like\",10],[\"bob\",\"dislike\",11.5]],\"m2\":[]},"             \
  "\"userProgress\":{\"ann\":1,\"bob\":7}"

static int64_t now = 1700000000000;
static inline int64_t clock_now(void *context) {
  (void)context;
  return now;
}

static ld_engine *store;
static ld_txn *txn;

static inline void begin(void) {
  ld_env env = ld_env_system();
  env.now_ms = clock_now;
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
}

static inline void end(void) {
  ld_rollback(txn);
  ld_engine_close(store);
}

static inline uint64_t rows(void) {
  ld_cursor *cursor;
  uint64_t count = 0;
  CHECK_RC(LD_OK, ld_cursor_open(txn, &cursor));
  while (ld_cursor_next(cursor) == LD_OK) count++;
  ld_cursor_close(cursor);
  return count;
}

/* ---- documents ---- */

static inline ld_slice parse(const char *json, ld_buf *document) {
  ld_error error;
  if (ld_json_parse(ld_text(json), document, &error) != LD_OK) fprintf(stderr, "%s\n", error.text);
  CHECK(document->size > 0);
  return ld_buf_slice(document);
}

static inline ld_rc save(const char *json) {
  ld_buf document = {0};
  ld_rc rc = ld_room_save(txn, parse(json, &document));
  ld_buf_clear(&document);
  return rc;
}

/* Check a document against JSON, and free it. */
static inline void check_json(ld_buf *document, const char *json) {
  ld_buf text = {0};
  CHECK_RC(LD_OK, ld_json_print(ld_buf_slice(document), false, &text, NULL));
  ld_buf_byte(&text, 0);
  if (strcmp((char *)text.data, json) != 0) fprintf(stderr, "%s\n", (char *)text.data);
  CHECK(strcmp((char *)text.data, json) == 0);
  ld_buf_clear(&text);
  ld_buf_clear(document);
}

static inline void check_get(const char *name, unsigned parts, const char *json) {
  ld_buf document = {0};
  CHECK_RC(LD_OK, ld_room_get(txn, ld_text(name), parts, &document));
  check_json(&document, json);
}

static inline ld_rc rate_at(const char *name, const char *user, const char *media, bool like,
                            const char *time, ld_buf *result) {
  ld_buf value = {0};
  ld_rating rating = {ld_text(user), ld_text(media), like, parse(time, &value)};
  ld_rc rc = ld_room_rate(txn, ld_text(name), &rating, result);
  ld_buf_clear(&value);
  return rc;
}

#endif
