/* verify.c -- store:verify{ progress =, repair = }, and core.recover, which larder.recover calls.
**
** Reports are collected as documents in a buffer of the call's own box, and become tables when no transaction is open any more. Only `progress` is called in between, as a store's
** clock is: protected, and it may not use the store. */
#include "verify.h"

#include <string.h>

#include "../recover.h"
#include "../store.h"
#include "progress.h"

enum { TOLD_MOST = 1000, MOST_OPTIONS = 32 };
#define LB_REPORT "larder.report"

/* Documents one behind the other; past TOLD_MOST they are only counted. */
typedef struct told {
  ld_buf documents;
  uint64_t count;
} told;

/* The box of a report while it is made. */
typedef struct report_box {
  told findings, collections, repaired, lost;
  lb_progress progress;
} report_box;

static report_box *new_report(lua_State *L) {
  report_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  memset(box, 0, sizeof *box);
  luaL_setmetatable(L, LB_REPORT);
  return box;
}

static int clear_report(lua_State *L) {
  report_box *box = luaL_checkudata(L, 1, LB_REPORT);
  ld_buf_clear(&box->findings.documents);
  ld_buf_clear(&box->collections.documents);
  ld_buf_clear(&box->repaired.documents);
  ld_buf_clear(&box->lost.documents);
  return 0;
}

void lb_open_reports(lua_State *L) {
  lb_new_metatable(L, LB_REPORT);
  lua_pushcfunction(L, clear_report);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/* ---- what is told ---- */

static ld_buf *tell(told *list) { return list->count++ < TOLD_MOST ? &list->documents : NULL; }

static void write_field(ld_buf *document, const char *name, const char *text) {
  ld_write_text(document, name);
  ld_write_string(document, ld_text(text));
}

static void hear_finding(void *context, const char *kind, const char *where, const char *text) {
  ld_buf *document = tell(&((report_box *)context)->findings);
  if (document == NULL) return;
  ld_write_map(document, 3);
  write_field(document, "kind", kind);
  write_field(document, "where", where);
  write_field(document, "text", text);
}

static void hear_lost(void *context, const char *where, const char *text) {
  ld_buf *document = tell(&((report_box *)context)->lost);
  if (document == NULL) return;
  ld_write_map(document, 2);
  write_field(document, "where", where);
  write_field(document, "text", text);
}

static void hear_mended(void *context, ld_mend kind, const char *what, const ld_error *failure) {
  (void)kind;
  ld_buf *document = tell(&((report_box *)context)->repaired);
  if (document == NULL) return;
  ld_write_map(document, failure == NULL ? 2 : 3);
  write_field(document, "what", what);
  ld_write_text(document, "ok");
  ld_write_bool(document, failure == NULL);
  if (failure != NULL) write_field(document, "text", failure->text);
}

static void hear_collection(void *context, ld_slice name, uint64_t documents, unsigned indexes) {
  ld_buf *document = tell(&((report_box *)context)->collections);
  if (document == NULL) return;
  ld_write_map(document, 3);
  ld_write_text(document, "name");
  ld_write_string(document, name);
  ld_write_text(document, "documents");
  ld_write_int(document, (int64_t)documents);
  ld_write_text(document, "indexes");
  ld_write_int(document, indexes);
}

static void reset(told *list) {
  ld_buf_reset(&list->documents);
  list->count = 0;
}

static void hear_again(void *context) {
  report_box *box = context;
  reset(&box->findings);
  reset(&box->collections);
}

static ld_rc call_progress(void *context, uint64_t done, uint64_t total) {
  return lb_progress_call(&((report_box *)context)->progress, done, total);
}

/* ---- reports ---- */

static void set_list(lua_State *L, told *list, const char *name, const char *op) {
  size_t count = list->count < TOLD_MOST ? (size_t)list->count : TOLD_MOST;
  if (list->documents.failed) lb_raise(L, LD_NOMEM, op, "out of memory");
  lb_push_list(L, &list->documents, count, op);
  lua_setfield(L, -2, name);
}

/* Push the table. */
static void push_report(lua_State *L, report_box *box, const ld_verify_report *report,
                        const char *op) {
  lua_createtable(L, 0, 16);
  lua_pushboolean(L, report->findings == 0);
  lua_setfield(L, -2, "ok");
  lua_pushboolean(L, report->readable);
  lua_setfield(L, -2, "readable");
  lb_set_count(L, "rows", report->rows);
  lb_set_count(L, "rooms", report->rooms);
  lb_set_count(L, "documents", report->documents);
  lb_set_count(L, "entries", report->entries);
  lb_set_count(L, "keys", report->keys);
  lb_set_count(L, "queues", report->queues);
  lb_set_count(L, "jobs", report->jobs);
  lb_set_count(L, "caches", report->caches);
  lb_set_count(L, "cached", report->cached);
  lb_set_count(L, "found", report->findings);
  set_list(L, &box->findings, "findings", op);
  set_list(L, &box->collections, "collections", op);
}

static ld_repair begin_repair(report_box *box) {
  return (ld_repair){.calls = {.context = box,
                               .finding = hear_finding,
                               .collection = hear_collection,
                               .progress = call_progress},
                     .again = hear_again,
                     .mended = hear_mended};
}

static void raise_failure(lua_State *L, const report_box *box, ld_rc rc, const char *op) {
  if (rc == LD_OK) return;
  lb_progress_raise(L, &box->progress);
  lb_raise_error(L, &box->progress.store->engine->error, op);
}

/* ---- verify ---- */

static unsigned read_repair(lua_State *L, int options, const char *op) {
  ld_quoted quoted;
  ld_slice what = lb_option_string(L, options, "repair", op);
  if (what.size == 0) return 0;
  if (!ld_equal(what, LD_LITERAL("indexes")))
    lb_raise(L, LD_INVALID, op, "option repair: expected \"indexes\", got %s",
             ld_quote(what, quoted));
  return LD_MEND_DERIVED;
}

/* store:verify{ progress = function(done, total) end, repair = "indexes" } -> report */
int lb_verify(lua_State *L) {
  static const char op[] = "store:verify";
  static const char *const known[] = {"progress", "repair", NULL};
  ld_verify_report report;
  lb_store *store = lb_check_self(L, LB_STORE, "a store", op);
  lua_settop(L, 2);
  lb_check_options(L, 2, known, op);
  report_box *box = new_report(L);
  ld_repair repair = begin_repair(box);
  repair.mends = read_repair(L, 2, op);
  lb_progress_read(L, 2, &box->progress, op);
  lb_check_open(L, &(lb_place){store, NULL}, op);
  box->progress.store = store;
  raise_failure(L, box, ld_repair_run(store->engine, &repair, &report), op);
  push_report(L, box, &report, op);
  if (repair.mends != 0) set_list(L, &box->repaired, "repaired", op);
  return 1;
}

/* ---- recover ---- */

static size_t read_options(lua_State *L, int index, ld_option *options, const char *op) {
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) != LUA_TSTRING || count == MOST_OPTIONS)
      lb_raise(L, LD_INVALID, op, "options: expected a few names and texts");
    options[count].name = lua_tostring(L, -2);
    options[count++].value = lb_check_text(L, -1, op, lua_tostring(L, -2));
    lua_pop(L, 1);
  }
  return count;
}

static void push_recovered(lua_State *L, report_box *box, const ld_recover_report *report,
                           const char *op) {
  lua_createtable(L, 0, 12);
  lua_pushboolean(L, report->resumed);
  lua_setfield(L, -2, "resumed");
  lb_set_count(L, "rows", report->rows);
  lb_set_count(L, "older", report->older);
  lb_set_count(L, "losses", box->lost.count);
  lua_pushliteral(L, "where the file is damaged, what was deleted or renamed may have come back");
  lua_setfield(L, -2, "note");
  set_list(L, &box->lost, "lost", op);
  set_list(L, &box->repaired, "repaired", op);
  push_report(L, box, &report->verify, op);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "verify");
  static const char *const same[] = {"ok", "rooms", "documents", "collections", NULL};
  for (const char *const *name = same; *name != NULL; name++) {
    lua_getfield(L, -1, *name);
    lua_setfield(L, -3, *name);
  }
  lua_pop(L, 1);
}

/* core.recover(engine, {option = text}, store, {progress =}) -> report */
int lb_recover(lua_State *L) {
  static const char op[] = "larder.recover";
  ld_option options[MOST_OPTIONS];
  ld_recover_report report;
  const ld_engine_ops *ops = ld_engine_named(luaL_checkstring(L, 1));
  luaL_argcheck(L, ops != NULL, 1, "no such engine");
  luaL_checktype(L, 2, LUA_TTABLE);
  lb_store *store = luaL_checkudata(L, 3, LB_STORE);
  lua_settop(L, 4);
  report_box *box = new_report(L);
  ld_recover recover = {.repair = begin_repair(box), .lost = hear_lost};
  lb_progress_read(L, 4, &box->progress, op);
  size_t count = read_options(L, 2, options, op);
  lb_check_open(L, &(lb_place){store, NULL}, op);
  box->progress.store = store;
  raise_failure(L, box, ld_recover_run(ops, options, count, store->engine, &recover, &report), op);
  push_recovered(L, box, &report, op);
  return 1;
}
