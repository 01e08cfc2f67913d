#!/usr/bin/env bash
# Makes ptx/*.ptx from kernels/*.cu and cases.tsv anew: update_ptx.sh [NVCC]
set -euo pipefail
cd "$(dirname "$0")"
nvcc=${1:-/usr/local/cuda/bin/nvcc}
mkdir -p ptx
for source in kernels/*.cu; do
    name=$(basename "$source" .cu)
    architecture=compute_90
    [ "$name" = replace ] && architecture=compute_90a
    "$nvcc" -std=c++17 -arch=$architecture -diag-suppress 550 -ptx "$source" -o - | grep -v '^//' >"ptx/$name.ptx"
done
python3 make_cases.py
