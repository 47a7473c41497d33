/* backup.c -- store:backup(path), and core's functions on folders of backups.
**
** What is held or filled during a call belongs to a box, so that no error of Lua's loses it. */
#include "backup.h"

#include <string.h>
#include <unistd.h>

#include "../backup.h"
#include "../folder.h"
#include "../restore.h"
#include "../stage.h"
#include "progress.h"

#define LB_WORK "larder.backup_work"

typedef struct work_box {
  ld_buf label;
  int lock; /* of the folder; -1: none */
} work_box;

static work_box *new_box(lua_State *L) {
  work_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (work_box){.lock = -1};
  luaL_setmetatable(L, LB_WORK);
  return box;
}

static int clear_box(lua_State *L) {
  work_box *box = luaL_checkudata(L, 1, LB_WORK);
  ld_buf_clear(&box->label);
  if (box->lock >= 0) close(box->lock);
  box->lock = -1;
  return 0;
}

static int push_label(lua_State *L, work_box *box, size_t count, const char *op) {
  size_t at = 0;
  if (box->label.failed) return lb_raise(L, LD_NOMEM, op, "out of memory");
  return lb_push_documents(L, &box->label, &at, count, op);
}

static ld_watch watch_of(lb_progress *progress) {
  return (ld_watch){progress, progress->function == 0 ? NULL : lb_progress_call};
}

/* store:backup(path, { progress = }) -> label */
int lb_backup(lua_State *L) {
  static const char op[] = "store:backup";
  static const char *const known[] = {"progress", NULL};
  lb_progress progress;
  lb_store *store = lb_check_self(L, LB_STORE, "a store", op);
  const char *path = lb_check_text(L, 2, op, "path");
  if (path[0] == '\0') return lb_raise(L, LD_INVALID, op, "path: is empty");
  lua_settop(L, 3);
  lb_check_options(L, 3, known, op);
  work_box *box = new_box(L);
  lb_progress_read(L, 3, &progress, op);
  lb_check_open(L, &(lb_place){store, NULL}, op);
  store->L = L;
  store->clock_failed = false;
  int64_t at = ld_now(&store->engine->env);
  if (store->clock_failed) return lb_raise_error(L, &store->error, op);
  progress.store = store;
  const ld_watch watch = watch_of(&progress);
  ld_rc rc = ld_backup_make(store->engine, path, at, &watch, &box->label);
  lb_progress_raise(L, &progress);
  if (rc != LD_OK) return lb_raise_error(L, &store->engine->error, op);
  return push_label(L, box, 1, op);
}

/* core.backup_label(path, op) -> label, as it is written */
static int backup_label(lua_State *L) {
  ld_error error = {.rc = LD_OK};
  const char *op = luaL_checkstring(L, 2), *path = lb_check_text(L, 1, op, "path");
  work_box *box = new_box(L);
  if (ld_backup_read(path, &box->label, &error) != LD_OK) return lb_raise_error(L, &error, op);
  return push_label(L, box, 1, op);
}

/* core.backup_check(path, op, { progress = }) -> label, once it is found to be true */
static int backup_check(lua_State *L) {
  ld_error error = {.rc = LD_OK};
  lb_progress progress;
  const char *op = luaL_checkstring(L, 2), *path = lb_check_text(L, 1, op, "path");
  lua_settop(L, 3);
  work_box *box = new_box(L);
  lb_progress_read(L, 3, &progress, op);
  const ld_watch watch = watch_of(&progress);
  ld_rc rc = ld_backup_check(path, &watch, &box->label, &error);
  lb_progress_raise(L, &progress);
  if (rc != LD_OK) return lb_raise_error(L, &error, op);
  return push_label(L, box, 1, op);
}

/* core.backup_drop(path, op) */
static int backup_drop(lua_State *L) {
  ld_error error = {.rc = LD_OK};
  const char *op = luaL_checkstring(L, 2), *path = lb_check_text(L, 1, op, "path");
  return ld_stage_drop(path, &error) == LD_OK ? 0 : lb_raise_error(L, &error, op);
}

/* core.backup_folder(path, op) -> a box that holds the folder, made when missing and swept, until it is closed */
static int backup_folder(lua_State *L) {
  ld_env env = ld_env_system();
  ld_error error = {.rc = LD_OK};
  const char *op = luaL_checkstring(L, 2), *path = lb_check_text(L, 1, op, "folder");
  work_box *box = new_box(L);
  ld_rc rc = ld_folder_make(path) ? ld_stage_hold(path, &box->lock, &error)
                                  : ld_folder_fail(path, "the folder cannot be made", &error);
  if (rc != LD_OK) return lb_raise_error(L, &error, op);
  ld_stage_sweep(path, &env);
  return 1;
}

/* core.restore(path, to, time, op, { progress = }) -> label, the folder of what was displaced or larder.null */
static int restore(lua_State *L) {
  ld_env env = ld_env_system();
  ld_error error = {.rc = LD_OK};
  lb_progress progress;
  const char *op = luaL_checkstring(L, 4), *path = lb_check_text(L, 1, op, "path");
  const char *to = lb_check_text(L, 2, op, "to"), *at = lb_check_text(L, 3, op, "time");
  lua_settop(L, 5);
  work_box *box = new_box(L);
  lb_progress_read(L, 5, &progress, op);
  const ld_watch watch = watch_of(&progress);
  ld_rc rc = ld_restore(path, to, at, &env, &watch, &box->label, &error);
  lb_progress_raise(L, &progress);
  if (rc != LD_OK) return lb_raise_error(L, &error, op);
  return push_label(L, box, 2, op);
}

void lb_open_backups(lua_State *L, int module) {
  static const luaL_Reg functions[] = {
      {"backup_label", backup_label}, {"backup_check", backup_check},
      {"backup_drop", backup_drop},   {"backup_folder", backup_folder},
      {"restore", restore},           {NULL, NULL},
  };
  lb_new_metatable(L, LB_WORK);
  lua_pushcfunction(L, clear_box);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, clear_box);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  lua_pushvalue(L, module);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
