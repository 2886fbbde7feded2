#!/bin/sh
# No function over 100 lines or a complexity of 25 (McCabe, a switch counted once), no file over 800 lines.
set -eu
cd "$(dirname "$0")/.."

if ! command -v pmccabe >/dev/null; then
    echo "tools/check-functions.sh:1: pmccabe is not installed: apt-get install pmccabe" >&2
    exit 1
fi
files=$(find src include fuzz bench -name '*.[ch]' | LC_ALL=C sort)
failed=0
complaints=$(mktemp)
trap 'rm -f "$complaints"' EXIT
# shellcheck disable=SC2086 # our file names have no blanks
pmccabe $files 2>"$complaints" | awk -F '\t' '
$1 > 25 || $5 > 100 {
    place = $6
    sub(/\(/, ":", place)
    sub(/\)/, "", place)
    printf "%s: complexity %d, %d lines\n", place, $1, $5
    failed = 1
}
END { exit failed }' || failed=1
# What pmccabe cannot read it does not measure.
if grep . "$complaints"; then
    failed=1
fi
# shellcheck disable=SC2086
wc -l $files | awk '$2 != "total" && $1 > 800 { printf "%s:800: %d lines\n", $2, $1; failed = 1 } END { exit failed }' || failed=1
exit "$failed"
