/* index.c -- see index.h. */
#include "index.h"

#include <stdio.h>

#include "tuple.h"

enum { LOOSE = 0x00, NULL_TAG = 0x05 };

/* ---- keys ---- */

void ld_index_prefix(uint64_t number, ld_buf *key) {
  ld_buf_byte(key, LD_SPACE_INDEX);
  ld_tuple_int(key, (int64_t)number);
}

void ld_index_id(ld_slice id, ld_buf *key) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&id, &token);
  if (token.kind == LD_INT)
    ld_tuple_int(key, token.integer);
  else
    ld_tuple_string(key, token.bytes);
}

/* Whether something was cut off. */
static bool cut_off(const ld_index *index, ld_buf *key, size_t start) {
  if (index->unique || key->size - start <= LD_INDEX_KEPT) return false;
  key->size = start + LD_INDEX_KEPT;
  return true;
}

void ld_index_value(const ld_index *index, unsigned part, ld_slice value, ld_buf *key) {
  size_t start = key->size;
  ld_order_key(key, value, index->part[part].descending);
  cut_off(index, key, start);
}

ld_rc ld_index_delete(ld_txn *txn, uint64_t number) {
  uint8_t space[16];
  uint64_t count;
  ld_buf prefix = {.data = space, .capacity = sizeof space};
  ld_index_prefix(number, &prefix);
  return ld_row_del_prefix(txn, ld_buf_slice(&prefix), &count);
}

/* ---- the values of one part ---- */

/* Behind one another: size (4 bytes, as they lie in memory), order key. */
typedef struct part_values {
  const ld_index *index;
  bool descending;
  ld_buf bytes;
  uint64_t count;
  bool present;   /* some value is there, null too */
  bool truncated; /* some was cut off */
} part_values;

static bool add_value(void *context, ld_slice value, unsigned how) {
  static const uint8_t room[sizeof(uint32_t)];
  part_values *values = context;
  ld_buf *bytes = &values->bytes;
  ld_buf_add(bytes, ld_bytes(room, sizeof room));
  size_t start = bytes->size;
  ld_order_key_found(bytes, value, how, values->descending);
  if (bytes->failed) return false;
  if (cut_off(values->index, bytes, start)) values->truncated = true;
  uint32_t size = (uint32_t)(bytes->size - start);
  memcpy(bytes->data + start - sizeof size, &size, sizeof size);
  values->present = values->present || value.size > 0;
  values->count++;
  return true;
}

static ld_slice take_value(ld_slice *rest) {
  uint32_t size;
  memcpy(&size, rest->data, sizeof size);
  ld_slice value = ld_bytes(rest->data + sizeof size, size);
  *rest = ld_bytes(value.data + size, rest->size - sizeof size - size);
  return value;
}

/* Missing, null, an empty array: no second document is refused for them. */
static bool is_free(const part_values *values, ld_slice value) {
  uint8_t tag = values->descending ? (uint8_t)~value.data[0] : value.data[0];
  return tag <= NULL_TAG;
}

/* ---- the entries of one document in one index ---- */

typedef struct entry_writer {
  ld_entries *entries;
  ld_index *index;
  ld_slice id;
  part_values values[LD_INDEX_PARTS];
  ld_buf key;
  bool failed;
} entry_writer;

/* What the key goes with: whether it has to be the only one of its values. */
static bool add_entry(entry_writer *writer, bool enforced) {
  uint8_t flag = enforced;
  size_t before = writer->key.size;
  ld_index_id(writer->id, &writer->key);
  writer->entries->id_size = writer->key.size - before;
  return !writer->key.failed && ld_ranking_add(&writer->entries->keys, ld_buf_slice(&writer->key),
                                               ld_bytes(&flag, sizeof flag));
}

/* One entry for each choice of a value for each part from `part` on. */
static bool add_choices(entry_writer *writer, unsigned part, bool enforced) {
  if (part == writer->index->parts) return add_entry(writer, enforced);
  const part_values *values = &writer->values[part];
  size_t mark = writer->key.size;
  for (ld_slice rest = ld_buf_slice(&values->bytes); rest.size > 0;) {
    ld_slice value = take_value(&rest);
    writer->key.size = mark;
    ld_buf_add(&writer->key, value);
    if (!add_choices(writer, part + 1, enforced && !is_free(values, value))) return false;
  }
  return true;
}

static bool add_loose(entry_writer *writer) {
  ld_buf_byte(&writer->key, LOOSE);
  return add_entry(writer, false);
}

static void note_state(ld_entries *entries, bool *state) {
  entries->state_change = entries->state_change || !*state;
  *state = true;
}

static void note_multikey(ld_entries *entries, ld_index *index, unsigned part) {
  unsigned bit = 1u << part;
  entries->state_change = entries->state_change || (index->multikey & bit) == 0;
  index->multikey |= bit;
}

/* How many entries there will be; 0: the index does not have this document. */
static uint64_t find_values(entry_writer *writer, ld_slice document) {
  const ld_index *index = writer->index;
  uint64_t count = 1;
  bool present = false;
  for (unsigned i = 0; i < index->parts; i++) {
    part_values *values = &writer->values[i];
    values->index = index;
    values->descending = index->part[i].descending;
    ld_path_each_element(document, &index->part[i].path, add_value, values);
    present = present || values->present;
    writer->failed = writer->failed || values->bytes.failed;
    count = count > UINT32_MAX ? count : count * values->count;
  }
  return index->sparse && !present ? 0 : count;
}

static bool write_entries(entry_writer *writer, uint64_t count) {
  ld_index *index = writer->index;
  bool loose = count > LD_ENTRIES_MOST && !index->unique;
  ld_index_prefix(index->number, &writer->key);
  for (unsigned i = 0; i < index->parts; i++)
    if (writer->values[i].count > 1) note_multikey(writer->entries, index, i);
  if (loose) note_state(writer->entries, &index->loose);
  for (unsigned i = 0; i < index->parts; i++)
    if (writer->values[i].truncated) note_state(writer->entries, &index->truncated);
  return loose ? add_loose(writer) : add_choices(writer, 0, index->unique);
}

bool ld_entries_collect_one(ld_entries *entries, ld_index *index, ld_slice id, ld_slice document) {
  entry_writer writer = {.entries = entries, .index = index, .id = id};
  entries->keys.most = SIZE_MAX;
  if (document.size == 0) return true;
  if (index->filter != NULL && !ld_filter_match(index->filter, document)) return true;
  uint64_t count = find_values(&writer, document);
  bool fine = !writer.failed && (count == 0 || write_entries(&writer, count));
  for (unsigned i = 0; i < index->parts; i++) ld_buf_clear(&writer.values[i].bytes);
  ld_buf_clear(&writer.key);
  return fine;
}

bool ld_entries_collect(ld_entries *entries, ld_declaration *declaration, ld_slice id,
                        ld_slice document) {
  for (unsigned i = 0; i < declaration->count; i++)
    if (!ld_entries_collect_one(entries, &declaration->indexes[i], id, document)) return false;
  ld_ranking_sort(&entries->keys);
  return true;
}

void ld_entries_clear(ld_entries *entries) {
  ld_ranking_clear(&entries->keys);
  entries->state_change = false;
}

/* ---- writing ---- */

static const ld_index *index_of(const ld_declaration *declaration, ld_slice key) {
  for (unsigned i = 0; i < declaration->count; i++) {
    uint8_t space[16];
    ld_buf prefix = {.data = space, .capacity = sizeof space};
    ld_index_prefix(declaration->indexes[i].number, &prefix);
    if (ld_starts_with(key, ld_buf_slice(&prefix))) return &declaration->indexes[i];
  }
  return NULL;
}

const char *ld_quote_id(ld_slice id, ld_quoted out) {
  ld_token token = {.kind = LD_NIL};
  ld_value_next(&id, &token);
  if (token.kind != LD_INT) return ld_quote(token.bytes, out);
  snprintf(out, sizeof(ld_quoted), "%lld", (long long)token.integer);
  return out;
}

static ld_rc clash(ld_txn *txn, const ld_declaration *declaration, ld_slice key, ld_slice id,
                   ld_slice other) {
  ld_quoted quoted, here, there;
  const ld_index *index = index_of(declaration, key);
  return ld_fail(ld_error_of(txn), LD_EXISTS,
                 "unique index %s: documents %s and %s have the same value",
                 ld_quote(index == NULL ? LD_SLICE_NONE : index->name, quoted),
                 ld_quote_id(other, there), ld_quote_id(id, here));
}

/* No other document may have an entry of these values. */
static ld_rc check_unique(ld_txn *txn, const ld_declaration *declaration, ld_slice id, ld_slice key,
                          size_t id_size) {
  ld_scan scan;
  ld_row row;
  ld_slice values = ld_bytes(key.data, key.size - id_size);
  ld_rc rc = ld_scan_begin(&scan, txn, values, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = ld_scan_next(&scan, &row)) == LD_OK && ld_equal(row.payload, id)) continue;
  if (rc == LD_OK) rc = clash(txn, declaration, key, id, row.payload);
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* From the old entries of a document to its new ones. */
typedef struct entry_change {
  ld_txn *txn;
  const ld_declaration *declaration;
  ld_slice id;
  const ld_entries *old, *new;
} entry_change;

/* While an index is being built, an entry may not be there yet. */
static ld_rc delete_entry(ld_txn *txn, ld_slice key) {
  ld_rc rc = ld_row_del(txn, key);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc check_entry(const entry_change *change, const ld_ranked *entry) {
  bool enforced = ld_ranked_payload(entry).data[0] != 0;
  return enforced ? check_unique(change->txn, change->declaration, change->id, ld_ranked_key(entry),
                                 change->new->id_size)
                  : LD_OK;
}

/* What is in one of both only. */
static ld_rc each_difference(const entry_change *change, bool only_check) {
  const ld_ranked *a = change->old->keys.entries, *end_a = a + change->old->keys.count;
  const ld_ranked *b = change->new->keys.entries, *end_b = b + change->new->keys.count;
  ld_rc rc = LD_OK;
  while (rc == LD_OK && (a < end_a || b < end_b)) {
    int order = a == end_a ? 1 : b == end_b ? -1 : ld_compare(ld_ranked_key(a), ld_ranked_key(b));
    ld_slice key = ld_ranked_key(order <= 0 ? a : b);
    if (only_check && order > 0) rc = check_entry(change, b);
    if (!only_check && order < 0) rc = delete_entry(change->txn, key);
    if (!only_check && order > 0) rc = ld_row_put(change->txn, key, change->id);
    while (a < end_a && ld_equal(ld_ranked_key(a), key)) a++;
    while (b < end_b && ld_equal(ld_ranked_key(b), key)) b++;
  }
  return rc;
}

ld_rc ld_entries_write(ld_txn *txn, const ld_declaration *declaration, ld_slice id,
                       const ld_entries *old, const ld_entries *new) {
  const entry_change change = {txn, declaration, id, old, new};
  ld_rc rc = each_difference(&change, true);
  return rc == LD_OK ? each_difference(&change, false) : rc;
}
