/* apart.h -- work in a process of its own: what kills it (a damaged file under liblmdb, say) kills nobody else.
**
** The process is a fork of this one, so it has a copy of all that was in memory; engines open their environments anew in it. It runs `work`, hands over what that
** says, and ends without finalizers. It has default signal handlers, gives way to other processes (nice), and dies with its parent (Linux). `work` must not call what belongs to the program: the environment's log and clock. */
#ifndef LD_APART_H
#define LD_APART_H

#include "base.h"

/* Append what is to be handed over to `answer`. */
typedef ld_rc (*ld_apart_work)(void *context, ld_buf *answer, ld_error *error);

/* Run it and wait. Its result, text and answer are the work's. CORRUPT: a fault killed it (SIGSEGV, SIGBUS, SIGABRT, ...), as damaged data does;
** IO: another signal did, or no process could be made. `what` begins these texts. */
ld_rc ld_apart_run(const char *what, ld_apart_work work, void *context, ld_buf *answer,
                   ld_error *error);

#endif
