#!/usr/bin/env python3
"""Writes matrix/cases.tsv: every warp-level matrix instruction that an H100 executes. matrix.cpp makes the kernels and
the inputs, and `matrix_oracle record` on a machine with an H100 writes matrix/expected.bin.

Columns: name, a, b, c, metadata, d (each format:32-bit registers, or -), instruction, immediate behind the operands."""
import itertools
import pathlib

BITS = {"f16": 16, "bf16": 16, "tf32": 32, "f32": 32, "f64": 64, "e4m3": 8, "e5m2": 8, "s8": 8, "u8": 8, "s4": 4, "u4": 4,
        "b1": 1, "s32": 32}
LAYOUTS = list(itertools.product(("row", "col"), repeat=2))
WMMA = {"m16n16k16": (16, 16, 16), "m8n32k16": (8, 32, 16), "m32n8k16": (32, 8, 16)}
rows = []


def words(rows_, columns, element):
    return rows_ * columns * BITS[element] // 1024


def add(name, instruction, d, a, b, c, metadata="-", immediate="-"):
    operands = [f"{x[0]}:{x[1]}" for x in (a, b, c)]
    rows.append([name, *operands, metadata, f"{d[0]}:{d[1]}", instruction, immediate])


def mma(m, k, d, a, b, c, modifier="", suffix=""):
    name = f"mma_m{m}n8k{k}_row_col_{d}_{a}_{b}_{c}{modifier.replace('.', '_')}{suffix.replace('.', '_')}"
    add(name, f"mma.sync.aligned.m{m}n8k{k}.row.col{modifier}.{d}.{a}.{b}.{c}{suffix}", (d, words(m, 8, d)),
        (a, words(m, k, a)), (b, words(k, 8, b)), (c, words(m, 8, c)))


def sparse(k, d, a, b, selector, ordered, saturate=""):
    name = f"mmasp{'_ord' if ordered else ''}_m16n8k{k}_{d}_{a}_{b}_{d}{saturate.replace('.', '_')}_sel{selector}"
    opcode = "mma.sp::ordered_metadata" if ordered else "mma.sp"
    add(name, f"{opcode}.sync.aligned.m16n8k{k}.row.col{saturate}.{d}.{a}.{b}.{d}", (d, words(16, 8, d)),
        (a, words(16, k // 2, a)), (b, words(k, 8, b)), (d, words(16, 8, d)), "meta12" if a == "tf32" else "meta24",
        str(selector))


def dense():
    for la, lb in LAYOUTS:
        for d, c in (("f16", "f16"), ("f32", "f16"), ("f32", "f32")):
            add(f"mma_m8n8k4_{la}_{lb}_{d}_f16_f16_{c}", f"mma.sync.aligned.m8n8k4.{la}.{lb}.{d}.f16.f16.{c}",
                (d, BITS[d] // 4), ("f16", 2), ("f16", 2), (c, BITS[c] // 4))
    for k in (8, 16):
        for d in ("f16", "f32"):
            mma(16, k, d, "f16", "f16", d)
        mma(16, k, "f32", "bf16", "bf16", "f32")
    for k in (4, 8):
        mma(16, k, "f32", "tf32", "tf32", "f32")
    for rounding in ("", ".rn", ".rz", ".rm", ".rp"):
        for m, k in ((8, 4), (16, 4), (16, 8), (16, 16)):
            mma(m, k, "f64", "f64", "f64", "f64", suffix=rounding)
    for k, a, b, d in itertools.product((16, 32), ("e4m3", "e5m2"), ("e4m3", "e5m2"), ("f16", "f32")):
        mma(16, k, d, a, b, d)
    for saturate in ("", ".satfinite"):
        for a, b in itertools.product(("s8", "u8"), repeat=2):
            for m, k in ((8, 16), (16, 16), (16, 32)):
                mma(m, k, "s32", a, b, "s32", saturate)
        for a, b in itertools.product(("s4", "u4"), repeat=2):
            for m, k in ((8, 32), (16, 32), (16, 64)):
                mma(m, k, "s32", a, b, "s32", saturate)
    for operation, (m, k) in itertools.product(("xor", "and"), ((8, 128), (16, 128), (16, 256))):
        add(f"mma_m{m}n8k{k}_b1_{operation}", f"mma.sync.aligned.m{m}n8k{k}.row.col.s32.b1.b1.s32.{operation}.popc",
            ("s32", words(m, 8, "s32")), ("b1", words(m, k, "b1")), ("b1", words(k, 8, "b1")), ("s32", words(m, 8, "s32")))


def sparse_forms():
    for ordered in (False, True):
        for selector in range(4):
            for d in ("f16", "f32"):
                sparse(16, d, "f16", "f16", selector, ordered)
            sparse(16, "f32", "bf16", "bf16", selector, ordered)
            sparse(8, "f32", "tf32", "tf32", selector, ordered)
            if selector >= 2:
                continue
            for d in ("f16", "f32"):
                sparse(32, d, "f16", "f16", selector, ordered)
            sparse(32, "f32", "bf16", "bf16", selector, ordered)
            sparse(16, "f32", "tf32", "tf32", selector, ordered)
            for types, k in ((("s8", "u8"), 32), (("s4", "u4"), 64)):
                for a, b in itertools.product(types, repeat=2):
                    sparse(k, "s32", a, b, selector, ordered)
        for types, k in ((("s8", "u8"), 64), (("s4", "u4"), 128)):
            for a, b in itertools.product(types, repeat=2):
                for saturate in ("", ".satfinite"):
                    sparse(k, "s32", a, b, 0, ordered, saturate)
        for a, b in itertools.product(("e4m3", "e5m2"), repeat=2):
            sparse(64, "f32", a, b, 0, ordered)


def wmma():
    for (shape, (m, n, k)), (la, lb) in itertools.product(WMMA.items(), LAYOUTS):
        head = f"wmma.mma.sync.aligned.{la}.{lb}.{shape}"
        for d, c in itertools.product(("f16", "f32"), repeat=2):
            add(f"wmma_{shape}_{la}_{lb}_{d}_f16_{c}", f"{head}.{d}.{c}", (d, BITS[d] // 4), ("f16", 8), ("f16", 8),
                (c, BITS[c] // 4))
        add(f"wmma_{shape}_{la}_{lb}_f32_bf16_f32", f"{head}.f32.bf16.bf16.f32", ("f32", 8), ("bf16", m * k // 64),
            ("bf16", n * k // 64), ("f32", 8))
        for t in ("s8", "u8"):
            for saturate in ("", ".satfinite") if (la, lb) == ("row", "col") else ("",):
                add(f"wmma_{shape}_{la}_{lb}_s32_{t}{saturate[1:]}", f"{head}.s32.{t}.{t}.s32{saturate}", ("s32", 8),
                    (t, m * k // 128), (t, n * k // 128), ("s32", 8))
    for la, lb in LAYOUTS:
        add(f"wmma_m16n16k8_{la}_{lb}_tf32", f"wmma.mma.sync.aligned.{la}.{lb}.m16n16k8.f32.tf32.tf32.f32", ("f32", 8),
            ("tf32", 4), ("tf32", 4), ("f32", 8))
        for rounding in ("", ".rn", ".rz", ".rm", ".rp") if (la, lb) == ("row", "col") else ("",):
            add(f"wmma_m8n8k4_{la}_{lb}_f64{rounding[1:]}",
                f"wmma.mma.sync.aligned.{la}.{lb}.m8n8k4{rounding}.f64.f64.f64.f64", ("f64", 4), ("f64", 2), ("f64", 2),
                ("f64", 4))
    for t, saturate in itertools.product(("s4", "u4"), ("", ".satfinite")):
        add(f"wmma_m8n8k32_{t}{saturate[1:]}", f"wmma.mma.sync.aligned.row.col.m8n8k32.s32.{t}.{t}.s32{saturate}",
            ("s32", 2), (t, 1), (t, 1), ("s32", 2))
    for operation in ("xor", "and"):
        add(f"wmma_m8n8k128_b1_{operation}", f"wmma.mma.{operation}.popc.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32",
            ("s32", 2), ("b1", 1), ("b1", 1), ("s32", 2))


def memory():
    """wmma.load and wmma.store: d is the matrix's bytes for a store, a for a load."""
    def transfer(which, layout, shape, element, registers, rows_, columns):
        stride, size = (columns if layout == "row" else rows_), rows_ * columns * BITS[element] // 8
        add(f"wload_{which}_{layout}_{shape}_{element}", f"wmma.load.{which}.sync.aligned.{layout}.{shape}.global.{element}",
            (element, registers), ("bytes", size), ("-", 0), ("-", 0), immediate=str(stride))
        if which == "c":
            add(f"wstore_{layout}_{shape}_{element}", f"wmma.store.d.sync.aligned.{layout}.{shape}.global.{element}",
                ("bytes", size), (element, registers), ("-", 0), ("-", 0), immediate=str(stride))

    for layout in ("row", "col"):
        for shape, (m, n, k) in WMMA.items():
            for which, r, c in (("a", m, k), ("b", k, n)):
                transfer(which, layout, shape, "f16", 8, r, c)
                transfer(which, layout, shape, "bf16", r * c // 64, r, c)
                for t in ("s8", "u8"):
                    transfer(which, layout, shape, t, r * c // 128, r, c)
            for t, registers in (("f16", 4), ("f32", 8), ("s32", 8)):
                transfer("c", layout, shape, t, registers, m, n)
        for which, r, c in (("a", 16, 8), ("b", 8, 16)):
            transfer(which, layout, "m16n16k8", "tf32", 4, r, c)
        transfer("c", layout, "m16n16k8", "f32", 8, 16, 16)
        for which, r, c, registers in (("a", 8, 4, 2), ("b", 4, 8, 2), ("c", 8, 8, 4)):
            transfer(which, layout, "m8n8k4", "f64", registers, r, c)
        which, shape32, shape128 = ("a", (8, 32), (8, 128)) if layout == "row" else ("b", (32, 8), (128, 8))
        for t in ("s4", "u4"):
            transfer(which, layout, "m8n8k32", t, 1, *shape32)
        transfer(which, layout, "m8n8k128", "b1", 1, *shape128)
        for shape in ("m8n8k32", "m8n8k128"):
            transfer("c", layout, shape, "s32", 2, 8, 8)


def saturating():
    """PTX ISA 6.4 was the last with .satfinite of floating point."""
    for (shape, _), d, c in itertools.product(WMMA.items(), ("f16", "f32"), ("f16", "f32")):
        add(f"wmma_{shape}_{d}_f16_{c}_satfinite", f"wmma.mma.sync.aligned.row.col.{shape}.{d}.{c}.satfinite",
            (d, BITS[d] // 4), ("f16", 8), ("f16", 8), (c, BITS[c] // 4))


dense()
sparse_forms()
wmma()
memory()
saturating()
head = ["name", "a", "b", "c", "metadata", "d", "instruction", "immediate"]
path = pathlib.Path(__file__).parent / "matrix" / "cases.tsv"
path.write_text("".join("\t".join(row) + "\n" for row in [head] + rows))
