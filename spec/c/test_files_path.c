/* test_files_path.c -- the one rule for paths: what is a path, and what is refused, by which reason. */
#include "../../csrc/files.h"
#include "check.h"

#define REFUSED(path, reason) check_refused(LD_LITERAL(path), false, reason)

static void check_good(ld_slice path, bool is_dir) {
  char checked[LD_PATH_MAX + 1];
  ld_file_error error = {0};
  CHECK(ld_files_check_path(path, is_dir, checked, &error) == LD_FILE_OK);
  CHECK(ld_equal(ld_text(checked), path));
}

static void check_refused(ld_slice path, bool is_dir, const char *reason) {
  char checked[LD_PATH_MAX + 1];
  ld_file_error error = {0};
  ld_file_rc rc = ld_files_check_path(path, is_dir, checked, &error);
  if (rc == LD_FILE_OK || strstr(error.text, reason) == NULL)
    fprintf(stderr, "%s: expected \"%s\"\n", error.text, reason);
  CHECK(rc == LD_FILE_INVALID_PATH && error.rc == rc && error.number == 0);
  CHECK(strstr(error.text, reason) != NULL);
  CHECK(ld_files_check_path(path, is_dir, checked, NULL) == LD_FILE_INVALID_PATH);
}

static void test_good(void) {
  static const char *const good[] = {"a",
                                     "a/b",
                                     "a b",
                                     "...",
                                     "..a",
                                     "a..",
                                     "a/..b/c",
                                     ".hidden",
                                     "-rf",
                                     "~",
                                     "a:b",
                                     "a\\b",
                                     "%2e%2e",
                                     "con",
                                     "*?\"<>|",
                                     "gr\xc3\xb6\xc3\x9f"
                                     "e",
                                     "\xe6\x97\xa5\xe6\x9c\xac",
                                     "\xf0\x9f\x98\x80",
                                     "e\xcc\x81",
                                     "\xef\xbc\x8e\xef\xbc\x8e/x", /* fullwidth dots are no dots */
                                     "\xe2\x80\xae"
                                     "x",
                                     ".larder",
                                     "a.larder-"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) check_good(ld_text(good[i]), i % 2 == 0);
  check_good(LD_SLICE_NONE, true);
}

static void test_refused(void) {
  check_refused(LD_SLICE_NONE, false, "empty path");
  REFUSED("/", "not relative");
  REFUSED("/etc/passwd", "not relative");
  REFUSED("//a", "not relative");
  REFUSED("a/", "empty part");
  REFUSED("a//b", "empty part");
  REFUSED(".", "\".\"");
  REFUSED("./a", "\".\"");
  REFUSED("a/.", "\".\"");
  REFUSED("..", "\"..\"");
  REFUSED("../a", "\"..\"");
  REFUSED("a/../b", "\"..\"");
  REFUSED("a/..", "\"..\"");
  REFUSED("a/b/../../../c", "\"..\"");
  REFUSED(".larder-x", "begins with");
  REFUSED("a/.larder-0123456789abcdef", "begins with");
  check_refused(LD_LITERAL(".."), true, "\"..\"");
  check_refused(LD_LITERAL("/"), true, "not relative");
}

static void test_bytes(void) {
  for (unsigned byte = 0; byte < 0x100; byte++) {
    uint8_t path[] = {'a', (uint8_t)byte, 'b'};
    if (byte < 0x20 || byte == 0x7f)
      check_refused(ld_bytes(path, 3), false, "control");
    else if (byte >= 0x80)
      check_refused(ld_bytes(path, 3), false, "UTF-8");
    else
      check_good(ld_bytes(path, 3), false);
  }
  REFUSED("a\0b", "control");
  REFUSED("ok\0/../../etc", "control");
}

/* What other encodings, and UTF-8 that is none, make of "../x". */
static void test_encodings(void) {
  REFUSED("\xc0\xae\xc0\xae/x", "UTF-8");         /* overlong dots */
  REFUSED("\xe0\x80\xae\xe0\x80\xae/x", "UTF-8"); /* longer still */
  REFUSED("..\xc0\xaf"
          "x",
          "UTF-8"); /* an overlong slash */
  REFUSED("..\xc1\x9c"
          "x",
          "UTF-8");
  REFUSED("\xed\xa0\x80", "UTF-8");     /* a surrogate */
  REFUSED("\xf4\x90\x80\x80", "UTF-8"); /* past U+10FFFF */
  REFUSED("gr\xf6\xdf"
          "e",
          "UTF-8");                         /* Latin-1 */
  REFUSED("\xff\xfe.\0.\0/\0x\0", "UTF-8"); /* UTF-16 with its mark */
  REFUSED(".\0.\0/\0x\0", "control");
  REFUSED("\x93\xfa\x96\x7b", "UTF-8"); /* Shift JIS */
  REFUSED("a\xe6\x97", "UTF-8");        /* cut */
}

static void test_lengths(void) {
  char path[LD_PATH_MAX + 2];
  memset(path, 'a', sizeof path);
  check_good(ld_bytes(path, 255), false);
  check_refused(ld_bytes(path, 256), false, "255 bytes");
  for (size_t i = 200; i < sizeof path; i += 200) path[i] = '/';
  check_good(ld_bytes(path, 1024), false);
  check_refused(ld_bytes(path, 1025), false, "1024 bytes");
  for (size_t i = 0; i < sizeof path; i++) path[i] = i % 2 == 0 ? 'a' : '/';
  check_good(ld_bytes(path, 1023), false);
  memcpy(path, "\xc3\xb6", 2);
  for (size_t i = 2; i < 257; i++) path[i] = 'b';
  check_refused(ld_bytes(path, 256), false, "255 bytes"); /* bytes count, not characters */
  check_good(ld_bytes(path, 255), false);
}

static void test_names(void) {
  CHECK(ld_files_is_name(LD_LITERAL("a.txt")));
  CHECK(!ld_files_is_name(LD_LITERAL("..")));
  CHECK(!ld_files_is_name(LD_LITERAL("a\nb")));
  CHECK(!ld_files_is_name(LD_LITERAL("\xff")));
  CHECK(!ld_files_is_name(LD_LITERAL(".larder-1")));
}

int main(void) {
  test_good();
  test_refused();
  test_bytes();
  test_encodings();
  test_lengths();
  test_names();
  return check_done("files_path");
}
