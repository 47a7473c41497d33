/* verify_room.c -- rooms: their rows, and ratings and progress against the rooms that are there. */
#include "room_check.h"
#include "room_row.h"
#include "verify_numbers.h"

ld_rc verify_room_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_room_fields fields;
  room_row room;
  v->report->rooms++;
  if (room_decode(v->txn, row->payload, &room) != LD_OK)
    return verify_found(v, "room", "expected its number, flags and time");
  if (room.id <= 0) return verify_found(v, "room", "has number %lld", (long long)room.id);
  verify_number(v, (uint64_t)room.id);
  if ((room.flags & ~(ROOM_HAS_RATINGS | ROOM_HAS_PROGRESS)) != 0)
    return verify_found(v, "room", "has unknown flags 0x%llx", (unsigned long long)room.flags);
  if (ld_value_check(room.config, ld_error_of(v->txn)) != LD_OK ||
      ld_room_check(room.config, &fields, ld_error_of(v->txn)) != LD_OK)
    return verify_found_error(v, "room");
  if (!ld_equal(fields.name, key->name))
    return verify_found(v, "room", "its roomName is another one");
  return LD_OK;
}

ld_rc verify_rating_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_slice rest = row->payload;
  uint32_t count = 0;
  room_vote vote;
  (void)key;
  if (ld_value_check(rest, ld_error_of(v->txn)) != LD_OK) return verify_found_error(v, "rating");
  if (!room_votes_head(&rest, &count)) return verify_found(v, "rating", "expected a list");
  for (uint32_t i = 0; i < count; i++)
    if (!room_next_vote(&rest, &vote))
      return verify_found(v, "rating", "[%u]: expected user, rating, time", (unsigned)i + 1);
  return LD_OK;
}

ld_rc verify_progress_row(verify *v, const verify_key *key, const ld_row *row) {
  ld_slice rest = row->payload;
  int64_t count = 0, at;
  (void)key;
  if (room_read_progress(rest, &count, &at) && count >= 0) {
    uint8_t bytes[24];
    ld_buf same = {.data = bytes, .capacity = sizeof bytes};
    room_write_progress(&same, count, at);
    if (same.size == rest.size) return LD_OK;
  }
  return verify_found(v, "progress", "expected a number from 0 and a time");
}

/* ---- the numbers of rooms ---- */

static ld_rc each_room(verify *v, verify_numbers *numbers) {
  static const uint8_t space = LD_SPACE_ROOM;
  ld_scan scan;
  ld_row row;
  room_row room;
  ld_rc rc = ld_scan_begin(&scan, v->txn, ld_bytes(&space, 1), LD_SLICE_NONE);
  if (rc != LD_OK) return rc;
  while ((rc = verify_next(v, &scan, &row)) == LD_OK) {
    if (room_decode(v->txn, row.payload, &room) == LD_OK && room.id > 0)
      verify_numbers_add(numbers, (uint64_t)room.id);
    if ((rc = verify_step(v)) != LD_OK) break;
  }
  ld_scan_end(&scan);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}

static ld_rc tell_orphans(verify *v, uint8_t space, uint64_t number, uint64_t rows) {
  bool rating = space == LD_SPACE_RATING;
  verify_at(v, "%s of room number %llu", rating ? "ratings" : "progress",
            (unsigned long long)number);
  ld_rc rc = verify_found(v, rating ? "rating" : "progress", "there is no such room: rows: %llu",
                          (unsigned long long)rows);
  return rc == LD_OK ? verify_mend(v, LD_MEND_ORPHANS, LD_SLICE_NONE, LD_SLICE_NONE, number) : rc;
}

ld_rc verify_rooms(verify *v) {
  verify_numbers numbers = {.v = v, .kind = "room"};
  ld_rc rc;
  while ((rc = verify_numbers_next(&numbers, each_room)) == LD_OK) {
    rc = verify_numbers_compare(&numbers, LD_SPACE_RATING, tell_orphans);
    if (rc == LD_OK) rc = verify_numbers_compare(&numbers, LD_SPACE_PROGRESS, tell_orphans);
    if (rc != LD_OK) break;
  }
  verify_numbers_clear(&numbers);
  return rc == LD_NOTFOUND ? LD_OK : rc;
}
