#!/bin/bash
# bench/run.sh [--quick] [PART...]     parts: cpu durable sse data data_sse inject inject_chat memory streams auth (default: all)
# Prints what the gateway costs, as ratios to a plain nginx proxy_pass in the same run. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BARTIZAN_BUILD:-build}
export BARTIZAN_BUILD=$build PYTHONDONTWRITEBYTECODE=1
tools/deps.sh bench
./run build
mkdir -p "$build/bench"
for program in upstream streams load; do
    if [ "bench/$program.c" -nt "$build/bench/$program" ]; then
        cc -std=gnu17 -O2 -D_GNU_SOURCE -Wall -Wextra -o "$build/bench/$program" "bench/$program.c" -lssl -lcrypto
    fi
done
exec python3 bench/run.py "$@"
