#!/bin/sh
# total.sh <result>... -- add up what run.sh left; a result that is missing was not built and counts as failed.
# The last line is "N passed, N failed"; fails when one did, or when there was nothing to run.
set -u
passed=0 failed=0 skipped=0
echo
for result in "$@"; do
  name=${result#build/} && name=${name%%results/*}${name#*results/}
  if read -r p f s 2>/dev/null <"$result"; then
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" = 0 ] || echo "failed: $name ($result.log)"
  else
    failed=$((failed + 1))
    echo "failed: $name could not be built"
  fi
done
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
