/* verify_key.c -- keys, read and named.
**
** Of a space, the shape of its keys; `s` a string that is a name (1 to LD_PART_MAX bytes), `t` any string, `n` a number of the sequence, `i` an id, `*` any number of
** parts of maps' keys, `k` a kind of rows of queues or caches, whose shape follows, `z` any integer, `?` anything, `.` whatever follows. */
#include "cache_row.h"
#include "queue_row.h"
#include "verify_run.h"

static const char *const shapes[] = {
    [LD_SPACE_STORE] = "s",      [LD_SPACE_ROOM] = "s",       [LD_SPACE_RATING] = "nt",
    [LD_SPACE_PROGRESS] = "nt",  [LD_SPACE_COLLECTION] = "s", [LD_SPACE_DOCUMENT] = "si",
    [LD_SPACE_COUNT] = "s",      [LD_SPACE_INDEX] = "n.",     [LD_SPACE_MAP] = "s*",
    [LD_SPACE_QUEUE] = "s",      [LD_SPACE_JOB] = "nk",       [LD_SPACE_CACHE] = "s",
    [LD_SPACE_CACHE_ROW] = "nk",
};

/* Behind the number of a queue or a cache and the kind. */
typedef struct kind_shape {
  const char *shape, *name; /* the last part follows the name */
} kind_shape;

static const kind_shape job_shapes[] = {
    [QUEUE_CLAIM] = {"n", "claim of job"},
    [QUEUE_READY] = {"zzn", "place of ready job"},
    [QUEUE_LANE] = {"n", "job"},
    [QUEUE_JOB] = {"n", "job"},
    [QUEUE_DELAYED] = {"zn", "place of delayed job"},
    [QUEUE_FINISHED] = {"zzn", "place of finished job"},
    [QUEUE_KEY] = {"s", "key"},
    [QUEUE_WINDOW] = {"zt", "window of a key, hash"},
    [QUEUE_SCHEDULE] = {"s", "schedule"},
    [QUEUE_GROUP] = {"z?", "group"},
    [QUEUE_GROUPED] = {"z?zzn", "place of ready job"},
    [QUEUE_WAKE] = {"zz?", "waking of group"},
};

static const kind_shape cache_shapes[] = {
    [LD_CACHE_ENTRY] = {"s", "entry"},
    [LD_CACHE_DATA] = {"n", "value"},
    [LD_CACHE_STATE] = {"", "settings"},
    [LD_CACHE_QUEUE] = {"zz", "place in the order"},
    [LD_CACHE_EXPIRY] = {"zn", "expiry of value"},
    [LD_CACHE_GHOST] = {"s", "hash of a key that has gone"},
    [LD_CACHE_GHOSTS] = {"n", "place of a key that has gone"},
    [LD_CACHE_FILE_ROW] = {"s", "file"},
    [LD_CACHE_TRASH] = {"s", "file to be deleted"},
    [LD_CACHE_LEASE] = {"s", "lease of key"},
    [LD_CACHE_BAD] = {"n", "damaged value"},
};

/* NULL: it is no kind. */
static const kind_shape *shape_of_kind(uint8_t space, int64_t kind) {
  bool cache = space == LD_SPACE_CACHE_ROW;
  if (kind < (cache ? LD_CACHE_ENTRY : QUEUE_CLAIM)) return NULL;
  if (kind > (cache ? LD_CACHE_BAD : QUEUE_WAKE)) return NULL;
  return cache ? &cache_shapes[kind] : &job_shapes[kind];
}

static const char *shape_of(uint8_t space) {
  return space < sizeof shapes / sizeof *shapes ? shapes[space] : NULL;
}

static bool fits(char shape, uint8_t space, const ld_part *part) {
  bool string = part->kind == LD_PART_STRING && part->bytes.size <= LD_PART_MAX;
  bool integer = part->kind == LD_PART_INT;
  switch (shape) {
  case 's': return string && part->bytes.size > 0;
  case 't': return string;
  case 'n': return integer && part->integer > 0;
  case 'i': return integer || (string && part->bytes.size > 0);
  case '*': return integer || string;
  case 'k': return integer && shape_of_kind(space, part->integer) != NULL;
  case 'z': return integer;
  case '?': return true;
  default: return false;
  }
}

static void note_first(verify_key *read, const ld_part *part, ld_slice key, ld_slice rest) {
  read->own = key.size - rest.size;
  if (part->kind == LD_PART_INT && part->integer > 0) read->number = part->integer;
  if (part->kind == LD_PART_STRING) read->name = part->bytes;
}

static const char *next_shape(const char *shape, verify_key *read) {
  if (shape == NULL || *shape == '\0' || *shape == '*') return shape;
  if (*shape != 'k' || !read->sound) return shape + 1;
  read->kind = read->last.integer;
  return shape_of_kind(read->space, read->kind)->shape;
}

ld_rc verify_key_read(verify *v, ld_slice key, verify_key *read) {
  const char *shape = shape_of(key.data[0]);
  ld_slice rest = ld_bytes(key.data + 1, key.size - 1);
  ld_part part;
  ld_rc rc = LD_OK;
  *read = (verify_key){.space = key.data[0], .sound = shape != NULL};
  for (; shape == NULL || *shape != '.'; read->parts++) {
    rc = ld_tuple_next(&rest, &part, read->parts == 0 ? &v->first : &v->last);
    if (rc != LD_OK) break;
    if (read->parts == 0) note_first(read, &part, key, rest);
    read->last = part;
    if (shape != NULL && !fits(*shape, read->space, &part)) read->sound = false;
    shape = next_shape(shape, read);
  }
  if (rc == LD_NOMEM) return ld_fail(ld_error_of(v->txn), rc, "verify: out of memory");
  bool ended = shape != NULL && (*shape == '\0' || *shape == '*' || *shape == '.');
  if (rc == LD_CORRUPT || !ended) read->sound = false;
  return LD_OK;
}

/* ---- names ---- */

void verify_part_name(const ld_part *part, ld_buf *text) {
  ld_quoted quoted;
  switch (part->kind) {
  case LD_PART_STRING: ld_buf_printf(text, "%s", ld_quote(part->bytes, quoted)); break;
  case LD_PART_INT: ld_buf_printf(text, "%lld", (long long)part->integer); break;
  case LD_PART_FLOAT: ld_buf_printf(text, "%g", part->number); break;
  case LD_PART_BOOL: ld_buf_printf(text, "%s", part->truth ? "true" : "false"); break;
  default: ld_buf_printf(text, "null");
  }
}

static void name_map_key(ld_slice name, ld_slice rest, ld_buf *text) {
  ld_buf scratch = {0};
  ld_part part;
  ld_quoted quoted;
  const char *before = "key {";
  while (text->size < 300 && ld_tuple_next(&rest, &part, &scratch) == LD_OK) {
    ld_buf_printf(text, "%s", before);
    verify_part_name(&part, text);
    before = ", ";
  }
  ld_buf_printf(text, "%s} of map %s", rest.size > 0 ? ", ..." : "", ld_quote(name, quoted));
  ld_buf_clear(&scratch);
}

/* `job 7 of queue number 3` */
static void name_numbered(const verify_key *key, ld_buf *text) {
  const kind_shape *of = shape_of_kind(key->space, key->kind);
  ld_buf_printf(text, "%s ", of->name);
  if (*of->shape != '\0') verify_part_name(&key->last, text);
  ld_buf_printf(text, "%sof %s number %lld", *of->shape != '\0' ? " " : "",
                key->space == LD_SPACE_JOB ? "queue" : "cache", (long long)key->number);
}

static void name_sound(const verify_key *key, ld_slice bytes, ld_buf *text) {
  ld_quoted name;
  ld_quote(key->name, name);
  switch (key->space) {
  case LD_SPACE_STORE: ld_buf_printf(text, "row %s of the store", name); break;
  case LD_SPACE_ROOM: ld_buf_printf(text, "room %s", name); break;
  case LD_SPACE_COLLECTION: ld_buf_printf(text, "collection %s", name); break;
  case LD_SPACE_COUNT: ld_buf_printf(text, "count of collection %s", name); break;
  case LD_SPACE_INDEX:
    ld_buf_printf(text, "entry of index number %lld", (long long)key->number);
    break;
  case LD_SPACE_DOCUMENT:
    ld_buf_printf(text, "document ");
    verify_part_name(&key->last, text);
    ld_buf_printf(text, " of collection %s", name);
    break;
  case LD_SPACE_MAP:
    if (key->parts == 1)
      ld_buf_printf(text, "map %s", name);
    else
      name_map_key(key->name, ld_bytes(bytes.data + key->own, bytes.size - key->own), text);
    break;
  case LD_SPACE_QUEUE: ld_buf_printf(text, "queue %s", name); break;
  case LD_SPACE_JOB:
  case LD_SPACE_CACHE_ROW: name_numbered(key, text); break;
  case LD_SPACE_CACHE: ld_buf_printf(text, "cache %s", name); break;
  default:
    ld_buf_printf(text, "%s of ", key->space == LD_SPACE_RATING ? "ratings" : "progress");
    verify_part_name(&key->last, text);
    ld_buf_printf(text, " in room number %lld", (long long)key->number);
  }
}

void verify_key_name(const verify_key *key, ld_slice bytes, ld_buf *text) {
  ld_quoted quoted;
  if (key->sound)
    name_sound(key, bytes, text);
  else
    ld_buf_printf(text, "row %s", ld_quote(bytes, quoted));
}

const char *ld_verify_name(ld_slice key, ld_quoted name) {
  verify v = {.done = 0};
  ld_engine engine = {.ops = NULL};
  ld_txn txn = {.engine = &engine};
  ld_buf text = {0};
  verify_key read;
  v.txn = &txn;
  if (verify_key_read(&v, key, &read) == LD_OK) verify_key_name(&read, key, &text);
  size_t size = text.size < sizeof(ld_quoted) ? text.size : sizeof(ld_quoted) - 1;
  if (size > 0) memcpy(name, text.data, size);
  name[size] = '\0';
  ld_buf_clear(&text);
  ld_buf_clear(&v.first);
  ld_buf_clear(&v.last);
  return name;
}
