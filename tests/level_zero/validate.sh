#!/usr/bin/env bash
# validate.sh PTXC TARGET SPIRV_TOOLS LEVEL REFUSED SCRATCH FILE.ptx...: whether spirv-val, in the folder SPIRV_TOOLS,
# accepts the module that is made of the PTX for the target with optimisation level LEVEL, of which REFUSED kernels are
# left out.
set -euo pipefail
ptxc=$1 target=$2 tools=$3 level=$4 refused=$5 scratch=$6
shift 6
mkdir -p "$(dirname "$scratch")"
"$ptxc" --target "$target" -O"$level" -o "$scratch.spv" "$@" >"$scratch.log" 2>&1 || {
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
