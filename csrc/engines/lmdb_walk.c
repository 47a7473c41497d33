/* lmdb_walk.c -- reads every page of an LMDB data file and tells each damage.
**
**   branch, leaf page:  header 16 | offsets u16, one a node, in key order | free space | nodes, in any order, without a gap
**   node:               data size u32 | flags u16 | key size u16 | key | data      (padded to an even size)
**   branch node:        the child's page number u48 in the place of size and flags, no data; the first node's key is not used
**   overflow data:      flag 1; the data is a page number u64; there a header and the bytes, over as many pages as it takes
**   free tree:          txnid u64 -> count u64, page numbers u64 descending
**
** Invariant: nothing is read from a page before its bounds were proved, and a damaged page's subtree is left out. */
#include "lmdb_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, NODE = 8, KEY_MAX = LD_KEY_MAX };
enum { BIG = 1, SUBTREE = 2, DUPLICATES = 4 }; /* node flags */
enum { PAGE_MAX = 32768 };

typedef struct tree {
  const char *name;
  const ld_lmdb_tree *said; /* by the meta page */
  bool is_free;
  uint64_t branch_pages, leaf_pages, overflow_pages, entries; /* found */
} tree;

typedef struct walker {
  ld_lmdb_walk *walk;
  const ld_lmdb_meta *meta;
  uint32_t page_size;
  uint64_t file_pages;  /* whole pages in the file */
  uint64_t state_pages; /* pages that `state` covers */
  uint64_t free_beyond; /* free pages behind the end of the file, where only they may be */
  bool has_own_record;  /* the free tree has a record of the newest commit */
  bool quiet;           /* look only, tell and mark nothing */
  bool quiet_damage;
  uint64_t quiet_id; /* the record that a quiet walk looks for */
  uint8_t *state;
  uint8_t *pages;                   /* DEPTH_MAX buffers */
  uint16_t node_size[PAGE_MAX / 2]; /* of the node that begins at 2 * index; 0: none */
  ld_buf value;                     /* the overflow data at hand */
  ld_error *error;
} walker;

static void LD_PRINTF(3, 4) damage(walker *w, ld_slice key, const char *format, ...) {
  char text[200];
  va_list arguments;
  if (w->quiet) {
    w->quiet_damage = true;
    return;
  }
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  w->walk->damages++;
  w->walk->finding(w->walk->context, key, text);
}

#define BAD(w, ...) (damage(w, LD_SLICE_NONE, __VA_ARGS__), false)
#define LLU(number) ((unsigned long long)(number))

static ld_rc unreadable(walker *w, uint64_t page) {
  return ld_fail(w->error, LD_IO, "page %llu cannot be read: %s", LLU(page), strerror(errno));
}

/* ---- pages ---- */

/* Note that `count` pages from `page` are used. false when one is out of range or in use already. */
static bool claim(walker *w, const tree *t, uint64_t page, uint64_t count) {
  uint64_t limit = w->meta->last_page < w->file_pages ? w->meta->last_page + 1 : w->file_pages;
  if (page < 2 || page >= limit || count > limit - page)
    return BAD(w, "%s tree: page %llu is used, but pages go from 2 to %llu", t->name,
               LLU(page + count - 1), LLU(limit - 1));
  if (w->quiet) return true;
  for (uint64_t i = page; i < page + count; i++) {
    if (w->state[i] == LD_LMDB_USED)
      return BAD(w, "%s tree: page %llu is used twice", t->name, LLU(i));
    if (w->state[i] == LD_LMDB_FREE)
      return BAD(w, "%s tree: page %llu is used, and free as well", t->name, LLU(i));
    w->state[i] = LD_LMDB_USED;
  }
  return true;
}

static void release(walker *w, uint64_t page) {
  if (page < 2 || page > w->meta->last_page) {
    damage(w, LD_SLICE_NONE, "free list: page %llu is free, but pages go from 2 to %llu", LLU(page),
           LLU(w->meta->last_page));
  } else if (page >= w->state_pages) {
    w->free_beyond++;
  } else if (w->state[page] != LD_LMDB_UNSEEN) {
    damage(w, LD_SLICE_NONE, "free list: page %llu is free %s", LLU(page),
           w->state[page] == LD_LMDB_USED ? "and used as well" : "twice");
  } else {
    w->state[page] = LD_LMDB_FREE;
  }
}

static ld_rc read_page(walker *w, uint64_t page, size_t size, uint8_t *bytes, bool *whole) {
  size_t got;
  if (!ld_lmdb_pread(w->walk->fd, bytes, size, page * w->page_size, &got))
    return unreadable(w, page);
  *whole = got == size;
  return LD_OK;
}

static unsigned count_nodes(const uint8_t *page) {
  return (unsigned)(ld_lmdb_u16(page + 12) - LD_LMDB_HEADER) / 2;
}

static const uint8_t *node_at(const uint8_t *page, unsigned i) {
  return page + ld_lmdb_u16(page + LD_LMDB_HEADER + 2 * (size_t)i);
}

static ld_slice node_key(const uint8_t *node) {
  return ld_bytes(node + NODE, ld_lmdb_u16(node + 6));
}

static uint16_t node_flags(const uint8_t *node) { return ld_lmdb_u16(node + 4); }

static uint64_t node_child(const uint8_t *node) {
  return ld_lmdb_u32(node) | (uint64_t)node_flags(node) << 32;
}

static bool check_header(walker *w, const tree *t, uint64_t number, unsigned level,
                         const uint8_t *page) {
  uint16_t flags = ld_lmdb_u16(page + 10);
  uint16_t expected = level + 1u == t->said->depth ? LD_LMDB_LEAF : LD_LMDB_BRANCH;
  uint16_t lower = ld_lmdb_u16(page + 12), upper = ld_lmdb_u16(page + 14);
  unsigned least = expected == LD_LMDB_BRANCH && !t->is_free ? 2 : 1;
  if (ld_lmdb_u64(page) != number)
    return BAD(w, "%s tree: page %llu says that it is page %llu", t->name, LLU(number),
               LLU(ld_lmdb_u64(page)));
  if (flags != expected)
    return BAD(w, "%s tree: page %llu has flags 0x%x, expected 0x%x at depth %u", t->name,
               LLU(number), flags, expected, level + 1);
  if (lower < LD_LMDB_HEADER || lower % 2 != 0 || upper % 2 != 0 || lower > upper ||
      upper > w->page_size || count_nodes(page) < least)
    return BAD(w, "%s tree: page %llu has impossible bounds %u and %u", t->name, LLU(number), lower,
               upper);
  return true;
}

/* The bytes a node takes; 0 when it reaches over the page's end. */
static size_t measure_node(const walker *w, const uint8_t *page, size_t offset, bool leaf) {
  if (offset + NODE > w->page_size) return 0;
  const uint8_t *node = page + offset;
  uint64_t size = NODE + (uint64_t)ld_lmdb_u16(node + 6);
  if (leaf) size += (node_flags(node) & BIG) != 0 ? 8 : ld_lmdb_u32(node);
  size += size % 2;
  return offset + size <= w->page_size ? (size_t)size : 0;
}

/* Whether the nodes fill the space from `upper` to the page's end, each byte once. */
static bool check_packing(walker *w, const tree *t, uint64_t number, const uint8_t *page) {
  uint16_t upper = ld_lmdb_u16(page + 14);
  unsigned count = count_nodes(page), seen = 0;
  memset(w->node_size, 0, w->page_size);
  for (unsigned i = 0; i < count; i++) {
    size_t offset = ld_lmdb_u16(page + LD_LMDB_HEADER + 2 * (size_t)i);
    size_t size = offset < upper || offset % 2 != 0
                      ? 0
                      : measure_node(w, page, offset, ld_lmdb_u16(page + 10) == LD_LMDB_LEAF);
    if (size == 0 || w->node_size[offset / 2] != 0)
      return BAD(w, "%s tree: page %llu: node %u lies outside its place", t->name, LLU(number), i);
    w->node_size[offset / 2] = (uint16_t)size;
  }
  for (size_t at = upper; at < w->page_size && w->node_size[at / 2] != 0; seen++)
    at += w->node_size[at / 2];
  size_t filled = upper;
  for (unsigned i = 0; i < count; i++)
    filled += w->node_size[ld_lmdb_u16(page + LD_LMDB_HEADER + 2 * (size_t)i) / 2];
  if (seen == count && filled == w->page_size) return true;
  return BAD(w, "%s tree: page %llu: its nodes overlap or leave gaps", t->name, LLU(number));
}

static int compare_keys(const tree *t, ld_slice a, ld_slice b) {
  if (!t->is_free) return ld_compare(a, b);
  uint64_t x = ld_lmdb_u64(a.data), y = ld_lmdb_u64(b.data);
  return x < y ? -1 : x > y;
}

/* Whether the keys ascend from `low` (included) to `high` (not included); empty is no bound.
** The first key of a branch page is not used. */
static bool check_keys(walker *w, const tree *t, uint64_t number, const uint8_t *page, ld_slice low,
                       ld_slice high) {
  bool leaf = ld_lmdb_u16(page + 10) == LD_LMDB_LEAF;
  for (unsigned i = leaf ? 0 : 1; i < count_nodes(page); i++) {
    ld_slice key = node_key(node_at(page, i));
    if (t->is_free ? key.size != 8 : key.size == 0 || key.size > KEY_MAX)
      return BAD(w, "%s tree: page %llu: the key of node %u has %zu bytes", t->name, LLU(number), i,
                 key.size);
    int with_low = low.size == 0 ? 1 : compare_keys(t, key, low);
    bool at_low = leaf && i == 0; /* a bound from above, which its first row may equal */
    if (with_low < 0 || (with_low == 0 && !at_low) ||
        (high.size > 0 && compare_keys(t, key, high) >= 0))
      return BAD(w, "%s tree: page %llu: the key of node %u is out of order", t->name, LLU(number),
                 i);
    low = key;
  }
  return true;
}

/* ---- data ---- */

/* Read overflow data into w->value. false when it is damaged, and told. */
static ld_rc read_overflow(walker *w, tree *t, ld_slice key, uint64_t page, uint32_t size,
                           bool *sound) {
  uint8_t header[LD_LMDB_HEADER];
  uint64_t least = (LD_LMDB_HEADER - 1 + (uint64_t)size) / w->page_size + 1;
  ld_rc rc;
  *sound = false;
  if (page >= w->file_pages)
    return damage(w, key, "overflow page %llu is behind the end of the file", LLU(page)), LD_OK;
  if ((rc = read_page(w, page, sizeof header, header, sound)) != LD_OK || !*sound) return rc;
  uint64_t count = ld_lmdb_u32(header + 12);
  *sound =
      ld_lmdb_u64(header) == page && ld_lmdb_u16(header + 10) == LD_LMDB_OVERFLOW && count >= least;
  if (!*sound)
    return damage(w, key, "%s tree: page %llu is not the overflow page expected there", t->name,
                  LLU(page)),
           LD_OK;
  if (!(*sound = claim(w, t, page, count))) return LD_OK;
  t->overflow_pages += count;
  ld_buf_reset(&w->value);
  if (!ld_buf_reserve(&w->value, (size_t)size + 1))
    return ld_fail(w->error, LD_NOMEM, "check: out of memory");
  size_t got;
  if (!ld_lmdb_pread(w->walk->fd, w->value.data, size, page * w->page_size + LD_LMDB_HEADER, &got))
    return unreadable(w, page);
  w->value.size = size;
  if (got != size) *sound = BAD(w, "%s tree: overflow page %llu is cut off", t->name, LLU(page));
  return LD_OK;
}

/* A record of the free tree: its pages become free. */
static void visit_record(walker *w, ld_slice key, ld_slice data) {
  uint64_t id = ld_lmdb_u64(key.data), count, last = UINT64_MAX;
  if (w->quiet) {
    w->has_own_record |= id == w->quiet_id;
    return;
  }
  w->has_own_record |= id == w->meta->txnid;
  if (id == 0 || id > w->meta->txnid)
    damage(w, LD_SLICE_NONE, "free list: has a record of commit %llu, the newest is %llu", LLU(id),
           LLU(w->meta->txnid));
  if (data.size < 8 || data.size % 8 != 0 || (count = ld_lmdb_u64(data.data)) > data.size / 8 - 1) {
    damage(w, LD_SLICE_NONE, "free list: the record of commit %llu has an impossible size",
           LLU(id));
    return;
  }
  for (uint64_t i = 1; i <= count; i++) {
    uint64_t page = ld_lmdb_u64(data.data + 8 * i);
    if (page >= last)
      damage(w, LD_SLICE_NONE, "free list: the record of commit %llu does not descend", LLU(id));
    release(w, page);
    last = page;
  }
}

static void visit_row(walker *w, ld_slice key, ld_slice value) {
  ld_lmdb_walk *walk = w->walk;
  if (walk->check_row == NULL || walk->check_row(key, value)) {
    walk->sound++;
    return;
  }
  walk->unsound++;
  walk->finding(walk->context, key, "the row's checksum differs: its key or value is damaged");
  if (walk->first_key.size > 0 && walk->check_row(walk->first_key, value))
    walk->has_first_key = true; /* it is there, its key is damaged */
}

static ld_rc visit_node(walker *w, tree *t, uint64_t number, const uint8_t *node) {
  ld_slice key = node_key(node);
  uint32_t size = ld_lmdb_u32(node);
  uint16_t flags = node_flags(node);
  bool sound = true;
  t->entries++;
  if (!t->is_free && key.size > 0 && ld_equal(key, w->walk->first_key))
    w->walk->has_first_key = true;
  if ((flags & ~(BIG | SUBTREE | DUPLICATES)) != 0 || (t->is_free && flags > BIG)) {
    damage(w, key, "%s tree: page %llu: a node has unknown flags 0x%x", t->name, LLU(number),
           flags);
    return LD_OK;
  }
  if (flags > BIG) {
    w->walk->strange++;
    return LD_OK;
  }
  ld_slice data = ld_bytes(key.data + key.size, size);
  if (flags == BIG) {
    ld_rc rc = read_overflow(w, t, key, ld_lmdb_u64(key.data + key.size), size, &sound);
    if (rc != LD_OK) return rc;
    data = ld_buf_slice(&w->value);
  }
  if (sound && t->is_free) visit_record(w, key, data);
  if (sound && !t->is_free) visit_row(w, key, data);
  return LD_OK;
}

/* ---- trees ---- */

/* What was told since `before` leaves rows between these keys in doubt. */
static void tell_hole(walker *w, const tree *t, uint64_t before, ld_slice low, ld_slice high) {
  if (t->is_free || w->quiet) return;
  w->walk->located += w->walk->damages - before;
  if (w->walk->hole != NULL) w->walk->hole(w->walk->context, low, high);
}

static bool is_sound(walker *w, const tree *t, uint64_t number, unsigned level, bool whole,
                     ld_slice low, ld_slice high) {
  const uint8_t *page = w->pages + (size_t)level * w->page_size;
  if (!whole) return BAD(w, "%s tree: page %llu is cut off", t->name, LLU(number));
  return check_header(w, t, number, level, page) && check_packing(w, t, number, page) &&
         check_keys(w, t, number, page, low, high);
}

/* A row in doubt may have any key between its neighbours'. */
static ld_rc visit_leaf_node(walker *w, tree *t, uint64_t number, const uint8_t *page, unsigned i,
                             ld_slice low, ld_slice high) {
  uint64_t before = w->walk->damages, unsound = w->walk->unsound;
  ld_rc rc = visit_node(w, t, number, node_at(page, i));
  if (before != w->walk->damages || unsound != w->walk->unsound)
    tell_hole(w, t, before, i == 0 ? low : node_key(node_at(page, i - 1)), high);
  return rc;
}

static ld_rc visit_page(walker *w, tree *t, uint64_t number, unsigned level, ld_slice low,
                        ld_slice high) {
  uint8_t *page = w->pages + (size_t)level * w->page_size;
  uint64_t before = w->walk->damages;
  bool whole = false, sound = claim(w, t, number, 1);
  ld_rc rc = sound ? read_page(w, number, w->page_size, page, &whole) : LD_OK;
  if (rc != LD_OK) return rc;
  sound = sound && is_sound(w, t, number, level, whole, low, high);
  if (!sound) return tell_hole(w, t, before, low, high), LD_OK;
  bool leaf = level + 1u == t->said->depth;
  unsigned count = count_nodes(page);
  *(leaf ? &t->leaf_pages : &t->branch_pages) += 1;
  for (unsigned i = 0; i < count && rc == LD_OK; i++) {
    const uint8_t *node = node_at(page, i);
    ld_slice from = i == 0 ? low : node_key(node);
    ld_slice to = i + 1 == count ? high : node_key(node_at(page, i + 1));
    rc = leaf ? visit_leaf_node(w, t, number, page, i, low, to)
              : visit_page(w, t, node_child(node), level + 1, from, to);
  }
  return rc;
}

static void check_count(walker *w, const tree *t, const char *what, uint64_t found, uint64_t said) {
  if (found != said)
    damage(w, LD_SLICE_NONE, "%s tree: found %llu %s, the meta page says %llu", t->name, LLU(found),
           what, LLU(said));
}

static ld_rc visit_tree(walker *w, tree *t) {
  const ld_lmdb_tree *said = t->said;
  uint64_t before = w->walk->damages;
  ld_rc rc = LD_OK;
  if ((said->root == LD_LMDB_NO_PAGE) != (said->depth == 0) || said->depth > DEPTH_MAX) {
    damage(w, LD_SLICE_NONE, "%s tree: has depth %u and root page %llu", t->name, said->depth,
           LLU(said->root));
    return LD_OK;
  }
  if (said->depth > 0) rc = visit_page(w, t, said->root, 0, LD_SLICE_NONE, LD_SLICE_NONE);
  if (rc != LD_OK || w->walk->damages != before) return rc;
  check_count(w, t, "branch pages", t->branch_pages, said->branch_pages);
  check_count(w, t, "leaf pages", t->leaf_pages, said->leaf_pages);
  check_count(w, t, "overflow pages", t->overflow_pages, said->overflow_pages);
  if (w->walk->strange == 0) check_count(w, t, "entries", t->entries, said->entries);
  return LD_OK;
}

/* ---- the commit as a whole ---- */

/* A commit that changes a tree frees its old root, so it leaves a record of its own in the free tree. Where that is missing,
** the older meta page poses as the newer one: a flipped bit in its number. */
static void check_own_record(walker *w, const ld_lmdb_metas *metas) {
  const ld_lmdb_meta *old = &metas->older, *new = &metas->newest;
  bool moved = (old->main.root != LD_LMDB_NO_PAGE && old->main.root != new->main.root) ||
               (old->free.root != LD_LMDB_NO_PAGE && old->free.root != new->free.root);
  if (moved && !w->has_own_record && w->walk->damages == 0)
    damage(w, LD_SLICE_NONE,
           "the free list knows nothing of the newest commit %llu: a meta page has a wrong number",
           LLU(new->txnid));
}

/* The older meta page must not hold a commit newer than both: that is the newest one, with a flipped bit in its number.
** A failed write of a meta page looks just so. */
static ld_rc check_older(walker *w, const ld_lmdb_metas *metas) {
  const ld_lmdb_meta *old = &metas->older;
  tree t = {.name = "older free", .said = &old->free, .is_free = true};
  if (old->txnid == 0 && metas->newest.txnid == 0) return LD_OK;
  if (old->txnid + 2 == w->walk->failed_commit) return LD_OK;
  w->meta = old;
  w->quiet = true;
  w->quiet_id = old->txnid + 2;
  w->has_own_record = false;
  ld_rc rc = visit_tree(w, &t);
  w->quiet = false;
  w->meta = &metas->newest;
  if (rc == LD_OK && !w->quiet_damage && w->has_own_record)
    damage(w, LD_SLICE_NONE, "meta page %llu says commit %llu, but holds commit %llu",
           LLU(old->txnid % 2), LLU(old->txnid), LLU(old->txnid + 2));
  return rc;
}

static void check_end(walker *w) {
  uint64_t pages = w->meta->last_page + 1;
  if (pages > w->file_pages && w->free_beyond != pages - w->file_pages && w->walk->damages == 0)
    damage(w, LD_SLICE_NONE, "the file is cut off: it has %llu pages, the meta page says %llu",
           LLU(w->file_pages), LLU(pages));
}

static ld_rc visit_all(walker *w, const ld_lmdb_metas *metas) {
  const ld_lmdb_meta *meta = &metas->newest;
  tree main = {.name = "main", .said = &meta->main};
  tree list = {.name = "free", .said = &meta->free, .is_free = true};
  if (meta->main.flags != 0) w->walk->strange++;
  if ((meta->free.flags & ~0x4001u) != 8)
    damage(w, LD_SLICE_NONE, "free tree: has flags 0x%x", meta->free.flags);
  ld_rc rc = visit_tree(w, &list);
  if (rc == LD_OK) check_own_record(w, metas);
  if (rc == LD_OK && w->walk->damages == 0) check_end(w);
  if (rc == LD_OK && w->walk->damages == 0) rc = check_older(w, metas);
  return rc == LD_OK ? visit_tree(w, &main) : rc;
}

ld_rc ld_lmdb_walk_run(ld_lmdb_walk *walk, const ld_lmdb_metas *metas, ld_error *error) {
  const ld_lmdb_meta *meta = &metas->newest;
  walker *w = calloc(1, sizeof *w);
  ld_rc rc = LD_NOMEM;
  if (w == NULL) return ld_fail(error, LD_NOMEM, "check: out of memory");
  *w = (walker){.walk = walk, .meta = meta, .page_size = meta->page_size, .error = error};
  w->file_pages = metas->file_size / meta->page_size;
  w->state_pages = meta->last_page < w->file_pages ? meta->last_page + 1 : w->file_pages;
  w->state = calloc(w->state_pages, 1);
  w->pages = malloc((size_t)DEPTH_MAX * meta->page_size);
  if (w->state == NULL || w->pages == NULL) {
    ld_fail(error, LD_NOMEM, "check: out of memory");
  } else {
    rc = visit_all(w, metas);
  }
  if (rc == LD_OK && walk->keep_pages) {
    walk->pages = w->state;
    walk->page_count = w->state_pages;
    w->state = NULL;
  }
  ld_buf_clear(&w->value);
  free(w->pages);
  free(w->state);
  free(w);
  return rc;
}
