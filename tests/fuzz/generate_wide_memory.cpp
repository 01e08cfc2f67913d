#include "generator.h"

// What only wide kernels do with memory, with other lanes, and with control flow.
namespace kernel_fuzz {

/// Atomics on a word that no other thread has, so that what they return counts too.
void Generator::own_atomic(const Region& region) {
    if (!region.kernel) return short_operation(region);
    constexpr const char* operations[] = {"exch.b32", "add.u32", "inc.u32", "dec.u32", "min.s32",
                                          "max.u32",  "and.b32", "or.b32",  "xor.b32"};
    line("st.shared.u32 [%%own], %s;", {r()});
    for (unsigned i = 0; i < 2; i++) {
        if (random_.one_in(4))
            line("atom.shared.cas.b32 %s, [%%own], %s, %s;", {r(), r(), r()});
        else
            line("atom.%sshared.%s %s, [%%own], %s;",
                 {random_.one_in(3) ? "relaxed.cta." : "", random_.pick(operations), r(), r()});
    }
    line("ld.shared.u32 %s, [%%own];", {r()});
}

/// Atomics of all threads, whose order does not matter for what is left in the end.
void Generator::wide_atomic(const Region& region) {
    if (!region.kernel) return wide_bit_operation(region);
    switch (random_.below(6)) {
    case 0:
        return line("red.global.inc.u32 [%%atomics+32], %u;", {1000u});
    case 1:
        return line("red.global.dec.u32 [%%atomics+36], %u;", {777u});
    case 2:
        return line("red.global.xor.b64 [%%atomics+40], %s;", {d()});
    case 3:
        return line("red.relaxed.gpu.global.or.b64 [%%atomics+48], %s;", {d()});
    case 4:
        return line("red.global.max.s64 [%%atomics+96], %s;", {d()});
    default: { // through the generic address
        const std::string address = fresh_long();
        line("cvta.global.u64 %s, %%atomics;", {address});
        return line("red.max.u64 [%s+104], %s;", {address, d()});
    }
    }
}

void Generator::match_all(const Region& region) {
    if (region.mask.empty()) return predicate_logic(region);
    const std::string p = fresh_predicate(), t = fresh_integer();
    if (random_.one_in(3)) {
        const std::string wide = fresh_long();
        line("and.b64 %s, %s, 1;", {wide, d()});
        return line("match.any.sync.b64 %s, %s, %s;", {r(), wide, region.mask});
    }
    line("and.b32 %s, %s, 1;", {t, r()});
    line("match.all.sync.b32 %s|%s, %s, %s;", {r(), p, t, region.mask});
    line("@%s add.u32 %s, %s, 5;", {p, r(), r()});
}

/// From the lane whose number differs in one bit, if it is here; else from oneself.
void Generator::partner_shuffle(const Region& region) {
    if (region.mask.empty()) return half_operation(region);
    const std::string partner = fresh_integer(), bit = fresh_integer(), p = fresh_predicate();
    line("xor.b32 %s, %%lane, %u;", {partner, 1u << random_.below(5)});
    line("shr.u32 %s, %s, %s;", {bit, region.mask, partner});
    line("and.b32 %s, %s, 1;", {bit, bit});
    line("setp.ne.u32 %s, %s, 0;", {p, bit});
    line("selp.b32 %s, %s, %%lane, %s;", {partner, partner, p});
    line("shfl.sync.idx.b32 %s, %s, %s, 31, %s;", {r(), r(), partner, region.mask});
}

/// Shared memory among the lanes that are here.
void Generator::warp_exchange(const Region& region) {
    if (region.mask.empty() || !region.kernel) return half_conversion(region);
    const std::string leader = fresh_integer(), address = fresh_integer();
    line("st.shared.u32 [%%own], %s;", {r()});
    line("bar.warp.sync %s;", {region.mask});
    line("brev.b32 %s, %s;", {leader, region.mask});
    line("clz.b32 %s, %s;", {leader, leader});
    line("sub.u32 %s, %s, %%lane;", {leader, leader});
    line("mad.lo.u32 %s, %s, 4, %%own;", {address, leader});
    line("ld.shared.u32 %s, [%s];", {r(), address});
    line("bar.warp.sync %s;", {region.mask});
}

/// Two loops, out of both of which lanes break one by one. Nobody knows who is where.
void Generator::double_loop(const Region& region) {
    if (region.depth >= 2) return short_operation(region);
    Region inner = region;
    inner.depth += 2;
    inner.uniform = inner.full = false;
    inner.mask.clear();
    const std::string rows = fresh_integer(), columns = fresh_integer(), more = fresh_predicate();
    const unsigned outer = next_label_++, within = next_label_++, next = next_label_++, end = next_label_++;
    line("and.b32 %s, %s, 3;", {rows, r()});
    label(outer);
    line("and.b32 %s, %s, 3;", {columns, r()});
    label(within);
    statements(inner, 1 + random_.below(3));
    line("@%s bra L%u;", {predicate(inner), end});
    if (random_.one_in(2)) line("@%s bra L%u;", {predicate(inner), next});
    line("setp.ne.u32 %s, %s, 0;", {more, columns});
    line("sub.u32 %s, %s, 1;", {columns, columns});
    line("@%s bra L%u;", {more, within});
    label(next);
    statements(inner, 1);
    line("setp.ne.u32 %s, %s, 0;", {more, rows});
    line("sub.u32 %s, %s, 1;", {rows, rows});
    line("@%s bra L%u;", {more, outer});
    label(end);
}

/// All go the same way, and stay as many as they were.
void Generator::uniform_switch(const Region& region) {
    if (region.depth >= 3 || !region.kernel) return video_operation(region);
    Region inner = region;
    inner.depth++;
    const std::string index = fresh_integer();
    const unsigned first = next_label_;
    next_label_ += 4;
    line("add.u32 %s, %%block, %u;", {index, random_.below(3)});
    line("rem.u32 %s, %s, 3;", {index, index});
    line("T%u: .branchtargets L%u, L%u, L%u;", {first, first, first + 1, first + 2});
    line("brx.idx %s, T%u;", {index, first});
    for (unsigned way = 0; way < 3; way++) {
        label(first + way);
        statements(inner, 1 + random_.below(3));
        if (way < 2) line("bra L%u;", {first + 3});
    }
    label(first + 3);
}

/// A function that calls itself and has a frame; sometimes only some lanes call it.
void Generator::deep_call(const Region& region) {
    const std::string p = predicate(region);
    line("{ .param .b32 depth; .param .b64 from; .param .align 8 .b8 both[16];");
    line("st.param.b32 [depth], %s; st.param.b64 [from], %s;", {r(), d()});
    line("mov.u64 %%result0, 1; mov.u64 %%result1, 2;");
    const unsigned over = next_label_++;
    if (random_.one_in(2)) line("@%s bra L%u;", {p, over});
    line("call (both), deep, (depth, from);");
    line("ld.param.v2.b64 {%%result0, %%result1}, [both]; }");
    label(over);
    line("xor.b64 %s, %%result0, %%result1;", {d()});
    line("cvt.u32.u64 %s, %%result1;", {r()});
}

void Generator::indirect_call(const Region& region) {
    if (!region.kernel) return double_operation(region);
    const std::string target = fresh_long(), p = predicate(region);
    const unsigned prototype = next_label_++;
    line("mov.u64 %s, function%u;", {target, random_.below(functions_)});
    line("@%s mov.u64 %s, function%u;", {p, target, random_.below(functions_)});
    line("{ .param .b32 a; .param .b32 b; .param .b32 c;");
    line("st.param.b32 [a], %s; st.param.b32 [b], %s;", {r(), r()});
    line("P%u: .callprototype (.param .b32 _) _ (.param .b32 _, .param .b32 _);", {prototype});
    line("call (c), %s, (a, b), P%u;", {target, prototype});
    line("ld.param.b32 %s, [c]; }", {r()});
}

/// Local and shared memory by generic address, in pieces of other sizes.
void Generator::generic_memory(const Region& region) {
    if (!region.kernel) return predicate_logic(region);
    const std::string index = fresh_integer(), address = fresh_long();
    if (random_.one_in(3)) {
        line("cvt.u64.u32 %s, %%own;", {address});
        line("cvta.shared.u64 %s, %s;", {address, address});
        line("st.u32 [%s], %s;", {address, r()});
        return line("ld.%s %s, [%s+2];", {random_.one_in(2) ? "u16" : "s16", r(), address});
    }
    line("and.b32 %s, %s, %u;", {index, r(), (local_words - 1) & ~3u});
    line("mov.u64 %s, array;", {address});
    line("cvta.local.u64 %s, %s;", {address, address});
    line("mad.wide.u32 %s, %s, 4, %s;", {address, index, address});
    if (random_.one_in(2)) line("st.v2.b32 [%s+8], {%s, %s};", {address, r(), r()});
    if (random_.one_in(2)) line("st.b8 [%s+%u], %s;", {address, random_.below(16), r()});
    if (random_.one_in(2)) return line("ld.b64 %s, [%s];", {d(), address});
    line("ld.v2.b32 {%%r4, %%r5}, [%s+8];", {address});
}

void Generator::constant_table(const Region& region) {
    if (!region.kernel) return wide_bit_operation(region);
    const std::string index = fresh_integer(), address = fresh_long();
    line("and.b32 %s, %s, 15;", {index, r()});
    line("mov.u64 %s, table;", {address});
    line("mad.wide.u32 %s, %s, 4, %s;", {address, index, address});
    line("ld.const.u32 %s, [%s];", {r(), address});
}

void Generator::asynchronous_copy(const Region& region) {
    if (!region.kernel) return half_operation(region);
    const std::string index = fresh_integer(), address = fresh_long();
    line("and.b32 %s, %s, %u;", {index, r(), RandomKernel::input_words - 1});
    line("mad.wide.u32 %s, %s, 4, %%in;", {address, index});
    line("cp.async.ca.shared.global [%%own], [%s], 4;", {address});
    if (random_.one_in(2)) {
        line("cp.async.commit_group;");
        line("cp.async.wait_group 0;");
    } else {
        line("cp.async.wait_all;");
    }
    line("ld.shared.u32 %s, [%%own];", {r()});
}

std::string Generator::wide_module() const {
    std::string text = ".const .align 4 .b32 table[16] = {";
    for (unsigned i = 0; i < 16; i++) text += (i ? ", " : "") + std::to_string(fuzz_input(i + 100));
    return text + R"(};
.func (.param .align 8 .b8 result[16]) deep(.param .b32 a, .param .b64 b)
{
    .reg .pred %p;
    .reg .b32 %n, %left, %i;
    .reg .b64 %x, %y, %z, %at;
    .local .align 8 .b64 frame[4];
    ld.param.b32 %n, [a];
    ld.param.b64 %x, [b];
    and.b32 %left, %n, 7;
    and.b32 %i, %n, 3;
    mov.u64 %at, frame;
    mad.wide.u32 %at, %i, 8, %at;
    st.local.b64 [frame], %x; st.local.b64 [frame+8], 3; st.local.b64 [frame+16], 5; st.local.b64 [frame+24], %x;
    st.local.b64 [%at], 11;
    mov.u64 %y, 1;
    setp.eq.u32 %p, %left, 0;
    @%p bra END;
    sub.u32 %left, %left, 1;
    mad.lo.u64 %z, %x, 3, 1;
    { .param .b32 c; .param .b64 d; .param .align 8 .b8 e[16];
    st.param.b32 [c], %left; st.param.b64 [d], %z;
    call (e), deep, (c, d);
    ld.param.v2.b64 {%y, %z}, [e]; }
    xor.b64 %y, %y, %z;
END:
    ld.local.b64 %z, [frame+16];
    add.u64 %y, %y, %z;
    ld.local.b64 %z, [frame];
    add.u64 %z, %z, %x;
    st.param.v2.b64 [result], {%y, %z};
    ret;
}

)";
}

} // namespace kernel_fuzz
