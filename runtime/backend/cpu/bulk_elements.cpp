// The element-wise operations of PTX ISA 9.7.9.25.4.2, "cp.reduce.async.bulk".
#include "backend/cpu/bulk_elements.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace rt::backend::cpu {

namespace {

using ptx::host::BulkOperation;
using ptx::host::BulkType;

/// 16-bit floating-point formats: `exponent` bits, the rest mantissa.
template <unsigned exponent> struct Small {
    static constexpr unsigned mantissa = 15 - exponent;
    uint16_t bits;

    /// Exact.
    float value() const {
        const uint32_t sign = uint32_t(bits >> 15) << 31, field = bits & 0x7fff;
        const uint32_t top = field >> mantissa, rest = field & ((1u << mantissa) - 1);
        if (top == (1u << exponent) - 1) return std::bit_cast<float>(sign | 0x7f800000 | rest << (23 - mantissa));
        constexpr int bias = (1 << (exponent - 1)) - 1;
        const float magnitude = top ? std::ldexp(float(rest | 1u << mantissa), int(top) - bias - int(mantissa))
                                    : std::ldexp(float(rest), 1 - bias - int(mantissa));
        return sign ? -magnitude : magnitude;
    }
    /// To nearest, ties to even. Denormals stay.
    static Small of(double value) {
        const uint16_t sign = uint16_t(std::signbit(value) << 15);
        if (std::isnan(value)) return {0x7fff};
        constexpr int bias = (1 << (exponent - 1)) - 1;
        constexpr uint16_t infinity = uint16_t(((1u << exponent) - 1) << mantissa);
        value = std::fabs(value);
        if (value == 0) return {sign};
        if (std::isinf(value)) return {uint16_t(sign | infinity)};
        int scale = 0;
        std::frexp(value, &scale); // value = [0.5, 1) * 2^scale
        const int lowest = std::max(scale - 1, 1 - bias) - int(mantissa);
        const auto units = uint32_t(std::nearbyint(std::ldexp(value, -lowest)));
        // A carry out of the mantissa moves on into the exponent by itself.
        const uint32_t field = (uint32_t(lowest + int(mantissa) + bias - 1) << mantissa) + units;
        return {uint16_t(sign | std::min<uint32_t>(field, infinity))};
    }
};
using Half = Small<5>;
using Bfloat = Small<8>;

template <class T> constexpr bool is_small = std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>;

template <class T> T smaller(T a, T b, bool want_greater) {
    if constexpr (is_small<T>) {
        const float x = a.value(), y = b.value();
        if (std::isnan(x)) return std::isnan(y) ? T{0x7fff} : b;
        if (std::isnan(y)) return a;
        // Of two zeros the negative one is the smaller.
        const bool b_smaller = x == y ? std::signbit(y) : y < x;
        return b_smaller != want_greater ? b : a;
    } else {
        return want_greater ? std::max(a, b) : std::min(a, b);
    }
}

template <class T> T combined(BulkOperation operation, T a, T b) {
    if constexpr (is_small<T>) {
        // Exact in double, so that there is one rounding.
        if (operation == BulkOperation::add) return T::of(double(a.value()) + double(b.value()));
        return smaller(a, b, operation == BulkOperation::max);
    } else if constexpr (std::is_floating_point_v<T>) {
        return a + b;
    } else {
        using U = std::make_unsigned_t<T>;
        switch (operation) {
        case BulkOperation::add:
            return T(U(a) + U(b));
        case BulkOperation::min:
            return smaller(a, b, false);
        case BulkOperation::max:
            return smaller(a, b, true);
        case BulkOperation::inc:
            return U(a) >= U(b) ? T(0) : T(U(a) + 1);
        case BulkOperation::dec:
            return a == 0 || U(a) > U(b) ? b : T(U(a) - 1);
        case BulkOperation::and_:
            return a & b;
        case BulkOperation::or_:
            return a | b;
        case BulkOperation::xor_:
            return a ^ b;
        }
        return a;
    }
}

template <class T, BulkOperation operation> void apply(void* to, const void* from) {
    using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;
    T value;
    std::memcpy(&value, from, sizeof value);
    std::atomic_ref<Bits> target(*static_cast<Bits*>(to));
    Bits old = target.load(std::memory_order_relaxed);
    while (!target.compare_exchange_weak(old, std::bit_cast<Bits>(combined(operation, std::bit_cast<T>(old), value)),
                                         std::memory_order_relaxed)) {
    }
}

template <class T> Combine of_type(BulkOperation operation) {
    constexpr uint32_t bytes = sizeof(T);
    switch (operation) {
    case BulkOperation::add:
        return {bytes, apply<T, BulkOperation::add>};
    case BulkOperation::min:
        return {bytes, std::is_floating_point_v<T> ? nullptr : apply<T, BulkOperation::min>};
    case BulkOperation::max:
        return {bytes, std::is_floating_point_v<T> ? nullptr : apply<T, BulkOperation::max>};
    default:
        break;
    }
    if constexpr (std::is_integral_v<T>) {
        switch (operation) {
        case BulkOperation::inc:
            return {bytes, apply<T, BulkOperation::inc>};
        case BulkOperation::dec:
            return {bytes, apply<T, BulkOperation::dec>};
        case BulkOperation::and_:
            return {bytes, apply<T, BulkOperation::and_>};
        case BulkOperation::or_:
            return {bytes, apply<T, BulkOperation::or_>};
        case BulkOperation::xor_:
            return {bytes, apply<T, BulkOperation::xor_>};
        default:
            break;
        }
    }
    return {};
}

} // namespace

Combine combination(BulkOperation operation, BulkType type) {
    switch (type) {
    case BulkType::u32:
        return of_type<uint32_t>(operation);
    case BulkType::s32:
        return of_type<int32_t>(operation);
    case BulkType::u64:
        return of_type<uint64_t>(operation);
    case BulkType::s64:
        return of_type<int64_t>(operation);
    case BulkType::f16:
        return of_type<Half>(operation);
    case BulkType::bf16:
        return of_type<Bfloat>(operation);
    case BulkType::f32:
        return of_type<float>(operation);
    case BulkType::f64:
        return of_type<double>(operation);
    }
    return {};
}

} // namespace rt::backend::cpu
