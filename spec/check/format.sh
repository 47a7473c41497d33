#!/bin/sh
# format.sh [root] -- .clang-format decides the layout of C. The tree is formatted with version 14; others lay out a few things
# differently, so they are not asked.
cd "${1:-.}" || exit 1
for tool in clang-format-14 clang-format; do
  case $("$tool" --version 2>/dev/null) in *' version 14.'*) exec "$tool" --dry-run -Werror $(find csrc spec -name '*.[ch]') ;; esac
done
echo "clang-format 14 is not here; the layout was not checked"
exit 77
