#!/bin/sh
# Processor time of the judgement (bench/guard.c), and of `bartizan guard score` as a process: CPU per prompt of 512
# characters and per document of 64 KiB, start-up apart.
#   bench/guard.sh                   both tables
#   bench/guard.sh rates FILE...     hit rates of the rules alone over JSON lines {"text", "label"} (.xz too)
set -eu
cd "$(dirname "$0")/.."
build=${BARTIZAN_BUILD:-build-bench}
[ -e "$build/build.ninja" ] || meson setup "$build" -Dtests=enabled -Db_lto=true >/dev/null
ninja -C "$build" bench/bench_guard bartizan bartizan-cli >"$build/guard.log" || {
    cat "$build/guard.log" >&2
    exit 2
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
if [ "${1:-}" = rates ]; then
    shift
    for file; do
        case $file in
        *.xz) xz -dc "$file" >"$tmp/$(basename "$file" .jsonl.xz)" ;;
        *) cp "$file" "$tmp/$(basename "$file" .jsonl)" ;;
        esac
    done
    "$build/bench/bench_guard" rates "$tmp"/*
    exit
fi
"$build/bench/bench_guard"
exec python3 bench/guard.py "$build/bartizan"
