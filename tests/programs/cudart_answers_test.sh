#!/usr/bin/env bash
# cudart_answers_test.sh BUILD PROGRAM TOOLKIT: PROGRAM prints the same on our libcudart as on the toolkit's, both on our
# libcuda.
set -uo pipefail
build=$1 program=$2 toolkit=$3
run() { LD_LIBRARY_PATH=$1 "$build/bin/cuttle" run --device cpu "$program" 2>/dev/null; }
theirs=$(run "$toolkit") || { echo "it fails on the toolkit's libcudart"; exit 1; }
[ -n "$theirs" ] || exit 1
diff <(echo "$theirs") <(run "$build/lib/cudart")
