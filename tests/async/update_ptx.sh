#!/usr/bin/env bash
# Makes ptx/*.ptx from kernels/*.cu, and cases.tsv, anew: update_ptx.sh [NVCC]. With a folder behind it the PTX goes there
# and the cases stay: update_ptx.sh NVCC FOLDER
set -euo pipefail
nvcc=${1:-/usr/local/cuda/bin/nvcc}
out=$(realpath -m "${2:-$(dirname "$0")/ptx}")
cd "$(dirname "$0")"
mkdir -p "$out"
for source in kernels/*.cu; do
    name=$(basename "$source" .cu)
    architecture=compute_90
    [ "$name" = replace ] && architecture=compute_90a
    "$nvcc" -std=c++17 -arch=$architecture -diag-suppress 550 -ptx "$source" -o - | grep -v '^//' >"$out/$name.ptx"
done
"$nvcc" --version | grep -o 'V[0-9.]*$' >"$out/toolkit.txt"
[ $# -gt 1 ] || python3 make_cases.py
