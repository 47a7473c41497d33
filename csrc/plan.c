/* plan.c -- choosing among the documents by id and the indexes.
**
** An index can be used when it is ready, has every document that the filter finds, and is bound by the filter or gives the order. Of several, the one with
** the fewest entries to read wins, counted up to a limit; where all have more, or there is nothing to count, the better one is that which gives the order of a query with
** a limit, then that which is bound, then that which gives the order, then that which binds more parts. */
#include "plan.h"

#include <stdio.h>
#include <math.h>
#include <stdlib.h>

enum { PROBE = 200, STREAM = 2000 };

typedef struct candidate {
  ld_plan plan;
  const char *reason; /* why it is not used; NULL: it can be */
  unsigned parts;     /* bound ones */
  uint64_t entries;   /* in its ranges, counted up to a limit */
} candidate;

typedef char outdated_reason[80];

void ld_plan_clear(ld_plan *plan) {
  ld_ranking_clear(&plan->ranges);
  ld_buf_clear(&plan->resume);
  ld_buf_clear(&plan->resume_group);
}

/* ---- what an index is good for ---- */

static unsigned count_bits(unsigned mask) {
  unsigned count = 0;
  for (; mask != 0; mask &= mask - 1) count++;
  return count;
}

static const char *find_fault(const candidate *made, const ld_find *find, const ld_bounds *bounds) {
  const ld_index *index = made->plan.index;
  if (index->filter != NULL && !ld_plan_implies(find->where, index->filter))
    return "it has only some documents, and the filter may find others";
  if (index->sparse && bounds->solid == 0)
    return "it has no documents that lack its fields, and the filter may find such";
  if (!made->plan.bounded && !made->plan.ordered)
    return "neither the filter nor the sort begins with its first field";
  if (!made->plan.bounded && find->limit < 0)
    return "it only gives the order, which is worth less than its way to each document without a "
           "limit";
  return NULL;
}

/* `outdated`: why none can be used; NULL: they can. */
static bool weigh(candidate *made, const ld_collection *collection, const ld_index *index,
                  const ld_find *find, const char *outdated) {
  ld_bounds bounds = {0, 0, 0};
  made->plan.index = index;
  made->reason = outdated;
  if (outdated != NULL) return true;
  if (!index->ready) {
    made->reason = "it is still being built";
    return true;
  }
  if (!ld_plan_ranges(&made->plan, find->where, &bounds) ||
      !ld_plan_order(&made->plan, collection, find, &bounds))
    return false;
  made->parts = count_bits(bounds.bound);
  made->reason = find_fault(made, find, &bounds);
  return true;
}

/* ---- counting ---- */

static ld_rc count_range(ld_cursor *cursor, ld_slice from, ld_slice to, uint64_t limit,
                         uint64_t *count) {
  ld_slice key, value;
  ld_rc rc = ld_cursor_seek(cursor,
                            ld_bytes(from.data, from.size < LD_KEY_KEPT ? from.size : LD_KEY_KEPT));
  while (rc == LD_OK && *count < limit) {
    rc = ld_cursor_current(cursor, &key, &value);
    if (rc != LD_OK || ld_compare(key, to) >= 0) break;
    ++*count;
    rc = ld_cursor_next(cursor);
  }
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* Long keys lie out of order and may be missed: it is an estimate. */
static ld_rc count_entries(ld_txn *txn, candidate *made, uint64_t limit) {
  ld_cursor *cursor;
  ld_rc rc = ld_cursor_open(txn, &cursor);
  if (rc != LD_OK) return rc;
  for (size_t i = 0; i < made->plan.ranges.count && rc == LD_OK && made->entries < limit; i++)
    rc = count_range(cursor, ld_ranked_key(&made->plan.ranges.entries[i]),
                     ld_ranked_payload(&made->plan.ranges.entries[i]), limit, &made->entries);
  ld_cursor_close(cursor);
  return rc;
}

/* ---- choosing ---- */

/* What candidates are weighed against. */
typedef struct weighing_scale {
  uint64_t limit; /* entries are counted up to here; fewer are few */
  bool
      first_only; /* the query wants the first so many: what gives the order need not be read to its end */
} weighing_scale;

/* Whether `a` is better than `b`; both can be used and have been counted. */
static bool is_better(const candidate *a, const candidate *b, const weighing_scale *scale) {
  bool few_a = a->plan.bounded && a->entries < scale->limit;
  bool few_b = b->plan.bounded && b->entries < scale->limit;
  if (few_a != few_b) return few_a;
  if (few_a && a->entries != b->entries) return a->entries < b->entries;
  if (scale->first_only && a->plan.ordered != b->plan.ordered) return a->plan.ordered;
  if (a->plan.bounded != b->plan.bounded) return a->plan.bounded;
  if (a->plan.ordered != b->plan.ordered) return a->plan.ordered;
  return a->parts > b->parts;
}

/* A stream of documents is read in order; an index that does not give it would be read whole for each page. */
static bool suits(const candidate *made, const ld_find *find, uint64_t limit) {
  if (made->reason != NULL) return false;
  return !find->streaming || find->sorts > 0 || made->plan.ordered || made->entries < limit;
}

/* Of n documents, m of which pass, an order is read to n / m * limit documents and an index that does not give it to m: the same where m is the root of
** n * limit. More than that many entries need not be counted. */
static ld_rc find_scale(ld_txn *txn, ld_collection *collection, const ld_find *find,
                        weighing_scale *scale) {
  uint64_t documents;
  *scale =
      (weighing_scale){.limit = find->streaming ? STREAM : PROBE, .first_only = find->limit >= 0};
  if (find->limit < 0 || find->streaming) return LD_OK;
  ld_rc rc = ld_collection_count(txn, collection, &documents);
  if (rc != LD_OK) return rc;
  uint64_t even = (uint64_t)sqrt((double)documents * (double)find->limit);
  if (even > scale->limit) scale->limit = even;
  return rc;
}

/* Counting is worth it where there are others, or a stream wants to know whether there are many. */
static bool is_counted(const candidate *made, const candidate *all, unsigned count,
                       const ld_find *find) {
  if (made->reason != NULL || !made->plan.bounded) return false;
  if (find->streaming) return true;
  for (unsigned i = 0; i < count; i++) {
    const candidate *other = &all[i];
    if (other == made || other->reason != NULL) continue;
    bool instead = find->limit >= 0 && other->plan.ordered && !made->plan.ordered;
    if (other->plan.bounded || instead) return true;
  }
  return false;
}

static ld_rc choose(ld_txn *txn, ld_collection *collection, const ld_find *find, candidate *all,
                    unsigned count, unsigned *chosen) {
  weighing_scale scale;
  ld_rc rc = find_scale(txn, collection, find, &scale);
  *chosen = 0;
  for (unsigned i = 0; i < count && rc == LD_OK; i++)
    if (is_counted(&all[i], all, count, find)) rc = count_entries(txn, &all[i], scale.limit);
  for (unsigned i = 1; i < count && rc == LD_OK; i++)
    if (suits(&all[i], find, scale.limit) && is_better(&all[i], &all[*chosen], &scale)) *chosen = i;
  return rc;
}

/* ---- telling ---- */

static const char *why_not(const candidate *made, const candidate *best) {
  if (made->reason != NULL) return made->reason;
  if (best->plan.bounded && !made->plan.bounded) return "the chosen one is narrowed by the filter";
  if (made->plan.bounded && !best->plan.bounded)
    return "it has so many entries that reading in order up to the limit is quicker";
  if (best->plan.bounded && best->entries < made->entries) return "it has more entries to read";
  if (best->plan.ordered && !made->plan.ordered) return "the chosen one gives the order";
  return "it is no better than the chosen one";
}

static const char *why(const candidate *made) {
  if (made->plan.bounded && made->plan.ordered)
    return "the filter narrows it down, and it gives the order";
  if (made->plan.bounded) return "the filter narrows it down";
  if (made->plan.index != NULL) return "it gives the order";
  return made->plan.ordered ? "no index is better than all documents in order of id"
                            : "no index helps: all documents are read";
}

static void tell(const candidate *made, const candidate *best, ld_buf *out) {
  ld_write_map(out, made->entries > 0 ? 4 : 3);
  ld_write_text(out, "index");
  if (made->plan.index == NULL)
    ld_write_bool(out, false);
  else
    ld_write_string(out, made->plan.index->name);
  ld_write_text(out, "chosen");
  ld_write_bool(out, made == best);
  ld_write_text(out, "reason");
  ld_write_text(out, made == best ? why(made) : why_not(made, best));
  if (made->entries == 0) return;
  ld_write_text(out, "entries");
  ld_write_int(out, (int64_t)made->entries);
}

/* ---- making ---- */

/* Entries are of documents as they are stored: those of older documents are not what a filter is about. */
static ld_rc find_outdated(ld_txn *txn, ld_collection *collection, outdated_reason text,
                           const char **outdated) {
  uint64_t older = 0;
  ld_rc rc = collection->current.count > 0 && ld_collection_version(collection) > 1
                 ? ld_collection_older(txn, collection, &older)
                 : LD_OK;
  snprintf(text, sizeof(outdated_reason), "%llu documents of older versions are not upgraded yet",
           (unsigned long long)older);
  *outdated = older > 0 ? text : NULL;
  return rc;
}

static ld_rc weigh_all(ld_txn *txn, const ld_collection *collection, const ld_find *find,
                       const char *outdated, candidate *all) {
  const ld_declaration *current = &collection->current;
  if (!ld_plan_id_ranges(&all[0].plan, collection, find->where) ||
      !ld_plan_id_order(&all[0].plan, collection, find))
    return ld_no_memory(txn, "find");
  for (unsigned i = 0; i < current->count; i++)
    if (!weigh(&all[i + 1], collection, &current->indexes[i], find, outdated))
      return ld_no_memory(txn, "find");
  return LD_OK;
}

ld_rc ld_plan_make(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_plan *plan,
                   ld_buf *candidates, unsigned *candidate_count) {
  unsigned count = collection->current.count + 1, chosen = 0;
  candidate *all = calloc(count, sizeof *all);
  if (all == NULL) return ld_no_memory(txn, "find");
  outdated_reason text;
  const char *outdated;
  ld_rc rc = find_outdated(txn, collection, text, &outdated);
  if (rc == LD_OK) rc = weigh_all(txn, collection, find, outdated, all);
  if (rc == LD_OK) rc = choose(txn, collection, find, all, count, &chosen);
  for (unsigned i = 0; i < count && rc == LD_OK && candidates != NULL; i++)
    tell(&all[i], &all[chosen], candidates);
  if (candidate_count != NULL) *candidate_count = count;
  if (rc == LD_OK) *plan = all[chosen].plan;
  for (unsigned i = 0; i < count; i++)
    if (rc != LD_OK || i != chosen) ld_plan_clear(&all[i].plan);
  free(all);
  return rc;
}
