/* plan_order.c -- whether an index gives the order that a query wants.
**
** It does when the parts that are not bound to one value are the fields of the sort, one for one, all in the declared directions or all turned around;
** no document may have several values there. Documents of equal values come by id, ascending, either way: so the sort may go on with the id. A cursor is a sort key: value by value it becomes the place in
** the index where the walk goes on. */
#include "plan.h"
#include "tuple.h"

/* How the parts of an index and the fields of a sort go together. */
typedef struct order_match {
  const ld_plan *plan;
  const ld_find *find;
  const ld_bounds *bounds;
  const ld_path *id;
  int sort_of
      [LD_INDEX_PARTS]; /* the field of the sort that a part is; -1: it is bound to one value */
  bool decided, reverse;
} order_match;

static bool is_constant(const order_match *match, unsigned part) {
  const ld_index *index = match->plan->index;
  return (match->bounds->fixed & match->bounds->solid & ~index->multikey) >> part & 1;
}

/* A field that is bound to one value by some part sorts nothing. */
static bool is_idle(const order_match *match, const ld_path *path) {
  const ld_index *index = match->plan->index;
  for (unsigned i = 0; i < index->parts; i++)
    if (is_constant(match, i) && ld_path_equal(&index->part[i].path, path)) return true;
  return false;
}

static unsigned skip_idle(const order_match *match, unsigned sort) {
  while (sort < match->find->sorts && is_idle(match, &match->find->sort[sort].path)) sort++;
  return sort;
}

static bool match_part(order_match *match, unsigned part, unsigned sort) {
  const ld_index *index = match->plan->index;
  if (sort >= match->find->sorts) return false;
  const ld_sort_part *wanted = &match->find->sort[sort];
  bool turned = wanted->descending != index->part[part].descending;
  if (!ld_path_equal(&index->part[part].path, &wanted->path)) return false;
  if ((index->multikey >> part & 1) != 0 || (match->decided && turned != match->reverse))
    return false;
  match->decided = true;
  match->reverse = turned;
  match->sort_of[part] = (int)sort;
  return true;
}

/* What follows the id sorts nothing. */
static bool is_rest_by_id(const order_match *match, unsigned sort) {
  const ld_find *find = match->find;
  if (sort == find->sorts) return true;
  return !find->sort[sort].descending && ld_path_equal(&find->sort[sort].path, match->id);
}

static bool match_all(order_match *match) {
  const ld_index *index = match->plan->index;
  unsigned sort = skip_idle(match, 0);
  for (unsigned i = 0; i < index->parts; i++) {
    match->sort_of[i] = -1;
    if ((match->bounds->fixed >> i & 1) != 0) continue;
    if (!match_part(match, i, sort)) return false;
    sort = skip_idle(match, sort + 1);
  }
  return is_rest_by_id(match, sort);
}

/* ---- going on behind a cursor ---- */

/* The bytes of each field in a sort key, and then of the id. False: it is none. */
static bool split_cursor(const ld_find *find, ld_slice *pieces) {
  ld_slice rest = ld_buf_slice(&find->after);
  for (unsigned i = 0; i < find->sorts; i++) {
    size_t size = ld_order_key_size(rest, find->sort[i].descending);
    if (size == 0) return false;
    pieces[i] = ld_bytes(rest.data, size);
    rest = ld_bytes(rest.data + size, rest.size - size);
  }
  pieces[find->sorts] = rest;
  return rest.size > 0;
}

static void add_piece(ld_buf *key, ld_slice piece, bool turned) {
  size_t start = key->size;
  ld_buf_add(key, piece);
  for (size_t i = start; turned && i < key->size; i++) key->data[i] = (uint8_t)~key->data[i];
}

/* The place in the index, without the id. What is bound to one value is so in all ranges, and taken from the first. */
static void write_place(const order_match *match, const ld_slice *pieces, ld_buf *key) {
  const ld_index *index = match->plan->index;
  ld_slice bound = ld_ranked_key(&match->plan->ranges.entries[0]);
  ld_index_prefix(index->number, key);
  bound = ld_bytes(bound.data + key->size, bound.size - key->size);
  for (unsigned i = 0; i < index->parts; i++) {
    size_t size = ld_order_key_size(bound, index->part[i].descending);
    if (match->sort_of[i] >= 0)
      add_piece(key, pieces[match->sort_of[i]], match->reverse);
    else
      ld_buf_add(key, ld_bytes(bound.data, size));
    bound = size == 0 ? LD_SLICE_NONE : ld_bytes(bound.data + size, bound.size - size);
  }
}

/* Keep what is from `from` up to `to` (empty: no end). */
static bool clip(ld_plan *plan, ld_slice from, ld_slice to) {
  ld_ranking clipped = {.most = SIZE_MAX};
  bool fine = true;
  for (size_t i = 0; i < plan->ranges.count && fine; i++) {
    ld_slice low = ld_ranked_key(&plan->ranges.entries[i]);
    ld_slice high = ld_ranked_payload(&plan->ranges.entries[i]);
    if (from.size > 0 && ld_compare(low, from) < 0) low = from;
    if (to.size > 0 && ld_compare(high, to) > 0) high = to;
    if (ld_compare(low, high) < 0) fine = ld_ranking_add(&clipped, low, high);
  }
  ld_ranking_clear(&plan->ranges);
  plan->ranges = clipped;
  return fine;
}

/* Go on behind `id` among the entries that begin with `place`. */
static bool go_on(ld_plan *plan, ld_buf *place, ld_slice id) {
  if (plan->reverse) ld_buf_add(&plan->resume_group, ld_buf_slice(place));
  ld_buf *next = plan->reverse ? &plan->resume : place;
  if (plan->reverse) ld_buf_add(next, ld_buf_slice(place));
  ld_buf_add(next, id);
  ld_buf_byte(next, 0);
  if (next->failed || place->failed || plan->resume_group.failed) return false;
  return plan->reverse ? clip(plan, LD_SLICE_NONE, ld_buf_slice(place))
                       : clip(plan, ld_buf_slice(place), LD_SLICE_NONE);
}

static bool go_on_behind(ld_plan *plan, const order_match *match) {
  ld_slice pieces[LD_SORT_PARTS + 1];
  ld_buf place = {0}, id = {0};
  const ld_find *find = match->find;
  if (find->sorts == 0) {
    ld_index_id(ld_buf_slice(&find->after), &id);
    pieces[0] = ld_buf_slice(&id);
  } else if (!split_cursor(find, pieces)) {
    plan->ordered = false;
    return true;
  }
  write_place(match, pieces, &place);
  bool fine = !id.failed && go_on(plan, &place, pieces[find->sorts]);
  ld_buf_clear(&place);
  ld_buf_clear(&id);
  return fine;
}

bool ld_plan_order(ld_plan *plan, const ld_collection *collection, const ld_find *find,
                   const ld_bounds *bounds) {
  ld_path id = {.parts = {ld_collection_key(collection)}, .count = 1};
  order_match match = {.plan = plan, .find = find, .bounds = bounds, .id = &id};
  const ld_index *index = plan->index;
  unsigned all = (1u << index->parts) - 1;
  plan->once = index->multikey == 0 || bounds->fixed == all;
  if (index->truncated || index->loose || plan->ranges.count == 0) return true;
  if (!match_all(&match)) return true;
  plan->ordered = true;
  plan->reverse = match.reverse;
  return find->after.size == 0 || go_on_behind(plan, &match);
}

/* ---- ids ---- */

/* By id, when nothing else is wanted, or the id first: what follows sorts nothing. */
bool ld_plan_id_order(ld_plan *plan, const ld_collection *collection, const ld_find *find) {
  ld_path path = {.parts = {ld_collection_key(collection)}, .count = 1};
  ld_slice pieces[LD_SORT_PARTS + 1];
  ld_buf key = {0};
  plan->once = true;
  plan->ordered = find->sorts == 0 || ld_path_equal(&find->sort[0].path, &path);
  plan->reverse = plan->ordered && find->sorts > 0 && find->sort[0].descending;
  if (!plan->ordered || find->after.size == 0) return true;
  ld_buf_byte(&key, LD_SPACE_DOCUMENT);
  ld_tuple_string(&key, ld_buf_slice(&collection->name));
  if (find->sorts == 0)
    ld_index_id(ld_buf_slice(&find->after), &key);
  else if (split_cursor(find, pieces))
    ld_buf_add(&key, pieces[find->sorts]);
  if (!plan->reverse) ld_buf_byte(&key, 0);
  bool fine = !key.failed && (plan->reverse ? clip(plan, LD_SLICE_NONE, ld_buf_slice(&key))
                                            : clip(plan, ld_buf_slice(&key), LD_SLICE_NONE));
  ld_buf_clear(&key);
  plan->bounded = true;
  return fine;
}
