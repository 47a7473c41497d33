/* lmdb_meta.c -- the two meta pages of an LMDB data file, read without liblmdb.
**
** Another process may commit while we read. A commit changes one meta page, and may leave half a page to see;
** so a pair counts only once two readings in a row were equal, and is called damaged only when it stays so. */
#include "lmdb_meta.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { META_END = 152, PAGE_MIN = 512, PAGE_MAX = 32768, MAGIC_AT = 16, VERSION_AT = 20 };
enum { TRIES = 5 };
static const uint32_t magic = 0xBEEFC0DE, version_known = 1;

typedef struct raw_metas {
  uint64_t file_size;
  size_t size[2]; /* bytes read of each */
  uint8_t page[2][META_END];
} raw_metas;

bool ld_lmdb_pread(int fd, void *bytes, size_t size, uint64_t offset, size_t *got) {
  size_t done = 0;
  while (done < size) {
    ssize_t part = pread(fd, (uint8_t *)bytes + done, size - done, (off_t)(offset + done));
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return false;
    if (part == 0) break;
    done += (size_t)part;
  }
  *got = done;
  return true;
}

static uint32_t page_size_of(const uint8_t *meta) { return ld_lmdb_u32(meta + 40); }

static bool is_page_size(uint32_t size) {
  return size >= PAGE_MIN && size <= PAGE_MAX && (size & (size - 1)) == 0;
}

/* The second page is looked for where the first one's page size puts it, as liblmdb does. */
static bool read_raw(int fd, raw_metas *raw) {
  struct stat status;
  memset(raw, 0, sizeof *raw);
  if (fstat(fd, &status) != 0) return false;
  raw->file_size = (uint64_t)status.st_size;
  if (!ld_lmdb_pread(fd, raw->page[0], META_END, 0, &raw->size[0])) return false;
  uint32_t page_size = page_size_of(raw->page[0]);
  if (raw->size[0] < META_END || !is_page_size(page_size)) return true;
  return ld_lmdb_pread(fd, raw->page[1], META_END, page_size, &raw->size[1]);
}

static bool read_stable(int fd, raw_metas *raw) {
  raw_metas again;
  if (!read_raw(fd, raw)) return false;
  for (int i = 0; i < TRIES; i++) {
    if (!read_raw(fd, &again)) return false;
    bool same = memcmp(raw->page, again.page, sizeof raw->page) == 0;
    *raw = again;
    if (same) return true;
  }
  return true; /* a busy writer: what is odd about it is judged again */
}

static void parse_tree(const uint8_t *at, ld_lmdb_tree *tree) {
  *tree = (ld_lmdb_tree){.flags = ld_lmdb_u16(at + 4),
                         .depth = ld_lmdb_u16(at + 6),
                         .branch_pages = ld_lmdb_u64(at + 8),
                         .leaf_pages = ld_lmdb_u64(at + 16),
                         .overflow_pages = ld_lmdb_u64(at + 24),
                         .entries = ld_lmdb_u64(at + 32),
                         .root = ld_lmdb_u64(at + 40)};
}

static void parse_meta(const uint8_t *page, ld_lmdb_meta *meta) {
  meta->page_size = page_size_of(page);
  parse_tree(page + 40, &meta->free);
  parse_tree(page + 88, &meta->main);
  meta->last_page = ld_lmdb_u64(page + 136);
  meta->txnid = ld_lmdb_u64(page + 144);
}

#define RESTORE "nothing was changed; restore the store from a backup"

/* What a first page without our magic number at its place is. */
static ld_rc explain_magic(const raw_metas *raw, const char *path, ld_error *error) {
  const uint8_t *page = raw->page[0];
  uint32_t found = ld_lmdb_u32(page + MAGIC_AT);
  if (found == __builtin_bswap32(magic))
    return ld_fail(
        error, LD_CORRUPT,
        "%s: written on a machine of the other byte order; dump it there and load it here", path);
  if (ld_lmdb_u32(page + 12) == magic)
    return ld_fail(
        error, LD_CORRUPT,
        "%s: written by a 32-bit liblmdb, this one is 64-bit; dump it there and load it here",
        path);
  return ld_fail(error, LD_CORRUPT,
                 "%s: is no LMDB data file: found 0x%08X where 0x%08X is expected; " RESTORE, path,
                 (unsigned)found, (unsigned)magic);
}

/* Size, magic, version, page size of the first page; `*known` is false for a version of which nothing more can be said. */
static ld_rc judge_first(const raw_metas *raw, const char *path, bool *known, ld_error *error) {
  const uint8_t *page = raw->page[0];
  if (raw->file_size == 0)
    return ld_fail(error, LD_CORRUPT, "%s: is empty, expected two meta pages; " RESTORE, path);
  if (raw->size[0] < META_END)
    return ld_fail(error, LD_CORRUPT,
                   "%s: is cut off: found %zu bytes, expected two meta pages; " RESTORE, path,
                   raw->size[0]);
  if (ld_lmdb_u32(page + MAGIC_AT) != magic) return explain_magic(raw, path, error);
  *known = ld_lmdb_u32(page + VERSION_AT) == version_known;
  if (!*known || is_page_size(page_size_of(page))) return LD_OK;
  return ld_fail(
      error, LD_CORRUPT,
      "%s: meta page 0: found page size %u, expected a power of two from %d to %d; " RESTORE, path,
      (unsigned)page_size_of(page), PAGE_MIN, PAGE_MAX);
}

static ld_rc judge_header(const raw_metas *raw, int i, const char *path, ld_error *error) {
  const uint8_t *page = raw->page[i];
  uint64_t number = ld_lmdb_u64(page), flags = ld_lmdb_u16(page + 10);
  uint32_t found = ld_lmdb_u32(page + MAGIC_AT), version = ld_lmdb_u32(page + VERSION_AT);
  if (raw->size[i] < META_END)
    return ld_fail(error, LD_CORRUPT, "%s: is cut off inside meta page %d; " RESTORE, path, i);
  if (found != magic || version != version_known)
    return ld_fail(
        error, LD_CORRUPT,
        "%s: meta page %d: found magic 0x%08X version %u, expected 0x%08X version %u; " RESTORE,
        path, i, (unsigned)found, (unsigned)version, (unsigned)magic, (unsigned)version_known);
  if (number != (uint64_t)i || flags != LD_LMDB_META)
    return ld_fail(
        error, LD_CORRUPT,
        "%s: meta page %d: found number %llu and flags 0x%x, expected %d and 0x%x; " RESTORE, path,
        i, (unsigned long long)number, (unsigned)flags, i, (unsigned)LD_LMDB_META);
  return LD_OK;
}

static ld_rc judge_pair(const ld_lmdb_meta meta[2], uint64_t file_size, const char *path,
                        ld_error *error) {
  uint64_t a = meta[0].txnid, b = meta[1].txnid;
  bool fresh = a == 0 && b == 0, turns = a % 2 == 0 && b % 2 == 1 && (a + 1 == b || b + 1 == a);
  if (meta[0].page_size != meta[1].page_size)
    return ld_fail(error, LD_CORRUPT, "%s: the meta pages differ in page size: %u and %u; " RESTORE,
                   path, (unsigned)meta[0].page_size, (unsigned)meta[1].page_size);
  if (!fresh && !turns)
    return ld_fail(error, LD_CORRUPT,
                   "%s: the meta pages have commit numbers %llu and %llu, expected an even and an "
                   "odd one in a row; " RESTORE,
                   path, (unsigned long long)a, (unsigned long long)b);
  if (meta[a < b].last_page < meta[a >= b].last_page)
    return ld_fail(error, LD_CORRUPT,
                   "%s: the newer meta page ends at page %llu, the older at %llu; " RESTORE, path,
                   (unsigned long long)meta[a < b].last_page,
                   (unsigned long long)meta[a >= b].last_page);
  if (file_size < 2 * (uint64_t)meta[0].page_size)
    return ld_fail(error, LD_CORRUPT,
                   "%s: is cut off: found %llu bytes, expected two meta pages of %u; " RESTORE,
                   path, (unsigned long long)file_size, (unsigned)meta[0].page_size);
  return LD_OK;
}

static ld_rc judge(const raw_metas *raw, const char *path, ld_lmdb_metas *metas, ld_error *error) {
  ld_lmdb_meta meta[2];
  bool known = false;
  ld_rc rc = judge_first(raw, path, &known, error);
  if (rc == LD_OK && !known && ld_lmdb_u32(raw->page[1] + MAGIC_AT) == magic &&
      ld_lmdb_u32(raw->page[1] + VERSION_AT) == version_known)
    known = true; /* the second page knows better: the first one is damaged */
  if (rc == LD_OK && !known)
    *metas = (ld_lmdb_metas){.file_size = raw->file_size,
                             .version = ld_lmdb_u32(raw->page[0] + VERSION_AT)};
  if (rc != LD_OK || !known) return rc;
  for (int i = 0; i < 2 && rc == LD_OK; i++) {
    rc = judge_header(raw, i, path, error);
    parse_meta(raw->page[i], &meta[i]);
  }
  if (rc == LD_OK) rc = judge_pair(meta, raw->file_size, path, error);
  if (rc != LD_OK) return rc;
  bool second = meta[0].txnid < meta[1].txnid;
  *metas = (ld_lmdb_metas){.file_size = raw->file_size,
                           .version = version_known,
                           .known = true,
                           .newest = meta[second],
                           .older = meta[!second]};
  return LD_OK;
}

ld_rc ld_lmdb_metas_read(int fd, const char *path, ld_lmdb_metas *metas, ld_error *error) {
  raw_metas raw, before;
  ld_rc rc = LD_OK;
  for (int i = 0; i < TRIES; i++) {
    if (!read_stable(fd, &raw))
      return ld_fail(error, LD_IO, "%s: cannot be read: %s", path, strerror(errno));
    rc = judge(&raw, path, metas, error);
    if (rc == LD_OK || (i > 0 && memcmp(&raw, &before, sizeof raw) == 0)) break;
    before = raw;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* a commit may be under way */
  }
  return rc;
}
