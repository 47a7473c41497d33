/* check.h -- what the C unit tests share: a check that fails names its place and ends the program with 1.
** A test is a main() that ends with `return check_done("name");`. */
#ifndef LD_CHECK_H
#define LD_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "../../csrc/base.h"

static unsigned long check_passed;

#define CHECK(expr)                                                                                \
  do {                                                                                             \
    if (!(expr)) {                                                                                 \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr);                                   \
      exit(1);                                                                                     \
    }                                                                                              \
    check_passed++;                                                                                \
  } while (0)

#define CHECK_RC(expected, call)                                                                   \
  do {                                                                                             \
    ld_rc check_want = (expected), check_got = (call);                                             \
    if (check_got != check_want) {                                                                 \
      fprintf(stderr, "%s:%d: %s: expected %s, got %s\n", __FILE__, __LINE__, #call,               \
              ld_rc_name(check_want), ld_rc_name(check_got));                                      \
      exit(1);                                                                                     \
    }                                                                                              \
    check_passed++;                                                                                \
  } while (0)

static inline int check_done(const char *name) {
  printf("%s: %lu checks passed\n", name, check_passed);
  return 0;
}

#endif
