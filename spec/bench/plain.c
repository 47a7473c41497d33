/* plain.c -- files with nothing around them: the calls that a careful program makes. Lua module larder_bench_plain.
**
**   replace(folder, data, n)     n times: write a temporary, fsync it, rename it, fsync the folder
**   names(folder, n) -> count    n times: read, sort and stat all names
**   parse(folder, n) -> count    n times: read each file and parse it with cJSON */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int luaopen_larder_bench_plain(lua_State *L);

static int open_folder(lua_State *L) {
  int folder = open(luaL_checkstring(L, 1), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) luaL_error(L, "%s: cannot be opened", lua_tostring(L, 1));
  return folder;
}

static bool replace_once(int folder, const char *data, size_t size) {
  int file = openat(folder, ".temporary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  bool good = write(file, data, size) == (ssize_t)size && fsync(file) == 0;
  good = close(file) == 0 && good;
  return good && renameat(folder, ".temporary", folder, "file") == 0 && fsync(folder) == 0;
}

static int plain_replace(lua_State *L) {
  size_t size;
  int folder = open_folder(L);
  const char *data = luaL_checklstring(L, 2, &size);
  bool good = true;
  for (lua_Integer n = luaL_checkinteger(L, 3); good && n > 0; n--)
    good = replace_once(folder, data, size);
  close(folder);
  return good ? 0 : luaL_error(L, "replace: failed");
}

static int names_once(lua_State *L, int folder) {
  struct dirent **names;
  struct stat status;
  int count = scandir(lua_tostring(L, 1), &names, NULL, alphasort), seen = 0;
  for (int i = 0; i < count; i++) {
    seen += fstatat(folder, names[i]->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    free(names[i]);
  }
  if (count >= 0) free(names);
  return seen;
}

static int plain_names(lua_State *L) {
  int folder = open_folder(L), count = 0;
  for (lua_Integer n = luaL_checkinteger(L, 2); n > 0; n--) count = names_once(L, folder);
  close(folder);
  lua_pushinteger(L, count - 2);
  return 1;
}

static bool parse_file(int folder, const char *name) {
  struct stat status;
  int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0) return false;
  size_t size = (size_t)status.st_size;
  char *text = malloc(size + 1);
  bool good = text != NULL && read(file, text, size) == (ssize_t)size;
  close(file);
  cJSON *document = good ? cJSON_ParseWithLength(text, size) : NULL;
  cJSON_Delete(document);
  free(text);
  return document != NULL;
}

static int parse_once(lua_State *L, int at) {
  DIR *folder = opendir(lua_tostring(L, 1));
  const struct dirent *entry;
  int seen = 0;
  while (folder != NULL && (entry = readdir(folder)) != NULL)
    seen += entry->d_name[0] != '.' && parse_file(at, entry->d_name);
  if (folder != NULL) closedir(folder);
  return seen;
}

static int plain_parse(lua_State *L) {
  int folder = open_folder(L), count = 0;
  for (lua_Integer n = luaL_checkinteger(L, 2); n > 0; n--) count = parse_once(L, folder);
  close(folder);
  lua_pushinteger(L, count);
  return 1;
}

int luaopen_larder_bench_plain(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"replace", plain_replace}, {"names", plain_names}, {"parse", plain_parse}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
