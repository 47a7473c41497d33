/* queue_tally.c -- see queue_tally.h.
**
** Rate: the slots are in order of time. One is forgotten when it is `per_ms` old; also when it is more than that in the future, for then
** the clock was set back. */
#include "queue_tally.h"

/* ---- numbers ---- */

void queue_put_int(ld_buf *payload, int64_t number) {
  ld_buf_varint(payload, ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0));
}

bool queue_take_int(ld_slice *rest, int64_t *number) {
  uint64_t coded;
  if (!ld_read_varint(rest, &coded)) return false;
  *number = (int64_t)((coded >> 1) ^ (UINT64_MAX * (coded & 1)));
  return true;
}

int64_t queue_later(int64_t at, int64_t ms) {
  int64_t sum;
  if (!__builtin_add_overflow(at, ms, &sum)) return sum;
  return ms > 0 ? INT64_MAX : INT64_MIN;
}

/* ---- timings ---- */

static unsigned bucket_of(int64_t ms) {
  if (ms < 8) return ms < 0 ? 0 : (unsigned)ms;
  unsigned power = 63 - (unsigned)__builtin_clzll((unsigned long long)ms);
  unsigned bucket = 8 + (power - 3) * 4 + ((unsigned)(ms >> (power - 2)) & 3);
  return bucket < QUEUE_BUCKETS ? bucket : QUEUE_BUCKETS - 1;
}

static int64_t middle_of(unsigned bucket) {
  if (bucket < 8) return bucket;
  unsigned power = 3 + (bucket - 8) / 4;
  int64_t width = (int64_t)1 << (power - 2);
  return (4 + (bucket - 8) % 4) * width + width / 2;
}

void queue_timing_add(queue_timing *timing, int64_t ms) {
  if (ms < 0) ms = 0;
  timing->count++;
  timing->sum += (uint64_t)ms;
  if (ms > timing->most) timing->most = ms;
  timing->buckets[bucket_of(ms)]++;
}

int64_t queue_timing_percentile(const queue_timing *timing, unsigned percent) {
  uint64_t below = 0, wanted = (timing->count * percent + 99) / 100;
  for (unsigned i = 0; i < QUEUE_BUCKETS; i++) {
    below += timing->buckets[i];
    if (below >= wanted && below > 0)
      return middle_of(i) < timing->most ? middle_of(i) : timing->most;
  }
  return 0;
}

static void encode_timing(const queue_timing *timing, ld_buf *payload) {
  unsigned used = 0;
  ld_buf_varint(payload, timing->count);
  if (timing->count == 0) return;
  ld_buf_varint(payload, timing->sum);
  queue_put_int(payload, timing->most);
  for (unsigned i = 0; i < QUEUE_BUCKETS; i++) used += timing->buckets[i] > 0;
  ld_buf_varint(payload, used);
  for (unsigned i = 0; i < QUEUE_BUCKETS; i++) {
    if (timing->buckets[i] == 0) continue;
    ld_buf_byte(payload, (uint8_t)i);
    ld_buf_varint(payload, timing->buckets[i]);
  }
}

static bool decode_timing(ld_slice *rest, queue_timing *timing) {
  uint64_t used;
  if (!ld_read_varint(rest, &timing->count)) return false;
  if (timing->count == 0) return true;
  if (!ld_read_varint(rest, &timing->sum) || !queue_take_int(rest, &timing->most) ||
      !ld_read_varint(rest, &used))
    return false;
  for (; used > 0; used--) {
    if (rest->size == 0 || rest->data[0] >= QUEUE_BUCKETS) return false;
    uint64_t *bucket = &timing->buckets[rest->data[0]];
    *rest = ld_bytes(rest->data + 1, rest->size - 1);
    if (!ld_read_varint(rest, bucket)) return false;
  }
  return true;
}

/* ---- rates ---- */

static void forget(queue_rate *rate, int64_t per_ms, int64_t now) {
  unsigned kept = 0;
  for (unsigned i = 0; i < rate->count; i++) {
    int64_t at = rate->slots[i].at;
    if (queue_later(at, per_ms) > now && at <= queue_later(now, per_ms))
      rate->slots[kept++] = rate->slots[i];
  }
  rate->count = kept;
}

int64_t queue_rate_free_at(queue_rate *rate, const ld_queue_limit *limit, int64_t now) {
  uint64_t claims = 0;
  if (limit->rate == 0) return now;
  forget(rate, limit->per_ms, now);
  for (unsigned i = 0; i < rate->count; i++) claims += rate->slots[i].claims;
  for (unsigned i = 0; claims >= (uint64_t)limit->rate && i < rate->count; i++) {
    claims -= rate->slots[i].claims;
    if (claims < (uint64_t)limit->rate) return queue_later(rate->slots[i].at, limit->per_ms);
  }
  return now;
}

/* The two neighbours that are nearest become one. */
static void make_room(queue_rate *rate) {
  unsigned best = 0;
  for (unsigned i = 0; i + 1 < rate->count; i++)
    if (rate->slots[i + 1].at - rate->slots[i].at < rate->slots[best + 1].at - rate->slots[best].at)
      best = i;
  rate->slots[best + 1].claims += rate->slots[best].claims;
  rate->count--;
  memmove(&rate->slots[best], &rate->slots[best + 1], (rate->count - best) * sizeof *rate->slots);
}

void queue_rate_add(queue_rate *rate, const ld_queue_limit *limit, int64_t now) {
  if (limit->rate == 0) return;
  forget(rate, limit->per_ms, now);
  unsigned at = rate->count;
  while (at > 0 && rate->slots[at - 1].at > now) at--;
  if (at > 0 && rate->slots[at - 1].at == now) {
    rate->slots[at - 1].claims++;
    return;
  }
  if (rate->count == QUEUE_SLOTS) {
    make_room(rate);
    queue_rate_add(rate, limit, now);
    return;
  }
  memmove(&rate->slots[at + 1], &rate->slots[at], (rate->count - at) * sizeof *rate->slots);
  rate->slots[at].at = now;
  rate->slots[at].claims = 1;
  rate->count++;
}

void queue_rate_encode(const queue_rate *rate, ld_buf *payload) {
  int64_t before = 0;
  ld_buf_byte(payload, (uint8_t)rate->count);
  for (unsigned i = 0; i < rate->count; i++) {
    queue_put_int(payload, rate->slots[i].at - before);
    ld_buf_varint(payload, rate->slots[i].claims);
    before = rate->slots[i].at;
  }
}

bool queue_rate_decode(ld_slice *rest, queue_rate *rate) {
  int64_t at = 0, distance;
  if (rest->size == 0 || rest->data[0] > QUEUE_SLOTS) return false;
  rate->count = rest->data[0];
  *rest = ld_bytes(rest->data + 1, rest->size - 1);
  for (unsigned i = 0; i < rate->count; i++) {
    if (!queue_take_int(rest, &distance) || !ld_read_varint(rest, &rate->slots[i].claims))
      return false;
    rate->slots[i].at = at = queue_later(at, distance);
  }
  return true;
}

/* ---- the tally ---- */

void queue_tally_init(queue_tally *tally) {
  memset(tally, 0, sizeof *tally);
  for (int i = 0; i < QUEUE_DUES; i++) tally->due[i] = INT64_MAX;
}

/* A time that is mostly none: one byte then. */
static void put_due(ld_buf *payload, int64_t at) {
  ld_buf_byte(payload, at == INT64_MAX ? 0 : 1);
  if (at != INT64_MAX) queue_put_int(payload, at);
}

static bool take_due(ld_slice *rest, int64_t *at) {
  if (rest->size == 0 || rest->data[0] > 1) return false;
  bool some = rest->data[0] == 1;
  *rest = ld_bytes(rest->data + 1, rest->size - 1);
  *at = INT64_MAX;
  return !some || queue_take_int(rest, at);
}

void queue_tally_encode(const queue_tally *tally, ld_buf *payload) {
  ld_buf_byte(payload, tally->paused ? 1 : 0);
  for (int i = 0; i < LD_JOB_STATES; i++) ld_buf_varint(payload, tally->states[i]);
  for (int i = 0; i < QUEUE_TOTALS; i++) ld_buf_varint(payload, tally->totals[i]);
  for (int i = 0; i < QUEUE_DUES; i++) put_due(payload, tally->due[i]);
  queue_rate_encode(&tally->rate, payload);
  encode_timing(&tally->wait, payload);
  encode_timing(&tally->run, payload);
}

bool queue_tally_decode(ld_slice rest, queue_tally *tally) {
  queue_tally_init(tally);
  if (rest.size == 0 || rest.data[0] > 1) return false;
  tally->paused = rest.data[0] == 1;
  rest = ld_bytes(rest.data + 1, rest.size - 1);
  for (int i = 0; i < LD_JOB_STATES; i++)
    if (!ld_read_varint(&rest, &tally->states[i])) return false;
  for (int i = 0; i < QUEUE_TOTALS; i++)
    if (!ld_read_varint(&rest, &tally->totals[i])) return false;
  for (int i = 0; i < QUEUE_DUES; i++)
    if (!take_due(&rest, &tally->due[i])) return false;
  return queue_rate_decode(&rest, &tally->rate) && decode_timing(&rest, &tally->wait) &&
         decode_timing(&rest, &tally->run) && rest.size == 0;
}
