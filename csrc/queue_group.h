/* queue_group.h -- the row of a group (drawing: queue_group.c), for who looks at all of a queue. Not for other layers. */
#ifndef LD_QUEUE_GROUP_H
#define LD_QUEUE_GROUP_H

#include "queue_row.h"

enum { QUEUE_GROUP_NAME = 160 };

typedef struct queue_group {
  uint8_t name[QUEUE_GROUP_NAME];
  size_t name_size;
  int64_t running;
  bool has_head;
  int64_t head[3]; /* priority, run_at, id */
  int64_t wake;    /* 0: not in WAKE */
  queue_rate rate;
} queue_group;

static inline bool queue_has_groups(const queue_work *work) {
  return work->options.limit.by[0] != 0;
}

/* The group of a job with these data. */
void queue_name_group(const queue_work *work, ld_slice data, queue_group *of);
/* The key of the kind with the group's name behind it. */
ld_buf queue_group_key(queue_space space, const queue_work *work, int kind, const queue_group *of);
/* All but the name, from the payload of a row. CORRUPT. */
ld_rc queue_read_group(queue_work *work, ld_slice payload, queue_group *of);
/* Of a group without a row it is nothing. */
ld_rc queue_load_group(queue_work *work, queue_group *of);
/* The first job of the group that waits. NOTFOUND. */
ld_rc queue_first_of_group(queue_work *work, const queue_group *of, int64_t job[3]);

#endif
