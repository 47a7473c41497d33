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

/* What stands before the buckets. */
static void read_head(ld_slice *rest, queue_times *times) {
  times->count = times->sum = 0;
  times->most = 0;
  if (rest->size == 0) return;
  ld_read_varint(rest, &times->count);
  ld_read_varint(rest, &times->sum);
  queue_take_int(rest, &times->most);
}

/* How many of the bytes are of buckets below `bucket`. */
static size_t size_below(ld_slice buckets, unsigned bucket) {
  size_t at = 0;
  while (at < buckets.size && buckets.data[at] < bucket) {
    at++;
    while (at < buckets.size && buckets.data[at] >= 0x80) at++;
    at++;
  }
  return at < buckets.size ? at : buckets.size;
}

void queue_timing_add(queue_timing *timing, int64_t ms) {
  uint8_t room[QUEUE_TIMING_MOST + 16];
  ld_buf out = {.data = room, .capacity = sizeof room};
  ld_slice rest = ld_bytes(timing->bytes, timing->size);
  queue_times head;
  uint64_t count = 0;
  unsigned bucket = bucket_of(ms);
  if (ms < 0) ms = 0;
  read_head(&rest, &head);
  ld_buf_varint(&out, head.count + 1);
  ld_buf_varint(&out, head.sum + (uint64_t)ms);
  queue_put_int(&out, ms > head.most ? ms : head.most);
  size_t below = size_below(rest, bucket);
  ld_buf_add(&out, ld_bytes(rest.data, below));
  rest = ld_bytes(rest.data + below, rest.size - below);
  if (rest.size > 0 && rest.data[0] == bucket) {
    rest = ld_bytes(rest.data + 1, rest.size - 1);
    ld_read_varint(&rest, &count);
  }
  ld_buf_byte(&out, (uint8_t)bucket);
  ld_buf_varint(&out, count + 1);
  ld_buf_add(&out, rest);
  if (out.size > sizeof timing->bytes) return; /* no sound timing is that long */
  memcpy(timing->bytes, out.data, out.size);
  timing->size = out.size;
}

void queue_timing_read(const queue_timing *timing, queue_times *times) {
  ld_slice rest = ld_bytes(timing->bytes, timing->size);
  memset(times, 0, sizeof *times);
  read_head(&rest, times);
  while (rest.size > 0 && rest.data[0] < QUEUE_BUCKETS) {
    uint64_t *bucket = &times->buckets[rest.data[0]];
    rest = ld_bytes(rest.data + 1, rest.size - 1);
    if (!ld_read_varint(&rest, bucket)) break;
  }
}

int64_t queue_times_percentile(const queue_times *times, unsigned percent) {
  uint64_t below = 0, wanted = (times->count * percent + 99) / 100;
  for (unsigned i = 0; i < QUEUE_BUCKETS; i++) {
    below += times->buckets[i];
    if (below >= wanted && below > 0)
      return middle_of(i) < times->most ? middle_of(i) : times->most;
  }
  return 0;
}

static void put_timing(ld_buf *payload, const queue_timing *timing) {
  ld_buf_varint(payload, timing->size);
  ld_buf_add(payload, ld_bytes(timing->bytes, timing->size));
}

static bool take_timing(ld_slice *rest, queue_timing *timing) {
  uint64_t size;
  if (!ld_read_varint(rest, &size) || size > rest->size || size > sizeof timing->bytes)
    return false;
  timing->size = (size_t)size;
  memcpy(timing->bytes, rest->data, timing->size);
  *rest = ld_bytes(rest->data + timing->size, rest->size - timing->size);
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
  tally->paused = false;
  memset(tally->states, 0, sizeof tally->states);
  memset(tally->totals, 0, sizeof tally->totals);
  tally->head = tally->lane_at = 0;
  tally->in_lane = 0;
  tally->rate.count = 0;
  tally->wait.size = tally->run.size = 0;
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
  queue_put_int(payload, tally->head);
  ld_buf_varint(payload, tally->in_lane);
  queue_put_int(payload, tally->lane_at);
  queue_rate_encode(&tally->rate, payload);
  put_timing(payload, &tally->wait);
  put_timing(payload, &tally->run);
}

bool queue_tally_decode(ld_slice rest, queue_tally *tally) {
  if (rest.size == 0 || rest.data[0] > 1) return false;
  tally->paused = rest.data[0] == 1;
  rest = ld_bytes(rest.data + 1, rest.size - 1);
  for (int i = 0; i < LD_JOB_STATES; i++)
    if (!ld_read_varint(&rest, &tally->states[i])) return false;
  for (int i = 0; i < QUEUE_TOTALS; i++)
    if (!ld_read_varint(&rest, &tally->totals[i])) return false;
  for (int i = 0; i < QUEUE_DUES; i++)
    if (!take_due(&rest, &tally->due[i])) return false;
  if (!queue_take_int(&rest, &tally->head) || !ld_read_varint(&rest, &tally->in_lane) ||
      !queue_take_int(&rest, &tally->lane_at))
    return false;
  return queue_rate_decode(&rest, &tally->rate) && take_timing(&rest, &tally->wait) &&
         take_timing(&rest, &tally->run) && rest.size == 0;
}
