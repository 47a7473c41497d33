/* span.c -- rows from one key up to another, in the order of their whole keys.
**
** The engine's order differs from that of whole keys only among rows that share LD_KEY_KEPT bytes, their head. So where the cursor meets a
** row that has as many, all rows of its head are looked at, the first LD_SPAN_KEYS that are wanted are noted in order, and these come next;
** then the rest of them, and then the cursor goes on behind the head (reverse: before it). */
#include "span.h"

static ld_slice head_of(ld_slice key) {
  return ld_bytes(key.data, key.size < LD_KEY_KEPT ? key.size : LD_KEY_KEPT);
}

/* Whether `a` comes before `b` on the way. */
static bool is_before(const ld_span *span, ld_slice a, ld_slice b) {
  int order = ld_compare(a, b);
  return span->reverse ? order > 0 : order < 0;
}

/* ---- rows that share a head ---- */

static bool is_wanted(const ld_span *span, ld_slice key) {
  if (ld_compare(key, span->from) < 0 || ld_compare(key, span->to) >= 0) return false;
  return span->last.size == 0 || is_before(span, ld_buf_slice(&span->last), key);
}

/* Put a key in its place among those that are noted; the last of too many falls out. */
static bool note(ld_span *span, ld_slice key) {
  unsigned place = span->count, end = span->count;
  while (place > 0 && is_before(span, key, ld_buf_slice(&span->keys[place - 1]))) place--;
  if (place == LD_SPAN_KEYS) return true;
  if (end == LD_SPAN_KEYS) end--;
  if (end == span->made) span->keys[span->made++] = (ld_buf){0};
  ld_buf moved = span->keys[end];
  memmove(span->keys + place + 1, span->keys + place, (end - place) * sizeof moved);
  span->keys[place] = moved;
  span->count = end + 1;
  ld_buf_reset(&span->keys[place]);
  ld_buf_add(&span->keys[place], key);
  return !span->keys[place].failed;
}

static ld_rc note_all(ld_span *span) {
  ld_slice head = ld_bytes(span->head, LD_KEY_KEPT);
  ld_row row;
  ld_rc rc = ld_cursor_seek(span->cursor, head);
  while (rc == LD_OK) {
    rc = ld_row_current(span->cursor, &row);
    if (rc != LD_OK || !ld_starts_with(row.key, head)) break;
    if (is_wanted(span, row.key) && !note(span, row.key))
      return ld_fail(ld_error_of(span->cursor->txn), LD_NOMEM, "out of memory");
    rc = ld_cursor_next(span->cursor);
  }
  span->placed = rc == LD_OK;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* Note the next page, and place the cursor for the way behind the head. */
static ld_rc turn_page(ld_span *span) {
  if (span->more) {
    ld_buf last = span->last;
    span->last = span->keys[LD_SPAN_KEYS - 1];
    span->keys[LD_SPAN_KEYS - 1] = last;
  }
  span->count = span->at = 0;
  ld_rc rc = note_all(span);
  if (rc != LD_OK) return rc;
  span->more = span->count == LD_SPAN_KEYS;
  if (!span->reverse) return LD_OK;
  span->placed = false;
  rc = ld_cursor_seek(span->cursor, ld_bytes(span->head, LD_KEY_KEPT));
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc enter(ld_span *span, ld_slice key) {
  memcpy(span->head, key.data, LD_KEY_KEPT);
  ld_buf_reset(&span->last);
  span->more = false;
  return turn_page(span);
}

/* ---- the way ---- */

ld_rc ld_span_begin(ld_span *span, ld_txn *txn, ld_slice from, ld_slice to, bool reverse) {
  ld_slice start = reverse ? to : from;
  memset(span, 0, offsetof(ld_span, head));
  span->from = from;
  span->to = to;
  span->reverse = reverse;
  ld_rc rc = ld_cursor_open(txn, &span->cursor);
  if (rc != LD_OK) return rc;
  if (reverse && start.size > LD_KEY_KEPT) {
    rc = enter(span, start);
  } else {
    rc = ld_cursor_seek(span->cursor, head_of(start));
    span->placed = !reverse && rc == LD_OK;
  }
  if (rc == LD_OK || rc == LD_NOTFOUND) return LD_OK;
  ld_span_end(span);
  return rc;
}

static ld_rc step(ld_span *span, ld_row *row) {
  if (span->placed) {
    span->placed = false;
    ld_rc rc = ld_row_current(span->cursor, row);
    if (rc != LD_NOTFOUND) return rc; /* else it was deleted meanwhile */
  }
  ld_rc rc = span->reverse ? ld_cursor_prev(span->cursor) : ld_cursor_next(span->cursor);
  return rc == LD_OK ? ld_row_current(span->cursor, row) : rc;
}

/* Whether this row and all that follow are beyond the end. */
static bool is_beyond(const ld_span *span, ld_slice key) {
  if (span->reverse) return ld_compare(head_of(key), head_of(span->from)) < 0;
  return ld_compare(head_of(key), span->to) >= 0;
}

ld_rc ld_span_next(ld_span *span, ld_row *row) {
  for (;;) {
    ld_rc rc;
    if (span->at < span->count) {
      rc = ld_row_get(span->cursor->txn, ld_buf_slice(&span->keys[span->at++]), row);
      if (rc != LD_NOTFOUND) return rc;
    } else if (span->more) {
      rc = turn_page(span);
    } else {
      rc = step(span, row);
      if (rc == LD_OK && is_beyond(span, row->key)) rc = LD_NOTFOUND;
      if (rc == LD_OK && row->key.size < LD_KEY_KEPT) return rc;
      if (rc == LD_OK) rc = enter(span, row->key);
      if (rc != LD_OK) return rc;
    }
    if (rc != LD_OK && rc != LD_NOTFOUND) return rc;
  }
}

void ld_span_end(ld_span *span) {
  for (unsigned i = 0; i < span->made; i++) ld_buf_clear(&span->keys[i]);
  ld_buf_clear(&span->last);
  ld_cursor_close(span->cursor);
  span->cursor = NULL;
}

/* ---- delete ---- */

static ld_rc delete_each(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count) {
  ld_span span;
  ld_row row;
  uint64_t deleted = 0;
  ld_rc rc = ld_span_begin(&span, txn, from, to, false);
  if (rc != LD_OK) return rc;
  while ((rc = ld_span_next(&span, &row)) == LD_OK) {
    rc = ld_row_del(txn, row.key);
    if (rc != LD_OK) break;
    deleted++;
  }
  ld_span_end(&span);
  if (rc != LD_NOTFOUND) return rc;
  *count = deleted;
  return LD_OK;
}

ld_rc ld_span_delete(ld_txn *txn, ld_slice from, ld_slice to, uint64_t *count) {
  if (from.size > LD_KEY_KEPT || to.size > LD_KEY_KEPT) return delete_each(txn, from, to, count);
  return ld_del_range(txn, from, to, count);
}
