#!/usr/bin/env python3
"""compare.py CUTTLE RUNNER FOLDER GROUP: runs the cases of a group on the CPU device and compares each line that comes
out with expected/GROUP.txt. Cases listed in expected_failures.tsv must differ; one that agrees has to leave the list."""
import pathlib
import subprocess
import sys

cuttle, runner, folder, group = sys.argv[1:]
folder = pathlib.Path(folder)


def by_name(text):
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


known = dict(line.split("\t")[1:] for line in (folder / "expected_failures.tsv").read_text().splitlines()
             if line.startswith(group + "\t"))
expected = by_name((folder / "expected" / (group + ".txt")).read_text())
done = subprocess.run([cuttle, "run", "--device", "cpu", runner, folder / "ptx" / (group + ".ptx"), folder / "cases.tsv", group],
                      stdout=subprocess.PIPE, text=True)
actual = by_name(done.stdout)
wrong = 0
for name, line in expected.items():
    equal = actual.get(name) == line
    if equal != (name in known):
        continue
    wrong += 1
    if equal:
        print(f"{name}: is right, and must leave expected_failures.tsv")
    else:
        print(f"{name}:\n  H100 {line}\n  here {actual.get(name, 'nothing')}")
for name in actual.keys() - expected.keys():
    wrong += 1
    print(f"{name}: no expected result")
print(f"{group}: {len(expected)} cases, {wrong} wrong, {len(known)} known not to agree")
sys.exit(1 if wrong or not expected or done.returncode else 0)
