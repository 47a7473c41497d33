/* room_files_help.h -- what the tests of room_files.h share: a directory of its own, a store in memory, and a system that fails when it should.
** A test wraps the calls it wants to fail (`__wrap_read`), and asks fails_now and is_interrupted in them. */
#ifndef LD_ROOM_FILES_HELP_H
#define LD_ROOM_FILES_HELP_H

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../csrc/json.h"
#include "../../csrc/room_files.h"
#include "../../csrc/store.h"
#include "../../csrc/value.h"
#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define ROOM_A                                                                                     \
  "{\"roomName\":\"a\",\"ratings\":{\"m\":[[\"u\",\"like\",1]]},\"userProgress\":{\"u\":1}}"
#define ROOM_B "{\"roomName\":\"b\"}"

/* ---- the system, as the test wants it ---- */

static long good_calls = -1; /* until one fails; -1: none does */
static int failure;          /* errno of that one */
static bool crumbs;          /* reads and writes of 7 bytes at most, every third interrupted */

static inline bool fails_now(void) {
  if (good_calls < 0 || good_calls-- > 0) return false;
  errno = failure;
  return true;
}

static inline bool is_interrupted(void) {
  static unsigned calls;
  errno = EINTR;
  return crumbs && ++calls % 3 == 0;
}

/* ---- a directory and a store ---- */

static char directory[64];
static ld_engine *store;
static ld_txn *txn;
static char told[4000]; /* the problems, each a line */

static inline int remove_entry(const char *path, const struct stat *info, int kind,
                               struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

static inline void open_store(void) {
  ld_env env = ld_env_system();
  CHECK_RC(LD_OK, ld_store_open(&ld_memory_engine, &env, NULL, 0, &store, NULL));
  CHECK_RC(LD_OK, ld_begin(store, true, &txn));
}

static inline void begin(void) {
  strcpy(directory, "/tmp/larder-test-XXXXXX");
  CHECK(mkdtemp(directory) != NULL);
  open_store();
}

static inline void end(void) {
  ld_rollback(txn);
  ld_engine_close(store);
  CHECK(nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static inline const char *path_of(const char *name) {
  static char path[400];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

static inline void put_file(const char *name, const char *text) {
  FILE *file = fopen(path_of(name), "w");
  CHECK(file != NULL);
  CHECK(fputs(text, file) >= 0 && fclose(file) == 0);
}

static inline char *get_file(const char *name) {
  static char text[4000];
  FILE *file = fopen(path_of(name), "r");
  CHECK(file != NULL);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static inline bool is_there(const char *name) {
  struct stat info;
  return lstat(path_of(name), &info) == 0;
}

static inline unsigned files_there(void) {
  unsigned count = 0;
  DIR *opened = opendir(directory);
  CHECK(opened != NULL);
  while (readdir(opened) != NULL) count++;
  closedir(opened);
  return count - 2;
}

static inline void note(void *context, const char *file, unsigned line, unsigned column,
                        const char *text) {
  size_t used = strlen(told);
  CHECK(context == &store);
  snprintf(told + used, sizeof told - used, "%s:%u:%u: %s\n", file, line, column, text);
}

static inline ld_rc import(bool replace, uint64_t *count) {
  told[0] = '\0';
  return ld_room_import(txn, directory, replace, note, &store, count);
}

static inline void check_import(uint64_t want) {
  uint64_t count = 99;
  ld_rc rc = import(false, &count);
  if (rc != LD_OK) fprintf(stderr, "%s\n%s", store->error.text, told);
  CHECK_RC(LD_OK, rc);
  CHECK(count == want);
  CHECK(told[0] == '\0');
}

static inline ld_rc save(const char *json) {
  ld_buf document = {0};
  CHECK_RC(LD_OK, ld_json_parse(ld_text(json), &document, NULL));
  ld_rc rc = ld_room_save(txn, ld_buf_slice(&document));
  ld_buf_clear(&document);
  return rc;
}

static inline void check_room(ld_slice name, const char *json) {
  ld_buf document = {0}, text = {0};
  CHECK_RC(LD_OK, ld_room_get(txn, name, LD_ROOM_WHOLE, &document));
  CHECK_RC(LD_OK, ld_json_print(ld_buf_slice(&document), false, &text, NULL));
  CHECK(ld_equal(ld_buf_slice(&text), ld_text(json)));
  ld_buf_clear(&document);
  ld_buf_clear(&text);
}

static inline uint64_t rooms(void) {
  ld_room_stats stats;
  CHECK_RC(LD_OK, ld_room_stat(txn, &stats));
  return stats.rooms;
}

#endif
