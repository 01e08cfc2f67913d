#!/usr/bin/env python3
"""compare.py CUTTLE RUNNER FOLDER GROUP [DEVICE]: runs the cases of a group on the CPU device, or the one named, and
compares each line that comes out with expected/GROUP.txt. Cases listed in expected_failures.tsv, or that of the device,
expected_failures.DEVICE.tsv, must differ; one that agrees has to leave the list."""
import pathlib
import subprocess
import sys

cuttle, runner, folder, group = sys.argv[1:5]
device = sys.argv[5] if len(sys.argv) > 5 else "cpu"
folder = pathlib.Path(folder)


def by_name(text):
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


failures = "expected_failures.tsv" if device == "cpu" else f"expected_failures.{device}.tsv"
known = dict(line.split("\t")[1:] for line in (folder / failures).read_text().splitlines()
             if line.startswith(group + "\t"))
expected = by_name((folder / "expected" / (group + ".txt")).read_text())
done = subprocess.run([cuttle, "run", "--device", device, runner, folder / "ptx" / (group + ".ptx"), folder / "cases.tsv", group],
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
