#!/bin/sh
# The build only warns about a line of a list it cannot make something of. Here it is an error, and so is a test or a
# harness that stands in no list, or in two.
set -eu
cd "$(dirname "$0")/.."

failed=0
check() { # folder, prefix of its sources
    for list in "$1"/*.list; do
        [ -f "$list" ] || continue
        sed -e '/^[[:space:]]*\(#.*\)\{0,1\}$/d' "$list" | while read -r name _; do
            [ -f "$1/$2$name.c" ] || echo "$list:1: $1/$2$name.c is missing"
        done
    done
    for source in "$1"/"$2"*.c; do
        [ -f "$source" ] || continue
        name=${source#"$1"/"$2"}
        count=$(cat "$1"/*.list 2>/dev/null | awk -v name="${name%.c}" '$1 == name { n++ } END { print n + 0 }')
        [ "$count" -eq 1 ] || echo "$source:1: stands in $count lists of $1"
    done
}
found=$(check tests/unit test_; check fuzz fuzz_)
if [ -n "$found" ]; then
    echo "$found"
    failed=1
fi
exit "$failed"
