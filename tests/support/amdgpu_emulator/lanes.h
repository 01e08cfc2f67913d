#pragma once

#include "constants.h"
#include "rows.h"
#include "wave.h"

#include <bit>
#include <cstring>
#include <immintrin.h>
#include <tuple>
#include <type_traits>
#include <utility>

/// Makes the execution of a vector instruction from what it does to one lane: `vector<[](uint32_t a, uint32_t b) {
/// return a + b; }>`. The types of the lambda say how operands are read and the result is written.
namespace amdgpu {

/// A half, computed with as a float: rounded when it is written.
struct F16 {
    float value;
};
/// A lane's bit of a scalar mask, 0 or 1.
struct Bit {
    uint32_t value;
};
/// A result with a bit for the scalar destination.
struct WithCarry {
    uint32_t value, carry;
};
struct WithCarry64 {
    uint64_t value;
    uint32_t carry;
};
template <class T> struct WithFlag {
    T value;
    uint32_t carry;
};

template <class T> inline constexpr bool is_float =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, F16>;
template <class T> inline constexpr bool is_half = std::is_same_v<T, F16> || (std::is_integral_v<T> && sizeof(T) == 2);
template <class T> inline constexpr bool is_wide_float =
    std::is_same_v<T, double> || std::is_same_v<T, F16> || std::is_same_v<T, WithFlag<double>>;
template <class T> inline constexpr bool is_single = std::is_same_v<T, float> || std::is_same_v<T, WithFlag<float>>;

template <class F> inline void each_lane(const Wave& wave, F&& f) {
    for (unsigned base = 0; base < wave.lanes; base += 32)
        for (unsigned i = 0; i < 32; i++) f(base + i);
}

void halves_to_floats(const uint16_t* from, float* to, unsigned count);
void floats_to_halves(const float* from, uint16_t* to, unsigned count); ///< rounded by the host's mode
/// The lanes whose element is not zero.
uint64_t nonzero_lanes(const uint32_t* elements, unsigned count);

/// v_cndmask takes the signs of floats, though it moves bits. Operands of integer operations have no modifiers.
template <class T> inline T with_modifiers(T value, const Operand& operand) {
    if constexpr (std::is_same_v<T, uint16_t>) {
        if (operand.absolute) value &= 0x7fff;
        return operand.negate ? uint16_t(value ^ 0x8000) : value;
    } else if constexpr (std::is_same_v<T, uint32_t>) {
        if (operand.absolute) value &= 0x7fffffffu;
        return operand.negate ? value ^ 0x80000000u : value;
    } else if constexpr (std::is_same_v<T, float>) {
        uint32_t bits = std::bit_cast<uint32_t>(value);
        if (operand.absolute) bits &= 0x7fffffffu;
        if (operand.negate) bits ^= 0x80000000u;
        return std::bit_cast<float>(bits);
    } else if constexpr (std::is_same_v<T, double>) {
        uint64_t bits = std::bit_cast<uint64_t>(value);
        if (operand.absolute) bits &= ~uint64_t{0} >> 1;
        if (operand.negate) bits ^= uint64_t{1} << 63;
        return std::bit_cast<double>(bits);
    } else {
        return value;
    }
}

/// A scalar or constant operand as a T.
template <class T> inline T uniform(const Wave& wave, const Operand& operand) {
    if constexpr (std::is_same_v<T, double>) {
        return wave.read_double(operand);
    } else if constexpr (sizeof(T) == 8) {
        return std::bit_cast<T>(wave.read64(operand, std::is_signed_v<T>));
    } else if constexpr (is_half<T> && !std::is_same_v<T, F16>) {
        // 16-bit integer operations take an inline float as a half, too.
        const uint32_t value = is_inline_float(operand.code) ? inline_half(operand.code) : wave.read(operand);
        return T(operand.high ? value >> 16 : value);
    } else {
        return std::bit_cast<T>(wave.read(operand));
    }
}

template <class T> struct alignas(64) Room { T lane[64]; };

/// The operand in every lane: in place where it can be, else in `room`.
template <class T> inline const T* fetch(Wave& wave, const Operand& operand, Room<T>& room) {
    T* to = room.lane;
    if constexpr (std::is_same_v<T, F16>) {
        Room<uint16_t> bits;
        Operand plain = operand;
        plain.negate = plain.absolute = false;
        const uint16_t* from = fetch<uint16_t>(wave, plain, bits);
        const uint16_t keep = operand.absolute ? 0x7fff : 0xffff, flip = operand.negate ? 0x8000 : 0;
        if (keep != 0xffff || flip)
            each_lane(wave, [&](unsigned i) { bits.lane[i] = uint16_t((from[i] & keep) ^ flip); });
        halves_to_floats(from, reinterpret_cast<float*>(to), wave.lanes);
        return to;
    } else if constexpr (std::is_same_v<T, Bit>) {
        const uint64_t mask = wave.read_mask(operand);
        each_lane(wave, [&](unsigned i) { to[i].value = mask >> i & 1; });
        return to;
    } else if (!operand.is_vector()) {
        const T value = with_modifiers(uniform<T>(wave, operand), operand);
        each_lane(wave, [&](unsigned i) { to[i] = value; });
        return to;
    } else {
        const uint32_t* low = wave.row(operand.code);
        if constexpr (sizeof(T) == 2) {
            const unsigned shift = operand.high ? 16 : 0;
            each_lane(wave, [&](unsigned i) { to[i] = T(low[i] >> shift); });
            if (operand.negate || operand.absolute)
                each_lane(wave, [&](unsigned i) { to[i] = with_modifiers(to[i], operand); });
            return to;
        } else if constexpr (sizeof(T) == 8) {
            const uint32_t* high = low + wave.lanes;
            each_lane(wave, [&](unsigned i) { to[i] = std::bit_cast<T>(low[i] | uint64_t{high[i]} << 32); });
            if constexpr (is_float<T>)
                if (operand.negate || operand.absolute)
                    each_lane(wave, [&](unsigned i) { to[i] = with_modifiers(to[i], operand); });
            return to;
        } else {
            const T* lanes = reinterpret_cast<const T*>(low);
            if (!operand.negate && !operand.absolute) return lanes;
            each_lane(wave, [&](unsigned i) { to[i] = with_modifiers(lanes[i], operand); });
            return to;
        }
    }
}

inline void put_bits(Wave& wave, uint16_t code, const uint32_t* from) {
    uint32_t* to = wave.row(code);
    const uint32_t* mask = wave.mask.data();
    if (wave.full)
        each_lane(wave, [&](unsigned i) { to[i] = from[i]; });
    else
        each_lane(wave, [&](unsigned i) { to[i] = (to[i] & ~mask[i]) | (from[i] & mask[i]); });
}

/// Writes half of a register; GCN clears the other half instead of keeping it when the lower one is written.
void put_halves(Wave& wave, const Operand& to, const uint16_t* from);

/// As v_max with 0, then v_min with 1 would: -0 becomes +0. MODE decides what becomes of a NaN.
template <class T> inline T clamp_unit(const Wave& wave, T value) {
    if (value != value) return wave.clamp_nan_to_zero() ? T(0) : value;
    return !(value > T(0)) ? T(0) : value > T(1) ? T(1) : value;
}

template <class T> inline void modify_output(const Wave& wave, const Instruction& in, T* out) {
    constexpr float factors[] = {1, 2, 4, 0.5f};
    if (in.output_modifier) {
        const T factor = T(factors[in.output_modifier & 3]);
        each_lane(wave, [&](unsigned i) { out[i] *= factor; });
    }
    if (in.clamp) each_lane(wave, [&](unsigned i) { out[i] = clamp_unit(wave, out[i]); });
}

/// Writes the lanes' results by EXEC.
template <class T> inline void put(Wave& wave, const Instruction& in, T* out) {
    if constexpr (std::is_same_v<T, F16>) {
        if (in.clamp || in.output_modifier) modify_output(wave, in, reinterpret_cast<float*>(out));
        Room<uint16_t> bits;
        floats_to_halves(reinterpret_cast<const float*>(out), bits.lane, wave.lanes);
        put_halves(wave, in.destination, bits.lane);
    } else if constexpr (is_half<T>) {
        put_halves(wave, in.destination, reinterpret_cast<const uint16_t*>(out));
    } else if constexpr (sizeof(T) == 8) {
        if constexpr (is_float<T>)
            if (in.clamp || in.output_modifier) modify_output(wave, in, out);
        Room<uint32_t> low, high;
        each_lane(wave, [&](unsigned i) {
            const uint64_t bits = std::bit_cast<uint64_t>(out[i]);
            low.lane[i] = uint32_t(bits);
            high.lane[i] = uint32_t(bits >> 32);
        });
        put_bits(wave, in.destination.code, low.lane);
        put_bits(wave, uint16_t(in.destination.code + 1), high.lane);
    } else {
        if constexpr (is_float<T>)
            if (in.clamp || in.output_modifier) modify_output(wave, in, out);
        put_bits(wave, in.destination.code, reinterpret_cast<const uint32_t*>(out));
    }
}

/// Bits for a scalar destination: those of inactive lanes are 0.
inline void put_mask(Wave& wave, uint16_t scalar, const uint32_t* nonzero) {
    wave.write_mask(scalar, nonzero_lanes(nonzero, wave.lanes) & wave.exec());
}

template <class R, class... A> inline void set_float_mode(const Wave& wave) {
    if constexpr (is_wide_float<R> || (is_wide_float<A> || ...))
        wave.float_mode_64();
    else if constexpr (is_single<R> || (is_single<A> || ...))
        wave.float_mode_32();
}
/// A conversion rounds as its result does.
template <class R, class A> inline void set_conversion_mode(const Wave& wave) {
    if constexpr (is_single<R>)
        wave.float_mode_32();
    else
        wave.float_mode_64();
}

template <auto f, class R, class... A, size_t... n>
inline void vector_lanes(Wave& wave, const Instruction& in, R (*)(A...), std::index_sequence<n...>) {
    if constexpr (sizeof...(A) == 1 && (is_float<A> && ...) && is_float<R>)
        set_conversion_mode<R, A...>(wave);
    else
        set_float_mode<R, A...>(wave);
    std::tuple<Room<A>...> rooms;
    const std::tuple<const A*...> from{fetch<A>(wave, in.source[n], std::get<n>(rooms))...};
    if constexpr (std::is_same_v<R, bool>) {
        Room<uint32_t> out;
        each_lane(wave, [&](unsigned i) { out.lane[i] = f(std::get<n>(from)[i]...); });
        put_mask(wave, in.scalar_destination.code, out.lane);
    } else if constexpr (requires(R r) { r.carry; }) {
        Room<uint32_t> carry;
        Room<decltype(R::value)> out;
        each_lane(wave, [&](unsigned i) {
            const R result = f(std::get<n>(from)[i]...);
            out.lane[i] = result.value;
            carry.lane[i] = result.carry;
        });
        put(wave, in, out.lane);
        put_mask(wave, in.scalar_destination.code, carry.lane);
    } else {
        Room<R> out;
        each_lane(wave, [&](unsigned i) { out.lane[i] = f(std::get<n>(from)[i]...); });
        put(wave, in, out.lane);
    }
}

template <class R, class... A> constexpr auto indices(R (*)(A...)) { return std::index_sequence_for<A...>(); }

template <auto f> void vector(Wave& wave, const Instruction& in) { vector_lanes<f>(wave, in, +f, indices(+f)); }

template <class R, class... A> constexpr uint8_t halves_of(R (*)(A...)) {
    uint8_t halves = is_half<R>;
    unsigned at = 1;
    ((halves |= uint8_t((is_half<A> ? 1 : 0) << at++)), ...);
    return halves;
}

/// The row of an instruction that does `f` to each lane, and `clamped` if its clamp bit is set.
template <auto f> Row lanes(uint16_t flags = 0) { return {vector<f>, nullptr, flags, halves_of(+f)}; }
template <auto f, auto clamped> Row lanes_saturating(uint16_t flags = 0) {
    return {vector<f>, vector<clamped>, flags, halves_of(+f)};
}

} // namespace amdgpu
