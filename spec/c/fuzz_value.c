/* fuzz_value.c -- any bytes as a document: what passes the check can be read, and written again, without a difference. */
#include <string.h>

#include "fuzz.h"

static bool same_token(const ld_token *a, const ld_token *b) {
  if (ld_is_string(a) && ld_is_string(b)) return ld_equal(a->bytes, b->bytes);
  if (a->kind != b->kind) return false;
  switch (a->kind) {
  case LD_BOOL: return a->truth == b->truth;
  case LD_INT: return a->integer == b->integer;
  case LD_FLOAT:
    return (isnan(a->number) && isnan(b->number)) || memcmp(&a->number, &b->number, 8) == 0;
  case LD_ARRAY:
  case LD_MAP: return a->count == b->count;
  default: return true;
  }
}

static void check_same_tokens(ld_slice a, ld_slice b) {
  ld_token left, right;
  while (a.size > 0) {
    CHECK(ld_value_next(&a, &left) && ld_value_next(&b, &right));
    CHECK(same_token(&left, &right));
  }
  CHECK(b.size == 0);
}

/* Bytes of whatever kind: each token takes something off the front, and nothing but that. */
static void check_any(ld_slice rest) {
  ld_token token;
  const uint8_t *end = rest.data + rest.size;
  for (size_t before = rest.size; rest.size > 0 && ld_value_next(&rest, &token);
       before = rest.size) {
    CHECK(rest.size < before && rest.data + rest.size == end);
    if (ld_is_string(&token)) CHECK(token.bytes.data + token.bytes.size == rest.data);
    if (token.kind >= LD_ARRAY) CHECK(token.count <= rest.size);
  }
}

static void check_fields(ld_slice document) {
  ld_slice rest = document, field, value, key_bytes;
  ld_token map, key;
  if (!ld_value_next(&rest, &map) || map.kind != LD_MAP) return;
  for (uint32_t i = 0; i < map.count; i++) {
    char name[32];
    key_bytes = rest;
    CHECK(ld_value_next(&key_bytes, &key) && ld_value_take(&rest, &value));
    CHECK(ld_value_take(&rest, &value));
    if (!ld_is_string(&key) || key.bytes.size >= sizeof name) continue;
    memcpy(name, key.bytes.data, key.bytes.size);
    name[key.bytes.size] = '\0';
    CHECK(strlen(name) < key.bytes.size || ld_value_field(document, name, &field));
    CHECK(ld_value_field(document, name, &field) || strlen(name) < key.bytes.size);
  }
}

static void check_document(ld_slice document) {
  ld_buf early = {0}, late = {0};
  ld_slice rest = document, whole;
  CHECK(ld_value_take(&rest, &whole) && rest.size == 0 && ld_equal(whole, document));
  rest = document;
  fuzz_rewrite(&rest, false, &early);
  CHECK(rest.size == 0);
  rest = ld_buf_slice(&early);
  fuzz_rewrite(&rest, true, &late);
  CHECK(!early.failed && ld_equal(ld_buf_slice(&early), ld_buf_slice(&late)));
  CHECK_RC(LD_OK, ld_value_check(ld_buf_slice(&early), NULL));
  check_same_tokens(document, ld_buf_slice(&early));
  check_fields(document);
  ld_buf_clear(&early);
  ld_buf_clear(&late);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ld_slice input = ld_bytes(data, size);
  ld_error error;
  check_any(input);
  ld_rc rc = ld_value_check(input, &error);
  if (rc == LD_OK)
    check_document(input);
  else
    CHECK(rc == LD_INVALID && error.rc == LD_INVALID && error.text[0] != '\0');
  return 0;
}
