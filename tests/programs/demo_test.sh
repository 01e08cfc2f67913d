#!/usr/bin/env bash
# demo_test.sh BUILD EXPECTED [NVCC]: the demo of tools/bootstrap.sh shows an H100's picture, the device, what translation
# took and, the second time, that nothing was translated.
set -euo pipefail
build=$1 expected=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$(dirname "$0")/../../tools/demo/run.sh" "$build" "$folder/demo" "${@:3}" >"$folder/out" 2>"$folder/summary" ||
    { cat "$folder/out" "$folder/summary"; exit 1; }
grep -av '==>\|computed on' "$folder/out" | diff -a -u <(cat "$expected" "$expected") -
[ "$(grep -ac 'computed on ".*", compute capability [0-9]*\.[0-9]' "$folder/out")" = 2 ] || { cat "$folder/out"; exit 1; }
line='kernels: 1; translation: [0-9.]* ms; cache: '
mapfile -t summaries < <(grep '^cuttle: summary' "$folder/summary")   # the linker may have warned, too
if ! grep "${line}0 hits, [1-9]" <<<"${summaries[0]:-}" || ! grep "${line}[1-9] hits, 0 misses" <<<"${summaries[1]:-}"; then
    echo "the summaries are not those of a cold and a warm run:"
    cat "$folder/summary"
    exit 1
fi
