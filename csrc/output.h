/* output.h -- a file that is written without a name, synced, and gets its name only when it is whole: nothing is left of one that was killed. Where the
** system has no files without names it is written under another one. Where an int is returned, it is 0 or an errno. */
#ifndef LD_OUTPUT_H
#define LD_OUTPUT_H

#include <sys/types.h>

#include "base.h"

/* What the errno of a file operation means: FULL, INVALID (no such path), NOMEM, else IO. */
ld_rc ld_output_rc(int code);
int ld_output_write(int file, ld_slice text); /* all of it */

typedef struct ld_output {
  int descriptor;         /* -1: none is open */
  pid_t owner;            /* a forked child removes nothing */
  ld_buf path, temporary; /* `temporary` is empty while it has no name */
} ld_output;

/* ld_output_end it, also after a failure. */
int ld_output_begin(ld_output *file, const char *path);
/* Sync, put in place, sync the folder. EEXIST: it is taken, and not `replace`. */
int ld_output_publish(ld_output *file, bool replace);
/* What was not published is removed. Twice is fine. */
void ld_output_end(ld_output *file);

#endif
