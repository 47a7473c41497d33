/* verify.h -- store:verify and core.recover. */
#ifndef LB_VERIFY_H
#define LB_VERIFY_H

#include "bind.h"

int lb_verify(lua_State *L);  /* store:verify */
int lb_recover(lua_State *L); /* core.recover */
void lb_open_reports(lua_State *L);

#endif
