/* test_name.c -- an unknown name: the nearest known one, and all of them. */
#include "../../csrc/name.h"

#include "check.h"

static void check_text(const char *name, const char *const *known, const char *expected) {
  ld_error error;
  CHECK_RC(LD_INVALID, ld_unknown_name("option", name, known, &error));
  if (strcmp(error.text, expected) != 0) fprintf(stderr, "%s\n", error.text);
  CHECK(strcmp(error.text, expected) == 0);
}

int main(void) {
  static const char *const none[] = {NULL}, *const two[] = {"path", "durability", NULL};
  check_text(
      "durabilty", two,
      "unknown option \"durabilty\", did you mean \"durability\"? (known: path, durability)");
  check_text("colour", two, "unknown option \"colour\" (known: path, durability)");
  check_text("", two, "unknown option \"\" (known: path, durability)");
  check_text("p", two, "unknown option \"p\" (known: path, durability)");
  check_text("x", none, "unknown option \"x\" (there are none)");
  return check_done("name");
}
