#!/usr/bin/env bash
# former_cuda.sh FOLDER: makes FOLDER/11 and FOLDER/12 of NVIDIA's Python packages, for the tests of libcudart.so.11.0 and
# .12 (CMake's CUTTLE_FORMER_CUDA). They have headers, cudart and ptxas, and no nvcc: clang compiles for them, with the
# fatbinary of the CUDA that is installed in $CUDA_HOME.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cuda=${CUDA_HOME:-/usr/local/cuda}
for version in 11 12; do
    root=$folder/$version
    mkdir -p "$root/bin" "$root/packages"
    python3 -m pip download --quiet --no-deps --dest "$root/packages" \
        "nvidia-cuda-runtime-cu$version" "nvidia-cuda-nvcc-cu$version"
    for package in "$root"/packages/*.whl; do python3 -m zipfile -e "$package" "$root/packages"; done
    runtime=$root/packages/nvidia/cuda_runtime compiler=$root/packages/nvidia/cuda_nvcc
    cp -r "$compiler/include" "$compiler/nvvm" "$root/"
    cp -r "$runtime/include" "$root/"
    cp -r "$runtime/lib" "$root/lib64"
    install -m 755 "$compiler/bin/ptxas" "$root/bin/ptxas"
    ln -sf "$cuda/bin/fatbinary" "$root/bin/fatbinary"
    rm -r "$root/packages"
done
