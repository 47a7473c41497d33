/* cache_evict.c -- which entries go: the queues, as rows in the order of their places.
**
** LRU: one queue; what is used goes to its end. S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): what is new goes to a
** small queue of a tenth of the bytes; what was used twice by the time it comes to its front goes on to the main one, else only its hash is remembered for a
** while, and a key that is remembered starts in the main queue. There, what was used since goes round once more for each use.
** What has expired goes before all others. Each step looks at the first row of a queue, so it costs the same however many entries there are. In a cache of
** thousands, several go at once: neighbours in the queue share pages, which are then written once for all of them. */
#include "cache_row.h"
#include "span.h"
#include "tuple.h"

enum { HEAT_MOST = 3, HEAT_STAYS = 2 };
enum { SPARE = 1024, STEPS = 64 }; /* of max_bytes what goes along; how many entries at most */

static bool is_lru(const ld_cache_run *run) { return run->settings.policy == LD_CACHE_LRU; }

static void count(ld_cache_run *run, const ld_cache_entry *entry, int sign) {
  uint64_t charge = ld_cache_charge(entry->size);
  ld_cache_state *state = &run->state;
  state->bytes = sign > 0 ? state->bytes + charge : state->bytes - charge;
  state->entries = sign > 0 ? state->entries + 1 : state->entries - 1;
  if (entry->queue != LD_CACHE_SMALL) return;
  state->small_bytes = sign > 0 ? state->small_bytes + charge : state->small_bytes - charge;
}

static ld_slice queue_row(ld_cache_key_of *key, const ld_cache_run *run,
                          const ld_cache_entry *entry) {
  return ld_cache_row_ints(key, run->settings.number, LD_CACHE_QUEUE, entry->queue,
                           -(int64_t)entry->place);
}

static ld_slice expiry_row(ld_cache_key_of *key, const ld_cache_run *run,
                           const ld_cache_entry *entry) {
  return ld_cache_row_ints(key, run->settings.number, LD_CACHE_EXPIRY, entry->expires_ms,
                           (int64_t)entry->id);
}

ld_rc ld_cache_enter(ld_cache_run *run, ld_slice key, ld_cache_entry *entry) {
  entry->place = ++run->state.last;
  return ld_cache_enter_at(run, key, entry);
}

ld_rc ld_cache_enter_at(ld_cache_run *run, ld_slice key, const ld_cache_entry *entry) {
  ld_cache_key_of row;
  ld_rc rc = ld_cache_put_entry(run->txn, run->settings.number, key, entry);
  if (rc == LD_OK) rc = ld_row_put_plain(run->txn, queue_row(&row, run, entry), key);
  if (rc == LD_OK && entry->expires_ms >= 0)
    rc = ld_row_put_plain(run->txn, expiry_row(&row, run, entry), key);
  if (rc == LD_OK) count(run, entry, 1);
  return rc;
}

/* Out of its queue and of expiry; the entry's own row and the value stay. */
static ld_rc leave(ld_cache_run *run, const ld_cache_entry *entry) {
  ld_cache_key_of row;
  ld_rc rc = ld_cache_drop_row(run->txn, queue_row(&row, run, entry));
  if (rc == LD_OK && entry->expires_ms >= 0)
    rc = ld_cache_drop_row(run->txn, expiry_row(&row, run, entry));
  if (rc == LD_OK) count(run, entry, -1);
  return rc;
}

ld_rc ld_cache_remove(ld_cache_run *run, ld_slice key, const ld_cache_entry *entry) {
  ld_cache_key_of row;
  ld_cache_entry gone = *entry;
  uint64_t number = run->settings.number;
  ld_rc rc = LD_OK;
  if (gone.is_file) rc = ld_cache_drop_file(run, &gone); /* first: its slices are borrowed */
  if (rc == LD_OK) rc = leave(run, &gone);
  if (rc == LD_OK && !gone.is_file)
    rc = ld_cache_drop_row(run->txn, ld_cache_row_int(&row, number, LD_CACHE_DATA, gone.id));
  if (rc == LD_OK)
    rc = ld_cache_drop_row(run->txn, ld_cache_row_text(&row, number, LD_CACHE_ENTRY, key));
  return rc;
}

/* To the end of a queue. The row of the entry is written first, as its slices are borrowed from the old one. */
static ld_rc move(ld_cache_run *run, ld_slice key, ld_cache_entry *entry, uint8_t queue) {
  ld_cache_key_of row;
  ld_cache_entry old = *entry;
  entry->place = ++run->state.last;
  count(run, entry, -1);
  entry->queue = queue;
  count(run, entry, 1);
  ld_rc rc = ld_cache_put_entry(run->txn, run->settings.number, key, entry);
  if (rc == LD_OK) rc = ld_cache_drop_row(run->txn, queue_row(&row, run, &old));
  return rc == LD_OK ? ld_row_put_plain(run->txn, queue_row(&row, run, entry), key) : rc;
}

ld_rc ld_cache_warm(ld_cache_run *run, ld_slice key, ld_cache_entry *entry, uint64_t uses) {
  uint64_t heat = entry->heat + uses;
  entry->uses += uses;
  entry->heat = (uint8_t)(heat < HEAT_MOST ? heat : HEAT_MOST);
  if (is_lru(run)) return move(run, key, entry, LD_CACHE_MAIN);
  return ld_cache_put_entry(run->txn, run->settings.number, key, entry);
}

/* ---- ghosts ---- */

static ld_slice hash_of(ld_slice key, uint8_t hash[LD_HASH]) {
  ld_hash128(key, hash);
  return ld_bytes(hash, LD_HASH);
}

static ld_rc forget(ld_cache_run *run, ld_slice hash, uint64_t place) {
  ld_cache_key_of row;
  uint64_t number = run->settings.number;
  ld_rc rc = ld_cache_drop_row(run->txn, ld_cache_row_int(&row, number, LD_CACHE_GHOSTS, place));
  if (rc == LD_OK)
    rc = ld_cache_drop_row(run->txn, ld_cache_row_text(&row, number, LD_CACHE_GHOST, hash));
  if (rc == LD_OK) run->state.ghosts--;
  return rc;
}

/* The first row of a kind, or the last one of a queue: its payload, copied. NOTFOUND. */
static ld_rc end_row(ld_txn *txn, ld_buf *prefix, bool last, ld_row *row, uint8_t *payload,
                     size_t most) {
  uint8_t room[32];
  ld_span span;
  ld_buf to = {.data = room, .capacity = sizeof room};
  ld_buf_add(&to, ld_buf_slice(prefix));
  ld_buf_byte(&to, 0xff);
  ld_rc rc = ld_span_begin(&span, txn, ld_buf_slice(prefix), ld_buf_slice(&to), last);
  if (rc != LD_OK) return rc;
  rc = ld_span_next(&span, row);
  if (rc == LD_OK && row->payload.size > most) rc = ld_cache_corrupt(txn);
  if (rc == LD_OK) {
    memcpy(payload, row->payload.data, row->payload.size);
    row->payload.data = payload;
  }
  ld_span_end(&span);
  return rc;
}

static ld_rc forget_oldest(ld_cache_run *run) {
  ld_cache_key_of key;
  ld_row row;
  uint8_t hash[LD_HASH];
  uint64_t place, number = run->settings.number;
  ld_cache_row(&key, number, LD_CACHE_GHOSTS);
  ld_rc rc = end_row(run->txn, &key.bytes, false, &row, hash, LD_HASH);
  if (rc == LD_NOTFOUND) run->state.ghosts = 0;
  if (rc != LD_OK) return rc == LD_NOTFOUND ? LD_OK : rc;
  rc = ld_cache_get_varint(run->txn, ld_cache_row_text(&key, number, LD_CACHE_GHOST, row.payload),
                           &place);
  if (rc == LD_NOTFOUND) return ld_cache_corrupt(run->txn);
  return rc == LD_OK ? forget(run, row.payload, place) : rc;
}

/* As many are remembered as there are entries. */
static ld_rc remember(ld_cache_run *run, ld_slice key) {
  ld_cache_key_of row;
  uint8_t room[LD_HASH];
  uint64_t place = ++run->state.last, number = run->settings.number;
  ld_slice hash = hash_of(key, room);
  ld_rc rc =
      ld_cache_put_varint(run->txn, ld_cache_row_text(&row, number, LD_CACHE_GHOST, hash), place);
  if (rc == LD_OK)
    rc = ld_row_put_plain(run->txn, ld_cache_row_int(&row, number, LD_CACHE_GHOSTS, place), hash);
  if (rc == LD_OK) run->state.ghosts++;
  while (rc == LD_OK && run->state.ghosts > run->state.entries + 1) rc = forget_oldest(run);
  return rc;
}

ld_rc ld_cache_choose_queue(ld_cache_run *run, ld_slice key, uint8_t *queue) {
  ld_cache_key_of row;
  uint8_t room[LD_HASH];
  uint64_t place;
  ld_slice hash = hash_of(key, room);
  *queue = LD_CACHE_MAIN;
  if (is_lru(run)) return LD_OK;
  ld_rc rc = ld_cache_get_varint(
      run->txn, ld_cache_row_text(&row, run->settings.number, LD_CACHE_GHOST, hash), &place);
  if (rc == LD_OK) return forget(run, hash, place);
  *queue = LD_CACHE_SMALL;
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

/* ---- eviction ---- */

/* The entry that the first row, or the last one, with this prefix is of. */
static ld_rc end_entry(ld_cache_run *run, ld_buf *prefix, bool last, uint8_t *room, ld_slice *key,
                       ld_cache_entry *entry) {
  ld_row row;
  ld_rc rc = end_row(run->txn, prefix, last, &row, room, LD_PART_MAX);
  if (rc != LD_OK) return rc;
  *key = row.payload;
  rc = ld_cache_get_entry(run->txn, run->settings.number, *key, entry);
  return rc == LD_NOTFOUND ? ld_cache_corrupt(run->txn) : rc;
}

static ld_rc evict(ld_cache_run *run, ld_slice key, const ld_cache_entry *entry) {
  bool was_small = entry->queue == LD_CACHE_SMALL;
  run->state.evictions++;
  ld_rc rc = ld_cache_remove(run, key, entry);
  return rc == LD_OK && was_small ? remember(run, key) : rc;
}

/* NOTFOUND: nothing has expired. */
static ld_rc evict_expired(ld_cache_run *run) {
  ld_cache_key_of row;
  uint8_t room[LD_PART_MAX];
  ld_slice key;
  ld_cache_entry entry;
  ld_cache_row(&row, run->settings.number, LD_CACHE_EXPIRY);
  ld_rc rc = end_entry(run, &row.bytes, false, room, &key, &entry);
  if (rc == LD_OK && entry.expires_ms > ld_now(&run->txn->engine->env)) return LD_NOTFOUND;
  if (rc != LD_OK) return rc;
  run->state.evictions++;
  return ld_cache_remove(run, key, &entry);
}

/* Look at the entry at the front of a queue: it goes, or it goes on. NOTFOUND: the queue is empty. */
static ld_rc turn(ld_cache_run *run, uint8_t queue) {
  ld_cache_key_of row;
  uint8_t room[LD_PART_MAX];
  ld_slice key;
  ld_cache_entry entry;
  ld_cache_row_int(&row, run->settings.number, LD_CACHE_QUEUE, queue);
  ld_rc rc = end_entry(run, &row.bytes, true, room, &key, &entry);
  if (rc != LD_OK) return rc;
  bool stays = !is_lru(run) && entry.heat >= (queue == LD_CACHE_SMALL ? HEAT_STAYS : 1);
  if (!stays) return evict(run, key, &entry);
  entry.heat = (uint8_t)(queue == LD_CACHE_SMALL ? 0 : entry.heat - 1);
  return move(run, key, &entry, LD_CACHE_MAIN);
}

/* One goes, or goes on. */
static ld_rc step(ld_cache_run *run) {
  uint64_t tenth = run->settings.max_bytes / 10;
  uint8_t queue = run->state.small_bytes > tenth ? LD_CACHE_SMALL : LD_CACHE_MAIN;
  ld_rc rc = turn(run, queue);
  if (rc == LD_NOTFOUND) rc = turn(run, (uint8_t)!queue);
  return rc == LD_NOTFOUND ? ld_cache_corrupt(run->txn) : rc; /* bytes of nobody */
}

/* Whether there is no room for `more`; once some had to go, whether a few others may go with them. */
static bool is_full(const ld_cache_run *run, uint64_t more, uint64_t steps) {
  uint64_t max = run->settings.max_bytes, bytes = run->state.bytes + more;
  bool along = steps > 0 && steps < STEPS && run->state.entries > 0;
  return bytes > max || (along && bytes > max - max / SPARE);
}

ld_rc ld_cache_make_room(ld_cache_run *run, uint64_t more) {
  ld_rc rc = LD_OK, expired = LD_OK;
  for (uint64_t steps = 0; rc == LD_OK && is_full(run, more, steps); steps++) {
    if (expired == LD_OK) expired = rc = evict_expired(run);
    if (expired == LD_NOTFOUND) rc = step(run);
  }
  return rc;
}
