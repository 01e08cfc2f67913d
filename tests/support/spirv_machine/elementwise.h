#pragma once

#include "operations.h"
#include "warp.h"

namespace spirv_machine {

/// What a result is where the specification gives none: a shift by too many bits, a division by zero.
inline constexpr uint64_t undefined_result = 0x5a5a5a5a5a5a5a5a;

inline uint64_t narrowed(uint64_t value, unsigned bits) {
    return bits >= 64 ? value : value & ((uint64_t{1} << bits) - 1);
}
inline int64_t extended(uint64_t value, unsigned bits) {
    return bits >= 64 ? int64_t(value) : int64_t(value << (64 - bits)) >> (64 - bits);
}

/// result = f(a, bits), scalar by scalar; bits: the operand's.
template <auto f> void unary(Warp& warp, const Instruction& in) {
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes& a = warp.operand(in, 0, i);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) { result[lane] = narrowed(uint64_t(f(a[lane], in.operand_bits)), in.bits); });
    }
}
/// result = f(a, b, bits).
template <auto f> void binary(Warp& warp, const Instruction& in) {
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes &a = warp.operand(in, 0, i), &b = warp.operand(in, 1, i);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane(
            [&](unsigned lane) { result[lane] = narrowed(uint64_t(f(a[lane], b[lane], in.operand_bits)), in.bits); });
    }
}
/// result = f(a, b, c, bits).
template <auto f> void ternary(Warp& warp, const Instruction& in) {
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes &a = warp.operand(in, 0, i), &b = warp.operand(in, 1, i), &c = warp.operand(in, 2, i);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) {
            result[lane] = narrowed(uint64_t(f(a[lane], b[lane], c[lane], in.operand_bits)), in.bits);
        });
    }
}

} // namespace spirv_machine
