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
usage: tools/bootstrap.sh JOB [options] [-- arguments of the benchmark program or of ctest]
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
        --build-dir) shift; build=$(realpath -m "${1:?--build-dir needs a folder}") ;;
        -h | --help) usage; exit 0 ;;
        --) shift; break ;;
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
case $job in test | bench) packages+=(libbenchmark-dev spirv-tools) ;; esac
case $job:$compiler in test:*) packages+=(shellcheck libclang-rt-22-dev) ;; bench:*) packages+=(libomp-22-dev) ;; esac
[ -z "$sanitize" ] || [ -z "$compiler" ] || packages+=(libclang-rt-22-dev)
installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
# Installs what is missing of the packages named; the first that cannot be had ends the job with one line.
install_packages() {
    local missing=() sudo=() p
    command -v apt-get >/dev/null || die "no apt-get here: on other systems than Debian and Ubuntu, see docs/contributing.md"
    for p in "$@"; do installed "$p" || missing+=("$p"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ $install = yes ] || die "missing packages: ${missing[*]} (run without --no-install)"
    say "installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "installing packages needs root or sudo"
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq >"$build/apt.log" 2>&1 || say "apt-get update failed ($build/apt.log): going on with the lists that are there"
    for p in "${missing[@]}"; do
        apt-cache show "$p" >/dev/null 2>&1 ||
            die "the package $p cannot be had from this system's package sources (LLVM 22 is in Debian 13 and in Debian 12's security archive; elsewhere add a source that has it)"
    done
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$build/apt.log" 2>&1 ||
        die "apt-get install failed: $(grep -m 1 '^E:' "$build/apt.log") (whole log: $build/apt.log)"
}

# install_optional WHAT PACKAGE...: all of the packages or none; then WHAT is left out.
install_optional() {
    local what=$1 missing=() absent=() p
    shift
    for p in "$@"; do installed "$p" || missing+=("$p"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ $install = no ]; then
        say "not installed: ${missing[*]}: $what are left out"
        return 0
    fi
    for p in "${missing[@]}"; do
        [ -n "$(apt-cache madison "$p" 2>/dev/null)" ] || absent+=("$p")
    done
    if [ ${#absent[@]} -gt 0 ]; then
        say "cannot be had here: ${absent[*]}: $what are left out"
        return 0
    fi
    install_packages "${missing[@]}"
}
install_optional_packages() {
    case $job in
        test)
            install_optional "the tests of Level Zero and of Intel's compiler" libze1 libze-dev pocl-opencl-icd \
                ocl-icd-libopencl1 opencl-headers llvm-spirv-15 intel-opencl-icd
            install_optional "the tests of mathematics in what clang compiles in NVRTC's place" libclc-22
            ;;
        bench) install_optional "PoCL's times" pocl-opencl-icd ocl-icd-libopencl1 opencl-headers ;;
    esac
}

# Sets nvcc to a compiler, or to nothing. The wheels go into the build folder, nowhere else.
find_nvcc() {
    nvcc=
    [ $toolkit = none ] && return
    local c
    for c in "${CUDA_HOME:-/nowhere}/bin/nvcc" /usr/local/cuda/bin/nvcc "$(command -v nvcc || true)" "$build/cuda/bin/nvcc"; do
        # A wrapper may be left of a toolkit that is gone.
        if [ -x "$c" ] && "$c" --version >/dev/null 2>&1; then nvcc=$c; return; fi
    done
    say "no nvcc found: taking NVIDIA's compiler from its PyPI packages into $build/cuda (use --no-cuda-toolkit to do without)"
    python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
    if fetch_nvcc >"$build/cuda-wheels.log" 2>&1; then
        nvcc=$build/cuda/bin/nvcc
    else
        say "nvcc cannot be had ($build/cuda-wheels.log says why): going on with stored PTX"
    fi
}
# Called as a condition, so that `set -e` means nothing here: every step is a link of one chain.
fetch_nvcc() {
    local venv=$build/cuda-venv part=$build/cuda.part wheel
    rm -rf "$part" "$build/cuda"
    python3 -m venv "$venv" &&
        "$venv/bin/pip" download -q --no-deps -d "$build/cuda-wheels" nvidia-cuda-nvcc==13.0.88 nvidia-cuda-runtime==13.0.96 \
            nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl==13.0.85 nvidia-nvvm==13.0.88 nvidia-cuda-nvrtc==13.0.88 || return 1
    for wheel in "$build"/cuda-wheels/*.whl; do
        python3 -m zipfile -e "$wheel" "$part" || return 1
    done
    # Wheels unpacked by hand keep no permissions; nvcc looks for lib64.
    chmod +x "$part"/nvidia/cu13/bin/* "$part"/nvidia/cu13/nvvm/bin/* &&
        ln -sfn lib "$part/nvidia/cu13/lib64" &&
        "$part/nvidia/cu13/bin/nvcc" --version &&
        mv "$part/nvidia/cu13" "$build/cuda" &&
        rm -rf "$part" "$venv" "$build/cuda-wheels"
}

configure_and_build() {
    local flags=(-G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
    [ -z "$compiler" ] || flags+=("-DCMAKE_CXX_COMPILER=$compiler" "-DCMAKE_C_COMPILER=${compiler/++/}")
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

mkdir -p "$build"
install_packages "${packages[@]}"
install_optional_packages
find_nvcc
configure_and_build
case $job in
    build) say "libraries in $build/lib, programs in $build/bin" ;;
    demo) CXX=${compiler:-g++} "$root/tools/demo/run.sh" "$build" "$build/demo" "$nvcc" ;;
    test) cd "$build" && ctest --output-on-failure -j "$jobs" --timeout 300 "$@" ;;
    bench) "$build/bin/cuttle-bench" "$@" ;;
esac
