#!/usr/bin/env bash
# Cuttle from nothing: installs what is missing, builds, and does one job.
#   tools/bootstrap.sh demo | build | test | bench  [options]
# Works on Debian 12 and 13 and on Ubuntu 24.04 wherever LLVM 22 can be had from the configured package sources.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# The compiler cache serves clones in other places, too.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
build=${CUTTLE_BUILD_DIR:-$root/build}
toolkit=auto
sanitize=
compiler=
install=yes
jobs=$(nproc)

usage() {
    cat <<TXT
usage: tools/bootstrap.sh JOB [options]
  demo     build, then compile a small CUDA program and run it on the CPU device
  build    build the libraries (build/lib) and programs (build/bin)
  test     build and run every test
  bench    build and run the benchmarks
options:
  --no-cuda-toolkit   use no nvcc: the test programs run from stored PTX through the driver API
  --sanitize          build with AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan
  --clang             compile with clang++-22 instead of g++
  --no-install        install nothing; fail when something is missing
  --build-dir DIR     instead of build/
TXT
}

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
die() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

job=${1:-}
[ $# -gt 0 ] && shift
while [ $# -gt 0 ]; do
    case $1 in
        --no-cuda-toolkit) toolkit=none ;;
        --sanitize) sanitize=address,undefined ;;
        --clang) compiler=clang++-22 ;;
        --no-install) install=no ;;
        --build-dir) shift; build=$1 ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; die "unknown option $1" ;;
    esac
    shift
done
case $job in
    demo | build | test | bench) ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac
if [ -n "$sanitize" ] && [ "$build" = "$root/build" ]; then build=$root/build-asan; fi

packages=(g++ cmake ninja-build ccache git pkg-config python3 llvm-22-dev liblld-22-dev lld-22 clang-22 llvm-22-tools
    libzstd-dev liblz4-dev zlib1g-dev libfmt-dev libcli11-dev libgtest-dev libgmock-dev)
case $job in test | bench) packages+=(libbenchmark-dev spirv-tools libclang-rt-22-dev) ;; esac

install_packages() {
    local missing=() p
    for p in "${packages[@]}"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ $install = yes ] || die "missing packages: ${missing[*]} (run without --no-install)"
    say "installing ${missing[*]}"
    local sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo apt-get update -qq || true
    for p in "${missing[@]}"; do
        apt-cache show "$p" >/dev/null 2>&1 || die "the package $p cannot be had from this system's package sources (LLVM 22 needs Debian 12 or newer with LLVM's packages)"
    done
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$build/apt.log" 2>&1 ||
        { tail -5 "$build/apt.log" >&2; die "apt-get install failed (whole log: $build/apt.log)"; }
}

# Sets nvcc to a compiler, or to nothing. The wheels go into the build folder, nowhere else.
find_nvcc() {
    nvcc=
    [ $toolkit = none ] && return
    local c
    for c in "${CUDA_HOME:-/nowhere}/bin/nvcc" /usr/local/cuda/bin/nvcc "$(command -v nvcc || true)" "$build/cuda/bin/nvcc"; do
        if [ -x "$c" ]; then nvcc=$c; return; fi
    done
    say "no nvcc found: taking NVIDIA's compiler from its PyPI packages into $build/cuda (use --no-cuda-toolkit to do without)"
    if fetch_nvcc >"$build/cuda-wheels.log" 2>&1; then
        nvcc=$build/cuda/bin/nvcc
    else
        say "nvcc cannot be had ($build/cuda-wheels.log says why): going on with stored PTX"
    fi
}
fetch_nvcc() {
    local venv=$build/cuda-venv wheel
    dpkg-query -W python3-venv >/dev/null 2>&1 || { [ $install = yes ] && apt-get install -y -qq python3-venv; }
    python3 -m venv "$venv"
    "$venv/bin/pip" download -q --no-deps -d "$build/cuda-wheels" nvidia-cuda-nvcc==13.0.88 nvidia-cuda-runtime==13.0.96 \
        nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl==13.0.85 nvidia-nvvm==13.0.88 nvidia-cuda-nvrtc==13.0.88
    mkdir -p "$build/cuda.part"
    for wheel in "$build"/cuda-wheels/*.whl; do
        python3 -m zipfile -e "$wheel" "$build/cuda.part"
    done
    rm -rf "$build/cuda"
    mv "$build/cuda.part/nvidia/cu13" "$build/cuda"
    rm -rf "$build/cuda.part"
    chmod +x "$build"/cuda/bin/* "$build"/cuda/nvvm/bin/*
    [ -e "$build/cuda/lib64" ] || ln -s lib "$build/cuda/lib64"
    "$build/cuda/bin/nvcc" --version
}

configure_and_build() {
    local flags=(-G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
    [ -n "$compiler" ] && flags+=(-DCMAKE_CXX_COMPILER=$compiler -DCMAKE_C_COMPILER=${compiler/++/})
    flags+=(-DCUTTLE_SANITIZE="$sanitize" -DCUTTLE_NVCC="$nvcc")
    case $job in
        test) flags+=(-DCUTTLE_TESTS=ON -DCUTTLE_BENCH=OFF) ;;
        bench) flags+=(-DCUTTLE_TESTS=OFF -DCUTTLE_BENCH=ON) ;;
        *) flags+=(-DCUTTLE_TESTS=OFF -DCUTTLE_BENCH=OFF) ;;
    esac
    say "configuring in $build"
    cmake -S "$root" -B "$build" "${flags[@]}" >"$build/configure.log" 2>&1 ||
        { tail -20 "$build/configure.log" >&2; die "configuration failed (whole log: $build/configure.log)"; }
    say "building (ninja, $jobs jobs)"
    ninja -C "$build" -j "$jobs"
}

# What runs CUDA programs out of the build folder.
run_demo() {
    local program=$build/demo/demo
    mkdir -p "$build/demo"
    if [ -n "$nvcc" ]; then
        say "compiling tools/demo/demo.cu with $nvcc"
        "$nvcc" -std=c++17 -o "$program" "$root/tools/demo/demo.cu"
    else
        say "compiling the host half of tools/demo/demo.cu; its kernel comes from stored PTX"
        g++ -std=c++17 -x c++ -I "$root/tests/support" -I "$root/libcuda_shim" -o "$program" "$root/tools/demo/demo.cu" \
            -L "$build/lib" -lcuda
        cp "$root/tests/programs/ptx/demo.ptx" "$build/demo/"
    fi
    say "first run"
    "$build/bin/cuttle" run --device cpu --summary "$program"
    say "second run, with the code cache warm"
    "$build/bin/cuttle" run --device cpu --summary "$program"
}

mkdir -p "$build"
install_packages
find_nvcc
configure_and_build
case $job in
    build) say "libraries in $build/lib, programs in $build/bin" ;;
    demo) run_demo ;;
    test) cd "$build" && ctest --output-on-failure -j "$jobs" --timeout 300 ;;
    bench) "$build/bin/cuttle-bench" "$@" ;;
esac
