#!/usr/bin/env bash
# machine_code_only_test.sh BUILD NVCC: a program with machine code for NVIDIA's GPUs and no PTX gets CUDA's own error, and
# one line on stderr says what the program has and what to rebuild it with.
set -euo pipefail
build=$1 nvcc=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$nvcc" -std=c++17 -gencode arch=compute_80,code=sm_80 -Wno-deprecated-gpu-targets -o "$folder/program" \
    "$(dirname "$0")/vector_add.cu"
status=0
"$build/bin/cuttle" run --device cpu "$folder/program" >"$folder/out" 2>"$folder/log" || status=$?
fail() {
    echo "$1; exit code $status, output and log:"
    cat "$folder/out" "$folder/log"
    exit 1
}
[ $status = 1 ] || fail "the program must end with its own code"
grep -q 'no kernel image is available for execution on the device' "$folder/out" || fail "not CUDA's error"
[ "$(wc -l <"$folder/log")" = 1 ] || fail "not one line"
grep -q 'holds .*sm_80.*arch=compute_80,code=compute_80' "$folder/log" || fail "not what is there and what to do"
