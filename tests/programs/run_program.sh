#!/usr/bin/env bash
# run_program.sh CUTTLE PROGRAM EXPECTED: runs the program on the CPU device and compares what it prints.
set -u
cuttle=$1 program=$2 expected=$3
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
"$cuttle" run --device cpu "$program" >"$actual"
status=$?
if ! diff -a -u "$expected" "$actual"; then
    echo "the output differs from the expected one (exit code $status)" >&2
    exit 1
fi
exit $status
