/* json_number.h -- numbers in JSON text: kept digit for digit in an int64 or a float64, or refused.
**
** A text with n digits survives in a float64 when that float, printed with n digits, gives the same text again.
** Nothing here depends on the locale. Where a `const char *` is returned, NULL is success, else it is what is wrong. */
#ifndef LD_JSON_NUMBER_H
#define LD_JSON_NUMBER_H

#include "value.h"

/* The parts of a number; slices borrowed from its text. */
typedef struct ld_numeral {
  ld_slice text;            /* all of it */
  ld_slice whole, fraction; /* the digits before and behind the point */
  int64_t exponent;         /* held at +-10^12 */
  bool negative;
  bool integer; /* has neither fraction nor exponent */
} ld_numeral;

/* Take a number off the front of `rest` by the grammar of RFC 8259. Wrong: what was expected where `rest` then begins. */
const char *ld_numeral_take(ld_slice *rest, ld_numeral *numeral);
/* LD_INT for an integer that fits (but -0), else LD_FLOAT. Wrong: why it cannot be kept, "is out of range". */
const char *ld_numeral_value(const ld_numeral *numeral, ld_token *value);
/* The same, always as a float. */
const char *ld_numeral_float(const ld_numeral *numeral, double *number);
/* True when a float64 says it all: a whole one stands for an integer, another one for a float. Quick, may say no too often. */
bool ld_numeral_is_plain(const ld_numeral *numeral);

bool ld_number_is_whole(double number); /* finite, and without a fraction */

/* The shortest of 15, 16 or 17 digits that reads back as `number`, which is finite: "0.1", "-0", "1e+300". Returns out. */
typedef char ld_number_text[32];
const char *ld_number_print(double number, ld_number_text out);

#endif
