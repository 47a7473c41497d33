/* host.c -- what the Lua side of the library needs of the machine: the names in a directory, a checksum of bytes, a store's clock, waiting.
**
** Names are gathered before Lua is told of them, in a buffer that is freed whether telling it fails or not. */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bind.h"

/* ---- core.names(directory) ---- */

static ld_rc fail(const char *path, int number, ld_error *error) {
  ld_rc rc = number == ENOENT || number == ENOTDIR || number == EACCES ? LD_INVALID : LD_IO;
  return ld_fail(error, rc, "%s: %s", path, strerror(number));
}

/* Each name with the NUL at its end. */
static ld_rc read_names(const char *path, ld_buf *names, ld_error *error) {
  DIR *directory = opendir(path);
  if (directory == NULL) return fail(path, errno, error);
  const struct dirent *entry;
  while (errno = 0, (entry = readdir(directory)) != NULL)
    ld_buf_add(names, ld_bytes(entry->d_name, strlen(entry->d_name) + 1));
  int number = errno;
  closedir(directory);
  if (names->failed) return ld_fail(error, LD_NOMEM, "out of memory");
  return number == 0 ? LD_OK : fail(path, number, error);
}

static int push_names(lua_State *L) {
  const ld_buf *names = lua_touserdata(L, 1);
  lua_Integer count = 0;
  lua_newtable(L);
  for (size_t at = 0; at < names->size;) {
    const char *name = (const char *)names->data + at;
    lua_pushstring(L, name);
    lua_rawseti(L, -2, ++count);
    at += strlen(name) + 1;
  }
  return 1;
}

/* core.names(directory, op) -> the names of what is in it, in no order, with those that begin with a dot */
static int directory_names(lua_State *L) {
  ld_buf names = {0};
  ld_error error = {0};
  const char *op = luaL_checkstring(L, 2);
  const char *path = lb_check_text(L, 1, op, "directory");
  if (read_names(path, &names, &error) != LD_OK) {
    ld_buf_clear(&names);
    return lb_raise_error(L, &error, op);
  }
  lua_pushcfunction(L, push_names);
  lua_pushlightuserdata(L, &names);
  int status = lua_pcall(L, 1, 1, 0);
  ld_buf_clear(&names);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* ---- the others ---- */

/* core.checksum(bytes) -> FNV-1a of 128 bits, in hex */
static int checksum(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  uint8_t hash[LD_HASH];
  char text[2 * LD_HASH];
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  ld_hash128(ld_bytes(bytes, size), hash);
  for (size_t i = 0; i < LD_HASH; i++) {
    text[2 * i] = digits[hash[i] >> 4];
    text[2 * i + 1] = digits[hash[i] & 15];
  }
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

/* core.now(store or tx, op) -> ms since 1970, by its clock */
static int now(lua_State *L) {
  const char *op = luaL_optstring(L, 2, "now");
  lb_place place = lb_check_place(L, 1, op);
  lb_check_open(L, &place, op);
  place.store->clock_failed = false;
  int64_t at = ld_now(&place.store->engine->env);
  if (place.store->clock_failed) return lb_raise_error(L, &place.store->error, op);
  lua_pushinteger(L, at);
  return 1;
}

/* core.same_file(path, other) -> whether both are there, and one */
static int same_file(lua_State *L) {
  struct stat one, other;
  bool there = stat(luaL_checkstring(L, 1), &one) == 0 && stat(luaL_checkstring(L, 2), &other) == 0;
  lua_pushboolean(L, there && one.st_dev == other.st_dev && one.st_ino == other.st_ino);
  return 1;
}

/* core.sleep(seconds); a signal does not cut it short */
static int wait_for(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  struct timespec left = {.tv_sec = (time_t)seconds};
  left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
  while (nanosleep(&left, &left) < 0 && errno == EINTR) continue;
  return 0;
}

void lb_open_host(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"names", directory_names}, {"checksum", checksum},   {"now", now},
      {"sleep", wait_for},        {"same_file", same_file}, {NULL, NULL},
  };
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
