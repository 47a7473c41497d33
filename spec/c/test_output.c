/* test_output.c -- files that appear whole: where the system has files without names, and where it has not. */
#include "../../csrc/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static bool has_unnamed = true;

int __wrap_open(const char *path, int flags, ...) {
#ifdef O_TMPFILE
  if (!has_unnamed && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
#endif
  return __real_open(path, flags, 0600);
}

static char folder[] = "/tmp/larder-output-XXXXXX";
static char path[64], beside[80];

static void put(const char *name, const char *text) {
  FILE *file = fopen(name, "w");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* NULL: there is none. */
static const char *text_of(const char *name) {
  static char text[64];
  FILE *file = fopen(name, "r");
  if (file == NULL) return NULL;
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

/* Not every file system has them. */
static bool unnamed_here(void) {
  ld_output file;
  CHECK(ld_output_begin(&file, path) == 0);
  bool unnamed = file.temporary.size == 0;
  ld_output_end(&file);
  return unnamed;
}

static void begin(ld_output *file) {
  CHECK(ld_output_begin(file, path) == 0);
  CHECK((file->temporary.size > 0) == !has_unnamed);
  CHECK(ld_output_write(file->descriptor, LD_LITERAL("new")) == 0);
}

static void end(ld_output *file) {
  ld_output_end(file);
  ld_output_end(file);
}

static void check_file(const char *expected) {
  const char *text = text_of(path);
  CHECK(expected == NULL ? text == NULL : text != NULL && strcmp(text, expected) == 0);
  unlink(path);
  CHECK(rmdir(folder) == 0 && mkdir(folder, 0700) == 0); /* nothing else is left */
}

static void test_whole(void) {
  ld_output file;
  begin(&file);
  CHECK(ld_output_publish(&file, false) == 0);
  end(&file);
  check_file("new");
}

static void test_given_up(void) {
  ld_output file;
  begin(&file);
  CHECK(text_of(path) == NULL);
  end(&file);
  check_file(NULL);
}

static void test_taken(void) {
  ld_output file;
  put(path, "old");
  begin(&file);
  CHECK(ld_output_publish(&file, false) == EEXIST);
  end(&file);
  check_file("old");
}

/* With what was left by one that was killed between its two names. */
static void test_replaced(void) {
  ld_output file;
  put(path, "old");
  if (has_unnamed) put(beside, "left");
  begin(&file);
  CHECK(ld_output_publish(&file, true) == 0);
  end(&file);
  check_file("new");
}

static void test_no_folder(void) {
  ld_output file;
  CHECK(ld_output_begin(&file, "/nowhere/file") == ENOENT);
  end(&file);
}

int main(void) {
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/file", folder);
  snprintf(beside, sizeof beside, "%s.tmp", path);
  has_unnamed = unnamed_here();
  for (int i = 0; i < 2; i++, has_unnamed = false) {
    test_whole();
    test_given_up();
    test_taken();
    test_replaced();
    test_no_folder();
  }
  CHECK(rmdir(folder) == 0);
  return check_done("output");
}
