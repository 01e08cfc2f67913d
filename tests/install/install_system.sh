#!/usr/bin/env bash
# install_system.sh BUILD TESTS PROGRAM: installs as the system's library in a mount namespace where /usr/local and /etc
# are copies, and runs a CUDA program there with an empty environment. Exit code 77 (skipped) where the machine does not
# allow namespaces.
set -euo pipefail
build=$1 tests=$2 program=$3
unshare --mount true 2>/dev/null || { echo "skipped: no right to make a mount namespace"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$program" "$work/program"
cp "$program.static" "$work/program.static" 2>/dev/null || true
cp -a /etc "$work/etc"
mkdir "$work/local"
export build tests work
unshare --mount bash -euo pipefail -c '
    mount --make-rprivate /
    mount --bind "$work/etc" /etc
    mount --bind "$work/local" /usr/local
    cmake=$(command -v cmake || echo /usr/bin/cmake)
    "$cmake" --install "$build" --prefix /usr/local >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
    /sbin/ldconfig -p | grep -q "libcuda.so.1.*/usr/local" || { echo "ldconfig does not know libcuda.so.1"; exit 1; }
    cd /
    # Linked to libcuda.so.1 by name alone.
    patchless=$(readelf -d "$work/program" | grep -c "R.*PATH" || true)
    env -i HOME="$work" CUTTLE_PTX="$tests/programs/ptx/vector_add.ptx" LD_LIBRARY_PATH_NOT_SET=1 "$work/program" |
        diff - "$tests/programs/expected/vector_add.txt"
    if [ -x "$work/program.static" ]; then
        env -i HOME="$work" "$work/program.static" | diff - "$tests/programs/expected/vector_add.txt"
    fi
    /usr/local/share/cuttle/uninstall.sh >/dev/null
    if /sbin/ldconfig -p | grep -q "libcuda.so.1.*/usr/local"; then echo "still there after removal"; exit 1; fi
    left=$(find /usr/local -mindepth 1 -not -type d)
    [ -z "$left" ] || { echo "left behind: $left"; exit 1; }
'
