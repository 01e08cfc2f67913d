#!/usr/bin/env bash
# ways_to_run_test.sh BUILD OPENS_LIBCUDA: a program that opens libcuda by name gets ours in every way that README.md
# describes.
set -euo pipefail
build=$1 program=$2
unset LD_LIBRARY_PATH LD_PRELOAD
expect() {   # NAME_OF_WAY COMMAND...
    local way=$1 file word
    shift
    read -r file word < <("$@")
    if [ "$(realpath "$file")" != "$(realpath "$build/lib/libcuda.so.1")" ] || [ "$word" != c0ffee ]; then
        echo "$way: got '$file $word'"
        exit 1
    fi
    echo "$way: $file"
}
for name in libcuda.so.1 libcuda.so; do
    expect "cuttle run, $name" "$build/bin/cuttle" run --device cpu "$program" "$name"
    expect "LD_LIBRARY_PATH, $name" env LD_LIBRARY_PATH="$build/lib" "$program" "$name"
done
# AddressSanitizer's runtime, where the build has it, must be the first library of all.
sanitizer=$(ldd "$program" | sed -n 's/.*=> \(.*san.*\) (.*/\1/p' | head -n 1)
expect LD_PRELOAD env LD_PRELOAD="$sanitizer $build/lib/libcuda.so.1" "$program" libcuda.so.1
