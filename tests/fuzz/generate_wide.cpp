#include "generator.h"

// Statements of one thread that only wide kernels have: packed, short and double arithmetic, video instructions, logic
// of predicates. Results that may be a NaN are made one NaN before anything looks at their bits.
namespace kernel_fuzz {

/// Both halves of a register that holds two f16.
void Generator::numberless(const std::string& pair) {
    const std::string low = fresh_half(), high = fresh_half();
    line("mov.b32 {%s, %s}, %s;", {low, high, pair});
    for (const std::string& half : {low, high}) {
        const std::string p = fresh_predicate();
        line("setp.nan.f16 %s, %s, %s;", {p, half, half});
        line("selp.b16 %s, 0x7fff, %s, %s;", {half, half, p});
    }
    line("mov.b32 %s, {%s, %s};", {pair, low, high});
}

void Generator::half_operation(const Region&) {
    const std::string to = r(), a = r(), b = r(), c = r();
    constexpr const char* two[] = {"add.rn", "add.rn.ftz", "add.rn.sat", "sub.rn",          "mul.rn", "mul.rn.ftz.sat",
                                   "min",    "max",        "min.NaN",    "max.xorsign.abs", "max.ftz"};
    constexpr const char* fused[] = {"fma.rn", "fma.rn.ftz", "fma.rn.sat", "fma.rn.relu", "fma.rn.ftz.relu"};
    constexpr const char* compare[] = {"eq", "lt", "geu", "num", "neu"};
    switch (random_.below(6)) {
    case 0:
        line("%s.f16x2 %s, %s, %s, %s;", {random_.pick(fused), to, a, b, c});
        return numberless(to);
    case 1:
        line("%s.f16x2 %s, %s;", {random_.one_in(2) ? "neg" : "abs", to, a});
        return numberless(to);
    case 2: {
        const std::string p = fresh_predicate(), q = fresh_predicate();
        line("setp.%s.f16x2 %s|%s, %s, %s;", {random_.pick(compare), p, q, a, b});
        line("@%s add.u32 %s, %s, 1;", {p, to, to});
        return line("@%s xor.b32 %s, %s, 0x10000;", {q, to, to});
    }
    case 3:
        return line("set.%s.%s.f16x2 %s, %s, %s;", {random_.pick(compare), "f16x2", to, a, b});
    default:
        line("%s.f16x2 %s, %s, %s;", {random_.pick(two), to, a, b});
        return numberless(to);
    }
}

void Generator::half_conversion(const Region&) {
    const std::string to = r(), h = fresh_half(), p = fresh_predicate(), t = fresh_float(), a = f();
    line("setp.nan.f32 %s, %s, %s;", {p, a, a});
    line("selp.f32 %s, 0fC0200000, %s, %s;", {t, a, p});
    constexpr const char* pack[] = {"cvt.rn.f16x2.f32", "cvt.rz.f16x2.f32", "cvt.rn.relu.f16x2.f32",
                                    "cvt.rn.bf16x2.f32", "cvt.rz.bf16x2.f32"};
    switch (random_.below(6)) {
    case 0:
    case 1:
        return line("%s %s, %s, 0f3FA00000;", {random_.pick(pack), to, t});
    case 2:
        line("cvt.%s.f16.f32 %s, %s;", {random_.one_in(2) ? "rn" : "rz", h, t});
        return line("cvt.f32.f16 %s, %s;", {f(), h});
    case 3: {
        constexpr const char* eight[] = {"e4m3x2", "e5m2x2"};
        const char* type = random_.pick(eight);
        line("cvt.rn.satfinite%s.%s.f32 %s, %s, 0f41480000;", {random_.one_in(3) ? ".relu" : "", type, h, t});
        return line("cvt.rn.f16x2.%s %s, %s;", {type, to, h});
    }
    case 4: {
        constexpr const char* integer[] = {"s16", "u16", "s8", "u8"};
        const char* type = random_.pick(integer);
        line("cvt.rn.f16.s32 %s, %s;", {h, r()});
        const std::string back = fresh_half();
        line("cvt.rni.%s.f16 %s, %s;", {type, back, h});
        return line("cvt.%s.%s %s, %s;", {type[0] == 's' ? "s32" : "u32", type, to, back});
    }
    default:
        line("cvt.u16.u32 %s, %s;", {h, r()});
        line("and.b16 %s, %s, 0x7bff;", {h, h}); // finite
        return line("cvt.f32.f16 %s, %s;", {f(), h});
    }
}

void Generator::double_operation(const Region&) {
    const std::string to = d(), a = d(), b = d(), p = fresh_predicate();
    constexpr const char* rounding[] = {"rn", "rz", "rm", "rp"};
    constexpr const char* two[] = {"add", "sub", "mul", "div"};
    switch (random_.below(7)) {
    case 0:
        line("fma.%s.f64 %s, %s, %s, %s;", {random_.pick(rounding), to, a, b, d()});
        break;
    case 1:
        line("sqrt.%s.f64 %s, %s;", {random_.pick(rounding), to, a});
        break;
    case 2:
        line("%s.f64 %s, %s, %s;", {random_.one_in(2) ? "min" : "max", to, a, b});
        break;
    case 3:
        line("cvt.%s.f64.%s %s, %s;", {random_.pick(rounding), random_.one_in(2) ? "s64" : "u64", to, a});
        break;
    case 4:
        line("cvt.f64.f32 %s, %s;", {to, f()});
        break;
    case 5:
        return line("cvt.%s.f32.f64 %s, %s;", {random_.pick(rounding), f(), a});
    default:
        line("%s.%s.f64 %s, %s, %s;", {random_.pick(two), random_.pick(rounding), to, a, b});
    }
    line("setp.nan.f64 %s, %s, %s;", {p, to, to});
    line("@%s mov.b64 %s, 0x3ff4000000000000;", {p, to});
}

void Generator::short_operation(const Region&) {
    const std::string to = r(), a = fresh_half(), b = fresh_half(), c = fresh_half();
    constexpr const char* packed[] = {"add.s16x2", "add.u16x2",      "min.s16x2",
                                      "max.u16x2", "max.s16x2.relu", "min.u16x2"};
    constexpr const char* two[] = {"add.s16", "sub.u16", "mul.lo.s16", "mul.hi.s16", "mul.hi.u16",
                                   "min.s16", "max.u16", "and.b16",    "xor.b16",    "mul.lo.u16"};
    if (random_.one_in(4)) {
        const char* operation = random_.pick(packed);
        // .relu stands before the type.
        if (std::string(operation) == "max.s16x2.relu") return line("max.relu.s16x2 %s, %s, %s;", {to, r(), r()});
        return line("%s %s, %s, %s;", {operation, to, r(), r()});
    }
    line("mov.b32 {%s, %s}, %s;", {a, b, r()});
    switch (random_.below(4)) {
    case 0:
        return line("mul.wide.%s %s, %s, %s;", {random_.one_in(2) ? "s16" : "u16", to, a, b});
    case 1:
        return line("mad.wide.%s %s, %s, %s, %s;", {random_.one_in(2) ? "s16" : "u16", to, a, b, r()});
    case 2: {
        constexpr const char* shift[] = {"shl.b16", "shr.u16", "shr.s16"};
        line("%s %s, %s, %s;", {random_.pick(shift), c, a, r()});
        break;
    }
    default:
        line("%s %s, %s, %s;", {random_.pick(two), c, a, b});
    }
    line("mov.b32 %s, {%s, %s};", {to, c, a});
}

void Generator::wide_bit_operation(const Region&) {
    const std::string to = r(), a = r(), b = integer_operand(), c = r();
    constexpr const char* pairs[] = {"bmsk.clamp.b32",  "bmsk.wrap.b32",  "szext.clamp.s32", "szext.wrap.s32",
                                     "szext.clamp.u32", "szext.wrap.u32", "mul24.hi.s32",    "mul24.hi.u32"};
    constexpr const char* dot[] = {"dp2a.lo.s32.s32", "dp2a.hi.u32.s32", "dp2a.lo.u32.u32", "dp2a.hi.s32.u32"};
    constexpr const char* saturate[] = {"s8.s32", "u8.s32", "s16.s32", "u16.u32", "s8.u32", "u16.s32"};
    switch (random_.below(7)) {
    case 0:
        return line("%s %s, %s, %s, %s;", {random_.pick(dot), to, a, r(), c});
    case 1: {
        const std::string n = fresh_integer();
        line("and.b32 %s, %s, 7;", {n, c});
        return line("fns.b32 %s, %s, 0, %s;", {to, a, n});
    }
    case 2:
        return line("cvt.pack.sat.%s.s32.b32 %s, %s, %s, %s;", {random_.one_in(2) ? "s8" : "u8", to, a, r(), c});
    case 3:
        return line("cvt.sat.%s %s, %s;", {random_.pick(saturate), to, a});
    case 4: {
        constexpr const char* one[] = {"popc.b64", "clz.b64", "bfind.u64", "bfind.s64", "bfind.shiftamt.s64"};
        return line("%s %s, %s;", {random_.pick(one), to, d()});
    }
    case 5: {
        if (random_.one_in(2)) return line("brev.b64 %s, %s;", {d(), d()});
        if (random_.one_in(2)) return line("bfi.b64 %s, %s, %s, %s, %s;", {d(), d(), d(), a, c});
        return line("bfe.%s %s, %s, %s, %s;", {random_.one_in(2) ? "u64" : "s64", d(), d(), a, c});
    }
    default:
        return line("%s %s, %s, %s;", {random_.pick(pairs), to, a, b});
    }
}

void Generator::video_operation(const Region&) {
    constexpr const char* four[] = {"vadd4.s32.s32.s32.sat", "vsub4.u32.u32.u32",        "vavrg4.s32.u32.s32",
                                    "vabsdiff4.u32.u32.u32", "vmin4.s32.s32.s32",        "vadd2.u32.u32.u32.sat",
                                    "vmax2.s32.s32.s32",     "vabsdiff2.u32.s32.s32.add"};
    constexpr const char* scalar[] = {"vadd.s32.s32.s32.sat", "vsub.u32.u32.u32", "vabsdiff.u32.s32.s32",
                                      "vmin.s32.s32.s32", "vmax.u32.u32.u32"};
    if (random_.one_in(3))
        return line("%s %s, %s.b%u, %s.h%u;",
                    {random_.pick(scalar), r(), r(), random_.below(4), r(), random_.below(2)});
    line("%s %s, %s, %s, %s;", {random_.pick(four), r(), r(), r(), r()});
}

void Generator::predicate_logic(const Region& region) {
    const std::string p = predicate(region), q = predicate(region), to = fresh_predicate(), other = fresh_predicate();
    constexpr const char* two[] = {"and", "or", "xor"};
    switch (random_.below(4)) {
    case 0:
        line("setp.lt.%s.s32 %s|%s, %s, %s, %s%s;",
             {random_.pick(two), to, other, r(), r(), random_.one_in(2) ? "!" : "", p});
        line("@%s add.u32 %s, %s, 7;", {other, r(), r()});
        break;
    case 1:
        line("not.pred %s, %s;", {to, p});
        break;
    case 2:
        line("set.%s.u32.u32 %s, %s, %s, %s;", {random_.one_in(2) ? "ge.and" : "ne.or", r(), r(), r(), q});
        return line("slct.f32.s32 %s, %s, %s, %s;", {f(), f(), f(), r()});
    default:
        line("%s.pred %s, %s, %s;", {random_.pick(two), to, p, q});
    }
    line("selp.b32 %s, %s, %s, %s;", {r(), r(), integer_operand(), to});
}

} // namespace kernel_fuzz
