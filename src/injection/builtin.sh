#!/bin/sh
# builtin.sh HEADER RULES...: the rule files that come with Bartizan as a table, and a line that changes with them.
set -eu
header=$1
shift
{
    printf '#define RULE_FILES(X)'
    n=0
    for file; do
        printf ' \\\n    X(%d, "%s", "%s")' "$n" "${file##*/}" "$file"
        n=$((n + 1))
    done
    printf '\n/* %s */\n' "$(cat "$@" | cksum)"
} >"$header"
