// Integers and booleans: SPIR-V 1.4, 3.32.13 to 3.32.15.
#include "elementwise.h"

namespace spirv_machine {

namespace {

using u64 = uint64_t;

u64 divide(u64 a, u64 b, unsigned) { return b ? a / b : undefined_result; }
u64 remainder(u64 a, u64 b, unsigned) { return b ? a % b : undefined_result; }
u64 divide_signed(u64 a, u64 b, unsigned bits) {
    const int64_t x = extended(a, bits), y = extended(b, bits);
    if (y == 0 || (y == -1 && x == INT64_MIN)) return undefined_result;
    return u64(x / y);
}
u64 remainder_signed(u64 a, u64 b, unsigned bits) {
    const int64_t x = extended(a, bits), y = extended(b, bits);
    if (y == 0 || (y == -1 && x == INT64_MIN)) return undefined_result;
    return u64(x % y);
}
/// The result has the divisor's sign.
u64 modulo_signed(u64 a, u64 b, unsigned bits) {
    const int64_t y = extended(b, bits), r = extended(remainder_signed(a, b, bits), bits);
    return u64(r != 0 && (r < 0) != (y < 0) ? r + y : r);
}

u64 shift_right(u64 a, u64 b, unsigned bits) { return b < bits ? a >> b : undefined_result; }
u64 shift_right_signed(u64 a, u64 b, unsigned bits) {
    return b < bits ? u64(extended(a, bits) >> b) : undefined_result;
}
u64 shift_left(u64 a, u64 b, unsigned bits) { return b < bits ? a << b : undefined_result; }

u64 reverse(u64 a, unsigned bits) {
    u64 result = 0;
    for (unsigned i = 0; i < bits; i++) result |= (a >> i & 1) << (bits - 1 - i);
    return result;
}

template <bool is_signed> void extract_bits(Warp& warp, const Instruction& in) {
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes &base = warp.operand(in, 0, i), &offset = warp.operand(in, 1), &count = warp.operand(in, 2);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) {
            const u64 n = count[lane], from = offset[lane];
            u64 value = undefined_result;
            if (n == 0)
                value = 0;
            else if (from + n <= in.bits)
                value = narrowed(base[lane] >> from, unsigned(n));
            if (is_signed && n && from + n <= in.bits) value = u64(extended(value, unsigned(n)));
            result[lane] = narrowed(value, in.bits);
        });
    }
}

void insert_bits(Warp& warp, const Instruction& in) {
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes &base = warp.operand(in, 0, i), &insert = warp.operand(in, 1, i);
        const Lanes &offset = warp.operand(in, 2), &count = warp.operand(in, 3);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) {
            const u64 n = count[lane], from = offset[lane];
            const u64 field = n ? narrowed(~u64{0}, unsigned(n)) << (from & 63) : 0;
            const u64 value = (base[lane] & ~field) | (insert[lane] << (from & 63) & field);
            result[lane] = from + n <= in.bits ? value : narrowed(undefined_result, in.bits);
        });
    }
}

/// A structure of the low half and the carry, borrow or high half.
template <auto f> void extended_result(Warp& warp, const Instruction& in) {
    const uint32_t half = in.scalars / 2;
    for (uint32_t i = 0; i < half; i++) {
        const Lanes &a = warp.operand(in, 0, i), &b = warp.operand(in, 1, i);
        Lanes &low = warp.to(in.result + Row(i)), &high = warp.to(in.result + Row(half + i));
        warp.each_lane([&](unsigned lane) {
            const auto [first, second] = f(a[lane], b[lane], in.bits);
            low[lane] = narrowed(first, in.bits);
            high[lane] = narrowed(second, in.bits);
        });
    }
}

using Pair = std::pair<u64, u64>;

/// Any and all of a vector of booleans.
template <bool all> void over_vector(Warp& warp, const Instruction& in) {
    const Type& type = warp.module.types().at(in.operand_type);
    Lanes result;
    result.fill(all);
    for (uint32_t i = 0; i < type.scalars; i++)
        warp.each_lane([&, &a = warp.operand(in, 0, i)](unsigned lane) {
            result[lane] = all ? result[lane] & a[lane] : result[lane] | a[lane];
        });
    warp.each_lane([&](unsigned lane) { warp.to(in.result)[lane] = result[lane]; });
}

} // namespace

void add_integer(Operations& rows) {
    using W = unsigned;
    rows.insert(rows.end(),
                {
                    {126, "Rv", unary<([](u64 a, W) { return 0 - a; })>},
                    {128, "Rvv", binary<([](u64 a, u64 b, W) { return a + b; })>},
                    {130, "Rvv", binary<([](u64 a, u64 b, W) { return a - b; })>},
                    {132, "Rvv", binary<([](u64 a, u64 b, W) { return a * b; })>},
                    {134, "Rvv", binary<divide>},
                    {135, "Rvv", binary<divide_signed>},
                    {137, "Rvv", binary<remainder>},
                    {138, "Rvv", binary<remainder_signed>},
                    {139, "Rvv", binary<modulo_signed>},
                    {149, "Rvv", extended_result<([](u64 a, u64 b, W bits) {
                         const u64 sum = narrowed(a + b, bits);
                         return Pair(sum, sum < a);
                     })>},
                    {150, "Rvv", extended_result<([](u64 a, u64 b, W) { return Pair(a - b, a < b); })>},
                    {151, "Rvv", extended_result<([](u64 a, u64 b, W bits) {
                         const auto product = static_cast<unsigned __int128>(a) * b;
                         return Pair(u64(product), u64(product >> bits));
                     })>},
                    {152, "Rvv", extended_result<([](u64 a, u64 b, W bits) {
                         const auto product = static_cast<__int128>(extended(a, bits)) * extended(b, bits);
                         return Pair(u64(product), u64(product >> bits));
                     })>},
                    {154, "Rv", over_vector<false>},
                    {155, "Rv", over_vector<true>},
                    {164, "Rvv", binary<([](u64 a, u64 b, W) { return a == b; })>},
                    {165, "Rvv", binary<([](u64 a, u64 b, W) { return a != b; })>},
                    {166, "Rvv", binary<([](u64 a, u64 b, W) { return a | b; })>},
                    {167, "Rvv", binary<([](u64 a, u64 b, W) { return a & b; })>},
                    {168, "Rv", unary<([](u64 a, W) { return a ^ 1; })>},
                    {170, "Rvv", binary<([](u64 a, u64 b, W) { return a == b; })>},
                    {171, "Rvv", binary<([](u64 a, u64 b, W) { return a != b; })>},
                    {172, "Rvv", binary<([](u64 a, u64 b, W) { return a > b; })>},
                    {173, "Rvv", binary<([](u64 a, u64 b, W w) { return extended(a, w) > extended(b, w); })>},
                    {174, "Rvv", binary<([](u64 a, u64 b, W) { return a >= b; })>},
                    {175, "Rvv", binary<([](u64 a, u64 b, W w) { return extended(a, w) >= extended(b, w); })>},
                    {176, "Rvv", binary<([](u64 a, u64 b, W) { return a < b; })>},
                    {177, "Rvv", binary<([](u64 a, u64 b, W w) { return extended(a, w) < extended(b, w); })>},
                    {178, "Rvv", binary<([](u64 a, u64 b, W) { return a <= b; })>},
                    {179, "Rvv", binary<([](u64 a, u64 b, W w) { return extended(a, w) <= extended(b, w); })>},
                    {194, "Rvv", binary<shift_right>},
                    {195, "Rvv", binary<shift_right_signed>},
                    {196, "Rvv", binary<shift_left>},
                    {197, "Rvv", binary<([](u64 a, u64 b, W) { return a | b; })>},
                    {198, "Rvv", binary<([](u64 a, u64 b, W) { return a ^ b; })>},
                    {199, "Rvv", binary<([](u64 a, u64 b, W) { return a & b; })>},
                    {200, "Rv", unary<([](u64 a, W) { return ~a; })>},
                    {201, "Rvvvv", insert_bits},
                    {202, "Rvvv", extract_bits<true>},
                    {203, "Rvvv", extract_bits<false>},
                    {204, "Rv", unary<reverse>},
                    {205, "Rv", unary<([](u64 a, W) { return u64(std::popcount(a)); })>},
                    {401, "Rvv", binary<([](u64 a, u64 b, W) { return a == b; })>},
                    {402, "Rvv", binary<([](u64 a, u64 b, W) { return a != b; })>},
                });
}

} // namespace spirv_machine
