#!/bin/sh
# classifier_bin.sh WEIGHTS HEADER: where the weights lie, and a line that changes with them.
set -eu
printf '#define CLASSIFIER_BIN "%s"\n/* %s */\n' "$1" "$(cksum <"$1")" >"$2"
