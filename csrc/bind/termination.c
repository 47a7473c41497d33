/* termination.c -- noticing SIGTERM while a worker runs.
**
** While somebody watches, a handler of ours counts the signal, and passes it on to the handler that was there before; the last one to stop watching puts the old one back,
** unless somebody has set another meanwhile. A process that ignores SIGTERM goes on ignoring it. */
#include <pthread.h>
#include <signal.h>

#include "queue_box.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned watchers;
static bool installed;
static struct sigaction before;
static volatile sig_atomic_t arrived;

static void count(int number, siginfo_t *info, void *context) {
  arrived = (sig_atomic_t)((arrived + 1) & 0x3fffffff);
  if ((before.sa_flags & SA_SIGINFO) != 0)
    before.sa_sigaction(number, info, context);
  else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
    before.sa_handler(number);
}

static bool is_ours(const struct sigaction *action) {
  return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == count;
}

static void install(void) {
  struct sigaction mine = {.sa_flags = SA_SIGINFO | SA_RESTART}, there;
  mine.sa_sigaction = count;
  sigemptyset(&mine.sa_mask);
  sigaction(SIGTERM, NULL, &there);
  if (is_ours(&there)) {
    installed = true;
    return;
  }
  bool ignored = (there.sa_flags & SA_SIGINFO) == 0 && there.sa_handler == SIG_IGN;
  if (!ignored) before = there;
  installed = !ignored && sigaction(SIGTERM, &mine, NULL) == 0;
}

static void restore(void) {
  struct sigaction there;
  sigaction(SIGTERM, NULL, &there);
  if (installed && is_ours(&there)) sigaction(SIGTERM, &before, NULL);
  installed = false;
}

/* queue.watch() -> how many SIGTERMs there were until now */
static int watch(lua_State *L) {
  pthread_mutex_lock(&lock);
  if (watchers++ == 0) install();
  pthread_mutex_unlock(&lock);
  lua_pushinteger(L, arrived);
  return 1;
}

static int unwatch(lua_State *L) {
  (void)L;
  pthread_mutex_lock(&lock);
  if (watchers > 0 && --watchers == 0) restore();
  pthread_mutex_unlock(&lock);
  return 0;
}

/* queue.terminations() -> how many there were */
static int count_arrived(lua_State *L) {
  lua_pushinteger(L, arrived);
  return 1;
}

static const luaL_Reg functions[] = {
    {"watch", watch}, {"unwatch", unwatch}, {"terminations", count_arrived}, {NULL, NULL}};

void lb_open_termination(lua_State *L) { luaL_setfuncs(L, functions, 0); }
