#!/usr/bin/env bash
# native_cache.sh DRIVER_API_TEST SCRATCH: what the driver compiled in one process is what later ones run, as long as the
# driver is the same and takes it. Needs the environment of Level Zero's tests.
set -euo pipefail
test=$1
export CUTTLE_CACHE_DIR=$2.${CUTTLE_ZE_TEST_ENGINE:-machine} CUTTLE_LOG=info
rm -rf "$CUTTLE_CACHE_DIR"
log=$CUTTLE_CACHE_DIR.log

# run WHAT COUNT LINE [VARIABLE=VALUE...]: the kernel's results are right, and COUNT lines of the log have LINE.
run() {
    local what=$1 count=$2 line=$3
    shift 3
    env "$@" "$test" --gtest_filter=LevelZeroKernels.Saxpy >"$log" 2>&1 || {
        cat "$log"
        echo "$what: wrong"
        exit 1
    }
    local found
    found=$(grep -c "$line" "$log" || true)
    if [ "$found" != "$count" ]; then
        cat "$log"
        echo "$what: $found lines with \"$line\", not $count"
        exit 1
    fi
    echo "$what: right"
}

built='building kernel saxpy took' kept='saxpy was built in an earlier process' anew='it is built anew'
run "the first process builds" 1 "$built"
run "the second builds nothing" 1 "$kept" CUTTLE_ZE_TEST_NATIVE_ONLY=1
run "another driver builds" 1 "$built" CUTTLE_ZE_TEST_VERSION=2
run "and keeps that beside the other's" 1 "$kept" CUTTLE_ZE_TEST_VERSION=2 CUTTLE_ZE_TEST_NATIVE_ONLY=1
run "the first driver still has its own" 1 "$kept" CUTTLE_ZE_TEST_NATIVE_ONLY=1
run "other settings of the compiler build" 1 "$built" IGC_Test=1
run "a driver that refuses its own costs one line" 1 "$anew" CUTTLE_ZE_TEST_BUILD=7
run "and is asked no more" 0 "$anew" CUTTLE_ZE_TEST_BUILD=7 CUTTLE_ZE_TEST_NATIVE_ONLY=1
run "without a cache everybody builds" 1 "$built" CUTTLE_CACHE=0

# The last byte of every entry, in place.
find "$CUTTLE_CACHE_DIR" -type f ! -name lock -print0 | while IFS= read -r -d '' entry; do
    printf '\xa5' | dd of="$entry" bs=1 seek=$(($(stat -c %s "$entry") - 1)) conv=notrunc status=none
done
run "a damaged file is harmless" 1 "$built"
run "and is replaced" 1 "$kept" CUTTLE_ZE_TEST_NATIVE_ONLY=1
