// VOP1, VOP2 and VOP3 on 32-bit integers: RDNA3 ISA 16.7 to 16.10; names of GCN beside those of RDNA3.
#include "lanes.h"

#include <algorithm>
#include <bit>

namespace amdgpu {

namespace {

using u32 = uint32_t;
using i32 = int32_t;
using u64 = uint64_t;
using i64 = int64_t;

i32 signed24(u32 a) { return i32(a << 8) >> 8; }
u32 unsigned24(u32 a) { return a & 0xffffff; }
i32 saturated(i64 exact) { return exact > INT32_MAX ? INT32_MAX : exact < INT32_MIN ? INT32_MIN : i32(exact); }

template <class T> T median(T a, T b, T c) {
    const T low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

u32 byte_of(u32 a, unsigned i) { return a >> 8 * i & 0xff; }
u32 distance(u32 a, u32 b) { return a > b ? a - b : b - a; }
u32 sum_of_distances(u32 a, u32 b) {
    u32 sum = 0;
    for (unsigned i = 0; i < 4; i++) sum += distance(byte_of(a, i), byte_of(b, i));
    return sum;
}

/// A byte of {a, b} by its number; 8 to 11 the sign of a half, 12 zero, above all ones.
u32 chosen_byte(u64 both, u32 selector) {
    selector &= 0xff;
    if (selector >= 13) return 0xff;
    if (selector == 12) return 0;
    if (selector >= 8) return both >> (16 * (selector - 8) + 15) & 1 ? 0xff : 0;
    return u32(both >> 8 * selector) & 0xff;
}
u32 permuted(u32 a, u32 b, u32 selectors) {
    const u64 both = u64{a} << 32 | b;
    u32 result = 0;
    for (unsigned i = 0; i < 4; i++) result |= chosen_byte(both, selectors >> 8 * i) << 8 * i;
    return result;
}

void add_logic(Rows& rows) {
    rows["v_not_b32"] = lanes<([](u32 a) { return ~a; })>();
    rows["v_and_b32"] = lanes<([](u32 a, u32 b) { return a & b; })>();
    rows["v_or_b32"] = lanes<([](u32 a, u32 b) { return a | b; })>();
    rows["v_xor_b32"] = lanes<([](u32 a, u32 b) { return a ^ b; })>();
    rows["v_xnor_b32"] = lanes<([](u32 a, u32 b) { return ~(a ^ b); })>();
    rows["v_or3_b32"] = lanes<([](u32 a, u32 b, u32 c) { return a | b | c; })>();
    rows["v_xor3_b32"] = lanes<([](u32 a, u32 b, u32 c) { return a ^ b ^ c; })>();
    rows["v_and_or_b32"] = lanes<([](u32 a, u32 b, u32 c) { return (a & b) | c; })>();
    rows["v_bfi_b32"] = lanes<([](u32 a, u32 b, u32 c) { return (a & b) | (~a & c); })>();
    rows["v_cndmask_b32"] = lanes<([](u32 a, u32 b, Bit c) { return c.value ? b : a; })>(carry_in);
    rows["v_bfrev_b32"] = lanes<([](u32 a) {
        a = (a >> 1 & 0x55555555) | (a & 0x55555555) << 1;
        a = (a >> 2 & 0x33333333) | (a & 0x33333333) << 2;
        a = (a >> 4 & 0x0f0f0f0f) | (a & 0x0f0f0f0f) << 4;
        return a >> 24 | (a >> 8 & 0xff00) | (a << 8 & 0xff0000) | a << 24;
    })>();
    rows["v_perm_b32"] = lanes<([](u32 a, u32 b, u32 c) { return permuted(a, b, c); })>();
    rows["v_swap_b32"] = {[](Wave& w, const Instruction& in) {
        u32 *a = w.row(in.destination.code), *b = w.row(in.source[0].code);
        for (unsigned i = 0; i < w.lanes; i++)
            if (w.mask[i]) std::swap(a[i], b[i]);
    }};
}

void add_shifts(Rows& rows) {
    rows["v_lshlrev_b32"] = lanes<([](u32 a, u32 b) { return b << (a & 31); })>();
    rows["v_lshrrev_b32"] = lanes<([](u32 a, u32 b) { return b >> (a & 31); })>();
    rows["v_ashrrev_i32"] = lanes<([](u32 a, i32 b) { return b >> (a & 31); })>();
    rows["v_lshl_add_u32"] = lanes<([](u32 a, u32 b, u32 c) { return (a << (b & 31)) + c; })>();
    rows["v_add_lshl_u32"] = lanes<([](u32 a, u32 b, u32 c) { return (a + b) << (c & 31); })>();
    rows["v_lshl_or_b32"] = lanes<([](u32 a, u32 b, u32 c) { return (a << (b & 31)) | c; })>();
    rows["v_alignbit_b32"] = lanes<([](u32 a, u32 b, u32 c) { return u32((u64{a} << 32 | b) >> (c & 31)); })>();
    rows["v_alignbyte_b32"] = lanes<([](u32 a, u32 b, u32 c) { return u32((u64{a} << 32 | b) >> 8 * (c & 3)); })>();
    rows["v_bfm_b32"] = lanes<([](u32 a, u32 b) { return ((1u << (a & 31)) - 1) << (b & 31); })>();
    rows["v_bfe_u32"] = lanes<([](u32 a, u32 b, u32 c) { return a >> (b & 31) & ((1u << (c & 31)) - 1); })>();
    rows["v_bfe_i32"] = lanes<([](i32 a, u32 b, u32 c) {
        const unsigned spare = (32 - (c & 31)) & 31;
        const i32 wide = i32(u32(a >> (b & 31)) << spare) >> spare;
        return (c & 31) == 0 ? 0 : wide;
    })>();
}

void add_counts(Rows& rows) {
    rows["v_clz_i32_u32"] = rows["v_ffbh_u32"] = lanes<([](u32 a) { return a ? u32(std::countl_zero(a)) : ~0u; })>();
    rows["v_ctz_i32_b32"] = rows["v_ffbl_b32"] = lanes<([](u32 a) { return a ? u32(std::countr_zero(a)) : ~0u; })>();
    rows["v_cls_i32"] = rows["v_ffbh_i32"] = lanes<([](i32 a) {
        const u32 different = u32(a ^ (a >> 31));
        return different ? u32(std::countl_zero(different)) : ~0u;
    })>();
    rows["v_bcnt_u32_b32"] = lanes<([](u32 a, u32 b) { return u32(std::popcount(a)) + b; })>();
}

void add_sums(Rows& rows) {
    const Row add = lanes_saturating<([](u32 a, u32 b) { return a + b; }),
                                     ([](u32 a, u32 b) { return a + b < a ? ~0u : a + b; })>();
    const Row subtract =
        lanes_saturating<([](u32 a, u32 b) { return a - b; }), ([](u32 a, u32 b) { return a < b ? 0u : a - b; })>();
    const Row reversed =
        lanes_saturating<([](u32 a, u32 b) { return b - a; }), ([](u32 a, u32 b) { return b < a ? 0u : b - a; })>();
    rows["v_add_nc_u32"] = rows["v_add_u32"] = add;
    rows["v_sub_nc_u32"] = rows["v_sub_u32"] = subtract;
    rows["v_subrev_nc_u32"] = rows["v_subrev_u32"] = reversed;
    rows["v_add_nc_i32"] = rows["v_add_i32"] =
        lanes_saturating<([](u32 a, u32 b) { return a + b; }), ([](i32 a, i32 b) { return saturated(i64{a} + b); })>();
    rows["v_sub_nc_i32"] = rows["v_sub_i32"] =
        lanes_saturating<([](u32 a, u32 b) { return a - b; }), ([](i32 a, i32 b) { return saturated(i64{a} - b); })>();
    rows["v_add3_u32"] = lanes<([](u32 a, u32 b, u32 c) { return a + b + c; })>();
    rows["v_xad_u32"] = lanes<([](u32 a, u32 b, u32 c) { return (a ^ b) + c; })>();

    constexpr uint16_t out = second_scalar, both = second_scalar | carry_in;
    rows["v_add_co_u32"] = lanes<([](u32 a, u32 b) { return WithCarry{a + b, a + b < a}; })>(out);
    rows["v_sub_co_u32"] = lanes<([](u32 a, u32 b) { return WithCarry{a - b, b > a}; })>(out);
    rows["v_subrev_co_u32"] = lanes<([](u32 a, u32 b) { return WithCarry{b - a, a > b}; })>(out);
    rows["v_add_co_ci_u32"] = rows["v_addc_co_u32"] = lanes<([](u32 a, u32 b, Bit c) {
        const u64 sum = u64{a} + b + c.value;
        return WithCarry{u32(sum), u32(sum >> 32)};
    })>(both);
    rows["v_sub_co_ci_u32"] = rows["v_subb_co_u32"] = lanes<([](u32 a, u32 b, Bit c) {
        return WithCarry{a - b - c.value, u64{b} + c.value > a};
    })>(both);
    rows["v_subrev_co_ci_u32"] = rows["v_subbrev_co_u32"] = lanes<([](u32 a, u32 b, Bit c) {
        return WithCarry{b - a - c.value, u64{a} + c.value > b};
    })>(both);
}

void add_products(Rows& rows) {
    rows["v_mul_lo_u32"] = lanes<([](u32 a, u32 b) { return a * b; })>();
    rows["v_mul_hi_u32"] = lanes<([](u32 a, u32 b) { return u32(u64{a} * b >> 32); })>();
    rows["v_mul_hi_i32"] = lanes<([](i32 a, i32 b) { return u32(i64{a} * b >> 32); })>();
    rows["v_mul_u32_u24"] = lanes<([](u32 a, u32 b) { return unsigned24(a) * unsigned24(b); })>();
    rows["v_mul_i32_i24"] = lanes<([](u32 a, u32 b) { return u32(signed24(a)) * u32(signed24(b)); })>();
    rows["v_mul_hi_u32_u24"] = lanes<([](u32 a, u32 b) { return u32(u64{unsigned24(a)} * unsigned24(b) >> 32); })>();
    rows["v_mul_hi_i32_i24"] = lanes<([](u32 a, u32 b) { return u32(i64{signed24(a)} * signed24(b) >> 32); })>();
    rows["v_mad_u32_u24"] = lanes_saturating<([](u32 a, u32 b, u32 c) { return unsigned24(a) * unsigned24(b) + c; }),
                                             ([](u32 a, u32 b, u32 c) {
                                                 const u64 exact = u64{unsigned24(a)} * unsigned24(b) + c;
                                                 return exact >> 32 ? ~0u : u32(exact);
                                             })>();
    rows["v_mad_i32_i24"] =
        lanes_saturating<([](u32 a, u32 b, u32 c) { return u32(signed24(a)) * u32(signed24(b)) + c; }),
                         ([](u32 a, u32 b, i32 c) { return saturated(i64{signed24(a)} * signed24(b) + c); })>();
    rows["v_mad_u32_u16"] = lanes<([](uint16_t a, uint16_t b, u32 c) { return u32{a} * b + c; })>();
    rows["v_mad_i32_i16"] = lanes<([](int16_t a, int16_t b, u32 c) { return u32(i32{a} * b) + c; })>();
}

void add_choices(Rows& rows) {
    rows["v_min_u32"] = lanes<([](u32 a, u32 b) { return a < b ? a : b; })>();
    rows["v_max_u32"] = lanes<([](u32 a, u32 b) { return a > b ? a : b; })>();
    rows["v_min_i32"] = lanes<([](i32 a, i32 b) { return a < b ? a : b; })>();
    rows["v_max_i32"] = lanes<([](i32 a, i32 b) { return a > b ? a : b; })>();
    rows["v_min3_u32"] = lanes<([](u32 a, u32 b, u32 c) { return std::min(std::min(a, b), c); })>();
    rows["v_max3_u32"] = lanes<([](u32 a, u32 b, u32 c) { return std::max(std::max(a, b), c); })>();
    rows["v_min3_i32"] = lanes<([](i32 a, i32 b, i32 c) { return std::min(std::min(a, b), c); })>();
    rows["v_max3_i32"] = lanes<([](i32 a, i32 b, i32 c) { return std::max(std::max(a, b), c); })>();
    rows["v_med3_u32"] = lanes<([](u32 a, u32 b, u32 c) { return median(a, b, c); })>();
    rows["v_med3_i32"] = lanes<([](i32 a, i32 b, i32 c) { return median(a, b, c); })>();
    rows["v_maxmin_u32"] = lanes<([](u32 a, u32 b, u32 c) { return std::min(std::max(a, b), c); })>();
    rows["v_minmax_u32"] = lanes<([](u32 a, u32 b, u32 c) { return std::max(std::min(a, b), c); })>();
    rows["v_maxmin_i32"] = lanes<([](i32 a, i32 b, i32 c) { return std::min(std::max(a, b), c); })>();
    rows["v_minmax_i32"] = lanes<([](i32 a, i32 b, i32 c) { return std::max(std::min(a, b), c); })>();
}

void add_distances(Rows& rows) {
    rows["v_sad_u32"] = lanes<([](u32 a, u32 b, u32 c) { return distance(a, b) + c; })>();
    rows["v_sad_u16"] = lanes<(
        [](u32 a, u32 b, u32 c) { return distance(a & 0xffff, b & 0xffff) + distance(a >> 16, b >> 16) + c; })>();
    rows["v_sad_u8"] = lanes<([](u32 a, u32 b, u32 c) { return sum_of_distances(a, b) + c; })>();
    rows["v_sad_hi_u8"] = lanes<([](u32 a, u32 b, u32 c) { return (sum_of_distances(a, b) << 16) + c; })>();
    rows["v_lerp_u8"] = lanes<([](u32 a, u32 b, u32 c) {
        u32 result = 0;
        for (unsigned i = 0; i < 4; i++)
            result |= ((byte_of(a, i) + byte_of(b, i) + (byte_of(c, i) & 1)) >> 1) << 8 * i;
        return result;
    })>();
}

} // namespace

void add_vector_integer(Rows& rows) {
    add_logic(rows);
    add_shifts(rows);
    add_counts(rows);
    add_sums(rows);
    add_products(rows);
    add_choices(rows);
    add_distances(rows);
}

void add_vector_wide(Rows& rows) {
    rows["v_lshlrev_b64"] = lanes<([](u32 a, u64 b) { return b << (a & 63); })>();
    rows["v_lshrrev_b64"] = lanes<([](u32 a, u64 b) { return b >> (a & 63); })>();
    rows["v_ashrrev_i64"] = lanes<([](u32 a, i64 b) { return b >> (a & 63); })>();
    rows["v_lshl_add_u64"] = lanes<([](u64 a, u32 b, u64 c) { return (a << (b & 7)) + c; })>();
    rows["v_mov_b64"] = lanes<([](u64 a) { return a; })>();
    rows["v_mad_u64_u32"] = lanes<([](u32 a, u32 b, u64 c) {
        const u64 product = u64{a} * b;
        return WithCarry64{product + c, product + c < c};
    })>(second_scalar);
    rows["v_mad_i64_i32"] = lanes<([](i32 a, i32 b, i64 c) {
        i64 sum = 0;
        const bool over = __builtin_add_overflow(i64{a} * b, c, &sum);
        return WithCarry64{u64(sum), over};
    })>(second_scalar);
}

void add_vector_half(Rows& rows) {
    using u16 = uint16_t;
    using i16 = int16_t;
    rows["v_mov_b16"] = lanes<([](u16 a) { return a; })>();
    rows["v_swap_b16"] = {[](Wave& w, const Instruction& in) {
                              Room<u16> rooms[2];
                              fetch<u16>(w, in.destination, rooms[0]);
                              fetch<u16>(w, in.source[0], rooms[1]);
                              put_halves(w, in.destination, rooms[1].lane);
                              put_halves(w, in.source[0], rooms[0].lane);
                          },
                          nullptr, 0, 3};
    rows["v_not_b16"] = lanes<([](u16 a) { return u16(~a); })>();
    rows["v_and_b16"] = lanes<([](u16 a, u16 b) { return u16(a & b); })>();
    rows["v_or_b16"] = lanes<([](u16 a, u16 b) { return u16(a | b); })>();
    rows["v_xor_b16"] = lanes<([](u16 a, u16 b) { return u16(a ^ b); })>();
    rows["v_cndmask_b16"] = lanes<([](u16 a, u16 b, Bit c) { return c.value ? b : a; })>(carry_in);
    rows["v_lshlrev_b16"] = lanes<([](u16 a, u16 b) { return u16(b << (a & 15)); })>();
    rows["v_lshrrev_b16"] = lanes<([](u16 a, u16 b) { return u16(b >> (a & 15)); })>();
    rows["v_ashrrev_i16"] = lanes<([](u16 a, i16 b) { return i16(b >> (a & 15)); })>();
    rows["v_add_nc_u16"] = rows["v_add_u16"] =
        lanes_saturating<([](u16 a, u16 b) { return u16(a + b); }),
                         ([](u16 a, u16 b) { return u16(std::min(a + b, 0xffff)); })>();
    rows["v_sub_nc_u16"] = rows["v_sub_u16"] =
        lanes_saturating<([](u16 a, u16 b) { return u16(a - b); }),
                         ([](u16 a, u16 b) { return u16(std::max(a - b, 0)); })>();
    rows["v_subrev_u16"] = lanes<([](u16 a, u16 b) { return u16(b - a); })>();
    rows["v_add_nc_i16"] = rows["v_add_i16"] =
        lanes_saturating<([](i16 a, i16 b) { return i16(a + b); }),
                         ([](i16 a, i16 b) { return i16(std::clamp(a + b, -0x8000, 0x7fff)); })>();
    rows["v_sub_nc_i16"] = rows["v_sub_i16"] =
        lanes_saturating<([](i16 a, i16 b) { return i16(a - b); }),
                         ([](i16 a, i16 b) { return i16(std::clamp(a - b, -0x8000, 0x7fff)); })>();
    rows["v_mul_lo_u16"] = lanes<([](u16 a, u16 b) { return u16(u32{a} * b); })>();
    rows["v_mad_u16"] = rows["v_mad_legacy_u16"] = lanes<([](u16 a, u16 b, u16 c) { return u16(u32{a} * b + c); })>();
    rows["v_mad_i16"] = rows["v_mad_legacy_i16"] = lanes<([](i16 a, i16 b, i16 c) { return i16(i32{a} * b + c); })>();
    rows["v_min_u16"] = lanes<([](u16 a, u16 b) { return a < b ? a : b; })>();
    rows["v_max_u16"] = lanes<([](u16 a, u16 b) { return a > b ? a : b; })>();
    rows["v_min_i16"] = lanes<([](i16 a, i16 b) { return a < b ? a : b; })>();
    rows["v_max_i16"] = lanes<([](i16 a, i16 b) { return a > b ? a : b; })>();
    rows["v_min3_u16"] = lanes<([](u16 a, u16 b, u16 c) { return std::min(std::min(a, b), c); })>();
    rows["v_max3_u16"] = lanes<([](u16 a, u16 b, u16 c) { return std::max(std::max(a, b), c); })>();
    rows["v_min3_i16"] = lanes<([](i16 a, i16 b, i16 c) { return std::min(std::min(a, b), c); })>();
    rows["v_max3_i16"] = lanes<([](i16 a, i16 b, i16 c) { return std::max(std::max(a, b), c); })>();
    rows["v_med3_u16"] = lanes<([](u16 a, u16 b, u16 c) { return median(a, b, c); })>();
    rows["v_med3_i16"] = lanes<([](i16 a, i16 b, i16 c) { return median(a, b, c); })>();
    rows["v_pack_b32_f16"] = lanes<([](u16 a, u16 b) { return u32{a} | u32{b} << 16; })>();
}

} // namespace amdgpu
