#include "random_kernel.h"

#include <cstdarg>
#include <cstdio>
#include <vector>

namespace {

class Random {
  public:
    /// Seeds that follow each other must not give one sequence, shifted.
    explicit Random(uint64_t seed) : state_(seed ^ 0x632be59bd9b4e019) { state_ = next(); }
    uint64_t next() { // splitmix64
        uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    unsigned below(unsigned n) { return unsigned(next() >> 33) % n; }
    bool one_in(unsigned n) { return below(n) == 0; }
    template <size_t N> const char* pick(const char* const (&list)[N]) { return list[below(N)]; }

  private:
    uint64_t state_;
};

/// Registers that statements read and write. Others are temporaries of one statement.
constexpr unsigned integers = 8, floats = 4, longs = 2;
constexpr unsigned local_words = 16;

/// What may stand where the generator is.
struct Region {
    std::string mask = "-1"; ///< the lanes of a warp that are here: a constant or a register; empty = not known
    bool uniform = true;     ///< all threads of the block are here
    bool full = true;        ///< all lanes of the warp are
    bool kernel = true;      ///< not a function: shared, local and atomic memory are at hand
    unsigned depth = 0;
};

class Generator {
  public:
    explicit Generator(uint64_t seed) : random_(seed) {}
    RandomKernel make(uint64_t seed);

  private:
    using Emit = void (Generator::*)(const Region&);

    __attribute__((format(printf, 2, 3))) void line(const char* format, ...) {
        char text[512];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        body_ += "    ";
        body_ += text;
        body_ += '\n';
    }
    void label(unsigned number) { body_ += "L" + std::to_string(number) + ":\n"; }

    static std::string name(const char* prefix, unsigned n) { return prefix + std::to_string(n); }
    std::string r() { return name("%r", random_.below(integers)); }
    std::string f() { return name("%f", random_.below(floats)); }
    std::string d() { return name("%d", random_.below(longs)); }
    std::string fresh_integer() { return name("%r", next_integer_++); }
    std::string fresh_float() { return name("%f", next_float_++); }
    std::string fresh_long() { return name("%d", next_long_++); }
    std::string fresh_predicate() { return name("%p", next_predicate_++); }
    std::string integer_operand();
    std::string predicate(const Region&);

    void statements(Region, unsigned count);
    void statement(const Region&);
    void integer_operation(const Region&);
    void bit_operation(const Region&);
    void long_operation(const Region&);
    void float_operation(const Region&);
    void conversion(const Region&);
    void selection(const Region&);
    void carry_chain(const Region&);
    void guarded(const Region&);
    void branch(const Region&);
    void loop(const Region&);
    void many_ways(const Region&);
    void shuffle(const Region&);
    void vote(const Region&);
    void across_warp(const Region&);
    void exchange_through_shared(const Region&);
    void own_shared_word(const Region&);
    void atomic(const Region&);
    void local_array(const Region&);
    void input(const Region&);
    void call(const Region&);
    void function(unsigned number);
    void initialise();
    void store_results();
    std::string declarations() const;
    void reset();

    Random random_;
    std::string body_;
    unsigned next_integer_ = 0, next_float_ = 0, next_long_ = 0, next_predicate_ = 0, next_label_ = 0;
    unsigned functions_ = 0, threads_ = 0;
    int budget_ = 0;
};

void Generator::reset() {
    body_.clear();
    next_integer_ = integers;
    next_float_ = floats;
    next_long_ = longs;
    next_predicate_ = 1;
}

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
        line("setp.%s.f32 %s, %s, %s;", random_.pick(unordered), p.c_str(), f().c_str(), f().c_str());
        break;
    case 1:
        line("setp.%s.s64 %s, %s, %s;", random_.pick(compare), p.c_str(), d().c_str(), d().c_str());
        break;
    case 2: { // a few lanes of each warp
        const std::string t = fresh_integer();
        line("and.b32 %s, %s, %u;", t.c_str(), "%lane", 1u << random_.below(5));
        line("setp.ne.u32 %s, %s, 0;", p.c_str(), t.c_str());
        break;
    }
    default: {
        const std::string t = fresh_integer();
        line("and.b32 %s, %s, 15;", t.c_str(), r().c_str());
        line("setp.%s.u32 %s, %s, %u;", random_.pick(compare), p.c_str(), t.c_str(), random_.below(16));
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
        return line("%s %s, %s, %s, %s;", random_.pick(three), to.c_str(), a.c_str(), r().c_str(), r().c_str());
    case 1: {
        const std::string t = fresh_integer();
        line("or.b32 %s, %s, 1;", t.c_str(), b.c_str());
        const bool is_signed = random_.one_in(2);
        if (is_signed) line("and.b32 %s, %s, 0x7fffffff;", t.c_str(), t.c_str());
        return line("%s.%s %s, %s, %s;", random_.one_in(2) ? "div" : "rem", is_signed ? "s32" : "u32", to.c_str(),
                    a.c_str(), t.c_str());
    }
    default:
        return line("%s %s, %s, %s;", random_.pick(two), to.c_str(), a.c_str(), b.c_str());
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
        return line("%s %s, %s;", random_.pick(one), to.c_str(), a.c_str());
    case 2:
        return line("%s %s, %s, %s;", random_.pick(shift), to.c_str(), a.c_str(), b.c_str());
    case 3:
        return line("%s %s, %s, %s, %s;", random_.pick(funnel), to.c_str(), a.c_str(), r().c_str(), c.c_str());
    case 4:
        return line("prmt.b32%s %s, %s, %s, %s;", random_.pick(permute), to.c_str(), a.c_str(), r().c_str(), c.c_str());
    case 5:
        return line("lop3.b32 %s, %s, %s, %s, %u;", to.c_str(), a.c_str(), r().c_str(), c.c_str(), random_.below(256));
    default:
        if (random_.one_in(2))
            return line("bfe.%s %s, %s, %s, %s;", random_.one_in(2) ? "u32" : "s32", to.c_str(), a.c_str(), r().c_str(),
                        c.c_str());
        return line("bfi.b32 %s, %s, %s, %s, %s;", to.c_str(), a.c_str(), r().c_str(), c.c_str(), r().c_str());
    }
}

void Generator::long_operation(const Region&) {
    const std::string to = d(), a = d(), b = d();
    constexpr const char* two[] = {"add.s64", "sub.s64", "mul.lo.s64", "mul.hi.u64", "min.s64",
                                   "max.u64", "and.b64", "or.b64",     "xor.b64"};
    switch (random_.below(5)) {
    case 0:
        return line("mad.wide.%s %s, %s, %s, %s;", random_.one_in(2) ? "s32" : "u32", to.c_str(), r().c_str(),
                    r().c_str(), a.c_str());
    case 1:
        return line("%s %s, %s, %s;", random_.one_in(2) ? "shl.b64" : "shr.s64", to.c_str(), a.c_str(), r().c_str());
    case 2:
        return line("mov.b64 {%s, %s}, %s;", r().c_str(), fresh_integer().c_str(), a.c_str());
    case 3:
        return line("popc.b64 %s, %s;", r().c_str(), a.c_str());
    default:
        return line("%s %s, %s, %s;", random_.pick(two), to.c_str(), a.c_str(), b.c_str());
    }
}

void Generator::float_operation(const Region&) {
    const std::string to = f(), a = f(), b = f();
    constexpr const char* rounded[] = {"add.rn", "add.rz", "add.rm", "add.rp", "sub.rn",     "sub.rz",
                                       "mul.rn", "mul.rm", "mul.rp", "div.rn", "add.rn.ftz", "mul.rn.ftz"};
    switch (random_.below(6)) {
    case 0: {
        constexpr const char* mode[] = {"rn", "rz", "rm", "rp", "rn.sat", "rn.ftz"};
        return line("fma.%s.f32 %s, %s, %s, %s;", random_.pick(mode), to.c_str(), a.c_str(), b.c_str(), f().c_str());
    }
    case 1:
        return line("%s.f32 %s, %s, %s;", random_.one_in(2) ? "min" : "max", to.c_str(), a.c_str(), b.c_str());
    case 2:
        return line("%s.f32 %s, %s;", random_.one_in(2) ? "abs" : "neg", to.c_str(), a.c_str());
    case 3:
        return line("sqrt.rn.f32 %s, %s;", to.c_str(), a.c_str());
    default:
        return line("%s.f32 %s, %s, %s;", random_.pick(rounded), to.c_str(), a.c_str(), b.c_str());
    }
}

void Generator::conversion(const Region&) {
    constexpr const char* to_integer[] = {"rni", "rzi", "rmi", "rpi"};
    constexpr const char* to_float[] = {"rn", "rz", "rm", "rp"};
    switch (random_.below(6)) {
    case 0: // a NaN becomes an integer in ways of its own
    {
        const std::string p = fresh_predicate(), t = fresh_float(), a = f();
        line("setp.nan.f32 %s, %s, %s;", p.c_str(), a.c_str(), a.c_str());
        line("selp.f32 %s, 0f3F800000, %s, %s;", t.c_str(), a.c_str(), p.c_str());
        return line("cvt.%s.%s.f32 %s, %s;", random_.pick(to_integer), random_.one_in(2) ? "s32" : "u32", r().c_str(),
                    t.c_str());
    }
    case 1:
        return line("cvt.%s.f32.%s %s, %s;", random_.pick(to_float), random_.one_in(2) ? "s32" : "u32", f().c_str(),
                    r().c_str());
    case 2: {
        constexpr const char* narrow[] = {"s32.s8", "u32.u8", "s32.s16", "u32.u16", "u32.s8", "s32.u16"};
        return line("cvt.%s %s, %s;", random_.pick(narrow), r().c_str(), r().c_str());
    }
    case 3:
        return line("cvt.%s %s, %s;", random_.one_in(2) ? "s64.s32" : "u64.u32", d().c_str(), r().c_str());
    case 4: { // bits of a float that is no NaN
        const std::string p = fresh_predicate(), t = fresh_integer(), a = f();
        line("setp.nan.f32 %s, %s, %s;", p.c_str(), a.c_str(), a.c_str());
        line("mov.b32 %s, %s;", t.c_str(), a.c_str());
        return line("selp.b32 %s, 77, %s, %s;", r().c_str(), t.c_str(), p.c_str());
    }
    default: { // a float between 1 and 2
        const std::string t = fresh_integer();
        line("shr.u32 %s, %s, 9;", t.c_str(), r().c_str());
        line("or.b32 %s, %s, 0x3f800000;", t.c_str(), t.c_str());
        return line("mov.b32 %s, %s;", f().c_str(), t.c_str());
    }
    }
}

void Generator::selection(const Region& region) {
    if (random_.one_in(3))
        return line("slct.b32.s32 %s, %s, %s, %s;", r().c_str(), r().c_str(), r().c_str(), r().c_str());
    const std::string p = predicate(region);
    if (random_.one_in(3)) return line("selp.f32 %s, %s, %s, %s;", f().c_str(), f().c_str(), f().c_str(), p.c_str());
    line("selp.b32 %s, %s, %s, %s;", r().c_str(), integer_operand().c_str(), r().c_str(), p.c_str());
}

void Generator::carry_chain(const Region&) {
    const bool add = random_.one_in(2);
    const std::string low = fresh_integer(), high = fresh_integer();
    line("%s.cc.u32 %s, %s, %s;", add ? "add" : "sub", low.c_str(), r().c_str(), r().c_str());
    line("%s.u32 %s, %s, %s;", add ? "addc" : "subc", high.c_str(), r().c_str(), r().c_str());
    line("mov.b64 %s, {%s, %s};", d().c_str(), low.c_str(), high.c_str());
}

void Generator::guarded(const Region& region) {
    const std::string p = predicate(region);
    line("@%s%s xor.b32 %s, %s, %s;", random_.one_in(2) ? "!" : "", p.c_str(), r().c_str(), r().c_str(),
         integer_operand().c_str());
    line("@%s add.rn.f32 %s, %s, %s;", p.c_str(), f().c_str(), f().c_str(), f().c_str());
}

void Generator::branch(const Region& region) {
    if (region.depth >= 4) return integer_operation(region);
    Region inner = region;
    inner.depth++;
    std::string p;
    const bool uniform = region.kernel && random_.one_in(4);
    if (uniform) { // the same for all threads of a block
        const std::string t = fresh_integer();
        p = fresh_predicate();
        line("and.b32 %s, %%block, %u;", t.c_str(), 1 + random_.below(2));
        line("setp.ne.u32 %s, %s, 0;", p.c_str(), t.c_str());
    } else {
        p = predicate(region);
        inner.uniform = inner.full = false;
    }
    const bool has_else = random_.one_in(2);
    const unsigned otherwise = next_label_++, end = next_label_++;
    std::string taken, rest;
    if (!uniform && !region.mask.empty()) {
        taken = fresh_integer();
        rest = fresh_integer();
        line("vote.sync.ballot.b32 %s, %s, %s;", taken.c_str(), p.c_str(), region.mask.c_str());
        line("vote.sync.ballot.b32 %s, !%s, %s;", rest.c_str(), p.c_str(), region.mask.c_str());
    }
    line("@!%s bra L%u;", p.c_str(), has_else ? otherwise : end);
    if (!uniform) inner.mask = taken;
    statements(inner, 2 + random_.below(5));
    if (has_else) {
        line("bra L%u;", end);
        label(otherwise);
        if (!uniform) inner.mask = rest;
        statements(inner, 1 + random_.below(4));
    }
    label(end);
}

void Generator::loop(const Region& region) {
    if (region.depth >= 3) return bit_operation(region);
    Region inner = region;
    inner.depth++;
    const std::string left = fresh_integer();
    const bool uniform = random_.one_in(3);
    if (uniform) {
        line("mov.u32 %s, %u;", left.c_str(), 1 + random_.below(4));
    } else {
        line("and.b32 %s, %s, %u;", left.c_str(), r().c_str(), random_.one_in(2) ? 7 : 3);
        inner.uniform = inner.full = false;
    }
    const std::string mask = fresh_integer();
    const bool masks = !uniform && !region.mask.empty();
    if (masks) line("mov.b32 %s, %s;", mask.c_str(), region.mask.c_str());
    if (!uniform) inner.mask = masks ? mask : "";
    const unsigned begin = next_label_++, end = next_label_++;
    const auto leave_if = [&](const std::string& p) {
        // Those that stay agree on who they are.
        if (masks) line("vote.sync.ballot.b32 %s, !%s, %s;", mask.c_str(), p.c_str(), mask.c_str());
        line("@%s bra L%u;", p.c_str(), end);
    };
    label(begin);
    const std::string done = fresh_predicate();
    line("setp.eq.u32 %s, %s, 0;", done.c_str(), left.c_str());
    leave_if(done);
    line("sub.u32 %s, %s, 1;", left.c_str(), left.c_str());
    statements(inner, 2 + random_.below(4));
    if (!uniform && random_.one_in(2)) {
        leave_if(predicate(inner));
        statements(inner, 1 + random_.below(3));
    }
    line("bra L%u;", begin);
    label(end);
}

void Generator::many_ways(const Region& region) {
    if (region.depth >= 3) return integer_operation(region);
    Region inner = region;
    inner.depth++;
    inner.uniform = inner.full = false;
    inner.mask.clear();
    const std::string index = fresh_integer();
    const unsigned first = next_label_;
    next_label_ += 5;
    line("and.b32 %s, %s, 3;", index.c_str(), r().c_str());
    line("T%u: .branchtargets L%u, L%u, L%u, L%u;", first, first, first + 1, first + 2, first + 3);
    line("brx.idx %s, T%u;", index.c_str(), first);
    for (unsigned way = 0; way < 4; way++) {
        label(first + way);
        statements(inner, 1 + random_.below(3));
        if (way < 3) line("bra L%u;", first + 4);
    }
    label(first + 4);
}

void Generator::shuffle(const Region& region) {
    if (region.mask.empty()) return bit_operation(region);
    const std::string source = fresh_integer(), p = fresh_predicate();
    if (!region.full) { // the lowest lane that is here
        line("brev.b32 %s, %s;", source.c_str(), region.mask.c_str());
        line("clz.b32 %s, %s;", source.c_str(), source.c_str());
        return line("shfl.sync.idx.b32 %s, %s, %s, 31, %s;", r().c_str(), r().c_str(), source.c_str(),
                    region.mask.c_str());
    }
    constexpr const char* modes[] = {"up", "down", "bfly", "idx"};
    constexpr unsigned segments[] = {0, 16, 24, 28}; // of 32, 16, 8 and 4 lanes
    const unsigned mode = random_.below(4), segment = segments[random_.below(4)];
    line("and.b32 %s, %s, 31;", source.c_str(), random_.one_in(2) ? r().c_str() : "%lane");
    if (mode == 2 || random_.one_in(2)) line("mov.u32 %s, %u;", source.c_str(), random_.below(32));
    line("shfl.sync.%s.b32 %s|%s, %s, %s, %u, -1;", modes[mode], r().c_str(), p.c_str(), r().c_str(), source.c_str(),
         segment << 8 | (mode == 0 ? 0 : 31));
    line("@%s add.u32 %s, %s, 3;", p.c_str(), r().c_str(), r().c_str());
}

void Generator::vote(const Region& region) {
    if (region.mask.empty()) return integer_operation(region);
    const std::string p = predicate(region), q = fresh_predicate();
    if (random_.one_in(2)) return line("vote.sync.ballot.b32 %s, %s, %s;", r().c_str(), p.c_str(), region.mask.c_str());
    constexpr const char* modes[] = {"all", "any", "uni"};
    line("vote.sync.%s.pred %s, %s, %s;", random_.pick(modes), q.c_str(), p.c_str(), region.mask.c_str());
    line("@%s xor.b32 %s, %s, 0x5555;", q.c_str(), r().c_str(), r().c_str());
}

void Generator::across_warp(const Region& region) {
    if (region.mask.empty()) return long_operation(region);
    if (random_.one_in(3)) {
        const std::string t = fresh_integer();
        line("and.b32 %s, %s, 3;", t.c_str(), r().c_str());
        return line("match.any.sync.b32 %s, %s, %s;", r().c_str(), t.c_str(), region.mask.c_str());
    }
    constexpr const char* operations[] = {"add.s32", "min.s32", "max.s32", "min.u32",
                                          "max.u32", "and.b32", "or.b32",  "xor.b32"};
    line("redux.sync.%s %s, %s, %s;", random_.pick(operations), r().c_str(), r().c_str(), region.mask.c_str());
}

void Generator::exchange_through_shared(const Region& region) {
    if (!region.uniform || !region.kernel) return float_operation(region);
    const std::string at = fresh_integer();
    line("st.shared.u32 [%%own], %s;", r().c_str());
    line("bar.sync 0;");
    // (thread * odd + constant) % threads, in words
    line("mad.lo.u32 %s, %%thread, %u, %u;", at.c_str(), 1 + 2 * random_.below(16), random_.below(64));
    line("rem.u32 %s, %s, %u;", at.c_str(), at.c_str(), threads_);
    line("mov.u32 %%address, tile;");
    line("mad.lo.u32 %%address, %s, 4, %%address;", at.c_str());
    line("ld.shared.u32 %s, [%%address];", r().c_str());
    line("bar.sync 0;");
    if (!random_.one_in(3)) return;
    const std::string p = predicate(region), q = fresh_predicate();
    if (random_.one_in(2)) return line("bar.red.popc.u32 %s, 0, %s;", r().c_str(), p.c_str());
    line("bar.red.%s.pred %s, 0, %s;", random_.one_in(2) ? "and" : "or", q.c_str(), p.c_str());
    line("@%s not.b32 %s, %s;", q.c_str(), r().c_str(), r().c_str());
}

void Generator::own_shared_word(const Region& region) {
    if (!region.kernel) return bit_operation(region);
    line("st.shared.u32 [%%own], %s;", r().c_str());
    integer_operation(region);
    constexpr const char* loads[] = {"u32", "s32", "b32"};
    line("ld.shared.%s %s, [%%own];", random_.pick(loads), r().c_str());
    if (random_.one_in(2))
        line("ld.shared.%s %s, [%%own+%u];", random_.one_in(2) ? "u8" : "s8", r().c_str(), random_.below(4));
}

void Generator::atomic(const Region& region) {
    if (!region.kernel) return integer_operation(region);
    // A word takes one kind of operation only, so that their order does not matter.
    constexpr const char* operations[] = {"add.u32", "min.s32", "max.s32", "min.u32",
                                          "max.u32", "and.b32", "or.b32",  "xor.b32"};
    const unsigned kind = random_.below(10);
    if (kind == 8) return line("red.global.add.u64 [%%atomics+%u], %s;", 64 + 8 * random_.below(4), d().c_str());
    if (kind == 9) return line("red.shared.add.u32 [counter], %s;", r().c_str());
    if (random_.one_in(2))
        line("red.global.%s [%%atomics+%u], %s;", operations[kind], 4 * kind, r().c_str());
    else
        line("atom.global.%s %s, [%%atomics+%u], %s;", operations[kind], "%ignored", 4 * kind, r().c_str());
}

void Generator::local_array(const Region& region) {
    if (!region.kernel) return long_operation(region);
    const std::string index = fresh_integer(), address = fresh_long();
    for (const bool store : {true, false}) {
        line("and.b32 %s, %s, %u;", index.c_str(), r().c_str(), local_words - 1);
        line("mov.u64 %s, array;", address.c_str());
        line("mad.wide.u32 %s, %s, 4, %s;", address.c_str(), index.c_str(), address.c_str());
        if (store)
            line("st.local.u32 [%s], %s;", address.c_str(), r().c_str());
        else
            line("ld.local.u32 %s, [%s];", r().c_str(), address.c_str());
    }
}

void Generator::input(const Region& region) {
    if (!region.kernel) return integer_operation(region);
    const std::string index = fresh_integer(), address = fresh_long();
    line("and.b32 %s, %s, %u;", index.c_str(), r().c_str(), (RandomKernel::input_words - 1) & ~3u);
    line("mad.wide.u32 %s, %s, 4, %%in;", address.c_str(), index.c_str());
    switch (random_.below(3)) {
    case 0:
        return line("ld.global.v4.u32 {%%r0, %%r1, %%r2, %%r3}, [%s];", address.c_str());
    case 1:
        return line("ld.global.nc.u64 %s, [%s+8];", d().c_str(), address.c_str());
    default:
        return line("ld.global.s16 %s, [%s+%u];", r().c_str(), address.c_str(), 2 * random_.below(8));
    }
}

void Generator::call(const Region& region) {
    if (!region.kernel) return float_operation(region);
    line("{ .param .b32 a; .param .b32 b; .param .b32 c;");
    line("st.param.b32 [a], %s; st.param.b32 [b], %s;", r().c_str(), r().c_str());
    line("call (c), function%u, (a, b);", random_.below(functions_));
    line("ld.param.b32 %s, [c]; }", r().c_str());
}

void Generator::statement(const Region& region) {
    struct Row {
        Emit emit;
        unsigned weight;
    };
    static constexpr Row rows[] = {
        {&Generator::integer_operation, 6},
        {&Generator::bit_operation, 6},
        {&Generator::long_operation, 3},
        {&Generator::float_operation, 5},
        {&Generator::conversion, 3},
        {&Generator::selection, 2},
        {&Generator::carry_chain, 1},
        {&Generator::guarded, 2},
        {&Generator::branch, 5},
        {&Generator::loop, 3},
        {&Generator::many_ways, 1},
        {&Generator::shuffle, 3},
        {&Generator::vote, 2},
        {&Generator::across_warp, 2},
        {&Generator::atomic, 3},
        {&Generator::exchange_through_shared, 3},
        {&Generator::own_shared_word, 2},
        {&Generator::local_array, 2},
        {&Generator::input, 2},
        {&Generator::call, 2},
    };
    unsigned all = 0;
    for (const Row& row : rows) all += row.weight;
    unsigned chosen = random_.below(all);
    for (const Row& row : rows) {
        if (chosen < row.weight) return (this->*row.emit)(region);
        chosen -= row.weight;
    }
}

void Generator::statements(Region region, unsigned count) {
    for (unsigned i = 0; i < count && budget_ > 0; i++, budget_--) statement(region);
}

void Generator::initialise() {
    for (unsigned i = 0; i < integers; i++) {
        line("mad.lo.u32 %%r%u, %%global, %u, %u;", i, 3 + 2 * i, 17 * i);
        line("and.b32 %%r%u, %%r%u, %u;", i, i, RandomKernel::input_words - 1);
        line("mad.wide.u32 %%pointer, %%r%u, 4, %%in;", i);
        line("ld.global.u32 %%r%u, [%%pointer];", i);
    }
    for (unsigned i = 0; i < floats; i++) line("cvt.rn.f32.s32 %%f%u, %%r%u;", i, i);
    for (unsigned i = 0; i < longs; i++) line("mov.b64 %%d%u, {%%r%u, %%r%u};", i, 2 * i, 2 * i + 1);
}

void Generator::store_results() {
    line("mul.lo.u32 %%address, %%global, %u;", 4 * RandomKernel::words_per_thread);
    line("cvt.u64.u32 %%pointer, %%address;");
    line("add.u64 %%pointer, %%out, %%pointer;");
    for (unsigned i = 0; i < integers; i += 2)
        line("st.global.v2.u32 [%%pointer+%u], {%%r%u, %%r%u};", 4 * i, i, i + 1);
    for (unsigned i = 0; i < floats; i++) { // any NaN equals any other
        const std::string p = fresh_predicate();
        line("setp.nan.f32 %s, %%f%u, %%f%u;", p.c_str(), i, i);
        line("@%s mov.f32 %%f%u, 0f7FC00000;", p.c_str(), i);
        line("st.global.f32 [%%pointer+%u], %%f%u;", 4 * (integers + i), i);
    }
    for (unsigned i = 0; i < longs; i++)
        line("st.global.u64 [%%pointer+%u], %%d%u;", 4 * (integers + floats + 2 * i), i);
}

std::string Generator::declarations() const {
    const auto declare = [](const char* type, const char* prefix, unsigned count) {
        return "    .reg ." + std::string(type) + " %" + prefix + "<" + std::to_string(count) + ">;\n";
    };
    return declare("pred", "p", next_predicate_) + declare("b32", "r", next_integer_) +
           declare("f32", "f", next_float_) + declare("b64", "d", next_long_);
}

void Generator::function(unsigned number) {
    reset();
    Region region;
    region.kernel = region.uniform = region.full = false;
    region.mask.clear();
    region.depth = 1;
    line("ld.param.u32 %%r0, [a];");
    line("ld.param.u32 %%r1, [b];");
    line("mov.u32 %%lane, %%laneid;");
    for (unsigned i = 2; i < integers; i++) line("mad.lo.u32 %%r%u, %%r%u, %u, %%r%u;", i, i - 1, 2 * i + 1, i - 2);
    for (unsigned i = 0; i < floats; i++) line("cvt.rn.f32.s32 %%f%u, %%r%u;", i, i);
    for (unsigned i = 0; i < longs; i++) line("mov.b64 %%d%u, {%%r%u, %%r%u};", i, i, i + 3);
    budget_ = 12;
    statements(region, 8);
    line("xor.b32 %%r0, %%r%u, %%r%u;", random_.below(integers), random_.below(integers));
    line("st.param.b32 [result], %%r0;");
    line("ret;");
    (void)number;
}

RandomKernel Generator::make(uint64_t seed) {
    RandomKernel kernel;
    threads_ = kernel.threads = 32 * (1 + random_.below(4));
    kernel.text = "// seed " + std::to_string(seed) + "\n.version 7.4\n.target sm_80\n.address_size 64\n\n";
    functions_ = 1 + random_.below(3);
    for (unsigned i = 0; i < functions_; i++) {
        function(i);
        kernel.text += ".func (.param .b32 result) function" + std::to_string(i) +
                       "(.param .b32 a, .param .b32 b)\n{\n" + declarations() + "    .reg .b32 %lane;\n" + body_ +
                       "}\n\n";
    }
    reset();
    line("ld.param.u64 %%out, [out];");
    line("ld.param.u64 %%in, [in];");
    line("cvta.to.global.u64 %%out, %%out;");
    line("cvta.to.global.u64 %%in, %%in;");
    line("mov.u32 %%thread, %%tid.x;");
    line("mov.u32 %%block, %%ctaid.x;");
    line("mov.u32 %%lane, %%laneid;");
    line("mad.lo.u32 %%global, %%block, %u, %%thread;", threads_);
    line("add.u64 %%atomics, %%out, %u;", 4 * RandomKernel::blocks * threads_ * RandomKernel::words_per_thread);
    line("mov.u32 %%own, tile;");
    line("mad.lo.u32 %%own, %%thread, 4, %%own;");
    line("st.shared.u32 [%%own], %%thread;");
    line("setp.eq.u32 %%p0, %%thread, 0;");
    line("@%%p0 st.shared.u32 [counter], 0;");
    for (unsigned i = 0; i < local_words; i++) line("st.local.u32 [array+%u], %u;", 4 * i, 1000 + i);
    line("bar.sync 0;");
    initialise();
    budget_ = 90;
    while (budget_ > 0) statements(Region{}, 20);
    store_results();
    line("bar.sync 0;");
    line("@%%p0 ld.shared.u32 %%r0, [counter];");
    line("@%%p0 red.global.add.u32 [%%atomics+%u], %%r0;", 4 * (RandomKernel::atomic_words - 1));
    line("ret;");
    kernel.text += ".visible .entry fuzz(.param .u64 out, .param .u64 in)\n.maxntid " + std::to_string(threads_) +
                   ", 1, 1\n{\n" + declarations() +
                   "    .reg .b32 %thread, %block, %lane, %global, %own, %address, %ignored;\n"
                   "    .reg .b64 %out, %in, %atomics, %pointer;\n"
                   "    .shared .align 4 .b32 tile[" +
                   std::to_string(threads_) +
                   "];\n    .shared .align 4 .b32 counter;\n    .local .align 4 .b32 array[" +
                   std::to_string(local_words) + "];\n" + body_ + "}\n";
    return kernel;
}

} // namespace

RandomKernel make_random_kernel(uint64_t seed) { return Generator(seed).make(seed); }

uint32_t fuzz_input(unsigned i) {
    uint64_t z = (uint64_t{i} + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 31) * 0xbf58476d1ce4e5b9;
    const auto word = uint32_t(z >> 32);
    return i % 3 == 0 ? word : i % 3 == 1 ? word >> 20 : word >> 28; // large, middling and small ones
}
