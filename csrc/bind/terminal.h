/* terminal.h -- what the command line needs: JSON, the terminal, Ctrl-C. */
#ifndef LD_BIND_TERMINAL_H
#define LD_BIND_TERMINAL_H

#include <lua.h>

void lb_open_json(lua_State *L, int module); /* core.to_json, from_json (json_text.c) */
void lb_open_terminal(lua_State *L,
                      int module); /* core.terminal, raw, catch, caught (terminal.c) */

#endif
