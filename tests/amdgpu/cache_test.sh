#!/usr/bin/env bash
# cache_test.sh BUILD PROGRAM PTX EXPECTED: code objects lie in the code cache. A second process translates nothing; a
# chip does not get another's code; damaged entries are made anew.
set -euo pipefail
build=$1 program=$2 expected=$4
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

run() { # CHIP yes|no WHAT: whether the translator is to be started
    rm -f "$folder/started"
    CUTTLE_EMULATED_GPU=$1 "$build/bin/cuttle" run --device hip "$program" >"$folder/out"
    cmp -s "$folder/out" "$expected" || { echo "$3: the program's output is wrong"; exit 1; }
    local started=no
    [ ! -e "$folder/started" ] || started=yes
    [ $started = "$2" ] || { echo "$3: translator started: $started, not $2"; exit 1; }
}
entries() { find "$folder/cache" -type f ! -name lock | sort; }

run gfx1100 yes "an empty cache"
run gfx1100 no "the same again"
run gfx942 yes "another chip"
run gfx942 no "the other chip again"
run gfx1100 no "the first chip again"

# One byte in the middle of each entry; half of each entry; nothing of it.
damage() { # WAY
    entries | while read -r file; do
        size=$(stat -c %s "$file")
        case $1 in
        byte) printf '\xa5' | dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none ;;
        half) truncate -s $((size / 2)) "$file" ;;
        empty) truncate -s 0 "$file" ;;
        esac
    done
}
[ "$(entries | wc -l)" -ge 3 ] || { echo "the cache has no entries, so this test shows nothing"; exit 1; }
for way in byte half empty; do
    damage $way
    run gfx1100 yes "damaged entries ($way)"
    run gfx1100 no "after the repair ($way)"
done
echo "code objects are cached, each for its chip, and repaired"
