/* fuzz_filter.c -- any JSON list as a filter and the documents behind it: a filter is refused with a message, or it and its
** negation divide the documents between them; its keys order the documents as their comparison does. */
#include "../../csrc/filter.h"

#include <string.h>

#include "../../csrc/json.h"
#include "../../csrc/order.h"
#include "fuzz.h"

static bool read_input(const uint8_t *data, size_t size, ld_buf *input, ld_slice *rest,
                       ld_token *head) {
  if (ld_json_parse(ld_bytes(data, size), input, NULL) != LD_OK) return false;
  *rest = ld_buf_slice(input);
  return ld_value_next(rest, head) && head->kind == LD_ARRAY && head->count > 0;
}

/* {"$nor": [filter]}; NULL when that is nested too deep. */
static ld_filter *negation_of(ld_slice document) {
  ld_buf negated = {0};
  ld_filter *filter = NULL;
  ld_write_map(&negated, 1);
  ld_write_text(&negated, "$nor");
  ld_write_array(&negated, 1);
  ld_buf_add(&negated, document);
  if (ld_filter_compile(ld_buf_slice(&negated), &filter, NULL) != LD_OK) filter = NULL;
  ld_buf_clear(&negated);
  return filter;
}

static void check_pair(ld_slice a, ld_slice b) {
  ld_buf key_a = {0}, key_b = {0};
  ld_order_key(&key_a, a, false);
  ld_order_key(&key_b, b, false);
  int by_key = ld_compare(ld_buf_slice(&key_a), ld_buf_slice(&key_b)), order = ld_order(a, b);
  CHECK((by_key < 0) == (order < 0) && (by_key > 0) == (order > 0));
  ld_buf_clear(&key_a);
  ld_buf_clear(&key_b);
}

static void check_documents(const ld_filter *filter, const ld_filter *negation, ld_slice rest,
                            uint32_t count) {
  ld_slice document, before = LD_LITERAL("\xc0");
  for (uint32_t i = 0; i < count; i++) {
    CHECK(ld_value_take(&rest, &document));
    bool matches = ld_filter_match(filter, document);
    CHECK(negation == NULL || ld_filter_match(negation, document) != matches);
    check_pair(before, document);
    before = document;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ld_buf input = {0};
  ld_slice rest, document;
  ld_token head;
  ld_error error = {.rc = LD_OK};
  ld_filter *filter = NULL;
  if (read_input(data, size, &input, &rest, &head)) {
    CHECK(ld_value_take(&rest, &document));
    ld_rc rc = ld_filter_compile(document, &filter, &error);
    CHECK(rc == LD_OK ? filter != NULL : rc == LD_INVALID && error.text[0] != '\0');
    if (rc == LD_OK) {
      ld_filter *negation = negation_of(document);
      check_documents(filter, negation, rest, head.count - 1);
      ld_filter_free(negation);
    }
    ld_filter_free(filter);
  }
  ld_buf_clear(&input);
  return 0;
}
