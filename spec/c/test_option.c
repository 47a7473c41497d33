/* test_option.c -- reading an engine's options. */
#include <string.h>

#include "../../csrc/engine.h"
#include "check.h"

static const char *const known[] = {"path", "map_size", "durability", "readers", NULL};
static const char *const none[] = {NULL};
static ld_error error;

static bool says(const char *text) { return strstr(error.text, text) != NULL; }

/* ---- names ---- */

static ld_rc check_name(const char *name, const char *const *names) {
  ld_option options[] = {{"path", "x"}, {name, "x"}};
  ld_config config = {.options = options, .option_count = 2};
  memset(&error, 0, sizeof error);
  return ld_options_check(&config, names, &error);
}

static void test_known_names(void) {
  ld_config empty = {0};
  CHECK_RC(LD_OK, ld_options_check(&empty, none, &error));
  for (size_t i = 0; known[i] != NULL; i++) CHECK_RC(LD_OK, check_name(known[i], known));
}

static void test_nearest_name(void) {
  static const char *const pairs[][2] = {
      {"durabilty", "durability"},
      {"Durability", "durability"},
      {"durability ", "durability"},
      {"mapsize", "map_size"},
      {"map-size", "map_size"},
      {"paht", "path"},
      {"pat", "path"},
      {"reader", "readers"},
      {"raeders", "readers"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    char hint[60];
    CHECK_RC(LD_INVALID, check_name(pairs[i][0], known));
    snprintf(hint, sizeof hint, "unknown option \"%s\", did you mean \"%s\"?", pairs[i][0],
             pairs[i][1]);
    CHECK(says(hint) && says("(known: path, map_size, durability, readers)"));
  }
}

static void test_no_near_name(void) {
  static const char *const names[] = {"", "x", "p", "colour", "durability_of_the_store", "PATH"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    CHECK_RC(LD_INVALID, check_name(names[i], known));
    CHECK(says("unknown option \"") && !says("did you mean"));
    CHECK(says("(known: path, map_size, durability, readers)"));
  }
  CHECK_RC(LD_INVALID, check_name("x", none));
  CHECK(says("unknown option \"path\" (there are none)"));
}

/* Names of any length and any bytes; more known names than fit into the text. */
static void test_odd_names(void) {
  char name[1000], many[40][32];
  const char *list[41] = {NULL};
  memset(name, 'd', sizeof name);
  name[sizeof name - 1] = '\0';
  CHECK_RC(LD_INVALID, ld_unknown_name("engine", name, known, &error));
  CHECK(says("unknown engine \"dddd") && says("\"..."));
  CHECK_RC(LD_INVALID, ld_unknown_name("engine", "a\nb\"", known, &error));
  CHECK(says("\"a\\x0ab\\x22\""));
  for (int i = 0; i < 40; i++) {
    snprintf(many[i], sizeof many[i], "a_rather_long_name_%d", i);
    list[i] = many[i];
  }
  CHECK_RC(LD_INVALID, ld_unknown_name("engine", "x", list, &error));
  CHECK(says("a_rather_long_name_0, a_rather_long_name_1,") && !says("a_rather_long_name_39"));
  CHECK_RC(LD_INVALID, ld_unknown_name("engine", "a_rather_long_nam_39", list, &error));
  CHECK(says("did you mean \"a_rather_long_name_39\"?"));
  list[0] = name;
  CHECK_RC(LD_INVALID, ld_unknown_name("engine", "dd", list, &error));
}

/* ---- values ---- */

static ld_config with(ld_option *option, const char *value) {
  *option = (ld_option){"map_size", value};
  memset(&error, 0, sizeof error);
  return (ld_config){.options = option, .option_count = 1};
}

static void test_text(void) {
  ld_option option;
  ld_config config = with(&option, "");
  CHECK(strcmp(ld_option_text(&config, "map_size", "other"), "") == 0);
  CHECK(strcmp(ld_option_text(&config, "path", "other"), "other") == 0);
  CHECK(ld_option_text(&config, "path", NULL) == NULL);
}

static void check_size(const char *text, uint64_t expected) {
  ld_option option;
  ld_config config = with(&option, text);
  uint64_t size = 7;
  CHECK_RC(LD_OK, ld_option_size(&config, "map_size", &size, &error));
  CHECK(size == expected);
}

static void check_no_size(const char *text) {
  ld_option option;
  ld_config config = with(&option, text);
  uint64_t size = 7;
  ld_rc rc = ld_option_size(&config, "map_size", &size, &error);
  if (rc != LD_INVALID) fprintf(stderr, "\"%s\" is a size\n", text);
  CHECK(rc == LD_INVALID && size == 7);
  CHECK(says("option map_size: \"") && says("is not a size such as"));
}

static void test_sizes(void) {
  static const char *const bad[] = {"",
                                    " ",
                                    "-1",
                                    "+1",
                                    " 1",
                                    "1 ",
                                    "1.5MiB",
                                    "0x10",
                                    "1e3",
                                    "1MB",
                                    "1mib",
                                    "1 M",
                                    "1KiBx",
                                    "KiB",
                                    "1  KiB",
                                    "one",
                                    "1KiB ",
                                    "１",
                                    "1\n",
                                    "18446744073709551616",
                                    "18014398509481984KiB",
                                    "16777216TiB",
                                    "99999999999999999999999"};
  check_size("0", 0);
  check_size("1048576", 1048576);
  check_size("007", 7);
  check_size("1KiB", 1024);
  check_size("1 KiB", 1024);
  check_size("3MiB", 3u << 20);
  check_size("64GiB", UINT64_C(64) << 30);
  check_size("2 TiB", UINT64_C(2) << 40);
  check_size("18446744073709551615", UINT64_MAX);
  check_size("16777215TiB", UINT64_C(16777215) << 40);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) check_no_size(bad[i]);
}

static ld_rc read_number(const char *text, uint64_t *number) {
  ld_option option;
  ld_config config = with(&option, text);
  return ld_option_number(&config, "map_size", 1, 1000, number, &error);
}

static void test_numbers(void) {
  static const char *const bad[] = {"0",
                                    "1001",
                                    "-1",
                                    "+5",
                                    "",
                                    "5 ",
                                    " 5",
                                    "5x",
                                    "0x5",
                                    "5.0",
                                    "18446744073709551617",
                                    "99999999999999999999999999"};
  uint64_t number = 7;
  CHECK_RC(LD_OK, read_number("1", &number));
  CHECK(number == 1);
  CHECK_RC(LD_OK, read_number("1000", &number));
  CHECK(number == 1000);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_RC(LD_INVALID, read_number(bad[i], &number));
    CHECK(number == 1000 && says("option map_size: \"") && says("a whole number from 1 to 1000"));
  }
}

static void test_absent(void) {
  ld_config empty = {0};
  uint64_t number = 7;
  CHECK_RC(LD_OK, ld_option_number(&empty, "readers", 1, 2, &number, &error));
  CHECK_RC(LD_OK, ld_option_size(&empty, "readers", &number, &error));
  CHECK(number == 7);
}

int main(void) {
  test_known_names();
  test_nearest_name();
  test_no_near_name();
  test_odd_names();
  test_text();
  test_sizes();
  test_numbers();
  test_absent();
  return check_done("option");
}
