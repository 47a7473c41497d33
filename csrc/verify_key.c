/* verify_key.c -- keys, read and named.
**
** Of a space, the shape of its keys; `s` a string that is a name (1 to LD_PART_MAX bytes), `t` any string, `n` a number of the sequence, `i` an id, `*` any number of
** parts of maps' keys, `.` whatever follows. */
#include "verify_run.h"

static const char *const shapes[] = {
    [LD_SPACE_STORE] = "s",     [LD_SPACE_ROOM] = "s",       [LD_SPACE_RATING] = "nt",
    [LD_SPACE_PROGRESS] = "nt", [LD_SPACE_COLLECTION] = "s", [LD_SPACE_DOCUMENT] = "si",
    [LD_SPACE_COUNT] = "s",     [LD_SPACE_INDEX] = "n.",     [LD_SPACE_MAP] = "s*",
};

static const char *shape_of(uint8_t space) {
  return space < sizeof shapes / sizeof *shapes ? shapes[space] : NULL;
}

static bool fits(char shape, const ld_part *part) {
  bool string = part->kind == LD_PART_STRING && part->bytes.size <= LD_PART_MAX;
  bool integer = part->kind == LD_PART_INT;
  switch (shape) {
  case 's': return string && part->bytes.size > 0;
  case 't': return string;
  case 'n': return integer && part->integer > 0;
  case 'i': return integer || (string && part->bytes.size > 0);
  case '*': return integer || string;
  default: return false;
  }
}

static void note_first(verify_key *read, const ld_part *part, ld_slice key, ld_slice rest) {
  read->own = key.size - rest.size;
  if (part->kind == LD_PART_INT && part->integer > 0) read->number = part->integer;
  if (part->kind == LD_PART_STRING) read->name = part->bytes;
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
    if (shape != NULL && !fits(*shape, &part)) read->sound = false;
    if (shape != NULL && *shape != '\0' && *shape != '*') shape++;
  }
  if (rc == LD_NOMEM) return ld_fail(&v->txn->engine->error, rc, "verify: out of memory");
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
