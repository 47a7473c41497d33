/* queue_cron.c -- see queue_cron.h.
**
** The search goes over civil time, in minutes since 1970 as a clock on the wall shows them: days that match, then the hour and the minute in them. A wall shows
** UTC and the zone's offset; where the offset changes between the last time and the one found, the change is looked for and the search goes on from there. */
#include "queue_cron.h"

#include <stdio.h>
#include <stdlib.h>

#include "queue_option.h"

enum {
  HOUR = 60,
  DAY = 24 * 60,
  MOST_DAYS = 366 * 41
}; /* a sunday that is the 29th of february, around 2100 */

/* ---- reading ---- */

typedef struct cron_field {
  const char *name;
  unsigned low, high;
  const char *const *words; /* for low, low + 1, ...; NULL: none */
} cron_field;

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
enum { FIELDS = 5 };
static const cron_field fields[FIELDS] = {{"minute", 0, 59, NULL},
                                          {"hour", 0, 23, NULL},
                                          {"day of month", 1, 31, NULL},
                                          {"month", 1, 12, months},
                                          {"day of week", 0, 7, weekdays}};

static ld_rc bad(const cron_field *field, ld_slice text, const char *why, ld_error *error) {
  ld_quoted quoted;
  return ld_fail(error, LD_INVALID, "%s: %s %s", field->name, ld_quote(text, quoted), why);
}

static uint8_t lower(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

static bool is_word(ld_slice text, const char *word) {
  if (text.size != strlen(word)) return false;
  for (size_t i = 0; i < text.size; i++)
    if (lower(text.data[i]) != (uint8_t)word[i]) return false;
  return true;
}

/* Digits only; past 9,999 is too much for any field. */
static bool is_number(ld_slice text, unsigned *number) {
  *number = 0;
  if (text.size == 0 || text.size > 4) return false;
  for (size_t i = 0; i < text.size; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return false;
    *number = *number * 10 + (unsigned)(text.data[i] - '0');
  }
  return true;
}

static ld_rc read_end(const cron_field *field, ld_slice text, unsigned *number, ld_error *error) {
  char range[64];
  for (unsigned i = 0; field->words != NULL && field->words[i] != NULL; i++)
    if (is_word(text, field->words[i])) {
      *number = field->low + i;
      return LD_OK;
    }
  if (text.size == 0) return bad(field, text, "is empty", error);
  if (!is_number(text, number)) return bad(field, text, "is no number and no name", error);
  if (*number >= field->low && *number <= field->high) return LD_OK;
  snprintf(range, sizeof range, "is not between %u and %u", field->low, field->high);
  return bad(field, text, range, error);
}

/* Take what is before the first `mark` off `rest`; `*more`: there was one. */
static ld_slice take_until(ld_slice *rest, char mark, bool *more) {
  const uint8_t *at = rest->size == 0 ? NULL : memchr(rest->data, mark, rest->size);
  size_t size = at == NULL ? rest->size : (size_t)(at - rest->data);
  ld_slice taken = ld_bytes(rest->data, size);
  *more = at != NULL;
  *rest = ld_bytes(rest->data + size + *more, rest->size - size - *more);
  return taken;
}

static ld_rc read_range(const cron_field *field, ld_slice range, unsigned *low, unsigned *high,
                        ld_error *error) {
  bool two;
  ld_slice rest = range, first = take_until(&rest, '-', &two);
  *low = field->low;
  *high = field->high;
  if (is_word(range, "*")) return LD_OK;
  ld_rc rc = read_end(field, first, low, error);
  *high = *low;
  if (rc == LD_OK && two) rc = read_end(field, rest, high, error);
  if (rc == LD_OK && *high == 0 && *low > 0 && field->words == weekdays) *high = 7; /* fri-sun */
  if (rc == LD_OK && *low > *high) return bad(field, range, "goes backwards", error);
  return rc;
}

static ld_rc read_item(const cron_field *field, ld_slice item, uint64_t *set, ld_error *error) {
  bool stepped;
  unsigned low, high, step = 1;
  ld_slice rest = item, range = take_until(&rest, '/', &stepped);
  ld_rc rc = read_range(field, range, &low, &high, error);
  if (rc != LD_OK) return rc;
  if (stepped && (!is_number(rest, &step) || step == 0))
    return bad(field, item, "has a step that is no number from 1", error);
  bool single = !is_word(range, "*") && memchr(range.data, '-', range.size) == NULL;
  if (stepped && single) return bad(field, item, "has a step, but no range", error);
  for (unsigned i = low; i <= high; i += step) *set |= (uint64_t)1 << i;
  return LD_OK;
}

static ld_rc read_set(const cron_field *field, ld_slice text, uint64_t *set, bool *any,
                      ld_error *error) {
  bool more = true;
  ld_rc rc = LD_OK;
  *set = 0;
  *any = text.data[0] == '*';
  while (rc == LD_OK && more) {
    ld_slice item = take_until(&text, ',', &more);
    rc = read_item(field, item, set, error);
  }
  if (field->high == 7) *set = (*set | *set >> 7) & 0x7f;
  return rc;
}

static ld_slice take_word(ld_slice *rest) {
  while (rest->size > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
    *rest = ld_bytes(rest->data + 1, rest->size - 1);
  size_t size = 0;
  while (size < rest->size && rest->data[size] != ' ' && rest->data[size] != '\t') size++;
  ld_slice word = ld_bytes(rest->data, size);
  *rest = ld_bytes(rest->data + size, rest->size - size);
  return word;
}

static ld_slice unfold(ld_slice text) {
  static const char *const shorts[][2] = {
      {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
      {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
      {"@annually", "0 0 1 1 *"},
  };
  ld_slice rest = text, word = take_word(&rest);
  for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
    if (rest.size == 0 && is_word(word, shorts[i][0])) return ld_text(shorts[i][1]);
  return text;
}

/* A day of month that none of the months has; with a day of week there is always one. */
static ld_rc check_days(const ld_cron *cron, ld_slice text, ld_error *error) {
  static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!cron->any_weekday && !cron->any_day) return LD_OK;
  for (unsigned month = 1; month <= 12; month++)
    if ((cron->months >> month & 1) != 0 &&
        (cron->days & ((uint32_t)0xffffffff >> (31 - lengths[month - 1]))) != 0)
      return LD_OK;
  return bad(&fields[2], text, "never comes in these months", error);
}

ld_rc ld_cron_read(ld_slice text, ld_cron *cron, ld_error *error) {
  ld_slice rest = unfold(text), words[FIELDS], more;
  uint64_t sets[FIELDS];
  bool any[FIELDS];
  size_t count = 0;
  while ((more = take_word(&rest)).size > 0) {
    if (count < FIELDS) words[count] = more;
    count++;
  }
  if (count != FIELDS)
    return ld_fail(error, LD_INVALID,
                   "expected 5 fields (minute hour day-of-month month day-of-week), got %zu",
                   count);
  for (size_t i = 0; i < FIELDS; i++) {
    ld_rc rc = read_set(&fields[i], words[i], &sets[i], &any[i], error);
    if (rc != LD_OK) return rc;
  }
  ld_cron read = {.minutes = sets[0],
                  .hours = (uint32_t)sets[1],
                  .days = (uint32_t)sets[2],
                  .months = (uint32_t)sets[3],
                  .weekdays = (uint32_t)sets[4],
                  .any_hour = is_word(words[1], "*"),
                  .any_day = any[2],
                  .any_weekday = any[4]};
  ld_rc rc = check_days(&read, words[2], error);
  if (rc == LD_OK) *cron = read;
  return rc;
}

/* ---- civil time ---- */

/* Month and day of a day since 1970-01-01, from 0 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days). */
static void date_of(int64_t day, unsigned *month, unsigned *of_month) {
  unsigned of_era = (unsigned)((day + 719468) % 146097);
  unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
  unsigned shifted = (5 * of_year + 2) / 153;
  *of_month = of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
}

static bool matches_day(const ld_cron *cron, int64_t day) {
  unsigned month, of_month, weekday = (unsigned)((day + 4) % 7); /* 1970-01-01 was a thursday */
  date_of(day, &month, &of_month);
  bool by_month = (cron->days >> of_month & 1) != 0, by_week = (cron->weekdays >> weekday & 1) != 0;
  if ((cron->months >> month & 1) == 0) return false;
  return cron->any_day || cron->any_weekday ? by_month && by_week : by_month || by_week;
}

/* The first minute of the day from `minute` on that matches; DAY: none. */
static int64_t find_minute(const ld_cron *cron, int64_t minute) {
  for (; minute < DAY; minute++)
    if ((cron->hours >> (minute / HOUR) & 1) == 0)
      minute += HOUR - 1 - minute % HOUR;
    else if ((cron->minutes >> (minute % HOUR) & 1) != 0)
      return minute;
  return DAY;
}

/* The first civil minute from `minute` on that matches; -1: none. */
static int64_t find_civil(const ld_cron *cron, int64_t minute) {
  int64_t day = minute / DAY, from = minute % DAY;
  for (int64_t last = day + MOST_DAYS; day <= last; day++, from = 0) {
    int64_t found = matches_day(cron, day) ? find_minute(cron, from) : DAY;
    if (found < DAY) return day * DAY + found;
  }
  return -1;
}

/* ---- zones ---- */

/* In seconds since 1970, from here on. */
typedef struct zone {
  const ld_env *env;
  bool local;
} zone;

static int64_t offset_at(const zone *in, int64_t at) {
  return in->local ? ld_local_offset_s(in->env, at * 1000) : 0;
}

/* The first second in (from, to] with another offset than at `from`. */
static int64_t find_change(const zone *in, int64_t from, int64_t to) {
  int64_t offset = offset_at(in, from);
  while (to - from > 1) {
    int64_t middle = from + (to - from) / 2;
    if (offset_at(in, middle) == offset)
      from = middle;
    else
      to = middle;
  }
  return to;
}

/* A change of offset within the next days, at most, so that find_change meets one only. */
static int64_t next_change(const zone *in, int64_t from, int64_t to) {
  enum { STEP = 7 * 86400 };
  for (int64_t at = from; in->local && at < to; at += STEP) {
    int64_t end = at + STEP < to ? at + STEP : to;
    if (offset_at(in, end) != offset_at(in, at)) return find_change(in, at, end);
  }
  return INT64_MAX;
}

/* Up to which civil second the wall showed everything already, when it is set back at `change`. */
static int64_t shown_until(const zone *in, const ld_cron *cron, int64_t change) {
  int64_t before = change + offset_at(in, change - 1), after = change + offset_at(in, change);
  return cron->any_hour || before < after ? after : before;
}

/* A day before `at` and now: the hour that came twice. */
static int64_t civil_start(const zone *in, const ld_cron *cron, int64_t at) {
  int64_t start = at + offset_at(in, at), change;
  if (!in->local || offset_at(in, at - 86400) == offset_at(in, at)) return start;
  change = find_change(in, at - 86400, at);
  int64_t shown = shown_until(in, cron, change);
  return shown > start ? shown : start;
}

static int64_t up_to_minute(int64_t second) { return (second + 59) / 60; }

/* The first time from `at` on. */
static int64_t find_time(const ld_cron *cron, const zone *in, int64_t at) {
  int64_t civil = civil_start(in, cron, at);
  for (;;) {
    int64_t offset = offset_at(in, at), found = find_civil(cron, up_to_minute(civil));
    if (found < 0) return INT64_MAX;
    int64_t change = next_change(in, at, found * 60 - offset);
    if (change == INT64_MAX) return found * 60 - offset;
    int64_t after = change + offset_at(in, change);
    bool left_out = found * 60 < after && change + offset <= found * 60;
    if (left_out && !cron->any_hour) return change;
    at = change;
    civil = shown_until(in, cron, change);
  }
}

int64_t ld_cron_next(const ld_cron *cron, const ld_env *env, bool local, int64_t after) {
  zone in = {env, local};
  if (after < 0) after = 0;
  if (after >= LD_QUEUE_LATEST) return INT64_MAX;
  int64_t found = find_time(cron, &in, (after / 1000 / 60 + 1) * 60);
  return found >= LD_QUEUE_LATEST / 1000 ? INT64_MAX : found * 1000;
}
