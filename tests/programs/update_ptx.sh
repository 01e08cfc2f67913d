#!/usr/bin/env bash
# Makes ptx/*.ptx, the kernels of the programs for machines without a CUDA toolkit, anew: update_ptx.sh [NVCC]
set -euo pipefail
cd "$(dirname "$0")"
nvcc=${1:-/usr/local/cuda/bin/nvcc}
mkdir -p ptx
for source in *.cu ../../tools/demo/demo.cu; do
    name=$(basename "$source" .cu)
    flags=() architecture=compute_80
    case $name in
        nvrtc_driver) continue ;;
        rdc_*) flags=(-rdc=true) ;;
        cluster_groups) architecture=compute_90 ;;
    esac
    "$nvcc" -std=c++17 "${flags[@]}" -arch=$architecture -Wno-deprecated-gpu-targets -ptx "$source" -o - | grep -v '^//' >"ptx/$name.ptx"
    echo "$name"
done
