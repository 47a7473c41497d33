/* process.c -- processes, pipes, limits and clocks for specs; part of larder_port. */
#include "port.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int port_errno(lua_State *L) {
  int number = errno;
  luaL_pushfail(L);
  lua_pushstring(L, strerrorname_np(number));
  lua_pushstring(L, strerror(number));
  return 3;
}

static int answer(lua_State *L, int result) {
  if (result < 0) return port_errno(L);
  lua_pushboolean(L, 1);
  return 1;
}

/* Push an integer that is a failure below 0. */
static int answer_number(lua_State *L, lua_Integer number) {
  if (number < 0) return port_errno(L);
  lua_pushinteger(L, number);
  return 1;
}

/* ---- processes ---- */

/* 0 in the child. What is buffered is written before, so that it is not written twice. */
static int process_fork(lua_State *L) {
  fflush(NULL);
  return answer_number(L, fork());
}

static int process_getpid(lua_State *L) { return answer_number(L, getpid()); }

/* waitpid(pid, nohang) -> pid, "exited" | "killed", code | signal; pid 0 with nohang: it still runs. */
static int process_waitpid(lua_State *L) {
  int status = 0;
  pid_t pid, wanted = (pid_t)luaL_checkinteger(L, 1);
  do pid = waitpid(wanted, &status, lua_toboolean(L, 2) ? WNOHANG : 0);
  while (pid < 0 && errno == EINTR);
  if (pid <= 0) return answer_number(L, pid);
  lua_pushinteger(L, pid);
  lua_pushstring(L, WIFEXITED(status) ? "exited" : "killed");
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return 3;
}

static int process_kill(lua_State *L) {
  return answer(L, kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_optinteger(L, 2, SIGKILL)));
}

/* Leave at once: no finalizers, no atexit. */
static int process_quit(lua_State *L) { _exit((int)luaL_optinteger(L, 1, 0)); }

/* ---- pipes ---- */

static int process_pipe(lua_State *L) {
  int ends[2];
  if (pipe(ends) < 0) return port_errno(L);
  lua_pushinteger(L, ends[0]);
  lua_pushinteger(L, ends[1]);
  return 2;
}

/* read(fd, most) -> what is there, waiting for the first byte; "" at the end. */
static int process_read(lua_State *L) {
  char bytes[4096];
  int fd = (int)luaL_checkinteger(L, 1);
  size_t most = (size_t)luaL_optinteger(L, 2, sizeof bytes);
  ssize_t got;
  do got = read(fd, bytes, most < sizeof bytes ? most : sizeof bytes);
  while (got < 0 && errno == EINTR);
  if (got < 0) return port_errno(L);
  lua_pushlstring(L, bytes, (size_t)got);
  return 1;
}

static int process_write(lua_State *L) {
  size_t left;
  int fd = (int)luaL_checkinteger(L, 1);
  const char *at = luaL_checklstring(L, 2, &left);
  while (left > 0) {
    ssize_t put = write(fd, at, left);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return port_errno(L);
    at += put;
    left -= (size_t)put;
  }
  return answer(L, 0);
}

static int process_close(lua_State *L) { return answer(L, close((int)luaL_checkinteger(L, 1))); }

/* ---- limits ---- */

static int set_limit(lua_State *L, int which, lua_Integer limit) {
  struct rlimit both;
  if (getrlimit((__rlimit_resource_t)which, &both) < 0) return port_errno(L);
  both.rlim_cur = limit < 0 ? both.rlim_max : (rlim_t)limit;
  return answer(L, setrlimit((__rlimit_resource_t)which, &both));
}

/* Files may not grow past `bytes`; without, as far as allowed. A write past it is SIGXFSZ, or EFBIG once that is ignored. */
static int process_setrlimit_fsize(lua_State *L) {
  return set_limit(L, RLIMIT_FSIZE, luaL_optinteger(L, 1, -1));
}

static int process_setrlimit_as(lua_State *L) {
  return set_limit(L, RLIMIT_AS, luaL_optinteger(L, 1, -1));
}

static int process_ignore_sigxfsz(lua_State *L) {
  return answer(L, signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? -1 : 0);
}

/* Be another user from now on; nil where that is not allowed. */
static int process_setuid(lua_State *L) {
  return answer(L, setuid((uid_t)luaL_checkinteger(L, 1)));
}

/* Bytes resident. */
static int process_rss(lua_State *L) {
  long total, resident;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL) return port_errno(L);
  int read = fscanf(file, "%ld %ld", &total, &resident);
  fclose(file);
  return read == 2 ? answer_number(L, (lua_Integer)resident * sysconf(_SC_PAGESIZE))
                   : luaL_error(L, "statm: not understood");
}

/* The most that it ever was. */
static int process_peak(lua_State *L) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return port_errno(L);
  return answer_number(L, (lua_Integer)usage.ru_maxrss * 1024);
}

/* ---- time ---- */

static int process_sleep(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  struct timespec left = {.tv_sec = (time_t)seconds};
  left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
  while (nanosleep(&left, &left) < 0 && errno == EINTR) continue;
  return 0;
}

static int process_monotonic(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
  return 1;
}

void port_add_processes(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fork", process_fork},
      {"getpid", process_getpid},
      {"waitpid", process_waitpid},
      {"kill", process_kill},
      {"_exit", process_quit},
      {"pipe", process_pipe},
      {"read", process_read},
      {"write", process_write},
      {"close", process_close},
      {"setrlimit_fsize", process_setrlimit_fsize},
      {"setrlimit_as", process_setrlimit_as},
      {"ignore_sigxfsz", process_ignore_sigxfsz},
      {"setuid", process_setuid},
      {"rss", process_rss},
      {"peak", process_peak},
      {"sleep", process_sleep},
      {"monotonic", process_monotonic},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
