/* input.c -- see input.h. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "output.h"

enum { PIECE = 64 << 10 };

/* ---- packed or not ---- */

static const struct {
  const char *start, *name;
} packers[] = {{"\x1f\x8b", "gzip"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"\xfd\x37zXZ", "xz"},
               {"BZh", "bzip2"},     {"\x04\x22\x4d\x18", "lz4"},  {"PK\x03\x04", "zip"}};
enum { PACKERS = sizeof packers / sizeof *packers, LONGEST = 5 };

/* NULL: it is no packed file. */
static const char *packer_of(ld_slice start) {
  for (size_t i = 0; i < PACKERS; i++)
    if (ld_starts_with(start, ld_text(packers[i].start))) return packers[i].name;
  return NULL;
}

/* ---- reading ---- */

/* Append what one read gives. */
static ld_rc fill(ld_input *input, size_t most, ld_buf *bytes, ld_error *error) {
  ssize_t got;
  if (!ld_buf_reserve(bytes, most)) return ld_fail(error, LD_NOMEM, "out of memory");
  do {
    got = read(input->descriptor, bytes->data + bytes->size, most);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return ld_fail(error, ld_output_rc(errno), "%s", strerror(errno));
  input->ended = got == 0;
  bytes->size += (size_t)got;
  return LD_OK;
}

static ld_slice unused(const ld_input *input) {
  return ld_bytes(input->read.data + input->at, input->read.size - input->at);
}

static ld_rc begin(ld_input *input, ld_error *error) {
  ld_rc rc = LD_OK;
  while (rc == LD_OK && !input->ended && input->read.size < LONGEST)
    rc = fill(input, PIECE, &input->read, error);
  const char *packer = packer_of(ld_buf_slice(&input->read));
  if (rc != LD_OK || packer == NULL) return rc;
  if (strcmp(packer, "gzip") == 0) return ld_gzip_open(false, &input->gzip, error);
  return ld_fail(error, LD_INVALID, "is packed by %s; unpack it first", packer);
}

ld_rc ld_input_open(ld_input *input, const char *path, ld_error *error) {
  ld_quoted quoted;
  *input = (ld_input){.descriptor = open(path, O_RDONLY | O_CLOEXEC)};
  ld_rc rc = input->descriptor < 0 ? ld_fail(error, ld_output_rc(errno), "%s", strerror(errno))
                                   : begin(input, error);
  return rc == LD_OK ? rc : ld_fail_in(error, "%s: ", ld_quote(ld_text(path), quoted));
}

void ld_input_close(ld_input *input) {
  if (input->descriptor >= 0) close(input->descriptor);
  ld_gzip_close(input->gzip);
  ld_buf_clear(&input->read);
  *input = (ld_input){.descriptor = -1};
}

static ld_rc read_plain(ld_input *input, size_t most, ld_buf *text, ld_error *error) {
  ld_slice begun = unused(input);
  if (begun.size == 0) return fill(input, most, text, error);
  ld_slice part = ld_bytes(begun.data, begun.size < most ? begun.size : most);
  ld_buf_add(text, part);
  input->at += part.size;
  return text->failed ? ld_fail(error, LD_NOMEM, "out of memory") : LD_OK;
}

static ld_rc read_packed(ld_input *input, size_t most, ld_buf *text, ld_error *error) {
  size_t before = text->size;
  for (;;) {
    ld_slice rest = unused(input);
    ld_rc rc = ld_gzip_unpack(input->gzip, &rest, most, text, error);
    input->at = input->read.size - rest.size;
    if (rc != LD_OK || text->size > before) return rc;
    if (rest.size > 0) continue;
    if (input->ended) break;
    ld_buf_reset(&input->read);
    input->at = 0;
    rc = fill(input, PIECE, &input->read, error);
    if (rc != LD_OK) return rc;
  }
  return ld_gzip_is_whole(input->gzip) ? LD_OK
                                       : ld_fail(error, LD_INVALID, "the packed file was cut off");
}

ld_rc ld_input_read(ld_input *input, size_t most, ld_buf *text, ld_error *error) {
  return input->gzip == NULL ? read_plain(input, most, text, error)
                             : read_packed(input, most, text, error);
}
