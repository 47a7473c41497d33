/* progress.h -- the option `progress` of what takes long: a function that hears how far it is.
**
** It is called between the library's own steps, protected, and may not use the store, as the store's clock. What it raises ends the work and is raised to the caller
** once nothing is open any more. */
#ifndef LB_PROGRESS_H
#define LB_PROGRESS_H

#include "bind.h"

typedef struct lb_progress {
  lua_State *L;
  lb_store *store; /* NULL: none */
  int function;    /* stack index; 0: nobody asks */
  bool failed;     /* it has raised, and its error is on top of the stack */
} lb_progress;

/* Take it from the options at `options`, which may be absent; leaves at most a value on the stack. Raises INVALID. */
void lb_progress_read(lua_State *L, int options, lb_progress *progress, const char *op);
/* `context` is an lb_progress. INVALID when the function raised. */
ld_rc lb_progress_call(void *context, uint64_t done, uint64_t total);
/* Raise what it has raised; does nothing when it has not. */
void lb_progress_raise(lua_State *L, const lb_progress *progress);

#endif
