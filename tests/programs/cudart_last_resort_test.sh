#!/usr/bin/env bash
# cudart_last_resort_test.sh BUILD PROGRAM TOOLKIT: under `cuttle run`, a program that is linked to a shared cudart gets
# ours where the loader finds no other, and the toolkit's where it does.
set -uo pipefail
build=$1 program=$2 toolkit=$3
unset LD_LIBRARY_PATH LD_PRELOAD
loader=/lib64/ld-linux-x86-64.so.2
[ -x "$loader" ] || exit 77
for installed in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu; do
    compgen -G "$installed/libcudart.so.*" >/dev/null && exit 77
done
# Without its cache the loader finds what a machine without NVIDIA's toolkit has. Our libcudart traces its calls.
run() { CUTTLE_LOG=api=debug "$build/bin/cuttle" run --device cpu "$loader" --inhibit-cache "$program" 2>&1; }
output=$(run) || { echo "$output" | tail -5; exit 1; }
if ! grep -q PASSED <<<"$output" || ! grep -q 'cudaMalloc = 0' <<<"$output"; then
    echo "without a toolkit the program does not run on our libcudart"
    exit 1
fi
output=$(LD_LIBRARY_PATH=$toolkit run) || { echo "$output" | tail -5; exit 1; }
if ! grep -q PASSED <<<"$output" || grep -q 'cudaMalloc = 0' <<<"$output"; then
    echo "with the toolkit in LD_LIBRARY_PATH the program does not run on NVIDIA's libcudart"
    exit 1
fi
