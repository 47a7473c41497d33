/* port.h -- what the pieces of larder_port, the raw port for specs, share.
**
** A failure comes back as nil, its code ("IO") and its text; nothing is raised but for arguments of the wrong type. */
#ifndef SPEC_PORT_H
#define SPEC_PORT_H

#include <lauxlib.h>
#include <lua.h>

/* Each adds its functions to the table on top of the stack. */
void port_add_processes(lua_State *L); /* process.c */
void port_add_files(lua_State *L);     /* files.c */
void port_add_ground(lua_State *L);    /* ground.c */
void port_add_traces(
    lua_State *L); /* trace.c; nothing where the system has no ptrace that we know */

/* The types of transactions and cursors. */
void port_add_txns(lua_State *L); /* port_txn.c */

/* Push nil, the name of errno, and its text; returns 3. */
int port_errno(lua_State *L);

#endif
