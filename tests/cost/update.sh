#!/usr/bin/env bash
# Writes the tables of costs anew: update.sh BUILD [CLANG]. Of our own code, and of clang's from the same CUDA sources,
# compiled as HIP for AMD's chips, as C++ for OpenCL for Intel's. What Intel's compiler makes of them is left as it is
# where there is no ocloc. update_ptx.sh makes kernels.ptx.
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

# CUDA does not write the space of a pointer to global memory; `long long` has 128 bits in OpenCL, which has a rotation.
for folder in ../bench .; do
    name=$scratch/$(basename "$(realpath $folder)")
    sed -E -e '/^#include/d' -e 's/long long/long/g' -e 's/(\w+)\* (\w+[,)])/__global \1* \2/g' \
        -e 's/^    const (\w+\* \w+ = in )/    const __global \1/' \
        -e 's/^__device__ static inline unsigned rotate.*/#define rotate(x, by) rotate(x, 32u - by)/' \
        $folder/kernels.cuh >"$name.clcpp"
    "$clang" -x clcpp -cl-std=clc++2021 --target=spirv64v1.4-unknown-unknown -Xclang -finclude-default-header \
        -include peer_opencl.h -O3 -mllvm -inline-threshold=100000 -S -emit-llvm "$name.clcpp" -o "$name.ll"
    "${clang/clang++/llc}" -O3 --spirv-ext=+SPV_KHR_bit_instructions -filetype=obj "$name.ll" -o "$name.spv"
done
"$build/bin/spirv_cost" update . ../bench/kernels.ptx kernels.ptx "$scratch"/*.spv
if ocloc=$(command -v ocloc); then
    "$build/bin/intel_cost" update "$ocloc" . "$scratch" ../bench/kernels.ptx kernels.ptx "$scratch"/*.spv
    for chip in tgllp acm-g10 pvc; do
        programs=()
        for file in ../programs/ptx/*.ptx; do
            case "$chip $file" in
            *rdc_main.ptx) programs+=("$file:../programs/ptx/rdc_other.ptx") ;;
            *rdc_other.ptx) ;;
            pvc*) programs+=("$file") ;;
            # As CMakeLists.txt leaves them out.
            *double_int64.ptx | *wmma_gemm.ptx | *surface_access.ptx | *texture_*.ptx | tgllp*printf*.ptx) ;;
            *) programs+=("$file") ;;
            esac
        done
        "$build/bin/intel_cost" update-programs "$ocloc" . "$scratch" $chip "${programs[@]}"
    done
fi
