/* find_run.c -- running a query.
**
** Where the plan gives the order, documents go out as they come. Else each is ranked by its sort key (without a sort: its id), and no more of them are
** kept than offset and limit ask for. */
#include "find.h"
#include "walk.h"

/* ---- sort keys ---- */

/* The smallest of the keys of the values at a path. */
typedef struct least_key {
  ld_buf *key;
  size_t start; /* of this part, in the key */
  bool descending, any;
} least_key;

static void keep_smaller(least_key *least, size_t candidate) {
  ld_buf *key = least->key;
  if (key->failed) return;
  ld_slice old = ld_bytes(key->data + least->start, candidate - least->start);
  ld_slice new = ld_bytes(key->data + candidate, key->size - candidate);
  if (!least->any || ld_compare(new, old) < 0) {
    size_t size = new.size;
    memmove(key->data + least->start, new.data, size);
    key->size = least->start + size;
  } else {
    key->size = candidate;
  }
  least->any = true;
}

static bool add_value(void *context, ld_slice value, unsigned how) {
  least_key *least = context;
  size_t candidate = least->key->size;
  ld_order_key_found(least->key, value, how, least->descending);
  keep_smaller(least, candidate);
  return true;
}

/* The values of the sort, and the id. */
static void write_sort_key(const ld_find *find, ld_slice id, ld_slice document, ld_buf *key) {
  ld_buf_reset(key);
  for (unsigned i = 0; i < find->sorts; i++) {
    least_key least = {.key = key, .start = key->size, .descending = find->sort[i].descending};
    ld_path_each_element(document, &find->sort[i].path, add_value, &least);
  }
  ld_index_id(id, key);
}

/* Where a cursor goes on behind: the sort key, or without a sort the id as a value. */
static void write_place(const ld_find *find, ld_slice id, ld_slice document, ld_buf *place) {
  if (find->sorts > 0) {
    write_sort_key(find, id, document, place);
    return;
  }
  ld_buf_reset(place);
  ld_buf_add(place, id);
}

/* ---- running ---- */

typedef struct find_run {
  ld_txn *txn;
  ld_collection *collection;
  const ld_find *find;
  ld_document_visit visit;
  void *context;
  ld_buf *cursor;
  ld_find_report *report;
  uint64_t skipped, shown;
  ld_buf key;  /* of the document at hand */
  ld_buf last; /* the place of the last one that the limit allows */
  ld_ranking ranking;
} find_run;

static bool matches(const find_run *run, ld_slice document) {
  return run->find->where == NULL || ld_filter_match(run->find->where, document);
}

/* The plan gives the order. */
static ld_rc show_next(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  find_run *run = context;
  const ld_find *find = run->find;
  if (!matches(run, document)) return LD_OK;
  if (id.size == 0) id = ld_collection_find_id(run->collection, document);
  if (run->skipped < find->offset) {
    run->skipped++;
    return LD_OK;
  }
  if (find->limit >= 0 && run->shown == (uint64_t)find->limit) {
    if (run->cursor != NULL) ld_find_cursor(find, ld_buf_slice(&run->last), run->cursor);
    return LD_NOTFOUND;
  }
  run->shown++;
  if (run->cursor != NULL && run->shown == (uint64_t)find->limit)
    write_place(find, id, document, &run->last);
  bool ends = run->cursor == NULL && run->shown == (uint64_t)find->limit;
  ld_rc rc = run->last.failed ? ld_no_memory(run->txn, "find")
                              : ld_collection_admit(run->txn, run->collection, id);
  if (rc == LD_OK) rc = run->visit(run->context, id, document, revision);
  return rc == LD_OK && ends ? LD_NOTFOUND : rc;
}

static ld_rc rank_next(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  find_run *run = context;
  (void)revision;
  if (!matches(run, document)) return LD_OK;
  if (id.size == 0) id = ld_collection_find_id(run->collection, document);
  write_sort_key(run->find, id, document, &run->key);
  if (run->key.failed) return ld_no_memory(run->txn, "find");
  ld_slice after = ld_buf_slice(&run->last), key = ld_buf_slice(&run->key);
  if (after.size > 0 && ld_compare(key, after) <= 0) return LD_OK;
  return ld_ranking_add(&run->ranking, key, id) ? LD_OK : ld_no_memory(run->txn, "find");
}

static void end_ranked(find_run *run, const ld_ranked *last) {
  bool sorts = run->find->sorts > 0;
  if (run->cursor != NULL)
    ld_find_cursor(run->find, sorts ? ld_ranked_key(last) : ld_ranked_payload(last), run->cursor);
}

static ld_rc show_ranked(find_run *run) {
  const ld_find *find = run->find;
  ld_slice document;
  uint64_t revision;
  ld_rc rc = LD_OK;
  ld_ranking_sort(&run->ranking);
  for (size_t i = find->offset < SIZE_MAX ? (size_t)find->offset : SIZE_MAX;
       i < run->ranking.count && rc == LD_OK; i++) {
    const ld_ranked *entry = &run->ranking.entries[i];
    if (find->limit >= 0 && run->shown == (uint64_t)find->limit) {
      end_ranked(run, entry - 1);
      break;
    }
    rc = ld_collection_get(run->txn, run->collection, ld_ranked_payload(entry), &document,
                           &revision);
    if (rc == LD_OK) rc = run->visit(run->context, ld_ranked_payload(entry), document, revision);
    run->shown++;
  }
  return rc;
}

/* One more than is shown tells whether there is more. */
static size_t most_ranked(const ld_find *find) {
  const uint64_t high = SIZE_MAX / 2;
  if (find->limit < 0 || find->offset > high || (uint64_t)find->limit > high) return SIZE_MAX;
  return (size_t)find->offset + (size_t)find->limit + 1;
}

/* The cursor, as keys of the ranking are. */
static ld_rc place_ranking(find_run *run) {
  ld_slice after = ld_buf_slice(&run->find->after);
  if (after.size > 0 && run->find->sorts == 0)
    ld_index_id(after, &run->last);
  else
    ld_buf_add(&run->last, after);
  return run->last.failed ? ld_no_memory(run->txn, "find") : LD_OK;
}

static void report_plan(ld_find_report *report, const ld_plan *plan) {
  report->index = plan->index == NULL ? LD_SLICE_NONE : plan->index->name;
  report->ordered = plan->ordered;
  report->reverse = plan->reverse;
}

static ld_rc run_plan(find_run *run, const ld_plan *plan) {
  ld_find_report none = {.index = LD_SLICE_NONE}, *report = run->report;
  ld_walk_counts counts = {0, 0};
  ld_rc rc = LD_OK;
  if (report == NULL) report = &none;
  if (plan->ordered) {
    rc = ld_walk(run->txn, run->collection, plan, show_next, run, &counts);
  } else {
    rc = place_ranking(run);
    if (rc == LD_OK) rc = ld_walk(run->txn, run->collection, plan, rank_next, run, &counts);
    if (rc == LD_OK) rc = show_ranked(run);
  }
  report->keys = counts.keys;
  report->documents = counts.documents;
  report->returned = run->shown;
  return rc;
}

ld_rc ld_find_run(ld_txn *txn, ld_collection *collection, const ld_find *find,
                  ld_document_visit visit, void *context, ld_buf *cursor, ld_find_report *report) {
  find_run run = {.txn = txn,
                  .collection = collection,
                  .find = find,
                  .visit = visit,
                  .context = context,
                  .cursor = cursor,
                  .report = report,
                  .ranking = {.most = most_ranked(find)}};
  ld_plan plan = {.index = NULL};
  if (find->limit == 0 && report == NULL) return LD_OK;
  ld_rc rc = ld_plan_make(txn, collection, find, &plan, report == NULL ? NULL : &report->candidates,
                          report == NULL ? NULL : &report->candidate_count);
  if (rc == LD_OK && report != NULL) report_plan(report, &plan);
  if (rc == LD_OK && find->limit != 0) rc = run_plan(&run, &plan);
  if (rc == LD_OK && cursor != NULL && cursor->failed) rc = ld_no_memory(txn, "find");
  ld_plan_clear(&plan);
  ld_buf_clear(&run.key);
  ld_buf_clear(&run.last);
  ld_ranking_clear(&run.ranking);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
