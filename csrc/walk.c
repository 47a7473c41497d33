/* walk.c -- see walk.h. Documents by id are rows of their own; an index's entries lead to them. */
#include "walk.h"

#include "seen.h"
#include "span.h"

/* A document of more entries is remembered when it is met; of fewer, they are looked at again for each. */
enum { FEW_ENTRIES = LD_ENTRIES_MOST < 64 ? 2 : 32 };

typedef struct walk {
  ld_txn *txn;
  ld_collection *collection;
  const ld_plan *plan;
  ld_document_visit visit;
  void *context;
  ld_walk_counts *counts;
  ld_seen *seen; /* of many entries */
} walk;

static ld_error *error_of(const walk *run) { return ld_error_of(run->txn); }

/* ---- documents ---- */

static ld_rc visit_row(const walk *run, const ld_row *row) {
  ld_slice document;
  run->counts->documents++;
  ld_rc rc = ld_collection_read(run->txn, run->collection, row->payload, &document);
  if (rc != LD_OK) return rc;
  return run->visit(run->context, LD_SLICE_NONE, document, row->revision);
}

static ld_rc visit_id(const walk *run, ld_slice id) {
  ld_slice document;
  uint64_t revision;
  ld_rc rc = ld_collection_peek(run->txn, run->collection, id, &document, &revision);
  if (rc == LD_NOTFOUND) {
    ld_quoted quoted;
    return ld_fail(error_of(run), LD_CORRUPT,
                   "index %s: names a document that is not there; drop it and declare it anew",
                   ld_quote(run->plan->index->name, quoted));
  }
  run->counts->documents++;
  return rc == LD_OK ? run->visit(run->context, id, document, revision) : rc;
}

/* ---- entries ---- */

static bool is_within(const ld_plan *plan, ld_slice key) {
  for (size_t i = 0; i < plan->ranges.count; i++)
    if (ld_compare(key, ld_ranked_key(&plan->ranges.entries[i])) >= 0 &&
        ld_compare(key, ld_ranked_payload(&plan->ranges.entries[i])) < 0)
      return true;
  return false;
}

/* Whether of the document's entries in the ranges this is the first. */
static ld_rc is_first(const walk *run, const ld_row *entry, bool *first) {
  ld_index index = *run->plan->index;
  ld_entries entries = {.id_size = 0};
  ld_slice document;
  uint64_t revision;
  *first = !ld_seen_has(run->seen, entry->payload);
  if (!*first) return LD_OK;
  ld_rc rc = ld_collection_peek(run->txn, run->collection, entry->payload, &document, &revision);
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  if (!ld_entries_collect_one(&entries, &index, entry->payload, document))
    rc = ld_fail(error_of(run), LD_NOMEM, "find: out of memory");
  ld_ranking_sort(&entries.keys);
  for (size_t i = 0; i < entries.keys.count && rc == LD_OK; i++) {
    ld_slice key = ld_ranked_key(&entries.keys.entries[i]);
    if (!is_within(run->plan, key)) continue;
    *first = ld_equal(key, entry->key);
    break;
  }
  if (rc == LD_OK && entries.keys.count > FEW_ENTRIES && !ld_seen_add(run->seen, entry->payload))
    rc = ld_fail(error_of(run), LD_NOMEM, "find: out of memory");
  ld_entries_clear(&entries);
  return rc;
}

static ld_rc visit_entry(const walk *run, const ld_row *entry) {
  bool first = true;
  run->counts->keys++;
  ld_rc rc = run->plan->once ? LD_OK : is_first(run, entry, &first);
  if (rc != LD_OK || !first) return rc;
  return visit_id(run, entry->payload);
}

/* ---- ranges ---- */

static ld_rc walk_range(const walk *run, ld_slice from, ld_slice to, bool reverse) {
  ld_span span;
  ld_row row;
  ld_rc rc = ld_span_begin(&span, run->txn, from, to, reverse);
  if (rc != LD_OK) return rc;
  bool ended = false; /* by the visitor */
  while (!ended && (rc = ld_span_next(&span, &row)) == LD_OK) {
    rc = run->plan->index == NULL ? visit_row(run, &row) : visit_entry(run, &row);
    ended = rc != LD_OK;
  }
  ld_span_end(&span);
  return rc == LD_NOTFOUND && !ended ? LD_OK : rc;
}

/* What the last entry of a range begins with: all but its id. NOTFOUND: there is none. */
static ld_rc find_group(const walk *run, ld_slice from, ld_slice to, ld_buf *group) {
  ld_span span;
  ld_row row;
  ld_buf id = {0};
  ld_rc rc = ld_span_begin(&span, run->txn, from, to, true);
  if (rc != LD_OK) return rc;
  rc = ld_span_next(&span, &row);
  if (rc == LD_OK) {
    ld_index_id(row.payload, &id);
    ld_buf_reset(group);
    ld_buf_add(group, ld_bytes(row.key.data, row.key.size - id.size));
    if (id.failed || group->failed) rc = ld_fail(error_of(run), LD_NOMEM, "find: out of memory");
  }
  ld_span_end(&span);
  ld_buf_clear(&id);
  return rc;
}

/* Entries that begin with the group, from `from` on. */
static ld_rc walk_group(const walk *run, ld_slice group, ld_slice from) {
  ld_buf behind = {0};
  ld_buf_add(&behind, group);
  ld_plan_behind(&behind);
  ld_rc rc = behind.failed ? ld_fail(error_of(run), LD_NOMEM, "find: out of memory")
                           : walk_range(run, from, ld_buf_slice(&behind), false);
  ld_buf_clear(&behind);
  return rc;
}

/* From the greatest values to the smallest, ids of equal values ascending. */
static ld_rc walk_back(const walk *run, ld_slice from, ld_slice to) {
  ld_buf group = {0}, end = {0};
  ld_rc rc = LD_OK, found;
  ld_buf_add(&end, to);
  while (rc == LD_OK) {
    found = end.failed ? LD_NOMEM : find_group(run, from, ld_buf_slice(&end), &group);
    if (found != LD_OK) {
      rc = found == LD_NOTFOUND ? LD_OK : found;
      break;
    }
    rc = walk_group(run, ld_buf_slice(&group), ld_buf_slice(&group));
    ld_buf_reset(&end);
    ld_buf_add(&end, ld_buf_slice(&group));
  }
  ld_buf_clear(&group);
  ld_buf_clear(&end);
  return rc;
}

static ld_rc walk_ranges(const walk *run) {
  const ld_ranking *ranges = &run->plan->ranges;
  bool back = run->plan->reverse;
  ld_rc rc = LD_OK;
  for (size_t i = 0; i < ranges->count && rc == LD_OK; i++) {
    const ld_ranked *range = &ranges->entries[back ? ranges->count - 1 - i : i];
    ld_slice from = ld_ranked_key(range), to = ld_ranked_payload(range);
    rc = back && run->plan->index != NULL ? walk_back(run, from, to)
                                          : walk_range(run, from, to, back);
  }
  return rc;
}

/* Documents with too many entries are looked at in each search. */
static ld_rc walk_loose(const walk *run) {
  uint8_t from_space[16], to_space[16];
  ld_buf from = {.data = from_space, .capacity = sizeof from_space};
  ld_buf to = {.data = to_space, .capacity = sizeof to_space};
  ld_index_prefix(run->plan->index->number, &from);
  ld_buf_add(&to, ld_buf_slice(&from));
  ld_buf_byte(&from, 0x00);
  ld_buf_byte(&to, 0x01);
  return walk_range(run, ld_buf_slice(&from), ld_buf_slice(&to), false);
}

ld_rc ld_walk(ld_txn *txn, ld_collection *collection, const ld_plan *plan, ld_document_visit visit,
              void *context, ld_walk_counts *counts) {
  ld_seen seen = {.count = 0};
  const walk run = {txn, collection, plan, visit, context, counts, &seen};
  ld_rc rc = LD_OK;
  if (plan->index != NULL && plan->index->loose && plan->ranges.count > 0) rc = walk_loose(&run);
  if (rc == LD_OK && plan->resume_group.size > 0)
    rc = walk_group(&run, ld_buf_slice(&plan->resume_group), ld_buf_slice(&plan->resume));
  if (rc == LD_OK) rc = walk_ranges(&run);
  ld_seen_clear(&seen);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
