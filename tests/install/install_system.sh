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
mkdir "$work/etc"   # what the loader and the programs here need of it
for name in ld.so.conf ld.so.conf.d ld.so.cache passwd group nsswitch.conf alternatives; do
    [ ! -e "/etc/$name" ] || cp -a "/etc/$name" "$work/etc/"
done
mkdir "$work/local" "$work/empty"
export build tests work
# shellcheck disable=SC2016   # the inner shell expands
unshare --mount bash -euo pipefail -c '
    mount --make-rprivate /
    mount --bind "$work/etc" /etc
    mount --bind "$work/local" /usr/local
    cmake=$(command -v cmake || echo /usr/bin/cmake)
    "$cmake" --install "$build" --prefix /usr/local >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
    known() { case $(/sbin/ldconfig -p) in *"/usr/local/lib/cuttle/libcuda.so.1"*) return 0 ;; *) return 1 ;; esac }
    known || { echo "ldconfig does not know libcuda.so.1"; exit 1; }
    mount --bind "$work/empty" "$build/lib"   # the program was linked there; only the installed library is left
    cd /
    env -i HOME="$work" CUTTLE_PTX="$tests/programs/ptx/vector_add.ptx" "$work/program" |
        diff - "$tests/programs/expected/vector_add.txt"
    /usr/local/share/cuttle/uninstall.sh >/dev/null
    if known; then echo "still there after removal"; exit 1; fi
    left=$(find /usr/local -mindepth 1 -not -type d)
    [ -z "$left" ] || { echo "left behind: $left"; exit 1; }
'
