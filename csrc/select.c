/* select.c -- parts of what was found: some fields of a document, the distinct values of a field. */
#include "find.h"
#include "order.h"
#include "ranking.h"

/* ---- fields ---- */

/* The paths that are wanted; a set of them is a mask. */
typedef struct wanted_paths {
  ld_path paths[LD_SELECT_MOST];
  unsigned count;
  ld_slice id; /* the field that always comes along */
} wanted_paths;

static void write_map(const wanted_paths *wanted, uint32_t mask, unsigned depth, ld_slice map,
                      ld_buf *out);

/* Of the paths in `mask`, those that go on with `key`; `*whole`: one of them ends with it. */
static uint32_t go_on(const wanted_paths *wanted, uint32_t mask, unsigned depth, ld_slice key,
                      bool *whole) {
  uint32_t below = 0;
  *whole = depth == 0 && ld_equal(key, wanted->id);
  for (unsigned i = 0; i < wanted->count; i++) {
    if ((mask >> i & 1) == 0 || !ld_equal(wanted->paths[i].parts[depth], key)) continue;
    if (depth + 1 == wanted->paths[i].count)
      *whole = true;
    else
      below |= UINT32_C(1) << i;
  }
  return below;
}

/* Of an array, its maps and arrays; scalars have no fields. */
static void write_below(const wanted_paths *wanted, uint32_t mask, unsigned depth, ld_slice value,
                        ld_buf *out) {
  ld_token head = {.kind = LD_NIL};
  ld_slice rest = value, element;
  ld_value_next(&rest, &head);
  if (head.kind != LD_ARRAY) {
    write_map(wanted, mask, depth, value, out);
    return;
  }
  size_t opened = ld_write_open(out), count = 0;
  for (uint32_t i = 0; i < head.count && ld_value_take(&rest, &element); i++) {
    ld_class class = ld_class_of(element);
    if (class != LD_CLASS_MAP && class != LD_CLASS_ARRAY) continue;
    write_below(wanted, mask, depth, element, out);
    count++;
  }
  ld_write_close(out, opened, LD_ARRAY, count);
}

static void write_map(const wanted_paths *wanted, uint32_t mask, unsigned depth, ld_slice map,
                      ld_buf *out) {
  ld_token head, key;
  ld_slice value;
  bool whole;
  size_t opened = ld_write_open(out), count = 0;
  ld_value_next(&map, &head);
  for (uint32_t i = 0; i < head.count; i++) {
    const uint8_t *start = map.data;
    if (!ld_value_next(&map, &key) || !ld_value_take(&map, &value)) break;
    if (!ld_is_string(&key)) continue;
    uint32_t below = go_on(wanted, mask, depth, key.bytes, &whole);
    ld_class class = ld_class_of(value);
    bool has_fields = class == LD_CLASS_MAP || class == LD_CLASS_ARRAY;
    if (!whole && (below == 0 || !has_fields)) continue;
    ld_buf_add(out, ld_bytes(start, (size_t)((whole ? map.data : value.data) - start)));
    if (!whole) write_below(wanted, below, depth + 1, value, out);
    count++;
  }
  ld_write_close(out, opened, LD_MAP, count);
}

static void select_fields(const ld_find *find, const ld_collection *collection, ld_slice document,
                          ld_buf *out) {
  wanted_paths wanted; /* it is large: only what is used of it is written */
  ld_token head = {.count = 0}, name;
  ld_slice rest = find->select;
  wanted.id = ld_collection_key(collection);
  wanted.count = 0;
  ld_value_next(&rest, &head);
  while (wanted.count < head.count && ld_value_next(&rest, &name)) {
    ld_path_parse(name.bytes, &wanted.paths[wanted.count], NULL);
    wanted.count++;
  }
  write_map(&wanted, UINT32_MAX, 0, document, out);
}

void ld_find_select(const ld_find *find, const ld_collection *collection, ld_slice document,
                    ld_buf *out) {
  if (find->select.size > 0)
    select_fields(find, collection, document, out);
  else
    ld_buf_add(out, document);
}

/* ---- distinct ---- */

typedef struct distinct_values {
  ld_path path;
  ld_buf key;
  ld_ranking values;
  bool failed;
} distinct_values;

static bool add_value(void *context, ld_slice value, unsigned how) {
  distinct_values *distinct = context;
  if (value.size == 0 || (how & LD_PATH_EMPTY) != 0) return true;
  ld_buf_reset(&distinct->key);
  ld_order_key(&distinct->key, value, false);
  if (distinct->key.failed ||
      !ld_ranking_add(&distinct->values, ld_buf_slice(&distinct->key), value))
    distinct->failed = true;
  return !distinct->failed;
}

static ld_rc add_document(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  distinct_values *distinct = context;
  (void)id, (void)revision;
  ld_path_each_element(document, &distinct->path, add_value, distinct);
  return distinct->failed ? LD_NOMEM : LD_OK;
}

static void write_distinct(ld_ranking *values, ld_buf *out) {
  size_t opened = ld_write_open(out), count = 0;
  ld_ranking_sort(values);
  for (size_t i = 0; i < values->count; i++) {
    const ld_ranked *entry = &values->entries[i];
    if (i > 0 && ld_equal(ld_ranked_key(entry), ld_ranked_key(entry - 1))) continue;
    ld_buf_add(out, ld_ranked_payload(entry));
    count++;
  }
  ld_write_close(out, opened, LD_ARRAY, count);
}

ld_rc ld_find_distinct(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_slice path,
                       ld_buf *values) {
  distinct_values distinct = {.values = {.most = SIZE_MAX}};
  ld_rc rc = ld_path_parse(path, &distinct.path, ld_error_of(txn));
  if (rc != LD_OK) return rc;
  rc = ld_find_run(txn, collection, find, add_document, &distinct, NULL, NULL);
  if (rc == LD_OK) write_distinct(&distinct.values, values);
  if (rc == LD_NOMEM || (rc == LD_OK && values->failed)) rc = ld_no_memory(txn, "distinct");
  ld_buf_clear(&distinct.key);
  ld_ranking_clear(&distinct.values);
  return rc;
}
