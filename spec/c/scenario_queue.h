/* scenario_queue.h -- what scenario.h promises, for queues. */
#ifndef SPEC_SCENARIO_QUEUE_H
#define SPEC_SCENARIO_QUEUE_H

#include "../../csrc/queue_schedule.h"

/* Two queues with jobs in every state; `*clock` is the store's, and is moved. */
ld_rc scenario_fill_queues(ld_txn *txn, int64_t *clock);

/* Name, whether it writes, function. */
#define QUEUE_SCENARIOS(each)                                                                      \
  each("a new one", true, declare_new) each("replace: other groups", true, replace_by) each(       \
      "replace: no groups", true, replace_none) each("enqueue", true, enqueue)                     \
      each("enqueue into a new one", true, enqueue_new) each(                                      \
          "enqueue many", true, enqueue_many) each("enqueue again", true, enqueue_again)           \
          each("enqueue after a window", true, enqueue_later) each("claim", true, claim) each(     \
              "claim many", true, claim_many) each("claim when all is due", true, claim_late)      \
              each("ack", true, ack) each("next", true, next) each("fail", true, fail_retry)       \
                  each("fail for good", true, fail_dead) each("release", true, release) each(      \
                      "release for later", true, release_later) each("extend", true, extend)       \
                      each("cancel", true, cancel) each("cancel a running one", true,              \
                                                        cancel_running) each("retry", true, retry) \
                          each("retry all", true, retry_all) each("delete", true, remove_one)      \
                              each("delete a running one", true,                                   \
                                   remove_running) each("prune", true, prune)                      \
                                  each("pause", true, pause_queue) each("drain", true, drain)      \
                                      each("groups: enqueue", true,                                \
                                           group_enqueue) each("groups: claim", true, group_claim) \
                                          each("groups: ack", true, group_ack) each(               \
                                              "groups: claim when one may go on", true,            \
                                              group_late) each("groups: drain", true, group_drain) \
                                              each("schedule", true, schedule)                     \
                                                  each("schedule again", true, schedule_again)     \
                                                      each("unschedule", true,                     \
                                                           unschedule) each("get", false, get)     \
                                                          each("counts", false, counts)            \
                                                              each("each", false, each_job)        \
                                                                  each("stats", false, stats)      \
                                                                      each("due", false, due)      \
                                                                          each("schedules", false, \
                                                                               schedules)          \
                                                                              each("names", false, \
                                                                                   names)

#define QUEUE_SCENARIO_DECLARE(name, writes, run) ld_rc queue_scenario_##run(ld_txn *, ld_buf *);
#define QUEUE_SCENARIO_ENTRY(name, writes, run)   {"queue: " name, writes, queue_scenario_##run},

QUEUE_SCENARIOS(QUEUE_SCENARIO_DECLARE)

#endif
