#!/usr/bin/env bash
# Makes kernels.ptx from kernels.cuh: update_ptx.sh [NVCC]
set -euo pipefail
cd "$(dirname "$0")"
"${1:-/usr/local/cuda/bin/nvcc}" -std=c++17 -arch=compute_80 -Wno-deprecated-gpu-targets -ptx -x cu kernels.cuh -o - |
    grep -v '^//' >kernels.ptx
