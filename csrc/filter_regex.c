/* filter_regex.c -- POSIX extended regular expressions, kept within bounds.
**
** regcomp writes repetitions out, so that (((a{99}){99}){99}) takes all memory there is, and it goes a step deeper for each
** parenthesis. So a pattern is measured before: its length, and the atoms that it has when all its {m,n} are written out.
** Back-references are no part of extended expressions (libraries that know them search exponentially long). */
#include <regex.h>
#include <stdlib.h>

#include "filter_node.h"

/* Without REG_STARTEND a text has to end with a zero byte, and one inside ends it; the address sanitizer does not know the
** flag, and looks for the zero byte. */
#ifndef REG_STARTEND
#define REG_STARTEND 0
#define NEEDS_END
#elif defined(__SANITIZE_ADDRESS__)
#define NEEDS_END
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NEEDS_END
#endif
#endif

enum { LONGEST = 1000, MOST_ATOMS = 2000, DEEPEST = 100 };

struct ld_filter_regex {
  ld_filter_regex *next;
  regex_t compiled;
};

/* ---- measuring ---- */

/* The atoms of each open group so far, and of what a repetition would repeat. */
typedef struct measure {
  const char *at;
  uint64_t atoms[DEEPEST + 1], last;
  unsigned depth;
} measure;

/* Behind a bracket expression; a `]` at its beginning stands for itself, and [:alpha:] and the like are inside. */
static void skip_bracket(measure *by) {
  by->at++;
  if (*by->at == '^') by->at++;
  if (*by->at == ']') by->at++;
  for (; *by->at != '\0' && *by->at != ']'; by->at++) {
    char kind = by->at[1];
    if (*by->at != '[' || (kind != ':' && kind != '.' && kind != '=')) continue;
    const char end[] = {kind, ']', '\0'}, *closed = strstr(by->at + 2, end);
    if (closed != NULL) by->at = closed + 1;
  }
  if (*by->at != '\0') by->at++;
}

static void add_atom(measure *by, uint64_t atoms) {
  by->last = atoms;
  by->atoms[by->depth] += atoms;
}

static void write_out(measure *by, uint64_t copies) {
  if (copies < 2 || by->last > MOST_ATOMS) return;
  if (copies > MOST_ATOMS) copies = MOST_ATOMS;
  by->atoms[by->depth] += by->last * (copies - 1);
  by->last *= copies;
}

/* {m} and {m,n}: as many copies as the larger says; {m,} is m copies and a starred one. */
static void repeat(measure *by) {
  char *end;
  unsigned long least = strtoul(by->at + 1, &end, 10), most = 0;
  if (*end == ',')
    most = end[1] == '}' ? (least < MOST_ATOMS ? least + 1 : least) : strtoul(end + 1, &end, 10);
  write_out(by, most > least ? most : least);
  by->at++;
}

static const char *measure_special(measure *by) {
  switch (*by->at) {
  case '\\':
    if (by->at[1] >= '1' && by->at[1] <= '9') return "it has a back-reference";
    by->at += by->at[1] != '\0' ? 2 : 1;
    add_atom(by, 1);
    return NULL;
  case '(':
    if (++by->depth > DEEPEST) return "its groups are nested too deep";
    by->atoms[by->depth] = 1;
    by->at++;
    return NULL;
  case ')':
    by->at++;
    if (by->depth > 0) by->depth--, add_atom(by, by->atoms[by->depth + 1]);
    return NULL;
  case '[': skip_bracket(by); break;
  case '{': repeat(by); return NULL;
  case '+': /* a copy and a starred one */
    write_out(by, 2);
    by->at++;
    return NULL;
  default: by->at++; break;
  }
  add_atom(by, 1);
  return NULL;
}

/* NULL, or why a pattern is not to be compiled. */
static const char *too_large(const char *pattern) {
  measure by = {.at = pattern};
  const char *wrong = NULL;
  while (wrong == NULL && *by.at != '\0') {
    wrong = measure_special(&by);
    if (by.depth <= DEEPEST && by.atoms[by.depth] > MOST_ATOMS) wrong = "it repeats too much";
  }
  return wrong;
}

/* ---- compiling and matching ---- */

static ld_rc refuse(ld_filter_compiler *by, int code, const regex_t *compiled) {
  char text[200];
  regerror(code, compiled, text, sizeof text);
  if (code == REG_ESPACE) return ld_fail(by->error, LD_NOMEM, "regular expression: %s", text);
  return ld_filter_fail(by, "no regular expression: %s", text);
}

static ld_rc compile(ld_filter_compiler *by, const char *pattern, bool fold_case,
                     const ld_filter_regex **regex) {
  ld_filter_regex *made = ld_filter_make(by, sizeof *made);
  if (made == NULL) return LD_NOMEM;
  int flags = REG_EXTENDED | REG_NOSUB | (fold_case ? REG_ICASE : 0);
  int code = regcomp(&made->compiled, pattern, flags);
  if (code != 0) return refuse(by, code, &made->compiled);
  made->next = by->root->regexes;
  by->root->regexes = made;
  *regex = made;
  return LD_OK;
}

ld_rc ld_filter_regex_new(ld_filter_compiler *by, ld_slice pattern, bool fold_case,
                          const ld_filter_regex **regex) {
  char text[LONGEST + 1] = "";
  if (pattern.size > LONGEST)
    return ld_filter_fail(by, "no regular expression: longer than %d bytes", LONGEST);
  if (pattern.size > 0 && memchr(pattern.data, 0, pattern.size) != NULL)
    return ld_filter_fail(by, "no regular expression: it holds a zero byte");
  if (pattern.size > 0) memcpy(text, pattern.data, pattern.size);
  const char *wrong = too_large(text);
  if (wrong != NULL) return ld_filter_fail(by, "no regular expression: %s", wrong);
  return compile(by, text, fold_case, regex);
}

static bool run(const ld_filter_regex *regex, const char *text, size_t size) {
  regmatch_t all = {.rm_so = 0, .rm_eo = (regoff_t)size};
  return regexec(&regex->compiled, text, 1, &all, REG_STARTEND) == 0;
}

#ifdef NEEDS_END
bool ld_filter_regex_match(const ld_filter_regex *regex, ld_slice text) {
  char few[1024], *copy = text.size < sizeof few ? few : malloc(text.size + 1);
  if (copy == NULL) return false;
  if (text.size > 0) memcpy(copy, text.data, text.size);
  copy[text.size] = '\0';
  bool matches = run(regex, copy, text.size);
  if (copy != few) free(copy);
  return matches;
}
#else
bool ld_filter_regex_match(const ld_filter_regex *regex, ld_slice text) {
  return run(regex, (const char *)text.data, text.size);
}
#endif

void ld_filter_regex_free(ld_filter_regex *regexes) {
  for (; regexes != NULL; regexes = regexes->next) regfree(&regexes->compiled);
}
