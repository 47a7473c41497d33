/* value.h -- documents: MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), read and written in place.
**
** nil, bool, int64, float64, str (valid UTF-8), bin (any bytes), array, map with keys of any scalar type.
** Written in the shortest form (floats always as float 64). Read in any form; unsigned integers past int64 and extension types
** are refused. A document is one value with nothing behind it, at most LD_DEPTH containers inside one another. */
#ifndef LD_VALUE_H
#define LD_VALUE_H

#include "base.h"

#define LD_DEPTH 128

typedef enum ld_kind {
  LD_NIL,
  LD_BOOL,
  LD_INT,
  LD_FLOAT,
  LD_STR,
  LD_BIN,
  LD_ARRAY,
  LD_MAP
} ld_kind;

/* "a string", "a map": for messages. */
const char *ld_kind_name(ld_kind kind);

/* One scalar, or the head of a container: `count` elements or pairs follow it. */
typedef struct ld_token {
  ld_kind kind;
  union {
    bool truth;
    int64_t integer;
    double number;
    ld_slice bytes; /* str and bin; borrowed from the document */
    uint32_t count; /* array: elements; map: pairs */
  };
} ld_token;

/* Take one token off the front of `rest`. False: cut off, or no MessagePack that we keep; `rest` is then undefined. */
bool ld_value_next(ld_slice *rest, ld_token *token);
/* Take one whole value off the front of `rest`; `*value` is the bytes of it. */
bool ld_value_take(ld_slice *rest, ld_slice *value);

/* The sizes of values with the heads from 0xc0 to 0xdf; 0: the head alone does not say it. */
extern const uint8_t ld_scalar_sizes[32];
/* The size of a scalar that says it in its first two bytes, as nearly all do; it may be cut off. 0: look closer. */
static inline size_t ld_scalar_size(ld_slice rest) {
  uint8_t head = rest.size > 0 ? rest.data[0] : 0xc1, next = rest.size > 1 ? rest.data[1] : 0xff;
  if (head < 0x80 || head >= 0xe0) return 1;
  if (head < 0xc0) return head >= 0xa0 ? 1 + (size_t)(head & 0x1f) : 0;
  if (head == 0xd9) return 2 + (size_t)next;
  return head == 0xcf && next >= 0x80 ? 0 : ld_scalar_sizes[head & 0x1f];
}
/* As take, without the value. */
static inline bool ld_value_skip(ld_slice *rest) {
  ld_slice value;
  size_t size = ld_scalar_size(*rest);
  if (size == 0 || size > rest->size) return ld_value_take(rest, &value);
  *rest = ld_bytes(rest->data + size, rest->size - size);
  return true;
}

/* INVALID, with the byte offset, unless `document` is exactly one value within the depth, its str all UTF-8 and its map keys scalars other than nil and NaN. */
ld_rc ld_value_check(ld_slice document, ld_error *error);
/* The same for a document in a wrapping, which does not count among the containers. */
ld_rc ld_value_check_wrapped(ld_slice document, ld_error *error);
/* The value of the string key `name` in a map. False when it is not a map, or not there. */
bool ld_value_field(ld_slice map, const char *name, ld_slice *value);
/* Append one step of a path in a document, for messages: `.name`, `["odd name"]`, `[3]` (an index counts from 1). At the start of `path` the dot is left out. */
void ld_path_key(ld_buf *path, const ld_token *key);
void ld_path_index(ld_buf *path, uint64_t index);
static inline bool ld_is_string(const ld_token *token) {
  return token->kind == LD_STR || token->kind == LD_BIN;
}

void ld_write_nil(ld_buf *buf);
void ld_write_bool(ld_buf *buf, bool truth);
void ld_write_int(ld_buf *buf, int64_t integer);
void ld_write_float(ld_buf *buf, double number);
void ld_write_string(ld_buf *buf,
                     ld_slice bytes); /* str when the bytes are valid UTF-8, else bin */
void ld_write_text(ld_buf *buf, const char *text); /* a str from a C string known to be UTF-8 */
void ld_write_array(ld_buf *buf, size_t count);    /* the head; `count` values follow */
void ld_write_map(ld_buf *buf, size_t count);      /* the head; `count` pairs follow */

/* For containers whose count is known only at the end: open notes where the head will be, close writes it in the shortest form. */
size_t ld_write_open(ld_buf *buf);
void ld_write_close(ld_buf *buf, size_t opened, ld_kind kind, size_t count);

#endif
