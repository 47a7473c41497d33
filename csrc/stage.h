/* stage.h -- folders that are being filled: hidden until they are complete, and given up by the death of their maker.
**
** A stage is `.larder-XXXXXXXX` beside the place that it is for, locked (flock) by the process that fills it, and by those that it forks. Who finds one
** without a lock may remove it. On file systems without such locks none is removed. */
#ifndef LD_STAGE_H
#define LD_STAGE_H

#include "base.h"
#include "env.h"

typedef struct ld_stage {
  char *path; /* owned */
  int lock;   /* a descriptor of the folder; -1: there is no stage */
} ld_stage;

/* Make one in `parent`, which is made when missing. FULL, IO. */
ld_rc ld_stage_make(const char *parent, ld_stage *stage, ld_error *error);
/* Give it the name `path`, in its parent, for good. What is in it has been synced. EXISTS: something is there. Afterwards there is no stage. */
ld_rc ld_stage_publish(ld_stage *stage, const char *path, ld_error *error);
/* Remove it, and all in it. No stage is fine. */
void ld_stage_remove(ld_stage *stage);
/* Remove what the dead have left in `parent`. */
void ld_stage_sweep(const char *parent, const ld_env *log);

/* Make the folder `path` be gone at once, then remove it. */
ld_rc ld_stage_drop(const char *path, ld_error *error);

/* Hold a folder against others who do the same; *lock is a descriptor to close. BUSY. */
ld_rc ld_stage_hold(const char *path, int *lock, ld_error *error);

#endif
