/* env.h -- the world outside: clock, randomness, log. The core reaches them only through here,
** so that tests never sleep and a program may bring its own. */
#ifndef LD_ENV_H
#define LD_ENV_H

#include "base.h"

typedef enum ld_level { LD_LOG_ERROR, LD_LOG_WARN, LD_LOG_INFO, LD_LOG_DEBUG } ld_level;

typedef struct ld_env {
  void *context;                    /* handed to each function */
  int64_t (*now_ms)(void *context); /* ms since 1970 */
  void (*random)(void *context, void *bytes, size_t size);
  void (*log)(void *context, ld_level level,
              const char *line); /* NULL: silent. Called without locks held; may not raise. */
  int64_t (*local_offset_s)(void *context,
                            int64_t at_ms); /* local time is UTC and so many seconds; NULL: 0 */
} ld_env;

ld_env ld_env_system(void); /* the system's clock, randomness and time zone, no log */
int64_t ld_now(const ld_env *env);
int64_t ld_local_offset_s(const ld_env *env, int64_t at_ms);
void ld_log(const ld_env *env, ld_level level, const char *format, ...) LD_PRINTF(3, 4);

#endif
