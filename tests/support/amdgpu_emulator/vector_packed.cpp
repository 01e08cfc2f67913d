// VOP3P: pairs of 16-bit operands, mixed precision, dot products. RDNA3 ISA 16.11.
#include "floats.h"
#include "lanes.h"

#include <algorithm>
#include <cmath>

namespace amdgpu {

namespace {

using u16 = uint16_t;
using i16 = int16_t;
using u32 = uint32_t;
using i32 = int32_t;

/// One half of a packed source for either half of the result.
template <class T> void pick(Wave& wave, const Instruction& in, unsigned source, bool high_result, Room<T>& to) {
    Operand operand = in.source[source];
    operand.high = (high_result ? in.select_high : in.select) >> source & 1;
    if constexpr (std::is_same_v<T, F16>) {
        operand.negate = (high_result ? in.negate_high : in.negate_low) >> source & 1;
        // An inline constant is a half in the lower bits of such operations.
        if (is_inline_float(operand.code)) operand.value = inline_half(operand.code), operand.code = code::literal;
    } else if (!operand.is_vector()) {
        const T value = T(wave.read(operand) >> (operand.high ? 16 : 0));
        for (T& lane : to.lane) lane = value;
        return;
    }
    const T* from = fetch<T>(wave, operand, to);
    if (from != to.lane) std::copy_n(from, wave.lanes, to.lane);
}

template <auto f, class R, class... A, size_t... n>
void packed_lanes(Wave& wave, const Instruction& in, R (*)(A...), std::index_sequence<n...>) {
    Room<u16> halves[2];
    for (unsigned high = 0; high < 2; high++) {
        std::tuple<Room<A>...> from;
        (pick(wave, in, n, high, std::get<n>(from)), ...);
        set_float_mode<R, A...>(wave);
        if constexpr (std::is_same_v<R, F16>) {
            Room<F16> out;
            each_lane(wave, [&](unsigned i) { out.lane[i] = f(std::get<n>(from).lane[i]...); });
            wave.float_mode_64();
            if (in.clamp) each_lane(wave, [&](unsigned i) { out.lane[i].value = clamp_unit(wave, out.lane[i].value); });
            floats_to_halves(&out.lane[0].value, halves[high].lane, wave.lanes);
        } else {
            each_lane(wave, [&](unsigned i) { halves[high].lane[i] = u16(f(std::get<n>(from).lane[i]...)); });
        }
    }
    Room<u32> out;
    each_lane(wave, [&](unsigned i) { out.lane[i] = halves[0].lane[i] | u32{halves[1].lane[i]} << 16; });
    put_bits(wave, in.destination.code, out.lane);
}
template <auto f> void pairs(Wave& wave, const Instruction& in) { packed_lanes<f>(wave, in, +f, indices(+f)); }

/// A pair saturates with the clamp bit.
template <auto f, auto clamped> void saturating_pairs(Wave& wave, const Instruction& in) {
    in.clamp ? pairs<clamped>(wave, in) : pairs<f>(wave, in);
}

void add_integers(Rows& rows) {
    rows["v_pk_add_u16"] = {saturating_pairs<([](u16 a, u16 b) { return u16(a + b); }),
                                             ([](u16 a, u16 b) { return u16(std::min(a + b, 0xffff)); })>};
    rows["v_pk_sub_u16"] = {saturating_pairs<([](u16 a, u16 b) { return u16(a - b); }),
                                             ([](u16 a, u16 b) { return u16(std::max(a - b, 0)); })>};
    rows["v_pk_add_i16"] = {saturating_pairs<([](i16 a, i16 b) { return i16(a + b); }),
                                             ([](i16 a, i16 b) { return i16(std::clamp(a + b, -0x8000, 0x7fff)); })>};
    rows["v_pk_sub_i16"] = {saturating_pairs<([](i16 a, i16 b) { return i16(a - b); }),
                                             ([](i16 a, i16 b) { return i16(std::clamp(a - b, -0x8000, 0x7fff)); })>};
    rows["v_pk_mul_lo_u16"] = {pairs<([](u16 a, u16 b) { return u16(u32{a} * b); })>};
    rows["v_pk_mad_u16"] = {pairs<([](u16 a, u16 b, u16 c) { return u16(u32{a} * b + c); })>};
    rows["v_pk_mad_i16"] = {pairs<([](i16 a, i16 b, i16 c) { return i16(i32{a} * b + c); })>};
    rows["v_pk_min_u16"] = {pairs<([](u16 a, u16 b) { return std::min(a, b); })>};
    rows["v_pk_max_u16"] = {pairs<([](u16 a, u16 b) { return std::max(a, b); })>};
    rows["v_pk_min_i16"] = {pairs<([](i16 a, i16 b) { return std::min(a, b); })>};
    rows["v_pk_max_i16"] = {pairs<([](i16 a, i16 b) { return std::max(a, b); })>};
    rows["v_pk_lshlrev_b16"] = {pairs<([](u16 a, u16 b) { return u16(b << (a & 15)); })>};
    rows["v_pk_lshrrev_b16"] = {pairs<([](u16 a, u16 b) { return u16(b >> (a & 15)); })>};
    rows["v_pk_ashrrev_i16"] = {pairs<([](u16 a, i16 b) { return i16(b >> (a & 15)); })>};
}

/// Sums of products of bytes; `negate_low` says which sources are signed in the form for both.
template <class A, class B> i32 dot_bytes(u32 a, u32 b) {
    i32 sum = 0;
    for (unsigned i = 0; i < 4; i++) sum += i32(A(a >> 8 * i)) * i32(B(b >> 8 * i));
    return sum;
}
template <class A, class B> void dot(Wave& wave, const Instruction& in) {
    vector<([](u32 a, u32 b, u32 c) { return u32(dot_bytes<A, B>(a, b)) + c; })>(wave, in);
}
/// Of `bits` each, signed or not.
template <unsigned bits, bool a_signed, bool b_signed> u32 dot_small(u32 a, u32 b, u32 c) {
    const auto element = [](u32 word, unsigned i, bool is_signed) {
        const u32 field = word >> bits * i & ((1u << bits) - 1);
        return is_signed ? u32(i32(field << (32 - bits)) >> (32 - bits)) : field;
    };
    for (unsigned i = 0; i < 32 / bits; i++) c += element(a, i, a_signed) * element(b, i, b_signed);
    return c;
}
template <unsigned bits, bool a_signed, bool b_signed> void dot_fields(Wave& wave, const Instruction& in) {
    vector<([](u32 a, u32 b, u32 c) { return dot_small<bits, a_signed, b_signed>(a, b, c); })>(wave, in);
}
void dot_nibbles_by_signs(Wave& wave, const Instruction& in) {
    constexpr Execute by_signs[] = {dot_fields<4, false, false>, dot_fields<4, true, false>, dot_fields<4, false, true>,
                                    dot_fields<4, true, true>};
    by_signs[in.negate_low & 3](wave, in);
}
void dot_by_signs(Wave& wave, const Instruction& in) {
    if (in.clamp) wave.stop(Stop::unknown_instruction, in, "the clamp bit");
    switch (in.negate_low & 3) {
    case 0:
        return dot<uint8_t, uint8_t>(wave, in);
    case 1:
        return dot<int8_t, uint8_t>(wave, in);
    case 2:
        return dot<uint8_t, int8_t>(wave, in);
    default:
        return dot<int8_t, int8_t>(wave, in);
    }
}

/// v_fma_mix: each source a float or, if op_sel_hi has its bit, one half of its register; neg_hi is for absolute
/// values.
void pick_mixed(Wave& wave, const Instruction& in, unsigned source, Room<float>& to) {
    Operand operand = in.source[source];
    operand.negate = in.negate_low >> source & 1;
    operand.absolute = in.negate_high >> source & 1;
    if (in.select_high >> source & 1) {
        operand.high = in.select >> source & 1;
        Room<F16> half;
        const F16* from = fetch<F16>(wave, operand, half);
        each_lane(wave, [&](unsigned i) { to.lane[i] = from[i].value; });
        return;
    }
    const float* from = fetch<float>(wave, operand, to);
    if (from != to.lane) std::copy_n(from, wave.lanes, to.lane);
}

template <bool to_half, bool high> void fma_mix(Wave& wave, const Instruction& in) {
    Room<float> from[3], out;
    for (unsigned i = 0; i < 3; i++) pick_mixed(wave, in, i, from[i]);
    wave.float_mode_32();
    each_lane(wave, [&](unsigned i) { out.lane[i] = std::fma(from[0].lane[i], from[1].lane[i], from[2].lane[i]); });
    if constexpr (to_half) {
        Instruction same = in;
        same.destination.high = high;
        wave.float_mode_64();
        put(wave, same, reinterpret_cast<F16*>(out.lane));
    } else {
        put(wave, in, out.lane);
    }
}

/// CDNA: two floats in two registers each, chosen by op_sel.
template <auto f> void float_pairs(Wave& wave, const Instruction& in) {
    Room<float> out[2];
    wave.float_mode_32();
    for (unsigned high = 0; high < 2; high++) {
        Room<float> rooms[3];
        const float* from[3];
        for (unsigned i = 0; i < 3; i++) {
            Operand operand = in.source[i];
            const bool second = (high ? in.select_high : in.select) >> i & 1;
            operand.negate = (high ? in.negate_high : in.negate_low) >> i & 1;
            if (second && operand.code != code::null && (operand.is_vector() || operand.code < code::scalar_registers))
                operand.code++;
            from[i] = fetch<float>(wave, operand, rooms[i]);
        }
        each_lane(wave, [&](unsigned i) { out[high].lane[i] = f(from[0][i], from[1][i], from[2][i]); });
    }
    Instruction second = in;
    second.destination.code++;
    put(wave, in, out[0].lane);
    put(wave, second, out[1].lane);
}

void move_pair(Wave& wave, const Instruction& in) {
    Room<u32> rooms[2];
    const u32* from[2];
    for (unsigned i = 0; i < 2; i++) {
        Operand operand = in.source[i];
        if (in.select >> i & 1) operand.code++;
        from[i] = fetch<u32>(wave, operand, rooms[i]);
    }
    Room<u32> out[2];
    for (unsigned i = 0; i < 2; i++) std::copy_n(from[i], wave.lanes, out[i].lane);
    put_bits(wave, in.destination.code, out[0].lane);
    put_bits(wave, uint16_t(in.destination.code + 1), out[1].lane);
}

/// CDNA: between VGPRs and accumulation VGPRs.
void read_accumulator(Wave& wave, const Instruction& in) {
    Operand from = in.source[0];
    from.code = uint16_t(from.code + 256);
    Room<u32> room;
    put_bits(wave, in.destination.code, fetch<u32>(wave, from, room));
}
void write_accumulator(Wave& wave, const Instruction& in) {
    Room<u32> room;
    put_bits(wave, uint16_t(in.destination.code + 256), fetch<u32>(wave, in.source[0], room));
}

} // namespace

void add_vector_packed(Rows& rows) {
    add_integers(rows);
    rows["v_pk_add_f16"] = {pairs<([](F16 a, F16 b) { return F16{a.value + b.value}; })>};
    rows["v_pk_mul_f16"] = {pairs<([](F16 a, F16 b) { return F16{a.value * b.value}; })>};
    rows["v_pk_min_f16"] = {pairs<([](F16 a, F16 b) { return F16{minimum(a.value, b.value)}; })>};
    rows["v_pk_max_f16"] = {pairs<([](F16 a, F16 b) { return F16{maximum(a.value, b.value)}; })>};
    rows["v_pk_fma_f16"] = {pairs<([](F16 a, F16 b, F16 c) { return F16{odd_half_sum(a.value, b.value, c.value)}; })>};
    rows["v_fma_mix_f32"] = rows["v_mad_mix_f32"] = {fma_mix<false, false>};
    rows["v_fma_mixlo_f16"] = rows["v_mad_mixlo_f16"] = {fma_mix<true, false>};
    rows["v_fma_mixhi_f16"] = rows["v_mad_mixhi_f16"] = {fma_mix<true, true>};
    rows["v_dot4_i32_iu8"] = {dot_by_signs};
    rows["v_dot4_u32_u8"] = {dot<uint8_t, uint8_t>};
    rows["v_dot4_i32_i8"] = {dot<int8_t, int8_t>};
    rows["v_dot4c_i32_i8"] = {dot<int8_t, int8_t>, nullptr, reads_destination};
    rows["v_dot8_u32_u4"] = {dot_fields<4, false, false>};
    rows["v_dot8_i32_i4"] = {dot_fields<4, true, true>};
    rows["v_dot8c_i32_i4"] = {dot_fields<4, true, true>, nullptr, reads_destination};
    rows["v_dot8_i32_iu4"] = {dot_nibbles_by_signs};
    rows["v_dot2_i32_i16"] = {dot_fields<16, true, true>};
    rows["v_dot2_u32_u16"] = {dot_fields<16, false, false>};
    rows["v_pk_fma_f32"] = {float_pairs<([](float a, float b, float c) { return std::fma(a, b, c); })>};
    rows["v_pk_mul_f32"] = {float_pairs<([](float a, float b, float) { return a * b; })>};
    rows["v_pk_add_f32"] = {float_pairs<([](float a, float b, float) { return a + b; })>};
    rows["v_pk_mov_b32"] = {move_pair};
    rows["v_accvgpr_read_b32"] = {read_accumulator};
    rows["v_accvgpr_write_b32"] = {write_accumulator};
}

} // namespace amdgpu
