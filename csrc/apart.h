/* apart.h -- work in a process of its own: what kills it (a damaged file under liblmdb, say) kills nobody else.
**
** The process is a fork of this one, so it has a copy of all that was in memory; engines open their environments anew in it. It runs `work`, hands over what that
** says, and ends without finalizers. It has default signal handlers, gives way to other processes (nice), and dies with its parent (Linux). `work` must not call what belongs to the program: the environment's log and clock. */
#ifndef LD_APART_H
#define LD_APART_H

#include "base.h"

/* How far the work is, in memory that both processes see: it has parts, which take about as long as one another. */
typedef struct ld_gauge {
  _Atomic uint64_t rows;        /* that the work is about, once they are known */
  _Atomic uint64_t part;        /* the one at hand, from 0 */
  _Atomic uint64_t done, total; /* of it; a total of 0: not known */
} ld_gauge;

static inline void ld_gauge_set(ld_gauge *gauge, unsigned part, uint64_t done, uint64_t total) {
  if (gauge->part != part) gauge->done = 0; /* who looks in between sees none of the old part */
  gauge->part = part;
  gauge->total = total;
  gauge->done = done;
}

typedef struct ld_apart {
  void *context; /* for both; the process has a copy */
  /* In the process. Append what is to be handed over to `answer`. */
  ld_rc (*work)(void *context, ld_gauge *gauge, ld_buf *answer, ld_error *error);
  /* Here, ten times a second while it works; may be NULL. Another code than LD_OK ends the process, and is returned without a text. */
  ld_rc (*look)(void *context, const ld_gauge *gauge);
} ld_apart;

/* Run it and wait. Its result, text and answer are the work's. CORRUPT: a fault killed it (SIGSEGV, SIGBUS, SIGABRT, ...), as damaged data does;
** IO: another signal did, or no process could be made. `what` begins these texts. */
ld_rc ld_apart_run(const char *what, const ld_apart *apart, ld_buf *answer, ld_error *error);

#endif
