#!/bin/sh
# Every public header compiles alone, under gcc and clang, without a warning.
set -eu
cd "$(dirname "$0")/.."

failed=0
for cc in gcc clang; do
    if ! command -v "$cc" >/dev/null; then
        echo "tools/check-headers.sh:1: $cc is not installed" >&2
        failed=1
        continue
    fi
    for header in include/bartizan/*.h; do
        # Twice: the include guard must work.
        printf '#include <%s>\n#include <%s>\n' "${header#include/}" "${header#include/}" |
            "$cc" -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
                -Wwrite-strings -Wcast-qual -Wpointer-arith -Wundef -Wvla -Werror -Iinclude -fsyntax-only -x c - || {
            echo "$header:1: does not compile alone under $cc"
            failed=1
        }
    done
done
exit "$failed"
