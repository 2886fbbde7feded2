#!/bin/sh
# bench/classifier.sh DATA [OUT]: every number of docs/CLASSIFIER.md about what is found and what is flagged wrongly.
#   DATA   folder with train/ and eval/ of labelled texts (docs/CLASSIFIER.md, "Rows")
#   OUT    where the trainer's rows lie or are made (a temporary folder otherwise; CORPUS: roots for tools/train-corpus.py)
# It scores with the weights that are built in, at the threshold in them. bench/guard.sh has the processor time.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || {
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
}
build=${BARTIZAN_BUILD:-build}
[ -e "$build/build.ninja" ] || meson setup "$build" -Dtests=enabled >/dev/null
ninja -C "$build" tools/train-classifier >/dev/null
out=${2:-}
if [ -z "$out" ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi
if [ ! -e "$out/mix.jsonl" ]; then
    mkdir -p "$out"
    # shellcheck disable=SC2086 # a list of folders
    [ -e "$out/corpus.jsonl" ] || python3 tools/train-corpus.py ${CORPUS:-/} >"$out/corpus.jsonl"
    python3 tools/train-mix.py "$1" "$out/corpus.jsonl" "$out" >&2
fi
python3 bench/classifier.py "$build/tools/train-classifier" - "$1" "$out"
