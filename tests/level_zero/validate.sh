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
accepts() { "$tools/spirv-val" --target-env spv1.4 "$1"; }
if "$tools/spirv-dis" "$scratch.spv" -o "$scratch.spvasm" && grep -q 'OpCapability ShaderClockKHR' "$scratch.spvasm" &&
    ! accepts "$scratch.spv" >/dev/null 2>&1; then
    # Validators until 2023 take ShaderClockKHR for a capability of shaders alone, whose control flow is structured. All
    # but the clock is looked at.
    echo "without what reads the clock"
    sed -E -e '/OpCapability ShaderClockKHR/d' -e '/OpExtension "SPV_KHR_shader_clock"/d' \
        -e 's/OpReadClockKHR (%[A-Za-z0-9_]+) .*/OpUndef \1/' "$scratch.spvasm" >"$scratch.clockless.spvasm"
    "$tools/spirv-as" --target-env spv1.4 --preserve-numeric-ids "$scratch.clockless.spvasm" -o "$scratch.clockless.spv"
    scratch=$scratch.clockless
fi
accepts "$scratch.spv"
