/* test_gzip.c -- packed and unpacked in pieces of every size; cut off, damaged, without memory and without zlib. */
#include <dlfcn.h>

#include "../../csrc/gzip.h"
#include "check.h"
#include "failing_malloc.h"

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);

static ld_error error; /* the last one */
static bool no_library;

void *__wrap_dlopen(const char *name, int flags) {
  return no_library ? NULL : __real_dlopen(name, flags);
}

/* Half of it repeats itself. */
static void make_text(size_t size, ld_buf *text) {
  uint64_t state = size + 1;
  ld_buf_reset(text);
  while (text->size < size) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    ld_buf_byte(text, state >> 63 ? 'a' : (uint8_t)(state >> 33));
  }
}

static ld_rc pack(ld_slice text, size_t piece, ld_buf *packed) {
  ld_gzip *stream = NULL;
  bool last = false;
  ld_rc rc = ld_gzip_open(true, &stream, &error);
  while (rc == LD_OK && !last) {
    ld_slice part = ld_bytes(text.data, text.size < piece ? text.size : piece);
    text = ld_bytes(text.data + part.size, text.size - part.size);
    last = text.size == 0;
    rc = ld_gzip_pack(stream, part, last, packed, &error);
  }
  ld_gzip_close(stream);
  return rc;
}

/* In pieces of `in` bytes, into pieces of `out` bytes. */
static ld_rc unpack(ld_slice packed, size_t in, size_t out, ld_buf *text, bool *whole) {
  ld_gzip *stream = NULL;
  ld_rc rc = ld_gzip_open(false, &stream, &error);
  while (rc == LD_OK) {
    ld_slice part = ld_bytes(packed.data, packed.size < in ? packed.size : in);
    size_t given = part.size, before = text->size;
    rc = ld_gzip_unpack(stream, &part, out, text, &error);
    CHECK(text->size - before <= out);
    packed = ld_bytes(packed.data + (given - part.size), packed.size - (given - part.size));
    if (packed.size == 0 && text->size == before) break;
  }
  if (rc == LD_OK) *whole = ld_gzip_is_whole(stream);
  ld_gzip_close(stream);
  return rc;
}

static void check_back(size_t size, size_t in, size_t out) {
  ld_buf text = {0}, packed = {0}, again = {0};
  bool whole = false;
  make_text(size, &text);
  CHECK_RC(LD_OK, pack(ld_buf_slice(&text), in, &packed));
  CHECK_RC(LD_OK, unpack(ld_buf_slice(&packed), in, out, &again, &whole));
  CHECK(whole);
  CHECK(ld_equal(ld_buf_slice(&again), ld_buf_slice(&text)));
  ld_buf_clear(&text);
  ld_buf_clear(&packed);
  ld_buf_clear(&again);
}

static void test_pieces(void) {
  static const size_t sizes[] = {0, 1, 2, 1000, 70000}, pieces[] = {1, 7, 1000, 1 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t in = 0; in < sizeof pieces / sizeof *pieces; in++)
      for (size_t out = 0; out < sizeof pieces / sizeof *pieces; out++)
        check_back(sizes[i], pieces[in], pieces[out]);
  check_back(5000000, 64 << 10, 256 << 10);
}

/* What other programs pack: the bytes of `printf hello | gzip -9n`. */
static const uint8_t hello[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    2,
                                3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                0xa6, 0x10, 0x36, 5,    0,    0,    0};

static void test_foreign(void) {
  ld_buf text = {0};
  bool whole = false;
  CHECK_RC(LD_OK, unpack(ld_bytes(hello, sizeof hello), 3, 2, &text, &whole));
  CHECK(whole && ld_equal(ld_buf_slice(&text), LD_LITERAL("hello")));
  ld_buf_clear(&text);
}

static void test_several(void) {
  ld_buf packed = {0}, text = {0};
  bool whole = false;
  for (int i = 0; i < 3; i++) CHECK_RC(LD_OK, pack(LD_LITERAL("one more "), 4, &packed));
  CHECK_RC(LD_OK, unpack(ld_buf_slice(&packed), 5, 3, &text, &whole));
  CHECK(whole && ld_equal(ld_buf_slice(&text), LD_LITERAL("one more one more one more ")));
  ld_buf_add(&packed, LD_LITERAL("something else"));
  ld_buf_reset(&text);
  CHECK_RC(LD_INVALID, unpack(ld_buf_slice(&packed), 5, 3, &text, &whole));
  CHECK(strstr(error.text, "damaged") != NULL);
  CHECK(ld_equal(ld_buf_slice(&text), LD_LITERAL("one more one more one more ")));
  ld_buf_clear(&packed);
  ld_buf_clear(&text);
}

/* Cut off anywhere it is not whole; with a bit turned it is damaged, not whole, or says the same (the header has bytes that mean nothing). */
static void test_damage(void) {
  ld_buf text = {0}, packed = {0}, again = {0};
  make_text(300, &text);
  CHECK_RC(LD_OK, pack(ld_buf_slice(&text), 300, &packed));
  for (size_t size = 0; size < packed.size; size++) {
    bool whole = true;
    ld_buf_reset(&again);
    CHECK_RC(LD_OK, unpack(ld_bytes(packed.data, size), 100, 100, &again, &whole));
    CHECK(!whole);
  }
  for (size_t bit = 0; bit < 8 * packed.size; bit++) {
    bool whole = false;
    ld_buf_reset(&again);
    packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    ld_rc rc = unpack(ld_buf_slice(&packed), 100, 100, &again, &whole);
    CHECK(rc == LD_INVALID || rc == LD_OK);
    CHECK(rc != LD_OK || !whole || ld_equal(ld_buf_slice(&again), ld_buf_slice(&text)));
    packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  ld_buf_clear(&text);
  ld_buf_clear(&packed);
  ld_buf_clear(&again);
}

/* ---- what is lacking ---- */

static long fail_each(bool packing) {
  for (long n = 0;; n++) {
    ld_buf out = {0};
    bool whole;
    long before = allocated;
    run_out_after(n, false);
    ld_rc rc = packing ? pack(LD_LITERAL("hello"), 5, &out)
                       : unpack(ld_bytes(hello, sizeof hello), 25, 100, &out, &whole);
    refill();
    CHECK_RC(ran_out ? LD_NOMEM : LD_OK, rc);
    ld_buf_clear(&out);
    CHECK(allocated == before);
    if (!ran_out) return n;
  }
}

static void test_memory(void) {
  CHECK(fail_each(true) > 3);
  CHECK(fail_each(false) > 2);
}

static void test_no_library(void) {
  ld_gzip *stream = NULL;
  no_library = true;
  for (int packing = 0; packing < 2; packing++) {
    CHECK_RC(LD_UNSUPPORTED, ld_gzip_open(packing, &stream, &error));
    CHECK(stream == NULL && strstr(error.text, "zlib") != NULL);
  }
  no_library = false;
}

int main(void) {
  ld_gzip *stream = NULL;
  test_no_library();
  if (ld_gzip_open(true, &stream, &error) == LD_UNSUPPORTED) {
    CHECK(strstr(error.text, "zlib") != NULL);
    return check_done("gzip (without zlib)");
  }
  ld_gzip_close(stream);
  test_pieces();
  test_foreign();
  test_several();
  test_damage();
  test_memory();
  test_no_library();
  return check_done("gzip");
}
