#include "generator.h"

// Statements of one thread.
namespace kernel_fuzz {

std::string Generator::integer_operand() {
    constexpr const char* constants[] = {"0",   "1",          "-1",         "31",    "32",
                                         "255", "0x7fffffff", "0x80000000", "12345", "0x00ff00ff"};
    return random_.one_in(4) ? random_.pick(constants) : r();
}

std::string Generator::predicate(const Region&) {
    const std::string p = fresh_predicate();
    constexpr const char* compare[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    constexpr const char* unordered[] = {"equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan", "lt", "ge", "eq"};
    switch (random_.below(5)) {
    case 0:
        line("setp.%s.f32 %s, %s, %s;", {random_.pick(unordered), p, f(), f()});
        break;
    case 1:
        line("setp.%s.s64 %s, %s, %s;", {random_.pick(compare), p, d(), d()});
        break;
    case 2: { // a few lanes of each warp
        const std::string t = fresh_integer();
        line("and.b32 %s, %s, %u;", {t, "%lane", 1u << random_.below(5)});
        line("setp.ne.u32 %s, %s, 0;", {p, t});
        break;
    }
    default: {
        const std::string t = fresh_integer();
        line("and.b32 %s, %s, 15;", {t, r()});
        line("setp.%s.u32 %s, %s, %u;", {random_.pick(compare), p, t, random_.below(16)});
        break;
    }
    }
    return p;
}

void Generator::integer_operation(const Region&) {
    const std::string to = r(), a = r(), b = integer_operand(), c = integer_operand();
    constexpr const char* two[] = {"add.s32", "sub.s32", "mul.lo.s32",  "mul.hi.s32", "mul.hi.u32",
                                   "min.s32", "max.s32", "min.u32",     "max.u32",    "and.b32",
                                   "or.b32",  "xor.b32", "mul24.lo.u32"};
    constexpr const char* three[] = {"mad.lo.s32", "mad.hi.u32",   "mad.hi.s32",   "sad.s32",
                                     "sad.u32",    "dp4a.u32.u32", "dp4a.s32.u32", "mad24.lo.s32"};
    switch (random_.below(4)) {
    case 0:
        return line("%s %s, %s, %s, %s;", {random_.pick(three), to, a, r(), r()});
    case 1: {
        const std::string t = fresh_integer();
        line("or.b32 %s, %s, 1;", {t, b});
        const bool is_signed = random_.one_in(2);
        if (is_signed) line("and.b32 %s, %s, 0x7fffffff;", {t, t});
        return line("%s.%s %s, %s, %s;", {random_.one_in(2) ? "div" : "rem", is_signed ? "s32" : "u32", to, a, t});
    }
    default:
        return line("%s %s, %s, %s;", {random_.pick(two), to, a, b});
    }
}

void Generator::bit_operation(const Region&) {
    const std::string to = r(), a = r(), b = integer_operand(), c = r();
    constexpr const char* one[] = {"not.b32",  "neg.s32",   "abs.s32",   "popc.b32",           "clz.b32",
                                   "brev.b32", "bfind.u32", "bfind.s32", "bfind.shiftamt.u32", "cnot.b32"};
    constexpr const char* shift[] = {"shl.b32", "shr.u32", "shr.s32"};
    constexpr const char* funnel[] = {"shf.l.wrap.b32", "shf.r.wrap.b32", "shf.l.clamp.b32", "shf.r.clamp.b32"};
    constexpr const char* permute[] = {"", ".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"};
    switch (random_.below(7)) {
    case 0:
    case 1:
        return line("%s %s, %s;", {random_.pick(one), to, a});
    case 2:
        return line("%s %s, %s, %s;", {random_.pick(shift), to, a, b});
    case 3:
        return line("%s %s, %s, %s, %s;", {random_.pick(funnel), to, a, r(), c});
    case 4:
        return line("prmt.b32%s %s, %s, %s, %s;", {random_.pick(permute), to, a, r(), c});
    case 5:
        return line("lop3.b32 %s, %s, %s, %s, %u;", {to, a, r(), c, random_.below(256)});
    default:
        if (random_.one_in(2))
            return line("bfe.%s %s, %s, %s, %s;", {random_.one_in(2) ? "u32" : "s32", to, a, r(), c});
        return line("bfi.b32 %s, %s, %s, %s, %s;", {to, a, r(), c, r()});
    }
}

void Generator::long_operation(const Region&) {
    const std::string to = d(), a = d(), b = d();
    constexpr const char* two[] = {"add.s64", "sub.s64", "mul.lo.s64", "mul.hi.u64", "min.s64",
                                   "max.u64", "and.b64", "or.b64",     "xor.b64"};
    switch (random_.below(5)) {
    case 0:
        return line("mad.wide.%s %s, %s, %s, %s;", {random_.one_in(2) ? "s32" : "u32", to, r(), r(), a});
    case 1:
        return line("%s %s, %s, %s;", {random_.one_in(2) ? "shl.b64" : "shr.s64", to, a, r()});
    case 2:
        return line("mov.b64 {%s, %s}, %s;", {r(), fresh_integer(), a});
    case 3:
        return line("popc.b64 %s, %s;", {r(), a});
    default:
        return line("%s %s, %s, %s;", {random_.pick(two), to, a, b});
    }
}

void Generator::float_operation(const Region&) {
    const std::string to = f(), a = f(), b = f();
    constexpr const char* rounded[] = {"add.rn", "add.rz", "add.rm", "add.rp", "sub.rn",     "sub.rz",
                                       "mul.rn", "mul.rm", "mul.rp", "div.rn", "add.rn.ftz", "mul.rn.ftz"};
    switch (random_.below(6)) {
    case 0: {
        constexpr const char* mode[] = {"rn", "rz", "rm", "rp", "rn.sat", "rn.ftz"};
        return line("fma.%s.f32 %s, %s, %s, %s;", {random_.pick(mode), to, a, b, f()});
    }
    case 1:
        return line("%s.f32 %s, %s, %s;", {random_.one_in(2) ? "min" : "max", to, a, b});
    case 2:
        return line("%s.f32 %s, %s;", {random_.one_in(2) ? "abs" : "neg", to, a});
    case 3:
        return line("sqrt.rn.f32 %s, %s;", {to, a});
    default:
        return line("%s.f32 %s, %s, %s;", {random_.pick(rounded), to, a, b});
    }
}

void Generator::conversion(const Region&) {
    constexpr const char* to_integer[] = {"rni", "rzi", "rmi", "rpi"};
    constexpr const char* to_float[] = {"rn", "rz", "rm", "rp"};
    switch (random_.below(6)) {
    case 0: // a NaN becomes an integer in ways of its own
    {
        const std::string p = fresh_predicate(), t = fresh_float(), a = f();
        line("setp.nan.f32 %s, %s, %s;", {p, a, a});
        line("selp.f32 %s, 0f3F800000, %s, %s;", {t, a, p});
        return line("cvt.%s.%s.f32 %s, %s;", {random_.pick(to_integer), random_.one_in(2) ? "s32" : "u32", r(), t});
    }
    case 1:
        return line("cvt.%s.f32.%s %s, %s;", {random_.pick(to_float), random_.one_in(2) ? "s32" : "u32", f(), r()});
    case 2: {
        constexpr const char* narrow[] = {"s32.s8", "u32.u8", "s32.s16", "u32.u16", "u32.s8", "s32.u16"};
        return line("cvt.%s %s, %s;", {random_.pick(narrow), r(), r()});
    }
    case 3:
        return line("cvt.%s %s, %s;", {random_.one_in(2) ? "s64.s32" : "u64.u32", d(), r()});
    case 4: { // bits of a float that is no NaN
        const std::string p = fresh_predicate(), t = fresh_integer(), a = f();
        line("setp.nan.f32 %s, %s, %s;", {p, a, a});
        line("mov.b32 %s, %s;", {t, a});
        return line("selp.b32 %s, 77, %s, %s;", {r(), t, p});
    }
    default: { // a float between 1 and 2
        const std::string t = fresh_integer();
        line("shr.u32 %s, %s, 9;", {t, r()});
        line("or.b32 %s, %s, 0x3f800000;", {t, t});
        return line("mov.b32 %s, %s;", {f(), t});
    }
    }
}

void Generator::selection(const Region& region) {
    if (random_.one_in(3)) return line("slct.b32.s32 %s, %s, %s, %s;", {r(), r(), r(), r()});
    const std::string p = predicate(region);
    if (random_.one_in(3)) return line("selp.f32 %s, %s, %s, %s;", {f(), f(), f(), p});
    line("selp.b32 %s, %s, %s, %s;", {r(), integer_operand(), r(), p});
}

void Generator::carry_chain(const Region&) {
    const bool add = random_.one_in(2);
    const std::string low = fresh_integer(), high = fresh_integer();
    line("%s.cc.u32 %s, %s, %s;", {add ? "add" : "sub", low, r(), r()});
    line("%s.u32 %s, %s, %s;", {add ? "addc" : "subc", high, r(), r()});
    line("mov.b64 %s, {%s, %s};", {d(), low, high});
}

void Generator::guarded(const Region& region) {
    const std::string p = predicate(region);
    line("@%s%s xor.b32 %s, %s, %s;", {random_.one_in(2) ? "!" : "", p, r(), r(), integer_operand()});
    line("@%s add.rn.f32 %s, %s, %s;", {p, f(), f(), f()});
}

} // namespace kernel_fuzz
