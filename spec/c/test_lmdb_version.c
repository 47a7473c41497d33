/* test_lmdb_version.c -- a liblmdb that is too old, or of another major version, is refused before anything is opened. */
#include <lmdb.h>
#include <string.h>

#include "../../csrc/engine.h"
#include "../../csrc/engines/lmdb_engine.h"
#include "check.h"

static int running[3];

char *__wrap_mdb_version(int *major, int *minor, int *patch);
char *__wrap_mdb_version(int *major, int *minor, int *patch) {
  static char text[] = "LMDB as the test says";
  if (major != NULL) *major = running[0];
  if (minor != NULL) *minor = running[1];
  if (patch != NULL) *patch = running[2];
  return text;
}

static void run_as(int major, int minor, int patch) {
  running[0] = major;
  running[1] = minor;
  running[2] = patch;
}

static void check_refused(const char *why) {
  ld_config config = {.env = ld_env_system()};
  ld_engine *engine;
  ld_error error;
  CHECK(ld_lmdb_problem() != NULL && strstr(ld_lmdb_problem(), why) != NULL);
  CHECK_RC(LD_UNSUPPORTED, ld_engine_open(&ld_lmdb_engine, &config, &engine, &error));
  CHECK(strstr(error.text, why) != NULL);
}

int main(void) {
  run_as(MDB_VERSION_MAJOR, MDB_VERSION_MINOR, MDB_VERSION_PATCH);
  CHECK(ld_lmdb_problem() == NULL);
  run_as(MDB_VERSION_MAJOR, MDB_VERSION_MINOR, 99);
  CHECK(ld_lmdb_problem() == NULL);
  run_as(0, 9, 23);
  check_refused("too old");
  run_as(0, 8, 99);
  check_refused("too old");
  run_as(MDB_VERSION_MAJOR + 1, 0, 0);
  check_refused("too new");
  check_done("test_lmdb_version");
  return 0;
}
