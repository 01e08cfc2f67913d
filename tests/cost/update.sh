#!/usr/bin/env bash
# Writes the tables of costs anew: update.sh BUILD [CLANG]. Of our own code, and of clang's from the same CUDA sources,
# compiled as HIP for the same chips. update_ptx.sh makes kernels.ptx.
set -euo pipefail
build=$(realpath "$1") clang=${2:-clang++-22}
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for gpu in gfx1100 gfx942; do
    for folder in ../bench .; do
        "$clang" -x hip --cuda-device-only -nogpuinc -nogpulib -include peer.h -std=c++17 -O3 --offload-arch=$gpu \
            -mcode-object-version=5 --no-gpu-bundle-output $folder/kernels.cuh \
            -o "$scratch/$gpu-$(basename "$(realpath $folder)").hsaco"
    done
    "$build/bin/kernel_cost" update $gpu . ../bench/kernels.ptx kernels.ptx "$scratch/$gpu"-*.hsaco
done
