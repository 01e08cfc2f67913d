#include "shape_generator.h"

#include <algorithm>
#include <bit>

// What a block's threads do together. All of them are here; each piece begins and ends with a barrier between the words
// that its neighbours in the text write and those it reads.
namespace kernel_fuzz {

std::string ShapeGenerator::shared_address(const std::string& index) {
    const std::string at = fresh('r');
    line("mov.u32 %s, tile;", {at});
    line("mad.lo.u32 %s, %s, 4, %s;", {at, index, at});
    return at;
}

void ShapeGenerator::exchange(const Place&) {
    const unsigned width = block_[0], height = block_[1], pitch = width + random_.below(2);
    const std::string row = fresh('r'), index = fresh('r'), p = fresh('p');
    line("bar.sync 0;");
    line("mad.lo.u32 %s, tz, %u, ty;", {row, height});
    line("mad.lo.u32 %s, %s, %u, tx;", {index, row, pitch});
    const std::string own = shared_address(index);
    const bool halo = pitch > width, single = !halo && random_.one_in(3);
    if (random_.one_in(4)) { // only some of them, over what all have written
        line("st.shared.u32 [%s], t;", {own});
        line("@%s st.shared.u32 [%s], %s;", {condition(false), own, r()});
    } else if (single) {
        line("st.shared.f32 [%s], %s;", {own, f()});
    } else {
        line("st.shared.u32 [%s], %s;", {own, r()});
    }
    if (halo) { // a column more, which the threads of one column write
        line("setp.eq.u32 %s, tx, %u;", {p, random_.one_in(2) ? 0 : width - 1});
        const std::string beside = fresh('r');
        line("mad.lo.u32 %s, %s, %u, %u;", {beside, row, pitch, width});
        line("@%s st.shared.u32 [%s], %s;", {p, shared_address(beside), r()});
    }
    line("bar.sync 0;");
    const unsigned reads = 1 + random_.below(3);
    for (unsigned i = 0; i < reads; i++) {
        const std::string at = fresh('r'), q = fresh('p');
        std::string guard;
        switch (random_.below(8)) {
        case 0: { // to the right
            const unsigned by = 1 + random_.below(std::min(width, 4u));
            line("add.u32 %s, %s, %u;", {at, index, by});
            line("setp.lt.u32 %s, tx, %u;", {q, width - by});
            guard = "@" + q + " ";
            break;
        }
        case 1: { // to the left
            const unsigned by = 1 + random_.below(std::min(width, 4u));
            line("sub.u32 %s, %s, %u;", {at, index, by});
            line("setp.ge.u32 %s, tx, %u;", {q, by});
            guard = "@" + q + " ";
            break;
        }
        case 2: // below
            line("add.u32 %s, %s, %u;", {at, index, pitch});
            line("setp.lt.u32 %s, ty, %u;", {q, height - 1});
            guard = "@" + q + " ";
            break;
        case 3: // across
            if (width == height && block_[2] == 1)
                line("mad.lo.u32 %s, tx, %u, ty;", {at, pitch});
            else
                line("mul.lo.u32 %s, %s, %u;", {at, row, pitch});
            break;
        case 4: // from behind
            line("mad.lo.u32 %s, %s, %u, %u;", {at, row, pitch, width - 1});
            line("sub.u32 %s, %s, tx;", {at, at});
            break;
        case 5: // one for all
            line("min.u32 %s, %s, %u;", {at, random_.one_in(2) ? "bx" : "n", width - 1});
            break;
        case 6: // any of the row
            line("and.b32 %s, %s, %u;", {at, r(), std::bit_floor(width) - 1});
            line("mad.lo.u32 %s, %s, %u, %s;", {at, row, pitch, at});
            break;
        default:
            if (halo)
                line("add.u32 %s, %s, 1;", {at, index});
            else
                line("mov.u32 %s, %s;", {at, index});
        }
        const std::string from = shared_address(at);
        // Words that are numbers only for those who wrote numbers: floats are compared as such in the end.
        line("%sld.shared.u32 %s, [%s];", {guard, single ? fresh('r') : r(), from});
        if (single) line("%sld.shared.f32 %s, [%s];", {guard, f(), from});
    }
    line("bar.sync 0;");
}

/// A product of the tile's rows and columns.
void ShapeGenerator::rows_of_tile(const Place&) {
    const unsigned width = block_[0], height = block_[1] * block_[2];
    const std::string k = fresh('r'), at = fresh('r'), row = fresh('r'), a = fresh('r'), b = fresh('r'), p = fresh('p');
    line("bar.sync 0;");
    line("st.shared.u32 [%s], %s;", {shared_address("t"), r()});
    line("bar.sync 0;");
    line("mad.lo.u32 %s, tz, %u, ty;", {row, block_[1]});
    line("mul.lo.u32 %s, %s, %u;", {row, row, width});
    line("mov.u32 %s, 0;", {k});
    const unsigned head = next_label_++;
    label(head);
    line("add.u32 %s, %s, %s;", {at, row, k});
    line("ld.shared.u32 %s, [%s];", {a, shared_address(at)});
    line("min.u32 %s, %s, %u;", {at, k, height - 1});
    line("mad.lo.u32 %s, %s, %u, tx;", {at, at, width});
    line("ld.shared.u32 %s, [%s];", {b, shared_address(at)});
    const std::string sum = r();
    line("mad.lo.u32 %s, %s, %s, %s;", {sum, a, b, sum});
    line("add.u32 %s, %s, 1;", {k, k});
    line("setp.lt.u32 %s, %s, %u;", {p, k, std::min(width, random_.one_in(2) ? 16u : 5u)});
    line("@%s bra L%u;", {p, head});
    line("bar.sync 0;");
}

/// Half of the threads take the other half's in, until one has all.
void ShapeGenerator::tree(const Place&) {
    const std::string a = fresh('r'), b = fresh('r'), s = fresh('r'), at = fresh('r');
    constexpr const char* how[] = {"add.u32", "max.s32", "xor.b32"};
    const char* operation = random_.pick(how);
    line("bar.sync 0;");
    line("st.shared.u32 [%s], %s;", {shared_address("t"), r()});
    line("bar.sync 0;");
    const unsigned first = std::bit_ceil(threads_) / 2;
    const auto step = [&](const std::string& distance) {
        const std::string p = fresh('p'), q = fresh('p');
        const unsigned over = next_label_++;
        line("add.u32 %s, t, %s;", {at, distance});
        line("setp.lt.u32 %s, %s, %u;", {q, at, threads_});
        line("setp.lt.and.u32 %s, t, %s, %s;", {p, distance, q});
        line("@!%s bra L%u;", {p, over});
        line("ld.shared.u32 %s, [%s];", {a, shared_address("t")});
        line("ld.shared.u32 %s, [%s];", {b, shared_address(at)});
        line("%s %s, %s, %s;", {operation, a, a, b});
        line("st.shared.u32 [%s], %s;", {shared_address("t"), a});
        label(over);
        line("bar.sync 0;");
    };
    if (random_.one_in(2)) {
        for (unsigned distance = first; distance; distance /= 2) step(std::to_string(distance));
    } else if (first) {
        const std::string p = fresh('p');
        const unsigned head = next_label_++;
        line("mov.u32 %s, %u;", {s, first});
        label(head);
        step(s);
        line("shr.u32 %s, %s, 1;", {s, s});
        line("setp.ne.u32 %s, %s, 0;", {p, s});
        line("@%s bra L%u;", {p, head});
    }
    line("ld.shared.u32 %s, [tile];", {r()});
    line("bar.sync 0;");
}

/// Compares and exchanges in place: a step of a bitonic sort, or all of a merge.
void ShapeGenerator::sorting_step(const Place&) {
    const std::string partner = fresh('r'), a = fresh('r'), b = fresh('r'), up = fresh('r'), j = fresh('r');
    const std::string p = fresh('p'), q = fresh('p');
    const unsigned most = std::bit_floor(threads_) / 2;
    if (most == 0) return;
    const unsigned k = 2u << random_.below(unsigned(std::bit_width(most)));
    const auto step = [&](const std::string& distance) {
        const unsigned over = next_label_++, stay = next_label_++;
        line("xor.b32 %s, t, %s;", {partner, distance});
        line("setp.gt.u32 %s, %s, t;", {p, partner});
        line("setp.lt.and.u32 %s, %s, %u, %s;", {p, partner, threads_, p});
        line("@!%s bra L%u;", {p, over});
        line("ld.shared.u32 %s, [%s];", {a, shared_address("t")});
        line("ld.shared.u32 %s, [%s];", {b, shared_address(partner)});
        line("and.b32 %s, t, %u;", {up, k});
        line("setp.eq.u32 %s, %s, 0;", {q, up});
        line("setp.gt.xor.u32 %s, %s, %s, %s;", {q, a, b, q});
        line("@%s bra L%u;", {q, stay});
        line("st.shared.u32 [%s], %s;", {shared_address("t"), b});
        line("st.shared.u32 [%s], %s;", {shared_address(partner), a});
        label(stay);
        label(over);
        line("bar.sync 0;");
    };
    line("bar.sync 0;");
    line("st.shared.u32 [%s], %s;", {shared_address("t"), r()});
    line("bar.sync 0;");
    if (random_.one_in(2)) {
        for (unsigned distance = std::min(k / 2, most); distance; distance /= 2) step(std::to_string(distance));
    } else {
        const std::string more = fresh('p');
        const unsigned head = next_label_++;
        line("mov.u32 %s, %u;", {j, std::min(k / 2, most)});
        label(head);
        step(j);
        line("shr.u32 %s, %s, 1;", {j, j});
        line("setp.ne.u32 %s, %s, 0;", {more, j});
        line("@%s bra L%u;", {more, head});
    }
    line("ld.shared.u32 %s, [%s];", {r(), shared_address("t")});
    line("bar.sync 0;");
}

/// Sums and differences at distances that double, as a Fourier transform has them.
void ShapeGenerator::butterflies(const Place& place) {
    if (!std::has_single_bit(threads_)) return tree(place);
    const std::string half = fresh('r'), low = fresh('r'), high = fresh('r'), a = fresh('r'), b = fresh('r'),
                      sum = fresh('r'), less = fresh('r'), p = fresh('p');
    line("bar.sync 0;");
    line("st.shared.u32 [%s], %s;", {shared_address("t"), r()});
    line("add.u32 %s, t, %u;", {high, threads_});
    line("st.shared.u32 [%s], %s;", {shared_address(high), r()});
    line("bar.sync 0;");
    line("mov.u32 %s, 1;", {half});
    const unsigned head = next_label_++;
    label(head);
    line("sub.u32 %s, %s, 1;", {less, half});
    line("and.b32 %s, t, %s;", {low, less});
    line("sub.u32 %s, t, %s;", {high, low});
    line("mad.lo.u32 %s, %s, 2, %s;", {low, high, low});
    line("add.u32 %s, %s, %s;", {high, low, half});
    line("ld.shared.u32 %s, [%s];", {a, shared_address(low)});
    line("ld.shared.u32 %s, [%s];", {b, shared_address(high)});
    if (random_.one_in(2)) line("mad.lo.u32 %s, %s, %s, %s;", {b, b, less, b});
    line("add.u32 %s, %s, %s;", {sum, a, b});
    line("st.shared.u32 [%s], %s;", {shared_address(low), sum});
    line("sub.u32 %s, %s, %s;", {sum, a, b});
    line("st.shared.u32 [%s], %s;", {shared_address(high), sum});
    line("bar.sync 0;");
    line("shl.b32 %s, %s, 1;", {half, half});
    line("setp.le.u32 %s, %s, %u;", {p, half, threads_});
    line("@%s bra L%u;", {p, head});
    line("ld.shared.u32 %s, [%s];", {r(), shared_address("t")});
    line("bar.sync 0;");
}

void ShapeGenerator::histogram(const Place&) {
    constexpr unsigned bins = 16, first_counter = 40;
    const std::string bin = fresh('r'), p = fresh('p'), count = fresh('r'), at = fresh('a');
    line("setp.lt.u32 %s, t, %u;", {p, bins});
    line("bar.sync 0;");
    line("@%s st.shared.u32 [%s], 0;", {p, shared_address("t")});
    line("bar.sync 0;");
    line("and.b32 %s, %s, %u;", {bin, r(), bins - 1});
    if (random_.one_in(2)) {
        line("atom.shared.add.u32 %s, [%s], 1;", {count, shared_address(bin)});
    } else {
        const std::string q = condition(false);
        line("@%s red.shared.add.u32 [%s], %s;", {q, shared_address(bin), r()});
    }
    line("bar.sync 0;");
    line("mad.wide.u32 %s, t, 4, counts;", {at});
    line("mov.u32 %s, 0;", {count});
    line("@%s ld.shared.u32 %s, [%s];", {p, count, shared_address("t")});
    line("@%s red.global.add.u32 [%s+%u], %s;", {p, at, 4 * first_counter, count});
    line("bar.sync 0;");
}

void ShapeGenerator::across_warp(const Place& place) {
    if (threads_ % 32 != 0) return exchange(place);
    constexpr const char* ways[] = {"bfly", "down", "up", "idx"};
    constexpr const char* sums[] = {"add.u32", "max.s32", "xor.b32", "min.u32"};
    switch (random_.below(5)) {
    case 0:
    case 1: {
        const char* way = random_.pick(ways);
        const bool up = way == ways[2];
        return line("shfl.sync.%s.b32 %s, %s, %u, %u, -1;", {way, r(), r(), random_.below(32), up ? 0u : 31u});
    }
    case 2:
        return line("vote.sync.ballot.b32 %s, %s, -1;", {r(), condition(false)});
    case 3:
        return line("redux.sync.%s %s, %s, -1;", {random_.pick(sums), r(), r()});
    default: {
        const std::string p = fresh('p'), of = condition(false);
        line("vote.sync.%s.pred %s, %s, -1;", {random_.one_in(2) ? "any" : "all", p, of});
        line("@%s add.u32 %s, %s, 1;", {p, r(), r()});
    }
    }
}

} // namespace kernel_fuzz
