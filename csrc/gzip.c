/* gzip.c -- see gzip.h. zlib is loaded by each stream for itself, so that no state is kept; the loader counts. */
#include "gzip.h"

#include <dlfcn.h>
#include <stdlib.h>

#if !defined(LD_NO_ZLIB) && defined(__has_include)
#if __has_include(<zlib.h>)
#define HAS_ZLIB
#endif
#endif

#ifdef HAS_ZLIB

#define ZLIB_CONST
#include <limits.h>
#include <zlib.h>

enum { PIECE = 64 << 10, MEMORY = 8, GZIP = 16 /* beside the size of the window */ };

struct ld_gzip {
  void *library;
  z_stream zlib;
  bool whole;
  int (*pack_init)(z_streamp zlib, int level, int method, int window, int memory, int strategy,
                   const char *version, int size);
  int (*unpack_init)(z_streamp zlib, int window, const char *version, int size);
  int (*run)(z_streamp zlib, int flush);
  int (*again)(z_streamp zlib);
  int (*end)(z_streamp zlib); /* NULL: nothing was begun */
};

static ld_rc translate(const ld_gzip *stream, int code, ld_error *error) {
  const char *text = stream->zlib.msg == NULL ? "not what gzip writes" : stream->zlib.msg;
  switch (code) {
  case Z_OK:
  case Z_STREAM_END:
  case Z_BUF_ERROR: return LD_OK; /* it wants more of the one or the other */
  case Z_MEM_ERROR: return ld_fail(error, LD_NOMEM, "gzip: out of memory");
  case Z_VERSION_ERROR:
    return ld_fail(error, LD_UNSUPPORTED, "gzip: zlib is another one than larder was built with");
  default: return ld_fail(error, LD_INVALID, "the packed data is damaged: %s", text);
  }
}

/* All memory comes from here, so that tests can let it run out. */
static voidpf take(voidpf context, uInt count, uInt size) {
  (void)context;
  return calloc(count, size);
}

static void give(voidpf context, voidpf memory) {
  (void)context;
  free(memory);
}

static void *open_library(void) {
  static const char *const names[] = {"libz.so.1", "libz.so", "libz.1.dylib"};
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && library == NULL; i++)
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  return library;
}

/* ISO C has no cast from an object's address to a function's. */
static bool find(const ld_gzip *stream, const char *name, void *function) {
  void *found = dlsym(stream->library, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static bool find_all(ld_gzip *stream, bool packing) {
  if (stream->library == NULL) return false;
  if (packing)
    return find(stream, "deflateInit2_", &stream->pack_init) &&
           find(stream, "deflate", &stream->run) && find(stream, "deflateEnd", &stream->end);
  return find(stream, "inflateInit2_", &stream->unpack_init) &&
         find(stream, "inflate", &stream->run) && find(stream, "inflateReset", &stream->again) &&
         find(stream, "inflateEnd", &stream->end);
}

static int init(ld_gzip *stream, bool packing) {
  int size = (int)sizeof stream->zlib, window = MAX_WBITS + GZIP;
  return packing ? stream->pack_init(&stream->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window,
                                     MEMORY, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
                 : stream->unpack_init(&stream->zlib, window, ZLIB_VERSION, size);
}

ld_rc ld_gzip_open(bool packing, ld_gzip **stream, ld_error *error) {
  ld_rc rc = LD_OK;
  ld_gzip *made = calloc(1, sizeof *made);
  if (made == NULL) return ld_fail(error, LD_NOMEM, "gzip: out of memory");
  made->zlib.zalloc = take;
  made->zlib.zfree = give;
  made->library = open_library();
  if (!find_all(made, packing))
    rc = ld_fail(error, LD_UNSUPPORTED, "gzip: zlib is not installed here (libz.so.1)");
  if (rc == LD_OK) rc = translate(made, init(made, packing), error);
  if (rc != LD_OK) made->end = NULL;
  if (rc == LD_OK)
    *stream = made;
  else
    ld_gzip_close(made);
  return rc;
}

void ld_gzip_close(ld_gzip *stream) {
  if (stream == NULL) return;
  if (stream->end != NULL) stream->end(&stream->zlib);
  if (stream->library != NULL) dlclose(stream->library);
  free(stream);
}

/* zlib counts in unsigned int. */
static uInt size_of(size_t size) { return size > UINT_MAX ? UINT_MAX : (uInt)size; }

/* One call: take from `*in`, append up to `most`. */
static int run(ld_gzip *stream, ld_slice *in, int flush, size_t most, ld_buf *out) {
  z_stream *zlib = &stream->zlib;
  uInt given = size_of(in->size), room = size_of(most);
  if (!ld_buf_reserve(out, room)) return Z_MEM_ERROR;
  zlib->next_in = in->data;
  zlib->avail_in = given;
  zlib->next_out = out->data + out->size;
  zlib->avail_out = room;
  int code = stream->run(zlib, flush);
  out->size += room - zlib->avail_out;
  *in = ld_bytes(in->data + (given - zlib->avail_in), in->size - (given - zlib->avail_in));
  return code;
}

ld_rc ld_gzip_pack(ld_gzip *stream, ld_slice text, bool last, ld_buf *packed, ld_error *error) {
  ld_rc rc = LD_OK;
  int code = Z_OK;
  while (rc == LD_OK && (last ? code != Z_STREAM_END : text.size > 0)) {
    code = run(stream, &text, last && text.size <= UINT_MAX ? Z_FINISH : Z_NO_FLUSH, PIECE, packed);
    rc = translate(stream, code, error);
  }
  return rc;
}

ld_rc ld_gzip_unpack(ld_gzip *stream, ld_slice *packed, size_t most, ld_buf *text,
                     ld_error *error) {
  size_t before = text->size, given = packed->size;
  int code = run(stream, packed, Z_NO_FLUSH, most, text);
  if (packed->size < given) stream->whole = false;
  if (code == Z_STREAM_END) {
    stream->whole = true;
    code = stream->again(&stream->zlib);
  }
  return text->size > before ? LD_OK : translate(stream, code, error);
}

bool ld_gzip_is_whole(const ld_gzip *stream) { return stream->whole; }

#else

ld_rc ld_gzip_open(bool packing, ld_gzip **stream, ld_error *error) {
  (void)packing;
  (void)stream;
  return ld_fail(error, LD_UNSUPPORTED, "gzip: this larder was built without zlib (zlib.h)");
}

void ld_gzip_close(ld_gzip *stream) { (void)stream; }

/* No stream is ever opened. */
ld_rc ld_gzip_pack(ld_gzip *stream, ld_slice text, bool last, ld_buf *packed, ld_error *error) {
  (void)stream;
  (void)text;
  (void)last;
  (void)packed;
  return ld_fail(error, LD_MISUSE, "gzip: no stream");
}

ld_rc ld_gzip_unpack(ld_gzip *stream, ld_slice *packed, size_t most, ld_buf *text,
                     ld_error *error) {
  (void)stream;
  (void)packed;
  (void)most;
  (void)text;
  return ld_fail(error, LD_MISUSE, "gzip: no stream");
}

bool ld_gzip_is_whole(const ld_gzip *stream) { return stream != NULL; }

#endif
