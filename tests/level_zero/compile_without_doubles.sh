#!/usr/bin/env bash
# compile_without_doubles.sh PTXC OCLOC SCRATCH FILE.ptx...: whether Intel's compiler, not told to emulate doubles, takes
# the kernels of each file as they are made for devices without them, on chips that are such, with sub-groups of 32.
set -euo pipefail
ptxc=$1 ocloc=$2 scratch=$3
shift 3
unset IGC_EnableDPEmulation OverrideDefaultFP64Settings
mkdir -p "$scratch"
for file; do
    module=$scratch/$(basename "$(dirname "$file")")
    "$ptxc" --target spirv:no-fp64 -o "$module.spv" "$file"
    for chip in tgllp acm-g10; do
        # As runtime/backend/level_zero/builder.cpp asks for it.
        "$ocloc" compile -spirv_input -file "$module.spv" -device $chip -output "$module.$chip" -output_no_suffix \
            -options '-ze-opt-greater-than-4GB-buffer-required -cl-fp32-correctly-rounded-divide-sqrt' \
            -internal_options '-cl-intel-enable-zebin -cl-intel-allow-zebin' >"$module.log" 2>&1 || {
            cat "$module.log"
            exit 1
        }
        # The zebin's notes on its kernels are text.
        all=$(grep -ac 'simd_size:' "$module.$chip" || true)
        wide=$(grep -acE 'simd_size: *32$' "$module.$chip" || true)
        echo "$file: $chip: $wide of $all kernels have sub-groups of 32"
        [ "$all" -gt 0 ] && [ "$all" = "$wide" ]
        grep -a 'spilled' "$module.log" || true
    done
done
