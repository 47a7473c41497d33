/* fuzz_json.c -- the input as JSON text and as a document: whatever is taken comes back the same through the other. */
#include <string.h>

#include "../../csrc/json.h"
#include "fuzz.h"

static ld_error error;

/* Print `document`, on one line or laid out, and parse that: it is `want`. */
static void check_comes_back(ld_slice document, bool pretty, ld_slice want) {
  ld_buf text = {0}, again = {0};
  CHECK_RC(LD_OK, ld_json_print(document, pretty, &text, &error));
  CHECK(ld_is_utf8(ld_buf_slice(&text)));
  CHECK(pretty ? text.data[text.size - 1] == '\n' : memchr(text.data, '\n', text.size) == NULL);
  CHECK_RC(LD_OK, ld_json_parse(ld_buf_slice(&text), &again, &error));
  CHECK(ld_equal(ld_buf_slice(&again), want));
  ld_buf_clear(&text);
  ld_buf_clear(&again);
}

static void check_text(ld_slice input) {
  ld_buf document = {0};
  ld_rc rc = ld_json_parse(input, &document, &error);
  ld_slice made = ld_buf_slice(&document);
  if (rc == LD_OK) {
    CHECK_RC(LD_OK, ld_value_check(made, &error));
    check_comes_back(made, false, made);
    check_comes_back(made, true, made);
  } else {
    CHECK(rc == LD_INVALID && strncmp(error.text, "line ", 5) == 0 && document.size == 0);
  }
  ld_buf_clear(&document);
}

static void check_document(ld_slice input) {
  ld_buf text = {0}, plain = {0};
  ld_slice rest = input;
  if (ld_value_check(input, &error) != LD_OK) {
    CHECK_RC(LD_INVALID, ld_json_print(input, false, &text, &error));
  } else if (ld_json_print(input, false, &text, &error) != LD_OK) {
    CHECK(error.rc == LD_INVALID && strstr(error.text, "duplicate key") != NULL);
  } else {
    fuzz_rewrite(&rest, false, &plain);
    check_comes_back(input, false, ld_buf_slice(&plain));
    check_comes_back(input, true, ld_buf_slice(&plain));
  }
  ld_buf_clear(&text);
  ld_buf_clear(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_text(ld_bytes(data, size));
  check_document(ld_bytes(data, size));
  return 0;
}
