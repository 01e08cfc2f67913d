#include "shape_generator.h"

#include <algorithm>
#include <span>

// Shapes, indices, and what a thread does on its own.
namespace kernel_fuzz {

std::string ShapeGenerator::condition(bool uniform) {
    const std::string p = fresh('p');
    constexpr const char* compare[] = {"lt", "eq", "ne", "ge"};
    if (uniform) {
        constexpr const char* of[] = {"bx", "by", "n", "rounds", "round"};
        line("setp.%s.u32 %s, %s, %u;", {random_.pick(compare), p, random_.pick(of), random_.below(3)});
        return p;
    }
    switch (random_.below(9)) {
    case 0:
        line("setp.lt.u32 %s, x, n;", {p});
        break;
    case 1: {
        const std::string q = fresh('p');
        line("setp.lt.u32 %s, y, m;", {q});
        line("setp.lt.and.s32 %s, x, n, %s;", {p, q});
        break;
    }
    case 2: {
        const unsigned axis = random_.below(3), edge = random_.one_in(2) ? 0 : block_[axis] - 1;
        line("setp.%s.u32 %s, t%s, %u;", {random_.one_in(3) ? "ne" : "eq", p, axes[axis], edge});
        break;
    }
    case 3: {
        const unsigned axis = random_.below(2);
        line("setp.%s.s32 %s, t%s, %u;", {random_.pick(compare), p, axes[axis], random_.below(block_[axis] + 1)});
        break;
    }
    case 4:
        line("setp.lt.u32 %s, t, %u;", {p, random_.below(threads_ + 1)});
        break;
    case 5: { // one in 2, 4, 8 of a row
        const std::string masked = fresh('r');
        line("and.b32 %s, %s, %u;", {masked, random_.one_in(2) ? "tx" : "t", (2u << random_.below(3)) - 1});
        line("setp.%s.u32 %s, %s, 0;", {random_.one_in(2) ? "eq" : "ne", p, masked});
        break;
    }
    case 6:
        line("setp.%s.u32 %s, %s, %s;", {random_.pick(compare), p, random_.one_in(2) ? "tx" : "x", "ty"});
        break;
    default:
        line("setp.%s.s32 %s, %s, %s;", {random_.pick(compare), p, r(), r()});
    }
    return p;
}

std::string ShapeGenerator::affine(unsigned limit, const Place& place) {
    std::vector<Term> terms = {{"t", threads_ - 1},
                               {"id", all_ - 1},
                               {"n", numbers_[0]},
                               {"m", numbers_[1]},
                               {place.rounds ? "round" : "rounds", most_rounds}};
    for (unsigned i = 0; i < 3; i++) {
        terms.push_back({axes[i], block_[i] * grid_[i] - 1});
        terms.push_back({std::string("t") + axes[i], block_[i] - 1});
        terms.push_back({std::string("b") + axes[i], grid_[i] - 1});
    }
    const unsigned factors[] = {1, 1, 1, 2, 3, 4, block_[0] * grid_[0], block_[0], 64, 1024};
    const std::string index = fresh('r');
    unsigned constant = random_.below(17), most = constant;
    const unsigned count = 1 + random_.below(4);
    line("mov.u32 %s, %u;", {index, constant});
    for (unsigned i = 0; i < count; i++) {
        const Term& term = terms[random_.below(unsigned(terms.size()))];
        const unsigned factor = factors[random_.below(std::size(factors))];
        const bool down = random_.one_in(5);
        if (uint64_t{term.most} * factor + most > limit) continue;
        most += term.most * factor;
        if (down) line("add.u32 %s, %s, %u;", {index, index, term.most * factor});
        line("mad.lo.s32 %s, %s, %s%u, %s;", {index, term.name, down ? "-" : "", factor, index});
    }
    if (random_.one_in(5)) line("min.%s %s, %s, %u;", {random_.one_in(2) ? "s32" : "u32", index, index, most * 3 / 4});
    if (random_.one_in(8) && limit >= 1023) line("and.b32 %s, %s, 1023;", {index, index});
    return index;
}

std::string ShapeGenerator::address(const std::string& base, const std::string& index, unsigned bytes) {
    const std::string at = fresh('a');
    switch (random_.below(4)) {
    case 0:
        line("cvt.u64.u32 %s, %s;", {at, index});
        line("mad.lo.u64 %s, %s, %u, %s;", {at, at, bytes, base});
        break;
    case 1:
        line("mul.wide.s32 %s, %s, %u;", {at, index, bytes});
        line("add.s64 %s, %s, %s;", {at, base, at});
        break;
    case 2: {
        unsigned shift = 0;
        while (1u << shift < bytes) shift++;
        line("cvt.s64.s32 %s, %s;", {at, index});
        line("shl.b64 %s, %s, %u;", {at, at, shift});
        line("add.s64 %s, %s, %s;", {at, at, base});
        break;
    }
    default:
        line("mad.wide.u32 %s, %s, %u, %s;", {at, index, bytes, base});
    }
    return at;
}

std::string ShapeGenerator::own_word(unsigned bytes, const Place& place) {
    const std::string index = fresh('r');
    unsigned plane = 0;
    const unsigned order = bytes > 4 ? 0 : random_.below(5);
    if (order < 3)
        line("mov.u32 %s, id;", {index});
    else if (order == 3)
        line("sub.u32 %s, %u, id;", {index, all_ - 1});
    else
        line("mad.lo.u32 %s, x, %u, y;", {index, block_[1] * grid_[1]});
    if (order == 4) line("mad.lo.u32 %s, %s, %u, z;", {index, index, block_[2] * grid_[2]});
    if (bytes == 16) {
        plane = first_of_four;
    } else if (bytes == 8) {
        plane = first_of_two + 2 * random_.below(4);
    } else if (order < 3) {
        plane = random_.below(first_backwards - most_rounds);
        if (place.rounds && random_.one_in(2)) line("mad.lo.u32 %s, round, %u, %s;", {index, all_, index});
    } else {
        plane = (order == 3 ? first_backwards : first_by_column) + random_.below(8);
    }
    const std::string at = address("out", index, std::max(bytes, 4u));
    line("add.u64 %s, %s, %u;", {at, at, 4ull * all_ * plane});
    return at;
}

void ShapeGenerator::store_value(const std::string& at, unsigned bytes, unsigned offset) {
    const std::string value = fresh('f'), wide = fresh('d'), p = fresh('p');
    switch (bytes) {
    case 1:
        return line("st.global.u8 [%s+%u], %s;", {at, offset, r()});
    case 2:
        return line("st.global.u16 [%s+%u], %s;", {at, offset, r()});
    case 8:
        if (random_.one_in(2)) return line("st.global.v2.u32 [%s+%u], {%s, %s};", {at, offset, r(), r()});
        line("mov.f64 %s, %s;", {wide, d()});
        line("setp.nan.f64 %s, %s, %s;", {p, wide, wide});
        line("@%s mov.b64 %s, 0x7ff8000000000000;", {p, wide});
        return line("st.global.f64 [%s+%u], %s;", {at, offset, wide});
    case 16:
        return line("st.global.v4.u32 [%s+%u], {%s, %s, %s, %s};", {at, offset, r(), r(), r(), r()});
    default:
        if (random_.one_in(2)) return line("st.global.u32 [%s+%u], %s;", {at, offset, r()});
        line("mov.f32 %s, %s;", {value, f()}); // any NaN equals any other
        line("setp.nan.f32 %s, %s, %s;", {p, value, value});
        line("@%s mov.f32 %s, 0f7FC00000;", {p, value});
        line("st.global.f32 [%s+%u], %s;", {at, offset, value});
    }
}

void ShapeGenerator::store(const Place& place) {
    constexpr unsigned sizes[] = {4, 4, 4, 1, 2, 8, 8, 16};
    const unsigned bytes = sizes[random_.below(std::size(sizes))];
    const std::string at = own_word(bytes, place);
    if (bytes == 4 && random_.one_in(4)) {
        const std::string before = fresh('r'), to = r();
        line("ld.global.u32 %s, [%s];", {before, at});
        line("add.u32 %s, %s, %s;", {to, to, before});
    }
    store_value(at, bytes, 0);
}

void ShapeGenerator::load(const Place& place) {
    struct Kind {
        const char* type;
        unsigned bytes;
    };
    static constexpr Kind kinds[] = {{"u32", 4}, {"u32", 4}, {"f32", 4},    {"f32", 4},    {"u8", 1},
                                     {"s16", 2}, {"u64", 8}, {"v2.u32", 8}, {"v4.u32", 16}};
    const Kind& kind = kinds[random_.below(std::size(kinds))];
    const std::string index = affine(4 * in_words / kind.bytes - 2, place);
    const std::string at = address("in", index, kind.bytes);
    const std::string path = random_.one_in(4) ? "ld.global.nc." : "ld.global.";
    const unsigned offset = random_.one_in(3) ? kind.bytes : 0;
    if (kind.type == std::string("f32")) { // small whole numbers, so that sums stay exact for long
        const std::string word = fresh('r');
        line("%s%s %s, [%s+%u];", {path, "u32", word, at, offset});
        line("and.b32 %s, %s, 255;", {word, word});
        line("cvt.rn.f32.u32 %s, %s;", {f(), word});
    } else if (kind.type == std::string("u64")) {
        const std::string pair = fresh('a');
        line("%s%s %s, [%s+%u];", {path, kind.type, pair, at, offset});
        line("shr.u64 %s, %s, 12;", {pair, pair});
        line("cvt.rn.f64.u64 %s, %s;", {d(), pair});
    } else if (kind.bytes >= 8) {
        const bool four = kind.bytes == 16;
        line("%s%s {r0, r1%s}, [%s+%u];", {path, kind.type, four ? ", r2, r3" : "", at, offset});
    } else {
        line("%s%s %s, [%s+%u];", {path, kind.type, r(), at, offset});
    }
}

void ShapeGenerator::gather(const Place&) {
    const std::string index = fresh('r');
    line("and.b32 %s, %s, %u;", {index, r(), in_words / 4 - 1});
    line("ld.global.u32 %s, [%s];", {r(), address("in", index, 4)});
}

void ShapeGenerator::arithmetic(const Place&) {
    constexpr const char* integer[] = {"add.u32", "sub.u32", "mul.lo.u32", "xor.b32", "min.s32", "max.u32", "and.b32"};
    constexpr const char* single[] = {"add.rn.f32", "sub.rn.f32", "mul.rn.f32", "min.f32", "max.f32"};
    constexpr const char* twice[] = {"add.rn.f64", "mul.rn.f64", "max.f64"};
    constexpr const char* ids[] = {"x", "y", "tx", "t", "id", "n", "round", "bx"};
    switch (random_.below(10)) {
    case 0:
    case 1:
    case 2:
        return line("%s %s, %s, %s;", {random_.pick(integer), r(), r(), r()});
    case 3:
        return line("mad.lo.u32 %s, %s, %u, %s;", {r(), random_.pick(ids), 1 + random_.below(99), r()});
    case 4:
        return line("shf.l.wrap.b32 %s, %s, %s, %u;", {r(), r(), r(), random_.below(32)});
    case 5:
        return line("%s %s, %s, %s;", {random_.pick(single), f(), f(), f()});
    case 6:
        return line("fma.rn.f32 %s, %s, 0f3F400000, %s;", {f(), f(), f()});
    case 7:
        if (random_.one_in(2)) return line("%s %s, %s, %s;", {random_.pick(twice), d(), d(), d()});
        return line("cvt.f64.f32 %s, %s;", {d(), f()});
    case 8:
        if (random_.one_in(2)) return line("cvt.rzi.s32.f32 %s, %s;", {r(), f()});
        return line("cvt.rn.f32.s32 %s, %s;", {f(), r()});
    default: {
        const std::string p = condition(false);
        if (random_.one_in(2)) return line("selp.b32 %s, %s, %s, %s;", {r(), r(), r(), p});
        return line("selp.f32 %s, %s, %s, %s;", {f(), f(), f(), p});
    }
    }
}

void ShapeGenerator::guarded(const Place& place) {
    const std::string p = condition(false);
    const std::string at = address("in", affine(in_words - 2, place), 4);
    if (random_.one_in(2)) return line("@%s%s ld.global.u32 %s, [%s];", {random_.one_in(3) ? "!" : "", p, r(), at});
    line("@%s add.u32 %s, %s, %s;", {p, r(), r(), r()});
}

void ShapeGenerator::branch(const Place& place) {
    if (place.depth >= 3) return arithmetic(place);
    Place inner = place;
    inner.depth++;
    const bool uniform = random_.one_in(3);
    inner.uniform = place.uniform && uniform;
    const std::string p = condition(uniform);
    const unsigned otherwise = next_label_++, end = next_label_++;
    line("@!%s bra L%u;", {p, otherwise});
    statements(inner, 1 + random_.below(4));
    if (random_.one_in(2)) {
        line("bra L%u;", {end});
        label(otherwise);
        statements(inner, 1 + random_.below(3));
    } else {
        label(otherwise);
    }
    label(end);
}

/// Rounds that all threads of the block, or of the grid, have.
void ShapeGenerator::loop(const Place& place) {
    if (place.depth >= 2 || place.rounds) return load(place);
    Place inner = place;
    inner.depth++;
    inner.rounds = true;
    const std::string end = fresh('r'), p = fresh('p');
    const unsigned head = next_label_++, after = next_label_++;
    if (random_.one_in(2)) // none, for some
        line("min.u32 %s, %s, %u;", {end, random_.one_in(2) ? "rounds" : "bx", most_rounds});
    else
        line("mov.u32 %s, %u;", {end, 1 + random_.below(most_rounds)});
    line("mov.u32 round, 0;");
    label(head);
    line("setp.ge.u32 %s, round, %s;", {p, end});
    line("@%s bra L%u;", {p, after});
    statements(inner, 2 + random_.below(4));
    line("add.u32 round, round, 1;");
    line("bra L%u;", {head});
    label(after);
    line("mov.u32 round, 0;");
}

/// As many rounds as the thread's data says.
void ShapeGenerator::own_loop(const Place& place) {
    if (place.depth >= 2) return gather(place);
    Place inner = place;
    inner.depth += 2;
    inner.uniform = false;
    const std::string left = fresh('r'), p = fresh('p');
    const unsigned head = next_label_++;
    line("and.b32 %s, %s, %u;", {left, random_.one_in(3) ? "tx" : r(), 7});
    label(head);
    statements(inner, 1 + random_.below(3));
    line("sub.s32 %s, %s, 1;", {left, left});
    line("setp.gt.s32 %s, %s, 0;", {p, left});
    line("@%s bra L%u;", {p, head});
}

/// Takes pointers through planes, as stencils do.
void ShapeGenerator::march(const Place& place) {
    if (place.rounds || place.depth) return loop(place);
    const std::string from = fresh('a'), to = fresh('a'), left = fresh('r'), p = fresh('p'), word = fresh('r');
    const bool far = in_planes_ ? !random_.one_in(5) : random_.one_in(2);
    const unsigned step = far ? far_plane << random_.below(2) : 1u << (8 + random_.below(3)); // words
    const unsigned row = block_[0] * grid_[0], head = next_label_++, end = next_label_++;
    const unsigned limit = in_words - 1 - 4096 * most_rounds - 2 * row;
    std::string index;
    if (in_planes_ && !random_.one_in(4) && row * block_[1] * grid_[1] + 8 < limit) { // as stencils do
        index = fresh('r');
        line("mad.lo.u32 %s, y, %u, x;", {index, row});
        if (random_.one_in(2)) line("add.u32 %s, %s, %u;", {index, index, random_.below(8)});
    } else {
        index = affine(limit, place);
    }
    line("mov.u64 %s, %s;", {from, address("in", index, 4)});
    line("mad.wide.u32 %s, id, 4, out;", {to});
    line("add.u64 %s, %s, %u;", {to, to, 4ull * all_ * random_.below(first_backwards - most_rounds)});
    line("mov.u32 %s, %s;", {left, random_.one_in(2) ? std::string("rounds") : number(most_rounds)});
    const bool inside = random_.one_in(2);
    if (inside) line("@!%s bra L%u;", {condition(false), end});
    label(head);
    line("setp.eq.u32 %s, %s, 0;", {p, left});
    line("@%s bra L%u;", {p, end});
    const unsigned loads = (in_planes_ ? 3 : 1) + random_.below(5);
    for (unsigned i = 0; i < loads; i++) {
        const unsigned offsets[] = {0, 4, 8, 4 * row, 4 * row + 4, 8 * row};
        line("ld.global.u32 %s, [%s+%u];", {word, from, offsets[random_.below(std::size(offsets))]});
        const std::string sum = r();
        line("mad.lo.u32 %s, %s, %u, %s;", {sum, word, 1 + 2 * random_.below(9), sum});
    }
    if (random_.one_in(3)) arithmetic(place);
    if (random_.one_in(4)) {
        line("@%s ld.global.u32 %s, [%s+4];", {condition(false), r(), from});
    }
    store_value(to, 4, 0);
    line("add.s64 %s, %s, %u;", {from, from, 4ull * step});
    line("add.s64 %s, %s, %u;", {to, to, 4ull * all_});
    line("sub.u32 %s, %s, 1;", {left, left});
    line("bra L%u;", {head});
    label(end);
}

void ShapeGenerator::count_globally(const Place&) {
    const std::string at = fresh('a'), slot = fresh('r');
    constexpr const char* how[] = {"add.u32", "max.u32", "min.s32", "xor.b32", "or.b32"};
    const unsigned which = random_.below(std::size(how)); // one way for each eight counters: the order must not matter
    line("and.b32 %s, %s, 7;", {slot, random_.one_in(3) ? "bx" : random_.one_in(2) ? "tx" : r()});
    line("mad.wide.u32 %s, %s, 4, counts;", {at, slot});
    line("red.global.%s [%s+%u], %s;", {how[which], at, 32 * which, r()});
}

void ShapeGenerator::own_array(const Place&) {
    const std::string at = fresh('a'), index = fresh('r');
    line("and.b32 %s, %s, %u;", {index, random_.one_in(2) ? "tx" : r(), own_words - 1});
    line("mov.u64 %s, own;", {at});
    line("mad.wide.u32 %s, %s, 4, %s;", {at, index, at});
    line("st.local.u32 [%s], %s;", {at, r()});
    line("ld.local.u32 %s, [own+%u];", {r(), 4 * random_.below(own_words)});
}

} // namespace kernel_fuzz
