/* verify_numbers.c -- see verify_numbers.h.
**
** A window takes in all numbers behind the one before; when it is twice as large as it may be, the upper half goes, and numbers past the lower half's last are left for later. Of the
** last itself all come in, so that one that is there twice is noticed. */
#include "verify_numbers.h"

#include <stdlib.h>

enum { KEPT = LD_NUMBERS_KEPT, ROOM = 2 * LD_NUMBERS_KEPT };

static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void tell_twice(verify_numbers *numbers, uint64_t number) {
  if (numbers->rc != LD_OK) return;
  verify_at(numbers->v, "%s number %llu", numbers->kind, (unsigned long long)number);
  numbers->rc = verify_found(numbers->v, numbers->kind, "two have this number");
}

/* Sort, each once, and not too many. */
static void settle(verify_numbers *numbers) {
  size_t kept = 0;
  if (numbers->count == 0) return;
  qsort(numbers->numbers, numbers->count, sizeof *numbers->numbers, by_number);
  for (size_t i = 1; i < numbers->count; i++) {
    if (numbers->numbers[i] == numbers->numbers[kept])
      tell_twice(numbers, numbers->numbers[i]);
    else
      numbers->numbers[++kept] = numbers->numbers[i];
  }
  numbers->count = kept + 1;
  if (numbers->count <= KEPT) return;
  numbers->count = KEPT;
  numbers->up_to = numbers->numbers[KEPT - 1];
}

void verify_numbers_add(verify_numbers *numbers, uint64_t number) {
  if (number <= numbers->after || number > numbers->up_to) return;
  if (numbers->count == ROOM) settle(numbers);
  if (number <= numbers->up_to) numbers->numbers[numbers->count++] = number;
}

ld_rc verify_numbers_next(verify_numbers *numbers, verify_each_number each) {
  if (numbers->begun && numbers->up_to == UINT64_MAX) return LD_NOTFOUND;
  if (numbers->numbers == NULL) numbers->numbers = malloc(ROOM * sizeof *numbers->numbers);
  if (numbers->numbers == NULL)
    return ld_fail(ld_error_of(numbers->v->txn), LD_NOMEM, "verify: out of memory");
  numbers->after = numbers->begun ? numbers->up_to : 0;
  numbers->up_to = UINT64_MAX;
  numbers->begun = true;
  numbers->count = 0;
  ld_rc rc = each(numbers->v, numbers);
  if (rc == LD_OK) settle(numbers);
  return rc == LD_OK ? numbers->rc : rc;
}

bool verify_numbers_has(const verify_numbers *numbers, uint64_t number) {
  return numbers->count > 0 && bsearch(&number, numbers->numbers, numbers->count,
                                       sizeof *numbers->numbers, by_number) != NULL;
}

void verify_numbers_clear(verify_numbers *numbers) {
  free(numbers->numbers);
  numbers->numbers = NULL;
}

/* ---- the other space ---- */

static ld_slice number_key(uint8_t room[16], uint8_t space, uint64_t number) {
  ld_buf key = {.data = room, .capacity = 16};
  ld_buf_byte(&key, space);
  ld_tuple_int(&key, (int64_t)number);
  return ld_buf_slice(&key);
}

/* The number of the first sound row from `from` on. NOTFOUND. */
static ld_rc first_number(verify *v, uint8_t space, uint64_t from, uint64_t *number) {
  uint8_t room[16];
  ld_scan scan;
  ld_row row;
  verify_key key = {.number = 0};
  if (from > INT64_MAX) return LD_NOTFOUND;
  ld_slice after = number_key(room, space, from);
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), after);
  if (rc != LD_OK) return rc;
  rc = ld_row_get(v->txn, after, &row); /* a key that is only the number would be stepped over */
  bool alone = rc == LD_OK;
  rc = alone || rc == LD_NOTFOUND ? LD_OK : verify_pass(rc);
  if (alone) *number = from;
  while (rc == LD_OK && !alone && key.number == 0)
    if ((rc = verify_next(v, &scan, &row)) == LD_OK) rc = verify_key_read(v, row.key, &key);
  ld_scan_end(&scan);
  if (rc == LD_OK && !alone) *number = (uint64_t)key.number;
  return rc;
}

static ld_rc count_rows(verify *v, uint8_t space, uint64_t number, uint64_t *count) {
  uint8_t room[16];
  ld_scan scan;
  ld_row row;
  *count = 0;
  ld_rc rc = ld_scan_begin(&scan, v->txn, number_key(room, space, number), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = verify_next(v, &scan, &row)) == LD_OK && (rc = verify_step(v)) == LD_OK) ++*count;
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

ld_rc verify_numbers_compare(verify_numbers *numbers, uint8_t space, verify_stray stray) {
  uint64_t number = 0, rows, from = numbers->after + 1;
  ld_rc rc;
  while ((rc = first_number(numbers->v, space, from, &number)) == LD_OK &&
         number <= numbers->up_to) {
    from = number + 1;
    if (verify_numbers_has(numbers, number)) continue;
    rc = count_rows(numbers->v, space, number, &rows);
    if (rc == LD_OK) rc = stray(numbers->v, space, number, rows);
    if (rc != LD_OK) break;
  }
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
