#!/usr/bin/env bash
# runtime_exports_test.sh OURS THEIRS: our libcudart has the soname of NVIDIA's, and exports the same names with the same
# versions. Skipped where NVIDIA's is not installed.
set -euo pipefail
ours=$1 theirs=$2
[ -e "$theirs" ] || { echo "no $theirs"; exit 77; }
names() {
    readelf -d "$1" | sed -n 's/.*soname: *//p'
    readelf --dyn-syms -W "$1" | awk 'NR > 3 && $7 != "UND" { print $8 }' | sort -u
}
diff <(names "$theirs") <(names "$ours")
