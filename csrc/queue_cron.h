/* queue_cron.h -- the times of periodic jobs: five fields, as in crontab(5), or a fixed distance.
**
** minute 0-59, hour 0-23, day of month 1-31, month 1-12 or jan-dec, day of week 0-7 (0 and 7 are sunday) or sun-sat. Each is `*`, a number, a range `a-b`, either with a step
** `/n`, or a list of these with commas. When both days are restricted (do not begin with `*`), either is enough. @hourly @daily @midnight @weekly @monthly @yearly @annually.
** In a time zone with summer time, a time that a change leaves out comes right after the change, one that comes twice is taken the first time; with `*` as the hour the hours count as they pass. */
#ifndef LD_QUEUE_CRON_H
#define LD_QUEUE_CRON_H

#include "env.h"

typedef struct ld_cron {
  uint64_t minutes;
  uint32_t hours, days, months, weekdays; /* bit n: n; sunday is 0 */
  bool any_hour, any_day, any_weekday;    /* the field begins with `*` */
} ld_cron;

/* INVALID says which field: `hour: 24 is not between 0 and 23`. Also a day that no month has: `day of month: ...`. */
ld_rc ld_cron_read(ld_slice text, ld_cron *cron, ld_error *error);
/* The first time after `after`, ms; in the environment's time zone when `local`, else UTC. INT64_MAX: past LD_QUEUE_LATEST. */
int64_t ld_cron_next(const ld_cron *cron, const ld_env *env, bool local, int64_t after);

#endif
