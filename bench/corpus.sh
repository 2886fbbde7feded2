#!/bin/sh
# Precision and recall of the detectors over a generated corpus (corpus.c), against the targets; exit 1 where
# one is missed. --markdown prints the tables of docs/DATA-PROTECTION.md.
set -eu
cd "$(dirname "$0")/.."
build=${BARTIZAN_BUILD:-build-corpus}
[ -e "$build/build.ninja" ] || meson setup "$build" -Dtests=enabled >/dev/null
ninja -C "$build" bench/bench_corpus >"$build/corpus.log" || {
    cat "$build/corpus.log" >&2
    exit 2
}
exec "$build/bench/bench_corpus" "$@"
