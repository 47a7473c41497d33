#!/bin/sh
# run.sh <result> <seconds> <command>... -- run one test within that time, and say in a line how it went.
#
# <result> gets the line "passed failed skipped". What the test prints goes to <result>.log and is shown when it fails.
# A program is one test (status 77: skipped); a spec file is as many as busted counts. IN=folder runs it there.
# Succeeds whatever the test does: total.sh judges.
set -u
result=$1 seconds=$2 && shift 2
mkdir -p "$(dirname "$result")"
rm -f "$result" "$result".report.*
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
if [ -n "${ASAN_OPTIONS:-}" ]; then
  # To files, so that a report of a process that the test starts, and takes no notice of, counts too.
  export ASAN_OPTIONS="$ASAN_OPTIONS:log_path=$PWD/$result.report"
  export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:log_path=$PWD/$result.report"
fi

limit() { if command -v timeout >/dev/null; then timeout -k 10 "$seconds" "$@"; else "$@"; fi; }

start=$(date +%s)
case $result in /*) log=$result.log ;; *) log=$PWD/$result.log ;; esac
(cd "${IN:-.}" && limit "$@") >"$log" 2>&1 </dev/null
status=$?
took=$(($(date +%s) - start))

# busted's last words: 12 successes / 0 failures / 0 errors / 1 pending : 0.1 seconds
counted=$(sed -n 's|^\([0-9]*\) success[es]* / \([0-9]*\) failures* / \([0-9]*\) errors* / \([0-9]*\) pending.*|\1 \2 \3 \4|p' "$log" | tail -n 1)
set -- ${counted:-0 0 0 0}
passed=$1 failed=$(($2 + $3)) skipped=$4
why=
if [ "$status" = 77 ]; then
  skipped=1
elif [ -z "$counted" ] && [ "$status" = 0 ]; then
  passed=1
elif [ "$status" != 0 ] && [ "$failed" = 0 ]; then
  failed=1
  case $status in
  124 | 137) why="no end within $seconds s" ;;
  *) why="status $status" ;;
  esac
elif [ "$((passed + failed + skipped))" = 0 ]; then
  failed=1 why="holds no test"
fi
for report in "$result".report.*; do
  [ -e "$report" ] || continue
  cat "$report" >>"$log"
  [ "$failed" = 0 ] && failed=1 && passed=${counted%% *}
  why="a sanitizer's report"
done

passed=${passed:-0}
word=ok && [ "$failed" -gt 0 ] && word=FAIL
name=${result#build/}
line=$(printf '%-4s %-32s %4d passed' "$word" "${name%%results/*}${name#*results/}" "$passed")
[ "$failed" -gt 0 ] && line="$line, $failed failed${why:+ ($why)}"
[ "$skipped" -gt 0 ] && line="$line, $skipped skipped"
line="$line, $took s"
[ "$failed" -gt 0 ] && line="$line
$(sed 's/^/  | /' "$log")"
[ "$failed" = 0 ] && [ "$skipped" -gt 0 ] && line="$line
$(grep -v -E '^[●◌+.-]+$|successes? /' "$log" | sed '/^$/d; s/^/  | /')"
printf '%s\n' "$line"
echo "$passed $failed $skipped" >"$result"
