#include "generator.h"

// Branches and loops, whose regions know which lanes are in them.
namespace kernel_fuzz {

void Generator::branch(const Region& region) {
    if (region.depth >= 4) return integer_operation(region);
    Region inner = region;
    inner.depth++;
    std::string p;
    const bool uniform = region.kernel && random_.one_in(4);
    if (uniform) { // the same for all threads of a block
        const std::string t = fresh_integer();
        p = fresh_predicate();
        line("and.b32 %s, %%block, %u;", {t, 1 + random_.below(2)});
        line("setp.ne.u32 %s, %s, 0;", {p, t});
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
        line("vote.sync.ballot.b32 %s, %s, %s;", {taken, p, region.mask});
        line("vote.sync.ballot.b32 %s, !%s, %s;", {rest, p, region.mask});
    }
    line("@!%s bra L%u;", {p, has_else ? otherwise : end});
    if (!uniform) inner.mask = taken;
    statements(inner, 2 + random_.below(5));
    if (has_else) {
        line("bra L%u;", {end});
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
        line("mov.u32 %s, %u;", {left, 1 + random_.below(4)});
    } else {
        line("and.b32 %s, %s, %u;", {left, r(), random_.one_in(2) ? 7u : 3u});
        inner.uniform = inner.full = false;
    }
    const std::string mask = fresh_integer();
    const bool masks = !uniform && !region.mask.empty();
    if (masks) line("mov.b32 %s, %s;", {mask, region.mask});
    if (!uniform) inner.mask = masks ? mask : "";
    const unsigned begin = next_label_++, end = next_label_++;
    const auto leave_if = [&](const std::string& p) {
        // Those that stay agree on who they are.
        if (masks) line("vote.sync.ballot.b32 %s, !%s, %s;", {mask, p, mask});
        line("@%s bra L%u;", {p, end});
    };
    label(begin);
    const std::string done = fresh_predicate();
    line("setp.eq.u32 %s, %s, 0;", {done, left});
    leave_if(done);
    line("sub.u32 %s, %s, 1;", {left, left});
    statements(inner, 2 + random_.below(4));
    if (!uniform && random_.one_in(2)) {
        leave_if(predicate(inner));
        statements(inner, 1 + random_.below(3));
    }
    line("bra L%u;", {begin});
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
    line("and.b32 %s, %s, 3;", {index, r()});
    line("T%u: .branchtargets L%u, L%u, L%u, L%u;", {first, first, first + 1, first + 2, first + 3});
    line("brx.idx %s, T%u;", {index, first});
    for (unsigned way = 0; way < 4; way++) {
        label(first + way);
        statements(inner, 1 + random_.below(3));
        if (way < 3) line("bra L%u;", {first + 4});
    }
    label(first + 4);
}

} // namespace kernel_fuzz
