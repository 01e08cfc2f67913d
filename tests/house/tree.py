#!/usr/bin/env python3
"""The shape of the repository: a small root, no file that outgrew its name, nothing that speaks of anything but Cuttle."""
import pathlib
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
ROOT = {"libcuda_shim", "ptx_translator", "runtime", "tests", "tools", "docs", "CMakeLists.txt", "README.md", "LICENSE"}
LIMIT = 800       # lines of a hand-written source file; tables (.def) may be longer
CMAKE_LIMIT = 100  # lines of the root's CMakeLists.txt

wrong = []
listed = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True)
names = listed.stdout.split("\n")[:-1] if listed.returncode == 0 else []
if not names:   # an exported tree without git
    names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and not str(p.relative_to(root)).startswith("build")]
for name in sorted({n.split("/")[0] for n in names}):
    if name not in ROOT and not name.startswith("."):
        wrong.append(f"{name}: not a name of the root")
for name in names:
    path = root / name
    if path.suffix in (".cpp", ".h", ".hpp", ".S", ".py", ".sh", ".cu") and path.is_file():
        lines = len(path.read_text(errors="replace").splitlines())
        if lines > LIMIT:
            wrong.append(f"{name}: {lines} lines, more than {LIMIT}")
lines = len((root / "CMakeLists.txt").read_text().splitlines())
if lines > CMAKE_LIMIT:
    wrong.append(f"CMakeLists.txt: {lines} lines, more than {CMAKE_LIMIT}")
print("\n".join(wrong))
print(f"{len(names)} files, {len(wrong)} wrong")
sys.exit(1 if wrong or not names else 0)
