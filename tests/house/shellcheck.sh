#!/usr/bin/env bash
# ROOT: every shell script of the repository passes shellcheck. Exit code 77 (skipped) where that is missing.
set -euo pipefail
cd "$1"
command -v shellcheck >/dev/null || { echo "skipped: shellcheck is not installed"; exit 77; }
if ! files=$(git ls-files 2>/dev/null) || [ -z "$files" ]; then files=$(find . -type f -not -path './build*'); fi
scripts=()
while read -r file; do
    if [ -f "$file" ] && head -n 1 "$file" | grep -qaE '^#!.*\b(ba)?sh$'; then scripts+=("$file"); fi
done <<<"$files"
shellcheck "${scripts[@]}"
echo "${#scripts[@]} scripts"
