/* terminal.c -- what the command line needs of a terminal, of Ctrl-C, and of its three files.
**
** A caught signal becomes an error: it is raised in the Lua code that runs next, where transactions roll back and files are removed as for any other error; in the
** coroutine that runs, and in each that resumed it. The second signal, while the first waits for its turn or was caught by a program's pcall, kills as if nothing was caught; a store
** survives that, too. Who sends SIGTERM or SIGHUP does not watch: an alarm is the second one. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "bind.h"

enum { PATIENCE = 5 }; /* seconds, for what SIGTERM or SIGHUP ends */

static lua_State *volatile running; /* the coroutine whose code runs, which is told */
static volatile sig_atomic_t arrived;
static volatile sig_atomic_t last; /* what the alarm is for */

/* ---- signals ---- */

static int text_of_interruption(lua_State *L) {
  lua_pushliteral(L, "interrupted");
  return 1;
}

static int raise_interruption(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushinteger(L, arrived);
  lua_setfield(L, -2, "signal");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, text_of_interruption);
  lua_setfield(L, -2, "__tostring");
  lua_setmetatable(L, -2);
  return lua_error(L);
}

static void interrupt(lua_State *L, lua_Debug *at) {
  (void)at;
  raise_interruption(L);
}

static void die_of(int number) {
  signal(number, SIG_DFL);
  raise(number);
}

static void on_alarm(int number) {
  (void)number;
  die_of(last);
}

/* lua_sethook is made to be called from signal handlers. */
static void on_signal(int number) {
  if (arrived != 0) {
    die_of(number);
    return;
  }
  arrived = number;
  last = number;
  if (number != SIGINT) alarm(PATIENCE);
  lua_sethook(running, interrupt, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* coroutine.resume, which is the first upvalue, so that `running` is true. What interrupted the coroutine closes it (the second is coroutine.close), and is raised in the one that resumed it. */
static int resume(lua_State *L) {
  lua_State *self = running;
  luaL_argexpected(L, lua_isthread(L, 1), 1, "coroutine");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_rotate(L, 2, 2);
  running = lua_tothread(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  running = self;
  if (arrived == 0) return status == LUA_OK ? lua_gettop(L) - 1 : lua_error(L);
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_pcall(L, 1, 0, 0);
  return raise_interruption(L);
}

static void replace_resume(lua_State *L) {
  lua_getglobal(L, "coroutine");
  lua_getfield(L, -1, "resume");
  lua_getfield(L, -2, "close");
  lua_pushcclosure(L, resume, 2);
  lua_setfield(L, -2, "resume");
  lua_pop(L, 1);
}

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};

static void catch_signal(int number) {
  struct sigaction mine = {.sa_handler = number == SIGALRM ? on_alarm : on_signal}, there;
  sigemptyset(&mine.sa_mask);
  bool ignored = sigaction(number, NULL, &there) == 0 && there.sa_handler == SIG_IGN;
  if (!ignored) sigaction(number, &mine, NULL);
}

/* The state is about to be gone: from now on signals kill. */
static int let_go(lua_State *L) {
  struct sigaction there;
  (void)L;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    bool known = sigaction(numbers[i], NULL, &there) == 0;
    if (known && (there.sa_handler == on_signal || there.sa_handler == on_alarm))
      signal(numbers[i], SIG_DFL);
  }
  return 0;
}

/* A value in the registry whose finalizer lets go. */
static void let_go_at_end(lua_State *L) {
  static const char key = 0;
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, let_go);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}

/* core.catch(): from now on SIGINT, SIGTERM and SIGHUP raise an error in this state; one that is ignored stays so.
** coroutine.resume is replaced by one that passes it on; coroutine.wrap is the caller's matter. */
static int catch_signals(lua_State *L) {
  running = L;
  replace_resume(L);
  let_go_at_end(L);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) catch_signal(numbers[i]);
  return 0;
}

/* core.caught() -> the number of the signal that came since the last call; nil when none did */
static int caught_signal(lua_State *L) {
  if (arrived == 0) return lb_push_nil(L);
  lua_pushinteger(L, arrived);
  arrived = 0;
  return 1;
}

/* ---- files ---- */

/* core.fill_files(): a standard file that is closed is /dev/null from now on, the other way round, so that using it still fails. Else a store's file would take its number. */
static int fill_files(lua_State *L) {
  (void)L;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    bool closed = fcntl(fd, F_GETFD) < 0 && errno == EBADF;
    if (closed && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) break;
  }
  return 0;
}

/* core.readable(path) -> whether it is there and can be read. It is not opened: it may be a pipe. */
static int is_readable(lua_State *L) {
  lua_pushboolean(L, access(luaL_checkstring(L, 1), R_OK) == 0);
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
      {"fill_files", fill_files},
      {"readable", is_readable},
      {"terminal", terminal_size},
      {"raw", raw_mode},
      {NULL, NULL},
  };
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
