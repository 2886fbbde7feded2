#!/bin/sh
# builtin.sh OUTPUT FILE...: a list of the files for builtin.c, and a line that changes with them.
set -eu
out=$1
shift
{
    echo "/* Made by builtin.sh. */"
    printf '#define RED_FILES(X)'
    n=0
    for f in "$@"; do
        printf ' \\\n    X(%d, "%s", "%s")' "$n" "$(basename "$f")" "$f"
        n=$((n + 1))
    done
    echo
    echo "#define RED_FILES_N $n"
    echo "/* $(cat "$@" | sha256sum | cut -c1-64) */"
} >"$out"
