/* explain.c -- how a query is run: for those who wonder why it is slow. */
#include "find.h"

static ld_rc ignore(void *context, ld_slice id, ld_slice document, uint64_t revision) {
  (void)context, (void)id, (void)document, (void)revision;
  return LD_OK;
}

static void write_bool(ld_buf *out, const char *name, bool truth) {
  ld_write_text(out, name);
  ld_write_bool(out, truth);
}

static void write_count(ld_buf *out, const char *name, uint64_t count) {
  ld_write_text(out, name);
  ld_write_int(out, (int64_t)count);
}

static void write_report(const ld_find_report *report, ld_buf *out) {
  ld_write_map(out, 7);
  ld_write_text(out, "index");
  if (report->index.size > 0)
    ld_write_string(out, report->index);
  else
    ld_write_bool(out, false);
  write_bool(out, "sorted", !report->ordered);
  write_bool(out, "reverse", report->reverse);
  write_count(out, "keys_scanned", report->keys);
  write_count(out, "documents_scanned", report->documents);
  write_count(out, "returned", report->returned);
  ld_write_text(out, "candidates");
  ld_write_array(out, report->candidate_count);
  ld_buf_add(out, ld_buf_slice(&report->candidates));
}

ld_rc ld_find_explain(ld_txn *txn, ld_collection *collection, const ld_find *find, ld_buf *out) {
  ld_find_report report = {.index = LD_SLICE_NONE};
  ld_rc rc = ld_find_run(txn, collection, find, ignore, NULL, NULL, &report);
  if (rc == LD_OK) write_report(&report, out);
  if (rc == LD_OK && (out->failed || report.candidates.failed)) rc = ld_no_memory(txn, "explain");
  ld_buf_clear(&report.candidates);
  return rc;
}
