#!/usr/bin/env bash
# nvrtc_last_resort_test.sh BUILD PROGRAM EXPECTED: under `cuttle run`, a program that is linked to NVRTC and comes to a
# machine without one gets ours, which compiles with clang.
set -uo pipefail
build=$1 program=$2 expected=$3
unset LD_LIBRARY_PATH LD_PRELOAD
export CUTTLE_NVRTC=clang
loader=/lib64/ld-linux-x86-64.so.2
[ -x "$loader" ] || exit 77
for installed in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu; do
    compgen -G "$installed/libnvrtc.so.*" >/dev/null && exit 77
done
# Without its cache the loader finds what a machine without NVIDIA's toolkit has.
output=$("$build/bin/cuttle" run --device cpu "$loader" --inhibit-cache "$program")
status=$?
diff -u "$expected" - <<<"$output" && exit $status
