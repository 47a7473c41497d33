/* host.h -- what the Lua side of the library needs of the machine. */
#ifndef LD_BIND_HOST_H
#define LD_BIND_HOST_H

#include <lua.h>

void lb_open_host(lua_State *L, int module); /* core.names, checksum, now, sleep */

#endif
