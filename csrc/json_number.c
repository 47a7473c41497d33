/* json_number.c -- see json_number.h.
**
** strtod and printf write and want the locale's decimal point. So a text is rewritten as digits and an exponent, without a
** point, before strtod reads it; and of printf's output only the digits and the exponent are looked at. */
#include "json_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  EXACT_DIGITS =
      767, /* no float64 has more significant ones (the smallest normal one's neighbour has) */
  KEPT_DIGITS = 15,     /* so many always survive, away from the ends of the range */
  KEPT_MAGNITUDE = 290, /* how far: 10^-290 to 10^290 */
};

static const int64_t exponent_limit = 1000000000000;
static const char out_of_range[] = "is out of range";
static const char too_precise[] = "has more digits than a float64 keeps";

/* ---- grammar ---- */

static void skip(ld_slice *rest, size_t size) {
  *rest = ld_bytes(rest->data + size, rest->size - size);
}

static bool take_byte(ld_slice *rest, char byte) {
  if (rest->size == 0 || rest->data[0] != (uint8_t)byte) return false;
  skip(rest, 1);
  return true;
}

static ld_slice take_digits(ld_slice *rest) {
  size_t size = 0;
  while (size < rest->size && rest->data[size] >= '0' && rest->data[size] <= '9') size++;
  ld_slice digits = ld_bytes(rest->data, size);
  skip(rest, size);
  return digits;
}

static const char *take_exponent(ld_slice *rest, int64_t *exponent) {
  bool negative = take_byte(rest, '-');
  if (!negative) take_byte(rest, '+');
  ld_slice digits = take_digits(rest);
  if (digits.size == 0) return "a digit in the exponent";
  for (size_t i = 0; i < digits.size && *exponent < exponent_limit; i++)
    *exponent = *exponent * 10 + (digits.data[i] - '0');
  if (*exponent > exponent_limit) *exponent = exponent_limit;
  if (negative) *exponent = -*exponent;
  return NULL;
}

const char *ld_numeral_take(ld_slice *rest, ld_numeral *numeral) {
  const uint8_t *start = rest->data;
  const char *wrong = NULL;
  ld_numeral n = {.negative = take_byte(rest, '-'), .integer = true};
  if (rest->size > 1 && rest->data[0] == '0' && rest->data[1] >= '0' && rest->data[1] <= '9')
    return "a number without leading zeros";
  n.whole = take_digits(rest);
  if (n.whole.size == 0) return "a digit";
  n.fraction = ld_bytes(rest->data, 0);
  if (take_byte(rest, '.')) {
    n.integer = false;
    n.fraction = take_digits(rest);
    if (n.fraction.size == 0) return "a digit behind the point";
  }
  if (take_byte(rest, 'e') || take_byte(rest, 'E')) {
    n.integer = false;
    if ((wrong = take_exponent(rest, &n.exponent)) != NULL) return wrong;
  }
  n.text = ld_bytes(start, (size_t)(rest->data - start));
  *numeral = n;
  return NULL;
}

/* ---- value ---- */

/* The value is digits * 10^scale; neither the first nor the last digit is a zero. */
typedef struct decimal {
  char digits[EXACT_DIGITS + 32]; /* and room for the exponent */
  size_t count;
  int64_t scale;
} decimal;

/* Add a run of digits; zeros wait in `zeros` until another digit follows them. False: more digits than any float64 has. */
static bool add_digits(decimal *d, ld_slice digits, size_t *zeros) {
  for (size_t i = 0; i < digits.size; i++) {
    if (digits.data[i] == '0') {
      *zeros += 1;
      continue;
    }
    if (d->count == 0) *zeros = 0;
    if (*zeros + d->count >= EXACT_DIGITS) return false;
    memset(d->digits + d->count, '0', *zeros);
    d->count += *zeros;
    *zeros = 0;
    d->digits[d->count++] = (char)digits.data[i];
  }
  return true;
}

static bool to_decimal(const ld_numeral *numeral, decimal *d) {
  size_t zeros = 0;
  d->count = 0;
  if (!add_digits(d, numeral->whole, &zeros) || !add_digits(d, numeral->fraction, &zeros))
    return false;
  d->scale = numeral->exponent - (int64_t)numeral->fraction.size + (int64_t)zeros;
  return true;
}

/* Does `magnitude`, printed with as many digits, give the same digits and the same exponent? */
static bool survives(const decimal *d, double magnitude) {
  char text[EXACT_DIGITS + 64];
  int64_t leading = d->scale + (int64_t)d->count - 1;
  if (d->count <= KEPT_DIGITS && leading > -KEPT_MAGNITUDE && leading < KEPT_MAGNITUDE) return true;
  snprintf(text, sizeof text, "%.*e", (int)d->count - 1, magnitude);
  const char *mark = strchr(text, 'e');
  return mark != NULL && text[0] == d->digits[0] &&
         memcmp(mark - (d->count - 1), d->digits + 1, d->count - 1) == 0 &&
         strtol(mark + 1, NULL, 10) == leading;
}

/* An integer text stands for each of its digits, the zeros at its end too. */
static bool is_exact(const ld_numeral *numeral, double magnitude) {
  char text[400];
  int length = snprintf(text, sizeof text, "%.0f", magnitude);
  return (size_t)length == numeral->whole.size &&
         memcmp(text, numeral->whole.data, numeral->whole.size) == 0;
}

const char *ld_numeral_float(const ld_numeral *numeral, double *number) {
  decimal d;
  double magnitude = 0;
  if (!to_decimal(numeral, &d)) return too_precise;
  if (d.count > 0) {
    snprintf(d.digits + d.count, sizeof d.digits - d.count, "e%lld", (long long)d.scale);
    magnitude = strtod(d.digits, NULL);
    if (magnitude == 0 || isinf(magnitude)) return out_of_range;
    if (!survives(&d, magnitude)) return too_precise;
    if (numeral->integer && numeral->whole.size > KEPT_DIGITS && !is_exact(numeral, magnitude))
      return too_precise;
  }
  *number = numeral->negative ? -magnitude : magnitude;
  return NULL;
}

/* False when it does not fit. */
static bool to_int(const ld_numeral *numeral, int64_t *integer) {
  if (numeral->whole.size > 19) return false;
  uint64_t magnitude = 0; /* 19 digits fit */
  for (size_t i = 0; i < numeral->whole.size; i++)
    magnitude = magnitude * 10 + (uint64_t)(numeral->whole.data[i] - '0');
  if (magnitude > (uint64_t)INT64_MAX + numeral->negative) return false;
  if (numeral->negative && magnitude == 0) return false;
  *integer = numeral->negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
  return true;
}

const char *ld_numeral_value(const ld_numeral *numeral, ld_token *value) {
  ld_token token = {.kind = LD_INT};
  const char *wrong = NULL;
  if (!numeral->integer || !to_int(numeral, &token.integer)) {
    token.kind = LD_FLOAT;
    wrong = ld_numeral_float(numeral, &token.number);
  }
  if (wrong == NULL) *value = token;
  return wrong;
}

bool ld_numeral_is_plain(const ld_numeral *numeral) {
  if (numeral->whole.size + numeral->fraction.size > KEPT_DIGITS || numeral->exponent != 0)
    return false;
  if (numeral->integer) return !(numeral->negative && numeral->whole.data[0] == '0');
  for (size_t i = 0; i < numeral->fraction.size; i++)
    if (numeral->fraction.data[i] != '0') return true;
  return false;
}

bool ld_number_is_whole(double number) {
  if (fabs(number) >= 0x1p53) return !isinf(number);
  return (double)(int64_t)number == number;
}

/* ---- printing ---- */

/* Put a full stop in the place of the locale's decimal point, which may be several bytes. */
static void mend_point(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    bool plain = strchr("0123456789+-e", *from) != NULL;
    if (!plain && to > text && to[-1] == '.') continue;
    *to++ = plain ? *from : '.';
  }
  *to = '\0';
}

const char *ld_number_print(double number, ld_number_text out) {
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, sizeof(ld_number_text), "%.*g", digits, number);
    if (strtod(out, NULL) == number) break;
  }
  mend_point(out);
  return out;
}
