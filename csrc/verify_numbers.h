/* verify_numbers.h -- a set of numbers too large for memory, a window at a time, in rising order.
**
** For two spaces of which one has the numbers in order, as the beginning of its keys, and the other has them in its rows: each window costs a walk over the second. */
#ifndef LD_VERIFY_NUMBERS_H
#define LD_VERIFY_NUMBERS_H

#include "verify_run.h"

/* A smaller one makes the second window common, in tests. */
#ifndef LD_NUMBERS_KEPT
#define LD_NUMBERS_KEPT 65536
#endif

typedef struct verify_numbers {
  verify *v;
  const char *kind; /* of the findings: `room`, whose numbers they are */
  uint64_t *numbers;
  size_t count;
  uint64_t after, up_to; /* the window: after < number <= up_to */
  bool begun;
  ld_rc rc; /* what adding has met */
} verify_numbers;

/* Adds every number of the set, in any order. */
typedef ld_rc (*verify_each_number)(verify *v, verify_numbers *numbers);
void verify_numbers_add(verify_numbers *numbers, uint64_t number);
/* The next window; numbers that are there twice are told. NOTFOUND behind the last one. The caller clears it at the end. */
ld_rc verify_numbers_next(verify_numbers *numbers, verify_each_number each);
bool verify_numbers_has(const verify_numbers *numbers, uint64_t number);
void verify_numbers_clear(verify_numbers *numbers);

/* Go through the rows of a space whose keys begin with a number: call `stray` with each number of the window that is not in it, and how many rows it has. */
typedef ld_rc (*verify_stray)(verify *v, uint8_t space, uint64_t number, uint64_t rows);
ld_rc verify_numbers_compare(verify_numbers *numbers, uint8_t space, verify_stray stray);

#endif
