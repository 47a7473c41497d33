/* apart.c -- see apart.h.
**
** The verdict comes through a pipe, the error first, then the answer; a program may reap all its children, so the exit status is not relied on. */
#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LESS_URGENT = 10 }; /* than those who wait for nothing: about a tenth of a busy processor */
enum { LOOK_MS = 100 };

typedef struct apart_work {
  const ld_apart *apart;
  ld_gauge *gauge;
  pid_t parent;
  sigset_t signals; /* that were blocked before */
} apart_work;

/* ---- in the child ---- */

static void send_all(int pipe, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  while (size > 0) {
    ssize_t done = write(pipe, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) _exit(1);
    at += done;
    size -= (size_t)done;
  }
}

static void leave_handlers(const apart_work *work) {
  static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1,
                                SIGUSR2, SIGCHLD, SIGSEGV, SIGBUS,  SIGABRT, SIGFPE,  SIGILL};
  const struct rlimit no_core = {0, 0};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
  setrlimit(RLIMIT_CORE, &no_core);
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + LESS_URGENT);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (getppid() != work->parent) _exit(1);
  pthread_sigmask(SIG_SETMASK, &work->signals, NULL);
}

static void run_and_exit(const apart_work *work, int pipe) {
  ld_error error = {.rc = LD_OK};
  ld_buf answer = {0};
  leave_handlers(work);
  ld_rc rc = work->apart->work(work->apart->context, work->gauge, &answer, &error);
  if (rc == LD_OK && answer.failed) rc = ld_fail(&error, LD_NOMEM, "out of memory");
  error.rc = rc;
  send_all(pipe, &error, sizeof error);
  if (rc == LD_OK) send_all(pipe, answer.data, answer.size);
  _exit(0);
}

/* ---- in the parent ---- */

/* Whether there is something to receive, or the end of it; false: it is time to look. */
static bool wait_for(int pipe) {
  struct pollfd one = {.fd = pipe, .events = POLLIN};
  return poll(&one, 1, LOOK_MS) > 0;
}

/* Another code than LD_OK is the looker's. */
static ld_rc receive_all(const apart_work *work, int pipe, ld_buf *received) {
  const ld_apart *apart = work->apart;
  uint8_t piece[4096];
  ssize_t got = 1;
  while (got != 0) {
    if (apart->look != NULL && !wait_for(pipe)) {
      ld_rc rc = apart->look(apart->context, work->gauge);
      if (rc != LD_OK) return rc;
      continue;
    }
    got = read(pipe, piece, sizeof piece);
    if (got < 0 && errno != EINTR) return LD_OK;
    if (got > 0) ld_buf_add(received, ld_bytes(piece, (size_t)got));
  }
  return LD_OK;
}

static ld_rc tell_death(const char *what, int status, ld_error *error) {
  int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  switch (number) {
  case SIGSEGV:
  case SIGBUS:
  case SIGABRT:
  case SIGFPE:
  case SIGILL:
    return ld_fail(error, LD_CORRUPT, "%s: the process that does it died of it (%s)", what,
                   strsignal(number));
  case 0: return ld_fail(error, LD_IO, "%s: the process that does it ended early", what);
  default:
    return ld_fail(error, LD_IO, "%s: the process that does it was ended (%s)", what,
                   strsignal(number));
  }
}

static ld_rc read_verdict(const char *what, const ld_buf *received, int status, ld_buf *answer,
                          ld_error *error) {
  ld_error verdict;
  if (received->failed) return ld_fail(error, LD_NOMEM, "%s: out of memory", what);
  if (received->size < sizeof verdict) return tell_death(what, status, error);
  memcpy(&verdict, received->data, sizeof verdict);
  if (verdict.rc != LD_OK) {
    if (error != NULL) *error = verdict;
    return verdict.rc;
  }
  ld_buf_add(answer, ld_bytes(received->data + sizeof verdict, received->size - sizeof verdict));
  return answer->failed ? ld_fail(error, LD_NOMEM, "%s: out of memory", what) : LD_OK;
}

/* With all signals blocked, so that no handler of the program runs in the child. */
static pid_t fork_quietly(apart_work *work, const int ends[2]) {
  sigset_t all;
  sigfillset(&all);
  work->parent = getpid();
  pthread_sigmask(SIG_SETMASK, &all, &work->signals);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run_and_exit(work, ends[1]);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &work->signals, NULL);
  errno = code;
  return child;
}

static ld_rc run_in_child(const char *what, apart_work *work, ld_buf *answer, ld_error *error) {
  ld_buf received = {0};
  int ends[2], status = 0;
  if (pipe2(ends, O_CLOEXEC) != 0)
    return ld_fail(error, LD_IO, "%s: no pipe: %s", what, strerror(errno));
  pid_t child = fork_quietly(work, ends);
  int code = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return ld_fail(error, LD_IO, "%s: no process can be made: %s", what, strerror(code));
  }
  ld_rc rc = receive_all(work, ends[0], &received);
  close(ends[0]);
  if (rc != LD_OK) kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (rc == LD_OK) rc = read_verdict(what, &received, status, answer, error);
  ld_buf_clear(&received);
  return rc;
}

ld_rc ld_apart_run(const char *what, const ld_apart *apart, ld_buf *answer, ld_error *error) {
  ld_gauge *gauge =
      mmap(NULL, sizeof *gauge, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (gauge == MAP_FAILED) return ld_fail(error, LD_NOMEM, "%s: out of memory", what);
  apart_work work = {.apart = apart, .gauge = gauge};
  ld_rc rc = run_in_child(what, &work, answer, error);
  munmap(gauge, sizeof *gauge);
  return rc;
}
