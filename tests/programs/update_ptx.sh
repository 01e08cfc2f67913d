#!/usr/bin/env bash
# Makes ptx/*.ptx, the kernels of the programs for machines without a CUDA toolkit, anew: update_ptx.sh [NVCC [FOLDER]]
set -euo pipefail
nvcc=${1:-/usr/local/cuda/bin/nvcc}
out=$(realpath -m "${2:-$(dirname "$0")/ptx}")
cd "$(dirname "$0")"
mkdir -p "$out"
for source in *.cu ../../tools/demo/demo.cu; do
    name=$(basename "$source" .cu)
    flags=() architecture=compute_80
    case $name in
        nvrtc_* | cdp_* | rdc_library* | cudart_* | former_cudart | batches) continue ;; # need cudart or NVRTC
        grid_group) continue ;;                                                          # needs libcudadevrt
        rdc_*) flags=(-rdc=true) ;;
        cluster_groups) architecture=compute_90 ;;
    esac
    "$nvcc" -std=c++17 "${flags[@]}" -arch=$architecture -Wno-deprecated-gpu-targets -ptx "$source" -o - | grep -v '^//' >"$out/$name.ptx"
done
"$nvcc" --version | grep -o 'V[0-9.]*$' >"$out/toolkit.txt"
