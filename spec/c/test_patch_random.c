/* test_patch_random.c -- patches at random against a second evaluator: it works on trees of nodes, in place, and is written from the rules in
** patch.h alone. A document that comes out must be the same, byte for byte; an error must be one on both sides. LARDER_SEED repeats a run. */
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "../../csrc/patch.h"
#include "check.h"

enum { MOST = 24, NODES = 20000, ROUNDS = 60000 };

typedef struct node {
  ld_kind kind; /* LD_NIL, LD_BOOL, LD_INT, LD_FLOAT, LD_STR, LD_ARRAY, LD_MAP */
  bool truth;
  int64_t integer;
  double number;
  const char *text;
  unsigned count;
  struct node *items[MOST];
  char names[MOST][16]; /* of a map */
} node;

static node pool[NODES];
static unsigned used;
static bool failed; /* what is being evaluated is an error */

static node *new_node(ld_kind kind) {
  CHECK(used < NODES);
  node *made = &pool[used++];
  memset(made, 0, sizeof *made);
  made->kind = kind;
  return made;
}

static node *copy(const node *from) {
  node *made = new_node(from->kind);
  *made = *from;
  for (unsigned i = 0; i < from->count; i++) made->items[i] = copy(from->items[i]);
  return made;
}

static void write(const node *from, ld_buf *out) {
  switch (from->kind) {
  case LD_NIL: ld_write_nil(out); return;
  case LD_BOOL: ld_write_bool(out, from->truth); return;
  case LD_INT: ld_write_int(out, from->integer); return;
  case LD_FLOAT: ld_write_float(out, from->number); return;
  case LD_STR: ld_write_text(out, from->text); return;
  case LD_ARRAY: ld_write_array(out, from->count); break;
  default: ld_write_map(out, from->count); break;
  }
  for (unsigned i = 0; i < from->count; i++) {
    if (from->kind == LD_MAP) ld_write_text(out, from->names[i]);
    write(from->items[i], out);
  }
}

/* ---- maps and arrays ---- */

static int find(const node *map, const char *name) {
  for (unsigned i = 0; i < map->count; i++)
    if (strcmp(map->names[i], name) == 0) return (int)i;
  return -1;
}

static void append(node *to, const char *name, node *value) {
  CHECK(to->count < MOST);
  snprintf(to->names[to->count], sizeof to->names[0], "%s", name);
  to->items[to->count++] = value;
}

static void drop(node *from, unsigned at) {
  for (from->count--; at < from->count; at++) {
    from->items[at] = from->items[at + 1];
    memcpy(from->names[at], from->names[at + 1], sizeof from->names[0]);
  }
}

/* ---- order ---- */

static int rank(const node *value) {
  static const int ranks[] = {[LD_NIL] = 0, [LD_INT] = 1,   [LD_FLOAT] = 1, [LD_STR] = 2,
                              [LD_MAP] = 3, [LD_ARRAY] = 4, [LD_BOOL] = 5};
  return ranks[value->kind];
}

static double as_float(const node *value) {
  return value->kind == LD_INT ? (double)value->integer : value->number;
}

/* Of scalars; of others only by rank. Integers and floats here are compared rightly as floats but for the largest integers. */
static int compare(const node *a, const node *b) {
  if (rank(a) != rank(b)) return rank(a) - rank(b);
  if (a->kind == LD_BOOL) return a->truth - b->truth;
  if (a->kind == LD_STR) return strcmp(a->text, b->text);
  if (rank(a) != 1) return 0;
  if (a->kind == LD_INT && b->kind == LD_INT)
    return (a->integer > b->integer) - (a->integer < b->integer);
  return (as_float(a) > as_float(b)) - (as_float(a) < as_float(b));
}

static bool same(const node *a, const node *b) {
  if (rank(a) != rank(b) || a->count != b->count) return false;
  if (a->kind == LD_MAP) {
    for (unsigned i = 0; i < a->count; i++) {
      int at = find(b, a->names[i]);
      if (at < 0 || !same(a->items[i], b->items[at])) return false;
    }
    return true;
  }
  for (unsigned i = 0; i < a->count; i++)
    if (!same(a->items[i], b->items[i])) return false;
  return a->kind == LD_ARRAY || compare(a, b) == 0;
}

/* ---- the operators ---- */

static node *fail(void) {
  failed = true;
  return NULL;
}

static bool is_number(const node *value) {
  return value->kind == LD_INT || value->kind == LD_FLOAT;
}
static bool is_array(const node *value) {
  return value->kind == LD_ARRAY || (value->kind == LD_MAP && value->count == 0);
}

static node *count_up(const char *op, const node *old, const node *by) {
  bool times = strcmp(op, "$mul") == 0;
  node *made = new_node(by->kind);
  if (!is_number(by) || (old != NULL && !is_number(old))) return fail();
  if (old == NULL) {
    if (!times) *made = *by;
    return made;
  }
  if (old->kind == LD_FLOAT || by->kind == LD_FLOAT) {
    made->kind = LD_FLOAT;
    made->number = times ? as_float(old) * as_float(by) : as_float(old) + as_float(by);
    return made;
  }
  __extension__ typedef __int128 wide;
  wide result = times ? (wide)old->integer * by->integer : (wide)old->integer + by->integer;
  if (result > INT64_MAX || result < INT64_MIN) return fail();
  made->integer = (int64_t)result;
  return made;
}

/* What $push and $addToSet add. */
static node *added(const node *operand) {
  node *list = new_node(LD_ARRAY);
  if (operand->kind == LD_MAP && find(operand, "$each") >= 0) {
    const node *each = operand->items[0];
    if (operand->count != 1 || !is_array(each)) return fail();
    return copy(each);
  }
  append(list, "", copy(operand));
  return list;
}

static node *grow(bool set, const node *old, const node *operand) {
  node *list = added(operand);
  if (list == NULL || (old != NULL && !is_array(old))) return fail();
  node *made = old == NULL ? new_node(LD_ARRAY) : copy(old);
  for (unsigned i = 0; i < list->count; i++) {
    bool there = false;
    for (unsigned k = 0; set && k < made->count; k++)
      there = there || same(made->items[k], list->items[i]);
    if (!there) append(made, "", list->items[i]);
  }
  if (!set || made->count > 0 || old == NULL) made->kind = LD_ARRAY;
  return made;
}

static node *shrink(bool pop, const node *old, const node *operand) {
  if (pop && (!is_number(operand) || (as_float(operand) != 1 && as_float(operand) != -1)))
    return fail();
  if (old == NULL) return NULL;
  if (!is_array(old)) return fail();
  node *made = copy(old);
  if (pop && made->count > 0) drop(made, as_float(operand) < 0 ? 0 : made->count - 1);
  for (unsigned i = made->count; !pop && i-- > 0;)
    if (same(made->items[i], operand)) drop(made, i);
  return made;
}

/* The new value; NULL: none. */
static node *act(const char *op, const node *old, const node *operand) {
  if (strcmp(op, "$unset") == 0) return NULL;
  if (strcmp(op, "$set") == 0) return copy(operand);
  if (strcmp(op, "$inc") == 0 || strcmp(op, "$mul") == 0) return count_up(op, old, operand);
  if (strcmp(op, "$min") == 0)
    return copy(old == NULL || compare(operand, old) < 0 ? operand : old);
  if (strcmp(op, "$max") == 0)
    return copy(old == NULL || compare(operand, old) > 0 ? operand : old);
  if (strcmp(op, "$push") == 0) return grow(false, old, operand);
  if (strcmp(op, "$addToSet") == 0) return grow(true, old, operand);
  return shrink(strcmp(op, "$pop") == 0, old, operand);
}

/* ---- paths ---- */

static bool creates(const char *op) {
  return strcmp(op, "$unset") != 0 && strcmp(op, "$pull") != 0 && strcmp(op, "$pop") != 0;
}

static void change(node *at, const char *op, char *path, const node *operand, bool arrays);

/* The value in `slot`, or what is to come there when it is NULL. */
static node *changed(node *slot, const char *op, char *rest, const node *operand, bool arrays) {
  if (rest == NULL) return act(op, slot, operand);
  if (slot == NULL) slot = new_node(LD_MAP);
  change(slot, op, rest, operand, arrays);
  return slot;
}

static void change_map(node *map, const char *op, const char *name, char *rest, const node *operand,
                       bool arrays) {
  int at = find(map, name);
  if (at < 0 && !creates(op)) return;
  node *made = changed(at < 0 ? NULL : map->items[at], op, rest, operand, arrays);
  if (failed) return;
  if (at < 0)
    append(map, name, made);
  else if (made == NULL)
    drop(map, (unsigned)at);
  else
    map->items[at] = made;
}

static void change_array(node *array, const char *op, const char *name, char *rest,
                         const node *operand, bool arrays) {
  char *end;
  unsigned long at = strtoul(name, &end, 10);
  if (!arrays || *end != 0) {
    failed = failed || creates(op);
    return;
  }
  if (at >= array->count && !creates(op)) return;
  node *made = changed(at < array->count ? array->items[at] : NULL, op, rest, operand, arrays);
  if (failed) return;
  while (array->count <= at) append(array, "", new_node(LD_NIL));
  array->items[at] = made == NULL ? new_node(LD_NIL) : made;
}

static void change(node *at, const char *op, char *path, const node *operand, bool arrays) {
  char *dot = strchr(path, '.'), *rest = dot == NULL ? NULL : dot + 1;
  char name[32];
  snprintf(name, sizeof name, "%.*s", dot == NULL ? 31 : (int)(dot - path), path);
  if (at->kind == LD_MAP)
    change_map(at, op, name, rest, operand, arrays);
  else if (at->kind == LD_ARRAY)
    change_array(at, op, name, rest, operand, arrays);
  else
    failed = failed || creates(op);
}

static void rename_field(node *document, const char *from, const char *to) {
  char path[32], *part = path;
  node *at = document, *parent = NULL;
  int place = -1;
  snprintf(path, sizeof path, "%s", from);
  for (char *next; part != NULL; part = next) {
    next = strchr(part, '.');
    if (next != NULL) *next++ = 0;
    if (at->kind == LD_ARRAY) failed = true;
    if (at->kind != LD_MAP || (place = find(at, part)) < 0) return;
    parent = at;
    at = at->items[place];
  }
  drop(parent, (unsigned)place);
  snprintf(path, sizeof path, "%s", to);
  change(document, "$set", path, at, false);
}

/* ---- at random ---- */

static uint64_t seed;
static unsigned pick(unsigned below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)((seed >> 33) % below);
}

static const char *const names[] = {"a", "b", "c", "0", "1"};

static node *random_number(void) {
  node *made = new_node(pick(3) == 0 ? LD_FLOAT : LD_INT);
  made->integer = (int64_t)pick(5) - 2;
  made->number = pick(2) == 0 ? (double)pick(3) : 0.5;
  if (pick(12) == 0) made->integer = pick(2) == 0 ? INT64_MAX : INT64_MIN;
  return made;
}

static node *random_value(unsigned depth) {
  static const char *const texts[] = {"", "x", "y", "a longer one than thirty-one bytes is"};
  unsigned dice = pick(depth == 0 ? 6 : 10);
  node *made;
  if (dice < 3) return random_number();
  made = new_node(dice == 3   ? LD_NIL
                  : dice == 4 ? LD_BOOL
                  : dice == 5 ? LD_STR
                  : dice < 8  ? LD_ARRAY
                              : LD_MAP);
  made->truth = pick(2) == 0;
  made->text = texts[pick(4)];
  for (unsigned n = dice < 6 ? 0 : pick(4); n > 0; n--) {
    const char *name = names[pick(5)];
    if (made->kind == LD_ARRAY || find(made, name) < 0) append(made, name, random_value(depth - 1));
  }
  return made;
}

static void random_path(char path[16]) {
  unsigned at = (unsigned)snprintf(path, 16, "%s", names[pick(3)]);
  for (unsigned n = pick(3); n > 0; n--)
    at += (unsigned)snprintf(path + at, 16 - at, ".%s", names[pick(5)]);
}

/* A change: `operand` NULL is larder.remove. */
typedef struct step {
  const char *op;
  char path[16], to[16];
  node *operand;
} step;

static node *random_operand(const char *op) {
  if (strcmp(op, "$inc") == 0 || strcmp(op, "$mul") == 0) return random_number();
  if (strcmp(op, "$min") == 0 || strcmp(op, "$max") == 0) return random_value(0);
  node *value = random_value(2), *each;
  if (strcmp(op, "$pop") == 0) {
    value = new_node(LD_INT);
    value->integer = pick(2) == 0 ? 1 : -1;
  }
  if (strcmp(op, "$pull") == 0 && value->kind == LD_MAP)
    return new_node(LD_NIL); /* a filter: elsewhere */
  if ((strcmp(op, "$push") != 0 && strcmp(op, "$addToSet") != 0) || pick(2) == 0) return value;
  each = new_node(LD_MAP);
  append(each, "$each", is_array(value) ? value : new_node(LD_ARRAY));
  return each;
}

static bool clash(const char *a, const char *b) {
  size_t size = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
  return strncmp(a, b, size) == 0 && (a[size] == 0 || a[size] == '.') &&
         (b[size] == 0 || b[size] == '.');
}

static bool clashes(const step *steps, unsigned count) {
  bool found = false;
  for (unsigned i = 0; i < count; i++) {
    if (steps[i].to[0] != 0) found = found || clash(steps[i].path, steps[i].to);
    for (unsigned k = 0; k < i; k++) {
      found = found || clash(steps[i].path, steps[k].path);
      if (steps[i].to[0] != 0) found = found || clash(steps[i].to, steps[k].path);
      if (steps[k].to[0] != 0) found = found || clash(steps[i].path, steps[k].to);
      if (steps[i].to[0] != 0 && steps[k].to[0] != 0)
        found = found || clash(steps[i].to, steps[k].to);
    }
  }
  return found;
}

static void random_step(step *made, bool partial) {
  static const char *const ops[] = {"$set",  "$unset", "$inc",      "$mul", "$min",   "$max",
                                    "$push", "$pull",  "$addToSet", "$pop", "$rename"};
  memset(made, 0, sizeof *made);
  made->op = partial ? pick(4) == 0 ? "$unset" : "$set" : ops[pick(11)];
  random_path(made->path);
  if (strcmp(made->op, "$rename") == 0)
    random_path(made->to);
  else
    made->operand = random_operand(made->op);
}

static void write_patch(const step *steps, unsigned count, bool partial, ld_buf *patch) {
  ld_write_map(patch, count);
  for (unsigned i = 0; i < count; i++) {
    if (!partial) ld_write_text(patch, steps[i].op);
    if (!partial) ld_write_map(patch, 1);
    ld_write_text(patch, steps[i].path);
    if (partial && strcmp(steps[i].op, "$unset") == 0)
      ld_buf_add(patch, LD_PATCH_REMOVE);
    else if (steps[i].to[0] != 0)
      ld_write_text(patch, steps[i].to);
    else
      write(steps[i].operand, patch);
  }
}

static void evaluate(node *document, const step *steps, unsigned count) {
  for (unsigned i = 0; i < count && !failed; i++) {
    char path[16];
    memcpy(path, steps[i].path, sizeof path);
    if (steps[i].to[0] != 0)
      rename_field(document, steps[i].path, steps[i].to);
    else
      change(document, steps[i].op, path, steps[i].operand, true);
  }
}

static unsigned applied, refused;

static void compare_with(node *document, ld_slice bytes, ld_slice patch, const step *steps,
                         unsigned count) {
  ld_buf out = {0}, expected = {0};
  ld_error error = {0};
  ld_rc rc = ld_patch_check(patch, &error);
  CHECK_RC(clashes(steps, count) ? LD_INVALID : LD_OK, rc);
  if (rc == LD_OK) {
    evaluate(document, steps, count);
    rc = ld_patch_apply(bytes, patch, &out, &error);
    write(document, &expected);
    CHECK_RC(failed ? LD_INVALID : LD_OK, rc);
    CHECK(failed ? out.size == 0 : ld_equal(ld_buf_slice(&out), ld_buf_slice(&expected)));
    *(failed ? &refused : &applied) += 1;
  }
  ld_buf_clear(&out);
  ld_buf_clear(&expected);
}

static void play(void) {
  ld_buf bytes = {0}, patch = {0};
  step steps[3];
  node *document;
  bool partial = pick(3) == 0;
  unsigned count = 1 + pick(3);
  used = 0;
  document = new_node(LD_MAP);
  for (unsigned i = 0; i < 3; i++)
    if (pick(3) > 0) append(document, names[i], random_value(3));
  for (unsigned i = 0; i < count; i++) random_step(&steps[i], partial);
  write(document, &bytes);
  write_patch(steps, count, partial, &patch);
  failed = false;
  compare_with(document, ld_buf_slice(&bytes), ld_buf_slice(&patch), steps, count);
  ld_buf_clear(&bytes);
  ld_buf_clear(&patch);
}

int main(void) {
  const char *given = getenv("LARDER_SEED");
  uint64_t first = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
  fprintf(stderr, "LARDER_SEED=%llu\n", (unsigned long long)first);
  seed = first;
  for (unsigned round = 0; round < ROUNDS; round++) play();
  CHECK(applied > ROUNDS / 4 && refused > ROUNDS / 20);
  return check_done("patch_random");
}
