#!/usr/bin/env python3
"""Writes the oracle's cases of scalar instructions that `data` lacks: DIR/cases.tsv, DIR/scalar_*.ptx, DIR/inputs/scalar/*.

    generate_scalar.py DIR [--have cases.tsv]

Rows whose kernel is in the table after --have are left out. A recorder then runs the kernels on an H100 and writes
DIR/expected; afterwards DIR is merged into `data`. Instructions that an H100 lacks have a second text, DIR/on_h100/,
in which they are taken apart into such as it has: it is what the recorder runs, while tests run the real ones.
"""
import argparse
import itertools
import pathlib

import scalar_inputs

PROLOGUE = """  ld.param.u64 %in, [in]; ld.param.u64 %out, [out]; ld.param.u32 %n, [n];
  mov.u32 %t0, %ctaid.x; mov.u32 %t1, %ntid.x; mov.u32 %i, %tid.x; mad.lo.u32 %i, %t0, %t1, %i;
  cvta.to.global.u64 %in, %in; cvta.to.global.u64 %out, %out;
  setp.ge.u32 %done, %i, %n; @%done bra DONE;
  mul.wide.u32 %off, %i, 32; add.u64 %in, %in, %off; mul.wide.u32 %off, %i, 16; add.u64 %out, %out, %off;
"""

HEADERS = {"sm_90": ".version 8.6\n.target sm_90\n.address_size 64\n",
           "sm_100": ".version 8.8\n.target sm_100\n.address_size 64\n"}

INTEGERS = ("u16", "u32", "u64", "s16", "s32", "s64")
ROUNDINGS = ("rn", "rz", "rm", "rp")
LETTERS = "abcd"


def register_type(kind):
    return "b%d" % max(16, 8 * scalar_inputs.SIZES[kind])


class Writer:
    """Collects the kernels of all groups."""

    def __init__(self, known):
        self.known = set(known)
        self.rows = []
        self.texts = {}
        self.models = {}
        self.targets = {}

    def case(self, group, name, ins, outs, body, tolerance="exact", target="sm_90", model=None):
        """%a %b %c %d are the inputs, %x %y the outputs. `body` without braces gets a scope of its own."""
        if name in self.known:
            return
        self.known.add(name)
        self.rows.append((group, name, ",".join(ins), ",".join(outs), tolerance))
        self.targets[group] = target
        self.texts.setdefault(group, []).append(self.kernel(name, ins, outs, body))
        self.models.setdefault(group, []).append(self.kernel(name, ins, outs, model or body))

    @staticmethod
    def kernel(name, ins, outs, body):
        lines = [".visible .entry %s(.param .u64 in, .param .u64 out, .param .u32 n)\n{" % name,
                 "  .reg .pred %done;", "  .reg .u64 %in, %out, %off;", "  .reg .u32 %i, %n, %t0, %t1;"]
        loads, stores = [], []
        for slot, kind in enumerate(ins):
            letter, size = LETTERS[slot], 8 * scalar_inputs.SIZES[kind]
            if kind == "pred":
                lines.append("  .reg .b32 %%%sw; .reg .pred %%%s;" % (letter, letter))
                loads.append("  ld.global.b32 %%%sw, [%%in+%d]; setp.ne.b32 %%%s, %%%sw, 0;"
                             % (letter, 8 * slot, letter, letter))
                continue
            lines.append("  .reg .%s %%%s;" % (register_type(kind), letter))
            loads.append("  ld.global.b%d %%%s, [%%in+%d];" % (size, letter, 8 * slot))
        for slot, kind in enumerate(outs):
            letter, size = "xy"[slot], 8 * scalar_inputs.SIZES[kind]
            if kind == "pred":
                lines.append("  .reg .b32 %%%sw; .reg .pred %%%s;" % (letter, letter))
                stores.append("  selp.u32 %%%sw, 1, 0, %%%s; st.global.b32 [%%out+%d], %%%sw;"
                              % (letter, letter, 8 * slot, letter))
                continue
            lines.append("  .reg .%s %%%s;" % (register_type(kind), letter))
            stores.append("  st.global.b%d [%%out+%d], %%%s;" % (size, 8 * slot, letter))
        inner = ["  { %s }" % body] if body else []
        return "\n".join(lines) + "\n" + PROLOGUE + "\n".join(loads + inner + stores) + "\nDONE:\n  ret;\n}\n"

    def write(self, folder):
        (folder / "inputs" / "scalar").mkdir(parents=True, exist_ok=True)
        (folder / "on_h100").mkdir(exist_ok=True)
        with open(folder / "cases.tsv", "w") as file:
            file.write("group\tkernel\tinputs\toutputs\ttolerance\n")
            file.writelines("\t".join(row) + "\n" for row in self.rows)
        for group, kernels in self.texts.items():
            text = HEADERS[self.targets[group]] + "\n" + "\n".join(kernels)
            (folder / (group + ".ptx")).write_text(text)
            (folder / "on_h100" / (group + ".ptx")).write_text(HEADERS["sm_90"] + "\n" + "\n".join(self.models[group]))
        for kinds in {row[2] for row in self.rows}:
            path = folder / "inputs" / "scalar" / (kinds.replace(",", "_") + ".bin")
            if not path.exists():
                path.write_bytes(scalar_inputs.make_inputs(kinds.split(",")))


def plain(writer, group, instruction, ins, outs, target="sm_90", model=None, name=None, tail=""):
    """One instruction over registers: `add.s32` becomes `add.s32 %x, %a, %b;`."""
    sources = ", ".join("%" + LETTERS[i] for i in range(len(ins)))
    results = "|".join("%" + "xy"[i] for i in range(len(outs)))
    writer.case(group, name or instruction.replace(".", "_"), ins, outs,
                "%s %s, %s%s;" % (instruction, results, sources, tail), target=target, model=model)


def named(*parts):
    return ".".join(part for part in parts if part)


def integers(w):
    group = "scalar_int"
    for t in INTEGERS:
        for op in ("add", "sub", "mul.lo", "mul.hi", "div", "rem", "min", "max"):
            plain(w, group, named(op, t), [t, t], [t])
        for op in ("mad.lo", "mad.hi", "sad"):
            plain(w, group, named(op, t), [t] * 3, [t])
        if t[0] == "s":
            plain(w, group, named("abs", t), [t], [t])
            plain(w, group, named("neg", t), [t], [t])
    for t, wide in (("u16", "u32"), ("s16", "s32"), ("u32", "u64"), ("s32", "s64")):
        plain(w, group, named("mul.wide", t), [t, t], [wide])
        plain(w, group, named("mad.wide", t), [t, t, wide], [wide])
    for t, half in itertools.product(("u32", "s32"), ("lo", "hi")):
        plain(w, group, named("mul24", half, t), [t, t], [t])
        plain(w, group, named("mad24", half, t), [t] * 3, [t])
    plain(w, group, "mad24.hi.sat.s32", ["s32"] * 3, ["s32"])
    plain(w, group, "mad.hi.sat.s32", ["s32"] * 3, ["s32"])
    for op in ("add", "sub"):
        plain(w, group, op + ".sat.s32", ["s32"] * 2, ["s32"])
    for t in ("u16x2", "s16x2"):
        for op in ("add", "min", "max"):
            plain(w, group, named(op, t), [t, t], ["b32"])
    for op in ("min", "max"):
        plain(w, group, named(op, "relu.s16x2"), ["s16x2"] * 2, ["b32"])
        plain(w, group, named(op, "relu.s32"), ["s32"] * 2, ["s32"])
    for a, b in itertools.product(("u32", "s32"), repeat=2):
        result = "s32" if "s32" in (a, b) else "u32"
        for op in ("dp4a", "dp2a.lo", "dp2a.hi"):
            plain(w, group, named(op, a, b), [a, b, result], [result])
    for t in ("u32", "s32", "u64", "s64"):
        wide = "b" + t[1:]
        for first, second in (("add", "addc"), ("sub", "subc")):
            w.case(group, "chain_%s_%s" % (second, t), [t, t, t, t], [wide, wide],
                   "%s.cc.%s %%x, %%a, %%b; %s.%s %%y, %%c, %%d;" % (first, t, second, t))
            w.case(group, "chain_%s_cc_%s" % (second, t), [t, t, t, t], [wide, wide],
                   ".reg .b%s z; %s.cc.%s z, %%a, %%b; %s.cc.%s %%x, %%c, %%d; addc.%s %%y, %%a, %%d;"
                   % (t[1:], first, t, second, t, t))
        w.case(group, "chain_subc_subc_" + t, [t, t, t, t], [wide, wide],
               ".reg .b%s z; sub.cc.%s z, %%a, %%b; subc.cc.%s %%x, %%c, %%d; subc.%s %%y, %%a, %%d;"
               % (t[1:], t, t, t))
        for half in ("lo", "hi"):
            w.case(group, "chain_mad_%s_madc_%s" % (half, t), [t, t, t, t], [wide, wide],
                   ".reg .b%s z; mad.lo.cc.%s %%x, %%a, %%b, %%c; madc.%s.cc.%s %%y, %%a, %%b, %%d; addc.%s z, 0, 0; "
                   "xor.b%s %%x, %%x, z;" % (t[1:], t, half, t, t, t[1:]))
            w.case(group, "chain_madc_%s_%s" % (half, t), [t, t, t, t], [wide, wide],
                   "mad.%s.cc.%s %%x, %%a, %%b, %%c; madc.%s.%s %%y, %%a, %%d, %%c;" % (half, t, half, t))


def bits(w):
    group = "scalar_bits"
    for size in (16, 32, 64):
        t = "b%d" % size
        for op in ("and", "or", "xor"):
            plain(w, group, named(op, t), [t, t], [t])
        for op in ("not", "cnot"):
            plain(w, group, named(op, t), [t], [t])
        for op in ["shl.b%d" % size] + ["shr.%s%d" % (letter, size) for letter in "bus"]:
            plain(w, group, op, [t, "b32"], [t], name=op.replace(".", "_") + "_by_b32")
    for op in ("and", "or", "xor"):
        plain(w, group, op + ".pred", ["pred", "pred"], ["pred"])
    plain(w, group, "not.pred", ["pred"], ["pred"])
    for size in (32, 64):
        t = "b%d" % size
        for op in ("popc", "clz"):
            plain(w, group, named(op, t), [t], ["b32"])
        plain(w, group, named("brev", t), [t], [t])
        for sign in "us":
            s = "%s%d" % (sign, size)
            for op in ("bfind", "bfind.shiftamt"):
                plain(w, group, named(op, s), [s], ["b32"])
            plain(w, group, named("bfe", s), [s, "b32", "b32"], [s], name="bfe_%s_by_b32" % s)
            plain(w, group, named("bfe", s), [s, "sh", "sh"], [s])
        plain(w, group, named("bfi", t), [t, t, "b32", "b32"], [t], name="bfi_%s_by_b32" % t)
    for mode in ("clamp", "wrap"):
        for direction in "lr":
            plain(w, group, "shf.%s.%s.b32" % (direction, mode), ["b32"] * 3, ["b32"],
                  name="shf_%s_%s_by_b32" % (direction, mode))
        for t in ("u32", "s32"):
            plain(w, group, named("szext", mode, t), [t, "b32"], [t], name="szext_%s_%s_by_b32" % (mode, t))
            plain(w, group, named("szext", mode, t), [t, "sh"], [t])
        plain(w, group, named("bmsk", mode, "b32"), ["b32"] * 2, ["b32"], name="bmsk_%s_by_b32" % mode)
        plain(w, group, named("bmsk", mode, "b32"), ["sh", "sh"], ["b32"])
    plain(w, group, "fns.b32", ["b32", "sh", "s32"], ["b32"], name="fns_any_offset")
    for k in (-33, -32, -3, -1, 0, 1, 2, 5, 32, 33):
        w.case(group, "fns_offset_%s" % str(k).replace("-", "minus_"), ["b32", "b32"], ["b32"],
               ".reg .b32 base; and.b32 base, %%b, 31; fns.b32 %%x, %%a, base, %d;" % k)
    for mode in ("", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16"):
        plain(w, group, "prmt.b32" + ("." + mode if mode else ""), ["b32"] * 3, ["b32"],
              name="prmt_%s_by_b32" % (mode or "plain"))
    for table in (0x01, 0x10, 0x28, 0x42, 0x69, 0x7f, 0x80, 0x8e, 0xaa, 0xb1, 0xca, 0xcc, 0xd8, 0xe8, 0xf0, 0xff):
        w.case(group, "lop3_b32_table_%02x" % table, ["b32"] * 3, ["b32"], "lop3.b32 %%x, %%a, %%b, %%c, 0x%02x;" % table)
    for op, table in itertools.product(("and", "or"), (0x80, 0xfe, 0x96)):
        w.case(group, "lop3_%s_b32_table_%02x" % (op, table), ["b32", "b32", "b32", "pred"], ["b32", "pred"],
               "lop3.%s.b32 %%x|%%y, %%a, %%b, %%c, 0x%02x, %%d;" % (op, table))
        w.case(group, "lop3_%s_not_b32_table_%02x" % (op, table), ["b32", "b32", "b32", "pred"], ["pred"],
               "lop3.%s.b32 _|%%x, %%a, %%b, %%c, 0x%02x, !%%d;" % (op, table))


def moves(w):
    group = "scalar_mov"
    w.case(group, "mov_pack_b16_b8", ["b16", "b16"], ["b16"],
           ".reg .b8 p, q; cvt.u8.u16 p, %a; cvt.u8.u16 q, %b; mov.b16 %x, {p, q};")
    w.case(group, "mov_pack_b32_b16", ["b16", "b16"], ["b32"], "mov.b32 %x, {%a, %b};")
    w.case(group, "mov_pack_b64_b32", ["b32", "b32"], ["b64"], "mov.b64 %x, {%a, %b};")
    w.case(group, "mov_pack_b64_b16", ["b16"] * 4, ["b64"], "mov.b64 %x, {%a, %b, %c, %d};")
    w.case(group, "mov_unpack_b32_b16", ["b32"], ["b16", "b16"], "mov.b32 {%x, %y}, %a;")
    w.case(group, "mov_unpack_b64_b32", ["b64"], ["b32", "b32"], "mov.b64 {%x, %y}, %a;")
    w.case(group, "mov_unpack_b64_b16_low", ["b64"], ["b16", "b16"], "mov.b64 {%x, %y, _, _}, %a;")
    w.case(group, "mov_unpack_b64_b16_high", ["b64"], ["b16", "b16"], "mov.b64 {_, _, %x, %y}, %a;")
    w.case(group, "mov_b128_b64", ["b64", "b64"], ["b64", "b64"],
           ".reg .b128 w; mov.b128 w, {%a, %b}; mov.b128 {%y, %x}, w;")
    w.case(group, "mov_b128_b128", ["b64", "b64"], ["b64", "b64"],
           ".reg .b128 v, w; mov.b128 v, {%a, %b}; mov.b128 w, v; mov.b128 {%x, %y}, w;")
    w.case(group, "mov_pred", ["pred"], ["pred"], "mov.pred %x, %a;")
    for t in ("b16", "b32", "b64", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"):
        plain(w, group, named("mov", t), [t], ["b" + t[1:]])
    for t in ("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64"):
        plain(w, group, named("selp", t), [t, t, "pred"], [t], name="selp_%s_by_pred" % t)
        plain(w, group, named("slct", t, "s32"), [t, t, "s32"], [t])
        plain(w, group, named("slct", t, "f32"), [t, t, "f32"], [t])
        plain(w, group, named("slct.ftz", t, "f32"), [t, t, "f32"], [t])


def floats(w):
    group = "scalar_float"
    for rounding, ftz, sat in itertools.product(("",) + ROUNDINGS, ("", "ftz"), ("", "sat")):
        for op in ("add", "sub", "mul"):
            plain(w, group, named(op, rounding, ftz, sat, "f32"), ["f32"] * 2, ["f32"])
        if rounding:
            for op in ("fma", "mad"):
                plain(w, group, named(op, rounding, ftz, sat, "f32"), ["f32"] * 3, ["f32"])
    for rounding, ftz in itertools.product(ROUNDINGS, ("", "ftz")):
        plain(w, group, named("div", rounding, ftz, "f32"), ["f32"] * 2, ["f32"])
        for op in ("rcp", "sqrt"):
            plain(w, group, named(op, rounding, ftz, "f32"), ["f32"], ["f32"])
    for rounding in ("",) + ROUNDINGS:
        for op in ("add", "sub", "mul") + (("div",) if rounding else ()):
            plain(w, group, named(op, rounding, "f64"), ["f64"] * 2, ["f64"])
        if rounding:
            for op in ("fma", "mad"):
                plain(w, group, named(op, rounding, "f64"), ["f64"] * 3, ["f64"])
            for op in ("rcp", "sqrt"):
                plain(w, group, named(op, rounding, "f64"), ["f64"], ["f64"])


def halves(w):
    group = "scalar_half"
    for t in ("f16", "f16x2"):
        for op, rounding, ftz, sat in itertools.product(("add", "sub", "mul"), ("", "rn"), ("", "ftz"), ("", "sat")):
            plain(w, group, named(op, rounding, ftz, sat, t), [t, t], [t])
        for ftz, limit in itertools.product(("", "ftz"), ("", "sat", "relu")):
            plain(w, group, named("fma.rn", ftz, limit, t), [t] * 3, [t])
        for op in ("neg", "abs"):
            plain(w, group, named(op, "ftz", t), [t], [t])
    for t in ("bf16", "bf16x2"):
        for op, rounding in itertools.product(("add", "sub", "mul"), ("", "rn")):
            plain(w, group, named(op, rounding, t), [t, t], [t])
        plain(w, group, named("fma.rn", t), [t] * 3, [t])
        for op in ("neg", "abs"):
            plain(w, group, named(op, t), [t], [t])
    for t in ("f16", "f16x2", "bf16", "bf16x2"):
        for relu in ("", "relu"):
            plain(w, group, named("fma.rn.oob", relu, t), [t] * 3, [t])
        ftzs = ("", "ftz") if t.startswith("f16") else ("",)
        for op, ftz, nan, sign in itertools.product(("min", "max"), ftzs, ("", "NaN"), ("", "xorsign.abs")):
            plain(w, group, named(op, ftz, nan, sign, t), [t, t], [t])


INTEGER_COMPARISONS = {"s": ("eq", "ne", "lt", "le", "gt", "ge"),
                       "u": ("eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs"), "b": ("eq", "ne")}
FLOAT_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")


def comparisons_of(t):
    return FLOAT_COMPARISONS if "f" in t else INTEGER_COMPARISONS[t[0]]


def comparisons(w):
    group = "scalar_compare"
    types = ["b16", "b32", "b64", *INTEGERS, "f32", "f64", "f16", "bf16"]
    for t in types:
        for comparison in comparisons_of(t):
            plain(w, group, named("setp", comparison, t), [t, t], ["pred"])
            if t in ("f32", "f16"):
                plain(w, group, named("setp", comparison, "ftz", t), [t, t], ["pred"])
    for t in ("f16x2", "bf16x2"):
        for comparison in FLOAT_COMPARISONS:
            plain(w, group, named("setp", comparison, t), [t, t], ["pred", "pred"])
            if t == "f16x2":
                plain(w, group, named("setp", comparison, "ftz", t), [t, t], ["pred", "pred"])
    for index, t in enumerate(types + ["f16x2", "bf16x2"]):
        choice = comparisons_of(t)
        for k, op in enumerate(("and", "or", "xor")):
            comparison = choice[(index + k) % len(choice)]
            outs = ["pred"] if t in ("f16", "bf16") else ["pred", "pred"]
            plain(w, group, named("setp", comparison, op, t), [t, t, "pred"], outs)
            w.case(group, "setp_%s_%s_not_%s" % (comparison, op, t), [t, t, "pred"], outs,
                   "setp.%s.%s.%s %s, %%a, %%b, !%%c;" % (comparison, op, t, "|".join(("%x", "%y")[:len(outs)])))
    results = {"u32": "u32", "s32": "s32", "f32": "f32"}
    for index, t in enumerate(types[:-2]):
        choice = comparisons_of(t)
        for k, result in enumerate(results):
            plain(w, group, named("set", choice[(index + k) % len(choice)], result, t), [t, t], [result])
            op = ("and", "or", "xor")[(index + k) % 3]
            plain(w, group, named("set", choice[(index + k + 1) % len(choice)], op, result, t), [t, t, "pred"], [result])
    for t in ("f16", "bf16"):
        for k, result in enumerate((t, "u16", "s16", "u32", "s32")):
            plain(w, group, named("set", FLOAT_COMPARISONS[k + 2], result, t), [t, t], [result])
            plain(w, group, named("set", FLOAT_COMPARISONS[k + 7], "and", result, t), [t, t, "pred"], [result])
    for t in ("f16x2", "bf16x2"):
        for k, result in enumerate((t, "u32", "s32")):
            plain(w, group, named("set", FLOAT_COMPARISONS[k + 3], result, t), [t, t], [result])
            plain(w, group, named("set", FLOAT_COMPARISONS[k + 9], "xor", result, t), [t, t, "pred"], [result])
    for index, t in enumerate(("b16", "b32", "b64", *INTEGERS)):
        choice = comparisons_of(t)
        plain(w, group, named("set", choice[index % len(choice)], "f16", t), [t, t], ["f16"])
        if t != "b16" and t[0] != "b":
            plain(w, group, named("set", choice[(index + 1) % len(choice)], "bf16", t), [t, t], ["bf16"])


EXTENDED_INTEGERS = ("u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64")


def holds(to, source):
    """Whether every value of one integer type is one of the other: then there is nothing to saturate."""
    if to[0] == source[0]:
        return int(to[1:]) >= int(source[1:])
    return to[0] == "s" and int(to[1:]) > int(source[1:])


def conversions(w):
    group = "scalar_cvt"
    for to, source, sat in itertools.product(EXTENDED_INTEGERS, EXTENDED_INTEGERS, ("", "sat")):
        if sat and holds(to, source):
            continue
        plain(w, group, named("cvt", sat, to, source), [source], [to])
    for to, source, rounding in itertools.product(EXTENDED_INTEGERS, ("f16", "bf16", "f32", "f64"),
                                                  ("rni", "rzi", "rmi", "rpi")):
        if source == "bf16" and to[1:] == "8":
            continue
        for ftz, sat in itertools.product(("", "ftz") if source == "f32" else ("",),
                                          ("", "sat") if source != "bf16" else ("",)):
            plain(w, group, named("cvt", rounding, ftz, sat, to, source), ["c" + source], [to])
    for to, source, rounding in itertools.product(("f16", "bf16", "f32", "f64"), EXTENDED_INTEGERS, ROUNDINGS):
        if to == "bf16" and source[1:] == "8":
            continue
        for sat in ("", "sat") if to != "bf16" else ("",):
            plain(w, group, named("cvt", rounding, sat, to, source), [source], [to])
    for to, source in itertools.product(("f16", "bf16", "f32", "f64"), repeat=2):
        wider = scalar_inputs.SIZES[to] > scalar_inputs.SIZES[source]
        modes = ("",) if wider else ROUNDINGS
        if to == source:
            modes = ("rni", "rzi", "rmi", "rpi") if to != "bf16" else ()
        if {to, source} == {"f16", "bf16"}:
            modes = ROUNDINGS
        for rounding, ftz, sat in itertools.product(modes, ("", "ftz") if "f32" in (to, source) else ("",), ("", "sat")):
            if "bf16" in (to, source) and (ftz or sat):
                continue
            plain(w, group, named("cvt", rounding, ftz, sat, to, source), ["c" + source], [to])
    for ftz, sat, t in (("", "sat", "f32"), ("ftz", "", "f32"), ("ftz", "sat", "f32"), ("", "sat", "f16"), ("", "sat", "f64")):
        plain(w, group, named("cvt", ftz, sat, t, t), ["c" + t], [t])
    for to, rounding, relu, limit in itertools.product(("f16", "bf16"), ("rn", "rz"), ("", "relu"), ("", "satfinite")):
        plain(w, group, named("cvt", rounding, relu, limit, to, "f32"), ["cf32"], [to])
        plain(w, group, named("cvt", rounding, relu, limit, to + "x2", "f32"), ["cf32", "f32"], [to + "x2"])
    for rounding, relu in itertools.product(("rn", "rz"), ("", "relu")):
        plain(w, group, named("cvt", rounding, relu, "tf32.f32"), ["cf32"], ["tf32"])
    plain(w, group, "cvt.rna.tf32.f32", ["cf32"], ["tf32"], name="cvt_rna_tf32_cf32")
    plain(w, group, "cvt.rna.satfinite.tf32.f32", ["cf32"], ["tf32"])
    for to, relu in itertools.product(("e4m3x2", "e5m2x2"), ("", "relu")):
        plain(w, group, named("cvt.rn.satfinite", relu, to, "f32"), ["cf32", "f32"], [to], name="cvt_rn_satfinite_%s%s_cf32" % (relu + "_" if relu else "", to))
        plain(w, group, named("cvt.rn.satfinite", relu, to, "f16x2"), ["f16x2"], [to])
        plain(w, group, named("cvt.rn", relu, "f16x2", to), [to], ["f16x2"])
    for to in ("u16", "s16"):
        plain(w, group, named("cvt.pack.sat", to, "s32"), ["s32", "s32"], ["b32"])
    for to in ("u8", "s8", "u4", "s4", "u2", "s2"):
        plain(w, group, named("cvt.pack.sat", to, "s32.b32"), ["s32", "s32", "b32"], ["b32"])


SWEEP = """.reg .pred p; .reg .b64 h, f; .reg .b32 k, v; %s
  mul.lo.u32 k, %%i, 128; mov.b64 h, 0xcbf29ce484222325; add.u32 v, k, 128;
AGAIN: %s
  cvt.u64.u32 f, r; xor.b64 h, h, f; mul.lo.u64 h, h, 0x100000001b3; add.u32 k, k, 1;
  setp.lt.u32 p, k, v; @p bra AGAIN;
  mov.b64 %%x, h;"""


def sweeps(w):
    """All 65536 patterns of 16 bits, 128 a thread, as a hash (FNV-1a over whole results) a thread."""
    group = "scalar_sweep"
    nan16 = "setp.nan.%s q, s, s; @q mov.b16 s, 0x7fff; "

    def sweep(name, registers, body):
        w.case(group, "sweep_" + name, ["b32"], ["b64"], SWEEP % (".reg .b32 r, t; " + registers, body))

    for fmt, relu in itertools.product(("e4m3x2", "e5m2x2"), ("", ".relu")):
        tag = fmt + relu.replace(".", "_")
        sweep("f16x2_to_" + tag, ".reg .b16 s; ", "prmt.b32 t, k, 0, 0x1001; "
              "cvt.rn.satfinite%s.%s.f16x2 s, t; cvt.u32.u16 r, s;" % (relu, fmt))
        sweep(tag + "_to_f16x2", ".reg .b16 s; ", "cvt.u16.u32 s, k; cvt.rn%s.f16x2.%s r, s;" % (relu, fmt))
        sweep("f32_to_" + tag, ".reg .b16 s; .reg .b32 u; ", "shl.b32 t, k, 16; add.u32 u, t, 0x8000; "
              "cvt.rn.satfinite%s.%s.f32 s, t, u; cvt.u32.u16 r, s;" % (relu, fmt))
    for fmt, t in itertools.product(("f16", "bf16"), EXTENDED_INTEGERS):
        if fmt == "bf16" and t[1:] == "8":
            continue
        for rounding in ("rni", "rzi", "rmi", "rpi"):
            wide = ".reg .b64 l; .reg .b32 m; " if t[1:] == "64" else ""
            read = ("cvt.%s.%s.%s l, s; mov.b64 {r, m}, l; xor.b32 r, r, m;" if wide else
                    "cvt.%s.%s.%s r, s;" if t[1:] == "32" else "cvt.%s.%s.%s s, s; cvt.u32.u16 r, s;")
            sweep("%s_to_%s_%s" % (fmt, t, rounding), ".reg .b16 s; " + wide, "cvt.u16.u32 s, k; " + read % (rounding, t, fmt))
    for fmt in ("f16", "bf16"):
        sweep(fmt + "_to_f32", ".reg .b16 s; .reg .pred q; ",
              "cvt.u16.u32 s, k; cvt.f32.%s r, s; setp.nan.f32 q, r, r; @q mov.b32 r, 0x7fffffff;" % fmt)
        for rounding in ROUNDINGS:
            sweep("f32_to_%s_%s" % (fmt, rounding), ".reg .b16 s; .reg .pred q; ",
                  "mad.lo.u32 t, k, 65536, 0x8000; cvt.%s.%s.f32 s, t; " % (rounding, fmt) + nan16 % fmt + "cvt.u32.u16 r, s;")
        for op in ("mul.rn", "add.rn", "sub.rn"):
            sweep("%s_%s_by_constant" % (op.replace(".", "_"), fmt), ".reg .b16 s, u; .reg .pred q; ",
                  "cvt.u16.u32 s, k; mov.b16 u, 0x3e11; %s.%s s, s, u; " % (op, fmt) + nan16 % fmt + "cvt.u32.u16 r, s;")


def video(w):
    group = "scalar_video"
    signs = ("u32", "s32")
    for op, d, a, b in itertools.product(("vadd", "vsub", "vabsdiff", "vmin", "vmax"), signs, signs, signs):
        plain(w, group, named(op, d, a, b), [a, b], [d])
        plain(w, group, named(op, d, a, b, "sat"), [a, b], [d])
    for index, (op, d, a, b) in enumerate(itertools.product(("vadd", "vsub", "vabsdiff", "vmin", "vmax"), signs, signs, signs)):
        part_a, part_b = ("b0", "b1", "b2", "b3", "h0", "h1")[index % 6], ("h1", "b3", "b0", "h0", "b2", "b1")[index % 6]
        place = ("b0", "b1", "b2", "b3", "h0", "h1")[(index // 2) % 6]
        sat = ".sat" if index % 2 else ""
        then = ("add", "min", "max")[index % 3]
        w.case(group, "%s_%s_%s_%s_%s_%s_%s%s" % (op, d, a, b, part_a, part_b, then, sat.replace(".", "_")), [a, b, d], [d],
               "%s.%s.%s.%s%s.%s %%x, %%a.%s, %%b.%s, %%c;" % (op, d, a, b, sat, then, part_a, part_b))
        w.case(group, "%s_%s_%s_%s_%s_into_%s%s" % (op, d, a, b, part_a, place, sat.replace(".", "_")), [a, b, d], [d],
               "%s.%s.%s.%s%s %%x.%s, %%a.%s, %%b.%s, %%c;" % (op, d, a, b, sat, place, part_a, part_b))
    for op, t, mode, sat in itertools.product(("vshl", "vshr"), signs, ("clamp", "wrap"), ("", "sat")):
        plain(w, group, named(op, t, t, "u32", sat, mode), [t, "sh"], [t])
        w.case(group, "%s_%s_b1_%s%s_add" % (op, t, mode, "_" + sat if sat else ""), [t, "b32", t], [t],
               "%s %%x, %%a.b1, %%b.b0, %%c;" % named(op, t, t, "u32", sat, mode, "add"))
    for a, b, comparison in itertools.product(signs, signs, ("eq", "ne", "lt", "le", "gt", "ge")):
        plain(w, group, named("vset", a, b, comparison), [a, b], ["u32"])
    w.case(group, "vset_u32_u32_lt_parts_add", ["u32", "u32", "u32"], ["u32"], "vset.u32.u32.lt.add %x, %a.b0, %b.h1, %c;")
    w.case(group, "vset_u32_s32_ge_into_b2", ["u32", "s32", "u32"], ["u32"], "vset.u32.s32.ge %x.b2, %a.b3, %b.h0, %c;")
    for scale, sat, (a, b) in itertools.product(("", "shr7", "shr15"), ("", "sat"), (("u32", "u32"), ("s32", "s32"), ("s32", "u32"))):
        d = "s32" if "s32" in (a, b) else "u32"
        w.case(group, named("vmad", d, a, b, sat, scale).replace(".", "_") + "_parts", [a, b, d], [d],
               "%s %%x, %%a.h0, %%b.b1, %%c;" % named("vmad", d, a, b, sat, scale))
        w.case(group, named("vmad", "s32", a, b, sat, scale).replace(".", "_") + "_minus", [a, b, "s32"], ["s32"],
               "%s %%x, -%%a.h1, %%b.h0, %%c;" % named("vmad", "s32", a, b, sat, scale))
    w.case(group, "vmad_u32_u32_po", ["u32"] * 3, ["u32"], "vmad.u32.u32.u32.po %x, %a.h0, %b.h1, %c;")
    for lanes, mask, pick_a, pick_b in ((2, "h1", "h02", "h31"), (4, "b20", "b7013", "b4526")):
        for op in ("vadd", "vsub", "vavrg", "vabsdiff", "vmin", "vmax"):
            name = "%s%d" % (op, lanes)
            for d, a, b in itertools.product(signs, signs, signs):
                plain(w, group, named(name, d, a, b), [a, b, "u32"], [d])
            for t, sat in itertools.product(signs, ("", "sat")):
                plain(w, group, named(name, t, t, t, sat), [t, t, "u32"], [t])
                w.case(group, named(name, t, sat).replace(".", "_") + "_masked", [t, t, t], [t],
                       "%s %%x.%s, %%a.%s, %%b.%s, %%c;" % (named(name, t, t, t, sat), mask, pick_a, pick_b))
            for t in signs:
                w.case(group, named(name, t, "add").replace(".", "_"), [t, t, t], [t],
                       "%s %%x, %%a, %%b, %%c;" % named(name, t, t, t, "add"))
        for comparison in ("eq", "ne", "lt", "le", "gt", "ge"):
            for t in signs:
                plain(w, group, named("vset%d" % lanes, t, t, comparison), [t, t, "u32"], ["u32"])


def packed_singles(w):
    """f32x2 and mixed precision came with sm_100: the H100 computes them in the pieces that the manual says."""
    group = "scalar_sm100"
    for ftz, rounding in itertools.product(("", "ftz"), ROUNDINGS):
        for op, count in (("add", 2), ("sub", 2), ("mul", 2), ("fma", 3)):
            name = named(op, rounding, ftz, "f32x2")
            pack = ".reg .b64 v, w, z; mov.b64 v, {%a, %b}; mov.b64 w, {%c, %d}; mov.b64 z, {%d, %a}; "
            sources = "v, w, z" if count == 3 else "v, w"
            single = named(op, rounding, ftz, "f32")
            model = ("%s %%x, %%a, %%c, %%d; %s %%y, %%b, %%d, %%a;" if count == 3 else
                     "%s %%x, %%a, %%c; %s %%y, %%b, %%d;") % (single, single)
            w.case(group, name.replace(".", "_"), ["f32"] * 4, ["f32", "f32"],
                   pack + "%s v, %s; mov.b64 {%%x, %%y}, v;" % (name, sources), target="sm_100", model=model)
    for t, rounding, sat in itertools.product(("f16", "bf16"), ROUNDINGS, ("", "sat")):
        for op in ("add", "sub"):
            plain(w, group, named(op, rounding, sat, "f32", t), [t, "f32"], ["f32"], target="sm_100",
                  model=".reg .b32 v; cvt.f32.%s v, %%a; %s %%x, v, %%b;" % (t, named(op, rounding, sat, "f32")))
        plain(w, group, named("fma", rounding, sat, "f32", t), [t, t, "f32"], ["f32"], target="sm_100",
              model=".reg .b32 v, w; cvt.f32.%s v, %%a; cvt.f32.%s w, %%b; %s %%x, v, w, %%c;"
              % (t, t, named("fma", rounding, sat, "f32")))
    for op, ftz, nan in itertools.product(("min", "max"), ("", "ftz"), ("", "NaN")):
        two = named(op, ftz, nan, "f32")
        w.case(group, named(op, ftz, nan, "f32.three").replace(".", "_"), ["f32"] * 3, ["f32"],
               "%s %%x, %%a, %%b, %%c;" % two, target="sm_100",
               model=".reg .b32 v; %s v, %%a, %%b; %s %%x, v, %%c;" % (two, two))


def approximate(w):
    """What hardware approximates; the tolerances are the manual's bounds, a last place more for its own error."""
    group = "scalar_approx"

    def case(instruction, kinds, result, tolerance):
        name = instruction.replace(".", "_") + "_of_" + "_".join(kinds)
        sources = ", ".join("%" + LETTERS[i] for i in range(len(kinds)))
        w.case(group, name, kinds, [result], "%s %%x, %s;" % (instruction, sources), tolerance)

    for ftz in ("", ".ftz"):
        for kind in ("f32", "cf32"):
            case("lg2.approx%s.f32" % ftz, [kind], "f32", "lg2")
            case("ex2.approx%s.f32" % ftz, [kind], "f32", "ulp:3")
            case("rcp.approx%s.f32" % ftz, [kind], "f32", "ulp:2")
            case("sqrt.approx%s.f32" % ftz, [kind], "f32", "ulp:3")
            case("rsqrt.approx%s.f32" % ftz, [kind], "f32", "ulp:3")
            # Beyond 100 pi there is no bound but that of the functions themselves.
            case("sin.approx%s.f32" % ftz, [kind], "f32", "abs:2")
            case("cos.approx%s.f32" % ftz, [kind], "f32", "abs:2")
            case("div.approx%s.f32" % ftz, [kind, "f32"], "f32", "ulp:3")
            case("div.full%s.f32" % ftz, [kind, "f32"], "f32", "ulp:3")
    for kind in ("f32", "cf32"):
        case("tanh.approx.f32", [kind], "f32", "rel:1e-3")
    for kind in ("f64", "cf64"):
        case("rcp.approx.ftz.f64", [kind], "f64", "rel:1e-6")
        case("rsqrt.approx.ftz.f64", [kind], "f64", "rel:1e-6")
        case("rsqrt.approx.f64", [kind], "f64", "rel:1e-6")
    for t in ("f16", "f16x2", "bf16", "bf16x2"):
        case("tanh.approx.%s" % t, [t], t, "half:2")
    for t in ("f16", "f16x2"):
        case("ex2.approx.%s" % t, [t], t, "half:2")
    for t in ("bf16", "bf16x2"):
        case("ex2.approx.ftz.%s" % t, [t], t, "half:2")


MASK = """.reg .pred p, q; .reg .b64 bit; .reg .b32 k, v, w, r; .reg .b16 s, t, one;
  mul.lo.u32 k, %%i, 128; add.u32 v, k, 128; mov.b64 %%x, 0; mov.b64 %%y, 0; mov.b16 one, 0x%04x; mov.b16 t, 0x%04x;
AGAIN: cvt.u16.u32 s, k; %s; setp.%s.%s q, t, %s;
  and.b32 w, k, 63; mov.b64 bit, 1; shl.b64 bit, bit, w; and.b32 r, k, 64; setp.ne.b32 p, r, 0;
  @!q mov.b64 bit, 0; @p or.b64 %%y, %%y, bit; @!p or.b64 %%x, %%x, bit;
  add.u32 k, k, 1; setp.lt.u32 p, k, v; @p bra AGAIN;"""


def rarities(w):
    """What ptxas takes beyond the manual, results at the border of the subnormal numbers, the NaN of .oob."""
    group = "scalar_rare"
    for t, one in (("f16", 0x3c00), ("bf16", 0x3f80)):
        # Which patterns, as one factor and then the other, give zero instead of 1 + x or NaN: a bit for each.
        for place, sources in (("first", "s, one, one"), ("second", "one, s, one"), ("third", "one, one, s")):
            w.case(group, "oob_zeros_%s_%s" % (place, t), ["b32"], ["b64", "b64"],
                   MASK % (one, 0, "fma.rn.oob.%s t, %s" % (t, sources), "eq", "b16", "0"))
    for ftz in ("", ".ftz"):
        for rounding in ROUNDINGS:
            plain(w, group, "fma.%s%s.f32" % (rounding, ftz), ["tiny_f32"] * 3, ["f32"], name="tiny_fma_%s%s_f32" % (rounding, ftz[1:]))
            plain(w, group, "mul.%s%s.f32" % (rounding, ftz), ["tiny_f32"] * 2, ["f32"], name="tiny_mul_%s%s_f32" % (rounding, ftz[1:]))
            plain(w, group, "div.%s%s.f32" % (rounding, ftz), ["tiny_f32"] * 2, ["f32"], name="tiny_div_%s%s_f32" % (rounding, ftz[1:]))
            plain(w, group, "add.%s%s.f32" % (rounding, ftz), ["tiny_f32"] * 2, ["f32"], name="tiny_add_%s%s_f32" % (rounding, ftz[1:]))
            plain(w, group, "cvt.%s%s.f32.f64" % (rounding, ftz), ["cf64"], ["f32"], name="tiny_cvt_%s%s_f32_f64" % (rounding, ftz[1:]))
        plain(w, group, "fma.rn%s.f16" % ftz, ["tiny_f16"] * 3, ["f16"], name="tiny_fma_rn%s_f16" % ftz[1:])
        plain(w, group, "mul.rn%s.f16" % ftz, ["tiny_f16"] * 2, ["f16"], name="tiny_mul_rn%s_f16" % ftz[1:])
        plain(w, group, "add.rn%s.f16" % ftz, ["tiny_f16"] * 2, ["f16"], name="tiny_add_rn%s_f16" % ftz[1:])
    for rounding in ("rn", "rz", "rm", "rp"):
        plain(w, group, "rcp.%s.ftz.f64" % rounding, ["f64"], ["f64"])
        plain(w, group, "cvt.%s.ftz.bf16.f32" % rounding, ["cf32"], ["bf16"])
        plain(w, group, "cvt.%s.ftz.bf16.f32" % rounding, ["f32"], ["bf16"], name="cvt_%s_ftz_bf16_f32_any" % rounding)
    for t in ("u16", "s16"):
        w.case(group, "addc_" + t, ["u32", "u32", t, t], [t], ".reg .b32 z; add.cc.u32 z, %%a, %%b; addc.%s %%x, %%c, %%d;" % t)
        w.case(group, "subc_" + t, ["u32", "u32", t, t], [t], ".reg .b32 z; sub.cc.u32 z, %%a, %%b; subc.%s %%x, %%c, %%d;" % t)
        w.case(group, "madc_lo_" + t, ["u32", "u32", t, t], [t],
               ".reg .b32 z; add.cc.u32 z, %%a, %%b; madc.lo.%s %%x, %%c, %%d, %%c;" % t)
    w.case(group, "madc_hi_sat_s32", ["s32", "s32", "s32", "s32"], ["s32"],
           ".reg .b32 z; add.cc.s32 z, %a, %b; madc.hi.sat.s32 %x, %c, %d, %a;")
    for t in ("u32", "s32"):
        w.case(group, "addcc_then_subc_" + t, ["u32", "u32", t, t], [t], ".reg .b32 z; add.cc.u32 z, %%a, %%b; subc.%s %%x, %%c, %%d;" % t)
    for op in ("vadd", "vsub", "vabsdiff", "vmin", "vmax"):
        for sat in ("", "sat"):
            w.case(group, "%s_u32_third_source%s" % (op, sat), ["u32", "u32", "u32"], ["u32"],
                   "%s %%x, %%a, %%b, %%c;" % named(op, "u32.u32.u32", sat))
            w.case(group, "%s_s32_third_source%s" % (op, sat), ["s32", "s32", "s32"], ["s32"],
                   "%s %%x, %%a, %%b, %%c;" % named(op, "s32.s32.s32", sat))
    for t in ("f16", "f16x2"):
        plain(w, group, "fma.rn.sat.oob." + t, [t] * 3, [t])
    for rounding, relu, t in itertools.product(("rz", "rm", "rp"), ("", "relu"), ("bf16", "bf16x2")):
        plain(w, group, named("fma", rounding, relu, t), [t] * 3, [t])


def borders(w):
    """Doubles that become the smallest normal float or not; .oob where no manual has it."""
    group = "scalar_border"
    for ftz, rounding in itertools.product(("", ".ftz"), ROUNDINGS):
        plain(w, group, "cvt.%s%s.f32.f64" % (rounding, ftz), ["tiny_f64"], ["f32"],
              name="border_cvt_%s%s_f32_f64" % (rounding, ftz[1:]))
    for t, rounding, relu in itertools.product(("bf16", "bf16x2"), ("rz", "rm"), ("", "relu")):
        plain(w, group, named("fma", rounding, relu, "oob", t), [t] * 3, [t])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--have", type=pathlib.Path)
    options = parser.parse_args()
    known = [line.split("\t")[1] for line in options.have.read_text().splitlines()[1:]] if options.have else []
    writer = Writer(known)
    for family in (integers, bits, moves, floats, halves, comparisons, conversions, sweeps, video, packed_singles,
                   approximate, rarities, borders):
        family(writer)
    writer.write(options.folder)
    print(len(writer.rows), "cases")


if __name__ == "__main__":
    main()
