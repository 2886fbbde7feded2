#!/bin/bash
# bench/scan.sh [--quick]
# What `bartizan scan` costs, beside whichever other scanners are installed. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BARTIZAN_BUILD:-build}
export BARTIZAN_BUILD=$build PYTHONDONTWRITEBYTECODE=1
tools/deps.sh bench
./run build
exec python3 bench/scan.py "$@"
