#!/usr/bin/env bash
# start_test.sh BUILD PROGRAM PTX: when every kernel is in the cache, the program's process maps no LLVM and starts no
# translator; with an empty cache, too, LLVM stays out of it.
set -euo pipefail
build=$1 program=$2
export CUTTLE_PTX=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CUTTLE_CACHE_DIR=$folder/cache
cat >"$folder/spy" <<SPY
#!/bin/sh
echo started >>"$folder/started"
exec "$build/bin/cuttle-ptxc" "\$@"
SPY
chmod +x "$folder/spy"
export CUTTLE_TRANSLATOR=$folder/spy
check() {   # what the dynamic loader opened in this process, by its own account
    rm -f "$folder"/loads*
    LD_DEBUG=files LD_DEBUG_OUTPUT=$folder/loads "$build/bin/cuttle" run --device cpu "$program" >/dev/null
    # cuttle execs the program: one process id, whose file is the one that names the program's own libcuda.
    local programs=0
    for file in "$folder"/loads*; do
        grep -q 'calling init: .*libcuda' "$file" || continue
        programs=$((programs + 1))
        if grep -qi 'libLLVM' "$file"; then
            echo "$1: LLVM was mapped"
            exit 1
        fi
    done
    [ $programs -gt 0 ] || { echo "$1: no process loaded libcuda, so this test shows nothing"; exit 1; }
}
check cold
[ -s "$folder/started" ] || { echo "cold: the translator was not started, so this test shows nothing"; exit 1; }
rm "$folder/started"
check warm
[ ! -e "$folder/started" ] || { echo "warm: the translator was started"; exit 1; }
echo "no LLVM in the process, no translator when warm"
