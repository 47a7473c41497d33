/* test_queue_limit.c -- how many jobs may run, at once and in a time: of a queue, and of groups in it. */
#include "../../csrc/queue_tally.h"
#include "queue_help.h"

static void start_with(ld_queue_limit limit) {
  ld_queue_options options = ld_queue_defaults;
  if (limit.per_ms == 0) limit.per_ms = 1000;
  options.limit = limit;
  start();
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, true));
}

/* A job { n = number, by = the value that JSON-like bytes of MessagePack are }; its number is in its priority. */
static void enqueue_of(ld_slice group, int64_t number) {
  ld_buf data = {0};
  ld_enqueued made;
  ld_write_map(&data, group.size > 0 ? 1 : 0);
  if (group.size > 0) ld_write_text(&data, "by");
  ld_buf_add(&data, group);
  ld_job_new job = {.data = ld_buf_slice(&data), .priority = number};
  CHECK_RC(LD_OK, ld_queue_enqueue(txn, Q, &job, 1, &made));
  ld_buf_clear(&data);
}

static ld_rc see_priority(void *context, const ld_job *job) {
  *(seen *)context = (seen){.job = *job, .number = job->priority, .times = 1};
  return LD_OK;
}

static seen claim_of(void) {
  seen one = {.number = -1};
  size_t count;
  ld_claim want = {.count = 1};
  CHECK_RC(LD_OK, ld_queue_claim(txn, Q, &want, see_priority, &one, &count));
  CHECK(count == one.times);
  return one;
}

static int64_t due(void) {
  int64_t at;
  CHECK_RC(LD_OK, ld_queue_due(txn, Q, &at));
  return at;
}

/* ---- the whole queue ---- */

static void test_concurrency(void) {
  start_with((ld_queue_limit){.concurrency = 2});
  for (int i = 0; i < 5; i++) enqueue((ld_job_new){0}, i);
  seen one = claim(), two = claim();
  CHECK(two.number == 1 && claim().number == -1 && due() == one.job.lease_until);
  CHECK(ack(&one) == LD_VERDICT_OK && due() <= clock_ms && claim().number == 2);
  CHECK(claim().number == -1 && release(&two, 0) == LD_VERDICT_OK && claim().number == 1);
  clock_ms += 40000; /* leases end: those count no more */
  CHECK(claim().number == 1 && claim().number == 2 && claim().number == -1);
  finish();
}

static void test_rate(void) {
  start_with((ld_queue_limit){.rate = 3, .per_ms = 10000});
  for (int i = 0; i < 9; i++) enqueue((ld_job_new){0}, i);
  CHECK(claim().number == 0);
  clock_ms += 9000;
  CHECK(claim().number == 1 && claim().number == 2 && claim().number == -1);
  CHECK(due() == clock_ms + 1000);
  clock_ms += 999;
  CHECK(claim().number == -1);
  clock_ms += 1; /* the first is out of sight, the two others are not */
  CHECK(claim().number == 3 && claim().number == -1 && due() == clock_ms + 9000);
  clock_ms += 9000;
  CHECK(claim().number == 4 && claim().number == 5 && claim().number == -1);
  clock_ms -= 100000; /* a clock that was set back does not stop it for long */
  CHECK(claim().number == 6);
  finish();
}

/* Many in a time are remembered in few slots: never more than the limit in any window, and not much less. */
static void test_rate_slots(void) {
  enum { RATE = 1000, PER = 10000, STEPS = 60000 };
  static int64_t claims[STEPS];
  const ld_queue_limit limit = {.rate = RATE, .per_ms = PER};
  static queue_rate rate;
  size_t count = 0, from = 0;
  for (int64_t now = 0; now < STEPS; now++) {
    if (queue_rate_free_at(&rate, &limit, now) > now) continue;
    queue_rate_add(&rate, &limit, now);
    claims[count++] = now;
    while (claims[from] <= now - PER) from++;
    CHECK(count - from <= RATE && rate.count <= QUEUE_SLOTS);
  }
  CHECK(count >= RATE * (STEPS / PER) * 9 / 10);
}

/* ---- groups ---- */

static void test_groups(void) {
  start_with((ld_queue_limit){.concurrency = 1, .by = "by"});
  for (int i = 1; i <= 3; i++)
    enqueue_of(LD_LITERAL("\xa1"
                          "a"),
               i);
  enqueue_of(LD_LITERAL("\xa1"
                        "b"),
             4);
  enqueue_of(LD_LITERAL("\x07"), 5);
  enqueue_of(LD_LITERAL("\xcb\x40\x1c\0\0\0\0\0\0"), 6); /* 7.0 is 7 */
  enqueue_of(LD_SLICE_NONE, 7);
  enqueue_of(LD_LITERAL("\xc0"), 8); /* null is missing */
  enqueue_of(LD_LITERAL("\x91\x01"), 9);
  enqueue_of(LD_LITERAL("\x91\x02"), 10);
  seen first = claim_of();
  static const int64_t order[] = {4, 5, 7, 9, 10, -1};
  CHECK(first.number == 1);
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) CHECK(claim_of().number == order[i]);
  CHECK(count_of(LD_JOB_READY) == 4 && due() == first.job.lease_until);
  enqueue_of(LD_LITERAL("\xa1"
                        "a"),
             0); /* before the others of its group, when that may go on */
  CHECK(claim_of().number == -1 && ack(&first) == LD_VERDICT_OK && due() <= clock_ms);
  first = claim_of();
  CHECK(first.number == 0 && claim_of().number == -1);
  CHECK_RC(LD_OK, ld_queue_cancel(txn, Q, first.job.id));
  CHECK(claim_of().number == -1 && ack(&first) == LD_VERDICT_CANCELLED && claim_of().number == 2);
  finish();
}

/* What long values have in common does not make them one group; what they are does. */
static void test_long_groups(void) {
  uint8_t value[203] = {0xd9, 200};
  start_with((ld_queue_limit){.concurrency = 1, .by = "by"});
  memset(value + 2, 'x', 200);
  enqueue_of(ld_bytes(value, 202), 1);
  enqueue_of(ld_bytes(value, 202), 2);
  value[201] = 'y';
  enqueue_of(ld_bytes(value, 202), 3);
  CHECK(claim_of().number == 1 && claim_of().number == 3 && claim_of().number == -1);
  finish();
}

/* In keys one of them is the beginning of the other. */
static void test_groups_of_like_names(void) {
  static const ld_slice short_name = {(const uint8_t *)"\xa1"
                                                       "a",
                                      2},
                        long_name = {(const uint8_t *)"\xa3"
                                                      "a\0b",
                                     4};
  start_with((ld_queue_limit){.concurrency = 1, .by = "by"});
  enqueue_of(short_name, 1);
  enqueue_of(long_name, 2);
  enqueue_of(long_name, 3);
  CHECK(claim_of().number == 1);
  CHECK(claim_of().number == 2);
  CHECK(claim_of().number == -1);
  finish();
}

static void test_group_rate(void) {
  const ld_slice a = LD_LITERAL("\x01"), b = LD_LITERAL("\x02");
  start_with((ld_queue_limit){.rate = 1, .per_ms = 1000, .by = "by"});
  enqueue_of(a, 1), enqueue_of(a, 2), enqueue_of(a, 3);
  seen one = claim_of();
  CHECK(one.number == 1 && ack(&one) == LD_VERDICT_OK && claim_of().number == -1);
  CHECK(due() == clock_ms + 1000);
  clock_ms += 500;
  enqueue_of(b, 4), enqueue_of(b, 5);
  CHECK(claim_of().number == 4 && claim_of().number == -1 && due() == clock_ms + 500);
  clock_ms += 500;
  CHECK(claim_of().number == 2 && claim_of().number == -1);
  clock_ms += 1000;
  CHECK(claim_of().number == 3 && claim_of().number == 5 && claim_of().number == -1);
  finish();
}

/* A group that nothing waits for leaves no rows behind. */
static void test_groups_are_forgotten(void) {
  ld_engine_stats before, after;
  start_with((ld_queue_limit){.rate = 5, .concurrency = 5, .per_ms = 1000, .by = "by"});
  commit();
  CHECK_RC(LD_OK, ld_stats(store, &before));
  begin();
  for (uint8_t i = 1; i < 100; i++) {
    enqueue_of(ld_bytes(&i, 1), i);
    seen one = claim_of();
    CHECK(one.number == i && ack(&one) == LD_VERDICT_OK);
  }
  clock_ms += 1000;
  CHECK(claim_of().number == -1);
  commit();
  CHECK_RC(LD_OK, ld_stats(store, &after));
  CHECK(after.entries == before.entries);
  begin();
  finish();
}

static void test_limits_of_a_full_queue(void) {
  ld_queue_options options = ld_queue_defaults;
  const ld_slice a = LD_LITERAL("\x01"), b = LD_LITERAL("\x02");
  start_with((ld_queue_limit){0});
  for (int i = 1; i <= 3; i++) enqueue_of(a, i);
  enqueue_of(b, 4);
  CHECK(claim_of().number == 1);
  options.limit = (ld_queue_limit){.concurrency = 1, .per_ms = 1, .by = "by"};
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, true));
  CHECK(claim_of().number == 4 && claim_of().number == -1); /* one of a runs already */
  options.limit.concurrency = 2;
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, true));
  CHECK(claim_of().number == 2 && claim_of().number == -1);
  options.limit.by[0] = 0;
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, true));
  CHECK(claim_of().number == -1);
  options.limit.concurrency = 0;
  CHECK_RC(LD_OK, ld_queue_declare(txn, Q, &options, true));
  CHECK(claim_of().number == 3 && claim_of().number == -1);
  finish();
}

int main(void) {
  test_concurrency();
  test_rate();
  test_rate_slots();
  test_groups();
  test_long_groups();
  test_groups_of_like_names();
  test_group_rate();
  test_groups_are_forgotten();
  test_limits_of_a_full_queue();
  return check_done("queue_limit");
}
