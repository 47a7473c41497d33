/* lmdb_meta.h -- the two meta pages of an LMDB data file, read without liblmdb.
**
** liblmdb believes what it finds: it starts afresh on an empty file and dies of SIGBUS on a truncated one. So we look first.
** Known is data version 1 of 64-bit little-endian machines, which every liblmdb 0.9 writes:
**
**   page header, 16 bytes:  number u64 | pad u16 | flags u16 | lower u16, upper u16 (overflow page: count of pages u32)
**   meta, from byte 16:     magic u32 | version u32 | address u64 | map size u64 | free tree 48 | main tree 48 | last page u64 | txnid u64
**   tree, 48 bytes:         pad u32 (free tree: page size) | flags u16 | depth u16 | pages: branch, leaf, overflow u64 | entries u64 | root u64
**
** Commit N writes meta page N % 2, so the numbers of the two are always consecutive (0 and 0 in a new file). */
#ifndef LD_LMDB_META_H
#define LD_LMDB_META_H

#include "../base.h"

#define LD_LMDB_NO_PAGE UINT64_MAX /* the root of an empty tree */

enum { LD_LMDB_HEADER = 16 }; /* bytes of a page header */
enum {
  LD_LMDB_BRANCH = 1,
  LD_LMDB_LEAF = 2,
  LD_LMDB_OVERFLOW = 4,
  LD_LMDB_META = 8
}; /* page flags */

typedef struct ld_lmdb_tree {
  uint16_t flags, depth;
  uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
} ld_lmdb_tree;

typedef struct ld_lmdb_meta {
  uint32_t page_size;
  uint64_t txnid, last_page;
  ld_lmdb_tree free, main; /* keys: txnid u64; our rows */
} ld_lmdb_meta;

typedef struct ld_lmdb_metas {
  uint64_t file_size;
  uint32_t version; /* of the data format */
  bool known;       /* that we know this version; else nothing below is set */
  ld_lmdb_meta newest, older;
} ld_lmdb_metas;

static inline uint16_t ld_lmdb_u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }
static inline uint32_t ld_lmdb_u32(const uint8_t *at) {
  return ld_lmdb_u16(at) | (uint32_t)ld_lmdb_u16(at + 2) << 16;
}
static inline uint64_t ld_lmdb_u64(const uint8_t *at) {
  return ld_lmdb_u32(at) | (uint64_t)ld_lmdb_u32(at + 4) << 32;
}

/* Read up to `size` bytes at `offset`; `*got` is less only at the end of the file. false with errno. */
bool ld_lmdb_pread(int fd, void *bytes, size_t size, uint64_t offset, size_t *got);

/* Read and compare both meta pages. CORRUPT says what was found and what was expected; `path` names the file in it. */
ld_rc ld_lmdb_metas_read(int fd, const char *path, ld_lmdb_metas *metas, ld_error *error);

#endif
