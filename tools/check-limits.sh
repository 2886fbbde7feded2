#!/bin/sh
# docs/LIMITS.md names every cap of limits.h, and no cap that is not there.
set -eu
cd "$(dirname "$0")/.."

header=include/bartizan/limits.h
page=docs/LIMITS.md
if [ ! -f "$page" ]; then
    echo "$page:1: missing"
    exit 1
fi
awk -v header="$header" -v page="$page" '
FILENAME == header && /^#define BZ_/ {
    at[$2] = FNR
    next
}
FILENAME == page {
    rest = $0
    while (match(rest, /BZ_[A-Z0-9_]+/)) {
        name = substr(rest, RSTART, RLENGTH)
        if (!(name in seen))
            seen[name] = FNR
        rest = substr(rest, RSTART + RLENGTH)
    }
}
END {
    for (name in at)
        if (!(name in seen)) {
            printf "%s:%d: %s is not in %s\n", header, at[name], name, page
            failed = 1
        }
    for (name in seen)
        if (!(name in at)) {
            printf "%s:%d: %s is not in %s\n", page, seen[name], name, header
            failed = 1
        }
    exit failed
}' "$header" "$page"
