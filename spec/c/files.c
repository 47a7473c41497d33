/* files.c -- links, sizes and folders of their own for specs; part of larder_port. */
#include "port.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int answer(lua_State *L, int result) {
  if (result < 0) return port_errno(L);
  lua_pushboolean(L, 1);
  return 1;
}

/* symlink(target, path) */
static int file_symlink(lua_State *L) {
  return answer(L, symlink(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

/* link(target, path) */
static int file_link(lua_State *L) {
  return answer(L, link(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

static int file_truncate(lua_State *L) {
  return answer(L, truncate(luaL_checkstring(L, 1), (off_t)luaL_checkinteger(L, 2)));
}

static int file_chmod(lua_State *L) {
  return answer(L, chmod(luaL_checkstring(L, 1), (mode_t)luaL_checkinteger(L, 2)));
}

static int file_mkdir(lua_State *L) { return answer(L, mkdir(luaL_checkstring(L, 1), 0777)); }

static int file_mkfifo(lua_State *L) { return answer(L, mkfifo(luaL_checkstring(L, 1), 0600)); }

/* exchange(one, other): both names change places at once */
static int file_exchange(lua_State *L) {
  return answer(L, renameat2(AT_FDCWD, luaL_checkstring(L, 1), AT_FDCWD, luaL_checkstring(L, 2),
                             RENAME_EXCHANGE));
}

/* file_size(path) -> bytes, bytes on disk: holes take none */
static int file_size(lua_State *L) {
  struct stat status;
  if (stat(luaL_checkstring(L, 1), &status) < 0) return port_errno(L);
  lua_pushinteger(L, (lua_Integer)status.st_size);
  lua_pushinteger(L, (lua_Integer)status.st_blocks * 512);
  return 2;
}

/* A new empty folder; remove_dir it. */
static int file_temp_dir(lua_State *L) {
  const char *parent = getenv("TMPDIR");
  char path[512];
  int length = snprintf(path, sizeof path, "%s/larder-spec-XXXXXX", parent ? parent : "/tmp");
  if (length < 0 || (size_t)length >= sizeof path) return luaL_error(L, "TMPDIR is too long");
  if (mkdtemp(path) == NULL) return port_errno(L);
  lua_pushstring(L, path);
  return 1;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where) {
  (void)status, (void)type, (void)where;
  return remove(path);
}

/* Remove a folder that temp_dir made, and all in it. */
static int file_remove_dir(lua_State *L) {
  return answer(L, nftw(luaL_checkstring(L, 1), remove_entry, 16, FTW_DEPTH | FTW_PHYS));
}

void port_add_files(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"symlink", file_symlink},
      {"link", file_link},
      {"truncate", file_truncate},
      {"chmod", file_chmod},
      {"mkdir", file_mkdir},
      {"mkfifo", file_mkfifo},
      {"exchange", file_exchange},
      {"file_size", file_size},
      {"temp_dir", file_temp_dir},
      {"remove_dir", file_remove_dir},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
