/* terminal.c -- what the command line needs of a terminal, and of Ctrl-C.
**
** A caught signal becomes an error: it is raised in the Lua code that runs next, where transactions roll back and files are removed as for any other error.
** The second one, while the first waits for C code to end, kills as if nothing was caught; a store survives that, too. */
#include "terminal.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "bind.h"

static lua_State *volatile running; /* the state whose Lua code is told */
static volatile sig_atomic_t arrived;

/* ---- signals ---- */

static int text_of_interruption(lua_State *L) {
  lua_pushliteral(L, "interrupted");
  return 1;
}

static void raise_interruption(lua_State *L, lua_Debug *at) {
  (void)at;
  lua_sethook(L, NULL, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushinteger(L, arrived);
  lua_setfield(L, -2, "signal");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, text_of_interruption);
  lua_setfield(L, -2, "__tostring");
  lua_setmetatable(L, -2);
  lua_error(L);
}

/* lua_sethook is made to be called from signal handlers. */
static void on_signal(int number) {
  if (arrived != 0) {
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  arrived = number;
  lua_sethook(running, raise_interruption,
              LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* core.catch(): from now on SIGINT, SIGTERM and SIGHUP raise an error in this state; one that is ignored stays so. */
static int catch_signals(lua_State *L) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction mine = {.sa_handler = on_signal}, there;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  running = lua_tothread(L, -1);
  sigemptyset(&mine.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    bool ignored = sigaction(numbers[i], NULL, &there) == 0 && there.sa_handler == SIG_IGN;
    if (!ignored) sigaction(numbers[i], &mine, NULL);
  }
  return 0;
}

/* core.caught() -> the number of the signal that came since the last call; nil when none did */
static int caught_signal(lua_State *L) {
  if (arrived == 0) return lb_push_nil(L);
  lua_pushinteger(L, arrived);
  arrived = 0;
  return 1;
}

/* ---- the terminal ---- */

/* core.terminal(fd) -> columns, rows; nil when it is none. A terminal that does not know its size has 80 and 24. */
static int terminal_size(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  struct winsize size = {0};
  if (!isatty(fd)) return lb_push_nil(L);
  bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  lua_pushinteger(L, known ? size.ws_col : 80);
  lua_pushinteger(L, known ? size.ws_row : 24);
  return 2;
}

/* core.raw(fd, on) -> whether it could: keys come one by one, unseen, Ctrl-C as a byte; off: as it was before */
static int raw_mode(lua_State *L) {
  static struct termios before;
  static bool changed;
  int fd = (int)luaL_checkinteger(L, 1);
  bool on = lua_toboolean(L, 2), done = true;
  if (on && !changed) {
    struct termios raw;
    done = tcgetattr(fd, &before) == 0;
    raw = before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= (tcflag_t) ~(ICRNL | IXON);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    done = changed = done && tcsetattr(fd, TCSADRAIN, &raw) == 0;
  } else if (!on && changed) {
    changed = false;
    done = tcsetattr(fd, TCSADRAIN, &before) == 0;
  }
  lua_pushboolean(L, done);
  return 1;
}

void lb_open_terminal(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"catch", catch_signals},
      {"caught", caught_signal},
      {"terminal", terminal_size},
      {"raw", raw_mode},
      {NULL, NULL},
  };
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
