/* load.c -- see load.h. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#include "dump.h"
#include "json.h"
#include "unfinished.h"
#include "value.h"

enum { PIECE = 256 << 10, LONGEST = 1 << 30 };

/* ---- the text ---- */

ld_rc ld_load_open(ld_load *load, const char *path, ld_error *error) {
  *load = (ld_load){.line = 0};
  return ld_input_open(&load->input, path, error) == LD_OK ? LD_OK : ld_fail_in(error, "load ");
}

void ld_load_close(ld_load *load) {
  ld_input_close(&load->input);
  ld_buf_clear(&load->text);
  ld_buf_clear(&load->record);
  ld_record_writer_clear(&load->writer);
}

/* Put `line L: ` in front, or L in the place of the 1 that the parser says. */
static ld_rc at_line(const ld_load *load, ld_error *error) {
  char text[sizeof error->text];
  unsigned line = 0, column = 0;
  int length = 0;
  sscanf(error->text, "line %u, column %u: %n", &line, &column, &length);
  if (length == 0) return ld_fail_in(error, "line %llu: ", (unsigned long long)load->line);
  snprintf(text, sizeof text, "%s", error->text + length);
  return ld_fail(error, error->rc, "line %llu, column %u: %s", (unsigned long long)load->line,
                 column, text);
}

static ld_rc refuse(const ld_load *load, ld_error *error, ld_rc rc, const char *text) {
  ld_fail(error, rc, "%s", text);
  return at_line(load, error);
}

/* Read on. `*more`: it is not the end. */
static ld_rc read_piece(ld_load *load, bool *more, ld_error *error) {
  ld_buf *text = &load->text;
  if (load->at > 0) {
    memmove(text->data, text->data + load->at, text->size - load->at);
    text->size -= load->at;
    load->seen -= load->at;
    load->at = 0;
  }
  if (text->size > LONGEST) return refuse(load, error, LD_TOOBIG, "is longer than 1 GiB");
  size_t before = text->size;
  ld_rc rc = ld_input_read(&load->input, PIECE, text, error);
  *more = text->size > before;
  return rc == LD_OK ? rc : ld_fail_in(error, "line %llu: ", (unsigned long long)load->line + 1);
}

/* The next line with its newline. NOTFOUND at the end. */
static ld_rc next_line(ld_load *load, ld_slice *line, ld_error *error) {
  for (;;) {
    const ld_buf *text = &load->text;
    bool more = false;
    const uint8_t *end = text->size > load->seen
                             ? memchr(text->data + load->seen, '\n', text->size - load->seen)
                             : NULL;
    if (end != NULL) {
      *line = ld_bytes(text->data + load->at, (size_t)(end + 1 - text->data) - load->at);
      load->at = load->seen = (size_t)(end + 1 - text->data);
      load->line++;
      return LD_OK;
    }
    load->seen = text->size;
    ld_rc rc = read_piece(load, &more, error);
    if (rc != LD_OK) return rc;
    if (more) continue;
    if (load->at == load->text.size) return LD_NOTFOUND;
    load->line++;
    return refuse(load, error, LD_INVALID, "the dump was cut off in the middle of this line");
  }
}

/* ---- header and trailer ---- */

static bool read_text(ld_slice map, const char *name, ld_slice *bytes) {
  ld_slice value;
  ld_token token;
  if (!ld_value_field(map, name, &value) || !ld_value_next(&value, &token)) return false;
  *bytes = token.bytes;
  return ld_is_string(&token);
}

static bool read_number(ld_slice map, const char *name, uint64_t *number) {
  ld_slice value;
  ld_token token;
  if (!ld_value_field(map, name, &value) || !ld_value_next(&value, &token)) return false;
  *number = (uint64_t)token.integer;
  return token.kind == LD_INT && token.integer >= 0;
}

static bool read_counts(ld_slice map, ld_record_counts *counts) {
  uint64_t *const places[] = {&counts->rooms,   &counts->collections, &counts->documents,
                              &counts->entries, &counts->queues,      &counts->jobs,
                              &counts->rows};
  for (size_t i = 0; ld_record_count_names[i] != NULL; i++)
    if (!read_number(map, ld_record_count_names[i], places[i])) return false;
  return true;
}

static ld_rc read_header(ld_load *load, ld_slice map, ld_error *error) {
  ld_slice word = LD_SLICE_NONE;
  uint64_t format = 0;
  if (!read_text(map, "larder", &word) || !ld_equal(word, LD_LITERAL("dump")) ||
      !read_number(map, "format", &format))
    return refuse(load, error, LD_INVALID, "this is no dump of larder");
  if (format > LD_DUMP_FORMAT)
    return refuse(load, error, LD_UNSUPPORTED,
                  "the dump is of a newer format than this version reads");
  if (format < 1 || !read_number(map, "sequence", &load->sequence) ||
      !read_counts(map, &load->expected))
    return refuse(load, error, LD_INVALID, "the header of the dump is damaged");
  return LD_OK;
}

static ld_rc read_trailer(ld_load *load, ld_slice map, ld_error *error) {
  ld_slice digits = LD_SLICE_NONE;
  uint64_t lines = 0, bytes = 0;
  ld_record_counts counts;
  char checksum[9];
  snprintf(checksum, sizeof checksum, "%08x", (unsigned)load->checksum);
  bool fine = read_text(map, "crc32c", &digits) && read_number(map, "lines", &lines) &&
              read_number(map, "bytes", &bytes) && read_counts(map, &counts);
  if (!fine) return refuse(load, error, LD_INVALID, "the last line of the dump is damaged");
  if (lines != load->line - 1)
    return refuse(load, error, LD_INVALID, "lines are missing above, or there are too many");
  if (bytes != load->bytes || !ld_equal(digits, ld_text(checksum)))
    return refuse(load, error, LD_INVALID,
                  "the checksum differs: the lines above were changed after the dump was made");
  if (memcmp(&counts, &load->counts, sizeof counts) != 0)
    return refuse(load, error, LD_INVALID, "the counts differ from those of the lines above");
  load->ended = true;
  return LD_OK;
}

/* ---- lines ---- */

static void take_in(ld_load *load, ld_slice line) {
  load->checksum = ld_crc32c(load->checksum, line);
  load->bytes += line.size;
}

/* A line in front of the last, parsed. `txn` NULL: it is only checked. */
static ld_rc put_line(ld_txn *txn, ld_load *load, ld_slice map, ld_error *error) {
  ld_slice word;
  if (load->line == 1) {
    ld_rc rc = read_header(load, map, error);
    return rc == LD_OK && txn != NULL ? ld_sequence_raise(txn, load->sequence) : rc;
  }
  if (read_text(map, "larder", &word) && ld_equal(word, LD_LITERAL("dump")))
    return refuse(load, error, LD_INVALID, "another dump begins in this one");
  if (!ld_record_count(map, &load->counts))
    return refuse(load, error, LD_UNSUPPORTED,
                  "is no record that this version knows; a newer one may have written it");
  ld_rc rc = txn == NULL ? LD_OK : ld_record_put(txn, &load->writer, map);
  return rc == LD_OK ? rc : at_line(load, error);
}

static bool is_trailer(ld_slice map) {
  ld_slice word;
  return read_text(map, "larder", &word) && ld_equal(word, LD_LITERAL("end"));
}

static ld_rc read_line(ld_txn *txn, ld_load *load, ld_slice line, ld_error *error) {
  if (load->ended) return refuse(load, error, LD_INVALID, "something follows the dump's last line");
  ld_buf_reset(&load->record);
  ld_rc rc = ld_json_parse_wrapped(ld_bytes(line.data, line.size - 1), &load->record, error);
  if (rc == LD_INVALID && load->line == 1)
    return refuse(load, error, LD_INVALID, "this is no dump of larder");
  if (rc != LD_OK) return at_line(load, error);
  ld_slice map = ld_buf_slice(&load->record);
  if (load->line > 1 && is_trailer(map)) return read_trailer(load, map, error);
  rc = put_line(txn, load, map, error);
  if (rc == LD_OK) take_in(load, line);
  return rc;
}

/* The records among them are counted, but neither parsed into a store nor checked again. */
static ld_rc skip_line(ld_load *load, ld_slice line, ld_error *error) {
  return read_line(NULL, load, line, error);
}

static ld_rc at_end(ld_load *load, ld_error *error) {
  if (load->ended) {
    load->over = true;
    return LD_OK;
  }
  load->line++;
  return refuse(load, error, LD_INVALID,
                load->line == 1 ? "this is no dump of larder: it is empty"
                                : "the dump ends here, without its last line: it was cut off");
}

static ld_rc read_lines(ld_txn *txn, ld_load *load, uint64_t most, uint64_t skipped,
                        ld_error *error) {
  ld_rc rc = LD_OK;
  for (uint64_t i = 0; i < most && rc == LD_OK && !load->over;) {
    ld_slice line;
    rc = next_line(load, &line, error);
    if (rc == LD_NOTFOUND) {
      rc = at_end(load, error);
    } else if (rc == LD_OK && load->line <= skipped) {
      rc = skip_line(load, line, error);
    } else if (rc == LD_OK) {
      rc = read_line(txn, load, line, error);
      i++;
    }
  }
  return rc;
}

ld_rc ld_load_check(ld_load *load, uint64_t most, ld_error *error) {
  return read_lines(NULL, load, most, 0, error);
}

/* ---- into a store ---- */

ld_rc ld_load_some(ld_txn *txn, ld_load *load, uint64_t most, bool replace) {
  ld_rc rc = LD_OK;
  load->writer.replace = replace;
  if (load->line == 0) rc = ld_unfinished_is_empty(txn, &load->writer.was_empty);
  if (rc == LD_OK) rc = read_lines(txn, load, most, 0, ld_error_of(txn));
  return rc == LD_OK ? rc : ld_spoil(txn, rc);
}

static void write_source(const ld_load *whole, ld_buf *source) {
  ld_write_array(source, 2);
  ld_write_int(source, whole->checksum);
  ld_write_int(source, (int64_t)whole->bytes);
}

/* How many lines are in the store, of the same dump. */
static ld_rc find_start(ld_txn *txn, ld_slice source, uint64_t *lines) {
  ld_error *error = ld_error_of(txn);
  ld_buf room = {0};
  ld_unfinished note;
  bool fine = false;
  ld_rc rc = ld_unfinished_get(txn, &note, &room);
  *lines = 0;
  if (rc == LD_NOTFOUND) {
    rc = ld_unfinished_is_empty(txn, &fine);
    if (rc == LD_OK && !fine) rc = ld_fail(error, LD_EXISTS, "load: the store is not empty");
  } else if (rc == LD_OK) {
    *lines = note.done;
    rc = ld_unfinished_is_last(txn, &note, &fine);
    fine = fine && ld_equal(note.what, LD_LITERAL("load")) && ld_equal(note.source, source);
    if (rc == LD_OK && !fine)
      rc = ld_fail(error, LD_EXISTS,
                   "load: the store holds the beginning of another dump or copy, or was written "
                   "to since");
  }
  ld_buf_clear(&room);
  return rc;
}

static ld_rc run_batch(ld_txn *txn, ld_load *load, ld_slice source, uint64_t most) {
  uint64_t lines;
  ld_rc rc = find_start(txn, source, &lines);
  if (rc == LD_OK && load->line > 0 && lines != load->line)
    rc = ld_fail(ld_error_of(txn), LD_CONFLICT, "load: somebody else loads the same dump");
  load->writer.was_empty = true;
  if (rc == LD_OK) rc = read_lines(txn, load, most, lines, ld_error_of(txn));
  if (rc == LD_OK && load->over) return ld_unfinished_end(txn);
  ld_unfinished note = {.what = LD_LITERAL("load"), .source = source, .done = load->line};
  return rc == LD_OK ? ld_unfinished_put(txn, &note) : rc;
}

ld_rc ld_load_batch(ld_txn *txn, ld_load *load, const ld_load *whole, uint64_t most) {
  ld_buf source = {0};
  write_source(whole, &source);
  ld_rc rc = source.failed ? ld_fail(ld_error_of(txn), LD_NOMEM, "load: out of memory")
                           : run_batch(txn, load, ld_buf_slice(&source), most);
  ld_buf_clear(&source);
  return rc == LD_OK ? rc : ld_spoil(txn, rc);
}
