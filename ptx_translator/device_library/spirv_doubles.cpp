// For GPUs without doubles: what llvm_to_code/spirv_soft_doubles calls instead of instructions, and directed rounding
// of floats, which is done in doubles elsewhere (spirv_rounding.h). Linked as bitcode and inlined.
#include "soft_float.h"

#define LIBRARY extern "C" __attribute__((always_inline))

namespace soft = cuttle::soft;
using soft::F64;

#define BINARY(name, operation)                                                                                        \
    LIBRARY uint64_t cuttle_f64_##name(uint64_t a, uint64_t b) { return soft::operation<F64>(a, b, soft::Mode::rn); }
BINARY(add, add)
BINARY(subtract, subtract)
BINARY(multiply, multiply)
BINARY(divide, divide)
#undef BINARY

LIBRARY uint64_t cuttle_f64_root(uint64_t a) { return soft::root<F64>(a, soft::Mode::rn); }
LIBRARY uint64_t cuttle_f64_fuse(uint64_t a, uint64_t b, uint64_t c) {
    return soft::fuse<F64>(a, b, c, soft::Mode::rn);
}

#define WHOLE(name, mode)                                                                                              \
    LIBRARY uint64_t cuttle_f64_##name(uint64_t a) { return soft::round_whole<F64>(a, soft::Mode::mode); }
WHOLE(floor, rm)
WHOLE(ceil, rp)
WHOLE(trunc, rz)
WHOLE(nearest, rn)
#undef WHOLE

LIBRARY uint32_t cuttle_f64_compare(uint64_t a, uint64_t b) { return soft::compare<F64>(a, b); }

#define EXTREME(name, greatest, prefers_numbers)                                                                       \
    LIBRARY uint64_t cuttle_f64_##name(uint64_t a, uint64_t b) {                                                       \
        return soft::extreme<F64>(a, b, greatest, prefers_numbers);                                                    \
    }
EXTREME(minimum, false, false)
EXTREME(maximum, true, false)
EXTREME(minimum_number, false, true)
EXTREME(maximum_number, true, true)
#undef EXTREME

LIBRARY uint64_t cuttle_f64_from_signed(uint64_t value) {
    return soft::from_signed<F64>(int64_t(value), soft::Mode::rn);
}
LIBRARY uint64_t cuttle_f64_from_unsigned(uint64_t value) { return soft::from_unsigned<F64>(value, 0, soft::Mode::rn); }
LIBRARY uint64_t cuttle_f64_to_signed(uint64_t a) { return uint64_t(soft::to_signed<F64>(a)); }
LIBRARY uint64_t cuttle_f64_to_unsigned(uint64_t a) { return soft::to_unsigned<F64>(a); }

#define FORMAT(name, format)                                                                                           \
    LIBRARY uint64_t cuttle_f64_from_##name(uint32_t a) {                                                              \
        return soft::convert<soft::format, F64>(a, soft::Mode::rn);                                                    \
    }                                                                                                                  \
    LIBRARY uint32_t cuttle_f64_to_##name(uint64_t a) { return soft::convert<F64, soft::format>(a, soft::Mode::rn); }
FORMAT(f32, F32)
FORMAT(f16, F16)
FORMAT(bf16, BF16)
#undef FORMAT

namespace {

using Rounding = soft::Mode;

inline uint32_t bits_of(float value) { return __builtin_bit_cast(uint32_t, value); }
inline uint64_t bits_of(double value) { return __builtin_bit_cast(uint64_t, value); }

template <class T> struct FormatOf;
template <> struct FormatOf<float> { using F = soft::F32; };
template <> struct FormatOf<double> { using F = F64; };
template <class T> using F = typename FormatOf<T>::F;

template <Rounding mode, class T> T add(T a, T b) {
    return __builtin_bit_cast(T, soft::add<F<T>>(bits_of(a), bits_of(b), mode));
}
template <Rounding mode, class T> T subtract(T a, T b) {
    return __builtin_bit_cast(T, soft::subtract<F<T>>(bits_of(a), bits_of(b), mode));
}
template <Rounding mode, class T> T multiply(T a, T b) {
    return __builtin_bit_cast(T, soft::multiply<F<T>>(bits_of(a), bits_of(b), mode));
}
template <Rounding mode, class T> T divide(T a, T b) {
    return __builtin_bit_cast(T, soft::divide<F<T>>(bits_of(a), bits_of(b), mode));
}
template <Rounding mode, class T> T root(T a) { return __builtin_bit_cast(T, soft::root<F<T>>(bits_of(a), mode)); }
template <Rounding mode, class T> T fuse(T a, T b, T c) {
    return __builtin_bit_cast(T, soft::fuse<F<T>>(bits_of(a), bits_of(b), bits_of(c), mode));
}

} // namespace

#include "rounded_functions.h"
