/* cache_evict.c -- which entries go: the queues, as rows in the order of their places.
**
** LRU: one queue; what is used goes to its end. S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): what is new goes to a
** small queue of a tenth of the bytes; what was used twice by the time it comes to its front goes on to the main one, else only its hash is remembered for a
** while, and a key that is remembered starts in the main queue. There, what was used since goes round once more for each use.
** What has expired goes before all others. Each step looks at the first row of a queue, so it costs the same however many entries there are. */
#include "cache_row.h"
#include "tuple.h"

enum { HEAT_MOST = 3, HEAT_STAYS = 2 };

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
                           (int64_t)entry->place);
}

static ld_slice expiry_row(ld_cache_key_of *key, const ld_cache_run *run,
                           const ld_cache_entry *entry) {
  return ld_cache_row_ints(key, run->settings.number, LD_CACHE_EXPIRY, entry->expires_ms,
                           (int64_t)entry->id);
}

ld_rc ld_cache_enter(ld_cache_run *run, ld_slice key, ld_cache_entry *entry) {
  ld_cache_key_of row;
  entry->place = ++run->state.last;
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

/* The first row of a kind, or of a queue: its payload, copied. NOTFOUND. */
static ld_rc first_row(ld_txn *txn, ld_slice prefix, ld_row *row, uint8_t *payload, size_t most) {
  ld_scan scan;
  ld_rc rc = ld_scan_begin(&scan, txn, prefix, LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  rc = ld_scan_next(&scan, row);
  if (rc == LD_OK && row->payload.size > most) rc = ld_cache_corrupt(txn);
  if (rc == LD_OK) {
    memcpy(payload, row->payload.data, row->payload.size);
    row->payload.data = payload;
  }
  ld_scan_end(&scan);
  return rc;
}

static ld_rc forget_oldest(ld_cache_run *run) {
  ld_cache_key_of key;
  ld_row row;
  uint8_t hash[LD_HASH];
  uint64_t place, number = run->settings.number;
  ld_rc rc = first_row(run->txn, ld_cache_row(&key, number, LD_CACHE_GHOSTS), &row, hash, LD_HASH);
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

/* The entry that the first row with this prefix is of. */
static ld_rc first_entry(ld_cache_run *run, ld_slice prefix, uint8_t *room, ld_slice *key,
                         ld_cache_entry *entry) {
  ld_row row;
  ld_rc rc = first_row(run->txn, prefix, &row, room, LD_PART_MAX);
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
  ld_slice prefix = ld_cache_row(&row, run->settings.number, LD_CACHE_EXPIRY);
  ld_rc rc = first_entry(run, prefix, room, &key, &entry);
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
  ld_slice prefix = ld_cache_row_int(&row, run->settings.number, LD_CACHE_QUEUE, queue);
  ld_rc rc = first_entry(run, prefix, room, &key, &entry);
  if (rc != LD_OK) return rc;
  bool stays = !is_lru(run) && entry.heat >= (queue == LD_CACHE_SMALL ? HEAT_STAYS : 1);
  if (!stays) return evict(run, key, &entry);
  entry.heat = (uint8_t)(queue == LD_CACHE_SMALL ? 0 : entry.heat - 1);
  return move(run, key, &entry, LD_CACHE_MAIN);
}

ld_rc ld_cache_make_room(ld_cache_run *run, uint64_t more) {
  ld_rc rc = LD_OK;
  while (rc == LD_OK && run->state.bytes + more > run->settings.max_bytes) {
    rc = evict_expired(run);
    if (rc != LD_NOTFOUND) continue;
    uint64_t tenth = run->settings.max_bytes / 10;
    uint8_t queue = run->state.small_bytes > tenth ? LD_CACHE_SMALL : LD_CACHE_MAIN;
    rc = turn(run, queue);
    if (rc == LD_NOTFOUND) rc = turn(run, (uint8_t)!queue);
    if (rc == LD_NOTFOUND) rc = ld_cache_corrupt(run->txn); /* bytes of nobody */
  }
  return rc;
}
