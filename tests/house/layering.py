#!/usr/bin/env python3
"""Keeps the arrows of docs/architecture.md: which folder may include which. Prints every include that points wrongly."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])

# Component -> components whose headers it may see besides its own.
COMPONENTS = {
    "libcuda_shim": {"runtime", "ptx_translator/include"},
    "runtime": {"ptx_translator/include"},
    "ptx_translator": set(),
    "tools": {"runtime", "ptx_translator", "ptx_translator/include"},
}
# Inside the translator: stage -> stages it may see.
STAGES = {
    "isa": set(),
    "ast": {"isa"},
    "image": set(),
    "text_to_ast": {"ast", "isa"},
    "ast_to_ast": {"ast", "isa", "text_to_ast"},
    "ast_to_llvm": {"ast", "isa", "ast_to_ast"},
    "simt_to_simd": set(),
    "llvm_to_code": {"ast", "simt_to_simd"},
    "device_library": set(),
    "library_code": {"ast", "llvm_to_code"},
    "translate": {"ast", "isa", "text_to_ast", "ast_to_ast", "ast_to_llvm", "simt_to_simd", "llvm_to_code"},
}
LLVM_STAGES = {"ast_to_llvm", "simt_to_simd", "llvm_to_code", "library_code", "translate"}
# Inside the runtime: the shim sees rt/ (and the support it needs), back ends see the seam and support, never each other.
BACKENDS = {"cpu", "hip", "level_zero", "null"}

wrong = []


def blame(path, line, text):
    wrong.append(f"{path.relative_to(root)}:{line}: {text}")


def check(path):
    parts = path.relative_to(root).parts
    component = parts[0]
    for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if component == "runtime" or component == "libcuda_shim":
            if re.search(r"\bgetenv\b", text) and parts[-1] != "options.cpp" and not text.lstrip().startswith("//"):
                blame(path, number, "only support/options.cpp reads the environment")
        include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', text)
        if not include:
            continue
        target = include.group(1)
        if target.startswith(("llvm/", "lld/", "llvm-c/")):
            if component != "ptx_translator" or parts[1] not in LLVM_STAGES:
                blame(path, number, f"LLVM header {target} outside {sorted(LLVM_STAGES)}")
            continue
        first = target.split("/")[0]
        if component == "ptx_translator":
            if first in ("rt", "backend", "support", "core", "code", "api", "driver"):
                blame(path, number, f"the translator includes {target}")
            stage = parts[1]
            if first in STAGES and stage in STAGES and first != stage and first not in STAGES[stage]:
                blame(path, number, f"stage {stage} includes {target}")
        elif component == "runtime":
            if first in STAGES:
                blame(path, number, f"the runtime includes {target}: only ptx/ is open to it")
            if first in ("api", "driver"):
                blame(path, number, f"the runtime includes {target} of the shim")
            if parts[1] == "backend" and len(parts) > 3:
                if first in ("core", "code") or (first == "rt" and target != "rt/error.h"):
                    blame(path, number, f"a back end includes {target}")
                if first == "backend" and len(target.split("/")) > 2 and target.split("/")[1] in BACKENDS - {parts[2]}:
                    blame(path, number, f"back end {parts[2]} includes {target}")
            if parts[1] == "support" and first in ("core", "code", "backend", "rt") and target != "rt/error.h":
                blame(path, number, f"support includes {target}")
        elif component == "libcuda_shim":
            if first in STAGES or first in ("core", "code"):
                blame(path, number, f"the shim includes {target}: only rt/ is open to it")


files = [p for c in COMPONENTS for p in (root / c).rglob("*") if p.suffix in (".h", ".cpp", ".def", ".hpp")]
for file in files:
    check(file)
print("\n".join(wrong))
print(f"{len(files)} files, {len(wrong)} wrong includes")
sys.exit(1 if wrong or not files else 0)
