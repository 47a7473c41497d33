/* documents.h -- documents for C tests, from JSON text. */
#ifndef LD_DOCUMENTS_H
#define LD_DOCUMENTS_H

#include "../../csrc/json.h"
#include "check.h"

/* Owned: ld_buf_clear. */
static inline ld_buf document_of(const char *json) {
  ld_buf document = {0};
  ld_error error;
  if (ld_json_parse(ld_text(json), &document, &error) != LD_OK) {
    fprintf(stderr, "%s: %s\n", json, error.text);
    exit(1);
  }
  return document;
}

static inline void print_document(FILE *file, const char *name, ld_slice document) {
  ld_buf text = {0};
  if (ld_json_print(document, false, &text, NULL) == LD_OK)
    fprintf(file, "%s %.*s\n", name, (int)text.size, (const char *)text.data);
  else
    fprintf(file, "%s ?\n", name);
  ld_buf_clear(&text);
}

#endif
