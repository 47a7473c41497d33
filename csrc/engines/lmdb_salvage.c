/* lmdb_salvage.c -- see lmdb_salvage.h; pages and nodes are drawn in lmdb_walk.c.
**
** Long values lie in overflow pages, whose bytes are a program's and could look like a leaf page. So first the overflow pages of all sound rows are marked, then the leaf pages among
** the others are read: those that the newest commit reaches, those of which nothing is known, and for its holes those that are free (lmdb_reach.h). So of states that nothing else
** tells apart the newest comes first, and what was deleted comes back only from where something is missing. */
#include "lmdb_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_reach.h"

enum { NODE = 8, BIG = 1, PAGE_MIN = 512, PAGE_MAX = 32768, SAMPLE = 4096, STEPS = 256 };

/* Through the file: overflow pages, then leaves, by what they are to the newest commit. */
enum { MARKING, PASSES = 4 };
static const unsigned kinds[PASSES] = {0, LD_LMDB_USED, LD_LMDB_UNSEEN, LD_LMDB_FREE};

typedef struct file_reader {
  int fd;
  uint64_t size, pages;
  uint32_t page_size;
  const ld_config *config;
  const ld_salvage *salvage;
  uint8_t *page;
  uint8_t *inside; /* a bit for each page: it is overflow of a sound row */
  unsigned pass;
  ld_lmdb_reach reach;
  bool unsound; /* the page at hand has something that is no sound row */
  ld_buf value;
  ld_error *error;
} file_reader;

static ld_rc no_memory(file_reader *f) {
  return ld_fail(f->error, LD_NOMEM, "recover: out of memory");
}

static ld_rc unreadable(file_reader *f) {
  return ld_fail(f->error, LD_IO, "the file cannot be read: %s", strerror(errno));
}

static void LD_PRINTF(3, 4) lost(file_reader *f, ld_slice key, const char *format, ...) {
  char text[200];
  va_list arguments;
  if (f->pass == MARKING) return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  f->salvage->lost(f->salvage->context, key, text);
}

/* ---- nodes ---- */

/* The node at `offset`; false when it does not lie in the page. Of overflow data `*data` is the page number. */
static bool read_node(const file_reader *f, size_t offset, ld_slice *key, ld_slice *data,
                      uint32_t *size, bool *big) {
  if (offset + NODE > f->page_size) return false;
  const uint8_t *node = f->page + offset;
  uint16_t flags = ld_lmdb_u16(node + 4), key_size = ld_lmdb_u16(node + 6);
  *size = ld_lmdb_u32(node);
  *big = flags == BIG;
  uint64_t data_size = *big ? 8 : *size;
  if (flags > BIG || key_size == 0 || key_size > LD_KEY_MAX) return false;
  if (offset + NODE + key_size + data_size > f->page_size) return false;
  *key = ld_bytes(node + NODE, key_size);
  *data = ld_bytes(node + NODE + key_size, (size_t)data_size);
  return true;
}

/* Overflow data into f->value; false when the file does not reach as far. The page's header does not matter: the row's checksum decides. */
static bool read_overflow(file_reader *f, uint64_t page, uint32_t size, ld_rc *rc) {
  size_t got;
  if (page < 2 || page >= f->pages || size > f->size - page * f->page_size) return false;
  ld_buf_reset(&f->value);
  if (!ld_buf_reserve(&f->value, (size_t)size + 1)) return *rc = no_memory(f), false;
  if (!ld_lmdb_pread(f->fd, f->value.data, size, page * f->page_size + LD_LMDB_HEADER, &got))
    return *rc = unreadable(f), false;
  f->value.size = got;
  return got == size;
}

static bool is_inside(const file_reader *f, uint64_t page) {
  return (f->inside[page / 8] >> page % 8 & 1) != 0;
}

static void mark(file_reader *f, uint64_t page, uint32_t size) {
  uint64_t count = (LD_LMDB_HEADER - 1 + (uint64_t)size) / f->page_size + 1;
  for (uint64_t i = page; i < page + count && i < f->pages; i++)
    f->inside[i / 8] = (uint8_t)(f->inside[i / 8] | 1u << i % 8);
}

/* A record of the list of free pages, which is no row. */
static bool is_free_record(ld_slice key, ld_slice data) {
  return key.size == 8 && data.size >= 8 && data.size % 8 == 0 &&
         ld_lmdb_u64(data.data) <= data.size / 8 - 1;
}

/* In a free page, where the newest commit misses nothing. */
static bool is_deleted(const file_reader *f, ld_slice key) {
  return kinds[f->pass] == LD_LMDB_FREE && !ld_lmdb_reach_misses(&f->reach, key);
}

/* Give a node's row away when it is sound. `strict`: it was found where a node has to be, so that an unsound one is a loss. */
static ld_rc take_node(file_reader *f, size_t offset, bool strict) {
  ld_slice key, data;
  uint32_t size;
  bool big;
  ld_rc rc = LD_OK;
  if (!read_node(f, offset, &key, &data, &size, &big)) {
    f->unsound = true;
    return LD_OK;
  }
  if (!big && f->pass == MARKING) return LD_OK;
  if (is_deleted(f, key)) return LD_OK;
  uint64_t page = big ? ld_lmdb_u64(data.data) : 0;
  bool there = !big || read_overflow(f, page, size, &rc);
  if (rc != LD_OK) return rc;
  if (there && big) data = ld_buf_slice(&f->value);
  if (there && f->config->check_row(key, data)) {
    if (big && f->pass == MARKING) mark(f, page, size);
    return f->pass == MARKING ? LD_OK : f->salvage->row(f->salvage->context, key, data);
  }
  if (!strict || (there && is_free_record(key, data))) return LD_OK;
  f->unsound = true;
  lost(f, key, there ? "its checksum differs" : "its value is not in the file");
  return LD_OK;
}

/* ---- pages ---- */

static bool has_sane_bounds(const file_reader *f) {
  uint16_t lower = ld_lmdb_u16(f->page + 12), upper = ld_lmdb_u16(f->page + 14);
  return lower >= LD_LMDB_HEADER && lower % 2 == 0 && upper % 2 == 0 && lower <= upper &&
         upper <= f->page_size;
}

/* A leaf by its number and flags, of which one may be damaged. */
static bool is_leaf(const file_reader *f, uint64_t number) {
  uint16_t pad = ld_lmdb_u16(f->page + 8), flags = ld_lmdb_u16(f->page + 10);
  if (ld_lmdb_u64(f->page) != number)
    return flags == LD_LMDB_LEAF && pad == 0 && has_sane_bounds(f);
  return flags != LD_LMDB_BRANCH && flags != LD_LMDB_OVERFLOW && flags != LD_LMDB_META;
}

static ld_rc take_nodes(file_reader *f) {
  unsigned count = (unsigned)(ld_lmdb_u16(f->page + 12) - LD_LMDB_HEADER) / 2;
  ld_rc rc = LD_OK;
  for (unsigned i = 0; i < count && rc == LD_OK; i++)
    rc = take_node(f, ld_lmdb_u16(f->page + LD_LMDB_HEADER + 2 * (size_t)i), true);
  return rc;
}

/* Wherever a node could be. */
static ld_rc take_anything(file_reader *f) {
  ld_rc rc = LD_OK;
  for (size_t at = LD_LMDB_HEADER; at + NODE < f->page_size && rc == LD_OK; at += 2)
    rc = take_node(f, at, false);
  return rc;
}

static ld_rc take_leaf(file_reader *f, uint64_t number) {
  ld_rc rc = LD_OK;
  f->unsound = !has_sane_bounds(f) || ld_lmdb_u64(f->page) != number ||
               ld_lmdb_u16(f->page + 10) != LD_LMDB_LEAF;
  if (has_sane_bounds(f)) rc = take_nodes(f);
  if (rc != LD_OK || !f->unsound) return rc;
  lost(f, LD_SLICE_NONE, "page %llu is damaged", (unsigned long long)number);
  return take_anything(f);
}

static ld_rc visit_page(file_reader *f, uint64_t number) {
  size_t got;
  if (!ld_lmdb_pread(f->fd, f->page, f->page_size, number * f->page_size, &got))
    return unreadable(f);
  memset(f->page + got, 0, f->page_size - got);
  return is_leaf(f, number) ? take_leaf(f, number) : LD_OK;
}

static bool is_due(const file_reader *f, uint64_t page) {
  if (page < 2 || f->pass == MARKING) return page >= 2;
  return !is_inside(f, page) && ld_lmdb_reach_page(&f->reach, page) == kinds[f->pass];
}

static ld_rc visit_pages(file_reader *f) {
  ld_rc rc = LD_OK;
  uint64_t before = f->pass * f->pages;
  for (uint64_t i = 0; i < f->pages && rc == LD_OK; i++) {
    if (is_due(f, i)) rc = visit_page(f, i);
    if (rc == LD_OK && i % STEPS == 0 && f->salvage->progress != NULL)
      rc = f->salvage->progress(f->salvage->context, before + i, PASSES * f->pages);
  }
  return rc;
}

/* ---- the file ---- */

/* How many of a sample of pages, were they of this size, have their own number in front. */
static ld_rc count_pages(file_reader *f, uint32_t page_size, uint64_t *count) {
  uint64_t pages = f->size / page_size, step = pages / SAMPLE + 1;
  uint8_t header[LD_LMDB_HEADER];
  size_t got;
  *count = 0;
  for (uint64_t i = 1; i < pages; i += step) {
    if (!ld_lmdb_pread(f->fd, header, sizeof header, i * page_size, &got)) return unreadable(f);
    *count += ld_lmdb_u64(header) == i;
  }
  *count *= step;
  return LD_OK;
}

/* The pages themselves say how large they are; a meta page may be damaged. */
static ld_rc find_page_size(file_reader *f) {
  uint64_t best = 0, count;
  f->page_size = (uint32_t)sysconf(_SC_PAGESIZE);
  for (uint32_t size = PAGE_MIN; size <= PAGE_MAX; size *= 2) {
    ld_rc rc = count_pages(f, size, &count);
    if (rc != LD_OK) return rc;
    if (count * size > best) {
      best = count * size;
      f->page_size = size;
    }
  }
  return LD_OK;
}

/* A file that somebody writes to shows rows of several moments. */
static void tell_change(file_reader *f, const struct stat *before) {
  struct stat after;
  if (fstat(f->fd, &after) == 0 && after.st_size == before->st_size &&
      after.st_mtim.tv_sec == before->st_mtim.tv_sec &&
      after.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
    return;
  lost(f, LD_SLICE_NONE, "was written to while it was read; close the store and recover it anew");
}

static ld_rc read_file(file_reader *f, const char *path) {
  ld_lmdb_metas metas;
  struct stat status;
  if (fstat(f->fd, &status) != 0) return unreadable(f);
  f->size = (uint64_t)status.st_size;
  if (ld_lmdb_metas_read(f->fd, path, &metas, NULL) == LD_OK && !metas.known)
    return ld_fail(f->error, LD_UNSUPPORTED, "%s: data version %u is not known here", path,
                   (unsigned)metas.version);
  ld_rc rc = find_page_size(f);
  if (rc != LD_OK) return rc;
  f->pages = (f->size + f->page_size - 1) / f->page_size;
  f->page = malloc(f->page_size);
  f->inside = calloc(f->pages / 8 + 1, 1);
  if (f->page == NULL || f->inside == NULL) return no_memory(f);
  rc = ld_lmdb_reach_find(f->fd, path, f->page_size, f->config->check_row, &f->reach, f->error);
  for (f->pass = MARKING; rc == LD_OK && f->pass < PASSES; f->pass++) rc = visit_pages(f);
  if (rc == LD_OK) tell_change(f, &status);
  return rc;
}

static ld_rc open_file(const char *path, int *fd, ld_error *error) {
  char file[4096];
  struct stat status;
  bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
  int size = snprintf(file, sizeof file, folder ? "%s/data.mdb" : "%s", path);
  if (size < 0 || size >= (int)sizeof file)
    return ld_fail(error, LD_INVALID, "%s: the path is too long", path);
  *fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (*fd < 0) return ld_fail(error, LD_INVALID, "%s: cannot be opened: %s", file, strerror(errno));
  if (fstat(*fd, &status) == 0 && S_ISREG(status.st_mode)) return LD_OK;
  close(*fd);
  return ld_fail(error, LD_INVALID, "%s: is no file", file);
}

ld_rc ld_lmdb_salvage(const ld_config *config, const ld_salvage *salvage, ld_error *error) {
  const char *path = ld_option_text(config, "path", NULL);
  file_reader f = {.config = config, .salvage = salvage, .error = error};
  if (path == NULL) return ld_fail(error, LD_INVALID, "option path: is missing");
  ld_rc rc = open_file(path, &f.fd, error);
  if (rc != LD_OK) return rc;
  rc = read_file(&f, path);
  close(f.fd);
  ld_buf_clear(&f.value);
  free(f.page);
  free(f.inside);
  ld_lmdb_reach_clear(&f.reach);
  return rc;
}
