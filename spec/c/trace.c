/* trace.c -- a child that is killed at the nth system call of those that write: each state of its files is met. Part of larder_port.
**
** The child calls trace_me() and is then stopped; kill_at_write(pid, n) lets it run, and kills it before the nth such call. */
#include "port.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__) && defined(__GLIBC__)
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#endif

#ifdef PTRACE_GET_SYSCALL_INFO

static const long writers[] = {
    SYS_write,  SYS_pwrite64, SYS_writev,    SYS_pwritev,   SYS_fsync,   SYS_fdatasync, SYS_msync,
    SYS_linkat, SYS_unlinkat, SYS_renameat2, SYS_ftruncate, SYS_mkdirat, SYS_renameat,
#ifdef SYS_open
    SYS_link,   SYS_unlink,   SYS_rename,    SYS_mkdir,     SYS_open,
#endif
    SYS_openat,
};

static bool is_writer(pid_t pid) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return false;
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return false;
  long number = (long)info.entry.nr;
  bool opens = number == SYS_openat;
  unsigned long long flags = info.entry.args[2];
#ifdef SYS_open
  if (number == SYS_open) flags = info.entry.args[1];
  opens = opens || number == SYS_open;
#endif
  if (opens && (flags & O_CREAT) == 0) return false;
  for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
    if (writers[i] == number) return true;
  return false;
}

static int trace_me(lua_State *L) {
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) return port_errno(L);
  raise(SIGSTOP);
  lua_pushboolean(L, 1);
  return 1;
}

/* To the next stop; its signal goes on to the child, where it is none of ours. -1: it has ended. */
static int step(pid_t pid, int signal, int *status) {
  enum { AT_CALL = SIGTRAP | 0x80 };
  if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) != 0) return -1;
  if (waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status)) return -1;
  return WSTOPSIG(*status) == AT_CALL ? 0 : WSTOPSIG(*status);
}

/* kill_at_write(pid, n) -> true when it was killed; false and its exit code when it came to its end before; nil where that cannot be done. */
static int kill_at_write(lua_State *L) {
  pid_t pid = (pid_t)luaL_checkinteger(L, 1);
  lua_Integer left = luaL_checkinteger(L, 2);
  int status = 0, signal = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return 0;
  if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return 0;
  }
  while (left > 0 && (signal = step(pid, signal, &status)) >= 0)
    if (signal == 0 && is_writer(pid)) left--;
  if (left == 0) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  lua_pushboolean(L, WIFSIGNALED(status));
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return 2;
}

void port_add_traces(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"trace_me", trace_me}, {"kill_at_write", kill_at_write}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}

#else

/* Specs see that they are not there. */
void port_add_traces(lua_State *L) { (void)L; }

#endif
