/* room_check.c -- whether a document is a room: names, ratings and progress, before anything is written. */
#include "room_check.h"

#include <math.h>
#include <stdio.h>

#include "row.h"
#include "value.h"

/* One step of the way to what is being checked: a key, or an index from 1. */
typedef struct step {
  ld_token key;
  uint32_t index;
} step;

/* Where in the document, and where to tell. The path is put into words only when something is wrong. */
typedef struct checker {
  step steps[4];
  unsigned depth;
  ld_error *error;
} checker;

static void enter_key(checker *at, const ld_token *key) {
  at->steps[at->depth++] = (step){.key = *key};
}
static void enter_index(checker *at, uint32_t index) {
  at->steps[at->depth++] = (step){.index = index};
}
static void leave(checker *at) { at->depth--; }

static ld_rc fail_at(checker *at, ld_rc rc, const char *what) {
  ld_buf path = {0};
  for (unsigned i = 0; i < at->depth; i++) {
    if (at->steps[i].index > 0)
      ld_path_index(&path, at->steps[i].index);
    else
      ld_path_key(&path, &at->steps[i].key);
  }
  ld_fail(at->error, rc, "%.*s: %s", (int)path.size, (const char *)path.data, what);
  ld_buf_clear(&path);
  return rc;
}

/* INVALID at the path: "expected ..., got ...". */
static ld_rc wrong(checker *at, const char *expected, const ld_token *got) {
  ld_quoted quoted;
  char what[240];
  const char *text = ld_is_string(got) ? ld_quote(got->bytes, quoted) : ld_kind_name(got->kind);
  snprintf(what, sizeof what, "expected %s, got %s", expected, text);
  return fail_at(at, LD_INVALID, what);
}

static ld_rc cut_off(checker *at) {
  return ld_fail(at->error, LD_INVALID, "the document is cut off");
}

static ld_rc check_length(checker *at, ld_slice bytes) {
  char what[80];
  if (bytes.size <= LD_PART_MAX) return LD_OK;
  snprintf(what, sizeof what, "has %zu bytes, the limit is %u", bytes.size, LD_PART_MAX);
  return fail_at(at, LD_TOOBIG, what);
}

/* Check one element of [user, rating, time]. */
static ld_rc check_element(checker *at, unsigned index, const ld_token *token) {
  switch (index) {
  case 0: return ld_is_string(token) ? check_length(at, token->bytes) : wrong(at, "a user", token);
  case 1:
    if (ld_is_string(token) && (ld_equal(token->bytes, LD_LITERAL("like")) ||
                                ld_equal(token->bytes, LD_LITERAL("dislike"))))
      return LD_OK;
    return wrong(at, "\"like\" or \"dislike\"", token);
  default:
    if (token->kind == LD_INT || (token->kind == LD_FLOAT && isfinite(token->number))) return LD_OK;
    return wrong(at, "a time in ms", token);
  }
}

static ld_rc check_vote(checker *at, ld_slice *rest) {
  ld_token head, element;
  char what[80];
  ld_rc rc = LD_OK;
  if (!ld_value_next(rest, &head)) return cut_off(at);
  if (head.kind != LD_ARRAY) return wrong(at, "a list of user, rating and time", &head);
  if (head.count != 3) {
    snprintf(what, sizeof what, "expected user, rating and time, got %u elements", head.count);
    return fail_at(at, LD_INVALID, what);
  }
  for (unsigned i = 0; i < 3 && rc == LD_OK; i++) {
    enter_index(at, i + 1);
    rc = ld_value_next(rest, &element) ? check_element(at, i, &element) : cut_off(at);
    leave(at);
  }
  return rc;
}

static ld_rc check_votes(checker *at, ld_slice *rest) {
  ld_token head;
  ld_rc rc = LD_OK;
  if (!ld_value_next(rest, &head)) return cut_off(at);
  bool empty_map = head.kind == LD_MAP && head.count == 0;
  if (head.kind != LD_ARRAY && !empty_map)
    return wrong(at, "a list of [user, rating, time]", &head);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    enter_index(at, i + 1);
    rc = check_vote(at, rest);
    leave(at);
  }
  return rc;
}

static ld_rc check_progress(checker *at, ld_slice *rest) {
  ld_token count;
  if (!ld_value_next(rest, &count)) return cut_off(at);
  if (count.kind == LD_INT && count.integer >= 0) return LD_OK;
  return wrong(at, "a whole number from 0", &count);
}

/* A map from names to what `check` says. */
static ld_rc check_map(checker *at, ld_slice map, ld_rc (*check)(checker *, ld_slice *)) {
  ld_token head, key;
  ld_rc rc = LD_OK;
  if (!ld_value_next(&map, &head)) return cut_off(at);
  if (head.kind != LD_MAP) return wrong(at, "a map", &head);
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    if (!ld_value_next(&map, &key)) return cut_off(at);
    enter_key(at, &key);
    rc = ld_is_string(&key) ? check_length(at, key.bytes) : wrong(at, "a string as key", &key);
    if (rc == LD_OK) rc = check(at, &map);
    leave(at);
  }
  return rc;
}

static ld_rc note_field(checker *at, const ld_token *key, ld_slice value, ld_room_fields *fields) {
  ld_slice *const places[] = {&fields->name, &fields->ratings, &fields->progress,
                              &fields->password};
  static const char *const names[] = {"roomName", "ratings", "userProgress", "password"};
  static const size_t sizes[] = {8, 7, 12, 8};
  for (size_t n = 0; n < 4; n++) {
    if (!ld_equal(key->bytes, ld_bytes(names[n], sizes[n]))) continue;
    if (places[n]->size > 0) return ld_fail(at->error, LD_INVALID, "%s: is there twice", names[n]);
    *places[n] = value;
  }
  return LD_OK;
}

static ld_rc find_fields(checker *at, ld_slice document, ld_room_fields *fields) {
  ld_token head, key;
  ld_slice value;
  ld_rc rc = LD_OK;
  if (!ld_value_next(&document, &head)) return cut_off(at);
  if (head.kind != LD_MAP)
    return ld_fail(at->error, LD_INVALID, "expected a room, a map with roomName, got %s",
                   ld_kind_name(head.kind));
  for (uint32_t i = 0; i < head.count && rc == LD_OK; i++) {
    if (!ld_value_next(&document, &key) || !ld_value_take(&document, &value)) return cut_off(at);
    if (ld_is_string(&key)) rc = note_field(at, &key, value, fields);
  }
  return rc;
}

static ld_rc check_name(checker *at, ld_slice value, ld_slice *name) {
  ld_token token;
  if (value.size == 0) return fail_at(at, LD_INVALID, "is missing");
  ld_value_next(&value, &token);
  if (!ld_is_string(&token)) return wrong(at, "a string", &token);
  if (token.bytes.size == 0) return fail_at(at, LD_INVALID, "is empty");
  *name = token.bytes;
  return check_length(at, *name);
}

static ld_rc check_password(checker *at, ld_slice value) {
  ld_token token;
  if (value.size == 0) return LD_OK;
  ld_value_next(&value, &token);
  if (ld_is_string(&token) || token.kind == LD_NIL) return LD_OK;
  return wrong(at, "a string", &token);
}

static void begin_at(checker *at, const char *field) {
  at->depth = 0;
  enter_key(at, &(ld_token){.kind = LD_STR, .bytes = ld_text(field)});
}

static ld_rc check_field_map(checker *at, const char *field, ld_slice map,
                             ld_rc (*check)(checker *, ld_slice *)) {
  begin_at(at, field);
  return map.size == 0 ? LD_OK : check_map(at, map, check);
}

ld_rc ld_room_check(ld_slice document, ld_room_fields *fields, ld_error *error) {
  checker at;
  ld_room_fields found = {0};
  at.error = error;
  begin_at(&at, "roomName");
  ld_rc rc = find_fields(&at, document, &found);
  if (rc == LD_OK) rc = check_name(&at, found.name, &found.name);
  begin_at(&at, "password");
  if (rc == LD_OK) rc = check_password(&at, found.password);
  if (rc == LD_OK) rc = check_field_map(&at, "ratings", found.ratings, check_votes);
  if (rc == LD_OK) rc = check_field_map(&at, "userProgress", found.progress, check_progress);
  if (rc == LD_OK) *fields = found;
  return rc;
}
