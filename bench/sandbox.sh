#!/bin/bash
# bench/sandbox.sh [--rounds N]     what a cage costs, whether it holds, what leaks into it
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
tools/deps.sh bench
./run build
exec python3 bench/sandbox.py "$@"
