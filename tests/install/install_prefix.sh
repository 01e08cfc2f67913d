#!/usr/bin/env bash
# install_prefix.sh BUILD TESTS PROGRAM: installs into a folder and runs a CUDA program with the installed command.
set -euo pipefail
build=$1 tests=$2 program=$3
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" >/dev/null
cp "$program" "$prefix/program"
cd /
env -i HOME="$prefix" PATH=/usr/bin:/bin CUTTLE_PTX="$tests/programs/ptx/vector_add.ptx" \
    "$prefix/bin/cuttle" run "$prefix/program" | diff - "$tests/programs/expected/vector_add.txt"
test -d "$prefix/.cache/cuttle"
# Removal leaves nothing.
"$prefix/share/cuttle/uninstall.sh" >/dev/null
left=$(find "$prefix" -mindepth 1 -not -path "$prefix/.cache*" -not -path "$prefix/program" -not -type d)
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
