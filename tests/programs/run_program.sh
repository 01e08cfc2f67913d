#!/usr/bin/env bash
# run_program.sh CUTTLE PROGRAM EXPECTED [DEVICE]: runs the program on the CPU device, or another, and compares what it
# prints.
set -u
cuttle=$1 program=$2 expected=$3 device=${4:-cpu}
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
"$cuttle" run --device "$device" "$program" >"$actual"
status=$?
if ! diff -a -u "$expected" "$actual"; then
    echo "the output differs from the expected one (exit code $status)" >&2
    exit 1
fi
exit $status
