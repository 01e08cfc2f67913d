#!/usr/bin/env bash
# validate.sh PTXC SPIRV_TOOLS REFUSED SCRATCH FILE.ptx...: whether spirv-val, in the folder SPIRV_TOOLS, accepts the
# module that is made of the PTX, of which REFUSED kernels are left out.
set -euo pipefail
ptxc=$1 tools=$2 refused=$3 scratch=$4
shift 4
mkdir -p "$(dirname "$scratch")"
"$ptxc" --target spirv -o "$scratch.spv" "$@" >"$scratch.log" 2>&1 || {
    cat "$scratch.log"
    exit 1
}
left_out=$(grep -c 'left out' "$scratch.log" || true)
if [ "$left_out" != "$refused" ]; then
    cat "$scratch.log"
    echo "$left_out kernels are left out, not $refused"
    exit 1
fi
if [ ! -s "$scratch.spv" ]; then
    echo "no kernel is left to validate"
    exit 1
fi
# SPIR-V for OpenCL beyond 1.2 has no environment of its own there.
"$tools/spirv-val" --target-env spv1.4 "$scratch.spv"
