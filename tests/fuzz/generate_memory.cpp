#include "generator.h"

// What threads do together, and memory.
namespace kernel_fuzz {

void Generator::shuffle(const Region& region) {
    if (region.mask.empty()) return bit_operation(region);
    const std::string source = fresh_integer(), p = fresh_predicate();
    if (!region.full) { // the lowest lane that is here
        line("brev.b32 %s, %s;", {source, region.mask});
        line("clz.b32 %s, %s;", {source, source});
        return line("shfl.sync.idx.b32 %s, %s, %s, 31, %s;", {r(), r(), source, region.mask});
    }
    constexpr const char* modes[] = {"up", "down", "bfly", "idx"};
    constexpr unsigned segments[] = {0, 16, 24, 28}; // of 32, 16, 8 and 4 lanes
    const unsigned mode = random_.below(4), segment = segments[random_.below(4)];
    line("and.b32 %s, %s, 31;", {source, random_.one_in(2) ? r() : "%lane"});
    if (mode == 2 || random_.one_in(2)) line("mov.u32 %s, %u;", {source, random_.below(32)});
    line("shfl.sync.%s.b32 %s|%s, %s, %s, %u, -1;",
         {modes[mode], r(), p, r(), source, segment << 8 | (mode == 0 ? 0 : 31)});
    line("@%s add.u32 %s, %s, 3;", {p, r(), r()});
}

void Generator::vote(const Region& region) {
    if (region.mask.empty()) return integer_operation(region);
    const std::string p = predicate(region), q = fresh_predicate();
    if (random_.one_in(2)) return line("vote.sync.ballot.b32 %s, %s, %s;", {r(), p, region.mask});
    constexpr const char* modes[] = {"all", "any", "uni"};
    line("vote.sync.%s.pred %s, %s, %s;", {random_.pick(modes), q, p, region.mask});
    line("@%s xor.b32 %s, %s, 0x5555;", {q, r(), r()});
}

void Generator::across_warp(const Region& region) {
    if (region.mask.empty()) return long_operation(region);
    if (random_.one_in(3)) {
        const std::string t = fresh_integer();
        line("and.b32 %s, %s, 3;", {t, r()});
        return line("match.any.sync.b32 %s, %s, %s;", {r(), t, region.mask});
    }
    constexpr const char* operations[] = {"add.s32", "min.s32", "max.s32", "min.u32",
                                          "max.u32", "and.b32", "or.b32",  "xor.b32"};
    line("redux.sync.%s %s, %s, %s;", {random_.pick(operations), r(), r(), region.mask});
}

void Generator::exchange_through_shared(const Region& region) {
    if (!region.uniform || !region.kernel) return float_operation(region);
    const std::string at = fresh_integer();
    line("st.shared.u32 [%%own], %s;", {r()});
    line("bar.sync 0;");
    // (thread * odd + constant) % threads, in words
    line("mad.lo.u32 %s, %%thread, %u, %u;", {at, 1 + 2 * random_.below(16), random_.below(64)});
    line("rem.u32 %s, %s, %u;", {at, at, threads_});
    line("mov.u32 %%address, tile;");
    line("mad.lo.u32 %%address, %s, 4, %%address;", {at});
    line("ld.shared.u32 %s, [%%address];", {r()});
    line("bar.sync 0;");
    if (!random_.one_in(3)) return;
    const std::string p = predicate(region), q = fresh_predicate();
    if (random_.one_in(2)) return line("bar.red.popc.u32 %s, 0, %s;", {r(), p});
    line("bar.red.%s.pred %s, 0, %s;", {random_.one_in(2) ? "and" : "or", q, p});
    line("@%s not.b32 %s, %s;", {q, r(), r()});
}

void Generator::own_shared_word(const Region& region) {
    if (!region.kernel) return bit_operation(region);
    line("st.shared.u32 [%%own], %s;", {r()});
    integer_operation(region);
    constexpr const char* loads[] = {"u32", "s32", "b32"};
    line("ld.shared.%s %s, [%%own];", {random_.pick(loads), r()});
    if (random_.one_in(2))
        line("ld.shared.%s %s, [%%own+%u];", {random_.one_in(2) ? "u8" : "s8", r(), random_.below(4)});
}

void Generator::atomic(const Region& region) {
    if (!region.kernel) return integer_operation(region);
    // A word takes one kind of operation only, so that their order does not matter.
    constexpr const char* operations[] = {"add.u32", "min.s32", "max.s32", "min.u32",
                                          "max.u32", "and.b32", "or.b32",  "xor.b32"};
    const unsigned kind = random_.below(10);
    if (kind == 8) return line("red.global.add.u64 [%%atomics+%u], %s;", {64 + 8 * random_.below(4), d()});
    if (kind == 9) return line("red.shared.add.u32 [counter], %s;", {r()});
    if (random_.one_in(2))
        line("red.global.%s [%%atomics+%u], %s;", {operations[kind], 4 * kind, r()});
    else
        line("atom.global.%s %s, [%%atomics+%u], %s;", {operations[kind], "%ignored", 4 * kind, r()});
}

void Generator::local_array(const Region& region) {
    if (!region.kernel) return long_operation(region);
    const std::string index = fresh_integer(), address = fresh_long();
    for (const bool store : {true, false}) {
        line("and.b32 %s, %s, %u;", {index, r(), local_words - 1});
        line("mov.u64 %s, array;", {address});
        line("mad.wide.u32 %s, %s, 4, %s;", {address, index, address});
        if (store)
            line("st.local.u32 [%s], %s;", {address, r()});
        else
            line("ld.local.u32 %s, [%s];", {r(), address});
    }
}

void Generator::input(const Region& region) {
    if (!region.kernel) return integer_operation(region);
    const std::string index = fresh_integer(), address = fresh_long();
    line("and.b32 %s, %s, %u;", {index, r(), (RandomKernel::input_words - 1) & ~3u});
    line("mad.wide.u32 %s, %s, 4, %%in;", {address, index});
    switch (random_.below(3)) {
    case 0:
        return line("ld.global.v4.u32 {%%r0, %%r1, %%r2, %%r3}, [%s];", {address});
    case 1:
        return line("ld.global.nc.u64 %s, [%s+8];", {d(), address});
    default:
        return line("ld.global.s16 %s, [%s+%u];", {r(), address, 2 * random_.below(8)});
    }
}

void Generator::call(const Region& region) {
    if (!region.kernel) return float_operation(region);
    line("{ .param .b32 a; .param .b32 b; .param .b32 c;");
    line("st.param.b32 [a], %s; st.param.b32 [b], %s;", {r(), r()});
    line("call (c), function%u, (a, b);", {random_.below(functions_)});
    line("ld.param.b32 %s, [c]; }", {r()});
}

} // namespace kernel_fuzz
