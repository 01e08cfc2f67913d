#!/usr/bin/env bash
# Whether stored PTX is what its sources give: stored_ptx_test.sh FOLDER NVCC SCRATCH, where FOLDER has update_ptx.sh and
# ptx/. Exits with 77 (skipped) under another toolkit than the one that made the stored files, for it writes other code.
set -euo pipefail
folder=$1 nvcc=$2 scratch=$3
made_with=$(cat "$folder/ptx/toolkit.txt")
found=$("$nvcc" --version | grep -o 'V[0-9.]*$')
if [ "$made_with" != "$found" ]; then
    echo "stored PTX is of toolkit $made_with, this is $found"
    exit 77
fi
rm -rf "$scratch"
"$folder/update_ptx.sh" "$nvcc" "$scratch/new"
# nvcc -rdc=true puts a number of the file, which is another at each place and time, into the names of what is internal.
normalised() {
    mkdir -p "$2"
    for file in "$1"/*; do
        sed -E 's/(_INTERNAL_|__nv_static_[0-9]+__|_GLOBAL__N__)[0-9a-f]{8}_/\1_/g' "$file" >"$2/$(basename "$file")"
    done
}
normalised "$scratch/new" "$scratch/made"
normalised "$folder/ptx" "$scratch/stored"
diff -r "$scratch/stored" "$scratch/made" || {
    echo "$folder/ptx does not agree with its sources: run $folder/update_ptx.sh"
    exit 1
}
