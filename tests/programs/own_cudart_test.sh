#!/usr/bin/env bash
# own_cudart_test.sh FOLDER CUTTLE PROGRAM EXPECTED: runs a program that is linked to a shared cudart with the one in
# FOLDER, and compares what it prints. Fails where the loader would take another one.
set -u
folder=$1 program=$3
export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
loaded=$(ldd "$program" | awk '$1 ~ /^libcudart[.]so/ { print $3 }')
if [ "$(dirname "${loaded:-none}")" != "$folder" ]; then
    echo "the loader takes '$loaded', not the libcudart in $folder" >&2
    exit 1
fi
shift
exec "$(dirname "$0")/run_program.sh" "$@"
