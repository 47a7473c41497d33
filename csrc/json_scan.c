/* json_scan.c -- see json_scan.h. One pass, no recursion: the open containers are a stack of the bytes that will close them.
**
** Until something has to be marked nothing is copied; from then on `copied` says how far the text is in `marked`. */
#include "json_scan.h"

#include <stdio.h>
#include <string.h>

#include "json_number.h"

typedef struct scan {
  const uint8_t *start, *at, *end;
  const uint8_t *name; /* of the value that comes next; NULL in an array */
  ld_buf *marked;      /* NULL: only looking for `wanted` */
  const uint8_t *copied;
  size_t values, wanted; /* values begun; the one whose place is asked for */
  const uint8_t *found;
  size_t depth;
  const uint8_t *too_deep; /* the innermost container but those allowed in a document */
  uint8_t closers[LD_JSON_LEVELS];
  ld_error *error;
} scan;

/* ---- saying where ---- */

typedef char place[64];

static const char *place_of(const uint8_t *start, const uint8_t *at, place out) {
  size_t line = 1;
  for (const uint8_t *byte = start; byte < at; byte++) {
    if (*byte != '\n') continue;
    line++;
    start = byte + 1;
  }
  snprintf(out, sizeof(place), "line %zu, column %zu", line, (size_t)(at - start) + 1);
  return out;
}

static ld_rc wrong_at(scan *s, const uint8_t *at, const char *what) {
  place where;
  return ld_fail(s->error, LD_INVALID, "%s: %s", place_of(s->start, at, where), what);
}

static ld_rc expected(scan *s, const char *what) {
  place where;
  return ld_fail(s->error, LD_INVALID, "%s: %sexpected %s", place_of(s->start, s->at, where),
                 s->at == s->end ? "unexpected end, " : "", what);
}

/* ---- marking ---- */

static void mark_nul(scan *s, const uint8_t *from, const uint8_t *to) {
  if (s->marked == NULL) return;
  ld_buf_add(s->marked, ld_bytes(s->copied, (size_t)(from - s->copied)));
  ld_buf_byte(s->marked, LD_JSON_NUL);
  s->copied = to;
}

static void mark_number(scan *s, ld_slice number) {
  if (s->marked == NULL) return;
  ld_buf_add(s->marked, ld_bytes(s->copied, (size_t)(number.data - s->copied)));
  ld_buf_byte(s->marked, '"');
  ld_buf_byte(s->marked, LD_JSON_NUMBER);
  ld_buf_add(s->marked, number);
  ld_buf_byte(s->marked, '"');
  s->copied = number.data + number.size;
}

/* ---- scalars ---- */

static void skip_blanks(scan *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
    s->at++;
}

static bool take(scan *s, char byte) {
  if (s->at == s->end || *s->at != (uint8_t)byte) return false;
  s->at++;
  return true;
}

static ld_rc scan_word(scan *s, const char *word) {
  size_t size = strlen(word);
  if ((size_t)(s->end - s->at) < size || memcmp(s->at, word, size) != 0)
    return expected(s, "a value");
  s->at += size;
  return LD_OK;
}

static ld_rc refuse_number(scan *s, ld_slice number, const char *why) {
  place where;
  bool cut = number.size > 60;
  return ld_fail(s->error, LD_INVALID, "%s: number %.*s%s %s",
                 place_of(s->start, number.data, where), cut ? 57 : (int)number.size,
                 (const char *)number.data, cut ? "..." : "", why);
}

/* Does cJSON's double say all about the value? Most versions of it read 63 characters of a number only. */
static bool is_told_by_double(const ld_numeral *numeral, const ld_token *value) {
  if (numeral->text.size > 63) return false;
  if (value->kind == LD_INT)
    return value->integer >= -((int64_t)1 << 53) && value->integer <= (int64_t)1 << 53;
  return !ld_number_is_whole(value->number);
}

static ld_rc scan_number(scan *s) {
  ld_slice rest = ld_bytes(s->at, (size_t)(s->end - s->at));
  ld_numeral numeral;
  ld_token value;
  const char *wrong = ld_numeral_take(&rest, &numeral);
  s->at = rest.data;
  if (wrong != NULL) return expected(s, wrong);
  if (ld_numeral_is_plain(&numeral)) return LD_OK;
  if ((wrong = ld_numeral_value(&numeral, &value)) != NULL)
    return refuse_number(s, numeral.text, wrong);
  if (!is_told_by_double(&numeral, &value)) mark_number(s, numeral.text);
  return LD_OK;
}

/* ---- strings ---- */

/* Four hex digits behind `\u`, at `at`; -1 when they are not there. */
static int hex4(const scan *s, const uint8_t *at) {
  int unit = 0;
  if (s->end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    uint8_t lower = at[i] | 0x20;
    if (at[i] >= '0' && at[i] <= '9')
      unit = unit * 16 + (at[i] - '0');
    else if (lower >= 'a' && lower <= 'f')
      unit = unit * 16 + (lower - 'a' + 10);
    else
      return -1;
  }
  return unit;
}

/* Is there `\udc00`..`\udfff` at `at`? */
static bool is_low_surrogate(const scan *s, const uint8_t *at) {
  if (s->end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
  int unit = hex4(s, at + 2);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

static ld_rc scan_unicode(scan *s) {
  const uint8_t *from = s->at;
  int unit = hex4(s, from + 2);
  if (unit < 0) return wrong_at(s, from, "expected four hex digits after \\u");
  s->at += 6;
  if (unit == 0) mark_nul(s, from, s->at);
  if (unit < 0xd800 || unit > 0xdfff) return LD_OK;
  if (unit >= 0xdc00 || !is_low_surrogate(s, s->at)) return wrong_at(s, from, "lone surrogate");
  s->at += 6;
  return LD_OK;
}

static ld_rc scan_escape(scan *s) {
  if (s->end - s->at < 2) {
    s->at = s->end;
    return expected(s, "the end of a string");
  }
  if (s->at[1] == 'u') return scan_unicode(s);
  if (s->at[1] == 0 || strchr("\"\\/bfnrt", s->at[1]) == NULL)
    return wrong_at(s, s->at, "unknown escape in a string");
  s->at += 2;
  return LD_OK;
}

/* A run of bytes past ASCII: in UTF-8 no character is partly outside of it. */
static ld_rc scan_far(scan *s) {
  const uint8_t *from = s->at;
  while (s->at < s->end && *s->at >= 0x80) s->at++;
  if (ld_is_utf8(ld_bytes(from, (size_t)(s->at - from)))) return LD_OK;
  for (;;) { /* find the character that is wrong */
    size_t size = *from >= 0xf0 ? 4 : *from >= 0xe0 ? 3 : 2;
    if ((size_t)(s->at - from) < size || !ld_is_utf8(ld_bytes(from, size))) break;
    from += size;
  }
  return wrong_at(s, from, "invalid UTF-8");
}

static bool is_plain(uint8_t byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static ld_rc scan_string(scan *s) {
  for (s->at++;;) {
    ld_rc rc = LD_OK;
    while (s->at < s->end && is_plain(*s->at)) s->at++;
    if (take(s, '"')) return LD_OK;
    if (s->at == s->end) return expected(s, "the end of a string");
    if (*s->at < 0x20)
      rc = wrong_at(s, s->at, "control character in a string");
    else
      rc = *s->at == '\\' ? scan_escape(s) : scan_far(s);
    if (rc != LD_OK) return rc;
  }
}

/* ---- containers ---- */

static ld_rc scan_name(scan *s) {
  skip_blanks(s);
  if (s->at == s->end || *s->at != '"') return expected(s, "a name in double quotes");
  s->name = s->at;
  ld_rc rc = scan_string(s);
  if (rc != LD_OK) return rc;
  skip_blanks(s);
  return take(s, ':') ? LD_OK : expected(s, "':' after a name");
}

/* Go into a container, and up to its first value; `*ended` when it has none. */
static ld_rc enter(scan *s, bool *ended) {
  bool map = *s->at == '{';
  if (s->depth == LD_DEPTH) s->too_deep = s->at;
  if (s->depth == LD_JSON_LEVELS) return wrong_at(s, s->too_deep, "nested deeper than 128");
  s->closers[s->depth++] = map ? '}' : ']';
  s->at++;
  s->name = NULL;
  skip_blanks(s);
  *ended = s->at < s->end && *s->at == (map ? '}' : ']');
  return map && !*ended ? scan_name(s) : LD_OK;
}

/* A value, or the beginning of a container; `*ended` when nothing of it is to come. */
static ld_rc scan_value(scan *s, bool *ended) {
  skip_blanks(s);
  *ended = true;
  if (s->at == s->end) return expected(s, "a value");
  if (s->values++ == s->wanted) s->found = s->name != NULL ? s->name : s->at;
  switch (*s->at) {
  case '{':
  case '[': return enter(s, ended);
  case '"': return scan_string(s);
  case 't': return scan_word(s, "true");
  case 'f': return scan_word(s, "false");
  case 'n': return scan_word(s, "null");
  default: break;
  }
  bool digit = *s->at >= '0' && *s->at <= '9';
  return digit || *s->at == '-' ? scan_number(s) : expected(s, "a value");
}

/* Leave the containers that end here, then go up to the next value; `*done` when the outermost has ended. */
static ld_rc scan_between(scan *s, bool *done) {
  for (;;) {
    skip_blanks(s);
    *done = s->depth == 0;
    if (*done) return s->at == s->end ? LD_OK : wrong_at(s, s->at, "something follows the value");
    bool map = s->closers[s->depth - 1] == '}';
    if (take(s, ',')) {
      s->name = NULL;
      return map ? scan_name(s) : LD_OK;
    }
    if (!take(s, map ? '}' : ']'))
      return expected(s, map ? "',' or '}' after a value" : "',' or ']' after a value");
    s->depth--;
  }
}

static ld_rc scan_text(scan *s) {
  ld_rc rc = LD_OK;
  for (bool done = false, ended = false; rc == LD_OK && !done;) {
    rc = scan_value(s, &ended);
    if (rc == LD_OK && ended) rc = scan_between(s, &done);
  }
  return rc;
}

static scan begin(ld_slice text, ld_error *error) {
  bool order_mark = ld_starts_with(text, ld_text("\xef\xbb\xbf"));
  const uint8_t *start = text.size == 0 ? (const uint8_t *)"" : text.data + (order_mark ? 3 : 0);
  const uint8_t *end = text.size == 0 ? start : text.data + text.size;
  return (scan){
      .start = start, .at = start, .end = end, .copied = start, .wanted = SIZE_MAX, .error = error};
}

ld_rc ld_json_scan(ld_slice text, ld_buf *marked, ld_slice *ready, ld_error *error) {
  scan s = begin(text, error);
  s.marked = marked;
  ld_rc rc = scan_text(&s);
  if (rc != LD_OK) return rc;
  if (s.copied > s.start) ld_buf_add(marked, ld_bytes(s.copied, (size_t)(s.end - s.copied)));
  if (marked->failed) return ld_fail(error, LD_NOMEM, "out of memory reading JSON");
  *ready = s.copied > s.start ? ld_buf_slice(marked) : ld_bytes(s.start, (size_t)(s.end - s.start));
  return LD_OK;
}

void ld_json_blame(ld_slice text, size_t index, ld_error *error) {
  place where;
  if (error == NULL) return;
  scan s = begin(text, NULL);
  s.wanted = index;
  if (scan_text(&s) == LD_OK && s.found != NULL)
    ld_fail_in(error, "%s: ", place_of(s.start, s.found, where));
}
