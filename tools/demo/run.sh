#!/usr/bin/env bash
# run.sh BUILD FOLDER [NVCC]: the demo, made in FOLDER and run twice on the CPU device by the programs of BUILD. With NVCC,
# demo.cu is compiled as any CUDA program; without, only its host half, and its kernel comes from stored PTX.
set -euo pipefail
build=$1 folder=$2 nvcc=${3:-}
root=$(cd "$(dirname "$0")/../.." && pwd)
say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

export CUTTLE_CACHE_DIR=$folder/cache   # the demo's own, and empty, so that the first run shows what translation takes
rm -rf "$CUTTLE_CACHE_DIR"
mkdir -p "$folder"
if [ -n "$nvcc" ]; then
    say "compiling tools/demo/demo.cu with $nvcc"
    "$nvcc" -std=c++17 -o "$folder/demo" "$root/tools/demo/demo.cu"
else
    say "compiling the host half of tools/demo/demo.cu; its kernel comes from stored PTX"
    "${CXX:-c++}" -std=c++17 -x c++ -I "$root/tests/support" -I "$root/libcuda_shim" -o "$folder/demo" \
        "$root/tools/demo/demo.cu" -L "$build/lib" -lcuda
    cp "$root/tests/programs/ptx/demo.ptx" "$folder/"
fi
say "first run"
"$build/bin/cuttle" run --device cpu --summary "$folder/demo"
say "second run, with the code cache warm"
"$build/bin/cuttle" run --device cpu --summary "$folder/demo"
