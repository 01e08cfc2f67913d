#!/usr/bin/env bash
# profile_test.sh CUTTLE PROGRAM EXPECTED KERNEL LAUNCHES: `cuttle run --profile` shows each kernel with its launches and
# times, and the program does what it does without.
set -euo pipefail
cuttle=$1 program=$2 expected=$3 kernel=$4 launches=$5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
CUTTLE_CACHE_DIR=$folder/cache "$cuttle" run --profile "$program" >"$folder/out" 2>"$folder/profile"
diff -a -u "$expected" "$folder/out"
# Columns: total share launches mean longest threads translated lanes scattered barriers way... kernel
if ! awk -v kernel="$kernel" -v launches="$launches" '
    /^cuttle: profile: / { head++; next }
    head && $1 == "total" { next }
    head { share += $2; if (index($0, kernel)) {
               found++
               if ($3 != launches || $1 <= 0 || $4 > $5 || $5 > $1 || $6 <= 0 || $7 <= 0) wrong++
               if ($0 !~ /  (loop|[0-9]+ phases|fibers) /) wrong++
               if (/not timed/) wrong++
               # Of scan_blocks some lanes are idle in steps of the scan, and blocks meet.
               if (!($8 > 0 && $8 <= 32) || $9 !~ /^[0-9.]+%$/ || $9 + 0 >= 100 || $10 < 1) wrong++ } }
    END { exit !(head == 1 && found == 1 && !wrong && share > 99 && share < 101) }' "$folder/profile"; then
    echo "not the profile that was expected:"
    cat "$folder/profile"
    exit 1
fi
